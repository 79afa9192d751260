"""The journal cannot be written: loud at once, nothing acknowledged, everything in order afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldchain import facts
from coldchain.facts import Activated, EngineStarted, Reading, Unrecorded
from coldchain.journal import Batch, Commit, Journal, JournalReadOnly, Reader
from coldchain.pipeline import failing
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.intake import Folded, Queue, Told
from coldchain.pipeline.recovery import recover
from coldchain.pipeline.timekeeper import Timekeeper
from coldchain.pipeline.verify import verify
from coldchain.pipeline.writer import Committed, Hooks, Writer
from tests.unit.fold.bench import limit, plan
from tests.unit.pipeline.fake_clock import HandClock


class Site:
    """A writer whose journal a test can make unwritable."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, self.broken = HandClock(), False
        self.journal = Journal.open(path)
        self.urgent: list[Told] = []
        self.committed: list[Committed] = []
        self.settled: list[int] = []
        commit = Journal.commit

        def fails(journal: Journal, batch: Batch) -> Commit:
            if self.broken:
                raise JournalReadOnly("commit", journal.path, "the test says so")
            return commit(journal, batch)

        monkeypatch.setattr(Journal, "commit", fails)
        recovered = recover(self.journal, engine())
        keeper = Timekeeper(self.clock)
        started = keeper.start(recovered.fold)
        self.queue = Queue(self.clock, 1000)
        hooks = Hooks(committed=self.committed.append, urgent=self.urgent.extend)
        self.writer = Writer(self.clock, self.queue, recovered.fold, self.journal, engine(), keeper, hooks)
        self.queue.submit((*started.facts, EngineStarted(engine(), "test")))
        self.queue.submit((Activated(plan(limit(hold_ms=0)), {}),))
        self.step()

    def reading(self, raw: str) -> None:
        """A reading comes and is folded."""

        def settled(folded: Folded) -> None:
            self.settled.append(folded.position)

        self.clock.pass_ms(60_000)
        taken = self.queue.offer(
            (Reading("log", "box.vapour", raw, "degC", at_ms=self.clock.utc_ms()),), settled
        )
        assert taken
        self.step()

    def step(self) -> None:
        """The writer works until nothing waits."""
        for _ in range(3):
            self.writer.step(0)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A fresh site."""
    return Site(tmp_path / "j.db", monkeypatch)


def test_an_alarm_leaves_although_the_journal_cannot_be_written(site: Site) -> None:
    """First the root alarm, then the critical one, both unrecorded; no source is acknowledged meanwhile."""
    site.reading("-160")
    assert len(site.settled) == 1
    site.broken = True
    site.reading("-161")
    site.reading("-140")
    assert [told.said.alarm for told in site.urgent] == ["gateway/journal", "box/vapour/above"]
    assert len(site.settled) == 1
    assert [batch.recorded for batch in site.committed][-1] is False
    assert site.writer.failing.unwritten
    assert "the test says so" in site.writer.failing.why


def test_it_heals_in_order_and_says_what_was_missing(site: Site) -> None:
    """When writing works again all is committed with its first arrival, and the span is told."""
    site.broken = True
    for raw in ("-161", "-140", "-139"):
        site.reading(raw)
    arrivals = site.writer.fold.arrival_ms
    site.broken = False
    site.clock.pass_ms(5_000)
    site.step()
    assert len(site.settled) == 3
    assert not site.writer.failing.unwritten
    path = site.journal.path
    site.journal.close()
    with Reader.open(path) as reader:
        rows = [(row.arrival_ms, facts.decode(row.body)) for row in reader.facts()]
        assert verify(reader, engine()).sound
    readings = [(at, f) for at, f in rows if isinstance(f, Reading)]
    assert [f.raw for _, f in readings] == ["-161", "-140", "-139"]
    assert [at for at, f in readings] == [f.at_ms for _, f in readings]
    assert readings[-1][0] <= arrivals
    [span] = [f for _, f in rows if isinstance(f, Unrecorded)]
    assert span.announced == 1
    assert span.from_ms <= readings[0][0] <= span.to_ms


def test_what_is_kept_in_memory_is_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound sources are held back: what they send is neither taken nor acknowledged."""
    monkeypatch.setattr(failing, "KEPT_FACTS", 5)
    site.broken = True
    for _ in range(4):
        site.reading("-160")
    site.clock.pass_ms(1_000)
    site.step()
    reading = Reading("log", "box.vapour", "-160", "degC", at_ms=site.clock.utc_ms())
    assert not site.queue.offer((reading,))
    site.broken = False
    site.clock.pass_ms(5_000)
    site.step()
    site.clock.pass_ms(1_000)
    site.step()
    assert site.queue.offer((reading,))
