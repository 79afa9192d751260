"""Lessons about silence: told in time, ended by the first word, and no noise around a restart."""

from __future__ import annotations

import pytest

from coldchain.announcements import Kind
from coldchain.facts import ClockSet, ProcessStarted, Reading
from coldchain.fold.deadlines import Deadline, Deadlines
from coldchain.fold.silence import Silence
from tests.unit.fold.bench import MIN, T0, Bench, channel, plan

#: Of the probe itself, and of its port, which stands for it where it is the only one.
SILENT = ("box/vapour/silence", "port:log")


def reading(minute: float) -> Reading:
    """The box's vapour at a minute, as it should be."""
    return Reading("log", "box.vapour", "-160", "degC", at_ms=T0 + round(minute * MIN))


def said(bench: Bench) -> list[tuple[Kind, int]]:
    """What was said of any silence, and in which minute."""
    return [(one.kind, (at - T0) // MIN) for at, one in bench.said if one.alarm in SILENT]


# Inactivity is told hours late, only when the device is back, or for ever (thingsboard 6821, 7909, 12771).


def silence_is_told_in_time() -> bool:
    """A probe speaks once and then after an hour: is it missed after ten minutes, and not any more after?"""
    bench = Bench(plan(channels=(channel(fresh_within_ms=10 * MIN),)))
    bench.add(reading(0))
    bench.run(T0 + 60 * MIN)
    told = said(bench)
    bench.add(reading(61))
    return told == [(Kind.RAISED, 10)] and said(bench)[1:] == [(Kind.RETURNED, 61)]


def test_silence_is_told_when_it_is_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadline of its own tells it; an engine that looks only when something comes fails."""
    assert silence_is_told_in_time()
    kept = Deadlines.set

    def only_on_readings(self: Deadlines, key: str, deadline: Deadline | None) -> None:
        kept(self, key, None if key.startswith("s:") else deadline)

    monkeypatch.setattr(Deadlines, "set", only_on_readings)
    assert not silence_is_told_in_time()


# "No data" at every upgrade of the host, and stuck after a suspend (grafana 50186, 51414).


def a_restart_is_calm(speaks_at: float | None) -> list[tuple[Kind, int]]:
    """Three minutes without us, longer than a probe may be silent: what is said of the probe afterwards?"""
    bench = Bench(plan(channels=(channel(fresh_within_ms=2 * MIN),)))
    bench.add(reading(0))
    bench.add(ProcessStarted("boot2", T0 + 3 * MIN, 3 * MIN), T0 + 3 * MIN)
    bench.add(ClockSet(0, "kernel"), T0 + 3 * MIN)
    if speaks_at is not None:
        bench.run(T0 + round(speaks_at * MIN) - 1)
        bench.add(reading(speaks_at))
        return said(bench)
    bench.run(T0 + 30 * MIN)
    return said(bench)


def test_an_upgrade_of_the_gateway_calls_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom we did not hear has a round to speak; who then does not is told. Without that round it fails."""
    assert a_restart_is_calm(speaks_at=4) == []
    assert a_restart_is_calm(speaks_at=None) == [(Kind.RAISED, 5)]
    monkeypatch.setattr(Silence, "started", lambda self, arrival_ms: [])
    assert a_restart_is_calm(speaks_at=4) != []
