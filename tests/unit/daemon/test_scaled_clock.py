"""A scaled clock is one clock: where journal time begins has nothing to do with the wall clock's course."""

from __future__ import annotations

from coldchain.clock import SystemClock
from coldchain.fold import Fold
from coldchain.pipeline.timekeeper import Timekeeper


def test_the_wall_clock_does_not_step_when_journal_time_starts() -> None:
    """However long a start takes, a scaled run begins with one offset and finds no step."""
    clock = SystemClock(speed=100_000, trusted=True)
    begun_ms = clock.utc_ms()
    while clock.utc_ms() < begun_ms + 1_000_000:  # ten real milliseconds: a start takes its time
        pass
    keeper = Timekeeper(clock)
    keeper.start(Fold())
    assert clock.utc_ms() >= begun_ms + 1_000_000
    assert keeper.look(clock.journal_ms()) is None
    assert abs(clock.utc_ms() - clock.journal_ms()) < 1_000_000
