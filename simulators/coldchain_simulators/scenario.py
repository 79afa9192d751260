"""The demonstration: a packed dry shipper loses its vacuum while a refrigerator beside it stays calm.

The physics is the published one (physics/dry_shipper.py), so the story takes its time; a scaled
clock makes it short. Simulated minutes after the start, and real seconds at two speeds:

    what                                              minute   speed 200   speed 600
    vacuum is lost                                        10        3 s         1 s
    the last nitrogen is gone                           12.5        4 s         1 s
    vapour passes -165 °C                                 51       15 s         5 s
    vapour passes -150 °C                                 70       21 s         7 s

A limit's own hold comes on top: 10 simulated minutes are 3 s at speed 200 and 1 s at 600.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from coldchain.clock import Clock
from coldchain_simulators.asked import AskedSimulator
from coldchain_simulators.mqtt_logger import MqttLogger, MqttLoggerSimulator, Publisher, Quantity
from coldchain_simulators.physics.dry_shipper import DryShipper, Vacuum
from coldchain_simulators.physics.fridge import Fridge
from coldchain_simulators.physics.probe import Failure, Probe, ProbeFigures
from coldchain_simulators.rig import Rig
from coldchain_simulators.tec3000 import Tec3000
from coldchain_simulators.wires import PtyWire

_MINUTE_MS = 60_000
_TEC_CYCLE_MS = 5_000


class What(Enum):
    """What can happen to the box."""

    LOSE_VACUUM = "the vacuum is lost"
    LID_OFF = "the lid is taken off"
    LID_ON = "the lid is put on"
    LAY_ON_SIDE = "the box is laid on its side"
    STAND_UP = "the box is stood up"
    PROBE_SHORT = "probe A is shorted: it reads cold"
    PROBE_OPEN = "probe A breaks"
    PROBE_BACK = "probe A is whole again"
    UNPLUG = "the serial cable is pulled"
    REPLUG = "the serial cable is plugged in"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happens at a simulated minute after the start."""

    minute: float
    what: What


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story as plain data."""

    title: str
    happenings: tuple[Happening, ...]


VACUUM_LOSS = Scenario("A dry shipper loses its vacuum", (Happening(10, What.LOSE_VACUUM),))
CALM = Scenario("Nothing happens", ())


class Box:
    """A dry shipper with the probes that hang in it."""

    def __init__(self, seed: int) -> None:
        """Charged to the full, everything settled."""
        self.shipper = DryShipper()
        start_c = self.shipper.vapour_c
        slow = ProbeFigures(time_constant_s=60.0)
        self.vapour_a = Probe(start_c, f"{seed} vapour a")
        self.vapour_b = Probe(start_c, f"{seed} vapour b")
        self.logger = Probe(start_c, f"{seed} logger", slow)

    def logged(self) -> dict[str, Quantity]:
        """What a logger in the box sends."""
        return {
            "vapour": Quantity(self.logger.sample, "degC"),
            "mass": Quantity(lambda: self.shipper.mass_kg, "kg", 3),
        }

    def process(self, dt_s: float) -> None:
        """Let time pass in the box and at its probes."""
        course = self.shipper.process(dt_s)
        for probe in (self.vapour_a, self.vapour_b, self.logger):
            probe.feel(course)


class Cupboard:
    """A refrigerator with a buffered probe."""

    def __init__(self, seed: int) -> None:
        """Settled at 5 °C."""
        self.fridge = Fridge()
        buffered = ProbeFigures(time_constant_s=600.0, noise_k=0.02)
        self.probe = Probe(self.fridge.air_c, f"{seed} fridge", buffered)

    def logged(self) -> dict[str, Quantity]:
        """What a logger in the refrigerator sends."""
        return {"temperature": Quantity(self.probe.sample, "degC")}

    def process(self, dt_s: float) -> None:
        """Let time pass in the refrigerator and at its probe."""
        self.probe.feel(self.fridge.process(dt_s))


class DemoBox(Rig):
    """All simulated devices of the demonstration, on one clock.

    `port` is the pseudo-terminal of a TEC 3000 whose probes A and B hang in the box; two loggers
    publish to the broker at host and broker_port: the box's (`vapour`, `mass`) and the
    refrigerator's (`temperature`). `tec_settings` and `mqtt_settings` are what the drivers need.
    """

    def __init__(
        self,
        seed: int,
        clock: Clock,
        *,
        host: str = "127.0.0.1",
        broker_port: int = 1883,
        folder: Path | None = None,
        scenario: Scenario = VACUUM_LOSS,
        box: str = "box-7",
        fridge: str = "fridge-1",
        interval_ms: int = 60_000,
    ) -> None:
        """`folder` holds the terminal's name; left out: a temporary one, removed by `stop`."""
        self.box, self.cupboard = Box(seed), Cupboard(seed)
        super().__init__(clock, (self.box, self.cupboard))
        self._own = None if folder else tempfile.TemporaryDirectory(prefix="coldchain-demo-")
        place = folder or Path(self._own.name if self._own else "")
        for happening in scenario.happenings:
            self.stepper.at(round(happening.minute * _MINUTE_MS), self._act(happening.what))
        self.wire = PtyWire(place / "tec3000")
        probes = {"TEMPA": self.box.vapour_a.sample, "TEMPB": self.box.vapour_b.sample}
        tec = Tec3000(probes, address=1, seed=seed)
        self.tec = AskedSimulator(tec, self.wire, self.stepper, _TEC_CYCLE_MS)
        self.lines.append(self.tec)
        for name, quantities in ((box, self.box.logged()), (fridge, self.cupboard.logged())):
            publisher = Publisher(host, broker_port, f"sim-{name}", f"coldchain/demo/{name}")
            device = MqttLogger(name, quantities)
            self.loggers.append(MqttLoggerSimulator(device, publisher, self.stepper, interval_ms))

    @property
    def port(self) -> str:
        """The pseudo-terminal of the TEC 3000."""
        return self.wire.port

    @property
    def tec_settings(self) -> dict[str, Any]:
        """Driver settings of `mve_tec3000` for `port`."""
        return {
            "baud": 9600,  # without effect on a pseudo-terminal
            "frame": "8N1",
            "address": 1,
            "displayed_unit": "degC",
            "queries": [{"key": "temp_a", "query": "TEMPA?"}],
        }

    @property
    def mqtt_settings(self) -> dict[str, Any]:
        """Driver settings of `mqtt_json` for both loggers; keys are "<asset>/<quantity>"."""
        mappings = [
            {
                "key": f"{logger.device.device}/{quantity}",
                "topic": logger.publisher.topic,
                "path": quantity,
                "unit_path": f"units.{quantity}",
                "time_path": "time",
                "time_format": "epoch_ms",
                "sequence_path": "sequence",
            }
            for logger in self.loggers
            for quantity in logger.device.quantities
        ]
        return {"simulated": True, "mappings": mappings}

    def stop(self) -> None:
        """End everything and remove what was made."""
        super().stop()
        if self._own is not None:
            self._own.cleanup()

    def happen(self, what: What) -> None:
        """Let something happen now."""
        self._act(what)(0)

    def _act(self, what: What) -> Callable[[int], None]:
        shipper, probe = self.box.shipper, self.box.vapour_a
        changes: dict[What, tuple[object, str, object]] = {
            What.LOSE_VACUUM: (shipper, "vacuum", Vacuum.LOST),
            What.LID_OFF: (shipper, "lid_open", True),
            What.LID_ON: (shipper, "lid_open", False),
            What.LAY_ON_SIDE: (shipper, "tilt_deg", 90.0),
            What.STAND_UP: (shipper, "tilt_deg", 0.0),
            What.PROBE_SHORT: (probe, "failure", Failure.SHORT),
            What.PROBE_OPEN: (probe, "failure", Failure.OPEN),
            What.PROBE_BACK: (probe, "failure", None),
        }
        if what is What.UNPLUG:
            return lambda _: self.wire.unplug()
        if what is What.REPLUG:
            return lambda _: self.wire.replug()
        thing, name, value = changes[what]
        return lambda _: setattr(thing, name, value)
