"""MQTT ports on a real broker: acknowledged after the commit, in order, and never for somebody else."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from coldchain import facts
from coldchain.clock import SystemClock
from coldchain.config import Loaded
from coldchain.config.compiling import plan_of
from coldchain.config.endpoints import BrokerSettings
from coldchain.driver import Maturity, MqttDriver
from coldchain.facts import Activated, EngineStarted, Reading, SourceDown, SourceUp
from coldchain.journal import Journal, Reader
from coldchain.model import Decoded, Measured, Origin, Reason
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.intake import Queue
from coldchain.pipeline.recovery import recover
from coldchain.pipeline.timekeeper import Timekeeper
from coldchain.pipeline.writer import Hooks, Writer
from coldchain.ports import Ports, start_ports
from coldchain.ports.broker_client import make_client
from coldchain.ports.mqtt_port import MqttPort, _Connection
from coldchain.ports.outlet import Outlet, channels_of
from coldchain.ports.standing import Count, Standing
from coldchain_drivers.lies import LIES
from tests.servers import Authority, Mosquitto, MqttRelay, Packet, Peer, Side
from tests.servers.tls_front import TlsFront
from tests.unit.ports.support import DEADLINE_S, AnySettings, Desk, site

BOTH = pytest.mark.parametrize("protocol", ["3.1.1", "5"])

MAPPING = """
[[sources.log.settings.mappings]]
key = "v"
topic = "probe/1"
path = "v"
unit = "degC"
"""
NUMBERED = MAPPING + 'sequence_path = "n"\n'


def broker_table(port: int, protocol: str = "5", **more: object) -> str:
    """The broker in TOML."""
    extra = "".join(f"{key} = {json.dumps(value)}\n" for key, value in more.items())
    return (
        f'\n[brokers.local]\nhost = "127.0.0.1"\nport = {port}\nprotocol = "{protocol}"\n'
        f'client_id = "gateway"\n{extra}'
    )


SOURCE = '\n[sources.log]\ndriver = "mqtt_json"\nbroker = "local"\n'
CHANNEL = {"box.v": ("log", "v")}


def one(tmp_path: Path, port: int, protocol: str = "5", mapping: str = NUMBERED, **more: object) -> Loaded:
    """One source "log" on a broker; channel box.v."""
    return site(tmp_path, broker_table(port, protocol, **more) + SOURCE + mapping, CHANNEL)


@contextmanager
def running(loaded: Loaded, desk: Desk, *, up: bool = True) -> Iterator[Ports]:
    """Ports that end with the block, within 1.5 s; begun when their source is up."""
    ports = start_ports(loaded, desk.intake, desk.clock)
    try:
        if up:
            desk.wait_for(1, SourceUp)
        yield ports
    finally:
        started = time.monotonic()
        ports.stop()
        assert time.monotonic() - started < 1.5
        assert not [t for t in threading.enumerate() if t.name.startswith("broker ")]


def messages(first: int, last: int) -> list[str]:
    """JSON messages with these numbers, the last included."""
    return [json.dumps({"v": -150, "n": number}) for number in range(first, last + 1)]


def numbers(desk: Desk) -> list[int]:
    """The numbers of the readings so far, repeats included."""
    return [reading.sequence for reading in desk.readings if reading.sequence is not None]


def acknowledgements(relay: MqttRelay) -> list[int]:
    """The numbers of the messages that were acknowledged so far, in the order in which that happened."""
    return [json.loads(record.payload)["n"] for record in relay.acknowledged()]


def counts(ports: Ports) -> dict[str, int]:
    """The counts of the source."""
    return ports.status()[0].counts


# --- Acknowledgements --------------------------------------------------------------------------------------


@BOTH
def test_acknowledged_after_the_commit_and_in_order(
    tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay, protocol: str
) -> None:
    """Nothing before it is settled, and what came first goes first, whatever was settled first."""
    desk = Desk(settle=False)
    with running(one(tmp_path, relay.port, protocol), desk), Peer(mosquitto.port) as probe:
        probe.publish("probe/1", *messages(1, 10))
        desk.wait_for(10, Reading)
        desk.pause(0.2)
        assert relay.of(Packet.PUBACK, Side.CLIENT) == ()
        desk.waiting.reverse()
        desk.settle(9)  # all but the first
        desk.pause(0.2)
        assert relay.of(Packet.PUBACK, Side.CLIENT) == ()
        desk.settle()
        relay.wait_for(Packet.PUBACK, Side.CLIENT, count=10)
        assert acknowledgements(relay) == list(range(1, 11))


@BOTH
def test_a_late_settlement_acknowledges_nothing_on_a_new_connection(
    tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay, protocol: str
) -> None:
    """After a reconnection the same message ids are other deliveries: old tokens are void, repeats say so."""
    desk = Desk(settle=False)
    with running(one(tmp_path, relay.port, protocol), desk), Peer(mosquitto.port) as probe:
        probe.publish("probe/1", *messages(1, 5))
        desk.wait_for(5, Reading)
        old, desk.waiting = desk.waiting, []
        relay.cut()
        desk.wait_for(10, Reading)
        desk.waiting, new = old, desk.waiting
        desk.settle()
        desk.pause(0.3)
        assert relay.of(Packet.PUBACK, Side.CLIENT) == ()
        desk.waiting = new
        desk.settle()
        relay.wait_for(Packet.PUBACK, Side.CLIENT, count=5)
        assert acknowledgements(relay) == [1, 2, 3, 4, 5]
        assert [reading.dup for reading in desk.readings] == [False] * 5 + [True] * 5
        assert numbers(desk) == [1, 2, 3, 4, 5] * 2
        assert (len(desk.ups), len(desk.downs)) == (2, 1)


@BOTH
def test_a_session_that_was_lost(
    tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay, protocol: str
) -> None:
    """The broker forgot us: we subscribe anew, and a settlement of before acknowledges nobody's message."""
    desk = Desk(settle=False)
    with running(one(tmp_path, relay.port, protocol), desk), Peer(mosquitto.port) as probe:
        probe.publish("probe/1", *messages(1, 2))
        desk.wait_for(2, Reading)
        relay.refuse()
        relay.cut()
        desk.wait_for(1, SourceDown)
        thief = paho.Client(
            paho.CallbackAPIVersion.VERSION2, "gateway", clean_session=True, protocol=paho.MQTTv311
        )
        thief.connect("127.0.0.1", mosquitto.port)  # a clean start under our name ends our session
        thief.loop_start()
        while not thief.is_connected():
            time.sleep(0.005)
        thief.disconnect()
        thief.loop_stop()
        relay.accept()
        desk.wait_for(2, SourceUp)
        probe.publish("probe/1", *messages(3, 4))
        desk.wait_for(4, Reading)
        new = desk.waiting[2:]
        desk.waiting = desk.waiting[:2]
        desk.settle()
        desk.pause(0.2)
        assert relay.of(Packet.PUBACK, Side.CLIENT) == ()
        desk.waiting = new
        desk.settle()
        relay.wait_for(Packet.PUBACK, Side.CLIENT, count=2)
        assert acknowledgements(relay) == [3, 4]


def test_what_is_no_fact_keeps_its_turn(tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay) -> None:
    """A message without anything of ours is acknowledged too, but not before those that came before it."""
    desk = Desk(settle=False)
    mapping = NUMBERED + "optional = true\n"
    with running(one(tmp_path, relay.port, mapping=mapping), desk), Peer(mosquitto.port) as probe:
        probe.publish("probe/1", *messages(1, 1), json.dumps({"n": 2}), *messages(3, 3))
        desk.wait_for(2, Reading)
        desk.pause(0.2)
        assert relay.of(Packet.PUBACK, Side.CLIENT) == ()
        desk.settle()
        relay.wait_for(Packet.PUBACK, Side.CLIENT, count=3)
        assert acknowledgements(relay) == [1, 2, 3]


@BOTH
def test_stopped_with_messages_under_way(
    tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay, protocol: str
) -> None:
    """What is committed while we stop is acknowledged; what is not comes again; no token outlives it."""
    desk = Desk(settle=False)
    loaded = one(tmp_path, relay.port, protocol)
    with running(loaded, desk) as ports, Peer(mosquitto.port) as probe:
        probe.publish("probe/1", *messages(1, 6))
        desk.wait_for(6, Reading)
        stopping = threading.Thread(target=ports.stop)
        stopping.start()
        desk.settle(4)
        stopping.join()
        assert acknowledgements(relay) == [1, 2, 3, 4]
        desk.settle()
        assert len(relay.of(Packet.PUBACK, Side.CLIENT)) == 4
    again = Desk()
    with running(loaded, again):
        again.wait_for(2, Reading)
        assert numbers(again) == [5, 6]


# --- Room --------------------------------------------------------------------------------------------------


@BOTH
def test_no_room_and_nothing_lost(
    tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay, protocol: str
) -> None:
    """A message without room is not acknowledged; the connection is renewed, and all come again, in order."""
    desk = Desk(capacity=7)
    with running(one(tmp_path, relay.port, protocol), desk) as ports, Peer(mosquitto.port) as probe:
        desk.takes = False
        desk.settles = False
        probe.publish("probe/1", *messages(1, 60))
        desk.until(lambda: counts(ports)[Count.PUT_OFF] > 0, "there is no room")
        desk.pause(0.2)
        assert len(numbers(desk)) == 0
        desk.takes = desk.settles = True
        desk.until(lambda: len(set(acknowledgements(relay))) == 60, "all are acknowledged")
        first = list(dict.fromkeys(numbers(desk)))
        assert first == list(range(1, 61)), "each was taken, in order"
        assert list(dict.fromkeys(acknowledgements(relay))) == first
        assert len(relay.of(Packet.CONNECT, Side.CLIENT)) > 1
        assert desk.lost == []
        assert "no room" in desk.downs[0].why


def test_while_the_intake_is_held_the_broker_is_left_alone(
    tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay
) -> None:
    """If nothing can be taken for long, we do not connect over and over only to refuse; then all comes."""
    desk = Desk()
    with running(one(tmp_path, relay.port), desk) as ports, Peer(mosquitto.port) as probe:
        desk.intake.hold(True)
        probe.publish("probe/1", *messages(1, 3))
        desk.wait_for(1, SourceDown)
        desk.pause(2.5)
        assert len(relay.of(Packet.CONNECT, Side.CLIENT)) == 1
        assert ports.status()[0].up is False
        desk.intake.hold(False)
        desk.wait_for(3, Reading)
        assert numbers(desk) == [1, 2, 3]


def test_qos_0_without_room_is_counted_and_told(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """What nobody sends again is a fact with its count as soon as there is room."""
    desk = Desk(capacity=10)
    with running(one(tmp_path, mosquitto.port), desk) as ports, Peer(mosquitto.port) as probe:
        desk.takes = False
        probe.publish("probe/1", *messages(1, 50), qos=0)
        desk.until(lambda: sum(counts(ports)[c] for c in (Count.READINGS, Count.LOST)) == 50, "all came")
        lost = counts(ports)[Count.LOST]
        desk.takes = True
        desk.until(lambda: sum(fact.count for fact in desk.lost) == lost, "the loss is told")
        assert lost > 0
        assert len(desk.readings) == 50 - lost
        assert len(desk.downs) == 0, "the connection stays: nothing would come again"


# --- What comes --------------------------------------------------------------------------------------------


@BOTH
def test_a_payload_of_ten_megabytes(
    tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay, protocol: str
) -> None:
    """It is refused unread, written down by size and hash, acknowledged, and the next message is read."""
    desk = Desk()
    with running(one(tmp_path, relay.port, protocol), desk), Peer(mosquitto.port) as probe:
        probe.publish("probe/1", b"[" * 10_000_000)
        probe.publish("probe/1", *messages(1, 1))
        desk.wait_for(1, Reading)
        (fact,) = desk.unreadable
        assert (fact.reason, fact.size) == (Reason.OVERSIZED_FRAME, 10_000_000)
        relay.wait_for(Packet.PUBACK, Side.CLIENT, count=2)


def test_what_cannot_be_read_is_acknowledged_after_the_commit(
    tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay
) -> None:
    """Garbage is a fact like any other: on disk first, then acknowledged, or it would come for ever."""
    desk = Desk(settle=False)
    with running(one(tmp_path, relay.port), desk), Peer(mosquitto.port) as probe:
        probe.publish("probe/1", b"\xff\xfe", b"", b'{"v": NaN, "n": 3}', b'{"v": 1e999, "n": 4}')
        desk.until(lambda: len(desk.waiting) == 4, "four facts")
        assert [fact.reason for fact in desk.unreadable] == [Reason.CORRUPT_FRAME, Reason.NO_VALUE]
        assert desk.readings[0].bad is Reason.NOT_A_NUMBER
        desk.pause(0.2)
        assert relay.of(Packet.PUBACK, Side.CLIENT) == ()
        desk.settle()
        relay.wait_for(Packet.PUBACK, Side.CLIENT, count=4)


@BOTH
def test_a_retained_message_never_looks_fresh(
    tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay, protocol: str
) -> None:
    """It arrives as retained, a live one after it as live; a reconnection does not bring it again."""
    desk = Desk()
    with Peer(mosquitto.port) as probe:
        probe.publish("probe/1", *messages(1, 1), retain=True)
        with running(one(tmp_path, relay.port, protocol), desk):
            desk.wait_for(1, Reading)
            probe.publish("probe/1", *messages(2, 2))
            desk.wait_for(2, Reading)
            relay.cut()
            desk.wait_for(2, SourceUp)
            probe.publish("probe/1", *messages(3, 3))
            desk.until(lambda: 3 in numbers(desk), "three")
        assert [(r.sequence, r.origin) for r in desk.readings if not r.dup] == [
            (1, Origin.RETAINED),
            (2, Origin.LIVE),
            (3, Origin.LIVE),
        ]


@BOTH
def test_overlapping_filters_bring_each_message_once(
    tmp_path: Path, mosquitto: Mosquitto, protocol: str
) -> None:
    """Two sources read one topic by different filters: each has one reading of it, not one for each copy."""
    wide = NUMBERED.replace("sources.log", "sources.wide").replace("probe/1", "probe/#")
    text = broker_table(mosquitto.port, protocol) + SOURCE + NUMBERED + SOURCE.replace("log", "wide") + wide
    loaded = site(tmp_path, text + "same_device = true\n", CHANNEL | {"box.w": ("wide", "v")})
    desk = Desk()
    with running(loaded, desk), Peer(mosquitto.port) as probe:
        desk.wait_for(2, SourceUp)
        probe.publish("probe/1", *messages(1, 3))
        desk.wait_for(6, Reading)
        desk.pause(0.2)
        assert sorted((r.source, r.sequence or 0) for r in desk.readings) == [
            (name, number) for name in ("log", "wide") for number in (1, 2, 3)
        ]


def test_every_known_lie_arrives_as_bad(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """A failed probe that reads cold is never a number: each lie of the table reaches the intake as BAD."""
    table = [
        (family, shown, lie.reason)
        for family, about in LIES.items()
        for lie in about.lies
        for shown in (lie.value, lie.at_or_above, lie.at_or_below)
        if shown
    ]
    mappings = "".join(
        f'[[sources.log.settings.mappings]]\nkey = "v{i}"\ntopic = "probe/{i}"\npath = "v"\n'
        f'unit = "degC"\nlies = ["{family}"]\n'
        for i, (family, _, _) in enumerate(table)
    )
    others = ("null", '"-182.4"', "true", "NaN", "Infinity", '-182.4, "v": 5', "[]", "{}", '"----"')
    mappings += MAPPING.replace('"v"', '"other"', 1).replace("probe/1", "probe/other")
    channels = {f"box.v{i}": ("log", f"v{i}") for i in range(len(table))} | {"box.other": ("log", "other")}
    desk = Desk()
    loaded = site(tmp_path, broker_table(mosquitto.port) + SOURCE + mappings, channels)
    with running(loaded, desk), Peer(mosquitto.port) as probe:
        for i, (_, shown, _) in enumerate(table):
            probe.publish(f"probe/{i}", f'{{"v": {shown}}}')
        for other in others:
            probe.publish("probe/other", f'{{"v": {other}}}')
        desk.wait_for(len(table) + len(others), Reading)
    found = {reading.channel: reading for reading in desk.readings}
    for i, (family, shown, reason) in enumerate(table):
        assert (found[f"box.v{i}"].bad, found[f"box.v{i}"].raw) == (reason, ""), f"{family} {shown}"
    rest = [reading for reading in desk.readings if reading.channel == "box.other"]
    assert len(rest) == len(others)
    assert all(reading.bad is not None and reading.raw == "" for reading in rest)


# --- Brokers that come and go ------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_broker_is_started_anew(tmp_path: Path, mosquitto: Mosquitto, protocol: str, end: str) -> None:
    """We come back by ourselves, the session with us: what was published meanwhile arrives."""
    desk = Desk()
    with running(one(tmp_path, mosquitto.port, protocol), desk):
        with Peer(mosquitto.port) as probe:
            probe.publish("probe/1", *messages(1, 1))
            desk.wait_for(1, Reading)
        desk.pause(2.5)  # the broker saves its sessions each second
        getattr(mosquitto, end)()
        desk.wait_for(1, SourceDown)
        mosquitto.start()
        with Peer(mosquitto.port) as probe:
            probe.publish("probe/1", *messages(2, 4))
        desk.until(lambda: {2, 3, 4} <= set(numbers(desk)), "what came meanwhile")
        assert (len(desk.ups), len(desk.downs)) == (2, 1)


def test_no_broker_at_first(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """It is said once, and the broker is found when it comes."""
    mosquitto.stop()
    desk = Desk()
    with running(one(tmp_path, mosquitto.port), desk, up=False):
        desk.wait_for(1, SourceDown)
        assert "refused" in desk.downs[0].why
        mosquitto.start()
        desk.wait_for(1, SourceUp)
        assert len(desk.downs) == 1


def test_a_broker_that_says_nothing_any_more(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """A frozen broker keeps its connection open: the keep-alive finds out, and we come back when it does."""
    desk = Desk()
    with running(one(tmp_path, mosquitto.port, keep_alive="1 s"), desk):
        mosquitto.freeze()
        desk.wait_for(1, SourceDown)
        assert "Keep alive timeout" in desk.downs[0].why
        mosquitto.thaw()
        desk.wait_for(2, SourceUp)


def test_days_of_loss_and_then_the_backlog(
    tmp_path: Path, mosquitto_server: Callable[..., Mosquitto]
) -> None:
    """What the broker's own bound kept comes, oldest first and each once; then what is new."""
    broker = mosquitto_server(max_queued_messages=200)
    loaded = one(tmp_path, broker.port)
    with running(loaded, Desk()):
        pass  # the session is made; then nobody is there for days
    desk = Desk()
    with Peer(broker.port) as probe:
        probe.publish("probe/1", *messages(1, 1000))
        with running(loaded, desk):
            desk.wait_for(200, Reading)
            probe.publish("probe/1", *messages(1001, 1001))
            desk.until(lambda: 1001 in numbers(desk), "the new one")
    *kept, newest = numbers(desk)
    assert newest == 1001
    assert kept == list(range(1, len(kept) + 1))
    inflight = loaded.settings.brokers["local"].inflight
    assert 200 <= len(kept) <= 200 + inflight, "as many as the broker was allowed to keep"


@BOTH
def test_a_broker_that_lets_nobody_in(
    tmp_path: Path, mosquitto_server: Callable[..., Mosquitto], protocol: str
) -> None:
    """A wrong password is said with the broker's words, without the password; the right one is read anew."""
    broker = mosquitto_server(users={"gateway": "secret-1"})
    secret = tmp_path / "password"
    secret.write_text("wrong-word\n")
    desk = Desk()
    loaded = one(tmp_path, broker.port, protocol, user="gateway", password_file="password")
    with running(loaded, desk, up=False):
        desk.wait_for(1, SourceDown)
        assert "refuses us" in desk.downs[0].why
        assert "wrong-word" not in repr(desk.look())
        secret.write_text("secret-1\n")
        desk.wait_for(1, SourceUp)


def test_a_file_that_cannot_be_read(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """What is missing and the mend stand in the fact."""
    desk = Desk()
    with running(one(tmp_path, mosquitto.port, user="gateway", password_file="nowhere"), desk, up=False):
        desk.wait_for(1, SourceDown)
        assert "nowhere cannot be read" in desk.downs[0].why
    desk = Desk()
    with running(one(tmp_path, mosquitto.port, tls=True, ca_file="no.pem"), desk, up=False):
        desk.wait_for(1, SourceDown)
        assert "no.pem cannot be used: [Errno 2] No such file" in desk.downs[0].why
        assert "name PEM files" in desk.downs[0].why


# paho leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_tls(tmp_path: Path, mosquitto_server: Callable[..., Mosquitto], authority: Authority) -> None:
    """With the right authority we talk, with our own certificate if asked; with a wrong one never."""
    broker = mosquitto_server(
        tls=authority.server(), client_authority=authority, use_identity_as_username=True
    )
    ours = authority.client("gateway-7")
    desk = Desk()
    files = {
        "tls": True,
        "ca_file": str(authority.certificate),
        "certificate_file": str(ours.certificate),
        "key_file": str(ours.key),
    }
    with running(one(tmp_path, broker.port, **files), desk) as ports:
        assert ports.status()[0].up is True
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other")
    desk = Desk()
    files["ca_file"] = str(stranger.certificate)
    with running(one(tmp_path, broker.port, **files), desk, up=False):
        desk.wait_for(1, SourceDown)
        assert "check the broker's certificate, host and ca_file" in desk.downs[0].why


@pytest.mark.filterwarnings("ignore:Exception ignored in.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_certificates_that_are_renewed(tmp_path: Path, mosquitto: Mosquitto, authority: Authority) -> None:
    """The broker's has expired, then our file holds another authority: each is said, and mended alone."""
    (tmp_path / "other").mkdir()
    trusted = tmp_path / "ca.pem"
    shutil.copy(authority.certificate, trusted)
    desk = Desk()
    with (
        TlsFront(mosquitto.port, authority.server(expired=True)) as front,
        running(one(tmp_path, front.port, tls=True, ca_file=str(trusted)), desk, up=False),
    ):
        desk.wait_for(1, SourceDown)
        assert "certificate has expired; check the broker's certificate" in desk.downs[0].why
        front.renew(authority.server())
        desk.wait_for(1, SourceUp)
        stranger = Authority(tmp_path / "other")
        front.renew(stranger.server())
        desk.wait_for(2, SourceDown)
        shutil.copy(stranger.certificate, trusted)
        desk.wait_for(2, SourceUp)
        with Peer(mosquitto.port) as probe:
            probe.publish("probe/1", *messages(1, 3))
        desk.wait_for(3, Reading)
        assert numbers(desk) == [1, 2, 3]


def test_a_broker_whose_name_nobody_knows(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """It is said by that name; the other broker goes on."""
    text = broker_table(1883).replace("local", "far").replace("127.0.0.1", "broker.invalid")
    near = broker_table(mosquitto.port) + SOURCE + NUMBERED
    far = text + SOURCE.replace("log", "other").replace("local", "far") + NUMBERED.replace("log", "other")
    desk = Desk()
    with running(site(tmp_path, near + far, CHANNEL), desk):
        desk.wait_for(1, SourceDown)
        assert "broker.invalid" in desk.downs[0].why
        assert desk.downs[0].source == "other"
        with Peer(mosquitto.port) as probe:
            probe.publish("probe/1", *messages(1, 2))
        desk.wait_for(2, Reading)


def test_many_messages_over_tls(
    tmp_path: Path, mosquitto_server: Callable[..., Mosquitto], authority: Authority
) -> None:
    """What the TLS layer has already taken off the socket does not wait for more to come."""
    broker = mosquitto_server(tls=authority.server())
    desk = Desk()
    context = ssl.create_default_context(cafile=authority.certificate)
    loaded = one(tmp_path, broker.port, tls=True, ca_file=str(authority.certificate))
    with running(loaded, desk), Peer(broker.port, tls=context) as probe:
        probe.publish("probe/1", *messages(1, 500))
        desk.wait_for(500, Reading)
        assert numbers(desk) == list(range(1, 501))


def test_two_under_one_name(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """A second client under our name throws us out: we are down, and back when it is gone."""
    desk = Desk()
    with running(one(tmp_path, mosquitto.port), desk):
        thief = Peer(mosquitto.port, "gateway")
        thief.client.reconnect_delay_set(60, 60)
        with thief:
            desk.wait_for(1, SourceDown)
        desk.until(lambda: len(desk.ups) > len(desk.downs), "back again")


def test_each_packet_leaves_at_once(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """TCP_NODELAY is set: else an acknowledgement waits up to 40 ms for the next one."""
    settings = BrokerSettings(host="127.0.0.1", port=mosquitto.port, client_id="x")
    client = make_client(settings, tmp_path)
    client.reconnect()
    opened = client.socket()
    assert isinstance(opened, socket.socket)
    assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    client.disconnect()
    opened.close()


def test_a_topic_that_the_broker_refuses(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Its source is down with the broker's words; the others of the broker are up."""
    desk = Desk()
    other = SOURCE.replace("sources.log", "sources.other") + NUMBERED.replace("sources.log", "sources.other")
    text = broker_table(mosquitto.port) + SOURCE + NUMBERED + other.replace("probe/1", "secret/1")
    loaded = site(tmp_path, text, CHANNEL | {"box.w": ("other", "v")})
    outlets = tuple(
        Outlet(each, channels_of(loaded, name), Standing(each, desk.intake, desk.clock), desk.clock)
        for name, each in loaded.sources.items()
    )
    broker = loaded.settings.brokers["local"]
    port = MqttPort("local", broker, outlets, desk.intake, desk.clock, base=tmp_path)
    client = make_client(broker, tmp_path)
    connection = _Connection(port, client)
    # No access list of this broker refuses a subscription: what it would say is said for it.
    connection._asked[1] = ["probe/1", "secret/1"]
    said = [ReasonCode(PacketTypes.SUBACK, identifier=code) for code in (1, 0x87)]
    connection._on_subscribe(client, None, 1, said, None)
    assert [up.source for up in desk.ups] == ["log"]
    assert [(down.source, down.why) for down in desk.downs] == [
        ("other", 'the broker refuses the topic "secret/1": Not authorized')
    ]
    port.bell.close()


def test_through_a_real_journal(tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay) -> None:
    """With the real writer: at the moment of each acknowledgement its reading is on disk."""
    loaded = one(tmp_path, relay.port)
    path = tmp_path / "journal.db"
    clock = SystemClock(trusted=True)
    with Journal.open(path) as journal:
        fold = recover(journal, engine()).fold
        timekeeper = Timekeeper(clock)
        queue = Queue(clock, 1_000)
        writer = Writer(clock, queue, fold, journal, engine(), timekeeper, Hooks())
        queue.submit((*timekeeper.start(fold).facts, EngineStarted(engine(), "test")))
        queue.submit((Activated(plan_of(loaded), {}),))
        ports = start_ports(loaded, queue, clock)
        with Peer(mosquitto.port) as probe, Reader.open(path) as reader:
            relay.wait_for(Packet.SUBACK, Side.BROKER)  # before that the broker keeps nothing for us
            probe.publish("probe/1", *messages(1, 30))
            end = time.monotonic() + DEADLINE_S
            while len(acknowledgements(relay)) < 30 and time.monotonic() < end:
                sent = acknowledgements(relay)
                written = {
                    fact.sequence
                    for row in reader.facts()
                    if isinstance(fact := facts.decode(row.body), Reading)
                }
                assert set(sent) <= written
                writer.step(0.01)
        ports.stop()
        assert acknowledgements(relay) == list(range(1, 31))


# --- Threads that die, drivers that misbehave --------------------------------------------------------------


class Killed(BaseException):
    """Nothing that a thread survives."""


class Misbehaviour:
    """What the driver below does instead of reading."""

    raises: BaseException | None = None


def decode(settings: AnySettings, topic: str, payload: bytes) -> Decoded:
    """The payload is the value."""
    if Misbehaviour.raises is not None:
        raise Misbehaviour.raises
    return (Measured("v", payload.decode(), "degC", None, int(payload)),)


PLAIN = MqttDriver(
    name="plain",
    version="1",
    title="The payload is the value",
    maturity=Maturity.GENERIC,
    settings=AnySettings,
    topics=lambda s: (s.topic,),
    decode=decode,
    keys=lambda s: {"v": "degC"},
    numbers_readings=lambda s: True,
)


@pytest.fixture
def plain(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Loaded]:
    """A source whose driver a test can make misbehave."""
    text = broker_table(mosquitto.port) + '[sources.log]\ndriver = "plain"\nbroker = "local"\n'
    yield site(tmp_path, text, CHANNEL, {"plain": PLAIN})
    Misbehaviour.raises = None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_died_is_noticed(mosquitto: Mosquitto, plain: Loaded) -> None:
    """The watchdog begins it anew, and what it had not acknowledged comes again."""
    desk = Desk()
    with running(plain, desk), Peer(mosquitto.port) as probe:
        Misbehaviour.raises = Killed()
        probe.publish("t", "1")
        desk.wait_for(1, SourceDown)
        assert "has died" in desk.downs[0].why
        Misbehaviour.raises = None
        desk.wait_for(1, Reading)
        assert desk.readings[0].dup


def test_what_goes_wrong_inside_the_library_ends_no_thread(
    mosquitto: Mosquitto, plain: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception in paho itself would end paho's own thread, which goes on saying that it is connected."""
    desk = Desk()
    original = paho.Client._handle_publish
    failures = [RuntimeError("a defect in the library")]

    def fails(client: paho.Client) -> object:
        if failures:
            raise failures.pop()
        return original(client)

    with running(plain, desk), Peer(mosquitto.port) as probe:
        monkeypatch.setattr(paho.Client, "_handle_publish", fails)
        probe.publish("t", "1")
        desk.wait_for(1, SourceDown)
        assert desk.downs[0].why == "RuntimeError: a defect in the library"
        desk.wait_for(1, Reading)
        assert (desk.readings[0].raw, desk.readings[0].dup) == ("1", True)


@pytest.mark.parametrize("raised", [ValueError("no"), SystemExit(2)])
def test_a_driver_that_raises(mosquitto: Mosquitto, plain: Loaded, raised: BaseException) -> None:
    """Its message is a fact and acknowledged; it does not come again to do the same for ever."""
    desk = Desk()
    with running(plain, desk) as ports, Peer(mosquitto.port) as probe:
        Misbehaviour.raises = raised
        probe.publish("t", "1")
        desk.wait_for(1, SourceDown)
        assert f"driver plain 1 raised {type(raised).__name__}" in desk.downs[0].why
        Misbehaviour.raises = None
        probe.publish("t", "2")
        desk.wait_for(1, Reading)
        assert [reading.raw for reading in desk.readings] == ["2"]
        assert [fact.reason for fact in desk.unreadable] == [Reason.CORRUPT_FRAME]
        assert counts(ports)[Count.FRAMES] == 2


# --- A new configuration -----------------------------------------------------------------------------------


@BOTH
def test_a_topic_that_left_the_configuration(tmp_path: Path, mosquitto: Mosquitto, protocol: str) -> None:
    """A reload unsubscribes it; one that an older process left behind is told once and acknowledged."""
    desk = Desk()
    both = NUMBERED + NUMBERED.replace('"v"', '"w"', 1).replace("probe/1", "probe/2")
    with running(one(tmp_path, mosquitto.port, protocol, both), desk) as ports, Peer(mosquitto.port) as probe:
        ports.reload(one(tmp_path, mosquitto.port, protocol, NUMBERED))
        desk.until(lambda: "UNSUBSCRIBE from gateway" in mosquitto.log, "unsubscribed")
        probe.publish("probe/2", *messages(1, 1))
        probe.publish("probe/1", *messages(2, 2))
        desk.wait_for(1, Reading)
        assert (numbers(desk), desk.unreadable) == ([2], [])
        assert desk.downs == []
    other = Desk()
    elsewhere = NUMBERED.replace("probe/1", "probe/9")
    with (
        running(one(tmp_path, mosquitto.port, protocol, elsewhere), other),
        Peer(mosquitto.port) as probe,
    ):
        probe.publish("probe/1", *messages(3, 5))
        probe.publish("probe/9", *messages(6, 6))
        other.wait_for(1, Reading)
        assert numbers(other) == [6]
        assert [(fact.source, fact.key) for fact in other.unreadable] == [("broker:local", "probe/1")]


def test_reload_leaves_an_unchanged_broker_alone(
    tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay
) -> None:
    """Its connection stays; a changed one is renewed without loss."""
    desk = Desk()
    with running(one(tmp_path, relay.port), desk) as ports, Peer(mosquitto.port) as probe:
        ports.reload(one(tmp_path, relay.port))
        desk.pause(0.2)
        assert len(relay.of(Packet.CONNECT, Side.CLIENT)) == 1
        ports.reload(one(tmp_path, relay.port, inflight=7))
        probe.publish("probe/1", *messages(1, 50))
        desk.until(lambda: len(set(numbers(desk))) == 50, "all came")
        assert len(relay.of(Packet.CONNECT, Side.CLIENT)) == 2
        assert list(dict.fromkeys(numbers(desk))) == list(range(1, 51))


def test_cut_again_and_again_under_load(tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay) -> None:
    """Connections that break in the middle of everything lose nothing, and what is acknowledged was taken."""
    desk = Desk()
    with running(one(tmp_path, relay.port), desk), Peer(mosquitto.port) as probe:
        for cut in range(4):
            relay.cut_at(Packet.PUBACK, Side.CLIENT, count=20 + cut)
            probe.publish("probe/1", *messages(1 + 100 * cut, 100 + 100 * cut))
            desk.until(lambda: len(set(numbers(desk))) == 100 * (cut + 1), "all came")  # noqa: B023
            # The cut of this round has fired, and the port is back, before the next one is set.
            desk.until(lambda: len(relay.of(Packet.CONNECT, Side.CLIENT)) >= cut + 2, "it is back")  # noqa: B023
        desk.until(lambda: len(set(acknowledgements(relay))) == 400, "all are acknowledged")
        assert len(relay.of(Packet.CONNECT, Side.CLIENT)) >= 4
        assert list(dict.fromkeys(numbers(desk))) == list(range(1, 401))
