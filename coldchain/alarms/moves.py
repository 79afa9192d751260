"""What moves an alarm: pure functions from an alarm and an event to the next alarm and what to say about it.

A refused request gives back the very same alarm and one `Said` that names the reason. Which state follows is
looked up in `table.py`; here are only the circumstances: which occurrences there are, which of them somebody
has acknowledged, what the latch holds, and when the alarm will move by itself.

What holds (tests/unit/alarms):

- An acknowledgement covers the occurrences it names, and only those; the alarm is Acknowledged only when no
  occurrence is left open. A new occurrence always opens it again.
- While the alarm is hidden (shelved, suppressed, out of service) its occurrences are recorded; when it
  comes back into sight everything still unacknowledged is named once more.
- "Asks anew" (end of a shelf or suppression, return to service, re-alarm of an acknowledged alarm) takes the
  acknowledgement from the occurrences that are still held: those whose condition lasts, or the newest one if
  only the latch holds. The journal keeps who had acknowledged before.
- The steps of an escalation count from when the alarm began to ask; asking anew begins them anew, and what
  comes and goes meanwhile does not. A step that comes while the condition is gone waits until it is back,
  unless the alarm is critical. Who was told is told how it goes on, but not in quiet hours.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import structs

from coldchain.alarms.alarm import (
    Alarm,
    Moved,
    Occurrence,
    Said,
    asking_anew,
    forgetting,
    unacknowledged,
    without,
)
from coldchain.alarms.calling import NOBODY, Calling, called
from coldchain.alarms.table import AlarmEvent, AlarmState, Given, Refusal, Row, look_up
from coldchain.announcements import Kind
from coldchain.model import Priority

# --- The condition ------------------------------------------------------------------------------------------


def raise_(
    alarm: Alarm,
    excursion: str,
    since_ms: int,
    due_ms: int,
    now_ms: int,
    *,
    over: bool = False,
    calling: Calling = NOBODY,
) -> Moved:
    """A new occurrence: the condition came up, or (`over`) was found to have been there and to be over.

    Raised again for an excursion already known when late evidence shows that it had not ended after all.
    """
    number = alarm.last + 1
    new = Occurrence(number, excursion, since_ms, due_ms, now_ms, returned_ms=now_ms if over else None)
    changed = structs.replace(
        alarm,
        condition=alarm.condition or not over,
        latched=alarm.latched or alarm.latches,
        last=number,
        occurrences=(*alarm.occurrences, new),
        closed=False,
    )
    step = _step(alarm, changed, AlarmEvent.RAISE, now_ms, calling=calling)
    return step.alarm, (step.says(Said(Kind.RAISED, AlarmEvent.RAISE, alarm.state, occurrence=number)),)


def condition_gone(alarm: Alarm, now_ms: int, *, calling: Calling = NOBODY) -> Moved:
    """The condition has gone (off-delay and evidence are the rule's); nothing is said if it was not there."""
    if not alarm.condition:
        return alarm, ()
    over = tuple(each.number for each in alarm.occurrences if each.returned_ms is None)
    changed = structs.replace(
        alarm,
        condition=False,
        occurrences=tuple(
            structs.replace(each, returned_ms=now_ms) if each.returned_ms is None else each
            for each in alarm.occurrences
        ),
    )
    step = _step(alarm, changed, AlarmEvent.RETURN, now_ms, calling=calling)
    return step.alarm, (step.says(Said(Kind.RETURNED, AlarmEvent.RETURN, alarm.state, occurrences=over)),)


# --- People -------------------------------------------------------------------------------------------------


def acknowledge(
    alarm: Alarm, occurrences: tuple[int, ...], actor: str, now_ms: int, *, calling: Calling = NOBODY
) -> Moved:
    """A person takes up the named occurrences and no others.

    Refused as a whole if one of them never was; those that somebody else took up before are passed over.
    """
    named = frozenset(occurrences)
    covered = tuple(number for number in unacknowledged(alarm) if number in named)
    changed = structs.replace(
        alarm,
        occurrences=tuple(
            structs.replace(each, acknowledged_ms=now_ms, acknowledged_by=actor)
            if each.number in named and each.acknowledged_ms is None
            else each
            for each in alarm.occurrences
        ),
        backlog=without(alarm.backlog, named),
    )
    flaws = (
        (not named, Refusal.NAMES_NO_OCCURRENCE),
        (not all(1 <= number <= alarm.last for number in named), Refusal.UNKNOWN_OCCURRENCE),
        (not covered, Refusal.ALREADY_ACKNOWLEDGED),
        (not actor.strip(), Refusal.NO_ACTOR),
    )
    said = Said(Kind.ACKNOWLEDGED, AlarmEvent.ACKNOWLEDGE, alarm.state, occurrences=covered)
    return _asked(alarm, changed, said, now_ms, flaws, calling=calling)


def shelve(
    alarm: Alarm,
    until_ms: int | None,
    now_ms: int,
    most_ms: int | None = None,
    *,
    calling: Calling = NOBODY,
) -> Moved:
    """A person silences the alarm until a journal time; shelving a shelved alarm moves its end.

    most_ms: for how long at most, counted from now (None: as long as they like). A longer one is refused, not
    shortened: who shelves must know when the alarm is back.
    """
    flaws = (
        (until_ms is None or until_ms <= now_ms, Refusal.NO_END),
        (
            until_ms is not None and most_ms is not None and until_ms - now_ms > most_ms,
            Refusal.SHELF_TOO_LONG,
        ),
    )
    said = Said(Kind.SHELVED, AlarmEvent.SHELVE, alarm.state)
    changed = structs.replace(alarm, shelved_until_ms=until_ms)
    return _asked(alarm, changed, said, now_ms, flaws, calling=calling)


def unshelve(alarm: Alarm, now_ms: int, *, calling: Calling = NOBODY) -> Moved:
    """A person takes the alarm off the shelf; acknowledgements stand. The shelf's own end is `fire`'s."""
    return _shown(alarm, AlarmEvent.UNSHELVE, Kind.UNSHELVED, now_ms, calling)


def reset(alarm: Alarm, comment: str, now_ms: int, *, calling: Calling = NOBODY) -> Moved:
    """A person resets the latch, with the reason; refused while the condition lasts or anything is open."""
    held = tuple(each.number for each in alarm.occurrences)
    said = Said(Kind.RESET, AlarmEvent.RESET, alarm.state, occurrences=held)
    return _asked(alarm, alarm, said, now_ms, _unless_reasoned(comment), calling=calling)


def close(alarm: Alarm, comment: str, now_ms: int, *, judged: bool, calling: Calling = NOBODY) -> Moved:
    """A person closes an alarm that no reading can end any more, with the reason.

    judged: its rule, channel and probe still deliver evidence; then acknowledging is the way, and closing is
    refused. Nothing is said of the excursion: it stays as it is.
    """
    lasting = {each.number for each in alarm.occurrences if each.returned_ms is None}
    ended = tuple(sorted(lasting.union(unacknowledged(alarm))))
    said = Said(Kind.CLOSED, AlarmEvent.CLOSE, alarm.state, occurrences=ended)
    flaws = _unless_reasoned(comment)
    return _asked(alarm, alarm, said, now_ms, flaws, judged=judged, calling=calling)


def remove_from_service(alarm: Alarm, comment: str, now_ms: int, *, calling: Calling = NOBODY) -> Moved:
    """A person takes the alarm out of service for maintenance, with the reason."""
    said = Said(Kind.OUT_OF_SERVICE, AlarmEvent.REMOVE_FROM_SERVICE, alarm.state)
    return _asked(alarm, alarm, said, now_ms, _unless_reasoned(comment), calling=calling)


def return_to_service(
    alarm: Alarm, now_ms: int, *, suppressed: bool = False, calling: Calling = NOBODY
) -> Moved:
    """The alarm is back in service; what is still held asks anew. `suppressed`: logic still hides it."""
    return _shown(
        alarm, AlarmEvent.RETURN_TO_SERVICE, Kind.IN_SERVICE, now_ms, calling, suppressed=suppressed
    )


# --- Logic and timers ---------------------------------------------------------------------------------------


def suppress(alarm: Alarm, now_ms: int, *, calling: Calling = NOBODY) -> Moved:
    """Another alarm stands for this one, or a work explains it. Nothing is said if that was so before."""
    step = _step(alarm, alarm, AlarmEvent.SUPPRESS, now_ms, calling=calling)
    if step.row.becomes is None:
        return alarm, ()
    return step.alarm, (step.says(Said(Kind.SUPPRESSED, AlarmEvent.SUPPRESS, alarm.state)),)


def unsuppress(alarm: Alarm, now_ms: int, *, calling: Calling = NOBODY) -> Moved:
    """Nothing hides this alarm by design any more; what is still held asks anew."""
    return _shown(alarm, AlarmEvent.UNSUPPRESS, Kind.UNSUPPRESSED, now_ms, calling)


def fire(alarm: Alarm, now_ms: int, *, calling: Calling = NOBODY) -> Moved:
    """Let the alarm do what `due_ms` announced, if that time has come: end its shelf, speak again, call more.

    Times to speak again that were missed (the process was down) are made up for once; the rhythm is kept.
    Contacts held back by quiet hours are called once they are over.
    """
    if alarm.shelved_until_ms is not None and alarm.shelved_until_ms <= now_ms:
        return _shown(alarm, AlarmEvent.SHELF_END, Kind.UNSHELVED, now_ms, calling)
    if alarm.next_re_alarm_ms is None or alarm.next_re_alarm_ms > now_ms:
        return _escalate(alarm, now_ms, calling)
    step = _step(alarm, alarm, AlarmEvent.RE_ALARM, now_ms, calling=calling)
    asked = unacknowledged(step.alarm)
    said = Said(Kind.RE_ALARMED, AlarmEvent.RE_ALARM, alarm.state, occurrences=asked, anew=step.row.anew)
    return step.alarm, (step.says(said),)


def _escalate(alarm: Alarm, now_ms: int, calling: Calling) -> Moved:
    step = _step(alarm, alarm, AlarmEvent.ESCALATE, now_ms, calling=calling)
    if (step.alarm.called, step.alarm.told, step.alarm.held) == (alarm.called, alarm.told, alarm.held):
        return alarm, ()
    asked = unacknowledged(step.alarm)
    return step.alarm, (step.says(Said(Kind.ESCALATED, AlarmEvent.ESCALATE, alarm.state, occurrences=asked)),)


# --- Changes from outside -----------------------------------------------------------------------------------


def adopt(alarm: Alarm, priority: Priority, latches: bool, re_alarm_ms: int | None, now_ms: int) -> Alarm:
    """The alarm under changed parameters of its rule; the very same alarm if none changed.

    A latch that holds goes on holding; a rule that now latches catches a condition that lasts. A changed
    re-alarm time counts from now, but never puts off what was due earlier.
    """
    if (priority, latches, re_alarm_ms) == (alarm.priority, alarm.latches, alarm.re_alarm_ms):
        return alarm
    again = alarm.next_re_alarm_ms
    if re_alarm_ms is None:
        again = None
    elif re_alarm_ms != alarm.re_alarm_ms and _speaks(alarm):
        again = now_ms + re_alarm_ms if again is None else min(again, now_ms + re_alarm_ms)
    return structs.replace(
        alarm,
        priority=priority,
        latches=latches,
        re_alarm_ms=re_alarm_ms,
        latched=alarm.latched or (latches and alarm.condition),
        next_re_alarm_ms=again,
    )


def renamed(alarm: Alarm, old: str, new: str) -> Alarm:
    """The alarm after an excursion was merged into another: its occurrences carry the surviving id."""
    if all(each.excursion != old for each in alarm.occurrences):
        return alarm
    return structs.replace(
        alarm,
        occurrences=tuple(
            structs.replace(each, excursion=new) if each.excursion == old else each
            for each in alarm.occurrences
        ),
    )


# --- What they share ----------------------------------------------------------------------------------------


class _Stepped(NamedTuple):
    """The alarm after a step, the row that said so, and who is called by it."""

    alarm: Alarm
    row: Row
    to: tuple[str, ...] = ()

    def says(self, said: Said) -> Said:
        """What is said of the step: the state after it, and to whom."""
        return structs.replace(said, state=self.alarm.state, to=self.to, held=self.alarm.held)


def _step(
    before: Alarm,
    changed: Alarm,
    event: AlarmEvent,
    now_ms: int,
    *,
    judged: bool = True,
    suppressed: bool = False,
    calling: Calling = NOBODY,
) -> _Stepped:
    """Look the row up for `changed` (before, with the event's own effect) and do what it says."""
    is_open = bool(changed.backlog) or any(each.acknowledged_ms is None for each in changed.occurrences)
    given = Given(changed.condition, is_open, changed.latched, judged, suppressed)
    row = look_up(before.state, event, given)
    if isinstance(row.becomes, Refusal):
        return _Stepped(before, row)
    state = before.state if row.becomes is None else row.becomes
    moved = structs.replace(
        changed,
        state=state,
        shelved_until_ms=changed.shelved_until_ms if state is AlarmState.SHELVED else None,
    )
    if event is AlarmEvent.CLOSE:
        moved = structs.replace(
            moved, condition=False, latched=False, occurrences=(), backlog=(), closed=True
        )
    elif event is AlarmEvent.RESET:
        moved = structs.replace(moved, latched=False)
    if row.anew:
        moved = asking_anew(moved)
    moved = structs.replace(moved, next_re_alarm_ms=_next_re_alarm(before, moved, event, now_ms))
    moved, to = called(moved, event, now_ms, calling, anew=row.anew)
    return _Stepped(forgetting(moved), row, to)


def _asked(
    alarm: Alarm,
    changed: Alarm,
    said: Said,
    now_ms: int,
    flaws: tuple[tuple[bool, Refusal], ...],
    *,
    judged: bool = True,
    calling: Calling = NOBODY,
) -> Moved:
    """Do what a person asks for, unless the table refuses it or the request itself is flawed."""
    step = _step(alarm, changed, said.event, now_ms, judged=judged, calling=calling)
    if isinstance(step.row.becomes, Refusal):
        return _refused(alarm, said.event, step.row.becomes)
    for flawed, refusal in flaws:
        if flawed:
            return _refused(alarm, said.event, refusal)
    return step.alarm, (step.says(said),)


def _unless_reasoned(comment: str) -> tuple[tuple[bool, Refusal], ...]:
    return ((not comment.strip(), Refusal.NO_REASON),)


def _shown(
    alarm: Alarm, event: AlarmEvent, kind: Kind, now_ms: int, calling: Calling, *, suppressed: bool = False
) -> Moved:
    """Bring a hidden alarm back into sight, naming all that is open."""
    step = _step(alarm, alarm, event, now_ms, suppressed=suppressed, calling=calling)
    if isinstance(step.row.becomes, Refusal):
        return _refused(alarm, event, step.row.becomes)
    if step.row.becomes is None:
        return alarm, ()
    asked = unacknowledged(step.alarm)
    return step.alarm, (step.says(Said(kind, event, alarm.state, occurrences=asked, anew=step.row.anew)),)


def _refused(alarm: Alarm, event: AlarmEvent, refusal: Refusal) -> Moved:
    return alarm, (Said(Kind.REFUSED, event, alarm.state, refusal=refusal),)


def _speaks(alarm: Alarm) -> bool:
    """Whether the re-alarm time runs: in sight, and the condition lasts."""
    return alarm.condition and alarm.state in (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)


def _next_re_alarm(before: Alarm, after: Alarm, event: AlarmEvent, now_ms: int) -> int | None:
    period = after.re_alarm_ms
    if period is None or not _speaks(after):
        return None
    due = before.next_re_alarm_ms
    if event is AlarmEvent.RE_ALARM and due is not None:
        return due + ((now_ms - due) // period + 1) * period
    if due is None or event is AlarmEvent.RAISE or after.state is not before.state:
        return now_ms + period
    return due
