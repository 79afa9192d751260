"""What people ask of alarms, as facts."""

from __future__ import annotations

from collections.abc import Mapping

from coldchain.alarms.table import AlarmEvent
from coldchain.announcements import Announcement
from coldchain.facts import Acknowledged, AlarmClosed, LatchReset, Shelved, Unshelved
from coldchain.fold.desk import Desk
from coldchain.fold.timebase import Timebase
from coldchain.model import Priority

Request = Acknowledged | Shelved | Unshelved | LatchReset | AlarmClosed


def ask(
    desk: Desk,
    fact: Request,
    now_ms: int,
    timebase: Timebase,
    *,
    shelf_max_ms: Mapping[Priority, int],
    judged: bool,
) -> list[Announcement]:
    """Do what a person asked for, or refuse it aloud.

    shelf_max_ms: how long an alarm may be shelved at most, by priority.
    judged: readings still decide about the alarm, so it may not be closed by hand.
    """
    event = AlarmEvent.CLOSE
    occurrences: tuple[int, ...] = ()
    until_ms: int | None = None
    match fact:
        case Acknowledged():
            event, occurrences = AlarmEvent.ACKNOWLEDGE, fact.occurrences
        case Shelved():
            # People state a shelf's end in UTC; while the clock is not known there is no such end.
            event, until_ms = AlarmEvent.SHELVE, timebase.journal(fact.until_ms)
        case Unshelved():
            event = AlarmEvent.UNSHELVE
        case LatchReset():
            event = AlarmEvent.RESET
        case AlarmClosed():
            pass
    return desk.ask(
        fact.alarm,
        event,
        now_ms,
        actor=fact.actor,
        comment=fact.comment,
        occurrences=occurrences,
        until_ms=until_ms,
        shelf_max_ms=shelf_max_ms,
        judged=judged,
    )
