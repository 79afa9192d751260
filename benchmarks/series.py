"""The readings that everything is measured with: the same on both sides, and every time.

Vapour in dry shippers, in hundredths of a degree Celsius around −185 °C. Mostly calm: in each hour one
shipper in twenty warms past both limits of the profile and comes back, so that alarms are part of every
measurement.
"""

from __future__ import annotations

from collections.abc import Iterator

#: The first instant, UTC and journal time alike: 2027-01-15 08:00.
T0_MS = 1_800_000_000_000
#: How long after its own time a reading arrives.
DELAY_MS = 20
HOUR_MS = 3_600_000

_CALM, _RIPPLE = -18_500, 240
_WARM = -14_000
_WARM_FROM_MS, _WARM_TO_MS = 15 * 60_000, 30 * 60_000


def value(channel: int, at_ms: int) -> int:
    """Hundredths of a degree at one instant: a ripple of its own for each channel."""
    since_ms = at_ms - T0_MS
    hour, in_hour_ms = divmod(since_ms, HOUR_MS)
    if _WARM_FROM_MS <= in_hour_ms < _WARM_TO_MS and hour % 20 == channel % 20:
        return _WARM
    return _CALM + (since_ms // 1000 * 7 + channel * 131) % _RIPPLE


def text(hundredths: int) -> str:
    """The number as a logger prints it, such as "-185.07"."""
    whole, part = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole}.{part:02d}"


def rounds(channels: int, interval_ms: int, span_ms: int) -> Iterator[tuple[int, int, list[int]]]:
    """For each round of readings its number, its time and one value a channel."""
    for number in range(1, span_ms // interval_ms + 1):
        at_ms = T0_MS + number * interval_ms
        yield number, at_ms, [value(channel, at_ms) for channel in range(channels)]
