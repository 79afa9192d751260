"""A second file with the whole of a journal, made while its writer goes on writing.

SQLite copies page by page (https://sqlite.org/backup.html) out of one read transaction, so the copy is the
journal of one moment, log included. It is judged before it gets its name: what is not what was committed
never takes the place of an older copy that is.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import apsw
from msgspec import Struct

from coldchain.journal.database import Database, open_for_reading, wal_path
from coldchain.journal.errors import JournalCorrupt, JournalRefused, from_os, from_sqlite
from coldchain.journal.lock import holder_of
from coldchain.journal.reader import Reader
from coldchain.journal.records import Tail
from coldchain.journal.verify import ChainReport, verify_chain

#: Pages in one step, after which is said how far it is: 4 MiB.
STEP_PAGES = 1_000

Progress = Callable[[int, int], None]  # pages done, pages in all


class BackedUp(Struct, frozen=True):
    """A copy that was found to be what was committed: its end, what the chain says, its size on disk."""

    tail: Tail
    chain: ChainReport
    size: int


def back_up(
    journal: Path, target: Path, *, force: bool = False, progress: Progress | None = None
) -> BackedUp:
    """Copy a journal, also one that is being written, into one file that is whole without a log.

    The copy holds everything: evidence, names, outbox, cursors, counters, saved states. Every link of it is
    recomputed and its pages are looked through before it is called `target`. force: something may lie there.
    Raises JournalRefused if something lies there or a program has it open, JournalCorrupt if the copy is
    not what was committed, JournalFull and what opening a journal raises; then nothing has changed there.
    """
    journal, target = journal.resolve(), target.resolve()
    _may_be_written(journal, target, force=force)
    source = open_for_reading(journal)
    partial = target.with_name(target.name + ".partial")
    try:
        made = _whole(source, partial, _mode(journal), progress)
        found = _judged(partial, journal)
        try:
            sync(partial)
            partial.replace(target)
            sync(target.parent)
        except OSError as cause:
            raise from_os(cause, "back up into", target) from cause
    finally:
        source.close()
        partial.unlink(missing_ok=True)
    return BackedUp(found[0], found[1], made)


def _may_be_written(journal: Path, target: Path, *, force: bool) -> None:
    def refuse(why: str, mend: str) -> JournalRefused:
        return JournalRefused("back up into", target, why, mend=mend)

    if target == journal or (target.exists() and target.samefile(journal)):
        raise refuse("this is the journal itself", "give another path")
    if target.exists():
        if not target.is_file():
            raise refuse("it is there and no file", "give the path of a file")
        if not force:
            raise refuse("something lies there", "give another path, or say --force to replace it")
    if (holder := holder_of(target)) is not None:
        raise refuse(f"{holder.describe()} writes there", "end it, or give another path")
    log = wal_path(target)
    if log.exists() and log.stat().st_size:
        # SQLite would lay this log over the copy.
        raise refuse(f"a log of another journal lies beside it: {log.name}", f"move {log.name} away")


def _mode(journal: Path) -> int:
    return stat.S_IMODE(journal.stat().st_mode)


def _whole(source: Database, partial: Path, mode: int, progress: Progress | None) -> int:
    """Copy into a file that is as readable as the journal is; returns its size in bytes."""
    try:
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode))
    except OSError as cause:
        raise from_os(cause, "back up into", partial) from cause
    try:
        copy = apsw.Connection(str(partial), flags=apsw.SQLITE_OPEN_READWRITE)
    except apsw.Error as cause:
        raise from_sqlite(cause, "back up into", partial) from cause
    try:
        with source.guard("back up") as db:
            db.execute("BEGIN")  # one moment: without it a commit between two steps begins the copy anew
            db.pragma("schema_version")  # takes the snapshot: BEGIN alone does not
            with copy.backup("main", db, "main") as backup:
                while not backup.done:
                    backup.step(STEP_PAGES)
                    if progress is not None:
                        progress(backup.page_count - backup.remaining, backup.page_count)
            db.execute("ROLLBACK")
        copy.pragma("journal_mode", "delete")  # the file says that it needs no log
    except apsw.Error as cause:
        raise from_sqlite(cause, "back up into", partial, system_errno=copy.system_errno) from cause
    finally:
        copy.close()
    return partial.stat().st_size


def _judged(partial: Path, journal: Path) -> tuple[Tail, ChainReport]:
    with Reader.open(partial) as copy:
        wrong = copy.integrity()
        chain = verify_chain(copy)
        if chain.first is not None:
            wrong.insert(0, chain.first.detail)
        if wrong:
            raise JournalCorrupt(
                "back up",
                journal,
                f"what is in it is not what was committed: {wrong[0]}",
                mend="no copy was made of it; run `coldchain verify`, then `coldchain repair`",
            )
        return copy.tail(), chain


def sync(path: Path) -> None:
    """Put a file, or the names in a folder, on the disk. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
