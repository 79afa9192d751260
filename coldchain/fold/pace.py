"""How a source's own clock runs against journal time: what stands for ours where that is not known."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Pace:
    """Two readings in a row that came as far apart as they say show where a source's clock stands.

    steady_ms: its time minus journal time, as shown last; None: nothing has shown it.
    """

    steady_ms: int | None = None
    _newest: tuple[int, int] | None = None  # time as sent, and arrival
    _before: tuple[int, int] | None = None  # the same of the newest that arrived earlier

    def ahead_ms(self, sent_ms: int, arrival_ms: int) -> int | None:
        """How far a reading lies ahead of the source's own clock, None while nothing has shown that."""
        return None if self.steady_ms is None else sent_ms - arrival_ms - self.steady_ms

    def heard(self, sent_ms: int, arrival_ms: int, tolerance_ms: int) -> None:
        """Take a reading in; the newest of all that arrived at once stands for them."""
        if self._newest is None or arrival_ms > self._newest[1]:
            self._before, self._newest = self._newest, (sent_ms, arrival_ms)
        elif sent_ms > self._newest[0]:
            self._newest = (sent_ms, arrival_ms)
        else:
            return
        if self._before is not None and in_step(self._before, self._newest, tolerance_ms):
            self.steady_ms = self._newest[0] - self._newest[1]


def in_step(before: tuple[int, int], now: tuple[int, int], tolerance_ms: int) -> bool:
    """Whether two readings (time as sent, arrival) came as far apart as they say."""
    passed_ms = now[1] - before[1]
    return passed_ms > 0 and abs(now[0] - before[0] - passed_ms) <= tolerance_ms
