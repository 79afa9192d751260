"""GPS and GNSS receivers (NMEA 0183): where the box is and how good the fix, recorded and not judged.

A place is no quantity that a limit could stand on, so nothing here is measured: position, validity and fix
are noted as text. Only sentences with a right checksum are read, and a place only from a real fix: empty
fields read as numbers are 0° N, 0° E.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from operator import xor
from typing import Annotated

from pydantic import Field

from coldchain.driver import Line, Maturity, Query, SerialDriver
from coldchain.model import Bad, Decoded, Noted, Reason
from coldchain_drivers import DATASHEETS
from coldchain_drivers.settings import Baud, Frame, Strict

_SENTENCE = re.compile(rb"\$(?P<covered>[A-Z]{2}(?P<kind>GGA|RMC),[ -)+-~]*)\*(?P<check>[0-9A-F]{2})")
_OTHER = re.compile(rb"[$!](?P<covered>[ -)+-~]+)\*(?P<check>[0-9A-F]{2})")
_PLACE = re.compile(r"(\d{2,3})(\d{2}\.\d{1,8})")

#: Field 6 of GGA, by number. From 6 on it is no place that was measured.
_FIXES = ("none", "gps", "differential", "pps", "rtk", "float rtk", "estimated", "manual", "simulated")
_REAL_FIXES = frozenset("12345")
#: Mode in field 12 of RMC, where there is one: autonomous, differential, precise, RTK, float RTK.
_REAL_MODES = frozenset("ADPRF")


class NmeaSettings(Strict):
    """Settings of one receiver."""

    baud: Baud = Field(
        description="as set on the receiver: 4800 in the standard, 9600 or more in most modules, and a USB "
        "receiver takes any"
    )
    frame: Frame = Field(default="8N1", description="8N1 in the standard")
    decimals: Annotated[int, Field(ge=1, le=5)] = Field(
        default=3,
        description="decimals of a degree that are recorded. 3 (about 100 m) tells warehouses apart; "
        "with more, a box at rest is recorded every minute, for its fix wanders",
    )


def decode(settings: NmeaSettings, query: Query | None, frame: bytes) -> Decoded:
    """Read one sentence as notes, or as nothing of ours, or as the reason why it is none; never raises."""
    match = _SENTENCE.fullmatch(frame) or _OTHER.fullmatch(frame)
    if match is None:
        return (Bad(Reason.CORRUPT_FRAME, frame),)
    if reduce(xor, match["covered"], 0) != int(match["check"], 16):
        return (Bad(Reason.BAD_CHECKSUM, frame),)
    kind = match.groupdict().get("kind")
    if kind is None:
        return ()
    fields = match["covered"].decode("ascii").split(",")
    said = _gga(settings, fields) if kind == b"GGA" else _rmc(settings, fields)
    return (Bad(Reason.CORRUPT_FRAME, frame),) if said is None else said


def _gga(settings: NmeaSettings, fields: list[str]) -> Decoded | None:
    if len(fields) < 15 or not fields[6].isdigit() or int(fields[6]) >= len(_FIXES):
        return None
    fix = Noted("fix", _FIXES[int(fields[6])])
    if fields[6] not in _REAL_FIXES:
        return (fix,)
    place = _place(settings, fields[2:6])
    return None if place is None else (fix, Noted("position", place))


def _rmc(settings: NmeaSettings, fields: list[str]) -> Decoded | None:
    if len(fields) < 12 or fields[2] not in {"A", "V"}:
        return None
    at_ms = _at_ms(fields[9], fields[1])
    real = fields[2] == "A" and (len(fields) < 13 or fields[12] in _REAL_MODES)
    valid = Noted("valid", "yes" if real else "no", at_ms)
    if not real:
        return (valid,)
    place = _place(settings, fields[3:7])
    return None if place is None or at_ms is None else (valid, Noted("position", place, at_ms))


def _place(settings: NmeaSettings, fields: list[str]) -> str | None:
    """Degrees north and east as text; None if the four fields are no place."""
    north, south_or_north, east, west_or_east = fields
    latitude = _degrees(north, south_or_north, "NS", 90, settings.decimals)
    longitude = _degrees(east, west_or_east, "EW", 180, settings.decimals)
    return None if latitude is None or longitude is None else f"{latitude}, {longitude}"


def _degrees(text: str, side: str, sides: str, most: int, decimals: int) -> str | None:
    match = _PLACE.fullmatch(text)
    if match is None or side not in set(sides):
        return None
    minutes = Decimal(match[2])
    degrees = int(match[1]) + minutes / 60
    if minutes >= 60 or degrees > most:
        return None
    signed = round(-degrees if side == sides[1] else degrees, decimals)
    return f"{signed or abs(signed)}"


def _at_ms(date: str, time: str) -> int | None:
    """UTC in ms of ddmmyy and hhmmss.sss; None if they are none. The year has two digits: 20yy."""
    match = re.fullmatch(r"(\d{6})(?:\.(\d{1,3}))?", time, re.ASCII)
    if match is None or re.fullmatch(r"\d{6}", date, re.ASCII) is None:
        return None
    try:
        moment = datetime.strptime(f"{date[:4]}20{date[4:]}{match[1]}", "%d%m%Y%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * 1000 + int((match[2] or "0").ljust(3, "0"))


DRIVER = SerialDriver(
    name="nmea0183",
    version="1",
    title="GPS and GNSS receivers (NMEA 0183): position and fix, recorded",
    maturity=Maturity.SECOND_HAND,
    settings=NmeaSettings,
    # The standard ends a sentence after 82 characters; multi-band receivers are known to exceed it.
    line=lambda s: Line(b"\r\n", 160, 1000, s.baud, s.frame),
    poll=lambda s: (),
    decode=decode,
    keys=lambda s: {},
    datasheet=DATASHEETS / "nmea0183.toml",
    sources=("NMEA 0183 sentences GGA and RMC, from public descriptions; checksums tried",),
)
