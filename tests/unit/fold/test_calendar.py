"""Certificates that run out: one alarm a probe, at its time, told late where late, the same folded again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.announcements import Announcement, Kind, Late
from coldchain.facts import (
    Acknowledged,
    Activated,
    AlarmClosed,
    Bound,
    ClockSet,
    EngineStarted,
    Fact,
    ProcessStarted,
    Reading,
    Unbound,
    Wake,
)
from coldchain.fold import Fold
from coldchain.model import Priority
from coldchain.pipeline.states import freeze, thaw
from coldchain.plan import ChannelPlan, Plan
from tests.unit.fold.bench import MIN, T0, Bench, channel, limit, plan

DAY = 86_400_000
DUE = T0 + 30 * DAY
ALARM = "probe:box.vapour/calibration"


def probe(name: str = "box.vapour", due_ms: int | None = DUE, **more: Any) -> ChannelPlan:
    """A probe with a certificate; so rarely read that nothing else ever falls due."""
    return channel(
        name,
        certificate="2026-0114",
        calibration_due_ms=due_ms,
        fresh_within_ms=10_000 * DAY,
        **more,
    )


def site(*probes: ChannelPlan) -> Plan:
    """One box with these."""
    return plan(limit(), channels=probes or (probe(),))


def about(bench: Bench) -> list[Announcement]:
    """What was said of certificates."""
    return [said for _, said in bench.said if said.alarm == ALARM or said.subject.startswith("probe:")]


def kinds(bench: Bench) -> list[Kind]:
    """In short."""
    return [said.kind for said in about(bench)]


def test_raised_once_at_its_time() -> None:
    """At the end of the day to which it holds, low, and never again by itself; a re-fold says the same."""
    bench = Bench(site())
    bench.run(DUE - 1)
    assert about(bench) == []
    bench.run(DUE + 400 * DAY)
    (said,) = about(bench)
    assert (said.kind, said.alarm, said.priority) == (Kind.RAISED, ALARM, Priority.LOW)
    assert (said.since_ms, said.due_ms, said.axis, said.late) == (DUE, DUE, "", None)
    assert said.detail == {"certificate": "2026-0114", "measures": "box/vapour", "due_ms": str(DUE)}
    assert bench.said[-1][0] == DUE
    assert bench.refold() == bench.said


def test_announced_ahead_when_the_site_says_so() -> None:
    """A note, to know, once; then the alarm."""
    bench = Bench(site(probe(calibration_ahead_ms=7 * DAY)))
    bench.run(DUE - 7 * DAY - 1)
    assert about(bench) == []
    bench.run(DUE - 7 * DAY)
    (said,) = about(bench)
    assert (said.kind, said.priority, said.text) == (Kind.NOTE, Priority.TO_KNOW, "calibration_due_soon")
    bench.add(Activated(site(probe(calibration_ahead_ms=8 * DAY)), {}))
    bench.run(DUE + DAY)
    assert kinds(bench) == [Kind.NOTE, Kind.RAISED]
    assert bench.refold() == bench.said


def test_a_clock_that_is_not_known_calls_nobody() -> None:
    """A gateway that boots in 1970 knows no date: it waits, and says what is due once the clock is known."""
    bench = Bench(site(), start_ms=0, clock=False)
    bench.run(400 * DAY)
    assert about(bench) == []
    bench.add(ClockSet(DUE + 5 * DAY - bench.fold.arrival_ms, "ntp"))
    (said,) = about(bench)
    assert (said.kind, said.due_ms) == (Kind.RAISED, DUE)
    assert bench.refold() == bench.said


def test_it_counts_by_the_clock_once_that_is_known() -> None:
    """Known a day before, it is due a day later in journal time."""
    bench = Bench(site(), start_ms=0, clock=False)
    bench.add(ClockSet(DUE - DAY - 1000, "ntp"), 1000)
    bench.run(1000 + DAY - 1)
    assert about(bench) == []
    bench.run(1000 + DAY)
    assert kinds(bench) == [Kind.RAISED]


def test_a_clock_that_becomes_unknown_takes_nothing_back() -> None:
    """And a step back before the day does: the date was not true."""
    bench = Bench(site())
    bench.run(DUE)
    bench.add(ClockSet(None, "lost"))
    assert kinds(bench) == [Kind.RAISED]
    bench.add(ClockSet(-DAY, "ntp", step_ms=-DAY))
    assert kinds(bench) == [Kind.RAISED, Kind.RETURNED]
    bench.run(DUE + DAY)
    assert kinds(bench) == [Kind.RAISED, Kind.RETURNED, Kind.RAISED]
    assert bench.refold() == bench.said


def test_a_new_date_ends_it() -> None:
    """Configured, it is gone at once, and the new day is waited for."""
    bench = Bench(site())
    bench.run(DUE)
    bench.add(Activated(site(probe(due_ms=DUE + 365 * DAY)), {}))
    assert kinds(bench) == [Kind.RAISED, Kind.RETURNED]
    bench.run(DUE + 365 * DAY)
    assert kinds(bench) == [Kind.RAISED, Kind.RETURNED, Kind.RAISED]


@pytest.mark.parametrize(
    "probes",
    [
        pytest.param((probe(due_ms=None),), id="no certificate"),
        pytest.param((channel("box.other"),), id="another probe"),
        pytest.param(
            (probe(due_ms=DUE - DAY), probe("box.b", role="b")), id="another of its channels is due"
        ),
    ],
)
def test_what_else_becomes_of_it(probes: tuple[ChannelPlan, ...]) -> None:
    """A probe without a certificate, or that is not there, is asked nothing; one alarm for all channels."""
    bench = Bench(site())
    bench.run(DUE)
    bench.add(Activated(site(*probes), {}))
    still = any(each.calibration_due_ms is not None for each in probes)
    assert kinds(bench) == ([Kind.RAISED] if still else [Kind.RAISED, Kind.RETURNED])


def test_channels_of_one_probe_are_one_alarm() -> None:
    """They share a certificate of one source; the earlier day counts. Another one is another alarm."""
    shared = (
        probe(),
        probe("box.wet", role="wet", due_ms=DUE + DAY),
        replace(probe("box.x", role="x"), certificate="2"),
    )
    bench = Bench(site(*shared))
    bench.run(DUE + 2 * DAY)
    said = [one for one in about(bench) if one.kind is Kind.RAISED]
    assert [(one.alarm, one.detail["measures"]) for one in said] == [
        (ALARM, "box/vapour,box/wet"),
        ("probe:box.x/calibration", "box/x"),
    ]


def test_a_probe_at_the_laboratory_is_asked_nothing() -> None:
    """Unbound it measures no product; bound again as it was, it is asked again."""
    bench = Bench(site())
    bench.add(Unbound("box.vapour", None, "wang", "calibration"))
    bench.run(DUE + DAY)
    assert about(bench) == []
    bench.add(Bound("box.vapour", "box", "vapour", None, "wang"), DUE + DAY)
    assert kinds(bench) == [Kind.RAISED]
    bench.add(Unbound("box.vapour", None, "wang", "calibration"))
    assert kinds(bench) == [Kind.RAISED, Kind.RETURNED]
    assert bench.refold() == bench.said


def test_it_is_told_late_when_the_gateway_was_off() -> None:
    """With the reason, and by its own day."""
    bench = Bench(site())
    bench.add(ProcessStarted("next boot", DUE + 3 * DAY, 3 * DAY), DUE + 3 * DAY)
    (said,) = about(bench)
    assert (said.kind, said.due_ms, said.late) == (Kind.RAISED, DUE, Late.NOT_RUNNING)


def test_people() -> None:
    """Acknowledged it stays; it is not closed, for a date decides about it."""
    bench = Bench(site())
    bench.run(DUE)
    bench.add(Acknowledged(ALARM, (1,), "wang", "sent in"))
    (said,) = bench.add(AlarmClosed(ALARM, "wang", "no"))
    assert said.kind is Kind.REFUSED
    assert bench.fold.desk.condition(ALARM)


def test_it_is_first_in_no_group_of_a_vessel() -> None:
    """What stands for weeks must not make a lost vacuum look like its consequence."""
    bench = Bench(site())
    bench.run(DUE)
    bench.series("-160 -149x12", start_ms=DUE + MIN)
    (warm,) = [
        said for _, said in bench.said if said.alarm == "box/vapour/above" and said.kind is Kind.RAISED
    ]
    assert warm.first_in_group


def test_another_engine_says_it_once() -> None:
    """Carried over it stands; found by an upgrade whose predecessor did not know of dates, it is raised."""
    bench = Bench(site())
    bench.run(DUE)
    for said, expected in ((bench.said, []), ([], [(Kind.RAISED, Late.UPGRADE)])):
        fold = Fold()
        for position, (arrival_ms, fact) in enumerate(bench.facts, 1):
            fold.apply(position, arrival_ms, fact)
        fold.adopt(said)
        told = fold.apply(len(bench.facts) + 1, DUE + 2000, EngineStarted("e2", "test"))
        assert [(one.kind, one.late) for one in told] == expected


FACTS: list[Fact] = [
    Activated(site(), {}),
    Activated(site(probe(due_ms=DUE + DAY, calibration_ahead_ms=2 * DAY)), {}),
    Activated(site(probe(due_ms=None)), {}),
    ClockSet(None, "lost"),
    ClockSet(0, "ntp"),
    ClockSet(-2 * DAY, "ntp", step_ms=-2 * DAY),
    Unbound("box.vapour", None, "wang"),
    Bound("box.vapour", "box", "vapour", None, "wang"),
    Reading("log", "box.vapour", "-160", "degC", at_ms=T0),
    ProcessStarted("again", None, None),
    Wake(),
]


@given(
    story=st.lists(st.tuples(st.sampled_from(FACTS), st.integers(0, 20)), max_size=12),
    where=st.integers(0, 12),
)
def test_whatever_happens(story: list[tuple[Fact, int]], where: int) -> None:
    """It never stands twice, it stands exactly while its day has passed, and a checkpoint changes nothing."""
    bench = Bench(site())
    for fact, days in story:
        at_ms = bench.fold.arrival_ms + days * DAY
        bench.run(at_ms)
        bench.add(fact, at_ms)
        held = bench.fold.silence.channels.get("box.vapour")
        due_ms = None if held is None else held.plan.calibration_due_ms
        utc_ms = bench.fold.timebase.utc(at_ms)
        if utc_ms is not None:
            assert bench.fold.desk.condition(ALARM) is (due_ms is not None and utc_ms >= due_ms)
    turns = [kind for kind in kinds(bench) if kind in (Kind.RAISED, Kind.RETURNED)]
    assert turns == [Kind.RAISED, Kind.RETURNED] * (len(turns) // 2) + [Kind.RAISED] * (len(turns) % 2)
    fold, again = Fold(), []
    for position, (arrival_ms, fact) in enumerate(bench.facts, 1):
        if position == where + 5:
            fold = thaw(freeze(fold))
        said = fold.apply(position, arrival_ms, fact)
        if position > 4:
            again += [(arrival_ms, one) for one in said]
    assert again == bench.said
