"""An announcement as one line for people."""

import pytest

from coldchain.alarms import AlarmState
from coldchain.announcements import Announcement, Kind, Late
from coldchain.model import Priority
from coldchain.sinks.wording import WHILE_UNREACHABLE, iso, sentence
from tests.unit.sinks.world import NOON, raised


def while_unreachable(**detail: str) -> Announcement:
    """What stands for many that had grown old."""
    return Announcement(Kind.NOTE, text=WHILE_UNREACHABLE, priority=Priority.CRITICAL, detail=detail)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(
            raised(),
            "[CRITICAL] box-7/air/high raised, −146.2 °C, limit −150.0 °C, since 2026-11-02T14:26:10.000Z",
            id="a limit",
        ),
        pytest.param(
            raised(simulated=True, unapproved=True, value=None, limit=None, since_ms=None),
            "[SIMULATED] [UNAPPROVED LIMIT] [CRITICAL] box-7/air/high raised",
            id="marks stand first",
        ),
        pytest.param(
            raised(axis="journal", value=None, limit=None),
            "[CRITICAL] box-7/air/high raised",
            id="journal time is not printed as a date",
        ),
        pytest.param(
            Announcement(
                Kind.ACKNOWLEDGED,
                alarm="box-7/air/high",
                priority=Priority.HIGH,
                state=AlarmState.ACKNOWLEDGED.value,
                text="acknowledge",
                actor="anna",
                comment="on my way",
            ),
            "[HIGH] box-7/air/high acknowledged, by anna, “on my way”",
            id="who, and in what words",
        ),
        pytest.param(
            raised(late=Late.FOUND_LATE, value=None, limit=None, since_ms=None),
            "[CRITICAL] box-7/air/high raised, found late",
            id="why it comes late",
        ),
        pytest.param(
            Announcement(Kind.NOTE, subject="gateway", priority=Priority.TO_KNOW, text="not_running"),
            "[TO KNOW] gateway not running",
            id="a note about ourselves",
        ),
        pytest.param(
            while_unreachable(count="1", raised="1", **{"alarm box-7/air/high": "unacknowledged"}),
            "[CRITICAL] while you were unreachable: 1 message; box-7/air/high unacknowledged",
            id="one that had grown old",
        ),
        pytest.param(
            while_unreachable(
                count="24",
                raised="24",
                more_alarms="2",
                **{f"alarm {name}": "unacknowledged" for name in "abcde"},
                **{"alarm f": "normal", "alarm g": "return_to_normal_unacknowledged"},
            ),
            "[CRITICAL] while you were unreachable: 24 messages; g return to normal unacknowledged; "
            "e unacknowledged; d unacknowledged; c unacknowledged; b unacknowledged; 4 more alarms",
            id="many: newest first, what is over last",
        ),
    ],
)
def test_sentence(said: Announcement, words: str) -> None:
    """The line says what, how far and since when, and nothing that is not known."""
    assert sentence(said) == words


def test_every_kind_has_words() -> None:
    """A new kind of announcement cannot be sent without words."""
    assert all(sentence(Announcement(kind, alarm="a")) for kind in Kind)


@pytest.mark.parametrize(
    ("utc_ms", "text"),
    [
        (None, None),
        (NOON, "2026-11-02T14:26:10.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (2**60, None),
    ],
)
def test_iso(utc_ms: int | None, text: str | None) -> None:
    """Times print as UTC with milliseconds; what no calendar holds prints as nothing."""
    assert iso(utc_ms) == text
