"""Coverage as a number: how much of a product's time was watched by GOOD readings.

In event time, like all that is true: a late reading mends it. A reading counts until the next one, or for
`max_gap`.
"""

from __future__ import annotations

from msgspec import Struct

from coldchain.fold.track import Track
from coldchain.rules.judging import GOOD


class Coverage(Struct, frozen=True):
    """GOOD time over product time, both in ms."""

    good_ms: int
    product_ms: int

    @property
    def unmonitored_ms(self) -> int:
        """The rest: nobody can say what the product felt then."""
        return self.product_ms - self.good_ms


def coverage(track: Track, at_ms: int) -> Coverage:
    """Coverage of the present product of a place, up to an instant not before its newest sample."""
    meter, last = track.meter, track.last
    good_ms = meter.good_ms
    if last is not None and last.quality == GOOD:
        counts_until = min(at_ms, last.at_ms + track.max_gap_ms)
        good_ms += max(0, counts_until - max(last.at_ms, meter.from_ms))
    return Coverage(good_ms, max(0, at_ms - meter.since_ms))
