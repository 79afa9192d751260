"""One writer at a time: a lock file beside the journal, with the holder's name in it.

The lock is flock(2) on `<journal>.lock`. The kernel gives it back however the holder ends; what
the file says is only for people. The file is never removed: a second process could then lock
the removed one and a third the new one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from pathlib import Path

import msgspec

from coldchain import clock
from coldchain.journal.errors import JournalBusy, JournalMissing, from_os
from coldchain.journal.records import Holder

# `holder_of` takes the lock shared for an instant to see whether it is free; a writer that starts
# in that instant looks again this often, this far apart (real time).
_TRIES = 5
_BETWEEN_TRIES_S = 0.02
_HOLDER = msgspec.json.Decoder(Holder)


def lock_path(journal: Path) -> Path:
    """Where the lock of a journal lies."""
    return journal.with_name(journal.name + ".lock")


class Lock:
    """The journal's lock, held until `release` or the end of the process.

    A child made by fork alone shares it, and keeps it if we are killed and it is not; one started
    as another program does not.
    """

    def __init__(self, journal: Path, command: str, since_utc_ms: int | None) -> None:
        """Take the lock; JournalBusy, with the holder, if another process has it."""
        path = lock_path(journal)
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except FileNotFoundError as cause:
            raise JournalMissing("open", journal, "its folder does not exist") from cause
        except OSError as cause:
            raise from_os(cause, "lock", path) from cause
        try:
            self._take(journal)
            self._say(Holder(clock.process_id(), clock.boot_id(), command, since_utc_ms))
        except OSError as cause:
            os.close(self._fd)
            raise from_os(cause, "lock", path) from cause
        except BaseException:
            os.close(self._fd)
            raise

    def _take(self, journal: Path) -> None:
        for left in reversed(range(_TRIES)):
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as cause:
                if left:
                    threading.Event().wait(_BETWEEN_TRIES_S)
                    continue
                holder = _said(self._fd)
                who = holder.describe() if holder else "a process that has not said its name"
                raise JournalBusy("lock", journal, f"held by {who}", holder=holder) from cause
            else:
                return

    def _say(self, holder: Holder) -> None:
        try:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, msgspec.json.encode(holder) + b"\n", 0)
        except OSError as cause:
            # The lock is held all the same; on a full disk a nameless holder is better than none.
            if cause.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise

    def release(self) -> None:
        """Give the lock back; the second time does nothing."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            fcntl.flock(self._fd, fcntl.LOCK_UN)  # closing alone would leave it to a forked child
            os.close(self._fd)
            self._fd = -1


def holder_of(journal: Path | str) -> Holder | None:
    """Who writes to this journal now; None if nobody does. Takes nothing from anybody."""
    path = lock_path(Path(journal).resolve())
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as cause:
        raise from_os(cause, "look at the lock", path) from cause
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _said(fd) or Holder(0, "", "has not said its name")
    else:
        return None
    finally:
        os.close(fd)


def _said(fd: int) -> Holder | None:
    try:
        return _HOLDER.decode(os.pread(fd, 4096, 0))
    except msgspec.MsgspecError:
        return None
