"""Checks of what a driver says about itself: its names, settings, example and maturity."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from coldchain.config import Loaded
from coldchain.config.example import load_example
from coldchain.datasheet import Datasheet
from coldchain.driver import AS_SENT, Maturity, MqttDriver, SerialDriver
from coldchain.testing.conformance.subject import Subject
from coldchain.units import QUANTITIES

_UNITS = frozenset(token for quantity in QUANTITIES.values() for token in quantity.units)


def it_can_be_imported(subject: Subject) -> None:
    """It loads, is a driver object, and is published under its own name, with version, title and sources."""
    driver = subject.driver
    assert driver.name == subject.name
    assert driver.version
    assert driver.title
    assert driver.sources


def it_has_a_datasheet(subject: Subject) -> None:
    """Its datasheet can be read, and says who tells the unit of each key that it can send."""
    told = [key for each in subject.datasheet.units for key in each.keys]
    assert sorted(told) == sorted(set(told)), "a key has its unit from two places"
    assert set(subject.driver.keys(subject.settings())) <= set(told) or "*" in told


def its_example_is_accepted(subject: Subject) -> None:
    """The example can be copied into a gateway.toml, and `config check` accepts it."""
    loaded = example(subject)
    assert [source.driver.name for source in loaded.sources.values()] == [subject.name]
    measures = subject.driver.keys(subject.settings())
    assert loaded.settings.channels or not measures, "the example shows no channel"


def example(subject: Subject) -> Loaded:
    """The datasheet's example as a configuration; raises ConfigError."""
    return load_example(subject.driver, subject.datasheet)


def its_settings_are_strict_and_explained(subject: Subject) -> None:
    """Each setting is described, and a misspelt key is an error at every depth."""
    schema = subject.driver.settings.model_json_schema()
    tables = [schema, *(table for table in schema.get("$defs", {}).values() if "properties" in table)]
    silent = [
        f"{table['title']}.{name}"
        for table in tables
        for name, said in table.get("properties", {}).items()
        if not said.get("description")
    ]
    assert silent == []
    assert [table["title"] for table in tables if table.get("additionalProperties") is not False] == []


def what_nobody_knows_is_asked_for(subject: Subject) -> None:
    """What the datasheet calls unknown has no default: the configuration must say it, and is told why."""
    sheet, driver = subject.datasheet, subject.driver
    for unknown in sheet.unknown:
        if unknown.setting not in driver.settings.model_fields and isinstance(driver, SerialDriver):
            line = driver.line(subject.settings())
            assert unknown.setting in {"baud", "frame"}, f"{unknown.setting} is no setting"
            assert getattr(line, unknown.setting) is None, f"{unknown.setting} has a default"
            continue
        said = _refused(subject, {unknown.setting: None}, unknown.setting)
        assert "must be given" in said, f"{unknown.setting}: {said}"
        assert len(said) > len("must be given: ") + 20, f"{unknown.setting}: the error does not say why"


def _refused(subject: Subject, more: dict[str, Any], setting: str) -> str:
    try:
        subject.settings(more)
    except ValidationError as error:
        return " ".join(one["msg"] for one in error.errors() if one["loc"][:1] == (setting,))
    return "accepted"


def its_maturity_is_true(subject: Subject) -> None:
    """`verified against vendor vectors` is said exactly where a vector of the vendor's carries a value."""
    published = _published(subject.datasheet)
    match subject.driver.maturity:
        case Maturity.VENDOR_VECTORS:
            assert "vendor" in published, "no vector of the vendor's carries a value"
        case Maturity.VENDOR_DOCUMENT:
            assert "vendor" not in published, "a vector of the vendor's is there: say so"
            assert any(source.origin == "vendor" for source in subject.datasheet.sources)
        case Maturity.SECOND_HAND:
            assert "vendor" not in published, "a vector of the vendor's is there: say so"
        case Maturity.SIMULATED:
            assert not published & {"vendor", "second_hand"}, "somebody else published a vector: say so"
        case Maturity.GENERIC:
            assert not published & {"vendor", "second_hand"}


def _published(sheet: Datasheet) -> set[str]:
    return {v.origin for v in sheet.vectors if any(said.bad is None for said in v.says)}


def its_questions_fit_its_line(subject: Subject) -> None:
    """A serial driver asks each question once, within its line; an MQTT driver subscribes something."""
    driver, settings = subject.driver, subject.settings()
    keys = driver.keys(settings)
    notes = any(said.text for vector in subject.datasheet.vectors for said in vector.says)
    assert keys or notes, "it measures nothing and notes nothing"
    assert all(unit in _UNITS or unit in {"", AS_SENT} for unit in keys.values()), keys
    if isinstance(driver, MqttDriver):
        assert driver.topics(settings)
        return
    line = driver.line(settings)
    assert line.reply_bytes_max > 0
    assert line.timeout_ms > 0
    queries = driver.poll(settings)
    assert len({query.key for query in queries}) == len(queries), "two questions under one key"
    assert all(request for query in queries for request in (query.send, *query.then))


CHECKS = (
    it_can_be_imported,
    it_has_a_datasheet,
    its_example_is_accepted,
    its_settings_are_strict_and_explained,
    what_nobody_knows_is_asked_for,
    its_maturity_is_true,
    its_questions_fit_its_line,
)
