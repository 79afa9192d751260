"""The kinds of rules where they work: on an asset, along a lane, with two probes, with late readings."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from coldchain.announcements import Announcement, Kind
from coldchain.facts import Activated, ConsignmentEnded, ConsignmentStarted, EtaSet, Reading, StageEntered
from coldchain.model import Priority, Reason, Side
from coldchain.plan import (
    LANE,
    Age,
    AssetPlan,
    BoilOff,
    ChannelPlan,
    Fires,
    HoldLeft,
    KineticMean,
    Per,
    Plan,
    ProfilePlan,
    Rolling,
    Rule,
    Settle,
    SourcePlan,
    Spike,
    StagePlan,
    Stuck,
    TimeToLimit,
)
from tests.unit.fold.bench import CITED, MIN, T0, Bench, budget, channel, limit, plan

HOUR = 60 * MIN


def words(name: str, role: str = "vapour", **more: Any) -> dict[str, Any]:
    """What every rule says of itself."""
    return {"id": name, "role": role, "priority": Priority.HIGH, "cited": CITED} | more


def minutes(said: list[tuple[int, Announcement]], kind: Kind, rule: str) -> list[float]:
    """The minutes at which something was announced of a rule."""
    return [(at - T0) / MIN for at, one in said if one.kind is kind and one.rule == rule]


def two_stages(*rules: Rule, asset: AssetPlan | None = None, **more: Any) -> Plan:
    """The box of the bench, with stages "packed" and "transport" that hold the same rules."""
    made = plan(*rules, **more)
    stages = (StagePlan("packed", rules), StagePlan("transport", rules))
    profile = ProfilePlan("test", "1", True, stages, "0" * 64)
    home = asset or AssetPlan("box", "dry_shipper", profile="test", stage="packed")
    return replace(made, profiles=(profile,), assets=(home,))


def travelling(made: Plan, *, stage: str = "packed") -> Bench:
    """A bench with a consignment under way since minute 0."""
    bench = Bench(made)
    bench.add(ConsignmentStarted("c1", "box", "test", stage, T0))
    return bench


# Age and dwell


DWELL = Age(**words("dwell", LANE), max_ms=2 * HOUR)
AGE = Age(**words("age", LANE), since="packed", max_ms=5 * HOUR)


def test_a_dwell_is_judged_without_any_reading() -> None:
    """A packed box waits for its courier: the clock of the stage runs by itself, and ends with the stage."""
    bench = travelling(two_stages(DWELL))
    bench.run(T0 + 3 * HOUR)
    assert minutes(bench.said, Kind.RAISED, "dwell") == [120]
    bench.add(StageEntered("c1", "transport", T0 + 3 * HOUR), T0 + 3 * HOUR)
    assert minutes(bench.said, Kind.RETURNED, "dwell") == [180]
    bench.run(T0 + 6 * HOUR)
    assert minutes(bench.said, Kind.RAISED, "dwell") == [120, 300]


def test_an_age_goes_on_through_the_stages() -> None:
    """Hours since packing count in transit, too."""
    bench = travelling(two_stages(AGE))
    bench.add(StageEntered("c1", "transport", T0 + HOUR), T0 + HOUR)
    bench.run(T0 + 6 * HOUR)
    assert minutes(bench.said, Kind.RAISED, "age") == [300]


def test_a_stage_entered_late_is_judged_by_its_true_time() -> None:
    """What was stated afterwards counts from when it was, and what it uncovers is found late."""
    bench = travelling(two_stages(DWELL))
    bench.add(StageEntered("c1", "transport", T0 + HOUR), T0 + 4 * HOUR)
    bench.run(T0 + 5 * HOUR)
    (raised,) = [one for _, one in bench.said if one.kind is Kind.RAISED and one.since_ms == T0 + 3 * HOUR]
    assert raised.late is not None


def test_the_age_of_a_vessel_follows_its_qualified_hold() -> None:
    """Where the site has stated a hold, that less the reserve counts."""
    rule = replace(AGE, hold_less_ms=2 * HOUR)
    home = AssetPlan("box", "dry_shipper", profile="test", stage="packed", qualified_hold_ms=5 * HOUR)
    bench = travelling(two_stages(rule, asset=home))
    bench.run(T0 + 6 * HOUR)
    assert minutes(bench.said, Kind.RAISED, "age") == [180]


def test_an_ended_consignment_has_no_age() -> None:
    """Its alarm goes with its product."""
    bench = travelling(two_stages(AGE))
    bench.run(T0 + 6 * HOUR)
    bench.add(ConsignmentEnded("c1", "delivered", T0 + 6 * HOUR), T0 + 6 * HOUR)
    assert minutes(bench.said, Kind.RETURNED, "age") == [360]


# Nitrogen


def weighed(*rules: Rule, asset: AssetPlan | None = None) -> Plan:
    """The box with a scale under it instead of a probe in it."""
    scale = channel(
        quantity="mass", role="mass", valid_low=0, valid_high=1_000_000, unit="kg", max_gap_ms=30 * MIN
    )
    home = asset or AssetPlan("box", "dry_shipper", profile="test", stage="packed", empty_mass=50_000)
    return two_stages(*rules, asset=home, channels=(scale,))


def feed(bench: Bench, values: list[float], *, start: int = 0, step: int = 10) -> None:
    """A weighing every ten minutes, in kg."""
    for i, value in enumerate(values):
        at_ms = T0 + (start + i * step) * MIN
        bench.run(at_ms)
        bench.add(Reading("log", "box.vapour", f"{value:.4f}", "kg", at_ms=at_ms))


HOLD = HoldLeft(**words("hold", "mass"), reserve_ms=6 * HOUR, window_ms=2 * HOUR, least=100)


def falling(per_hour: float, hours: float, start: float = 6.0) -> list[float]:
    """Masses every ten minutes on a straight line."""
    return [start - per_hour * i / 6 for i in range(round(hours * 6) + 1)]


def test_the_nitrogen_must_last_until_arrival_and_the_reserve() -> None:
    """1 kg above empty, 50 g an hour: 20 h. Needed: until arrival, and 6 h more."""
    bench = travelling(weighed(HOLD))
    bench.add(EtaSet("c1", T0 + 13 * HOUR, T0))
    feed(bench, falling(0.05, 3))
    assert minutes(bench.said, Kind.RAISED, "hold") == []
    # A delay: arrival after 16 h. 17 h of nitrogen are left, 13 h to go and 6 h in reserve.
    bench.add(EtaSet("c1", T0 + 16 * HOUR, T0 + 3 * HOUR))
    feed(bench, falling(0.05, 1, start=5.85 - 0.05 / 6), start=190)
    assert minutes(bench.said, Kind.RAISED, "hold")[0] >= 190
    bench.add(EtaSet("c1", T0 + 10 * HOUR, bench.fold.arrival_ms))
    feed(bench, falling(0.05, 3, start=5.78), start=260)
    assert len(minutes(bench.said, Kind.RETURNED, "hold")) == 1


def test_without_a_tare_nothing_is_told() -> None:
    """What nobody has stated is not guessed."""
    bench = travelling(weighed(HOLD, asset=AssetPlan("box", "dry_shipper", profile="test", stage="packed")))
    bench.add(EtaSet("c1", T0 + 100 * HOUR, T0))
    feed(bench, falling(0.5, 4))
    assert minutes(bench.said, Kind.RAISED, "hold") == []


def test_a_fill_begins_a_new_line() -> None:
    """The slope of before the fill says nothing about what is left after it."""
    bench = travelling(weighed(HOLD))
    bench.add(EtaSet("c1", T0 + 10 * HOUR, T0))
    feed(bench, falling(0.3, 2))
    raised = minutes(bench.said, Kind.RAISED, "hold")
    assert raised
    feed(bench, falling(0.05, 4, start=6.4), start=130)
    assert len(minutes(bench.said, Kind.RETURNED, "hold")) == 1


OWN = AssetPlan("box", "dry_shipper", profile="test", stage="packed", loss_per_day=4800, empty_mass=50_000)
BOIL = BoilOff(**words("boil", "mass"), percent=200, window_ms=2 * HOUR, least=200)


@pytest.mark.parametrize(
    ("per_hour", "told"),
    [
        pytest.param(0.02, False, id="its own loss, 480 g a day"),
        pytest.param(0.035, False, id="one and three quarters of it"),
        pytest.param(0.05, True, id="two and a half times as much"),
        pytest.param(6.0, True, id="a torn vessel, in minutes"),
    ],
)
def test_boil_off_is_abnormal_above_the_vessel_s_own(per_hour: float, told: bool) -> None:
    """Twice the loss that the site has stated for this serial number."""
    bench = travelling(weighed(BOIL, asset=OWN))
    feed(bench, falling(per_hour, 6 if per_hour < 1 else 0.6))
    assert bool(minutes(bench.said, Kind.RAISED, "boil")) is told


def test_a_vessel_without_a_stated_loss_is_compared_with_itself() -> None:
    """Weighed since the fill: what leaks from now on stands out."""
    bench = travelling(weighed(BOIL))
    feed(bench, falling(0.05, 8))
    assert minutes(bench.said, Kind.RAISED, "boil") == []
    feed(bench, falling(0.25, 3, start=5.6 - 0.25 / 6), start=490)
    assert minutes(bench.said, Kind.RAISED, "boil")


# Values


def test_the_time_to_a_limit_warns_ahead() -> None:
    """Warming by 6 °C an hour from −190: −150 is two hours away at −162, to the minute of the reading."""
    rule = TimeToLimit(
        **words("soon"), side=Side.ABOVE, limit=-150_000, horizon_ms=2 * HOUR, window_ms=HOUR, least=2000
    )
    bench = Bench(plan(rule))
    bench.series("-190x60 -190..-150x401")
    (at,) = minutes(bench.said, Kind.RAISED, "soon")
    assert at == 60 + 280
    calm = Bench(plan(rule))
    calm.series("-190x30 -189.5x30 -190x30 -189.5x30")
    assert minutes(calm.said, Kind.RAISED, "soon") == []


def test_a_stuck_value_and_a_spike() -> None:
    """The same digits for three hours; one reading that jumps, and the next that does not."""
    stuck = Stuck(**words("stuck"), for_ms=3 * HOUR)
    spike = Spike(**words("spike"), limit=20_000)
    bench = Bench(plan(stuck, spike))
    bench.series("-160.1x90 bad -160.1x120 -160.2 -160.2 -120 -160.2")
    assert minutes(bench.said, Kind.RAISED, "stuck") == [180]
    assert minutes(bench.said, Kind.RETURNED, "stuck") == [211]
    # There and back are two jumps of one spell; there is no reading after it that could end it.
    assert minutes(bench.said, Kind.RAISED, "spike") == [213]
    assert minutes(bench.said, Kind.RETURNED, "spike") == []


def test_a_guarded_limit_lies_inwards_by_the_probe_s_uncertainty() -> None:
    """At +8 °C with 0.24 °C of uncertainty the alarm comes at 7.76 °C."""
    sure = limit(value=8, hold_ms=0, guarded=True)
    bench = Bench(plan(sure, channels=(channel(uncertainty=240),)))
    bench.series("7.7 7.76 7.77")
    (raised,) = [one for _, one in bench.said if one.kind is Kind.RAISED]
    assert (raised.since_ms, raised.limit) == (T0 + 2 * MIN, 7760)


def test_a_probe_settles_by_value() -> None:
    """A warm probe put into a cold box raises nothing while it falls; a box that stays warm does, in time."""
    rule = limit(hold_ms=0, settle=Settle(Side.ABOVE, -160_000, 60 * MIN))
    falls = Bench(plan(rule))
    falls.series("20..-190x40 -190x10 -149")
    assert minutes(falls.said, Kind.RAISED, "above") == [50]
    (one,) = falls.fold.places["box/vapour"].ledger.all()
    assert one.interval.start_ms == T0 + 50 * MIN, "what was warm while it settled is no excursion"
    never = Bench(plan(rule))
    never.series("20..-140x40 -140x40")
    assert minutes(never.said, Kind.RAISED, "above") == [60]


# Budgets of a stage and of a day


def test_a_budget_of_a_stage_begins_anew_with_the_next() -> None:
    """Six minutes outside in each of two stages: more than ten for the product, for neither of the stages."""
    rules = (budget("product"), budget("stage", per=Per.STAGE))
    bench = travelling(two_stages(*rules))
    bench.series("-140x6 -160x4")
    bench.add(StageEntered("c1", "transport", T0 + 10 * MIN), T0 + 10 * MIN)
    bench.series("-140x6 -160x4", start_ms=T0 + 10 * MIN)
    assert minutes(bench.said, Kind.RAISED, "product") != []
    assert minutes(bench.said, Kind.RAISED, "stage") == []


def test_a_budget_of_a_day_begins_anew_at_midnight_where_the_site_is() -> None:
    """The alarm of the day that is over goes; the excursions of the limit beside it go on."""
    # T0 is 22:13:20 UTC; midnight at +01:00 is 46 min 40 s later.
    day = budget("day", allowance_min=30, per=Per.DAY, day_offset_ms=HOUR)
    bench = Bench(plan(day, limit("single", hold_ms=0)))
    bench.series("-140x90")
    midnight = T0 + 46 * MIN + 40_000
    told = [(one.kind, at) for at, one in bench.said if one.rule == "day"]
    assert [at for kind, at in told if kind is Kind.RAISED] == [T0 + 30 * MIN + 1, midnight + 30 * MIN + 1]
    assert [at for kind, at in told if kind is Kind.RETURNED] == [midnight]
    assert minutes(bench.said, Kind.EXCURSION_ENDED, "single") == []


# Two probes


def second(**more: Any) -> ChannelPlan:
    """Another vapour probe of the box, on the same source."""
    return channel("box.vapour2", role="vapour-2", **more)


def both(bench: Bench, minute: float, one: str | None, two: str | None, *, delay: float = 0) -> None:
    """A reading of each probe."""
    at_ms = T0 + round(minute * MIN)
    bench.run(at_ms)
    for name, raw in (("box.vapour", one), ("box.vapour2", two)):
        if raw is None:
            continue
        bad = Reason.SENSOR_OPEN if raw == "bad" else None
        sent = Reading("log", name, "" if bad else raw, "degC", at_ms=at_ms, bad=bad)
        bench.add(sent, at_ms + round(delay * MIN))


def test_two_probes_that_disagree() -> None:
    """Held five minutes; a probe that gives no value is no disagreement."""
    apart = limit("apart", role="vapour~vapour-2", limit=3000, hold_ms=5 * MIN, fires=Fires.ON_READING)
    bench = Bench(plan(apart, channels=(channel(), second())))
    for minute in range(10):
        both(bench, minute, "-180", "-181")
    for minute in range(10, 20):
        both(bench, minute, "-180", "-184")
    for minute in range(20, 25):
        both(bench, minute, "-180", "-180.5")
    for minute in range(25, 40):
        both(bench, minute, "-180", "bad")
    assert minutes(bench.said, Kind.RAISED, "apart") == [15]
    assert minutes(bench.said, Kind.RETURNED, "apart") == [20]


@pytest.mark.parametrize("order", ["as measured", "the first probe an hour late"])
def test_a_probe_in_reserve_stands_in(order: str) -> None:
    """While the first is open the second judges; what comes late gives the same excursions."""
    home = AssetPlan(
        "box", "dry_shipper", profile="test", stage="transport", reserves=(("vapour", "vapour-2"),)
    )
    made = replace(plan(limit(hold_ms=5 * MIN), channels=(channel(), second())), assets=(home,))
    bench = Bench(made)
    firsts = ["-180"] * 10 + ["bad"] * 20 + ["-180"] * 10
    seconds = ["-170"] * 15 + ["-140"] * 10 + ["-170"] * 15
    if order == "as measured":
        for minute, (one, two) in enumerate(zip(firsts, seconds, strict=True)):
            both(bench, minute, one, two)
    else:
        for minute, two in enumerate(seconds):
            both(bench, minute, None, two)
        for minute, one in enumerate(firsts):
            both(bench, minute, one, None, delay=60)
    place = bench.fold.places["box/vapour"]
    (found,) = [each.interval for each in place.ledger.all() if each.interval.triggered_ms is not None]
    assert (found.start_ms - T0, found.triggered_ms, found.end_ms) == (
        15 * MIN,
        T0 + 20 * MIN,
        T0 + 25 * MIN,
    )


# Late readings


@pytest.mark.parametrize(
    "rule",
    [
        Rolling(**words("r"), side=Side.ABOVE, limit=8000, allowance_ms=10 * MIN, window_ms=60 * MIN),
        KineticMean(**words("r"), limit=8000, window_ms=60 * MIN, energy_kj_mol="83.144"),
    ],
    ids=["rolling", "kinetic mean"],
)
def test_late_readings_give_what_early_ones_would_have(rule: Rule) -> None:
    """A window folded again takes in what came late, at its own time."""
    values = ["5"] * 60 + ["20"] * 15 + ["5"] * 20
    early, late = Bench(plan(rule)), Bench(plan(rule))
    sent = [Reading("log", "box.vapour", raw, "degC", at_ms=T0 + i * MIN) for i, raw in enumerate(values)]
    for reading in sent:
        early.run(reading.at_ms or 0)
        early.add(reading)
    for i, reading in enumerate(sent):
        if not 62 <= i < 74:
            late.add(reading)
    for i in reversed(range(62, 74)):
        late.add(sent[i], T0 + 95 * MIN)

    def truth(bench: Bench) -> list[tuple[int, int | None, int | None]]:
        found = [each.interval for each in bench.fold.places["box/vapour"].ledger.all()]
        return [(one.start_ms, one.triggered_ms, one.end_ms) for one in found]

    assert truth(late) == truth(early) != []


def test_a_plan_in_force_twice_changes_nothing() -> None:
    """The same rules activated again keep every state, of each kind."""
    rules = (
        Rolling(**words("a"), side=Side.ABOVE, limit=-150_000, allowance_ms=10 * MIN, window_ms=60 * MIN),
        Stuck(**words("b"), for_ms=20 * MIN),
        replace(DWELL, id="c"),
        limit("d", settle=Settle(Side.ABOVE, -160_000, 60 * MIN)),
    )
    plain, again = travelling(two_stages(*rules)), travelling(two_stages(*rules))
    for minute in range(60):
        for bench in (plain, again):
            bench.series("-140", start_ms=T0 + minute * MIN)
        again.add(Activated(two_stages(*rules), {"f": str(minute)}), T0 + minute * MIN)
    assert [one for _, one in again.said] == [one for _, one in plain.said]


def test_sources_that_keep_different_times_are_not_compared() -> None:
    """One sends its time and the other none: their readings lie on different axes."""
    apart = limit("apart", role="vapour~vapour-2", limit=3000, hold_ms=0)
    made = plan(apart, channels=(channel(), second(source="other")))
    made = replace(made, sources=(*made.sources, SourcePlan("other", "test", 2 * MIN)))
    bench = Bench(made)
    bench.add(Reading("log", "box.vapour", "-180", "degC", at_ms=T0))
    bench.add(Reading("other", "box.vapour2", "-100", "degC", stamp_ms=T0), T0)
    assert minutes(bench.said, Kind.RAISED, "apart") == []
