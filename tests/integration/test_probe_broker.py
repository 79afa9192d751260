"""`coldchain probe mqtt://…`: what is published on a real broker, as a configuration that can be used."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from click.testing import CliRunner, Result
from paho.mqtt.enums import CallbackAPIVersion

from coldchain.cli.main import main
from coldchain.config import ConfigError, load
from coldchain.testing.broker import EmbeddedBroker

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
