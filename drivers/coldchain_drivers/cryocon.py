"""Cryo-con monitors and controllers (12C, 14C, 18C, 24C): each reading with the unit it is displayed in.

A reading comes in the unit of the display, which anybody can change at the front panel, also to volts or
ohms. So unit, reading and alarm are asked for together, with the unit once more at the end.
Read-only by construction: the module can form `*IDN?` and three queries of an input.
"""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import Field, model_validator

from coldchain.driver import AS_SENT, Line, Maturity, Query, SerialDriver
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain_drivers import DATASHEETS
from coldchain_drivers.settings import Baud, Frame, Strict

_END = b"\r\n"
_NUMBER = re.compile(rb"[+-]?\d{1,4}\.\d{1,6}")
#: Dashes or dots alone: no reading. What distinguishes the two was not published.
_NO_READING = re.compile(rb"[-.]{2,20}")
_UNITS = {b"K": "K", b"C": "C", b"F": "F"}
_ALARM = re.compile(rb"--|SF|HI|LO")


class CryoconSettings(Strict):
    """Settings of one instrument."""

    inputs: Annotated[tuple[Annotated[str, Field(pattern=r"^[A-H]$")], ...], Field(strict=False)] = Field(
        min_length=1,
        description='the inputs that have a probe, as ["A", "B"]; the key of each is "input_A". '
        "Which inputs there are differs between models, so none is a default",
    )
    baud: Baud = Field(default=9600, description="as set on the instrument; 9600 as in the manual")
    frame: Frame = Field(default="8N1", description="as set on the instrument; 8N1 as in the manual")
    identity_pattern: str = Field(
        default=r"(?i:Cryo-?con)[ -~]*",
        max_length=200,
        description="regular expression of the whole *IDN? answer; its words were not published, so narrow "
        'it to what yours says, as "Cryo-con,18C,.*"',
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.inputs)) < len(self.inputs):
            raise ValueError("an input stands twice in inputs")
        try:
            re.compile(self.identity_pattern)
        except re.error as cause:
            raise ValueError(f"identity_pattern is no regular expression: {cause}") from cause
        return self


def decode(settings: CryoconSettings, query: Query | None, frame: bytes) -> Decoded:
    """Read unit, reading, alarm, unit as one value or the reason why it is none; never raises."""
    if query is None:
        return (Bad(Reason.UNEXPECTED_REPLY, frame),)
    return (_read(query.key, frame),)


def _read(key: str, frame: bytes) -> Measured | Bad:
    match frame.split(_END):
        case [_, _, b"SF", _]:
            return Bad(Reason.SENSOR_FAULT, frame, key)
        case [_, reading, _, _] if _NO_READING.fullmatch(reading):
            return Bad(Reason.SENSOR_FAULT, frame, key)
        case [b"NAK", *_] | [_, b"NAK", *_]:
            return Bad(Reason.REFUSED, frame, key)  # there is no such input
        case [unit, reading, alarm, again] if _NUMBER.fullmatch(reading) and _ALARM.fullmatch(alarm):
            if unit != again:  # somebody changes it just now
                return Bad(Reason.NOT_READY, frame, key)
            if unit not in _UNITS:  # S: volts or ohms of the sensor
                return Bad(Reason.UNKNOWN_UNIT, frame, key)
            return Measured(key, reading.decode("ascii"), _UNITS[unit])
        case _:
            return Bad(Reason.UNEXPECTED_REPLY, frame, key)


def _poll(settings: CryoconSettings) -> tuple[Query, ...]:
    return tuple(_question(name) for name in settings.inputs)


def _question(name: str) -> Query:
    which = name.encode("ascii")
    unit = b"INP " + which + b":UNIT?\n"
    return Query(f"input_{name}", unit, then=(b"INP? " + which + b"\n", b"INP " + which + b":ALARM?\n", unit))


def _identify(settings: CryoconSettings, query: Query, frame: bytes) -> str | None:
    text = frame.decode("ascii", errors="replace")
    if len(frame) > _REPLY_BYTES_MAX or not re.fullmatch(settings.identity_pattern, text):
        return f'*IDN? was answered with "{text[:40]}", which does not fit identity_pattern'
    return None


_REPLY_BYTES_MAX = 80

DRIVER = SerialDriver(
    name="cryocon",
    version="1",
    title="Cryo-con temperature monitors and controllers (12C, 14C, 18C, 24C)",
    maturity=Maturity.SECOND_HAND,
    settings=CryoconSettings,
    line=lambda s: Line(_END, _REPLY_BYTES_MAX, 2000, s.baud, s.frame),  # 2 s: a judgement
    poll=_poll,
    decode=decode,
    keys=lambda s: {f"input_{name}": AS_SENT for name in s.inputs},
    identity=lambda s: (Query("identity", b"*IDN?\n"),),
    identify=_identify,
    datasheet=DATASHEETS / "cryocon.toml",
    sources=(
        "Cryo-con Model 24C manual, pp. 129-130",
        "pyLabLib, Cryocon/base.py: line ends, dashes and dots, NAK",
    ),
)
