"""Simulated days in which nearly nobody speaks, or nobody: no restart, no growth, and polling goes on."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from coldchain.announcements import Kind
from coldchain.clock import SystemClock
from coldchain.daemon.systemd import Notifier
from coldchain.facts import Beat, ProcessStarted, Reading
from coldchain_simulators.wires import PtyWire
from tests.integration.gateways import Course, Printer, Site, assert_equal, read, running, until
from tests.integration.test_daemon_process import BEAT, WATCHDOG_S, Systemd
from tests.integration.test_daemon_time import controller, polled
from tests.servers import free_port

pytestmark = pytest.mark.slow

HOUR_MS = 3_600_000
SPEED = 10_000
#: A day of it takes longer than systemd would wait for the watchdog's food.
SILENT_SPEED = 20_000
_TRIES = 4


def files() -> int:
    """How many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_day_of_silence_and_no_way_out(tmp_path: Path) -> None:
    """Broker, receiver and a logger are gone for 24 hours: the watchdog is fed all along, polling goes on.

    Each of them is said once. Threads and open files are as many at the end as at noon.
    """
    wire, clock, course = PtyWire(tmp_path / "tec"), SystemClock(speed=SPEED, trusted=True), Course()
    nobody = free_port()
    with Printer(tmp_path / "mute") as mute, Systemd(tmp_path / "notify") as systemd:
        site = (
            Site(tmp_path)
            .profile(hold="1 h")
            .broker(nobody)
            .mqtt("bus", topic="probe")
            .webhook(f"http://127.0.0.1:{nobody}/")
            .ascii("mute", mute.port)
            .tec("one", wire.port, poll="20 min", fresh="6 h")
            .part("heartbeat", BEAT)
        )
        fed: list[int] = []
        held: list[tuple[int, int]] = []
        with (
            running(site, clock=clock, notifier=Notifier(systemd.environment)),
            controller(clock, wire, course),
        ):
            began_ms = clock.journal_ms()
            for hours in (6, 12, 18, 24):
                until(lambda h=hours: clock.journal_ms() >= began_ms + h * HOUR_MS, f"hour {hours}")  # type: ignore[misc]
                fed.append(systemd.count("WATCHDOG=1"))
                held.append((threading.active_count(), files()))
            ended_ms = clock.journal_ms()
    wire.close()
    history = read(site.journal)
    assert len(history.of(ProcessStarted)) == 1
    assert 0 < fed[0] < fed[1] < fed[2] < fed[3]
    for threads, open_files in held[2:]:
        assert threads <= held[1][0]
        assert open_files <= held[1][1] + _TRIES, "a try to reach broker and receiver holds a socket each"
    readings = [at_ms for at_ms in polled(history, "box-one.vapour") if at_ms > began_ms]
    assert max(readings) > ended_ms - 2 * HOUR_MS
    assert len(readings) > 24
    raised = [one.what.alarm for one in history.said if one.what.kind is Kind.RAISED]
    assert sorted(alarm for alarm in raised if alarm.startswith("port:")) == ["port:bus", "port:mute"]
    assert_equal(site.journal)


def test_a_day_in_which_nobody_speaks_at_all(tmp_path: Path) -> None:
    """No reading from anywhere for 24 hours: the watchdog is fed in each of its periods all the same.

    A watchdog that is fed by readings would end the gateway now, and again and again: silence is an alarm, no
    restart.
    """
    wire, clock = PtyWire(tmp_path / "tec"), SystemClock(speed=SILENT_SPEED, trusted=True)
    with Printer(tmp_path / "mute") as mute, Systemd(tmp_path / "notify") as systemd:
        site = (
            Site(tmp_path)
            .profile(hold="1 h")
            .broker(free_port())
            .mqtt("bus", topic="probe")
            .ascii("mute", mute.port)
            .tec("one", wire.port, poll="20 min", fresh="6 h")
            .part("heartbeat", BEAT)
        )
        with running(site, clock=clock, notifier=Notifier(systemd.environment)):
            began_s, began_ms = time.monotonic(), clock.journal_ms()
            until(lambda: clock.journal_ms() >= began_ms + 24 * HOUR_MS, "a day")
            ended_s = time.monotonic()
    wire.close()
    assert ended_s - began_s > WATCHDOG_S, "else this day shows nothing"
    assert systemd.longest_hunger_s(began_s, ended_s) < WATCHDOG_S
    history = read(site.journal)
    assert history.of(Reading) == []
    assert len(history.of(Beat)) >= len(systemd.fed_s) > 0
    assert len(history.of(ProcessStarted)) == 1
    raised = [one.what.alarm for one in history.said if one.what.kind is Kind.RAISED]
    assert "gateway/silence" in raised, "that nobody speaks is said"
    assert_equal(site.journal)
