"""A limit as functions: sums, crossings, what is certain when, and what is remembered."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.model import Priority, Side
from coldchain.plan import Cited, Crossing, Fires, Limit, Outside, Settle
from coldchain.rules import limit as rule
from coldchain.rules.judging import (
    BAD,
    GOOD,
    LIMITS_CHANGED,
    PRODUCT_CHANGED,
    UNCERTAIN,
    Change,
    Ended,
    Interval,
    Opened,
    Returned,
    Sample,
    Triggered,
    area_beyond,
)
from tests.unit.rules.seen import GAP, after

ABOVE = Limit("above", "vapour", Side.ABOVE, -150, 10, Priority.HIGH, Cited("test", "test"))


def good(at_ms: int, value: int) -> Sample:
    """A GOOD value."""
    return Sample(at_ms, value, value, GOOD)


def bad(at_ms: int) -> Sample:
    """No value."""
    return Sample(at_ms, 0, 0, BAD)


def run(
    limit: Limit, samples: list[Sample], *, settle_at: tuple[int, ...] = (), until: int | None = None
) -> tuple[rule.LimitState, list[Change]]:
    """Judge samples in order, deadlines and settlements in between, up to an instant."""
    state, last, told = rule.LimitState(), None, list[Change]()

    def pass_time(to_ms: int) -> None:
        nonlocal state
        passed = None
        while (due := rule.due_ms(limit, state, after(last))) is not None and due <= to_ms:
            assert passed is None or due > passed, "a deadline that stays would never pass"
            passed = due
            state, changes = rule.on_due(limit, state, after(last))
            told.extend(changes)

    for now in samples:
        for at_ms in settle_at:
            if (last.at_ms if last else -1) < at_ms < now.at_ms:
                state, _ = rule.settle(limit, state, after(last), at_ms)
        pass_time(now.at_ms)
        state, changes = rule.on_sample(limit, state, after(last), now)
        told.extend(changes)
        last = now
        pass_time(now.at_ms)
    if until is not None:
        pass_time(until)
    return state, told


def ended(told: list[Change]) -> list[Interval]:
    """The intervals that are over."""
    return [change.interval for change in told if isinstance(change, Ended)]


def test_outside_and_unmonitored_make_up_the_whole() -> None:
    """A gap and a BAD reading are counted apart; nothing is counted twice."""
    _, told = run(ABOVE, [good(0, -140), good(50, -140), bad(200), good(220, -140), good(260, -160)])
    (one,) = ended(told)
    assert (one.start_ms, one.end_ms) == (0, 260)
    # 0-50, then 50-150 by max_gap, then 220-260.
    assert (one.outside_ms, one.unmonitored_ms) == (190, 70)


samples = st.lists(
    st.tuples(st.integers(1, 150), st.sampled_from([-160, -151, -150, -149, -140, None, "?-140", "?-160"])),
    min_size=1,
    max_size=15,
)


def series(drawn: list[tuple[int, Any]]) -> list[Sample]:
    """Samples from steps and values; None is BAD, a text is UNCERTAIN."""
    at_ms, made = 0, []
    for step, value in drawn:
        at_ms += step
        if value is None:
            made.append(bad(at_ms))
        elif isinstance(value, str):
            number = int(value[1:])
            made.append(Sample(at_ms, number, number, UNCERTAIN))
        else:
            made.append(good(at_ms, value))
    return made


@given(samples, st.sampled_from(list(Crossing)), st.sampled_from([0, 5]))
def test_every_interval_is_accounted_for(
    drawn: list[tuple[int, Any]], crossing: Crossing, deadband: int
) -> None:
    """Monitored and unmonitored time of an excursion add up to its length, whatever came."""
    limit = replace(ABOVE, crossing=crossing, deadband=deadband)
    for one in ended(run(limit, series(drawn))[1]):
        assert one.end_ms is not None
        assert one.outside_ms + one.unmonitored_ms == one.end_ms - one.start_ms
        assert one.integral >= 0


@given(samples, st.sets(st.integers(1, 400), max_size=4), st.integers(0, 500))
def test_settling_anywhere_changes_no_sum(drawn: list[tuple[int, Any]], where: set[int], until: int) -> None:
    """A boundary that changes nothing for a rule (another product beside it, a reload) moves no sum."""
    made = series(drawn)
    plain, told = run(ABOVE, made)
    settled, told_too = run(ABOVE, made, settle_at=tuple(sorted(where)))
    assert told == told_too
    end = made[-1].at_ms + until
    assert rule.standing(ABOVE, plain, after(made[-1]), end) == rule.standing(
        ABOVE, settled, after(made[-1]), end
    )


@given(samples)
def test_below_mirrors_above(drawn: list[tuple[int, Any]]) -> None:
    """The same with all signs turned: the same intervals."""
    below = replace(ABOVE, side=Side.BELOW, limit=150, deadband=3)
    above = replace(ABOVE, deadband=3)
    made = series(drawn)
    turned = [Sample(s.at_ms, -s.high, -s.low, s.quality) for s in made]
    mine = [(i.start_ms, i.end_ms, i.outside_ms, i.integral) for i in ended(run(above, made)[1])]
    theirs = [(i.start_ms, i.end_ms, i.outside_ms, i.integral) for i in ended(run(below, turned)[1])]
    assert mine == theirs


def test_a_line_crosses_between_its_ends() -> None:
    """Interpolated: out at a quarter, back at three quarters; the area is that of the triangle."""
    limit = replace(ABOVE, crossing=Crossing.LINEAR, hold_ms=1000)
    _, told = run(limit, [good(0, -160), good(40, -120), good(80, -160)])
    (one,) = ended(told)
    assert (one.start_ms, one.end_ms, one.outside_ms, one.integral) == (10, 70, 60, 30 * 60 // 2)


@pytest.mark.parametrize("last", [bad(0), Sample(0, -160, -160, UNCERTAIN)], ids=["after BAD", "in doubt"])
def test_a_line_needs_two_good_ends(last: Sample) -> None:
    """From a reading that proves nothing no line is drawn."""
    limit = replace(ABOVE, crossing=Crossing.LINEAR, hold_ms=1000)
    _, told = run(limit, [last, good(40, -120)])
    assert told == [Opened(40)]


def test_an_interpolated_start_is_certain_only_with_its_sample() -> None:
    """The hold runs from the crossing, but nobody could know of it before the sample came."""
    limit = replace(ABOVE, crossing=Crossing.LINEAR, hold_ms=5)
    _, told = run(limit, [good(0, -160), good(40, -120)])
    assert told == [Opened(10), Triggered(10, 40)]


def test_what_is_denied_is_over_at_once() -> None:
    """The deadline passes, then the line shows that it had ended before: not triggered, no off-delay."""
    limit = replace(ABOVE, crossing=Crossing.LINEAR, hold_ms=30, off_delay_ms=1000)
    state, told = run(limit, [good(0, -149), good(40, -151)])
    (one,) = [change for change in told if isinstance(change, Ended)]
    assert (one.unconfirmed, one.interval.end_ms, one.interval.triggered_ms) == (True, 20, None)
    assert told[-1] == Returned(40)
    assert not rule.active(state)


def test_a_condition_from_before_outlasts_a_denial() -> None:
    """An excursion that is denied takes nothing from the one before it, which waits for its off-delay."""
    limit = replace(ABOVE, crossing=Crossing.LINEAR, hold_ms=30, off_delay_ms=50)
    samples = [good(0, -149), good(40, -149), good(60, -151), good(80, -149), good(118, -151)]
    state, told = run(limit, samples)
    assert [change.unconfirmed for change in told if isinstance(change, Ended)] == [False, True]
    assert rule.active(state)


def test_off_delay_needs_good_time_without_a_break() -> None:
    """A doubtful value, a BAD one and a gap each begin it anew."""
    limit = replace(ABOVE, hold_ms=0, off_delay_ms=30)
    for broken_by in (bad(30), Sample(30, -160, -160, UNCERTAIN)):
        state, told = run(limit, [good(0, -140), good(10, -160), broken_by, good(40, -160), good(60, -160)])
        assert rule.active(state), told
        state, _ = rule.on_sample(limit, state, after(good(60, -160)), good(70, -160))
        assert not rule.active(state)
    state, _ = run(limit, [good(0, -140), good(10, -160), good(10 + GAP + 1, -160)])
    assert rule.active(state)


WORDS: list[dict[str, Any]] = [
    {"title": "x"},
    {"advice": "x"},
    {"cited": Cited("x", "x", "x")},
    {"priority": Priority.LOW},
    {"re_alarm_ms": 5},
    {"latched": True},
    {"off_delay_ms": 5},
    {"guarded": True},  # what it does to the limit is what counts
    {"guard": 3},
    {"settle": Settle(Side.ABOVE, -150, 5)},  # what is settled once stays so
]
NUMBERS: list[dict[str, Any]] = [
    {"side": Side.BELOW},
    {"limit": -151},
    {"outside": Outside.AT_OR_BEYOND},
    {"hold_ms": 11},
    {"fires": Fires.ON_READING},
    {"crossing": Crossing.LINEAR},
    {"deadband": 1},
]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: next(iter(words)))
def test_what_is_only_words_is_the_same(words: dict[str, Any]) -> None:
    """A reload that changes what people or the alarm see of a limit touches no excursion."""
    assert rule.same(ABOVE, replace(ABOVE, **words))


@pytest.mark.parametrize("words", NUMBERS, ids=lambda words: next(iter(words)))
def test_what_is_judged_by_is_not(words: dict[str, Any]) -> None:
    """A limit that would judge otherwise is another one."""
    assert not rule.same(ABOVE, replace(ABOVE, **words))


def test_every_field_of_a_limit_is_one_or_the_other() -> None:
    """A field added to the plan must say here whether it judges."""
    named = {key for words in (*WORDS, *NUMBERS) for key in words} | {"id", "role"}
    assert named == set(Limit.__struct_fields__)


def test_a_changed_limit_waits_for_a_reading_that_counts() -> None:
    """Open, then in doubt, then changed: closed with the reason, and nothing opens by the doubtful value."""
    state, _ = run(ABOVE, [good(0, -140)])
    doubtful = Sample(5, -140, -140, UNCERTAIN)
    state, _ = rule.on_sample(ABOVE, state, after(good(0, -140)), doubtful)
    state, told = rule.reconfigure(ABOVE, replace(ABOVE, hold_ms=2), state, after(doubtful), 6)
    assert [change.interval.why_ended for change in told if isinstance(change, Ended)] == [LIMITS_CHANGED]
    assert state.open is None


def test_what_comes_back_into_force_remembers_its_alarm_and_nothing_else() -> None:
    """A stage without the rule lies between: the condition lasts until a reading says otherwise."""
    state, _ = run(replace(ABOVE, hold_ms=0), [good(0, -140)])
    left, told = rule.end(ABOVE, state, after(good(0, -140)), 5, PRODUCT_CHANGED)
    assert [change.interval.outside_ms for change in told if isinstance(change, Ended)] == [5]
    state, told = rule.resume(ABOVE, left, after(None), 50)
    assert (rule.active(state), state.open, told) == (True, None, ())


@pytest.mark.parametrize(
    ("before", "after", "area"),
    [(-5, -1, 0), (0, 0, 0), (4, 6, 50), (0, 10, 50), (-10, 10, 25), (10, -10, 25), (10, -30, 12)],
)
def test_area_beyond_a_limit(before: int, after: int, area: int) -> None:
    """Under a line over ten ms, in whole units, rounded down; inside counts nothing."""
    assert area_beyond(before, after, 10) == area
