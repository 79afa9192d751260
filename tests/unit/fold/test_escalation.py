"""Escalation in the fold: each step at its ms, through restarts, reloads and an unknown clock."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from coldchain.announcements import Announcement, Kind
from coldchain.facts import Acknowledged, Activated, ClockSet, EngineStarted, ProcessStarted, Reading
from coldchain.fold import Fold
from coldchain.model import Priority
from coldchain.pipeline.states import freeze, thaw
from coldchain.plan import Contact, Escalation, Plan, QuietHours, Step
from tests.unit.fold.bench import MIN, T0, Bench, limit, plan

# T0 is 2023-11-14 22:13:20 UTC.
NIGHT = QuietHours(22 * 60, 6 * 60)
MORNING_MS = T0 + 466 * MIN + 40_000


def site(
    *steps: Step, quiet: tuple[QuietHours, ...] = (), priority: Priority = Priority.HIGH, **more: Any
) -> Plan:
    """A box with one limit, and two contacts; on-call may have quiet hours."""
    words: dict[str, Any] = {
        "contacts": (Contact("room"), Contact("on-call", quiet)),
        "escalation": (Escalation(priority, steps or (Step(0, ("room",)), Step(10 * MIN, ("on-call",)))),),
        "zone": ((0, 0),),
    }
    return replace(plan(limit(hold_ms=0, priority=priority)), **(words | more))


def warm(minute: float) -> Reading:
    """Too warm at a minute."""
    return Reading("log", "box.vapour", "-140", "degC", at_ms=T0 + round(minute * MIN))


def called(said: list[tuple[int, Announcement]]) -> list[tuple[float, str, str]]:
    """Minute, kind and contacts of what concerns the alarm."""
    return [
        ((at - T0) / MIN, one.kind.value, ",".join(one.to))
        for at, one in said
        if one.alarm == "box/vapour/above" and one.kind is not Kind.EXCURSION_ENDED
    ]


RAISED, SECOND = (0.0, "raised", "room"), (10.0, "escalated", "on-call")


def test_the_next_is_called_at_the_minute() -> None:
    """Ten minutes after the first call, and no reading is needed for it."""
    bench = Bench(site())
    bench.add(warm(0))
    bench.run(T0 + 60 * MIN - 1)
    assert called(bench.said) == [RAISED, SECOND]
    assert bench.refold() == bench.said


def test_a_step_that_fell_due_while_the_program_was_not_running_is_called_at_the_start() -> None:
    """Nobody was called for an hour; at the start the next one is."""
    bench = Bench(site())
    bench.add(warm(0))
    bench.fold = thaw(freeze(bench.fold))
    bench.add(ProcessStarted("boot2", T0 + 30 * MIN, 25 * MIN), T0 + 30 * MIN)
    assert called(bench.said) == [RAISED, (30.0, "escalated", "on-call")]


def test_a_down_time_that_becomes_known_moves_what_was_asked_since() -> None:
    """Asked since the start: a leap of two hours is no two hours of waiting."""
    here = site()
    bench = Bench(replace(here, sources=(replace(here.sources[0], sends_time=False),)), clock=False)
    bench.add(ProcessStarted("boot2", None, None), T0)
    bench.add(Reading("log", "box.vapour", "-140", "degC"), T0 + MIN)
    bench.add(ClockSet(0, "kernel", leap_ms=120 * MIN), T0 + 122 * MIN)
    bench.run(T0 + 140 * MIN)
    assert called(bench.said) == [(1.0, "raised", "room"), (131.0, "escalated", "on-call")]


def test_quiet_hours_end_by_the_clock() -> None:
    """On-call sleeps until six: at six it is called, if nobody took the alarm up."""
    bench = Bench(site(quiet=(NIGHT,)))
    bench.add(warm(0))
    bench.run(T0 + 600 * MIN)
    assert called(bench.said) == [
        RAISED,
        (10.0, "escalated", ""),
        ((MORNING_MS - T0) / MIN, "escalated", "on-call"),
    ]
    assert bench.said[1][1].detail == {"held": "on-call"}
    assert bench.refold() == bench.said


def test_taken_up_before_the_morning_nobody_is_called() -> None:
    """What is acknowledged at night stays the room's business."""
    bench = Bench(site(quiet=(NIGHT,)))
    bench.add(warm(0))
    bench.run(T0 + 20 * MIN)
    bench.add(Acknowledged("box/vapour/above", (1,), "room"), T0 + 20 * MIN)
    bench.run(T0 + 600 * MIN)
    assert called(bench.said)[-1] == (20.0, "acknowledged", "room")


def test_a_clock_that_steps_over_the_morning_calls_at_once() -> None:
    """The hours of the day have moved: it is eight already."""
    bench = Bench(site(quiet=(NIGHT,)))
    bench.add(warm(0))
    bench.run(T0 + 20 * MIN)
    bench.add(ClockSet(600 * MIN, "kernel", step_ms=600 * MIN), T0 + 21 * MIN)
    assert called(bench.said)[-1] == (21.0, "escalated", "on-call")


def test_while_the_clock_is_not_known_quiet_hours_wait_and_say_so() -> None:
    """Nobody can tell what hour it is: on-call is called, and the call says why."""
    bench = Bench(site(quiet=(NIGHT,)), clock=False)
    bench.add(warm(0), T0)
    bench.run(T0 + 20 * MIN)
    assert called(bench.said) == [RAISED, SECOND]
    assert [one.detail for _, one in bench.said if one.kind is Kind.ESCALATED] == [
        {"quiet_hours": "clock_not_known"}
    ]


def test_what_is_critical_wakes_everybody() -> None:
    """The same night, and the step comes at its minute."""
    bench = Bench(site(quiet=(NIGHT,), priority=Priority.CRITICAL))
    bench.add(warm(0))
    bench.run(T0 + 20 * MIN)
    assert called(bench.said) == [RAISED, SECOND]


@pytest.mark.parametrize(
    ("new", "then"),
    [
        (site(), [RAISED, SECOND]),
        (site(Step(0, ("room",)), Step(5 * MIN, ("on-call",))), [RAISED, (8.0, "escalated", "on-call")]),
        (site(Step(0, ("room",))), [RAISED]),
    ],
    ids=["the same", "a shorter wait that is over already", "no second step"],
)
def test_a_reload_on_the_way(new: Plan, then: list[tuple[float, str, str]]) -> None:
    """Two hundred reloads move nothing; changed steps count from when the alarm began to ask."""
    bench = Bench(site())
    bench.add(warm(0))
    for _ in range(200):
        bench.add(Activated(new, {}), T0 + 8 * MIN)
    bench.run(T0 + 20 * MIN)
    assert called(bench.said) == then


def test_an_alarm_about_ourselves_is_escalated_too() -> None:
    """A silent source, and nobody looks: the next is called."""
    bench = Bench(site(priority=Priority.HIGH))
    bench.run(T0 + 75 * MIN)
    assert [(one.kind.value, one.to) for _, one in bench.said if one.alarm == "port:log"] == [
        ("raised", ("room",)),
        ("escalated", ("on-call",)),
    ]


def test_an_upgrade_calls_nobody_twice() -> None:
    """Another engine takes over who was told and who is held back."""
    bench = Bench(site(quiet=(NIGHT,)))
    bench.add(warm(0))
    bench.run(T0 + 20 * MIN)
    fold = Fold()
    for position, (arrival_ms, fact) in enumerate(bench.facts, 1):
        fold.apply(position, arrival_ms, fact)
    fold.adopt(bench.said)
    bench.fold = fold
    bench.add(EngineStarted("e2", "test"), T0 + 30 * MIN)
    alarm = fold.desk.alarms["box/vapour/above"]
    assert (alarm.told, alarm.held, alarm.called) == (("room",), ("on-call",), 2)
    bench.run(T0 + 600 * MIN)
    assert called(bench.said)[2:] == [((MORNING_MS - T0) / MIN, "escalated", "on-call")]
