# ruff: noqa: N802 - the methods are named by SQLite
"""A disk that can be watched and fails when told to: an SQLite VFS over the real one.

SQLite asks for four things that matter here: write, truncate, sync and delete. They are passed on and
noted; `tests/campaign/medium.py` rebuilds a power cut from the notes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import apsw

_NAME = "watched"


class Operation(NamedTuple):
    """One thing asked of the disk: kind is write, truncate, sync or delete; name without its folder."""

    kind: str
    name: str
    offset: int = 0
    data: bytes = b""


class Disk:
    """Everything that was asked of it, and which request is to fail with what."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.fail_at: int | None = None
        self.failure: type[apsw.Error] = apsw.IOError
        self.failed = False
        self.fail_opening = False

    def opened(self) -> None:
        """A file is to be opened; that fails once if it is told to."""
        if self.fail_opening:
            self.fail_opening = False
            raise self.failure("made to fail: open")

    def asked(self, operation: Operation) -> None:
        """Note a request; it fails if its turn has come."""
        if self.fail_at is not None and len(self.operations) >= self.fail_at:
            self.fail_at = None
            self.failed = True
            raise self.failure(f"made to fail: {operation.kind} {operation.name}")
        self.operations.append(operation)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: object, flags: list[int]) -> None:
        full = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._disk, self._name = disk, Path(full).name
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.asked(Operation("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        self._disk.asked(Operation("truncate", self._name, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        self._disk.asked(Operation("sync", self._name))
        super().xSync(flags)


class _Vfs(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__(_NAME, "unix", makedefault=True)

    def xOpen(self, name: object, flags: list[int]) -> _File:
        self._disk.opened()
        return _File(self._disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self._disk.asked(Operation("delete", Path(filename).name))
        super().xDelete(filename, syncdir)


@contextmanager
def watched(disk: Disk | None = None) -> Iterator[Disk]:
    """Every SQLite file opened inside lies on such a disk, or on this one."""
    disk = disk or Disk()
    vfs = _Vfs(disk)
    try:
        yield disk
    finally:
        vfs.unregister()
