"""Everything that follows from the facts so far, and the steps that several kinds of facts share."""

from __future__ import annotations

from coldchain.alarms.works import Underway
from coldchain.announcements import Announcement, Late
from coldchain.consignments.lane import Lane
from coldchain.facts import HealthCrossed, ProcessStarted
from coldchain.fold.calendar import Calendar
from coldchain.fold.channels import Channels
from coldchain.fold.deadlines import Deadline, Deadlines, DueKind
from coldchain.fold.desk import About, Desk
from coldchain.fold.flood import Flood
from coldchain.fold.hearing import deadline_of, fell_silent
from coldchain.fold.place import Moment, Place
from coldchain.fold.silence import Silence
from coldchain.fold.timebase import Timebase
from coldchain.fold.veil import Veil
from coldchain.model import Priority
from coldchain.plan import ChannelPlan, SourcePlan


class State:
    """The fold's state. `arrival_ms` is the journal time of the fact that is being folded."""

    def __init__(self) -> None:
        self.position = 0
        self.arrival_ms = 0
        self.engine = ""
        self.beat_ms: int | None = None
        self.timebase = Timebase()
        self.lane = Lane()
        self.silence = Silence()
        self.veil = Veil(self.silence)
        self.desk = Desk(self.veil, self.timebase)
        self.flood = Flood()
        self.calendar = Calendar()
        self.channels = Channels()
        self.places: dict[str, Place] = {}
        self.sources_up: dict[str, bool] = {}
        self.lost = 0
        self.process: ProcessStarted | None = None
        self.deadlines = Deadlines()
        self.by_channel: dict[str, list[Place]] = {}

    def judged(self, alarm: str) -> bool:
        """Whether readings still decide about an alarm (rule in force, probe speaks), or a date does."""
        about = self.desk.about.get(alarm)
        if about is None:
            return False
        if self.calendar.holds(alarm):
            return True
        place = self.places.get(about.subject)
        if place is None:
            return about.subject in self.silence.sources or bool(self.silence.covered(alarm))
        channel = place.track.channel
        watch = self.silence.channels.get(channel.id) if channel is not None else None
        if watch is None or watch.place != place.name:
            return False
        if about.rule == "silence":
            return True
        return not watch.silent and any(rule.id == about.rule for rule, _ in place.track.running)

    def moment(self, late: Late) -> Moment:
        """Now, and why something certain earlier would be told only now."""
        return Moment(self.arrival_ms, late)

    def source(self, channel: ChannelPlan) -> SourcePlan:
        """The source of a channel."""
        return self.channels.sources[channel.source]

    def axis_now(self, channel: ChannelPlan) -> int | None:
        """The arrival on a channel's axis, None if that is UTC and our clock is not known."""
        return self.timebase.utc(self.arrival_ms) if self.source(channel).sends_time else self.arrival_ms

    # Deadlines

    def fire_until(self, until_ms: int, late: Late) -> list[Announcement]:
        """Let everything happen that is due by itself up to an instant of journal time, in its order."""
        said: list[Announcement] = []
        while (first := self.deadlines.first()) is not None and first[0].journal_ms <= until_ms:
            deadline, key = first
            if deadline.kind is DueKind.RULE:
                place = self.places[deadline.subject]
                told = place.step(self.moment(late))
                self.refresh_place(place, told)
                said += told
            elif deadline.kind is DueKind.SILENCE:
                said += self._fell_silent(key[2:], deadline, late)
            elif deadline.kind is DueKind.FLOOD:
                said += self.flood.fire(self.arrival_ms)
                self.refresh_flood()
            elif deadline.kind is DueKind.CALENDAR:
                said += self.settle_calendar(late)
            elif deadline.kind is DueKind.WORK:
                said += self.work_due(key[2:], late)
            else:
                said += self.desk.fire(key[2:], self.arrival_ms)
                self.refresh_alarm(key[2:])
        return said

    def work_due(self, key: str, late: Late) -> list[Announcement]:
        """A work's own time has come (the fold knows what follows)."""
        raise NotImplementedError

    def refresh_place(self, place: Place, said: list[Announcement]) -> None:
        """State when something happens next at a place, and with the alarms that spoke."""
        self.deadlines.set(place.key, place.deadline())
        for one in said:
            if one.alarm:
                self.refresh_alarm(one.alarm)
        if place.adopted:
            place.adopted = False
            for rule, _ in place.track.running:
                self.refresh_alarm(f"{place.name}/{rule.id}")

    def refresh_alarm(self, alarm: str) -> None:
        """State when an alarm moves next by itself."""
        self.desk.refresh(alarm, self.deadlines, self.arrival_ms)

    def refresh_work(self, work: Underway) -> None:
        """State when a work moves next by itself."""
        at_ms = work.due_ms
        due = None if at_ms is None else Deadline(at_ms, work.scope, work.work.id, DueKind.WORK)
        self.deadlines.set(f"w:{work.key}", due)

    def refresh_flood(self) -> None:
        """State when a flood ends."""
        at_ms = self.flood.due_ms()
        due = None if at_ms is None else Deadline(at_ms, "gateway", "flood", DueKind.FLOOD)
        self.deadlines.set("f:flood", due)

    def settle_calendar(self, late: Late) -> list[Announcement]:
        """Say what the date makes of the certificates, and state when they have something to say again."""
        said = self.calendar.settle(self.desk, self.timebase, self.arrival_ms, late)
        for one in said:
            if one.alarm:
                self.refresh_alarm(one.alarm)
        self.deadlines.set("c:calendar", self.calendar.deadline(self.timebase, self.arrival_ms))
        return said

    def refresh_watch(self, channel: str) -> None:
        """State when a channel's silence falls due."""
        self.deadlines.set(f"s:{channel}", deadline_of(self.silence, channel))

    def _fell_silent(self, channel: str, deadline: Deadline, late: Late) -> list[Announcement]:
        source = self.source(self.silence.channels[channel].plan)
        about, said = fell_silent(self.silence, self.desk, channel, deadline, self.arrival_ms, late, source)
        self.refresh_watch(channel)
        self.refresh_alarm(about)
        return said

    # Alarms that are no rule's

    def gone(self, alarm: str) -> list[Announcement]:
        """The condition of an alarm is gone; nothing is said if it was not there."""
        said = self.desk.gone(alarm, self.arrival_ms)
        self.refresh_alarm(alarm)
        return said

    def own(
        self,
        what: str,
        priority: Priority,
        *,
        rule: str = "",
        over: bool = False,
        since_ms: int | None = None,
        detail: dict[str, str] | None = None,
    ) -> list[Announcement]:
        """Raise an alarm about ourselves; `over`: it tells of something that has passed.

        rule: by which people find words for it, where `what` names one of several.
        """
        about = About(f"gateway/{what}", rule or what, "gateway", priority, axis="journal")
        now = self.arrival_ms
        since = now if since_ms is None else since_ms
        said = self.desk.raise_(about, "", since, now, now, over=over, detail=detail or {})
        self.refresh_alarm(about.alarm)
        return said

    def health(self, fact: HealthCrossed) -> list[Announcement]:
        """The gateway itself is not as it should be, or is again."""
        alarm = f"gateway/{fact.what}"
        if not fact.beyond:
            return self.gone(alarm)
        if self.desk.condition(alarm):
            return []
        detail = {"value": f"{fact.value} {fact.unit}", "limit": f"{fact.limit} {fact.unit}"}
        rule = "sink" if fact.what.startswith("sink-") else fact.what
        return self.own(fact.what, fact.priority, rule=rule, detail=detail)

    def of_source(self, source: str, what: str, *, bad: bool, detail: dict[str, str]) -> list[Announcement]:
        """An alarm about how a source behaves (its clock, its counter): raised once, gone once right."""
        alarm = f"port:{source}/{what}"
        if not bad:
            return self.gone(alarm)
        if self.desk.condition(alarm):
            return []
        about = About(alarm, what, source, Priority.LOW, axis="journal")
        now_ms = self.arrival_ms
        said = self.desk.raise_(about, "", now_ms, now_ms, now_ms, detail=detail)
        self.refresh_alarm(alarm)
        return said

    def refresh_alarms(self) -> None:
        """Contacts, steps or our clock have changed: state anew when every alarm moves by itself."""
        for alarm in self.desk.alarms:
            self.refresh_alarm(alarm)
