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
        self._from: list[int] = []
        self._offsets: list[int] = []

    @property
    def known(self) -> bool:
        """Whether somebody vouches for the clock."""
        return self.offset_ms is not None

    def set(self, journal_ms: int, offset_ms: int | None) -> None:
        """A new mapping from an instant of journal time on; None: not known from here."""
        self.offset_ms = offset_ms
        if offset_ms is not None:
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
