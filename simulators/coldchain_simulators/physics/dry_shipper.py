"""A dry shipper: liquid nitrogen in its absorbent, the heat that gets in, and what follows.

Heat leak evaporates nitrogen by its latent heat, so the mass falls evenly and the vapour stays near
boiling until the last of it; then the vessel warms evenly (Spijkers, Damas, Vanapalli, IIR Congress
2023, no. 0199: both linear, the second "not the expected exponential"). That is why weight tells days
ahead what a thermometer tells when it is too late.

With leaking insulation a vessel passes -185 °C before it is empty (PMC6504988: after 3.7 to 4.8 h where 10 %
were lost in 0.8 h): the vapour is warmer by what flows in, and by how far the nitrogen has sunk.

Every step is exact however long it is: the moment of running dry is computed, not stepped over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from coldchain_simulators.physics.figures import Stretch, checked_step, figure

_DAY_S = 86_400.0
_HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipperFigures:
    """What the model is made of. Each figure carries its source (`figures.sources_of`)."""

    boiling_c: float = figure(-195.8, "boiling point of nitrogen at 1 atm: general physics")
    latent_j_per_kg: float = figure(199_000.0, "heat of evaporation of nitrogen: general physics")
    empty_kg: float = figure(5.3, "CX100, 11.7 lb empty: University of Virginia, second-hand")
    full_kg: float = figure(3.3, "CX100, 19 lb full less 11.7 lb empty: University of Virginia, second-hand")
    static_hold_d: float = figure(10.0, '"generally 10+ day hold": cryoport.com, 2018-11-19, vendor')
    vapour_above_boiling_k: float = figure(0.8, "judgement: a probe among the vials, well below the neck")
    breach_empties_s: float = figure(
        150.0, "PMC6504988, abstract: catastrophic loss, 10 % in 15 s, empty in under 3 min (storage dewars)"
    )
    breach_warming_k_per_h: float = figure(
        47.75, "PMC6504988, abstract: 43.9 to 51.6 °C/h nearly constant when empty, the middle of it"
    )
    leak_tenth_s: float = figure(
        2880.0, "PMC6504988, abstract: medium leak, 10 % of the nitrogen lost in 0.8 h (storage dewars)"
    )
    leak_gradient_k: float = figure(
        19.1,
        "so that the vapour passes -185 °C after 4.2 h of a medium leak, when 52.5 % of the nitrogen are "
        "gone: PMC6504988, abstract, 3.7 to 4.8 h",
    )
    empty_warming_k_per_h: float = figure(
        2.0, "judgement: 0.8 W into about 1.5 kJ/K of vessel and load; nothing was published"
    )
    side_factor: float = figure(
        36.0,
        '"as much as 60 % of hold time in a few hours" on its side: Fisher BioServices, 2013, vendor; '
        "4 h and 10 d taken (judgement)",
    )
    lid_factor: float = figure(5.0, "judgement: heat through an open neck")
    lid_vapour_k: float = figure(25.0, "judgement: warmer vapour at the probe while the lid is off")
    ambient_c: float = figure(20.0, "judgement: a room")


class Vacuum(Enum):
    """The state of the insulation."""

    HELD = "held"
    LEAKING = "leaking"
    LOST = "lost"


@dataclass(slots=True)
class DryShipper:
    """The state of one shipper, moved by `process`. A misspelt attribute is an error (slots)."""

    figures: ShipperFigures = ShipperFigures()
    ln2_kg: float = math.nan
    vessel_c: float = math.nan
    vacuum: Vacuum = Vacuum.HELD
    lid_open: bool = False
    tilt_deg: float = 0.0
    ambient_c: float = math.nan

    def __post_init__(self) -> None:
        """Unless said otherwise it is charged to the full and at boiling."""
        if math.isnan(self.ln2_kg):
            self.ln2_kg = self.figures.full_kg
        if math.isnan(self.vessel_c):
            self.vessel_c = self.figures.boiling_c
        if math.isnan(self.ambient_c):
            self.ambient_c = self.figures.ambient_c

    @property
    def heat_leak_w(self) -> float:
        """Heat that reaches the nitrogen now."""
        f = self.figures
        if self.vacuum is Vacuum.LOST:
            return f.full_kg * f.latent_j_per_kg / f.breach_empties_s
        if self.vacuum is Vacuum.LEAKING:
            return f.full_kg * f.latent_j_per_kg / (10 * f.leak_tenth_s)
        calm = f.full_kg * f.latent_j_per_kg / (f.static_hold_d * _DAY_S)
        calm *= (self.ambient_c - f.boiling_c) / (f.ambient_c - f.boiling_c)
        on_side = math.sin(math.radians(min(abs(self.tilt_deg), 90.0))) ** 2
        return calm * (1 + (f.side_factor - 1) * on_side) * (f.lid_factor if self.lid_open else 1.0)

    @property
    def evaporation_kg_per_s(self) -> float:
        """Nitrogen lost per second while there is any."""
        return self.heat_leak_w / self.figures.latent_j_per_kg

    @property
    def warming_k_per_h(self) -> float:
        """How fast the vessel warms once it is dry."""
        f = self.figures
        if self.vacuum is not Vacuum.HELD:
            return f.breach_warming_k_per_h
        return f.empty_warming_k_per_h * (f.lid_factor if self.lid_open else 1.0)

    @property
    def mass_kg(self) -> float:
        """What a scale under it shows."""
        return self.figures.empty_kg + self.ln2_kg

    @property
    def vapour_c(self) -> float:
        """Temperature of the vapour where the probe hangs."""
        f = self.figures
        opened = f.lid_vapour_k if self.lid_open else 0.0
        leaking = self.vacuum is Vacuum.LEAKING
        sunk = f.leak_gradient_k * (1 - self.ln2_kg / f.full_kg) if leaking else 0.0
        above = f.vapour_above_boiling_k + opened + sunk
        return min(self.vessel_c + above, max(self.ambient_c, self.vessel_c))

    def charge(self) -> None:
        """Fill it until nothing more is absorbed; it is cold again."""
        self.ln2_kg = self.figures.full_kg
        self.vessel_c = self.figures.boiling_c

    def process(self, dt_s: float) -> tuple[Stretch, ...]:
        """Let time pass; returns how the vapour's temperature went meanwhile."""
        left = checked_step(dt_s)
        course: list[Stretch] = []
        if self.ln2_kg > 0:
            rate = self.evaporation_kg_per_s
            wet = min(left, self.ln2_kg / rate)
            before = self.vapour_c
            self.ln2_kg = self.ln2_kg - rate * wet if wet == left else 0.0
            course.append(Stretch(wet, before, self.vapour_c))
            left -= wet
        warming = self.warming_k_per_h / _HOUR_S
        if left > 0 and self.vessel_c < self.ambient_c:
            rising = min(left, (self.ambient_c - self.vessel_c) / warming)
            before = self.vapour_c
            self.vessel_c = min(self.vessel_c + warming * rising, self.ambient_c)
            course.append(Stretch(rising, before, self.vapour_c))
            left -= rising
        if left > 0:
            course.append(Stretch(left, self.vapour_c, self.vapour_c))
        return tuple(course)
