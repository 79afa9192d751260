"""The desk: every alarm there is, and what is said of it. Announced once, never taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from coldchain.alarms import alarm as lifecycle
from coldchain.alarms import moves
from coldchain.alarms.alarm import Alarm, Moved, Said
from coldchain.alarms.calling import Calling, Contacts
from coldchain.alarms.table import HIDDEN_STATES, AlarmEvent, AlarmState, Refusal
from coldchain.announcements import Announcement, Kind, Late
from coldchain.fold.deadlines import Deadline, Deadlines, DueKind
from coldchain.fold.grouping import Groups
from coldchain.fold.timebase import Timebase
from coldchain.fold.veil import Veil
from coldchain.model import Priority
from coldchain.plan import Plan, Step


class About(Struct, frozen=True):
    """What an alarm is about: everything its announcements repeat."""

    alarm: str
    rule: str
    subject: str
    priority: Priority
    latches: bool = False
    re_alarm_ms: int | None = None
    quantity: str = ""
    limit: int | None = None
    axis: str = ""
    unapproved: bool = False
    simulated: bool = False


class Desk:
    """All alarms by id, with what they are about; the veil says which of them call nobody."""

    def __init__(self, veil: Veil, timebase: Timebase) -> None:
        self.alarms: dict[str, Alarm] = {}
        self.about: dict[str, About] = {}
        self.groups = Groups()
        self._contacts = Contacts(Plan(site=""))
        self._veil, self._timebase = veil, timebase

    def activate(self, plan: Plan) -> None:
        """A plan came into force: its contacts are called from now on."""
        self._contacts = Contacts(plan)

    def steps(self, priority: Priority) -> tuple[Step, ...]:
        """The steps by which alarms of a priority call people."""
        return self._contacts.steps(priority)

    def told_then(self, alarm: Alarm, said: Announcement) -> Calling:
        """Whom an alarm called when this was said of it: all others were held back."""
        steps = self._contacts.steps(alarm.priority)
        named = {contact for step in steps for contact in step.to}
        return Calling(steps, frozenset(named.difference(said.to)))

    def told(self, alarm: str, now_ms: int) -> tuple[str, ...]:
        """Who was told of an alarm and may be called now: they hear how it goes on."""
        known = self.alarms.get(alarm)
        if known is None:
            return ()
        quiet = self._calling(known, now_ms).quiet
        return tuple(contact for contact in known.told if contact not in quiet)

    def condition(self, alarm: str) -> bool:
        """Whether an alarm's condition lasts, as announced."""
        known = self.alarms.get(alarm)
        return known is not None and known.condition

    def raise_(
        self,
        about: About,
        excursion: str,
        since_ms: int,
        due_ms: int,
        now_ms: int,
        *,
        over: bool = False,
        **words: Any,
    ) -> list[Announcement]:
        """Annunciate a new occurrence."""
        self.adopt(about, now_ms)
        self.about[about.alarm] = about
        if about.alarm not in self.alarms:
            self.alarms[about.alarm] = new_alarm(about)
        said = self.veiled(about, now_ms)
        alarm = self.alarms[about.alarm]
        calling = self._calling(alarm, now_ms)
        moved = moves.raise_(alarm, excursion, since_ms, due_ms, now_ms, over=over, calling=calling)
        group, first = self.groups.join(about.subject, about.alarm, self._stands)
        words |= {"group": group, "first_in_group": first}
        words |= {"excursion": excursion, "since_ms": since_ms, "due_ms": due_ms}
        return said + self._put(about.alarm, moved, **words)

    def veiled(self, about: About, now_ms: int) -> list[Announcement]:
        """Bring a known alarm behind the veil, or back into sight, as works at its vessel have it."""
        known = self.alarms[about.alarm]
        wanted = self._veil.hides(about.alarm, about.subject, about.rule)
        calling = self._calling(known, now_ms)
        moved: Moved | None = None
        match known.state, wanted:
            case (AlarmState.OUT_OF_SERVICE, AlarmState.OUT_OF_SERVICE):
                pass
            case (_, AlarmState.OUT_OF_SERVICE):
                moved = moves.remove_from_service(known, "work", now_ms, calling=calling)
            case (AlarmState.OUT_OF_SERVICE, _):
                hidden = wanted is not None
                moved = moves.return_to_service(known, now_ms, suppressed=hidden, calling=calling)
            case (_, AlarmState.SUPPRESSED):
                moved = moves.suppress(known, now_ms, calling=calling)
            case (AlarmState.SUPPRESSED, None):
                moved = moves.unsuppress(known, now_ms, calling=calling)
            case _:
                pass
        return [] if moved is None else self._put(about.alarm, moved)

    def gone(self, alarm: str, now_ms: int, **words: Any) -> list[Announcement]:
        """The condition of an alarm is gone; nothing is said if it was not there."""
        known = self.alarms.get(alarm)
        if known is None:
            return []
        moved = moves.condition_gone(known, now_ms, calling=self._calling(known, now_ms))
        return self._put(alarm, moved, **words)

    def adopt(self, about: About, now_ms: int) -> None:
        """The rule behind an alarm has changed its parameters."""
        known = self.alarms.get(about.alarm)
        if known is not None:
            self.about[about.alarm] = about
            self.alarms[about.alarm] = moves.adopt(
                known, about.priority, about.latches, about.re_alarm_ms, now_ms
            )

    def renamed(self, alarm: str, old: str, new: str) -> None:
        """An excursion is part of another now: the alarm's occurrences follow."""
        known = self.alarms.get(alarm)
        if known is not None:
            self.alarms[alarm] = moves.renamed(known, old, new)

    def closed(self, alarm: str) -> bool:
        """Whether a person has closed an alarm since its last occurrence."""
        known = self.alarms.get(alarm)
        return known is not None and known.closed

    def ask(
        self,
        alarm: str,
        event: AlarmEvent,
        now_ms: int,
        *,
        actor: str,
        comment: str,
        occurrences: tuple[int, ...] = (),
        until_ms: int | None = None,
        shelf_max_ms: Mapping[Priority, int] | None = None,
        judged: bool = True,
    ) -> list[Announcement]:
        """What a person asks for; refused aloud if the alarm is unknown or it cannot be.

        shelf_max_ms: how long an alarm may be shelved at most, by priority; one that is not in it, for ever.
        """
        known = self.alarms.get(alarm)
        if known is None:
            return [
                Announcement(Kind.REFUSED, alarm=alarm, text="unknown_alarm", actor=actor, comment=comment)
            ]
        calling = self._calling(known, now_ms)
        match event:
            case AlarmEvent.ACKNOWLEDGE:
                moved = moves.acknowledge(known, occurrences, actor, now_ms, calling=calling)
            case AlarmEvent.SHELVE:
                most_ms = (shelf_max_ms or {}).get(known.priority)
                moved = moves.shelve(known, until_ms, now_ms, most_ms, calling=calling)
                if any(said.refusal is Refusal.SHELF_TOO_LONG for said in moved[1]):
                    return self._put(
                        alarm, moved, actor=actor, comment=comment, detail={"most_ms": str(most_ms)}
                    )
            case AlarmEvent.UNSHELVE:
                moved = moves.unshelve(known, now_ms, calling=calling)
            case AlarmEvent.RESET:
                moved = moves.reset(known, comment, now_ms, calling=calling)
            case AlarmEvent.CLOSE:
                moved = moves.close(known, comment, now_ms, judged=judged, calling=calling)
            case _:
                raise ValueError(f"no person asks for {event}")
        return self._put(alarm, moved, actor=actor, comment=comment)

    def bring_shelves_forward(self, shelf_max_ms: Mapping[Priority, int], now_ms: int) -> list[Announcement]:
        """A shelf that reaches beyond what is allowed from now on ends when one put up now would have to."""
        said: list[Announcement] = []
        for name, alarm in sorted(self.alarms.items()):
            most_ms = shelf_max_ms.get(alarm.priority)
            if (
                alarm.shelved_until_ms is None
                or most_ms is None
                or alarm.shelved_until_ms <= now_ms + most_ms
            ):
                continue
            calling = self._calling(alarm, now_ms)
            moved = moves.shelve(alarm, now_ms + most_ms, now_ms, calling=calling)
            said += self._put(name, moved, text="shelf_shortened")
        return said

    def fire(self, alarm: str, now_ms: int) -> list[Announcement]:
        """An alarm's own time has come: its shelf ends, it speaks again, or it calls the next."""
        known = self.alarms[alarm]
        return self._put(alarm, moves.fire(known, now_ms, calling=self._calling(known, now_ms)))

    def refresh(self, alarm: str, deadlines: Deadlines, now_ms: int) -> None:
        """State when this alarm next moves by itself."""
        known = self.alarms.get(alarm)
        at_ms = self._due_ms(known, now_ms) if known is not None else None
        subject = self.about[alarm].subject if alarm in self.about else ""
        rule = self.about[alarm].rule if alarm in self.about else ""
        due = Deadline(at_ms, subject, rule, DueKind.ALARM) if at_ms is not None else None
        deadlines.set(f"a:{alarm}", due)

    def leap(self, started_ms: int, by_ms: int) -> None:
        """A down time became known: times to speak again that were set since the start move with it."""
        for name, alarm in self.alarms.items():
            again = alarm.next_re_alarm_ms
            if again is not None and again - (alarm.re_alarm_ms or 0) >= started_ms:
                again += by_ms
            asked = alarm.asked_ms
            if asked is not None and asked >= started_ms:
                asked += by_ms
            self.alarms[name] = replace(alarm, next_re_alarm_ms=again, asked_ms=asked)

    def _stands(self, alarm: str) -> bool:
        """Whether an alarm lasts, or asks somebody to look."""
        known = self.alarms.get(alarm)
        return known is not None and (known.condition or bool(lifecycle.unacknowledged(known)))

    def _calling(self, alarm: Alarm, now_ms: int) -> Calling:
        return self._contacts.calling(alarm.priority, self._timebase.utc(now_ms))

    def _due_ms(self, alarm: Alarm, now_ms: int) -> int | None:
        """When an alarm moves next by itself: by its own timers, or at the end of somebody's quiet hours."""
        own_ms = lifecycle.due_ms(alarm, self._contacts.steps(alarm.priority))
        if not alarm.held or not lifecycle.calls(alarm):
            return own_ms
        utc_ms = self._timebase.utc(now_ms)
        times = [] if own_ms is None else [own_ms]
        for contact in alarm.held:
            until_ms = None if utc_ms is None else self._contacts.quiet_until_ms(contact, utc_ms)
            times.append(now_ms if utc_ms is None or until_ms is None else now_ms + until_ms - utc_ms)
        return min(times)

    def _put(self, alarm: str, moved: Moved, **words: Any) -> list[Announcement]:
        if (moved[0].state in HIDDEN_STATES) != (self.alarms[alarm].state in HIDDEN_STATES):
            self._veil.changed = True
        self.alarms[alarm], said = moved
        return [self._announce(self.about[alarm], self.alarms[alarm], one, words) for one in said]

    def _announce(self, about: About, alarm: Alarm, said: Said, words: dict[str, Any]) -> Announcement:
        words = dict(words)
        shelf_end = alarm.shelved_until_ms if said.kind is Kind.SHELVED else None
        text = said.refusal.value if said.refusal is not None else said.event.value
        return Announcement(
            kind=said.kind,
            alarm=about.alarm,
            rule=about.rule,
            subject=about.subject,
            priority=about.priority,
            state=said.state.value,
            occurrence=said.occurrence,
            occurrences=said.occurrences,
            quantity=about.quantity,
            limit=about.limit,
            axis=about.axis,
            unapproved=about.unapproved,
            simulated=about.simulated,
            text=words.pop("text", text),
            end_ms=words.pop("end_ms", shelf_end),
            to=said.to,
            detail=words.pop("detail", {}) | self._calls(alarm, said),
            **words,
        )

    def _calls(self, alarm: Alarm, said: Said) -> dict[str, str]:
        """Who is not called for quiet hours, and that quiet hours wait for a clock."""
        if said.kind is Kind.REFUSED:
            return {}
        words = {"held": ",".join(said.held)} if said.held else {}
        if not self._timebase.known and self._contacts.without_quiet_hours(said.to, alarm.priority):
            words["quiet_hours"] = "clock_not_known"
        return words


def new_alarm(about: About) -> Alarm:
    """An alarm that nothing has happened to yet."""
    return Alarm(
        id=about.alarm, priority=about.priority, latches=about.latches, re_alarm_ms=about.re_alarm_ms
    )


#: What was certain for no longer than this is announced in time (ms).
IN_TIME_MS = 1000


def late_reason(due_journal_ms: int | None, announced_ms: int, why: Late) -> Late | None:
    """The reason for an announcement that came more than 1 s after it was certain, else None."""
    if due_journal_ms is None or announced_ms - due_journal_ms <= IN_TIME_MS:
        return None
    return why
