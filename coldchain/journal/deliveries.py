"""What a sink's thread uses: its own connection, short transactions, receipts only.

Two connections write to one file, then. SQLite lets one write at a time: each takes the write lock
at the beginning of its transaction and waits for the other's to end (BUSY_MS at most). To hold the
writer up as little as can be, a transaction here is a handful of rows and is not synced: its pages
are on the disk with the writer's next commit. What a power cut can take is therefore a receipt,
never a notice: the notice goes out again under the same id. Checkpoints are the writer's alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import apsw

from coldchain.journal.database import Database, open_for_writing
from coldchain.journal.errors import JournalRefused
from coldchain.journal.outbox import insert_notice, set_cursor
from coldchain.journal.reader import Readable
from coldchain.journal.records import Backlog, Cursor, Notice, Outcome, Pending, Settled

_MAY_WRITE = {"outbox", "cursors"}
_WRITES = {apsw.SQLITE_INSERT, apsw.SQLITE_UPDATE, apsw.SQLITE_DELETE}
_READS = {apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_FUNCTION, apsw.SQLITE_TRANSACTION}


def _authorize(action: int, table: str | None, *_: str | None) -> int:
    """SQLite asks this of every statement it prepares: evidence is out of a sink's reach."""
    if action in _READS or (action in _WRITES and table in _MAY_WRITE):
        return apsw.SQLITE_OK
    return apsw.SQLITE_DENY


class Deliveries(Readable):
    """Outbox and cursors of the sinks; reads facts and announcements too. One thread at a time.

    Only for the process that holds the journal's lock. Times are journal time.
    """

    def __init__(self, database: Database) -> None:
        """Take over an open database; use `open`."""
        super().__init__(database)
        database.connection.authorizer = _authorize

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """A second connection to a journal that is open for writing in this process."""
        return cls(open_for_writing(Path(path).resolve(), create=False, synchronous="NORMAL"))

    # --- Notice sinks

    def pending(self, sink: str, now_ms: int, limit: int = 100) -> list[Pending]:
        """Notices to be sent now, oldest announcement first."""
        rows = self._database.all(
            "read the outbox",
            "SELECT sink, id, position, ordinal, kind, body, attempts, next_try_ms, failure"
            " FROM outbox WHERE sink = ? AND outcome IS NULL AND next_try_ms <= ?"
            " ORDER BY position, ordinal LIMIT ?",
            (sink, now_ms, limit),
        )
        return [Pending(Notice(*row[:6]), *row[6:]) for row in rows]

    def done(self, sink: str, receipts: Mapping[str, str], now_ms: int) -> int:
        """The receiver took these (id -> what it said); returns how many were still pending."""
        with self._database.transaction("keep receipts") as db:
            return sum(
                self._settle(db, sink, notice_id, Outcome.TOLD, receipt, now_ms)
                for notice_id, receipt in receipts.items()
            )

    def failed(self, sink: str, notice_id: str, why: str, next_try_ms: int) -> None:
        """An attempt failed; try again at that journal time. Nothing happens to a settled notice."""
        with self._database.transaction("keep a failure") as db:
            db.execute(
                "UPDATE outbox SET attempts = attempts + 1, failure = ?, next_try_ms = ?"
                " WHERE sink = ? AND id = ? AND outcome IS NULL",
                (why, next_try_ms, sink, notice_id),
            )

    def refused(self, sink: str, notice_id: str, why: str, now_ms: int) -> bool:
        """The receiver will never take this one (a 4xx); it is settled as refused."""
        with self._database.transaction("keep a refusal") as db:
            return self._settle(db, sink, notice_id, Outcome.REFUSED, why, now_ms)

    def fold(self, sink: str, ids: Sequence[str], into: Notice, now_ms: int) -> int:
        """Replace pending notices that grew too old by one that tells of them all, in one transaction."""
        if into.sink != sink or into.id in ids:
            raise JournalRefused("fold notices", self.path, f"{into.id} cannot stand for notices of {sink}")
        with self._database.transaction("fold notices", into.position) as db:
            insert_notice(db, self.path, into)
            return sum(
                self._settle(db, sink, notice_id, Outcome.FOLDED, into.id, now_ms) for notice_id in ids
            )

    def backlog(self, sink: str) -> Backlog:
        """How much this sink has still to tell."""
        row = self._database.first(
            "read the outbox",
            "SELECT count(*), min(position), coalesce(max(attempts), 0) FROM outbox"
            " WHERE sink = ? AND outcome IS NULL",
            (sink,),
        )
        assert row is not None
        return Backlog(*row)

    def settled(self, sink: str, from_position: int = 1, limit: int = 1000) -> list[Settled]:
        """Ended notices with their receipts, oldest announcement first."""
        rows = self._database.all(
            "read the outbox",
            "SELECT sink, id, position, ordinal, kind, body, outcome, receipt, attempts, settled_ms"
            " FROM outbox WHERE sink = ? AND outcome IS NOT NULL AND position >= ?"
            " ORDER BY position, ordinal LIMIT ?",
            (sink, from_position, limit),
        )
        return [Settled(Notice(*row[:6]), Outcome(row[6]), *row[7:]) for row in rows]

    @staticmethod
    def _settle(
        db: apsw.Connection, sink: str, notice_id: str, outcome: Outcome, receipt: str, now_ms: int
    ) -> bool:
        attempted = outcome is not Outcome.FOLDED
        db.execute(
            "UPDATE outbox SET outcome = ?, receipt = ?, settled_ms = ?, attempts = attempts + ?"
            " WHERE sink = ? AND id = ? AND outcome IS NULL",
            (outcome.value, receipt, now_ms, attempted, sink, notice_id),
        )
        return db.changes() > 0

    # --- Log sinks

    def cursor(self, sink: str) -> Cursor:
        """How far a log sink is; Cursor(0, 0) for one never seen."""
        row = self._database.first(
            "read a cursor", "SELECT sent, confirmed FROM cursors WHERE sink = ?", (sink,)
        )
        return Cursor() if row is None else Cursor(*row)

    def move(self, sink: str, cursor: Cursor) -> None:
        """Set the cursor: 0 <= confirmed <= sent <= tail, confirmed never goes back, else JournalRefused.

        `sent` may go back to `confirmed`: in doubt all since then is sent again.
        """
        with self._database.transaction("move a cursor", cursor.sent) as db:
            last = next(db.execute("SELECT coalesce(max(position), 0) FROM facts"))[0]
            set_cursor(db, self.path, sink, cursor, last)
