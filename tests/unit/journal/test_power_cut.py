"""A power cut at any moment: what was committed is there, whole, and nothing that was not is half there."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldchain.journal import (
    Batch,
    Cursor,
    Deliveries,
    Entry,
    Journal,
    JournalError,
    Notice,
    verify_chain,
)
from tests.unit.journal.disk import Operation, after_power_cut, watched
from tests.unit.journal.support import entries

SIZES = [1, 1, 3, 20, 1, 2, 60, 1, 1, 150, 1, 5, 1, 1, 30, 1]


class Run:
    """What a run asked of the disk, and after how many operations each commit had returned."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.entries: list[Entry] = []
        self.committed: list[tuple[int, int]] = []  # operations so far, last position

    def promised(self, cut: int) -> int:
        """The last position that had been reported as committed when the power went."""
        return max((position for asked, position in self.committed if asked <= cut), default=0)


def record(synchronous: str) -> Run:
    """A life of a journal: commits large and small, receipts, states, checkpoints, a restart."""
    run = Run()
    with TemporaryDirectory() as folder, watched() as disk:
        path = Path(folder, "x.journal")
        for sizes in (SIZES, SIZES):
            with Journal.open(path) as journal, Deliveries.open(path) as deliveries:
                db = journal._database.connection
                db.pragma("synchronous", synchronous)
                journal.wal_pages_max = 8  # so that the log starts anew many times
                for turn, size in enumerate(sizes):
                    first = len(run.entries) + 1
                    more = entries(first, size)
                    last = more[-1].position
                    notice = Notice("hook", f"{last}", last, 0, "raised", b"x" * 50)
                    journal.commit(Batch(more, notices=(notice,)))
                    run.entries += more
                    run.committed.append((len(disk.operations), last))
                    if turn % 3 == 0:
                        deliveries.done("hook", {f"{last}": "200"}, 0)
                        deliveries.move("influx", Cursor(last, first))
                    if turn % 5 == 0:
                        journal.save_checkpoint(last, "engine", b"state" * 500)
                    if turn % 7 == 0:
                        journal.checkpoint_wal(truncate=turn % 2 == 0)
        run.operations = disk.operations
    return run


class Found(NamedTuple):
    """What a journal held after the power came back."""

    position: int
    intact: bool
    notices: set[int]


def reopened(run: Run, cut: int, seed: int) -> Found:
    """Cut the power after so many operations, open what is left, and look whether it is a true beginning."""
    with TemporaryDirectory() as folder:
        after_power_cut(run.operations[:cut], Path(folder), random.Random(seed))
        path = Path(folder, "x.journal")
        with Journal.open(path) as journal, Deliveries.open(path) as deliveries:
            found = list(journal.entries())
            assert found == run.entries[: len(found)], "a beginning of what was written, byte for byte"
            notices = deliveries.pending("hook", 0, 10_000)
            settled = deliveries.settled("hook", limit=10_000)
            told = {row.notice.position for row in [*notices, *settled]}
            position = journal.tail().position
            assert deliveries.cursor("influx").sent <= position
            return Found(position, verify_chain(journal).intact, told)


@pytest.fixture(scope="module")
def full() -> Run:
    """A run as the product makes it."""
    return record("FULL")


@settings(max_examples=250)
@given(where=st.integers(0, 10**6), seed=st.integers(0, 10**6))
def test_no_power_cut_takes_a_commit(full: Run, where: int, seed: int) -> None:
    """Cut anywhere, with any part of the unsynced writes on the disk: all that was reported is there."""
    cut = where % (len(full.operations) + 1)
    found = reopened(full, cut, seed)
    assert found.position >= full.promised(cut)
    assert found.intact
    ends = {position for _, position in full.committed}
    assert found.position in ends | {0}, "a commit is there as a whole or not at all"
    assert found.notices == {position for position in ends if position <= found.position}


def test_the_disk_does_lose_things() -> None:
    """The same run without syncing loses commits: the test above can fail."""
    run = record("OFF")
    lost = 0
    for asked, position in run.committed:
        try:
            lost += reopened(run, asked, seed=asked).position < position
        except (JournalError, AssertionError):
            lost += 1
    assert lost > len(run.committed) // 4


def test_receipts_cost_no_sync(full: Run) -> None:
    """A sink's transaction is not synced on its own, so it never keeps the writer waiting for the disk."""
    with TemporaryDirectory() as folder, watched() as disk:
        path = Path(folder, "x.journal")
        with Journal.open(path) as journal, Deliveries.open(path) as deliveries:
            made = entries(1, 3)
            notices = tuple(Notice("hook", f"{n}", 3, 0, "raised", b"x") for n in range(20))
            journal.commit(Batch(made, notices=notices))
            before = len(disk.operations)
            for notice in deliveries.pending("hook", 0):
                deliveries.done("hook", {notice.notice.id: "200"}, 0)
            kinds = {operation.kind for operation in disk.operations[before:]}
            assert kinds == {"write"}
            before = len(disk.operations)
            journal.commit(Batch(entries(4, 1)))
            assert [op.kind for op in disk.operations[before:]].count("sync") == 1
