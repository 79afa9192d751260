"""Readings on their way to the disk: a whole day, a commit alone, and one reading's time."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from benchmarks.bare import Options, latency, per_hour, per_reading
from benchmarks.measure import Figures, Usage
from benchmarks.series import DELAY_MS, T0_MS
from benchmarks.world import HandClock, World, reading, readings, shippers, start
from coldchain import facts
from coldchain.clock import SystemClock
from coldchain.journal import Batch, Entry, Journal
from coldchain.pipeline.intake import Folded

#: As the daemon's housekeeping: the log is copied into the database, the fold's state saved.
TIDY_MS, CHECKPOINT_MS = 60_000, 900_000


def live(options: Options) -> Figures:
    """Each round of readings arrives at one instant and is one commit; the writer also wakes in between."""
    world, clock, path = _world(options)
    settled = [0]

    def acknowledge(_folded: Folded) -> None:
        settled[0] += 1

    count, at_ms = 0, 0
    with Usage() as used:
        for arrival_ms, one in readings(options["channels"], options["interval_ms"], options["span_ms"]):
            if arrival_ms != at_ms and at_ms:
                _round(world, clock, at_ms)
            clock.now_ms = at_ms = arrival_ms
            assert world.queue.offer((one,), acknowledge)
            count += 1
        _round(world, clock, at_ms)
        world.close()
    assert settled[0] == count
    return per_reading(used, count) | _kept(path, count)


def _round(world: World, clock: HandClock, at_ms: int) -> None:
    """The writer takes what came, does the daemon's housekeeping, and looks again half a second on."""
    second_ms = (at_ms - T0_MS) // 1000 * 1000
    if second_ms % TIDY_MS == 0:
        world.writer.later(world.journal.checkpoint_wal)
    if second_ms % CHECKPOINT_MS == 0:
        world.writer.want_checkpoint()
    world.writer.step(0)
    clock.now_ms = at_ms + 500
    world.writer.step(0)


def idle(options: Options) -> Figures:
    """Nothing comes: the writer wakes, looks at the clock, and sends its own sign of life through."""
    world, clock, path = _world(options)
    world.writer.beat_s = options["interval_ms"] / 1000
    with Usage() as used:
        for at_ms in range(T0_MS, T0_MS + options["span_ms"], 1000):
            clock.now_ms = at_ms
            _round(world, clock, at_ms)
        world.close()
    return per_hour(used, options["span_ms"]) | {"commits": _kept(path, 1)["commits"]}


def backlog(options: Options) -> Figures:
    """All readings wait: a device that was away for the whole span empties its memory at once."""
    world, clock, path = _world(options)
    clock.now_ms = T0_MS + options["span_ms"] + DELAY_MS
    count = 0
    with Usage() as used:
        for _, one in readings(options["channels"], options["interval_ms"], options["span_ms"]):
            while not world.queue.offer((one,)):
                world.writer.step(0)
            count += 1
        while not world.queue.empty():
            world.writer.step(0)
        world.close()
    return per_reading(used, count) | _kept(path, count)


def commits(options: Options) -> Figures:
    """The journal alone: facts that are ready, `batch` in a commit, with link, shapes and all."""
    path = Path(options["folder"]) / "coldchain.journal"
    journal = Journal.open(path)
    entries: list[Entry] = []
    position = done = 0
    with Usage() as used:
        for arrival_ms, one in readings(options["channels"], options["interval_ms"], options["span_ms"]):
            position += 1
            entries.append(Entry(position, arrival_ms, facts.encode(one)))
            if len(entries) == options["batch"]:
                journal.commit(Batch(tuple(entries)))
                entries = []
                done += 1
        if entries:
            journal.commit(Batch(tuple(entries)))
            done += 1
        journal.close()
    return per_reading(used, position) | {
        "commits": done,
        "file_bytes_per_reading": path.stat().st_size / position,
    }


def to_disk(options: Options) -> Figures:
    """From `offer` to `settled`, on the real clock with the writer in its own thread, at a calm rate."""
    clock = SystemClock(trusted=True)
    world = start(Path(options["folder"]) / "coldchain.journal", clock, shippers(20, 1000))
    thread = threading.Thread(target=world.writer.run, name="writer")
    thread.start()
    took: list[float] = []
    began = time.perf_counter()
    for number in range(1, options["readings"] + 1):
        time.sleep(max(0.0, began + number / options["rate"] - time.perf_counter()))
        fact = reading(number % 20, number, clock.utc_ms(), -18_500)
        before = time.perf_counter()

        def settled(_folded: Folded, before: float = before) -> None:
            took.append(time.perf_counter() - before)

        assert world.queue.offer((fact,), settled)
    world.writer.stop()
    thread.join()
    world.close()
    assert len(took) == options["readings"]
    return latency(took)


def _world(options: Options) -> tuple[World, HandClock, Path]:
    path, clock = Path(options["folder"]) / "coldchain.journal", HandClock()
    return start(path, clock, shippers(options["channels"], options["interval_ms"])), clock, path


def _kept(path: Path, count: int) -> Figures:
    """What lies in the journal afterwards."""
    with Journal.open(path) as journal:
        tail = journal.tail()
        announcements = sum(1 for _ in journal.announcements())
    return {
        "commits": tail.commit,
        "facts": tail.position,
        "announcements": announcements,
        "file_bytes_per_reading": path.stat().st_size / count,
    }
