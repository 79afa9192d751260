"""Rules about a window of the past: each against a plain reckoning of the same from all samples at once."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from coldchain.model import Priority, Side
from coldchain.plan import Cited, Fires, KineticMean, Outside, Rate, Rolling, Rule
from coldchain.rules.book import judge_of
from coldchain.rules.judging import BAD, GOOD, UNCERTAIN, Change, Ended, Returned, Sample, Triggered
from coldchain.rules.kinetic import Kinetic
from tests.unit.rules.seen import GAP, Shown

WORDS: dict[str, Any] = {
    "id": "r",
    "role": "air",
    "priority": Priority.HIGH,
    "cited": Cited("test", "test"),
}
ROLLING = Rolling(**WORDS, side=Side.ABOVE, limit=8, allowance_ms=100, window_ms=400)
MEAN = KineticMean(**WORDS, limit=8000, window_ms=300, energy_kj_mol="83.144")
RATE = Rate(**WORDS, side=Side.ABOVE, limit=5, within_ms=200)

series = st.lists(
    st.tuples(st.integers(1, 180), st.sampled_from([-5, 2, 5, 8, 9, 20, None, "?9"])), min_size=1, max_size=25
)


def samples(steps: list[tuple[int, Any]], scale: int = 1) -> list[Sample]:
    """Samples at growing times from 0 on."""
    at, made = 0, []
    for step, what in steps:
        at += step
        if what is None:
            made.append(Sample(at, 0, 0, BAD))
        elif isinstance(what, str):
            made.append(Sample(at, int(what[1:]) * scale, int(what[1:]) * scale, UNCERTAIN))
        else:
            made.append(Sample(at, what * scale, what * scale, GOOD))
    return made


def run(rule: Rule, made: list[Sample], until: int) -> list[Change]:
    """Judge samples in order, deadlines in between, up to an instant."""
    judge = judge_of(rule)
    seen = Shown()
    state, told = judge.start(rule, seen, 0)
    changes = list(told)

    def pass_time(to_ms: int) -> None:
        nonlocal state
        while (due := judge.due_ms(rule, state, seen)) is not None and due <= to_ms:
            state, more = judge.on_due(rule, state, seen)
            assert more, "a deadline that says nothing would never pass"
            changes.extend(more)

    for i, now in enumerate(made):
        pass_time(now.at_ms)
        seen.samples = tuple(made[: i + 1])
        state, more = judge.on_sample(rule, state, seen, now)
        changes.extend(more)
        seen.last = now
        pass_time(now.at_ms)
    pass_time(until)
    return changes


def counted(made: list[Sample], rule: Rolling, t: int) -> bool:
    """Whether the ms that begins at t counts, by the samples themselves."""
    before = [sample for sample in made if sample.at_ms <= t]
    if not before:
        return rule.charge_unmonitored
    last = before[-1]
    known = last.quality != BAD and t < last.at_ms + GAP
    if known and last.high > rule.limit:
        return True
    return rule.charge_unmonitored and not (known and last.quality == GOOD)


def first_excess(made: list[Sample], rule: Rolling, until: int) -> int | None:
    """The first instant at which more than the allowance lies in the window before it, ms by ms."""
    flags = [counted([s for s in made if s.at_ms <= t], rule, t) for t in range(until)]
    total = 0
    for t in range(until):
        total += flags[t]
        if t - rule.window_ms >= 0:
            total -= flags[t - rule.window_ms]
        if total > rule.allowance_ms:
            return t + 1
    return None


@given(series, st.booleans())
def test_a_rolling_budget_is_exceeded_at_the_very_ms(steps: list[tuple[int, Any]], charge: bool) -> None:
    """What leaves the window while more comes in is taken off, to the ms."""
    rule = Rolling(
        **WORDS, side=Side.ABOVE, limit=8, allowance_ms=100, window_ms=400, charge_unmonitored=charge
    )
    made = samples(steps)
    until = made[-1].at_ms + 600
    told = [change for change in run(rule, made, until) if isinstance(change, Triggered)]
    expected = first_excess(made, rule, until)
    # Before the first sample nothing has a deadline: no probe has spoken yet.
    if expected is not None and charge and expected <= made[0].at_ms:
        return
    assert (told[0].due_ms if told else None) == expected


@given(series)
def test_a_rolling_budget_is_over_with_evidence_alone(steps: list[tuple[int, Any]]) -> None:
    """It returns at a GOOD sample inside that finds no more than the allowance, and at no other."""
    made = samples(steps)
    for back in (
        change.at_ms for change in run(ROLLING, made, made[-1].at_ms) if isinstance(change, Returned)
    ):
        (now,) = [sample for sample in made if sample.at_ms == back]
        assert now.quality == GOOD
        assert now.high <= ROLLING.limit
        past = range(max(0, back - ROLLING.window_ms), back)
        assert sum(counted(made, ROLLING, t) for t in past) <= ROLLING.allowance_ms


@given(series)
def test_one_that_waits_for_readings_speaks_with_them(steps: list[tuple[int, Any]]) -> None:
    """`on_reading`: nothing is said between samples."""
    rule = Rolling(**WORDS, side=Side.ABOVE, limit=8, allowance_ms=100, window_ms=400, fires=Fires.ON_READING)
    made = samples(steps)
    times = {sample.at_ms for sample in made}
    told = run(rule, made, made[-1].at_ms + 600)
    assert all(change.due_ms in times for change in told if isinstance(change, Triggered))


def mean_at(made: list[Sample], rule: KineticMean, t: int) -> Decimal | None:
    """The mean of the window before an instant, from all samples at once."""
    kinetic = Kinetic(Fraction(rule.energy_kj_mol))
    weighted = time_ms = 0
    begin = max(0, t - rule.window_ms)
    for i, sample in enumerate(made):
        until = made[i + 1].at_ms if i + 1 < len(made) else t
        span = min(until, sample.at_ms + GAP, t) - max(sample.at_ms, begin)
        if sample.quality == GOOD and span > 0:
            weighted += kinetic.weight(sample.high) * span
            time_ms += span
    return kinetic.mean_c(weighted, time_ms)


@given(series)
def test_a_kinetic_mean_streams_as_it_is_reckoned_whole(steps: list[tuple[int, Any]]) -> None:
    """The window takes back exactly what it took in: so its condition is the whole sum's."""
    made = samples(steps, scale=1000)
    told = run(MEAN, made, made[-1].at_ms)
    active = False
    for now in made:
        changes = [c for c in told if isinstance(c, Triggered | Returned)]
        at = {(c.due_ms if isinstance(c, Triggered) else c.at_ms): isinstance(c, Triggered) for c in changes}
        active = at.get(now.at_ms, active)
        mean = mean_at(made, MEAN, now.at_ms)
        if now.quality == GOOD and now.at_ms >= MEAN.window_ms and mean is not None:
            assert active == (mean > 8)


def test_cold_that_leaves_the_window_raises_the_mean() -> None:
    """Every value lies inside, and yet the mean rises above, because cold has left (no calm band there)."""
    minute = 20
    steps = [(minute, -5)] * 20 + [(minute, 20)] * 3 + [(minute, 5)] * 30
    made = samples(steps, scale=1000)
    rule = KineticMean(**WORDS, limit=8000, window_ms=30 * minute, energy_kj_mol="83.144")
    told = [change for change in run(rule, made, made[-1].at_ms) if isinstance(change, Triggered)]
    assert told
    at = next(sample for sample in made if sample.at_ms == told[0].due_ms)
    assert at.high == 5000


@given(series)
def test_a_rate_compares_with_the_lowest_of_its_time(steps: list[tuple[int, Any]]) -> None:
    """On at each GOOD sample that lies `change` or more above a GOOD one of the time before."""
    made = samples(steps)
    told = run(RATE, made, made[-1].at_ms)
    on = {change.due_ms for change in told if isinstance(change, Triggered)}
    off = {change.at_ms for change in told if isinstance(change, Returned)}
    active = False
    for i, now in enumerate(made):
        active = (active or now.at_ms in on) and now.at_ms not in off
        if now.quality == GOOD:
            before = [s.low for s in made[:i] if s.quality == GOOD and s.at_ms >= now.at_ms - RATE.within_ms]
            assert active == bool(before and now.high - min(before) >= RATE.limit)


@given(series)
def test_a_fall_is_a_rise_upside_down(steps: list[tuple[int, Any]]) -> None:
    """Both sides judge alike."""
    falling = Rate(**WORDS, side=Side.BELOW, limit=5, within_ms=200)
    made = samples(steps)
    mirrored = [Sample(s.at_ms, -s.high, -s.low, s.quality) for s in made]

    def times(changes: list[Change]) -> list[tuple[str, int | None]]:
        return [
            (type(c).__name__, c.interval.end_ms if isinstance(c, Ended) else getattr(c, "due_ms", None))
            for c in changes
        ]

    end = made[-1].at_ms
    assert times(run(RATE, made, end)) == times(run(falling, mirrored, end))


def test_exceeded_at_the_allowance_itself_where_the_rule_says_so() -> None:
    """`at_or_beyond`: the sum that equals the allowance is too much, one ms earlier than `beyond`."""
    made = samples([(1, 9), (50, 9), (50, 9), (50, 9)])
    at = Rolling(
        **WORDS, side=Side.ABOVE, limit=8, allowance_ms=100, window_ms=400, exceeded=Outside.AT_OR_BEYOND
    )
    (told,) = [c.due_ms for c in run(at, made, 200) if isinstance(c, Triggered)]
    (later,) = [c.due_ms for c in run(ROLLING, made, 200) if isinstance(c, Triggered)]
    assert (told, later) == (101, 102)
