"""What a channel's readings amount to: extremes, means weighted with time, and what was not watched.

A reading counts until the next one or `max_gap`, whichever is sooner; a reading that is BAD counts for
nothing, and the time from it to the next one is unmonitored. The last reading has nothing after it and
no weight, unless the file says when recording stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from coldchain.facts import Fact, Reading
from coldchain.fold.conditioning import condition
from coldchain.model import Reason
from coldchain.plan import ChannelPlan
from coldchain.rules.judging import BAD, GOOD
from coldchain.rules.kinetic import USP_ENERGY_KJ_MOL, Kinetic, KineticSum


@dataclass(frozen=True, slots=True)
class Point:
    """A reading as judged: in the channel's quantum, or None and why it is no value.

    `good`: it is evidence. An UNCERTAIN one has a value and is none.
    """

    at_ms: int
    value: int | None
    reason: Reason | None = None
    good: bool = True


@dataclass(frozen=True, slots=True)
class Gap:
    """A span that nobody watched; `closed`: a reading ended it, so its last instant was seen.

    A gap that the log ends with is not closed; if it is a single lost reading, start and end are the same.
    """

    start_ms: int
    end_ms: int
    closed: bool = True


@dataclass(frozen=True)
class Statistics:
    """The figures of one channel; values in m°C, None where there is nothing to reckon from.

    good, bad: how many readings with a value and without. mean: exact. mkt_c is None where it would have no
    meaning: nothing summed, or a value below 0 °C and no energy stated for that range. product_ms: the log's
    length.
    """

    points: tuple[Point, ...]
    good: int
    bad: int
    min: int | None
    max: int | None
    mean: Fraction | None
    mkt_c: Decimal | None
    energy_kj_mol: Fraction | None
    monitored_ms: int
    gaps: tuple[Gap, ...]
    product_ms: int = 0

    @property
    def good_ms(self) -> int:
        """How long GOOD readings stood for the product; over `product_ms`, that is the coverage."""
        return self.product_ms - self.unmonitored_ms

    @property
    def unmonitored_ms(self) -> int:
        """How long nobody watched, within the log."""
        return sum(gap.end_ms - gap.start_ms for gap in self.gaps)


def points(channel: ChannelPlan, facts: Iterable[tuple[int, Fact]]) -> tuple[Point, ...]:
    """The readings of a channel as the fold conditions them: unit, calibration, validity."""
    found = []
    for at_ms, fact in facts:
        if isinstance(fact, Reading) and fact.channel == channel.id:
            value, quality, reason = condition(channel, fact)
            found.append(Point(at_ms, None if quality == BAD else value, reason, quality == GOOD))
    return tuple(found)


def statistics(
    channel: ChannelPlan,
    facts: Iterable[tuple[int, Fact]],
    *,
    counts_until_ms: int | None = None,
    energy_kj_mol: Fraction | None = None,
) -> Statistics:
    """The figures of a channel's readings, which are in order of time.

    counts_until_ms: when recording stopped, if that is known; energy_kj_mol: stated for this product.
    """
    found = points(channel, facts)
    spans = list(_spans(found, channel.max_gap_ms, counts_until_ms))
    good = [point.value for point in found if point.value is not None]
    low = min(good, default=None)
    kinetic: KineticSum | None = None
    if low is not None and (energy_kj_mol is not None or low >= 0):
        kinetic = KineticSum(Kinetic(energy_kj_mol or USP_ENERGY_KJ_MOL))
    weighted = monitored_ms = 0
    for value, dwell_ms in spans:
        weighted += value * dwell_ms
        monitored_ms += dwell_ms
        if kinetic is not None:
            kinetic.add(value, dwell_ms)
    mkt_c = kinetic.mean_c() if kinetic is not None else None
    return Statistics(
        points=found,
        good=len(good),
        bad=len(found) - len(good),
        min=low,
        max=max(good, default=None),
        mean=Fraction(weighted, monitored_ms) if monitored_ms else None,
        mkt_c=mkt_c,
        energy_kj_mol=kinetic.kinetic.energy_kj_mol if kinetic is not None and mkt_c is not None else None,
        monitored_ms=monitored_ms,
        gaps=tuple(gaps(found, channel.max_gap_ms, counts_until_ms)),
        product_ms=max(found[-1].at_ms, counts_until_ms or 0) - found[0].at_ms if found else 0,
    )


def _spans(found: tuple[Point, ...], max_gap_ms: int, until_ms: int | None) -> Iterable[tuple[int, int]]:
    """(value, ms that it counts) of each good reading."""
    for point, following in pairwise(found):
        if point.value is not None:
            yield point.value, min(following.at_ms - point.at_ms, max_gap_ms)
    if found and found[-1].value is not None and until_ms is not None and until_ms > found[-1].at_ms:
        yield found[-1].value, min(until_ms - found[-1].at_ms, max_gap_ms)


def gaps(found: Sequence[Point], max_gap_ms: int, until_ms: int | None = None) -> Iterable[Gap]:
    """The spans that nobody watched, in order; `until_ms`: how far the channel should have been heard."""
    start_ms: int | None = None
    for point, following in pairwise(found):
        if not point.good:
            start_ms = point.at_ms if start_ms is None else start_ms
        elif following.at_ms - point.at_ms > max_gap_ms:
            start_ms = point.at_ms + max_gap_ms
        if start_ms is not None and following.good:
            if following.at_ms > start_ms:
                yield Gap(start_ms, following.at_ms)
            start_ms = None
    if not found:
        return
    last = found[-1]
    end_ms = max(last.at_ms, until_ms or last.at_ms)
    if not last.good:
        yield Gap(last.at_ms if start_ms is None else start_ms, end_ms, closed=False)
    elif end_ms - last.at_ms > max_gap_ms:
        yield Gap(last.at_ms + max_gap_ms, end_ms, closed=False)
