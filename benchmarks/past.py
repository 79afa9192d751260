"""What a journal of the past costs: to start on it, and to prove it."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.bare import Options
from benchmarks.measure import Figures, Usage, peak_bytes
from benchmarks.series import HOUR_MS, T0_MS
from benchmarks.world import HandClock, reading, readings, shippers, start
from coldchain.journal import Journal, Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.intake import Folded
from coldchain.pipeline.verify import verify

#: How often the daemon asks for the state to be saved; the writer then does so when it is worth its bytes.
CHECKPOINT_MS = 900_000


def build(options: Options) -> Figures:
    """Write the journal that the others read, and beside it a copy without a checkpoint."""
    path, clock = Path(options["folder"]) / "with.journal", HandClock()
    world = start(path, clock, shippers(options["channels"], options["interval_ms"]))
    count, asked_ms = 0, T0_MS
    for arrival_ms, one in readings(options["channels"], options["interval_ms"], options["span_ms"]):
        if arrival_ms != clock.now_ms:
            if arrival_ms - asked_ms >= CHECKPOINT_MS:
                world.writer.want_checkpoint()
                asked_ms = arrival_ms
            world.writer.step(0)
        clock.now_ms = arrival_ms
        assert world.queue.offer((one,))
        count += 1
    world.writer.step(0)
    world.close()
    without = path.with_name("without.journal")
    shutil.copyfile(path, without)
    with Journal.open(without) as journal:
        journal.drop_checkpoints()
    return {"readings": count}


def recovery(options: Options) -> Figures:
    """From opening the journal to the first new reading on the disk, on a copy of it."""
    path = Path(options["folder"]) / "copy.journal"
    shutil.copyfile(options["journal"], path)
    channels, interval_ms = options["channels"], options["interval_ms"]
    plan = shippers(channels, interval_ms)
    clock = HandClock(T0_MS + options["span_ms"] + HOUR_MS)
    settled: list[Folded] = []
    with Reader.open(path) as journal:
        saved = journal.latest_checkpoint(engine())
        behind = journal.tail().position - (saved.position if saved is not None else 0)
    with Usage() as used:
        world = start(path, clock, plan)
        number = (options["span_ms"] + HOUR_MS) // interval_ms
        assert world.queue.offer((reading(0, number, clock.now_ms, -18_500),), settled.append)
        world.writer.step(0)
        assert settled[0].recorded
    peak = peak_bytes()
    world.close()
    return {
        "wall_ms": used.wall_s * 1e3,
        "cpu_ms": used.cpu_s * 1e3,
        "peak_bytes": peak,
        "facts_after_state": behind,
    }


def whole(options: Options) -> Figures:
    """Verify the journal: its chain of hashes, then everything folded anew."""
    with Usage() as used, Reader.open(options["journal"]) as journal:
        found = verify(journal, engine())
    assert found.sound, found
    return {"wall_ms": used.wall_s * 1e3, "cpu_ms": used.cpu_s * 1e3, "peak_bytes": peak_bytes()}
