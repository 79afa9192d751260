"""What the fold says in the system's log: found by its priority, and without names and words of people."""

from __future__ import annotations

import pytest

from coldchain.announcements import Announcement, Kind
from coldchain.daemon import system_log
from coldchain.model import Priority
from coldchain.pipeline.intake import Told
from coldchain.pipeline.writer import Committed


def logged(caplog: pytest.LogCaptureFixture, *said: Announcement, recorded: bool = True) -> list[str]:
    """Levels and words of what a batch left in the log."""
    caplog.set_level("INFO")
    caplog.clear()
    told = tuple(Told(1, ordinal, 0, one) for ordinal, one in enumerate(said))
    system_log.tell(Committed(1, 1, 0, told, recorded))
    return [f"{record.levelname} {record.getMessage()}" for record in caplog.records]


@pytest.mark.parametrize("kind", [Kind.RAISED, Kind.RE_ALARMED, Kind.ESCALATED])
@pytest.mark.parametrize(
    ("priority", "level"),
    [
        (Priority.CRITICAL, "CRITICAL"),
        (Priority.HIGH, "ERROR"),
        (Priority.LOW, "WARNING"),
        (Priority.TO_KNOW, "INFO"),
    ],
)
def test_what_calls_people_has_the_level_of_its_priority(
    caplog: pytest.LogCaptureFixture, kind: Kind, priority: Priority, level: str
) -> None:
    """`journalctl -p crit` shows critical alarms, `-p err` high ones, too."""
    (line,) = logged(caplog, Announcement(kind, alarm="box/vapour/warm", priority=priority))
    assert line.startswith(f"{level} [{priority.value.replace('_', ' ').upper()}] box/vapour/warm ")


@pytest.mark.parametrize("kind", [Kind.RETURNED, Kind.ACKNOWLEDGED, Kind.SHELVED, Kind.CLOSED, Kind.RESET])
def test_how_it_goes_on_calls_nobody(caplog: pytest.LogCaptureFixture, kind: Kind) -> None:
    """Else the log of an alarm that is over would look like one that has come."""
    (line,) = logged(caplog, Announcement(kind, alarm="box/vapour/warm", priority=Priority.CRITICAL))
    assert line.startswith("INFO ")


@pytest.mark.parametrize("kind", list(Kind))
def test_no_names_and_words_of_people(caplog: pytest.LogCaptureFixture, kind: Kind) -> None:
    """Whoever did it, was called, or is waited for stands in the journal alone; one line each."""
    lines = logged(
        caplog,
        Announcement(
            kind,
            alarm="box/vapour/warm",
            priority=Priority.HIGH,
            actor="Anna Maier",
            comment="my phone:\n0151 2345678",
            to=("Wang Fang",),
        ),
    )
    assert len(lines) == 1
    for word in ("Anna", "Maier", "phone", "0151", "Wang", "\n"):
        assert word not in lines[0]


def test_what_could_not_be_recorded_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever compares log and journal afterwards must know which of the two lacks it."""
    alarm = Announcement(Kind.RAISED, alarm="box/vapour/warm", priority=Priority.CRITICAL)
    assert logged(caplog, alarm, recorded=False) == [
        "CRITICAL [CRITICAL] box/vapour/warm raised, not recorded"
    ]


def test_a_journal_that_cannot_be_written_is_critical(caplog: pytest.LogCaptureFixture) -> None:
    """Its alarm stands behind no fact, so no batch has it; the others come with their batch."""
    journal = Announcement(
        Kind.RAISED, alarm="gateway/journal", priority=Priority.CRITICAL, detail={"why": "disk full"}
    )
    other = Announcement(Kind.RAISED, alarm="box/vapour/warm", priority=Priority.CRITICAL)
    system_log.urgent([Told(7, -1, 0, journal), Told(7, 0, 0, other)])
    assert [f"{record.levelname} {record.getMessage()}" for record in caplog.records] == [
        "CRITICAL [CRITICAL] gateway/journal raised, disk full"
    ]
