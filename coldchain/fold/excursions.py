"""The record of excursions of one place: what was true, with names that survive revision.

Intervals come from the rules and do not depend on the order of arrival; their names do. An
interval takes the oldest name it overlaps; names left over are "merged into" it; of the parts of
a split one the earliest keeps the name and the others are "split from" it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from coldchain.consignments.lane import Segment
from coldchain.plan import Rule
from coldchain.rules.judging import Interval


@dataclass(slots=True)
class Excursion:
    """One excursion with its name and the limit that was in force.

    `announced`: an alarm was raised for it; `denied`: later evidence does not confirm that alarm.
    `closed_at_ms`: the place's time when it was found over (not its end), None while open.
    """

    id: str
    number: int
    place: str
    rule: Rule
    interval: Interval
    segment: Segment
    announced: bool = False
    denied: bool = False
    closed_at_ms: int | None = None
    merged: tuple[str, ...] = ()
    split_from: str = ""


@dataclass
class Revision:
    """What a re-fold changed, for the desk to announce."""

    triggered: list[Excursion] = field(default_factory=list)
    denied: list[Excursion] = field(default_factory=list)
    changed: list[Excursion] = field(default_factory=list)


class Ledger:
    """All excursions of one place, the closed ones in the order in which they were found over."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.closed: list[Excursion] = []
        self.open: dict[str, Excursion] = {}
        self.sealed: list[Excursion] = []  # found on another axis; nothing can revise them
        self._numbers: dict[str, int] = {}

    def opened(self, rule: Rule, segment: Segment, interval: Interval) -> Excursion:
        """A new interval began, in event order."""
        excursion = self._new(rule, segment, interval)
        self.open[rule.id] = excursion
        return excursion

    def ended(self, rule: Rule, interval: Interval, at_ms: int) -> Excursion | None:
        """The open interval of a rule is over."""
        excursion = self.open.pop(rule.id, None)
        if excursion is not None:
            excursion.interval, excursion.closed_at_ms = interval, at_ms
            self.closed.append(excursion)
        return excursion

    def seal(self) -> None:
        """The place is measured on another axis from now on."""
        self.sealed += self.closed
        self.closed, self.open = [], {}

    def all(self) -> list[Excursion]:
        """Every excursion on the present axis, closed and open, by start."""
        return sorted(
            [*self.closed, *self.open.values()], key=lambda e: (e.interval.start_ms, e.rule.id, e.number)
        )

    def revise(
        self,
        began_from: int | None,
        ended: list[tuple[Rule, Segment, Interval, int]],
        standing: list[tuple[Rule, Segment, Interval]],
    ) -> Revision:
        """Replace everything found after `began_from` by the intervals of a re-fold."""
        kept = [e for e in self.closed if began_from is not None and _closed_by(e, began_from)]
        old = [e for e in self.closed if began_from is None or not _closed_by(e, began_from)]
        old += self.open.values()
        before = {e.id: (e.interval.start_ms, e.interval.triggered_ms, e.interval.end_ms) for e in old}
        fresh = [(r, s, i, at) for r, s, i, at in ended] + [(r, s, i, None) for r, s, i in standing]
        self.closed, self.open = kept, {}
        revision = Revision()
        left = sorted(old, key=lambda e: e.number)
        named: list[Excursion] = []
        for rule, segment, interval, at_ms in sorted(fresh, key=lambda f: (f[0].id, f[2].start_ms)):
            overlapping = [e for e in left if e.rule.id == rule.id and _overlap(e.interval, interval)]
            if overlapping:
                excursion = overlapping[0]
                left.remove(excursion)
                excursion.rule, excursion.segment, excursion.interval = rule, segment, interval
            else:
                parents = [
                    e
                    for e in named
                    if e.rule.id == rule.id and e.id in before and _spans(before[e.id], interval)
                ]
                excursion = self._new(rule, segment, interval)
                if parents:
                    excursion.split_from = parents[0].id
            excursion.closed_at_ms = at_ms
            named.append(excursion)
            if at_ms is None:
                self.open[rule.id] = excursion
            else:
                self.closed.append(excursion)
        for gone in left:
            heir = next(
                (e for e in named if e.rule.id == gone.rule.id and _overlap(e.interval, gone.interval)), None
            )
            if heir is not None:
                heir.merged = (*heir.merged, gone.id)
                heir.announced = heir.announced or gone.announced
            elif gone.announced:
                revision.denied.append(gone)
        for excursion in named:
            self._compare(excursion, before.get(excursion.id), revision)
        self.closed.sort(key=lambda e: (e.closed_at_ms or 0, e.number))
        return revision

    def _compare(
        self, excursion: Excursion, was: tuple[int, int | None, int | None] | None, revision: Revision
    ) -> None:
        now = (excursion.interval.start_ms, excursion.interval.triggered_ms, excursion.interval.end_ms)
        if excursion.interval.triggered_ms is not None and not excursion.announced:
            revision.triggered.append(excursion)
        elif excursion.announced and excursion.interval.triggered_ms is None:
            if not excursion.denied:
                revision.denied.append(excursion)
        elif excursion.announced and was is not None and was != now:
            revision.changed.append(excursion)

    def _new(self, rule: Rule, segment: Segment, interval: Interval) -> Excursion:
        number = self._numbers.get(rule.id, 0) + 1
        self._numbers[rule.id] = number
        return Excursion(f"{self.place}/{rule.id}#{number}", number, self.place, rule, interval, segment)


def _closed_by(excursion: Excursion, at_ms: int) -> bool:
    return excursion.closed_at_ms is not None and excursion.closed_at_ms <= at_ms


def _overlap(a: Interval, b: Interval) -> bool:
    return (b.end_ms is None or a.start_ms <= b.end_ms) and (a.end_ms is None or b.start_ms <= a.end_ms)


def _spans(was: tuple[int, int | None, int | None], interval: Interval) -> bool:
    return was[0] <= interval.start_ms and (was[2] is None or interval.start_ms <= was[2])
