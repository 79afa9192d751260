"""Simulated devices at a broker: what they say is what the drivers read, moved by nothing but a time step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coldchain.driver import MqttDriver
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain.session import Now, Received
from coldchain_drivers.chirpstack import DRIVER as CHIRPSTACK
from coldchain_drivers.ruuvi_gateway import DRIVER as RUUVI
from coldchain_drivers.shelly import DRIVER as SHELLY
from coldchain_drivers.sparkplug_b import DRIVER as SPARKPLUG
from coldchain_drivers.tasmota import DRIVER as TASMOTA
from coldchain_drivers.ttn import DRIVER as TTN
from coldchain_drivers.zigbee2mqtt import DRIVER as ZIGBEE
from coldchain_simulators.home_devices import ShellyHt, TasmotaBoard, ZigbeeSensor
from coldchain_simulators.lorawan import ChirpstackNode, Em500, Ltc2, TtnNode
from coldchain_simulators.mqtt_device import MqttDevice, Out, Speaker
from coldchain_simulators.mqtt_logger import Publisher
from coldchain_simulators.physics.probe import Failure
from coldchain_simulators.ruuvi import RuuviGateways, RuuviTag
from coldchain_simulators.scenario import Box, Cupboard
from coldchain_simulators.sparkplug import EdgeNode
from coldchain_simulators.stepping import Stepper

EUI, MAC, T = "a84041000181c061", "CB:B8:33:4C:88:4F", 1_767_268_800_000
LTC2 = {"name": "box", "dev_eui": EUI, "model": "dragino_ltc2"}
Sample = Callable[[], float | None]

#: Driver, its settings, the simulator of a probe, the key of its temperature, the step of its digits.
ALL: list[Any] = [
    pytest.param(
        RUUVI,
        {"tags": [{"name": "box", "mac": MAC}]},
        lambda sample: RuuviGateways(["AA:AA:AA:AA:AA:AA"], [RuuviTag(MAC, sample)]),
        "box/temperature",
        0.005,
        id="ruuvi_gateway",
    ),
    pytest.param(
        CHIRPSTACK,
        {"devices": [LTC2]},
        lambda sample: ChirpstackNode("app", EUI, Ltc2(sample, sample)),
        "box/channel_1",
        0.01,
        id="chirpstack, LTC2",
    ),
    pytest.param(
        CHIRPSTACK,
        {"devices": [LTC2 | {"model": "milesight_em500_pt100"}]},
        lambda sample: ChirpstackNode("app", EUI, Em500(sample)),
        "box/temperature",
        0.1,
        id="chirpstack, EM500-PT100",
    ),
    pytest.param(
        TTN,
        {
            "application": "app@ttn",
            "simulated": True,
            "devices": [{"name": "box", "device_id": "box-7", "model": "dragino_ltc2"}],
        },
        lambda sample: TtnNode("app@ttn", "box-7", EUI, Ltc2(sample, sample)),
        "box/channel_1",
        0.01,
        id="ttn, LTC2",
    ),
    pytest.param(
        ZIGBEE,
        {"devices": [{"name": "box", "friendly_name": "box 7"}], "last_seen": True},
        lambda sample: ZigbeeSensor("box 7", sample),
        "box/temperature",
        0.01,
        id="zigbee2mqtt",
    ),
    pytest.param(
        SHELLY,
        {"devices": [{"name": "box", "id": "shellyht-1"}]},
        lambda sample: ShellyHt("shellyht-1", sample),
        "box/temperature_0",
        0.1,
        id="shelly",
    ),
    pytest.param(
        TASMOTA,
        {"devices": [{"name": "box", "topic": "b7", "sensors": [{"name": "DS18B20"}]}], "zone": "+00:00"},
        lambda sample: TasmotaBoard("b7", {"0000000001": sample}),
        "box/DS18B20/temperature",
        0.1,
        id="tasmota",
    ),
]


class Reader:
    """A driver that reads what a simulator says."""

    def __init__(self, driver: MqttDriver, given: dict[str, Any]) -> None:
        self.driver = driver
        self.settings = driver.settings.model_validate(given)
        self.state = driver.session.start(self.settings) if driver.session else None

    def read(self, out: Out) -> Decoded:
        if self.driver.session is None:
            return self.driver.decode(self.settings, out.topic, out.payload)
        received = Received(out.topic, out.payload, False)
        turn = self.driver.session.take(self.settings, self.state, received, Now(0, 0))
        self.state = turn.state
        return turn.decoded


@pytest.mark.parametrize(("driver", "given", "simulator", "key", "step"), ALL)
def test_what_is_said_is_what_is_read(
    driver: MqttDriver, given: dict[str, Any], simulator: Callable[[Sample], Speaker], key: str, step: float
) -> None:
    """Bytes made from the manuals by one are read by the other, to the last digit that the device has."""
    truth: list[float] = []
    cupboard = Cupboard(7)

    def sample() -> float | None:
        truth.append(cupboard.probe.sample() or 0.0)
        return truth[-1]

    speaker, reader = simulator(sample), Reader(driver, given)
    stepper = Stepper([cupboard], T)
    said: list[Any] = []
    stepper.every(
        60_000,
        lambda utc_ms: said.extend(each for out in speaker.messages(utc_ms) for each in reader.read(out)),
    )
    stepper.process(3600)
    values = [each for each in said if isinstance(each, Measured) and each.key == key]
    assert len(values) == 61
    assert [each.at_ms for each in values] == [T + 60_000 * minute for minute in range(61)]
    sampled = truth[:: len(truth) // 61]
    assert all(abs(float(v.value) - true) <= step / 2 + 1e-9 for v, true in zip(values, sampled, strict=True))


@pytest.mark.parametrize(("driver", "given", "simulator", "key", "step"), ALL)
def test_a_probe_with_nothing_to_read_is_no_value(
    driver: MqttDriver, given: dict[str, Any], simulator: Callable[[Sample], Speaker], key: str, step: float
) -> None:
    """Each protocol says it in its own way, or leaves it out; none says a number."""
    reader = Reader(driver, given)
    said = [each for out in simulator(lambda: None).messages(T) for each in reader.read(out)]
    assert [each for each in said if isinstance(each, Measured) and each.key == key] == []


def test_a_tag_in_nitrogen_shows_the_end_of_its_field() -> None:
    """As the real one: −190 °C looks like −163.835, and that is no value."""
    reader = Reader(RUUVI, {"tags": [{"name": "box", "mac": MAC}]})
    (out,) = RuuviGateways(["AA:AA:AA:AA:AA:AA"], [RuuviTag(MAC, lambda: -190.0)]).messages(T)
    first = reader.read(out)[0]
    assert isinstance(first, Bad)
    assert first.reason is Reason.UNDER_RANGE


def test_copies_of_several_gateways_are_one_measurement() -> None:
    """Two gateways, each heard it twice: four messages, one reading."""
    reader = Reader(RUUVI, {"tags": [{"name": "box", "mac": MAC}]})
    heard = RuuviGateways(["AA:AA:AA:AA:AA:AA", "BB:BB:BB:BB:BB:BB"], [RuuviTag(MAC, lambda: 5.0)], copies=2)
    assert [len(reader.read(out)) for out in heard.messages(T)] == [7, 0, 0, 0]


def test_a_sensor_that_was_out_of_reach_sends_its_memory() -> None:
    """What it kept comes first, with its own times, as backfill."""
    sensor = Em500(lambda: -180.0, memory=[(T - 600_000, -190.1), (T - 300_000, -185.2)])
    reader = Reader(CHIRPSTACK, {"devices": [LTC2 | {"model": "milesight_em500_pt100"}]})
    (out,) = ChirpstackNode("app", EUI, sensor).messages(T)
    said = [each for each in reader.read(out) if isinstance(each, Measured) and each.unit == "degC"]
    assert [(each.value, each.at_ms, each.history) for each in said] == [
        ("-190.1", T - 600_000, True),
        ("-185.2", T - 300_000, True),
        ("-180.0", T, False),
    ]


def test_the_board_moves_its_probes_up() -> None:
    """When the first of two dies the other is called by another name, and is still found."""
    dead: list[int] = []
    board = TasmotaBoard("b7", {"0000000001": lambda: None if dead else -21.0, "0000000002": lambda: 4.0})
    sensors = [{"name": "DS18B20-1", "id": "0000000001"}, {"name": "DS18B20-2", "id": "0000000002"}]
    reader = Reader(TASMOTA, {"devices": [{"name": "b", "topic": "b7", "sensors": sensors}]})
    for state in ("both", "one"):
        (out,) = board.messages(T)
        last = reader.read(out)[-1]
        assert isinstance(last, Measured), state
        assert (last.key, last.value) == ("b/DS18B20-2/temperature", "4.0")
        dead.append(1)


def test_an_edge_node_is_born_and_speaks() -> None:
    """Its births name what its data carries by number."""
    box = Box(7)
    node = EdgeNode("Bank", "Line1", "Freezer3", {"Temperature/Vapor": box.vapour_a.sample})
    metric = {"key": "v", "group": "Bank", "edge_node": "Line1", "device": "Freezer3", "unit": "degC"}
    reader = Reader(SPARKPLUG, {"host_id": "h", "metrics": [metric | {"metric": "Temperature/Vapor"}]})
    said = [each for out in (*node.births(T), *node.messages(T + 1)) for each in reader.read(out)]
    assert [each.at_ms for each in said if isinstance(each, Measured)] == [T, T + 1]
    box.vapour_a.failure = Failure.DISCONNECTED
    (nothing,) = reader.read(node.messages(T + 2)[0])
    assert isinstance(nothing, Bad)
    assert nothing.reason is Reason.NO_VALUE
    death = node.death(T + 3)
    (gone,) = reader.read(death)
    assert isinstance(gone, Bad)
    assert gone.reason is Reason.OFFLINE


def test_time_alone_publishes() -> None:
    """`process` moves the box and puts each due message into the publisher's memory."""
    box = Box(7)
    stepper = Stepper([box], T)
    publisher = Publisher("127.0.0.1", 1, "sim", "unused")
    device = MqttDevice(
        ChirpstackNode("app", EUI, Ltc2(box.vapour_a.sample, box.vapour_b.sample)), publisher, stepper
    )
    device.process(600)
    assert len(publisher.pending()) == 11
