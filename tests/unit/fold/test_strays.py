"""Readings that leap into the future, one by one: no hold runs out by them, with a clock of ours or not."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coldchain.announcements import Kind
from coldchain.facts import ClockSet, ProcessStarted, Reading
from coldchain.model import Side
from coldchain.plan import SourcePlan
from tests.unit.fold.bench import MIN, T0, Bench, channel, limit, plan

HOUR, YEAR = 60 * MIN, 365 * 24 * 60 * MIN
HOLD = 10 * MIN
TOLERANCE = SourcePlan("log", "test", 0).clock_tolerance_ms
SITE = plan(
    limit(hold_ms=HOLD),
    limit("cold", -180, hold_ms=HOLD, side=Side.BELOW),
    channels=(channel(fresh_within_ms=5 * MIN),),
)


class Said(NamedTuple):
    """A reading as it was sent, and when it came (ms since the start)."""

    value: float
    sent_ms: int
    arrival_ms: int


def told(story: list[Said], *, known: bool) -> Bench:
    """What a gateway makes of it that knows the time, or has just booted in 1970."""
    start_ms = T0 if known else 0
    bench = Bench(SITE, start_ms=start_ms, clock=known)
    for said in story:
        bench.run(start_ms + said.arrival_ms - 1)
        sent = Reading("log", "box.vapour", str(said.value), "degC", at_ms=T0 + said.sent_ms)
        bench.add(sent, start_ms + said.arrival_ms)
    bench.run(start_ms + story[-1].arrival_ms + 30 * MIN)
    assert bench.refold() == bench.said
    return bench


def alarms(bench: Bench) -> list[tuple[int, str, str, int | None]]:
    """Every word about the product: when, which rule, what, since when; the source's clock left out."""
    start_ms = bench.facts[0][0]
    return [
        (at_ms - start_ms, said.rule, said.kind.value, said.since_ms)
        for at_ms, said in bench.said
        if said.subject == "box/vapour"
    ]


def times(bench: Bench) -> list[int]:
    """When each reading is judged, ms since the start."""
    return [at_ms - T0 for at_ms in bench.fold.channels.histories["box.vapour"].at]


VALUES = st.sampled_from([-160, -140, -190])


@given(
    values=st.lists(VALUES, min_size=3, max_size=30),
    leaps=st.dictionaries(
        st.integers(2, 29),
        st.tuples(VALUES, st.integers(91_000, 3 * HOUR) | st.integers(YEAR, 30 * YEAR)),
        max_size=4,
    ),
    delay_ms=st.integers(0, 30_000),
    known=st.booleans(),
)
@example(values=[-140, -140, -140, -160, -160], leaps={2: (-160, YEAR)}, delay_ms=0, known=False)
@example(values=[-160] * 3 + [-140], leaps={2: (-160, YEAR), 3: (-160, YEAR)}, delay_ms=0, known=False)
@example(values=[-160, -160, -160, -140, -140], leaps={2: (-160, 2 * HOUR)}, delay_ms=0, known=True)
def test_a_reading_from_the_future_counts_as_now(
    values: list[int], leaps: dict[int, tuple[int, int]], delay_ms: int, known: bool
) -> None:
    """However far ahead it says it is, the alarms are those of one with the right time, to the ms."""
    wrong: list[Said] = []
    right: list[Said] = []
    for minute, value in enumerate(values):
        both = Said(value, minute * MIN, minute * MIN + delay_ms)
        wrong.append(both)
        right.append(both)
        if minute in leaps:
            leapt, by_ms = leaps[minute]
            then_ms = minute * MIN + 30_000
            wrong.append(Said(leapt, then_ms + by_ms, then_ms + delay_ms))
            # It counts as its arrival by our own clock; without one by the source's, as its readings come.
            right.append(Said(leapt, then_ms + (delay_ms if known else 0), then_ms + delay_ms))
    assert alarms(told(wrong, known=known)) == alarms(told(right, known=known))


@given(
    values=st.lists(VALUES, min_size=3, max_size=30),
    delays=st.lists(st.integers(0, 25_000), min_size=30, max_size=30),
    leaps=st.dictionaries(st.integers(2, 29), st.integers(61_000, YEAR), max_size=6),
    known=st.booleans(),
)
def test_no_hold_runs_out_early(
    values: list[int], delays: list[int], leaps: dict[int, int], known: bool
) -> None:
    """Whatever the delays, nobody is called before a hold has passed since the first reading outside.

    But for the time by which readings differ that are on time: their delays, and what a source may be ahead.
    """
    story = []
    for minute, value in enumerate(values):
        story.append(Said(value, minute * MIN, minute * MIN + delays[minute]))
        if minute in leaps:
            story.append(Said(value, minute * MIN + leaps[minute], minute * MIN + 30_000))
    outside = [said.arrival_ms for said in story if said.value != -160]
    for at_ms, rule, kind, _ in alarms(told(story, known=known)):
        if kind == Kind.RAISED and rule != "silence":
            assert at_ms >= outside[0] + HOLD - max(delays) - TOLERANCE


@pytest.mark.parametrize("known", [True, False])
def test_several_readings_of_one_message_stray_together(known: bool) -> None:
    """Of a message with a wrong time among right ones, the right ones are not taken along."""
    bench = told(
        [
            Said(-160, 0, 0),
            Said(-160, MIN, MIN),
            Said(-160, 2 * MIN, 2 * MIN),
            Said(-140, 2 * MIN + YEAR, 2 * MIN),
            Said(-141, 2 * MIN + YEAR, 2 * MIN),
            Said(-160, 2 * MIN - 10_000, 2 * MIN),
            Said(-160, 3 * MIN, 3 * MIN),
        ],
        known=known,
    )
    assert times(bench) == [0, MIN, 2 * MIN - 10_000, 2 * MIN, 2 * MIN, 2 * MIN, 3 * MIN]
    clock = [said.kind for _, said in bench.said if said.alarm == "port:log/clock"]
    assert clock == [Kind.RAISED, Kind.RETURNED]


def test_a_first_reading_from_the_future_is_found_out() -> None:
    """With no clock of ours, three readings show which was wrong; then holds run as they should."""
    story = [Said(-160, YEAR, 0)] + [Said(-160, minute * MIN, minute * MIN) for minute in range(1, 5)]
    story += [Said(-140, minute * MIN, minute * MIN) for minute in range(5, 20)]
    bench = told(story, known=False)
    assert times(bench) == [minute * MIN for minute in range(20)]
    raised = [each for each in alarms(bench) if each[2] == Kind.RAISED and each[1] != "silence"]
    assert raised == [(15 * MIN, "above", "raised", T0 + 5 * MIN)]


def test_a_clock_that_was_set_is_followed() -> None:
    """With no clock of ours, a source that goes on from where it leapt to has had its clock set."""
    story = [Said(-160, minute * MIN, minute * MIN) for minute in range(5)]
    story += [Said(-160, minute * MIN + 10 * HOUR, minute * MIN) for minute in range(5, 9)]
    assert times(told(story, known=False)) == [said.sent_ms for said in story]


def test_a_clock_that_went_wrong_counts_as_now() -> None:
    """With a clock of ours, what a source says that has leapt ahead for good is all taken as of now."""
    story = [Said(-160, minute * MIN, minute * MIN) for minute in range(5)]
    story += [Said(-160, minute * MIN + 10 * HOUR, minute * MIN) for minute in range(5, 9)]
    bench = told(story, known=True)
    assert times(bench) == [said.arrival_ms for said in story]
    assert bench.fold.desk.condition("port:log/clock")


def test_a_stray_stays_behind_what_its_source_sent_before() -> None:
    """A source within its tolerance ahead of us: what leapt counts as now by that source's own time."""
    story = [Said(-160, minute * MIN + 50_000, minute * MIN) for minute in range(3)]
    bench = told([*story, Said(-150, YEAR, 2 * MIN + 10_000)], known=True)
    assert times(bench) == [50_000, MIN + 50_000, 2 * MIN + 50_000, 3 * MIN]


@pytest.mark.parametrize("step_ms", [MIN, 5 * MIN, HOUR])
def test_a_queue_is_never_squeezed(step_ms: int) -> None:
    """With no clock of ours, what waited in a queue keeps its spacing, whatever came before or after."""
    story = [Said(-160, minute * MIN, minute * MIN) for minute in range(3)]
    now_ms = 20 * step_ms
    story += [Said(-140, number * step_ms, now_ms + number) for number in range(3, 21)]
    story += [Said(-160, now_ms + minute * MIN, now_ms + minute * MIN) for minute in range(1, 4)]
    assert times(told(story, known=False)) == [said.sent_ms for said in story]


def test_strays_are_put_right_with_their_source() -> None:
    """A source an hour ahead and a reading a year ahead: once our clock is known, all stand at arrival."""
    bench = Bench(SITE, start_ms=0, clock=False)
    for minute in range(5):
        at_ms = T0 + HOUR + minute * MIN
        bench.add(Reading("log", "box.vapour", "-160", "degC", at_ms=at_ms), minute * MIN)
    bench.add(Reading("log", "box.vapour", "-150.5", "degC", at_ms=T0 + YEAR), 4 * MIN + 30_000)
    assert times(bench)[-1] == HOUR + 4 * MIN + 30_000
    bench.add(ClockSet(T0, "kernel"), 5 * MIN)
    assert times(bench) == [*(minute * MIN for minute in range(5)), 4 * MIN + 30_000]
    assert bench.refold() == bench.said


def test_a_down_time_of_unknown_length_is_no_leap() -> None:
    """Journal time stood still while we were down, and the source's clock did not: its next is right."""
    bench = Bench(SITE, start_ms=0, clock=False)
    for minute in range(3):
        bench.add(Reading("log", "box.vapour", "-160", "degC", at_ms=T0 + minute * MIN), minute * MIN)
    bench.add(ProcessStarted("boot2", None, None), 3 * MIN)
    bench.add(Reading("log", "box.vapour", "-160", "degC", at_ms=T0 + 9 * HOUR), 3 * MIN + 1)
    assert times(bench) == [0, MIN, 2 * MIN, 9 * HOUR]


def test_a_repeat_of_a_stray_is_a_repeat() -> None:
    """It stands at another time than it says, and is known again by what it says."""
    story = [Said(-160, 0, 0), Said(-160, MIN, MIN), Said(-150, YEAR, MIN + 30_000)]
    bench = told([*story, Said(-150, YEAR, 2 * MIN - 1)], known=False)
    count = bench.fold.channels.counts["box.vapour"]
    assert (count.taken, count.repeats) == (3, 1)
