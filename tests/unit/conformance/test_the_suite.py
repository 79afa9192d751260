"""The suite sees what it is there to see: each kind of misbehaviour fails the check that is meant for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from coldchain.driver import Line, Maturity, Query, SerialDriver
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain.testing.conformance import CHECKS, ON_A_LINE, Subject
from coldchain_drivers.settings import Strict

SHEET = """
summary = "A gauge that a test made up."
writes = "never"
wiring = "None."
example = '''
[sources.gauge]
driver = "gauge"
port = "/dev/ttyUSB0"
poll = "10 s"

[sources.gauge.settings]
unit = "degC"

[channels."box.vapour"]
source = "gauge"
key = "t"
asset = "box"
role = "vapour"
quantity = "temperature"
probe = "vapour"
fresh_within = "2 min"
valid_low = "-200 °C"
valid_high = "60 °C"

[assets.box]
kind = "passive_box"
'''
sources = [{ text = "our own imagination", origin = "ours" }]
unknown = [{ setting = "unit", what = "the unit: replies carry none" }]
units = [{ keys = ["t"], by = ["settings"] }]

[[vectors]]
name = "a value"
origin = "second_hand"
asked = "t"
frame = "T=-182.40"
says = [{ key = "t", value = "-182.40", unit = "degC" }]

[[vectors]]
name = "open"
origin = "ours"
asked = "t"
frame = "T=OPEN"
says = [{ key = "t", bad = "sensor_open" }]
"""


class Settings(Strict):
    """Settings of the gauge."""

    unit: str = Field(description="what the display shows; replies carry no unit and nothing is guessed")


class Lenient(BaseModel):
    """The same, and a default where nobody knows."""

    unit: str = "degC"


_REPLY = re.compile(rb"T=(?:([+-]?\d{1,3}\.\d{2})|OPEN)")
_KEPT: list[bytes] = []


def good(settings: Any, query: Query | None, frame: bytes) -> Decoded:
    """As a driver should."""
    match = _REPLY.fullmatch(frame)
    if query is None or match is None:
        return (Bad(Reason.UNEXPECTED_REPLY, frame, "t" if query else None),)
    if match[1] is None:
        return (Bad(Reason.SENSOR_OPEN, frame, "t"),)
    return (Measured("t", match[1].decode(), settings.unit),)


def raises(settings: Any, query: Query | None, frame: bytes) -> Decoded:
    """Raises over what is no number."""
    float(frame.removeprefix(b"T=").replace(b"OPEN", b"0"))
    return good(settings, query, frame)


def searches(settings: Any, query: Query | None, frame: bytes) -> Decoded:
    """Finds a reply anywhere in the frame, the last one first."""
    found = _REPLY.findall(frame)
    return good(settings, query, b"T=" + found[-1] if found and found[-1] else frame)


def joins(settings: Any, query: Query | None, frame: bytes) -> Decoded:
    """Throws away what it does not like, and reads what remains."""
    return (
        good(settings, query, b"T=" + re.sub(rb"[^0-9.+-]", b"", frame))
        if b"OPEN" not in frame
        else good(settings, query, frame)
    )


def guesses(settings: Any, query: Query | None, frame: bytes) -> Decoded:
    """Knows better than the settings."""
    said = good(settings, query, frame)
    return tuple(Measured(one.key, one.value, "K") if isinstance(one, Measured) else one for one in said)


def converts(settings: Any, query: Query | None, frame: bytes) -> Decoded:
    """Hands on a number that was not sent."""
    said = good(settings, query, frame)
    return tuple(
        Measured(one.key, str(float(one.value)), one.unit) if isinstance(one, Measured) else one
        for one in said
    )


def keeps(settings: Any, query: Query | None, frame: bytes) -> Decoded:
    """Remembers everything for ever."""
    _KEPT.append(frame * 4)
    return good(settings, query, frame)


def backtracks(settings: Any, query: Query | None, frame: bytes) -> Decoded:
    """Takes for ever over a long line."""
    re.fullmatch(rb"(?:0|00)*x", frame)
    return good(settings, query, frame)


def answers_all(settings: Any, query: Query | None, frame: bytes) -> Decoded:
    """Takes what comes without a question for an answer."""
    return good(settings, query or Query("t", b"T?\r\n"), frame)


def gauge(folder: Path, sheet: str = SHEET, **other: Any) -> Subject:
    """The gauge, with a datasheet and with what a test changes."""
    path = folder / "gauge.toml"
    path.write_text(sheet, encoding="utf-8")
    given: dict[str, Any] = {
        "name": "gauge",
        "version": "1",
        "title": "Gauge",
        "maturity": Maturity.SECOND_HAND,
        "settings": Settings,
        "line": lambda s: Line(b"\r\n", 40, 1000, baud=9600, frame="8N1"),
        "poll": lambda s: (Query("t", b"T?\r\n"),),
        "decode": good,
        "keys": lambda s: {"t": s.unit},
        "sources": ("a test",),
        "datasheet": path,
    }
    return Subject.of(SerialDriver(**given | other))


def fails(subject: Subject) -> set[str]:
    """The checks that a driver does not pass."""
    found = set()
    for check in CHECKS:
        try:
            check(subject)
        except Exception:  # noqa: BLE001 - a check may fail by whatever the driver raises
            found.add(check.__name__)
    return found


def test_a_good_driver_passes(tmp_path: Path) -> None:
    """Nothing is asked that a plain driver does not hold."""
    assert fails(gauge(tmp_path)) == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("other", "check"),
    [
        pytest.param({"decode": raises}, "no_bytes_at_all_raise_or_invent", id="raises over garbage"),
        pytest.param({"decode": searches}, "two_frames_in_one_are_no_other_value", id="echo and all is read"),
        pytest.param({"decode": joins}, "a_changed_byte_invents_nothing", id="patches a number together"),
        pytest.param({"decode": guesses}, "it_guesses_no_unit", id="guesses the unit"),
        pytest.param({"decode": converts}, "it_reads_each_vector", id="does not hand on what was sent"),
        pytest.param({"decode": keeps}, "nothing_is_kept_of_frames", id="grows"),
        pytest.param({"decode": answers_all}, "it_answers_no_question_that_was_not_asked", id="unasked"),
        pytest.param({"settings": Lenient}, "its_settings_are_strict_and_explained", id="lenient settings"),
        pytest.param({"settings": Lenient}, "what_nobody_knows_is_asked_for", id="default for the unknown"),
        pytest.param({"maturity": Maturity.VENDOR_VECTORS}, "its_maturity_is_true", id="claims too much"),
        pytest.param({"maturity": Maturity.SIMULATED}, "its_maturity_is_true", id="claims too little"),
        pytest.param({"datasheet": None}, "it_has_a_datasheet", id="no datasheet"),
        pytest.param({"keys": lambda s: {"x": "degC"}}, "it_has_a_datasheet", id="a key without unit"),
        pytest.param({"keys": lambda s: {"x": "degC"}}, "its_example_is_accepted", id="example does not fit"),
        pytest.param({"poll": lambda s: (Query("t", b""),)}, "its_questions_fit_its_line", id="asks nothing"),
        pytest.param({"sources": ()}, "it_can_be_imported", id="says not where it has it from"),
    ],
)
def test_each_misbehaviour_is_seen(tmp_path: Path, other: dict[str, Any], check: str) -> None:
    """A driver that breaks one promise fails the check of that promise."""
    assert check in fails(gauge(tmp_path, **other))
    _KEPT.clear()


@pytest.mark.slow
def test_a_hang_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that does not come back from a frame fails instead of stopping the suite."""
    monkeypatch.setattr("coldchain.testing.conformance.subject.HANGS_S", 0.2)
    check = next(check for check in CHECKS if check.__name__ == "an_endless_frame_is_no_value")
    with pytest.raises(AssertionError, match="not done within"):
        check(gauge(tmp_path, decode=backtracks))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param("says = [{", "says = [", "is no TOML", id="no TOML"),
        pytest.param('summary = "A gauge that a test made up."', "", "summary: Field required", id="a field"),
        pytest.param('frame = "T=OPEN"', 'frame = "€"', "vectors.1", id="a sign that is no byte"),
        pytest.param('frame = "T=OPEN"', 'frame = "a"\nhex = "00"', "exactly one of frame", id="two forms"),
        pytest.param('bad = "sensor_open"', 'bad = "broken"', "vectors.1.says.0.bad", id="no such reason"),
    ],
)
def test_a_wrong_datasheet_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    """Who writes a datasheet is told the file, the place and what is wrong."""
    subject = gauge(tmp_path, SHEET.replace(old, new))
    with pytest.raises(Exception, match=re.escape(says)) as error:
        _ = subject.datasheet
    assert "gauge.toml" in str(error.value)


def test_what_cannot_be_imported_fails() -> None:
    """A driver that cannot be imported is no driver that is skipped."""
    check = CHECKS[0]
    with pytest.raises(AssertionError, match="cannot be imported: No module"):
        check(Subject("gone", broken="No module named gone"))
    with pytest.raises(AssertionError, match="no driver"):
        check(Subject("other", found=object()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("decode", "says"),
    [
        pytest.param(good, "", id="a good one"),
        pytest.param(lambda s, q, f: good(s, q, b"T=-20.00"), "came in", id="reads what was not sent"),
        pytest.param(raises, "raised", id="raises"),
    ],
)
def test_faults_of_the_line_are_played(tmp_path: Path, decode: Any, says: str) -> None:
    """On the real port a driver that invents or raises is seen, and a good one passes."""
    subject = gauge(tmp_path, decode=decode)
    check = next(check for check in ON_A_LINE if check.__name__.startswith("no_fault"))
    if says:
        with pytest.raises(AssertionError, match=says):
            check(subject)
    else:
        check(subject)
