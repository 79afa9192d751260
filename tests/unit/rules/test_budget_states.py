"""What a budget remembers, to the field: what is spent, since when, and what a person has given back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from msgspec.structs import replace

from coldchain.model import Side
from coldchain.plan import Budget, Crossing, Fires, Outside, Per, Span
from coldchain.rules import budget as rule
from coldchain.rules.budget import BudgetState
from coldchain.rules.judging import (
    DAY_OVER,
    GOOD,
    LIMITS_CHANGED,
    NOT_IN_FORCE,
    STAGE_OVER,
    UNCERTAIN,
    Band,
    Ended,
    Interval,
    Opened,
    Returned,
    Sample,
    Triggered,
)
from tests.unit.rules.seen import GAP, Shown, after
from tests.unit.rules.test_budget import CHARGED, WARM, run, spent, triggers
from tests.unit.rules.test_limit import bad, good

COLD = replace(WARM, id="cold", side=Side.BELOW)
LINE = replace(WARM, crossing=Crossing.LINEAR)
NONE_ALLOWED = replace(WARM, allowance_ms=0, exceeded=Outside.AT_OR_BEYOND)
HOUR, DAY = 3_600_000, 86_400_000


def begun(at_ms: int, *, extreme: int = -150, extreme_ms: int | None = None, **more: int) -> Interval:
    """What a budget spends from an instant on."""
    return Interval(
        "warm", at_ms, extreme=extreme, extreme_ms=at_ms if extreme_ms is None else extreme_ms, **more
    )


# --- Spending -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "now", "extreme"),
    [
        (WARM, Sample(30, -160, -140, GOOD), -140),
        (COLD, Sample(30, -160, -140, GOOD), -160),
        (WARM, Sample(30, -140, -140, UNCERTAIN), -140),
        (replace(WARM, outside=Outside.AT_OR_BEYOND), Sample(30, -160, -150, GOOD), -150),
    ],
)
def test_a_budget_begins_to_be_spent_with_a_reading_outside(
    budget: Budget, now: Sample, extreme: int
) -> None:
    """Nothing of it is spent yet; its extreme is the value on its side."""
    one = replace(begun(30, extreme=extreme), rule=budget.id)
    state = BudgetState(from_ms=30)
    assert rule.on_sample(budget, state, after(None), now) == (replace(state, spent=one), (Opened(30),))


def test_a_reading_that_changes_nothing_leaves_the_very_same_state() -> None:
    """Inside after inside, before anything was spent and after."""
    fresh = BudgetState(from_ms=0)
    assert rule.on_sample(WARM, fresh, after(good(10, -160)), good(20, -160)) == (fresh, ())
    assert rule.on_sample(WARM, fresh, after(good(10, -160)), good(20, -160))[0] is fresh
    some = BudgetState(begun(0, outside_ms=5), from_ms=5)
    assert rule.on_sample(WARM, some, after(good(10, -160)), good(20, -160))[0] is some


@pytest.mark.parametrize(
    ("budget", "values", "extreme"),
    [
        (WARM, [(-160, -140), (-170, -130), (-149, -130), (-149, -135)], (-130, 10)),
        (COLD, [(-155, -140), (-170, -120), (-170, -151), (-160, -130)], (-170, 10)),
    ],
)
def test_the_extreme_is_the_first_that_is_furthest(
    budget: Budget, values: list[tuple[int, int]], extreme: tuple[int, int]
) -> None:
    """One that is just as far later does not move it."""
    state, _ = run(budget, [Sample(10 * i, low, high, GOOD) for i, (low, high) in enumerate(values)])
    assert state.spent is not None
    assert (state.spent.extreme, state.spent.extreme_ms) == extreme


@pytest.mark.parametrize(
    ("made", "outside_ms", "since_ms"),
    [
        ([good(10, -140), good(40, -155)], 20, 10),
        ([good(10, -155), good(40, -140)], 20, 20),
        ([good(10, -140), good(40, -140)], 30, 10),
        ([good(10, -140), bad(40)], 30, 10),
    ],
    ids=["to its crossing", "from its crossing", "all of it", "no line to a bad reading"],
)
def test_a_line_is_charged_on_its_outer_part(made: list[Sample], outside_ms: int, since_ms: int) -> None:
    """And nothing of it is unmonitored, but for the 10 ms before the first reading."""
    state, _ = run(LINE, made)
    assert state.spent is not None
    assert (state.spent.start_ms, state.spent.outside_ms, state.unmonitored_ms) == (since_ms, outside_ms, 10)


def test_what_a_line_spends_before_its_reading_begins_at_the_limit() -> None:
    """Its extreme is the reading's once that is further out; from inside to on the limit nothing is."""
    state, changes = run(LINE, [good(10, -155), good(40, -140)])
    assert changes == [Opened(20)]
    assert state.spent == begun(20, extreme=-140, extreme_ms=40, outside_ms=20)


def test_a_reading_can_find_a_budget_exceeded() -> None:
    """Where it fires on readings: with the one that brings the sum above the allowance, once."""
    late = replace(WARM, fires=Fires.ON_READING)
    state, changes = run(late, [good(10, -140), good(60, -140)])
    assert (triggers(changes), rule.active(state)) == ([], False)
    state, told = rule.on_sample(late, state, after(good(60, -140)), good(61, -140))
    assert told == (Triggered(10, 61),)
    assert state.spent is not None
    assert (state.spent.triggered_ms, state.spent.outside_ms) == (61, 51)
    assert rule.active(state)
    assert rule.on_sample(late, state, after(good(61, -140)), good(80, -140))[1] == ()
    at = replace(late, exceeded=Outside.AT_OR_BEYOND)
    assert triggers(run(at, [good(10, -140), good(59, -140)])[1]) == []
    assert triggers(run(at, [good(10, -140), good(60, -140)])[1]) == [(10, 60)]


def test_by_time_alone_it_is_exceeded_from_where_it_is_charged() -> None:
    """Nothing was outside yet: what is charged began a gap after the reading, on the limit."""
    state = BudgetState(from_ms=0)
    due, changes = rule.on_due(CHARGED, state, after(good(10, -160)))
    one = begun(10 + GAP, triggered_ms=10 + GAP + 51)
    assert (due, changes) == (
        replace(state, spent=one),
        (Opened(10 + GAP), Triggered(10 + GAP, 10 + GAP + 51)),
    )
    assert rule.due_ms(CHARGED, due, after(good(10, -160))) is None
    assert rule.on_due(CHARGED, due, after(good(10, -160))) == (due, ())


def test_a_budget_of_nothing() -> None:
    """Where nothing is allowed, the first ms outside is too much, and so is the first without evidence."""
    assert rule.due_ms(NONE_ALLOWED, BudgetState(from_ms=20), after(good(10, -140))) == 20
    assert rule.due_ms(NONE_ALLOWED, BudgetState(from_ms=10 + GAP), after(good(10, -140))) is None
    charged = replace(NONE_ALLOWED, charge_unmonitored=True)
    assert rule.due_ms(charged, BudgetState(from_ms=20), after(good(10, -160))) == 10 + GAP + 1
    assert rule.due_ms(charged, BudgetState(from_ms=20), after(None)) == 21
    assert rule.due_ms(charged, BudgetState(from_ms=20), after(bad(10))) == 21


def test_it_may_be_exceeded_at_the_last_ms_of_a_gap() -> None:
    """100 ms after the reading it still counts, and 101 later it does not."""
    assert rule.due_ms(replace(WARM, allowance_ms=GAP - 1), BudgetState(), after(good(0, -140))) == GAP
    assert rule.due_ms(replace(WARM, allowance_ms=GAP), BudgetState(), after(good(0, -140))) is None


# --- What a person gave back ----------------------------------------------------------------------------


def given_back(*spans: tuple[int, int], budget: Budget = WARM) -> Budget:
    """A budget of which these spans do not count."""
    return replace(budget, given_back=tuple(Span(a, b) for a, b in spans))


@pytest.mark.parametrize(
    ("at_ms", "outside_ms"), [(20, 20), (30, 20), (40, 20), (50, 30), (60, 40), (70, 40), (90, 50)]
)
def test_what_was_given_back_is_not_charged(at_ms: int, outside_ms: int) -> None:
    """Outside from 0 on, of which 20 to 40 and 60 to 80 were given back."""
    budget = given_back((20, 40), (60, 80))
    state, _ = run(budget, [good(0, -140)])
    assert spent(budget, state, good(0, -140), at_ms) == (outside_ms, 0)


def test_unmonitored_time_can_be_given_back() -> None:
    """Charged from a gap on, less what was given back; unmonitored it stays."""
    budget = given_back((120, 150), budget=CHARGED)
    state, _ = run(budget, [good(0, -160)])
    assert spent(budget, state, good(0, -160), 200) == (70, 100)
    whole = given_back((GAP, 300), budget=CHARGED)
    assert rule.standing(whole, state, after(good(0, -160)), 200) is None
    assert rule.settle(whole, state, after(good(0, -160)), 200)[0].unmonitored_ms == 100


def test_what_begins_in_a_span_given_back_begins_after_it() -> None:
    """A reading within it opens nothing; the first charged ms does, with the limit as its extreme."""
    budget = given_back((0, 30))
    state, changes = run(budget, [good(0, -140)])
    assert (state.spent, changes) == (None, [])
    settled, changes_too = rule.settle(budget, state, after(good(0, -140)), 50)
    assert changes_too == (Opened(30),)
    assert settled == BudgetState(begun(30, outside_ms=20), from_ms=50)


@pytest.mark.parametrize(
    ("spans", "opens"), [([(1, 30)], True), ([(0, 1)], False), ([(-9, 0)], True), ([(-9, 1)], False)]
)
def test_a_reading_is_given_back_with_its_own_ms(spans: list[tuple[int, int]], opens: bool) -> None:
    """A span given back from the next ms on leaves it charged."""
    _, changes = run(given_back(*spans), [good(0, -140)])
    assert (changes == [Opened(0)]) is opens


@pytest.mark.parametrize(
    ("spans", "due_ms"),
    [
        ([], 61),
        ([(20, 40)], 81),
        ([(20, 40), (60, 80)], 101),
        ([(0, 5), (20, 40)], 81),
        ([(0, 10), (20, 40)], 81),
        ([(10, 30)], 81),
        ([(5, 30)], 81),
        ([(61, 80)], 61),
        ([(60, 80)], 81),
        ([(70, 90)], 61),
    ],
)
def test_its_deadline_stands_still_where_it_was_given_back(spans: list[tuple[int, int]], due_ms: int) -> None:
    """Outside from 10 on, and 51 ms of it are too much."""
    assert rule.due_ms(given_back(*spans), BudgetState(from_ms=10), after(good(10, -140))) == due_ms


def test_charged_time_begins_after_what_was_given_back_at_its_beginning() -> None:
    """By time alone: evidence ends at 100, but 100 to 130 were given back."""
    budget = given_back((GAP, 130), budget=CHARGED)
    _, changes = rule.on_due(budget, BudgetState(), after(good(0, -160)))
    assert changes == (Opened(130), Triggered(130, 181))


# --- Days and stages ------------------------------------------------------------------------------------

DAILY = replace(WARM, per=Per.DAY, day_offset_ms=HOUR)
STAGED = replace(WARM, per=Per.STAGE, since_ms=5)


@pytest.mark.parametrize(
    ("at_ms", "ends_ms"),
    [
        (3 * DAY + 5, 4 * DAY - HOUR),
        (4 * DAY - HOUR - 1, 4 * DAY - HOUR),
        (4 * DAY - HOUR, 5 * DAY - HOUR),
        (4 * DAY - HOUR // 2, 5 * DAY - HOUR),
    ],
)
def test_a_day_is_the_sites_day(at_ms: int, ends_ms: int) -> None:
    """An hour east of Greenwich it ends an hour before midnight there; midnight itself is the next day."""
    state, changes = rule.start(DAILY, after(None), at_ms)
    assert (state, changes) == (BudgetState(from_ms=at_ms, day_ends_ms=ends_ms), ())
    assert type(state.day_ends_ms) is int
    assert rule.due_ms(DAILY, state, after(None)) == ends_ms
    assert rule.start(WARM, after(None), at_ms)[0] == BudgetState(from_ms=at_ms)


def test_a_day_that_is_over_takes_what_was_spent_with_it() -> None:
    """The excursion ends with the day, an exceeded budget's alarm returns, the next day starts at nothing."""
    end = 4 * DAY - HOUR
    last = good(end - 30, -140)
    state = BudgetState(begun(end - 200, outside_ms=60, triggered_ms=end - 50), end - 30, 7, end)
    over = begun(end - 200, outside_ms=90, triggered_ms=end - 50, unmonitored_ms=7)
    assert rule.due_ms(DAILY, state, after(last)) == end
    fresh, changes = rule.on_due(DAILY, state, after(last))
    assert fresh == BudgetState(from_ms=end, day_ends_ms=end + DAY)
    assert changes == (Ended(replace(over, end_ms=end, why_ended=DAY_OVER)), Returned(end))


def test_a_day_within_its_budget_ends_without_a_return() -> None:
    """There was no alarm; and where nothing was spent nothing is said at all."""
    end = 4 * DAY - HOUR
    state = BudgetState(begun(end - 200, outside_ms=10), end - 30, 0, end)
    fresh, changes = rule.on_due(DAILY, state, after(good(end - 20, -160)))
    over = replace(begun(end - 200, outside_ms=10), end_ms=end, why_ended=DAY_OVER)
    assert (fresh, changes) == (BudgetState(from_ms=end, day_ends_ms=end + DAY), (Ended(over),))
    empty = BudgetState(from_ms=end - 30, day_ends_ms=end)
    assert rule.on_due(DAILY, empty, after(good(end - 20, -160))) == (fresh, ())


def test_a_day_ends_with_what_its_last_minutes_spent() -> None:
    """What only the end of the day charges opens and ends there; exceeded before, that comes first."""
    end = 4 * DAY - HOUR
    state, last = BudgetState(from_ms=end - 30, day_ends_ms=end), good(end - 30, -140)
    assert rule.due_ms(DAILY, state, after(last)) == end
    _, changes = rule.on_due(DAILY, state, after(last))
    over = replace(begun(end - 30, outside_ms=30), end_ms=end, why_ended=DAY_OVER)
    assert changes == (Opened(end - 30), Ended(over))
    early = BudgetState(from_ms=end - 60, day_ends_ms=end)
    assert rule.due_ms(DAILY, early, after(good(end - 60, -140))) == end - 9


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (replace(STAGED, since_ms=60), STAGE_OVER),
        (replace(DAILY, day_offset_ms=0), LIMITS_CHANGED),
        (replace(WARM, since_ms=9), LIMITS_CHANGED),
    ],
    ids=["another stage", "another day", "another beginning"],
)
def test_what_the_allowance_was_for_is_over(new: Budget, why: str) -> None:
    """What was spent ends, with what the last reading spent up to then; the successor begins with nothing."""
    state = BudgetState(begun(10, outside_ms=60, triggered_ms=70), 70, 3)
    found, changes = rule.reconfigure(STAGED, new, state, after(good(70, -140)), 90)
    over = begun(10, outside_ms=80, triggered_ms=70, unmonitored_ms=3)
    assert found == rule.start(new, after(None), 90)[0]
    assert found.from_ms == 90
    assert changes == (Ended(replace(over, end_ms=90, why_ended=why)), Returned(90))


@pytest.mark.parametrize(
    ("allowance_ms", "more", "triggered_ms"),
    [(79, (Triggered(90, 90),), 90), (80, (Returned(90),), None), (99, (Returned(90),), None)],
    ids=["still exceeded", "just within", "within"],
)
def test_a_changed_allowance_goes_on_with_what_was_spent(
    allowance_ms: int, more: tuple[object, ...], triggered_ms: int | None
) -> None:
    """Closed with its sums at the instant of the change; its successor begins there with what was spent."""
    new = replace(WARM, id="new", allowance_ms=allowance_ms)
    state = BudgetState(begun(10, outside_ms=60, triggered_ms=70), 70, 3)
    found, changes = rule.reconfigure(WARM, new, state, after(good(70, -140)), 90)
    carried = Interval("new", 90, triggered_ms, extreme=-150, extreme_ms=90, outside_ms=80)
    assert found == BudgetState(carried, 90, 3)
    over = begun(10, outside_ms=80, triggered_ms=70, unmonitored_ms=3)
    assert changes == (Ended(replace(over, end_ms=90, why_ended=LIMITS_CHANGED)), Opened(90), *more)


def test_a_changed_allowance_of_which_nothing_was_spent() -> None:
    """Nothing ends; unmonitored time is brought up to the change."""
    new = replace(WARM, allowance_ms=30)
    found = rule.reconfigure(WARM, new, BudgetState(from_ms=20), after(bad(20)), 60)
    assert found == (BudgetState(from_ms=60, unmonitored_ms=40), ())


def test_a_budget_out_of_force_closes_with_the_reason_and_comes_back() -> None:
    """For the same product: what was spent counts on, time between does not."""
    state = BudgetState(begun(10, outside_ms=30), 40, 3)
    left, changes = rule.end(WARM, state, after(good(40, -140)), 50, NOT_IN_FORCE)
    over = begun(10, outside_ms=40, unmonitored_ms=3)
    assert left == BudgetState(begun(10, outside_ms=40), 50, 3)
    assert changes == (Ended(replace(over, end_ms=50, why_ended=NOT_IN_FORCE)),)
    back, opening = rule.resume(WARM, left, after(None), 80)
    assert back == BudgetState(begun(80, outside_ms=40), 80, 3)
    assert opening == (Opened(80),)
    nothing = BudgetState(from_ms=40)
    assert rule.end(WARM, nothing, after(good(40, -160)), 50, NOT_IN_FORCE) == (BudgetState(from_ms=50), ())
    assert rule.resume(WARM, nothing, after(None), 80) == (BudgetState(from_ms=80), ())


def test_a_stages_budget_comes_back_with_nothing_spent() -> None:
    """Its alarm, if it stood, goes with the stage that it was about."""
    exceeded = BudgetState(begun(10, outside_ms=60, triggered_ms=70), 70, 3)
    within = BudgetState(begun(10, outside_ms=30), 70, 3)
    assert rule.resume(STAGED, exceeded, after(None), 90) == (BudgetState(from_ms=90), (Returned(90),))
    assert rule.resume(STAGED, within, after(None), 90) == (BudgetState(from_ms=90), ())
    daily = BudgetState(from_ms=90, day_ends_ms=DAY - HOUR)
    assert rule.resume(DAILY, within, after(None), 90) == (daily, ())


def test_sums_never_go_back() -> None:
    """Settled for an instant before the one they reach to, they stay where they are."""
    state = BudgetState(from_ms=60)
    assert rule.settle(WARM, state, after(good(10, -160)), 40) == (state, ())


# --- The calm band --------------------------------------------------------------------------------------


def test_the_calm_band_of_a_budget() -> None:
    """All that is inside, unless the last reading is outside, or time alone may exceed it any moment.

    Outside nothing is known before something is spent.
    """
    fresh, exceeded = BudgetState(), BudgetState(begun(0, outside_ms=60, triggered_ms=51))
    inside = Band(high=-150)
    assert rule.band(WARM, fresh, after(good(0, -160))) == inside
    assert rule.band(WARM, fresh, after(None)) == inside
    assert rule.band(WARM, fresh, after(good(0, -140))) is None
    assert rule.band(CHARGED, fresh, after(good(0, -160))) is None
    assert rule.band(CHARGED, fresh, after(None)) is None
    assert rule.band(CHARGED, exceeded, after(good(0, -160))) == inside
    assert rule.band(CHARGED, exceeded, after(good(0, -140))) == Band(low=-149)
    assert rule.band(replace(CHARGED, fires=Fires.ON_READING), fresh, after(good(0, -160))) == inside
    assert rule.band(COLD, fresh, after(good(0, -140))) == Band(low=-150)


@pytest.mark.parametrize(
    ("budget", "until_ms"),
    [
        # 20 of 50 ms are spent at 30: 31 more are too many, and with the next reading they may be.
        (replace(WARM, fires=Fires.ON_READING), 61),
        (replace(WARM, fires=Fires.ON_READING, exceeded=Outside.AT_OR_BEYOND), 60),
        (replace(LINE, fires=Fires.ON_READING), 61),
        (WARM, 61),
        # The deadline is further off than a reading counts: it comes into force a gap before.
        (replace(WARM, allowance_ms=50 + GAP), 61),
        (replace(WARM, allowance_ms=19 + GAP), 30 + GAP),
        (replace(WARM, allowance_ms=20 + GAP), 31),
        (LINE, None),
        (CHARGED, None),
        (replace(WARM, given_back=(Span(0, 5),)), None),
    ],
)
def test_a_budget_is_calm_outside_until_it_may_be_exceeded(budget: Budget, until_ms: int | None) -> None:
    """Where no line and no unmonitored time moves its deadline, and nothing was given back."""
    state = BudgetState(begun(10, outside_ms=20))
    calm = None if until_ms is None else Band(low=-149, until_ms=until_ms)
    assert rule.band(budget, state, after(good(30, -140))) == calm


def test_after_a_boundary_a_budget_is_spent_from_there() -> None:
    """What the sums reach to is not spent again."""
    state = BudgetState(begun(10, outside_ms=20), from_ms=45)
    assert rule.band(WARM, state, after(good(30, -140))) == Band(low=-149, until_ms=76)


@pytest.mark.parametrize("budget", [WARM, COLD, LINE, replace(CHARGED, fires=Fires.ON_READING)])
@pytest.mark.parametrize("from_ms", [0, 25], ids=["whole", "settled meanwhile"])
def test_a_budget_takes_in_a_run(budget: Budget, from_ms: int) -> None:
    """All fields as if it had been asked about each sample; inside it is the very same state."""
    budget = replace(budget, allowance_ms=1000)
    made = tuple(
        Sample(at, low, low + 60, GOOD)
        for at, low in ((10, -190), (30, -195), (45, -180), (50, -199), (70, -199), (75, -180))
    )
    state = asked = BudgetState(begun(5, outside_ms=5), from_ms, 3)
    for last, now in pairwise(made):
        asked, changes = rule.on_sample(budget, asked, after(last), now)
        assert changes == ()
    assert rule.sync(budget, state, Shown(made[-1], samples=made, known=1)) == asked
    spent = asked.spent
    assert spent is not None
    assert (spent.outside_ms, spent.extreme_ms) == (
        70 - max(0, from_ms - 10),
        50 if budget.side is Side.BELOW else 45,
    )
    as_far = (made[-1], Sample(90, -199, -120, GOOD))  # as far on either side, and no further
    later, _ = rule.on_sample(budget, asked, after(made[-1]), as_far[1])
    assert rule.sync(budget, asked, Shown(as_far[1], samples=as_far, known=1)) == later
    assert later.spent is not None
    assert later.spent.extreme_ms == spent.extreme_ms
    calm = (good(10, -160), good(20, -160)) if budget.side is Side.ABOVE else (good(10, -140), good(20, -140))
    assert rule.sync(budget, state, Shown(calm[-1], samples=calm, known=1)) is state
