"""The schedule follows the boot clock in spirit: after a step of the wall clock it is another one."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from coldchain.clock import SystemClock
from coldchain.daemon.errors import DaemonError
from coldchain.daemon.housekeeping import Housekeeping, Job


class Wall(SystemClock):
    """A wall clock that a test moves."""

    moved_ms = 0

    def utc_ms(self) -> int:
        return super().utc_ms() + self.moved_ms


@pytest.fixture
def keeping() -> Iterator[tuple[Housekeeping, Wall]]:
    """One job a day, so that none runs by itself."""
    clock = Wall(trusted=True)
    made = Housekeeping(clock, (Job("tidy", 86_400, lambda: None),))
    made.start()
    yield made, clock
    made.stop()


@pytest.mark.parametrize(
    ("step_ms", "anew"),
    [
        pytest.param(0, False, id="nothing"),
        pytest.param(500, False, id="slewed by half a second"),
        pytest.param(3_000, True, id="three seconds forward"),
        pytest.param(-3_000, True, id="three seconds back"),
        pytest.param(-365 * 86_400_000, True, id="a year back"),
        pytest.param(56 * 365 * 86_400_000, True, id="from 1970 to now"),
    ],
)
def test_a_step_plans_anew(keeping: tuple[Housekeeping, Wall], step_ms: int, anew: bool) -> None:
    """A step makes a new schedule with the same jobs, once; slewing leaves the old one."""
    made, clock = keeping
    before = made.scheduler
    clock.moved_ms = step_ms
    made.look()
    assert (made.scheduler is not before) is anew
    assert made.scheduler is not None
    assert [job.id for job in made.scheduler.get_jobs()] == ["tidy"]
    after = made.scheduler
    made.look()
    assert made.scheduler is after, "the step is over: it is not seen a second time"
    assert before is not None
    assert before.running is not anew


def test_slewing_does_not_add_up(keeping: tuple[Housekeeping, Wall]) -> None:
    """A clock that NTP slews by ten minutes in small steps is planned by all the while."""
    made, clock = keeping
    before = made.scheduler
    for _ in range(1_200):
        clock.moved_ms += 500
        made.look()
    assert made.scheduler is before


def test_stopped_stays_stopped(keeping: tuple[Housekeeping, Wall]) -> None:
    """A step after the end plans nothing."""
    made, clock = keeping
    made.stop()
    clock.moved_ms = 10_000
    made.look()
    assert made.scheduler is None


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway installed without the extra is told which, instead of a traceback."""
    monkeypatch.setitem(sys.modules, "apscheduler.schedulers.background", None)
    with pytest.raises(DaemonError, match=r"pip install 'coldchain\[schedule\]'"):
        Housekeeping(SystemClock(), ()).start()
