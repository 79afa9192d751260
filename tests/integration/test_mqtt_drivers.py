"""MQTT drivers and simulated devices on a real broker: once each, nothing old is fresh, births when asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from coldchain.config import Loaded
from coldchain.facts import Reading, SourceDown, SourceUp
from coldchain.model import Origin, Reason
from coldchain.ports import Ports, start_ports
from coldchain_simulators.lorawan import ChirpstackNode, Em500
from coldchain_simulators.mqtt_device import Out
from coldchain_simulators.ruuvi import RuuviGateways, RuuviTag
from coldchain_simulators.sparkplug import EdgeNode, EdgeNodeSimulator
from coldchain_simulators.stepping import Stepper
from tests.servers import Mosquitto, MqttRelay, Packet, Peer, Side
from tests.servers.process import wait_until
from tests.unit.ports.support import Desk, site

EUI, MAC, T = "a84041000181c061", "CB:B8:33:4C:88:4F", 1_767_268_800_000
GATEWAYS = ("AA:AA:AA:AA:AA:AA", "BB:BB:BB:BB:BB:BB")
BROKER = (
    '\n[brokers.local]\nhost = "127.0.0.1"\nport = {port}\nclient_id = "gateway"\nclean_session = {clean}\n'
)
RUUVI = f"""
[sources.it]
driver = "ruuvi_gateway"
broker = "local"
settings = {{ tags = [{{ name = "box", mac = "{MAC}" }}] }}
"""
CHIRPSTACK = f"""
[sources.it]
driver = "chirpstack"
broker = "local"
settings = {{ devices = [{{ name = "box", dev_eui = "{EUI}", model = "milesight_em500_pt100" }}] }}
"""
SPARKPLUG = """
[sources.it]
driver = "sparkplug_b"
broker = "local"

[sources.it.settings]
host_id = "gw7"
reorder_timeout_ms = 200

[[sources.it.settings.metrics]]
key = "vapour"
group = "Bank"
edge_node = "Line1"
device = "Freezer3"
metric = "Temperature/Vapor"
unit = "degC"
"""
STATE = "spBv1.0/STATE/gw7"


def site_of(folder: Path, port: int, source: str, key: str, *, clean: bool = False) -> Loaded:
    """One source "it" and channel box.v."""
    broker = BROKER.format(port=port, clean=str(clean).lower())
    return site(folder, broker + source, {"box.v": ("it", key)})


@contextmanager
def running(loaded: Loaded, desk: Desk) -> Iterator[Ports]:
    """Ports, once their source is up."""
    ups = len(desk.ups)
    ports = start_ports(loaded, desk.intake, desk.clock)
    try:
        desk.wait_for(ups + 1, SourceUp)
        yield ports
    finally:
        ports.stop()


def values(desk: Desk) -> list[str | Reason]:
    """What the channel said so far."""
    return [reading.bad or reading.raw for reading in desk.readings]


def put(peer: Peer, *messages: Out) -> None:
    """Publish what a simulator says."""
    for out in messages:
        peer.publish(out.topic, out.payload, retain=out.retain)


# --- Ruuvi -------------------------------------------------------------------------------------------------


def test_a_tag_that_two_gateways_hear_counts_once(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Each relays each measurement twice, retained and with its own time: one reading each, and live."""
    celsius = iter([5.0, 5.5, 6.0])
    heard = RuuviGateways(GATEWAYS, [RuuviTag(MAC, lambda: next(celsius))], copies=2)
    desk = Desk()
    loaded = site_of(tmp_path, mosquitto.port, RUUVI, "box/temperature")
    with running(loaded, desk), Peer(mosquitto.port) as air:
        for minute in range(3):
            put(air, *heard.messages(T + 60_000 * minute))
        desk.wait_for(3, Reading)
        desk.pause(0.3)
    assert values(desk) == ["5.000", "5.500", "6.000"]
    assert {reading.origin for reading in desk.readings} == {Origin.LIVE}


def test_what_the_broker_kept_of_a_tag_is_old(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """It has its own time and never looks fresh; a live copy of the same measurement still counts."""
    tag = RuuviTag(MAC, lambda: 5.0)
    heard = RuuviGateways(GATEWAYS[:1], [tag])
    desk = Desk()
    with Peer(mosquitto.port) as air:
        (kept,) = heard.messages(T)
        put(air, kept)
        with running(site_of(tmp_path, mosquitto.port, RUUVI, "box/temperature"), desk):
            desk.wait_for(1, Reading)
            put(air, kept)
            desk.wait_for(2, Reading)
    first, second = desk.readings
    assert (first.origin, second.origin) == (Origin.RETAINED, Origin.LIVE)
    assert first.at_ms == second.at_ms == T


def test_a_gateway_that_is_gone_takes_its_tags_along(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Its will makes the tags BAD at once."""
    desk = Desk()
    with (
        running(site_of(tmp_path, mosquitto.port, RUUVI, "box/temperature"), desk),
        Peer(mosquitto.port) as air,
    ):
        put(air, *RuuviGateways(GATEWAYS[:1], [RuuviTag(MAC, lambda: 5.0)]).messages(T))
        air.publish(f"ruuvi/{GATEWAYS[0]}/gw_status", "offline", retain=True)
        desk.wait_for(2, Reading)
    assert values(desk) == ["5.000", Reason.OFFLINE]


def test_a_copy_is_acknowledged_after_what_it_repeats(
    tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay
) -> None:
    """A copy gives no fact; were it acknowledged at once, a crash could lose the measurement itself."""
    desk = Desk(settle=False)
    loaded = site_of(tmp_path, relay.port, RUUVI, "box/temperature")
    with running(loaded, desk), Peer(mosquitto.port) as air:
        put(air, *RuuviGateways(GATEWAYS, [RuuviTag(MAC, lambda: 5.0)]).messages(T))
        desk.wait_for(1, Reading)
        relay.cut()
        desk.wait_for(2, SourceUp)
        desk.pause(0.3)
        assert relay.of(Packet.PUBACK, Side.CLIENT) == ()
        desk.settle()
        relay.wait_for(Packet.PUBACK, Side.CLIENT, count=2)
    assert values(desk) == ["5.000"]


# --- ChirpStack --------------------------------------------------------------------------------------------


def test_an_uplink_counts_once_and_its_memory_is_backfill(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Published twice by the server; what the sensor kept while out of reach comes first, with its times."""
    sensor = Em500(lambda: -182.4, memory=[(T - 600_000, -190.1)])
    node = ChirpstackNode("app", EUI, sensor, copies=2)
    desk = Desk()
    with (
        running(site_of(tmp_path, mosquitto.port, CHIRPSTACK, "box/temperature"), desk),
        Peer(mosquitto.port) as lns,
    ):
        put(lns, *node.messages(T), *node.messages(T + 600_000))
        desk.wait_for(3, Reading)
        desk.pause(0.2)
    assert [(r.raw, r.at_ms, r.origin) for r in desk.readings] == [
        ("-190.1", T - 600_000, Origin.BACKFILLED),
        ("-182.4", T, Origin.LIVE),
        ("-182.4", T + 600_000, Origin.LIVE),
    ]


def test_uplinks_of_an_absence_come_after_it(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """The broker keeps our session and is killed meanwhile: none is lost and none counts twice."""
    celsius = iter([-180.0, -181.0, -182.0, -183.0])
    node = ChirpstackNode("app", EUI, Em500(lambda: next(celsius)), copies=2)
    desk = Desk()
    loaded = site_of(tmp_path, mosquitto.port, CHIRPSTACK, "box/temperature")
    with running(loaded, desk), Peer(mosquitto.port, "lns") as lns:
        put(lns, *node.messages(T))
        desk.wait_for(1, Reading)
    with Peer(mosquitto.port, "lns") as lns:
        absent = (*node.messages(T + 60_000), *node.messages(T + 120_000))
        put(lns, *absent)
    database = mosquitto.data / "mosquitto.db"
    wait_until(
        lambda: database.exists() and absent[-1].payload in database.read_bytes(), what="all is on disk"
    )
    mosquitto.kill()
    mosquitto.restart()
    with running(loaded, desk), Peer(mosquitto.port, "lns") as lns:
        put(lns, *node.messages(T + 180_000))
        desk.until(lambda: len(set(values(desk))) == 4, "every uplink")
        desk.pause(0.2)
    # A copy that was still on its way when we left comes to a driver that has not seen the first one: the
    # fold keeps what is the same reading once.
    kept = {(each.at_ms, each.sequence, each.raw): each for each in desk.readings}
    assert [each.raw for each in kept.values()] == ["-180.0", "-181.0", "-182.0", "-183.0"]


# --- Sparkplug ---------------------------------------------------------------------------------------------


class Plant:
    """An edge node whose vapour shows the minute, negative; `minute` lets one pass."""

    def __init__(self, port: int) -> None:
        self.minutes = 0
        self.node = EdgeNode(
            "Bank", "Line1", "Freezer3", {"Temperature/Vapor": lambda: -100.0 - self.minutes}
        )
        self.stepper = Stepper([], T)
        self.simulator = EdgeNodeSimulator(self.node, "127.0.0.1", port, self.stepper)

    def minute(self) -> None:
        self.minutes += 1
        self.stepper.process(60 if self.minutes > 1 else 0)


@pytest.fixture
def plant(mosquitto: Mosquitto) -> Iterator[Plant]:
    """A plant at the broker, connected and born."""
    made = Plant(mosquitto.port)
    made.simulator.start()
    yield made
    made.simulator.stop()


def plant_site(folder: Path, port: int) -> Loaded:
    return site_of(folder, port, SPARKPLUG, "vapour", clean=True)


def said(peer: Peer, topic: str) -> list[dict[str, Any]]:
    """What was published to a topic so far."""
    return [json.loads(m.payload) for m in peer.messages if m.topic == topic]


def until(desk: Desk, condition: Callable[[], bool], what: str) -> None:
    desk.until(condition, what)


def test_a_host_comes_and_the_node_is_born_again(tmp_path: Path, mosquitto: Mosquitto, plant: Plant) -> None:
    """It was born before anybody listened: it is asked to be born again, and its data has names."""
    desk = Desk()
    with running(plant_site(tmp_path, mosquitto.port), desk):
        desk.wait_for(1, Reading)
        plant.minute()
        plant.minute()
        desk.wait_for(3, Reading)
    assert values(desk) == ["-100.0", "-101.0", "-102.0"]


def test_a_gap_makes_the_node_be_born_again(tmp_path: Path, mosquitto: Mosquitto, plant: Plant) -> None:
    """A message is lost: what follows is not read, a rebirth is asked for and comes, and reading goes on."""
    desk = Desk()
    with (
        running(plant_site(tmp_path, mosquitto.port), desk),
        Peer(mosquitto.port, subscribe=["spBv1.0/#"]) as spy,
    ):
        desk.wait_for(1, Reading)
        plant.minute()
        desk.wait_for(2, Reading)
        plant.node.lose = {plant.node.sent + 1}
        plant.minute()
        plant.minute()
        commands = [m for m in spy.messages if "/NCMD/" in m.topic]
        until(
            desk, lambda: len([m for m in spy.messages if "/NCMD/" in m.topic]) > len(commands), "it is asked"
        )
        desk.wait_for(3, Reading)
        plant.minute()
        desk.wait_for(4, Reading)
    assert values(desk) == ["-100.0", "-101.0", "-103.0", "-104.0"]
    assert len(desk.unreadable) == 1, "what came after the gap is flagged"


def test_a_node_that_dies_makes_its_values_bad(tmp_path: Path, mosquitto: Mosquitto, plant: Plant) -> None:
    """The broker publishes its will; born again it is read again."""
    desk = Desk()
    with running(plant_site(tmp_path, mosquitto.port), desk):
        desk.wait_for(1, Reading)
        plant.simulator.stop(politely=False)
        desk.wait_for(2, Reading)
        plant.simulator.start()
        desk.wait_for(3, Reading)
    assert values(desk) == ["-100.0", Reason.OFFLINE, "-100.0"]


def test_the_host_says_that_it_is_there_and_that_it_leaves(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """STATE is retained: true while it is there, false when it left in order."""
    desk = Desk()
    with Peer(mosquitto.port, subscribe=[STATE]) as spy:
        with running(plant_site(tmp_path, mosquitto.port), desk):
            until(desk, lambda: len(said(spy, STATE)) == 1, "it is there")
        wait_until(lambda: len(said(spy, STATE)) == 2, what="it left")
        here, gone = said(spy, STATE)
    assert (here["online"], gone["online"]) == (True, False)
    assert gone["timestamp"] >= here["timestamp"]
    with Peer(mosquitto.port, subscribe=[STATE]) as later:
        assert json.loads(later.wait_for(1)[0]) == gone


def test_the_will_of_a_host_that_is_cut_off(tmp_path: Path, mosquitto: Mosquitto, relay: MqttRelay) -> None:
    """The broker says that it is gone, with the time of its birth; it comes back, says so, and asks anew."""
    desk = Desk()
    spy = Peer(mosquitto.port, subscribe=[STATE, "spBv1.0/Bank/NCMD/Line1"])
    with spy, running(plant_site(tmp_path, relay.port), desk):
        until(desk, lambda: len(said(spy, STATE)) == 1, "it is there")
        relay.cut()
        desk.wait_for(1, SourceDown)
        desk.wait_for(2, SourceUp)

        def commands() -> int:
            return sum("/NCMD/" in message.topic for message in spy.messages)

        until(desk, lambda: len(said(spy, STATE)) >= 3 and commands() == 2, "it is back and asks")
        first, gone, back = said(spy, STATE)[:3]
    assert (first["online"], gone["online"], back["online"]) == (True, False, True)
    assert gone["timestamp"] == first["timestamp"]
    assert commands() == 2


def test_a_host_that_is_said_to_be_gone_says_that_it_is_not(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Whoever publishes it: an old will that came late, or a mistake."""
    desk = Desk()
    with Peer(mosquitto.port, subscribe=[STATE]) as spy, running(plant_site(tmp_path, mosquitto.port), desk):
        until(desk, lambda: len(said(spy, STATE)) == 1, "it is there")
        spy.publish(STATE, '{"online": false, "timestamp": 1}', retain=True)
        until(desk, lambda: len(said(spy, STATE)) == 3, "it says so")
        here, _, again = said(spy, STATE)
    assert again == here
