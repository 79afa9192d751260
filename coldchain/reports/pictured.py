"""What a picture shows, as data: a curve, limits, time outside, marks; and the inks it is drawn in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from coldchain.model import Side
from coldchain.reports.statistics import Gap, Point

#: Width of the sheet, in units of the drawing.
WIDTH = 1160
INK, MUTED, GRID, CURVE, LIMIT, SHADE = "#1a1a1a", "#5c5c5c", "#e4e4e4", "#14385c", "#8c1d18", "#f7ddd8"
#: What fills the time that nobody watched.
UNWATCHED = "url(#unwatched)"
#: Above and below differ in their dashes, not in their colour.
DASHES = {Side.ABOVE: "9 4", Side.BELOW: "3 3"}


@dataclass(frozen=True)
class LimitLine:
    """A limit, in quanta, from when to when it was in force (None: all the time)."""

    name: str
    value: int
    side: Side
    says: str
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True)
class Stretch:
    """Time outside a rule's limit; `alarmed`: long enough to alarm; `note` stands beside its bar."""

    rule: str
    from_ms: int
    to_ms: int
    alarmed: bool
    note: str = ""


@dataclass(frozen=True)
class Mark:
    """Something at one instant, numbered in the plot and told below it."""

    at_ms: int
    text: str


@dataclass(frozen=True)
class Panel:
    """One channel's curve over a span."""

    title: str
    quantity: str
    from_ms: int
    to_ms: int
    points: Sequence[Point]
    gaps: Sequence[Gap]
    limits: Sequence[LimitLine] = ()
    stretches: Sequence[Stretch] = ()
    marks: Sequence[Mark] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Picture:
    """A page of curves. `stamps` go across all of it: SIMULATED, UNAPPROVED."""

    headline: str
    zone: tzinfo
    panels: Sequence[Panel]
    lines: Sequence[str] = ()
    stamps: Sequence[str] = ()
    footer: str = ""
