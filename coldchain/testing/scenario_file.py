"""A scenario as a document: a lane or a store, what happens there, and what must be said of it.

It is a check (check_file.py) whose readings are not written but played: by a vessel with sensors, a logger, a
network and a gateway (coldchain_simulators). All that is wrong in it is reported at once, with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from coldchain.config.document import Document
from coldchain.config.fields import Duration, Name, Table, Text, Value
from coldchain.config.library import shipped_folder
from coldchain.config.positions import Place
from coldchain.config.problems import ConfigError, Problem, listed, nearest
from coldchain.reports import Verdict
from coldchain.testing.check_file import (
    Case,
    CaseReader,
    CheckCase,
    CheckChannel,
    CheckFile,
    JudgedBy,
    named_profile,
    open_document,
)
from coldchain.testing.notation import LENGTH, Unreadable, duration_ms
from coldchain.units import QUANTITIES
from coldchain_simulators.carrier import Carrier
from coldchain_simulators.scenes import VESSELS, Scene, Sensor, Unknown
from coldchain_simulators.story import Crossing, Happens, Story

_HAPPENS = re.compile(rf"at\s+(?P<at>{LENGTH}|0)\s*(?P<words>\S.*)")
_TRUTH = re.compile(
    rf"(?P<place>[\w-]+) (?:stays below (?P<below>-?[\d.]+) °C"
    rf"|reaches (?P<reaches>-?[\d.]+) °C between (?P<low>{LENGTH}|0)\s*and (?P<high>{LENGTH}))"
)


class SensorChannel(CheckChannel):
    """What measures a role: as in a check, and what it hangs in. `noise`: in the unit that it sends."""

    of: Text = Field(examples=["vapour"])
    time_constant: Duration = 30_000
    noise: float = Field(default=0.03, ge=0, strict=False)
    decimals: int = Field(default=2, ge=0, le=6)

    @property
    def sensor(self) -> Sensor:
        """The sensor that it is."""
        return Sensor(
            of=self.of, time_constant_s=self.time_constant / 1000, noise=self.noise, decimals=self.decimals
        )


class SceneTable(Table):
    """The vessel and how it stands at the start; what is left out is the model's own."""

    kind: Literal["dry_shipper", "ln2_freezer", "refrigerator", "passive_box", "room"]
    surroundings: Value | None = None
    charge: float | None = Field(default=None, gt=0, le=1, strict=False)
    hold: Duration | None = None
    level: Value | None = None
    supply_litres: float | None = Field(default=None, ge=0, strict=False)
    packs: Value | None = None
    frozen: float | None = Field(default=None, ge=0, le=1, strict=False)
    defrosts: bool | None = None

    @property
    def around_c(self) -> float:
        """How warm it is around the vessel at the start."""
        return 20.0 if self.surroundings is None else _number(self.surroundings)

    def settings(self) -> dict[str, Any]:
        """What the vessel is made with."""
        given = {
            "charge": self.charge,
            "hold_d": None if self.hold is None else self.hold / 86_400_000,
            "level_mm": None if self.level is None else _number(self.level),
            "supply_l": self.supply_litres,
            "packs_c": None if self.packs is None else _number(self.packs),
            "frozen": self.frozen,
            "defrosts": self.defrosts,
        }
        return {name: value for name, value in given.items() if value is not None}


class CarrierTable(Table):
    """What lies between the sensors and the gateway. `memory`: how many measurements the logger keeps."""

    memory: int = Field(default=10_000, ge=0)


class ScenarioHead(JudgedBy):
    """A scenario file as a whole."""

    title: Text
    story: Text
    source: Text
    kind: Literal["calm", "physics", "sensor", "history", "network", "clock"] = "physics"
    start: str = ""
    until: Duration
    scene: SceneTable
    carrier: CarrierTable = CarrierTable()
    channels: dict[Name, SensorChannel]
    happens: tuple[str, ...] = Field(default=(), strict=False)
    events: tuple[str, ...] = Field(default=(), strict=False)
    truth: tuple[str, ...] = Field(default=(), strict=False)
    expect: tuple[str, ...] = Field(strict=False)
    verdict: Annotated[Verdict, Field(strict=False)]


@dataclass(frozen=True)
class Truth:
    """What is really true of a place: that it gets as warm as that between two times, or never (None)."""

    text: str
    crossing: Crossing
    low_ms: int | None = None
    high_ms: int | None = None

    def holds(self, first_ms: int | None) -> bool:
        """Whether it was so."""
        if self.low_ms is None or self.high_ms is None:
            return first_ms is None
        return first_ms is not None and self.low_ms <= first_ms <= self.high_ms


@dataclass(frozen=True)
class Scenario:
    """A scenario as read. `check` holds its profile and the one case that is to be played."""

    name: str
    head: ScenarioHead
    check: CheckFile
    happens: tuple[Happens, ...]
    truth: tuple[Truth, ...]
    document: Document = field(repr=False)

    @property
    def case(self) -> Case:
        """What is expected."""
        return self.check.cases[0]

    def story(self, seed: int) -> Story:
        """The scenario ready to be played; raises Unknown if something in it cannot be."""
        head = self.head
        vessel = VESSELS[head.scene.kind](**head.scene.settings())
        sensors = {role: channel.sensor for role, channel in head.channels.items()}
        return Story(
            Scene(vessel, sensors, seed, head.scene.around_c),
            Carrier(head.carrier.memory),
            {role: channel.interval for role, channel in head.channels.items()},
            self.happens,
            [each.crossing for each in self.truth],
        )


def shipped_scenarios() -> dict[str, Path]:
    """The scenarios that came with the program, by name."""
    return {path.stem: path for path in sorted((shipped_folder() / "scenarios").glob("*.toml"))}


def find_scenario(named: str, folders: Sequence[Path] = ()) -> Scenario:
    """A scenario by its name among the shipped, or by its file; raises ConfigError."""
    if "/" in named or named.endswith((".toml", ".yaml", ".yml")):
        return read_scenario(Path(named), folders)
    shipped = shipped_scenarios()
    if named not in shipped:
        meant = nearest(named, shipped)
        mend = f'did you mean "{meant}"?' if meant else "see: coldchain scenarios list"
        raise ConfigError([Problem(named, 1, "", "there is no such scenario", mend)])
    return read_scenario(shipped[named], folders)


def read_scenario(path: Path, folders: Sequence[Path] = ()) -> Scenario:
    """Read a scenario file and the profile that it names; raises ConfigError with all that is wrong.

    folders: where the site's profiles lie, beside those that came with the program.
    """
    document = open_document(path)
    head = document.validate(ScenarioHead, document.data)
    if head is None:
        document.raise_problems()
    assert head is not None, "else a problem was raised"
    profile = named_profile(document, head, path.parent, folders)
    reader = CaseReader(document, head, profile, head.channels)
    expected = CheckCase(
        name=head.title,
        series={},
        events=head.events,
        expect=head.expect,
        verdict=head.verdict,
        start=head.start,
    )
    case = reader.case((), expected.model_copy(update={"until": head.until}))
    happens = tuple(
        each for at, text in enumerate(head.happens) if (each := _happens(document, at, text)) is not None
    )
    truth = tuple(
        one for at, text in enumerate(head.truth) if (one := _truth(document, at, text)) is not None
    )
    document.raise_problems()
    assert case is not None, "else a problem was raised"
    check = CheckFile(
        document, head.title, profile, reader.channels, (case,), dict(head.figures), head.vessel
    )
    scenario = Scenario(path.stem, head, check, happens, truth, document)
    _try(document, scenario)
    return scenario


def played(scenario: Scenario, case: Case) -> CheckFile:
    """The scenario's check with the case as it was played."""
    return replace(scenario.check, cases=(case,))


def _number(value: Any) -> float:
    return QUANTITIES[value.quantity].to_float(value.quanta)


def _happens(document: Document, at: int, text: str) -> Happens | None:
    match = _HAPPENS.fullmatch(text.strip())
    if match is None:
        document.refuse(("happens", at), f'"{text}" is nothing that happens', 'write such as "at 2h lid off"')
        return None
    try:
        return Happens(duration_ms(match["at"]), match["words"].strip())
    except Unreadable as error:
        document.refuse(("happens", at), f'"{error.token}" {error.what}', error.mend)
        return None


def _truth(document: Document, at: int, text: str) -> Truth | None:
    match = _TRUTH.fullmatch(text.strip().replace("−", "-"))
    if match is None:
        mend = 'write "vapour stays below -150 °C" or "vapour reaches -150 °C between 2d and 3d"'
        document.refuse(("truth", at), f'"{text}" is no truth', mend)
        return None
    if match["below"] is not None:
        return Truth(text, Crossing(match["place"], float(match["below"])))
    crossing = Crossing(match["place"], float(match["reaches"]))
    return Truth(text, crossing, duration_ms(match["low"]), duration_ms(match["high"]))


def _try(document: Document, scenario: Scenario) -> None:
    """Refuse what the scene does not know: a sensor's place, a happening, a setting of another vessel."""
    try:
        vessel = VESSELS[scenario.head.scene.kind](**scenario.head.scene.settings())
    except TypeError:
        known = {
            "dry_shipper": "charge, hold",
            "ln2_freezer": "level, supply_litres",
            "passive_box": "packs, frozen",
        }
        mend = known.get(scenario.head.scene.kind, "defrosts for a refrigerator only")
        document.refuse(
            ("scene",), f"has a setting that a {scenario.head.scene.kind} has not", f"there are: {mend}"
        )
        raise ConfigError(document.problems) from None
    places = {*vessel.places(), *vessel.scalars()}
    for at, truth in enumerate(scenario.truth):
        _known(document, ("truth", at), truth.crossing.place, places)
    for role, channel in scenario.head.channels.items():
        _known(document, ("channels", role, "of"), channel.of, {*places, "room", "neighbour"})
    document.raise_problems()
    for at, each in enumerate(scenario.happens):
        try:
            replace(scenario, happens=(each,)).story(0)
        except Unknown as error:
            meant = nearest(each.words, error.known)
            mend = f'did you mean "{meant}"?' if meant else f"there are: {', '.join(error.known)}"
            document.refuse(("happens", at), f'nothing here is called "{each.words}"', mend)
    document.raise_problems()


def _known(document: Document, place: Place, word: str, known: set[str]) -> None:
    if word not in known:
        document.refuse(place, f'the scene has no "{word}"', f"there are: {listed(sorted(known))}")
