"""What a sink's thread uses: its own connection, short transactions, receipts only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from coldchain.journal.reader import Readable
from coldchain.journal.records import Backlog, Cursor, Notice, Pending, Settled


class Deliveries(Readable):
    """Outbox and cursors of the sinks; reads facts and announcements too. One thread at a time.

    Only for the process that holds the journal's lock. It can write nothing but outbox and cursors.
    Its commits are not synced: after a power cut the newest receipts may be gone and the notices are
    sent again with the same ids.
    """

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """A second connection to a journal that is open for writing in this process."""
        raise NotImplementedError

    # Notice sinks

    def pending(self, sink: str, now_ms: int, limit: int = 100) -> list[Pending]:
        """Notices to be sent now, oldest announcement first."""
        raise NotImplementedError

    def done(self, sink: str, receipts: Mapping[str, str], now_ms: int) -> int:
        """The receiver took these (id -> what it said); returns how many were still pending."""
        raise NotImplementedError

    def failed(self, sink: str, notice_id: str, why: str, next_try_ms: int) -> None:
        """An attempt failed; try again at that journal time."""
        raise NotImplementedError

    def refused(self, sink: str, notice_id: str, why: str, now_ms: int) -> bool:
        """The receiver will never take this one (a 4xx); it is settled as refused."""
        raise NotImplementedError

    def fold(self, sink: str, ids: Sequence[str], into: Notice, now_ms: int) -> int:
        """Replace notices that grew too old by one that tells of them all, in one transaction."""
        raise NotImplementedError

    def backlog(self, sink: str) -> Backlog:
        """How much this sink has still to tell."""
        raise NotImplementedError

    def settled(self, sink: str, from_position: int = 1, limit: int = 1000) -> list[Settled]:
        """Ended notices with their receipts, oldest announcement first."""
        raise NotImplementedError

    # Log sinks

    def cursor(self, sink: str) -> Cursor:
        """How far a log sink is; Cursor(0, 0) for one never seen."""
        raise NotImplementedError

    def move(self, sink: str, cursor: Cursor) -> None:
        """Set the cursor: 0 <= confirmed <= sent <= tail, confirmed never goes back, else JournalRefused.

        `sent` may go back to `confirmed`: in doubt all since then is sent again.
        """
        raise NotImplementedError
