"""The journal cannot be written: alarms leave all the same, nothing is acknowledged, nothing is lost.

One disk that is full from one moment on and has room again later, under the real daemon, between a real
broker and a real receiver. The tests look at what came when.
"""
# ruff: noqa: N802 - the methods are named by SQLite

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import pytest

from coldchain.daemon import taking
from coldchain.daemon.control import local_actor
from coldchain.facts import Acknowledged, ProcessStarted, Reading, Unrecorded
from coldchain.journal import JournalError, NotAJournal
from coldchain.web.station import AcknowledgeAlarm, Outcome
from coldchain.web.views import GatewayView
from tests.integration.gateways import History, Printer, Site, assert_equal, read, running, standing, until
from tests.integration.test_sink_mqtt import PREFIX, Board
from tests.servers import Mosquitto, MqttRelay, Packet, Peer, Side
from tests.servers.receiver import Receiver

pytestmark = [pytest.mark.servers, pytest.mark.slow]

ALARM = "box-bus/vapour/above"


class Disk:
    """Everything SQLite writes goes through it; `full` refuses, as a disk without room does."""

    full = False


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: object, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._disk.full:
            raise apsw.FullError("no room left on this test's disk")
        super().xWrite(data, offset)


class _Vfs(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__("full", "unix", makedefault=True)

    def xOpen(self, name: object, flags: list[int]) -> _File:
        return _File(self._disk, name, flags)


@contextmanager
def disk_of_a_test() -> Iterator[Disk]:
    """Every SQLite file opened inside lies on such a disk."""
    disk = Disk()
    vfs = _Vfs(disk)
    try:
        yield disk
    finally:
        vfs.unregister()


@dataclass
class Story:
    """What was seen while the disk was full, and what is left."""

    site: Site
    history: History
    urgent: list[dict[str, Any]]  # what the room had heard before there was room again
    acknowledged_before: int
    acknowledged_meanwhile: int
    acknowledged: set[int]
    gateway: GatewayView
    asked: Outcome
    notices: list[dict[str, Any]]
    full_ms: int
    room_ms: int
    shown: list[dict[str, Any]]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Cold, then full, then warm, acknowledged, warmer, then room again."""
    folder = tmp_path_factory.mktemp("full")
    with ExitStack() as ends:
        patch = ends.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(taking, "ACT_S", 0.5)
        disk = ends.enter_context(disk_of_a_test())
        broker = ends.enter_context(Mosquitto(folder / "mosquitto"))
        relay = ends.enter_context(MqttRelay(broker.port))
        receiver = Receiver().start()
        ends.callback(receiver.stop)
        site = Site(folder).profile(hold="1 s").broker(relay.port).mqtt("bus", topic="probe")
        site.webhook(receiver.url).broker(broker.port, client_id="board", name="direct")
        site.part(
            "board", f'[sinks.board]\nkind = "mqtt_state"\nbroker = "direct"\ntopic_prefix = "{PREFIX}"\n'
        )
        board = Board(broker.port)
        daemon = ends.enter_context(running(site))
        peer = ends.enter_context(Peer(broker.port))
        sent = 0

        def publish(celsius: float) -> None:
            nonlocal sent
            sent += 1
            message = {
                "time": time.time_ns() // 1_000_000,
                "sequence": sent,
                "vapour": celsius,
                "simulated": True,
            }
            peer.publish("probe", json.dumps(message).encode())

        def acknowledged() -> set[int]:
            return {json.loads(each.payload)["sequence"] for each in relay.acknowledged() if each.payload}

        relay.wait_for(Packet.SUBACK, Side.BROKER)
        publish(-180.0)
        until(lambda: len(acknowledged()) == 1, "the first is acknowledged")

        disk.full, full_ms = True, daemon.clock.journal_ms()
        publish(-140.0)
        publish(-139.0)
        until(
            lambda: ALARM in [n["announcement"].get("alarm") for n in notices(receiver)], "the alarm has left"
        )
        urgent, meanwhile = notices(receiver), acknowledged()
        gateway = daemon.station.state().gateway
        asked = daemon.station.act(AcknowledgeAlarm(ALARM, (1,), "on my way"), local_actor())
        publish(-138.0)
        until(lambda: reached(daemon.station.state()) == -138_000, "the fold runs on")
        meanwhile |= acknowledged()
        until(lambda: board.read()[f"alarm/{ALARM}"]["value"] == -138_000, "the board has the last value")
        shown = [board.read()[f"alarm/{ALARM}"]]

        disk.full, room_ms = False, daemon.clock.journal_ms()
        until(lambda: len(acknowledged()) == sent, "all are acknowledged")
        until(lambda: "gateway/journal" in standing(daemon), "the span is told")
        until(
            lambda: any(not n["unrecorded"] for n in notices(receiver)[len(urgent) :]), "the room hears of it"
        )
        until(lambda: not board.read()[f"alarm/{ALARM}"].get("unrecorded"), "the board shows it recorded")
        shown.append(board.read()[f"alarm/{ALARM}"])
        told, all_acknowledged = notices(receiver), acknowledged()
    history = read(site.journal)
    return Story(
        site,
        history,
        urgent,
        1,
        len(meanwhile),
        all_acknowledged,
        gateway,
        asked,
        told,
        full_ms,
        room_ms,
        shown,
    )


def notices(receiver: Receiver) -> list[dict[str, Any]]:
    """What the room has been told so far."""
    return [request.content for request in list(receiver.requests)]


def reached(state: Any) -> int | None:
    """The last value of the box."""
    value: int | None = state.assets[0].channels[0].value
    return value


def test_the_root_alarm_first_then_the_product_s(story: Story) -> None:
    """While nothing can be recorded the room hears that, then of the product, both marked unrecorded."""
    told = [(n["announcement"]["alarm"], n["unrecorded"]) for n in story.urgent]
    assert told == [("gateway/journal", True), (ALARM, True)]
    assert all(n["text"].startswith("[NOT RECORDED]") for n in story.urgent)
    assert "no room left" in story.urgent[0]["announcement"]["detail"]["why"]


def test_no_message_is_acknowledged_meanwhile(story: Story) -> None:
    """No PUBACK leaves between the full disk and the first commit after it."""
    assert story.acknowledged_meanwhile == story.acknowledged_before
    assert story.acknowledged == {1, 2, 3, 4}


def test_whoever_looks_is_told(story: Story) -> None:
    """Page and `status` say that the journal cannot be written; an acknowledgement is not called done."""
    assert story.gateway.journal_ok is False
    assert "no room left" in story.gateway.why
    assert not story.asked.done
    assert story.asked.message.startswith("taken in, not yet recorded")


def test_the_board_marks_what_is_not_recorded(story: Story) -> None:
    """Retained state says "unrecorded" of an alarm as long as it is, and no longer."""
    assert [alarm["value"] for alarm in story.shown] == [-138_000, -138_000]
    assert [alarm.get("unrecorded", False) for alarm in story.shown] == [True, False]


def test_everything_is_committed_with_its_first_arrival(story: Story) -> None:
    """What was folded in memory stands in the journal in order, at the time it came, the request included."""
    readings = [
        (arrival_ms, fact.sequence)
        for _, arrival_ms, fact in story.history.facts
        if isinstance(fact, Reading)
    ]
    assert [number for _, number in readings] == [1, 2, 3, 4]
    assert all(story.full_ms <= arrival_ms <= story.room_ms for arrival_ms, _ in readings[1:])
    assert len(story.history.of(Acknowledged)) == 1
    arrivals = [arrival_ms for _, arrival_ms, _ in story.history.facts]
    assert arrivals == sorted(arrivals)


def test_the_span_is_a_fact(story: Story) -> None:
    """From when to when, why, and how many alarms left unrecorded."""
    (span,) = story.history.of(Unrecorded)
    assert story.full_ms <= span.from_ms <= span.to_ms
    assert span.from_ms < story.room_ms <= span.to_ms + 5_000
    assert span.announced == 1
    assert "no room left" in span.why


def test_nobody_is_called_twice(story: Story) -> None:
    """The notice of the alarm that had left is settled when it is recorded, and not sent again."""
    keys = [n["key"] for n in story.notices]
    raised = [n["announcement"]["alarm"] for n in story.notices if n["announcement"]["kind"] == "raised"]
    assert raised.count(ALARM) == 1
    assert raised.count("gateway/journal") == 2  # the journal's own: as it began, and as it is recorded
    assert len(set(keys)) == len(keys)


def test_live_equals_folded_again(story: Story) -> None:
    """The gap in writing is no gap in the journal: `verify` says equal."""
    assert_equal(story.site.journal)


def test_a_start_on_a_full_disk_watches_all_the_same(tmp_path: Path) -> None:
    """A gateway that comes back to a full disk judges, calls, and records everything once there is room."""
    receiver = Receiver().start()
    with disk_of_a_test() as disk, Printer(tmp_path / "one") as printer:
        site = Site(tmp_path).profile(hold="0 s").ascii("one", printer.port).webhook(receiver.url)
        with running(site):
            pass
        disk.full = True
        with running(site) as daemon:
            until(lambda: daemon.station.state().gateway.sources[0].up, "the port")
            printer.say(-140.0, daemon.clock.utc_ms())
            until(lambda: len(notices(receiver)) >= 2, "both alarms have left")
            told = [(n["announcement"]["alarm"], n["unrecorded"]) for n in notices(receiver)]
            assert told == [("gateway/journal", True), ("box-one/vapour/above", True)]
            assert not daemon.station.state().gateway.journal_ok
            assert daemon._summary().startswith("JOURNAL CANNOT BE WRITTEN: ")
            disk.full = False
            until(lambda: daemon.station.state().gateway.journal_ok, "the journal is written")
    receiver.stop()
    history = read(site.journal)
    assert len(history.of(ProcessStarted)) == 2
    assert [fact.announced for fact in history.of(Unrecorded)] == [1]
    assert [one.alarm for one in history.raised("box-one")] == ["box-one/vapour/above"]
    assert_equal(site.journal)


def test_an_end_on_a_full_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It ends all the same, and says that something could not be written; the next start is in order."""
    with disk_of_a_test() as disk, Printer(tmp_path / "one") as printer:
        site = Site(tmp_path).profile(hold="0 s").ascii("one", printer.port)
        with running(site) as daemon:
            until(lambda: daemon.station.state().gateway.sources[0].up, "the port")
            disk.full = True
            printer.say(-140.0, daemon.clock.utc_ms())
            until(lambda: not daemon.station.state().gateway.journal_ok, "it cannot be written")
            with suppress(JournalError):  # the file system's last word, said by `coldchain run` as such
                daemon.stop()
            disk.full = False
        assert "ended with facts that could not be written" in caplog.text
        (said,) = [one for one in caplog.records if "gateway/journal raised" in one.getMessage()]
        assert said.levelname == "CRITICAL"
        assert "no room left on this test's disk" in said.getMessage()
        assert "box-one/vapour/above raised" in caplog.text
        assert "not recorded" in caplog.text
        with running(site):
            pass
    assert_equal(site.journal)


def damages(data: bytes) -> dict[str, bytes]:
    """A journal with one bit or one sector wrong, where a start comes by."""

    def flipped(at: int) -> bytes:
        return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]

    page = 4096
    return {
        "first sector": bytes(512) + data[512:],
        "announcement": flipped(data.index(b'{"alarm"')),
        **{f"head of page {n + 1}": flipped(n * page) for n in range(1, len(data) // page, 4)},
    }


def test_a_start_on_a_damaged_journal_watches_all_the_same(tmp_path: Path) -> None:
    """Wherever a bit flipped: it starts, calls, and says so; what is damaged is kept as it was found."""
    receiver, begun_anew = Receiver().start(), []
    with Printer(tmp_path / "one") as printer:
        site = Site(tmp_path).profile(hold="0 s").ascii("one", printer.port).webhook(receiver.url)
        with running(site) as daemon:
            until(lambda: daemon.station.state().gateway.sources[0].up, "the port")
            printer.say(-140.0, daemon.clock.utc_ms())
            until(lambda: "box-one/vapour/above" in standing(daemon), "an alarm, so that one is in it")
        for what, data in damages(site.journal.read_bytes()).items():
            for left in tmp_path.glob("journal.db[-.]*"):
                if left.suffix != ".reserve":
                    left.unlink()
            site.journal.write_bytes(data)
            receiver.requests.clear()
            with running(site) as daemon:
                until(lambda: daemon.station.state().gateway.sources[0].up, what)
                printer.say(-140.0, daemon.clock.utc_ms())
                until(lambda: "box-one/vapour/above" in standing(daemon), f"{what}: the alarm")
                aside = tmp_path / "journal.db.damaged-1"
                if not aside.exists():
                    continue
                begun_anew.append(what)
                until(lambda: len(notices(receiver)) >= 2, f"{what}: both are told")
                told = {
                    n["announcement"]["alarm"]: n["announcement"].get("detail", {}) for n in notices(receiver)
                }
                assert told.keys() == {"gateway/journal", "box-one/vapour/above"}, what
                assert "kept as journal.db.damaged-1" in told["gateway/journal"]["why"]
            assert aside.read_bytes() == data, "not touched"
            assert_equal(site.journal)
    receiver.stop()
    assert {"first sector", "announcement"} <= set(begun_anew)
    assert len(begun_anew) < len(damages(data)), "what a start does not need does not make it begin anew"


def test_a_file_of_somebody_else_is_no_damaged_journal(tmp_path: Path) -> None:
    """Where no daemon of ours has been, nothing is set aside: the path is wrong."""
    with Printer(tmp_path / "one") as printer:
        site = Site(tmp_path).profile().ascii("one", printer.port)
        site.write()
        site.journal.write_bytes(b"somebody's letters " * 100)
        with pytest.raises(NotAJournal), running(site):
            pass
        assert site.journal.read_bytes() == b"somebody's letters " * 100
