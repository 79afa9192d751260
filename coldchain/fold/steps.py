"""Where a place stands, and the four things that move it: a boundary, a deadline, a sample, time.

Everything here is in event order, on the place's own axis. What a step changes is told to whoever
asked for it; what stands can be kept and restored, which is how a place is folded again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from coldchain.consignments.line import Segment
from coldchain.fold.columns import calm_run
from coldchain.fold.history import History
from coldchain.fold.meter import Meter
from coldchain.fold.past import Past, Skipped
from coldchain.plan import Rule
from coldchain.rules.book import judge_of
from coldchain.rules.judging import (
    ANYTHING,
    BAD,
    GOOD,
    LIMITS_CHANGED,
    NOT_IN_FORCE,
    PRODUCT_CHANGED,
    Band,
    Change,
    Dwell,
    Returned,
    Sample,
)
from coldchain.rules.settling import Settling


class Told(Struct, frozen=True):
    """One change of one rule, as it came out of a step, and the place's time then."""

    rule: Rule
    change: Change
    segment: Segment
    at_ms: int


Tell = Callable[[Told], None]
_Running = tuple[tuple[Rule, Any], ...]


class Snapshot(Struct, frozen=True):
    """Everything a place needs to continue from `at_ms`. left: rules not in force that may come back."""

    at_ms: int | None
    segment: int
    last: Sample | None
    running: _Running
    left: _Running
    meter: Meter

    def adjusted(self, was: Meter, now: Meter) -> Snapshot:
        """The same after samples were added before it, between which the meter grew from `was` to `now`."""
        mine = self.meter
        if was == now or (mine.scope, mine.since_ms) != (was.scope, was.since_ms):
            return self
        low, low_ms = mine.low, mine.low_ms
        if now.low is not None and (low is None or (now.low, now.low_ms) < (low, low_ms)):
            low, low_ms = now.low, now.low_ms
        high, high_ms = mine.high, mine.high_ms
        if now.high is not None and (high is None or (-now.high, now.high_ms) < (-high, high_ms)):
            high, high_ms = now.high, now.high_ms
        good_ms = mine.good_ms + now.good_ms - was.good_ms
        meter = Meter(mine.scope, mine.since_ms, good_ms, low, low_ms, high, high_ms, mine.from_ms)
        return replace(self, meter=meter)


@dataclass(slots=True)
class Stand:
    """Where a place stands: its time, its segment, its last sample, and the states of its rules.

    A sample in the calm band is taken in without asking a rule. Before any is asked again, of whatever, all
    hear of the run since `_known` (`sync`), so that a state is never behind where somebody looks at it.
    """

    past: Past
    at_ms: int | None = None
    segment: int = -1
    now: Segment | None = None
    gap_ms: int = 0
    last: Sample | None = None
    left: dict[str, tuple[Rule, Any]] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter)
    due: tuple[int, str] | None = None
    _running: list[tuple[Rule, Any]] = field(default_factory=list)
    _known: Sample | None = None
    _skipped: Skipped | None = None
    _band: Band | None = None
    _reckoned: bool = False

    @property
    def running(self) -> list[tuple[Rule, Any]]:
        """The rules in force, each with its state."""
        self.sync()
        return self._running

    @running.setter
    def running(self, running: list[tuple[Rule, Any]]) -> None:
        self._running, self._known = running, self.last
        self.reckon()

    # What a rule may look at (`Seen`), beside `last` and `gap_ms`

    @property
    def since_ms(self) -> int:
        """Since when the product that is here now has been here."""
        return self.meter.since_ms

    @property
    def skipped(self) -> Skipped:
        """What no rule has heard of yet, up to the last sample."""
        assert self._skipped is not None, "asked for outside of a sync"
        return self._skipped

    def dwells(self, from_ms: int, to_ms: int) -> Iterator[Dwell]:
        """What counted within a span, cut to it, in order."""
        return self.past.dwells(from_ms, to_ms)

    def weighed(self, from_ms: int, to_ms: int, weight: Callable[[int], int]) -> tuple[int, int]:
        """Of all GOOD dwells within a span: the sum of weight(value) times ms, and the sum of ms."""
        return self.past.weighed(from_ms, to_ms, weight)

    # The calm band

    @property
    def band(self) -> Band | None:
        """Within which samples no rule here says anything, and nothing is due; None: each must be asked."""
        if self._reckoned:
            return self._band
        self.sync()
        self._reckoned, self._band = True, None
        last = self.last
        if last is None or last.quality != GOOD:
            return None
        band = ANYTHING
        for rule, state in self._running:
            own = judge_of(rule).band(rule, state, self)
            if own is None:
                return None
            band = band.within(own)
        ends_ms = self.past.ends_ms(self.segment)
        times = [at for at in (ends_ms, self.due[0] if self.due is not None else None) if at is not None]
        self._band = band.within(Band(until_ms=min(times))) if times else band
        return self._band

    def forget_band(self) -> None:
        """What the band was reckoned from has changed."""
        self._reckoned = False

    def skip(self, now: Sample) -> bool:
        """Take a sample in without asking any rule, if it lies in the calm band; False: it does not."""
        band, last = self.band, self.last
        if (
            band is None
            or last is None
            or now.quality != GOOD
            or now.low < band.low
            or now.high > band.high
            or now.at_ms >= band.until_ms
            or now.at_ms - last.at_ms > self.gap_ms
        ):
            return False
        self._measure(now)
        self.last, self.at_ms = now, now.at_ms
        return True

    def skip_run(self, history: History, lo: int, hi: int) -> int:
        """Take in all of a run of readings that lies in the calm band; the index behind it."""
        band, last = self.band, self.last
        if band is None or last is None:
            return lo
        end, low, high = calm_run(history.columns, lo, hi, last.at_ms, band, self.gap_ms)
        if end == lo:
            return lo
        at, values, meter = history.at, history.value, self.meter
        low_ms, high_ms = meter.low_ms, meter.high_ms
        if meter.low is None or low < meter.low:
            low_ms = at[values.index(low, lo, end)]
        else:
            low = meter.low
        if meter.high is None or high > meter.high:
            high_ms = at[values.index(high, lo, end)]
        else:
            high = meter.high
        at_ms = at[end - 1]
        good_ms = meter.good_ms + at_ms - max(last.at_ms, meter.from_ms)
        self.meter = Meter(meter.scope, meter.since_ms, good_ms, low, low_ms, high, high_ms, meter.from_ms)
        self.last = Sample(at_ms, values[end - 1], values[end - 1], GOOD)
        self.at_ms = at_ms
        return end

    def sync(self) -> None:
        """Let every rule know of what was skipped."""
        before, last = self._known, self.last
        if before is last or before is None or last is None:
            return
        self._skipped = Skipped(self.past, self._here(), before, last)
        running = self._running
        for i, (rule, state) in enumerate(running):
            new = judge_of(rule).sync(rule, state, self)
            if new is not state:
                running[i] = (rule, new)
        self._known, self._skipped = last, None

    # The four things

    def reach(self, to_ms: int) -> None:
        """Time moves on, never back."""
        if self.at_ms is None or to_ms > self.at_ms:
            self.at_ms = to_ms

    def fire(self, rule_id: str, at_ms: int, tell: Tell) -> None:
        """A rule's own deadline has come."""
        self.reach(at_ms)
        segment = self._here()
        running = self.running
        for i, (rule, state) in enumerate(running):
            if rule.id == rule_id:
                new, changes = judge_of(rule).on_due(rule, state, self)
                running[i] = (rule, new)
                for change in changes:
                    tell(Told(rule, change, segment, at_ms))
        self.reckon()

    def judge(self, now: Sample, tell: Tell) -> None:
        """A sample of the present channel, newer than all before."""
        running = self.running
        for i, (rule, state) in enumerate(running):
            new, changes = judge_of(rule).on_sample(rule, state, self, now)
            if new is not state:
                running[i] = (rule, new)
            for change in changes:
                tell(Told(rule, change, self._here(), now.at_ms))
        self._measure(now)
        self.last = self._known = now
        self.reckon()

    def enter(self, index: int, new: Segment, tell: Tell) -> None:
        """A boundary: another probe, other rules, another product."""
        at_ms, old, gap_ms = new.from_ms, self.now, self.gap_ms
        self.sync()
        self.reach(at_ms)
        another = old is None or old.probe != new.probe
        new_gap_ms = new.gap_ms
        product = old is not None and old.scope != new.scope
        if old is not None and (another or product or new_gap_ms != gap_ms):
            self._settle(at_ms, old, tell)
        if another:
            self.last = None  # another probe's reading is no evidence for this one
        running = {rule.id: (rule, state) for rule, state in self._running}
        if product and old is not None:
            for rule, state in running.values():
                self._leave(rule, state, old, at_ms, PRODUCT_CHANGED, tell)
            for rule, state in self.left.values():
                self._forget(rule, state, old, at_ms, tell)
            running, self.left = {}, {}
        if product or old is None:
            self.meter = Meter(scope=new.scope, since_ms=at_ms, from_ms=at_ms)
        kept = [
            self._take_over(rule, running.pop(rule.id, None), old or new, new, tell) for rule in new.rules
        ]
        for rule, state in running.values():
            self.left[rule.id] = (rule, self._leave(rule, state, old or new, at_ms, NOT_IN_FORCE, tell))
        self.segment, self.now, self.gap_ms = index, new, new_gap_ms
        self.running = kept

    # Keeping and restoring

    def keep(self) -> Snapshot:
        """What is needed to continue from here."""
        return Snapshot(
            self.at_ms, self.segment, self.last, tuple(self.running), tuple(self.left.values()), self.meter
        )

    def restore(self, kept: Snapshot | None, line: list[Segment]) -> None:
        """Stand where a snapshot was taken; None: where nothing has happened yet."""
        if kept is None:
            kept = Snapshot(None, -1, None, (), (), Meter())
        self.at_ms, self.segment, self.last, self.meter = kept.at_ms, kept.segment, kept.last, kept.meter
        self.left = {rule.id: (rule, state) for rule, state in kept.left}
        self.now = line[kept.segment] if kept.segment >= 0 else None
        self.gap_ms = self.now.gap_ms if self.now is not None else 0
        self.running = list(kept.running)

    def agrees(self, kept: Snapshot) -> bool:
        """Whether all that follows will be as it was from a snapshot on, but for the meter."""
        return (
            self.segment == kept.segment
            and self.last == kept.last
            and tuple(self.running) == kept.running
            and tuple(self.left.values()) == kept.left
            and (self.meter.scope, self.meter.since_ms) == (kept.meter.scope, kept.meter.since_ms)
        )

    def reckon(self) -> None:
        """Work out which rule changes by itself next."""
        due: tuple[int, str] | None = None
        for rule, state in self._running:
            at_ms = judge_of(rule).due_ms(rule, state, self)
            if at_ms is not None and (due is None or (at_ms, rule.id) < due):
                due = (at_ms, rule.id)
        self.due = due
        self._reckoned = False

    # The parts of a boundary

    def _take_over(
        self, rule: Rule, before: tuple[Rule, Any] | None, old: Segment, new: Segment, tell: Tell
    ) -> tuple[Rule, Any]:
        """A rule that is in force from a boundary on, with the state it begins with."""
        judge, at_ms = judge_of(rule), new.from_ms
        left = self.left.pop(rule.id, None)
        if left is not None and not _waited_in_vain(left[1], rule):
            if type(left[0]) is type(rule):
                state, changes = judge.resume(rule, left[1], self, at_ms)
                return self._begun(rule, state, changes, new, tell)
            self._forget(*left, old, at_ms, tell)
        if before is not None and not _waited_in_vain(before[1], rule):
            was, state = before
            if type(was) is type(rule):
                if judge.same(was, rule):
                    return (rule, state)
                state, changes = judge.reconfigure(was, rule, state, self, at_ms)
                return self._begun(rule, state, changes, new, tell)
            # Another kind of rule under the name of the old one: nothing of it can go on.
            self._leave(was, state, old, at_ms, LIMITS_CHANGED, tell)
        state, changes = judge.start(rule, self, at_ms)
        return self._begun(rule, state, changes, new, tell)

    def _begun(
        self, rule: Rule, state: Any, changes: tuple[Change, ...], new: Segment, tell: Tell
    ) -> tuple[Rule, Any]:
        for change in changes:
            tell(Told(rule, change, new, new.from_ms))
        return (rule, state)

    def _leave(self, rule: Rule, state: Any, old: Segment, at_ms: int, why: str, tell: Tell) -> Any:
        """A rule is no longer in force. Its alarm stays, but where its product, or what it was, is gone."""
        judge = judge_of(rule)
        was_active = judge.active(state)
        state, changes = judge.end(rule, state, self, at_ms, why)
        if why != NOT_IN_FORCE and was_active and not any(isinstance(c, Returned) for c in changes):
            changes = (*changes, Returned(at_ms))
        for change in changes:
            tell(Told(rule, change, old, at_ms))
        return state

    def _forget(self, rule: Rule, state: Any, old: Segment, at_ms: int, tell: Tell) -> None:
        """What was left of a rule that is not in force will not come back."""
        if judge_of(rule).active(state):
            tell(Told(rule, Returned(at_ms), old, at_ms))

    def _settle(self, at_ms: int, old: Segment, tell: Tell) -> None:
        for i, (rule, state) in enumerate(self._running):
            new, changes = judge_of(rule).settle(rule, state, self, at_ms)
            self._running[i] = (rule, new)
            for change in changes:
                tell(Told(rule, change, old, at_ms))
        self.meter = replace(self.meter, good_ms=self._good_ms(at_ms), from_ms=at_ms)

    def _measure(self, now: Sample) -> None:
        meter = self.meter
        low, low_ms, high, high_ms = meter.low, meter.low_ms, meter.high, meter.high_ms
        if now.quality != BAD:
            if low is None or now.low < low:
                low, low_ms = now.low, now.at_ms
            if high is None or now.high > high:
                high, high_ms = now.high, now.at_ms
        good_ms = self._good_ms(now.at_ms)
        self.meter = Meter(meter.scope, meter.since_ms, good_ms, low, low_ms, high, high_ms, meter.from_ms)

    def _good_ms(self, at_ms: int) -> int:
        meter, last = self.meter, self.last
        if last is None or last.quality != GOOD:
            return meter.good_ms
        begin = max(last.at_ms, meter.from_ms)
        return meter.good_ms + max(0, min(at_ms, last.at_ms + self.gap_ms) - begin)

    def _here(self) -> Segment:
        assert self.now is not None, "nothing is in force before the first boundary"
        return self.now


def _waited_in_vain(state: Any, rule: Rule) -> bool:
    """Whether a rule that waited for its probe to settle waits no more: it has judged nothing so far."""
    return isinstance(state, Settling) and rule.settle is None
