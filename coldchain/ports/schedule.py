"""When a device is asked: at exact multiples of the interval, counted from one start."""

from __future__ import annotations


class Rounds:
    """The poll rounds of one source, on the boot clock in ms (scaled in simulated runs).

    A round that was missed, because the line was down or the one before took too long, is left
    out: rounds never bunch, and a late one moves none after it.
    """

    def __init__(self, start_ms: int, interval_ms: int) -> None:
        if interval_ms <= 0:
            raise ValueError(f"a poll interval of {interval_ms} ms")
        self._start_ms = start_ms
        self._interval_ms = interval_ms
        self.due_ms = start_ms

    def at_once(self, now_ms: int) -> None:
        """A device was just opened: it is asked now, whatever the time, and then in step again."""
        self.due_ms = now_ms

    def done(self, now_ms: int) -> None:
        """The round that was due is over: the next is the first multiple that still lies ahead."""
        passed = (now_ms - self._start_ms) // self._interval_ms
        self.due_ms = self._start_ms + (passed + 1) * self._interval_ms
