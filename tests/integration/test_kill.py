"""Kill −9 at chosen points: what was acknowledged is in the journal exactly once, and `verify` says equal.

The daemon talks to a real broker through a relay that records each acknowledgement it really sent.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest

from coldchain import facts
from coldchain.daemon.control import Ask, ControlError, NotRunning, ask, socket_path
from coldchain.facts import Reading
from coldchain.journal import Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.verify import Verdict, verify
from coldchain.units import TEMPERATURE
from tests.servers import Fate, Mosquitto, MqttRelay, Packet, Peer, Side, wait_until

ROOT = Path(__file__).parents[2]
KILLS = 10
#: A daemon that stops drains its sinks, and shares two cores with three tests (real seconds).
STOPS_WITHIN_S = 60
PER_ROUND = 40


class Receiver:
    """A webhook that remembers what it was told."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, object]] = []
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self.server.shutdown()
        self.server.server_close()


class Watcher:
    """Somebody who looks at the station all the time, as the page does; remembers each reading shown."""

    def __init__(self, journal: Path) -> None:
        self.shown: set[tuple[int, int]] = set()
        self._path = socket_path(journal)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.02):
            try:
                state = ask(self._path, Ask()).state
            except (NotRunning, ControlError):
                continue  # it is being killed all the time
            for channel in (c for a in state.assets for c in a.channels) if state is not None else ():
                if channel.at is not None and channel.value is not None:
                    self.shown.add((channel.at.ms, channel.value))


class Site:
    """A gateway's configuration, broker, relay and receiver, for daemons that come and go."""

    def __init__(self, folder: Path, broker: Mosquitto, relay: MqttRelay, receiver: Receiver) -> None:
        self.journal = folder / "journal.db"
        self.config = folder / "gateway.toml"
        self.relay, self.broker, self.receiver = relay, broker, receiver
        self.sent = 0
        self.running: subprocess.Popen[str] | None = None
        self.config.write_text(
            f"""
[site]
name = "kill test"
[journal]
path = "{self.journal}"
[clock]
trust = "site"
[brokers.local]
host = "{relay.host}"
port = {relay.port}
client_id = "killed"
inflight = 20
[sources.probe]
driver = "mqtt_json"
clock_tolerance = "30 d"
broker = "local"
simulated = true
[sources.probe.settings]
simulated = true
mappings = [{{ key = "t", topic = "probe", path = "t", unit = "degC", time_path = "at",
               time_format = "epoch_ms", sequence_path = "n" }}]
[assets.box]
kind = "dry_shipper"
profile = "dry-shipper-150"
[channels."box.vapour"]
source = "probe"
key = "t"
asset = "box"
role = "vapour"
quantity = "temperature"
probe = "vapour"
interval = "1 min"
fresh_within = "1 d"
valid_low = "-200 °C"
valid_high = "60 °C"
[sinks.hook]
kind = "webhook"
url = "{receiver.url}"
""".replace("               time_format", " time_format").replace(",\n ", ", "),
            encoding="utf-8",
        )

    def start(self, point: str, count: int, fault: str = "none") -> subprocess.Popen[str]:
        """Start a daemon that will kill itself."""
        return subprocess.Popen(
            [sys.executable, "-m", "tests.integration.killable", point, str(count), str(self.config), fault],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def publish(self, peer: Peer, many: int, start_ms: int) -> None:
        """Messages one minute apart in event time, swinging around the limits so that alarms come.

        They run ahead of our clock within the source's tolerance, so an hour of them takes no hour.
        """
        for _ in range(many):
            swing = "-140.0" if self.sent // 15 % 2 else "-180.0"
            peer.publish(
                "probe",
                b'{"t": %s, "at": %d, "n": %d, "simulated": true}'
                % (swing.encode(), start_ms + self.sent * 60_000, self.sent),
            )
            self.sent += 1

    def in_journal(self) -> Counter[int]:
        """How often each message's reading is in the journal."""
        with Reader.open(self.journal) as reader:
            found = (facts.decode(row.body) for row in reader.facts())
            return Counter(f.sequence for f in found if isinstance(f, Reading) and f.sequence is not None)

    def values_in_journal(self) -> set[tuple[int, int]]:
        """Time and value of each reading in the journal."""
        with Reader.open(self.journal) as reader:
            found = (facts.decode(row.body) for row in reader.facts())
            return {
                (f.at_ms, value)
                for f in found
                if isinstance(f, Reading) and f.at_ms is not None
                for value in [TEMPERATURE.quanta(f.raw, f.unit)]
                if isinstance(value, int)
            }

    def acknowledged(self) -> set[int]:
        """The messages whose PUBACK the daemon really sent."""
        return {
            json.loads(record.payload)["n"]
            for record in self.relay.acknowledged()
            if record.payload and record.topic == "probe"
        }


@pytest.fixture
def site(tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay) -> Iterator[Site]:
    """A fresh site."""
    receiver = Receiver()
    site = Site(tmp_path, mosquitto, relay, receiver)
    yield site
    if site.running is not None and site.running.poll() is None:
        site.running.kill()  # only after a failure: nothing of ours stays behind
        site.running.wait()
    receiver.close()


def ended(daemon: subprocess.Popen[str]) -> int:
    """The exit code of a daemon that was told to stop; one that does not stop says where each thread is."""
    try:
        return daemon.wait(STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        daemon.send_signal(signal.SIGUSR1)
        time.sleep(1)  # it is on the way to standard error
        daemon.kill()
        daemon.wait()
        raise
    finally:
        if daemon.stdout is not None:
            daemon.stdout.close()


def campaign(
    site: Site, point: str, fault: str = "none", kills: int = KILLS
) -> tuple[set[int], Counter[int]]:
    """Publish all along, kill the daemon again and again, let the last one drain; what came of it."""
    chance = Random(f"{point} {fault}")
    start_ms = time.time_ns() // 1_000_000
    with Peer(site.broker.port) as peer:
        first = site.start("never", 0)
        assert first.stdout is not None
        assert first.stdout.readline() == "ready\n"
        site.relay.wait_for(Packet.SUBACK, Side.BROKER)  # the broker keeps our messages from here on
        first.send_signal(signal.SIGTERM)
        assert ended(first) == 0
        died = 0
        for _ in range(kills):
            # Checkpoints come once a second, the others with every few messages.
            passes = chance.randrange(2) if point == "in_checkpoint" else chance.randrange(1, 4)
            daemon = site.start(point, passes, fault)
            site.publish(peer, PER_ROUND, start_ms)
            try:
                died += daemon.wait(30) == -signal.SIGKILL
            except subprocess.TimeoutExpired:
                daemon.kill()
                raise
            finally:
                if daemon.stdout is not None:
                    daemon.stdout.close()
        assert died == kills, "the daemon must have died by its own hand each time"
        last = site.start("never", 0, fault)
        site.running = last
        assert last.stdout is not None
        assert last.stdout.readline() == "ready\n"
        if fault == "none":
            wait_until(
                lambda: len(site.in_journal()) == site.sent, what="all messages in the journal", deadline_s=60
            )
        else:
            wait_until(
                lambda: not site.relay.of(Packet.PUBLISH, Side.BROKER, Fate.WAITING),
                what="a quiet line",
            )
        last.send_signal(signal.SIGTERM)
        assert ended(last) == 0
    return site.acknowledged(), site.in_journal()


@pytest.mark.parametrize("point", ["in_commit", "before_ack", "in_checkpoint", "in_delivery"])
def test_acknowledged_is_journalled_exactly_once(site: Site, point: str) -> None:
    """Killed ten times at each point: nothing acknowledged is missing or doubled."""
    watcher = Watcher(site.journal)
    try:
        acknowledged, journalled = campaign(site, point)
    finally:
        watcher.stop()
    assert acknowledged <= journalled.keys()
    assert watcher.shown, "nobody saw anything"
    assert watcher.shown <= site.values_in_journal(), "shown, and not in the journal"
    assert journalled == Counter(range(site.sent)), "each message once, though the broker sent many again"
    with Reader.open(site.journal) as reader:
        found = verify(reader, engine())
        positions = reader.tail().position
    assert found.sound, found
    assert {s.verdict for s in found.stretches} == {Verdict.EQUAL}
    told = [body for body in site.receiver.bodies if "position" in body]
    assert told
    assert all(int(str(body["position"])) <= positions for body in told), "told, and not in the journal"


def test_the_guard_is_what_keeps_it(site: Site) -> None:
    """Acknowledging before the commit loses messages in the same campaign: the check above would see it."""
    acknowledged, journalled = campaign(site, "in_commit", "ack_first")
    assert acknowledged - journalled.keys(), "the fault was put in and nothing was lost: the test is blind"
