"""Lessons about brokers and acknowledgements."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from coldchain import facts
from coldchain.clock import SystemClock
from coldchain.facts import Activated, EngineStarted, Fact, Reading
from coldchain.fold.channels import Channels
from coldchain.journal import Journal, Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.intake import Folded, Queue
from coldchain.pipeline.recovery import recover
from coldchain.pipeline.timekeeper import Timekeeper
from coldchain.pipeline.writer import Hooks, Writer
from tests.unit.fold.bench import limit, plan

Offer = Callable[[Queue, Reading, Callable[[Folded], None]], None]


def honest(queue: Queue, reading: Reading, acknowledge: Callable[[Folded], None]) -> None:
    """As the ports do: the acknowledgement waits for the commit."""
    assert queue.offer((reading,), acknowledge)


def hasty(queue: Queue, reading: Reading, acknowledge: Callable[[Folded], None]) -> None:
    """The fault: acknowledged on receipt."""
    acknowledge(Folded(0, ()))
    assert queue.offer((reading,))


def start(path: Path) -> tuple[Writer, Queue, Journal]:
    """A writer on a journal, as after any start of the daemon."""
    clock = SystemClock(trusted=True)
    journal = Journal.open(path)
    recovered = recover(journal, engine())
    timekeeper = Timekeeper(clock)
    started = timekeeper.start(recovered.fold)
    queue = Queue(clock, 1000)
    writer = Writer(clock, queue, recovered.fold, journal, engine(), timekeeper, Hooks())
    first: tuple[Fact, ...] = (*started.facts, EngineStarted(engine(), "test"), Activated(plan(limit()), {}))
    queue.submit(first)
    return writer, queue, journal


def acknowledged_and_kept(path: Path, offer: Offer) -> tuple[list[int], list[int]]:
    """Five messages; the process dies before the third round of the writer; the broker sends again.

    The broker is mosquitto's kind: it sends again what it holds to be unacknowledged, and after a
    crash of its own also what had been acknowledged (mosquitto 1855, 1726).
    """
    acknowledged: list[int] = []

    def on_commit(number: int) -> Callable[[Folded], None]:
        return lambda folded: acknowledged.append(number)

    writer, queue, journal = start(path)
    at_ms = SystemClock().utc_ms()
    for number in range(5):
        offer(
            queue,
            Reading("log", "box.vapour", "-160", "degC", at_ms + number, None, number),
            on_commit(number),
        )
        if number < 2:
            writer.step(0)
    journal.close()  # the process is gone; what was only in memory is gone with it
    unacknowledged = [number for number in range(5) if number not in acknowledged]
    writer, queue, journal = start(path)
    for number in [0, 1, *unacknowledged]:
        again = Reading("log", "box.vapour", "-160", "degC", at_ms + number, None, number, dup=True)
        offer(queue, again, on_commit(number))
        writer.step(0)
    journal.close()
    with Reader.open(path) as reader:
        kept = [facts.decode(row.body) for row in reader.facts()]
    return sorted(set(acknowledged)), [
        f.sequence for f in kept if isinstance(f, Reading) and f.sequence is not None
    ]


def test_an_acknowledgement_is_durability_and_a_repeat_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acknowledged means on disk, once; acknowledging early loses, and not knowing a repeat doubles."""
    acknowledged, kept = acknowledged_and_kept(tmp_path / "honest.db", honest)
    assert acknowledged == [0, 1, 2, 3, 4]
    assert sorted(kept) == [0, 1, 2, 3, 4]

    acknowledged, kept = acknowledged_and_kept(tmp_path / "hasty.db", hasty)
    assert set(acknowledged) - set(kept) == {2, 3, 4}

    monkeypatch.setattr(Channels, "is_repeat", lambda self, reading: False)
    _, kept = acknowledged_and_kept(tmp_path / "doubled.db", honest)
    assert sorted(kept) != [0, 1, 2, 3, 4]
