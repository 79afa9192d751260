"""A freezer with liquid nitrogen at its bottom and product in the vapour above.

The level falls evenly with the heat that gets in. While there is liquid the vapour stays cold, however little
it is; then it warms ("then a threshold is reached": of tanks with supercooled vapour,
10.1007/s10815-018-1310-6, introduction). Filling is done by somebody else (autofill.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from coldchain_simulators.physics.figures import Stretch, checked_step, figure

_DAY_S = 86_400.0
_HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezerFigures:
    """What the model is made of."""

    height_mm: float = figure(450.0, "judgement: from the bottom to the lowest product")
    litres_per_mm: float = figure(0.4, "judgement: about 0.7 m across")
    loss_mm_per_day: float = figure(15.0, "judgement: 6 L a day in a freezer of this size")
    lid_factor: float = figure(4.0, "judgement: heat through an open lid")
    breach_factor: float = figure(
        50.0,
        "a lost vacuum is seen in the evaporation within hours (Pomeroy 2019, 10.1007/s10815-019-01597-5); "
        "how many times it grows is judgement",
    )
    vapour_c: float = figure(-190.0, '"good designs -190 °C at head": ingenieurdienst.de, camlab.co.uk')
    gradient_k: float = figure(12.0, "judgement: how much warmer the head is above the last of the liquid")
    lid_vapour_k: float = figure(20.0, "judgement: warmer vapour at the head while the lid is off")
    warming_k_per_h: float = figure(
        3.0,
        "judgement: an empty freezer with its vacuum; from -170 to -150 °C takes days by one report "
        "(straitstimes.com, 2023-12-27, cut off)",
    )
    breach_warming_k_per_h: float = figure(
        47.75, "PMC6504988, abstract: 43.9 to 51.6 °C/h nearly constant when empty, the middle of it"
    )
    ambient_c: float = figure(20.0, "judgement: a room")


@dataclass(slots=True)
class Ln2Freezer:
    """The state of one freezer; `level_mm` is how high the liquid stands."""

    figures: FreezerFigures = FreezerFigures()
    level_mm: float = 200.0
    warmed_k: float = 0.0
    lid_open: bool = False
    vacuum_lost: bool = False
    ambient_c: float = math.nan

    def __post_init__(self) -> None:
        """The room is the figures' unless told otherwise."""
        if math.isnan(self.ambient_c):
            self.ambient_c = self.figures.ambient_c

    @property
    def loss_mm_per_s(self) -> float:
        """How fast the level falls while there is liquid."""
        f = self.figures
        factor = f.breach_factor if self.vacuum_lost else 1.0
        return f.loss_mm_per_day * factor * (f.lid_factor if self.lid_open else 1.0) / _DAY_S

    @property
    def warming_k_per_s(self) -> float:
        """How fast the vapour warms without liquid."""
        f = self.figures
        if self.vacuum_lost:
            return f.breach_warming_k_per_h / _HOUR_S
        return f.warming_k_per_h * (f.lid_factor if self.lid_open else 1.0) / _HOUR_S

    @property
    def vapour_c(self) -> float:
        """Temperature at the head, where the product is."""
        f = self.figures
        sunk = f.gradient_k * (1 - self.level_mm / f.height_mm)
        opened = f.lid_vapour_k if self.lid_open else 0.0
        return min(f.vapour_c + sunk + opened + self.warmed_k, self.ambient_c)

    def pour(self, litres: float) -> None:
        """Liquid comes in; what was warm is cold again. More than it holds runs over."""
        if litres <= 0:
            return
        self.level_mm = min(self.figures.height_mm, self.level_mm + litres / self.figures.litres_per_mm)
        self.warmed_k = 0.0

    def process(self, dt_s: float) -> tuple[Stretch, ...]:
        """Let time pass; returns how the vapour's temperature went meanwhile."""
        left = checked_step(dt_s)
        course: list[Stretch] = []
        if self.level_mm > 0:
            wet = min(left, self.level_mm / self.loss_mm_per_s)
            before = self.vapour_c
            self.level_mm = self.level_mm - self.loss_mm_per_s * wet if wet == left else 0.0
            course.append(Stretch(wet, before, self.vapour_c))
            left -= wet
        if left > 0:
            before = self.vapour_c
            rising = min(left, max(0.0, self.ambient_c - before) / self.warming_k_per_s)
            self.warmed_k += self.warming_k_per_s * rising
            course.append(Stretch(rising, before, self.vapour_c))
            course.append(Stretch(left - rising, self.vapour_c, self.vapour_c))
        return tuple(course)
