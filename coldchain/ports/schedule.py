"""When a device is asked: at exact multiples of the interval, counted from one start."""

from __future__ import annotations


class Rounds:
    """The poll rounds of one source, on the boot clock in ms (scaled in simulated runs).

    A round that was missed, because the line was down or the one before took too long, is left
    out: rounds never bunch, and a late one moves none after it.

    hurried: it is asked every `hurried_ms` (None: as ever), from the round before on; any thread may say so.
    """

    def __init__(self, start_ms: int, interval_ms: int, hurried_ms: int | None = None) -> None:
        if interval_ms <= 0:
            raise ValueError(f"a poll interval of {interval_ms} ms")
        self.hurried = False
        self._start_ms = start_ms
        self._interval_ms = interval_ms
        self._hurried_ms = hurried_ms
        self._due_ms = start_ms
        self._asked_ms: int | None = None

    @property
    def due_ms(self) -> int:
        """When it is asked next."""
        if not self.hurried or self._hurried_ms is None or self._asked_ms is None:
            return self._due_ms
        return min(self._due_ms, self._after(self._asked_ms, self._hurried_ms))

    def at_once(self, now_ms: int) -> None:
        """A device was just opened: it is asked now, whatever the time, and then in step again."""
        self._due_ms = now_ms

    def done(self, now_ms: int) -> None:
        """The round that was due is over: the next is the first multiple that still lies ahead."""
        self._asked_ms = now_ms
        self._due_ms = self._after(now_ms, self._interval_ms)

    def _after(self, at_ms: int, interval_ms: int) -> int:
        return self._start_ms + ((at_ms - self._start_ms) // interval_ms + 1) * interval_ms
