"""What stands for removed readings says exactly what all of them together said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.evidence.summaries import Measured, added, buckets_of, coarser, rows_of
from coldchain.facts import decode, encode
from coldchain.removed import Bucket, Extreme, ReadingsSummarised
from coldchain.rules.judging import BAD, GOOD, UNCERTAIN

MIN = 60_000
HOUR = 60 * MIN

GAPS = st.sampled_from([0, 1, 5 * MIN, 3 * HOUR])
#: A line of readings: how long after the one before, its value, its quality, whether it stays.
STEPS = st.lists(
    st.tuples(
        st.integers(0, 2 * HOUR), st.integers(-200_000, 40_000),
        st.sampled_from([GOOD, GOOD, GOOD, UNCERTAIN, BAD]), st.booleans(),
    ),
    max_size=40,
)  # fmt: skip


def line_of(steps: list[tuple[int, int, int, bool]], gap_ms: int, stays: bool = True) -> list[Measured]:
    """The readings of such steps, in order."""
    line, at_ms = [], -7 * HOUR
    for after_ms, value, quality, left in steps:
        at_ms += after_ms
        line.append(Measured(at_ms, 0 if quality == BAD else value, quality, gap_ms, left and stays))
    return line


def counted(line: list[Measured], from_ms: int, to_ms: int) -> tuple[int, int]:
    """Value times ms, and ms, of what went and counted in a span: looked up reading by reading."""
    weighted = covered = 0
    for i, one in enumerate(line):
        end = one.at_ms + one.gap_ms
        if i + 1 < len(line):
            end = min(end, line[i + 1].at_ms)
        begin, end = max(one.at_ms, from_ms), min(end, to_ms)
        if one.quality == GOOD and not one.stays and end > begin:
            weighted += one.value * (end - begin)
            covered += end - begin
    return weighted, covered


@given(STEPS, GAPS, st.sampled_from([MIN, HOUR, 24 * HOUR]))
def test_each_row_says_what_its_readings_said(
    steps: list[tuple[int, int, int, bool]], gap_ms: int, bucket_ms: int
) -> None:
    """Counts, extremes with their first moment, time and mean: as looked up in the readings themselves."""
    line = line_of(steps, gap_ms)
    rows = buckets_of(line, bucket_ms)
    assert [row.at_ms for row in rows] == sorted({row.at_ms for row in rows})
    for row in rows:
        inside = [one for one in line if row.at_ms <= one.at_ms < row.at_ms + bucket_ms and not one.stays]
        for quality, count, low, high in (
            (GOOD, row.good, row.low, row.high),
            (UNCERTAIN, row.uncertain, row.doubtful_low, row.doubtful_high),
            (BAD, row.bad, None, None),
        ):
            mine = [one for one in inside if one.quality == quality]
            assert count == len(mine)
            if quality != BAD:
                assert low == (Extreme(*min((one.value, one.at_ms) for one in mine)) if mine else None), (
                    "the lowest, and when it was first"
                )
                assert high == _highest(mine), "the highest, and when it was first"
        assert (row.weighted, row.covered_ms) == counted(line, row.at_ms, row.at_ms + bucket_ms)
        assert row.covered_ms <= bucket_ms
    assert sum(row.good + row.uncertain + row.bad for row in rows) == sum(not one.stays for one in line)
    assert sum(row.covered_ms for row in rows) == counted(line, -(2**62), 2**62)[1]


def _highest(mine: list[Measured]) -> Extreme | None:
    highest = max((one.value for one in mine), default=None)
    return None if highest is None else Extreme(highest, next(o.at_ms for o in mine if o.value == highest))


@given(STEPS, GAPS, st.sampled_from([2, 3, 24]))
def test_neighbours_together_are_the_row_of_both(
    steps: list[tuple[int, int, int, bool]], gap_ms: int, times: int
) -> None:
    """Rows of an hour put together give the very rows that the readings give for a longer span."""
    line = line_of(steps, gap_ms)
    assert tuple(coarser(buckets_of(line, HOUR), times * HOUR)) == buckets_of(line, times * HOUR)


@given(STEPS, GAPS, st.data())
def test_parts_of_a_span_add_up(
    steps: list[tuple[int, int, int, bool]], gap_ms: int, data: st.DataObject
) -> None:
    """Readings that go in two removals leave two rows of a span: in either order they say what one would."""
    line = line_of(steps, gap_ms, stays=False)
    first = data.draw(st.lists(st.booleans(), min_size=len(line), max_size=len(line)))
    halves = [
        buckets_of(
            [Measured(one.at_ms, one.value, one.quality, gap_ms, is_first is not half)
             for one, is_first in zip(line, first, strict=True)],
            HOUR,
        )
        for half in (True, False)
    ]  # fmt: skip
    whole = buckets_of(line, HOUR)
    assert tuple(coarser([*halves[0], *halves[1]], HOUR)) == whole
    assert tuple(coarser([*halves[1], *halves[0]], HOUR)) == whole


def test_one_hour_by_hand() -> None:
    """Readings at :00, :10 (doubtful), :20 (bad), :30 that count for 15 min each: 5 °C, then 8 °C."""
    line = [
        Measured(0, 5_000, GOOD, 15 * MIN),
        Measured(10 * MIN, 9_000, UNCERTAIN, 15 * MIN),
        Measured(20 * MIN, 0, BAD, 15 * MIN),
        Measured(30 * MIN, 8_000, GOOD, 15 * MIN),
    ]
    assert buckets_of(line, HOUR) == (
        Bucket(
            0, good=2, uncertain=1, bad=1,
            low=Extreme(5_000, 0), high=Extreme(8_000, 30 * MIN),
            doubtful_low=Extreme(9_000, 10 * MIN), doubtful_high=Extreme(9_000, 10 * MIN),
            weighted=5_000 * 10 * MIN + 8_000 * 15 * MIN, covered_ms=25 * MIN,
        ),
    )  # fmt: skip


def test_a_reading_counts_across_the_border_of_its_span() -> None:
    """Measured at :50 it counts for 10 min of this hour and for 20 min of the next, which has no reading."""
    rows = buckets_of([Measured(50 * MIN, 4_000, GOOD, 30 * MIN)], HOUR)
    extreme = Extreme(4_000, 50 * MIN)
    assert rows == (
        Bucket(0, good=1, low=extreme, high=extreme, weighted=4_000 * 10 * MIN, covered_ms=10 * MIN),
        Bucket(HOUR, weighted=4_000 * 20 * MIN, covered_ms=20 * MIN),
    )


def test_kinds_of_readings_are_summed_up_by_themselves() -> None:
    """A reading of another kind ends the time of the one before, and has a row of its own."""
    line = [("live", Measured(0, 5, GOOD, HOUR)), ("imported", Measured(10, 7, GOOD, 5))]
    rows = rows_of(line, HOUR)
    assert rows["live"][0].covered_ms == 10
    assert rows["imported"][0].covered_ms == 5


@pytest.mark.parametrize(
    ("line", "bucket_ms"),
    [
        pytest.param([Measured(5, 1, GOOD, 1), Measured(4, 1, GOOD, 1)], HOUR, id="out of order"),
        pytest.param([], 0, id="a span without time"),
    ],
)
def test_what_cannot_be_summed_up_is_refused(line: list[Measured], bucket_ms: int) -> None:
    """A defect of the caller makes no wrong evidence."""
    with pytest.raises(ValueError, match=r"span|behind"):
        buckets_of(line, bucket_ms)


def test_it_is_a_fact_of_few_bytes() -> None:
    """An hour of sixty readings is a tenth of what they took; it comes back as it was."""
    line = [Measured(i * MIN, 5_000 + i, GOOD, 5 * MIN) for i in range(60)]
    rows = buckets_of(line, HOUR)[:1]
    fact = ReadingsSummarised("box.vapour", "log", HOUR, rows, "box/vapour", "temperature")
    assert decode(encode(fact)) == fact
    assert len(encode(fact)) - len(encode(ReadingsSummarised("c", "s", HOUR, ()))) < 60 * 43 // 10


def test_adding_keeps_the_earlier_of_two_that_are_alike() -> None:
    """The moment of an extreme is the first at which it was reached, whichever row is taken first."""
    early, late = (
        Bucket(0, good=1, low=Extreme(5, at_ms), high=Extreme(5, at_ms), covered_ms=1, weighted=5)
        for at_ms in (10, 20)
    )
    assert added(early, late) == added(late, early)
    assert added(late, early).low == Extreme(5, 10)
