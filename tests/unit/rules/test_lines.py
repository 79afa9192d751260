"""Lines through readings, and the rules made of them, against what others published or a plain reckoning.

Times are ms, values quanta.
"""

from __future__ import annotations

from fractions import Fraction
from math import sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.model import Side
from coldchain.plan import BoilOff, HoldLeft, TimeToLimit
from coldchain.rules.boil_off import abnormal, baseline
from coldchain.rules.book import judge_of
from coldchain.rules.hold_left import Left, left_of, needed_ms
from coldchain.rules.judging import BAD, GOOD, UNCERTAIN, Returned, Sample, Triggered
from coldchain.rules.line import EMPTY, Line, Sums, fit, root
from coldchain.rules.time_to_limit import left_ms
from coldchain.rules.window import Window, begin, taken
from tests.unit.rules.seen import Shown
from tests.unit.rules.test_windows import WORDS

HOUR = 3_600_000
#: Anscombe, "Graphs in Statistical Analysis" (1973), set I: slope 0.5001, standard error 0.1179.
ANSCOMBE = [
    (10, 804), (8, 695), (13, 758), (9, 881), (11, 833), (14, 996), (6, 724), (4, 426), (12, 1084), (7, 482),
    (5, 568),
]  # fmt: skip


def summed(points: list[tuple[int, int]]) -> Sums:
    """The sums over points."""
    sums = EMPTY
    for t, v in points:
        sums = sums.with_point(t, v)
    return sums


def fitted(points: list[tuple[int, int]]) -> Line:
    """The line through points that have one."""
    line = fit(summed(points))
    assert line is not None
    return line


def test_slope_and_error_are_those_that_were_published() -> None:
    """Values here are hundredths."""
    line = fitted(ANSCOMBE)
    assert round(float(line.slope) / 100, 4) == 0.5001
    assert round(float(line.error) / 100, 4) == 0.1179
    assert round(float(line.at(0)) / 100, 2) == 3.00


points = st.lists(st.tuples(st.integers(0, 50), st.integers(-200, 200)), max_size=12)


@given(points)
def test_a_line_is_what_its_definition_says(some: list[tuple[int, int]]) -> None:
    """Slope by products of distances from the mean; error by the squares of what it leaves; else no line."""
    line, n = fit(summed(some)), len(some)
    if n < 3 or len({t for t, _ in some}) < 2:
        assert line is None
        return
    assert line is not None
    mean_t, mean_v = Fraction(sum(t for t, _ in some), n), Fraction(sum(v for _, v in some), n)
    sxx = sum((t - mean_t) ** 2 for t, _ in some)
    slope = sum((t - mean_t) * (v - mean_v) for t, v in some) / sxx
    assert line.slope == slope
    assert (line.at_ms, line.value) == (mean_t, mean_v)
    squares = sum((v - mean_v - slope * (t - mean_t)) ** 2 for t, v in some)
    error_2 = squares / (n - 2) / sxx
    # Never too small, and too large by less than any reading could tell.
    assert error_2 <= line.error**2 <= error_2 * (1 + Fraction(1, 2**28))
    assert (line.error == 0) is (error_2 == 0)


@given(points, st.integers(0, 50), st.integers(-200, 200))
def test_what_is_taken_out_leaves_no_trace(some: list[tuple[int, int]], t: int, v: int) -> None:
    """Sums with a point more and one less are those before."""
    assert summed(some).with_point(t, v).with_point(t, v, -1) == summed(some)


@given(st.fractions(min_value=0, max_value=10**12, max_denominator=10**12))
def test_a_root_is_never_too_small(value: Fraction) -> None:
    """And too large by a part that no reading can tell."""
    found = root(value)
    assert value <= found**2 <= value * (1 + Fraction(1, 2**28))


@pytest.mark.parametrize("value", [Fraction(0), Fraction(-1)])
def test_nothing_has_no_root(value: Fraction) -> None:
    """What is left of an exact line is nothing."""
    assert root(value) == 0


@given(st.lists(st.tuples(st.integers(1, 60), st.sampled_from([1, 5, 9, None, "?"])), max_size=30))
def test_a_window_holds_the_good_readings_of_its_time(steps: list[tuple[int, Any]]) -> None:
    """What leaves it stands in the line before; BAD and UNCERTAIN readings are in neither."""
    length, origin, seen, at = 150, 7, Shown(), 7
    window, good = begin(origin), list[tuple[int, int]]()
    for step, what in steps:
        at += step
        value = what if isinstance(what, int) else 0
        now = Sample(at, value, value, GOOD if isinstance(what, int) else BAD if what is None else UNCERTAIN)
        if now.quality == GOOD:
            window = taken(window, seen, now, length)
            good.append((at - origin, value))
            tail = max(origin, at - length) - origin
            assert window.now == summed([one for one in good if one[0] >= tail])
            assert window.before == summed([one for one in good if one[0] < tail])
            assert (window.head_ms, window.tail_ms - origin) == (at, tail)
            assert window.span_ms == min(at - origin, length)
        seen.samples, seen.last = (*seen.samples, now), now


def test_the_reading_at_the_tail_leaves_with_it() -> None:
    """In a window of 100 from 7 on: the one at 7 is in it up to 107, and gone at 108."""
    first, seen = Sample(7, 4, 4, GOOD), Shown()
    window = taken(begin(7), seen, first, 100)
    seen.samples, seen.last = (first,), first
    assert taken(window, seen, Sample(107, 5, 5, GOOD), 100).before == EMPTY
    later = taken(window, seen, Sample(108, 5, 5, GOOD), 100)
    assert (later.before, later.now) == (summed([(0, 4)]), summed([(101, 5)]))


# --- What is left of the nitrogen --------------------------------------------------------------------------

HOLD = HoldLeft(**WORDS, reserve_ms=10 * HOUR, window_ms=10 * HOUR, least=5, empty=500)


def window_of(some: list[tuple[int, int]], span_ms: int | None = None) -> Window:
    """A window over points that began at 0."""
    return replace(begin(0), head_ms=some[-1][0] if span_ms is None else span_ms, now=summed(some))


def falling(per_hour: int, hours: int = 10, first: int = 1000) -> list[tuple[int, int]]:
    """A reading an hour on an exact line."""
    return [(hour * HOUR, first - per_hour * hour) for hour in range(hours + 1)]


def test_an_exact_line_has_one_end() -> None:
    """1000 less 10 an hour for 10 hours: 900, 400 above empty, 40 hours."""
    window, day = window_of(falling(10)), 24 * HOUR
    later = replace(window, origin_ms=day, began_ms=day, tail_ms=day, head_ms=window.head_ms + day)
    assert left_of(HOLD, window) == left_of(HOLD, later) == Left(40 * HOUR, 40 * HOUR)


def test_scattered_readings_have_two_ends_two_errors_away() -> None:
    """The shorter by a loss two standard errors faster, the longer by one two slower."""
    some = [(t, v + (6 if i % 2 else -6)) for i, (t, v) in enumerate(falling(10))]
    line, left = fitted(some), left_of(HOLD, window_of(some))
    assert left is not None
    assert left.most_ms is not None
    above = float(line.at(10 * HOUR)) - 500
    sxx = sum((t - 5 * HOUR) ** 2 for t, _ in some)
    error = sqrt(sum((v - float(line.at(t))) ** 2 for t, v in some) / 9 / sxx)
    assert left.least_ms == pytest.approx(above / (float(-line.slope) + 2 * error), abs=2)
    assert left.most_ms == pytest.approx(above / (float(-line.slope) - 2 * error), abs=2)
    assert left.least_ms < 40 * HOUR < left.most_ms


@pytest.mark.parametrize(
    ("some", "least_ms"),
    [
        pytest.param(falling(0), 1000 * HOUR, id="nothing is lost: 5 in 10 h just would not be seen"),
        pytest.param(
            [(hour * HOUR, 1000 - hour // 2) for hour in range(0, 11, 2)], 990 * HOUR, id="just that much"
        ),
    ],
)
def test_a_loss_that_is_not_seen_is_the_most_that_would_not_be(
    some: list[tuple[int, int]], least_ms: int
) -> None:
    """The shorter end is reckoned with it, and there is no longer one."""
    assert left_of(HOLD, window_of(some)) == Left(least_ms, None)


@pytest.mark.parametrize(
    ("rule", "window"),
    [
        pytest.param(HOLD, window_of(falling(10, 5), 5 * HOUR - 1), id="less than half the window"),
        pytest.param(HOLD, window_of([(0, 1000), (9 * HOUR, 900)]), id="two readings are no line"),
        pytest.param(replace(HOLD, empty=None), window_of(falling(10)), id="nobody says what empty is"),
    ],
)
def test_what_readings_do_not_tell_yet_is_not_told(rule: HoldLeft, window: Window) -> None:
    """Neither that it lasts, nor that it does not."""
    assert left_of(rule, window) is None


def test_half_the_window_is_enough() -> None:
    """950 after 5 hours: 450 above empty."""
    assert left_of(HOLD, window_of(falling(10, 5))) == Left(45 * HOUR, 45 * HOUR)


@pytest.mark.parametrize(
    ("empty", "left"), [(900, Left(0, 0)), (950, Left(0, 0)), (899, Left(360_000, 360_000))]
)
def test_at_empty_nothing_is_left(empty: int, left: Left) -> None:
    """One quantum above it there is, of a loss of 10 an hour, a tenth of an hour."""
    assert left_of(replace(HOLD, empty=empty), window_of(falling(10))) == left


def test_what_is_needed() -> None:
    """The way, never less than nothing, and the reserve."""
    assert needed_ms(HOLD, 5) == 10 * HOUR
    assert needed_ms(replace(HOLD, eta_ms=7), 5) == 10 * HOUR + 2
    assert needed_ms(replace(HOLD, eta_ms=5), 5) == needed_ms(replace(HOLD, eta_ms=1), 5) == 10 * HOUR


def told(rule: Any, some: list[tuple[int, Any]]) -> list[tuple[str, int, str, int | None]]:
    """What a rule triggers and ends over readings (None: BAD): when, and of which value."""
    judge, seen = judge_of(rule), Shown(gap_ms=2 * HOUR)
    state, changes = judge.start(rule, seen, 0)
    said = []
    for at, value in some:
        now = Sample(at, value or 0, value or 0, BAD if value is None else GOOD)
        state, changes = judge.on_sample(rule, state, seen, now)
        seen.samples, seen.last = (*seen.samples, now), now
        for change in changes:
            if isinstance(change, Triggered):
                spell = state.spell.open
                said.append(("on", change.due_ms, spell.rule, spell.extreme))
            elif isinstance(change, Returned):
                said.append(("off", change.at_ms, "", None))
    return said


def test_just_enough_is_enough() -> None:
    """At 5 h 450 above empty last 45 h, and 45 h are needed; an hour less of arrival and it is raised."""
    steady = falling(10, 5)
    assert told(replace(HOLD, eta_ms=40 * HOUR), steady) == []
    assert told(replace(HOLD, eta_ms=40 * HOUR + 1), steady) == [("on", 5 * HOUR, "r", 950)]


def test_a_hold_is_that_of_its_window() -> None:
    """From the third hour on and longer than the window: at 870 there are 37 h left, an hour later less."""
    steady = [(t + 3 * HOUR, v) for t, v in falling(10, 14)]
    assert told(replace(HOLD, reserve_ms=37 * HOUR), steady) == [("on", 17 * HOUR, "r", 860)]


@pytest.mark.parametrize(
    ("rise", "seen_again"),
    [pytest.param(5, False, id="a fill begins anew"), pytest.param(4, True, id="a wobble does not")],
)
def test_a_rise_of_least_is_a_fill(rise: int, seen_again: bool) -> None:
    """After a fill nothing is said for half a window; the alarm before it stays meanwhile."""
    low = falling(30, 5, 1000)
    after = [(hour * HOUR, low[-1][1] + rise) for hour in range(6, 11)]
    enough = replace(HOLD, reserve_ms=13 * HOUR)  # 350 above empty last 11 h 40 min at 30 an hour
    assert told(enough, low) == [("on", 5 * HOUR, "r", 850)]
    slow = told(enough, [*low, *after])
    assert (len(slow) > 1) is seen_again, slow


def test_a_rise_over_a_bad_reading_is_no_fill() -> None:
    """Only two good readings in a row show one."""
    low = falling(30, 5, 1000)
    broken = [*low, (6 * HOUR, None), (7 * HOUR, 1000), (8 * HOUR, 1000), (9 * HOUR, 1000)]
    assert [what for what, *_ in told(replace(HOLD, reserve_ms=13 * HOUR), broken)] == ["on", "off"]


# --- Lost faster than by itself ----------------------------------------------------------------------------

BOIL = BoilOff(**WORDS, percent=200, window_ms=10 * HOUR, least=50, baseline_per_day=240)


@pytest.mark.parametrize(
    ("some", "said"),
    [
        pytest.param(falling(20), False, id="just twice as much is not faster"),
        pytest.param(falling(21), True, id="more than twice"),
        pytest.param(falling(50, 2), True, id="least is gone in a young window"),
        pytest.param(falling(24, 2), None, id="a young window shows less than that"),
        pytest.param(falling(9, 5), False, id="half a window without that loss is as ever"),
        pytest.param(falling(9, 4), None, id="less than half of one is not"),
        pytest.param(falling(5), False, id="least in the whole window, and slower than itself"),
    ],
)
def test_a_loss_against_the_stated_one(some: list[tuple[int, int]], said: bool | None) -> None:
    """240 a day are 10 an hour; a loss of 50 is seen."""
    assert abnormal(BOIL, window_of(some)) is said


def test_a_loss_is_that_of_the_window() -> None:
    """Longer than the window at a loss that is no fault: what leaves it is taken off, and nothing is said."""
    assert told(BOIL, falling(12, 14)) == []


def test_a_loss_of_just_least_is_one() -> None:
    """50 in the window, by a vessel whose own loss is a tenth of that."""
    assert abnormal(replace(BOIL, baseline_per_day=12), window_of(falling(5))) is True
    assert abnormal(replace(BOIL, baseline_per_day=12, least=51), window_of(falling(5))) is False


def test_a_vessel_tells_its_own_loss_once_it_is_long_enough() -> None:
    """What was weighed between fill and window, if as long as the window; one that does not fall has none."""
    own = replace(BOIL, baseline_per_day=None)

    def before(some: list[tuple[int, int]], tail_ms: int, began_ms: int = 0) -> Window:
        return Window(0, began_ms, tail_ms, tail_ms + 10 * HOUR, summed(falling(21)), summed(some))

    assert baseline(own, before(falling(10), 10 * HOUR)) == Fraction(10, HOUR)
    assert baseline(own, before(falling(10), 10 * HOUR - 1)) is None
    assert baseline(own, before(falling(10), 10 * HOUR, began_ms=1)) is None
    assert baseline(own, before([(0, 5)], 10 * HOUR)) is None
    assert baseline(own, before(falling(0), 10 * HOUR)) is None
    assert baseline(own, before(falling(-1), 10 * HOUR)) is None
    assert baseline(BOIL, before(falling(99), 10 * HOUR)) == Fraction(240, 24 * HOUR)
    assert abnormal(own, before(falling(10), 10 * HOUR)) is True


@pytest.mark.parametrize(("rise", "on"), [(50, 1), (49, 2)])
def test_a_fill_begins_a_new_line_of_boil_off(rise: int, on: int) -> None:
    """A rise of least hides nothing that came before: the alarm stays until the new line tells."""
    some: list[tuple[int, Any]] = [*falling(30, 5, 1000), (6 * HOUR, 850 + rise)]
    some += [((7 + i) * HOUR, 850 + rise - 10 * i) for i in range(4)]
    said = told(BOIL, some)
    assert said[0] == ("on", 2 * HOUR, "r", 940)
    assert len(said) == on


# --- On the way to a limit ---------------------------------------------------------------------------------

SOON = TimeToLimit(**WORDS, side=Side.ABOVE, limit=2000, horizon_ms=20 * HOUR, window_ms=10 * HOUR, least=50)
BELOW = replace(SOON, side=Side.BELOW, limit=500)


@pytest.mark.parametrize(
    ("rule", "some", "left"),
    [
        pytest.param(SOON, falling(-10), 90 * HOUR, id="1100 and 10 an hour upwards"),
        pytest.param(BELOW, falling(10), 40 * HOUR, id="900 and 10 an hour downwards"),
        pytest.param(SOON, falling(10), None, id="away from it"),
        pytest.param(BELOW, falling(-10), None, id="away from it below"),
        pytest.param(SOON, falling(0), None, id="nowhere"),
        pytest.param(replace(SOON, least=0), falling(0), None, id="nowhere, however little is a move"),
        pytest.param(SOON, falling(-5), 190 * HOUR, id="a move of just least is one"),
        pytest.param(replace(SOON, least=51), falling(-5), None, id="a smaller one is none"),
        pytest.param(SOON, falling(-10, 5), 95 * HOUR, id="half a window"),
        pytest.param(SOON, falling(-20, 4), None, id="less than half"),
        pytest.param(SOON, [(0, 1000), (9 * HOUR, 1100)], None, id="two readings"),
        pytest.param(replace(SOON, limit=1100), falling(-10), 0, id="it is there"),
        pytest.param(replace(SOON, limit=1000), falling(-10), 0, id="it is past it"),
    ],
)
def test_the_time_left(rule: TimeToLimit, some: list[tuple[int, int]], left: int | None) -> None:
    """From the newest reading on, whenever the line began."""
    window = window_of(some)
    assert left_ms(rule, window) == left
    day = 24 * HOUR
    later = replace(window, origin_ms=day, began_ms=day, tail_ms=day, head_ms=window.head_ms + day)
    assert left_ms(rule, later) == left


@pytest.mark.parametrize("sign", [1, -1])
def test_a_forecast_wavers_and_calls_once(sign: int) -> None:
    """Raised at 20 h or less; over when more than 30 h are left, or it goes no more."""
    rule = SOON if sign > 0 else replace(SOON, side=Side.BELOW, limit=-2000)
    rising: list[tuple[int, Any]] = [(hour * HOUR, sign * (1000 + 50 * hour)) for hour in range(6)]
    assert told(replace(rule, horizon_ms=15 * HOUR - 1), rising) == []
    on = ("on", 5 * HOUR, "r", sign * 1250)
    assert told(replace(rule, horizon_ms=15 * HOUR), rising) == [on]
    still = [*rising, (6 * HOUR, sign * 1250)]
    slope = fitted([(t, sign * v) for t, v in still])
    left = float((2000 - slope.at(6 * HOUR)) / slope.slope)
    assert 15 * HOUR < left < 22.5 * HOUR
    assert told(replace(rule, horizon_ms=15 * HOUR), still) == [on]
    flat = [*still, *(((7 + i) * HOUR, sign * 1250) for i in range(9))]
    said = told(replace(rule, horizon_ms=15 * HOUR), flat)
    off_ms = next(
        at
        for i, (at, _) in enumerate(flat)
        if at > 6 * HOUR
        and (
            (line := fitted([(t, sign * v) for t, v in flat[: i + 1] if t >= at - 10 * HOUR])).slope <= 0
            or (2000 - line.at(at)) / line.slope > Fraction(45, 2) * HOUR
        )
    )
    assert said == [on, ("off", off_ms, "", None)]


@pytest.mark.parametrize(
    ("rule", "sign", "shown"), [(SOON, 1, 1251), (BELOW, -1, 749)], ids=["above", "below"]
)
def test_a_forecast_shows_the_value_nearer_to_its_limit(rule: TimeToLimit, sign: int, shown: int) -> None:
    """Of several readings in one instant; and the state keeps the time that is left, for people to see."""
    judge, seen = judge_of(rule), Shown()
    state, _ = judge.start(rule, seen, 0)
    for hour in range(6):
        value = 1000 + sign * 50 * hour
        now = Sample(hour * HOUR, value - 1, value + 1, GOOD)
        state, _ = judge.on_sample(rule, state, seen, now)
        seen.samples, seen.last = (*seen.samples, now), now
    assert state.spell.open.extreme == shown
    assert state.left_ms == left_ms(rule, state.window) is not None


@pytest.mark.parametrize(
    ("rule", "numbers"),
    [
        (BOIL, {"percent": 201, "window_ms": 1, "least": 51, "baseline_per_day": None}),
        (SOON, {"side": Side.BELOW, "limit": 1, "horizon_ms": 1, "window_ms": 1, "least": 1}),
        (HOLD, {"reserve_ms": 1, "window_ms": 1, "least": 6, "empty": None, "eta_ms": 1}),
    ],
    ids=["boil_off", "time_to_limit", "hold_left"],
)
def test_each_number_is_judged_by_and_no_word_is(rule: Any, numbers: dict[str, Any]) -> None:
    """A reload that changes a title keeps what was measured; one that changes a number begins anew."""
    same = judge_of(rule).same
    assert same(rule, replace(rule, title="else"))
    assert [key for key, value in numbers.items() if same(rule, replace(rule, **{key: value}))] == []


def test_a_forecast_that_a_reload_has_cut_waits_for_its_window() -> None:
    """Its alarm's condition stays until the new line tells: a reload ends nothing."""
    judge, seen = judge_of(SOON), Shown()
    state, _ = judge.start(SOON, seen, 0)
    for hour in range(6):
        now = Sample(hour * HOUR, 1000 + 50 * hour, 1000 + 50 * hour, GOOD)
        state, _ = judge.on_sample(SOON, state, seen, now)
        seen.samples, seen.last = (*seen.samples, now), now
    other = replace(SOON, horizon_ms=HOUR)
    state, _ = judge.reconfigure(SOON, other, state, seen, 5 * HOUR + 1)
    assert judge.active(state)
    state, changes = judge.on_sample(other, state, seen, Sample(6 * HOUR, 1000, 1000, GOOD))
    assert (changes, judge.active(state)) == ((), True)


def test_at_empty_nothing_is_left_however_slow_the_loss() -> None:
    """Not even an end that is out of sight."""
    assert left_of(replace(HOLD, empty=1000), window_of(falling(0))) == Left(0, 0)
