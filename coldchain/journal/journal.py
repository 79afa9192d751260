"""The writer's side: one process, one connection, one transaction per batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

import apsw

from coldchain.journal import shapes
from coldchain.journal.database import WAL_PAGES, WRITER_BUSY_MS, Database, open_for_writing
from coldchain.journal.errors import JournalCorrupt, JournalError, JournalFull, JournalRefused
from coldchain.journal.link import link, origin
from coldchain.journal.lock import Lock
from coldchain.journal.outbox import insert_notice, set_cursor
from coldchain.journal.reader import Readable
from coldchain.journal.records import Batch, Commit, Entry, PrivateText, Removing, Tail, WalState
from coldchain.journal.reserve import RESERVE_BYTES, Reserve
from coldchain.journal.states import state_hash


class Journal(Readable):
    """A journal opened for writing, holding its lock. One thread at a time.

    Every method raises a JournalError and has then written nothing; a batch that failed can be
    given again as it is.
    """

    def __init__(self, database: Database, lock: Lock, reserve: Reserve) -> None:
        """Take over an open database and its lock; use `open`."""
        super().__init__(database)
        self._lock = lock
        self.reserve = reserve
        self._shapes: dict[bytes, int] | None = None
        self._tail: Tail | None = None
        self._wal_pages = 0
        self._erased_in_log = False  # the log may still hold what was erased
        #: Pages in the log from which on a commit also copies them into the database.
        self.wal_pages_max = WAL_PAGES
        #: Why the log could not be copied into the database the last time it was tried; None if it could.
        self.wal_trouble: JournalError | None = None
        database.connection.set_wal_hook(self._committed)
        database.connection.set_busy_timeout(WRITER_BUSY_MS)

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        command: str = "coldchain",
        since_utc_ms: int | None = None,
        create: bool = True,
        reserve_bytes: int = RESERVE_BYTES,
        journal_id: bytes | None = None,
    ) -> Self:
        """Take the lock, make the journal if there is none, migrate it, check its tail.

        command, since_utc_ms: what a second writer is told about us. The reserve is not made here:
        `journal.reserve.make()` is the caller's, who also decides when it is given back; only if
        there is no room even for opening it is given back here. journal_id: what a new journal is called
        (made from an export); drawn if not given.
        Raises JournalBusy (with the holder) if another process writes to it, JournalMissing if
        there is none and `create` is False, NotAJournal, JournalNewer, JournalCorrupt,
        JournalReadOnly, JournalFull, JournalIo.
        """
        path = Path(path).resolve()
        lock = Lock(path, command, since_utc_ms)
        reserve = Reserve(path, reserve_bytes)
        try:
            try:
                database = open_for_writing(path, create=create, journal_id=journal_id)
            except JournalFull:  # even opening needs some room, for the shared memory
                if not reserve.release():
                    raise
                database = open_for_writing(path, create=create, journal_id=journal_id)
        except BaseException:
            lock.release()
            raise
        try:
            journal = cls(database, lock, reserve)
            journal.check_tail()
        except BaseException:
            database.close()
            lock.release()
            raise
        return journal

    def close(self) -> None:
        """Close the file, then give the lock back."""
        try:
            super().close()
        finally:
            self._lock.release()

    def check_tail(self) -> Tail:
        """The tail, after recomputing the last link; JournalCorrupt if it is not what was committed."""
        tail = self.tail()
        if tail.commit:
            previous = origin(self.journal_id)
            commits = list(self.commits(tail.commit - 1))
            if len(commits) > 1:
                previous = commits[0].link
            last = commits[-1]
            if link(previous, last.number, list(self.entries(last.first_position))) != last.link:
                raise JournalCorrupt(
                    "check the last commit",
                    self.path,
                    f"commit {last.number} is not what was committed",
                    position=last.first_position,
                )
        return tail

    def commit(self, batch: Batch) -> Commit:
        """Write a batch and its link; on return it is on the disk.

        Positions continue the tail without a gap, arrivals never go back, no notice tells of a
        later position than the batch's last: else JournalRefused. A notice whose (sink, id) is there
        already with the same body is left as it is; with another body it is refused.

        A private text that is erased is overwritten, with its salt, in the file and in its log. While
        somebody reads, the log keeps it until a later `checkpoint_wal`. Copies made before are out of reach.
        """
        tail = self._tail = self._tail or self.tail()
        last = self._check(batch, tail)
        first = batch.entries[0].position
        number = tail.commit + 1
        new_link = link(tail.link, number, batch.entries)
        if batch.erased:
            with self._database.guard("erase private texts") as db:
                db.pragma("secure_delete", 1)  # freed bytes are overwritten, not only forgotten
        try:
            with self._database.transaction("commit", first) as db:
                db.executemany("INSERT INTO facts VALUES (?, ?, ?, ?)", list(self._rows(db, batch.entries)))
                said = [
                    (entry.position, ordinal, body)
                    for entry in batch.entries
                    for ordinal, body in enumerate(entry.announcements)
                ]
                if said:
                    db.executemany("INSERT INTO announcements VALUES (?, ?, ?)", said)
                db.execute(
                    "INSERT INTO commits VALUES (?, ?, ?, ?)", (number, first, len(batch.entries), new_link)
                )
                self._beside(db, batch, last.position)
        except BaseException:
            # What this transaction was the first to use is not there; what is there is asked again.
            self._shapes = self._tail = None
            self._pieces.clear()
            raise
        self._tail = Tail(last.position, last.arrival_ms, number, new_link)
        if batch.erased or self._wal_pages >= self.wal_pages_max:
            # The batch is on the disk whatever becomes of this: a full log is trouble, no failed commit.
            self._erased_in_log |= bool(batch.erased)
            with suppress(JournalError):
                self.checkpoint_wal()
        return Commit(number, first, last.position, last.arrival_ms, new_link)

    def save_checkpoint(self, position: int, engine: str, state: bytes, *, keep: int = 3) -> None:
        """Keep the fold's state after a committed position; only the newest `keep` of the engine stay."""
        with self._database.transaction("save a checkpoint", position) as db:
            insert = "INSERT OR REPLACE INTO checkpoints(position, engine, sha256, state) VALUES (?, ?, ?, ?)"
            self._save_state(db, insert, position, engine, state)
            db.execute(
                "DELETE FROM checkpoints WHERE engine = ? AND position NOT IN"
                " (SELECT position FROM checkpoints WHERE engine = ? ORDER BY position DESC LIMIT ?)",
                (engine, engine, keep),
            )

    def drop_checkpoints(self, *, except_engine: str | None = None) -> int:
        """Delete cached states (of all other engines); returns how many went."""
        with self._database.transaction("drop checkpoints") as db:
            db.execute("DELETE FROM checkpoints WHERE engine IS NOT ?", (except_engine,))
            return db.changes()

    def save_base_state(self, position: int, engine: str, state: bytes) -> None:
        """Keep the state from which a fold can go on once readings before it are removed."""
        with self._database.transaction("save a base state", position) as db:
            insert = "INSERT OR REPLACE INTO base_states(position, engine, sha256, state) VALUES (?, ?, ?, ?)"
            self._save_state(db, insert, position, engine, state)

    def checkpoint_wal(self, *, truncate: bool = False) -> WalState:
        """Copy the write-ahead log into the database; `truncate` also cuts the file to nothing.

        Never waits for a reader: without `done` one still needs older pages, and the log goes on growing
        until a checkpoint after it has ended.
        """
        try:
            with self._database.guard("checkpoint") as db:
                pages, copied = db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                if (truncate or self._erased_in_log) and copied >= pages and self._truncate_wal(db):
                    self._erased_in_log = False
        except JournalError as cause:
            self.wal_trouble = cause
            raise
        self.wal_trouble = None
        return WalState(pages, copied)

    @staticmethod
    def _truncate_wal(db: apsw.Connection) -> bool:
        db.set_busy_timeout(0)
        try:
            db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.BusyError:  # a reader or a sink is at work just now: cut another time
            return False
        else:
            return True
        finally:
            db.set_busy_timeout(WRITER_BUSY_MS)

    def _committed(self, _db: apsw.Connection, _name: str, pages: int) -> int:
        """SQLite tells how many pages the log has after each commit."""
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _check(self, batch: Batch, tail: Tail) -> Entry:
        """The batch's last entry, if everything in it continues the journal."""

        def refuse(why: str, position: int | None) -> JournalRefused:
            return JournalRefused("commit", self.path, why, position=position)

        if not batch.entries:
            raise refuse("a batch has at least one fact", None)
        position, arrival_ms = tail.position, tail.arrival_ms
        for entry in batch.entries:
            position += 1
            if entry.position != position:
                raise refuse(f"position {position} comes next, not {entry.position}", entry.position)
            if entry.arrival_ms < arrival_ms and position > 1:
                raise refuse(f"arrival {entry.arrival_ms} lies before {arrival_ms}", position)
            arrival_ms = entry.arrival_ms
        for notice in batch.notices:
            if not 1 <= notice.position <= position:
                raise refuse(f"notice {notice.id} tells of position {notice.position}", notice.position)
        for removing in batch.removing:
            spans = removing.spans
            if spans and not removing.first_position <= spans[0][0] <= spans[-1][1] <= removing.last_position:
                raise refuse("a removal beyond what it looked at", spans[0][0])
            if not removing.last_position <= tail.position < removing.position <= position:
                raise refuse("a removal of what is not committed", removing.last_position)
        return batch.entries[-1]

    def _rows(self, db: apsw.Connection, entries: Iterable[Entry]) -> Iterable[tuple[int, int, int, bytes]]:
        """Facts as they are stored: readings by their shape, everything else whole."""
        if self._shapes is None:
            self._shapes = {pieces: shape for shape, pieces in db.execute("SELECT shape, pieces FROM shapes")}
        for entry in entries:
            shape, body = shapes.WHOLE, entry.fact
            parts = shapes.cut(entry.fact)
            if parts is not None:
                pieces, values = parts
                known = self._shapes.get(pieces)
                if known is None and len(self._shapes) < shapes.SHAPES_MAX:
                    known = self._shapes[pieces] = len(self._shapes) + 1
                    db.execute("INSERT INTO shapes VALUES (?, ?)", (known, pieces))
                if known is not None:
                    shape, body = known, values
            yield entry.position, entry.arrival_ms, shape, body

    def _beside(self, db: apsw.Connection, batch: Batch, last_position: int) -> None:
        """What the batch brings besides evidence."""
        for document in batch.documents:
            db.execute("INSERT OR IGNORE INTO documents VALUES (?, ?)", (document.sha256, document.text))
        for text in batch.private_texts:
            _keep_private(db, text)
        for notice in batch.notices:
            insert_notice(db, self.path, notice)
        for sink, cursor in batch.cursors.items():
            set_cursor(db, self.path, sink, cursor, last_position)
        for name, count in batch.counts.items():
            db.execute(
                "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
                (name, count),
            )
        for removing in batch.removing:
            _remove(db, removing)
        db.executemany(
            "UPDATE private_texts SET salt = NULL, text = NULL WHERE commitment = ?",
            [(commitment,) for commitment in batch.erased],
        )

    def _save_state(self, db: apsw.Connection, insert: str, position: int, engine: str, state: bytes) -> None:
        tail = self._tail = self._tail or self.tail()
        if not 0 < position <= tail.position:
            raise JournalRefused(
                "keep a state", self.path, f"the journal ends at {tail.position}", position=position
            )
        db.execute(insert, (position, engine, state_hash(position, engine, state), state))


def _keep_private(db: apsw.Connection, text: PrivateText) -> None:
    # Nothing brings an erased text back: the row stays and is not overwritten.
    db.execute(
        "INSERT OR IGNORE INTO private_texts VALUES (?, ?, ?)", (text.commitment, text.salt, text.text)
    )


def _remove(db: apsw.Connection, removing: Removing) -> None:
    """Remove readings, each saved state from which a fold would need them, and receipts as old as they."""
    first, last = removing.first_position, removing.last_position
    db.execute("INSERT INTO removals VALUES (?, ?, ?)", (removing.position, first, last))
    db.executemany("DELETE FROM facts WHERE position BETWEEN ? AND ?", removing.spans)
    sha256 = hashlib.sha256(removing.remains).hexdigest()
    db.execute("DELETE FROM remains WHERE sha256 != ?", (sha256,))
    db.execute("INSERT OR IGNORE INTO remains VALUES (?, ?)", (sha256, removing.remains))
    db.execute("DELETE FROM checkpoints WHERE position < ?", (last,))
    db.execute("DELETE FROM base_states WHERE position < ?", (last,))
    db.execute("DELETE FROM outbox WHERE outcome IS NOT NULL AND position <= ?", (last,))
