"""WHO's shipping indicators, from the text that tells people how to read them.

WHO, "Step-by-step interpretation of 10-day electronic temperature monitoring devices for international
vaccine shipments: Q-tag 2plus" (2007, 2009), page 3. Both signs are in the text (">=", "<="), and the periods
stand under "Period for triggering the alarm": reaching one is enough. Manual of the Q-tag 2 plus, page 12: a
single event is uninterrupted and begins anew, a cumulative one sums all violations.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.announcements import Kind
from coldchain.facts import Reading
from coldchain.plan import Age, Rule
from coldchain.profiles import load
from tests.unit.fold.bench import MIN, T0, Bench, plan

# As printed: sign, °C, single event or cumulative, hours.
PRINTED = {
    "who-ship-type1": [(">=", 45.0, "single", 1), (">=", 30.0, "cumulative", 10), ("<=", -0.5, "single", 1)],
    "who-ship-type2": [
        (">=", 45.0, "single", 1),
        (">=", 30.0, "cumulative", 10),
        (">=", 10.0, "cumulative", 20),
    ],
}
STEP = 10


def triggered(name: str, values: list[float]) -> int | None:
    """The first minute at which the text's device triggers; each value holds for ten minutes."""
    found = []
    for sign, limit, kind, hours in PRINTED[name]:
        run = 0
        for i, value in enumerate(values):
            violated = value >= limit if sign == ">=" else value <= limit
            run = run + STEP if violated else (run if kind == "cumulative" else 0)
            if violated and run >= hours * 60:
                found.append((i + 1) * STEP - (run - hours * 60))
                break
    return min(found, default=None)


def rules(name: str) -> tuple[Rule, ...]:
    """The shipped profile's, on the bench's probe, without the ten days."""
    (stage,) = load(name).stages
    return tuple(replace(rule, role="vapour") for rule in stage.rules if not isinstance(rule, Age))


def said(name: str, values: list[float]) -> int | None:
    """The first minute at which we raise an alarm."""
    bench = Bench(plan(*rules(name)))
    for i, value in enumerate([*values, 5.0]):
        at_ms = T0 + i * STEP * MIN
        bench.run(at_ms)
        bench.add(Reading("log", "box.vapour", f"{value:.1f}", "degC", at_ms=at_ms))
    raised = [at for at, one in bench.said if one.kind is Kind.RAISED]
    return (raised[0] - T0) // MIN if raised else None


VALUES = st.sampled_from([-5.0, -0.5, -0.4, 5.0, 9.9, 10.0, 29.9, 30.0, 44.9, 45.0, 50.0])
SHIPMENT = st.lists(st.tuples(VALUES, st.integers(1, 70)), min_size=1, max_size=8).map(
    lambda stretches: [value for value, count in stretches for _ in range(count)]
)


@pytest.mark.parametrize("name", PRINTED)
@given(values=SHIPMENT)
def test_the_indicator_triggers_when_the_text_says(name: str, values: list[float]) -> None:
    """Any shipment: the first alarm of the shipped profile is at the minute that the printed table gives."""
    assert said(name, values) == triggered(name, values)


@pytest.mark.parametrize(
    ("name", "values", "minute"),
    [
        pytest.param("who-ship-type1", [45.0] * 6, 60, id="on 45 °C for the hour"),
        pytest.param("who-ship-type1", [44.9] * 6, None, id="a tenth below it"),
        pytest.param("who-ship-type1", [-0.5] * 6, 60, id="on −0.5 °C for the hour"),
        pytest.param("who-ship-type2", [-5.0] * 60, None, id="type II knows no frost"),
        pytest.param(
            "who-ship-type1", [30.0] * 30 + [20.0] * 6 + [30.0] * 30, 660, id="ten hours in two parts"
        ),
        pytest.param("who-ship-type2", [10.0] * 120, 1200, id="on 10 °C for twenty hours"),
        pytest.param("who-ship-type2", [9.9] * 720, None, id="five days just below 10 °C"),
    ],
)
def test_printed_cases(name: str, values: list[float], minute: int | None) -> None:
    """The printed limits themselves, each on its value and beside it."""
    assert (triggered(name, values), said(name, values)) == (minute, minute)


def test_many_dips_below_the_hour_are_seen_by_a_sum_alone() -> None:
    """The known trap: dips of less than an hour, 3.5 h a day in all, raise no single-event alarm.

    Manual of the Fridge-tag Ultra Low, 8.3. A cumulative slot beside it tells them.
    """
    day = ([50.0] * 5 + [20.0] * 29) * 4 + [50.0] * 1 + [20.0] * 7
    assert sum(value == 50.0 for value in day) * STEP == 210
    values = day * 3
    single = tuple(rule for rule in rules("who-ship-type1") if rule.id == "hot")
    bench = Bench(plan(*single))
    for i, value in enumerate(values):
        bench.run(T0 + i * STEP * MIN)
        bench.add(Reading("log", "box.vapour", f"{value:.1f}", "degC", at_ms=T0 + i * STEP * MIN))
    assert bench.told(Kind.RAISED) == []
    # The third day's last but one dip completes ten hours at or above 30 °C.
    assert said("who-ship-type1", values) == triggered("who-ship-type1", values)
    assert said("who-ship-type1", values) is not None
