"""From facts to points of a time series: what was measured, as judged, and what became of the alarms.

The same facts give the same points however often they are sent, so the receiver can drop repeats by series
and time. That is why the times here are made from the journal alone: a source that sends no time gets its
arrival, printed by the first clock fact that holds for it, and never by the clock of the moment of sending.

All fields are numbers (some servers store a text as the number 0): quality 0 BAD, 1 UNCERTAIN, 2 GOOD; alarm
states as in `STATE_NUMBERS`. Whether a reading is simulated is a tag, so no query can mix it in unawares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coldchain import facts
from coldchain.alarms.table import AlarmState
from coldchain.announcements import Announcement, Kind
from coldchain.consignments import logs
from coldchain.consignments.lane import Lane, When
from coldchain.facts import (
    Activated,
    Bound,
    ClockSet,
    ConsignmentEnded,
    ConsignmentStarted,
    EtaSet,
    Fact,
    Lost,
    ProcessStarted,
    Reading,
    SourceDown,
    SourceUp,
    StageEntered,
    Unbound,
    Unreadable,
)
from coldchain.fold.conditioning import condition
from coldchain.fold.timebase import Timebase
from coldchain.journal.reader import Readable
from coldchain.journal.shapes import WHOLE
from coldchain.logged import LoggerKnown
from coldchain.model import Origin, Reason
from coldchain.plan import ChannelPlan
from coldchain.rules.judging import BAD, GOOD, UNCERTAIN
from coldchain.sinks.base import Point
from coldchain.units import QUANTITIES

#: Fixed for ever, since they lie in other people's databases.
QUALITY_NUMBERS = {BAD: 0.0, UNCERTAIN: 1.0, GOOD: 2.0}
STATE_NUMBERS = {
    AlarmState.NORMAL: 0.0,
    AlarmState.UNACKNOWLEDGED: 1.0,
    AlarmState.ACKNOWLEDGED: 2.0,
    AlarmState.RETURNED: 3.0,
    AlarmState.SHELVED: 4.0,
    AlarmState.SUPPRESSED: 5.0,
    AlarmState.OUT_OF_SERVICE: 6.0,
}

_LANE = (Activated, Bound, Unbound, ConsignmentStarted, StageEntered, EtaSet, ConsignmentEnded, LoggerKnown)
#: How the facts that a lens learns from look as canonical bytes; anything else is skipped unread.
_TAUGHT_BY = tuple(f'"fact":"{kind.__struct_config__.tag}"'.encode() for kind in (*_LANE, ClockSet))


class Learned:
    """One fact that a lens needs for all that follows: plans, bindings, clock."""

    __slots__ = ("arrival_ms", "fact", "position")

    def __init__(self, position: int, arrival_ms: int, fact: Fact) -> None:
        self.position = position
        self.arrival_ms = arrival_ms
        self.fact = fact


def teaches(body: bytes) -> bool:
    """Whether a fact's canonical bytes may be one that a lens needs."""
    return any(mark in body for mark in _TAUGHT_BY)


def lessons(journal: Readable, first: int, last: int | None = None) -> Iterator[Learned]:
    """What a lens learns from these positions. Readings, of which there are millions, are passed over."""
    for position, arrival_ms, shape, body in journal.stored_facts(first, last):
        if shape == WHOLE and teaches(body):
            yield Learned(position, arrival_ms, facts.decode(body))


class TimeUnknown(Exception):
    """A point's UTC is not known yet: the clock has been set by nothing so far."""


class Lens:
    """What facts mean as points, as known at a position: which channel measures what, and what time it is."""

    def __init__(self, learned: Iterable[Learned] = ()) -> None:
        self._lane = Lane()
        self._time = Timebase()
        self._channels: dict[str, ChannelPlan] = {}
        self._simulated: set[str] = set()
        #: UTC minus journal time of the first clock fact to come, for what lies before it.
        self.offset_ahead_ms: int | None = None
        for each in learned:
            self.learn(each.arrival_ms, each.fact)

    def learn(self, arrival_ms: int, fact: Fact) -> bool:
        """Take in what changes the meaning of later facts; whether this one did."""
        if isinstance(fact, ClockSet):
            self._time.set(arrival_ms, fact.offset_ms)
            return True
        if not isinstance(fact, _LANE):
            return False
        # Refused facts stay without effect here as they do in the fold. Back-dating is the fold's business:
        # what was sent is not taken back, so here every fact counts from its arrival.
        if isinstance(fact, LoggerKnown):
            logs.know(self._lane, fact)
        else:
            self._lane.add(fact, When(arrival_ms, arrival_ms))
        if isinstance(fact, Activated | LoggerKnown):
            self._channels = self._lane.known.channels
            self._simulated = {source.id for source in self._lane.plan.sources if source.simulated}
        return True

    def points(self, arrival_ms: int, fact: Fact, said: Iterable[Announcement]) -> list[Point]:
        """The points of one fact and of what was announced at it. Raises TimeUnknown."""
        found = self._of(arrival_ms, fact)
        told = (each for each in said if each.alarm and each.kind is not Kind.REFUSED)
        return found + [self._alarm(arrival_ms, each) for each in told]

    def _of(self, arrival_ms: int, fact: Fact) -> list[Point]:
        match fact:
            case Reading():
                return self._reading(arrival_ms, fact)
            case Unreadable():
                tags = self._tags(source=fact.source, reason=fact.reason.value)
                return [Point("unreadable", tags, (("count", 1.0),), self._utc(arrival_ms))]
            case Lost():
                tags = self._tags(source=fact.source)
                return [Point("lost", tags, (("count", float(fact.count)),), self._utc(arrival_ms))]
            case SourceUp() | SourceDown():
                up = float(isinstance(fact, SourceUp))
                return [Point("source", self._tags(source=fact.source), (("up", up),), self._utc(arrival_ms))]
            case ProcessStarted():
                return [Point("process", self._tags(), (("started", 1.0),), self._utc(arrival_ms))]
            case _:
                return []

    def _reading(self, arrival_ms: int, fact: Reading) -> list[Point]:
        at_ms = fact.at_ms
        if at_ms is None:
            at_ms = self._utc(arrival_ms if fact.stamp_ms is None else fact.stamp_ms)
        imported = self._lane.loggers.channels.get(fact.channel)
        place = f"{imported.asset}/{imported.role}" if imported else self._lane.place_of(fact.channel) or ""
        asset, _, role = place.rpartition("/")
        simulated = fact.simulated or fact.source in self._simulated
        tags = self._tags(
            asset=asset,
            role=role,
            channel=fact.channel,
            source=fact.source,
            # An imported file stands beside what the device sent live; all other origins are one series.
            origin="imported" if fact.origin is Origin.IMPORTED else "device",
            simulated=_yes_no(simulated),
        )
        channel = self._channels.get(fact.channel)
        if channel is None:
            return [Point("not_good", _and(tags, "reason", "unknown_channel"), (("count", 1.0),), at_ms)]
        value, quality, reason = condition(channel, fact)
        if quality == GOOD and fact.at_ms is None and fact.sequence is None:
            # A source without time and number cannot be told from its own repeat.
            if fact.origin is Origin.RETAINED:
                quality, reason = UNCERTAIN, Reason.RETAINED_WITHOUT_TIME
            elif fact.dup:
                quality, reason = UNCERTAIN, Reason.DUPLICATE_IN_DOUBT
        fields: tuple[tuple[str, float], ...] = (("quality", QUALITY_NUMBERS[quality]),)
        if quality != BAD:
            fields = (("value", QUANTITIES[channel.quantity].to_float(value)), *fields)
        found = [Point(channel.quantity, tags, fields, at_ms)]
        if reason is not None:
            found.append(Point("not_good", _and(tags, "reason", reason.value), (("count", 1.0),), at_ms))
        return found

    def _alarm(self, arrival_ms: int, said: Announcement) -> Point:
        tags = self._tags(
            alarm=said.alarm,
            priority=said.priority.value if said.priority is not None else "",
            simulated=_yes_no(said.simulated),
            unapproved=_yes_no(said.unapproved),
        )
        fields: list[tuple[str, float]] = []
        if said.state:
            fields.append(("state", STATE_NUMBERS[AlarmState(said.state)]))
        if said.occurrence is not None:
            fields.append(("occurrence", float(said.occurrence)))
        return Point("alarm", tags, tuple(fields) or (("said", 1.0),), self._utc(arrival_ms))

    def _tags(self, **tags: str) -> tuple[tuple[str, str], ...]:
        site = self._lane.plan.site
        return tuple((key, value) for key, value in (("site", site), *tags.items()) if value)

    def _utc(self, journal_ms: int) -> int:
        utc_ms = self._time.printed(journal_ms)
        if utc_ms is not None:
            return utc_ms
        if self.offset_ahead_ms is None:
            raise TimeUnknown
        return journal_ms + self.offset_ahead_ms


def _yes_no(is_so: bool) -> str:
    return "true" if is_so else "false"


def _and(tags: tuple[tuple[str, str], ...], key: str, value: str) -> tuple[tuple[str, str], ...]:
    return (*tags, (key, value))
