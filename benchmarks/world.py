"""The program as the daemon puts it together, on a clock that is moved by hand: no ports, page or sinks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.series import DELAY_MS, T0_MS, rounds, text
from coldchain import profiles
from coldchain.clock import Clock
from coldchain.facts import Activated, EngineStarted, Reading
from coldchain.journal import Journal
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.intake import Queue
from coldchain.pipeline.recovery import recover
from coldchain.pipeline.timekeeper import Timekeeper
from coldchain.pipeline.writer import Hooks, Writer
from coldchain.plan import AssetPlan, ChannelPlan, Plan, SourcePlan

#: As the daemon's: facts of devices that may wait.
INTAKE_FACTS = 20_000


class HandClock:
    """A clock that stands until it is moved; boot clock, wall clock and journal time move together."""

    speed = 1

    def __init__(self, now_ms: int = T0_MS) -> None:
        self.now_ms = now_ms
        self._ahead_ms = 0

    def journal_ms(self) -> int:
        return self.now_ms + self._ahead_ms

    def utc_ms(self) -> int:
        return self.now_ms

    def start_journal_at(self, journal_ms: int) -> None:
        self._ahead_ms = journal_ms - self.now_ms

    def leap(self, by_ms: int) -> None:
        self._ahead_ms += by_ms

    def known(self) -> bool:
        return True

    def real_s(self) -> float:
        return self.now_ms / 1000

    def real_until_s(self, journal_ms: int) -> float:
        return (journal_ms - self.journal_ms()) / 1000

    def boot_ms(self) -> int:
        return self.now_ms

    def wait(self, event: threading.Event, journal_ms: int) -> bool:
        return event.is_set()


@dataclass
class World:
    """One writer on one journal."""

    clock: Clock
    journal: Journal
    queue: Queue
    writer: Writer

    def close(self) -> None:
        """Close the journal."""
        self.journal.close()


def start(path: Path, clock: Clock, plan: Plan) -> World:
    """Open, recover, say that we run, bring the plan into force: what the daemon does before its ports."""
    journal = Journal.open(path)
    recovered = recover(journal, engine())
    timekeeper = Timekeeper(clock)
    started = timekeeper.start(recovered.fold)
    queue = Queue(clock, INTAKE_FACTS)
    writer = Writer(clock, queue, recovered.fold, journal, engine(), timekeeper, Hooks())
    queue.submit((*started.facts, EngineStarted(engine(), "benchmark")))
    queue.submit((Activated(plan, {}),))
    writer.step(0)
    return World(clock, journal, queue, writer)


def shippers(channels: int, interval_ms: int) -> Plan:
    """So many dry shippers, each with a tracker of its own, judged by the whole shipped profile."""
    profile = profiles.load("dry-shipper-150")
    numbers = range(channels)
    return Plan(
        site="benchmark",
        sources=tuple(
            SourcePlan(_tracker(i), "benchmark", round_ms=2 * interval_ms, sends_time=True, numbered=True)
            for i in numbers
        ),
        channels=tuple(
            ChannelPlan(
                id=_channel(i),
                source=_tracker(i),
                quantity="temperature",
                asset=f"shipper-{i:02d}",
                role="vapour",
                interval_ms=interval_ms,
                fresh_within_ms=10 * interval_ms,
                max_gap_ms=3 * interval_ms,
                valid_low=-210_000,
                valid_high=60_000,
            )
            for i in numbers
        ),
        assets=tuple(
            AssetPlan(f"shipper-{i:02d}", "dry_shipper", profile=profile.id, stage="transport")
            for i in numbers
        ),
        profiles=(profile,),
    )


def reading(channel: int, number: int, at_ms: int, hundredths: int) -> Reading:
    """One reading as a tracker's driver and its port make it."""
    return Reading(
        _tracker(channel), _channel(channel), text(hundredths), "degC", at_ms=at_ms, sequence=number
    )


def readings(channels: int, interval_ms: int, span_ms: int) -> Iterator[tuple[int, Reading]]:
    """Every reading with its arrival, in order."""
    for number, at_ms, values in rounds(channels, interval_ms, span_ms):
        for channel, hundredths in enumerate(values):
            yield at_ms + DELAY_MS, reading(channel, number, at_ms, hundredths)


def _tracker(number: int) -> str:
    return f"tracker-{number:02d}"


def _channel(number: int) -> str:
    return f"shipper-{number:02d}.vapour"
