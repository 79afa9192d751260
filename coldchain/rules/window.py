"""The line through what was measured during the last so long: what forecasts and boil-off are made of.

A jump against the way it goes (a dewar that is filled) begins a new line. What leaves the window stays in a
second line behind it, which tells how it went before.
"""

from __future__ import annotations

from msgspec import Struct

from coldchain.rules.judging import GOOD, Sample, Seen
from coldchain.rules.line import EMPTY, Sums

#: A fit is one only when its points span at least this part of its window (our judgement): a line through the
#: first minutes would tell the noise.
LEAST_PART = 2


class Window(Struct, frozen=True):
    """Points from `tail_ms` to `head_ms`, and those before the tail since `began_ms`, where the line began.

    origin_ms: where times count from, so that sums stay small.
    """

    origin_ms: int
    began_ms: int
    tail_ms: int
    head_ms: int
    now: Sums = EMPTY
    before: Sums = EMPTY

    @property
    def span_ms(self) -> int:
        """How much of its length the window has reached."""
        return self.head_ms - max(self.began_ms, self.tail_ms)


def begin(at_ms: int) -> Window:
    """A line that begins here."""
    return Window(at_ms, at_ms, at_ms, at_ms)


def taken(window: Window, seen: Seen, now: Sample, length_ms: int) -> Window:
    """The window moved up to a GOOD sample, which is in it then."""
    head, value = now.at_ms, now.low
    tail = max(window.tail_ms, head - length_ms)
    inside, before = window.now.with_point(head - window.origin_ms, value), window.before
    if tail > window.tail_ms:
        for dwell in seen.dwells(window.tail_ms, tail):
            one = dwell.sample
            if one.quality == GOOD and window.tail_ms <= one.at_ms < tail:
                inside = inside.with_point(one.at_ms - window.origin_ms, one.low, -1)
                before = before.with_point(one.at_ms - window.origin_ms, one.low)
    return Window(window.origin_ms, window.began_ms, tail, head, inside, before)
