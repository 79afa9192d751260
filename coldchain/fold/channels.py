"""What came in on each channel: identity of readings, their place in event time, their history.

A repeat is found and counted, never judged twice; a different reading under a used identity is
kept and called a sequence fault. Identity is what was sent: never a shifted time, never a
converted value. What may not be judged stands beside: it is counted here and kept by the journal.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from coldchain.consignments.loggers import FILE
from coldchain.facts import Reading
from coldchain.fold.conditioning import same, taken_for
from coldchain.fold.deliveries import Placed, SourceClock
from coldchain.fold.history import History, Sent, code_of, quality_of, reason_of
from coldchain.fold.timebase import Timebase
from coldchain.model import Origin, Reason
from coldchain.plan import ChannelPlan, Plan, SourcePlan
from coldchain.rules.judging import BAD, UNCERTAIN

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
    """How many readings: taken, repeats, identities used twice for different ones, not to be judged."""

    taken: int = 0
    repeats: int = 0
    sequence_faults: int = 0
    beside: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """Readings that were given another time: by channel the earliest time that this touches, and by how much.

    back: the source's time goes back with them.
    """

    touched: dict[str, int]
    by_ms: int
    back: bool


@dataclass(slots=True)
class Taken:
    """What became of one reading.

    judged:    it stands in the history now. alive: it may be a sign of life.
    moved:     earlier readings of the same source that were given another time for it.
    clock:     the source's clock was found ahead (True), or right again (False); None: no change.
    restarted: the source's counter was found to have restarted (True), or to go on (False); None: no word.
    """

    at_ms: int
    quality: int
    judged: bool
    alive: bool
    moved: tuple[Moved, ...] = ()
    clock: bool | None = None
    restarted: bool | None = None


@dataclass(slots=True)
class Channels:
    """All channels that a plan ever named."""

    plans: dict[str, ChannelPlan] = field(default_factory=dict)
    sources: dict[str, SourcePlan] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)
    now: dict[str, Now] = field(default_factory=dict)
    counts: dict[str, Count] = field(default_factory=dict)
    clocks: dict[str, SourceClock] = field(default_factory=dict)
    #: What was measured on a channel before this stands beside, since readings around it were removed.
    settled: dict[str, int] = field(default_factory=dict)
    _lines: dict[str, list[tuple[int, ChannelPlan]]] = field(default_factory=dict)
    _journal_axis: dict[str, bool] = field(default_factory=dict)
    _seen: dict[str, OrderedDict[tuple[int, int], tuple[int | None, int]]] = field(default_factory=dict)

    def activate(self, plan: Plan) -> None:
        """A plan came into force: its channels and sources are known from now on."""
        self.sources |= {source.id: source for source in plan.sources}
        self.plans = {channel.id: channel for channel in plan.channels}
        for channel in plan.channels:
            journal_axis = not self.sources[channel.source].sends_time
            if self._journal_axis.setdefault(channel.id, journal_axis) is not journal_axis:
                # Its event times were journal time and are UTC now, or the other way round.
                self._journal_axis[channel.id] = journal_axis
                self.histories[channel.id] = History()
                self._lines.pop(channel.id, None)
                self.now.pop(channel.id, None)
            self.histories.setdefault(channel.id, History())
            self.counts.setdefault(channel.id, Count())

    def set_line(self, channel: str, line: list[tuple[int, ChannelPlan]]) -> int | None:
        """What a channel was and is, by event time. Since when what was sent is taken for something else."""
        old = self._lines.get(channel, [])
        self._lines[channel] = line
        history = self.histories[channel]
        if line == old or not len(history):
            return None
        changed: int | None = None
        for i, (from_ms, plan) in enumerate(line):
            until_ms = line[i + 1][0] if i + 1 < len(line) else None
            start_ms = history.at[0] if i == 0 else from_ms  # what is older is taken by the first there is
            if _covered(old, plan, start_ms, until_ms):
                continue
            first = history.rejudge(start_ms, until_ms, lambda sent, plan=plan: taken_for(plan, sent))  # type: ignore[misc]
            changed = first if changed is None else changed
        if changed is not None:
            self._show_again(channel)
        return changed

    def take(self, channel: str, reading: Reading, arrival_ms: int, timebase: Timebase) -> Taken:
        """Take one reading in: recognise it, place it, keep it."""
        plan = self.plans[channel]
        source = self.sources[plan.source]
        history, count = self.histories[channel], self.counts[channel]
        sent = _sent(reading, source)
        placed: Placed | None = None
        clock: SourceClock | None = None
        if source.driver == FILE and reading.at_ms is not None:
            at_ms = reading.at_ms  # a log's times were settled when it was read; arrival says nothing of them
        elif source.sends_time and reading.at_ms is not None:
            clock = self.clocks.setdefault(source.id, SourceClock())
            placed = clock.place(reading.at_ms, arrival_ms, timebase.offset_ms, source.clock_tolerance_ms)
            at_ms = reading.at_ms - placed.shift_ms
        else:
            at_ms = self._unplaced(source, reading, arrival_ms, timebase)
        value, quality, reason = taken_for(self.plan_at(channel, at_ms), sent)
        text = history.number(sent)
        moved = () if placed is None else self._moved(placed)
        faults = count.sequence_faults
        beside = (reading.origin is Origin.RETAINED and reading.at_ms is None) or (
            reading.origin is Origin.IMPORTED and source.driver != FILE
        )
        too_old = at_ms < self.settled.get(channel, at_ms)
        again = self._again(channel, reading, at_ms, text, remember=not beside)
        restarted = None if reading.sequence is None or beside or too_old else count.sequence_faults > faults
        taken = Taken(
            at_ms,
            quality,
            judged=False,
            alive=False,
            moved=moved,
            restarted=restarted,
        )
        if placed is not None and (placed.fault_began or placed.fault_ended):
            taken.clock = placed.fault_began
        if again is not None:
            count.repeats += 1
            taken.restarted = None
            taken.alive = again >= 0 and history.strengthen(again, reading.origin)
            return taken
        if beside or too_old:
            count.beside += 1
            if beside and reading.origin is Origin.RETAINED:
                # Nobody can say when it was true: shown as in doubt, judged by nothing.
                if quality != BAD:
                    quality, reason = UNCERTAIN, Reason.RETAINED_WITHOUT_TIME
                self._show(channel, Now(at_ms, arrival_ms, value, quality, reason, reading.origin))
            return taken
        count.taken += 1
        shift_ms = 0 if placed is None else placed.shift_ms
        if clock is not None and reading.at_ms is not None:
            clock.keep(channel, reading.at_ms, text, None if placed is None else placed.run)
        history.insert(at_ms, value, code_of(quality, reason, reading.origin), text, shift_ms)
        self._show(channel, Now(at_ms, arrival_ms, value, quality, reason, reading.origin))
        taken.judged = taken.alive = True
        return taken

    def forget(self, held: Iterable[str], journal_ms: int, utc_ms: int | None, reach_ms: int) -> None:
        """What was measured before an instant is judged no more; rules look `reach_ms` further back."""
        for channel, history in self.histories.items():
            from_ms = journal_ms if self._journal_axis[channel] else utc_ms
            if channel in held or from_ms is None or from_ms <= self.settled.get(channel, from_ms - 1):
                continue
            self.settled[channel] = from_ms
            seen = self._seen.get(channel)
            history.forget(from_ms - reach_ms, [text for _, text in seen.values()] if seen else ())

    def newest(self, channel: str) -> tuple[int, int] | None:
        """Arrival and event time of a channel's newest reading that may be judged; None: there is none."""
        shown, history = self.now.get(channel), self.histories[channel]
        if shown is None or not len(history) or history.at[-1] != shown.at_ms:
            return None
        return shown.arrival_ms, shown.at_ms

    def is_repeat(self, reading: Reading) -> bool:
        """Whether a reading is one already taken, and nothing new can come of it; changes nothing.

        The writer counts such a reading and acknowledges it, and keeps it no second time.
        """
        plan = self.plans.get(reading.channel)
        if plan is None or (reading.at_ms is None and reading.sequence is None):
            return False
        source = self.sources[plan.source]
        timed = source.sends_time and reading.at_ms is not None
        history = self.histories[plan.id]
        text = history.number_of(_sent(reading, source))
        if text is None:
            return False
        if reading.sequence is not None:
            seen, identity = self._seen.get(plan.id), (reading.sequence, reading.place)
            before = None if seen is None else seen.get(identity)
            if not seen or (before != (reading.at_ms, text) and not (timed and _passed(seen, identity))):
                return False
        if not timed or reading.at_ms is None:
            return reading.sequence is not None
        found = history.find(reading.at_ms, text)
        return found is not None and not history.is_weaker(found, reading.origin)

    def clock_known(self, source: str, offset_ms: int) -> Taken | None:
        """Our own clock became known: what a source sent until then is put right; None: nothing changes."""
        clock, plan = self.clocks.get(source), self.sources[source]
        if clock is None:
            return None
        placed = clock.known(offset_ms, plan.clock_tolerance_ms)
        fault = placed.fault_began if placed.fault_began or placed.fault_ended else None
        at_ms = clock.newest.judged_ms if clock.newest is not None else 0
        return Taken(at_ms, BAD, judged=False, alive=False, moved=self._moved(placed), clock=fault)

    def restarted(self) -> None:
        """How long we were down is not known: no source's clock is measured across that."""
        for clock in self.clocks.values():
            clock.restarted()

    def leap(self, started_ms: int, by_ms: int) -> None:
        """A down time became known: what was reckoned since the process start moves with it."""
        for clock in self.clocks.values():
            clock.leap(started_ms, by_ms)
        for channel, history in self.histories.items():
            journal_axis = self._journal_axis[channel]
            if journal_axis:
                history.shift_from(started_ms, by_ms)
            shown = self.now.get(channel)
            if shown is not None and shown.arrival_ms >= started_ms:
                shown.arrival_ms += by_ms
                shown.at_ms += by_ms if journal_axis else 0

    def plan_at(self, channel: str, at_ms: int) -> ChannelPlan:
        """The plan of a channel in force at an event time; the first there is for what is older."""
        line = self._lines.get(channel)
        if not line:
            return self.plans[channel]
        if at_ms >= line[-1][0]:
            return line[-1][1]
        return line[max(0, bisect_right(line, at_ms, key=lambda part: part[0]) - 1)][1]

    def _unplaced(self, source: SourcePlan, reading: Reading, arrival_ms: int, timebase: Timebase) -> int:
        """The event time of a reading whose device gave none, or is not asked for any."""
        stamp_ms = arrival_ms if reading.stamp_ms is None else min(reading.stamp_ms, arrival_ms)
        if source.sends_time:
            utc_ms = timebase.utc(stamp_ms)
            if utc_ms is not None:
                return utc_ms
            clock = self.clocks.get(source.id)
            own_ms = None if clock is None else clock.own_time(stamp_ms)
            return stamp_ms if own_ms is None else own_ms
        if reading.at_ms is not None and reading.origin is not Origin.LIVE:
            told_ms = timebase.journal(reading.at_ms)
            return stamp_ms if told_ms is None else min(told_ms, stamp_ms)
        return stamp_ms

    def _again(self, channel: str, reading: Reading, at_ms: int, text: int, *, remember: bool) -> int | None:
        """Where the reading stands that this one repeats; -1: it came, and stands nowhere; None: new."""
        history = self.histories[channel]
        timed = reading.at_ms is not None and self.sources[self.plans[channel].source].sends_time
        sent_at_ms = reading.at_ms if timed and reading.at_ms is not None else at_ms
        if reading.sequence is None:
            return history.find(sent_at_ms, text) if timed else None
        seen = self._seen.setdefault(channel, OrderedDict())
        identity, said = (reading.sequence, reading.place), (reading.at_ms, text)
        before = seen.get(identity)
        if before == said:
            found = history.find(sent_at_ms, text) if timed else None
            return -1 if found is None else found
        if timed and seen and _passed(seen, identity):
            found = history.find(sent_at_ms, text)
            if found is not None:
                return found
        if not remember:
            return None
        if before is not None:
            self.counts[channel].sequence_faults += 1
        seen[identity] = said
        seen.move_to_end(identity)
        if len(seen) > REMEMBERED:
            seen.popitem(last=False)
        return None

    def _moved(self, placed: Placed) -> tuple[Moved, ...]:
        """Give readings another time as their source's clock demands, spacing kept."""
        done = []
        for move in placed.moves:
            by_ms = move.to_ms - move.from_ms
            touched: dict[str, int] = {}
            for channel, readings in move.run.items():
                first_ms = self.histories[channel].move(readings, move.from_ms, move.to_ms)
                if first_ms is not None:
                    touched[channel] = min(first_ms, first_ms + by_ms)
                    self._show_again(channel)
            if touched:
                done.append(Moved(touched, by_ms, move.back))
        return tuple(done)

    def _show_again(self, channel: str) -> None:
        """What people see of a channel after its history was changed."""
        history, shown = self.histories[channel], self.now.get(channel)
        if shown is None or not len(history) or shown.reason is Reason.RETAINED_WITHOUT_TIME:
            return
        code = history.code[-1]
        shown.at_ms, shown.value = history.at[-1], history.value[-1]
        shown.quality, shown.reason = quality_of(code), reason_of(code)

    def _show(self, channel: str, now: Now) -> None:
        shown = self.now.get(channel)
        if shown is None or now.at_ms >= shown.at_ms:
            self.now[channel] = now


def _sent(reading: Reading, source: SourcePlan) -> Sent:
    bad, doubt = reading.bad, reading.doubt
    if reading.simulated and not source.simulated and bad is None:
        bad = Reason.SIMULATED  # never evidence for a source that is taken for real
    if reading.dup and reading.at_ms is None and reading.sequence is None and doubt is None:
        doubt = Reason.DUPLICATE_IN_DOUBT
    return Sent(reading.raw, reading.unit, bad, doubt)


def _covered(
    old: Iterable[tuple[int, ChannelPlan]], plan: ChannelPlan, from_ms: int, until_ms: int | None
) -> bool:
    """Whether all of a span was taken by a plan that takes everything for the same."""
    parts = list(old)
    for i, (began_ms, was) in enumerate(parts):
        ended_ms = parts[i + 1][0] if i + 1 < len(parts) else None
        begins = i == 0 or until_ms is None or began_ms < until_ms
        reaches = ended_ms is None or ended_ms > from_ms
        if begins and reaches and not same(was, plan):
            return False
    return bool(parts)


def _passed(seen: OrderedDict[tuple[int, int], tuple[int | None, int]], identity: tuple[int, int]) -> bool:
    """Whether it may have come after more numbers than are remembered, or before a restart of the counter."""
    return identity in seen or identity < next(reversed(seen))
