"""`coldchain probe mqtt://…`: what is published on a real broker, as a configuration that can be used."""

from __future__ import annotations

import json
import re
import struct
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from click.testing import CliRunner, Result
from paho.mqtt.enums import CallbackAPIVersion

from coldchain.cli.main import main
from coldchain.config import ConfigError, load
from coldchain.driver import Found
from coldchain.testing.broker import EmbeddedBroker
from coldchain_drivers.sparkplug_b import DRIVER
from coldchain_drivers.sparkplug_payload import Metric, Payload, Type, write
from coldchain_drivers.sparkplug_session import REBIRTH
from coldchain_simulators.sparkplug import EdgeNode, EdgeNodeSimulator
from coldchain_simulators.stepping import Stepper

pytestmark = pytest.mark.slow

HEAD = '[site]\nname = "Test"\n\n[journal]\npath = "journal.db"\n\n'
#: The gateway's documented sample: DF5 of tag CB:B8:33:4C:88:4F, 24.3 °C (ruuvi docs, data format 5).
RUUVI = {
    "gw_mac": "C8:25:2D:8E:9C:2C", "rssi": -60, "aoa": [], "gwts": "1653668027", "ts": "1653668027",
    "data": "0201061BFF99040512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F", "coords": "",
}  # fmt: skip
SEEN = {
    "ruuvi/C8:25:2D:8E:9C:2C/CB:B8:33:4C:88:4F": json.dumps(RUUVI),
    "ruuvi/C8:25:2D:8E:9C:2C/gw_status": '{"state":"online"}',
    "zigbee2mqtt/bridge/devices": "[]",
    "zigbee2mqtt/bank/lid sensor": '{"contact":false,"battery":91,"last_seen":"2026-01-01T12:00:00.000Z"}',
    "zigbee2mqtt/bank/lid sensor/availability": '{"state":"online"}',
    "zigbee2mqtt/shelf": '{"temperature":4.34,"last_seen":"2026-01-01T12:00:00.000Z"}',
    "application/1/device/a84041000181c061/event/up": (
        '{"deviceInfo":{"deviceName":"shipper 7","devEui":"a84041000181c061"},"fPort":2,"data":"AA=="}'
    ),
    "somebody/else": "42",
}
Typed = Callable[..., Result]


@pytest.fixture
def typed(mqtt_broker: EmbeddedBroker) -> Typed:
    """The command, on a broker on which these messages are retained."""

    def probe(
        seen: Mapping[str, str], *words: str, listen: str = "1.5", wanted: tuple[str, ...] = ()
    ) -> Result:
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        client.connect("127.0.0.1", mqtt_broker.port)
        client.loop_start()
        for topic, payload in seen.items():
            client.publish(topic, payload, qos=1, retain=True).wait_for_publish(20)
        client.disconnect()
        client.loop_stop()
        url = f"mqtt://127.0.0.1:{mqtt_broker.port}"
        for seconds in (listen, "20"):  # on a machine under load the broker may need longer for what it has
            said = CliRunner().invoke(main, ["probe", url, "--listen", seconds, *words])
            if all(text in said.output for text in wanted):
                break
        return said

    return probe


def test_what_is_proposed_can_be_used(typed: Typed, tmp_path: Path) -> None:
    """Tags and Zigbee devices become sources and channels with values of now; `config check` accepts them."""
    said = typed(
        SEEN,
        "--driver",
        "ruuvi_gateway",
        "--driver",
        "zigbee2mqtt",
        wanted=("# now 24.3", "bank/lid", "shelf"),
    )
    assert said.exit_code == 0, said.output
    path = tmp_path / "gateway.toml"
    path.write_text(HEAD + said.stdout, encoding="utf-8")
    loaded = load(path)
    assert {source.driver.name for source in loaded.sources.values()} == {"ruuvi_gateway", "zigbee2mqtt"}
    channels = {(channel.source, channel.key) for channel in loaded.settings.channels.values()}
    assert channels >= {
        ("ruuvi_gateway", "tag-884f/temperature"), ("zigbee2mqtt", "bank-lid-sensor/contact"),
        ("zigbee2mqtt", "shelf/temperature"),
    }  # fmt: skip
    assert "# now 24.3" in said.stdout
    assert "# also sent: tag-884f/pressure = 100044" in said.stdout
    assert "somebody" not in said.stdout


def test_what_no_message_tells_is_asked(typed: Typed, tmp_path: Path) -> None:
    """The model of a LoRaWAN sensor, and whether Zigbee2MQTT says when a device spoke: left out, and said."""
    said = typed(
        SEEN | {"zigbee2mqtt/shelf": '{"temperature":4.34}'}, wanted=("# devices", "# last_seen = …")
    )
    assert said.exit_code == 0, said.output
    assert "# devices = … # the device does not say: […]" in said.stdout
    assert 'dev_eui = "a84041000181c061", model = … } (shipper 7)' in said.stdout
    assert "# last_seen = …" in said.stdout
    path = tmp_path / "gateway.toml"
    path.write_text(HEAD + said.stdout, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert "devices" in str(refused.value)
    assert "last_seen" in str(refused.value)


#: Of a Shelly on batteries, as its documentation and a user's sample have it, and of a board with two probes.
HOME = {
    "shellyhtg3-84fce63ad204/events/rpc": (
        '{"src":"shellyhtg3-84fce63ad204","dst":"x/events","method":"NotifyFullStatus","params":{"ts":1680962879.62,'
        '"temperature:0":{"id":0,"tC":4.8,"tF":40.6},"humidity:0":{"id":0,"rh":42.2},'
        '"devicepower:0":{"id":0,"battery":{"V":5.92,"percent":87},"external":{"present":false}},'
        '"sys":{"unixtime":1680962879,"wakeup_period":600}}}'
    ),
    "bank/room 3/events/rpc": (
        '{"src":"shellyplus1-a8032ab1","dst":"x/events","method":"NotifyStatus","params":{"ts":1680962879.62,'
        '"sys":{"cfg_rev":9}}}'
    ),
    "tele/box7/SENSOR": (
        '{"Time":"2026-01-01T12:00:00","DS18B20-1":{"Id":"01144B9D0CAA","Temperature":-21.4},'
        '"DS18B20-2":{"Id":"0114B1C9A4AA","Temperature":4.6},"TempUnit":"C"}'
    ),
    "tele/old/SENSOR": (
        '{"Time":"2026-01-01T12:00:00","DS18B20-1":{"Temperature":1.1},"DS18B20-2":{"Temperature":2.2},'
        '"SHT3X":{"Temperature":21.5,"Humidity":40.2},"TempUnit":"C"}'
    ),
    "other/tele/SENSOR": '{"Time":"2026-01-01T12:00:00","DS18B20":{"Temperature":4.5},"TempUnit":"C"}',
}


def test_shelly_and_tasmota(typed: Typed, tmp_path: Path) -> None:
    """Devices with what they told; a probe without an Id, and a device that told nothing, are named."""
    said = typed(
        HOME, "--driver", "shelly", "--driver", "tasmota", wanted=("# now 4.8", "# now -21.4", "other")
    )
    assert said.exit_code == 0, said.output
    path = tmp_path / "gateway.toml"
    path.write_text(HEAD + said.stdout, encoding="utf-8")
    channels = {(channel.source, channel.key) for channel in load(path).settings.channels.values()}
    assert channels == {
        ("shelly", "shellyhtg3-84fce63ad204/temperature_0"), ("shelly", "shellyhtg3-84fce63ad204/humidity_0"),
        ("shelly", "shellyhtg3-84fce63ad204/battery_0"),
        ("tasmota", "box7/DS18B20-1/temperature"), ("tasmota", "box7/DS18B20-2/temperature"),
        ("tasmota", "old/SHT3X/temperature"), ("tasmota", "old/SHT3X/humidity"),
    }  # fmt: skip
    assert 'id = "0114B1C9A4AA"' in said.stdout
    assert "old: DS18B20-1, DS18B20-2 have no Id" in said.stdout
    assert "other: heard with another FullTopic" in said.stdout
    assert "shellyplus1-a8032ab1: what it sent last told no value" in said.stdout


def _node(metrics: list[Metric], name: str = "Line1") -> dict[str, bytes]:
    node = [Metric("bdSeq", None, 1, Type.INT64, raw=0), Metric(REBIRTH, None, 1, Type.BOOLEAN, raw=0)]
    return {
        f"spBv1.0/Bank/NBIRTH/{name}": write(Payload(1, tuple(node), 0)),
        f"spBv1.0/Bank/DBIRTH/{name}/Freezer3": write(Payload(1, tuple(metrics), 1)),
    }


ANONYMOUS = (
    "Bank/Line2: heard without its birth, which alone names its metrics; listen until it connects, or --ask"
)


def test_births_of_sparkplug() -> None:
    """A metric whose birth has a unit is proposed with its value; the rest is named, no unit is guessed."""
    heard = _node([Metric("Temperature/Room", 8, 1, Type.DOUBLE, raw=21.5), Metric("Model", 9, 1, 12)]) | {
        "spBv1.0/Bank/DDATA/Line2/Freezer9": b"\x18\x02"
    }
    assert DRIVER.find(heard) == Found(
        {},
        {
            "host_id": "our own name as a host, one for each gateway",
            "metrics": "which of these, as { key, group, edge_node, device, metric, unit }",
        },
        notes=(
            ANONYMOUS,
            "metrics whose unit no birth tells; add those you want, each with unit = …:",
            "    Bank/Line1/Freezer3/Temperature/Room = 21.5",
        ),
    )
    # By hand from the specification's field numbers: names 1, values 2, in them type 1, text 8.
    unit = bytes.fromhex("4a130a07") + b"engUnit" + bytes.fromhex("1208080c4204") + b"degC"
    name = b"\x0a\x06Vapour\x10\x07\x20\x0a" + unit + b"\x69" + struct.pack("<d", -182.4)
    birth = b"\x08\x01\x12" + bytes([len(name)]) + name + b"\x18\x01"
    found = DRIVER.find(_node([]) | {"spBv1.0/Bank/DBIRTH/Line1/Freezer3": birth})
    assert found is not None
    assert found.settings["metrics"] == [
        {
            "key": "Freezer3/Vapour", "group": "Bank", "edge_node": "Line1", "device": "Freezer3",
            "metric": "Vapour", "unit_property": "engUnit",
        }
    ]  # fmt: skip
    assert found.now == {"Freezer3/Vapour": ("-182.4", "degC")}
    broken = DRIVER.find({"spBv1.0/Bank/NBIRTH/Line1": b"no payload"})
    assert broken is not None
    assert "Bank/Line1: heard without its birth" in broken.notes[0]


def test_a_node_is_asked_for_its_birth_only_if_a_person_wants_it(
    typed: Typed, mqtt_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """A node that connected before is heard and says no names; --ask has it born again, once."""
    node = EdgeNode("Bank", "Line1", "Freezer3", {"Vapour": lambda: -182.4})
    device = EdgeNodeSimulator(node, "127.0.0.1", mqtt_broker.port, Stepper())
    device.start()
    stop = threading.Event()

    def speak() -> None:
        while not stop.wait(0.1):
            device.process(60)

    speaking = threading.Thread(target=speak)
    speaking.start()
    try:
        quiet = typed({}, "--driver", "sparkplug_b", listen="0.7", wanted=("Bank/Line1: heard",))
        told = typed({}, "--driver", "sparkplug_b", "--ask", wanted=("Vapour = -182.4",))
    finally:
        stop.set()
        speaking.join()
        device.stop()
    assert "Bank/Line1: heard without its birth" in quiet.stdout
    assert "Vapour" not in quiet.stdout
    assert "    Bank/Line1/Freezer3/Vapour = -182.4" in told.stdout
    assert "heard without its birth" not in told.stdout
    assert "clean_session = true" in told.stdout
    path = tmp_path / "gateway.toml"
    path.write_text(HEAD + told.stdout, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert "host_id" in str(refused.value)
    assert "metrics" in str(refused.value)


def test_nothing_that_is_known(typed: Typed) -> None:
    """Where nothing is published that a driver knows, the mend is said."""
    said = typed({"somebody/else": "42"}, listen="0.5")
    assert said.exit_code == 1
    assert "listen longer with --listen" in said.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["mqtt://user:secret@127.0.0.1"], "the password is read from", id="a password in clear"),
        pytest.param(["mqtt://127.0.0.1:99999"], "write mqtt://", id="no port"),
        pytest.param(["mqtt://127.0.0.1:1", "--listen", "1"], "127.0.0.1:1: ", id="nobody there"),
        pytest.param(["mqtt://127.0.0.1", "--all"], "only listened to", id="an option of serial lines"),
        pytest.param(
            ["mqtt://127.0.0.1", "--driver", "mt_sics"], "finds nothing on a broker", id="serial driver"
        ),
    ],
)
def test_what_will_not_do(words: list[str], says: str) -> None:
    """Each with its mend; no password is taken from the command line, where anybody sees it."""
    said = CliRunner().invoke(main, ["probe", *words])
    assert said.exit_code != 0
    assert re.search(re.escape(says), said.output), said.output
    assert "secret" not in said.output
