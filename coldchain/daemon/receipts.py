"""Who has been told of what: the outbox's receipts, kept at hand for those who look.

Read from the journal a little at a time and outside of the writer's lock; what is settled never changes.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable

from coldchain.clock import Clock
from coldchain.daemon.lens import Printed
from coldchain.journal import Deliveries, JournalError, Notice, Outcome, Settled
from coldchain.web.alarm_views import ToldView
from coldchain.web.plain_views import Instant

#: Receipts read at a time.
_ROWS = 500
#: Positions whose receipts are kept; older ones are forgotten first.
_KEPT = 5_000
_EVER_MS = 1 << 62
#: Real seconds between two looks into the journal: eyes see no more.
_LOOK_S = 0.5


class Receipts:
    """Receipts by position and sink. The writer calls `expect` and never waits for the journal here."""

    def __init__(self, deliveries: Deliveries, clock: Clock, printed: Printed) -> None:
        self._deliveries, self._clock, self._printed = deliveries, clock, printed
        self._reading = threading.Lock()  # around the connection
        self._lock = threading.Lock()  # around what is known
        self._waiting: dict[str, set[int]] = defaultdict(set)
        self._told: dict[int, dict[str, ToldView]] = {}
        self._looked_at_s = 0.0

    def expect(self, notices: Iterable[Notice]) -> None:
        """These are to be told."""
        with self._lock:
            for notice in notices:
                self._waiting[notice.sink].add(notice.position)
                self._keep(notice.position, ToldView(notice.sink))

    def remember(self, sinks: Iterable[str], positions: Iterable[int]) -> None:
        """What the journal knows of these positions, and what waits, from before this process."""
        wanted = frozenset(positions)
        for sink in sinks:
            with self._reading:
                settled = self._read(sink, wanted)
                pending = self._deliveries.pending(sink, _EVER_MS, _ROWS)
            self.expect(each.notice for each in pending)
            self._settle(settled)

    def look(self) -> None:
        """Read what has been settled since the last look."""
        with self._reading:
            if self._clock.real_s() - self._looked_at_s < _LOOK_S:
                return
            self._looked_at_s = self._clock.real_s()
            with self._lock:
                waiting = {sink: frozenset(positions) for sink, positions in self._waiting.items()}
            for sink, positions in waiting.items():
                self._settle(self._read(sink, positions))

    def of(self, positions: Iterable[int], why: Callable[[str], str]) -> tuple[ToldView, ...]:
        """Of each sink the newest word about these positions; `why` says what holds up one that waits."""
        newest: dict[str, ToldView] = {}
        with self._lock:
            for position in positions:
                newest |= self._told.get(position, {})
        return tuple(
            told if told.receipt is not None or told.failed else ToldView(who, failed=why(who))
            for who, told in newest.items()
        )

    def oldest_ms(self, sink: str) -> int | None:
        """Journal time at which the oldest that waits for this sink was announced; None: nothing waits."""
        with self._lock:
            oldest = min(self._waiting[sink], default=None)
        if oldest is None:
            return None
        try:
            with self._reading:
                row = next(iter(self._deliveries.facts(oldest, oldest)), None)
        except JournalError:
            return None
        return None if row is None else row.arrival_ms

    def waiting(self, sink: str) -> tuple[int, Instant | None]:
        """Of how many facts this sink has still to tell, and when the oldest of them was announced."""
        with self._lock:
            positions = frozenset(self._waiting[sink])
        if not positions:
            return 0, None
        oldest = min(positions)
        try:
            with self._reading:
                row = next(iter(self._deliveries.facts(oldest, oldest)), None)
        except JournalError:
            row = None
        return len(positions), None if row is None else self._instant(row.arrival_ms)

    def close(self) -> None:
        """Let go of the journal."""
        with self._reading:
            self._deliveries.close()

    def _read(self, sink: str, positions: frozenset[int]) -> dict[int, ToldView]:
        """What is settled of these positions, as far as the journal can be read."""
        found: dict[int, ToldView] = {}
        first, last = min(positions, default=1), max(positions, default=0)
        try:
            while first <= last and (rows := self._deliveries.settled(sink, first, _ROWS)):
                for row in rows:
                    if row.notice.position in positions:
                        found[row.notice.position] = self._view(sink, row)
                first = rows[-1].notice.position + 1
        except JournalError:
            return found  # looked for again; the writer says aloud what is wrong with the journal
        return found

    def _settle(self, settled: dict[int, ToldView]) -> None:
        with self._lock:
            for position, told in settled.items():
                self._waiting[told.who].discard(position)
                self._keep(position, told)

    def _view(self, sink: str, row: Settled) -> ToldView:
        if row.outcome is Outcome.REFUSED:
            return ToldView(sink, failed=row.receipt)
        return ToldView(sink, self._instant(row.settled_ms))

    def _keep(self, position: int, told: ToldView) -> None:
        self._told.setdefault(position, {})[told.who] = told
        while len(self._told) > _KEPT:
            del self._told[next(iter(self._told))]

    def _instant(self, journal_ms: int) -> Instant:
        utc_ms = self._printed(journal_ms)
        return Instant(journal_ms, known=False) if utc_ms is None else Instant(utc_ms)
