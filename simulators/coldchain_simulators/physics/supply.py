"""A pressurised vessel of liquid nitrogen that fills others: content, valve, and what it loses by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

from coldchain_simulators.physics.figures import checked_step, figure

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyFigures:
    """A 180 L cylinder on wheels."""

    full_l: float = figure(180.0, "judgement: a common size of cylinder")
    loss_per_day: float = figure(
        0.02, "judgement; transport dewars are said to lose 5 % a day and storage dewars 1 %: d7964.cn, weak"
    )
    working_bar: float = figure(1.5, "judgement: the regulator of a low-pressure cylinder")


@dataclass(slots=True)
class Supply:
    """One supply vessel. It gives while its valve is open and there is something in it."""

    figures: SupplyFigures = SupplyFigures()
    content_l: float = math.nan
    valve_open: bool = True

    def __post_init__(self) -> None:
        """Full unless said otherwise."""
        if math.isnan(self.content_l):
            self.content_l = self.figures.full_l

    @property
    def gives(self) -> bool:
        """Whether liquid comes when somebody asks for it."""
        return self.valve_open and self.content_l > 0

    @property
    def pressure_bar(self) -> float:
        """What its gauge shows; an empty one has no pressure left."""
        return self.figures.working_bar if self.content_l > 0 else 0.0

    def take(self, litres: float) -> float:
        """Give at most so much; how much came."""
        given = min(litres, self.content_l) if self.gives else 0.0
        self.content_l -= given
        return given

    def change(self) -> None:
        """Put a full one in its place, with its valve open."""
        self.content_l = self.figures.full_l
        self.valve_open = True

    def process(self, dt_s: float) -> None:
        """Let time pass: heat gets in and the relief valve lets gas out."""
        lost = self.figures.full_l * self.figures.loss_per_day * checked_step(dt_s) / _DAY_S
        self.content_l = max(0.0, self.content_l - lost)
