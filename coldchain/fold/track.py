"""One place ("asset/role") and the state of all its rules in event order, as known now.

The truth of a place is a function of its time line (segments) and of its channels' histories. A
sample in order advances it; whatever changes the past (a late reading, a back-dated stage) folds
it again from a snapshot before the change, until it meets what it was. Both go through the same
steps, which are in `steps.py`.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, NamedTuple

from msgspec.structs import replace

from coldchain.consignments.line import Segment, put
from coldchain.fold.history import History
from coldchain.fold.meter import Meter
from coldchain.fold.past import Past
from coldchain.fold.steps import Snapshot, Stand, Tell, Told
from coldchain.plan import Budget, ChannelPlan, Rolling, Rule
from coldchain.rules import rolling
from coldchain.rules.book import judge_of
from coldchain.rules.judging import Interval, Sample

#: Samples between two snapshots: a late reading re-folds at most twice this many more than it must.
SNAPSHOT_EVERY = 256


class Refolded(NamedTuple):
    """The span that was folded again: after `began_ms` (None: from nothing), to `met_ms` (None: to the end).

    From `met_ms` on everything is as it was before.
    """

    began_ms: int | None
    met_ms: int | None


class Track:
    """The rule states of one place. `histories` are shared with the channels that fill them."""

    def __init__(self, place: str, histories: dict[str, History]) -> None:
        self.place = place
        self.past = Past(histories)
        self._stand = Stand(self.past)
        self._snapshots: list[Snapshot] = []
        #: Nothing before this event time is folded again: the first snapshot stands for it. None: all may be.
        self.settled_ms: int | None = None
        self.calm = True  # False: ask every rule about every sample, for tests that compare the two
        self._since_snapshot = 0

    # What is asked of a place

    @property
    def line(self) -> list[Segment]:
        """The time line: which probe measures by which rules, from when to when."""
        return self.past.line

    @line.setter
    def line(self, line: list[Segment]) -> None:
        self.past.line = line
        self._stand.forget_band()

    @property
    def at_ms(self) -> int | None:
        """The channel's own time here. It goes back only where readings were found to be from the future."""
        return self._stand.at_ms

    @property
    def segment(self) -> int:
        """The index of the segment in force; -1: nothing is yet."""
        return self._stand.segment

    @property
    def last(self) -> Sample | None:
        """The newest sample of the present channel."""
        return self._stand.last

    @property
    def running(self) -> list[tuple[Rule, object]]:
        """The rules in force, each with its state."""
        return self._stand.running

    @running.setter
    def running(self, running: list[tuple[Rule, object]]) -> None:
        self._stand.running = running

    @property
    def meter(self) -> Meter:
        """Coverage and extremes of the present product."""
        return self._stand.meter

    @property
    def now(self) -> Segment | None:
        """The segment in force."""
        return self._stand.now

    @property
    def channel(self) -> ChannelPlan | None:
        """The channel that measures here now."""
        return self._stand.now.channel if self._stand.now is not None else None

    @property
    def max_gap_ms(self) -> int:
        """How long a reading of the present channel counts."""
        return self._stand.gap_ms

    def due(self) -> tuple[int, str] | None:
        """The next event time at which a rule changes by itself, and that rule's id."""
        return self._stand.due

    def next(self) -> tuple[int, str] | None:
        """The next event time at which anything happens here by itself: a deadline, then a boundary."""
        due = self._stand.due
        after = self._stand.segment + 1
        if after < len(self.line):
            boundary_ms = self.line[after].from_ms
            if due is None or boundary_ms < due[0]:
                return (boundary_ms, "")
        return due

    def standing(self, at_ms: int) -> list[tuple[Rule, Interval]]:
        """The open intervals, with their sums brought up to an instant."""
        found = []
        for rule, state in self._stand.running:
            interval = judge_of(rule).standing(rule, state, self._stand, at_ms)
            if interval is not None:
                found.append((rule, interval))
        return found

    def spent_ms(self, rule: Budget | Rolling) -> int:
        """What is spent of a budget up to the place's time."""
        stand = self._stand
        state = next((state for mine, state in stand.running if mine.id == rule.id), None)
        if state is None or stand.at_ms is None:
            return 0
        if isinstance(rule, Rolling):
            return rolling.spent_ms(rule, state, stand, stand.at_ms)
        interval = judge_of(rule).standing(rule, state, stand, stand.at_ms)
        return 0 if interval is None else interval.outside_ms

    def active(self) -> set[str]:
        """Ids of the rules whose alarm condition holds."""
        return {rule.id for rule, state in self._stand.running if judge_of(rule).active(state)}

    def segment_at(self, at_ms: int) -> int:
        """The index of the segment in force at an instant; −1: none was yet."""
        return self.past.segment_at(at_ms)

    def measures(self, channel: str, at_ms: int) -> bool:
        """Whether a channel measures here at an instant."""
        i = self.past.segment_at(at_ms)
        return i >= 0 and channel in (self.line[i].probe or ())

    def sample_at(self, at_ms: int) -> Sample | None:
        """What is judged here at exactly this instant."""
        i = self.past.segment_at(at_ms)
        series = self.past.series(self.line[i]) if i >= 0 else None
        return None if series is None else series.sample_at(at_ms)

    @property
    def derived(self) -> bool:
        """Whether what is judged here comes from more than one probe now."""
        return self.now is not None and self.now.other is not None

    def newest(self) -> int | None:
        """The time of the newest sample that is judged here."""
        return self.past.newest()

    # Steps, each in event order

    def advance(self, to_ms: int, tell: Tell) -> None:
        """Move the place's time on: deadlines and boundaries it reaches happen, earliest first."""
        while (following := self.next()) is not None and following[0] <= to_ms:
            self.step(tell)
        self._stand.reach(to_ms)

    def step(self, tell: Tell) -> None:
        """Let the next thing happen that happens by itself."""
        following = self.next()
        if following is None:
            return
        if following[1]:
            self._stand.fire(following[1], following[0], tell)
        else:
            index = self._stand.segment + 1
            self._stand.enter(index, self.line[index], tell)

    def judge(self, now: Sample, tell: Tell) -> None:
        """Judge a sample of the channel that measures here, newer than all before; its time comes first."""
        if not (self.calm and self._stand.skip(now)):
            self.advance(now.at_ms, tell)
            # What was in the way may have been a deadline, and nothing else.
            if not (self.calm and self._stand.skip(now)):
                self._ask(now, tell)
        self._since_snapshot += 1
        if self._since_snapshot >= SNAPSHOT_EVERY:
            self._since_snapshot = 0
            self._snapshots.append(self._stand.keep())

    def judge_all(self, history: History, lo: int, hi: int, tell: Tell) -> None:
        """Judge packed readings of the channel that measures here, in order: as `judge`, by calm runs."""
        while lo < hi:
            if self.calm:
                end = self._stand.skip_run(history, lo, hi)
                self._since_snapshot += end - lo
                if self._since_snapshot >= SNAPSHOT_EVERY:
                    self._since_snapshot = 0
                    self._snapshots.append(self._stand.keep())
                if (lo := end) == hi:
                    return
            sample, lo = history.group(lo, hi)
            self.judge(sample, tell)

    def _ask(self, now: Sample, tell: Tell) -> None:
        self._stand.judge(now, tell)
        if self._stand.due is not None and self._stand.due[0] <= now.at_ms:
            self.advance(now.at_ms, tell)

    def refold(self, from_ms: int, tell: Tell, *, pull_back: bool = False, grown: bool = False) -> Refolded:
        """Fold again from just before an event time to where the place stood.

        grown:     samples were only added: as soon as everything is as it was, the rest is too.
        pull_back: readings were found to be from the future: the place's time goes back with them.
        """
        until_ms = self._stand.at_ms
        kept = max(bisect_left(self._snapshots, from_ms, key=_taken_at), self.settled_ms is not None)
        later = self._snapshots[kept:]
        del self._snapshots[kept:]
        # Where everything may turn out as it was, it does before anything that no rule has heard of yet.
        stood = self._stand.keep() if grown and later else None
        began = self._snapshots[-1] if self._snapshots else None
        self._since_snapshot = 0
        self._stand.restore(began, self.line)
        newest_ms = self.newest()
        if newest_ms is not None and (until_ms is None or pull_back or newest_ms > until_ms):
            until_ms = newest_ms
        met = self._run(until_ms, tell, [] if stood is None else later)
        began_ms = None if began is None else began.at_ms
        if met is None or stood is None:
            if until_ms is not None:
                self.advance(until_ms, tell)
            return Refolded(began_ms, None)
        # From here on nothing differs but what is summed up over the product's whole time.
        was, now = met.meter, self._stand.meter
        behind = later[later.index(met) + 1 :]
        self._snapshots += [each.adjusted(was, now) for each in (met, *behind)]
        self._since_snapshot = 0
        self._stand.restore(stood.adjusted(was, now), self.line)
        return Refolded(began_ms, met.at_ms)

    def catch_up(self) -> None:
        """Let the rules know of all that was skipped, while what was measured is still there."""
        self._stand.sync()

    def keep(self) -> Snapshot:
        """Where the place stands, with all that was skipped."""
        return self._stand.keep()

    def stood_at(self, at_ms: int) -> Snapshot | None:
        """Where the place stood at an event time, or stands if that is yet to come; None: nothing was."""
        if self.at_ms is None or at_ms >= self.at_ms:
            return None if self.at_ms is None else self.keep()
        before = bisect_left(self._snapshots, at_ms, key=_taken_at)
        again = Track(self.place, self.past.histories)
        again.line = self.line
        again._stand.restore(self._snapshots[before - 1] if before else None, self.line)
        again._run(at_ms, _say_nothing, [], before_ms=at_ms)
        again.advance(at_ms, _say_nothing)
        return again.keep()

    def settle(self, stood: Snapshot) -> None:
        """From here on nothing before a snapshot is folded again."""
        self._snapshots[: bisect_left(self._snapshots, _taken_at(stood), key=_taken_at)] = [stood]
        self.settled_ms = stood.at_ms

    @property
    def settled(self) -> Snapshot | None:
        """Where the place stood when its past was settled; None: nothing is settled."""
        return None if self.settled_ms is None else self._snapshots[0]

    def begun(self, index: int, at_ms: int) -> list[tuple[Rule, Any]]:
        """The rules of a segment, each as it begins at an instant."""
        return [(rule, judge_of(rule).start(rule, self._stand, at_ms)[0]) for rule in self.line[index].rules]

    def rest_on(self, stood: Snapshot) -> None:
        """Begin anew from where the place stood; what was measured since is not folded yet."""
        self._snapshots, self._since_snapshot, self.settled_ms = [stood], 0, stood.at_ms

    def joined(self, line: list[Segment]) -> list[Segment]:
        """A new time line; up to where the past is settled the old one stands."""
        if self.settled_ms is None:
            return line
        new = [segment for segment in self.line if segment.from_ms <= self.settled_ms]
        for i, segment in enumerate(line):
            if segment.from_ms > self.settled_ms:
                put(new, segment)
            elif i + 1 == len(line) or line[i + 1].from_ms > self.settled_ms:
                put(new, replace(segment, from_ms=self.settled_ms + 1))
        return new

    def shift_from(self, at_ms: int, by_ms: int) -> None:
        """The channel's axis moved by a down time that became known: let time follow."""
        if self._stand.at_ms is not None and self._stand.at_ms >= at_ms:
            self._stand.at_ms += by_ms

    # The parts of folding again

    def _run(
        self, until_ms: int | None, tell: Tell, later: list[Snapshot], before_ms: int | None = None
    ) -> Snapshot | None:
        """Judge what stands in the histories up to an instant; the snapshot at which all was as before.

        before_ms: no sample from here on is judged.
        """
        if until_ms is None:
            return None
        ahead = iter(later)
        awaited = next(ahead, None)
        if self._stand.segment < 0 and self.line and self.line[0].from_ms <= until_ms:
            self.advance(self.line[0].from_ms, tell)
        while self._stand.segment >= 0:
            index = self._stand.segment
            segment, ends_ms = self.line[index], self.past.ends_ms(index)
            series = self.past.series(segment)
            if series is not None:
                after_ms = segment.from_ms - 1
                if self._stand.last is not None:
                    after_ms = max(after_ms, self._stand.last.at_ms)
                bounds = [at_ms for at_ms in (ends_ms, before_ms) if at_ms is not None]
                for sample in series.samples(after_ms, min(bounds, default=None)):
                    self.judge(sample, tell)
                    while awaited is not None and _taken_at(awaited) < sample.at_ms:
                        awaited = next(ahead, None)
                    if awaited is None:
                        continue
                    if awaited.at_ms == sample.at_ms and self._stand.agrees(awaited):
                        return awaited
            if ends_ms is None or ends_ms > until_ms:
                return None
            self.advance(ends_ms, tell)
        return None


def _say_nothing(told: Told) -> None:
    """What was said once is not said again."""


def _taken_at(snapshot: Snapshot) -> int:
    return 0 if snapshot.at_ms is None else snapshot.at_ms
