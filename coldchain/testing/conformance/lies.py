"""Checks against the table of readings that lie (`coldchain_drivers/lies.toml`)."""

from __future__ import annotations

from coldchain.datasheet import Vector
from coldchain.testing.conformance.subject import Subject, refusals, values
from coldchain_drivers.lies import LIES, TABLE, Row


def it_sees_through_the_lies_of_its_device(subject: Subject) -> None:
    """Each lie that the table holds of this device has a vector, and is BAD with the table's reason."""
    shown = {vector.lie: vector for vector in subject.datasheet.vectors if vector.lie}
    known = {f"{family}.{row.name}": row for family, about in TABLE.items() for row in about.rows}
    assert set(shown) <= set(known), "a vector names a lie that is not in the table"
    missing = [name for name, row in known.items() if subject.name in row.drivers and name not in shown]
    assert missing == [], "the table says that this driver must turn these into BAD; no vector shows it"
    for name, vector in shown.items():
        said = subject.read(vector)
        lied = {bad.key for bad in refusals(said) if bad.reason == known[name].reason}
        if subject.name in known[name].drivers:
            assert lied, f"{name}: {said}"
        # A frame of several quantities lies about one of them; of the others its vector says what they are.
        told = values(said) if len({each.key for each in vector.says}) == 1 else []
        told += [value for value in values(said) if value.key in lied]
        assert told == [], f"{name} is a number: {said}"
        assert vector.reads_as, f"{name}: say what it would have been taken for"


def it_sees_through_every_lie_that_a_site_selects(subject: Subject) -> None:
    """A driver with the setting `lies`: each lie of the table is BAD with its reason once it is selected.

    Only where the number stands in the frame as text: others show it by vectors of their own.
    """
    if "lies" not in subject.driver.settings.model_fields or subject.datasheet.numbers == "computed":
        return
    vector = next((v for v in subject.datasheet.vectors if _shows(subject, v, "-151.25")), None)
    assert vector is not None, "no vector whose number can be put in place of another"
    for family, about in LIES.items():
        for row in about.rows:
            told = _with(vector, {"lies": [family]})
            for text in _texts(row):
                said = subject.read(told, _put(subject, vector, text))
                assert values(said) == [], f"{family}.{row.name}: {text} is a number: {said}"
                assert {bad.reason for bad in refusals(said)} == {row.reason}, f"{family}.{row.name}: {said}"


def _texts(row: Row) -> list[str]:
    assert row.lie is not None
    return [text for text in (row.lie.value, row.lie.at_or_above, row.lie.at_or_below) if text]


def _shows(subject: Subject, vector: Vector, text: str) -> bool:
    """Whether another number in place of the vector's only one is simply read."""
    found = values(subject.read(vector))
    if len(found) != 1 or found[0].unit != "degC" or len(vector.says) != 1:
        return False
    return [each.value for each in values(subject.read(vector, _put(subject, vector, text)))] == [text]


def _put(subject: Subject, vector: Vector, text: str) -> bytes:
    (value,) = values(subject.read(vector))
    return subject.frame(vector).replace(value.value.encode("ascii"), text.encode("ascii"))


def _with(vector: Vector, more: dict[str, object]) -> Vector:
    return vector.model_copy(update={"settings": vector.settings | more})


CHECKS = (it_sees_through_the_lies_of_its_device, it_sees_through_every_lie_that_a_site_selects)
