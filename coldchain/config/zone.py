"""The site's local time as numbers: what a calendar needs of a time zone, read once and kept in the plan.

Zones change by law and by the machine's own files. A journal that is folded again elsewhere must say the same
as it did here: so the offsets that counted are part of what was activated.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

#: The years between which offsets are kept; what lies beyond has the offset at that end. No call is older.
_FIRST, _LAST = 2020, 2070
_STEP = timedelta(days=7)


@cache
def offsets(zone: str) -> tuple[tuple[int, int], ...]:
    """(from UTC ms, offset in ms) of a zone, in order; a zone without changes is one pair."""
    place = ZoneInfo(zone)

    def offset(at: datetime) -> timedelta:
        return at.astimezone(place).utcoffset() or timedelta()

    at = datetime(_FIRST, 1, 1, tzinfo=UTC)
    end = datetime(_LAST, 1, 1, tzinfo=UTC)
    found = [(_ms(at), _length_ms(offset(at)))]
    while at < end:
        following = at + _STEP
        if offset(following) != offset(at):
            low, high = at, following
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                low, high = (middle, high) if offset(middle) == offset(at) else (low, middle)
            change = high.replace(microsecond=0)
            found.append((_ms(change), _length_ms(offset(following))))
        at = following
    return tuple(found)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _length_ms(length: timedelta) -> int:
    return round(length.total_seconds() * 1000)
