"""The record of excursions of one place: what was true, with names that survive revision.

Intervals come from the rules and do not depend on the order of arrival; their names do. What is
found again unchanged keeps its name. Else an interval takes the oldest name it overlaps; names left
over are "merged into" it; of the parts of a split one the earliest keeps the name and the others
are "split from" it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from coldchain.consignments.line import Segment
from coldchain.plan import Rule
from coldchain.rules.judging import LIMITS_CHANGED, TIME_BASE_CHANGED, Interval

#: Later than anything that ends.
_NEVER = 1 << 62


@dataclass(slots=True)
class Excursion:
    """One excursion with its name and the limit that was in force.

    `announced`: an alarm was raised for it; `denied`: later evidence does not confirm that alarm.
    `closed_at_ms`: the place's time when it was found over (not its end), None while open.
    `follows`: the excursion that was closed for changed limits where this one begins.
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
    follows: str = ""

    @property
    def stands(self) -> bool:
        """An alarm was raised for it, and nothing has denied it since."""
        return self.announced and not self.denied


class Found(NamedTuple):
    """An interval as a re-fold finds it; `closed_at_ms` None: it is open at the end."""

    rule: Rule
    segment: Segment
    interval: Interval
    closed_at_ms: int | None


@dataclass
class Revision:
    """What a re-fold changed, for the desk to announce. merged: (rule, name, name it is part of now)."""

    triggered: list[Excursion] = field(default_factory=list)
    denied: list[Excursion] = field(default_factory=list)
    changed: list[Excursion] = field(default_factory=list)
    merged: list[tuple[str, str, str]] = field(default_factory=list)


class Ledger:
    """All excursions of one place, the closed ones in the order in which they were found over.

    past: those of an earlier time base of the place, which nothing revises any more.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self.past: list[Excursion] = []
        self.closed: list[Excursion] = []
        self.open: dict[str, Excursion] = {}
        self.numbers: dict[str, int] = {}

    def opened(self, rule: Rule, segment: Segment, interval: Interval) -> Excursion:
        """A new interval began, in event order."""
        excursion = self._new(rule, segment, interval)
        for before in reversed(self.closed):
            if _closed_at(before) < interval.start_ms:
                break
            if before.rule.id == rule.id:
                excursion.follows = _follows(before, interval)
        self.open[rule.id] = excursion
        return excursion

    def ended(self, rule: Rule, interval: Interval, at_ms: int) -> Excursion | None:
        """The open interval of a rule is over."""
        excursion = self.open.pop(rule.id, None)
        if excursion is not None:
            excursion.interval, excursion.closed_at_ms = interval, at_ms
            self.closed.append(excursion)
        return excursion

    def all(self) -> list[Excursion]:
        """Every excursion, closed and open, by start."""
        now = sorted(
            [*self.closed, *self.open.values()], key=lambda e: (e.interval.start_ms, e.rule.id, e.number)
        )
        return [*self.past, *now]

    def rest_on(self, past: list[Excursion], known: list[Excursion], numbers: dict[str, int]) -> None:
        """Take over what was known of excursions when readings were removed."""
        self.past, self.numbers = past, numbers
        self.closed = sorted(
            (e for e in known if e.closed_at_ms is not None), key=lambda e: (_closed_at(e), e.number)
        )
        self.open = {e.rule.id: e for e in known if e.closed_at_ms is None}

    def newest(self, rule_id: str) -> Excursion | None:
        """The open excursion of a rule, or the last one that triggered."""
        if rule_id in self.open:
            return self.open[rule_id]
        return next(
            (
                e
                for e in reversed(self.closed)
                if e.rule.id == rule_id and e.interval.triggered_ms is not None
            ),
            None,
        )

    def shift_from(self, at_ms: int, by_ms: int) -> None:
        """The place's axis moved by a down time that became known: what has happened since moves with it."""
        for excursion in (*self.closed, *self.open.values()):
            interval = excursion.interval
            excursion.interval = replace(
                interval,
                start_ms=_later(interval.start_ms, at_ms, by_ms),
                triggered_ms=_moved(interval.triggered_ms, at_ms, by_ms),
                end_ms=_moved(interval.end_ms, at_ms, by_ms),
                extreme_ms=_later(interval.extreme_ms, at_ms, by_ms),
            )
            excursion.closed_at_ms = _moved(excursion.closed_at_ms, at_ms, by_ms)

    def rebase(self, standing: list[tuple[Rule, Interval]], at_ms: int) -> list[Excursion]:
        """The place goes on in another time base: what is open ends here, and all of it is past."""
        over = []
        for rule, interval in standing:
            ended = self.ended(rule, replace(interval, end_ms=at_ms, why_ended=TIME_BASE_CHANGED), at_ms)
            if ended is not None:
                over.append(ended)
        self.past += sorted(self.closed, key=lambda e: (e.interval.start_ms, e.rule.id, e.number))
        self.closed, self.open = [], {}
        return over

    def revise(
        self, began_ms: int | None, met_ms: int | None, ended: list[Found], standing: list[Found] | None
    ) -> Revision:
        """Replace what was found over after `began_ms` and up to `met_ms` by what a re-fold found.

        standing: what is open at the end; None if the re-fold met what was before: that is open still.
        """
        lo = 0 if began_ms is None else bisect_right(self.closed, began_ms, key=_closed_at)
        hi = len(self.closed) if met_ms is None else bisect_right(self.closed, met_ms, key=_closed_at)
        old = self.closed[lo:hi]
        if standing is not None:
            old += self.open.values()
            self.open = {}
        before = {e.id: e.interval for e in old}
        revision = Revision()
        named = self._name(sorted([*ended, *(standing or [])], key=_by_start), old, before, revision)
        closed = [e for e in named if e.closed_at_ms is not None]
        closed.sort(key=lambda e: (_closed_at(e), e.number))
        self.closed[lo:hi] = closed
        for excursion in named:
            if excursion.closed_at_ms is None:
                self.open[excursion.rule.id] = excursion
            _compare(excursion, before.get(excursion.id), revision)
        return revision

    def _name(
        self, found: list[Found], old: list[Excursion], before: dict[str, Interval], revision: Revision
    ) -> list[Excursion]:
        left = sorted(old, key=lambda e: e.number)
        exact = {
            (e.rule.id, e.interval.start_ms, e.interval.end_ms, e.closed_at_ms is None): e
            for e in reversed(left)
        }
        takes: list[Excursion | None] = []
        for one in found:
            key = (one.rule.id, one.interval.start_ms, one.interval.end_ms, one.closed_at_ms is None)
            known = exact.pop(key, None)
            if known is not None:
                left.remove(known)
            takes.append(known)
        named: list[Excursion] = []
        newest: dict[str, Excursion] = {}
        for one, known in zip(found, takes, strict=True):
            excursion = known or next(
                (e for e in left if e.rule.id == one.rule.id and _overlap(e.interval, one.interval)), None
            )
            if excursion is None:
                excursion = self._new(one.rule, one.segment, one.interval)
                parent = next((e for e in named if _held(e, before, one)), None)
                excursion.split_from = parent.id if parent is not None else ""
            elif known is None:
                left.remove(excursion)
            excursion.rule, excursion.segment, excursion.interval = one.rule, one.segment, one.interval
            excursion.closed_at_ms = one.closed_at_ms
            if one.rule.id in newest:
                excursion.follows = _follows(newest[one.rule.id], one.interval)
            newest[one.rule.id] = excursion
            named.append(excursion)
        for gone in left:
            heir = next(
                (e for e in named if e.rule.id == gone.rule.id and _overlap(e.interval, gone.interval)), None
            )
            if heir is not None:
                heir.merged = (*heir.merged, *gone.merged, gone.id)
                revision.merged.append((gone.rule.id, gone.id, heir.id))
                if gone.stands:
                    heir.announced, heir.denied = True, False
            elif gone.stands:
                revision.denied.append(gone)
        return named

    def _new(self, rule: Rule, segment: Segment, interval: Interval) -> Excursion:
        number = self.numbers.get(rule.id, 0) + 1
        self.numbers[rule.id] = number
        return Excursion(f"{self.place}/{rule.id}#{number}", number, self.place, rule, interval, segment)


def _compare(excursion: Excursion, was: Interval | None, revision: Revision) -> None:
    now = excursion.interval
    triggered = now.triggered_ms is not None
    if triggered and not excursion.stands:
        revision.triggered.append(excursion)
    elif excursion.stands and not triggered:
        revision.denied.append(excursion)
    elif excursion.stands and was is not None and _bounds(was) != _bounds(now):
        revision.changed.append(excursion)


def _bounds(interval: Interval) -> tuple[int, int | None, int | None]:
    return interval.start_ms, interval.triggered_ms, interval.end_ms


def _follows(before: Excursion, interval: Interval) -> str:
    changed = before.interval.why_ended == LIMITS_CHANGED
    return before.id if changed and before.interval.end_ms == interval.start_ms else ""


def _held(excursion: Excursion, before: dict[str, Interval], one: Found) -> bool:
    """Whether an interval lies in what was known under a name that an earlier part of it has kept."""
    was = before.get(excursion.id)
    return was is not None and excursion.rule.id == one.rule.id and _overlap(was, one.interval)


def _overlap(a: Interval, b: Interval) -> bool:
    """Whether two intervals share time; what begins at the same instant does."""
    if a.start_ms == b.start_ms:
        return True
    return (b.end_ms is None or a.start_ms < b.end_ms) and (a.end_ms is None or b.start_ms < a.end_ms)


def _by_start(found: Found) -> tuple[str, int, int]:
    end_ms = found.interval.end_ms
    return found.rule.id, found.interval.start_ms, _NEVER if end_ms is None else end_ms


def _closed_at(excursion: Excursion) -> int:
    return 0 if excursion.closed_at_ms is None else excursion.closed_at_ms


def _later(at_ms: int, from_ms: int, by_ms: int) -> int:
    return at_ms + by_ms if at_ms >= from_ms else at_ms


def _moved(at_ms: int | None, from_ms: int, by_ms: int) -> int | None:
    return None if at_ms is None else _later(at_ms, from_ms, by_ms)
