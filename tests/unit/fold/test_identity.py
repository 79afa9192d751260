"""Which reading is which: repeats, restarted counters, clocks that run ahead, and what stands beside."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from coldchain.announcements import Kind
from coldchain.facts import ClockSet, ProcessStarted, Reading
from coldchain.model import Origin, Reason
from coldchain.plan import SourcePlan
from coldchain.rules.judging import BAD, UNCERTAIN
from tests.unit.fold.bench import MIN, T0, Bench, channel, limit, plan

H = 60 * MIN


def sent(minute: float, raw: str = "-160", **more: Any) -> Reading:
    """A reading whose device says it is this minute."""
    return Reading("log", "box.vapour", raw, "degC", at_ms=T0 + round(minute * MIN), **more)


def times(bench: Bench) -> list[float]:
    """The minutes at which readings are judged."""
    return [(at - T0) / MIN for at in bench.fold.channels.histories["box.vapour"].at]


def counts(bench: Bench) -> tuple[int, int, int]:
    """Readings taken, repeats, sequence faults."""
    count = bench.fold.channels.counts["box.vapour"]
    return count.taken, count.repeats, count.sequence_faults


# Repeats


def test_a_repeat_is_known_by_the_time_as_sent_while_the_clock_is_shifted() -> None:
    """Its device is an hour ahead; the message comes again after the shift has grown: still one reading."""
    bench = Bench(plan(limit()))
    bench.add(sent(60), T0)
    bench.add(sent(61), T0 + MIN)
    bench.add(sent(67), T0 + 3 * MIN)  # its clock jumped on
    bench.add(sent(61, dup=True), T0 + 4 * MIN)
    assert counts(bench) == (3, 1, 0)


def test_two_readings_that_a_shift_puts_at_one_instant_are_two() -> None:
    """Judged at the same instant with the same value, sent at different times: none is lost."""
    bench = Bench(plan(limit()))
    bench.add(sent(60), T0)  # an hour ahead: judged at 0
    bench.add(sent(0), T0 + 1)  # set right: sent and judged at 0
    assert counts(bench)[:2] == (2, 0)


def test_a_repeat_is_known_after_a_calibration_changed() -> None:
    """Identity is what was sent, not what it was taken for."""
    from coldchain.facts import Activated
    from coldchain.plan import CalibrationPoint

    bench = Bench(plan(limit()))
    bench.add(sent(0, "-151"))
    corrected = channel(calibration=(CalibrationPoint(0, 2_000),))
    bench.add(Activated(plan(limit(), channels=(corrected,)), {}, at_ms=T0, why="late"), T0 + MIN)
    bench.add(sent(0, "-151", dup=True), T0 + 2 * MIN)
    assert counts(bench) == (1, 1, 0)


def test_two_messages_with_equal_time_and_value_are_two_if_numbered() -> None:
    """The number tells them apart: a device that writes whole seconds sends two in one."""
    bench = Bench(plan(limit()))
    bench.add(sent(0, sequence=7))
    bench.add(sent(0, sequence=8))
    assert counts(bench) == (2, 0, 0)


def test_an_old_number_is_known_by_its_time() -> None:
    """Sent again after more numbers than are remembered: found by time and value."""
    bench = Bench(plan(limit()))
    for i in range(700):
        bench.add(sent(i, sequence=i))
    bench.add(sent(3, sequence=3, dup=True), T0 + 700 * MIN)
    assert counts(bench) == (700, 1, 0)


def test_a_restarted_counter_is_one_alarm_and_loses_nothing() -> None:
    """Each number comes twice with another time: all are kept, the fault is raised once and goes."""
    bench = Bench(plan(limit()))
    for i in range(10):
        bench.add(sent(i, sequence=i))
    for i in range(10):
        bench.add(sent(20 + i, sequence=i))
    bench.add(sent(5, sequence=5, dup=True), T0 + 30 * MIN)
    assert counts(bench) == (20, 1, 10)
    faults = [a.kind for _, a in bench.said if a.alarm == "port:log/sequence"]
    assert faults == [Kind.RAISED]
    bench.add(sent(31, sequence=10))
    assert not bench.fold.desk.condition("port:log/sequence")


# A source's clock ahead of ours


def test_a_message_in_falling_order_is_one_delivery() -> None:
    """A logger sends its newest reading first: ten minutes outside stay ten minutes outside."""
    bench = Bench(plan(limit(hold_ms=8 * MIN)))
    for minute in range(70, 59, -1):
        bench.add(sent(minute, "-140"), T0)
    assert times(bench) == list(range(-10, 1))


def test_readings_of_a_run_that_moves_leave_no_future_behind() -> None:
    """The run is moved back: holds, silence and the channel's time move with it."""
    bench = Bench(plan(limit(hold_ms=10 * MIN), channels=(channel(fresh_within_ms=5 * MIN),)))
    bench.add(sent(2.9, "-149"), T0 + 2 * MIN)  # within the tolerance
    bench.add(sent(3.5, "-149"), T0 + 2 * MIN + 1)  # not any more: both move back
    assert times(bench) == [pytest.approx(1.4, abs=1e-3), pytest.approx(2, abs=1e-3)]
    place = bench.fold.places["box/vapour"]
    assert place.track.at_ms == T0 + 2 * MIN + 1
    bench.run(T0 + 30 * MIN)
    raised = [(round((at - T0) / MIN, 3), a.rule) for at, a in bench.said if a.kind is Kind.RAISED]
    assert raised == [(2, "clock"), (7, "silence"), (11.4, "above")]


def test_a_step_of_our_own_clock_does_not_mix_a_sources_readings() -> None:
    """Our clock steps back an hour: the source's time runs on, its readings are not put among older ones."""
    bench = Bench(plan(limit()))
    for minute in range(60):
        bench.add(sent(minute))
    bench.add(ClockSet(-H, "stepped", step_ms=-H), T0 + 60 * MIN)
    for minute in range(60, 80):
        bench.run(T0 + minute * MIN - 1)
        bench.add(sent(minute, "-149"), T0 + minute * MIN)
    raised = [(at - T0) // MIN for at, a in bench.said if a.kind is Kind.RAISED and a.rule == "above"]
    assert raised == [70]
    assert bench.fold.desk.condition("port:log/clock")  # whose clock is wrong, a person must say
    assert bench.refold() == bench.said


def test_a_drifting_clock_never_turns_back_its_own_readings() -> None:
    """A device whose clock runs ever faster: its readings stay in the order in which it sent them."""
    bench = Bench(plan(limit()))
    at = 0.0
    for second in range(0, 1200, 10):
        at += 11.5
        bench.add(
            Reading("log", "box.vapour", "-160", "degC", at_ms=T0 + round(at * 1000)), T0 + second * 1000
        )
    judged = times(bench)
    assert judged == sorted(judged)
    assert bench.fold.channels.counts["box.vapour"].taken == len(set(judged))
    assert judged[-1] * MIN <= 1190_000 + 61_000


def test_what_came_from_the_future_while_our_clock_was_unknown_is_put_right() -> None:
    """A device ten years ahead, no clock of our own: once it is known, nothing stays in ten years."""
    bench = Bench(plan(limit(), channels=(channel(fresh_within_ms=5 * MIN),)), start_ms=0, clock=False)
    years = 10 * 365 * 24 * H
    for minute in range(5):
        raw = "-149" if minute else "-160"
        bench.add(
            Reading("log", "box.vapour", raw, "degC", at_ms=T0 + years + minute * MIN), minute * MIN + 100
        )
    bench.add(ClockSet(T0, "kernel"), 5 * MIN)
    history = bench.fold.channels.histories["box.vapour"]
    assert (history.at[-1] - T0) // MIN == 4
    bench.run(30 * MIN)
    assert [(at // MIN, a.rule) for at, a in bench.said if a.rule == "above"] == [(11, "above")]
    bench.add(Reading("log", "box.vapour", "-160", "degC", at_ms=T0 + years + 31 * MIN), 31 * MIN)
    assert not bench.fold.desk.condition("box/vapour/above")
    assert not bench.fold.desk.condition("port:log")
    assert bench.refold() == bench.said


# Sources that send no time, or not always


def test_a_frame_without_a_time_from_a_source_that_sends_time_counts_now() -> None:
    """A corrupt payload has no time: it is a reading of its arrival, in UTC, not of 1970."""
    bench = Bench(plan(limit()), start_ms=1000, clock=False)
    bench.add(ClockSet(T0, "kernel"), 2000)
    bench.add(Reading("log", "box.vapour", "-149", "degC", at_ms=T0 + 60_000), 60_000)
    bench.add(Reading("log", "box.vapour", bad=Reason.CORRUPT_FRAME, stamp_ms=120_000), 120_000)
    last = bench.fold.places["box/vapour"].track.last
    assert last is not None
    assert (last.at_ms, last.quality) == (T0 + 120_000, BAD)


def test_a_time_that_the_source_is_not_trusted_with_places_nothing() -> None:
    """Some of its messages carry a time, most do not: the port's stamp counts, in journal time."""
    bench = Bench(plan(limit(), sends_time=False), start_ms=1000, clock=False)
    bench.add(ClockSet(T0, "kernel"), 2000)
    bench.add(Reading("log", "box.vapour", "-149", "degC", at_ms=T0 + 60_000, stamp_ms=60_000), 60_000)
    last = bench.fold.places["box/vapour"].track.last
    assert last is not None
    assert last.at_ms == 60_000


def test_a_retained_message_without_time_is_judged_by_nothing_even_if_numbered() -> None:
    """It may be a week old: shown as in doubt, it ends no excursion and no silence."""
    bench = Bench(plan(limit(hold_ms=0), sends_time=False, numbered=True))
    bench.add(Reading("log", "box.vapour", "-149", "degC", sequence=1), T0 + MIN)
    bench.add(Reading("log", "box.vapour", "-160", "degC", sequence=9, origin=Origin.RETAINED), T0 + 2 * MIN)
    assert bench.fold.desk.condition("box/vapour/above")
    shown = bench.fold.channels.now["box.vapour"]
    assert (shown.quality, shown.reason) == (UNCERTAIN, Reason.RETAINED_WITHOUT_TIME)


def test_simulated_readings_are_no_evidence_for_a_real_source() -> None:
    """A reading marked simulated under a source that is not: BAD, never a number."""
    bench = Bench(plan(limit(hold_ms=0)))
    bench.add(sent(0, "-149", simulated=True))
    assert not bench.fold.desk.condition("box/vapour/above")
    assert bench.fold.channels.now["box.vapour"].reason is Reason.SIMULATED


# What stands beside


def test_an_imported_file_stands_beside_a_live_source() -> None:
    """Imported readings of a probe that is read live are counted and judged by nothing."""
    bench = Bench(plan(limit(hold_ms=0)))
    bench.add(sent(0))
    bench.add(sent(1, "-149", origin=Origin.IMPORTED), T0 + 2 * MIN)
    assert [a for _, a in bench.said if a.rule == "above"] == []
    count = bench.fold.channels.counts["box.vapour"]
    assert (count.taken, count.beside) == (1, 1)
    bench.add(sent(0, origin=Origin.IMPORTED), T0 + 3 * MIN)
    assert counts(bench)[:2] == (1, 1)


def test_an_imported_file_is_judged_where_the_file_is_the_source() -> None:
    """A logger that is only ever read by its file: its readings revise."""
    here = plan(limit(hold_ms=0))
    here = replace(here, sources=(SourcePlan("log", "file", MIN, sends_time=True),))
    bench = Bench(here)
    bench.add(sent(1, "-149", origin=Origin.IMPORTED), T0 + 2 * MIN)
    assert bench.fold.desk.condition("box/vapour/above")


def test_readings_older_than_the_first_activation_stand_beside() -> None:
    """Nothing was in force then: kept, shown, judged by nothing; what follows is judged."""
    bench = Bench(plan(limit(hold_ms=0)))
    bench.add(sent(-10, "-149"), T0 + MIN)
    assert [a for _, a in bench.said if a.rule == "above"] == []
    assert times(bench) == [-10]
    bench.add(sent(1, "-149"), T0 + MIN)
    assert bench.fold.desk.condition("box/vapour/above")


def test_a_process_start_keeps_what_is_known_of_a_sources_clock() -> None:
    """After a restart the shift of a clock that is ahead still holds: no reading jumps an hour."""
    bench = Bench(plan(limit()))
    bench.add(sent(60), T0)
    bench.add(ProcessStarted("boot2", T0 + MIN, 1000), T0 + MIN)
    bench.add(ClockSet(0, "kernel"), T0 + MIN)
    bench.add(sent(62), T0 + 2 * MIN)
    assert times(bench) == [0, 2]
