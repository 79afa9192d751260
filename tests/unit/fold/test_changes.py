"""What people change under way: probes moved, sources removed and put back, one product after another."""

from __future__ import annotations

from typing import Any

import pytest

from coldchain.announcements import Announcement, Kind
from coldchain.facts import (
    Acknowledged,
    Activated,
    AlarmClosed,
    Bound,
    ClockSet,
    ConsignmentEnded,
    ConsignmentStarted,
    ProcessStarted,
    Reading,
    StageEntered,
)
from coldchain.model import Origin
from coldchain.plan import AssetPlan, ChannelPlan, Plan, ProfilePlan, Rule, SourcePlan, StagePlan
from tests.unit.fold.bench import MIN, T0, Bench, channel, limit, plan

H = 60 * MIN


def hall(*rules: Rule, wire_sends_time: bool = True, **more: Any) -> Plan:
    """Probe "a" measures vessel A, which judges nothing; "b" (on a wire of its own) B; C has no probe."""
    probes: tuple[ChannelPlan, ...] = (
        channel("a", asset="A", **more),
        channel("b", asset="B", source="wire", **more),
    )
    return Plan(
        site="test",
        sources=(
            SourcePlan("log", "test", 2 * MIN, sends_time=True),
            SourcePlan("wire", "test", 2 * MIN, sends_time=wire_sends_time),
        ),
        channels=probes,
        assets=(
            AssetPlan("A", "dewar"),
            *(AssetPlan(name, "dewar", profile="test", stage="transport") for name in "BC"),
        ),
        profiles=(ProfilePlan("test", "1", True, (StagePlan("transport", rules),), "0" * 64),),
    )


def trip(*rules: Rule) -> Plan:
    """Vessel A judges by consignment alone; the stage "delivered" has no rules."""
    stages = (StagePlan("transport", rules), StagePlan("delivered", ()))
    return Plan(
        site="test",
        sources=(SourcePlan("log", "test", 2 * MIN, sends_time=True),),
        channels=(channel("a", asset="A"),),
        assets=(AssetPlan("A", "dry_shipper"),),
        profiles=(ProfilePlan("test", "1", True, stages, "0" * 64),),
    )


def feed(
    bench: Bench, name: str, minutes: range, raw: str, *, source: str = "log", start_ms: int = T0
) -> None:
    """One reading a minute, waking in between."""
    for minute in minutes:
        bench.run(start_ms + minute * MIN - 1)
        reading = Reading(source, name, raw, "degC", at_ms=T0 + minute * MIN)
        bench.add(reading, start_ms + minute * MIN)


def about(said: list[tuple[int, Announcement]], alarm: str) -> list[str]:
    """What was said of one alarm, kinds alone."""
    return [one.kind.value for _, one in said if one.alarm == alarm]


@pytest.mark.parametrize(
    ("vessel", "lived_before"), [("C", False), ("B", True)], ids=["never-measured", "dead-probe"]
)
def test_a_probe_bound_back_dated_is_judged_by_what_it_measured_since(
    vessel: str, lived_before: bool
) -> None:
    """A probe was assigned to the wrong vessel: what it measured is found late for the right one."""
    bench = Bench(hall(limit()))
    if lived_before:
        bench.add(Reading("wire", "b", "-170", "degC", at_ms=T0 + MIN), T0 + MIN)
    feed(bench, "a", range(2, 20), "-170")
    feed(bench, "a", range(20, 41), "-140")
    feed(bench, "a", range(41, 61), "-170")
    said = bench.add(Bound("a", vessel, "vapour", T0 + 5 * MIN, "qa", "wrong vessel"), T0 + 60 * MIN + 1)
    raised = [one for one in said if one.alarm == f"{vessel}/vapour/above"]
    assert [(one.kind, one.since_ms, one.due_ms, one.late) for one in raised] == [
        (Kind.RAISED, T0 + 20 * MIN, T0 + 30 * MIN, "found_late")
    ]
    assert bench.refold() == bench.said


def test_a_hold_that_runs_when_a_probe_is_bound_back_dated_needs_no_further_reading() -> None:
    """Its deadline is reckoned from the arrival of what the probe sent last, then it may die."""
    bench = Bench(hall(limit()))
    feed(bench, "a", range(2, 5), "-140")
    bench.add(Bound("a", "C", "vapour", T0 + MIN, "qa", "wrong vessel"), T0 + 5 * MIN)
    bench.run(T0 + 20 * MIN)
    assert [at for at, one in bench.said if one.alarm == "C/vapour/above"] == [T0 + 12 * MIN]


def test_a_probe_bound_twice_back_dated_measures_one_vessel_at_a_time() -> None:
    """The first binding ends where the back-dated one begins, also if it had ended later already."""
    bench = Bench(hall(limit(hold_ms=0)))
    bench.add(Bound("a", "C", "vapour", T0 + 10 * MIN, "qa", "moved"), T0 + 10 * MIN)
    bench.add(Bound("b", "C", "vapour", T0 + 20 * MIN, "qa", "moved"), T0 + 20 * MIN)
    bench.add(Bound("a", "B", "vapour", T0 + 15 * MIN, "qa", "was there before"), T0 + 30 * MIN)
    late = Reading("log", "a", "-140", "degC", at_ms=T0 + 16 * MIN, origin=Origin.BACKFILLED)
    said = bench.add(late, T0 + 31 * MIN)
    assert {one.subject for one in said if one.rule == "above"} == {"B/vapour"}


@pytest.mark.parametrize("to_wire", [True, False], ids=["to-a-source-without-time", "to-a-source-with-time"])
def test_a_probe_of_another_kind_takes_over_and_is_judged(to_wire: bool) -> None:
    """Journal time began at 0 on a gateway without a clock: the new probe's readings still alarm."""
    bench = Bench(hall(limit(), wire_sends_time=False), start_ms=0, clock=False)
    bench.add(ClockSet(T0, "became known"), 1000)
    for minute in range(1, 5):
        bench.add(Reading("log", "a", "-170", "degC", at_ms=T0 + minute * MIN), minute * MIN)
        bench.add(Reading("wire", "b", "-170", "degC"), minute * MIN)
    old, new = ("a", "b") if to_wire else ("b", "a")
    bench.add(Bound(old, "C", "vapour", T0 + 5 * MIN, "qa", "new vessel"), 5 * MIN)
    bench.add(Bound(new, "C", "vapour", T0 + 6 * MIN, "qa", "probe exchanged"), 6 * MIN)
    for minute in range(7, 40):
        bench.run(minute * MIN - 1)
        for source, probe in (("log", "a"), ("wire", "b")):
            raw, at_ms = ("-100" if probe == new else "-170"), (T0 + minute * MIN if probe == "a" else None)
            bench.add(Reading(source, probe, raw, "degC", at_ms=at_ms), minute * MIN)
    assert [at for at, one in bench.said if one.alarm == "C/vapour/above"] == [17 * MIN]
    assert bench.refold() == bench.said


@pytest.mark.parametrize("origin", [Origin.RETAINED, Origin.IMPORTED])
def test_old_data_is_no_word_from_a_silent_source(origin: Origin) -> None:
    """A retained message after a reconnect, or a file: the source's alarm stands."""
    bench = Bench(plan(channels=(channel(fresh_within_ms=10 * MIN),)))
    bench.add(Reading("log", "box.vapour", "-170", "degC", at_ms=T0 + MIN))
    bench.run(T0 + 30 * MIN)
    old = Reading("log", "box.vapour", "-171", "degC", at_ms=T0 + 2 * MIN, origin=origin)
    bench.add(old, T0 + 40 * MIN)
    bench.run(T0 + 90 * MIN)
    assert about(bench.said, "port:log") == ["raised"]


def test_the_alarm_of_a_removed_source_can_be_closed_and_the_source_watched_again() -> None:
    """Nothing can end it by evidence; put back and still dead, the source alarms anew."""
    active = plan(channels=(channel(fresh_within_ms=10 * MIN),))
    bench = Bench(active)
    bench.run(T0 + 20 * MIN)
    refused = bench.add(AlarmClosed("port:log", "me", "tired of it"), T0 + 21 * MIN)
    bench.add(Activated(Plan(site="test", assets=(AssetPlan("box", "dewar"),)), {}), T0 + 22 * MIN)
    closed = bench.add(AlarmClosed("port:log", "me", "logger retired"), T0 + 23 * MIN)
    bench.add(Activated(active, {}), T0 + 24 * MIN)
    bench.run(T0 + 60 * MIN)
    assert [one.kind for one in (*refused, *closed)] == [Kind.REFUSED, Kind.CLOSED]
    assert about(bench.said, "port:log") == ["raised", "refused", "closed", "raised"]


def test_a_silent_probe_put_to_another_vessel_is_silent_there_too() -> None:
    """The alarm of the vessel it left says nothing about the product in the new one."""
    bench = Bench(hall(fresh_within_ms=10 * MIN))
    for minute in range(1, 40):
        bench.add(Reading("log", "other", "1", "degC", at_ms=T0 + minute * MIN), T0 + minute * MIN)
        if minute == 15:
            bench.add(Bound("a", "C", "vapour", T0 + 15 * MIN, "qa", "moved"), T0 + 15 * MIN)
    assert about(bench.said, "A/vapour/silence") == ["raised"]
    assert about(bench.said, "C/vapour/silence") == ["raised"]


def test_a_typing_error_in_the_configuration_leaves_no_alarm_that_nothing_can_end() -> None:
    """A probe vanishes from the file and comes back: its alarms end with the first evidence, as ever."""
    active = plan(limit(hold_ms=0), channels=(channel(fresh_within_ms=10 * MIN),))
    active_too = plan(limit(hold_ms=0), channels=(channel("other", role="other"),))
    bench = Bench(active)
    bench.add(Reading("log", "box.vapour", "-140", "degC", at_ms=T0 + MIN))
    for minute in range(2, 20):  # the source lives, the probe does not
        bench.add(Reading("log", "other", "1", "degC", at_ms=T0 + minute * MIN), T0 + minute * MIN)
    bench.add(Activated(active_too, {}), T0 + 20 * MIN)
    bench.add(Activated(active, {}), T0 + 21 * MIN)
    bench.add(Reading("log", "box.vapour", "-140", "degC", at_ms=T0 + 22 * MIN))
    assert about(bench.said, "box/vapour/silence") == ["raised", "returned"]
    bench.add(Reading("log", "box.vapour", "-170", "degC", at_ms=T0 + 23 * MIN))
    assert bench.fold.desk.condition("box/vapour/above") is False
    assert bench.refold() == bench.said


def test_an_alarm_that_outlived_its_rule_ends_when_the_rule_is_back_with_evidence() -> None:
    """Delivered by mistake, in transit again, and cold: nobody is called every hour for ever."""
    bench = Bench(trip(limit(re_alarm_ms=H)))
    bench.add(ConsignmentStarted("C1", "A", "test", "transport", T0 + MIN), T0 + MIN)
    feed(bench, "a", range(2, 20), "-140")
    bench.add(StageEntered("C1", "delivered", T0 + 20 * MIN, "me"), T0 + 20 * MIN)
    feed(bench, "a", range(21, 30), "-170")
    assert bench.fold.desk.condition("A/vapour/above")  # nothing has ended it
    bench.add(StageEntered("C1", "transport", T0 + 30 * MIN, "me"), T0 + 30 * MIN)
    feed(bench, "a", range(31, 200), "-170")
    assert about(bench.said, "A/vapour/above") == ["raised", "excursion_ended", "returned"]


def test_the_next_product_in_a_warm_vessel_has_an_alarm_of_its_own() -> None:
    """What was acknowledged for one product is not acknowledged for the next; each has its excursion."""
    bench = Bench(trip(limit()))
    bench.add(ConsignmentStarted("C1", "A", "test", "transport", T0 + MIN), T0 + MIN)
    feed(bench, "a", range(2, 20), "-140")
    bench.add(Acknowledged("A/vapour/above", (1,), "me"), T0 + 20 * MIN)
    bench.add(ConsignmentEnded("C1", "returned", T0 + 21 * MIN, "me"), T0 + 21 * MIN)
    bench.add(ConsignmentStarted("C2", "A", "test", "transport", T0 + 21 * MIN), T0 + 21 * MIN)
    feed(bench, "a", range(22, 40), "-140")
    raised = [one.due_ms for _, one in bench.said if one.kind is Kind.RAISED]
    assert raised == [T0 + 12 * MIN, T0 + 31 * MIN]
    found = [(e.segment.scope, e.interval.start_ms) for e in bench.fold.places["A/vapour"].ledger.all()]
    assert found == [("C1", T0 + 2 * MIN), ("C2", T0 + 21 * MIN)]


def test_a_reload_while_the_clock_is_not_known_changes_nothing_that_was() -> None:
    """After a restart without a clock a widened limit holds from now on: yesterday's excursion stands."""
    bench = Bench(trip(limit()), start_ms=0, clock=False)
    bench.add(ClockSet(T0, "became known"), 1000)
    bench.add(ConsignmentStarted("C1", "A", "test", "transport", T0 + MIN), MIN)
    feed(bench, "a", range(2, 20), "-140", start_ms=0)
    feed(bench, "a", range(20, 30), "-170", start_ms=0)
    bench.add(ProcessStarted("boot2", None, None), 31 * MIN)
    bench.add(ClockSet(None, "unknown"), 31 * MIN)
    said = bench.add(Activated(trip(limit(value=-120)), {}), 32 * MIN)
    assert said == []
    assert [e.interval.triggered_ms for e in bench.fold.places["A/vapour"].ledger.all()] == [T0 + 12 * MIN]


def test_a_delivery_from_a_fast_clock_that_begins_before_the_time_line_is_judged_where_it_counts() -> None:
    """Its readings move back beyond the activation; those since then count all the same."""
    bench = Bench(plan(limit(hold_ms=14 * MIN + 30_000)))
    arrival = T0 + 15 * MIN
    for i in range(21):
        reading = Reading("log", "box.vapour", "-140", "degC", at_ms=T0 + 3 * H + i * MIN, sequence=i)
        bench.add(reading, arrival + i)
    assert [one.rule for _, one in bench.said if one.kind is Kind.RAISED] == ["clock", "above"]
