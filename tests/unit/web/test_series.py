"""Curves keep what matters: extremes of every column, gaps, and stretches without a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.model import Quality, Reason
from coldchain.web.series import Sample, Span, draw

MINUTE = 60_000
GOOD, UNCERTAIN, BAD = Quality.GOOD, Quality.UNCERTAIN, Quality.BAD


def samples(text: str) -> list[Sample]:
    """One reading a minute: a number, `5?` in doubt, `bad` an open probe, `short` a shorted one, `_` none."""
    found = []
    for minute, word in enumerate(text.split()):
        match word:
            case "_":
                continue
            case "bad":
                found.append(Sample(minute * MINUTE, None, BAD, Reason.SENSOR_OPEN))
            case "short":
                found.append(Sample(minute * MINUTE, None, BAD, Reason.SENSOR_SHORT))
            case _:
                quality = UNCERTAIN if word.endswith("?") else GOOD
                found.append(Sample(minute * MINUTE, int(word.rstrip("?")), quality))
    return found


def spans(found: tuple[Span, ...]) -> list[tuple[int, int]]:
    """Spans in minutes."""
    return [(span.from_ms // MINUTE, span.to_ms // MINUTE) for span in found]


@pytest.mark.parametrize(
    ("text", "gaps", "bad"),
    [
        pytest.param("1 1 1 1 1 1", [], [], id="no gap while readings come"),
        pytest.param("1 _ 1 1 1 1", [], [], id="one missing is within the longest gap"),
        pytest.param("1 _ _ _ 1 1", [(2, 4)], [], id="a gap begins when the last value no longer counts"),
        pytest.param("_ _ _ 1 1 1", [(0, 3)], [], id="nothing before the first"),
        pytest.param("1 1 _ _ _ _", [(3, 6)], [], id="silence at the end is a gap up to now"),
        pytest.param(
            "1 bad bad 1 1 1", [], [(1, 3)], id="a stretch without a value ends with the next value"
        ),
        pytest.param("1 bad short 1 1 1", [], [(1, 2), (2, 3)], id="another reason is another stretch"),
        pytest.param("1 bad _ _ _ 1", [(3, 5)], [(1, 3)], id="then silence: the stretch becomes a gap"),
        pytest.param("1 1 1 1 bad bad", [], [(4, 6)], id="still without a value now"),
    ],
)
def test_gaps_and_bad_stretches(text: str, gaps: list[tuple[int, int]], bad: list[tuple[int, int]]) -> None:
    """What was not known is a stretch of its own, never a line drawn across."""
    drawn = draw(samples(text), 0, 6 * MINUTE, 6, 2 * MINUTE, 6 * MINUTE)
    assert spans(drawn.gaps) == gaps
    assert spans(drawn.bad) == bad


def test_the_future_is_no_gap() -> None:
    """A span that reaches beyond now is empty there, not silent."""
    drawn = draw(samples("1 1"), 0, 60 * MINUTE, 60, 2 * MINUTE, 2 * MINUTE)
    assert drawn.gaps == ()


def test_what_came_before_still_counts() -> None:
    """The last reading before the span keeps its first minutes from looking silent."""
    drawn = draw(samples("1 _ 1 1"), MINUTE, 4 * MINUTE, 3, 2 * MINUTE, 4 * MINUTE)
    assert drawn.gaps == ()
    assert drawn.at_ms == (2 * MINUTE, 3 * MINUTE)


def test_a_single_spike_survives_any_zoom() -> None:
    """One reading out of ten thousand is as tall in 7 columns as in 700."""
    readings = [Sample(i * 1000, 900 if i == 7_777 else 5, GOOD) for i in range(10_000)]
    for columns in (1, 7, 700, 4_000):
        drawn = draw(readings, 0, 10_000_000, columns, MINUTE, 10_000_000)
        assert max(drawn.high) == 900
        assert min(drawn.low) == 5
        assert len(drawn.at_ms) <= columns


def test_doubt_is_carried() -> None:
    """A column that holds a value in doubt says so."""
    drawn = draw(samples("1 2? 3"), 0, 3 * MINUTE, 3, 2 * MINUTE, 3 * MINUTE)
    assert drawn.doubtful == (False, True, False)


@pytest.mark.parametrize(
    ("to_ms", "columns"), [pytest.param(0, 10, id="no span"), pytest.param(10, 0, id="no columns")]
)
def test_nothing_to_draw_is_an_error(to_ms: int, columns: int) -> None:
    """A span or a width of nothing is the caller's mistake and is told."""
    with pytest.raises(ValueError, match="no span"):
        draw([], 0, to_ms, columns, 1, 1)


READINGS = st.lists(
    st.tuples(
        st.integers(0, 100_000),
        st.one_of(st.none(), st.integers(-(2**30), 2**30)),
        st.sampled_from([GOOD, UNCERTAIN, BAD]),
    ),
    max_size=200,
).map(
    lambda rows: [Sample(at, value, quality) for at, value, quality in sorted(rows, key=lambda row: row[0])]
)


@given(READINGS, st.integers(0, 90_000), st.integers(1, 50_000), st.integers(1, 300), st.integers(1, 20_000))
def test_nothing_is_lost_and_nothing_invented(
    readings: list[Sample], from_ms: int, length_ms: int, columns: int, max_gap_ms: int
) -> None:
    """For any readings: every value in the span lies in its column's extremes, BAD never does."""
    to_ms = from_ms + length_ms
    drawn = draw(readings, from_ms, to_ms, columns, max_gap_ms, to_ms)
    values = [
        each.value
        for each in readings
        if each.value is not None and each.quality is not BAD and from_ms <= each.at_ms < to_ms
    ]
    assert sum(drawn.count) == len(values)
    assert len(drawn.at_ms) <= columns
    if values:
        assert min(drawn.low) == min(values)
        assert max(drawn.high) == max(values)
    assert all(low <= last <= high for low, last, high in zip(drawn.low, drawn.last, drawn.high, strict=True))
    assert list(drawn.at_ms) == sorted(set(drawn.at_ms))
    for span in (*drawn.gaps, *drawn.bad):
        assert from_ms <= span.from_ms < span.to_ms
    for at_ms in drawn.at_ms:  # a value is never inside a gap
        assert not any(gap.from_ms < at_ms < gap.to_ms for gap in drawn.gaps)
