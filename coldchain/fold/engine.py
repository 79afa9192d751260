"""The fold itself: one fact after another, in journal order, each with what it made us say.

It reads no clock and does no I/O: position and arrival come with each fact. Live, replay, recovery
and `verify` run this one class over the same facts and get the same announcements, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable

from coldchain.announcements import Announcement, Kind, Late
from coldchain.consignments.lane import Lane, When
from coldchain.facts import (
    Acknowledged,
    Activated,
    AlarmClosed,
    Beat,
    ClockSet,
    EngineStarted,
    Fact,
    LatchReset,
    Lost,
    ProcessEnded,
    ProcessStarted,
    Reading,
    Shelved,
    SourceDown,
    SourceUp,
    Unreadable,
    Unrecorded,
    Unshelved,
    Wake,
)
from coldchain.fold.asking import Request, ask
from coldchain.fold.carrying import carry_over
from coldchain.fold.channels import Channels
from coldchain.fold.deadlines import Deadline, Deadlines, DueKind
from coldchain.fold.desk import About, Desk
from coldchain.fold.hearing import deadline_of, fell_silent, was_not_running
from coldchain.fold.place import Moment, Place
from coldchain.fold.silence import Silence
from coldchain.fold.timebase import Timebase
from coldchain.model import Origin, Priority
from coldchain.plan import ChannelPlan, SourcePlan


class Fold:
    """Everything that follows from the facts so far."""

    def __init__(self) -> None:
        self.position = 0
        self.arrival_ms = 0
        self.engine = ""
        self.beat_ms: int | None = None
        self.timebase = Timebase()
        self.lane = Lane()
        self.desk = Desk()
        self.silence = Silence()
        self.channels = Channels()
        self.places: dict[str, Place] = {}
        self.sources_up: dict[str, bool] = {}
        self.lost = 0
        self.process: ProcessStarted | None = None
        self._deadlines = Deadlines()
        self._by_channel: dict[str, list[Place]] = {}

    # What drives it

    def apply(self, position: int, arrival_ms: int, fact: Fact) -> list[Announcement]:
        """Fold one fact; deadlines up to its arrival pass first. ValueError if order is broken."""
        if position <= self.position or arrival_ms < self.arrival_ms:
            raise ValueError(
                f"position {position} at {arrival_ms} after {self.position} at {self.arrival_ms}"
            )
        self.position = position
        before_ms, self.arrival_ms = self.arrival_ms, arrival_ms
        said: list[Announcement] = []
        match fact:
            case ProcessStarted():
                said += self._process_started(fact, before_ms)
            case ClockSet():
                said += self._clock_set(fact)
            case _:
                said += self._fire_until(arrival_ms, Late.STALLED)
                said += self._one(fact)
        return said + self._fire_until(arrival_ms, Late.STALLED)

    def next_due_ms(self) -> int | None:
        """Journal time at which something happens by itself if nothing arrives before; None: never."""
        return first[0].journal_ms if (first := self._deadlines.first()) is not None else None

    def adopt(self, announced: Iterable[tuple[int, Announcement]]) -> None:
        """Take over what other engines announced, as (arrival, announcement) in order.

        Called just before this engine's own EngineStarted fact: the truth is folded anew by this
        engine, the announced side is carried, matched by overlap; the fact tells the differences.
        """
        carry_over(self.desk, self.places, announced)
        for alarm in self.desk.about:
            self.desk.refresh(alarm, self._deadlines)

    # Facts

    def _one(self, fact: Fact) -> list[Announcement]:
        match fact:
            case Reading():
                return self._reading(fact)
            case Unreadable():
                return self._heard(fact.source)
            case Beat():
                self.beat_ms = self.arrival_ms
                return []
            case Wake() | ProcessEnded():
                return []
            case SourceUp():
                self.sources_up[fact.source] = True
                return []
            case SourceDown():
                self.sources_up[fact.source] = False
                return []
            case EngineStarted():
                return self._engine_started(fact)
            case Lost():
                self.lost += fact.count
                detail = {"source": fact.source, "count": str(fact.count), "why": fact.why}
                return self._own("lost", Priority.HIGH, over=True, detail=detail)
            case Unrecorded():
                detail = {"announced": str(fact.announced), "why": fact.why}
                return self._own(
                    "journal", Priority.CRITICAL, over=True, since_ms=fact.from_ms, detail=detail
                )
            case Acknowledged() | Shelved() | Unshelved() | LatchReset() | AlarmClosed():
                return self._asked(fact)
            case _:
                return self._lane(fact)

    def _reading(self, fact: Reading) -> list[Announcement]:
        # What a broker retained, or a file brings, is no word from the source now.
        speaks = fact.origin in (Origin.LIVE, Origin.BACKFILLED)
        said = self._heard(fact.source) if speaks else []
        plan = self.channels.plans.get(fact.channel)
        if plan is None:
            return said
        taken = self.channels.take(plan, fact, self.arrival_ms, self.timebase.utc(self.arrival_ms))
        said += self._source_clock(fact.source, taken.fault)
        if taken.silence_may_end:
            now = self._axis_now(plan)
            if self.silence.reading(plan.id, taken.at_ms, taken.quality, taken.origin, self.arrival_ms, now):
                said += self._gone(f"{self.lane.place_of(plan.id) or plan.id}/silence")
            self._watch(plan.id)
        if taken.sample is None:
            return said
        moved = set(taken.moved)
        for channel in sorted(moved | {plan.id}):
            for place in self._by_channel.get(channel, ()):
                if place.journal_axis is self._source(plan).sends_time:
                    continue  # measured on the other axis by now: these times mean nothing there
                from_ms = taken.first_ms if channel in moved else taken.at_ms
                said += self._judge(place, channel, from_ms, moved=channel in moved)
        return said

    def _judge(self, place: Place, channel: str, from_ms: int, *, moved: bool) -> list[Announcement]:
        """A channel's history has changed from an event time on: advance the place, or revise it."""
        line = place.track.line
        if not line or (from_ms < line[0].from_ms and not moved):
            return []  # before anything was in force here: kept, judged by nothing
        from_ms = max(from_ms, line[0].from_ms)
        sample = self.channels.histories[channel].sample_at(from_ms)
        if sample is not None and place.in_order(from_ms):
            said = place.judge(channel, sample, Moment(self.arrival_ms, Late.TRANSPORT))
        else:
            said = place.revise(from_ms, Moment(self.arrival_ms, Late.FOUND_LATE))
        if (last := place.track.last) is not None:
            place.anchor_at(self.arrival_ms, last.at_ms)
        self._refresh(place)
        return said

    def _lane(self, fact: Fact) -> list[Announcement]:
        when = self._when(getattr(fact, "at_ms", None))
        refused = self.lane.add(fact, when)
        if refused is not None:
            actor = getattr(fact, "actor", "")
            return [Announcement(Kind.REFUSED, text=refused, actor=actor)]
        if isinstance(fact, Activated):
            self.channels.activate(fact.plan)
        said: list[Announcement] = []
        plan, placed = self.lane.plan, self.lane.placed()
        bound = {placed[channel.id]: channel for channel in plan.channels if channel.id in placed}
        for name in sorted(self.lane.places()):
            said += self._set_line(name, bound.get(name))
        for gone in self.silence.channels.keys() - {channel.id for channel in bound.values()}:
            self.silence.forget(gone)
            self._deadlines.set(f"s:{gone}", None)
        for name, channel in bound.items():
            now, source = self._axis_now(channel), self._source(channel)
            axis_ms = self.arrival_ms if now is None else now
            if self.silence.watch(channel, source, name, self.arrival_ms, axis_ms):
                # An alarm that outlived the probe's absence goes with its first word.
                self.silence.channels[channel.id].silent = self.desk.condition(f"{name}/silence")
            self._watch(channel.id)
        return said + self._fire_until(self.arrival_ms, Late.FOUND_LATE)

    def _set_line(self, name: str, bound: ChannelPlan | None) -> list[Announcement]:
        said: list[Announcement] = []
        place = self.places.get(name)
        if place is None:
            journal_axis = bound is not None and not self._source(bound).sends_time
            place = Place(name, self.channels.histories, self.desk, journal_axis)
            self.places[name] = place
        if bound is not None:
            place.simulated = self._source(bound).simulated
            said += self._turn(place, bound)
            shown = self.channels.now.get(bound.id)
            if shown is not None:
                place.anchor_at(shown.arrival_ms, shown.at_ms)
        said += place.set_line(
            self.lane.segments(name, place.journal_axis), Moment(self.arrival_ms, Late.FOUND_LATE)
        )
        for segment in place.track.line:
            if segment.channel is not None:
                places = self._by_channel.setdefault(segment.channel.id, [])
                if place not in places:
                    places.append(place)
        now = place.track.now
        if now is not None:
            for rule, _ in place.track.running:
                self.desk.adopt(place.about(rule, now), self.arrival_ms)
                self.desk.refresh(f"{name}/{rule.id}", self._deadlines)
        self._refresh(place)
        return said

    def _turn(self, place: Place, bound: ChannelPlan) -> list[Announcement]:
        """A probe whose source sends time takes over from one whose source sends none, or the reverse."""
        journal_axis, before = not self._source(bound).sends_time, place.track.channel
        if place.journal_axis is journal_axis:
            return []
        since = self.lane.bound_since(bound.id)
        if since is None or (before is not None and before.id == bound.id):
            since = self._when(None)  # the same probe: its source has changed its mind just now
        moment = Moment(self.arrival_ms, Late.FOUND_LATE)
        return place.turn(journal_axis, since.on(journal_axis=journal_axis), moment)

    def _asked(self, fact: Request) -> list[Announcement]:
        said = ask(self.desk, fact, self.arrival_ms, self.timebase, judged=self.judged(fact.alarm))
        self.desk.refresh(fact.alarm, self._deadlines)
        if isinstance(fact, AlarmClosed) and not self.desk.condition(fact.alarm):
            self.silence.closed(fact.alarm.removeprefix("port:"))
        return said

    def judged(self, alarm: str) -> bool:
        """Whether readings still decide about an alarm: its rule is in force and its probe speaks."""
        about = self.desk.about.get(alarm)
        place = self.places.get(about.subject) if about is not None else None
        if about is None:
            return False
        if place is None:
            return self.silence.measures(about.subject)
        channel = place.track.channel
        watch = self.silence.channels.get(channel.id) if channel is not None else None
        if watch is None:
            return False
        if about.rule == "silence":
            return True
        return not watch.silent and any(rule.id == about.rule for rule, _ in place.track.running)

    # Time

    def _process_started(self, fact: ProcessStarted, before_ms: int) -> list[Announcement]:
        self.timebase.started_ms = self.arrival_ms
        for watch in self.silence.started(self.arrival_ms):
            self._watch(watch.plan.id)
        said = self._fire_until(self.arrival_ms, Late.NOT_RUNNING)
        before, self.process = self.process, fact
        if before is not None:
            said.append(was_not_running(before_ms, self.arrival_ms, fact.down_ms))
        return said

    def _clock_set(self, fact: ClockSet) -> list[Announcement]:
        said: list[Announcement] = []
        started = self.timebase.started_ms
        if fact.leap_ms:
            for watch in self.silence.leap(started, self.arrival_ms, fact.leap_ms):
                self._watch(watch.plan.id)
            self.desk.leap(started, fact.leap_ms)
            for alarm in self.desk.alarms:
                self.desk.refresh(alarm, self._deadlines)
            for place in self.places.values():
                said += place.leap(started, fact.leap_ms, Moment(self.arrival_ms, Late.FOUND_LATE))
                self._refresh(place)
            self.timebase.started_ms = started + fact.leap_ms
        was_known, self_set = self.timebase.known, fact.offset_ms
        self.timebase.set(self.arrival_ms, self_set)
        said += self._fire_until(self.arrival_ms, Late.NOT_RUNNING if fact.leap_ms else Late.STALLED)
        if fact.step_ms:
            detail = {"step_ms": str(fact.step_ms), "source": fact.source}
            said += self._own("clock-step", Priority.LOW, over=True, detail=detail)
        if self_set is None and not self.desk.condition("gateway/clock"):
            said += self._own("clock", Priority.LOW, detail={"source": fact.source})
        elif self_set is not None and not was_known:
            said += self.desk.gone("gateway/clock", self.arrival_ms)
        return said

    def _fire_until(self, until_ms: int, late: Late) -> list[Announcement]:
        said: list[Announcement] = []
        while (first := self._deadlines.first()) is not None and first[0].journal_ms <= until_ms:
            deadline, key = first
            if deadline.kind is DueKind.RULE:
                place = self.places[deadline.subject]
                due = place.track.next()
                if due is not None:
                    said += place.advance(due[0], Moment(self.arrival_ms, late))
                self._refresh(place)
            elif deadline.kind is DueKind.SILENCE:
                said += self._fell_silent(key[2:], deadline, late)
            else:
                said += self.desk.fire(key[2:], self.arrival_ms)
                self.desk.refresh(key[2:], self._deadlines)
        return said

    def _refresh(self, place: Place) -> None:
        self._deadlines.set(f"t:{place.name}", place.deadline())
        for rule, _ in place.track.running:
            self.desk.refresh(f"{place.name}/{rule.id}", self._deadlines)

    def _when(self, at_ms: int | None) -> When:
        utc_now = self.timebase.utc(self.arrival_ms)
        if at_ms is None:
            # While the clock is not known its last mapping stands for it: it errs by the down time, and
            # never puts what is true from now on before what was true earlier.
            return When(self.arrival_ms, self.timebase.printed(self.arrival_ms))
        if utc_now is None:
            return When(self.arrival_ms, at_ms)
        return When(self.arrival_ms + at_ms - utc_now, at_ms)

    def _axis_now(self, channel: ChannelPlan) -> int | None:
        """The arrival on a channel's axis, None if that is UTC and our clock is not known."""
        return self.timebase.utc(self.arrival_ms) if self._source(channel).sends_time else self.arrival_ms

    def _source(self, channel: ChannelPlan) -> SourcePlan:
        return self.channels.sources[channel.source]

    # Silence

    def _watch(self, channel: str) -> None:
        self._deadlines.set(f"s:{channel}", deadline_of(self.silence, channel, self.lane.place_of(channel)))

    def _heard(self, source: str) -> list[Announcement]:
        known = self.silence.sources.get(source)
        was_down = known is not None and known.down
        for watch in self.silence.heard(source, self.arrival_ms):
            self._watch(watch.plan.id)
        return self._gone(f"port:{source}") if was_down else []

    def _gone(self, alarm: str) -> list[Announcement]:
        said = self.desk.gone(alarm, self.arrival_ms)
        self.desk.refresh(alarm, self._deadlines)
        return said

    def _fell_silent(self, channel: str, deadline: Deadline, late: Late) -> list[Announcement]:
        source = self._source(self.silence.channels[channel].plan)
        about, said = fell_silent(self.silence, self.desk, channel, deadline, self.arrival_ms, late, source)
        self._watch(channel)
        self.desk.refresh(about, self._deadlines)
        return said

    # Our own alarms

    def _engine_started(self, fact: EngineStarted) -> list[Announcement]:
        self.engine = fact.engine
        said: list[Announcement] = []
        for name in sorted(self.places):
            said += self.places[name].reconcile(Moment(self.arrival_ms, Late.UPGRADE))
            self._refresh(self.places[name])
        return said

    def _source_clock(self, source: str, fault: bool | None) -> list[Announcement]:
        if fault is None:
            return []
        alarm = f"port:{source}/clock"
        if not fault:
            return self.desk.gone(alarm, self.arrival_ms)
        about = About(alarm, "clock", source, Priority.LOW)
        ahead = {"ahead_ms": str(self.channels.clocks[source].shift_ms)}
        return self.desk.raise_(about, "", self.arrival_ms, self.arrival_ms, self.arrival_ms, detail=ahead)

    def _own(
        self,
        what: str,
        priority: Priority,
        *,
        over: bool = False,
        since_ms: int | None = None,
        detail: dict[str, str] | None = None,
    ) -> list[Announcement]:
        about = About(f"gateway/{what}", what, "gateway", priority, axis="journal")
        now = self.arrival_ms
        since = now if since_ms is None else since_ms
        return self.desk.raise_(about, "", since, now, now, over=over, detail=detail or {})
