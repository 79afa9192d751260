"""When the journal cannot be written: fold on in memory, say so loudly, catch up when it heals.

What was folded is kept (bounded) with its first arrival and committed later in order; sources are
not acknowledged meanwhile. One root alarm goes out first, then each new urgent one, marked
unrecorded. A reserve file is given back when the disk is full, so that alarms commit first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from coldchain.announcements import Announcement, Kind
from coldchain.clock import Clock
from coldchain.facts import Unrecorded
from coldchain.journal import Batch, Journal, JournalError, JournalFull
from coldchain.model import Priority
from coldchain.pipeline.intake import Folded, Item, Told

#: Facts kept in memory while the journal cannot be written; beyond it the sources must wait.
KEPT_FACTS = 200_000
#: Real seconds between two tries to write again.
RETRY_S = 1.0

_Settle = list[tuple[Item, Folded]]


@dataclass
class Recorded:
    """A commit went through: whom to tell, and the fact about a span that was unrecorded, if any."""

    settle: _Settle
    mended: Unrecorded | None = None


@dataclass
class _Span:
    from_ms: int
    why: str
    announced: int = 0
    batches: list[Batch] = field(default_factory=list)
    settle: _Settle = field(default_factory=list)
    tried_at_s: float = 0.0


class Failing:
    """What is not on disk yet. `why` is the present failure in words, "" while all is well."""

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self._clock = clock
        self._journal = journal
        self._span: _Span | None = None

    @property
    def unwritten(self) -> bool:
        """Whether facts wait in memory for the journal."""
        return self._span is not None

    @property
    def why(self) -> str:
        """Why the journal cannot be written now, "" if it can."""
        return self._span.why if self._span is not None else ""

    @property
    def since_ms(self) -> int | None:
        """Journal time since when nothing is written, None if it is."""
        return self._span.from_ms if self._span is not None else None

    @property
    def full(self) -> bool:
        """Whether no more can be kept in memory: sources must be held back."""
        return self._span is not None and sum(len(b.entries) for b in self._span.batches) >= KEPT_FACTS

    def retry_due(self) -> bool:
        """Whether it is time to try to write what waits."""
        return self._span is not None and self._clock.real_s() - self._span.tried_at_s >= RETRY_S

    def hurry(self) -> None:
        """Try again at the next chance, whenever the last try was: there may be no other."""
        if self._span is not None:
            self._span.tried_at_s = -RETRY_S

    def commit(self, batch: Batch, settle: _Settle) -> Recorded:
        """Write what waits, then this batch; raises JournalError if it cannot be."""
        span = self._span
        if span is None:
            if batch.entries:
                self._write(batch)
            return Recorded(settle)
        if not self.retry_due():
            raise JournalWaits(span.why, self._journal)
        span.tried_at_s = self._clock.real_s()
        while span.batches:
            self._write(span.batches[0])
            span.batches.pop(0)
        if batch.entries:
            self._write(batch)
        self._span = None
        now_ms = self._clock.journal_ms()
        mended = Unrecorded(span.from_ms, now_ms, span.announced, span.why)
        return Recorded(span.settle + settle, mended)

    def began(self, error: JournalError, batch: Batch, settle: _Settle, told: list[Told]) -> list[Told]:
        """The journal refused a batch: keep it, and answer what must leave all the same."""
        root: list[Told] = []
        if self._span is None:
            first = batch.entries[0]
            self._span = _Span(first.arrival_ms, str(error), tried_at_s=self._clock.real_s())
            # No fact stands behind it: its place is before the first that could not be written.
            root = [Told(first.position, -1, first.arrival_ms, _not_writable(str(error)))]
        span = self._span
        if batch.entries:
            span.batches.append(batch)
        span.settle += settle
        urgent = [t for t in told if t.said.kind is Kind.RAISED and t.said.priority is Priority.CRITICAL]
        span.announced += len(urgent)
        return root + urgent

    def _write(self, batch: Batch) -> None:
        try:
            self._journal.commit(batch)
        except JournalFull:
            if not self._journal.reserve.release():
                raise
            self._journal.commit(batch)


class JournalWaits(JournalError):
    """It is known that the journal cannot be written; it is tried again soon."""

    def __init__(self, why: str, journal: Journal) -> None:
        super().__init__("commit", journal.path, why)


def _not_writable(why: str) -> Announcement:
    return Announcement(
        Kind.RAISED,
        alarm="gateway/journal",
        rule="journal",
        subject="gateway",
        priority=Priority.CRITICAL,
        state="unacknowledged",
        text="journal_not_writable",
        detail={"why": why},
    )
