# ruff: noqa: E501 - a message stands on one line, as it is printed
"""Contacts and steps in gateway.toml: what they mean to the fold, and what is wrong with them, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldchain.config import compile as compiled
from coldchain.config import load
from coldchain.model import Priority
from coldchain.plan import Contact, Escalation, QuietHours, Step
from tests.unit.config.small_site import CONFIG, DRIVERS, changed, marked, problems, warnings, write

CALLING = """
[sinks.on-call]
kind = "webhook"
url = "https://example.org/hook"

[contacts.room]
sink = "on-call"

[contacts.night-shift]
sink = "on-call"
quiet_hours = [{ begin = "22:00", end = "06:30", days = ["sat", "sun"] }]

[escalation]
critical = [{ after = "0 min", to = ["room"] }, { after = "15 min", to = ["night-shift", "room"] }]
"""


def test_the_plan_s_contacts(tmp_path: Path) -> None:
    """Contacts, quiet hours in minutes of the day, steps, and the zone's offsets where hours are to be told."""
    path = write(tmp_path, CONFIG + CALLING)
    plan = compiled(load(path, drivers=DRIVERS))
    assert plan.contacts == (
        Contact("room"),
        Contact("night-shift", (QuietHours(1320, 390, (5, 6)),)),
    )
    steps = (Step(0, ("room",)), Step(900_000, ("night-shift", "room")))
    assert plan.escalation == (Escalation(Priority.CRITICAL, steps),)
    assert [offset for _, offset in plan.zone] == [28_800_000]  # Shanghai, which changes no clocks
    assert warnings(path) == []


def test_without_quiet_hours_no_zone_is_kept(tmp_path: Path) -> None:
    """The plan carries a time zone only where something depends on it."""
    text = changed(CALLING, 'quiet_hours = [{ begin = "22:00", end = "06:30", days = ["sat", "sun"] }]\n', "")
    assert compiled(load(write(tmp_path, CONFIG + text), drivers=DRIVERS)).zone == ()


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        pytest.param(
            '[contacts.room]\nsink = "on-call"',
            '[contacts.room]\nsink = "on-cal" #<',
            ['gateway.toml:@: contacts.room.sink: sinks.on-cal does not exist; did you mean "on-call"?'],
            id="a sink that is not there",
        ),
        pytest.param(
            '[contacts.room]\nsink = "on-call"',
            '[contacts.room]\nsink = "state" #<',
            [
                "gateway.toml:@: contacts.room.sink: sinks.state (mqtt_state) tells no people; name a sink that sends notices, such as webhook"
            ],
            id="a sink that calls nobody",
        ),
        pytest.param(
            'to = ["room"] }',
            'to = ["rom"] }',
            [
                'gateway.toml:@: escalation.critical[0].to[0]: contacts.rom does not exist; did you mean "room"?'
            ],
            id="a contact that is not there",
        ),
        pytest.param(
            'to = ["room"] }',
            "to = [] }",
            ["gateway.toml:@: escalation.critical[0]: calls nobody; name a contact, or leave the step out"],
            id="a step that calls nobody",
        ),
        pytest.param(
            'after = "0 min"',
            'after = "1 h"',
            ["gateway.toml:@: escalation: the steps of critical are not in order; write the earliest first"],
            id="steps out of order",
        ),
        pytest.param(
            'end = "06:30"',
            'end = "22:00"',
            [
                "gateway.toml:@: contacts.night-shift.quiet_hours[0]: would last no time, or for ever; write another end"
            ],
            id="hours without length",
        ),
        pytest.param(
            'begin = "22:00"',
            'begin = "24:00"',
            [
                'gateway.toml:@: contacts.night-shift.quiet_hours[0].begin: "24:00" is no time of the day; write one such as "22:00"'
            ],
            id="an hour that no clock shows",
        ),
    ],
)
def test_what_is_wrong(tmp_path: Path, old: str, new: str, messages: list[str]) -> None:
    """Each with line, place, fault and mend."""
    text = CONFIG + changed(CALLING, old, new)
    said = problems(write(tmp_path, text))
    if "#<" in text:
        assert said == [marked(text, message) for message in messages]
    else:
        assert [one.split(": ", 1)[1] for one in said] == [one.split(": ", 1)[1] for one in messages]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            ', { after = "15 min", to = ["night-shift", "room"] }',
            "",
            "contacts.night-shift: no step calls it; name it in [escalation], or remove it",
            id="a contact whom nobody calls",
        ),
        pytest.param(
            "critical = [",
            "high = [",
            'contacts: what is critical calls no contact: it goes to every sink as if there were none; write critical = [{ after = "0 min", to = ["…"] }] under [escalation]',
            id="nobody for what is critical",
        ),
    ],
)
def test_what_is_doubtful_is_said(tmp_path: Path, old: str, new: str, message: str) -> None:
    """It refuses nothing, and is said."""
    said = warnings(write(tmp_path, CONFIG + changed(CALLING, old, new)))
    assert [one.split(": ", 1)[1] for one in said] == [message]
