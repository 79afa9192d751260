"""The writer on a real journal: what is told is on disk, and a re-fold tells the same."""

from __future__ import annotations

from pathlib import Path

from coldchain import facts
from coldchain.announcements import Kind
from coldchain.clock import SystemClock
from coldchain.facts import Activated, EngineStarted, Fact, Reading
from coldchain.fold.channels import REMEMBERED
from coldchain.journal import Journal, Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.intake import Folded, Queue
from coldchain.pipeline.recovery import recover
from coldchain.pipeline.timekeeper import Timekeeper
from coldchain.pipeline.verify import Verdict, verify
from coldchain.pipeline.writer import Committed, Hooks, Writer
from tests.unit.fold.bench import limit, plan


def begin(path: Path, committed: list[Committed]) -> tuple[Writer, Queue, SystemClock, Journal]:
    """A writer as the daemon makes it, on a clock that a site vouches for."""
    clock = SystemClock(trusted=True)
    journal = Journal.open(path)
    recovered = recover(journal, engine())
    timekeeper = Timekeeper(clock)
    started = timekeeper.start(recovered.fold)
    queue = Queue(clock, 10_000)
    hooks = Hooks(committed=committed.append)
    writer = Writer(clock, queue, recovered.fold, journal, engine(), timekeeper, hooks)
    first: tuple[Fact, ...] = (*started.facts, EngineStarted(engine(), "test"))
    queue.submit(first)
    return writer, queue, clock, journal


def test_committed_before_settled_and_verified(tmp_path: Path) -> None:
    """A source is acknowledged only after its reading is on disk; `verify` finds the stretch equal."""
    path = tmp_path / "j.sqlite"
    committed: list[Committed] = []
    writer, queue, clock, journal = begin(path, committed)
    queue.submit((Activated(plan(limit(hold_ms=0)), {}),))
    seen: list[int] = []

    def settled(folded: Folded) -> None:
        with Reader.open(path) as reader:
            seen.append(reader.tail().position)
        assert seen[-1] >= folded.position

    for raw in ("-160", "-149", "-148"):
        assert queue.offer((Reading("log", "box.vapour", raw, "degC", at_ms=clock.utc_ms()),), settled)
    writer.step(0)
    writer.step(0)
    assert len(seen) == 3
    assert [t.said.kind for c in committed for t in c.told] == [Kind.RAISED]
    journal.close()
    with Reader.open(path) as reader:
        verification = verify(reader, engine())
    assert verification.sound
    assert [s.verdict for s in verification.stretches] == [Verdict.EQUAL]


def test_restart_forgets_nothing(tmp_path: Path) -> None:
    """After a restart, with and without a checkpoint, the alarm stands as it stood, and verify is equal."""
    path = tmp_path / "j.sqlite"
    for round_ in range(3):
        committed: list[Committed] = []
        writer, queue, clock, journal = begin(path, committed)
        if round_ == 0:
            queue.submit((Activated(plan(limit(hold_ms=0)), {}),))
            queue.offer((Reading("log", "box.vapour", "-149", "degC", at_ms=clock.utc_ms()),))
        if round_ == 1:
            writer.want_checkpoint()
        writer.step(0)
        alarm = writer.fold.desk.alarms["box/vapour/above"]
        assert alarm.condition
        assert alarm.last == 1
        journal.close()
    with Reader.open(path) as reader:
        verification = verify(reader, engine())
    assert verification.sound, verification


def test_a_repeat_is_counted_and_acknowledged_and_kept_once(tmp_path: Path) -> None:
    """A message that comes again after a crash is acknowledged, counted, and is one fact in the journal."""
    path = tmp_path / "j.sqlite"
    writer, queue, clock, journal = begin(path, [])
    queue.submit((Activated(plan(limit(hold_ms=0)), {}),))
    at_ms = clock.utc_ms()
    settled: list[Folded] = []
    for _ in range(3):
        queue.offer((Reading("log", "box.vapour", "-160", "degC", at_ms=at_ms, sequence=7),), settled.append)
        writer.step(0)
    queue.offer((Reading("log", "box.vapour", "-161", "degC", at_ms=at_ms + 1, sequence=8),), settled.append)
    writer.step(0)
    assert len(settled) == 4
    kept = [facts.decode(row.body) for row in journal.facts()]
    assert [f.sequence for f in kept if isinstance(f, Reading)] == [7, 8]
    assert journal.counts() == {"repeats/box.vapour": 2}
    journal.close()
    with Reader.open(path) as reader:
        assert verify(reader, engine()).sound


def test_a_repeat_is_known_after_more_numbers_than_are_remembered(tmp_path: Path) -> None:
    """What a broker that was killed hands out again, long after: time and value tell that it was taken."""
    writer, queue, clock, journal = begin(tmp_path / "j.sqlite", [])
    queue.submit((Activated(plan(limit(hold_ms=0)), {}),))
    at_ms = clock.utc_ms() - 10_000

    def send(number: int, raw: str = "-160") -> None:
        queue.offer((Reading("log", "box.vapour", raw, "degC", at_ms=at_ms + number, sequence=number),))
        writer.step(0)

    for number in range(REMEMBERED + 10):
        send(number)
    count = writer.fold.position
    send(3)
    assert writer.fold.position == count, "kept a second time"
    send(4, "-150")
    assert writer.fold.position == count + 1, "another value under the same number is a reading"
    journal.close()
