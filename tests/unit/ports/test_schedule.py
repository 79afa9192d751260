"""Poll rounds: exact multiples, whatever happens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.ports.backoff import Backoff
from coldchain.ports.schedule import Rounds


@pytest.mark.parametrize(
    ("done_at", "then"),
    [
        pytest.param([100, 1_180, 2_050], [1_000, 2_000, 3_000], id="in time"),
        pytest.param([1_000], [2_000], id="over exactly when the next is due: that one is missed"),
        pytest.param([3_400], [4_000], id="three missed rounds are left out, not made up for"),
    ],
)
def test_after_a_round(done_at: list[int], then: list[int]) -> None:
    """The next round is the first multiple of the interval that still lies ahead."""
    rounds = Rounds(0, 1_000)
    found = []
    for now_ms in done_at:
        rounds.done(now_ms)
        found.append(rounds.due_ms)
    assert found == then


def test_a_hurried_source_is_asked_oftener_until_it_is_not() -> None:
    """At multiples of its faster interval; one that waits since long is asked at once; back in step after."""
    rounds = Rounds(0, 60_000, 7_000)
    rounds.done(100)
    assert rounds.due_ms == 60_000
    rounds.hurried = True
    assert rounds.due_ms == 7_000
    rounds.done(30_000)
    assert rounds.due_ms == 35_000
    rounds.done(57_000)
    assert rounds.due_ms == 60_000  # its own round is not left out for the faster one, at 63 s
    rounds.hurried = False
    rounds.done(65_000)
    assert rounds.due_ms == 120_000
    rounds.hurried = True
    assert rounds.due_ms == 70_000


def test_a_source_that_cannot_hurry_does_not() -> None:
    """Nor does one that was never asked come before its first round."""
    rounds = Rounds(0, 60_000)
    rounds.hurried = True
    rounds.done(100)
    assert rounds.due_ms == 60_000
    fresh = Rounds(500, 60_000, 7_000)
    fresh.hurried = True
    assert fresh.due_ms == 500


def test_asked_at_once_after_opening() -> None:
    """A device that was just opened is asked out of step once, and in step from then on."""
    rounds = Rounds(500, 1_000)
    rounds.at_once(2_321)
    assert rounds.due_ms == 2_321
    rounds.done(2_400)
    assert rounds.due_ms == 2_500


@given(
    start=st.integers(0, 10**12),
    interval=st.integers(1, 10**8),
    lasts=st.lists(st.integers(0, 10**9), max_size=50),
)
def test_never_a_drift(start: int, interval: int, lasts: list[int]) -> None:
    """However long rounds take, each is due at start plus a whole number of intervals, and none twice."""
    rounds = Rounds(start, interval)
    for last in lasts:
        before = rounds.due_ms
        rounds.done(before + last)
        assert (rounds.due_ms - start) % interval == 0
        assert before + last < rounds.due_ms <= before + last + interval


def test_an_interval_of_nothing_is_refused() -> None:
    """A round without an interval would never end."""
    with pytest.raises(ValueError, match="interval of 0 ms"):
        Rounds(0, 0)


def test_waits_double_up_to_ten_seconds() -> None:
    """A port tries again after 1, 2, 4, 8, 10, 10 … s, and after it worked begins anew."""
    backoff = Backoff()
    assert [backoff.wait_s() for _ in range(7)] == [1, 2, 4, 8, 10, 10, 10]
    backoff.reset()
    assert backoff.wait_s() == 1
