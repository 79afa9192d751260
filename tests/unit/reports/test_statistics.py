"""Figures of a channel: what each reading weighs, and what nobody watched."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.importers.replay_plan import replay_plans
from coldchain.reports.statistics import Statistics, statistics
from tests.unit.reports.support import MINUTE, START, file


def figures(
    log: str, until_min: int | None = None, energy: Fraction | None = None, max_gap_min: int | None = None
) -> Statistics:
    """The figures of a log with a value every ten minutes."""
    gap_ms = None if max_gap_min is None else max_gap_min * MINUTE
    (plan,) = replay_plans(file(log), None, max_gap_ms=gap_ms)
    until_ms = None if until_min is None else START + until_min * MINUTE
    return statistics(plan.channel, plan.facts, counts_until_ms=until_ms, energy_kj_mol=energy)


@pytest.mark.parametrize(
    ("log", "until_min", "mean"),
    [
        pytest.param("4 6", None, 4.0, id="the last reading has no weight"),
        pytest.param("4 6", 20, 5.0, id="unless recording is known to have gone on"),
        pytest.param("4 6 6 6 6", 1000, (10 * 4 + 60 * 6) / 70, id="and then for three steps at most"),
        pytest.param(
            "4 4 4 _ _ _ _ _ _ 10 10", None, (50 * 4 + 10 * 10) / 60, id="a gap counts for three steps"
        ),
        pytest.param("4 bad 6 6", None, 5.0, id="a bad reading ends the one before and weighs nothing"),
        pytest.param("4", None, None, id="one reading alone has no time"),
        pytest.param("bad bad", None, None, id="nothing read"),
    ],
)
def test_mean_is_weighted_with_time(log: str, until_min: int | None, mean: float | None) -> None:
    """Each value counts until the next one or for the longest time that a reading counts."""
    found = figures(log, until_min).mean
    assert (None if found is None else float(found / 1000)) == (None if mean is None else pytest.approx(mean))


@pytest.mark.parametrize(
    ("log", "until_min", "gaps"),
    [
        pytest.param("4 5 6", None, [], id="none"),
        pytest.param("4 4 4 _ _ 5", None, [], id="three steps are no gap"),
        pytest.param("4 4 4 _ _ _ 5", None, [(50, 60)], id="from three steps on"),
        pytest.param("4 bad bad 6", None, [(10, 30)], id="from a bad reading to the next good one"),
        pytest.param("bad 4 5", None, [(0, 10)], id="at the beginning"),
        pytest.param("4 5 bad", None, [(20, 20)], id="one lost reading at the end"),
        pytest.param("4 5 6", 100, [(50, 100)], id="after the end, as told"),
        pytest.param("4 4 4 _ _ _ bad _ 6", None, [(50, 80)], id="a gap that a bad reading does not close"),
    ],
)
def test_gaps(log: str, until_min: int | None, gaps: list[tuple[int, int]]) -> None:
    """Time without a reading is named, neither inside nor outside."""
    found = figures(log, until_min).gaps
    assert [(gap.start_ms, gap.end_ms) for gap in found] == [
        (START + start * MINUTE, START + end * MINUTE) for start, end in gaps
    ]


def test_last_instant_of_a_gap() -> None:
    """A reading that ends a gap was seen; where the log ends with the gap, its last instant was not."""
    assert figures("4 bad 5").gaps[0].closed
    assert not figures("4 5 bad").gaps[0].closed


@pytest.mark.parametrize(
    ("log", "energy", "mkt", "used"),
    [
        pytest.param("5 5 5", None, 5.0, 83.144, id="usual energy above freezing"),
        pytest.param("5 5 5", Fraction(83), 5.0, 83.0, id="the product's own"),
        pytest.param("-2 5 5", None, None, None, id="below freezing it means nothing"),
        pytest.param("-2 -2 5", Fraction(83), -2.0, 83.0, id="unless an energy was stated for it"),
        pytest.param("-150 -150 -150", Fraction(83), None, None, id="so cold that all of it weighs nothing"),
        pytest.param("5", None, None, None, id="no time"),
    ],
)
def test_kinetic_mean(log: str, energy: Fraction | None, mkt: float | None, used: float | None) -> None:
    """A kinetic mean is given where it has a meaning, with the energy that it rests on."""
    found = figures(log, energy=energy)
    assert (None if found.mkt_c is None else float(found.mkt_c)) == (
        None if mkt is None else pytest.approx(mkt, abs=1e-4)
    )
    assert (None if found.energy_kj_mol is None else float(found.energy_kj_mol)) == used


def test_codes_for_no_probe_are_bad() -> None:
    """A number that no probe can show is a fault and never the coldest reading."""
    found = figures("4 -999 5")
    assert (found.min, found.max, found.good, found.bad) == (4000, 5000, 2, 1)


@given(
    st.lists(st.sampled_from(["4", "-7.5", "9.25", "bad", "_"]), min_size=1, max_size=40), st.integers(1, 90)
)
def test_time_is_accounted_for(words: list[str], max_gap_min: int) -> None:
    """Watched and unwatched time together are the whole log, and extremes are those of the values."""
    if all(word == "_" for word in words):
        return
    found = figures(" ".join(words), max_gap_min=max_gap_min)
    shown = [index for index, word in enumerate(words) if word != "_"]
    assert found.monitored_ms + found.unmonitored_ms == (shown[-1] - shown[0]) * 10 * MINUTE
    numbers = [round(float(word) * 1000) for word in words if word not in {"_", "bad"}]
    assert (found.min, found.max) == (min(numbers, default=None), max(numbers, default=None))
    if found.mean is not None:
        assert found.min is not None
        assert found.max is not None
        assert found.min <= found.mean <= found.max
