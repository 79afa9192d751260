"""The calm band changes no result: what may be skipped is proved against asking every rule each time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.announcements import Announcement
from coldchain.consignments.line import Segment
from coldchain.facts import Activated, Reading
from coldchain.fold import columns
from coldchain.fold.conditioning import condition
from coldchain.fold.history import History, code_of
from coldchain.fold.steps import Told as Change_
from coldchain.fold.track import Track
from coldchain.model import Priority, Reason, Side
from coldchain.plan import (
    Crossing,
    Fires,
    KineticMean,
    Outside,
    Per,
    Rate,
    Rolling,
    Rule,
    Settle,
    Span,
    Spike,
    Stuck,
    TimeToLimit,
)
from coldchain.rules.judging import Opened, Sample
from tests.unit.fold.bench import CITED, MIN, T0, Bench, budget, channel, limit, plan

WORDS: dict[str, Any] = {"role": "vapour", "priority": Priority.HIGH, "cited": CITED}
WINDOW = 30 * MIN

RULES: tuple[Rule, ...] = (
    limit("l1", value=8, hold_ms=10 * MIN, deadband=1000, off_delay_ms=5 * MIN),
    limit("l2", value=0, side=Side.BELOW, hold_ms=0, outside=Outside.AT_OR_BEYOND),
    limit("l3", value=8, hold_ms=20 * MIN, crossing=Crossing.LINEAR, fires=Fires.ON_READING),
    limit("l4", value=9, hold_ms=0, settle=Settle(Side.ABOVE, 6000, 60 * MIN)),
    budget("b1", value=8, allowance_min=20),
    budget("b2", value=8, allowance_min=20, charge_unmonitored=True),
    budget("b3", value=8, allowance_min=15, per=Per.DAY),
    Rolling(id="r1", **WORDS, side=Side.ABOVE, limit=8000, allowance_ms=10 * MIN, window_ms=WINDOW),
    KineticMean(id="m1", **WORDS, limit=8000, window_ms=WINDOW, energy_kj_mol="83.144"),
    Rate(id="v1", **WORDS, side=Side.ABOVE, limit=5000, within_ms=10 * MIN),
    Rate(id="v2", **WORDS, side=Side.BELOW, limit=5000, within_ms=10 * MIN),
    Stuck(id="s1", **WORDS, for_ms=12 * MIN),
    Stuck(id="s2", **WORDS, for_ms=12 * MIN, tolerance=1000),
    Spike(id="p1", **WORDS, limit=6000),
    limit("l5", value=8, hold_ms=10 * MIN, deadband=1000, crossing=Crossing.LINEAR, off_delay_ms=9 * MIN),
    limit("l6", value=2, side=Side.BELOW, hold_ms=10 * MIN, deadband=3000, fires=Fires.ON_READING),
    budget("b4", value=8, allowance_min=3, fires=Fires.ON_READING, outside=Outside.AT_OR_BEYOND),
    budget("b5", value=8, allowance_min=3, crossing=Crossing.LINEAR, exceeded=Outside.AT_OR_BEYOND),
    budget("b6", value=5, side=Side.BELOW, allowance_min=15, per=Per.DAY, charge_unmonitored=True),
    budget("b7", value=8, allowance_min=9, fires=Fires.ON_READING, charge_unmonitored=True),
    budget("b8", value=8, allowance_min=9, given_back=(Span(T0 + 10 * MIN, T0 + 30 * MIN),)),
    KineticMean(id="m2", **WORDS, limit=6000, window_ms=WINDOW, energy_kj_mol="42"),
)
FORECAST = TimeToLimit(
    id="f1", **WORDS, side=Side.ABOVE, limit=8000, horizon_ms=20 * MIN, window_ms=WINDOW, least=1000
)

# Cold, hot and mild in stretches about as long as the windows: what random single values never show.
VALUES = st.sampled_from([-5, 0, 2, 4.9, 5, 5.1, 6, 7.9, 8, 8.1, 12, 20, None])
STRETCH = st.tuples(VALUES, st.integers(1, 25), st.sampled_from([1, 1, 1, 2, 31]))
STRETCHES = st.lists(STRETCH, min_size=1, max_size=12)


def story(stretches: list[tuple[float | None, int, int]]) -> list[Reading]:
    """Readings: a value for so many steps of so many minutes."""
    made, minute = [], 0
    for value, count, step in stretches:
        for _ in range(count):
            at_ms = T0 + minute * MIN
            if value is None:
                made.append(Reading("log", "box.vapour", at_ms=at_ms, bad=Reason.SENSOR_OPEN))
            else:
                made.append(Reading("log", "box.vapour", str(value), "degC", at_ms=at_ms))
            minute += step
    return made


Told = list[tuple[int, Announcement]]


def judged(rules: tuple[Rule, ...], made: list[tuple[int, Reading]], *, calm: bool) -> tuple[Told, object]:
    """What is announced, and what is true at the end."""
    bench = Bench(plan(*rules, channels=(channel(max_gap_ms=5 * MIN),)))
    place = bench.fold.places["box/vapour"]
    place.track.calm = calm
    for arrival_ms, reading in made:
        bench.run(arrival_ms)
        bench.add(reading, max(arrival_ms, bench.fold.arrival_ms))
    bench.run(bench.fold.arrival_ms + 60 * MIN)
    truth = [(each.id, place.standing(each), each.closed_at_ms) for each in place.ledger.all()]
    return bench.said, (truth, place.track.active(), place.track.meter, place.track.keep().running)


@given(STRETCHES, st.sets(st.integers(0, len(RULES) - 1), min_size=1, max_size=4))
def test_skipping_changes_nothing(stretches: list[tuple[float | None, int, int]], chosen: set[int]) -> None:
    """The same announcements at the same ms, the same excursions, statistics and states, to the field."""
    rules = tuple(RULES[i] for i in sorted(chosen))
    made = [(reading.at_ms or 0, reading) for reading in story(stretches)]
    assert judged(rules, made, calm=True) == judged(rules, made, calm=False)


@given(STRETCHES, st.sets(st.integers(0, len(RULES) - 1), min_size=1, max_size=3), st.data())
def test_skipping_changes_nothing_of_what_comes_late(
    stretches: list[tuple[float | None, int, int]], chosen: set[int], data: st.DataObject
) -> None:
    """Readings in any order of arrival."""
    rules = tuple(RULES[i] for i in sorted(chosen))
    sent = story(stretches)
    delays = data.draw(st.lists(st.sampled_from([0, 0, 0, 7, 40]), min_size=len(sent), max_size=len(sent)))
    made = sorted(
        (((reading.at_ms or 0) + delay * MIN, reading) for reading, delay in zip(sent, delays, strict=True)),
        key=lambda pair: pair[0],
    )
    assert judged(rules, made, calm=True)[1] == judged(rules, made, calm=False)[1]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The samples that rules were asked about."""
    times: list[int] = []
    ask = Track._ask

    def counting(self: Track, now: Sample, tell: Any) -> None:
        times.append(now.at_ms)
        ask(self, now, tell)

    monkeypatch.setattr(Track, "_ask", counting)
    return times


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_calm_series_is_hardly_looked_at(rule: Rule, asked: list[int]) -> None:
    """Of a thousand readings inside, a rule with a band is asked about few."""
    made = [(reading.at_ms or 0, reading) for reading in story([(5, 1, 1), (5.1, 1, 1)] * 500)]
    judged((rule,), made, calm=True)
    # b2: the deadline of unmonitored time moves with each sample; s2: these values are stuck.
    assert (len(asked) < 120) is (rule.id not in ("b2", "b6", "s2"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_long_excursion_is_hardly_looked_at_either(rule: Rule, asked: list[int]) -> None:
    """A thousand readings outside: after the first ones nothing changes but sums."""
    outside = (12.1, 12) if getattr(rule, "side", Side.ABOVE) is Side.ABOVE else (-5, -5.1)
    made = [(reading.at_ms or 0, reading) for reading in story([(v, 1, 1) for v in outside] * 500)]
    judged((rule,), made, calm=True)
    # Those of a window know no band outside; what was given back is left out reading by reading.
    assert (len(asked) < 120) is (rule.id not in ("m1", "m2", "r1", "s2", "b8"))


def test_a_warm_hour_leaves_a_mean_calm(asked: list[int]) -> None:
    """While something warm is in its window there is a margin: it is asked when that may be used up."""
    cool, warm = [(5, 1, 1), (5.1, 1, 1)] * 30, [(8.2, 5, 1)]
    made = [(reading.at_ms or 0, reading) for reading in story([*cool, *warm, *cool])]
    rule = replace(RULES[8], window_ms=60 * MIN)
    said, state = judged((rule,), made, calm=True)
    assert len(asked) < 20
    assert (said, state) == judged((rule,), made, calm=False)


def test_a_rule_without_a_band_is_asked_each_time(asked: list[int]) -> None:
    """A forecast cannot prove that the next value changes nothing."""
    made = [(reading.at_ms or 0, reading) for reading in story([(5, 100, 1)])]
    judged((FORECAST,), made, calm=True)
    assert len(asked) == 100


def test_cold_that_leaves_the_window_is_not_skipped() -> None:
    """20 × −5, 3 × 20, 60 × 5 °C: the mean of 30 min rises above 8 °C with every value inside."""
    made = [(reading.at_ms or 0, reading) for reading in story([(-5, 20, 1), (20, 3, 1), (5, 60, 1)])]
    rule = RULES[8]
    said, _ = judged((rule,), made, calm=True)
    assert [(at - T0) / MIN for at, one in said if one.kind == "raised"] == [48]
    assert (said, _) == judged((rule,), made, calm=False)


def along(
    rules: tuple[Rule, ...], sent: list[Reading], how: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[Change_], object]:
    """What a track tells of packed readings, judged in one of the ways there are."""
    monkeypatch.setattr(columns, "BLOCKS", how == "blocks")
    probe = channel(max_gap_ms=5 * MIN)
    history = History()
    for reading in sent:
        value, quality, reason = condition(probe, reading)
        history.insert(reading.at_ms or 0, value, code_of(quality, reason, reading.origin), 0)
    track = Track("box/vapour", {probe.id: history})
    track.line = [Segment(T0, probe, rules)]
    track.calm = how != "plain"
    told: list[Change_] = []
    track.advance(T0, told.append)
    track.judge_all(history, 0, len(history), told.append)
    track.advance((track.at_ms or T0) + 60 * MIN, told.append)
    state = track.keep()
    standing = track.standing(track.at_ms or 0)
    return told, (state.last, state.meter, state.running, standing, track.active(), track.due())


@given(STRETCHES, st.sets(st.integers(0, len(RULES) - 1), min_size=1, max_size=4), st.integers(1, 3))
def test_bulk_is_the_plain_fold(
    stretches: list[tuple[float | None, int, int]], chosen: set[int], times: int
) -> None:
    """By blocks, one by one, and asking every rule: the same, to the ms."""
    rules = tuple(RULES[i] for i in sorted(chosen))
    sent = story(stretches * times)
    with pytest.MonkeyPatch.context() as patch:
        plain = along(rules, sent, "plain", patch)
        assert along(rules, sent, "one by one", patch) == plain
        patch.setattr(columns, "_FEW", 4)
        patch.setattr(columns, "_MANY", 8)
        patch.setattr(columns, "_BLOCK", 8)
        assert along(rules, sent, "blocks", patch) == plain


def test_readings_of_one_ms_are_one_sample_in_bulk_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at one ms, one of them outside: the limit takes the one furthest out, wherever a block ends."""
    sent = story([(5, 100, 1)])
    twin = Reading("log", "box.vapour", "20", "degC", at_ms=T0 + 80 * MIN)
    for at in (0, 81):
        made = [*sent[:at], twin, *sent[at:]] if at else [twin, *sent]
        made.sort(key=lambda reading: reading.at_ms or 0)
        monkeypatch.setattr(columns, "_BLOCK", 8)
        plain = along(RULES[:4], made, "plain", monkeypatch)
        assert along(RULES[:4], made, "blocks", monkeypatch) == plain
        assert any(isinstance(one.change, Opened) for one in plain[0])


LONG = limit("l1", value=8, hold_ms=10 * MIN)


def outside_for_hours(*, calm: bool) -> Bench:
    """A box whose excursion is open, with its peak among the last readings, which were skipped."""
    bench = Bench(
        plan(LONG, budget("b1", value=8, allowance_min=20), channels=(channel(max_gap_ms=5 * MIN),))
    )
    bench.fold.places["box/vapour"].track.calm = calm
    for reading in story([(5, 3, 1), (12, 30, 1), (15, 1, 1), (12, 170, 1)]):
        bench.add(reading)
    return bench


@pytest.mark.parametrize("calm", [True, False], ids=["skipped", "asked"])
def test_an_excursion_is_whole_where_its_readings_are_left_behind(calm: bool) -> None:
    """The source sends no time any more: its readings have another time base, and the excursion is closed."""
    bench = outside_for_hours(calm=calm)
    bench.add(Activated(plan(LONG, channels=(channel(max_gap_ms=5 * MIN),), sends_time=False), {}))
    ended = [each.interval for each in bench.fold.places["box/vapour"].ledger.all()]
    assert {(one.rule, one.outside_ms, one.extreme) for one in ended if one.end_ms is not None} == {
        ("b1", 200 * MIN, 15_000),
        ("l1", 200 * MIN, 15_000),
    }
