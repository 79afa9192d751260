"""Readings of an excursion, and those around it, stay; nothing else does for it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from coldchain.facts import Reading
from coldchain.fold.sparing import spared
from coldchain.journal.removal import by_channel
from coldchain.model import Side
from coldchain.plan import Limit, Rolling, Rule
from coldchain.removed import JOURNAL, Exact
from tests.unit.fold.bench import MIN, T0, Bench, budget, channel, limit, plan
from tests.unit.fold.test_calm_band import RULES, WORDS

CHANNEL = "box.vapour"
GAP = 5 * MIN
AROUND = 20 * MIN
#: So late that nothing is cut.
LATER = T0 + 10**9


def bench(*rules: Rule, **more: bool) -> Bench:
    """One box, read once a minute."""
    return Bench(plan(*rules, channels=(channel(max_gap_ms=GAP),), **more))


def feed(made: Bench, values: list[float], start: int = 0) -> None:
    """One reading a minute, in time."""
    for i, value in enumerate(values, start):
        made.run(T0 + i * MIN)
        made.add(Reading("log", CHANNEL, str(value), "degC", at_ms=T0 + i * MIN), T0 + i * MIN)


def minutes(made: Bench, around_ms: int = AROUND, axis: str = "") -> list[tuple[int, int]]:
    """The spans that stay, in minutes since the beginning."""
    spans = by_channel(spared(made.fold, around_ms, LATER, LATER)).get((CHANNEL, axis), ())
    return [((span.from_ms - T0) // MIN, (span.to_ms - T0) // MIN) for span in spans]


def test_an_excursion_and_what_lies_around_it() -> None:
    """Outside from minute 100 to 110: with twenty minutes to both sides."""
    made = bench(limit(value=8, hold_ms=0))
    feed(made, [*[5] * 100, *[20] * 10, *[5] * 100])
    assert minutes(made) == [(80, 130)]


def test_at_least_the_readings_before_and_after() -> None:
    """Who asks for no time around it keeps the time for which a reading counts: it says when it began."""
    made = bench(limit(value=8, hold_ms=0))
    feed(made, [*[5] * 100, *[20] * 10, *[5] * 100])
    assert minutes(made, 0) == [(95, 115)]


def test_one_that_was_too_short_to_alarm_stays_too() -> None:
    """It was outside all the same."""
    made = bench(limit(value=8, hold_ms=30 * MIN))
    feed(made, [*[5] * 100, 20, *[5] * 100])
    assert minutes(made) == [(80, 121)]


def test_one_that_lasts_stays_up_to_now() -> None:
    """What was measured since the instant stays anyway."""
    made = bench(limit(value=8, hold_ms=0))
    feed(made, [*[5] * 100, *[20] * 50])
    assert minutes(made)[0][0] == 80
    assert minutes(made)[-1][1] >= 150


def test_what_is_young_enough_is_not_looked_at() -> None:
    """Of an excursion behind the instant only what reaches back to it matters: the rest stays anyway."""
    made = bench(limit(value=8, hold_ms=0))
    feed(made, [*[5] * 100, *[20] * 10, *[5] * 100, *[20] * 10, *[5] * 100])
    at_ms = T0 + 195 * MIN
    spans = by_channel(spared(made.fold, AROUND, at_ms, at_ms))[CHANNEL, ""]
    assert [(one.from_ms - T0) // MIN for one in spans] == [80, 190]
    early_ms = T0 + 150 * MIN
    assert len(by_channel(spared(made.fold, AROUND, early_ms, early_ms))[CHANNEL, ""]) == 1


def test_of_a_budget_what_was_spent_stays() -> None:
    """Its interval lasts as long as the product: of that the minutes outside stay, not all that follows."""
    made = bench(budget(value=8, allowance_min=600))
    feed(made, [*[5] * 100, *[20] * 10, *[5] * 300, *[20] * 5, *[5] * 100])
    assert minutes(made) == [(80, 129), (390, 434)]


def test_of_a_rolling_sum_its_whole_window_is_looked_at() -> None:
    """What it was spent by lies before it was exceeded."""
    rule = Rolling(id="r1", **WORDS, side=Side.ABOVE, limit=8_000, allowance_ms=15 * MIN, window_ms=120 * MIN)
    made = bench(rule)
    feed(made, [*[5] * 100, *[20] * 10, *[5] * 60, *[20] * 10, *[5] * 100])
    assert made.fold.places["box/vapour"].ledger.all(), "the sum was exceeded"
    assert minutes(made) == [(80, 129), (150, 199)]


def test_readings_without_a_time_of_their_own_stay_as_well() -> None:
    """Each span is told in UTC and in journal time: which of them a reading bears is the device's affair."""
    made = bench(limit(value=8, hold_ms=0))
    feed(made, [*[5] * 100, *[20] * 10, *[5] * 100])
    told = spared(made.fold, AROUND, LATER, LATER)
    assert {span.axis for span in told} == {"", JOURNAL}
    assert minutes(made, axis=JOURNAL) == minutes(made)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from([5.0, 20.0, 8.0, 1.0]), st.integers(1, 60)), min_size=1, max_size=8),
    st.sets(st.integers(0, len(RULES) - 1), max_size=3),
    st.integers(0, 60),
)
def test_every_reading_outside_a_limit_stays(
    stretches: list[tuple[float, int]], others: set[int], around: int
) -> None:
    """Whatever else judges: of the limit and of the budget no reading outside, and none next to it, goes."""
    high = limit(value=8, hold_ms=MIN)
    assert isinstance(high, Limit)
    made = bench(high, budget(value=8, allowance_min=60), *(RULES[i] for i in sorted(others)))
    values = [value for value, count in stretches for _ in range(count)]
    feed(made, values)
    spans = minutes(made, around * MIN)

    def stays(minute: int) -> bool:
        return any(begin <= minute <= end for begin, end in spans)

    for minute, value in enumerate(values):
        if value > 8:
            near = range(max(0, minute - around), min(len(values), minute + around + 1))
            assert stays(minute)
            assert all(map(stays, near))
            assert all(stays(next_to) for next_to in (minute - 1, minute + 1) if 0 <= next_to < len(values))


def test_spans_that_touch_are_one() -> None:
    """As a removal looks them up: disjoint, in order, each channel and axis by itself."""
    spans = [
        Exact("a", 10, 20),
        Exact("a", 0, 9),
        Exact("b", 5, 6),
        Exact("a", 30, 40),
        Exact("a", 1, 2, JOURNAL),
    ]
    assert by_channel(spans) == {
        ("a", ""): (Exact("a", 0, 20), Exact("a", 30, 40)),
        ("b", ""): (Exact("b", 5, 6),),
        ("a", JOURNAL): (Exact("a", 1, 2, JOURNAL),),
    }
