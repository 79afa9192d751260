"""A passive box: cool packs with a phase change around the product, and the heat that comes through the wall.

While the packs hold both phases they stay at their melting point, and nothing tells how long that will last;
then the box follows its surroundings. The product lags behind the packs (the probe's time constant).
All figures are judgement unless marked otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from coldchain_simulators.physics.figures import Stretch, checked_step, figure

#: An exponential is told as straight pieces of this length (s).
_PIECE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxFigures:
    """A box for a few litres, qualified for two days or so."""

    melts_at_c: float = figure(5.0, "judgement: a pack made for 2 to 8 °C; water would be 0")
    latent_j: float = figure(800_000.0, "judgement: 4 kg of packs at 200 kJ/kg")
    heat_capacity_j_per_k: float = figure(12_000.0, "judgement: packs, product and lining")
    wall_w_per_k: float = figure(0.25, "judgement: 40 mm of foam, with 15 K outside this lasts 59 h")
    open_w_per_k: float = figure(3.0, "judgement: with the lid off")


@dataclass(slots=True)
class PassiveBox:
    """The packs of one box: how warm, and how much of them is still frozen (1 all, 0 none)."""

    figures: BoxFigures = BoxFigures()
    packs_c: float = math.nan
    frozen: float = 1.0
    lid_open: bool = False
    ambient_c: float = 20.0

    def __post_init__(self) -> None:
        """Conditioned unless told otherwise: the packs are at their melting point."""
        if math.isnan(self.packs_c):
            self.packs_c = self.figures.melts_at_c

    @property
    def _wall(self) -> float:
        return self.figures.open_w_per_k if self.lid_open else self.figures.wall_w_per_k

    @property
    def melting(self) -> bool:
        """Whether heat goes into melting or freezing, not into temperature."""
        if self.packs_c != self.figures.melts_at_c:
            return False
        return self.frozen > 0 if self.ambient_c > self.packs_c else self.frozen < 1

    def process(self, dt_s: float) -> tuple[Stretch, ...]:
        """Let time pass; returns how the packs' temperature went meanwhile."""
        left = checked_step(dt_s)
        course: list[Stretch] = []
        while left > 0:
            stretch = self._melt(left) if self.melting else self._follow(left)
            course.append(stretch)
            left -= stretch.seconds
        return tuple(course)

    def _melt(self, left: float) -> Stretch:
        f = self.figures
        share = self._wall * (self.ambient_c - self.packs_c) / f.latent_j  # of the packs, each second
        if share == 0:
            return Stretch(left, self.packs_c, self.packs_c)
        ends = (self.frozen if share > 0 else self.frozen - 1) / share
        passes = min(left, ends)
        self.frozen = (0.0 if share > 0 else 1.0) if passes == ends else self.frozen - share * passes
        return Stretch(passes, self.packs_c, self.packs_c)

    def _follow(self, left: float) -> Stretch:
        """A piece of the way to the surroundings; it stops at the melting point if something can melt."""
        f = self.figures
        tau = f.heat_capacity_j_per_k / self._wall
        passes, before = min(left, _PIECE_S), self.packs_c
        after = self.ambient_c + (before - self.ambient_c) * math.exp(-passes / tau)
        meets = self.frozen > 0 if before < f.melts_at_c else self.frozen < 1
        if meets and min(before, after) < f.melts_at_c < max(before, after):
            passes = -tau * math.log((f.melts_at_c - self.ambient_c) / (before - self.ambient_c))
            after = f.melts_at_c
        self.packs_c = after
        return Stretch(passes, before, after)
