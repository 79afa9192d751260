"""What came in on each channel: identity of readings, their place in event time, their history.

A repeat is found and counted, never judged twice; a different reading under a used identity is
kept and called a sequence fault. Nothing that came is dropped here.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from coldchain.facts import Reading
from coldchain.fold.conditioning import condition
from coldchain.fold.deliveries import SourceClock
from coldchain.fold.history import History, code_of, origin_of
from coldchain.model import ORIGIN_STRENGTH, Origin, Reason
from coldchain.plan import ChannelPlan, Plan, SourcePlan
from coldchain.rules.judging import BAD, GOOD, UNCERTAIN, Sample

#: How many sequence numbers of a channel are remembered to recognise a repeat.
REMEMBERED = 512


@dataclass(slots=True)
class Now:
    """The newest reading of a channel as shown to people: by event time, whatever its quality."""

    at_ms: int
    arrival_ms: int
    value: int
    quality: int
    reason: Reason | None
    origin: Origin


@dataclass(slots=True)
class Count:
    """How many readings of a channel: taken, repeats, and identities used twice for different values."""

    taken: int = 0
    repeats: int = 0
    sequence_faults: int = 0


@dataclass(slots=True)
class Taken:
    """What became of one reading.

    sample:  what now stands at its time, None if the reading is judged by nothing (a repeat).
    moved:   channels of the same delivery whose earlier readings moved, from `first_ms` on.
    fault:   True: the source's clock was found ahead; False: it is right again; None: no change.
    """

    at_ms: int
    quality: int
    origin: Origin
    sample: Sample | None
    silence_may_end: bool = True
    moved: tuple[str, ...] = ()
    first_ms: int = 0
    fault: bool | None = None


@dataclass(slots=True)
class Channels:
    """All channels that a plan ever named."""

    plans: dict[str, ChannelPlan] = field(default_factory=dict)
    sources: dict[str, SourcePlan] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)
    now: dict[str, Now] = field(default_factory=dict)
    counts: dict[str, Count] = field(default_factory=dict)
    clocks: dict[str, SourceClock] = field(default_factory=dict)
    _seen: dict[str, OrderedDict[tuple[int, int], tuple[int | None, str]]] = field(default_factory=dict)

    def activate(self, plan: Plan) -> None:
        """A plan came into force: its channels and sources are known from now on."""
        self.sources |= {source.id: source for source in plan.sources}
        self.plans = {channel.id: channel for channel in plan.channels}
        for channel in plan.channels:
            self.histories.setdefault(channel.id, History())
            self.counts.setdefault(channel.id, Count())

    def take(self, plan: ChannelPlan, reading: Reading, arrival_ms: int, utc_ms: int | None) -> Taken:
        """Take one reading in: recognise it, place it, keep it."""
        source = self.sources[plan.source]
        count = self.counts[plan.id]
        value, quality, reason = condition(plan, reading)
        numbered = reading.sequence is not None
        timed = reading.at_ms is not None
        fault: bool | None = None
        moves_ms = 0
        if reading.at_ms is not None:
            clock = self.clocks.setdefault(source.id, SourceClock())
            placed = clock.place(reading.at_ms, arrival_ms, utc_ms, source.clock_tolerance_ms)
            at_ms, moves_ms = placed.at_ms, placed.run_moves_ms
            fault = True if placed.fault_began else False if placed.fault_ended else None
        else:
            at_ms = arrival_ms if reading.stamp_ms is None else reading.stamp_ms
        if not timed and not numbered:
            if reading.origin is Origin.RETAINED:
                self._show(plan.id, at_ms, arrival_ms, value, quality, reason, reading.origin)
                return Taken(at_ms, quality, reading.origin, None, silence_may_end=False)
            if reading.dup and quality == GOOD:
                quality, reason = UNCERTAIN, Reason.DUPLICATE_IN_DOUBT
        history = self.histories[plan.id]
        if self._is_repeat(plan.id, reading, history, at_ms, value, quality):
            count.repeats += 1
            stronger = timed and self._strengthen(history, at_ms, value, quality, reading.origin)
            return Taken(at_ms, quality, reading.origin, None, silence_may_end=stronger)
        count.taken += 1
        code = code_of(quality, reason, reading.origin)
        moved: tuple[str, ...] = ()
        first_ms = at_ms
        if timed:
            moved, first_ms = self._move_run(source.id, moves_ms)
            self.clocks[source.id].run.append((plan.id, at_ms, value, code))
            if not self.clocks[source.id].shift_ms and len(self.clocks[source.id].run) > 100_000:
                self.clocks[source.id].run.clear()
        history.insert(at_ms, value, code)
        self._show(plan.id, at_ms, arrival_ms, value, quality, reason, reading.origin)
        sample = history.sample_at(at_ms)
        return Taken(
            at_ms,
            quality,
            reading.origin,
            sample,
            moved=moved,
            first_ms=min(first_ms, at_ms),
            fault=fault,
        )

    def is_repeat(self, reading: Reading) -> bool:
        """Whether a reading is one already taken, and nothing new can come of it; changes nothing.

        The writer counts such a reading and acknowledges it, and keeps it no second time.
        """
        plan = self.plans.get(reading.channel)
        if plan is None or (reading.at_ms is None and reading.sequence is None):
            return False
        if reading.sequence is not None:
            seen = self._seen.get(plan.id)
            if seen is None or seen.get((reading.sequence, reading.place)) != (reading.at_ms, reading.raw):
                return False
            if reading.at_ms is None:
                return True
        assert reading.at_ms is not None
        history, clock = self.histories[plan.id], self.clocks.get(plan.source)
        at_ms = reading.at_ms - (clock.shift_ms if clock is not None else 0)
        if not history.at or at_ms > history.at[-1]:
            return False
        value, quality, _ = condition(plan, reading)
        i = history.find(at_ms, value, quality)
        return (
            i is not None and ORIGIN_STRENGTH[reading.origin] <= ORIGIN_STRENGTH[origin_of(history.code[i])]
        )

    def _is_repeat(
        self, channel: str, reading: Reading, history: History, at_ms: int, value: int, quality: int
    ) -> bool:
        if reading.sequence is None:
            return reading.at_ms is not None and history.find(at_ms, value, quality) is not None
        seen = self._seen.setdefault(channel, OrderedDict())
        identity = (reading.sequence, reading.place)
        said = (reading.at_ms, reading.raw)
        before = seen.get(identity)
        if before == said:
            return True
        if before is not None:
            self.counts[channel].sequence_faults += 1
        seen[identity] = said
        seen.move_to_end(identity)
        if len(seen) > REMEMBERED:
            seen.popitem(last=False)
        forgotten = before is None and reading.at_ms is not None
        return forgotten and history.find(at_ms, value, quality) is not None

    def _strengthen(self, history: History, at_ms: int, value: int, quality: int, origin: Origin) -> bool:
        """Keep the strongest origin of a repeated reading; True if this one was stronger."""
        i = history.find(at_ms, value, quality)
        if i is None or ORIGIN_STRENGTH[origin] <= ORIGIN_STRENGTH[origin_of(history.code[i])]:
            return False
        history.code[i] = history.code[i] & ~0b1100 | code_of(0, None, origin)
        return True

    def _move_run(self, source: str, by_ms: int) -> tuple[tuple[str, ...], int]:
        """Move the run's earlier readings back, spacing kept; the channels touched and since when."""
        run = self.clocks[source].run
        if not by_ms or not run:
            return (), 0
        for i, (channel, at_ms, value, code) in enumerate(run):
            self.histories[channel].remove(at_ms, value, code)
            self.histories[channel].insert(at_ms - by_ms, value, code)
            run[i] = (channel, at_ms - by_ms, value, code)
            shown = self.now.get(channel)
            if shown is not None and shown.at_ms == at_ms:
                shown.at_ms -= by_ms
        return tuple({channel for channel, *_ in run}), min(at_ms for _, at_ms, *_ in run)

    def _show(
        self,
        channel: str,
        at_ms: int,
        arrival_ms: int,
        value: int,
        quality: int,
        reason: Reason | None,
        origin: Origin,
    ) -> None:
        shown = self.now.get(channel)
        if shown is None or at_ms >= shown.at_ms:
            self.now[channel] = Now(
                at_ms, arrival_ms, value if quality != BAD else 0, quality, reason, origin
            )
