"""What can go wrong with a journal: where, at which position, why, and the mend.

Every error that SQLite, the file system or a wrong call can cause leaves this package as one of
these. `heals` says whether the same call can succeed later without anybody doing anything but
what the mend says (room made, lock given back): the writer then keeps its batch and tries again.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import ClassVar

import apsw

from coldchain.journal.records import Holder


class JournalError(Exception):
    """The root: operation, path, position, cause and mend as attributes, all in one sentence.

    position: the first journal position the operation was about; None where it was about none.
    mend:     what a person can do about it, as an order.
    """

    heals: ClassVar[bool] = False
    default_mend: ClassVar[str] = "run `coldchain verify` on the journal"

    def __init__(
        self, operation: str, path: Path | str, why: str, *, position: int | None = None, mend: str = ""
    ) -> None:
        self.operation = operation
        self.path = Path(path)
        self.why = why
        self.position = position
        self.mend = mend or self.default_mend
        at = "" if position is None else f" at position {position}"
        super().__init__(f"{self.path}: {operation}{at}: {why}; {self.mend}")


class JournalFull(JournalError):
    """No room: the file system, a quota or SQLite's own page limit. Nothing of the batch was written."""

    heals = True
    default_mend = "make room on the file system that holds the journal"


class JournalReadOnly(JournalError):
    """The file or its file system does not let us write."""

    heals = True
    default_mend = "make the folder and its files writable for this user, or mount the file system read-write"


class JournalBusy(JournalError):
    """Another process holds the journal's lock, or another connection holds its write transaction too long.

    `holder` says who, as far as it is known.
    """

    heals = True
    default_mend = "end the program that holds it, or give the command to the running daemon"

    def __init__(
        self,
        operation: str,
        path: Path | str,
        why: str,
        *,
        holder: Holder | None = None,
        position: int | None = None,
        mend: str = "",
    ) -> None:
        self.holder = holder
        super().__init__(operation, path, why, position=position, mend=mend)


class JournalIo(JournalError):
    """The disk or file system failed. Nothing was reported as written; what is on disk is not known."""

    heals = True
    default_mend = "look at the kernel's log for the disk's errors, and replace the medium if it has any"


class JournalCorrupt(JournalError):
    """The file is not what was written: damaged pages, or rows that contradict each other."""

    default_mend = (
        "keep the file as evidence, bring back what checks with `coldchain repair`, start a new one"
    )


class JournalMissing(JournalError):
    """There is no journal at this path (or its folder cannot be entered)."""

    default_mend = "check the path; a journal is made by the daemon, or by opening it for writing"


class NotAJournal(JournalError):
    """The file is something else: another program's database, or no database."""

    default_mend = "give another path; the file was not touched"


class JournalNewer(JournalError):
    """The journal was written by a newer version with a schema this one does not know."""

    default_mend = "use that version or a newer one; the file was not touched"


class JournalRefused(JournalError):
    """The batch contradicts the journal: a gap in the positions, an arrival that goes back.

    A mistake in the calling code, never the disk's; nothing was written.
    """

    default_mend = "report this as a defect, with the sentence above"


_FULL = {errno.ENOSPC, errno.EDQUOT}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


def from_sqlite(
    cause: apsw.Error, operation: str, path: Path | str, *, position: int | None = None, system_errno: int = 0
) -> JournalError:
    """The error of ours that says what SQLite said; the caller raises it `from cause`.

    system_errno: what the operating system said last, where SQLite keeps it. SQLite reports a
    used-up quota, or no room for its shared memory, as a plain I/O error.
    """
    why = str(cause) or type(cause).__name__
    match cause:
        case apsw.FullError():
            kind: type[JournalError] = JournalFull
        case apsw.ReadOnlyError() | apsw.PermissionsError():
            kind = JournalReadOnly
        case apsw.BusyError() | apsw.LockedError():
            return JournalBusy(
                operation, path, why, position=position, mend="end the other program that writes to this file"
            )
        case apsw.IOError() | apsw.CantOpenError():
            return from_os(OSError(system_errno, why), operation, path, position=position)
        case apsw.CorruptError() | apsw.NotADBError() | apsw.ConstraintError() | apsw.SQLError():
            # Tables or rows that we made are gone, or rows stand where none can be.
            kind = JournalCorrupt
        case apsw.AuthError() | apsw.MismatchError() | apsw.TooBigError() | apsw.BindingsError():
            kind = JournalRefused
        case apsw.ConnectionClosedError() | apsw.ThreadingViolationError() | apsw.ForkingViolationError():
            kind = JournalRefused
        case _:
            kind = JournalIo
    return kind(operation, path, why, position=position)


def from_os(cause: OSError, operation: str, path: Path | str, *, position: int | None = None) -> JournalError:
    """The error of ours that says what the operating system said."""
    words = [cause.strerror or ""]
    if cause.errno:
        words.append(os.strerror(cause.errno))
    why = ": ".join(dict.fromkeys(filter(None, words))) or type(cause).__name__
    if cause.errno in _FULL:
        return JournalFull(operation, path, why, position=position)
    if cause.errno in _READ_ONLY:
        return JournalReadOnly(operation, path, why, position=position)
    return JournalIo(operation, path, why, position=position)
