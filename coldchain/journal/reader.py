"""Reading a journal, in chunks: no read transaction outlives a chunk, so the log can be recycled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Self

from coldchain.journal.records import AnnouncementRow, Checkpoint, Commit, Document, Entry, FactRow, Tail


class Readable:
    """What can be asked of an open journal, whoever opened it. One thread at a time.

    Positions are inclusive on both ends; `to_position` None means the tail at the time of the call.
    Raises JournalMissing, NotAJournal, JournalNewer, JournalCorrupt, JournalIo.
    """

    path: Path

    def close(self) -> None: ...
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def journal_id(self) -> bytes:
        """16 random bytes given to this journal when it was made; its chain begins with them."""
        raise NotImplementedError

    def tail(self) -> Tail:
        """The end: last position, its arrival, number and link of the last commit."""
        raise NotImplementedError

    def facts(self, from_position: int = 1, to_position: int | None = None) -> Iterator[FactRow]:
        """Facts in journal order."""
        raise NotImplementedError

    def announcements(
        self, from_position: int = 1, to_position: int | None = None
    ) -> Iterator[AnnouncementRow]:
        """Announcements in the order in which they were made."""
        raise NotImplementedError

    def entries(self, from_position: int = 1, to_position: int | None = None) -> Iterator[Entry]:
        """Facts together with what was announced at each: what a re-fold compares itself with."""
        raise NotImplementedError

    def commits(self, from_number: int = 1, to_number: int | None = None) -> Iterator[Commit]:
        """Commits in order."""
        raise NotImplementedError

    def position_at(self, arrival_ms: int) -> int:
        """The last position whose arrival is not later than this journal time; 0 if there is none."""
        raise NotImplementedError

    def document(self, sha256: str) -> Document | None:
        """A configuration or profile text by its hash."""
        raise NotImplementedError

    def private_text(self, commitment: str) -> str | None:
        """The text behind a commitment; None if it was erased or never known."""
        raise NotImplementedError

    def latest_checkpoint(self, engine: str, up_to: int | None = None) -> Checkpoint | None:
        """The newest intact state of this engine at or before a position; None: fold from the beginning."""
        raise NotImplementedError

    def latest_base_state(self, up_to: int | None = None) -> Checkpoint | None:
        """The newest base state at or before a position (of whatever engine)."""
        raise NotImplementedError

    def counts(self) -> dict[str, int]:
        """The named counters."""
        raise NotImplementedError

    def wal_bytes(self) -> int:
        """Size of the write-ahead log on disk."""
        raise NotImplementedError

    def file_bytes(self) -> int:
        """Size of the database file on disk, without its write-ahead log."""
        raise NotImplementedError


class Reader(Readable):
    """A journal opened for reading alone; works beside a running daemon and takes no lock."""

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open an existing journal; nothing is created, migrated or locked."""
        raise NotImplementedError
