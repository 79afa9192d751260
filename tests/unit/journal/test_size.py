"""What a reading costs on the disk, counted, not timed; docs/journal.md states these figures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

from coldchain.journal import Batch, Entry, Journal
from tests.unit.journal.disk import watched
from tests.unit.journal.support import ARRIVAL_MS, reading

CHANNELS = 20


class Cost(NamedTuple):
    """What the readings cost."""

    json: float
    stored: float
    syncs_per_commit: float
    log_bytes_per_commit: float
    log_bytes_max: int


def cost(size: int, readings: int) -> Cost:
    """Readings of twenty channels, in batches of this size; the room of an empty journal not counted."""
    with TemporaryDirectory() as folder, watched() as disk:
        path = Path(folder, "x.journal")
        Journal.open(path).close()
        empty = path.stat().st_size
        with Journal.open(path) as journal:
            facts = [reading(n, f"channel-{n % CHANNELS}") for n in range(1, readings + 1)]
            syncs: Counter[str] = Counter()
            log = log_max = commits = 0
            for first in range(1, readings + 1, size):
                made = tuple(
                    Entry(n, ARRIVAL_MS + n * 1000, facts[n - 1]) for n in range(first, first + size)
                )
                before = len(disk.operations)
                journal.commit(Batch(made))
                asked = disk.operations[before:]
                syncs.update(op.name for op in asked if op.kind == "sync")
                log += sum(len(op.data) for op in asked if op.name == "x.journal-wal")
                log_max = max(log_max, journal.wal_bytes())
                commits += 1
        stored = (path.stat().st_size - empty) / readings
        json = sum(map(len, facts)) / readings
        return Cost(json, stored, syncs["x.journal-wal"] / commits, log / commits, log_max)


@pytest.mark.parametrize(
    ("size", "readings", "stored_max"),
    [
        pytest.param(1, 1_500, 100, id="batches of 1", marks=pytest.mark.slow),
        pytest.param(10, 6_000, 60, id="batches of 10"),
        pytest.param(100, 6_000, 55, id="batches of 100"),
    ],
)
def test_a_reading_costs_little(size: int, readings: int, stored_max: float) -> None:
    """A reading takes less than its own JSON, a commit one sync, and the log stays at its bound."""
    found = cost(size, readings)
    print(
        f"\nbatches of {size}: JSON {found.json:.0f} B, file {found.stored:.1f} B a reading;"
        f" {found.syncs_per_commit:.2f} syncs, {found.log_bytes_per_commit:.0f} B of log a commit;"
        f" log at most {found.log_bytes_max} B"
    )
    assert found.stored < stored_max < found.json
    assert 1 <= found.syncs_per_commit < 1.02, "one a commit, and one more when the log starts anew"
    assert found.log_bytes_max < 1.1 * 1000 * 4120
