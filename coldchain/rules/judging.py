"""What every rule is given and what it may answer.

A rule is a frozen limit (from the plan), a frozen state, and three functions: what a sample does
to the state, when the state changes by itself, and what happens then. Time is always an argument,
in the channel's own event time. Live, replay, recovery and bulk run these same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Protocol

from msgspec import Struct

from coldchain.model import Side
from coldchain.plan import Bound, Budget, Crossing, Limit, Outside

#: Codes of quality inside the engine; smaller is better evidence.
GOOD, UNCERTAIN, BAD = 0, 1, 2

# Why an interval ended, where it was not evidence that ended it.
LIMITS_CHANGED = "limits_changed"
PRODUCT_CHANGED = "product_changed"
NOT_IN_FORCE = "rule_no_longer_in_force"
TIME_BASE_CHANGED = "time_base_changed"
DAY_OVER = "day_over"
STAGE_OVER = "stage_over"


class Sample(Struct, frozen=True):
    """What is known at one instant of one channel: the best quality among its readings there.

    Several readings may share a millisecond: `low` and `high` are the extremes among those of the
    best quality, and a rule takes the one furthest outside on its side. Both are 0 when BAD.
    """

    at_ms: int
    low: int
    high: int
    quality: int


class Dwell(Struct, frozen=True):
    """A sample, and the span of time in which it counts: until the next one, or for `max_gap`."""

    begin_ms: int
    end_ms: int
    sample: Sample


class Band(Struct, frozen=True):
    """As long as values stay in low..high, and before `until_ms`, a rule says nothing: the calm band.

    Nothing but its sums changes, and no deadline of it comes or goes. It holds for GOOD samples in order,
    each within `max_gap` of the one before. It may lie outside a limit as well as inside: of hours outside
    each minute is like the one before. A rule that cannot prove its band gives none.
    """

    low: int = -(2**62)
    high: int = 2**62
    until_ms: int = 2**62

    def within(self, other: Band) -> Band:
        """What both allow."""
        return Band(max(self.low, other.low), min(self.high, other.high), min(self.until_ms, other.until_ms))


ANYTHING = Band()


def inside(rule: Bound) -> Band:
    """All values that are not outside of a rule's line."""
    on = 1 if rule.outside is Outside.AT_OR_BEYOND else 0
    return Band(high=rule.limit - on) if rule.side is Side.ABOVE else Band(low=rule.limit + on)


def beyond(rule: Bound, edge: int) -> Band:
    """All values that are outside of a line."""
    off = 0 if rule.outside is Outside.AT_OR_BEYOND else 1
    return Band(low=edge + off) if rule.side is Side.ABOVE else Band(high=edge - off)


class Run(Protocol):
    """Samples that lay in the calm band, and that no rule was asked about: one at the least, all GOOD.

    Each lies within `gap_ms` of the one before, the first of `before`: the newest that every rule knows.
    """

    @property
    def before(self) -> Sample:
        """The sample before the run."""

    @property
    def last(self) -> Sample:
        """The newest of the run."""

    @property
    def at(self) -> list[int]:
        """Their times, in order."""

    @property
    def low(self) -> list[int]:
        """Their values; the least where several share a millisecond."""

    @property
    def high(self) -> list[int]:
        """Likewise, the greatest."""


class Seen(Protocol):
    """What a rule may look at besides its own state: what was measured at its place so far."""

    @property
    def last(self) -> Sample | None:
        """The sample before, None if there is none of the probe that measures now."""

    @property
    def gap_ms(self) -> int:
        """How long a sample counts if no other follows."""

    @property
    def since_ms(self) -> int:
        """Since when the product that is here now has been here."""

    @property
    def skipped(self) -> Run:
        """The run up to `last` that is to be taken in; there is one only where a rule is asked to `sync`."""

    def dwells(self, from_ms: int, to_ms: int) -> Iterator[Dwell]:
        """The past of this place in order: what counted within a span, cut to it.

        What was folded before is told each time alike, so a sum can take back exactly what it added.
        """

    def weighed(self, from_ms: int, to_ms: int, weight: Callable[[int], int]) -> tuple[int, int]:
        """Of all GOOD dwells within a span: the sum of weight(value) times ms, and the sum of ms."""


@dataclass(slots=True)
class Alone:
    """The past of a rule that looks at the sample before and no further (a limit, a budget)."""

    gap_ms: int
    last: Sample | None = None
    since_ms: int = 0

    @property
    def skipped(self) -> Run:
        """Nothing: each sample is asked about."""
        raise NotImplementedError

    def dwells(self, from_ms: int, to_ms: int) -> Iterator[Dwell]:
        """Nothing: who asks for more than the last sample needs a place's own past."""
        return iter(())

    def weighed(self, from_ms: int, to_ms: int, weight: Callable[[int], int]) -> tuple[int, int]:
        """Nothing, likewise."""
        return 0, 0


class Interval(Struct, frozen=True):
    """An excursion as the rule sees it: a span outside a limit, triggered or not.

    outside_ms is the monitored time outside, unmonitored_ms the rest of the span; integral is the
    distance beyond the limit times ms, over the monitored part; end_ms None: still open. Of a budget
    outside_ms is what was spent so far, carried over from before included, and there is no integral.
    why_ended is one of the words above, or "" if evidence ended it.
    """

    rule: str
    start_ms: int
    triggered_ms: int | None = None
    end_ms: int | None = None
    extreme: int = 0
    extreme_ms: int = 0
    outside_ms: int = 0
    unmonitored_ms: int = 0
    integral: int = 0
    why_ended: str = ""


class Opened(Struct, frozen=True):
    """An interval outside began."""

    at_ms: int


class Triggered(Struct, frozen=True):
    """The hold was fulfilled (or the budget exceeded) at `due_ms`."""

    since_ms: int
    due_ms: int


class Ended(Struct, frozen=True):
    """An interval outside is over; `unconfirmed`: it had triggered, and evidence now denies it."""

    interval: Interval
    unconfirmed: bool = False


class Returned(Struct, frozen=True):
    """The alarm's condition is gone (after the off-delay, or with the product it was about)."""

    at_ms: int


Change = Opened | Triggered | Ended | Returned


def value_for(rule: Bound, sample: Sample) -> int:
    """The sample's value as this rule's side sees it."""
    return sample.high if rule.side is Side.ABOVE else sample.low


def is_outside(side: Side, outside: Outside, limit: int, value: int) -> bool:
    """Whether a value is outside a limit; on the limit itself as `outside` says."""
    if value == limit:
        return outside is Outside.AT_OR_BEYOND
    return value > limit if side is Side.ABOVE else value < limit


def furthest(rule: Bound, run: Run) -> tuple[int, int]:
    """The value of a run that is furthest on a rule's side, and when it was so first."""
    values = run.high if rule.side is Side.ABOVE else run.low
    value = max(values) if rule.side is Side.ABOVE else min(values)
    return value, run.at[values.index(value)]


def evidence_outside(rule: Bound, sample: Sample) -> bool:
    """Whether a sample says "outside": GOOD or UNCERTAIN and beyond the limit itself."""
    return sample.quality != BAD and is_outside(rule.side, rule.outside, rule.limit, value_for(rule, sample))


def crossing_ms(limit: int, before: tuple[int, int], after: tuple[int, int]) -> int:
    """When the line between two (time, value) points reaches the limit, rounded down to the ms."""
    (t0, v0), (t1, v1) = before, after
    if v0 == v1:
        return t1
    return t0 + floor(Fraction((limit - v0) * (t1 - t0), v1 - v0))


def interpolates(rule: Limit | Budget, last: Sample | None, now: Sample | None, max_gap_ms: int) -> bool:
    """Whether a rule sees a line between two samples: both GOOD, neighbours within `max_gap`."""
    return (
        rule.crossing is Crossing.LINEAR
        and last is not None
        and now is not None
        and last.quality == GOOD
        and now.quality == GOOD
        and now.at_ms - last.at_ms <= max_gap_ms
    )


def area_beyond(before: int, after: int, span_ms: int) -> int:
    """Distance beyond a limit times ms under a line; negative distances are inside and count nothing."""
    if before <= 0 and after <= 0:
        return 0
    if before >= 0 and after >= 0:
        return (before + after) * span_ms // 2
    out = max(before, after)
    return out * out * span_ms // (2 * abs(after - before))
