"""Room kept back: a file beside the journal that is given up when the disk is full.

Alarms raised in that hour can then still be committed before anybody has tidied up.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from coldchain.journal.errors import from_os

#: Room for the write-ahead log at its bound and about 100,000 readings (docs/journal.md, Size).
RESERVE_BYTES = 16 * 1024 * 1024


class Reserve:
    """The reserve file `<journal>.reserve`. Made of real blocks, never sparse."""

    def __init__(self, journal: Path, size_bytes: int = RESERVE_BYTES) -> None:
        self.path = journal.with_name(journal.name + ".reserve")
        self.size_bytes = size_bytes

    @property
    def held(self) -> bool:
        """Whether the whole reserve lies on the disk."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        # st_blocks counts 512 bytes (stat(2)), whatever the file system's block is.
        return found.st_size >= self.size_bytes and found.st_blocks * 512 >= self.size_bytes

    def make(self) -> bool:
        """Set the room aside (again); False if less than as much again would stay free.

        The margin keeps a nearly full disk from taking and giving it in turns. Raises
        JournalReadOnly or JournalIo.
        """
        if self.held:
            return True
        try:
            disk = os.statvfs(self.path.parent)
            if disk.f_bavail * disk.f_frsize < 2 * self.size_bytes:
                return False
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, self.size_bytes)
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as cause:
            if cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                self.release()
                return False
            raise from_os(cause, "make the reserve", self.path) from cause
        return True

    def release(self) -> bool:
        """Give the room back to the file system; False if there was none to give."""
        try:
            # On a full copy-on-write file system cutting works where removing has no room to work in.
            os.truncate(self.path, 0)
            self.path.unlink()
        except FileNotFoundError:
            return False
        except OSError as cause:
            raise from_os(cause, "give back the reserve", self.path) from cause
        return True
