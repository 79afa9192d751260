"""Settings of `ascii_line`: how a site describes the lines of its device."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from coldchain_drivers.lies import Lie
from coldchain_drivers.settings import LIES_HELP, Baud, Frame, Key, LieChoices, Strict, UnitToken, lies_of
from coldchain_drivers.times import TimeFormat, ZoneName


def _is_place(at: str | int) -> str | int:
    if isinstance(at, str) and not 1 <= len(at) <= _NAME_MAX:
        raise ValueError(f"a name has 1 to {_NAME_MAX} characters")
    if isinstance(at, int) and not 1 <= at <= _COLUMNS_MAX:
        raise ValueError(f"columns count from 1 to {_COLUMNS_MAX}")
    return at


_NAME_MAX = 32
_COLUMNS_MAX = 64

Place = Annotated[str | int, AfterValidator(_is_place)]
PLACE_HELP = "name of the pair (layout pairs) or number of the column, from 1 (layout columns)"


class ValueSetting(Strict):
    """One quantity in the line."""

    key: Key = Field(description="name of the quantity; channels refer to it")
    at: Place = Field(description=PLACE_HELP)
    unit: UnitToken | None = Field(
        default=None, description="unit for lines that carry none; a unit in the line always counts as sent"
    )
    lies: LieChoices = Field(default=(), description="as lies of the source, for this quantity alone")


class TimeSetting(Strict):
    """The device's own time in the line."""

    at: Place = Field(description=PLACE_HELP)
    format: TimeFormat = Field(
        description="epoch_s, epoch_ms, iso8601 (with Z or offset), or iso8601_local (needs zone)"
    )
    zone: ZoneName | None = Field(
        default=None, description='for iso8601_local alone: "+08:00" or "Europe/Berlin"'
    )

    @model_validator(mode="after")
    def _zone_goes_with_local_time(self) -> Self:
        if (self.zone is not None) is not (self.format == "iso8601_local"):
            raise ValueError("iso8601_local needs zone, and no other format has one: a zone is never guessed")
        return self


class AsciiSettings(Strict):
    """How the lines of one device look."""

    baud: Baud = Field(description="bits per second, as set on the device")
    frame: Frame = Field(description='bits, parity and stop bits, as "8N1"')
    layout: Literal["pairs", "columns"] = Field(
        description="pairs: name=value; columns: values in a fixed order"
    )
    values: Annotated[tuple[ValueSetting, ...], Field(strict=False, min_length=1)] = Field(
        description="the quantities in the line: a table of key, at, unit, lies"
    )
    separator: Literal[";", ",", "|", " ", "\t"] = Field(
        default=";", description="between pairs or columns; blanks come in runs"
    )
    column_count: Annotated[int, Field(ge=1, le=_COLUMNS_MAX)] | None = Field(
        default=None, description="columns in each line, exactly; needed for layout columns"
    )
    ignore: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(), description="names of pairs that are known and not wanted; any other name spoils the line"
    )
    every_value: bool = Field(
        default=True,
        description="each line carries each value: a missing one is bad; false: it is merely absent",
    )
    prefix: str = Field(
        default="", max_length=32, description="text at the start of each line, not part of the first value"
    )
    time: TimeSetting | None = Field(
        default=None, description="where the device's own time stands; left out: it sends none"
    )
    sequence: Place | None = Field(
        default=None, description="where the device's counter stands: " + PLACE_HELP
    )
    checksum: Literal["none", "xor8", "sum8"] = Field(
        default="none",
        description="two hex digits after * at the end: exclusive or, or sum modulo 256, of all before the *",
    )
    checksum_skips: Annotated[int, Field(ge=0, le=8)] = Field(
        default=0, description="leading bytes that the checksum leaves out, as the $ of NMEA"
    )
    encoding: Literal["ascii", "latin-1", "utf-8"] = Field(
        default="ascii", description="how a degree sign is coded; beyond it only printable ASCII is accepted"
    )
    terminator: Literal["\r\n", "\n", "\r"] = Field(default="\r\n", description="end of each line")
    request: str | None = Field(
        default=None,
        pattern=r"^[ -~]{1,64}\r?\n?$",
        description="text that asks for one line and only reads, its line end included; left out: the device "
        "speaks by itself",
    )
    timeout_ms: Annotated[int, Field(ge=50, le=60_000)] = Field(
        default=3000, description="how long an answer may take, in ms"
    )
    lies: LieChoices = Field(default=(), description=LIES_HELP)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        keys, places = [value.key for value in self.values], self.places
        if len(set(keys)) < len(keys) or len(set(places)) < len(places):
            raise ValueError("a key, and a place in the line, may be used once")
        wanted = str if self.layout == "pairs" else int
        if not all(isinstance(place, wanted) for place in places):
            raise ValueError('at is a name for layout "pairs" and a number for layout "columns"')
        if (self.column_count is None) is not (self.layout == "pairs"):
            raise ValueError('column_count is needed for layout "columns", and only there')
        if self.column_count and max(int(place) for place in places) > self.column_count:
            raise ValueError("a column beyond column_count is used")
        return self

    @property
    def places(self) -> list[str | int]:
        """Every place in the line that is read."""
        found: list[str | int] = [value.at for value in self.values]
        if self.time is not None:
            found.append(self.time.at)
        return found if self.sequence is None else [*found, self.sequence]

    @cached_property
    def lies_by_key(self) -> dict[str, tuple[Lie, ...]]:
        """The lies selected for each quantity."""
        return {value.key: lies_of(value.lies, self.lies) for value in self.values}

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that may stand in a line of pairs."""
        return frozenset(self.ignore).union(place for place in self.places if isinstance(place, str))
