"""The writer's side: one process, one connection, one transaction per batch."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from coldchain.journal.reader import Readable
from coldchain.journal.records import Batch, Commit, WalState
from coldchain.journal.reserve import RESERVE_BYTES, Reserve


class Journal(Readable):
    """A journal opened for writing, holding its lock. One thread at a time.

    Every method raises a JournalError and has then written nothing; a batch that failed can be
    given again as it is.
    """

    reserve: Reserve

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        command: str = "coldchain",
        since_utc_ms: int | None = None,
        create: bool = True,
        reserve_bytes: int = RESERVE_BYTES,
    ) -> Self:
        """Take the lock, make the journal if there is none, migrate it, check its tail.

        command, since_utc_ms: what a second writer is told about us.
        Raises JournalBusy (with the holder) if another process writes to it, JournalMissing if
        there is none and `create` is False, NotAJournal, JournalNewer, JournalCorrupt,
        JournalReadOnly, JournalFull, JournalIo.
        """
        raise NotImplementedError

    def commit(self, batch: Batch) -> Commit:
        """Write a batch and its link; on return it is on the disk.

        Positions continue the tail without a gap, arrivals never go back, every notice belongs to
        an announcement of the batch: else JournalRefused. A notice whose (sink, id) is there already
        with the same body is left as it is; with another body it is refused.
        """
        raise NotImplementedError

    def save_checkpoint(self, position: int, engine: str, state: bytes, *, keep: int = 3) -> None:
        """Keep the fold's state after a committed position; only the newest `keep` of the engine stay."""
        raise NotImplementedError

    def drop_checkpoints(self, *, except_engine: str | None = None) -> int:
        """Delete cached states (of all other engines); returns how many went."""
        raise NotImplementedError

    def save_base_state(self, position: int, engine: str, state: bytes) -> None:
        """Keep the state that stands for everything up to a retention boundary."""
        raise NotImplementedError

    def erase(self, commitment: str) -> bool:
        """Erase a private text and its salt, from the log file too; False if there was none."""
        raise NotImplementedError

    def prune_settled(self, before_position: int) -> int:
        """Delete settled notices of announcements before a position; returns how many went."""
        raise NotImplementedError

    def checkpoint_wal(self, *, truncate: bool = False) -> WalState:
        """Copy the write-ahead log into the database; `truncate` also cuts the file to nothing."""
        raise NotImplementedError
