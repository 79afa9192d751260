"""One place ("asset/role") and the state of all its rules in event order, as known now.

The truth of a place is a function of its time line (segments) and of its channels' histories. A
sample in order advances it; whatever changes the past (a late reading, a back-dated stage) folds
it again from a snapshot before the change to where it stood. Both go through the same steps.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from coldchain.consignments.lane import Segment
from coldchain.fold.history import History
from coldchain.model import Side
from coldchain.plan import ChannelPlan, Rule
from coldchain.rules.book import JUDGES
from coldchain.rules.judging import BAD, GOOD, Change, Interval, Sample

#: Samples between two snapshots: a late reading re-folds at most this many more than it must.
SNAPSHOT_EVERY = 256


class Meter(Struct, frozen=True):
    """Plain statistics of a place since its product came in: coverage and extremes."""

    scope: str = ""
    since_ms: int = 0
    good_ms: int = 0
    low: int | None = None
    low_ms: int = 0
    high: int | None = None
    high_ms: int = 0


class Snapshot(Struct, frozen=True):
    """Everything a place needs to continue from `at_ms`."""

    at_ms: int
    segment: int
    last: Sample | None
    running: tuple[tuple[Rule, Any], ...]
    meter: Meter


class Told(Struct, frozen=True):
    """One change of one rule, as it came out of a step."""

    rule: Rule
    change: Change
    segment: Segment


class Track:
    """The rule states of one place. `histories` are shared with the channels that fill them."""

    def __init__(self, place: str, histories: dict[str, History]) -> None:
        self.place = place
        self.line: list[Segment] = []
        self.at_ms: int | None = None  # the channel's own time: never goes back
        self.segment = -1
        self.last: Sample | None = None
        self.running: list[tuple[Rule, Any]] = []
        self.meter = Meter()
        self._histories = histories
        self._snapshots: list[Snapshot] = []
        self._since_snapshot = 0

    # What is asked of a place

    @property
    def now(self) -> Segment | None:
        """The segment in force."""
        return self.line[self.segment] if self.segment >= 0 else None

    @property
    def channel(self) -> ChannelPlan | None:
        """The channel that measures here now."""
        return self.now.channel if self.now is not None else None

    @property
    def max_gap_ms(self) -> int:
        """How long a reading of the present channel counts."""
        return self.channel.max_gap_ms if self.channel is not None else 0

    def due(self) -> tuple[int, str] | None:
        """The next event time at which a rule changes by itself, and that rule's id."""
        earliest: tuple[int, str] | None = None
        gap = self.max_gap_ms
        for rule, state in self.running:
            due_ms = JUDGES[type(rule)].due_ms(rule, state, self.last, gap)
            if due_ms is not None and (earliest is None or (due_ms, rule.id) < earliest):
                earliest = (due_ms, rule.id)
        return earliest

    def next(self) -> tuple[int, str] | None:
        """The next event time at which anything happens here by itself: a deadline or a boundary."""
        due = self.due()
        if self.segment + 1 < len(self.line):
            boundary = (self.line[self.segment + 1].from_ms, "")
            return boundary if due is None else min(due, boundary)
        return due

    def standing(self, at_ms: int) -> list[tuple[Rule, Interval]]:
        """The open intervals, with their sums brought up to an instant."""
        found = []
        for rule, state in self.running:
            interval = JUDGES[type(rule)].standing(rule, state, self.last, at_ms, self.max_gap_ms)
            if interval is not None:
                found.append((rule, interval))
        return found

    def active(self) -> set[str]:
        """Ids of the rules whose alarm condition holds."""
        return {rule.id for rule, state in self.running if is_active(state)}

    # Steps, each in event order

    def advance(self, to_ms: int, tell: Callable[[Told], None]) -> None:
        """Move the place's time on: boundaries and deadlines it reaches happen, earliest first."""
        while True:
            boundary = self.line[self.segment + 1].from_ms if self.segment + 1 < len(self.line) else None
            due = self.due()
            if boundary is not None and boundary <= to_ms and (due is None or boundary < due[0]):
                self._enter(self.segment + 1, tell)
            elif due is not None and due[0] <= to_ms:
                self._fire(due[1], tell)
            else:
                break
        if self.at_ms is None or to_ms > self.at_ms:
            self.at_ms = to_ms

    def judge(self, channel: str, now: Sample, tell: Callable[[Told], None]) -> None:
        """Judge a sample that is newer than all before; its own time comes first.

        A channel that does not measure here at that instant is not judged here.
        """
        self.advance(now.at_ms, tell)
        if self.segment < 0 or _id(self.line[self.segment].channel) != channel:
            return
        gap = self.max_gap_ms
        segment = self.line[self.segment]
        for i, (rule, state) in enumerate(self.running):
            new, changes = JUDGES[type(rule)].on_sample(rule, state, self.last, now, gap)
            if new is not state:
                self.running[i] = (rule, new)
            for change in changes:
                tell(Told(rule, change, segment))
        self._measure(now, gap)
        self.last = now
        self.advance(now.at_ms, tell)
        self._since_snapshot += 1
        if self._since_snapshot >= SNAPSHOT_EVERY:
            self._keep()

    def refold(self, from_ms: int, tell: Callable[[Told], None]) -> int | None:
        """Fold again from just before `from_ms` to where the place stood.

        Answers the time of the snapshot it began from (everything after it is told anew), or None
        if it began from nothing.
        """
        stood, newest_ms = self.at_ms, self.newest_ms()
        if newest_ms is not None and (stood is None or newest_ms > stood):
            stood = newest_ms  # readings that another place was thought to have
        while self._snapshots and self._snapshots[-1].at_ms >= from_ms:
            self._snapshots.pop()
        began_from = self._restore()
        if self.segment < 0 and self.line:
            self.advance(self.line[0].from_ms, tell)
        while self.segment >= 0:
            channel = self.channel
            until = self.line[self.segment + 1].from_ms if self.segment + 1 < len(self.line) else None
            if channel is not None and channel.id in self._histories:
                after = self.line[self.segment].from_ms - 1
                if self.last is not None:
                    after = max(after, self.last.at_ms)
                for sample in self._histories[channel.id].samples(after, until):
                    self.judge(channel.id, sample, tell)
            if until is None or (stood is not None and until > stood):
                break
            self.advance(until, tell)
        if stood is not None:
            self.advance(stood, tell)
        return began_from

    def leave(self, tell: Callable[[Told], None]) -> None:
        """Nothing is judged here any more: what is open ends where the place's time stands."""
        if self.now is not None and self.at_ms is not None:
            for running in self.running:
                self._drop(running, self.now, self.at_ms, self.max_gap_ms, "rule_no_longer_in_force", tell)
        self.running = []

    def newest_ms(self) -> int | None:
        """Event time of the newest reading that was taken here, by the time line as it is now."""
        found: list[int] = []
        for i, segment in enumerate(self.line):
            if segment.channel is not None and segment.channel.id in self._histories:
                at = self._histories[segment.channel.id].at
                until_ms = self.line[i + 1].from_ms if i + 1 < len(self.line) else None
                before = len(at) if until_ms is None else bisect_left(at, until_ms)
                if before and at[before - 1] >= segment.from_ms:
                    found.append(at[before - 1])
        return max(found, default=None)

    def shift_from(self, at_ms: int, by_ms: int) -> None:
        """The channel's axis moved by a down time that became known: let time follow."""
        if self.at_ms is not None and self.at_ms >= at_ms:
            self.at_ms += by_ms

    # The steps' parts

    def _enter(self, index: int, tell: Callable[[Told], None]) -> None:
        old = self.now
        new = self.line[index]
        if self.at_ms is None or new.from_ms > self.at_ms:
            self.at_ms = new.from_ms
        gap = self.max_gap_ms
        kept = {rule.id: (rule, state) for rule, state in self.running}
        if old is None or _id(old.channel) != _id(new.channel):
            self.last = None  # another probe's reading is no evidence for this one
        self.segment = index
        running: list[tuple[Rule, Any]] = []
        for rule in new.rules:
            judge = JUDGES[type(rule)]
            before = kept.pop(rule.id, None)
            # Another product is judged from its own beginning: neither sums nor a hold are passed on.
            other = old is not None and old.scope != new.scope
            anew = before is None or other or type(before[0]) is not type(rule)
            if before is not None and anew:
                kept[rule.id] = before
            if anew or before is None:
                state, changes = judge.start(rule, self.last, new.from_ms, gap)
            elif before[0] == rule:
                state, changes = before[1], ()
            else:
                state, changes = judge.reconfigure(before[0], rule, before[1], self.last, new.from_ms, gap)
            if rule.id in kept:
                self._drop(kept.pop(rule.id), old or new, new.from_ms, gap, "product_changed", tell)
            running.append((rule, state))
            for change in changes:
                tell(Told(rule, change, new))
        for gone in kept.values():
            self._drop(gone, old or new, new.from_ms, gap, "rule_no_longer_in_force", tell)
        self.running = running
        if self.meter.scope != new.scope or old is None:
            self.meter = Meter(scope=new.scope, since_ms=new.from_ms)

    def _drop(
        self,
        gone: tuple[Rule, Any],
        segment: Segment,
        at_ms: int,
        gap: int,
        why: str,
        tell: Callable[[Told], None],
    ) -> None:
        rule, state = gone
        _, changes = JUDGES[type(rule)].end(rule, state, self.last, at_ms, gap, why)
        for change in changes:
            tell(Told(rule, change, segment))

    def _fire(self, rule_id: str, tell: Callable[[Told], None]) -> None:
        for i, (rule, state) in enumerate(self.running):
            if rule.id == rule_id:
                new, changes = JUDGES[type(rule)].on_due(rule, state, self.last, self.max_gap_ms)
                self.running[i] = (rule, new)
                for change in changes:
                    tell(Told(rule, change, self.line[self.segment]))

    def _measure(self, now: Sample, gap: int) -> None:
        meter, last = self.meter, self.last
        good_ms, low, high = meter.good_ms, meter.low, meter.high
        low_ms, high_ms = meter.low_ms, meter.high_ms
        if last is not None and last.quality == GOOD:
            good_ms += max(0, min(now.at_ms, last.at_ms + gap) - max(last.at_ms, meter.since_ms))
        if now.quality != BAD:
            if low is None or now.low < low:
                low, low_ms = now.low, now.at_ms
            if high is None or now.high > high:
                high, high_ms = now.high, now.at_ms
        self.meter = Meter(meter.scope, meter.since_ms, good_ms, low, low_ms, high, high_ms)

    def _keep(self) -> None:
        self._since_snapshot = 0
        if self.at_ms is not None:
            self._snapshots.append(
                Snapshot(self.at_ms, self.segment, self.last, tuple(self.running), self.meter)
            )

    def _restore(self) -> int | None:
        self._since_snapshot = 0
        if not self._snapshots:
            self.at_ms, self.segment, self.last = None, -1, None
            self.running, self.meter = [], Meter()
            return None
        kept = self._snapshots[-1]
        self.at_ms, self.segment, self.last = kept.at_ms, kept.segment, kept.last
        self.running, self.meter = list(kept.running), kept.meter
        return kept.at_ms

    def side_of(self, rule_id: str) -> Side | None:
        """The side of a running rule."""
        return next((rule.side for rule, _ in self.running if rule.id == rule_id), None)


def is_active(state: Any) -> bool:
    """Whether a rule's state is an alarm condition."""
    active = getattr(state, "active", None)
    if active is not None:
        return bool(active)
    spent = getattr(state, "spent", None)
    return spent is not None and spent.triggered_ms is not None


def _id(channel: ChannelPlan | None) -> str | None:
    return channel.id if channel is not None else None
