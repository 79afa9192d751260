"""A file as facts: what the fold is given to judge."""

from __future__ import annotations

from datetime import UTC

import pytest

from coldchain.facts import Activated, Reading
from coldchain.importers import LoggerFile, Series, Value
from coldchain.importers.replay_plan import replay_plans, usual_step_ms
from coldchain.model import Origin, Reason
from coldchain.profiles import compile_quick


def value(minute: int, raw: str = "5", bad: Reason | None = None, *, estimated: bool = False) -> Value:
    """A value so many minutes after an instant."""
    return Value(1_700_000_000_000 + minute * 60_000, "" if bad else raw, minute + 2, bad, estimated)


def file(*series: Series, simulated: bool = False) -> LoggerFile:
    """A file of series."""
    return LoggerFile("log.csv", "ab", "test", UTC, series, simulated=simulated)


def test_facts_are_in_order_and_imported() -> None:
    """First the plan, then each reading at its own time, marked as imported, with its line."""
    log = file(
        Series("t", "T", "degF", (value(0), value(10, bad=Reason.SENSOR_OPEN), value(20, "40.1"))),
        simulated=True,
    )
    (plan,) = replay_plans(log, compile_quick("8", "2", "30m"), "quick", engine="e")
    arrivals = [at for at, _ in plan.facts]
    assert arrivals == sorted(arrivals)
    (activated,) = [fact for _, fact in plan.facts if isinstance(fact, Activated)]
    assert activated.documents == {"log.csv": "ab"}
    readings = [(at, fact) for at, fact in plan.facts if isinstance(fact, Reading)]
    assert [(fact.raw, fact.unit, fact.bad, fact.place) for _, fact in readings] == [
        ("5", "degF", None, 2),
        ("", "", Reason.SENSOR_OPEN, 12),
        ("40.1", "degF", None, 22),
    ]
    assert all(
        at == fact.at_ms and fact.origin is Origin.IMPORTED and fact.simulated for at, fact in readings
    )
    assert plan.plan.sources[0].simulated


@pytest.mark.parametrize(
    ("minutes", "step_min"),
    [
        pytest.param([0, 10, 20, 30], 10, id="regular"),
        pytest.param([0, 10, 20, 80, 90, 100], 10, id="with a gap"),
        pytest.param([0, 0, 10, 10, 20], 10, id="several of one time"),
        pytest.param([0], None, id="one alone"),
    ],
)
def test_usual_step(minutes: list[int], step_min: int | None) -> None:
    """The usual step is the median between different times."""
    found = usual_step_ms(tuple(value(minute) for minute in minutes))
    assert found == (None if step_min is None else step_min * 60_000)


def test_lines_without_a_time_are_no_step() -> None:
    """A line that was put between its neighbours does not make the log look finer than it is."""
    values = tuple(value(m) for m in (0, 10, 20)) + (value(21, bad=Reason.BAD_TIME, estimated=True),)
    assert usual_step_ms(values) == 600_000


def test_max_gap() -> None:
    """A reading counts for three usual steps, or as told."""
    log = file(Series("t", "T", "degC", (value(0), value(5), value(10))))
    assert replay_plans(log, None)[0].channel.max_gap_ms == 15 * 60_000
    assert replay_plans(log, None, max_gap_ms=7)[0].channel.max_gap_ms == 7


def test_each_column_is_judged_by_the_rules_of_its_role() -> None:
    """A column has a plan of its own, with the rules for its role alone."""
    log = file(
        Series("a", "A", "degC", (value(0),)),
        Series("b", "B", "degC", (value(0),)),
        Series("c", "C", "degC", ()),
    )
    first, second = replay_plans(
        log, compile_quick("8", None, "30m", role="air"), "quick", roles={"b": "air"}
    )
    assert [len(plan.plan.profiles[0].stages[0].rules) for plan in (first, second)] == [0, 1]
    assert [plan.channel.role for plan in (first, second)] == ["product", "air"]
