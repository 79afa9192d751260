"""Budgets are given back what a resolved excursion took, and it is taken again; nothing else changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.announcements import Announcement, Kind
from coldchain.facts import (
    Activated,
    ConsignmentStarted,
    EngineStarted,
    ExcursionReopened,
    ExcursionResolved,
    Reading,
    StageEntered,
)
from coldchain.fold import Fold
from coldchain.fold.place import Place
from coldchain.model import Side
from coldchain.pipeline.states import freeze, thaw
from coldchain.plan import AssetPlan, Crossing, Fires, Outside, Per, Plan, ProfilePlan, Rule, StagePlan
from coldchain.rules.judging import Interval
from tests.unit.fold.bench import MIN, T0, Bench, budget, channel, limit, plan

EVENT = limit("event", hold_ms=0)
SUM = budget("sum", allowance_min=10, fires=Fires.ON_READING)
DUE = budget("sum", allowance_min=10)
param = pytest.param


def bench_of(given: str, *rules: Rule, **source: Any) -> Bench:
    """A box judged by a single event at once and by a budget."""
    bench = Bench(plan(*(rules or (EVENT, SUM)), **source))
    bench.series(given)
    return bench


def resolve(
    bench: Bench, number: int = 1, from_min: int = 1, to_min: int = 6, comment: str = "harmless"
) -> list[Announcement]:
    """Somebody resolves an excursion of the single event, by the ends they saw."""
    span = (T0 + from_min * MIN, T0 + to_min * MIN)
    return bench.add(ExcursionResolved(f"box/vapour/event#{number}", *span, "wang", comment))


def reopen(bench: Bench, number: int = 1) -> list[Announcement]:
    """Somebody takes that back."""
    return bench.add(ExcursionReopened(f"box/vapour/event#{number}", "li", "not so harmless"))


def place(bench: Bench) -> Place:
    """The place."""
    return bench.fold.places["box/vapour"]


def intervals(bench: Bench) -> list[Interval]:
    """Every excursion as it stands now."""
    here = place(bench)
    return sorted((here.standing(each) for each in here.ledger.all()), key=str)


def spent(bench: Bench, rule: Rule = SUM) -> float:
    """What is spent of the budget, in minutes."""
    return place(bench).track.spent_ms(rule) / MIN  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "rule", [SUM, DUE, budget("sum", charge_unmonitored=True)], ids=["reading", "due", "charged"]
)
def test_given_back_and_taken_again(rule: Rule) -> None:
    """The sum goes down by what the excursion took, and up again when the word is taken back."""
    bench = bench_of("-160 -149x5 -160x3 -149x3 -160", EVENT, rule)
    assert spent(bench) == 8
    (said,) = resolve(bench)
    assert spent(bench) == 3
    assert said.detail == {"spent.sum": f"{8 * MIN} {3 * MIN}"}
    assert (said.kind, said.excursion, said.actor) == (Kind.EXCURSION_RESOLVED, "box/vapour/event#1", "wang")
    (said,) = reopen(bench)
    assert spent(bench) == 8
    assert (said.kind, said.detail) == (Kind.EXCURSION_REOPENED, {"spent.sum": f"{3 * MIN} {8 * MIN}"})
    assert bench.refold() == bench.said


def test_an_exceeded_budget_is_within_it_again() -> None:
    """What was announced of the budget is called not confirmed, with the reason; taken again, raised."""
    bench = bench_of("-160 -149x6 -160x3 -149x6 -160")
    before = len(bench.said)
    resolve(bench, to_min=7)
    assert bench.told()[before:] == [
        "excursion_resolved event since 1 end 7",
        "not_confirmed sum since 10",
        "returned sum end 16",
    ]
    assert bench.said[before + 1][1].detail["why"] == "given_back"
    before = len(bench.said)
    reopen(bench)
    assert bench.told()[before:] == [
        "excursion_reopened event since 1 end 7",
        "raised sum since 1 due 15 found_late",
    ]
    assert bench.refold() == bench.said


@pytest.mark.parametrize("rule", [DUE, budget("sum", charge_unmonitored=True)])
def test_no_deadline_passes_within_what_was_given_back(rule: Rule) -> None:
    """A budget that time alone exceeded is not exceeded by time that does not count."""
    bench = bench_of("-160 -149x15 -160x3", EVENT, rule)
    assert place(bench).track.active() == {"sum"}
    resolve(bench, to_min=16)
    assert place(bench).track.active() == set()
    assert spent(bench) == 0
    bench.series("-149x9 -160", start_ms=T0 + 19 * MIN)
    assert place(bench).track.active() == set()
    bench.series("-149x3 -160", start_ms=T0 + 29 * MIN)
    assert place(bench).track.active() == {"sum"}
    assert bench.refold() == bench.said


def test_a_deadline_waits_for_the_end_of_what_was_given_back() -> None:
    """Within one long step: time given back does not bring the deadline nearer, the time after it does."""
    bench = bench_of("-160 -149 _x19 -149 -160", EVENT, DUE)
    assert [said.due_ms for _, said in bench.said if said.rule == "sum"][:1] == [T0 + 11 * MIN + 1]
    resolve(bench, from_min=1, to_min=9)
    (sum_now,) = [each for each in place(bench).ledger.all() if each.rule.id == "sum"]
    assert sum_now.interval.start_ms == T0 + 9 * MIN
    assert sum_now.interval.triggered_ms == T0 + 19 * MIN + 1
    assert spent(bench) == 13
    assert bench.refold() == bench.said


def test_a_budget_s_interval_begins_after_what_was_given_back() -> None:
    """Also where a reading long after is what charges it."""
    bench = bench_of("-160 -149 _x19 -149 -160", EVENT, SUM)
    resolve(bench, from_min=1, to_min=9)
    (sum_now,) = [each for each in place(bench).ledger.all() if each.rule.id == "sum"]
    assert sum_now.interval.start_ms == T0 + 9 * MIN
    assert spent(bench) == 13


def test_unmonitored_time_is_given_back_where_it_was_charged() -> None:
    """A dead probe within the excursion was charged and is not any more; beyond its end it still is."""
    charged = budget("sum", allowance_min=60, charge_unmonitored=True, fires=Fires.ON_READING)
    bench = bench_of("-160 -149x3 bad _x5 -149 -160 bad -160", EVENT, charged)
    assert spent(bench) == 11
    resolve(bench, from_min=1, to_min=11)
    assert spent(bench) == 1


def test_the_excursion_itself_stays() -> None:
    """Its interval, its alarm and its announcements are untouched: only the budget is."""
    bench = bench_of("-160 -149x5 -160x3")
    was = place(bench).ledger.all()[0].interval
    resolve(bench)
    found = [each for each in place(bench).ledger.all() if each.rule.id == "event"]
    assert [each.interval for each in found] == [was]
    assert "event" not in {said.rule for _, said in bench.said if said.kind is Kind.NOT_CONFIRMED}


def test_readings_go_on_after_it() -> None:
    """What is spent afterwards counts, and the budget is exceeded by it at its time."""
    bench = bench_of("-160 -149x5 -160x3", EVENT, DUE)
    resolve(bench)
    bench.series("-149x20", start_ms=T0 + 9 * MIN)
    due = T0 + 19 * MIN + 1  # exceeded when it is more than 10 min
    assert [said.due_ms for _, said in bench.said if said.kind is Kind.RAISED and said.rule == "sum"] == [due]
    assert bench.refold() == bench.said


def test_a_late_reading_gets_no_more_than_was_seen() -> None:
    """What a late reading adds to the excursion afterwards nobody has looked at: it is charged."""
    bench = bench_of("-160 -149x5 -160x3")
    resolve(bench)
    assert spent(bench) == 0
    bench.series("-149", start_ms=T0 + 6 * MIN, delay_ms=10 * MIN)  # it was outside for one minute more
    assert spent(bench) == 1
    assert bench.refold() == bench.said


@pytest.mark.parametrize(
    ("given", "ask", "why"),
    [
        param("-160 -149x5", {}, "excursion_lasts", id="it lasts"),
        param(
            "-160 -149x5 -160",
            {"number": 7},
            "unknown_excursion",
            id="no such excursion, none there",
        ),
        param("-160x9", {}, "unknown_excursion", id="nothing was outside"),
        param("-160 -149x5 -160", {"comment": " "}, "no_reason", id="no reason"),
        param("-160 -149x5 -160", {"from_min": 6, "to_min": 6}, "no_span", id="no span"),
    ],
)
def test_what_is_refused(given: str, ask: dict[str, Any], why: str) -> None:
    """Nothing changes, and the person is told why not."""
    bench = bench_of(given)
    if why == "unknown_excursion" and "number" in ask:
        ask = {**ask, "from_min": 100, "to_min": 101}
    was = spent(bench)
    (said,) = resolve(bench, **ask)
    assert (said.kind, said.text) == (Kind.REFUSED, why)
    assert spent(bench) == was


def test_twice_and_not_at_all() -> None:
    """Resolved once is resolved; what is not resolved cannot be reopened; a budget is no single event."""
    bench = bench_of("-160 -149x5 -160x3")
    (said,) = reopen(bench)
    assert said.text == "not_resolved"
    resolve(bench)
    (said,) = resolve(bench)
    assert said.text == "already_resolved"
    reopen(bench)
    (said,) = reopen(bench)
    assert said.text == "not_resolved"
    (said,) = bench.add(ExcursionResolved("box/vapour/sum#1", T0 + MIN, T0 + 6 * MIN, "wang", "x"))
    assert said.text == "is_a_sum"
    (said,) = bench.add(ExcursionReopened("nowhere/vapour/event#1", "wang", "x"))
    assert said.text == "unknown_excursion"


def lane_plan() -> Plan:
    """Two stages that share a budget of the product; the second has one of its own besides."""
    made = plan(EVENT, SUM)
    own = budget("own", allowance_min=10, per=Per.STAGE, fires=Fires.ON_READING)
    stages = (StagePlan("transport", (EVENT, SUM)), StagePlan("storage", (EVENT, SUM, own)))
    return Plan(
        "test",
        made.sources,
        made.channels,
        (AssetPlan("box", "dry_shipper"),),
        (ProfilePlan("test", "1", True, stages, "0" * 64),),
    )


def test_a_budget_shared_by_stages() -> None:
    """An excursion of one stage is given back to the budget that all stages share, and to no other."""
    bench = Bench(lane_plan())
    bench.add(ConsignmentStarted("C-1", "box", "test", "transport", T0))
    bench.series("-160 -149x5 -160x4")
    bench.add(StageEntered("C-1", "storage", T0 + 10 * MIN), T0 + 10 * MIN)
    bench.series("-160 -149x3 -160x2", start_ms=T0 + 10 * MIN)
    own = budget("own", per=Per.STAGE)
    assert (spent(bench), spent(bench, own)) == (8, 3)
    resolve(bench)
    assert (spent(bench), spent(bench, own)) == (3, 3)
    resolve(bench, number=2, from_min=11, to_min=14)
    assert (spent(bench), spent(bench, own)) == (0, 0)
    reopen(bench)
    assert (spent(bench), spent(bench, own)) == (5, 0)
    assert bench.refold() == bench.said


def test_an_allowance_of_nothing_that_is_reached_at_once() -> None:
    """A budget that a first instant outside exceeds is not exceeded by one that was given back."""
    strict = budget("sum", allowance_min=0, exceeded=Outside.AT_OR_BEYOND, fires=Fires.ON_READING)
    bench = bench_of("-160 -149x5 -160x3", EVENT, strict)
    assert place(bench).track.active() == {"sum"}
    resolve(bench)
    assert place(bench).track.active() == set()


def test_crossings_between_readings() -> None:
    """Interpolated, the span begins between two readings; what lies before it is charged."""
    event = limit("event", hold_ms=0, crossing=Crossing.LINEAR)
    linear = budget("sum", allowance_min=10, crossing=Crossing.LINEAR, fires=Fires.ON_READING)
    bench = bench_of("-160 -140 -140 -160 -160", event, linear)
    interval = place(bench).ledger.all()[0].interval
    assert interval.end_ms is not None
    assert spent(bench) == 2
    bench.add(ExcursionResolved("box/vapour/event#1", interval.start_ms, interval.end_ms, "wang", "x"))
    assert spent(bench) == 0
    reopen(bench)
    bench.add(ExcursionResolved("box/vapour/event#1", interval.start_ms + MIN, interval.end_ms, "wang", "x"))
    assert spent(bench) == 1


def test_another_engine_keeps_the_word() -> None:
    """After an upgrade what was given back stays given back."""
    bench = bench_of("-160 -149x6 -160x3 -149x6 -160")
    resolve(bench, to_min=7)
    fold = Fold()
    for position, (arrival_ms, fact) in enumerate(bench.facts, 1):
        fold.apply(position, arrival_ms, fact)
    fold.adopt(bench.said)
    said = fold.apply(len(bench.facts) + 1, bench.fold.arrival_ms, EngineStarted("e2", "test"))
    assert said == []
    assert fold.places["box/vapour"].track.spent_ms(SUM) == 6 * MIN


def test_a_new_configuration_keeps_the_word() -> None:
    """A reload with another allowance judges what is left against it."""
    bench = bench_of("-160 -149x6 -160x3 -149x6 -160")
    resolve(bench, to_min=7)
    tighter = budget("sum", allowance_min=5, fires=Fires.ON_READING)
    said = bench.add(Activated(plan(EVENT, tighter), {}))
    assert spent(bench) == 6
    assert [(one.kind, one.rule) for one in said] == [(Kind.RAISED, "sum")]
    assert bench.refold() == bench.said


@pytest.mark.parametrize("before", range(-6, 0), ids=lambda before: f"{-before} facts before the end")
def test_a_checkpoint_keeps_the_word(before: int) -> None:
    """Frozen before, between and after the two words, the fold goes on as if nothing had been."""
    bench = bench_of("-160 -149x6 -160x3 -149x6 -160")
    resolve(bench, to_min=7)
    bench.series("-149x2", start_ms=T0 + 17 * MIN)
    reopen(bench)
    bench.series("-160", start_ms=T0 + 19 * MIN)
    fold, again = Fold(), []
    for position, (arrival_ms, fact) in enumerate(bench.facts, 1):
        if position == len(bench.facts) + 1 + before:
            fold = thaw(freeze(fold))
        said = fold.apply(position, arrival_ms, fact)
        if position > 4:
            again += [(arrival_ms, one) for one in said]
    assert again == bench.said


VALUES = st.lists(st.sampled_from(["-160", "-149", "-151", "bad", "_", "?-149"]), min_size=2, max_size=40)


@given(
    values=VALUES,
    begin=st.integers(0, 40),
    length=st.integers(1, 40),
    linear=st.booleans(),
    charged=st.booleans(),
)
def test_giving_back_and_taking_again_is_nothing(
    values: list[str], begin: int, length: int, linear: bool, charged: bool
) -> None:
    """Whatever was measured: giving back takes no more than the span, and taking it back restores all."""
    crossing = Crossing.LINEAR if linear else Crossing.STEP
    own = budget("sum", crossing=crossing, charge_unmonitored=charged, fires=Fires.ON_READING)
    bench = bench_of(" ".join(["-160", *values, "-160"]), EVENT, own)
    over = [each for each in place(bench).ledger.closed if each.rule.id == "event"]
    if not over:
        return
    was = spent(bench)
    everything = intervals(bench)
    bench.add(ExcursionResolved(over[0].id, T0 + begin * MIN, T0 + (begin + length) * MIN, "wang", "x"))
    if bench.said[-1][1].kind is Kind.REFUSED:
        return
    assert 0 <= spent(bench) <= was
    assert was - spent(bench) <= length
    bench.add(ExcursionReopened(over[0].id, "wang", "x"))
    assert spent(bench) == was
    assert intervals(bench) == everything
    assert bench.refold() == bench.said


@given(values=VALUES, cut=st.integers(0, 40))
def test_the_order_of_words_and_readings_does_not_matter(values: list[str], cut: int) -> None:
    """Resolved before or after later readings came in, the sum is the same."""
    first = ["-160", "-149", "-149", "-149", "-160", "-160"]
    early, late = bench_of(" ".join(first)), bench_of(" ".join(first))
    resolve(early, from_min=1, to_min=4)
    for bench in (early, late):
        bench.series(" ".join(values), start_ms=T0 + 6 * MIN)
    resolve(late, from_min=1, to_min=4)
    assert spent(early) == spent(late)


def test_below_is_given_back_as_above() -> None:
    """The other side is no other story."""
    cold = limit("event", -190, side=Side.BELOW, hold_ms=0)
    bench = bench_of("-160 -195x5 -160x3", cold, budget("sum", -190, side=Side.BELOW, fires=Fires.ON_READING))
    assert spent(bench) == 5
    resolve(bench)
    assert spent(bench) == 0


def test_a_probe_without_a_clock() -> None:
    """On the axis of journal time likewise."""
    bench = Bench(plan(EVENT, SUM, channels=(channel(),), sends_time=False))
    for minute, value in enumerate(["-160", "-149", "-149", "-149", "-160", "-160"]):
        at_ms = T0 + minute * MIN
        bench.run(at_ms - 1)
        bench.add(Reading("log", "box.vapour", value, "degC", stamp_ms=at_ms), at_ms)
    assert spent(bench) == 3
    resolve(bench, from_min=1, to_min=4)
    assert spent(bench) == 0
    assert bench.said[-1][1].axis == "journal"
