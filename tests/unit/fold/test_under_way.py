"""Changes under way: plans, bindings, products and calibrations that begin while something is going on."""

from __future__ import annotations

from msgspec.structs import replace

from coldchain.announcements import Kind
from coldchain.facts import (
    Activated,
    AlarmClosed,
    Bound,
    ConsignmentEnded,
    ConsignmentStarted,
    Fact,
    Reading,
    StageEntered,
    Unbound,
)
from coldchain.model import Priority
from coldchain.plan import AssetPlan, CalibrationPoint, Plan, ProfilePlan, Rule, SourcePlan, StagePlan
from tests.unit.fold.bench import MIN, T0, Bench, budget, channel, limit, plan

H = 60 * MIN


def reading(minute: float, raw: str, name: str = "box.vapour", source: str = "log") -> Reading:
    """A reading at a minute."""
    return Reading(source, name, raw, "degC", at_ms=T0 + round(minute * MIN))


def intervals(bench: Bench, rule: str) -> list[tuple[int, int | None, int | None, str]]:
    """Start, trigger and end (minutes) of a rule's excursions, and why they ended."""

    def minutes(at_ms: int | None) -> int | None:
        return None if at_ms is None else (at_ms - T0) // MIN

    place = bench.fold.places["box/vapour"]
    return [
        (minutes(i.start_ms) or 0, minutes(i.triggered_ms), minutes(i.end_ms), i.why_ended)
        for e in place.ledger.all()
        if e.rule.id == rule
        for i in [place.standing(e)]
    ]


def two_probes() -> Plan:
    """Two probes on two loggers; only the first is in the box."""
    here = plan(limit(), channels=(channel(), channel("spare", source="other", asset="shelf", role="air")))
    return replace(
        here,
        sources=(*here.sources, SourcePlan("other", "test", 2 * MIN, sends_time=True)),
        assets=(*here.assets, AssetPlan("shelf", "shelf")),
    )


def staged(*stages: tuple[str, tuple[Rule, ...]], **more: object) -> Plan:
    """One box whose profile has these stages; at home it is judged by nothing."""
    words = {
        "profiles": (ProfilePlan("msc", "1", True, tuple(StagePlan(n, r) for n, r in stages), "0" * 64),),
        "assets": (AssetPlan("box", "dry_shipper"),),
    }
    return replace(plan(), **(words | more))


# Words and numbers of a rule


def test_words_of_a_limit_may_change_during_a_hold() -> None:
    """A reload that changes advice, title, citation or priority closes no excursion and moves no deadline."""
    bench = Bench(plan(limit(advice="call somebody")))
    bench.add(reading(0, "-149"))
    bench.add(Activated(plan(limit(advice="call the bank", priority=Priority.HIGH)), {}), T0 + 5 * MIN)
    bench.run(T0 + 20 * MIN)
    assert bench.told() == ["raised above since 0 due 10"]
    assert bench.said[-1][1].priority is Priority.HIGH


def test_a_changed_priority_reaches_an_alarm_that_is_raised_already() -> None:
    """The alarm takes the new priority when the new plan comes into force, not at the next plan."""
    bench = Bench(plan(limit(hold_ms=0, priority=Priority.HIGH)))
    bench.add(reading(0, "-149"))
    bench.add(Activated(plan(limit(hold_ms=0, priority=Priority.CRITICAL)), {}), T0 + MIN)
    bench.add(reading(2, "-149"))
    assert bench.fold.desk.alarms["box/vapour/above"].priority is Priority.CRITICAL


# Probes


def test_another_probe_does_not_move_this_places_time() -> None:
    """A probe that has left the box reads on elsewhere, its clock ahead: the box's holds run as before."""
    bench = Bench(two_probes())
    bench.add(Bound("spare", "box", "vapour", T0 + MIN), T0 + MIN)
    bench.add(Bound("box.vapour", "shelf", "air", T0 + MIN), T0 + MIN)
    bench.add(reading(2, "-149", "spare", "other"))
    bench.add(reading(13, "-20"), T0 + 4 * MIN)  # ten minutes ahead, within its source's tolerance or not
    bench.add(reading(5, "-160", "spare", "other"))
    bench.run(T0 + 30 * MIN)
    assert [a for _, a in bench.said if a.rule == "above"] == []


def test_a_hold_survives_the_change_of_a_probe() -> None:
    """Unmonitored time ends no hold: a probe is taken out at minute 8 and another put in at minute 12."""
    bench = Bench(two_probes())
    bench.add(reading(0, "-149"))
    bench.add(reading(7, "-149"))
    bench.add(Unbound("box.vapour", T0 + 8 * MIN), T0 + 8 * MIN)
    bench.run(T0 + 11 * MIN)
    assert bench.told(Kind.RAISED) == ["raised above since 0 due 10"]
    bench.add(Bound("spare", "box", "vapour", T0 + 12 * MIN), T0 + 12 * MIN)
    bench.add(reading(13, "-160", "spare", "other"))
    assert intervals(bench, "above") == [(0, 10, 13, "")]


def test_time_with_no_probe_is_counted_once_as_unmonitored() -> None:
    """Outside and unmonitored time of an excursion over a change of probes add up to its length."""
    bench = Bench(two_probes())
    bench.add(reading(0, "-149"))
    bench.add(reading(7, "-149"))
    bench.add(Bound("spare", "box", "vapour", T0 + 8 * MIN), T0 + 8 * MIN)
    bench.add(reading(13, "-149", "spare", "other"))
    bench.add(reading(20, "-160", "spare", "other"))
    (one,) = (e.interval for e in bench.fold.places["box/vapour"].ledger.all())
    assert (one.outside_ms, one.unmonitored_ms) == (15 * MIN, 5 * MIN)
    meter = bench.fold.places["box/vapour"].track.meter
    assert meter.good_ms == 15 * MIN


def test_a_probe_measures_one_place_at_a_time_however_it_is_back_dated() -> None:
    """A back-dated binding takes the probe out of every place that it would be in from then on."""
    bench = Bench(two_probes())
    bench.add(Bound("box.vapour", "shelf", "air", T0 + 100 * MIN), T0 + 100 * MIN)
    bench.add(Bound("box.vapour", "shelf", "floor", T0 + 50 * MIN, why="noted late"), T0 + 110 * MIN)
    measured = [
        name
        for name, place in bench.fold.places.items()
        for i, segment in enumerate(place.track.line)
        if segment.channel is not None
        and segment.channel.id == "box.vapour"
        and segment.from_ms <= T0 + 70 * MIN
        and (i + 1 == len(place.track.line) or place.track.line[i + 1].from_ms > T0 + 70 * MIN)
    ]
    assert measured == ["shelf/floor"]


# Products


def test_an_excursion_belongs_to_one_product() -> None:
    """A warm box is emptied and packed anew: the excursion ends, the next product's own hold begins."""
    bench = Bench(staged(("transport", (limit(), budget(allowance_min=60)))))
    bench.add(ConsignmentStarted("C-1", "box", "msc", "transport", T0), T0)
    for minute in range(0, 24, 4):
        bench.add(reading(minute, "-149"))
    bench.add(ConsignmentEnded("C-1", "delivered", T0 + 21 * MIN), T0 + 21 * MIN)
    bench.add(ConsignmentStarted("C-2", "box", "msc", "transport", T0 + 22 * MIN), T0 + 22 * MIN)
    for minute in range(24, 40, 4):
        bench.add(reading(minute, "-149"))
    assert intervals(bench, "above") == [(0, 10, 21, "product_changed"), (22, 32, None, "")]
    assert intervals(bench, "budget") == [(0, None, 21, "product_changed"), (22, None, None, "")]
    assert [
        e.interval.outside_ms for e in bench.fold.places["box/vapour"].ledger.closed if e.rule.id == "budget"
    ] == [21 * MIN]
    assert bench.refold() == bench.said


def test_a_change_of_product_ends_an_alarm_that_waits_for_its_off_delay() -> None:
    """The excursion is over, its off-delay is not, the product leaves: the alarm does not hang for ever."""
    bench = Bench(staged(("transport", (limit(hold_ms=0, off_delay_ms=30 * MIN),))))
    bench.add(ConsignmentStarted("C-1", "box", "msc", "transport", T0), T0)
    bench.add(reading(0, "-149"))
    bench.add(reading(1, "-160"))
    bench.add(ConsignmentEnded("C-1", "delivered", T0 + 5 * MIN), T0 + 5 * MIN)
    bench.add(reading(6, "-160"))
    assert not bench.fold.desk.condition("box/vapour/above")


def test_a_rule_that_comes_back_returns_its_alarm_by_evidence() -> None:
    """A stage without the rule lies between: its alarm stays, and goes when a reading shows it is over."""
    bench = Bench(staged(("transit", (limit(hold_ms=0),)), ("hub", ())))
    bench.add(ConsignmentStarted("C-1", "box", "msc", "transit", T0), T0)
    bench.add(reading(0, "-149"))
    bench.add(StageEntered("C-1", "hub", T0 + 5 * MIN), T0 + 5 * MIN)
    bench.add(reading(6, "-149"))
    assert bench.fold.desk.condition("box/vapour/above")
    bench.add(StageEntered("C-1", "transit", T0 + 10 * MIN), T0 + 10 * MIN)
    bench.run(T0 + 11 * MIN)
    bench.add(reading(12, "-160"))
    assert not bench.fold.desk.condition("box/vapour/above")
    assert bench.refold() == bench.said


def test_a_budget_goes_on_when_its_stage_comes_back() -> None:
    """What a product has spent in one leg counts in its next leg under the same budget."""
    bench = Bench(staged(("transit", (budget(allowance_min=10),)), ("hub", ())))
    bench.add(ConsignmentStarted("C-1", "box", "msc", "transit", T0), T0)
    bench.add(reading(0, "-149"))
    bench.add(reading(6, "-160"))
    bench.add(StageEntered("C-1", "hub", T0 + 7 * MIN), T0 + 7 * MIN)
    bench.add(reading(8, "-160"))
    bench.add(StageEntered("C-1", "transit", T0 + 10 * MIN), T0 + 10 * MIN)
    bench.add(reading(11, "-149"))
    bench.run(T0 + 30 * MIN)
    assert [(at - T0) for at, a in bench.said if a.kind is Kind.RAISED] == [15 * MIN + 1]


def test_a_profile_under_way_outlives_its_file() -> None:
    """A reload without the profile of a product in transit leaves the product judged as before."""
    with_profile = staged(("transport", (limit(),)))
    bench = Bench(with_profile)
    bench.add(ConsignmentStarted("C-1", "box", "msc", "transport", T0), T0)
    bench.add(reading(0, "-160"))
    bench.add(Activated(replace(with_profile, profiles=()), {}), T0 + MIN)
    bench.add(reading(2, "-149"))
    bench.run(T0 + 20 * MIN)
    assert bench.told() == ["raised above since 2 due 12"]


def test_a_consignment_may_not_begin_within_another() -> None:
    """Back-dated into the time of another product in the same box: refused aloud, not judged twice."""
    bench = Bench(staged(("transport", (limit(),))))
    bench.add(ConsignmentStarted("C-1", "box", "msc", "transport", T0), T0)
    bench.add(ConsignmentEnded("C-1", "delivered", T0 + 40 * MIN), T0 + 40 * MIN)
    said = bench.add(
        ConsignmentStarted("C-2", "box", "msc", "transport", T0 + 30 * MIN, why="late"), T0 + 41 * MIN
    )
    assert [a.kind for a in said] == [Kind.REFUSED]


def test_a_stage_may_be_entered_late_for_a_consignment_that_is_over() -> None:
    """What was forgotten may be written down after delivery; what it uncovers is found late."""
    stages = (("transit", (limit(hold_ms=0),)), ("hub", (limit(value=-180, hold_ms=0),)))
    bench = Bench(staged(*stages))
    bench.add(ConsignmentStarted("C-1", "box", "msc", "transit", T0), T0)
    for minute in range(0, 60, 5):
        bench.add(reading(minute, "-160"))
    bench.add(ConsignmentEnded("C-1", "delivered", T0 + 50 * MIN), T0 + 58 * MIN)
    bench.add(StageEntered("C-1", "hub", T0 + 20 * MIN, why="forgotten"), T0 + 70 * MIN)
    assert bench.told(Kind.RAISED) == ["raised above since 20 due 20 end 50 found_late"]


def test_stages_told_live_or_before_any_reading_end_in_one_truth() -> None:
    """A shipment's stages, entered as they happen or all before its readings: the same excursions."""
    stages = (("transit", (limit(), budget())), ("hub", (limit(value=-155), budget())))
    lane: list[tuple[int, Fact]] = [
        (0, ConsignmentStarted("C-1", "box", "msc", "transit", T0)),
        (20, StageEntered("C-1", "hub", T0 + 20 * MIN)),
        (45, StageEntered("C-1", "transit", T0 + 45 * MIN)),
        (70, ConsignmentEnded("C-1", "delivered", T0 + 70 * MIN)),
    ]
    values = ["-160"] * 5 + ["-153"] * 30 + ["-149"] * 20 + ["-160"] * 30
    live, told_before = Bench(staged(*stages)), Bench(staged(*stages))
    for minute, raw in enumerate(values):
        for at, fact in lane:
            if at == minute:
                live.add(fact, T0 + at * MIN)
        live.add(reading(minute, raw))
    for _, fact in lane:
        told_before.add(fact, T0 + 90 * MIN)
    for minute, raw in enumerate(values):
        told_before.add(reading(minute, raw), T0 + 90 * MIN)
    assert intervals(live, "above") == intervals(told_before, "above")
    assert intervals(live, "budget") == intervals(told_before, "budget") != []
    assert intervals(live, "above") == [(20, 30, 45, "limits_changed"), (45, 45, 55, "")]


# Calibration, validity, unit


def test_a_reading_is_judged_by_the_calibration_of_its_own_time() -> None:
    """A calibration that came into force in the past is applied to what was measured since."""
    bench = Bench(plan(limit(hold_ms=0)))
    for minute in range(10):
        bench.add(reading(minute, "-151"))
    corrected = channel(calibration=(CalibrationPoint(-150_000, 2_000),))
    bench.add(
        Activated(plan(limit(hold_ms=0), channels=(corrected,)), {}, at_ms=T0 + 4 * MIN, why="certificate"),
        T0 + 10 * MIN,
    )
    assert intervals(bench, "above") == [(4, 4, None, "")]
    history = bench.fold.channels.histories["box.vapour"]
    assert list(history.value) == [-151_000] * 4 + [-149_000] * 6
    assert bench.fold.channels.now["box.vapour"].value == -149_000


def test_an_older_reading_keeps_the_calibration_of_its_own_time() -> None:
    """A reading that comes late is judged as it would have been then, not by today's certificate."""
    bench = Bench(plan(limit(hold_ms=0)))
    bench.add(reading(0, "-151"))
    corrected = channel(calibration=(CalibrationPoint(-150_000, 2_000),))
    bench.add(Activated(plan(limit(hold_ms=0), channels=(corrected,)), {}), T0 + 10 * MIN)
    bench.add(reading(11, "-153"))
    bench.add(reading(5, "-151"), T0 + 12 * MIN)
    assert intervals(bench, "above") == []


def test_a_validity_window_corrected_backwards_takes_effect_backwards() -> None:
    """A probe was thought to be valid to 60 °C: 25 °C since minute 3 was its broken wire, not the product."""
    bench = Bench(plan(limit(hold_ms=0)))
    for minute, raw in enumerate(["-160", "-160", "-160", "25", "25"]):
        bench.add(reading(minute, raw))
    narrow = channel(valid_high=20_000)
    said = bench.add(
        Activated(plan(limit(hold_ms=0), channels=(narrow,)), {}, at_ms=T0 + MIN, why="data sheet"),
        T0 + 5 * MIN,
    )
    assert intervals(bench, "above") == []
    assert [a.kind for a in said if a.rule == "above"] == [Kind.NOT_CONFIRMED, Kind.RETURNED]


def test_a_unit_corrected_backwards_is_applied_to_the_text_as_sent() -> None:
    """The device sends no unit; the configuration said °C and it was °F: converted anew, exactly."""
    bench = Bench(plan(limit(hold_ms=0, value=-150), channels=(channel(unit="degC"),)))
    bench.add(Reading("log", "box.vapour", "-240.5", "", at_ms=T0 + MIN))
    bench.add(
        Activated(plan(limit(hold_ms=0), channels=(channel(unit="degF"),)), {}, at_ms=T0, why="unit"),
        T0 + 2 * MIN,
    )
    assert list(bench.fold.channels.histories["box.vapour"].value) == [-151_389]


def test_max_gap_counts_as_it_was_in_force() -> None:
    """A change of max_gap does not rewrite how long the readings before it counted."""
    wide, narrow = channel(max_gap_ms=30 * MIN), channel(max_gap_ms=2 * MIN)
    bench = Bench(plan(budget(allowance_min=600), channels=(wide,)))
    bench.add(reading(0, "-149"))
    bench.add(Activated(plan(budget(allowance_min=600), channels=(narrow,)), {}), T0 + 20 * MIN)
    bench.add(reading(25, "-149"))
    bench.add(reading(40, "-160"))
    (spent,) = (e for e in bench.fold.places["box/vapour"].ledger.all())
    assert bench.fold.places["box/vapour"].standing(spent).outside_ms == 22 * MIN


# Budgets under changed allowances


def test_a_raised_allowance_lets_a_budget_return() -> None:
    """What is spent stays spent; measured against the new allowance it is not exceeded any more."""
    bench = Bench(plan(budget(allowance_min=5, latched=False)))
    bench.add(reading(0, "-149"))
    bench.run(T0 + 8 * MIN)
    bench.add(reading(8, "-160"))
    assert bench.fold.desk.condition("box/vapour/budget")
    bench.add(Activated(plan(budget(allowance_min=20, latched=False)), {}), T0 + 9 * MIN)
    bench.add(reading(10, "-160"))
    assert not bench.fold.desk.condition("box/vapour/budget")
    bench.add(reading(11, "-149"))
    bench.run(T0 + 60 * MIN)
    raised = [(at - T0) for at, a in bench.said if a.kind is Kind.RAISED]
    assert raised == [5 * MIN + 1, 23 * MIN + 1]


# Alarms of what is gone


def test_a_closed_alarm_comes_back_when_its_probe_does() -> None:
    """Closed while the probe was dead; the probe speaks again and is still outside: somebody is called."""
    bench = Bench(plan(limit(hold_ms=0), channels=(channel(fresh_within_ms=5 * MIN),)))
    bench.add(reading(0, "-149"))
    bench.run(T0 + 10 * MIN)
    said = bench.add(AlarmClosed("box/vapour/above", "a", "probe broken"), T0 + 11 * MIN)
    assert [a.kind for a in said] == [Kind.CLOSED]
    bench.add(reading(20, "-148"))
    assert bench.fold.desk.condition("box/vapour/above")
    assert bench.refold() == bench.said


def test_the_alarm_of_a_removed_source_can_be_closed() -> None:
    """A dead gateway leaves the configuration: its alarm stays, and a person may close it."""
    bench = Bench(two_probes())
    for minute in range(0, 121, 10):
        bench.run(T0 + minute * MIN)
        bench.add(reading(minute, "-160", "spare", "other"))
    assert bench.fold.desk.condition("port:log")
    bench.add(Activated(Plan("test"), {}), T0 + 2 * H + MIN)
    said = bench.add(AlarmClosed("port:log", "a", "taken away"), T0 + 2 * H + 2 * MIN)
    assert [a.kind for a in said] == [Kind.CLOSED]


def test_a_silent_probe_moved_to_another_box_is_silent_there() -> None:
    """The alarm of the old place stays until closed; the new place gets its own in its time."""
    bench = Bench(two_probes())
    bench.add(reading(0, "-160", "spare", "other"))
    for minute in range(0, 240, 5):
        bench.run(T0 + minute * MIN - 1)
        bench.add(reading(minute, "-160"))
    assert bench.fold.desk.condition("port:other") or bench.fold.desk.condition("shelf/air/silence")
    bench.add(Bound("spare", "box", "liquid", T0 + 240 * MIN), T0 + 240 * MIN)
    for minute in range(240, 400, 5):
        bench.run(T0 + minute * MIN - 1)
        bench.add(reading(minute, "-160"))
        bench.add(reading(minute, "", "nobody", "other"))
    assert bench.fold.desk.condition("box/liquid/silence") or bench.fold.desk.condition("port:other")


def test_a_new_probe_ends_the_silence_of_its_place() -> None:
    """The silent probe is replaced: the place is heard again, its alarm returns."""
    bench = Bench(two_probes())
    bench.add(reading(0, "-160"))
    for minute in range(1, 70):
        bench.add(Reading("log", "unknown", "1", "degC", at_ms=T0 + minute * MIN), T0 + minute * MIN)
    bench.run(T0 + 70 * MIN)
    assert bench.fold.desk.condition("box/vapour/silence")
    bench.add(Bound("spare", "box", "vapour", T0 + 71 * MIN), T0 + 71 * MIN)
    bench.add(reading(72, "-160", "spare", "other"))
    assert not bench.fold.desk.condition("box/vapour/silence")
