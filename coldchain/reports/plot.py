"""A small plot in text: minimum and maximum of each stretch of time, so that no peak vanishes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from coldchain.model import Side
from coldchain.plan import Bound, Rule, bounds
from coldchain.reports import words
from coldchain.reports.statistics import Gap, Point
from coldchain.units import QUANTITIES

_ROWS = 9
_FULL, _UPPER, _LOWER, _LIMIT = "█", "▀", "▄", "─"


@dataclass(frozen=True, slots=True)
class _Stretch:
    """One column of the plot: its extremes, and its last value, from which the next one goes on."""

    low: int
    high: int
    last: int


def plot(
    points: Sequence[Point],
    gaps: Sequence[Gap],
    rules: Sequence[Rule],
    width: int,
    quantity: str = "temperature",
) -> Text | None:
    """The values over time in `width` columns, with the limits as lines; None: too little to draw.

    Where nobody watched, nothing is drawn.
    """
    least = QUANTITIES[quantity].per_display
    known = [(point.at_ms, point.value) for point in points if point.value is not None]
    if len(known) < 2 or width < 20 or known[0][0] == known[-1][0]:
        return None
    bounded = bounds(rules)
    limits = sorted({rule.limit for rule in bounded})
    values = [value for _, value in known]
    # A limit is drawn if it is near the values; one far away would press the curve into a line.
    reach = max(max(values) - min(values), least)
    near = [limit for limit in limits if min(values) - reach <= limit <= max(values) + reach]
    low, high = min([*values, *near]), max([*values, *near])
    low, high = (low, high) if high - low >= least else (low - least // 2, high + least // 2)
    labels = {_row(value, low, high): words.value(quantity, value) for value in (low, high)}
    labels |= {_row(limit, low, high): words.value(quantity, limit) for limit in near}
    margin = max(map(len, labels.values())) + 1
    columns = _columns(known, gaps, (points[0].at_ms, points[-1].at_ms), width - margin - 1)
    lines = []
    for row in range(_ROWS - 1, -1, -1):
        text = Text(no_wrap=True)
        text.append(labels.get(row, "").rjust(margin - 1) + " ", style="dim")
        is_limit = any(_row(limit, low, high) == row for limit in near)
        before: _Stretch | None = None
        for column in columns:
            text.append(*_cell(column, before, row, low, high, bounded, is_limit=is_limit))
            before = column
        text.rstrip()
        lines.append(text)
    return Text("\n", no_wrap=True).join(lines)


def _columns(
    known: Sequence[tuple[int, int]], gaps: Sequence[Gap], ends: tuple[int, int], width: int
) -> list[_Stretch | None]:
    start, span = ends[0], ends[1] - ends[0]
    columns: list[_Stretch | None] = [None] * width
    for at_ms, value in known:
        index = min(width - 1, (at_ms - start) * width // span)
        before = columns[index]
        columns[index] = (
            _Stretch(value, value, value)
            if before is None
            else _Stretch(min(before.low, value), max(before.high, value), value)
        )
    last: _Stretch | None = None
    for index, column in enumerate(columns):  # each reading stands for the time up to the next one
        last = column or last
        middle = start + span * (2 * index + 1) // (2 * width)
        watched = not any(gap.start_ms < middle < gap.end_ms for gap in gaps)
        columns[index] = column or (last if watched else None)
    return columns


def _row(value: int, low: int, high: int) -> int:
    return _half(value, low, high) // 2


def _half(value: int, low: int, high: int) -> int:
    """The half row of a value, from 0 at the bottom."""
    return (value - low) * (2 * _ROWS - 1) // (high - low)


def _cell(
    column: _Stretch | None,
    before: _Stretch | None,
    row: int,
    low: int,
    high: int,
    rules: Sequence[Bound],
    *,
    is_limit: bool,
) -> tuple[str, str]:
    empty = (_LIMIT, "dim yellow") if is_limit else (" ", "")
    if column is None:
        return empty
    came_from = column.last if before is None else before.last
    # Drawn from where the last column ended, so that a leap is a line and no gap.
    bottom = _half(min(column.low, came_from), low, high)
    top = _half(max(column.high, came_from), low, high)
    lower, upper = bottom <= 2 * row <= top, bottom <= 2 * row + 1 <= top
    if not lower and not upper:
        return empty
    outside = any(
        column.high > rule.limit if rule.side is Side.ABOVE else column.low < rule.limit for rule in rules
    )
    return (_FULL if lower and upper else _LOWER if lower else _UPPER), "red" if outside else "green"
