"""What each sign of a picture means; only the signs that are in it."""

from __future__ import annotations

from coldchain.reports.pictured import CURVE, DASHES, INK, LIMIT, MUTED, UNWATCHED, WIDTH, Picture
from coldchain.reports.svg import Box, Sheet, number, width_of

_KEY = 26


class Legend:
    """Signs and their words, in as many rows as they need."""

    def __init__(self, sheet: Sheet, top: float) -> None:
        self._sheet = sheet
        self.x, self.y = 20.0, top

    def entry(self, text: str) -> tuple[float, float]:
        """Write the words of a sign; answers where the sign itself goes (its left foot)."""
        wide = _KEY + width_of(text, 10)
        if self.x + wide > WIDTH - 20:
            self.x, self.y = 20.0, self.y + 17
        at = (self.x, self.y)
        self._sheet.write(self.x + _KEY, self.y, text, 10, MUTED)
        self.x += wide + 16
        return at


def legend(sheet: Sheet, picture: Picture, top: float) -> float:
    """Draw the legend; where it ends."""
    panels, rows = picture.panels, Legend(sheet, top)
    points = [point for panel in panels for point in panel.points]
    if points:
        x, y = rows.entry("measured; lowest and highest of each column")
        sheet.path(f"M{number(x)} {number(y - 2)}l7 -5l6 7l9 -5", fill="none", stroke=CURVE, stroke_width=1.5)
    sides = {limit.side for panel in panels for limit in panel.limits}
    for side, dashes in DASHES.items():
        if side in sides:
            x, y = rows.entry(f"limit, outside {side}")
            sheet.line(x, y - 4, x + 22, y - 4, LIMIT, stroke_width=1.4, stroke_dasharray=dashes)
    stretches = [stretch for panel in panels for stretch in panel.stretches]
    for alarmed, text in ((True, "outside, alarmed"), (False, "outside, hold not fulfilled")):
        if any(stretch.alarmed is alarmed for stretch in stretches):
            x, y = rows.entry(text)
            sheet.rect(Box(x, y - 9, 22, 9), LIMIT if alarmed else "#fff", LIMIT, stroke_width=1)
    if any(panel.marks for panel in panels):
        x, y = rows.entry("alarm, numbered")
        sheet.path(f"M{number(x + 11)} {number(y)}l-4.5 -8h9z", fill=INK)
    if any(panel.gaps for panel in panels):
        x, y = rows.entry("nobody watched")
        sheet.rect(Box(x, y - 10, 22, 12), UNWATCHED, MUTED, stroke_width=0.5)
    if any(point.value is None for point in points):
        x, y = rows.entry("reading without a value")
        cross = f"M{number(x + 8)} {number(y - 7)}l6 6m0 -6l-6 6"
        sheet.path(cross, stroke=INK, stroke_width=1.6, fill="none")
    if any(point.value is not None and not point.good for point in points):
        x, y = rows.entry("doubtful reading")
        sheet.circle(x + 11, y - 4, 2.6, fill="#fff", stroke=INK, stroke_width=1.1)
    return rows.y
