"""A source whose clock runs ahead of ours.

One delivery is one message or file, or a run of messages whose times advance faster than they
arrive (a queue being emptied). If its newest reading lies in our future by more than the source's
tolerance, the whole delivery is shifted so that the newest counts as arrival, with the spacing
kept: clamping each reading alone would squeeze ten minutes outside a limit into none.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Placed:
    """Where a reading belongs: `at_ms` to be judged at, and how far the run so far moves back."""

    at_ms: int
    run_moves_ms: int = 0
    fault_began: bool = False
    fault_ended: bool = False


@dataclass(slots=True)
class SourceClock:
    """How far a source's clock is ahead, and the run of readings that share the finding.

    `run` holds (channel, judged time, value, code) of the run so far, so that it can be moved.
    """

    shift_ms: int = 0
    run: list[tuple[str, int, int, int]] = field(default_factory=list)
    _last_at_ms: int | None = None
    _last_arrival_ms: int = 0

    def place(self, at_ms: int, arrival_ms: int, utc_ms: int | None, tolerance_ms: int) -> Placed:
        """Place one reading; `utc_ms` is its arrival by our clock, None while that is not known."""
        passed_ms = arrival_ms - self._last_arrival_ms
        same_message = at_ms == self._last_at_ms and not passed_ms
        if self._last_at_ms is None or (at_ms - self._last_at_ms <= passed_ms and not same_message):
            self.run.clear()
        self._last_at_ms, self._last_arrival_ms = at_ms, arrival_ms
        if utc_ms is None:
            return Placed(at_ms - self.shift_ms)
        ahead = at_ms - utc_ms
        if ahead - self.shift_ms > tolerance_ms:
            moved, began = ahead - self.shift_ms, self.shift_ms == 0
            self.shift_ms = ahead
            return Placed(at_ms - ahead, moved, fault_began=began)
        if self.shift_ms and ahead <= tolerance_ms:
            self.shift_ms = 0
            self.run.clear()
            return Placed(at_ms, fault_ended=True)
        return Placed(at_ms - self.shift_ms)
