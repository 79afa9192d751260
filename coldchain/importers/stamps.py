"""Times as loggers write them: recognised by shape, without yet deciding which number is the month.

An instant is an epoch: seconds, milliseconds, micro- or nanoseconds since 1970. A civil time is a date
and a time of day on some wall clock, with or without its offset from UTC; where its date is written
in numbers, day and month may be told apart only by looking at the whole file (`dates`).
Names of zones ("CET", "IST") are not read: several zones share each of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

#: Seconds from 2000-01-01 to 2100-01-01: no logger of ours is older, and other numbers are no epochs.
_EPOCH_S = range(946_684_800, 4_102_444_800)
#: An epoch in seconds; a date and a time of day take one character more.
_SHORTEST = 10
#: Digits of an epoch and its units in a second.
_EPOCH_UNITS = {10: 1, 13: 1_000, 16: 1_000_000, 19: 1_000_000_000}
_EPOCH = re.compile(r"(\d{10}|\d{13}|\d{16}|\d{19})(?:\.(\d{1,9}))?", re.ASCII)

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ),
        start=1,
    )
    for name in names.split()
}

# Blanks that do not break, which newer software writes before AM and PM.
_BLANKS = dict.fromkeys(map(ord, "\u00a0\u2009\u202f"), " ")
_YEAR_FIRST = r"(?P<y>\d{4})(?P<s1>[-/.])(?P<m>\d{1,2})(?P=s1)(?P<d>\d{1,2})"
_CJK = r"(?P<cy>\d{4})年(?P<cm>\d{1,2})月(?P<cd>\d{1,2})日"
_COMPACT = r"(?P<ky>\d{4})(?P<km>\d{2})(?P<kd>\d{2})"
_DAY_NAME = r"(?P<nd>\d{1,2})\.?[-/ ]?(?P<nm>[A-Za-z]{3,9})\.?[-/, ]{0,2}(?P<ny>\d{4})"
_NAME_DAY = r"(?P<wm>[A-Za-z]{3,9})\.?[- ](?P<wd>\d{1,2}),?[- ]+(?P<wy>\d{4})"
_YEAR_LAST = r"(?P<a>\d{1,2})(?P<s2>[-/.])(?P<b>\d{1,2})(?P=s2)(?P<c>\d{4})"
_SHORT = r"(?P<p>\d{1,2})(?P<s3>[-/.])(?P<q>\d{1,2})(?P=s3)(?P<r>\d{2})"
_DATE = f"(?:{_YEAR_FIRST}|{_CJK}|{_COMPACT}|{_DAY_NAME}|{_NAME_DAY}|{_YEAR_LAST}|{_SHORT})"
_TIME = (
    r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<F>\d{1,9}))?)?(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
)
_PACKED_TIME = r"(?P<pH>\d{2})(?P<pM>\d{2})(?P<pS>\d{2})?"
_ZONE = r"(?:\s*(?P<utc>Z|UTC|GMT))?(?:\s*(?P<sign>[+\-−])(?P<oh>\d{1,2})(?::?(?P<om>\d{2}))?)?"
_CELL = re.compile(rf"{_DATE}(?:(?:T|\s*,\s*|\s+|_){_TIME}|[T_ -]?{_PACKED_TIME}){_ZONE}", re.ASCII)
_DATE_ALONE = re.compile(_DATE, re.ASCII)
_TIME_ALONE = re.compile(_TIME + _ZONE, re.ASCII)
_ZONE_IN_WORDS = re.compile(
    r"\b(?:UTC|GMT)\s*(?:(?P<sign>[+\-−±])\s*(?P<oh>\d{1,2})(?::?(?P<om>\d{2}))?)?(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Instant:
    """A time that needs no zone: ms since 1970 UTC."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Civil:
    """A date and a time of day as written, in numbers, the date in the order of writing.

    shape: "first" (year first, or the month by name: certain), "last" (four-digit year last) or
    "short" (three numbers of two digits). half: AM or PM stood beside it; offset: from UTC, if written.
    """

    shape: str
    numbers: tuple[int, int, int]
    hour: int
    minute: int
    second: int
    millisecond: int
    half: bool = False
    offset: timedelta | None = None

    def under(self, order: str) -> datetime | None:
        """The wall-clock time if the date is written in this order, or None if there is no such date."""
        named = dict(zip("YMD" if self.shape == "first" else order, self.numbers, strict=True))
        year = named["Y"] + 2000 if self.shape == "short" else named["Y"]
        if not 2000 <= year < 2100:
            return None
        try:
            return datetime(  # noqa: DTZ001 - a wall clock's time; its zone is decided elsewhere
                year, named["M"], named["D"], self.hour, self.minute, self.second, self.millisecond * 1000
            )
        except ValueError:
            return None


@lru_cache(maxsize=1 << 17)
def read(text: str) -> Instant | Civil | None:
    """A cell as a time, or None if it is none."""
    if len(text) < _SHORTEST:
        return None
    text = text.translate(_BLANKS).strip()
    if text[:1].isdigit() and (epoch := _epoch(text)):
        return epoch
    match = _CELL.fullmatch(text)
    if match is None:
        return None
    civil = _civil(match)
    if civil is None or (civil.shape == "first" and civil.under("YMD") is None):
        return None
    return civil


def is_date(text: str) -> bool:
    """Whether a cell is a date without a time of day."""
    return _DATE_ALONE.fullmatch(text.strip()) is not None


def is_time_of_day(text: str) -> bool:
    """Whether a cell is a time of day without a date."""
    return _TIME_ALONE.fullmatch(text.strip()) is not None


def zone_in_words(text: str) -> timedelta | None:
    """The offset that a heading states ("Time (UTC+01:00)", "GMT"), or None."""
    match = _ZONE_IN_WORDS.search(text)
    if match is None:
        return None
    hours, minutes = int(match["oh"] or 0), int(match["om"] or 0)
    if hours > 14 or minutes > 59:
        return None
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if match["sign"] in {"-", "−"} else offset


def epoch_ms(at: datetime) -> int:
    """A zoned time as ms since 1970 UTC, exactly."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _epoch(text: str) -> Instant | None:
    match = _EPOCH.fullmatch(text)
    if match is None:
        return None
    digits, fraction = match.groups()
    per_second = _EPOCH_UNITS[len(digits)]
    if int(digits) // per_second not in _EPOCH_S:
        return None
    scaled = int(digits + (fraction or ""))
    return Instant(scaled * 1000 // (per_second * 10 ** len(fraction or "")))


def _civil(match: re.Match[str]) -> Civil | None:
    shape, numbers = _date(match)
    if numbers is None:
        return None
    hour, minute = int(match["H"] or match["pH"]), int(match["M"] or match["pM"])
    second = int(match["S"] or match["pS"] or 0)
    half = (match["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    fraction = int((match["F"] or "0").ljust(3, "0")[:3])
    return Civil(shape, numbers, hour, minute, second, fraction, bool(half), _offset(match))


def _date(match: re.Match[str]) -> tuple[str, tuple[int, int, int] | None]:
    for year, month, day in (("y", "m", "d"), ("cy", "cm", "cd"), ("ky", "km", "kd")):
        if match[year]:
            return "first", (int(match[year]), int(match[month]), int(match[day]))
    for year, month, day in (("ny", "nm", "nd"), ("wy", "wm", "wd")):
        if match[year]:
            number = _MONTHS.get(match[month].lower())
            return "first", (int(match[year]), number, int(match[day])) if number else None
    if match["c"]:
        return "last", (int(match["a"]), int(match["b"]), int(match["c"]))
    return "short", (int(match["p"]), int(match["q"]), int(match["r"]))


def _offset(match: re.Match[str]) -> timedelta | None:
    if match["sign"]:
        hours, minutes = int(match["oh"]), int(match["om"] or 0)
        if hours > 14 or minutes > 59:
            return None
        offset = timedelta(hours=hours, minutes=minutes)
        return offset if match["sign"] == "+" else -offset
    return timedelta(0) if match["utc"] else None


#: What reads a cell as a time: `read`, or a form that was told.
Reader = Callable[[str], "Instant | Civil | None"]


def reader(time_format: str | None) -> Reader:
    """`read`, or a reader of times in a form of `strptime` that was told."""
    if time_format is None:
        return read

    def told(text: str) -> Instant | Civil | None:
        try:
            at = datetime.strptime(text.strip(), time_format)  # noqa: DTZ007 - a zone may be decided elsewhere
        except ValueError:
            return None
        date = (at.year, at.month, at.day)
        return Civil(
            "first", date, at.hour, at.minute, at.second, at.microsecond // 1000, offset=at.utcoffset()
        )

    return told


def wall_ms(wall: datetime) -> int:
    """A wall-clock time as if it were UTC, in ms since 1970."""
    return epoch_ms(wall.replace(tzinfo=UTC))
