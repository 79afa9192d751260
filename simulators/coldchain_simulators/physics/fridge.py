"""A refrigerator between 2 and 8 °C: a thermostat that switches at two temperatures, defrost, and its door.

What is not marked otherwise is judgement: an appliance to watch beside the drama, no model of a product.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from coldchain_simulators.physics.figures import Stretch, checked_step, figure


class Door(Enum):
    """How far the door is open."""

    SHUT = "shut"
    AJAR = "ajar"
    OPEN = "open"


class Thermostat(Enum):
    """What the thermostat does."""

    WORKS = "works"
    STUCK_ON = "stuck on"  # it cools for ever: the freezing that is the common failure (Vaccine 25:3980)
    STUCK_OFF = "stuck off"


@dataclass(frozen=True, slots=True, kw_only=True)
class FridgeFigures:
    """Where the thermostat switches, and how fast the air moves between."""

    on_at_c: float = figure(6.0, "judgement")
    off_at_c: float = figure(4.0, "judgement")
    warming_k_per_min: float = figure(0.1, "judgement")
    cooling_k_per_min: float = figure(0.25, "judgement")
    ajar_k_per_min: float = figure(
        0.1, "ajar by 10 mm it is out within about 30 min, though it cools: mimocool.com, vendor"
    )
    open_k_per_min: float = figure(1.0, "judgement: with the door wide open")
    coldest_c: float = figure(-8.0, "judgement: where the evaporator can cool no further")
    defrost_every_s: float = figure(8 * 3600.0, "judgement")
    defrost_s: float = figure(900.0, "judgement: how long it warms instead of cooling")
    defrost_k_per_min: float = figure(0.12, "judgement")
    ambient_c: float = figure(20.0, "judgement: a room")


@dataclass(slots=True)
class Fridge:
    """The air in one refrigerator. It defrosts by itself only if told to (`defrosts`)."""

    figures: FridgeFigures = FridgeFigures()
    air_c: float = 5.0
    cooling: bool = False
    power: bool = True
    door: Door = Door.SHUT
    thermostat: Thermostat = Thermostat.WORKS
    defrosts: bool = False
    ambient_c: float = math.nan
    _cycle_s: float = 0.0

    def __post_init__(self) -> None:
        """The room is the figures' unless told otherwise."""
        if math.isnan(self.ambient_c):
            self.ambient_c = self.figures.ambient_c

    def process(self, dt_s: float) -> tuple[Stretch, ...]:
        """Let time pass; returns how the air's temperature went meanwhile."""
        left = checked_step(dt_s)
        course: list[Stretch] = []
        while left > 0:
            self._switch()
            rate_k_per_min, goal = self._course()
            rate = rate_k_per_min / 60
            away = (goal - self.air_c) / rate
            until = away if away > 0 else math.inf  # there already: it stays
            passes = min(left, until, self._next_cycle_s())
            before = self.air_c
            if away > 0:
                self.air_c = goal if passes == until else before + rate * passes
            course.append(Stretch(passes, before, self.air_c))
            self._cycle_s += passes
            left -= passes
        return tuple(course)

    def _switch(self) -> None:
        f = self.figures
        if not self.power or self.thermostat is Thermostat.STUCK_OFF:
            self.cooling = False
        elif self.thermostat is Thermostat.STUCK_ON or self.air_c >= f.on_at_c:
            self.cooling = True
        elif self.air_c <= f.off_at_c:
            self.cooling = False

    def _course(self) -> tuple[float, float]:
        """How fast the air moves (K/min), and to where before the next thing is switched."""
        f = self.figures
        if self.door is not Door.SHUT:
            rate = f.ajar_k_per_min if self.door is Door.AJAR else f.open_k_per_min
            return (rate if self.air_c <= self.ambient_c else -rate), self.ambient_c
        dead = not self.power or self.thermostat is Thermostat.STUCK_OFF
        if dead:
            return math.copysign(f.warming_k_per_min, self.ambient_c - self.air_c), self.ambient_c
        if self.cooling and not self._defrosting():
            stuck = self.thermostat is Thermostat.STUCK_ON
            return -f.cooling_k_per_min, f.coldest_c if stuck else f.off_at_c
        if self._defrosting():
            return f.defrost_k_per_min, self.ambient_c
        return f.warming_k_per_min, f.on_at_c

    def _defrosting(self) -> bool:
        f = self.figures
        return (
            self.defrosts
            and self.power
            and self._cycle_s % f.defrost_every_s >= f.defrost_every_s - f.defrost_s
        )

    def _next_cycle_s(self) -> float:
        """Until a defrost begins or ends."""
        f = self.figures
        if not self.defrosts:
            return math.inf
        within = self._cycle_s % f.defrost_every_s
        begins = f.defrost_every_s - f.defrost_s
        # A nanosecond beyond, or a rounded step would stop short of the moment for ever.
        return (begins - within if within < begins else f.defrost_every_s - within) + 1e-9
