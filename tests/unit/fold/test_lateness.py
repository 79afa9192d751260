"""Why something certain was told late: the reasons, and the second that is nobody's fault."""

from __future__ import annotations

from typing import Any

import pytest

from coldchain.announcements import Announcement, Kind, Late
from coldchain.facts import Beat, ClockSet, ProcessStarted, Reading
from coldchain.model import Origin
from coldchain.plan import Fires
from tests.unit.fold.bench import MIN, T0, Bench, limit, plan

H = 60 * MIN


def reading(minute: float, raw: str = "-149", **more: Any) -> Reading:
    """A reading at a minute."""
    return Reading("log", "box.vapour", raw, "degC", at_ms=T0 + round(minute * MIN), **more)


def only(bench: Bench) -> tuple[int, Announcement]:
    """The one alarm of the limit."""
    ((at, said),) = [(at, a) for at, a in bench.said if a.kind is Kind.RAISED and a.rule == "above"]
    return at, said


@pytest.mark.parametrize("fires", list(Fires))
@pytest.mark.parametrize(("delay_ms", "late"), [(0, None), (1000, None), (1001, Late.TRANSPORT)])
def test_a_transport_delay_is_a_reason_beyond_a_second(
    fires: Fires, delay_ms: int, late: Late | None
) -> None:
    """Live with a constant delay: the same since and due, announced later by the delay, and why."""
    bench = Bench(plan(limit(fires=fires)))
    bench.series("-160 -149x12", delay_ms=delay_ms)
    bench.run(T0 + 20 * MIN)
    at, said = only(bench)
    assert (said.since_ms, said.due_ms, at) == (T0 + MIN, T0 + 11 * MIN, T0 + 11 * MIN + delay_ms)
    assert said.late is late


def test_a_backlog_is_a_transport_delay() -> None:
    """An hour of readings in a second: certain long ago, delayed on the way."""
    bench = Bench(plan(limit()))
    bench.add(reading(0, "-160"))
    for minute in range(1, 30):
        bench.add(reading(minute), T0 + 59 * MIN + minute)
    at, said = only(bench)
    assert (said.due_ms, at // MIN, said.late) == (T0 + 11 * MIN, (T0 + 59 * MIN) // MIN, Late.TRANSPORT)


def test_what_fell_due_while_not_running_says_so() -> None:
    """Known down time: the deadline fires at the start, marked."""
    bench = Bench(plan(limit()))
    bench.add(reading(0))
    bench.add(ProcessStarted("boot2", T0 + H, 59 * MIN), T0 + H)
    assert only(bench)[1].late is Late.NOT_RUNNING


def test_what_the_broker_kept_while_we_were_not_running_says_so() -> None:
    """The readings of the down time come after it: the alarm is late because nobody was running."""
    bench = Bench(plan(limit()))
    bench.add(reading(0, "-160"))
    bench.add(ProcessStarted("boot2", T0 + H, 59 * MIN), T0 + H)
    bench.add(ClockSet(0, "kernel"), T0 + H)
    for minute in range(1, 30):
        bench.add(reading(minute), T0 + H + minute)
    assert only(bench)[1].late is Late.NOT_RUNNING


def test_a_stalled_machine_says_so() -> None:
    """Suspended over the deadline: the next fact fires it, marked."""
    bench = Bench(plan(limit()))
    bench.add(reading(0))
    bench.add(Beat(), T0 + 20 * MIN)
    assert only(bench)[1].late is Late.STALLED


def test_a_second_is_no_delay() -> None:
    """Up to one second after it was certain needs no reason."""
    for by_ms, late in ((1000, None), (1001, Late.STALLED)):
        bench = Bench(plan(limit()))
        bench.add(reading(0))
        bench.add(Beat(), T0 + 10 * MIN + by_ms)
        assert only(bench)[1].late is late


def test_what_memory_uncovers_is_found_late() -> None:
    """Backfilled after newer readings: found late."""
    bench = Bench(plan(limit()))
    bench.add(reading(60, "-160"))
    for minute in range(1, 30):
        bench.add(reading(minute, origin=Origin.BACKFILLED), T0 + 61 * MIN)
    assert only(bench)[1].late is Late.FOUND_LATE


def test_a_leap_over_a_deadline_is_down_time() -> None:
    """The down time becomes known only later: what it passes was not watched by anybody."""
    bench = Bench(plan(limit()))
    bench.add(reading(0))
    bench.add(ProcessStarted("boot2", None, None), T0 + MIN)
    bench.add(ClockSet(None, "unknown"), T0 + MIN)
    said = bench.add(ClockSet(0, "became known", leap_ms=2 * H), T0 + 2 * MIN + 2 * H)
    assert only(bench)[1].late is Late.NOT_RUNNING
    notes = [a for a in said if a.kind is Kind.NOTE]
    assert [(a.text, a.since_ms, a.end_ms) for a in notes] == [("not_running", T0, T0 + MIN + 2 * H)]


def test_a_leap_takes_back_nothing_of_a_source_without_time() -> None:
    """Its readings since the start move with the down time; what was announced of them stands once."""
    bench = Bench(plan(limit(), sends_time=False))
    bench.add(ProcessStarted("boot2", None, None), T0 + MIN)
    bench.add(ClockSet(None, "unknown"), T0 + MIN)
    for minute in range(2, 20):
        bench.run(T0 + minute * MIN - 1)
        bench.add(Reading("log", "box.vapour", "-149", "degC"), T0 + minute * MIN)
    bench.add(ClockSet(0, "became known", leap_ms=5 * H), T0 + 20 * MIN + 5 * H)
    kinds = [a.kind for _, a in bench.said if a.rule == "above"]
    assert kinds == [Kind.RAISED]
    (one,) = bench.fold.places["box/vapour"].ledger.all()
    assert one.interval.start_ms == T0 + 2 * MIN + 5 * H
    assert bench.refold() == bench.said
