"""Killed in the middle of it, again and again: what was reported as committed is there, and nothing half."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from coldchain.journal import Deliveries, Journal, verify_chain
from tests.unit.journal.support import entries

KILLS = 15
ROOT = Path(__file__).resolve().parents[3]


def run_and_kill(path: Path, chance: random.Random) -> tuple[int, int]:
    """Let a process commit for a while and kill it; the last commit and position it reported."""
    command = [sys.executable, "-m", "tests.unit.journal.appender", str(path), str(chance.randrange(10**6))]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        for _ in range(chance.choice([0, 1, 2, 30, 150])):
            process.stdout.readline()
        process.kill()
        rest = process.stdout.read().split(b"\n")
    finally:
        process.kill()
        process.communicate()
    whole = [line.split() for line in rest[:-1]]  # what follows the last line feed was cut off
    return (int(whole[-1][0]), int(whole[-1][1])) if whole else (0, 0)


@pytest.mark.slow
def test_nothing_reported_is_lost(tmp_path: Path) -> None:
    """After each of fifteen kills the journal goes on where it was, every reported batch in its chain."""
    path = tmp_path / "x.journal"
    chance = random.Random(20261123)
    before = 0
    for _ in range(KILLS):
        number, position = run_and_kill(path, chance)
        with Journal.open(path) as journal, Deliveries.open(path) as deliveries:
            tail = journal.tail()
            assert tail.position >= max(position, before)
            assert tail.commit >= number
            report = verify_chain(journal)
            assert report.intact, report.first
            assert report.facts == tail.position
            said = {c.last_position for c in journal.commits()}
            rows = [*deliveries.pending("hook", 0, 10**6), *deliveries.settled("hook", limit=10**6)]
            assert {row.notice.position for row in rows} == said, "each batch came with its notice"
            assert deliveries.cursor("influx").sent <= tail.position
            state = journal.latest_checkpoint("engine")
            assert state is None or state.position in said
            before = tail.position
    with Journal.open(path) as journal:
        assert list(journal.entries()) == list(entries(1, before))
    assert before > 1000
