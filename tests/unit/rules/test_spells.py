"""A condition that is there or not: what a spell says when it is cut, and how age, spike and stuck use it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.model import Side
from coldchain.plan import Age, KineticMean, Rate, Rolling, Rule, Spike, Stuck
from coldchain.rules.age import AgeState
from coldchain.rules.book import judge_of
from coldchain.rules.judging import (
    BAD,
    GOOD,
    LIMITS_CHANGED,
    STAGE_OVER,
    UNCERTAIN,
    Ended,
    Interval,
    Opened,
    Returned,
    Sample,
    Triggered,
)
from coldchain.rules.spell import NONE, Spell, cut, shown, turn
from tests.unit.rules.seen import Shown
from tests.unit.rules.test_windows import WORDS

BEGUN = Interval("r", 100, triggered_ms=100, extreme=7, extreme_ms=100)


def good(at_ms: int, value: int) -> Sample:
    """A GOOD sample."""
    return Sample(at_ms, value, value, GOOD)


def test_a_cut_ends_the_excursion_and_says_why() -> None:
    """With its end and its length; the alarm's condition is somebody else's matter."""
    left, changes = cut(Spell(BEGUN, active=True), 250, LIMITS_CHANGED)
    assert changes == (Ended(replace(BEGUN, end_ms=250, outside_ms=150, why_ended=LIMITS_CHANGED)),)
    assert left == Spell(active=True)
    assert cut(left, 300, LIMITS_CHANGED) == (left, ())


def test_a_spell_from_its_beginning_to_its_end() -> None:
    """It keeps the worst value with its instant, passes over what is not worse, and ends with its length."""
    spell, changes = turn("r", NONE, True, 100, 7)
    assert (spell, changes) == (Spell(BEGUN, active=True), (Opened(100), Triggered(100, 100)))
    spell, changes = turn("r", spell, True, 150, 9, worse=True)
    assert (spell.open, changes) == (replace(BEGUN, extreme=9, extreme_ms=150), ())
    assert turn("r", spell, True, 180, 8) == (spell, ())
    over = replace(BEGUN, extreme=9, extreme_ms=150, end_ms=260, outside_ms=160)
    assert turn("r", spell, False, 260, 1) == (NONE, (Ended(over), Returned(260)))


def test_a_condition_that_outlasts_its_excursion_returns_when_a_reading_says_so() -> None:
    """Cut by a reload, the alarm still stands; it goes at the instant of the reading that shows the end."""
    assert turn("r", Spell(active=True), False, 300, 1) == (NONE, (Returned(300),))


@pytest.mark.parametrize(("at_ms", "outside_ms"), [(100, 0), (101, 1), (250, 150), (90, 0)])
def test_an_open_spell_is_shown_with_its_length_so_far(at_ms: int, outside_ms: int) -> None:
    """Never less than nothing, though somebody ask for an instant before it began."""
    assert shown(Spell(BEGUN, active=True), at_ms) == replace(BEGUN, outside_ms=outside_ms)
    assert shown(NONE, at_ms) is None


@pytest.mark.parametrize("on", [True, False, None])
def test_nothing_happens_twice(on: bool | None) -> None:
    """What is not there cannot end, what is there cannot begin, and nothing told changes nothing."""
    spell = Spell(BEGUN, active=True) if on else NONE
    assert turn("r", spell, on, 200, 9) == (spell, ())


# --- In force, out of force, and in force again: the same for all kinds that have a spell -------------------

COLD = Shown(last=Sample(220, 7, 7, GOOD), samples=(Sample(150, 9, 9, GOOD), Sample(220, 7, 7, GOOD)))
KINDS: list[tuple[Rule, dict[str, int]]] = [
    (Rate(**WORDS, side=Side.ABOVE, limit=4, within_ms=150), {"limit": 5}),
    (Stuck(**WORDS, for_ms=100), {"for_ms": 101}),
    (Spike(**WORDS, limit=9), {"limit": 8}),
    (Rolling(**WORDS, side=Side.ABOVE, limit=8, allowance_ms=10, window_ms=400), {"limit": 6}),
    (KineticMean(**WORDS, limit=6, window_ms=300, energy_kj_mol="83.144"), {"limit": 8}),
]
ALL_KINDS = pytest.mark.parametrize(
    ("rule", "numbers"), KINDS, ids=[type(rule).__name__ for rule, _ in KINDS]
)
LASTING = Spell(BEGUN, active=True)
CUT = Spell(active=True)


@ALL_KINDS
def test_a_changed_rule_begins_anew_with_the_alarm_that_stood(rule: Rule, numbers: dict[str, int]) -> None:
    """The excursion is closed because the numbers changed; the alarm waits for a reading that ends it."""
    judge, other = judge_of(rule), replace(rule, **numbers)
    state = replace(judge.start(rule, COLD, 0)[0], spell=LASTING)
    found, changes = judge.reconfigure(rule, other, state, COLD, 250)
    assert found == replace(judge.start(other, COLD, 250)[0], spell=CUT)
    assert changes == (Ended(replace(BEGUN, end_ms=250, outside_ms=150, why_ended=LIMITS_CHANGED)),)
    quiet = judge.start(rule, COLD, 0)[0]
    assert judge.reconfigure(rule, other, quiet, COLD, 250) == (judge.start(other, COLD, 250)[0], ())


@ALL_KINDS
def test_a_rule_out_of_force_says_why_and_comes_back(rule: Rule, numbers: dict[str, int]) -> None:
    """It ends with the reason given, and comes back with what is known then and the alarm that stood."""
    judge = judge_of(rule)
    state = replace(judge.start(rule, COLD, 0)[0], spell=LASTING)
    left, changes = judge.end(rule, state, COLD, 250, STAGE_OVER)
    assert left == replace(state, spell=CUT)
    assert changes == (Ended(replace(BEGUN, end_ms=250, outside_ms=150, why_ended=STAGE_OVER)),)
    back = judge.resume(rule, left, COLD, 400)
    assert back == (replace(judge.start(rule, COLD, 400)[0], spell=CUT), ())


@ALL_KINDS
def test_what_an_open_spell_shows(rule: Rule, numbers: dict[str, int]) -> None:
    """Its excursion so far and whether it lasts; a boundary that changes nothing for it changes nothing."""
    judge = judge_of(rule)
    quiet, changes = judge.start(rule, COLD, 230)
    assert changes == ()
    state, now = replace(quiet, spell=LASTING), good(240, 7)
    assert judge.standing(rule, state, COLD, 250) == replace(BEGUN, outside_ms=150)
    assert judge.standing(rule, quiet, COLD, 250) is None
    assert (judge.active(state), judge.active(quiet)) == (True, False)
    assert (judge.shows(rule, state, now), judge.shows(rule, quiet, now)) == (True, False)
    assert judge.settle(rule, state, COLD, 250) == (state, ())
    if not isinstance(rule, Rolling):  # which has a deadline of its own
        assert judge.due_ms(rule, state, COLD) is None
        assert judge.on_due(rule, state, COLD) == (state, ())


# --- Age ---------------------------------------------------------------------------------------------------

AGE = Age(**{**WORDS, "role": "lane"}, max_ms=100, since_ms=50)
ACTIVE = AgeState(0, Spell(Interval("r", 150, triggered_ms=150, extreme_ms=150), active=True))


def test_an_age_begins_at_its_instant_and_has_no_value() -> None:
    """It is named after its rule; its extreme is nought, since nothing was measured."""
    judge, seen = judge_of(AGE), Shown()
    state, _ = judge.start(AGE, seen, 0)
    assert judge.due_ms(AGE, state, seen) == 150
    state, changes = judge.on_due(AGE, state, seen)
    assert changes == (Opened(150), Triggered(150, 150))
    assert state == ACTIVE
    assert judge.on_due(AGE, state, seen) == (state, ())
    assert judge.standing(AGE, state, seen, 170) == replace(state.spell.open, outside_ms=20)
    assert judge.standing(AGE, AgeState(), seen, 170) is None
    assert judge.on_due(replace(AGE, since_ms=None), AgeState(), seen) == (AgeState(), ())


@pytest.mark.parametrize("why", [STAGE_OVER, LIMITS_CHANGED])
def test_an_age_that_is_over_says_so_once(why: str) -> None:
    """Excursion and condition end together; of one that never was nothing is said."""
    judge, seen = judge_of(AGE), Shown()
    over = Ended(replace(ACTIVE.spell.open, end_ms=400, outside_ms=250, why_ended=why))
    if why == STAGE_OVER:
        assert judge.end(AGE, ACTIVE, seen, 400, why) == (AgeState(400), (over, Returned(400)))
        assert judge.end(AGE, AgeState(7), seen, 400, why) == (AgeState(400), ())
    else:
        other = replace(AGE, max_ms=1000)
        assert judge.reconfigure(AGE, other, ACTIVE, seen, 400) == (AgeState(400), (over, Returned(400)))
        assert judge.reconfigure(AGE, other, AgeState(7), seen, 400) == (AgeState(400), ())


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        ({"title": "else"}, True),
        ({"max_ms": 101}, False),
        ({"since_ms": 51}, False),
        ({"since_ms": None}, False),
    ],
)
def test_ages_are_alike_if_they_fall_due_together(other: dict[str, object], alike: bool) -> None:
    """Words change nothing."""
    assert judge_of(AGE).same(AGE, replace(AGE, **other)) is alike


# --- Calm bands: proven, and as wide as they may be ---------------------------------------------------------

SPIKE = Spike(**WORDS, limit=9)
STUCK = Stuck(**WORDS, for_ms=100, tolerance=2)
RATE = Rate(**WORDS, side=Side.ABOVE, limit=4, within_ms=150)
FALL = replace(RATE, side=Side.BELOW)


def test_the_band_of_a_spike_is_half_a_jump_to_either_side() -> None:
    """Two values in it lie no further apart than 8, which is no jump of more than 9."""
    judge, state = judge_of(SPIKE), judge_of(SPIKE).start(SPIKE, Shown(), 0)[0]
    band = judge.band(SPIKE, state, Shown(last=Sample(5, 100, 101, GOOD)))
    assert band is not None
    assert (band.low, band.high) == (97, 104)
    assert type(band.low) is type(band.high) is int  # a float would decide otherwise on another machine


@pytest.mark.parametrize(
    "last", [None, Sample(5, 0, 0, BAD), Sample(5, 100, 100, UNCERTAIN)], ids=["none", "bad", "uncertain"]
)
def test_a_spike_has_no_band_without_a_good_reading(last: Sample | None) -> None:
    """The next reading is compared with nothing: it must be looked at."""
    judge, state = judge_of(SPIKE), judge_of(SPIKE).start(SPIKE, Shown(), 0)[0]
    assert judge.band(SPIKE, state, Shown(last=last)) is None


def test_a_spike_has_no_band_while_it_lasts() -> None:
    """Its end is asked for."""
    judge, seen = judge_of(SPIKE), Shown(last=good(1, 0))
    state, _ = judge.on_sample(SPIKE, judge.start(SPIKE, seen, 0)[0], seen, good(2, 50))
    assert judge.band(SPIKE, state, Shown(last=good(2, 50))) is None


series = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from([0, 1, 2, 3, 5]), st.sampled_from([0, 0, 1])),
    min_size=2,
    max_size=20,
)


@pytest.mark.parametrize("rule", [STUCK, RATE, FALL], ids=["stuck", "rise", "fall"])
@given(steps=series)
def test_what_was_skipped_is_caught_up_with(rule: Rule, steps: list[tuple[int, int, int]]) -> None:
    """Asked about none of the readings after the first, and told of them later, it stands as if asked."""
    judge, at, seen = judge_of(rule), 0, Shown(known=1)
    asked = judge.start(rule, seen, 0)[0]
    known = None
    for step, value, more in steps:
        at += step
        now = Sample(at, value, value + more, GOOD)
        asked, _ = judge.on_sample(rule, asked, seen, now)
        seen.samples, seen.last = (*seen.samples, now), now
        known = asked if known is None else known  # from here on it is not asked any more
    assert replace(judge.sync(rule, known, seen), spell=NONE) == replace(asked, spell=NONE)


@pytest.mark.parametrize(
    ("rule", "other"),
    [
        (SPIKE, {"limit": 10}),
        (STUCK, {"for_ms": 101}),
        (STUCK, {"tolerance": 3}),
        (RATE, {"side": Side.BELOW}),
        (RATE, {"limit": 5}),
        (RATE, {"within_ms": 151}),
    ],
    ids=lambda part: next(iter(part)) if isinstance(part, dict) else type(part).__name__,
)
def test_words_change_no_judgement(rule: Rule, other: dict[str, object]) -> None:
    """A title is no parameter; a number is, whichever of the two was in force before."""
    same, changed = judge_of(rule).same, replace(rule, **other)
    assert same(rule, replace(rule, title="else"))
    assert not same(rule, changed)
    assert not same(changed, rule)
