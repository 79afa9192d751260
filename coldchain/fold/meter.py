"""What is counted of a place whatever its rules say."""

from __future__ import annotations

from msgspec import Struct


class Meter(Struct, frozen=True):
    """Plain statistics of a place since its product came in: coverage and extremes.

    from_ms: good_ms reaches to here, or to the last sample if that is later.
    """

    scope: str = ""
    since_ms: int = 0
    good_ms: int = 0
    low: int | None = None
    low_ms: int = 0
    high: int | None = None
    high_ms: int = 0
    from_ms: int = 0
