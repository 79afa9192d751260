"""American Magnetics level monitors: 135, 136, 185, 186 in plain words, 187 and 286 in SCPI.

The level comes in the unit of the remote side, which anybody on the line can change. So unit and level
are asked for together, with the unit once more at the end.
Read-only by construction: the module can form the queries below and no command with a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from coldchain.driver import AS_SENT, Line, Maturity, Query, SerialDriver
from coldchain.model import Bad, Decoded, Measured, Noted, Reason
from coldchain_drivers import DATASHEETS
from coldchain_drivers.settings import Baud, Frame, Strict

_END = b"\r\n"
#: Always with a point: a bare "-8" is an error code, and a torn "63" is no level.
_NUMBER = re.compile(rb"[+-]?\d{1,4}\.\d{1,4}")
#: 135/136 manual p. 36: -0 to -9 in place of a value. The minus got lost in one print of the table.
_CODE = re.compile(rb"-\d")
_FILL = re.compile(rb'(\d),"([A-Z_]{2,16})"')
#: 286 manual p. 91: the fill was given up because it took too long.
_EXPIRED = b"4"


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How a family asks, and how it names its units."""

    unit: bytes
    level: bytes
    units: dict[bytes, str]


_PLAIN = _Dialect(b"UNIT", b"LEVEL", {b"C": "cm", b"I": "in", b"%": "%"})
_SCPI = _Dialect(b"UNITS?", b"LEVEL?", {b'0,"PERCENT"': "%", b'1,"INCHES"': "in", b'2,"CM"': "cm"})
_SENSORS_286 = ("A", "B", "C", "D", "CH1", "CH2")

Model = Literal["135", "136", "185", "186", "187", "286"]


class AmiSettings(Strict):
    """Settings of one instrument."""

    model: Model = Field(description="the number on its front, as text: 135, 136, 185, 186, 187 or 286")
    baud: Baud = Field(
        description="bits per second: DIP switches or a menu of the instrument set it, and no rate is usual"
    )
    frame: Frame = Field(description='bits, parity and stop bits, as "8N1": read them off the instrument')
    sensors: Annotated[
        tuple[Literal["A", "B", "C", "D", "CH1", "CH2"], ...], Field(strict=False, max_length=6)
    ] = Field(
        default=(),
        description='286 alone: sensors or channels to read, as ["A", "CH1"]; the key of each is "level_A"',
    )
    fills: Annotated[tuple[Literal["CH1", "CH2"], ...], Field(strict=False, max_length=2)] = Field(
        default=(),
        description='286 alone: channels whose fill is watched, as ["CH1"]: what it does is recorded as text '
        '("fill_CH1"), and "fill_CH1_timeout" is 1 when it was given up because it took too long',
    )
    echo: bool = Field(default=False, description="true: the instrument's echo is switched on")
    request_end: Literal["\r\n", "\n", "\r"] = Field(
        default="\r\n", description="what ends a request; answers end with CR LF, and so does this by default"
    )
    timeout_ms: Annotated[int, Field(ge=100, le=30_000)] = Field(
        default=3000, description="how long an answer may take, in ms; a judgement, no manual states it"
    )

    @model_validator(mode="after")
    def _fits_the_model(self) -> Self:
        if self.model == "286" and not self.sensors:
            raise ValueError('a 286 has several sensors; write sensors = ["A"], or which ones you mean')
        if self.model != "286" and (self.sensors or self.fills):
            raise ValueError(f"a {self.model} has one sensor and fills nothing; leave out sensors and fills")
        if len(set(self.sensors)) < len(self.sensors) or len(set(self.fills)) < len(self.fills):
            raise ValueError("a sensor or channel stands twice")
        return self

    @property
    def dialect(self) -> _Dialect:
        """How this model is asked."""
        return _SCPI if self.model in {"187", "286"} else _PLAIN


def decode(settings: AmiSettings, query: Query | None, frame: bytes) -> Decoded:
    """Read unit, level, unit, or the state of a fill; or the reason why it is none; never raises."""
    if query is None:
        return (Bad(Reason.UNEXPECTED_REPLY, frame),)
    if query.key.startswith("fill_"):
        return _fill(query.key, frame)
    return (_level(settings.dialect, query.key, frame),)


def _level(dialect: _Dialect, key: str, frame: bytes) -> Measured | Bad:
    match frame.split(_END):
        case [_, code, _] if _CODE.fullmatch(code):
            return Bad(Reason.REFUSED, frame, key)
        case [unit, number, again] if _NUMBER.fullmatch(number) and unit in dialect.units:
            if unit != again:  # somebody changes it just now
                return Bad(Reason.NOT_READY, frame, key)
            return Measured(key, number.decode("ascii"), dialect.units[unit])
        case _:
            return Bad(Reason.UNEXPECTED_REPLY, frame, key)


def _fill(key: str, frame: bytes) -> Decoded:
    match = _FILL.fullmatch(frame)
    if match is None:
        return (Bad(Reason.UNEXPECTED_REPLY, frame, key),)
    word = match[2].decode("ascii")
    timed_out = "1" if match[1] == _EXPIRED else "0"
    return (Measured(key, timed_out, "open"), Noted(key.removesuffix("_timeout"), word.lower()))


def _poll(settings: AmiSettings) -> tuple[Query, ...]:
    end = settings.request_end.encode("ascii")
    found = [
        _question(settings.dialect, f"level_{name}", name.encode("ascii") + b":", end)
        for name in settings.sensors
    ] or [_question(settings.dialect, "level", b"", end)]
    fills = [
        Query(f"fill_{name}_timeout", name.encode("ascii") + b":FILL:STATE?" + end) for name in settings.fills
    ]
    return (*found, *fills)


def _question(dialect: _Dialect, key: str, which: bytes, end: bytes) -> Query:
    return Query(key, dialect.unit + end, then=(which + dialect.level + end, dialect.unit + end))


def _keys(settings: AmiSettings) -> dict[str, str]:
    return {query.key: "open" if query.key.startswith("fill_") else AS_SENT for query in _poll(settings)}


DRIVER = SerialDriver(
    name="ami_level",
    version="1",
    title="American Magnetics liquid level monitors (135, 136, 185, 186, 187, 286)",
    maturity=Maturity.VENDOR_DOCUMENT,
    settings=AmiSettings,
    line=lambda s: Line(_END, 80, s.timeout_ms, s.baud, s.frame, echoes=s.echo),
    poll=_poll,
    decode=decode,
    keys=_keys,
    datasheet=DATASHEETS / "ami_level.toml",
    sources=("American Magnetics manuals of the 135/136, 185/186, 187 and 286",),
)
