"""Which sources measure something that is outside now, and may be asked more often."""

from __future__ import annotations

import pytest

from coldchain.facts import Reading
from coldchain.fold.outside import sources_outside
from coldchain.model import Priority, Reason, Side
from coldchain.plan import PAIR, Plan, Rate, Rule, SourcePlan
from tests.unit.fold.bench import CITED, MIN, T0, Bench, budget, channel, limit, plan


def hurried(active: Plan, *values: str, channel_id: str = "box.vapour", source: str = "log") -> set[str]:
    """The sources after readings a minute apart; "bad" is one without a value."""
    bench = Bench(active)
    for minute, value in enumerate(values):
        bad = Reason.SENSOR_OPEN if value == "bad" else None
        raw, unit = ("", "") if bad else (value, "degC")
        bench.add(Reading(source, channel_id, raw, unit, at_ms=T0 + minute * MIN, bad=bad))
    return set(sources_outside(bench.fold.places, bench.fold.lane))


RATE = Rate(
    id="rate", role="vapour", priority=Priority.HIGH, cited=CITED, side=Side.ABOVE, limit=5_000,
    within_ms=3 * MIN,
)  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "values", "asked"),
    [
        pytest.param(limit(), ("-180",), False, id="inside"),
        pytest.param(limit(), ("-180", "-149"), True, id="outside, long before its hold alarms"),
        pytest.param(limit(), ("-149", "bad"), True, id="a bad reading ends no excursion"),
        pytest.param(limit(), ("-149", "-180"), False, id="back"),
        pytest.param(limit(hold_ms=0, off_delay_ms=9 * MIN), ("-149", "-180"), True, id="not returned yet"),
        pytest.param(budget(), ("-180", "-149"), True, id="beyond a budget's limit"),
        pytest.param(
            budget(allowance_min=0), ("-149", "-149", "-180"), False, id="a spent budget asks for nothing"
        ),
        pytest.param(RATE, ("-180", "-170"), True, id="another rule's condition"),
        pytest.param(RATE, ("-180", "-179"), False, id="another rule is calm"),
    ],
)
def test_what_is_outside_is_asked_oftener(rule: Rule, values: tuple[str, ...], asked: bool) -> None:
    """The source of its channel, and only while it is so."""
    assert hurried(plan(rule), *values) == ({"log"} if asked else set())


def test_only_the_source_that_measures_it() -> None:
    """Another place's source goes on as ever; of two probes that disagree both are asked."""
    other = channel("box.second", source="two", role="second")
    both = plan(limit(), limit("apart", 3, role=f"vapour{PAIR}second"), channels=(channel(), other))
    sources = (*both.sources, SourcePlan(id="two", driver="test", round_ms=2 * MIN, sends_time=True))
    bench = Bench(Plan(both.site, sources, both.channels, both.assets, both.profiles))

    def at(minute: int, vapour: str, second: str) -> set[str]:
        for source, name, value in (("log", "box.vapour", vapour), ("two", "box.second", second)):
            bench.add(Reading(source, name, value, "degC", at_ms=T0 + minute * MIN))
        return set(sources_outside(bench.fold.places, bench.fold.lane))

    assert at(0, "-180", "-179") == set()
    assert at(1, "-149", "-149") == {"log"}
    assert at(2, "-180", "-170") == {"log", "two"}
    assert at(3, "-180", "-179") == set()
