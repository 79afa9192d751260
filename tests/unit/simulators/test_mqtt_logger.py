"""The simulated MQTT logger says that it is simulated, numbers what it sends, and loses nothing."""

from __future__ import annotations

import json
from typing import Any

from coldchain.model import Bad, Measured, Reason
from coldchain_drivers.mqtt_json import DRIVER
from coldchain_simulators.mqtt_logger import MqttLogger, MqttLoggerSimulator, Publisher, Quantity
from coldchain_simulators.stepping import Stepper
from tests.servers import Mosquitto, Peer

PATIENCE_S = 20.0
TOPIC = "sim/box-7"


def logger() -> MqttLogger:
    return MqttLogger(
        "box-7", {"vapour": Quantity(lambda: -195.0, "degC"), "mass": Quantity(lambda: None, "kg", 3)}
    )


def test_message() -> None:
    """A message has exactly this form: the digits as shown, null for nothing, and the word simulated."""
    device = logger()
    assert device.message(1_767_268_800_000) == (
        b'{"device":"box-7","simulated":true,"time":1767268800000,"sequence":1,'
        b'"units":{"vapour":"degC","mass":"kg"},"vapour":-195.00,"mass":null}'
    )
    assert json.loads(device.message(0))["sequence"] == 2


def mapping(key: str) -> dict[str, Any]:
    return {
        "key": key,
        "topic": TOPIC,
        "path": key,
        "unit_path": f"units.{key}",
        "time_path": "time",
        "time_format": "epoch_ms",
        "sequence_path": "sequence",
    }


def test_the_driver_reads_it_only_when_it_may_be_simulated() -> None:
    """A source that is not declared simulated refuses the logger's messages."""
    payload = logger().message(5)
    mappings = [mapping("vapour"), mapping("mass")]
    declared = DRIVER.settings.model_validate({"mappings": mappings, "simulated": True})
    assert DRIVER.decode(declared, TOPIC, payload) == (
        Measured("vapour", "-195.00", "degC", 5, 1),
        Bad(Reason.NO_VALUE, payload, "mass", 5, 1),
    )
    undeclared = DRIVER.settings.model_validate({"mappings": mappings})
    reasons = [said.reason for said in DRIVER.decode(undeclared, TOPIC, payload) if isinstance(said, Bad)]
    assert reasons == [Reason.SIMULATED, Reason.SIMULATED]


def test_memory_is_bounded_and_says_what_it_lost() -> None:
    """Without a broker messages wait; beyond the memory the oldest are overwritten and counted."""
    publisher = Publisher("127.0.0.1", 1, "sim", TOPIC, memory=3)
    simulator = MqttLoggerSimulator(logger(), publisher, Stepper(), 60_000)
    simulator.process(240)
    assert [json.loads(message)["sequence"] for message in publisher.pending()] == [3, 4, 5]
    assert publisher.overwritten == 2
    publisher.stop()


def test_what_was_measured_without_a_broker_comes_later(mosquitto: Mosquitto) -> None:
    """Through a broker that is away, killed and back, each measurement arrives with its time, in order."""
    publisher = Publisher("127.0.0.1", mosquitto.port, "sim-box-7", TOPIC)
    simulator = MqttLoggerSimulator(logger(), publisher, Stepper(), 60_000)
    with Peer(mosquitto.port, "reader", subscribe=[TOPIC]) as peer:
        simulator.process(99 * 60)  # 100 measurements before the first connection
        publisher.start()
        try:
            peer.wait_for(100)
            mosquitto.kill()
            simulator.process(50 * 60)
            mosquitto.start()
            assert publisher.drained(PATIENCE_S)
            payloads = peer.wait_for(150)
        finally:
            publisher.stop()
    got = [json.loads(payload) for payload in payloads]
    first_seen = list(dict.fromkeys(message["sequence"] for message in got))  # QoS 1 may bring one twice
    assert first_seen == list(range(1, 151))
    assert all(message["time"] == (message["sequence"] - 1) * 60_000 for message in got)


def test_retained_if_told_so(mosquitto: Mosquitto) -> None:
    """A late subscriber is shown the last message when the logger retains, and nothing otherwise."""
    for retain, expected in ((False, 0), (True, 1)):
        topic = f"{TOPIC}/{retain}"
        publisher = Publisher("127.0.0.1", mosquitto.port, f"sim-{retain}", topic, retain=retain)
        publisher.start()
        try:
            publisher.put(b"{}")
            assert publisher.drained(PATIENCE_S)
        finally:
            publisher.stop()
        with Peer(mosquitto.port, subscribe=[topic, f"{TOPIC}/end"]) as peer:
            peer.publish(f"{TOPIC}/end", b"end")
            assert peer.wait_for(expected + 1) == [b"{}"] * expected + [b"end"]
