"""Where the ticks of a picture lie: round values, and round times of the clock that people there read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo
from fractions import Fraction
from math import ceil, floor

from msgspec import Struct

_SECOND, _MINUTE, _HOUR, _DAY = 1, 60, 3_600, 86_400
#: Steps that people count clocks in, in seconds.
_STEPS_S = (
    1, 2, 5, 10, 15, 30,
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY for days in (1, 2, 7, 14, 28, 91, 182, 364)),
)  # fmt: skip


class TimeTick(Struct, frozen=True):
    """An instant with the words under it; `day` is set where a day begins to be spoken of."""

    at_ms: int
    text: str
    day: str = ""


def time_ticks(from_ms: int, to_ms: int, zone: tzinfo, most: int) -> list[TimeTick]:
    """At most about `most` round times of the zone's clock within a span."""
    span_s = max(1, (to_ms - from_ms) // 1000)
    step_s = next((step for step in _STEPS_S if span_s / step <= most), _STEPS_S[-1])
    form = "%H:%M:%S" if step_s < _MINUTE else "%H:%M"
    ticks: list[TimeTick] = []
    day = ""
    for at_ms, local in _instants(from_ms, to_ms, zone, step_s):
        if ticks and at_ms <= ticks[-1].at_ms:
            continue  # an hour that a change of the clock repeats or leaves out
        date = f"{local:%Y-%m-%d}"
        if step_s >= _DAY:
            ticks.append(TimeTick(at_ms, date))
        else:
            ticks.append(TimeTick(at_ms, f"{local:{form}}", date if date != day else ""))
        day = date
    return ticks


def value_ticks(low: int, high: int, per_display: int, most: int) -> list[int]:
    """At most about `most` round values (in quanta) from low to high."""
    span = Fraction(max(1, high - low), per_display)
    step = Fraction(1)
    while step * most < span:
        step *= 10
    while step * most / 10 >= span:
        step /= 10
    step = next(part for part in (step / 5, step / 2, step) if part * most >= span)
    quanta = max(1, round(step * per_display))
    return [quanta * each for each in range(ceil(Fraction(low, quanta)), floor(Fraction(high, quanta)) + 1)]


def _instants(from_ms: int, to_ms: int, zone: tzinfo, step_s: int) -> Iterator[tuple[int, datetime]]:
    first, last = _clock_readings(from_ms, to_ms, zone)
    day = first.date()
    if step_s > _DAY:  # the same days whatever the span begins with
        day -= timedelta(days=day.toordinal() % (step_s // _DAY))
    each = min(step_s, _DAY)
    while day <= last.date():
        midnight = datetime.combine(day, time())
        begin, end = ((edge - midnight) // timedelta(seconds=1) for edge in (first, last))
        for second in range(max(0, begin // each * each), min(_DAY, end + 1), each):
            local = midnight + timedelta(seconds=second)
            at_ms = round(local.replace(tzinfo=zone).timestamp() * 1000)
            if from_ms <= at_ms <= to_ms:
                # What the clock there really shows: it may have leapt over this time of day.
                yield at_ms, datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)
        day += timedelta(days=max(1, step_s // _DAY))


def _clock_readings(from_ms: int, to_ms: int, zone: tzinfo) -> tuple[datetime, datetime]:
    """Between which readings of the zone's clock a span lies, a change of the clock nearby included."""
    day_ms = _DAY * 1000
    clocks = [
        datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)
        for at_ms in (from_ms - day_ms, from_ms, to_ms, to_ms + day_ms)
    ]
    ahead = [clock.utcoffset() or timedelta() for clock in clocks]
    leap = max(ahead) - min(ahead)
    return clocks[1].replace(tzinfo=None) - leap, clocks[2].replace(tzinfo=None) + leap
