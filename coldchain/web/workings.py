"""How the program itself is doing, in numbers: for whoever watches the watcher."""

from __future__ import annotations

from msgspec import Struct


class Workings(Struct, frozen=True):
    """Taken at one instant; counts run from the start of the process.

    position:   of the newest fact. waiting, capacity: facts in the intake queue, and how many devices may
                leave there. commits, commit_s: transactions on disk, and the real seconds they took in sum;
                longest_commit_s: the longest.
    journal_bytes: the database and its write-ahead log; journal_wal_bytes: of it the log.
    disk_free_bytes, disk_bytes: of its file system.
    clock_error_s: the most by which the kernel thinks its clock may be wrong. sink_oldest_s: by sink, for how
    long the oldest notice has waited. None: it could not be asked.
    """

    position: int = 0
    waiting: int = 0
    capacity: int = 0
    commits: int = 0
    commit_s: float = 0.0
    longest_commit_s: float = 0.0
    journal_bytes: int | None = None
    journal_wal_bytes: int | None = None
    disk_free_bytes: int | None = None
    disk_bytes: int | None = None
    clock_error_s: float | None = None
    sink_oldest_s: dict[str, float] = {}
