"""The desk: every alarm there is, and what is said of it. Announced once, never taken back."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from coldchain.alarms import alarm as lifecycle
from coldchain.alarms import moves
from coldchain.alarms.alarm import Alarm, Moved, Said
from coldchain.alarms.table import AlarmEvent, AlarmState
from coldchain.announcements import Announcement, Kind, Late
from coldchain.fold.deadlines import Deadline, Deadlines, DueKind
from coldchain.model import Priority


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
    """All alarms by id, with what they are about."""

    def __init__(self) -> None:
        self.alarms: dict[str, Alarm] = {}
        self.about: dict[str, About] = {}

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
        alarm = self.alarms.get(about.alarm)
        if alarm is None:
            alarm = Alarm(
                id=about.alarm,
                priority=about.priority,
                latches=about.latches,
                re_alarm_ms=about.re_alarm_ms,
            )
        moved = moves.raise_(alarm, excursion, since_ms, due_ms, now_ms, over=over)
        return self._put(about.alarm, moved, excursion=excursion, since_ms=since_ms, due_ms=due_ms, **words)

    def gone(self, alarm: str, now_ms: int, **words: Any) -> list[Announcement]:
        """The condition of an alarm is gone; nothing is said if it was not there."""
        known = self.alarms.get(alarm)
        if known is None:
            return []
        return self._put(alarm, moves.condition_gone(known, now_ms), **words)

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
        judged: bool = True,
    ) -> list[Announcement]:
        """What a person asks for; refused aloud if the alarm is unknown or it cannot be."""
        known = self.alarms.get(alarm)
        if known is None:
            return [
                Announcement(Kind.REFUSED, alarm=alarm, text="unknown_alarm", actor=actor, comment=comment)
            ]
        match event:
            case AlarmEvent.ACKNOWLEDGE:
                moved = moves.acknowledge(known, occurrences, actor, now_ms)
            case AlarmEvent.SHELVE:
                moved = moves.shelve(known, until_ms, now_ms)
            case AlarmEvent.UNSHELVE:
                moved = moves.unshelve(known, now_ms)
            case AlarmEvent.RESET:
                moved = moves.reset(known, comment, now_ms)
            case AlarmEvent.CLOSE:
                moved = moves.close(known, comment, now_ms, judged=judged)
            case _:
                raise ValueError(f"no person asks for {event}")
        return self._put(alarm, moved, actor=actor, comment=comment)

    def fire(self, alarm: str, now_ms: int) -> list[Announcement]:
        """An alarm's own time has come: its shelf ends, or it speaks again."""
        return self._put(alarm, moves.fire(self.alarms[alarm], now_ms))

    def refresh(self, alarm: str, deadlines: Deadlines) -> None:
        """State when this alarm next moves by itself."""
        known = self.alarms.get(alarm)
        at_ms = lifecycle.due_ms(known) if known is not None else None
        subject = self.about[alarm].subject if alarm in self.about else ""
        rule = self.about[alarm].rule if alarm in self.about else ""
        due = Deadline(at_ms, subject, rule, DueKind.ALARM) if at_ms is not None else None
        deadlines.set(f"a:{alarm}", due)

    def leap(self, started_ms: int, by_ms: int) -> None:
        """A down time became known: times to speak again that were set since the start move with it."""
        for name, alarm in self.alarms.items():
            again = alarm.next_re_alarm_ms
            if again is not None and again - (alarm.re_alarm_ms or 0) >= started_ms:
                self.alarms[name] = replace(alarm, next_re_alarm_ms=again + by_ms)

    def retell(self, said: Announcement, announced_ms: int) -> None:
        """Take over what another engine announced: the announced side is carried, never re-made."""
        if not said.alarm or said.kind in (Kind.REFUSED, Kind.NOTE):
            return
        if said.kind is Kind.RAISED and said.priority is not None:
            about = self.about.get(said.alarm) or About(
                said.alarm,
                said.rule,
                said.subject,
                said.priority,
                quantity=said.quantity,
                limit=said.limit,
                axis=said.axis,
                unapproved=said.unapproved,
                simulated=said.simulated,
            )
            over = said.state == AlarmState.RETURNED
            self.raise_(about, said.excursion, said.since_ms or 0, said.due_ms or 0, announced_ms, over=over)
            return
        alarm = self.alarms.get(said.alarm)
        if alarm is None:
            return
        moved: Moved | None = None
        match said.kind:
            case Kind.RETURNED:
                moved = moves.condition_gone(alarm, announced_ms)
            case Kind.ACKNOWLEDGED:
                moved = moves.acknowledge(alarm, said.occurrences, said.actor or "?", announced_ms)
            case Kind.SHELVED:
                moved = moves.shelve(alarm, said.end_ms, announced_ms)
            case Kind.UNSHELVED if said.text == AlarmEvent.UNSHELVE:
                moved = moves.unshelve(alarm, announced_ms)
            case Kind.UNSHELVED | Kind.RE_ALARMED:
                moved = moves.fire(alarm, announced_ms)
            case Kind.RESET:
                moved = moves.reset(alarm, said.comment or "?", announced_ms)
            case Kind.CLOSED:
                moved = moves.close(alarm, said.comment or "?", announced_ms, judged=False)
            case _:
                pass
        if moved is not None:
            self.alarms[said.alarm] = moved[0]

    def _put(self, alarm: str, moved: Moved, **words: Any) -> list[Announcement]:
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
            **words,
        )


#: What was certain for no longer than this is announced in time (ms).
IN_TIME_MS = 1000


def late_reason(due_journal_ms: int | None, announced_ms: int, why: Late) -> Late | None:
    """The reason for an announcement that came more than 1 s after it was certain, else None."""
    if due_journal_ms is None or announced_ms - due_journal_ms <= IN_TIME_MS:
        return None
    return why
