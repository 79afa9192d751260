"""A condition that is there or not: what a spell says when it is cut, and how age, spike and stuck use it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.model import Side
from coldchain.plan import Age, Rate, Rule, Spike, Stuck
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
from coldchain.rules.spell import NONE, Spell, cut, turn
from tests.unit.rules.seen import Shown
from tests.unit.rules.test_windows import WORDS

BEGUN = Interval("r", 100, triggered_ms=100, extreme=7, extreme_ms=100)


def test_a_cut_ends_the_excursion_and_says_why() -> None:
    """With its end and its length; the alarm's condition is somebody else's matter."""
    left, changes = cut(Spell(BEGUN, active=True), 250, LIMITS_CHANGED)
    assert changes == (Ended(replace(BEGUN, end_ms=250, outside_ms=150, why_ended=LIMITS_CHANGED)),)
    assert left == Spell(active=True)
    assert cut(left, 300, LIMITS_CHANGED) == (left, ())


@pytest.mark.parametrize("on", [True, False, None])
def test_nothing_happens_twice(on: bool | None) -> None:
    """What is not there cannot end, what is there cannot begin, and nothing told changes nothing."""
    spell = Spell(BEGUN, active=True) if on else NONE
    assert turn("r", spell, on, 200, 9) == (spell, ())


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


def good(at_ms: int, value: int) -> Sample:
    """A GOOD sample."""
    return Sample(at_ms, value, value, GOOD)


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
    st.tuples(st.integers(1, 60), st.sampled_from([0, 1, 2, 3, 5, None])), min_size=1, max_size=20
)


@pytest.mark.parametrize("rule", [STUCK, RATE], ids=["stuck", "rate"])
@given(steps=series)
def test_what_was_skipped_is_caught_up_with(rule: Rule, steps: list[tuple[int, int | None]]) -> None:
    """Asked about none of the readings after the first, and told of them later, it stands as if asked."""
    judge, at, seen = judge_of(rule), 0, Shown()
    asked = judge.start(rule, seen, 0)[0]
    skipped, begun = None, asked
    for step, value in steps:
        at += step
        now = Sample(at, value or 0, value or 0, BAD if value is None else GOOD)
        asked, _ = judge.on_sample(rule, asked, seen, now)
        seen.samples, seen.last = (*seen.samples, now), now
        if skipped is None and asked != begun:
            skipped = asked  # from here on it is not asked any more
    found = judge.sync(rule, begun if skipped is None else skipped, seen)
    if skipped is None:
        assert found == begun
    elif seen.last is not None and seen.last.quality == BAD:
        assert found == skipped  # it is caught up with at the next reading that has a value
    else:
        assert replace(found, spell=NONE) == replace(asked, spell=NONE)


@pytest.mark.parametrize("rule", [STUCK, RATE], ids=["stuck", "rate"])
def test_there_is_nothing_to_catch_up_with(rule: Rule) -> None:
    """A rule that has just come into force knows of no reading before; another probe has sent none yet."""
    judge = judge_of(rule)
    fresh, _ = judge.start(rule, Shown(), 0)
    assert judge.sync(rule, fresh, Shown(last=good(5, 3))) == fresh
    begun, _ = judge.on_sample(rule, fresh, Shown(), good(5, 3))
    assert judge.sync(rule, begun, Shown(last=None)) == begun


def rules() -> list[Rule]:
    """One of each kind here."""
    return [SPIKE, STUCK]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: type(rule).__name__)
def test_words_change_no_judgement(rule: Rule) -> None:
    """A title is no parameter; a number is."""
    same = judge_of(rule).same
    assert same(rule, replace(rule, title="else"))
    number = {"limit": 10} if isinstance(rule, Spike) else {"for_ms": 101}
    assert not same(rule, replace(rule, **number))
    if isinstance(rule, Stuck):
        assert not same(rule, replace(rule, tolerance=3))
