"""Lessons about probes in the wrong vessel, receivers that fell silent, a centre that lost what it had."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from coldchain.cli.main import main
from coldchain.daemon.health import WAIT_S, SinkHealth
from coldchain.facts import Bound
from coldchain.sinks.log_drain import LogDrain
from tests.unit.daemon import test_health as health
from tests.unit.fold.bench import MIN, T0, Bench, limit
from tests.unit.fold.test_changes import feed, hall
from tests.unit.sinks.world import NOON, HandClock, Server, World, reading, reports

# Probes were mapped to the wrong tank at maintenance, for months (Cordlife 2022–24: 7 of 22 tanks).


def found_for_the_right_tank(*, since_ms: int) -> bool:
    """Tank C got warm for a quarter of an hour, by a probe that was listed under A. Is that said of C?"""
    bench = Bench(hall(limit()))
    feed(bench, "a", range(2, 20), "-170")
    feed(bench, "a", range(20, 41), "-140")
    feed(bench, "a", range(41, 61), "-170")
    said = bench.add(
        Bound("a", "C", "vapour", since_ms, "qa", "it was in C since the maintenance"), T0 + 61 * MIN
    )
    raised = {one.alarm: one.late for one in said if one.kind == "raised"}
    return raised.get("C/vapour/above") == "found_late"


def test_a_mapping_is_put_right_for_the_past_too() -> None:
    """The tank is judged by all that was measured in it; a mapping that counts from today on hides it."""
    assert found_for_the_right_tank(since_ms=T0 + MIN)
    assert not found_for_the_right_tank(since_ms=T0 + 61 * MIN)


# Notifications were silent from February to June, and nobody noticed (Cordlife again).


def silence_is_noticed(folder: Path, *, watched: bool) -> bool:
    """Mail takes nothing any more, and nothing else is wrong: is an alarm raised about that itself?"""
    gateway = health.Gateway(folder, health.limits(sink="120 s"))
    if watched:
        gateway.sinks["mail"] = SinkHealth(ok=False, oldest_ms=None)
    with closing(gateway.journal):
        return gateway.pass_(120 + 2 * WAIT_S) == ["raised gateway/sink-mail"]


def test_a_way_to_people_that_is_dead_is_an_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within minutes, not months; a gateway that looks at everything but its receivers fails."""
    monkeypatch.setattr("coldchain.daemon.health.shutil.disk_usage", lambda folder: (100, 50, 50))
    for name in ("ours", "blind"):
        (tmp_path / name).mkdir()
    assert silence_is_noticed(tmp_path / "ours", watched=True)
    assert not silence_is_noticed(tmp_path / "blind", watched=False)


# Edge and centre differ, and a range cannot be brought over again (tb-edge 147, tb 13569).


def missing_at_the_centre(folder: Path, *, by_range: bool) -> set[int]:
    """The centre lost four seconds that it had had: what lacks once the range is sent, or after a while?"""
    world = World(folder)
    world.begin()
    server, clock = Server(), HandClock(1_000)
    drain = LogDrain("series", server, world.deliveries, clock, reports()[1])
    for second in range(1, 11):
        world.add(reading(NOON + second * 1_000), after_ms=1_000)
    for _ in range(200):
        clock.now_ms += 1_000
        drain.step()
    lost = {key for key in server.taken if NOON + 3_000 <= key[2] <= NOON + 6_000}
    for key in lost:
        del server.taken[key]
    for _ in range(200):
        clock.now_ms += 1_000
        drain.step()
    there = {time_ms for measurement, _, time_ms in server.taken if measurement == "temperature"}
    drain.close()
    if by_range:
        span = ["--from", "2026-11-02T14:26:13Z", "--to", "2026-11-02T14:26:17Z"]
        done = CliRunner().invoke(main, ["export", str(world.journal.path), str(folder / "range.lp"), *span])
        assert done.exit_code == 0, done.output
        lines = (folder / "range.lp").read_text(encoding="utf-8").splitlines()
        there |= {int(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("temperature")}
    world.close()
    return {NOON + second * 1_000 for second in range(1, 11)} - there


def test_a_range_can_be_sent_again(tmp_path: Path) -> None:
    """Line protocol of just that span, written over what is there; waiting for new rows mends nothing."""
    for name in ("ours", "waits"):
        (tmp_path / name).mkdir()
    assert missing_at_the_centre(tmp_path / "ours", by_range=True) == set()
    assert missing_at_the_centre(tmp_path / "waits", by_range=False) != set()
