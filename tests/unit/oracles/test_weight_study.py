"""Weight beats temperature: the study of storage dewars on scales, simulated, and judged by the rules.

PMC6504988, abstract. Alarms at 10 % of the weight lost and at −185 °C:
- intact: 10 % after 4.2 to 4.9 d, empty after 36.8 d, −185 °C only after 37.8 to 43.7 d, over 30 days later;
- medium leak: 10 % after 0.8 h, −185 °C after 3.7 to 4.8 h, about 3 h later;
- catastrophic: 10 % after 15 s, empty in under 3 min, −185 °C 0.06 to 0.37 h after the breach.
"""

from __future__ import annotations

import pytest

from coldchain.announcements import Kind
from coldchain.facts import Reading
from coldchain.model import Priority, Side
from coldchain.plan import AssetPlan, BoilOff, Limit, Rate, Rule
from coldchain_simulators.physics.dry_shipper import DryShipper, ShipperFigures, Vacuum
from tests.unit.fold.bench import CITED, MIN, T0, Bench, channel, limit, plan

HOUR = 60 * MIN
DAY = 24 * HOUR
# The dewars of the study: −196 °C at the probe, dry after 36.8 d, then 2 K/h (the model's own judgement).
STUDY = ShipperFigures(static_hold_d=36.8, boiling_c=-196.0, vapour_above_boiling_k=0.0)
TENTH = round(0.1 * STUDY.full_kg * 10_000)  # in the quantum of a mass, 0.1 g


def alarms(vacuum: Vacuum, *rules: Rule, quantity: str, step_ms: int, until_ms: int) -> list[int]:
    """When, after the beginning, an alarm is raised by what a scale or a thermometer there tells."""
    shipper = DryShipper(STUDY, vacuum=vacuum)
    scale = quantity == "mass"
    probe = channel(
        quantity=quantity,
        unit="kg" if scale else "degC",
        valid_low=0 if scale else -210_000,
        valid_high=1_000_000 if scale else 60_000,
        interval_ms=step_ms,
        max_gap_ms=3 * step_ms,
        fresh_within_ms=5 * step_ms,
    )
    active = plan(*rules, channels=(probe,))
    bench = Bench(active)
    bench.run(T0)
    for passed in range(0, until_ms, step_ms):
        raw, unit = (f"{shipper.mass_kg:.4f}", "kg") if scale else (f"{shipper.vapour_c:.3f}", "degC")
        bench.run(T0 + passed)
        bench.add(Reading("log", "box.vapour", raw, unit, at_ms=T0 + passed))
        shipper.process(step_ms / 1000)
    assert isinstance(active.assets[0], AssetPlan)
    return [
        at - T0 for at, one in bench.said if one.kind is Kind.RAISED and one.rule in {r.id for r in rules}
    ]


def weighed(vacuum: Vacuum, step_ms: int, until_ms: int) -> int:
    """When a tenth of the nitrogen is gone, as the scale under it tells, by a limit on the mass."""
    full = round((STUDY.empty_kg + STUDY.full_kg) * 10_000)
    tenth = Limit(
        id="tenth",
        role="vapour",
        side=Side.BELOW,
        limit=full - TENTH,
        hold_ms=0,
        priority=Priority.CRITICAL,
        cited=CITED,
    )
    return alarms(vacuum, tenth, quantity="mass", step_ms=step_ms, until_ms=until_ms)[0]


def warmed(vacuum: Vacuum, step_ms: int, until_ms: int) -> int:
    """When the thermometer passes −185 °C."""
    hot = limit("hot", value=-185, hold_ms=0)
    return alarms(vacuum, hot, quantity="temperature", step_ms=step_ms, until_ms=until_ms)[0]


def test_intact_weight_leads_by_more_than_thirty_days() -> None:
    """A tenth is gone within days; the thermometer tells when the vessel has long been empty."""
    weight, warmth = weighed(Vacuum.HELD, HOUR, 6 * DAY), warmed(Vacuum.HELD, HOUR, 45 * DAY)
    # Mass falls evenly in the model: 36.8 d / 10; the study's first tenth took somewhat longer.
    assert weight == pytest.approx(3.68 * DAY, abs=HOUR)
    assert weight < 4.9 * DAY
    assert 36.8 * DAY < warmth < 43.7 * DAY
    assert warmth - weight > 30 * DAY


def test_medium_weight_leads_by_about_three_hours() -> None:
    """A tenth after 0.8 h, −185 °C after 3.7 to 4.8 h."""
    weight, warmth = weighed(Vacuum.LEAKING, MIN, 2 * HOUR), warmed(Vacuum.LEAKING, MIN, 6 * HOUR)
    assert weight == pytest.approx(0.8 * HOUR, abs=MIN)
    assert 3.7 * HOUR <= warmth <= 4.8 * HOUR
    assert 2.9 * HOUR <= warmth - weight <= 4.0 * HOUR


def test_catastrophic_weight_leads_by_minutes() -> None:
    """A tenth within 15 s, −185 °C 0.06 to 0.37 h after the breach."""
    weight, warmth = weighed(Vacuum.LOST, 1000, 5 * MIN), warmed(Vacuum.LOST, 1000, HOUR)
    assert weight == pytest.approx(15_000, abs=1000)
    assert 0.06 * HOUR <= warmth <= 0.37 * HOUR


SLOPE = BoilOff(
    id="boil",
    role="vapour",
    priority=Priority.HIGH,
    cited=CITED,
    percent=200,
    window_ms=12 * HOUR,
    least=200,
    baseline_per_day=round(STUDY.full_kg / STUDY.static_hold_d * 10_000),
)
SUDDEN = Rate(
    id="sudden",
    role="vapour",
    priority=Priority.CRITICAL,
    cited=CITED,
    side=Side.BELOW,
    limit=TENTH,
    within_ms=6 * HOUR,
)


@pytest.mark.parametrize(
    ("vacuum", "told_ms"),
    [
        pytest.param(Vacuum.HELD, None, id="intact: nothing, for four days"),
        # 330 g in 48 min are 6.9 g a minute: 20 g are gone at the third weighing.
        pytest.param(Vacuum.LEAKING, 3 * MIN, id="medium: by its slope, long before a tenth is gone"),
        # 3.3 kg in 150 s: a tenth is gone at the first.
        pytest.param(Vacuum.LOST, MIN, id="catastrophic: with the first weighing"),
    ],
)
def test_the_slope_tells_before_the_tenth(vacuum: Vacuum, told_ms: int | None) -> None:
    """The rules that watch weights: an intact vessel is left alone, a leak is told within minutes."""
    until = 4 * DAY if vacuum is Vacuum.HELD else 2 * HOUR
    step = 10 * MIN if vacuum is Vacuum.HELD else MIN
    told = alarms(vacuum, SLOPE, SUDDEN, quantity="mass", step_ms=step, until_ms=until)
    assert (told[0] if told else None) == told_ms
