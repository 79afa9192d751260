# ruff: noqa: N818 - the names say what is the case; all of them are errors
"""What can go wrong with a journal: where, at which position, why, and the mend.

Every error that SQLite, the file system or a wrong call can cause leaves this package as one of
these. `heals` says whether the same call can succeed later without anybody doing anything but
what the mend says (room made, lock given back): the writer then keeps its batch and tries again.
"""

from __future__ import annotations

import errno
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

    default_mend = "keep the file as evidence, run `coldchain verify` on a copy, and start a new journal"


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


def from_sqlite(
    cause: apsw.Error, operation: str, path: Path | str, *, position: int | None = None
) -> JournalError:
    """The error of ours that says what SQLite said; the caller raises it `from cause`."""
    raise NotImplementedError((cause, operation, path, position, errno.ENOSPC))
