"""What we know of the wall clock, as facts: known or not, stepped, or found out late.

Journal time follows the boot clock; this compares the wall clock with it and says what changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from coldchain.clock import Clock, boot_id, process_id
from coldchain.facts import ClockSet, Fact, ProcessStarted
from coldchain.fold import Fold

#: A difference between wall clock and boot clock beyond this is a step; slewing stays far below.
STEP_MS = 1_000

#: No gateway's clock can be right and earlier than this version of the program (2026-11-01 UTC).
BUILT_UTC_MS = 1_793_491_200_000


@dataclass(frozen=True)
class Started:
    """How journal time continues, and the facts that say so."""

    journal_ms: int
    facts: tuple[Fact, ...]


class Timekeeper:
    """Compares the wall clock with journal time; asked once a second or so by the writer."""

    def __init__(self, clock: Clock, *, built_utc_ms: int = BUILT_UTC_MS) -> None:
        self._clock = clock
        self._built_utc_ms = built_utc_ms
        self._offset_ms: int | None = None
        self._last_offset_ms: int | None = None
        self._down_unknown = False
        self._last_utc_ms: int | None = None
        self._started_ms = 0

    def start(self, fold: Fold) -> Started:
        """Where journal time goes on after a journal's tail, and the facts that begin this process.

        Within one boot the boot clock knows the down time; across boots the wall clock does, if it
        was known before and is now, and went forward. Else the length is unknown.
        """
        clock = self._clock
        tail_ms = fold.arrival_ms
        last_utc_ms = fold.timebase.printed(tail_ms)
        self._last_utc_ms = last_utc_ms
        before = fold.process
        utc_ms = clock.utc_ms() if self._vouched(last_utc_ms) else None
        boot, down_ms = boot_id(), None
        if before is None:
            down_ms = 0
            tail_ms = max(0, clock.utc_ms()) if utc_ms is not None else 0
        elif boot and before.boot_id == boot:
            down_ms = max(0, fold.timebase.started_ms + clock.boot_ms() - before.boot_ms - tail_ms)
        elif utc_ms is not None and last_utc_ms is not None and utc_ms > last_utc_ms:
            down_ms = utc_ms - last_utc_ms
        self._down_unknown = down_ms is None and last_utc_ms is not None
        journal_ms = tail_ms + (down_ms or 0)
        clock.start_journal_at(journal_ms)
        self._started_ms = journal_ms
        started = ProcessStarted(boot, utc_ms, down_ms, process_id(), clock.boot_ms())
        self._offset_ms = self._last_offset_ms = None if utc_ms is None else utc_ms - journal_ms
        source = "wall clock" if utc_ms is not None else "unknown"
        return Started(journal_ms, (started, ClockSet(self._offset_ms, source)))

    def look(self, now_ms: int) -> ClockSet | None:
        """What to say about the clock now, if anything changed since it was last asked."""
        clock = self._clock
        if not self._vouched(self._last_utc_ms if self._offset_ms is None else None):
            if self._offset_ms is None:
                return None
            self._offset_ms = None
            return ClockSet(None, "no longer vouched for")
        offset_ms = clock.utc_ms() - clock.journal_ms()
        if self._offset_ms is not None:
            step_ms = offset_ms - self._offset_ms
            if abs(step_ms) <= STEP_MS * clock.speed:
                return None
            self._offset_ms = self._last_offset_ms = offset_ms
            return ClockSet(offset_ms, "stepped", step_ms=step_ms)
        leap_ms = 0
        if self._down_unknown and self._last_utc_ms is not None:
            # Only now the length of the last down time can be told.
            leap_ms = max(0, now_ms + offset_ms - self._last_utc_ms - self._running_ms(now_ms))
            self._down_unknown = False
        elif self._last_offset_ms is not None:
            before_ms = self._last_offset_ms
            self._offset_ms = self._last_offset_ms = offset_ms
            return ClockSet(offset_ms, "known again", step_ms=_beyond(offset_ms - before_ms, clock.speed))
        self._offset_ms = self._last_offset_ms = offset_ms - leap_ms
        return ClockSet(self._offset_ms, "became known", leap_ms=leap_ms)

    def _running_ms(self, now_ms: int) -> int:
        return now_ms - self._started_ms

    def _vouched(self, not_before_ms: int | None) -> bool:
        utc_ms = self._clock.utc_ms()
        if not_before_ms is not None and utc_ms < not_before_ms:
            return False
        return utc_ms >= self._built_utc_ms and self._clock.known()


def _beyond(step_ms: int, speed: int) -> int:
    return step_ms if abs(step_ms) > STEP_MS * speed else 0
