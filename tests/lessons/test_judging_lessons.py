"""Lessons about silence, restarts, late data and acknowledgements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from coldchain.alarms import moves
from coldchain.announcements import Announcement, Kind
from coldchain.facts import Acknowledged, Activated, ClockSet, EngineStarted, Fact, ProcessStarted, Reading
from coldchain.fold import Fold
from coldchain.fold.silence import Silence, Watch
from coldchain.model import Origin
from coldchain.pipeline.states import freeze, thaw
from coldchain.rules import limit as limit_rule
from tests.unit.fold.bench import MIN, T0, Bench, channel, limit, plan

HOUR = 60 * MIN
Story = Callable[[], bool]


def reading(minute: float, raw: str = "-160", **more: Any) -> Reading:
    """The box's vapour at a minute."""
    return Reading("log", "box.vapour", raw, "degC", at_ms=T0 + round(minute * MIN), **more)


def raised(said: list[tuple[int, Announcement]], rule: str) -> list[int]:
    """Minutes at which a rule's alarm was announced."""
    return [(at - T0) // MIN for at, a in said if a.kind is Kind.RAISED and a.rule == rule]


# Old data makes a dead source look alive (kapacitor 815: two-week-old points clear the deadman).


def old_data_does_not_revive() -> bool:
    """A probe is dead; its gateway uploads last week's memory. Is it still silent afterwards?"""
    bench = Bench(plan(channels=(channel(fresh_within_ms=10 * MIN),)))
    bench.add(reading(0))
    bench.run(T0 + 15 * MIN)
    for minute in range(-5000, -4900):
        bench.add(reading(minute, origin=Origin.BACKFILLED), T0 + 20 * MIN)
    bench.add(reading(1, origin=Origin.RETAINED), T0 + 21 * MIN)
    bench.run(T0 + 30 * MIN)
    return bench.fold.silence.channels["box.vapour"].silent


def test_old_data_does_not_revive_a_dead_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backfilled and retained readings never reset silence; an engine that looks at arrival alone fails."""
    assert old_data_does_not_revive()

    def by_arrival(
        self: Silence, name: str, at_ms: int, quality: int, origin: Origin, arrival_ms: int, now: int | None
    ) -> bool:
        watch: Watch = self.channels[name]
        watch.silent, watch.due_ms = False, arrival_ms + watch.plan.fresh_within_ms
        return True

    monkeypatch.setattr(Silence, "reading", by_arrival)
    assert not old_data_does_not_revive()


# Alarm state lost at restart (kapacitor 744, 2336; Node-RED 2723; home-assistant 94857).


def restart_keeps_the_alarm(through: Callable[[Fold], Fold]) -> bool:
    """Held for eight of ten minutes, then a restart: does it alarm at ten, and stay acknowledged?"""
    bench = Bench(plan(limit(latched=True)))
    bench.add(reading(0, "-140"))
    bench.fold = through(bench.fold)
    bench.add(ProcessStarted("boot2", T0 + 8 * MIN, MIN), T0 + 8 * MIN)
    bench.add(ClockSet(0, "kernel"), T0 + 8 * MIN)
    bench.run(T0 + 12 * MIN)
    if raised(bench.said, "above") != [10]:
        return False
    bench.add(Acknowledged("box/vapour/above", (1,), "night shift"), T0 + 13 * MIN)
    bench.fold = through(bench.fold)
    bench.add(ProcessStarted("boot3", T0 + 14 * MIN, MIN), T0 + 14 * MIN)
    alarm = bench.fold.desk.alarms["box/vapour/above"]
    return (alarm.state, alarm.latched) == ("acknowledged", True)


def test_a_restart_forgets_nothing() -> None:
    """Hold, acknowledgement and latch survive; an engine that starts with empty rules fails."""

    def recovered(fold: Fold) -> Fold:
        return thaw(freeze(fold))

    def forgetful(fold: Fold) -> Fold:
        fresh = thaw(freeze(fold))
        for place in fresh.places.values():
            place.track.running = [(rule, limit_rule.IDLE) for rule, _ in place.track.running]
            place.ledger.open.clear()
        fresh.desk.alarms.clear()
        for place in fresh.places.values():
            fresh._refresh(place)
        return fresh

    assert restart_keeps_the_alarm(recovered)
    with pytest.raises((AssertionError, KeyError)):
        assert restart_keeps_the_alarm(forgetful)


# No decision about the time it was down (prometheus 17008, 18074).


def down_time_is_decided(start: list[Fact]) -> bool:
    """Outside at minute 0, down from 1 to 60: are the alarm and the down time told at the start?"""
    bench = Bench(plan(limit()))
    bench.add(reading(0, "-140"))
    for fact in start:
        bench.add(fact, T0 + 60 * MIN)
    late = [a.late for _, a in bench.said if a.rule == "above"]
    note = [a.text for _, a in bench.said if a.kind is Kind.NOTE]
    return late == ["not_running"] and note == ["not_running"]


def test_the_time_it_was_down_is_decided() -> None:
    """Deadlines passed while down fire at the start, marked; a start that is no fact tells nothing of it."""
    assert down_time_is_decided([ProcessStarted("boot2", T0 + 60 * MIN, 59 * MIN)])
    assert not down_time_is_decided([EngineStarted("e1", "test")])


# One acknowledgement hides another alarm (phoebus 1928).


def ack_hides_nothing() -> bool:
    """Two occurrences; the first is acknowledged. Does the second still ask?"""
    bench = Bench(plan(limit(hold_ms=0)))
    bench.add(reading(0, "-140"))
    bench.add(reading(1, "-160"))
    bench.add(reading(2, "-140"))
    bench.add(Acknowledged("box/vapour/above", (1,), "somebody"), T0 + 3 * MIN)
    return bench.fold.desk.alarms["box/vapour/above"].state == "unacknowledged"


def test_an_acknowledgement_names_what_it_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does not name stays open; an engine that acknowledges the alarm as a whole fails."""
    assert ack_hides_nothing()
    named = moves.acknowledge

    def as_a_whole(alarm: Any, occurrences: tuple[int, ...], actor: str, now_ms: int, **calling: Any) -> Any:
        del occurrences
        return named(alarm, tuple(range(1, alarm.last + 1)), actor, now_ms, **calling)

    monkeypatch.setattr(moves, "acknowledge", as_a_whole)
    assert not ack_hides_nothing()


# A condition already true at boot raises nothing (home-assistant 59812, 28290).


def true_at_start_is_told() -> bool:
    """The freezer is warm before its rule comes into force: is it announced?"""
    bench = Bench(plan())
    bench.add(reading(0, "-140"))
    bench.add(Activated(plan(limit(hold_ms=0)), {}), T0 + MIN)
    bench.run(T0 + 2 * MIN)
    return raised(bench.said, "above") == [1]


def test_a_condition_true_at_start_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    """No edge is needed; an engine that waits for a crossing fails."""
    assert true_at_start_is_told()
    from coldchain.rules import book

    edge_only = replace(
        book.JUDGES[type(limit())],
        start=lambda rule, seen, at_ms: (limit_rule.LimitState(not_before_ms=at_ms), ()),
    )
    monkeypatch.setitem(book.JUDGES, type(limit()), edge_only)
    assert not true_at_start_is_told()
