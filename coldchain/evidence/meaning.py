"""What recorded readings mean outside: who measured what, where, when, and what it was taken for.

The same facts give the same answers however often they are asked. That is why the times here are made from
the journal alone: a source that sends no time gets its arrival, printed by the first clock fact that holds
for it, and never by the clock of the moment of asking.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from coldchain import facts
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
    Reading,
    StageEntered,
    Unbound,
)
from coldchain.fold.conditioning import condition
from coldchain.fold.timebase import Timebase
from coldchain.journal.reader import Readable
from coldchain.journal.shapes import WHOLE
from coldchain.logged import LoggerKnown
from coldchain.model import Origin, Reason
from coldchain.plan import ChannelPlan
from coldchain.rules.judging import BAD, GOOD, UNCERTAIN

_LANE = (Activated, Bound, Unbound, ConsignmentStarted, StageEntered, EtaSet, ConsignmentEnded, LoggerKnown)
#: How the facts that change the meaning of later ones look as canonical bytes; others are skipped unread.
_TAUGHT_BY = tuple(f'"fact":"{kind.__struct_config__.tag}"'.encode() for kind in (*_LANE, ClockSet))
#: Why a reading of a channel that no configuration knows has no value.
UNKNOWN_CHANNEL = "unknown_channel"


class Learned:
    """One fact that is needed to understand all that follow: plans, bindings, clock."""

    __slots__ = ("arrival_ms", "fact", "position")

    def __init__(self, position: int, arrival_ms: int, fact: Fact) -> None:
        self.position = position
        self.arrival_ms = arrival_ms
        self.fact = fact


def teaches(body: bytes) -> bool:
    """Whether a fact's canonical bytes may be one that changes the meaning of later ones."""
    return any(mark in body for mark in _TAUGHT_BY)


def lessons(journal: Readable, first: int, last: int | None = None) -> Iterator[Learned]:
    """What is to be learned from these positions. Readings, of which there are millions, are passed over."""
    for position, arrival_ms, shape, body in journal.stored_facts(first, last):
        if shape == WHOLE and teaches(body):
            yield Learned(position, arrival_ms, facts.decode(body))


class TimeUnknown(Exception):
    """An instant's UTC is not known yet: the clock has been set by nothing so far."""


class Judged(Struct, frozen=True):
    """One reading as it was taken, where it belongs, and what it was taken for.

    at_ms: UTC. place: "asset/role", "" where the channel measures nothing. quantity: "" if no configuration
    knows the channel. value: in the quantity's quanta, 0 when BAD; quality: as in `rules.judging`; reason:
    why it is not GOOD, "" if it is.
    """

    at_ms: int
    place: str
    channel: str
    source: str
    quantity: str
    value: int
    quality: int
    reason: str
    origin: Origin
    simulated: bool
    raw: str
    raw_unit: str

    @property
    def asset(self) -> str:
        """Where it was measured; "" if nowhere."""
        return self.place.rpartition("/")[0]

    @property
    def role(self) -> str:
        """As what it was measured there."""
        return self.place.rpartition("/")[2]


class Meaning:
    """What facts mean, as known at a position: which channel measures what, and what time it is."""

    def __init__(self, learned: Iterable[Learned] = ()) -> None:
        self._lane = Lane()
        self._time = Timebase()
        self._channels: dict[str, ChannelPlan] = {}
        self._simulated: set[str] = set()
        #: UTC minus journal time of the first clock fact to come, for what lies before it.
        self.offset_ahead_ms: int | None = None
        for each in learned:
            self.learn(each.arrival_ms, each.fact)

    @property
    def site(self) -> str:
        """What the configuration calls the site."""
        return self._lane.plan.site

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

    def counts_ms(self, channel: str) -> int:
        """For how long a reading of a channel counts if no other follows; 0 if no configuration knows it."""
        plan = self._channels.get(channel)
        return 0 if plan is None else plan.max_gap_ms

    def judged(self, arrival_ms: int, fact: Reading, at_ms: int | None = None) -> Judged:
        """What a reading was taken for when it came. at_ms: when it was, where the caller knows better.

        Raises TimeUnknown.
        """
        at_ms = fact.at_ms if at_ms is None else at_ms
        if at_ms is None:
            at_ms = self.utc(arrival_ms if fact.stamp_ms is None else fact.stamp_ms)
        imported = self._lane.loggers.channels.get(fact.channel)
        place = f"{imported.asset}/{imported.role}" if imported else self._lane.place_of(fact.channel) or ""
        channel = self._channels.get(fact.channel)
        if channel is None:
            value, quality, why, quantity = 0, BAD, UNKNOWN_CHANNEL, ""
        else:
            value, quality, reason = condition(channel, fact)
            if quality == GOOD and fact.at_ms is None and fact.sequence is None:
                # A source without time and number cannot be told from its own repeat.
                if fact.origin is Origin.RETAINED:
                    quality, reason = UNCERTAIN, Reason.RETAINED_WITHOUT_TIME
                elif fact.dup:
                    quality, reason = UNCERTAIN, Reason.DUPLICATE_IN_DOUBT
            why, quantity = reason.value if reason is not None else "", channel.quantity
        return Judged(
            at_ms=at_ms,
            place=place,
            channel=fact.channel,
            source=fact.source,
            quantity=quantity,
            value=value,
            quality=quality,
            reason=why,
            origin=fact.origin,
            simulated=fact.simulated or fact.source in self._simulated,
            raw=fact.raw,
            raw_unit=fact.unit,
        )

    def utc(self, journal_ms: int) -> int:
        """UTC of an instant of journal time. Raises TimeUnknown."""
        utc_ms = self._time.printed(journal_ms)
        if utc_ms is not None:
            return utc_ms
        if self.offset_ahead_ms is None:
            raise TimeUnknown
        return journal_ms + self.offset_ahead_ms
