"""When a position of the journal was announced, in journal time and in UTC, by the journal's own facts.

UTC is by the clock fact in force at that position, so a message carries the same time on every attempt,
however the clock is set in between and whoever sends it. None: nobody vouched for the clock then.
"""

from __future__ import annotations

from bisect import bisect_right

from coldchain.evidence.meaning import lessons
from coldchain.facts import ClockSet
from coldchain.journal.reader import Readable

#: Facts looked through at a time on the way back to the clock fact in force.
_CHUNK = 1_000


class Announced:
    """Looks instants up in one journal; what it read once it does not read again."""

    def __init__(self, journal: Readable) -> None:
        self._journal = journal
        # Clock facts in order; every one from position `_low` to `_high` is among them.
        self._clocks: list[tuple[int, int | None]] = []
        self._low = self._high = 0
        self._last: tuple[int, int | None] = (0, None)

    def at(self, position: int) -> tuple[int, int | None]:
        """Journal time and UTC of a position; 0 and None for one that the journal no longer holds."""
        self._read_up_to(position)
        while self._clock_before(position) is None and self._low > 1:
            self._read_back()
        clock = self._clock_before(position)
        if self._last[0] != position:
            row = next(iter(self._journal.facts(position, position)), None)
            self._last = (position, None if row is None else row.arrival_ms)
        arrival_ms = self._last[1]
        if arrival_ms is None:
            return 0, None
        if clock is None or clock[1] is None:
            return arrival_ms, None
        return arrival_ms, arrival_ms + clock[1]

    def _clock_before(self, position: int) -> tuple[int, int | None] | None:
        index = bisect_right(self._clocks, position, key=lambda clock: clock[0])
        return self._clocks[index - 1] if index else None

    def _read_up_to(self, position: int) -> None:
        if not self._high:
            self._low, self._high = position, position - 1
        if position > self._high:
            self._clocks += self._between(self._high + 1, position)
            self._high = position

    def _read_back(self) -> None:
        first = max(self._low - _CHUNK, 1)
        self._clocks[:0] = self._between(first, self._low - 1)
        self._low = first

    def _between(self, first: int, last: int) -> list[tuple[int, int | None]]:
        learned = lessons(self._journal, first, last)
        return [(each.position, each.fact.offset_ms) for each in learned if isinstance(each.fact, ClockSet)]
