"""A controller that keeps a freezer's level by a column of thermistors, as Taylor-Wharton's CS series does.

What it shows is the number of thermistors under liquid, of eight: at 2 it fills, at 5 it stops; 0 and 1 are
its low alarm, 6 and more its high alarm, 8 says that its valve is stuck open (manual of the CS series,
page 14). While the lid is open it does not fill (TEC 3000). It sees its column and its lid, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from coldchain_simulators.physics.figures import Stretch, checked_step, figure
from coldchain_simulators.physics.ln2_freezer import Ln2Freezer
from coldchain_simulators.physics.supply import Supply

SENSORS = 8
#: How often the controller looks while liquid comes, and while none does (s; judgement).
_LOOK_S, _IDLE_S = 60.0, 600.0


class Valve(Enum):
    """What the fill valve does, whatever it is told."""

    WORKS = "works"
    STUCK_OPEN = "stuck open"
    STUCK_SHUT = "stuck shut"


class Alarm(Enum):
    """What the controller itself says; the words are the manual's."""

    LOW_LEVEL = "Low Level"
    HIGH_LEVEL = "High Level"
    SENSOR_ERROR = "Sensor Error"
    LOW_SUPPLY = "Low LN2 Supply"
    POWER_FAILURE = "Power Failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class AutofillFigures:
    """The column and the line."""

    lowest_mm: float = figure(50.0, "judgement: the lowest thermistor")
    apart_mm: float = figure(50.0, "judgement: from one thermistor to the next")
    fill_at: int = figure(2, "manual of the CS series, page 14: 2 filling")
    stop_at: int = figure(5, "manual of the CS series, page 14: 5 stop fill")
    flow_l_per_min: float = figure(4.0, "judgement: through a hose of half an inch")
    fill_within_s: float = figure(3600.0, "judgement: then the supply is called low")


@dataclass(slots=True)
class Autofill:
    """Freezer, supply and what connects them."""

    freezer: Ln2Freezer
    supply: Supply
    figures: AutofillFigures = AutofillFigures()
    valve: Valve = Valve.WORKS
    power: bool = True
    column_whole: bool = True
    filling: bool = False
    fills_for_s: float = 0.0

    @property
    def submerged(self) -> int:
        """How many thermistors are under liquid: what it shows."""
        f = self.figures
        return sum(self.freezer.level_mm >= f.lowest_mm + i * f.apart_mm for i in range(SENSORS))

    @property
    def alarms(self) -> frozenset[Alarm]:
        """What the controller says now."""
        if not self.power:
            return frozenset({Alarm.POWER_FAILURE})
        said = set()
        if not self.column_whole:
            said.add(Alarm.SENSOR_ERROR)
        elif self.submerged <= 1:
            said.add(Alarm.LOW_LEVEL)
        elif self.submerged >= self.figures.stop_at + 1:
            said.add(Alarm.HIGH_LEVEL)
        if self.fills_for_s > self.figures.fill_within_s:
            said.add(Alarm.LOW_SUPPLY)
        return frozenset(said)

    def process(self, dt_s: float) -> tuple[Stretch, ...]:
        """Let time pass in small looks; returns how the vapour's temperature went meanwhile."""
        left = checked_step(dt_s)
        course: list[Stretch] = []
        while left > 0:
            self._switch()
            step = min(left, _LOOK_S if self._open() else _IDLE_S)
            self.fills_for_s = self.fills_for_s + step if self.filling else 0.0
            self.supply.process(step)
            if self._open():
                self.freezer.pour(self.supply.take(self.figures.flow_l_per_min * step / 60))
            course += self.freezer.process(step)
            left -= step
        return tuple(course)

    def _switch(self) -> None:
        if not self.power or not self.column_whole or self.freezer.lid_open:
            self.filling = False
        elif self.submerged <= self.figures.fill_at:
            self.filling = True
        elif self.submerged >= self.figures.stop_at:
            self.filling = False

    def _open(self) -> bool:
        """Whether liquid can come through the fill valve."""
        return self.valve is Valve.STUCK_OPEN or (self.filling and self.valve is not Valve.STUCK_SHUT)
