"""A temperature probe and its electronics: lag, noise, drift, and the ways in which it lies.

The lag is of first order and solved exactly for each stretch of an evenly moving temperature, so
the length of a step makes no difference. Noise comes from a seeded generator, one draw for each
sample whatever the probe's state, so a run can be had again and a failure shifts no later draw.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from random import Random

from coldchain_simulators.physics.figures import Stretch, figure

_DAY_S = 86_400.0


class Failure(Enum):
    """How a probe fails, as a resistance probe's electronics show it."""

    OPEN = "open"  # reads far too warm
    SHORT = "short"  # reads far too cold: a high limit alone stays silent
    STUCK = "stuck"  # the last value for ever: dead cable behind a gateway that repeats it
    DISCONNECTED = "disconnected"  # nothing to read at all
    CABLE_SHORT = "cable short"  # a thermocouple shorted in its cable reads where the short is: the room
    REVERSED = "reversed"  # a thermocouple with its wires exchanged: mirrored at its cold junction
    POWER_ON = "power on"  # a digital probe that starts anew and has not measured yet


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFigures:
    """What a probe and its electronics do to a temperature."""

    time_constant_s: float = figure(30.0, "judgement: a sheathed probe in cold vapour")
    noise_k: float = figure(0.03, "judgement: standard deviation of one sample")
    drift_k_per_day: float = figure(0.0, "judgement: none unless a test wants it")
    short_c: float = figure(-242.02, "reports on MAX31865 with 0 Ω, as ESP32-MAX31865 issue 8: second-hand")
    room_c: float = figure(20.0, "judgement: the room in which the electronics stand")
    power_on_c: float = figure(85.0, "DS18B20: 85.0 °C after power-up: from general knowledge of the part")
    open_c: float = figure(988.79, "a report on MAX31865 at full scale, rntlab: second-hand")


@dataclass(slots=True)
class Probe:
    """One probe in one place."""

    felt_c: float
    seed: int | str
    figures: ProbeFigures = ProbeFigures()
    failure: Failure | None = None
    drifted_k: float = 0.0
    last_c: float = math.nan
    _noise: Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Start the noise at its seed."""
        self._noise = Random(self.seed)  # noqa: S311 - noise, no secret

    def feel(self, course: Iterable[Stretch]) -> None:
        """Follow the temperature around the probe."""
        tau = self.figures.time_constant_s
        for stretch in course:
            self.drifted_k += self.figures.drift_k_per_day * stretch.seconds / _DAY_S
            if stretch.seconds == 0 or tau == 0:
                self.felt_c = stretch.to_c if tau == 0 else self.felt_c
                continue
            # Answer of a first-order lag to a ramp: it trails the ramp by slope * tau in the end.
            trail = (stretch.to_c - stretch.from_c) / stretch.seconds * tau
            gap = self.felt_c - (stretch.from_c - trail)
            self.felt_c = stretch.to_c - trail + gap * math.exp(-stretch.seconds / tau)

    def sample(self) -> float | None:
        """What the electronics make of the probe now; None if there is nothing to read."""
        noise = self._noise.gauss(0.0, self.figures.noise_k)
        if self.failure is Failure.DISCONNECTED:
            return None
        if self.failure is Failure.STUCK and not math.isnan(self.last_c):
            return self.last_c
        measured = self.felt_c + self.drifted_k + noise
        match self.failure:
            case Failure.OPEN:
                return self.figures.open_c
            case Failure.SHORT:
                return self.figures.short_c
            case Failure.POWER_ON:
                return self.figures.power_on_c
            case Failure.CABLE_SHORT:
                return self.figures.room_c + noise
            case Failure.REVERSED:
                return 2 * self.figures.room_c - measured
            case _:
                self.last_c = measured
                return measured
