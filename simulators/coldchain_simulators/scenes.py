"""Scenes: a vessel with its surroundings, the probes in it, and the words by which things happen to it.

A scene is moved by `process` and asked by `sample`. What can happen is a text, as a document of a scenario
writes it ("lid off", "vapour short", "surroundings 35"); an unknown one is refused with what there is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from coldchain_simulators.autofill import Autofill, Valve
from coldchain_simulators.physics.dry_shipper import DryShipper, ShipperFigures, Vacuum
from coldchain_simulators.physics.figures import Stretch
from coldchain_simulators.physics.fridge import Door, Fridge, Thermostat
from coldchain_simulators.physics.ln2_freezer import Ln2Freezer
from coldchain_simulators.physics.passive_box import PassiveBox
from coldchain_simulators.physics.probe import Failure, Probe, ProbeFigures
from coldchain_simulators.physics.room import Room
from coldchain_simulators.physics.supply import Supply

Course = tuple[Stretch, ...]
Words = Mapping[str, Callable[[], None]]

#: A neighbour's vapour is always cold: what a probe feels that hangs in the wrong tank.
_NEIGHBOUR_C = -190.0


class Unknown(ValueError):
    """A word of a scene that there is not, with those that there are."""

    def __init__(self, what: str, known: tuple[str, ...]) -> None:
        super().__init__(f'"{what}" is not known; there are: {", ".join(known)}')
        self.what, self.known = what, known


class Vessel(Protocol):
    """A vessel as a scene needs it."""

    def process(self, dt_s: float) -> dict[str, Course]:
        """Let time pass; how the temperature went at each place."""
        ...

    def places(self) -> dict[str, float]:
        """The temperature at each place now (°C)."""
        ...

    def scalars(self) -> dict[str, float]:
        """What else can be measured, by name: mass (kg), level (mm), oxygen (%), pressure (bar)."""
        ...

    def words(self) -> Words:
        """What can happen to it."""
        ...

    def surround(self, celsius: float) -> None:
        """Put it into surroundings of that temperature."""
        ...


def _set(thing: object, name: str, value: object) -> Callable[[], None]:
    return lambda: setattr(thing, name, value)


class ShipperScene:
    """A dry shipper on its way. Settings: `charge` (share of a full charge), `hold_d` (static hold, days)."""

    def __init__(self, charge: float = 1.0, hold_d: float = 10.0) -> None:
        self.body = DryShipper(ShipperFigures(static_hold_d=hold_d))
        self.body.ln2_kg *= charge

    def process(self, dt_s: float) -> dict[str, Course]:
        return {"vapour": self.body.process(dt_s)}

    def places(self) -> dict[str, float]:
        return {"vapour": self.body.vapour_c}

    def scalars(self) -> dict[str, float]:
        return {"mass": self.body.mass_kg, "tilt": self.body.tilt_deg, "lid": float(self.body.lid_open)}

    def words(self) -> Words:
        return {
            "vacuum lost": _set(self.body, "vacuum", Vacuum.LOST),
            "vacuum leaking": _set(self.body, "vacuum", Vacuum.LEAKING),
            "lid off": _set(self.body, "lid_open", True),
            "lid on": _set(self.body, "lid_open", False),
            "on its side": _set(self.body, "tilt_deg", 90.0),
            "upright": _set(self.body, "tilt_deg", 0.0),
            "charged": self.body.charge,
        }

    def surround(self, celsius: float) -> None:
        self.body.ambient_c = celsius


class FreezerScene:
    """A nitrogen freezer with auto-fill. Settings: `level_mm`, `supply_l`."""

    def __init__(self, level_mm: float = 200.0, supply_l: float = 180.0) -> None:
        self.freezer, self.supply = Ln2Freezer(level_mm=level_mm), Supply(content_l=supply_l)
        self.filler = Autofill(self.freezer, self.supply)

    def process(self, dt_s: float) -> dict[str, Course]:
        return {"vapour": self.filler.process(dt_s)}

    def places(self) -> dict[str, float]:
        return {"vapour": self.freezer.vapour_c}

    def scalars(self) -> dict[str, float]:
        return {
            "level": self.freezer.level_mm,
            "pressure": self.supply.pressure_bar,
            "lid": float(self.freezer.lid_open),
        }

    def words(self) -> Words:
        return {
            "vacuum lost": _set(self.freezer, "vacuum_lost", True),
            "lid off": _set(self.freezer, "lid_open", True),
            "lid on": _set(self.freezer, "lid_open", False),
            "supply shut": _set(self.supply, "valve_open", False),
            "supply open": _set(self.supply, "valve_open", True),
            "supply empty": _set(self.supply, "content_l", 0.0),
            "supply changed": self.supply.change,
            "valve stuck open": _set(self.filler, "valve", Valve.STUCK_OPEN),
            "valve stuck shut": _set(self.filler, "valve", Valve.STUCK_SHUT),
            "valve mended": _set(self.filler, "valve", Valve.WORKS),
            "column broken": _set(self.filler, "column_whole", False),
            "mains off": _set(self.filler, "power", False),
            "mains on": _set(self.filler, "power", True),
        }

    def surround(self, celsius: float) -> None:
        self.freezer.ambient_c = celsius


class FridgeScene:
    """A refrigerator between 2 and 8 °C. Settings: `defrosts`."""

    def __init__(self, defrosts: bool = False) -> None:
        self.body = Fridge(defrosts=defrosts)

    def process(self, dt_s: float) -> dict[str, Course]:
        return {"air": self.body.process(dt_s)}

    def places(self) -> dict[str, float]:
        return {"air": self.body.air_c}

    def scalars(self) -> dict[str, float]:
        return {"door": float(self.body.door is not Door.SHUT)}

    def words(self) -> Words:
        return {
            "door open": _set(self.body, "door", Door.OPEN),
            "door ajar": _set(self.body, "door", Door.AJAR),
            "door shut": _set(self.body, "door", Door.SHUT),
            "mains off": _set(self.body, "power", False),
            "mains on": _set(self.body, "power", True),
            "compressor stuck on": _set(self.body, "thermostat", Thermostat.STUCK_ON),
            "compressor dead": _set(self.body, "thermostat", Thermostat.STUCK_OFF),
            "compressor mended": _set(self.body, "thermostat", Thermostat.WORKS),
        }

    def surround(self, celsius: float) -> None:
        self.body.ambient_c = celsius


class BoxScene:
    """A passive box. Settings: `packs_c` (how cold the packs go in), `frozen` (share of them)."""

    def __init__(self, packs_c: float = 5.0, frozen: float = 1.0) -> None:
        self.body = PassiveBox(packs_c=packs_c, frozen=frozen)

    def process(self, dt_s: float) -> dict[str, Course]:
        return {"product": self.body.process(dt_s)}

    def places(self) -> dict[str, float]:
        return {"product": self.body.packs_c}

    def scalars(self) -> dict[str, float]:
        return {"lid": float(self.body.lid_open)}

    def words(self) -> Words:
        return {
            "lid off": _set(self.body, "lid_open", True),
            "lid on": _set(self.body, "lid_open", False),
        }

    def surround(self, celsius: float) -> None:
        self.body.ambient_c = celsius


class RoomScene:
    """A room with nitrogen in it."""

    def __init__(self) -> None:
        self.body = Room()

    def process(self, dt_s: float) -> dict[str, Course]:
        self.body.process(dt_s)
        return {}

    def places(self) -> dict[str, float]:
        return {}

    def scalars(self) -> dict[str, float]:
        return {"oxygen": self.body.oxygen_percent}

    def words(self) -> Words:
        return {
            "tank vents": _set(self.body, "released_l_per_min", 0.75),
            "spill": _set(self.body, "released_l_per_min", 4.0),
            "venting over": _set(self.body, "released_l_per_min", 0.0),
            "fan off": _set(self.body, "ventilated", False),
            "fan on": _set(self.body, "ventilated", True),
        }

    def surround(self, celsius: float) -> None:
        """Its temperature is no matter here."""


#: The kinds of vessel that a scenario can play in.
VESSELS: dict[str, Callable[..., Vessel]] = {
    "dry_shipper": ShipperScene,
    "ln2_freezer": FreezerScene,
    "refrigerator": FridgeScene,
    "passive_box": BoxScene,
    "room": RoomScene,
}

_FAILURES = {failure.value: failure for failure in Failure}
_SURROUNDINGS = re.compile(r"surroundings\s+(-?\d+(?:\.\d+)?)\s*(?:°C)?")
_DRIFT = re.compile(r"drifts\s+(-?\d+(?:\.\d+)?)\s*K a day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """One probe of a scene: what it measures there, how quickly it feels and how noisy it is.

    of: a place of the vessel, "room" or "neighbour", or a scalar; noise: in the unit of what it measures.
    """

    of: str
    time_constant_s: float = 30.0
    noise: float = 0.03
    decimals: int = 2


class Scene:
    """A vessel and its sensors, by role. Times are what `process` is told; noise comes from the seed."""

    def __init__(
        self, vessel: Vessel, sensors: Mapping[str, Sensor], seed: int, surroundings_c: float = 20.0
    ) -> None:
        """Raises Unknown if a sensor measures what is not there."""
        self.vessel = vessel
        self.room_c = surroundings_c
        vessel.surround(surroundings_c)
        self._sensors = dict(sensors)
        self._where: dict[str, str] = {}
        self._probes: dict[str, Probe] = {}
        for role, sensor in sensors.items():
            known = (*self._temperatures(), *vessel.scalars())
            if sensor.of not in known:
                raise Unknown(sensor.of, known)
            felt = self._temperatures().get(sensor.of, 0.0)
            figures = ProbeFigures(
                time_constant_s=sensor.time_constant_s, noise_k=sensor.noise, room_c=surroundings_c
            )
            self._where[role] = sensor.of
            self._probes[role] = Probe(felt, f"{seed} {role}", figures)

    def process(self, dt_s: float) -> None:
        """Let time pass in the vessel and at the probes."""
        courses = self.vessel.process(dt_s)
        for role, probe in self._probes.items():
            here = self._where[role]
            if here in courses:
                probe.feel(courses[here])
            elif here in ("room", "neighbour"):
                celsius = self._temperatures()[here]
                probe.feel((Stretch(dt_s, celsius, celsius),))

    def sample(self, role: str) -> float | None:
        """What the electronics of a sensor show now; None if there is nothing to read."""
        probe, here = self._probes[role], self._where[role]
        scalars = self.vessel.scalars()
        if here in scalars:
            probe.felt_c = scalars[here]
        return probe.sample()

    def true(self, of: str) -> float:
        """What a place or a scalar really is now, whatever any sensor shows."""
        return (self._temperatures() | self.vessel.scalars())[of]

    def decimals(self, role: str) -> int:
        """How many decimals a sensor shows."""
        return self._sensors[role].decimals

    def what(self, words: str) -> Callable[[], None]:
        """What happens by these words; raises Unknown if nothing does."""
        if (match := _SURROUNDINGS.fullmatch(words)) is not None:
            celsius = float(match[1])
            return lambda: self._surround(celsius)
        known = self.vessel.words()
        if words in known:
            return known[words]
        role, _, rest = words.partition(" ")
        if role in self._probes:
            return self._to_probe(role, rest)
        raise Unknown(words, (*known, "surroundings 35", *(f"{role} short" for role in self._probes)))

    def _surround(self, celsius: float) -> None:
        self.room_c = celsius
        self.vessel.surround(celsius)

    def _temperatures(self) -> dict[str, float]:
        return self.vessel.places() | {"room": self.room_c, "neighbour": _NEIGHBOUR_C}

    def _to_probe(self, role: str, words: str) -> Callable[[], None]:
        probe = self._probes[role]
        if words in _FAILURES:
            return _set(probe, "failure", _FAILURES[words])
        if words == "whole":
            return _set(probe, "failure", None)
        if (
            words.startswith("moved to ")
            and (where := words.removeprefix("moved to ")) in self._temperatures()
        ):
            return lambda: self._where.update({role: where})
        if (match := _DRIFT.fullmatch(words)) is not None:
            per_day = float(match[1])
            return lambda: self._drift(role, per_day)
        known = (
            *_FAILURES,
            "whole",
            "drifts 0.5 K a day",
            *(f"moved to {one}" for one in self._temperatures()),
        )
        raise Unknown(f"{role} {words}", tuple(f"{role} {one}" for one in known))

    def _drift(self, role: str, per_day: float) -> None:
        old, sensor = self._probes[role], self._sensors[role]
        old.figures = ProbeFigures(
            time_constant_s=sensor.time_constant_s,
            noise_k=sensor.noise,
            room_c=old.figures.room_c,
            drift_k_per_day=per_day,
        )
