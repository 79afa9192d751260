"""The fold itself: one fact after another, in journal order, each with what it made us say.

It reads no clock and does no I/O: position and arrival come with each fact. Live, replay, recovery
and `verify` run this one class over the same facts and get the same announcements, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable

from typing_extensions import override

from coldchain.announcements import Announcement, Kind, Late
from coldchain.facts import (
    Acknowledged,
    Activated,
    AlarmClosed,
    Beat,
    Bound,
    ClockSet,
    ConsignmentEnded,
    ConsignmentStarted,
    EngineStarted,
    EtaSet,
    ExcursionReopened,
    ExcursionResolved,
    Fact,
    HeadPublished,
    HeadSigned,
    HealthCrossed,
    LatchReset,
    Lost,
    Note,
    ProcessEnded,
    ProcessStarted,
    Reading,
    Shelved,
    SourceDown,
    SourceUp,
    StageEntered,
    Unbound,
    Unreadable,
    Unrecorded,
    Unshelved,
    Wake,
    WorkBegan,
    WorkEnded,
)
from coldchain.fold import logs, resolving, settling, working
from coldchain.fold.asking import Request, ask
from coldchain.fold.carrying import carry_over
from coldchain.fold.changing import LATEST_MS, change
from coldchain.fold.clocking import clock_set, process_started
from coldchain.fold.hearing import alarm_of
from coldchain.fold.moving import moved, source_clock
from coldchain.fold.place import Place
from coldchain.fold.reconciling import reconcile
from coldchain.fold.state import State
from coldchain.logged import FileImported, LoggerKnown
from coldchain.model import Origin, Priority
from coldchain.removed import NamesErased, ReadingsRemoved, ReadingsSummarised, Removed

#: Origins by which a source shows that it is alive.
_SPEAKS = frozenset({Origin.LIVE, Origin.BACKFILLED})


class Fold(State):
    """Everything that follows from the facts so far."""

    def __init__(self) -> None:
        super().__init__()
        self._carried = False

    def apply(self, position: int, arrival_ms: int, fact: Fact) -> list[Announcement]:
        """Fold one fact; deadlines up to its arrival pass first. ValueError if order is broken."""
        if position <= self.position or arrival_ms < self.arrival_ms:
            raise ValueError(
                f"position {position} at {arrival_ms} after {self.position} at {self.arrival_ms}"
            )
        self.position = position
        before_ms, self.arrival_ms = self.arrival_ms, arrival_ms
        match fact:
            case ProcessStarted():
                said = process_started(self, fact, before_ms)
            case ClockSet():
                said = clock_set(self, fact)
            case _:
                said = self.fire_until(arrival_ms, Late.STALLED)
                said += self._one(fact)
        said += self.fire_until(arrival_ms, Late.STALLED)
        if self.veil.changed:
            said += working.settle(self)
        if said:
            said = self.flood.watch(said, arrival_ms)
            self.refresh_flood()
        return said

    def next_due_ms(self) -> int | None:
        """Journal time at which something happens by itself if nothing arrives before; None: never."""
        return first[0].journal_ms if (first := self.deadlines.first()) is not None else None

    def adopt(self, announced: Iterable[tuple[int, Announcement]]) -> None:
        """Take over what other engines announced, as (arrival, announcement) in order.

        Called before this engine's own EngineStarted fact: the truth is folded anew by this
        engine, the announced side is carried, matched by overlap; the fact tells the differences.
        """
        carry_over(self.desk, self.places, announced)
        self._carried = True
        for alarm in self.desk.about:
            self.refresh_alarm(alarm)

    def _gone(self, fact: Removed) -> list[Announcement]:
        if isinstance(fact, ReadingsRemoved):
            settling.forget(self, fact)
        return []

    def _one(self, fact: Fact) -> list[Announcement]:
        match fact:
            case Reading():
                return self._reading(fact)
            case Unreadable() | Note():
                return self._heard(fact.source)
            case Beat():
                self.beat_ms = self.arrival_ms
                return []
            case Wake() | ProcessEnded() | HeadSigned() | HeadPublished():
                return []
            case ReadingsRemoved() | ReadingsSummarised() | NamesErased():
                return self._gone(fact)
            case SourceUp() | SourceDown():
                self.sources_up[fact.source] = isinstance(fact, SourceUp)
                return []
            case EngineStarted():
                self.engine = fact.engine
                carried, self._carried = self._carried, False
                return reconcile(self) if carried else []
            case Lost() | Unrecorded() | HealthCrossed():
                return self._ourselves(fact)
            case WorkBegan() | WorkEnded() | ExcursionResolved() | ExcursionReopened():
                return self._entered(fact)
            case Acknowledged() | Shelved() | Unshelved() | LatchReset() | AlarmClosed():
                return self._asked(fact)
            case (
                Activated()
                | Bound()
                | Unbound()
                | ConsignmentStarted()
                | StageEntered()
                | EtaSet()
                | ConsignmentEnded()
            ):
                return change(self, fact) + working.reindex(self)
            case LoggerKnown() | FileImported():
                return logs.told(self, fact)
            case ProcessStarted() | ClockSet():
                raise AssertionError("these move time, and are taken before")

    def _ourselves(self, fact: Lost | Unrecorded | HealthCrossed) -> list[Announcement]:
        match fact:
            case Lost():
                self.lost += fact.count
                detail = {"source": fact.source, "count": str(fact.count), "why": fact.why}
                return self.own("lost", Priority.HIGH, over=True, detail=detail)
            case Unrecorded():
                detail = {"announced": str(fact.announced), "why": fact.why}
                return self.own("journal", Priority.CRITICAL, over=True, since_ms=fact.from_ms, detail=detail)
            case HealthCrossed():
                return self.health(fact)

    # Readings

    def _reading(self, fact: Reading) -> list[Announcement]:
        # What a broker has retained, or a file brings, is no word from the source now.
        said = self._heard(fact.source) if fact.origin in _SPEAKS else []
        plan = self.channels.plans.get(fact.channel)
        if plan is None:
            return said
        if not _is_time(fact.at_ms) or not _is_time(fact.stamp_ms):
            said.append(Announcement(Kind.REFUSED, subject=plan.id, text="that is no time"))
            return said
        taken = self.channels.take(plan.id, fact, self.arrival_ms, self.timebase)
        if taken.restarted is not None:
            detail = {"sequence": str(fact.sequence), "channel": plan.id}
            said += self.of_source(plan.source, "sequence", bad=taken.restarted, detail=detail)
        if taken.moved:
            said += moved(self, plan.source, taken)
        else:
            said += source_clock(self, plan.source, taken)
        if taken.alive:
            said += self._alive(plan.id, fact, taken.at_ms, taken.quality)
        if taken.judged:
            for place in self.by_channel.get(plan.id, ()):
                said += self._judge(place, plan.id, taken.at_ms)
        return said

    def _judge(self, place: Place, channel: str, at_ms: int) -> list[Announcement]:
        """A reading stands in its channel's history now: advance the place, or fold it again."""
        if not place.track.measures(channel, at_ms):
            return []  # before anything was in force here, or it was elsewhere then
        sample = place.track.sample_at(at_ms)
        if sample is not None and place.in_order(at_ms):
            said = place.judge(sample, self.moment(Late.TRANSPORT))
        elif sample is None and place.in_order(at_ms):
            return []  # a probe in reserve, while the first one speaks
        else:
            said = place.added(at_ms, self.moment(Late.FOUND_LATE))
            sample = None
        self.refresh_place(place, said)
        if place.name in self.veil.causes or self.veil.works:
            said += working.reading(self, place, sample)
        return said

    @override
    def work_due(self, key: str, late: Late) -> list[Announcement]:
        return working.fire(self, key, late)

    def _alive(self, channel: str, fact: Reading, at_ms: int, quality: int) -> list[Announcement]:
        plan = self.channels.plans[channel]
        now_ms = self.axis_now(plan)
        heard = self.silence.reading(channel, at_ms, quality, fact.origin, self.arrival_ms, now_ms)
        if not heard:
            return []
        self.refresh_watch(channel)
        alarm = alarm_of(self.silence, channel)
        return self.gone(alarm) if self.desk.condition(alarm) else []

    def _heard(self, source: str) -> list[Announcement]:
        over, freed = self.silence.heard(source, self.arrival_ms)
        for watch in freed:
            self.refresh_watch(watch.plan.id)
        return [one for alarm in over for one in self.gone(alarm)]

    # People

    def _entered(
        self, fact: WorkBegan | WorkEnded | ExcursionResolved | ExcursionReopened
    ) -> list[Announcement]:
        if isinstance(fact, ExcursionResolved | ExcursionReopened):
            return resolving.asked(self, fact)
        return working.asked(self, fact)

    def _asked(self, fact: Request) -> list[Announcement]:
        said = ask(
            self.desk,
            fact,
            self.arrival_ms,
            self.timebase,
            shelf_max_ms=self.lane.plan.shelf_max_ms,
            judged=self.judged(fact.alarm),
        )
        if isinstance(fact, AlarmClosed) and said and said[0].kind is Kind.CLOSED:
            about = self.desk.about[fact.alarm]
            if about.subject in self.places:
                self.places[about.subject].close(about.rule)
            said += working.closed(self, fact.alarm)
        self.refresh_alarm(fact.alarm)
        return said

    def _refresh(self, place: Place) -> None:
        """State when a place, and the alarms of its rules, move next by themselves."""
        self.refresh_place(place, [])
        for rule, _ in place.track.running:
            self.refresh_alarm(f"{place.name}/{rule.id}")


def _is_time(at_ms: int | None) -> bool:
    return at_ms is None or -LATEST_MS < at_ms < LATEST_MS
