"""A refrigerator between 2 and 8 °C: a thermostat that switches at two temperatures.

All figures are judgement: a calm appliance to watch beside the drama, no model of a product.
"""

from __future__ import annotations

from dataclasses import dataclass

from coldchain_simulators.physics.figures import Stretch, checked_step, figure


@dataclass(frozen=True, slots=True, kw_only=True)
class FridgeFigures:
    """Where the thermostat switches, and how fast the air moves between."""

    on_at_c: float = figure(6.0, "judgement")
    off_at_c: float = figure(4.0, "judgement")
    warming_k_per_min: float = figure(0.1, "judgement")
    cooling_k_per_min: float = figure(0.25, "judgement")
    ambient_c: float = figure(20.0, "judgement: a room")


@dataclass(slots=True)
class Fridge:
    """The air in one refrigerator."""

    figures: FridgeFigures = FridgeFigures()
    air_c: float = 5.0
    cooling: bool = False
    power: bool = True

    def process(self, dt_s: float) -> tuple[Stretch, ...]:
        """Let time pass; returns how the air's temperature went meanwhile."""
        left, f = checked_step(dt_s), self.figures
        course: list[Stretch] = []
        while left > 0:
            if not self.power:
                self.cooling = False
            elif self.air_c >= f.on_at_c:
                self.cooling = True
            elif self.air_c <= f.off_at_c:
                self.cooling = False
            rate = (-f.cooling_k_per_min if self.cooling else f.warming_k_per_min) / 60
            goal = f.off_at_c if self.cooling else f.on_at_c if self.power else f.ambient_c
            until = (goal - self.air_c) / rate
            before, passes = self.air_c, min(left, until) if until > 0 else left
            self.air_c = goal if passes == until else before + (rate * passes if until > 0 else 0.0)
            course.append(Stretch(passes, before, self.air_c))
            left -= passes
        return tuple(course)
