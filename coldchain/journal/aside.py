"""A damaged journal is given another name, so that a new one can begin in its place.

Nothing of it is touched: it is evidence, and `coldchain repair` brings back what its links still prove.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path

from coldchain.journal.backup import sync
from coldchain.journal.database import wal_path
from coldchain.journal.errors import from_os
from coldchain.journal.lock import Lock


def set_aside(path: Path) -> Path:
    """Rename a journal that nobody has open, log included, to the next free `<name>.damaged-<n>`; that path.

    Raises JournalBusy if somebody writes to it, JournalReadOnly or JournalIo if it cannot be renamed.
    """
    lock = Lock(path, "set aside", None)
    try:
        aside = next(
            free for n in count(1) if not (free := path.with_name(f"{path.name}.damaged-{n}")).exists()
        )
        log, shared = wal_path(path), path.with_name(path.name + "-shm")
        try:
            # The log first: a log without its journal is laid over nothing, a new journal under it would be.
            if log.exists():
                log.rename(wal_path(aside))
            shared.unlink(missing_ok=True)
            path.rename(aside)
            sync(path.parent)
        except OSError as cause:
            raise from_os(cause, "set aside", path) from cause
        return aside
    finally:
        lock.release()
