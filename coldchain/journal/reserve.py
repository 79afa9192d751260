"""Room kept back: a file beside the journal that is given up when the disk is full.

Alarms raised in that hour can then still be committed before anybody has tidied up.
"""

from __future__ import annotations

from pathlib import Path

#: Enough for hours of a gateway's facts and the write-ahead log's growth; small on any medium sold today.
RESERVE_BYTES = 16 * 1024 * 1024


class Reserve:
    """The reserve file `<journal>.reserve`. Made of real blocks, never sparse."""

    def __init__(self, journal: Path, size_bytes: int = RESERVE_BYTES) -> None:
        self.path = journal.with_name(journal.name + ".reserve")
        self.size_bytes = size_bytes

    @property
    def held(self) -> bool:
        """Whether the whole reserve lies on the disk."""
        raise NotImplementedError

    def make(self) -> bool:
        """Set the room aside (again); False if that would leave less than as much again free."""
        raise NotImplementedError

    def release(self) -> bool:
        """Give the room back to the file system; False if there was none to give."""
        raise NotImplementedError
