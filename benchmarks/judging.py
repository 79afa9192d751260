"""The fold alone: no queue, no journal, no bytes; facts as objects in, announcements out."""

from __future__ import annotations

from benchmarks.bare import Options
from benchmarks.measure import Figures, Usage, peak_bytes, resident_bytes
from benchmarks.series import DELAY_MS, T0_MS
from benchmarks.world import readings, shippers
from coldchain.facts import Activated, ClockSet, EngineStarted, Fact, ProcessStarted, Reading
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
    state = Fold()
    begin: tuple[Fact, ...] = (
        EngineStarted("benchmark", "benchmark"),
        ProcessStarted("boot", T0_MS, 0),
        ClockSet(0, "benchmark"),
        Activated(shippers(channels, interval_ms), {}),
    )
    for fact in begin:
        state.apply(state.position + 1, T0_MS, fact)
    position, said, half = state.position, 0, len(arrivals) // 2
    at_half = 0
    with Usage() as used:
        for arrival_ms, fact in arrivals:
            position += 1
            said += len(state.apply(position, arrival_ms, fact))
            if position == half:  # what is remembered in bounded number is full by then
                at_half = resident_bytes()
    assert state.arrival_ms >= T0_MS + options["span_ms"] + DELAY_MS
    return {
        "readings": len(arrivals),
        "readings_per_s": len(arrivals) / used.cpu_s,
        "cpu_us_per_reading": used.cpu_s / len(arrivals) * 1e6,
        "announcements": said,
        "kept_bytes_per_reading": max(0, resident_bytes() - at_half) / half,
        "peak_bytes": peak_bytes(),
    }
