"""What is known of one Modbus device: the form of the data files under config/devices.

A device is data, not code. Each fact names its source, and each source says how far it is to be
trusted; what nobody publishes is left out here and asked of the site (`modbus_settings`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from coldchain.driver import Maturity
from coldchain.units import QUANTITIES, exact
from coldchain_drivers.modbus_numbers import Kind, WordOrder, registers_of
from coldchain_drivers.modbus_wire import Function, Transport
from coldchain_drivers.settings import Baud, FailureReason, Frame, Key, Strict, UnitToken, refused, refused_at

Confidence = Literal["seen", "second_hand", "derived", "judgement"]
#: The words for people.
CONFIDENCE: dict[Confidence, str] = {
    "seen": "read in a document of the vendor",
    "second_hand": "read in what others wrote about the device",
    "derived": "follows from what was read",
    "judgement": "our judgement",
}


def quantity_of(unit: str) -> str:
    """What a unit measures."""
    return next(name for name, quantity in QUANTITIES.items() if unit in quantity.units)


def _decimal(text: str) -> str:
    if exact(text) is None:
        raise refused(f'"{text}" is no plain number', 'write one such as "0.1"')
    return text


def _factor(text: str) -> str:
    if not exact(_decimal(text)):
        raise refused("a scale of nothing", 'write what a step of the register is worth, such as "0.1"')
    return text


_Place = tuple[str | int, ...]
_Complaint = tuple[_Place, PydanticCustomError]

NumberText = Annotated[str, AfterValidator(_decimal)]
Factor = Annotated[str, AfterValidator(_factor)]
SourceName = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$", description="which of [sources] says so")
]
Address = Annotated[int, Field(ge=0, le=65_536)]
UnitId = Annotated[int, Field(ge=0, le=255)]
Text = Annotated[str, Field(min_length=1)]


class SourceTable(Strict):
    """A document or a report, and how far it is to be trusted."""

    title: Text = Field(description="what it is and where in it")
    confidence: Confidence = Field(description=", ".join(CONFIDENCE))


class _Fact(Strict):
    source: SourceName


class Number(_Fact):
    """A number that one source gives."""

    value: int = Field(description="the number")


class FrameFact(_Fact):
    """How characters are framed."""

    value: Frame = Field(description='bits, parity and stop bits, as "8N1"')


class BaudFact(_Fact):
    """The speed as it leaves the factory."""

    value: Baud = Field(description="bits per second")


class UnitIdFact(_Fact):
    """The address as it leaves the factory."""

    value: UnitId = Field(description="1 to 247; 240 and more are used by some vendors")


class LineTable(_Fact):
    """How the device is reached; what is left out is not known."""

    transports: Annotated[tuple[Transport, ...], Field(strict=False, min_length=1)] = Field(
        description="rtu, ascii, tcp"
    )
    baud: BaudFact | None = Field(default=None, description="bits per second as it leaves the factory")
    frame: FrameFact | None = Field(default=None, description="bits, parity and stop bits")
    unit_id: UnitIdFact | None = Field(default=None, description="address as it leaves the factory")
    timeout_ms: Number | None = Field(default=None, description="how long an answer may take, in ms")


class RegistersTable(_Fact):
    """How the vendor counts, and what one request may ask."""

    address_base: Literal[0, 1] = Field(
        description="0: addresses below are sent as they stand; 1: they count from one, and one less is sent"
    )
    word_order: WordOrder = Field(
        default="big", description="of two registers the more (big) or the less (little) significant first"
    )
    registers_max: Annotated[int, Field(ge=1, le=125)] = Field(
        default=125, description="registers in one request at most"
    )


class RangeTable(_Fact):
    """From where to where the device can say something. Its ends, and what lies beyond, are no values."""

    low: NumberText = Field(description="lower end")
    high: NumberText = Field(description="upper end")
    unit: UnitToken = Field(description="unit of both")
    low_reason: FailureReason = Field(default="under_range", description="what the lower end means")
    high_reason: FailureReason = Field(default="over_range", description="what the upper end means")
    why: Text = Field(description="why it ends there, for whoever needs more")

    @model_validator(mode="after")
    def _upwards(self) -> Self:
        low, high = exact(self.low), exact(self.high)
        if low is not None and high is not None and low >= high:
            raise refused(f"low {self.low} is not below high {self.high}", "correct one of them")
        return self


class RegisterPlace(Strict):
    """Where something stands in the device."""

    function: Function = Field(
        description="1 coils, 2 discrete inputs, 3 holding registers, 4 input registers"
    )
    address: Address = Field(description="as the vendor counts, see address_base")
    type: Kind = Field(description="bit, int16, uint16, int32, uint32, float32")

    @model_validator(mode="after")
    def _bits_are_bits(self) -> Self:
        if (self.function <= 2) is not (self.type == "bit"):
            raise refused(
                f"function {self.function} does not read {self.type}",
                'functions 1 and 2 read type = "bit", functions 3 and 4 all others',
            )
        return self


class RegisterTable(RegisterPlace, _Fact):
    """Where something stands in the device, and who says so."""


class PointTable(RegisterTable):
    """One value, or a row of alike ones."""

    title: Text = Field(description="what it is, for people")
    scale: Factor | None = Field(
        default=None, description="what a step is worth; left out: 1, or what a choice of the site says"
    )
    unit: UnitToken | None = Field(
        default=None, description="unit that the device means, if there is but one"
    )
    units: Annotated[tuple[UnitToken, ...], Field(strict=False)] = Field(
        default=(), description="units that it may be set to: the registers do not tell, the site must"
    )
    repeat: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="so many alike: the key gets _1, _2 and so on"
    )
    first: Annotated[int, Field(ge=0, le=100)] = Field(
        default=1, description="the number of the first of them, as the vendor counts"
    )
    step: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=1, description="from the address of one to that of the next"
    )
    range: RangeTable | None = Field(default=None, description="where the device ends")

    @model_validator(mode="after")
    def _has_a_unit(self) -> Self:
        if (self.unit is None) is not (len(self.units) > 1):
            raise refused("has not either unit or several units", "write unit, or units if it may be set")
        of = [self.unit] if self.unit is not None else [*self.units]
        if self.range is not None:
            of.append(self.range.unit)
        if self.repeat > 1 and self.step < registers_of(self.type):
            raise refused(
                "stands upon its neighbour in the row", f"write step = {registers_of(self.type)} or more"
            )
        if len({quantity_of(unit) for unit in of}) > 1:
            raise refused(f"{', '.join(of)} do not measure the same", "correct them")
        return self


class SentinelTable(_Fact):
    """A register content by which the device says that it has no value. Exactly one of the three is given."""

    raw: int | float | None = Field(default=None, description="the content, before the scale; nan for NaN")
    at_or_above: int | None = Field(default=None, description="this content or more")
    at_or_below: int | None = Field(default=None, description="this content or less")
    reason: FailureReason = Field(description="what it means")
    points: Annotated[tuple[Key, ...], Field(strict=False)] = Field(
        default=(), description="tables under [points] that it holds for; left out: all"
    )

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if sum(bound is not None for bound in (self.raw, self.at_or_above, self.at_or_below)) != 1:
            raise refused("not exactly one of raw, at_or_above, at_or_below", "write one of them")
        return self

    def tells(self, raw: float) -> bool:
        """Whether this content is it."""
        if self.raw is not None:
            return raw == self.raw or (math.isnan(self.raw) and math.isnan(raw))
        if self.at_or_above is not None:
            return raw >= self.at_or_above
        return self.at_or_below is not None and raw <= self.at_or_below


class CheckTable(RegisterTable):
    """A register whose content must be right, or no value counts: a constant, a type, a self-test."""

    title: Text = Field(description="what is checked, for people")
    expect: Annotated[tuple[int | float, ...], Field(strict=False, min_length=1)] = Field(
        description="contents that are right"
    )
    otherwise: Text = Field(description="what any other content means and what to do, for people")
    reason: FailureReason | Literal["wrong_device"] = Field(
        default="wrong_device", description="what any other content makes of the values"
    )
    each_round: bool = Field(default=False, description="asked before each round, not only on connecting")
    points: Annotated[tuple[Key, ...], Field(strict=False)] = Field(
        default=(), description="tables under [points] that need it; left out: all"
    )
    step: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None,
        description="each of a row of alike points has a register of its own, so far from one to the next",
    )


class IdentityTable(_Fact):
    """Where the serial number stands, so that a device put in another's place is noticed."""

    function: Literal[3, 4] = Field(description="3 holding registers, 4 input registers")
    address: Address = Field(description="as the vendor counts, see address_base")
    registers: Annotated[int, Field(ge=1, le=16)] = Field(description="how many hold it")
    digits: Literal[2, 4] = Field(description="decimal digits in each register (BCD), from its lower end")
    required: bool = Field(
        default=False, description="the site must state it: it also shows that registers are counted rightly"
    )


class OptionTable(Strict):
    """One answer of the site, and what follows from it."""

    reads: int | float = Field(description="what the register holds then")
    scale: Factor | None = Field(default=None, description="what a step is worth then")
    word_order: WordOrder | None = Field(default=None, description="which register comes first then")
    range: RangeTable | None = Field(default=None, description="where the device ends then")


class ChoiceTable(RegisterTable):
    """A setting of the device by which its numbers mean something else: stated by the site, then checked."""

    title: Text = Field(description="what is asked, for people")
    options: dict[str, OptionTable] = Field(min_length=1, description="by what the site may write")
    points: Annotated[tuple[Key, ...], Field(strict=False)] = Field(
        default=(), description="tables under [points] that it matters for; left out: all"
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """One point: the table it stands in, its place in the row, and its address as the vendor counts."""

    name: str
    table: PointTable
    place: int
    address: int


class DeviceFile(Strict):
    """A whole data file."""

    title: Text = Field(description="make and models")
    maturity: Literal["vendor_vectors", "vendor_document", "second_hand"] = Field(
        description="how sure we are: vendor_vectors, vendor_document, second_hand"
    )
    notes: Annotated[tuple[Text, ...], Field(strict=False)] = Field(
        default=(), description="what people should know"
    )
    unknown: Annotated[tuple[Text, ...], Field(strict=False)] = Field(
        default=(), description="what no source says"
    )
    sources: dict[SourceName, SourceTable] = Field(min_length=1, description="by a short name")
    line: LineTable = Field(description="how it is reached")
    registers: RegistersTable = Field(description="how the vendor counts")
    points: dict[Key, PointTable] = Field(default={}, description="values, by key")
    sentinels: Annotated[tuple[SentinelTable, ...], Field(strict=False)] = Field(
        default=(), description="contents that are no value"
    )
    checks: dict[Key, CheckTable] = Field(default={}, description="what must be right, by key")
    choices: dict[Key, ChoiceTable] = Field(default={}, description="what the site must state, by key")
    identity: IdentityTable | None = Field(default=None, description="where the serial number stands")

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        wrong = [
            *self._unknown_sources((), self),
            *self._unknown_points("sentinels", enumerate(self.sentinels)),
            *self._unknown_points("checks", self.checks.items()),
            *self._unknown_points("choices", self.choices.items()),
            *self._before_the_first(),
        ]
        for name, point in self.points.items():
            if point.scale is not None and any(self.scales_of(name)):
                what = refused("has a scale, and a choice of the site says one, too", "leave out one of them")
                wrong.append((("points", name, "scale"), what))
        if wrong:
            raise refused_at("DeviceFile", wrong)
        return self

    @property
    def how_sure(self) -> Maturity:
        """How sure we are that it is read rightly."""
        return Maturity[self.maturity.upper()]

    @cached_property
    def listed(self) -> dict[str, Listed]:
        """Every point by the key it is asked by; those of a row one by one."""
        found = {}
        for name, table in self.points.items():
            for number in range(table.repeat):
                key = f"{name}_{number + table.first}" if table.repeat > 1 else name
                found[key] = Listed(name, table, number, table.address + number * table.step)
        return found

    def scales_of(self, name: str) -> tuple[str, ...]:
        """What a step of a point may be worth, by the site's choice."""
        of = [choice for choice in self.choices.values() if name in choice.points or not choice.points]
        options = [option for choice in of for option in choice.options.values()]
        return tuple(option.scale for option in options if option.scale is not None)

    def _unknown_sources(self, place: _Place, table: object) -> Iterator[_Complaint]:
        """Every fact, at any depth, whose source is not listed."""
        if isinstance(table, BaseModel):
            for name in type(table).model_fields:
                value = getattr(table, name)
                if name == "source" and value not in self.sources:
                    known = ", ".join(self.sources)
                    what = refused(
                        f'there is no source "{value}"', f"write [sources.{value}], or one of {known}"
                    )
                    yield (*place, name), what
                yield from self._unknown_sources((*place, name), value)
        elif isinstance(table, dict):
            for key, value in table.items():
                yield from self._unknown_sources((*place, key), value)
        elif isinstance(table, tuple):
            for index, value in enumerate(table):
                yield from self._unknown_sources((*place, index), value)

    def _unknown_points(
        self, kind: str, tables: Iterable[tuple[str | int, SentinelTable | CheckTable | ChoiceTable]]
    ) -> Iterator[_Complaint]:
        for name, table in tables:
            for index, key in enumerate(table.points):
                if key not in self.points:
                    what = refused(f'"{key}" is no point', f"points here: {', '.join(self.points) or 'none'}")
                    yield (kind, name, "points", index), what

    def _before_the_first(self) -> Iterator[_Complaint]:
        tables: dict[str, Mapping[str, RegisterTable]]
        tables = {"points": self.points, "checks": self.checks, "choices": self.choices}
        for kind, by_key in tables.items():
            for key, table in by_key.items():
                if table.address < self.registers.address_base:
                    what = refused(
                        "stands before the first register", "correct it, or registers.address_base"
                    )
                    yield (kind, key, "address"), what
