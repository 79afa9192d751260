"""The shipped configuration finds on the bench what it is written for."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import serial

from coldchain.clock import SystemClock
from coldchain.model import Decoded, Measured
from coldchain_drivers.ascii_line import DRIVER as ASCII_LINE
from coldchain_drivers.mqtt_json import DRIVER as MQTT_JSON
from coldchain_drivers.mve_tec3000 import DRIVER as MVE_TEC3000
from coldchain_simulators.bench import LOGGER_PORT, TEC_PORT, Bench
from tests.servers import Mosquitto, Peer

PATIENCE_S = 20.0
GATEWAY = Path(__file__).parents[3] / "config" / "gateway.toml"


def keys(said: Decoded) -> set[str]:
    """The keys of what was read; nothing may be bad."""
    assert [one for one in said if not isinstance(one, Measured)] == []
    return {one.key or "" for one in said}


def test_every_source_of_the_shipped_configuration_can_be_read(mosquitto: Mosquitto) -> None:
    """As configured, each driver reads its device on the bench; only ports and broker are elsewhere here."""
    sources: dict[str, Any] = tomllib.loads(GATEWAY.read_text(encoding="utf-8"))["sources"]
    assert sources["freezer"]["port"].endswith(f":{TEC_PORT}")
    assert sources["fridge"]["port"].endswith(f":{LOGGER_PORT}")
    tec = MVE_TEC3000.settings.model_validate(sources["freezer"]["settings"])
    line = ASCII_LINE.settings.model_validate(sources["fridge"]["settings"])
    tracker = MQTT_JSON.settings.model_validate(sources["shipper"]["settings"])
    clock = SystemClock(speed=600)
    with (
        Peer(mosquitto.port, "reader", subscribe=list(MQTT_JSON.topics(tracker))) as peer,
        Bench(1, clock, broker_port=mosquitto.port, tec_port=0, logger_port=0) as bench,
    ):
        message = peer.wait_for(1)[0]  # by then all devices have measured
        (topic,) = MQTT_JSON.topics(tracker)
        assert keys(MQTT_JSON.decode(tracker, topic, message)) == set(MQTT_JSON.keys(tracker))
        with serial.serial_for_url(bench.tec.port, timeout=PATIENCE_S) as client:
            for query in MVE_TEC3000.poll(tec):
                client.write(query.send)
                frame = client.read_until(b"\r\n").removesuffix(b"\r\n")
                assert keys(MVE_TEC3000.decode(tec, query, frame)) == {query.key}
        with serial.serial_for_url(bench.logger.port, timeout=PATIENCE_S) as client:
            frame = client.read_until(b"\r\n").removesuffix(b"\r\n")
            assert keys(ASCII_LINE.decode(line, None, frame)) == set(ASCII_LINE.keys(line))
