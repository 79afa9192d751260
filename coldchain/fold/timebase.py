"""Journal time and UTC: a mapping made of facts.

Journal time never decreases and all deadlines live in it. UTC is journal time plus an offset that
is known or not, and that a fact may change; a change alters how times print, never their order.
"""

from __future__ import annotations

from bisect import bisect_right


class Timebase:
    """The mapping from journal time to UTC, as known so far."""

    def __init__(self) -> None:
        self.offset_ms: int | None = None
        self.started_ms = 0  # journal time at which this process began
        self.down_from_ms = 0  # journal time at which the process before was last heard of
        self.down_unknown = False  # how long it was down nobody knows yet
        self._from: list[int] = []
        self._offsets: list[int] = []

    @property
    def known(self) -> bool:
        """Whether somebody vouches for the clock."""
        return self.offset_ms is not None

    def set(self, journal_ms: int, offset_ms: int | None) -> None:
        """A new mapping from an instant of journal time on; None: not known from here."""
        self.offset_ms = offset_ms
        if offset_ms is None or (self._offsets and self._offsets[-1] == offset_ms):
            return
        while self._from and self._from[-1] >= journal_ms:
            self._from.pop()
            self._offsets.pop()
        self._from.append(journal_ms)
        self._offsets.append(offset_ms)

    def utc(self, journal_ms: int) -> int | None:
        """UTC now-mapped for the present offset, or None while the clock is not known."""
        return None if self.offset_ms is None else journal_ms + self.offset_ms

    def journal(self, utc_ms: int) -> int | None:
        """Journal time of a UTC instant by the present offset, or None while it is not known."""
        return None if self.offset_ms is None else utc_ms - self.offset_ms

    def printed(self, journal_ms: int) -> int | None:
        """UTC of a past instant of journal time, by the mapping then in force (or the first known)."""
        if not self._from:
            return None
        i = max(0, bisect_right(self._from, journal_ms) - 1)
        return journal_ms + self._offsets[i]

    def instant(self, utc_ms: int) -> int | None:
        """The last instant of journal time that prints as this UTC; None if nothing was ever known.

        Where our clock was set forward over it: the instant of that step.
        """
        if not self._from:
            return None
        for i in range(len(self._from) - 1, 0, -1):
            if utc_ms - self._offsets[i] >= self._from[i]:
                return utc_ms - self._offsets[i]
            if utc_ms - self._offsets[i - 1] >= self._from[i]:
                return self._from[i]
        return utc_ms - self._offsets[0]

    def started(self, journal_ms: int, before_ms: int, *, length_known: bool) -> None:
        """A process began; the one before was last heard of at `before_ms`."""
        self.started_ms, self.down_from_ms, self.down_unknown = journal_ms, before_ms, not length_known

    def leapt(self, arrival_ms: int, by_ms: int, offset_ms: int | None) -> int:
        """The down time became known; answers where the process start was in journal time until now.

        What was stamped since then prints as if the leap had been at the start, unless the gateway
        has been running for longer than it was down: then the last of it prints as it was stamped.
        """
        stood_ms = self.started_ms
        self.started_ms, self.down_unknown = stood_ms + by_ms, False
        if offset_ms is not None:
            self.set(stood_ms, offset_ms + by_ms)
            self.set(min(stood_ms + by_ms, arrival_ms), offset_ms)
        self.offset_ms = offset_ms
        return stood_ms
