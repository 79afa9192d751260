"""A clock that a test holds in its hands: boot, wall and trust move only when told."""

from __future__ import annotations

import threading

#: 2026-12-01 UTC, later than any build of this version.
LATER = 1_796_083_200_000


class HandClock:
    """Implements `coldchain.clock.Clock`; times in ms."""

    speed = 1

    def __init__(self, utc_ms: int = LATER, *, known: bool = True, boot_ms: int = 5_000) -> None:
        self.wall_ms, self.trusted, self.up_ms = utc_ms, known, boot_ms
        self.journal_start_ms = 0
        self._from_ms = boot_ms

    def pass_ms(self, by_ms: int) -> None:
        """Real time passes: both clocks advance."""
        self.wall_ms += by_ms
        self.up_ms += by_ms

    def journal_ms(self) -> int:
        return self.journal_start_ms + self.up_ms - self._from_ms

    def utc_ms(self) -> int:
        return self.wall_ms

    def start_journal_at(self, journal_ms: int) -> None:
        self.journal_start_ms, self._from_ms = journal_ms, self.up_ms

    def leap(self, by_ms: int) -> None:
        self.journal_start_ms += by_ms

    def known(self) -> bool:
        return self.trusted

    def real_s(self) -> float:
        return self.up_ms / 1000

    def real_until_s(self, journal_ms: int) -> float:
        return (journal_ms - self.journal_ms()) / 1000

    def boot_ms(self) -> int:
        return self.up_ms

    def wait(self, event: threading.Event, journal_ms: int) -> bool:
        del journal_ms
        return event.is_set()
