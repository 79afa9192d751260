"""Readings summed up in spans: how many there were, their extremes, and for how long which values counted.

A GOOD reading counts from its instant until the next reading of its channel, of whatever quality, and for
`gap_ms` at most: as rules sum it up. That time is cut at the borders of spans, and each span has its part.
Of readings of one instant the last that came counts. Nothing is interpolated and nothing is rounded, so rows
of one span, or of neighbouring ones, add up to what all their readings together give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, zip_longest
from typing import TypeVar

from msgspec import Struct

from coldchain.removed import Bucket, Extreme
from coldchain.rules.judging import BAD, GOOD

_Key = TypeVar("_Key")


class Measured(Struct, frozen=True):
    """One reading in the line of its channel: quality as in `rules.judging`, value in quanta (0 if BAD).

    gap_ms: for how long it counts if no other follows. stays: it only ends the time of the one before.
    """

    at_ms: int
    value: int
    quality: int
    gap_ms: int
    stays: bool = False


def buckets_of(line: Iterable[Measured], bucket_ms: int) -> tuple[Bucket, ...]:
    """The rows of one channel's readings, which come in the order of their times."""
    return rows_of(((None, one) for one in line), bucket_ms).get(None, ())


def rows_of(line: Iterable[tuple[_Key, Measured]], bucket_ms: int) -> dict[_Key, tuple[Bucket, ...]]:
    """The same, for each kind of reading by itself: the next reading of any kind ends the time of one.

    Raises ValueError if a span is no time, or the readings are out of order.
    """
    if bucket_ms <= 0:
        raise ValueError(f"a span of {bucket_ms} ms")
    found: dict[_Key, dict[int, Bucket]] = {}
    readings = list(line)
    behind = [one.at_ms for _, one in readings[1:]]
    for (key, one), next_ms in zip_longest(readings, behind):
        until_ms = one.at_ms + one.gap_ms
        if next_ms is not None:
            if next_ms < one.at_ms:
                raise ValueError(f"a reading of {next_ms} behind one of {one.at_ms}")
            until_ms = min(until_ms, next_ms)
        if one.stays:
            continue
        rows = found.setdefault(key, {})
        for part in _parts(one, until_ms, bucket_ms):
            known = rows.get(part.at_ms)
            rows[part.at_ms] = part if known is None else added(known, part)
    return {key: tuple(rows[at_ms] for at_ms in sorted(rows)) for key, rows in found.items()}


def added(one: Bucket, other: Bucket) -> Bucket:
    """Both together, as a row of the earlier beginning."""
    return Bucket(
        at_ms=min(one.at_ms, other.at_ms),
        good=one.good + other.good,
        uncertain=one.uncertain + other.uncertain,
        bad=one.bad + other.bad,
        low=_further(one.low, other.low, min),
        high=_further(one.high, other.high, max),
        doubtful_low=_further(one.doubtful_low, other.doubtful_low, min),
        doubtful_high=_further(one.doubtful_high, other.doubtful_high, max),
        weighted=one.weighted + other.weighted,
        covered_ms=one.covered_ms + other.covered_ms,
    )


def mean(bucket: Bucket) -> int | None:
    """The mean over the time in which a good reading counted, to the nearest quantum; None: none did."""
    if not bucket.covered_ms:
        return None
    return (2 * bucket.weighted + bucket.covered_ms) // (2 * bucket.covered_ms)


def coarser(buckets: Iterable[Bucket], bucket_ms: int) -> Iterator[Bucket]:
    """Rows of longer spans, in order; rows of the same span become one.

    Exact where the longer span holds whole shorter ones.
    """

    def begin_ms(row: Bucket) -> int:
        return row.at_ms - row.at_ms % bucket_ms

    for at_ms, rows in groupby(sorted(buckets, key=lambda row: row.at_ms), key=begin_ms):
        whole = Bucket(at_ms)
        for row in rows:
            whole = added(whole, row)
        yield whole


def _parts(one: Measured, until_ms: int, bucket_ms: int) -> Iterator[Bucket]:
    """What one reading adds: itself where it was measured, and its time to each span that it counts in."""
    begin_ms = one.at_ms - one.at_ms % bucket_ms
    if one.quality == BAD:
        yield Bucket(begin_ms, bad=1)
        return
    extreme = Extreme(one.value, one.at_ms)
    if one.quality != GOOD:
        yield Bucket(begin_ms, uncertain=1, doubtful_low=extreme, doubtful_high=extreme)
        return
    yield Bucket(begin_ms, good=1, low=extreme, high=extreme)
    at_ms = one.at_ms
    while at_ms < until_ms:
        end_ms = min(until_ms, begin_ms + bucket_ms)
        yield Bucket(begin_ms, weighted=one.value * (end_ms - at_ms), covered_ms=end_ms - at_ms)
        at_ms = begin_ms = end_ms


def _further(one: Extreme | None, other: Extreme | None, which: Callable[[int, int], int]) -> Extreme | None:
    """The lower or higher of two; of two that are alike the earlier."""
    if one is None or other is None:
        return one or other
    if one.value == other.value:
        return one if one.at_ms <= other.at_ms else other
    return one if which(one.value, other.value) == one.value else other
