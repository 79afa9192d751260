"""How many unreadable frames of one source are written one by one.

A line with the wrong baud rate turns into thousands of them an hour for weeks, and a journal has an
end. The first ones and a steady sample tell what there is to see; the others are counted and told
in sum.
"""

from __future__ import annotations

#: Judgement: enough to see a fault begin, and at most 8,640 facts a day of one that lasts.
BURST = 60
EACH_S = 10.0
#: How often the sum is told.
TELL_S = 3600.0


class Ration:
    """Lets a burst through, then one in ten seconds; `left_out` counts the others since last told."""

    def __init__(self, now_s: float) -> None:
        self.left_out = 0
        self._saved = float(BURST)
        self._seen_s = now_s
        self._told_s = now_s

    def allows(self, now_s: float) -> bool:
        """Whether the frame that came now is written; counts it if not."""
        self._saved = min(float(BURST), self._saved + (now_s - self._seen_s) / EACH_S)
        self._seen_s = now_s
        if self._saved >= 1:
            self._saved -= 1
            return True
        self.left_out += 1
        return False

    def due(self, now_s: float) -> int:
        """How many were left out, once an hour; 0 at other times."""
        if not self.left_out or now_s - self._told_s < TELL_S:
            return 0
        return self.tell(now_s)

    def tell(self, now_s: float) -> int:
        """How many were left out since this was last asked."""
        self._told_s = now_s
        left_out, self.left_out = self.left_out, 0
        return left_out
