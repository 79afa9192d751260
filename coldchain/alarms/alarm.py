"""One alarm as a frozen value: what it remembers, and for how long.

All `*_ms` here are journal time, except an occurrence's `since_ms` and `due_ms`, which are event times on the
channel's own axis and only carried along.

Memory is bounded: what is acknowledged and over is forgotten (the newest one is kept while the latch holds),
and of what is over and unacknowledged only the newest `KEPT` keep their details; older ones are kept as
ranges of numbers, which can be acknowledged like any other.
"""

from __future__ import annotations

from msgspec import Struct, structs

from coldchain.alarms.table import AlarmEvent, AlarmState, Refusal
from coldchain.announcements import Kind
from coldchain.model import Priority
from coldchain.plan import Step

#: How many occurrences that are over and unacknowledged keep their details in memory.
KEPT = 64


class Occurrence(Struct, frozen=True, omit_defaults=True):
    """One time the condition came up.

    number:       from 1, never used twice within an alarm, also not after it was closed.
    excursion:    id of the excursion (or other condition) behind it.
    since_ms:     event time at which it began; due_ms: event time at which it became certain.
    announced_ms: journal time at which it was announced.
    returned_ms:  journal time at which its return to normal was announced, None while it lasts.
    acknowledged_ms, acknowledged_by: the acknowledgement that stands now, None and "" if none does.
    """

    number: int
    excursion: str
    since_ms: int
    due_ms: int
    announced_ms: int
    returned_ms: int | None = None
    acknowledged_ms: int | None = None
    acknowledged_by: str = ""


class Alarm(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An alarm: what its rule says of it, and where it stands.

    latches:          its rule wants a latch; latched: the latch holds, until reset.
    re_alarm_ms:      length of time after which it speaks again while its condition lasts, None: never.
    condition:        active now.
    last:             number of the newest occurrence so far, 0 before the first.
    occurrences:      those with details, oldest first; backlog: (first, last) numbers of older ones that
                      are over and unacknowledged.
    shelved_until_ms: end of the shelf while Shelved; next_re_alarm_ms: when it speaks again.
    closed:           closed by a person; a new occurrence opens it.
    asked_ms:         since when it has been asking somebody to take it up, None: it does not.
    called:           how many steps of its escalation have come since; told: the contacts told so far;
                      held: those whose step came in their quiet hours.
    """

    id: str
    priority: Priority
    latches: bool = False
    re_alarm_ms: int | None = None
    state: AlarmState = AlarmState.NORMAL
    latched: bool = False
    condition: bool = False
    last: int = 0
    occurrences: tuple[Occurrence, ...] = ()
    backlog: tuple[tuple[int, int], ...] = ()
    shelved_until_ms: int | None = None
    next_re_alarm_ms: int | None = None
    closed: bool = False
    asked_ms: int | None = None
    called: int = 0
    told: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


class Said(Struct, frozen=True):
    """What is to be said about an alarm; the fold makes an announcement of it.

    kind:        for the announcement.
    event:       what brought it about (an end of a shelf and a person's un-shelving are both UNSHELVED).
    state:       the state after it.
    occurrence:  the number raised; occurrences: those it is about: returned, acknowledged, closed, or,
                 where the alarm asks (again), all that are unacknowledged.
    refusal:     why not, for REFUSED.
    anew:        earlier acknowledgements no longer stand.
    to:          the contacts called by it; held: those whose quiet hours hold it back.
    """

    kind: Kind
    event: AlarmEvent
    state: AlarmState
    occurrence: int | None = None
    occurrences: tuple[int, ...] = ()
    refusal: Refusal | None = None
    anew: bool = False
    to: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


Moved = tuple[Alarm, tuple[Said, ...]]


def unacknowledged(alarm: Alarm) -> tuple[int, ...]:
    """The numbers of all occurrences that nobody has acknowledged, in order."""
    older = [number for first, last in alarm.backlog for number in range(first, last + 1)]
    return (*older, *(each.number for each in alarm.occurrences if each.acknowledged_ms is None))


def due_ms(alarm: Alarm, steps: tuple[Step, ...] = ()) -> int | None:
    """Journal time at which the alarm moves by itself if nothing else happens; None: never.

    When quiet hours end is a calendar's to say, not the alarm's.
    """
    own = (alarm.shelved_until_ms, alarm.next_re_alarm_ms, next_step_ms(alarm, steps))
    return min((at for at in own if at is not None), default=None)


def calls(alarm: Alarm) -> bool:
    """Whether its steps go on: nobody took it up, and it lasts, or is critical and asks to be looked at."""
    if alarm.state is AlarmState.RETURNED:
        return alarm.priority is Priority.CRITICAL
    return alarm.state is AlarmState.UNACKNOWLEDGED


def next_step_ms(alarm: Alarm, steps: tuple[Step, ...]) -> int | None:
    """When the next step comes, None: there is none, or it waits for the condition."""
    if alarm.asked_ms is None or alarm.called >= len(steps) or not calls(alarm):
        return None
    return alarm.asked_ms + steps[alarm.called].after_ms


# --- Memory -------------------------------------------------------------------------------------------------


def asking_anew(alarm: Alarm) -> Alarm:
    """Take the acknowledgement from what is held: what lasts, else the newest, which the latch holds."""

    def held(each: Occurrence) -> bool:
        return each.returned_ms is None if alarm.condition else each.number == alarm.last

    return structs.replace(
        alarm,
        occurrences=tuple(
            structs.replace(each, acknowledged_ms=None, acknowledged_by="") if held(each) else each
            for each in alarm.occurrences
        ),
    )


def forgetting(alarm: Alarm) -> Alarm:
    """Drop what is acknowledged and over, and of the rest the details beyond what is kept."""
    needed = [
        each
        for each in alarm.occurrences
        if each.returned_ms is None
        or each.acknowledged_ms is None
        or (alarm.latched and each.number == alarm.last)
    ]
    waiting = [each for each in needed if each.returned_ms is not None and each.acknowledged_ms is None]
    backlog = alarm.backlog
    for each in waiting[: max(0, len(waiting) - KEPT)]:
        needed.remove(each)
        backlog = _with(backlog, each.number)
    if len(needed) == len(alarm.occurrences):
        return alarm
    return structs.replace(alarm, occurrences=tuple(needed), backlog=backlog)


def _with(ranges: tuple[tuple[int, int], ...], number: int) -> tuple[tuple[int, int], ...]:
    """The ranges and one more number, which lies outside them."""
    if ranges and ranges[-1][1] == number - 1:
        return (*ranges[:-1], (ranges[-1][0], number))
    return tuple(sorted((*ranges, (number, number))))


def without(ranges: tuple[tuple[int, int], ...], numbers: frozenset[int]) -> tuple[tuple[int, int], ...]:
    """The ranges without these numbers."""
    left: list[tuple[int, int]] = []
    for first, last in ranges:
        start = first
        for number in sorted(number for number in numbers if first <= number <= last):
            if start < number:
                left.append((start, number - 1))
            start = number + 1
        if start <= last:
            left.append((start, last))
    return tuple(left)
