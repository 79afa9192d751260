"""Lessons about outages: nothing is lost at their edges, stands still for them, or drops in silence."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from coldchain.clock import SystemClock
from coldchain.facts import Activated, EngineStarted, Fact, Reading, decode
from coldchain.journal import Journal, Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.intake import Folded, Queue
from coldchain.pipeline.recovery import recover
from coldchain.pipeline.timekeeper import Timekeeper
from coldchain.pipeline.writer import Hooks, Writer
from coldchain.ports.inbox import Message
from coldchain.sinks.backoff import Backoff
from coldchain.sinks.base import Unreachable
from coldchain.sinks.log_drain import LogDrain
from coldchain.sinks.thread import Reporter, SinkThread, Stepped
from coldchain.testing.desk import Desk
from tests.servers import wait_until
from tests.unit.fold.bench import limit, plan
from tests.unit.ports.test_inbox import make
from tests.unit.sinks.world import NOON, HandClock, Server, World, reading, reports

# The first seconds of an outage are gone: sent, never confirmed, forgotten (tb-gateway 2157).


def missing_after_an_outage(folder: Path, *, doubt_ms: int) -> set[int]:
    """A database takes rows, dies before they are on its disk, and is away for a minute. What lacks then?"""
    world = World(folder)
    world.begin()
    server, clock = Server(), HandClock(1_000)
    server.doubt_ms = doubt_ms
    drain = LogDrain("series", server, world.deliveries, clock, reports()[1])

    def second() -> None:
        clock.now_ms += 1_000
        world.add(reading(NOON + clock.now_ms), after_ms=1_000)
        drain_step()

    def drain_step() -> None:
        with suppress(Unreachable):  # its thread waits and tries again
            drain.step()

    for _ in range(5):
        second()
    server.fails = lambda points: Unreachable("series", "write", "the network is gone")
    server.die()
    for _ in range(60):
        second()
    server.fails = lambda points: None
    for _ in range(150):
        clock.now_ms += 1_000
        drain_step()
    drain.close()
    world.close()
    there = {time_ms - NOON for measurement, _, time_ms in server.taken if measurement == "temperature"}
    return {1_000 + 1_000 * second for second in range(1, 66)} - there


def test_nothing_is_lost_at_the_edges_of_an_outage(tmp_path: Path) -> None:
    """What was taken and not yet seen to be kept is sent again; whoever believes a yes loses the edge."""
    (tmp_path / "ours").mkdir()
    (tmp_path / "believes").mkdir()
    assert missing_after_an_outage(tmp_path / "ours", doubt_ms=60_000) == set()
    assert missing_after_an_outage(tmp_path / "believes", doubt_ms=0) != set()


# All polling stops half an hour after the internet is gone (tb-gateway 2132, 1451).


class Hung:
    """A receiver across a dead network: it takes the call and never answers."""

    def __init__(self) -> None:
        self.called, self.back = threading.Event(), threading.Event()

    def step(self) -> Stepped:
        """Wait for an answer."""
        self.called.set()
        self.back.wait(60)
        return Stepped(60, reached=False)

    def urge(self, message: object) -> None:
        """Nothing is urged here."""

    def close(self) -> None:
        """Nothing to let go of."""


Settled = Callable[[Folded], None]
Told = tuple[Callable[[], object], Callable[[], object]]  # how a commit is told, and how that ends


def recorded_beside_a_hung_sink(path: Path, told: Callable[[Hung], Told]) -> int:
    """Twenty readings while the receiver hangs; how many are on disk while it still does?"""
    clock, sink = SystemClock(trusted=True), Hung()
    tell, end = told(sink)
    journal = Journal.open(path, reserve_bytes=0)
    recovered = recover(journal, engine())
    timekeeper = Timekeeper(clock)
    started = timekeeper.start(recovered.fold)
    queue = Queue(clock, 1000)
    hooks = Hooks(committed=lambda batch: tell())
    writer = Writer(clock, queue, recovered.fold, journal, engine(), timekeeper, hooks)
    first: tuple[Fact, ...] = (*started.facts, EngineStarted(engine(), "test"), Activated(plan(limit()), {}))
    queue.submit(first)
    thread = threading.Thread(target=writer.run)
    thread.start()
    try:
        assert sink.called.wait(10)
        settled: list[Folded] = []
        for number in range(20):
            queue.offer((Reading("log", "box.vapour", "-160", "degC", NOON + number),), settled.append)
        if told is not by_the_writer:  # that one sits in the call, and takes out nothing until it returns
            wait_until(lambda: len(settled) == 20, what="all are on disk")
        with Reader.open(path) as reader:
            return sum(isinstance(decode(row.body), Reading) for row in reader.facts())
    finally:
        sink.back.set()
        end()
        writer.stop()
        thread.join()
        journal.close()


def by_a_thread_of_its_own(sink: Hung) -> Told:
    """As the daemon does: the writer sets a flag."""

    def drain(report: Reporter) -> Hung:
        return sink

    thread = SinkThread("far", drain, clock=SystemClock(), backoff=Backoff(Random(1)))
    thread.start()
    return thread.wake, lambda: thread.stop(10)


def by_the_writer(sink: Hung) -> Told:
    """The fault: whoever records also tells."""
    return sink.step, lambda: None


def test_local_work_goes_on_without_the_world(tmp_path: Path) -> None:
    """Recording waits for no receiver; one that does stops with the first that hangs."""
    assert recorded_beside_a_hung_sink(tmp_path / "ours.db", by_a_thread_of_its_own) == 20
    assert recorded_beside_a_hung_sink(tmp_path / "waits.db", by_the_writer) == 0


# Full buffers drop, and nobody is told (telegraf 5536, 17200).


def told_or_kept(folder: Path) -> int:
    """Ten messages that nobody sends again, and room for four: how many are recorded, or counted as lost?"""
    desk = Desk(capacity=4)
    inbox = make(folder, desk)
    for number in range(10):
        inbox.take(Message("probe/2", f"-{number}".encode(), qos=0), None)
    desk.look()
    inbox.tick()
    return len(desk.readings) + sum(one.count for one in desk.lost)


def test_a_full_buffer_says_what_it_drops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept or counted, by a fact that raises an alarm; a buffer that says yes and drops accounts for less."""
    assert told_or_kept(tmp_path) == 10
    honest = Queue.offer

    def silent(
        queue: Queue, facts: tuple[Fact, ...], settled: Callable[[Folded], None] | None = None
    ) -> bool:
        honest(queue, facts, settled)
        return True

    monkeypatch.setattr(Queue, "offer", silent)
    assert told_or_kept(tmp_path) < 10
