"""Silence: who is missed, when, and which alarm stands for whom."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from coldchain.announcements import Kind, Late
from coldchain.facts import Activated, ClockSet, ProcessStarted, Reading
from coldchain.model import Priority
from tests.unit.fold.bench import MIN, T0, Bench, channel, limit, plan

H = 60 * MIN


def reading(minute: float, name: str = "box.vapour", raw: str = "-160", **more: Any) -> Reading:
    """A reading at a minute."""
    return Reading("log", name, raw, "degC", at_ms=T0 + round(minute * MIN), **more)


def test_a_port_is_as_urgent_as_its_most_urgent_probe() -> None:
    """The port's alarm stands for all its probes: a critical one is not hidden under a low one."""
    probes = (
        channel("a", role="a", fresh_within_ms=10 * MIN, silence_priority=Priority.LOW),
        channel("b", role="b", fresh_within_ms=20 * MIN, silence_priority=Priority.CRITICAL),
    )
    bench = Bench(plan(channels=probes))
    bench.run(T0 + 30 * MIN)
    assert [(a.alarm, a.priority) for _, a in bench.said] == [("port:log", Priority.CRITICAL)]


def test_a_probe_slightly_behind_is_heard_from_its_first_reading() -> None:
    """A reading older than its channel's activation is still the newest there is; its time is not cut."""
    bench = Bench(plan(channels=(channel(fresh_within_ms=3 * MIN, interval_ms=MIN),)))
    bench.add(reading(-1), T0 + 1000)
    bench.run(T0 + 10 * MIN)
    (said,) = [a for _, a in bench.said]
    assert (said.since_ms, said.due_ms) == (T0 - MIN, T0 + 3 * MIN + 1)


def test_the_first_of_a_backlog_is_no_silence() -> None:
    """After a start an old reading comes first: what was given, one round, is not taken back."""
    bench = Bench(plan())
    bench.add(reading(0))
    bench.add(ProcessStarted("boot2", T0 + 3 * H, 2 * H), T0 + 3 * H)
    bench.add(ClockSet(0, "kernel"), T0 + 3 * H)
    for minute in range(1, 180, 10):
        bench.add(reading(minute), T0 + 3 * H + minute)
    assert [a for _, a in bench.said if a.kind is Kind.RAISED] == []


def test_a_reading_from_ahead_does_not_put_silence_off() -> None:
    """A clock ten minutes ahead within its tolerance: the silence is told as early as with a right one."""
    bench = Bench(plan(channels=(channel(fresh_within_ms=20 * MIN),), clock_tolerance_ms=15 * MIN))
    bench.add(reading(10), T0)
    bench.run(T0 + 40 * MIN)
    assert [at - T0 for at, a in bench.said if a.rule == "silence"] == [20 * MIN + 1]


def test_silence_of_a_probe_that_its_port_stood_for_is_due_when_it_is_told() -> None:
    """The port is back, one probe is not: its alarm says since when it is silent, and is not called late."""
    probes = tuple(channel(f"p{i}", role=f"r{i}", fresh_within_ms=10 * MIN) for i in range(2))
    bench = Bench(plan(channels=probes))
    bench.add(reading(0, "p0"))
    bench.add(reading(0, "p1"))
    bench.run(T0 + 30 * MIN)
    for minute in (31, 32, 33):
        bench.run(T0 + minute * MIN - 1)
        bench.add(reading(minute, "p0"))
    bench.run(T0 + 34 * MIN)
    (own,) = [(at, a) for at, a in bench.said if a.alarm == "box/r1/silence"]
    assert (own[1].since_ms, own[1].due_ms, own[0], own[1].late) == (
        T0,
        T0 + 33 * MIN + 1,
        T0 + 33 * MIN + 1,
        None,
    )


def test_a_shorter_limit_of_silence_is_due_at_the_activation_at_the_earliest() -> None:
    """Silent by the new limit since before it was in force: told at once, due now."""
    bench = Bench(plan())
    bench.add(reading(0))
    bench.add(Activated(plan(channels=(channel(fresh_within_ms=5 * MIN),)), {}), T0 + 30 * MIN)
    (said,) = [a for _, a in bench.said if a.kind is Kind.RAISED]
    assert (said.since_ms, said.due_ms, said.late) == (T0, T0 + 30 * MIN, None)


def test_silence_during_down_time_gets_one_round() -> None:
    """Down for two hours: the start tells that once; a probe that speaks within its round is not silent."""
    bench = Bench(plan())
    bench.add(reading(0))
    bench.add(ProcessStarted("boot2", T0 + 3 * H, 2 * H), T0 + 3 * H)
    bench.add(ClockSet(0, "kernel"), T0 + 3 * H)
    bench.add(reading(3 * 60 + 1))
    bench.run(T0 + 3 * H + 10 * MIN)
    assert [(a.kind, a.text) for _, a in bench.said] == [(Kind.NOTE, "not_running")]
    dead = Bench(plan())
    dead.add(reading(0))
    dead.add(ProcessStarted("boot2", T0 + 3 * H, 2 * H), T0 + 3 * H)
    dead.add(ClockSet(0, "kernel"), T0 + 3 * H)
    dead.run(T0 + 3 * H + 10 * MIN)
    [(at, said)] = [(at, a) for at, a in dead.said if a.kind is Kind.RAISED]
    assert (at, said.alarm, said.late) == (T0 + 3 * H + 2 * MIN + 1, "port:log", None)


def test_a_leap_moves_the_axis_of_a_source_without_time() -> None:
    """What was heard since the start moves with the down time: since is told in the moved time."""
    bench = Bench(plan(sends_time=False))
    bench.add(ProcessStarted("boot2", None, None), T0 + MIN)
    bench.add(ClockSet(None, "unknown"), T0 + MIN)
    bench.add(Reading("log", "box.vapour", "-160", "degC", stamp_ms=T0 + 2 * MIN), T0 + 2 * MIN)
    bench.add(ClockSet(0, "became known", leap_ms=5 * H), T0 + 3 * MIN + 5 * H)
    bench.run(T0 + 9 * H)
    (said,) = [a for _, a in bench.said if a.rule == "silence"]
    assert (said.since_ms, said.late) == (T0 + 2 * MIN + 5 * H, None)


def test_a_removed_source_is_missed_no_more() -> None:
    """Its channels have left the plan: nothing falls due for them."""
    here = plan()
    bench = Bench(here)
    bench.add(reading(0))
    bench.add(Activated(replace(here, channels=(), sources=()), {}), T0 + MIN)
    bench.run(T0 + 5 * H)
    assert bench.said == []


def test_an_unreadable_frame_is_a_sign_of_life_of_the_port_alone() -> None:
    """The port speaks, the probe does not: the probe's own alarm, not the port's."""
    from coldchain.facts import Unreadable
    from coldchain.model import Reason

    bench = Bench(plan(channels=(channel(fresh_within_ms=10 * MIN),)))
    for minute in range(1, 12):
        bench.run(T0 + minute * MIN - 1)
        bench.add(Unreadable("log", Reason.CORRUPT_FRAME, "0" * 64, 3, "ffffff"), T0 + minute * MIN)
    assert [a.alarm for _, a in bench.said] == ["box/vapour/silence"]


def test_a_silent_alarm_missed_by_a_stall_says_so() -> None:
    """The machine was suspended over the deadline: announced late, with the reason."""
    bench = Bench(plan(limit()))
    bench.add(reading(0))
    bench.add(reading(100), T0 + 100 * MIN)
    assert [a.late for _, a in bench.said if a.rule == "silence" and a.kind is Kind.RAISED] == [Late.STALLED]
