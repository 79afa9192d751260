"""Kinetic means as they stream, against the formula of USP <1160> in mpmath's arithmetic.

mpmath is other people's arithmetic, to forty places; the engine's sums are integers, weights from decimal.
"""

from __future__ import annotations

import random
from fractions import Fraction

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.consignments.line import Segment
from coldchain.fold.history import History
from coldchain.fold.track import Track
from coldchain.model import Priority
from coldchain.plan import KineticMean
from coldchain.rules.kinetic import KineticSum
from coldchain.rules.mean import MeanState, kinetic
from tests.unit.fold.bench import CITED, MIN, T0, channel

GAP = 30 * MIN
HOUR = 60 * MIN
DAY = 24 * HOUR
Point = tuple[int, int | None]  # ms, m°C or BAD


def by_mpmath(energy: str, parts: list[tuple[int, int]]) -> float:
    """T = (ΔH/R) / −ln(Σ t·exp(−ΔH/RT) / Σ t), in °C, of (m°C, ms) parts."""
    with mpmath.workdps(40):
        ratio = mpmath.mpf(energy) / mpmath.mpf("0.0083144")
        weights = {value: mpmath.exp(-ratio / (mpmath.mpf(value + 273150) / 1000)) for value, _ in parts}
        total = mpmath.fsum(weights[value] * time for value, time in parts)
        return float(ratio / -mpmath.log(total / sum(time for _, time in parts)) - mpmath.mpf("273.15"))


def counted(points: list[Point], from_ms: int, to_ms: int) -> list[tuple[int, int]]:
    """How long each GOOD value counts within a span: until the next reading, for `GAP` at the most."""
    parts = []
    for i, (at, value) in enumerate(points):
        following = points[i + 1][0] if i + 1 < len(points) else to_ms
        span = min(following, at + GAP, to_ms) - max(at, from_ms)
        if value is not None and span > 0:
            parts.append((value, span))
    return parts


def streamed(points: list[Point], energy: str, window_ms: int) -> MeanState:
    """What the rule holds after the last reading, through the fold's own track."""
    rule = KineticMean(
        id="m",
        role="vapour",
        priority=Priority.HIGH,
        cited=CITED,
        limit=-50_000,  # far below: each reading asks the rule
        window_ms=window_ms,
        energy_kj_mol=energy,
    )
    probe = channel(max_gap_ms=GAP)
    history = History()
    for at, value in points:
        history.insert(at, value or 0, 0 if value is not None else 2, 0)
    track = Track("box/vapour", {probe.id: history})
    track.line = [Segment(T0, probe, (rule,))]
    track.advance(T0, lambda told: None)
    track.judge_all(history, 0, len(history), lambda told: None)
    ((_, state),) = track.running
    assert isinstance(state, MeanState)
    return state


def mean_of(state: MeanState, energy: str) -> float:
    """The mean that a state stands for."""
    mean = kinetic(energy).mean_c(state.weighted, state.time_ms)
    assert mean is not None
    return float(mean)


STEPS = st.lists(
    st.tuples(
        st.integers(1, 40 * MIN),
        st.one_of(st.none(), st.integers(-20_000, 45_000), st.integers(2_000, 8_000)),
    ),
    min_size=2,
    max_size=60,
)


@pytest.mark.parametrize("energy", ["83.144", "83.0", "42", "125"])
@given(steps=STEPS, window=st.sampled_from([HOUR, 6 * HOUR, DAY]))
def test_an_uneven_stream_has_the_mean_of_the_formula(
    energy: str, steps: list[tuple[int, int | None]], window: int
) -> None:
    """Any sampling, with gaps and BAD readings: the window's mean is mpmath's to 0.0001 K."""
    points: list[Point] = [(T0, 5_000)]
    for step, value in steps:
        points.append((points[-1][0] + step, value))
    end = points[-1][0]
    parts = counted(points, max(T0, end - window), end)
    state = streamed(points, energy, window)
    assert state.time_ms == sum(time for _, time in parts)
    if parts:
        assert abs(mean_of(state, energy) - by_mpmath(energy, parts)) < 1e-4


@pytest.mark.slow
def test_a_year_does_not_drift() -> None:
    """After a year of uneven readings the window holds what a rule that saw only its last day holds."""
    chance = random.Random(1160)
    points: list[Point] = [(T0, 5_000)]
    while points[-1][0] < T0 + 365 * DAY:
        step = chance.choice([5 * MIN, 20 * MIN, 29 * MIN, 45 * MIN])
        value = None if chance.random() < 0.02 else 100 * round(chance.gauss(60, 30))
        points.append((points[-1][0] + step + chance.randrange(1000), value))
    end = points[-1][0]
    state = streamed(points, "83.144", DAY)
    fresh = KineticSum(kinetic("83.144"))
    for value, time in counted(points, end - DAY, end):
        fresh.add(value, time)
    assert (state.weighted, state.time_ms) == (fresh.weighted, fresh.time_ms)
    year = KineticSum(kinetic("83.144"))
    parts = counted(points, T0, end)
    for value, time in parts:
        year.add(value, time)
    mean = year.mean_c()
    assert mean is not None
    assert abs(float(mean) - by_mpmath("83.144", parts)) < 1e-6
    assert Fraction(mean) > 0
