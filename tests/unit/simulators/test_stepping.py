"""Simulated time: exact instants, the same at any speed."""

from __future__ import annotations

import itertools
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.clock import SystemClock
from coldchain_simulators.stepping import Stepper


class Body:
    """Notes the steps it was given."""

    def __init__(self) -> None:
        self.steps: list[float] = []

    def process(self, dt_s: float) -> None:
        self.steps.append(dt_s)


class SetClock:
    """A clock that shows what the test says, one after the other, and then stops the run."""

    def __init__(self, utc_ms: list[int], stop: threading.Event) -> None:
        self._shows, self._stop = utc_ms, stop

    def utc_ms(self) -> int:
        return self._shows.pop(0)

    def wait(self, event: threading.Event, journal_ms: int) -> bool:
        if len(self._shows) == 1:
            self._stop.set()
        return event.is_set()

    def journal_ms(self) -> int:
        raise NotImplementedError

    def known(self) -> bool:
        raise NotImplementedError

    def real_s(self) -> float:
        raise NotImplementedError


def test_instants_and_their_order() -> None:
    """Instants are whole multiples; what happens once comes before what repeats; bodies move between."""
    body, said = Body(), list[tuple[str, int]]()
    stepper = Stepper([body], start_ms=1_000_000)
    stepper.every(400, lambda at: said.append(("a", at)))
    stepper.every(1000, lambda at: said.append(("b", at)))
    stepper.at(1000, lambda at: said.append(("once", at)))
    stepper.process(1.2)
    assert said == [
        ("a", 1_000_000),
        ("b", 1_000_000),
        ("a", 1_000_400),
        ("a", 1_000_800),
        ("once", 1_001_000),
        ("b", 1_001_000),
        ("a", 1_001_200),
    ]
    assert body.steps == [0.4, 0.4, 0.2, 0.2]


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=30), st.integers(1, 700), st.integers(1, 700))
def test_how_time_is_cut_makes_no_difference(cuts: list[int], one: int, other: int) -> None:
    """However late or early the running thread comes, bodies get the same steps and instants are the same."""
    bodies, saids = (Body(), Body()), (list[int](), list[int]())
    steppers = tuple(Stepper([body]) for body in bodies)
    for stepper, said in zip(steppers, saids, strict=True):
        stepper.every(one, said.append)
        stepper.every(other, said.append)
    for cut in cuts:
        steppers[0].advance(cut)
    steppers[1].advance(sum(cuts))
    assert saids[0] == saids[1]
    assert bodies[0].steps == bodies[1].steps


def test_run_follows_the_clock_from_a_whole_second() -> None:
    """Stamps begin at a whole second and go by the interval, however irregular the looks at the clock are."""
    stop, said = threading.Event(), list[int]()
    stepper = Stepper()
    stepper.every(250, said.append)
    stepper.run(SetClock([10_100, 10_600, 10_601, 11_300], stop), stop)
    assert said == [10_000, 10_250, 10_500, 10_750, 11_000, 11_250]


@pytest.mark.parametrize("step_ms", [-5_000, 40 * 365 * 86_400_000])
def test_a_clock_that_is_set_moves_stamps_and_not_time(step_ms: int) -> None:
    """A device's stamps follow a clock that somebody set; nothing is simulated in a rush because of it."""
    stop, said = threading.Event(), list[int]()
    stepper = Stepper()
    stepper.every(1000, said.append)
    shows = [10_000, 11_000, 11_000 + step_ms, 12_000 + step_ms]
    stepper.run(SetClock(shows, stop), stop)
    assert said == [10_000, 11_000, 12_000 + step_ms]


def test_run_with_the_real_clock() -> None:
    """At speed 10,000 a simulated minute is over at once, with every instant of it."""
    stop, said = threading.Event(), list[int]()
    stepper = Stepper()

    def note(at: int) -> None:
        said.append(at)
        if len(said) > 60:
            stop.set()

    stepper.every(1000, note)
    stepper.run(SystemClock(speed=10_000), stop)
    gaps = {after - before for before, after in itertools.pairwise(said)}
    assert gaps == {1000}
    assert said[0] % 1000 == 0


def test_no_interval_of_nothing() -> None:
    """An interval of 0 would stand still for ever."""
    with pytest.raises(ValueError, match="an interval"):
        Stepper().every(0, print)
