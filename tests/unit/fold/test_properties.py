"""What must hold for any series, any order of arrival, any splitting: the engine against the oracle."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from coldchain.announcements import Kind
from coldchain.facts import Reading
from coldchain.fold import Fold
from coldchain.model import Reason, Side
from coldchain.pipeline.states import freeze, thaw
from coldchain.plan import Fires, Outside
from tests.unit.fold.bench import MIN, T0, Bench, budget, channel, limit, plan
from tests.unit.fold.oracle import R, excursions, time_outside

VALUES = st.sampled_from([-160_000, -152_000, -151_000, -150_000, -149_999, -149_000, -140_000])
GAP = 5 * MIN


@st.composite
def series(draw: st.DrawFn, most: int = 25) -> list[R]:
    """Readings at whole seconds, GOOD, UNCERTAIN and BAD, some at the same instant."""
    steps = draw(st.lists(st.integers(0, 400), min_size=1, max_size=most))
    at, found = T0, []
    for step in steps:
        at += step * 1000
        kind = draw(st.integers(0, 9))
        value = draw(VALUES)
        found.append(R(at, None) if kind == 0 else R(at, value, doubt=kind == 1))
    return found


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """Parameters of one limit."""
    return {
        "side": draw(st.sampled_from(list(Side))),
        "outside": draw(st.sampled_from(list(Outside))),
        "deadband": draw(st.sampled_from([0, 1000, 2000])),
        "hold_ms": draw(st.sampled_from([0, 1000, 3 * MIN, 10 * MIN])),
        "fires": draw(st.sampled_from(list(Fires))),
    }


def fact(r: R, sequence: int) -> Reading:
    """A reading as a device would send it."""
    if r.v is None:
        return Reading("log", "box.vapour", at_ms=r.t, bad=Reason.SENSOR_OPEN, sequence=sequence)
    raw = f"{'-' if r.v < 0 else ''}{abs(r.v) // 1000}.{abs(r.v) % 1000:03d}"
    doubt = Reason.UNSTABLE if r.doubt else None
    return Reading("log", "box.vapour", raw, "degC", at_ms=r.t, doubt=doubt, sequence=sequence)


def truth(bench: Bench, rule: str) -> list[tuple[int, int | None, int | None]]:
    """What the engine holds to be true of a rule."""
    place = bench.fold.places["box/vapour"]
    return [
        (i.start_ms, i.triggered_ms, i.end_ms)
        for e in place.ledger.all()
        if e.rule.id == rule
        for i in [place.standing(e)]
    ]


def expected(
    readings: list[R], words: dict[str, Any], until: int
) -> list[tuple[int, int | None, int | None]]:
    """What the oracle says."""
    return excursions(
        readings,
        above=words["side"] is Side.ABOVE,
        limit=-150_000,
        at_limit_is_out=words["outside"] is Outside.AT_OR_BEYOND,
        deadband=words["deadband"],
        hold=words["hold_ms"],
        at_due=words["fires"] is Fires.AT_DUE,
        end_of_time=until,
    )


@given(series(), rules())
def test_in_order_equals_the_oracle_and_its_own_refold(readings: list[R], words: dict[str, Any]) -> None:
    """Nothing late: excursions equal the oracle's, live equals the re-fold, triggers are in time."""
    bench = Bench(plan(limit(**words), channels=(channel(max_gap_ms=GAP),)))
    for i, r in enumerate(readings):
        bench.run(r.t - 1)
        bench.add(fact(r, i))
    end = readings[-1].t
    wanted = expected(readings, words, end)
    assert truth(bench, "above") == wanted
    assert bench.refold() == bench.said
    if len({r.t for r in readings}) < len(readings):
        return  # a second reading of one instant is a late reading: it may deny what the first has raised
    raised = [(a.since_ms, a.due_ms) for _, a in bench.said if a.kind is Kind.RAISED and a.rule == "above"]
    assert raised == [(start, due) for start, due, _ in wanted if due is not None]
    assert all(a.late is None for _, a in bench.said if a.rule == "above")


@given(series(), rules(), st.randoms(use_true_random=False), st.integers(0, 3))
def test_any_order_of_arrival_ends_in_the_same_truth(
    readings: list[R], words: dict[str, Any], chance: random.Random, repeats: int
) -> None:
    """Shuffled and repeated, everything arriving at once: the same excursions as in order."""
    sent = list(enumerate(readings))
    sent += [chance.choice(sent) for _ in range(repeats)]
    chance.shuffle(sent)
    bench = Bench(plan(limit(**words), channels=(channel(max_gap_ms=GAP),)))
    arrival = max(r.t for r in readings)
    for i, r in sent:
        bench.add(fact(r, i), arrival)
    assert truth(bench, "above") == expected(
        readings, words, arrival if words["fires"] is Fires.ON_READING else readings[-1].t
    )
    assert bench.refold() == bench.said


@given(
    series(), st.sampled_from(list(Outside)), st.sampled_from(list(Side)), st.randoms(use_true_random=False)
)
def test_budgets_sum_the_same_time_in_any_order(
    readings: list[R], outside: Outside, side: Side, chance: random.Random
) -> None:
    """The sum of time outside equals the oracle's, however the readings came."""
    rule = budget(side=side, outside=outside, allowance_min=20)
    end = readings[-1].t
    wanted = time_outside(
        readings,
        above=side is Side.ABOVE,
        limit=-150_000,
        at_limit_is_out=outside is Outside.AT_OR_BEYOND,
        max_gap=GAP,
        until=end,
    )
    for shuffled in (False, True):
        order = list(enumerate(readings))
        if shuffled:
            chance.shuffle(order)
        bench = Bench(plan(rule, channels=(channel(max_gap_ms=GAP),)))
        for i, r in order:
            bench.add(fact(r, i), end if shuffled else r.t)
        place = bench.fold.places["box/vapour"]
        spent = [place.standing(e).outside_ms for e in place.ledger.all()]
        assert sum(spent) == wanted


@given(series(), rules(), st.integers(0, 24))
def test_a_checkpoint_anywhere_changes_nothing(readings: list[R], words: dict[str, Any], where: int) -> None:
    """Frozen and thawed at any fact, the fold goes on as if nothing had been."""
    bench = Bench(plan(limit(**words), budget(), channels=(channel(max_gap_ms=GAP),)))
    for i, r in enumerate(readings):
        bench.run(r.t - 1)
        bench.add(fact(r, i))
    fold, again = Fold(), []
    for position, (arrival, one) in enumerate(bench.facts, 1):
        if position == where + 5:
            fold = thaw(freeze(fold))
        said = fold.apply(position, arrival, one)
        if position > 4:
            again += [(arrival, a) for a in said]
    assert again == bench.said


@given(series(), rules(), st.data())
def test_delays_change_no_truth(readings: list[R], words: dict[str, Any], data: st.DataObject) -> None:
    """Any delay of arrival, wakes in between: what was true in the end is the same."""
    delays = data.draw(st.lists(st.integers(0, 3600_000), min_size=len(readings), max_size=len(readings)))
    coming = sorted(
        ((r.t + delay, i, r) for i, (r, delay) in enumerate(zip(readings, delays, strict=True))),
        key=lambda c: c[:2],
    )
    bench = Bench(plan(limit(**words), channels=(channel(max_gap_ms=GAP),)))
    for arrival, i, r in coming:
        bench.run(arrival - 1)
        bench.add(fact(r, i), arrival)
    stood = bench.fold.places["box/vapour"].track.at_ms
    assert stood is not None
    assert truth(bench, "above") == expected(readings, words, stood)
    assert bench.refold() == bench.said


@given(series(), rules())
def test_times_shifted_shift_the_results(readings: list[R], words: dict[str, Any]) -> None:
    """No rule here knows a calendar: a day later everything is the same, a day later."""
    day = 24 * 60 * MIN
    told = []
    for shift in (0, day):
        bench = Bench(plan(limit(**words), channels=(channel(max_gap_ms=GAP),)), start_ms=T0 + shift)
        for i, r in enumerate(readings):
            moved = R(r.t + shift, r.v, r.doubt)
            bench.run(moved.t - 1)
            bench.add(fact(moved, i))
        told.append([(at - shift, a.kind, a.rule, (a.since_ms or shift) - shift) for at, a in bench.said])
    assert told[0] == told[1]
