"""Who is called: step by step until somebody takes an alarm up, and not in their quiet hours.

A step names contacts and how long an alarm has been asking. Quiet hours are a calendar's: local time of the
site, told from UTC by the zone's offsets that the plan carries, so that the same facts say the same on every
machine. They never hold back what is critical. While our clock is not known nobody can tell what hour it is:
then they wait, and hold back nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from msgspec import Struct, structs

from coldchain.alarms.alarm import Alarm, calls
from coldchain.alarms.table import AlarmEvent, AlarmState
from coldchain.model import Priority
from coldchain.plan import Contact, Plan, QuietHours, Step

_MINUTE_MS = 60_000
_DAY_MIN = 1440


class Calling(Struct, frozen=True):
    """Whom an alarm calls: its steps, and which contacts must not be called now."""

    steps: tuple[Step, ...] = ()
    quiet: frozenset[str] = frozenset()


#: Nobody is named: whoever listens is told of everything.
NOBODY = Calling()


def called(
    moved: Alarm, event: AlarmEvent, now_ms: int, calling: Calling, *, anew: bool
) -> tuple[Alarm, tuple[str, ...]]:
    """The alarm after an event, with the steps called that have come; and who hears of the event.

    Who was told before hears how it goes on. `anew`: earlier acknowledgements no longer stand.
    """
    told, held, to = moved.told, moved.held, moved.told
    asked_ms, count = moved.asked_ms, moved.called
    if moved.state not in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED):
        asked_ms, count, held = None, 0, ()
        told = () if moved.state is AlarmState.NORMAL else told
    else:
        if asked_ms is None or anew:
            asked_ms, count, told, held = now_ms, 0, (), ()
        pending = [contact for contact in held if contact not in told]
        if calls(moved):
            while count < len(calling.steps) and asked_ms + calling.steps[count].after_ms <= now_ms:
                pending += [each for each in calling.steps[count].to if each not in (*told, *pending)]
                count += 1
            held = tuple(contact for contact in pending if contact in calling.quiet)
            new = tuple(contact for contact in pending if contact not in calling.quiet)
            told = (*told, *new)
            to = new if event is AlarmEvent.ESCALATE else tuple(dict.fromkeys((*to, *new)))
    now = tuple(contact for contact in to if contact not in calling.quiet)
    return structs.replace(moved, asked_ms=asked_ms, called=count, told=told, held=held), now


class Contacts:
    """The contacts and steps of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._contacts: dict[str, Contact] = {contact.id: contact for contact in plan.contacts}
        self._steps = {each.priority: each.steps for each in plan.escalation}
        self._zone = plan.zone

    def steps(self, priority: Priority) -> tuple[Step, ...]:
        """The steps of a priority, the earliest first; none: it has no contacts of its own."""
        return self._steps.get(priority, ())

    def calling(self, priority: Priority, utc_ms: int | None) -> Calling:
        """Whom an alarm of a priority calls at an instant; `utc_ms` None: our clock is not known."""
        steps = self.steps(priority)
        if not steps:
            return NOBODY
        return Calling(steps, frozenset(self._quiet(steps, priority, utc_ms)))

    def without_quiet_hours(self, contacts: Iterable[str], priority: Priority) -> bool:
        """Whether somebody is called whom only a clock could have left asleep."""
        return priority is not Priority.CRITICAL and any(
            self._contacts[name].quiet for name in contacts if name in self._contacts
        )

    def quiet_until_ms(self, contact: str, utc_ms: int) -> int | None:
        """When a contact's quiet hours end (UTC), None if it has none now. Hours may join: ask again then."""
        known = self._contacts.get(contact)
        if known is None:
            return None
        offset_ms = self._offset_ms(utc_ms)
        local_min = (utc_ms + offset_ms) // _MINUTE_MS
        ends = [end for hours in known.quiet if (end := _end_min(hours, local_min)) is not None]
        if not ends:
            return None
        end_ms = max(ends) * _MINUTE_MS - offset_ms
        # The clocks may be changed in between: the hour of the day counts, not the length of the night.
        return end_ms + offset_ms - self._offset_ms(end_ms)

    def _quiet(self, steps: tuple[Step, ...], priority: Priority, utc_ms: int | None) -> set[str]:
        if priority is Priority.CRITICAL or utc_ms is None:
            return set()
        named = {contact for step in steps for contact in step.to}
        return {contact for contact in named if self.quiet_until_ms(contact, utc_ms) is not None}

    def _offset_ms(self, utc_ms: int) -> int:
        if not self._zone:
            return 0
        return self._zone[max(0, bisect_right(self._zone, utc_ms, key=lambda part: part[0]) - 1)][1]


def _end_min(hours: QuietHours, local_min: int) -> int | None:
    """The local minute (since 1970) at which hours end that hold now. A night is of its evening's day."""
    today = local_min // _DAY_MIN
    length_min = (hours.to_min - hours.from_min) % _DAY_MIN
    for day in (today, today - 1):
        begins = day * _DAY_MIN + hours.from_min
        weekday = (day + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
        if weekday in hours.days and begins <= local_min < begins + length_min:
            return begins + length_min
    return None
