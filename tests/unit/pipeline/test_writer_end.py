"""How the writer ends: what came in is committed, the last words are the last, a mended disk is used."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from coldchain import facts
from coldchain.facts import Activated, Beat, Fact, ProcessEnded, Reading, Unrecorded
from coldchain.journal import Batch, Commit, Journal, JournalFull, Reader
from coldchain.pipeline import writer as module
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.verify import verify
from tests.unit.fold.bench import limit, plan
from tests.unit.pipeline.test_writer import begin

LAST = ProcessEnded("asked to stop")


def in_journal(path: Path) -> list[Fact]:
    """Every fact, in order."""
    with Reader.open(path) as reader:
        assert verify(reader, engine()).sound
        return [facts.decode(row.body) for row in reader.facts()]


def test_the_last_words_are_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a heartbeat is due, and whatever waits: nothing stands behind "process ended"."""
    monkeypatch.setattr(module, "LOOK_S", 0.0)
    path = tmp_path / "j.sqlite"
    writer, queue, clock, journal = begin(path, [])
    writer.beat_s = 0.0
    queue.submit((Activated(plan(limit(hold_ms=1)), {}),))
    working = threading.Thread(target=writer.run)
    working.start()
    for number in range(200):
        queue.offer((Reading("log", "box.vapour", "-149", "degC", at_ms=clock.utc_ms(), sequence=number),))
    writer.stop(LAST)
    working.join(30)
    assert not working.is_alive()
    journal.close()
    kept = in_journal(path)
    assert kept[-1] == LAST
    assert sum(isinstance(fact, Reading) for fact in kept) == 200
    assert any(isinstance(fact, Beat) for fact in kept)


def test_a_last_try_before_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that has room again in the last second takes all that was kept, and the span is told."""
    path = tmp_path / "j.sqlite"
    writer, queue, clock, journal = begin(path, [])
    queue.submit((Activated(plan(limit(hold_ms=0)), {}),))
    writer.step(0)
    commit, full = Journal.commit, [True]

    def failing(self: Journal, batch: Batch) -> Commit:
        if full[0]:
            raise JournalFull("commit", path, "made to fail")
        return commit(self, batch)

    monkeypatch.setattr(Journal, "commit", failing)
    queue.offer((Reading("log", "box.vapour", "-149", "degC", at_ms=clock.utc_ms(), sequence=1),))
    writer.step(0)
    assert writer.failing.unwritten
    full[0] = False
    writer.stop(LAST)
    writer.run()
    journal.close()
    kept = [type(fact) for fact in in_journal(path) if not isinstance(fact, Beat)]
    assert kept[-3:] == [Reading, Unrecorded, ProcessEnded]


def test_a_disk_that_stays_full_is_no_reason_to_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end comes all the same; the sources were not acknowledged, so they send again what was lost."""
    path = tmp_path / "j.sqlite"
    writer, queue, clock, journal = begin(path, [])
    queue.submit((Activated(plan(limit(hold_ms=0)), {}),))
    writer.step(0)

    def failing(self: Journal, batch: Batch) -> Commit:
        raise JournalFull("commit", path, "made to fail")

    settled: list[object] = []
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "commit", failing)
        queue.offer((Reading("log", "box.vapour", "-149", "degC", at_ms=clock.utc_ms()),), settled.append)
        writer.stop(LAST)
        writer.run()
        assert writer.failing.unwritten
    journal.close()
    assert settled == []
    assert LAST not in in_journal(path)
