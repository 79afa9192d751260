"""The air of a room in which nitrogen is let out: a well-mixed volume with ventilation.

Life safety is the certified device's; this is for seeing that a mirrored reading is judged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from coldchain_simulators.physics.figures import checked_step, figure


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomFigures:
    """A small store."""

    fresh_percent: float = figure(20.9, "oxygen in dry air: general physics")
    volume_m3: float = figure(60.0, "judgement: a small store")
    changes_per_h: float = figure(6.0, "judgement: ventilation at rest")
    gas_l_per_l: float = figure(700.0, "1 L of liquid gives about 700 L of gas: consarctic.com")


@dataclass(slots=True)
class Room:
    """The share of oxygen in one room's air; `released_l_per_min`: liquid that evaporates into it."""

    figures: RoomFigures = RoomFigures()
    oxygen_percent: float = 20.9
    released_l_per_min: float = 0.0
    ventilated: bool = True

    def process(self, dt_s: float) -> None:
        """Let time pass."""
        f = self.figures
        fresh = f.changes_per_h / 3600 if self.ventilated else 0.0
        pushed = self.released_l_per_min * f.gas_l_per_l / 1000 / 60 / f.volume_m3
        rate = fresh + pushed
        if rate == 0:
            return
        steady = f.fresh_percent * fresh / rate
        self.oxygen_percent = steady + (self.oxygen_percent - steady) * math.exp(-rate * checked_step(dt_s))
