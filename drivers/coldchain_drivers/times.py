"""A device's own time, read strictly: no date order is guessed and no time zone assumed.

What cannot be told for certain is None, which a driver reports as BAD_TIME: an unreadable stamp, a
local time without a stated zone, an hour that a change of daylight saving time repeats or skips.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator

from coldchain.units import exact
from coldchain_drivers.lies import NUMBER

TimeFormat = Literal["epoch_s", "epoch_ms", "iso8601", "iso8601_local"]

_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)
_DIGITS = re.compile(r"\d{1,15}", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 253_402_300_799_999  # the end of the year 9999, where the calendar of `datetime` ends


def event_time_ms(text: str, form: TimeFormat, zone: str | None) -> int | None:
    """UTC in ms of a time as sent, digits below the millisecond cut off; None if it is not certain."""
    if form == "epoch_ms" and _DIGITS.fullmatch(text):
        ms = int(text)
    elif form in {"epoch_s", "epoch_ms"}:
        number = exact(text) if NUMBER.fullmatch(text) else None
        if number is None:
            return None
        ms = int(number * 1000 // 1) if form == "epoch_s" else int(number // 1)
    else:
        match = _ISO.fullmatch(text)
        if match is None:
            return None
        *fields, fraction, offset = match.groups()
        if (offset is None) is (form == "iso8601"):
            return None
        try:
            year, month, day, hour, minute, second = map(int, fields)
            wall = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
            since = _certain(wall, zone_of(offset or zone or ""))
        except (ValueError, OverflowError):
            return None
        if since is None:
            return None
        ms = since // timedelta(milliseconds=1) + int(((fraction or "") + "000")[:3])
    return ms if 0 <= ms <= _LAST_MS else None


def zone_of(name: str) -> tzinfo:
    """The zone of "Z", "+08:00" or "Europe/Berlin"; ValueError if there is none of that name."""
    if name == "Z":
        return UTC
    match = _OFFSET.fullmatch(name)
    if match is not None:
        ahead = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(ahead if match[1] == "+" else -ahead)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError) as cause:
        raise ValueError(f'no time zone "{name}"; write "+08:00" or a name as "Europe/Berlin"') from cause


def _certain(wall: datetime, zone: tzinfo) -> timedelta | None:
    """Time since 1970 if a clock on the wall of this zone showed these digits exactly once."""
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        return None
    return first - _EPOCH


def _checked(name: str) -> str:
    zone_of(name)
    return name


#: A zone by offset or name, checked when the settings are read.
ZoneName = Annotated[str, AfterValidator(_checked)]
