"""Curves: from readings to what fits a screen, without averaging an excursion away.

A column is one pixel's worth of time. It keeps its lowest AND its highest value, so a spike of one
reading is as tall at every zoom as it was. Gaps are spans, not missing points; BAD readings are spans
with a reason, never numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from coldchain.model import Quality, Reason
from coldchain.web.plain_views import Instant
from coldchain.web.views import LimitView


class Sample(Struct, frozen=True):
    """One judged reading, for drawing: event time (UTC ms), value in quanta or None, its quality."""

    at_ms: int
    value: int | None
    quality: Quality
    reason: Reason | None = None


class Span(Struct, frozen=True, omit_defaults=True):
    """A stretch of time and what it is: a gap (`why` "silence", "not_running", …) or a BAD run's reason."""

    from_ms: int
    to_ms: int
    why: str = ""


class LimitSpan(Struct, frozen=True):
    """A limit and the stretch in which it was in force."""

    from_ms: int
    to_ms: int
    limit: LimitView


class ExcursionView(Struct, frozen=True, omit_defaults=True):
    """Time outside a limit. `to_ms` None: it lasts. `triggered`: it lasted long enough to alarm."""

    id: str
    rule: str
    from_ms: int
    to_ms: int | None
    extreme: int | None = None
    triggered: bool = False


class MarkView(Struct, frozen=True, omit_defaults=True):
    """Something that happened at one instant: lid, tilt, stage, acknowledgement, restart."""

    at_ms: int
    kind: str
    text: str = ""


class Columns(Struct, frozen=True):
    """The drawn part, in parallel lists, one entry a column that holds a value, in time order.

    at_ms: time of the first value in the column; low, high: its extremes; last: its last value;
    count: how many values; doubtful: whether one of them is UNCERTAIN.
    """

    at_ms: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    last: tuple[int, ...]
    count: tuple[int, ...]
    doubtful: tuple[bool, ...]
    gaps: tuple[Span, ...]
    bad: tuple[Span, ...]


class Band(Struct, frozen=True):
    """A time whose readings were removed, as what stands for them, in parallel lists, in order of time.

    low, high: the lowest and the highest of the span; mean: over the time in which a GOOD one counted (None:
    none did); count: how many there were; doubtful: whether one of them was UNCERTAIN.
    """

    from_ms: tuple[int, ...]
    to_ms: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    mean: tuple[int | None, ...]
    count: tuple[int, ...]
    doubtful: tuple[bool, ...]


class SeriesView(Struct, frozen=True, omit_defaults=True):
    """One channel's curve over a span. `readings`: how many readings went into it, those of `band` aside."""

    channel: str
    quantity: str
    from_ms: int
    to_ms: int
    drawn: Columns
    readings: int = 0
    limits: tuple[LimitSpan, ...] = ()
    excursions: tuple[ExcursionView, ...] = ()
    marks: tuple[MarkView, ...] = ()
    packed: Instant | None = None
    clock_known: bool = True
    simulated: bool = False
    band: Band | None = None


class _Column:
    __slots__ = ("at_ms", "count", "doubtful", "high", "index", "last", "low")

    def __init__(self, index: int, at_ms: int, value: int) -> None:
        self.index = index
        self.at_ms = at_ms
        self.low = self.high = self.last = value
        self.count = 0
        self.doubtful = False


def draw(
    samples: Iterable[Sample], from_ms: int, to_ms: int, columns: int, max_gap_ms: int, until_ms: int
) -> Columns:
    """Reduce samples in event order to at most `columns` columns over [from_ms, to_ms).

    Give it the last sample before `from_ms` too: without it the span begins with a gap that was none.
    Between neighbouring values further apart than `max_gap_ms` lies a gap, which starts `max_gap_ms`
    after the earlier one (until then its value counts). `until_ms` is now: up to there silence at the
    end is a gap too; later is the future and is nothing. A BAD run lasts until the next value, or until
    it becomes a gap.

    Raises ValueError if the span or `columns` is not positive.
    """
    if to_ms <= from_ms or columns <= 0:
        raise ValueError(f"no span to draw: {from_ms} to {to_ms} in {columns} columns")
    width = to_ms - from_ms
    kept: list[_Column] = []
    gaps: list[Span] = []
    bad: list[Span] = []
    run: tuple[int, int, str] | None = None  # a BAD run: start, its last reading, reason
    counts_until = from_ms  # up to here something was heard and counts

    def end_run(at_ms: int) -> None:
        nonlocal run
        if run is not None:
            start, last_ms, why = run
            bad.append(Span(start, max(min(at_ms, last_ms + max_gap_ms), start + 1), why))
            run = None

    for sample in samples:
        at_ms = sample.at_ms
        if at_ms >= to_ms:
            break
        if at_ms < from_ms:  # not drawn, but it may still count when the span begins
            counts_until = max(counts_until, at_ms + max_gap_ms)
            continue
        if at_ms > counts_until:
            gaps.append(Span(counts_until, at_ms, "silence"))
        counts_until = max(counts_until, at_ms + max_gap_ms)
        if sample.value is None or sample.quality is Quality.BAD:
            why = sample.reason.value if sample.reason is not None else ""
            if run is not None and run[2] == why and at_ms - run[1] <= max_gap_ms:
                run = (run[0], at_ms, why)
            else:
                end_run(at_ms)
                run = (at_ms, at_ms, why)
            continue
        end_run(at_ms)
        index = (at_ms - from_ms) * columns // width
        if not kept or kept[-1].index != index:
            kept.append(_Column(index, at_ms, sample.value))
        column = kept[-1]
        column.low = min(column.low, sample.value)
        column.high = max(column.high, sample.value)
        column.last = sample.value
        column.count += 1
        column.doubtful = column.doubtful or sample.quality is Quality.UNCERTAIN
    end = min(to_ms, until_ms)
    end_run(end)
    if end > counts_until:
        gaps.append(Span(counts_until, end, "silence"))
    return Columns(
        at_ms=tuple(column.at_ms for column in kept),
        low=tuple(column.low for column in kept),
        high=tuple(column.high for column in kept),
        last=tuple(column.last for column in kept),
        count=tuple(column.count for column in kept),
        doubtful=tuple(column.doubtful for column in kept),
        gaps=tuple(gaps),
        bad=tuple(bad),
    )


def without(gaps: Iterable[Span], known: Iterable[tuple[int, int]]) -> tuple[Span, ...]:
    """Gaps less the spans, in order, of which something else is known."""
    spans = list(known)
    left = []
    for gap in gaps:
        from_ms = gap.from_ms
        for begin, end in spans:
            if end <= from_ms or begin >= gap.to_ms:
                continue
            if begin > from_ms:
                left.append(Span(from_ms, begin, gap.why))
            from_ms = max(from_ms, end)
        if from_ms < gap.to_ms:
            left.append(Span(from_ms, gap.to_ms, gap.why))
    return tuple(left)
