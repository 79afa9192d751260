"""What rules about the past remember, to the field: rolling budgets, means, rates, stuck values, spikes."""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction

import pytest
from msgspec.structs import replace

from coldchain.model import Side
from coldchain.plan import Fires, KineticMean, Outside, Rate, Rolling, Rule, Spike, Stuck
from coldchain.rules.book import judge_of
from coldchain.rules.judging import (
    BAD,
    GOOD,
    UNCERTAIN,
    Band,
    Ended,
    Interval,
    Opened,
    Returned,
    Sample,
    Triggered,
)
from coldchain.rules.kinetic import Kinetic
from coldchain.rules.mean import MeanState
from coldchain.rules.rate import RateState
from coldchain.rules.rolling import RollingState, spent_ms
from coldchain.rules.spell import NONE, Spell
from coldchain.rules.spike import SpikeState
from coldchain.rules.stuck import StuckState
from tests.unit.rules.seen import GAP, Shown
from tests.unit.rules.test_windows import WORDS


def wide(at_ms: int, low: int, high: int, quality: int = GOOD) -> Sample:
    """Several readings in one instant: from the lowest to the highest."""
    return Sample(at_ms, low, high, quality)


def good(at_ms: int, value: int) -> Sample:
    """One GOOD reading."""
    return wide(at_ms, value, value)


def past(*made: Sample, since_ms: int = 0) -> Shown:
    """A place at which this was measured; of all but the first a rule has not heard if it asks for that."""
    return Shown(made[-1] if made else None, since_ms=since_ms, samples=made, known=1)


def began(at_ms: int, extreme: int) -> Interval:
    """A spell's excursion that has just begun."""
    return Interval("r", at_ms, at_ms, extreme=extreme, extreme_ms=at_ms)


def words_and_numbers(rule: Rule, **numbers: object) -> None:
    """A title changes no judgement; each of these does, whichever of the two was in force before."""
    same = judge_of(rule).same
    assert same(rule, replace(rule, title="else"))
    for name, number in numbers.items():
        other = replace(rule, **{name: number})
        assert not same(rule, other), name
        assert not same(other, rule), name


# --- A budget within a rolling window

ROLLING = Rolling(**WORDS, side=Side.ABOVE, limit=8, allowance_ms=50, window_ms=400)
FALLING = replace(ROLLING, side=Side.BELOW, limit=2)
CHARGED = replace(ROLLING, charge_unmonitored=True)
LATER = replace(ROLLING, fires=Fires.ON_READING)
AT = replace(ROLLING, exceeded=Outside.AT_OR_BEYOND)
ROLL = judge_of(ROLLING)


def test_a_rolling_budget_knows_what_was_before_it() -> None:
    """Of this product, and no longer ago than its window."""
    seen = past(good(0, 9), good(30, 5), good(100, 9))
    assert ROLL.start(ROLLING, seen, 120) == (RollingState(0, 120, 50), ())
    assert ROLL.start(ROLLING, replace_since(seen, 20), 120) == (RollingState(20, 120, 30), ())
    assert ROLL.start(ROLLING, seen, 420) == (RollingState(20, 420, 10 + GAP), ())
    assert ROLL.start(CHARGED, seen, 420) == (RollingState(20, 420, 10 + GAP + 220), ())
    assert ROLL.start(ROLLING, seen, 0) == (RollingState(0, 0, 0), ())
    gap = past(good(0, 9), good(200, 9))
    assert ROLL.start(ROLLING, gap, 220) == (RollingState(0, 220, GAP + 20), ())
    assert ROLL.start(CHARGED, gap, 220) == (RollingState(0, 220, 220), ())


def replace_since(seen: Shown, since_ms: int) -> Shown:
    """The same past, of a product that came later."""
    return Shown(seen.last, seen.gap_ms, since_ms, seen.samples)


def test_the_window_moves_with_its_readings() -> None:
    """It takes in what is new and takes off what leaves; one that has left all behind begins anew."""
    seen = past(good(0, 9), good(30, 5), good(100, 9))
    state, changes = ROLL.on_sample(ROLLING, RollingState(0, 100, 30), seen, good(120, 5))
    assert (state, changes) == (RollingState(0, 120, 50), ())
    state, _ = ROLL.on_sample(ROLLING, RollingState(0, 120, 50), seen, good(410, 5))
    assert state == RollingState(10, 410, 20 + GAP, Spell(began(410, 8), active=True))
    state, _ = ROLL.on_sample(ROLLING, RollingState(0, 120, 50), seen, good(900, 5))
    assert state == RollingState(500, 900, 0)
    lasting = RollingState(0, 120, 60, Spell(began(60, 9), active=True))
    state, changes = ROLL.on_sample(ROLLING, lasting, seen, good(900, 5))
    assert (state, changes[-1]) == (RollingState(500, 900, 0), Returned(900))
    assert spent_ms(ROLLING, RollingState(0, 100, 30), seen, 130) == 60
    assert spent_ms(ROLLING, RollingState(0, 130, 60), seen, 100) == 60


@pytest.mark.parametrize(
    ("rule", "now", "extreme"),
    [
        (ROLLING, wide(60, 1, 11), 11),
        (ROLLING, wide(60, 1, 5), 8),
        (ROLLING, wide(60, 0, 0, BAD), 8),
        (replace(ROLLING, outside=Outside.AT_OR_BEYOND), wide(60, 1, 8), 8),
        (FALLING, wide(60, 1, 11), 1),
        (FALLING, wide(60, 3, 11), 2),
    ],
)
def test_too_much_in_the_window_is_said_with_the_reading(rule: Rolling, now: Sample, extreme: int) -> None:
    """With its value where that is outside, else on the limit."""
    seen = past(wide(0, 1, 9))
    state, changes = ROLL.on_sample(rule, RollingState(0, 0, 0), seen, now)
    assert changes == (Opened(60), Triggered(60, 60))
    assert state == RollingState(0, 60, 60, Spell(began(60, extreme), active=True))


@pytest.mark.parametrize(
    ("rule", "now", "extreme"),
    [
        (ROLLING, wide(70, 1, 12), (12, 70)),
        (ROLLING, wide(70, 1, 9), (9, 60)),
        (ROLLING, wide(70, 1, 5), (9, 60)),
        (FALLING, wide(70, -1, 12), (-1, 70)),
        (FALLING, wide(70, 3, 12), (9, 60)),
    ],
)
def test_its_extreme_is_the_furthest(rule: Rolling, now: Sample, extreme: tuple[int, int]) -> None:
    """A value inside, or just as far, does not move it."""
    state = RollingState(0, 60, 60, Spell(began(60, 9), active=True))
    moved, changes = ROLL.on_sample(rule, state, past(wide(0, 1, 9), wide(60, 1, 9)), now)
    assert changes == ()
    assert moved.spell.open is not None
    assert (moved.spell.open.extreme, moved.spell.open.extreme_ms) == extreme


@pytest.mark.parametrize(
    ("now", "over"),
    [
        (good(410, 5), True),
        (good(410, 9), False),
        (wide(410, 5, 5, UNCERTAIN), False),
        (wide(410, 0, 0, BAD), False),
    ],
    ids=["good inside", "outside", "doubtful", "bad"],
)
def test_it_is_over_with_a_good_reading_inside(now: Sample, over: bool) -> None:
    """60 ms were spent, 10 of them have left the window of 400: 50 are allowed."""
    state = RollingState(0, 60, 60, Spell(began(51, 9), active=True))
    moved, changes = ROLL.on_sample(ROLLING, state, past(good(0, 9), good(60, 5)), now)
    assert moved.spent_ms == 50
    assert (changes != ()) is over
    if over:
        ended = Interval("r", 51, 51, 410, 9, 51, 359)
        assert changes == (Ended(ended), Returned(410))
        assert moved.spell is NONE


@pytest.mark.parametrize(
    ("rule", "state", "seen", "due"),
    [
        (ROLLING, RollingState(0, 0, 0), past(good(0, 9)), 51),
        (AT, RollingState(0, 0, 0), past(good(0, 9)), 50),
        (ROLLING, RollingState(0, 10, 10), past(good(0, 9)), 51),
        (ROLLING, RollingState(0, 30, 60), past(good(30, 9)), 30),
        (replace(ROLLING, allowance_ms=GAP - 1), RollingState(0, 0, 0), past(good(0, 9)), GAP),
        (replace(ROLLING, allowance_ms=GAP), RollingState(0, 0, 0), past(good(0, 9)), None),
        (ROLLING, RollingState(0, 0, 0), past(good(0, 5)), None),
        (ROLLING, RollingState(0, 0, 0), past(wide(0, 0, 0, BAD)), None),
        (ROLLING, RollingState(0, 0, 0), Shown(None), None),
        (LATER, RollingState(0, 0, 0), past(good(0, 9)), None),
        (ROLLING, RollingState(0, 0, 0, Spell(active=True)), past(good(0, 9)), None),
        (CHARGED, RollingState(0, 0, 0), past(good(0, 5)), GAP + 51),
        (CHARGED, RollingState(0, 20, 0), past(good(0, 5)), GAP + 51),
        (CHARGED, RollingState(0, GAP + 20, 20), past(good(0, 5)), GAP + 51),
        (CHARGED, RollingState(0, 20, 0), past(wide(20, 5, 5, UNCERTAIN)), 71),
        (CHARGED, RollingState(0, 20, 0), past(wide(20, 0, 0, BAD)), 71),
        (CHARGED, RollingState(0, 0, 0), past(good(0, 9)), 51),
        (replace(CHARGED, allowance_ms=GAP + 9), RollingState(0, 0, 0), past(good(0, 9)), GAP + 10),
    ],
)
def test_when_too_much_will_be_in_the_window(
    rule: Rolling, state: RollingState, seen: Shown, due: int | None
) -> None:
    """If nothing else comes. Time without evidence counts only where the profile says so."""
    assert ROLL.due_ms(rule, state, seen) == due


def test_what_leaves_the_window_meanwhile_puts_it_off() -> None:
    """40 ms spent at 0 leave from 400 on. 51 are too much: 11 more by then, or 51 once they have left."""
    seen = past(good(0, 9), good(40, 5), good(395, 9))
    assert ROLL.due_ms(ROLLING, RollingState(0, 395, 40), seen) == 446
    later = past(good(5, 9), good(45, 5), good(395, 9))
    assert ROLL.due_ms(ROLLING, RollingState(0, 395, 40), later) == 446
    early = past(good(0, 9), good(40, 5), good(380, 9))
    assert ROLL.due_ms(ROLLING, RollingState(0, 380, 40), early) == 391
    edge = past(good(0, 9), good(40, 5), good(389, 9))
    assert ROLL.due_ms(ROLLING, RollingState(0, 389, 40), edge) == 400


def test_a_reading_may_find_the_allowance_itself() -> None:
    """Just 50 ms: too much only where the rule says so."""
    seen = past(good(0, 9))
    assert ROLL.on_sample(ROLLING, RollingState(0, 0, 0), seen, good(50, 9))[1] == ()
    assert ROLL.on_sample(AT, RollingState(0, 0, 0), seen, good(50, 9))[1] == (Opened(50), Triggered(50, 50))


def test_by_time_alone_it_is_exceeded_at_that_ms() -> None:
    """With the last value, or the limit where there is none; the sums follow with the next reading."""
    seen = past(wide(0, 1, 9))
    state, changes = ROLL.on_due(ROLLING, RollingState(0, 0, 0), seen)
    assert changes == (Opened(51), Triggered(51, 51))
    assert state == RollingState(0, 0, 0, Spell(began(51, 9), active=True))
    assert ROLL.on_due(LATER, RollingState(0, 0, 0), seen) == (RollingState(0, 0, 0), ())
    state, _ = ROLL.on_due(CHARGED, RollingState(0, 20, 0), past(wide(20, 0, 0, BAD)))
    assert state.spell == Spell(began(71, 8), active=True)


def test_the_calm_band_of_a_rolling_budget() -> None:
    """What is inside, while nothing is wrong and no deadline moves."""
    calm, wrong = RollingState(0, 0, 0), RollingState(0, 0, 0, Spell(active=True))
    inside = past(good(0, 5))
    assert ROLL.band(ROLLING, calm, inside) == Band(high=8)
    assert ROLL.band(replace(ROLLING, outside=Outside.AT_OR_BEYOND), calm, inside) == Band(high=7)
    assert ROLL.band(ROLLING, wrong, inside) is None
    assert ROLL.band(ROLLING, calm, Shown(None)) is None
    assert ROLL.band(ROLLING, calm, past(good(0, 9))) is None
    assert ROLL.band(CHARGED, calm, inside) is None
    assert ROLL.band(replace(CHARGED, fires=Fires.ON_READING), calm, inside) == Band(high=8)


def test_a_rolling_budget_catches_up() -> None:
    """Up to the last reading, with what counted until then."""
    seen = past(good(0, 9), good(30, 5))
    assert ROLL.sync(ROLLING, RollingState(0, 0, 0), seen) == RollingState(0, 30, 30)


def test_which_numbers_make_it_another_budget() -> None:
    """All by which it judges."""
    words_and_numbers(
        ROLLING,
        side=Side.BELOW,
        limit=9,
        allowance_ms=51,
        window_ms=401,
        outside=Outside.AT_OR_BEYOND,
        exceeded=Outside.AT_OR_BEYOND,
        fires=Fires.ON_READING,
        charge_unmonitored=True,
    )


# --- The mean kinetic temperature of a window

MEAN = KineticMean(**WORDS, limit=8000, window_ms=300, energy_kj_mol="83.144")
WEIGHT = Kinetic(Fraction("83.144")).weight
MKT = judge_of(MEAN)


def sums(*parts: tuple[int, int]) -> tuple[int, int]:
    """Weights times ms, and ms, of (value, ms)."""
    return sum(WEIGHT(value) * span for value, span in parts), sum(span for _, span in parts)


def test_a_mean_knows_what_was_before_it() -> None:
    """Of this product and its window; and when the newest value that was warm counted last."""
    seen = past(good(0, 9000), good(40, 5000), good(90, 5000))
    assert MKT.start(MEAN, seen, 120) == (MeanState(0, 120, *sums((9000, 40), (5000, 80)), 40), ())
    younger = replace_since(seen, 20)
    assert MKT.start(MEAN, younger, 120) == (MeanState(20, 120, *sums((9000, 20), (5000, 80)), 40), ())
    assert MKT.start(MEAN, seen, 340)[0] == MeanState(40, 340, *sums((5000, 50 + GAP)), None)
    on = past(good(0, 8000))
    assert MKT.start(MEAN, on, 20)[0].warm_ms is None
    assert MKT.start(replace(MEAN, outside=Outside.AT_OR_BEYOND), on, 20)[0].warm_ms == 20
    assert MKT.start(MEAN, past(wide(0, 9000, 9000, UNCERTAIN)), 20)[0] == MeanState(0, 20, 0, 0, None)


def test_a_mean_is_judged_when_its_window_is_full() -> None:
    """At 299 nothing is said, at 300 it is, with the mean to a thousandth and the window's sums."""
    seen = past(good(0, 9000), good(100, 9000), good(200, 9000))
    begun = MKT.start(MEAN, past(), 0)[0]
    early, changes = MKT.on_sample(MEAN, begun, seen, good(299, 9000))
    assert (early, changes) == (MeanState(0, 299, *sums((9000, 299)), 299), ())
    full, changes = MKT.on_sample(MEAN, begun, seen, good(300, 9000))
    assert changes == (Opened(300), Triggered(300, 300))
    assert full == MeanState(0, 300, *sums((9000, 300)), 300, Spell(began(300, 9000), active=True))
    later = MKT.start(MEAN, replace_since(past(), 1), 1)[0]
    assert MKT.on_sample(MEAN, later, replace_since(seen, 1), good(300, 9000))[1] == ()


@pytest.mark.parametrize(
    "now", [wide(300, 9000, 9000, UNCERTAIN), wide(300, 0, 0, BAD)], ids=["doubtful", "bad"]
)
def test_a_mean_is_judged_with_good_readings(now: Sample) -> None:
    """The window moves all the same."""
    seen = past(good(0, 9000), good(100, 9000), good(200, 9000))
    state, changes = MKT.on_sample(MEAN, MeanState(0, 0), seen, now)
    assert (state, changes) == (MeanState(0, 300, *sums((9000, 300)), 300), ())


def test_a_mean_of_nothing_is_not_judged() -> None:
    """No GOOD reading in the window: neither above nor below."""
    known = Spell(began(10, 9000), active=True)
    state, changes = MKT.on_sample(MEAN, MeanState(0, 0, spell=known), past(), good(300, 9000))
    assert (state, changes) == (MeanState(0, 300, 0, 0, None, known), ())


def test_a_mean_of_one_ms_is_judged() -> None:
    """All that was measured in the window: warm."""
    state, changes = MKT.on_sample(MEAN, MeanState(0, 0), past(good(299, 9000)), good(300, 9000))
    assert (state.time_ms, changes) == (1, (Opened(300), Triggered(300, 300)))


def test_a_mean_of_what_weighs_nothing_is_below() -> None:
    """After the alarm the whole window lies at −250 °C, where no weight is left: it is over."""
    cold = past(good(0, -250_000), good(100, -250_000), good(200, -250_000))
    spell = Spell(began(10, 9000), active=True)
    state, changes = MKT.on_sample(MEAN, MeanState(0, 0, spell=spell), cold, good(300, -250_000))
    assert state == MeanState(0, 300, 0, 300)
    assert changes[-1] == Returned(300)


def test_a_mean_moves_to_its_worst_and_ends() -> None:
    """Its extreme is the highest mean; on the limit it is over, unless that is outside."""
    seen = past(good(0, 9000), good(100, 9000), good(200, 9000))
    spell = Spell(began(300, 8500), active=True)
    worse, changes = MKT.on_sample(MEAN, MeanState(0, 0, spell=spell), seen, good(300, 5000))
    assert changes == ()
    assert worse.spell.open == replace(began(300, 8500), extreme=9000)
    as_bad = Spell(began(250, 9000), active=True)
    kept, _ = MKT.on_sample(MEAN, MeanState(0, 0, spell=as_bad), seen, good(300, 5000))
    assert kept.spell == as_bad
    on = past(good(0, 8000), good(100, 8000), good(200, 8000))
    over, changes = MKT.on_sample(MEAN, MeanState(0, 0, spell=spell), on, good(310, 5000))
    ended = replace(began(300, 8500), end_ms=310, outside_ms=10)
    assert (over.spell, changes) == (NONE, (Ended(ended), Returned(310)))
    at = replace(MEAN, outside=Outside.AT_OR_BEYOND)
    assert MKT.on_sample(at, MeanState(0, 0), on, good(300, 5000))[1] == (Opened(300), Triggered(300, 300))
    assert MKT.on_sample(MEAN, MeanState(0, 0), on, good(300, 5000))[1] == ()


def test_the_window_of_a_mean_takes_off_what_leaves() -> None:
    """Exactly that; one that has left all behind begins anew."""
    seen = past(good(0, 9000), good(100, 5000), good(200, 6000))
    state = MeanState(0, 200, *sums((9000, 100), (5000, 100)), 100)
    moved, _ = MKT.on_sample(MEAN, state, seen, good(350, 5000))
    assert moved == MeanState(50, 350, *sums((9000, 50), (5000, 100), (6000, GAP)), 100)
    left, _ = MKT.on_sample(MEAN, state, seen, good(400, 5000))
    assert left == MeanState(100, 400, *sums((5000, 100), (6000, GAP)), None)
    anew, _ = MKT.on_sample(MEAN, state, seen, good(550, 5000))
    assert anew == MeanState(250, 550, *sums((6000, 50)), None)


def test_a_warm_value_may_be_in_the_window_for_a_gap() -> None:
    """Until the next reading, or for max_gap; and the last one is warm from its first ms on."""
    seen = past(good(0, 5000), good(50, 9000))
    for at_ms, warm_ms in ((60, 60), (50 + GAP, 50 + GAP), (50 + GAP + 9, 50 + GAP)):
        assert MKT.on_sample(MEAN, MeanState(0, 50), seen, good(at_ms, 5000))[0].warm_ms == warm_ms


def test_the_calm_band_of_a_mean() -> None:
    """Below the limit for ever, while nothing in the window is warm."""
    cold, at = past(good(0, 5000)), replace(MEAN, outside=Outside.AT_OR_BEYOND)
    calm = MeanState(0, 0)
    assert MKT.band(MEAN, calm, cold) == Band(high=8000)
    assert MKT.band(at, calm, cold) == Band(high=7999)
    assert MKT.band(MEAN, calm, Shown(None)) == Band(high=8000)
    assert MKT.band(MEAN, calm, past(good(0, 8000))) == Band(high=8000)
    assert MKT.band(at, calm, past(good(0, 7999))) == Band(high=7999)
    assert MKT.band(MEAN, MeanState(0, 0, spell=Spell(active=True)), cold) is None


def test_with_something_warm_in_its_window_a_mean_is_calm_while_it_has_a_margin() -> None:
    """Each ms that leaves takes at most the limit's weight of it: what weighs nothing takes that much."""
    cold, on_limit = past(good(0, 5000)), WEIGHT(8000)
    for spare, until_ms in ((0, None), (1, 300), (on_limit - 1, 300), (on_limit, 301), (50 * on_limit, 350)):
        state = MeanState(0, 300, 100 * on_limit - spare, 100, warm_ms=30)
        for rule, high in ((MEAN, 8000), (replace(MEAN, outside=Outside.AT_OR_BEYOND), 7999)):
            calm = None if until_ms is None else Band(high=high, until_ms=until_ms)
            assert MKT.band(rule, state, cold) == calm
    assert MKT.band(MEAN, MeanState(0, 300, 101 * on_limit, 100, warm_ms=30), cold) is None
    assert MKT.band(MEAN, MeanState(0, 300, 0, 100, 30, Spell(active=True)), cold) is None


@pytest.mark.parametrize("warm_ms", [None, 30])
def test_warm_values_use_the_margin_up_by_all_they_weigh(warm_ms: int | None) -> None:
    """The band reaches half as far again above the limit as the last value, the greatest of its instant."""
    state = MeanState(0, 300, WEIGHT(8000) * 100 - WEIGHT(9500) * 7, 100, warm_ms)
    assert MKT.band(MEAN, state, past(wide(300, 5000, 9001))) == Band(high=9501, until_ms=306)
    assert MKT.band(MEAN, state, past(wide(300, 5000, 9000))) == Band(high=9500, until_ms=307)
    spare = WEIGHT(8000) * 100 - state.weighted
    on_it = Band(high=8000, until_ms=300 + spare // WEIGHT(8000))
    assert MKT.band(replace(MEAN, outside=Outside.AT_OR_BEYOND), state, past(good(300, 8000))) == on_it


def test_what_weighs_nothing_gives_no_margin_and_divides_nothing() -> None:
    """Far below all products: a limit of no weight is asked about each time, one of the least is not."""
    least = bisect_left(range(-250_000, 0), 1, key=WEIGHT) - 250_000
    assert (WEIGHT(least - 1), WEIGHT(least)) == (0, 1)
    frozen = past(good(300, -260_000))
    state = MeanState(0, 300, 0, 100, warm_ms=30)
    assert MKT.band(replace(MEAN, limit=least - 1), state, frozen) is None
    faint = replace(MEAN, limit=least, outside=Outside.AT_OR_BEYOND)
    assert MKT.band(faint, state, frozen) == Band(high=least - 1, until_ms=400)


@pytest.mark.parametrize("outside", list(Outside))
def test_a_warm_run_is_taken_in_as_if_asked(outside: Outside) -> None:
    """All fields: the sums, and when something warm counted last."""
    rule, state = replace(MEAN, outside=outside), MeanState(0, 40, *sums((5000, 40)))
    for values in ((9000, 9000, 5000, 5000), (9000, 5000, 8000, 5000), (9000, 9000, 9000, 9000), (5000,) * 4):
        made = (good(0, 5000), *(good(40 + 10 * i, value) for i, value in enumerate(values)))
        asked, seen = state, past(*made[:2])
        for i, now in enumerate(made[2:], 3):
            asked, changes = MKT.on_sample(rule, asked, seen, now)
            assert changes == ()
            seen = past(*made[:i])
        seen.known = 2
        assert MKT.sync(rule, state, seen) == asked


def test_a_mean_catches_up() -> None:
    """As a rolling budget does."""
    seen = past(good(0, 5000), good(30, 5000))
    assert MKT.sync(MEAN, MeanState(0, 0), seen) == MeanState(0, 30, *sums((5000, 30)))


def test_which_numbers_make_it_another_mean() -> None:
    """All by which it judges."""
    words_and_numbers(MEAN, limit=1, window_ms=1, energy_kj_mol="83.0", outside=Outside.AT_OR_BEYOND)


# --- Rates, stuck values, spikes

RISE = Rate(**WORDS, side=Side.ABOVE, limit=5, within_ms=200)
FALL = replace(RISE, side=Side.BELOW)
RATE = judge_of(RISE)


@pytest.mark.parametrize(
    ("rule", "edge", "now", "on", "shown"),
    [
        (RISE, ((10, 0),), wide(210, 3, 5), True, 5),
        (RISE, ((10, 0),), wide(210, 3, 4), False, 0),
        (RISE, ((10, 0),), wide(211, 3, 5), False, 0),
        (RISE, (), wide(211, 0, 50), False, 0),
        (FALL, ((10, 0),), wide(210, -5, -3), True, -5),
        (FALL, ((10, 0),), wide(210, -4, -3), False, 0),
    ],
)
def test_a_rate_is_so_much_within_so_long(
    rule: Rate, edge: tuple[tuple[int, int], ...], now: Sample, on: bool, shown: int
) -> None:
    """On the limit it is there, and the reading of just so long ago still counts."""
    seen = past(good(10, 0)) if edge else past()
    state, changes = RATE.on_sample(rule, RateState(edge), seen, now)
    assert changes == ((Opened(now.at_ms), Triggered(now.at_ms, now.at_ms)) if on else ())
    assert state.spell == (Spell(began(now.at_ms, shown), active=True) if on else NONE)


def test_a_rate_keeps_the_readings_that_may_matter() -> None:
    """Those of its time that no later one undercuts, with their lowest value; of a fall, turned round."""
    edge = ((10, 0), (50, 2), (100, 4))
    assert RATE.on_sample(RISE, RateState(edge), past(good(100, 4)), wide(120, 3, 4))[0].edge == (
        (10, 0),
        (50, 2),
        (120, 3),
    )
    assert RATE.on_sample(RISE, RateState(edge), past(good(100, 4)), wide(120, 2, 3))[0].edge == (
        (10, 0),
        (120, 2),
    )
    assert RATE.on_sample(RISE, RateState(edge), past(good(100, 4)), wide(251, 5, 5))[0].edge == (
        (100, 4),
        (251, 5),
    )
    assert RATE.on_sample(FALL, RateState(()), past(), wide(120, 3, 4))[0].edge == ((120, -4),)
    bad = RateState(edge)
    assert RATE.on_sample(RISE, bad, past(good(100, 4)), wide(120, 0, 0, BAD)) == (bad, ())
    assert RATE.on_sample(RISE, bad, past(good(100, 4)), wide(120, 90, 90, UNCERTAIN)) == (bad, ())


@pytest.mark.parametrize(
    ("rule", "now", "extreme"),
    [
        (RISE, wide(60, 1, 9), (9, 60)),
        (RISE, wide(60, 1, 7), (7, 50)),
        (FALL, wide(60, -9, 1), (-9, 60)),
        (FALL, wide(60, -7, 1), (-7, 50)),
    ],
)
def test_the_extreme_of_a_rate(rule: Rate, now: Sample, extreme: tuple[int, int]) -> None:
    """The furthest value while it lasts; one that is just as far does not move it."""
    first = 7 if rule.side is Side.ABOVE else -7
    state = RateState(((10, 0),), Spell(began(50, first), active=True))
    moved, _ = RATE.on_sample(rule, state, past(good(10, 0), good(50, first)), now)
    assert moved.spell.open is not None
    assert (moved.spell.open.extreme, moved.spell.open.extreme_ms) == extreme


def test_the_calm_band_of_a_rate() -> None:
    """From the lowest of its time to just less than a change above it; of a fall, turned round."""
    state = RateState(((10, 3), (50, 4)))
    assert RATE.band(RISE, state, past(good(50, 4))) == Band(3, 7)
    assert RATE.band(FALL, RateState(((10, -3),)), past(good(10, 3))) == Band(-1, 3)
    assert RATE.band(RISE, RateState(()), past()) is None
    assert RATE.band(RISE, replace(state, spell=Spell(active=True)), past(good(50, 4))) is None


def test_a_rate_catches_up() -> None:
    """With all since the newest it knows; what has left its time meanwhile is gone."""
    state, made = RateState(((10, 3),)), (wide(10, 3, 3), wide(50, 4, 6), wide(230, 4, 5))
    assert RATE.sync(RISE, state, past(*made)) == RateState(((230, 4),))
    assert RATE.sync(RISE, state, past(*made[:2])) == RateState(((10, 3), (50, 4)))
    assert RATE.sync(RISE, state, past(*made[:2], good(251, 5))) == RateState(((251, 5),))
    assert RATE.sync(RISE, state, past(*made[:2], good(250, 5))) == RateState(((50, 4), (250, 5)))
    assert RATE.sync(FALL, RateState(((10, -9),)), past(*made[:2])) == RateState(((10, -9), (50, -6)))
    more = (good(10, 300), wide(50, 400, 420), wide(60, 410, 430))
    assert RATE.sync(RISE, RateState(((10, 300),)), past(*more)).edge == ((10, 300), (50, 400), (60, 410))
    down = (good(10, 9), wide(50, 4, 6), wide(60, 3, 5))
    assert RATE.sync(FALL, RateState(((10, -9),)), past(*down)).edge == ((10, -9), (50, -6), (60, -5))
    spell = Spell(active=True)
    assert RATE.sync(RISE, RateState(((10, 3),), spell), past(*made[:2])).spell is spell


STUCK = Stuck(**WORDS, for_ms=100, tolerance=2)
STILL = judge_of(STUCK)


def test_a_run_of_like_values() -> None:
    """It grows by what lies within the tolerance, and begins anew with what does not."""
    run = StuckState(10, 4, 5)
    assert STILL.on_sample(STUCK, StuckState(), past(), wide(10, 4, 5)) == (StuckState(10, 4, 5), ())
    assert STILL.on_sample(STUCK, run, past(good(50, 4)), wide(60, 3, 5)) == (StuckState(10, 3, 5), ())
    assert STILL.on_sample(STUCK, run, past(good(50, 4)), wide(60, 4, 6)) == (StuckState(10, 4, 6), ())
    assert STILL.on_sample(STUCK, run, past(good(50, 4)), wide(60, 2, 5)) == (StuckState(60, 2, 5), ())
    assert STILL.on_sample(STUCK, run, past(good(50, 4)), wide(60, 0, 0, BAD)) == (run, ())


def test_a_value_is_stuck_after_so_long() -> None:
    """At 109 not yet, at 110 it is; another value ends it."""
    run = StuckState(10, 4, 5)
    assert STILL.on_sample(STUCK, run, past(good(50, 4)), good(109, 4))[1] == ()
    stuck, changes = STILL.on_sample(STUCK, run, past(good(50, 4)), wide(110, 4, 5))
    assert changes == (Opened(110), Triggered(110, 110))
    assert stuck == StuckState(10, 4, 5, Spell(began(110, 5), active=True))
    over, changes = STILL.on_sample(STUCK, stuck, past(good(110, 4)), good(130, 9))
    assert over == StuckState(130, 9, 9)
    assert changes == (Ended(replace(began(110, 5), end_ms=130, outside_ms=20)), Returned(130))


def test_the_calm_band_and_the_catching_up_of_a_run() -> None:
    """Until it could be too long; with each value since."""
    run, made = StuckState(10, 4, 5), (good(50, 4), good(60, 0), wide(80, 1, 2))
    assert STILL.band(STUCK, run, past(good(50, 4))) == Band(until_ms=110)
    assert STILL.band(STUCK, StuckState(), past()) is None
    assert STILL.band(STUCK, replace(run, spell=Spell(active=True)), past(good(50, 4))) is None
    assert STILL.sync(STUCK, run, past(*made)) == StuckState(60, 0, 2)
    assert STILL.sync(STUCK, run, past(good(50, 4), wide(60, 3, 5))) == StuckState(10, 3, 5)
    spell = Spell(active=True)
    assert STILL.sync(STUCK, replace(run, spell=spell), past(*made)).spell is spell


SPIKE = Spike(**WORDS, limit=9)
JUMP = judge_of(SPIKE)


@pytest.mark.parametrize(
    ("last", "now", "on"),
    [
        (wide(0, 0, 5), wide(10, 5, 10), True),
        (wide(0, 1, 5), wide(10, 5, 10), False),
        (wide(0, 5, 10), wide(10, 0, 5), True),
        (wide(0, 5, 10), wide(10, 1, 5), False),
        (good(0, 0), good(GAP, 50), True),
        (good(30, 0), good(30 + GAP, 50), True),
        (good(0, 0), good(GAP + 1, 50), False),
        (None, good(10, 50), False),
        (wide(0, 0, 0, BAD), good(10, 50), False),
        (wide(0, 0, 0, UNCERTAIN), good(10, 50), False),
        (good(0, 0), wide(10, 50, 50, UNCERTAIN), False),
    ],
)
def test_a_spike_is_a_jump_between_good_neighbours(last: Sample | None, now: Sample, on: bool) -> None:
    """Further than the limit, from the lowest of one instant to the highest of the other."""
    calm = SpikeState()
    state, changes = JUMP.on_sample(SPIKE, calm, Shown(last), now)
    if on:
        assert changes == (Opened(now.at_ms), Triggered(now.at_ms, now.at_ms))
        assert state == SpikeState(Spell(began(now.at_ms, now.high), active=True))
    else:
        assert state is calm
        assert changes == ()


def test_a_spike_is_over_with_the_next_good_neighbour() -> None:
    """That is no such jump away from the one before."""
    up = SpikeState(Spell(began(10, 50), active=True))
    over, changes = JUMP.on_sample(SPIKE, up, Shown(good(10, 50)), good(20, 41))
    assert over == SpikeState()
    assert changes == (Ended(replace(began(10, 50), end_ms=20, outside_ms=10)), Returned(20))
    assert JUMP.on_sample(SPIKE, up, Shown(good(10, 50)), good(20, 0)) == (up, ())
