"""The fold alone: no queue, no journal, no bytes; facts as objects in, announcements out."""

from __future__ import annotations

import time
import tracemalloc

from benchmarks.bare import Options
from benchmarks.measure import Figures, Usage, peak_bytes
from benchmarks.series import DELAY_MS, T0_MS
from benchmarks.world import readings, shippers
from coldchain.facts import (
    Activated,
    ClockSet,
    ConsignmentStarted,
    EngineStarted,
    Fact,
    ProcessStarted,
    Reading,
)
from coldchain.fold import Fold

#: How much later than its turn a late reading comes, in rounds.
LATE_BY = 10


def fold(options: Options) -> Figures:
    """Fold a span of readings; `late_every` n: of each channel every n-th reading comes ten rounds later."""
    channels, interval_ms, every = options["channels"], options["interval_ms"], options.get("late_every", 0)
    arrivals: list[tuple[int, Reading]] = []
    for arrival_ms, reading in readings(channels, interval_ms, options["span_ms"]):
        late = every and reading.sequence is not None and reading.sequence % every == 0
        arrivals.append((arrival_ms + (LATE_BY * interval_ms if late else 0), reading))
    arrivals.sort(key=lambda pair: pair[0])
    state = _begun()
    state.apply(state.position + 1, T0_MS, Activated(shippers(channels, interval_ms), {}))
    position, said = state.position, 0
    with Usage() as used:
        for arrival_ms, fact in arrivals:
            position += 1
            said += len(state.apply(position, arrival_ms, fact))
    assert state.arrival_ms >= T0_MS + options["span_ms"] + DELAY_MS
    return {
        "readings": len(arrivals),
        "readings_per_s": len(arrivals) / used.cpu_s,
        "cpu_us_per_reading": used.cpu_s / len(arrivals) * 1e6,
        "announcements": said,
        "peak_bytes": peak_bytes(),
    }


def backfill(options: Options) -> Figures:
    """A device's memory of the first half of a span, oldest first, after the second half has come live."""
    channels, interval_ms, span_ms = options["channels"], options["interval_ms"], options["span_ms"]
    state = _begun()
    state.apply(state.position + 1, T0_MS, Activated(shippers(channels, interval_ms), {}))
    everything = list(readings(channels, interval_ms, span_ms))
    half = len(everything) // 2
    memory, live = everything[:half], everything[half:]
    for arrival_ms, fact in live:
        state.apply(state.position + 1, arrival_ms, fact)
    position = state.position
    with Usage() as used:
        for _, fact in memory:
            position += 1
            state.apply(position, state.arrival_ms, fact)
    return {"cpu_us_per_reading": used.cpu_s / half * 1e6, "readings_per_s": half / used.cpu_s}


def memory(options: Options) -> Figures:
    """What stays in memory of a reading, in the second half of a span: what is bounded is full by then."""
    channels, interval_ms, span_ms = options["channels"], options["interval_ms"], options["span_ms"]
    state = _begun()
    state.apply(state.position + 1, T0_MS, Activated(shippers(channels, interval_ms), {}))
    total = channels * span_ms // interval_ms
    at_half = 0
    tracemalloc.start()
    for number, (arrival_ms, fact) in enumerate(readings(channels, interval_ms, span_ms), 1):
        state.apply(state.position + 1, arrival_ms, fact)
        if number == total // 2:
            at_half = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - at_half
    tracemalloc.stop()
    return {"kept_bytes_per_reading": grown / (total - total // 2)}


def few(options: Options) -> Figures:
    """The same as `many`, with 20 channels."""
    return many(options | {"channels": 20})


def many(options: Options) -> Figures:
    """What a plan, one consignment and a reading cost with so many channels."""
    channels, interval_ms = options["channels"], options["interval_ms"]
    state, plan = _begun(), shippers(channels, interval_ms)
    asset, profile = plan.assets[0], plan.profiles[0]
    activation_s = _cpu_s(state, T0_MS, (Activated(plan, {}),))
    began = ConsignmentStarted("consignment", asset.id, profile.id, profile.stages[0].name, T0_MS)
    consignment_s = _cpu_s(state, T0_MS, (began,))
    span_ms = options["readings"] // channels * interval_ms
    arrivals = list(readings(channels, interval_ms, span_ms))
    position = state.position
    with Usage() as used:
        for arrival_ms, fact in arrivals:
            position += 1
            state.apply(position, arrival_ms, fact)
    return {
        "activation_us_per_channel": activation_s / channels * 1e6,
        "one_consignment_us": consignment_s * 1e6,
        "cpu_us_per_reading": used.cpu_s / len(arrivals) * 1e6,
    }


def _begun() -> Fold:
    state = Fold()
    first = (
        EngineStarted("benchmark", "benchmark"),
        ProcessStarted("boot", T0_MS, 0),
        ClockSet(0, "benchmark"),
    )
    _cpu_s(state, T0_MS, first)
    return state


def _cpu_s(state: Fold, arrival_ms: int, some: tuple[Fact, ...]) -> float:
    before = time.process_time()
    for fact in some:
        state.apply(state.position + 1, arrival_ms, fact)
    return time.process_time() - before
