"""A budget as functions: what is charged, when it is exceeded, and what is carried over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.model import Priority, Side
from coldchain.plan import Budget, Cited, Crossing, Fires, Outside, Per, Settle, Span
from coldchain.rules import budget as rule
from coldchain.rules.judging import (
    LIMITS_CHANGED,
    NOT_IN_FORCE,
    UNCERTAIN,
    Change,
    Ended,
    Opened,
    Returned,
    Sample,
    Triggered,
)
from tests.unit.rules.seen import GAP, after
from tests.unit.rules.test_limit import bad, good, samples, series

WARM = Budget("warm", "vapour", Side.ABOVE, -150, 50, Priority.HIGH, Cited("test", "test"))
CHARGED = replace(WARM, charge_unmonitored=True)


def run(
    budget: Budget, made: list[Sample], *, settle_at: tuple[int, ...] = (), until: int | None = None
) -> tuple[rule.BudgetState, list[Change]]:
    """Charge samples in order, deadlines and settlements in between, up to an instant."""
    told: list[Change] = []
    state, last = rule.BudgetState(), None

    def pass_time(to_ms: int) -> None:
        nonlocal state
        passed = None
        while (due := rule.due_ms(budget, state, after(last))) is not None and due <= to_ms:
            assert passed is None or due > passed, "a deadline that stays would never pass"
            passed = due
            state, changes = rule.on_due(budget, state, after(last))
            told.extend(changes)

    def settle(after_ms: int, until_ms: int) -> None:
        nonlocal state
        for at_ms in settle_at:
            if after_ms < at_ms < until_ms:
                pass_time(at_ms)
                state, changes = rule.settle(budget, state, after(last), at_ms)
                told.extend(changes)

    for now in made:
        settle(last.at_ms if last else -1, now.at_ms)
        pass_time(now.at_ms)
        state, changes = rule.on_sample(budget, state, after(last), now)
        told.extend(changes)
        last = now
        pass_time(now.at_ms)
    if until is not None:
        pass_time(until)
    return state, told


def triggers(told: list[Change]) -> list[tuple[int, int]]:
    """Since and due of what was exceeded."""
    return [(change.since_ms, change.due_ms) for change in told if isinstance(change, Triggered)]


def spent(budget: Budget, state: rule.BudgetState, last: Sample | None, at_ms: int) -> tuple[int, int]:
    """Spent and unmonitored time up to an instant."""
    one = rule.standing(budget, state, after(last), at_ms)
    return (0, state.unmonitored_ms) if one is None else (one.outside_ms, one.unmonitored_ms)


def test_it_is_exceeded_when_greater_unless_at() -> None:
    """One ms more than the allowance, or the allowance itself."""
    assert triggers(run(WARM, [good(10, -140)], until=100)[1]) == [(10, 61)]
    at = replace(WARM, exceeded=Outside.AT_OR_BEYOND)
    assert triggers(run(at, [good(10, -140)], until=100)[1]) == [(10, 60)]


def test_it_stands_still_without_evidence_and_goes_on_with_it() -> None:
    """From max_gap after a reading nothing is charged; its deadline stands still, too."""
    wide = replace(WARM, allowance_ms=150)
    state, told = run(wide, [good(0, -140)], until=10_000)
    assert triggers(told) == []
    state, told = run(wide, [good(0, -140), good(1000, -140)], until=10_000)
    assert triggers(told) == [(0, 1051)]
    assert spent(wide, state, good(1000, -140), 1051) == (151, 900)


def test_it_counts_beyond_the_limit_itself() -> None:
    """On the limit is inside, as for the limit; there is no deadband."""
    state, _ = run(WARM, [good(0, -140), good(10, -150), good(30, -149), good(40, -160)])
    assert spent(WARM, state, good(40, -160), 40) == (20, 0)


def test_charged_time_begins_where_evidence_ends() -> None:
    """Charged for unmonitored time: since says from when, and it is exceeded by time alone."""
    assert triggers(run(CHARGED, [good(0, -160)], until=1000)[1]) == [(GAP, GAP + 51)]
    assert triggers(run(CHARGED, [good(0, -160), bad(20)], until=1000)[1]) == [(20, 71)]
    on_reading = replace(CHARGED, fires=Fires.ON_READING)
    told = run(on_reading, [good(0, -160), good(400, -160)])[1]
    assert told == [Opened(GAP), Triggered(GAP, 400)]


def test_a_place_whose_probe_was_taken_away_is_charged() -> None:
    """Without any sample time runs from where the sums stand."""
    state, _ = rule.start(CHARGED, after(None), 7)
    assert rule.due_ms(CHARGED, state, after(None)) == 7 + 51
    assert rule.due_ms(WARM, state, after(None)) is None


def test_a_line_is_charged_to_its_crossing() -> None:
    """Interpolated between GOOD neighbours; a line that may still come back is awaited."""
    line = replace(WARM, crossing=Crossing.LINEAR)
    state, _ = run(line, [good(0, -140), good(40, -160)])
    assert spent(line, state, good(40, -160), 40) == (20, 0)
    # Nothing comes: after max_gap there is no line any more, and the step is certain.
    assert triggers(run(line, [good(0, -140)], until=1000)[1]) == [(0, GAP + 1)]


def test_an_exceeded_budget_stays_exceeded() -> None:
    """No reading returns what is spent."""
    state, _ = run(WARM, [good(0, -140), good(90, -160), good(95, -160)])
    assert rule.active(state)


@given(samples, st.sets(st.integers(1, 400), max_size=4), st.booleans(), st.booleans(), st.integers(0, 300))
def test_settling_anywhere_changes_no_sum(
    drawn: list[tuple[int, Any]], where: set[int], charge: bool, line: bool, allowance: int
) -> None:
    """A boundary that changes nothing for a budget moves neither its sums nor its deadlines."""
    budget = replace(
        WARM,
        charge_unmonitored=charge,
        crossing=Crossing.LINEAR if line else Crossing.STEP,
        allowance_ms=allowance,
    )
    made = series(drawn)
    plain, told = run(budget, made)
    settled, told_too = run(budget, made, settle_at=() if line else tuple(sorted(where)))
    assert triggers(told) == triggers(told_too)
    end = made[-1].at_ms + 250
    assert spent(budget, plain, made[-1], end) == spent(budget, settled, made[-1], end)


@given(samples, st.booleans(), st.integers(0, 300), st.sampled_from(list(Outside)))
def test_by_time_alone_it_is_exceeded_exactly_when_a_reading_would_show_it(
    drawn: list[tuple[int, Any]], charge: bool, allowance: int, exceeded: Outside
) -> None:
    """At its deadline the sum is exceeded, one ms before it is not."""
    budget = replace(WARM, charge_unmonitored=charge, allowance_ms=allowance, exceeded=exceeded)
    made = series(drawn)
    state, _ = run(budget, made)
    due = rule.due_ms(budget, state, after(made[-1]))
    if due is None:
        return
    needed = allowance + (exceeded is Outside.BEYOND)
    assert spent(budget, state, made[-1], due)[0] >= needed
    if due > made[-1].at_ms:
        assert spent(budget, state, made[-1], due - 1)[0] < max(1, needed)


def test_doubtful_readings_are_charged_outside_and_unmonitored_inside() -> None:
    """An UNCERTAIN value is judged when it is outside; inside it is no evidence."""
    doubtful_out, doubtful_in = Sample(0, -140, -140, UNCERTAIN), Sample(30, -160, -160, UNCERTAIN)
    state, _ = run(WARM, [doubtful_out, doubtful_in, good(70, -160)])
    assert spent(WARM, state, good(70, -160), 70) == (30, 40)


def test_what_is_spent_is_carried_over() -> None:
    """A changed allowance closes the interval and begins another with what was spent."""
    state, _ = run(WARM, [good(0, -140), good(40, -160)])
    state, told = rule.reconfigure(WARM, replace(WARM, allowance_ms=30), state, after(good(40, -160)), 60)
    assert [change.interval.why_ended for change in told if isinstance(change, Ended)] == [LIMITS_CHANGED]
    assert triggers(list(told)) == [(60, 60)]
    state, told = rule.reconfigure(replace(WARM, allowance_ms=30), WARM, state, after(good(40, -160)), 80)
    assert told[-1] == Returned(80)
    assert not rule.active(state)
    assert spent(WARM, state, good(40, -160), 80) == (40, 0)


def test_what_left_force_comes_back_with_what_was_spent() -> None:
    """Time between is not charged; what was spent before is."""
    state, _ = run(WARM, [good(0, -140), good(40, -160)])
    left, told = rule.end(WARM, state, after(good(40, -160)), 45, NOT_IN_FORCE)
    assert [change.interval.outside_ms for change in told if isinstance(change, Ended)] == [40]
    state, told = rule.resume(WARM, left, after(good(90, -140)), 100)
    assert told == (Opened(100),)
    assert rule.due_ms(WARM, state, after(good(90, -140))) == 111


WORDS: list[dict[str, Any]] = [
    {"title": "x"},
    {"advice": "x"},
    {"cited": Cited("x", "x", "x")},
    {"priority": Priority.LOW},
    {"re_alarm_ms": 5},
    {"latched": False},
    {"guarded": True},
    {"guard": 3},
    {"settle": Settle(Side.ABOVE, -150, 5)},
]
NUMBERS: list[dict[str, Any]] = [
    {"side": Side.BELOW},
    {"limit": -151},
    {"outside": Outside.AT_OR_BEYOND},
    {"allowance_ms": 51},
    {"exceeded": Outside.AT_OR_BEYOND},
    {"fires": Fires.ON_READING},
    {"crossing": Crossing.LINEAR},
    {"charge_unmonitored": True},
    {"per": Per.DAY},
    {"day_offset_ms": 3_600_000},
    {"since_ms": 5},
]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: next(iter(words)))
def test_what_is_only_words_is_the_same(words: dict[str, Any]) -> None:
    """A reload that changes what people or the alarm see of a budget touches nothing."""
    assert rule.same(WARM, replace(WARM, **words))


@pytest.mark.parametrize("words", NUMBERS, ids=lambda words: next(iter(words)))
def test_what_is_judged_by_is_not(words: dict[str, Any]) -> None:
    """A budget that would judge otherwise is another one."""
    assert not rule.same(WARM, replace(WARM, **words))


def test_what_was_given_back_makes_no_other_budget() -> None:
    """Each segment knows its own part of it, and the sum goes on from one to the next."""
    assert rule.same(WARM, replace(WARM, given_back=(Span(1, 2),)))


def test_every_field_of_a_budget_is_one_or_the_other() -> None:
    """A field added to the plan must say here whether it judges."""
    named = {key for words in (*WORDS, *NUMBERS) for key in words} | {"id", "role", "given_back"}
    assert named == set(Budget.__struct_fields__)
