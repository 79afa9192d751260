"""A restart forgets nothing, says that nobody watched meanwhile, and tells what became due in that time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec import to_builtins

from coldchain.announcements import Kind, Late
from coldchain.cli.main import main
from coldchain.daemon import daemon as rooms
from coldchain.daemon.control import local_actor
from coldchain.daemon.daemon import Daemon
from coldchain.journal import Journal, Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.verify import Verdict
from coldchain.web.station import (
    AcknowledgeAlarm,
    Action,
    BindChannel,
    EnterStage,
    SetEta,
    ShelveAlarm,
    StartConsignment,
    UnbindChannel,
)
from coldchain.web.views import StateView
from tests.integration.gateways import Printer, Site, assert_equal, read, running, standing, until, verified

pytestmark = pytest.mark.slow

MINUTE = 60_000
CALIBRATED = """title = "Probe above the lid"
serial = "4711"
[channels."box-one.vapour".calibration]
certificate = "2026-0114"
due = 2027-01-31
uncertainty = "0.4 °C"
"""
NAMES = ("latched", "acked", "shelved", "holding", "lane")


@pytest.fixture
def printers(tmp_path: Path) -> Iterator[dict[str, Printer]]:
    """A logger for each box."""
    made = {name: Printer(tmp_path / name) for name in NAMES}
    yield made
    for printer in made.values():
        printer.wire.close()


@pytest.fixture
def site(tmp_path: Path, printers: dict[str, Printer]) -> Site:
    """Boxes that alarm after ten minutes above −150 °C."""
    made = Site(tmp_path).profile(hold="10 min")
    for name, printer in printers.items():
        made.ascii(name, printer.port)
    return made


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def act(daemon: Daemon, action: Action) -> None:
    """Have something done."""
    outcome = daemon.station.act(action, local_actor())
    assert outcome.done, outcome


def say(daemon: Daemon, printer: Printer, name: str, celsius: float, at_ms: int) -> None:
    """Print a reading, and wait until it is there."""
    until(lambda: all(source.up for source in daemon.station.state().gateway.sources), "the ports")
    printer.say(celsius, at_ms)
    until(
        lambda: any(fact.at_ms == at_ms for fact in read(daemon.journal_path).readings(f"box-{name}.vapour")),
        f"{celsius} °C of {name}",
    )


def lasting(state: StateView) -> dict[str, Any]:
    """What of a state must outlive a process: everything but the process itself and who is connected.

    Each process relates the wall clock to journal time anew, to the millisecond; what is only printed by that
    relation (the end of a shelf, an age) is left out.
    """
    whole: dict[str, Any] = to_builtins(state)
    whole.pop("gateway")
    for asset in whole["assets"]:
        for channel in asset["channels"]:
            channel.pop("heard_at_journal_ms", None)
    for each in whole["alarms"]:
        each.get("shelf", {}).pop("until", None)
    return whole


def shelf_ms(daemon: Daemon) -> int:
    """When the shelf ends."""
    (shelf,) = [each.shelf for each in daemon.station.state().alarms if each.shelf is not None]
    assert shelf.until is not None
    return shelf.until.ms


def alarm(name: str) -> str:
    """The alarm of a box."""
    return f"box-{name}/vapour/above"


@pytest.mark.parametrize("checkpoint", [True, False], ids=["from a checkpoint", "from the first fact"])
def test_nothing_is_forgotten(site: Site, printers: dict[str, Printer], checkpoint: bool) -> None:
    """Alarms, acknowledgements, latches, shelves, lane and bindings stand as they stood; a hold runs on."""
    with running(site) as daemon:
        begun_ms = now_ms()
        for name in ("latched", "acked", "shelved"):
            say(daemon, printers[name], name, -140.0, begun_ms)
            say(daemon, printers[name], name, -140.0, begun_ms + 11 * MINUTE)  # by the loggers' own clocks
        say(daemon, printers["latched"], "latched", -180.0, begun_ms + 12 * MINUTE)
        say(daemon, printers["holding"], "holding", -140.0, begun_ms)
        act(daemon, AcknowledgeAlarm(alarm("acked"), (1,), "seen it"))
        act(daemon, ShelveAlarm(alarm("shelved"), begun_ms + 60 * MINUTE, "loading"))
        act(daemon, StartConsignment("C-1", "box-lane", "test", "transport", ("U-1",)))
        act(daemon, EnterStage("C-1", "storage"))
        act(daemon, SetEta("C-1", begun_ms + 600 * MINUTE))
        act(daemon, UnbindChannel("box-lane.vapour"))
        act(daemon, BindChannel("box-lane.vapour", "box-lane", "second-vapour", confirmed=True))
        before, until_ms = lasting(daemon.station.state()), shelf_ms(daemon)
    if not checkpoint:
        with Journal.open(site.journal) as journal:
            assert journal.drop_checkpoints() > 0
    with Reader.open(site.journal) as reader:
        assert (reader.latest_checkpoint(engine()) is not None) is checkpoint
    with running(site) as daemon:
        assert lasting(daemon.station.state()) == before
        assert abs(shelf_ms(daemon) - until_ms) < 100
        say(daemon, printers["holding"], "holding", -140.0, begun_ms + 11 * MINUTE)
        until(lambda: alarm("holding") in standing(daemon), "the hold that was under way")
    history = read(site.journal)
    (held,) = history.raised("box-holding")
    assert (held.since_ms, held.due_ms) == (begun_ms, begun_ms + 10 * MINUTE)
    assert_equal(site.journal)
    # What the test set up is what it claims: one of each.
    states = {each["id"]: each["state"] for each in before["alarms"]}
    assert states == {
        alarm("latched"): "return_to_normal_unacknowledged",
        alarm("acked"): "acknowledged",
        alarm("shelved"): "shelved",
    }
    lane = next(asset for asset in before["assets"] if asset["id"] == "box-lane")
    assert lane["consignment"]["id"] == "C-1"
    assert lane["consignment"]["stage"] == "storage"
    assert [channel["role"] for channel in lane["channels"]] == ["second-vapour"]


def test_down_time_is_said_and_what_became_due_in_it(tmp_path: Path) -> None:
    """ "Not running from … to …" with both ends; a hold that ran out meanwhile is raised, and says so."""
    with Printer(tmp_path / "one") as printer:
        site = Site(tmp_path).profile(hold="2 s").ascii("one", printer.port).part("z", CALIBRATED)
        with running(site) as daemon:
            hot_ms = now_ms()
            say(daemon, printer, "one", -140.0, hot_ms)
            assert alarm("one") not in standing(daemon), "the machine was too slow for this test"
        until(lambda: now_ms() > hot_ms + 3_500, "the hold has run out by more than a second")
        with running(site) as daemon:
            (stands,) = daemon.station.state().alarms
            assert (stands.id, stands.late) == (alarm("one"), Late.NOT_RUNNING)
            assert [each.late for each in stands.occurrences] == [Late.NOT_RUNNING]
            assert stands.last_confirmed is not None
            assert stands.last_confirmed.ms == hot_ms
            channel = daemon.station.state().assets[0].channels[0]
            assert (channel.title, channel.probe) == ("Probe above the lid", "vapour 4711")
            assert channel.calibration_due is not None
            assert datetime.fromtimestamp(channel.calibration_due.ms / 1000, UTC).date() == date(2027, 1, 31)
    history = read(site.journal)
    (note,) = [one for one in history.said if one.what.kind is Kind.NOTE]
    ended = next(arrival for _, arrival, fact in history.facts if fact in history.of(rooms.ProcessEnded))
    assert note.what.text == "not_running"
    assert (note.what.since_ms, note.what.end_ms) == (ended, note.announced_ms)
    # What is known of the down time itself; starting up comes on top of it.
    assert 3_000 < int(note.what.detail["down_ms"]) <= note.announced_ms - ended + 1
    (raised,) = history.raised("box-one")
    assert (raised.since_ms, raised.due_ms, raised.late) == (hot_ms, hot_ms + 2_000, Late.NOT_RUNNING)
    assert_equal(site.journal)


def test_a_condition_that_is_true_at_the_first_start(tmp_path: Path) -> None:
    """What is outside from the very first reading is announced, its hold counted from that reading."""
    with Printer(tmp_path / "one") as printer:
        site = Site(tmp_path).profile(hold="10 min").ascii("one", printer.port)
        with running(site) as daemon:
            begun_ms = now_ms()
            say(daemon, printer, "one", -140.0, begun_ms)
            say(daemon, printer, "one", -140.0, begun_ms + 10 * MINUTE)
            until(lambda: alarm("one") in standing(daemon), "the alarm")
    assert_equal(site.journal)


def test_an_upgrade_keeps_what_was_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another engine: a latched alarm and its acknowledgement survive, and `verify` calls it no tampering."""
    with Printer(tmp_path / "one") as printer:
        site = Site(tmp_path).profile(hold="10 min").ascii("one", printer.port)
        with monkeypatch.context() as older:
            older.setattr(rooms, "engine", lambda: "0123456789abcdef")
            with running(site) as daemon:
                begun_ms = now_ms()
                say(daemon, printer, "one", -140.0, begun_ms)
                say(daemon, printer, "one", -140.0, begun_ms + 11 * MINUTE)
                say(daemon, printer, "one", -180.0, begun_ms + 12 * MINUTE)
                act(daemon, AcknowledgeAlarm(alarm("one"), (1,), "moved"))
                before = lasting(daemon.station.state())
        with running(site) as daemon:
            assert lasting(daemon.station.state()) == before
            (stands,) = daemon.station.state().alarms
            assert (stands.id, stands.latched, stands.can_reset) == (alarm("one"), True, True)
            assert [taken.comment for taken in stands.taken] == ["moved"]
    found = verified(site.journal)
    assert found.sound
    assert [(stretch.verdict, stretch.different) for stretch in found.stretches] == [
        (Verdict.OTHER_ENGINE, 0),
        (Verdict.EQUAL, 0),
    ]
    said = CliRunner().invoke(main, ["verify", str(site.journal)])
    assert said.exit_code == 0
    assert "made by another engine" in said.stdout
