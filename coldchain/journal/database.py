"""The SQLite file under a journal: opening it the right way, transactions, errors in our words.

Nobody in this process may open the database file by other means while a connection is open:
closing any descriptor of it drops SQLite's POSIX locks (https://sqlite.org/howtocorrupt.html, 2.2).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from coldchain.journal import schema
from coldchain.journal.errors import (
    JournalCorrupt,
    JournalIo,
    JournalMissing,
    JournalReadOnly,
    NotAJournal,
    from_os,
    from_sqlite,
)

Row = tuple[Any, ...]
Kinds = tuple[type, ...]

#: Two connections writing and recycling the log at once could lose pages before this version
#: (https://sqlite.org/wal.html#walresetbug).
SQLITE_MIN = (3, 51, 3)
#: How long the writer waits for a sink's short transaction before it says busy and fails loud.
WRITER_BUSY_MS = 2_000
#: How long a sink or a reader waits: nobody is alarmed by it.
BUSY_MS = 10_000
#: Pages in the log after which a commit also copies them into the database: 4 MiB.
WAL_PAGES = 1_000
#: A log that grew beyond this under a long reader is cut back when it starts anew.
WAL_KEEP_BYTES = 8 * 1024 * 1024


class Database:
    """One connection, with every error turned into a JournalError."""

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path

    @contextmanager
    def guard(self, operation: str, position: int | None = None) -> Iterator[apsw.Connection]:
        """Whatever SQLite says inside is said in our words; an open transaction is rolled back."""
        try:
            yield self.connection
        except UnicodeDecodeError as cause:
            self._roll_back()
            raise JournalCorrupt(operation, self.path, str(cause), position=position) from cause
        except apsw.Error as cause:
            system_errno = self.connection.system_errno
            self._roll_back()
            raise from_sqlite(
                cause, operation, self.path, position=position, system_errno=system_errno
            ) from cause
        except BaseException:
            self._roll_back()
            raise

    @contextmanager
    def transaction(self, operation: str, position: int | None = None) -> Iterator[apsw.Connection]:
        """Everything inside is written, or nothing. The write lock is taken at once, never on the way."""
        with self.guard(operation, position) as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    def all(self, operation: str, sql: str, bindings: Row = (), *, kinds: Kinds = ()) -> list[Row]:
        """All rows of a query; the read transaction ends with it.

        kinds: what each column holds. A damaged page can say anything, whatever the table forbids.
        """
        with self.guard(operation) as db:
            rows = list(db.execute(sql, bindings))
        for row in rows:
            if kinds and tuple(map(type, row)) != kinds:
                position = row[0] if isinstance(row[0], int) else None
                raise JournalCorrupt(operation, self.path, "a row of other types", position=position)
        return rows

    def first(self, operation: str, sql: str, bindings: Row = (), *, kinds: Kinds = ()) -> Row | None:
        """The first row of a query, or None."""
        rows = self.all(operation, sql, bindings, kinds=kinds)
        return rows[0] if rows else None

    def close(self) -> None:
        """Close the connection; the last one also copies the log into the database and removes it."""
        try:
            self.connection.close()
        except apsw.Error as cause:
            raise from_sqlite(cause, "close", self.path) from cause

    def _roll_back(self) -> None:
        # After "full" and most I/O errors SQLite has rolled back already, and ROLLBACK would raise.
        if self.connection.in_transaction:
            try:
                self.connection.execute("ROLLBACK")
            except apsw.Error as cause:
                raise from_sqlite(cause, "roll back", self.path) from cause


def open_for_reading(path: Path) -> Database:
    """An existing journal for reading; nothing beside it is created if that can be helped."""
    _must_exist(path)
    try:
        database = _connect(path, str(path), apsw.SQLITE_OPEN_READONLY)
    except (JournalIo, JournalReadOnly):
        # A journal at rest in a folder we cannot write to (a mounted archive): SQLite finds no place
        # for its shared memory. With no log beside it the file alone is the whole journal.
        log = wal_path(path)
        if log.exists() and log.stat().st_size:
            raise
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        database = _connect(path, path.as_uri() + "?immutable=1", flags)
    try:
        with database.guard("open") as db:
            version = schema.inspect(db, path)
            if version == 0:
                raise _nothing_in(path, logged=db.pragma("journal_mode") == "wal")
            if version != schema.VERSION:
                raise JournalReadOnly(
                    "open",
                    path,
                    "an older schema, which reading alone does not bring up to date",
                    mend=_MIGRATE,
                )
    except BaseException:
        database.close()
        raise
    return database


def open_for_writing(
    path: Path, *, create: bool, synchronous: str = "FULL", journal_id: bytes | None = None
) -> Database:
    """A journal for writing, in WAL mode; made if there is none and `create`.

    synchronous: FULL (each commit is on the disk when it returns) or NORMAL (it is there with the
    next commit that is FULL, or the next checkpoint). journal_id: for a new journal that is made of another.
    """
    if tuple(int(part) for part in apsw.sqlite_lib_version().split(".")) < SQLITE_MIN:
        raise JournalIo(
            "open", path, f"SQLite {apsw.sqlite_lib_version()} may lose pages", mend="install a newer apsw"
        )
    if not create or path.exists():
        _must_exist(path)
    flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
    database = _connect(path, str(path), flags)
    try:
        with database.guard("open") as db:
            schema.inspect(db, path)  # before the first byte is written: the file may be somebody else's
            if db.readonly("main"):
                raise JournalReadOnly("open", path, "this user may only read it")
            mode = db.pragma("journal_mode", "wal")
            if mode != "wal":
                raise JournalIo(
                    "open", path, f"the file system allows no WAL (journal mode {mode})", mend=_LOCAL
                )
            db.pragma("synchronous", synchronous)
            db.pragma("journal_size_limit", WAL_KEEP_BYTES)
            db.wal_autocheckpoint(0)  # the writer does it, and hears of it when that fails
            schema.migrate(db, path, journal_id=journal_id)
        _sync_folder(path)
    except BaseException:
        database.close()
        raise
    return database


def wal_path(path: Path) -> Path:
    """Where SQLite keeps the write-ahead log."""
    return path.with_name(path.name + "-wal")


def _nothing_in(path: Path, *, logged: bool) -> NotAJournal:
    """Why there is no table in a database: nothing was written, or all of it lies in a log that is not here.

    Until it is first copied back, everything that was committed lies in the log alone.
    """
    log = wal_path(path)
    if not logged or (log.exists() and log.stat().st_size):
        return NotAJournal("open", path, "an empty file: no journal was made here yet")
    return NotAJournal(
        "open",
        path,
        f"nothing is in it, and the write-ahead log that it keeps is missing: there is no {log.name}",
        mend=f"if it was copied from a running gateway, copy its log to {log.name} as well, "
        "or end the daemon before copying",
    )


_MIGRATE = "start the daemon once, or open the journal for writing"
_LOCAL = "put the journal on a local disk (ext4, XFS, btrfs, f2fs)"


def _must_exist(path: Path) -> None:
    try:
        found = path.stat()
    except FileNotFoundError as cause:
        raise JournalMissing("open", path, "there is no such file") from cause
    except OSError as cause:
        raise from_os(cause, "open", path) from cause
    if not stat.S_ISREG(found.st_mode):
        raise NotAJournal("open", path, "not a file")


def _connect(path: Path, name: str, flags: int) -> Database:
    """Open and read the first page, so that everything that stands against it is said here."""
    try:
        db = apsw.Connection(name, flags=flags)
    except apsw.CantOpenError as cause:
        # SQLite does not say why. Asking by opening it ourselves is what the module's head forbids.
        what = path if path.exists() else path.parent
        if not os.access(what, os.R_OK | os.W_OK, effective_ids=True):
            raise JournalReadOnly("open", path, f"no permission for {what.name}") from cause
        raise from_sqlite(cause, "open", path) from cause
    except apsw.Error as cause:
        raise from_sqlite(cause, "open", path) from cause
    try:
        db.set_busy_timeout(BUSY_MS)
        db.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        db.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        db.pragma("cell_size_check", 1)
        db.pragma("recursive_triggers", 1)  # else REPLACE deletes past the append-only triggers
        db.pragma("schema_version")
    except apsw.NotADBError as cause:
        db.close()
        raise NotAJournal("open", path, "not an SQLite database") from cause
    except apsw.Error as cause:
        system_errno = db.system_errno
        db.close()
        raise from_sqlite(cause, "open", path, system_errno=system_errno) from cause
    return Database(db, path)


def _sync_folder(path: Path) -> None:
    # A new file's name is on the disk only when its folder is.
    try:
        fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as cause:
        raise from_os(cause, "sync the folder of", path) from cause
