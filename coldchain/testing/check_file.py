"""A check file: a profile, what measures, series of readings, and what is to be said of them.

TOML or YAML, by its ending. All that is wrong in it is reported at once, with file, line, token and mend.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from coldchain.config.document import Document
from coldchain.config.fields import Difference, Duration, Mass, Name, Period, Table, Text, Value, said
from coldchain.config.positions import Place
from coldchain.config.problems import ConfigError, Problem, listed, nearest
from coldchain.config.profile_file import Profile, missing_figures, read_profile
from coldchain.config.settings import SiteFigure
from coldchain.facts import Fact
from coldchain.logged import GAP_STEPS
from coldchain.plan import LANE, PAIR, Rule
from coldchain.profiles.load import find, is_file
from coldchain.reports import Verdict
from coldchain.testing.events import Event, event
from coldchain.testing.notation import Series, Unreadable, series
from coldchain.testing.saying import Expected, expected
from coldchain.testing.yaml_document import YamlDocument
from coldchain.units import QUANTITIES, Quantity, QuantityName

#: When a case begins that does not say so.
START = datetime(2026, 1, 1, tzinfo=UTC)
_YAML = {".yaml", ".yml"}


class CheckChannel(Table):
    """What measures a role: how often, and after how long a reading counts no more."""

    interval: Period = Field(examples=["1 min"])
    max_gap: Period | None = None
    fresh_within: Period | None = None
    quantity: QuantityName = "temperature"
    unit: str = ""
    probe: Literal["air", "buffered", "vapour", "liquid"] | None = None
    valid_low: Value | None = None
    valid_high: Value | None = None
    uncertainty: Difference | None = None


class CheckVessel(Table):
    """What the profile asks of the vessel: its own figures, and which probe stands in for which."""

    tare_mass: Mass | None = None
    loss_per_day: Mass | None = None
    qualified_hold: Period | None = None
    reserve: dict[Name, Name] = Field(default={})


class CheckCase(Table):
    """One story and how it must end."""

    name: Text = Field(examples=["door left open"])
    series: str | dict[Name, str] = Field(examples=["5 for 3h, ramp to 12 over 1h"])
    stage: str = ""
    events: tuple[str, ...] = Field(default=(), strict=False)
    expect: tuple[str, ...] = Field(strict=False, examples=['["nothing"]'])
    verdict: Annotated[Verdict, Field(strict=False, examples=["inside"])]
    until: Duration | None = None
    start: str = ""


class JudgedBy(Table):
    """What judges, and what it must be told of the site: the head of a check file and of a scenario."""

    title: str = ""
    profile: Text = Field(examples=["fridge-2-8-buffered"])
    stage: str = ""
    figures: dict[Name, SiteFigure] = Field(default={})
    vessel: CheckVessel = CheckVessel()


class CheckHead(JudgedBy):
    """A check file as a whole."""

    channels: dict[Name, CheckChannel] = Field(default={})
    cases: tuple[dict[str, Any], ...] = Field(strict=False, description="[[cases]], one for each story")

    @model_validator(mode="after")
    def _fits(self) -> CheckHead:
        if not self.cases:
            raise said("has no case", "write at least one")
        return self


@dataclass(frozen=True)
class Channel:
    """A role and what measures it; times in ms, values in the quantity's quantum."""

    role: str
    settings: CheckChannel

    @property
    def quantity(self) -> Quantity:
        """What it measures."""
        return QUANTITIES[self.settings.quantity]

    @property
    def max_gap_ms(self) -> int:
        """How long a reading counts; three intervals unless told."""
        told = self.settings.max_gap
        return GAP_STEPS * self.settings.interval if told is None else told


@dataclass(frozen=True)
class Case:
    """A case as read. `facts`: what else arrives, and how many ms after the start."""

    name: str
    line: int
    stage: str
    start_ms: int
    series: dict[str, Series]
    events: tuple[Event, ...]
    expected: tuple[Expected, ...]
    verdict: Verdict
    until_ms: int | None = None
    facts: tuple[tuple[int, Fact], ...] = ()

    @property
    def length_ms(self) -> int:
        """How long it lasts after its start."""
        return max([*(each.length_ms for each in self.series.values()), self.until_ms or 0])


@dataclass(frozen=True)
class CheckFile:
    """A check file as read: its profile, its channels by role, its cases."""

    document: Document
    title: str
    profile: Profile
    channels: dict[str, Channel]
    cases: tuple[Case, ...]
    figures: dict[str, SiteFigure] = field(default_factory=dict)
    vessel: CheckVessel = field(default_factory=CheckVessel)

    def with_cases(self, cases: Iterable[Case]) -> CheckFile:
        """The same file with these cases only."""
        return replace(self, cases=tuple(cases))


def read_check(path: Path, folders: Sequence[Path] = ()) -> CheckFile:
    """Read a check file and the profile that it names; raises ConfigError with all that is wrong.

    folders: where the site's profiles lie, beside those that came with the program.
    """
    document = open_document(path)
    head = document.validate(CheckHead, document.data)
    if head is None:
        document.raise_problems()
    assert head is not None, "else a problem was raised"
    profile = named_profile(document, head, path.parent, folders)
    reader = CaseReader(document, head, profile, head.channels)
    cases = []
    for index, given in enumerate(head.cases):
        place: Place = ("cases", index)
        read = document.validate(CheckCase, dict(given), place)
        case = None if read is None else reader.case(place, read)
        cases += [] if case is None else [case]
    document.raise_problems()
    return CheckFile(
        document, head.title, profile, reader.channels, tuple(cases), dict(head.figures), head.vessel
    )


def roles_of(rules: Iterable[Rule]) -> set[str]:
    """The roles that somebody must measure for these rules: of a pair both, of a rule about the lane none."""
    return {role for rule in rules for role in rule.role.split(PAIR) if role != LANE}


def open_document(path: Path) -> Document:
    """A TOML or YAML file, by its ending; raises ConfigError if it cannot be read."""
    kind = YamlDocument if path.suffix.lower() in _YAML else Document
    return kind.read(path, shown=str(path))


def named_profile(document: Document, head: JudgedBy, base: Path, folders: Sequence[Path]) -> Profile:
    """The profile by its id, or as a file whose path starts at the check file."""
    named = head.profile
    try:
        found = find(base / named if is_file(named) else named, folders)
    except ConfigError as error:
        document.refuse(("profile",), error.problems[0].what, error.problems[0].mend)
        raise ConfigError(document.problems) from error
    for figure, title in missing_figures(found, head.figures).items():
        document.refuse(
            ("figures", figure),
            f"is missing: profile {named} asks for the site's own figure ({title})",
            f"write [figures.{figure}] with value, source and approved_by",
        )
    document.raise_problems()

    def wrong_figure(figure: str, what: str, mend: str) -> Problem:
        return document.problem(("figures", figure, "value"), what, mend)

    return read_profile(found, head.figures, wrong_figure)


class CaseReader:
    """Reads cases against the head of their file."""

    def __init__(
        self, document: Document, head: JudgedBy, profile: Profile, channels: Mapping[str, CheckChannel]
    ) -> None:
        self._document, self._head, self._profile = document, head, profile
        self.channels = {role: Channel(role, settings) for role, settings in channels.items()}
        self._stages = list(profile.head.stages)
        for role, settings in channels.items():
            units = QUANTITIES[settings.quantity].units
            if settings.unit and settings.unit not in units:
                document.refuse(
                    ("channels", role, "unit"),
                    f'"{settings.unit}" is no unit of {settings.quantity}',
                    f"write one of {', '.join(units)}",
                )
        for figure in head.figures:
            if figure not in profile.head.figures:
                self._unknown(
                    ("figures", figure), f'profile {profile.head.id} has no figure "{figure}"', figure,
                    profile.head.figures,
                )  # fmt: skip
        roles = {role for stage in profile.plan.stages for role in roles_of(stage.rules)}
        if roles and not channels:
            document.refuse(
                ("channels",),
                "is missing",
                f'write [channels.{min(roles)}] with interval = "…", and so for each role of the rules',
            )
        roles |= {role for pair in head.vessel.reserve.items() for role in pair}
        for role in channels:
            if roles and role not in roles:
                self._unknown(
                    ("channels", role),
                    f'profile {profile.head.id} has no rule for role "{role}"',
                    role,
                    roles,
                )

    def case(self, place: Place, read: CheckCase) -> Case | None:
        """A case that stands at this place; None if it is wrong, the problems noted."""
        before = len(self._document.problems)
        step_ms = min((each.settings.interval for each in self.channels.values()), default=60_000)
        case = Case(
            name=read.name,
            line=self._document.line(place),
            stage=self._stage(read, place),
            start_ms=self._start(read, place),
            series=self._series(read, place),
            events=tuple(
                each
                for number, text in enumerate(read.events)
                if (each := self._event((*place, "events", number), text)) is not None
            ),
            expected=tuple(
                line
                for number, text in enumerate(read.expect)
                if (line := self._expected((*place, "expect", number), text, step_ms)) is not None
            ),
            verdict=read.verdict,
            until_ms=read.until,
        )
        return case if len(self._document.problems) == before else None

    def _stage(self, read: CheckCase, place: Place) -> str:
        stage = read.stage or self._head.stage
        if not stage and len(self._stages) == 1:
            return self._stages[0]
        where: Place = (*place, "stage") if read.stage else ("stage",)
        if not stage:
            self._document.refuse(
                where,
                f"profile {self._profile.head.id} has several stages",
                f"write stage: {listed(self._stages)}",
            )
        elif stage not in self._stages:
            self._unknown(
                where, f'profile {self._profile.head.id} has no stage "{stage}"', stage, self._stages
            )
        return stage

    def _start(self, read: CheckCase, place: Place) -> int:
        if not read.start:
            return round(START.timestamp() * 1000)
        try:
            start = datetime.fromisoformat(read.start)
        except ValueError:
            start = datetime.min  # noqa: DTZ901 - a time without an offset, which is refused below
        if start.tzinfo is None:
            self._document.refuse(
                (*place, "start"),
                f'"{read.start}" is no time with an offset',
                'write one such as "2026-03-01T08:00+01:00"',
            )
            return 0
        return round(start.timestamp() * 1000)

    def _series(self, read: CheckCase, place: Place) -> dict[str, Series]:
        where: Place = (*place, "series")
        if isinstance(read.series, str):
            if len(self.channels) != 1:
                mend = f"write one series for each: series.{next(iter(self.channels), 'ROLE')} = …"
                self._document.refuse(where, f"does not say which of {listed(self.channels)} it is", mend)
                return {}
            given = dict.fromkeys(self.channels, (where, read.series))
        else:
            given = {role: ((*where, role), text) for role, text in read.series.items()}
        found = {}
        for role, (at, text) in given.items():
            if role not in self.channels:
                self._unknown(at, f'there is no channel "{role}"', role, self.channels)
                continue
            try:
                found[role] = series(text, step_ms=self.channels[role].settings.interval)
            except Unreadable as error:
                self._document.refuse(at, f'"{error.token}" {error.what}', error.mend)
        return found

    def _event(self, place: Place, text: str) -> Event | None:
        try:
            found = event(text)
        except Unreadable as error:
            self._document.refuse(place, f'"{error.token}" {error.what}', error.mend)
            return None
        if found.stage and found.stage not in self._stages:
            self._unknown(
                place,
                f'profile {self._profile.head.id} has no stage "{found.stage}"',
                found.stage,
                self._stages,
            )
        if found.role and found.role not in self.channels:
            self._unknown(place, f'there is no channel "{found.role}"', found.role, self.channels)
        return found

    def _expected(self, place: Place, text: str, step_ms: int) -> Expected | None:
        try:
            found = expected(text, step_ms=step_ms)
        except Unreadable as error:
            self._document.refuse(place, f'"{error.token}" {error.what}', error.mend)
            return None
        rules = {rule.id for stage in self._profile.plan.stages for rule in stage.rules} | {
            "silence",
            "clock",
        }
        name = found.name.rpartition("/")[2]
        if name and name not in rules and not found.name.startswith(("port:", "gateway/")):
            self._unknown(place, f'profile {self._profile.head.id} has no rule "{name}"', name, rules)
        return found

    def _unknown(
        self, place: Place, what: str, word: str, known: Mapping[str, Any] | Sequence[str] | set[str]
    ) -> None:
        meant = nearest(word, known)
        self._document.refuse(
            place, what, f'did you mean "{meant}"?' if meant else f"there are: {listed(known)}"
        )
