"""A picture of what a probe measured, for print and screen.

Nothing is averaged: each pixel column keeps its lowest AND its highest value. Nothing is said by colour
alone: gaps are hatched, time outside has bars, solid where it alarmed and hollow where it did not, a reading
without a value is a cross. So a grey print says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from textwrap import wrap

from coldchain.reports import words
from coldchain.reports.axes import time_ticks, value_ticks
from coldchain.reports.legend import legend
from coldchain.reports.pictured import (
    CURVE,
    DASHES,
    GRID,
    INK,
    LIMIT,
    MUTED,
    SHADE,
    UNWATCHED,
    WIDTH,
    Panel,
    Picture,
)
from coldchain.reports.statistics import Gap, Point
from coldchain.reports.svg import Box, Sheet, number, shortened, width_of
from coldchain.units import QUANTITIES

_LEFT, _RIGHT = 84, 286
_PLOT = 270
_LANE = 15
_HATCH = (
    '<defs><pattern id="unwatched" width="7" height="7" patternUnits="userSpaceOnUse"'
    ' patternTransform="rotate(45)"><rect width="7" height="7" fill="#f4f4f4"/>'
    '<line x1="0" y1="0" x2="0" y2="7" stroke="#9a9a9a" stroke-width="1.6"/></pattern></defs>'
)


def draw(picture: Picture) -> str:
    """The picture as SVG."""
    about = "; ".join(
        [picture.headline, *picture.lines, *(mark.text for p in picture.panels for mark in p.marks)]
    )
    sheet = Sheet(WIDTH, picture.headline, about)
    sheet.raw(_HATCH)
    y = 30.0
    sheet.write(20, y, shortened(picture.headline, 17, 800), 17, INK, font_weight="bold")
    x = WIDTH - 20.0
    for stamp in picture.stamps:
        wide = width_of(stamp, 12) * 1.25 + 14  # bold capitals
        x -= wide
        sheet.rect(Box(x, y - 15, wide, 20), "#fff", INK, stroke_width=1.5)
        sheet.write(x + wide / 2, y, stamp, 12, INK, font_weight="bold", text_anchor="middle")
        x -= 8
    for line in picture.lines:
        for part in wrap(line, int((WIDTH - 40) / width_of("m", 11))):
            y += 17
            sheet.write(20, y, part, 11, MUTED)
    y += 12
    for panel in picture.panels:
        y = _Panel(sheet, panel, picture.zone, y).draw()
    y = legend(sheet, picture, y + 18)
    if picture.footer:
        y += 18
        sheet.write(20, y, shortened(picture.footer, 9, WIDTH - 40), 9, MUTED)
    return sheet.text(y + 14)


class _Panel:
    """One panel under construction, top down."""

    def __init__(self, sheet: Sheet, panel: Panel, zone: tzinfo, top: float) -> None:
        self._sheet, self._panel, self._zone = sheet, panel, zone
        self._lanes = list(dict.fromkeys(stretch.rule for stretch in panel.stretches))
        lanes = len(self._lanes) * _LANE + (6 if self._lanes else 0)
        self._top = top + 22
        # Numbers of marks stand between the lanes and the plot.
        self._box = Box(_LEFT, self._top + lanes + 18, WIDTH - _LEFT - _RIGHT, _PLOT)
        self._low, self._high = _range(panel)
        self._span = max(1, panel.to_ms - panel.from_ms)

    def draw(self) -> float:
        """Draw everything; where the next thing may begin."""
        sheet, box = self._sheet, self._box
        sheet.write(20, self._top, self._panel.title, 13, INK, font_weight="bold")
        self._shades()
        self._gaps()
        self._value_axis()
        below = self._time_axis()
        self._limits()
        self._curve()
        self._without_value()
        sheet.rect(box, "none", MUTED, stroke_width=1)
        self._bars()
        return self._marks(below)

    def _x(self, at_ms: int) -> float:
        at_ms = min(max(at_ms, self._panel.from_ms), self._panel.to_ms)
        return self._box.left + (at_ms - self._panel.from_ms) * self._box.width / self._span

    def _y(self, value: float) -> float:
        return self._box.bottom - (value - self._low) * self._box.height / (self._high - self._low)

    def _between(self, from_ms: int, to_ms: int, least: float) -> Box:
        left = self._x(from_ms)
        return Box(left, self._box.top, max(self._x(to_ms) - left, least), self._box.height)

    def _shades(self) -> None:
        for stretch in self._panel.stretches:
            if stretch.alarmed:
                self._sheet.rect(self._between(stretch.from_ms, stretch.to_ms, 1), SHADE)

    def _gaps(self) -> None:
        for gap in self._panel.gaps:
            self._sheet.rect(self._between(gap.start_ms, gap.end_ms, 2), UNWATCHED)

    def _value_axis(self) -> None:
        sheet, box, quantity = self._sheet, self._box, QUANTITIES[self._panel.quantity]
        for value in value_ticks(self._low, self._high, quantity.per_display, 7):
            y = self._y(value)
            sheet.line(box.left, y, box.right, y, GRID)
            text = words.value(self._panel.quantity, value).removesuffix(f" {quantity.display_unit}")
            sheet.write(box.left - 7, y + 4, text, 11, INK, text_anchor="end")
        sheet.write(box.left - 7, box.top - 8, quantity.display_unit, 11, MUTED, text_anchor="end")

    def _time_axis(self) -> float:
        sheet, box, panel = self._sheet, self._box, self._panel
        day_ends = 0.0
        for tick in time_ticks(panel.from_ms, panel.to_ms, self._zone, 10):
            x = self._x(tick.at_ms)
            sheet.line(x, box.top, x, box.bottom, GRID)
            sheet.line(x, box.bottom, x, box.bottom + 5, MUTED)
            sheet.write(x, box.bottom + 18, tick.text, 11, INK, text_anchor="middle")
            if tick.day and x > day_ends:
                sheet.write(x, box.bottom + 32, tick.day, 10, MUTED, text_anchor="middle")
                day_ends = x + width_of(tick.day, 10)
        offsets = dict.fromkeys(words.offset(at, self._zone) for at in (panel.from_ms, panel.to_ms))
        zone = f"{self._zone} (UTC{', then '.join(offsets)})"
        sheet.write(box.right + 13, box.bottom + 32, shortened(zone, 10, _RIGHT - 22), 10, MUTED)
        return box.bottom + 36

    def _limits(self) -> None:
        """Each limit as a dashed line, named beside the plot; names keep clear of each other."""
        sheet, box = self._sheet, self._box
        told: dict[int, list[str]] = {}
        for limit in self._panel.limits:
            if self._low <= limit.value <= self._high:
                left = self._x(self._panel.from_ms if limit.from_ms is None else limit.from_ms)
                right = self._x(self._panel.to_ms if limit.to_ms is None else limit.to_ms)
                y = self._y(limit.value)
                sheet.line(left, y, right, y, LIMIT, stroke_width=1.4, stroke_dasharray=DASHES[limit.side])
            told.setdefault(limit.value, []).append(f"{limit.name}: {limit.says}")
        lines = [
            (self._y(value), line)
            for value, texts in sorted(told.items(), reverse=True)
            for text in dict.fromkeys(texts)
            for line in _wrapped(text, 10, _RIGHT - 22)
        ]
        height = 13.0
        at = [min(max(y, box.top + 4), box.bottom - 4) for y, _ in lines]
        for i in range(1, len(at)):
            at[i] = max(at[i], at[i - 1] + height)
        for i in range(len(at) - 1, -1, -1):
            bound = box.bottom + 4 - (len(at) - 1 - i) * height
            at[i] = min(at[i], bound)
        for (y, text), shown in zip(lines, at, strict=True):
            if box.top <= y <= box.bottom and not text.startswith(" "):
                sheet.path(
                    f"M{number(box.right)} {number(y)}L{number(box.right + 10)} {number(shown)}",
                    fill="none", stroke=LIMIT, stroke_width=0.8,
                )  # fmt: skip
            beyond = "▲ " if y < box.top else "▼ " if y > box.bottom else ""
            indent = 10 if text.startswith(" ") else 0
            shown_text = text.strip() if indent else beyond + text
            sheet.write(box.right + 13 + indent, shown + 4, shown_text, 10, LIMIT)

    def _curve(self) -> None:
        for run in _runs(self._panel.points, self._panel.gaps):
            commands: list[str] = []
            for x, values in self._columns(run):
                for value in dict.fromkeys(values):
                    commands.append(f"{'L' if commands else 'M'}{number(x)} {number(self._y(value))}")
            if len(commands) == 1:
                x, values = next(iter(self._columns(run)))
                self._sheet.circle(x, self._y(values[0]), 1.6, fill=CURVE)
            else:
                self._sheet.path(
                    "".join(commands), fill="none", stroke=CURVE, stroke_width=1.5, stroke_linejoin="round"
                )

    def _columns(self, run: Sequence[Point]) -> list[tuple[float, tuple[int, ...]]]:
        """Of each pixel column the first, lowest, highest and last value: no peak vanishes."""
        columns: list[tuple[float, list[int]]] = []
        for point in run:
            assert point.value is not None, "a run has values"
            x = self._x(point.at_ms)
            if columns and int(columns[-1][0]) == int(x):
                columns[-1][1].append(point.value)
            else:
                columns.append((x, [point.value]))
        return [(x, (values[0], min(values), max(values), values[-1])) for x, values in columns]

    def _without_value(self) -> None:
        """Crosses at the foot of the plot for readings without a value, rings for doubtful ones."""
        sheet, box = self._sheet, self._box
        crossed = ringed = -1
        for point in self._panel.points:
            x = self._x(point.at_ms)
            if point.value is None and int(x) // 7 != crossed:
                crossed = int(x) // 7
                y = box.bottom - 7
                cross = f"M{number(x - 3)} {number(y - 3)}l6 6m0 -6l-6 6"
                sheet.path(cross, stroke=INK, stroke_width=1.6, fill="none")
            elif point.value is not None and not point.good and int(x) // 7 != ringed:
                ringed = int(x) // 7
                sheet.circle(x, self._y(point.value), 2.6, fill="#fff", stroke=INK, stroke_width=1.1)

    def _bars(self) -> None:
        """A lane for each rule that found something: solid where it alarmed, hollow where it did not."""
        sheet = self._sheet
        for row, rule in enumerate(self._lanes):
            y = self._top + 8 + row * _LANE
            sheet.write(_LEFT - 7, y + 8, shortened(rule, 9, _LEFT - 12), 9, INK, text_anchor="end")
            for stretch in self._panel.stretches:
                if stretch.rule != rule:
                    continue
                left = self._x(stretch.from_ms)
                width = max(self._x(stretch.to_ms) - left, 3)
                bar = Box(left, y, width, 9)
                sheet.rect(bar, LIMIT if stretch.alarmed else "#fff", LIMIT, stroke_width=1)
                if stretch.note:
                    at = min(bar.right + 4, self._box.right)
                    sheet.write(at, y + 8, stretch.note, 9, INK)

    def _marks(self, y: float) -> float:
        """Alarms: a line through the plot, a number above it, and the words below."""
        sheet, box = self._sheet, self._box
        crowd: list[tuple[float, int]] = []  # flags too near to each other for a number each
        for index, mark in enumerate(self._panel.marks, 1):
            x = self._x(mark.at_ms)
            sheet.line(x, box.top - 4, x, box.bottom, INK, stroke_width=1, stroke_dasharray="1 2")
            flag = f"M{number(x)} {number(box.top)}l-4.5 -7h9z"
            sheet.path(flag, fill=INK)
            if crowd and x - crowd[-1][0] > 20:
                self._number(crowd)
                crowd = []
            crowd.append((x, index))
        if crowd:
            self._number(crowd)
        shown = [f"{index}  {mark.text}" for index, mark in enumerate(self._panel.marks, 1)][:_LISTED]
        left_out = len(self._panel.marks) - len(shown)
        shown += [f"and {left_out} more"] if left_out > 0 else []
        for line in [*shown, *self._panel.notes]:
            y += 15
            sheet.write(_LEFT, y, shortened(line, 11, WIDTH - _LEFT - 20), 11, INK)
        return y + 14

    def _number(self, crowd: Sequence[tuple[float, int]]) -> None:
        """The numbers of neighbouring flags, behind the last of them."""
        first, last = crowd[0][1], crowd[-1][1]
        text = str(first) if first == last else f"{first}, {last}" if last == first + 1 else f"{first}–{last}"
        self._sheet.write(crowd[-1][0] + 6, self._box.top - 3, text, 10, INK, font_weight="bold")


#: So many alarms are told in words; the rest are counted.
_LISTED = 12


def _wrapped(text: str, size: float, width: float) -> list[str]:
    """A text in one line, or in two, of which the second begins with a blank."""
    if width_of(text, size) <= width:
        return [text]
    cut = max(text.rfind(" for "), text.rfind(": "))
    if cut <= 0:
        return [shortened(text, size, width)]
    return [shortened(text[:cut], size, width), " " + shortened(text[cut:].strip(" :"), size, width - 10)]


def _range(panel: Panel) -> tuple[int, int]:
    """The values from the foot to the head of the plot: all that was measured, and the limits near it."""
    least = QUANTITIES[panel.quantity].per_display
    values = [point.value for point in panel.points if point.value is not None]
    if not values:
        values = [limit.value for limit in panel.limits] or [0]
    # A limit far away would press the curve into a line; it is named at the edge it lies beyond.
    reach = max(max(values) - min(values), 5 * least)
    near = [
        limit.value for limit in panel.limits if min(values) - reach <= limit.value <= max(values) + reach
    ]
    low, high = min([*values, *near]), max([*values, *near])
    room = max((high - low) // 12, least // 2, 1)
    return low - room, high + room


def _runs(points: Sequence[Point], gaps: Sequence[Gap]) -> list[list[Point]]:
    """Stretches of values that nothing breaks."""
    runs: list[list[Point]] = []
    breaks = iter(sorted(gap.start_ms for gap in gaps))
    following = next(breaks, None)
    going = False
    for point in points:
        while following is not None and following < point.at_ms:
            following, going = next(breaks, None), False
        if point.value is None:
            going = False
        elif going:
            runs[-1].append(point)
        else:
            runs.append([point])
            going = True
    return runs
