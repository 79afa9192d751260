"""Simulated instruments and the drivers that read them: what the one shows, the other reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coldchain.driver import SerialDriver
from coldchain.model import Bad, Decoded, Measured, Noted, Reason
from coldchain.ports.framing import Blob, cutter
from coldchain.testing.conformance import installed
from coldchain_drivers import (
    ami_level,
    and_balance,
    cryocon,
    cryomagnetics_lm,
    forma900,
    kryos,
    lakeshore,
    mt_sics,
    nmea0183,
)
from coldchain_simulators import (
    ascii_logger,
    home_devices,
    lorawan,
    modbus_devices,
    mqtt_logger,
    printing,
    ruuvi,
    sparkplug,
    tec3000,
)
from coldchain_simulators import instruments as sim

#: Which simulator speaks the wire protocol of which driver.
SIMULATED: dict[str, Callable[..., object]] = {
    "ami_level": sim.AmiLevel,
    "and_balance": sim.AndBalance,
    "ascii_line": ascii_logger.AsciiLogger,
    "chirpstack": lorawan.ChirpstackNode,
    "cryocon": sim.Cryocon,
    "cryomagnetics_lm": sim.CryomagneticsLm,
    "forma900": printing.Forma900,
    "kryos": printing.KryosPrinter,
    "lakeshore": sim.LakeShore,
    "modbus": modbus_devices.comet_t,
    "mqtt_json": mqtt_logger.MqttLogger,
    "mt_sics": sim.MtSicsBalance,
    "mve_tec3000": tec3000.Tec3000,
    "nmea0183": printing.Receiver,
    "ruuvi_gateway": ruuvi.RuuviGateways,
    "shelly": home_devices.ShellyHt,
    "sparkplug_b": sparkplug.EdgeNodeSimulator,
    "tasmota": home_devices.TasmotaBoard,
    "ttn": lorawan.TtnNode,
    "zigbee2mqtt": home_devices.ZigbeeSensor,
}
param = pytest.param
LINE = {"baud": 9600, "frame": "8N1"}
T = 1_767_268_800_000


def test_every_driver_has_a_simulator() -> None:
    """Each driver that is published here can be rehearsed without its device."""
    assert {each.name for each in installed()} == SIMULATED.keys()


def asked(driver: SerialDriver, given: dict[str, Any], device: sim.Instrument) -> list[Decoded]:
    """What the driver reads of one round, its identity requests checked on the way."""
    settings = driver.settings.model_validate(given)
    line = driver.line(settings)

    def reply(send: bytes) -> bytes:
        request = send.removesuffix(device.request_end)
        assert request != send, f"{send!r} is never taken by a device that waits for {device.request_end!r}"
        said = device.reply(request)
        assert said is not None, f"no answer to {send!r}"
        (frame,) = cutter(line).feed(said)
        assert not isinstance(frame, Blob)
        return frame

    for query in driver.identity(settings):
        assert driver.identify(settings, query, reply(query.send)) is None
    said = [
        driver.decode(settings, query, line.terminator.join(map(reply, (query.send, *query.then))))
        for query in driver.poll(settings)
    ]
    assert device.wrote == [], "a monitor has sent what is no question"
    return said


@pytest.mark.parametrize(
    ("driver", "given", "device", "says"),
    [
        param(
            mt_sics.DRIVER, {}, sim.MtSicsBalance(lambda: 14.605), [("mass", "14.6050", "kg")], id="mt_sics"
        ),
        param(
            and_balance.DRIVER, LINE, sim.AndBalance(lambda: 14.605), [("mass", "+0014.6050", "kg")], id="a&d"
        ),
        param(
            lakeshore.DRIVER,
            {"model": "218", "inputs": ["1", "3"]},
            sim.LakeShore({"1": lambda: -195.8, "3": lambda: 20.0}),
            [("input_1", "+77.350", "K"), ("input_3", "+293.150", "K")],
            id="lakeshore",
        ),
        param(
            cryocon.DRIVER,
            {"inputs": ["A"]},
            sim.Cryocon({"A": lambda: -195.8}),
            [("input_A", "77.3500", "K")],
            id="cryocon",
        ),
        param(
            ami_level.DRIVER,
            LINE | {"model": "186"},
            sim.AmiLevel(lambda: 63.2),
            [("level", "63.2", "%")],
            id="ami",
        ),
        param(
            ami_level.DRIVER,
            LINE | {"model": "187"},
            sim.AmiLevel(lambda: 63.2, dialect="scpi"),
            [("level", "63.2", "%")],
            id="ami, scpi",
        ),
        param(
            cryomagnetics_lm.DRIVER,
            {"channels": [1], "fills": [1]},
            sim.CryomagneticsLm({1: lambda: 63.2}, filling=lambda channel: "Timeout"),
            [("level_1", "63.2", "%"), ("fill_1_timeout", "1", "open")],
            id="cryomagnetics",
        ),
    ],
)
def test_what_is_shown_is_read(
    driver: SerialDriver, given: dict[str, Any], device: sim.Instrument, says: list[tuple[str, str, str]]
) -> None:
    """A driver in conversation with the simulator of its device reads its display, and writes nothing."""
    read = [
        each for decoded in asked(driver, given, device) for each in decoded if isinstance(each, Measured)
    ]
    assert [(each.key, each.value, each.unit) for each in read] == says


@pytest.mark.parametrize(
    ("driver", "given", "device", "reason"),
    [
        param(mt_sics.DRIVER, {}, sim.MtSicsBalance(lambda: None), Reason.OVER_RANGE, id="mt_sics"),
        param(and_balance.DRIVER, LINE, sim.AndBalance(lambda: None), Reason.OVER_RANGE, id="a&d: nines"),
        param(
            lakeshore.DRIVER,
            {"model": "218", "inputs": ["1"]},
            sim.LakeShore({"1": lambda: None}),
            Reason.OVER_RANGE,
            id="lakeshore: it shows 480 K",
        ),
        param(
            cryocon.DRIVER,
            {"inputs": ["A"]},
            sim.Cryocon({"A": lambda: None}),
            Reason.SENSOR_FAULT,
            id="cryocon",
        ),
        param(
            cryocon.DRIVER, {"inputs": ["B"]}, sim.Cryocon({}), Reason.REFUSED, id="cryocon: no such input"
        ),
        param(
            ami_level.DRIVER,
            LINE | {"model": "186"},
            sim.AmiLevel(lambda: None),
            Reason.REFUSED,
            id="ami: −8",
        ),
        param(
            cryomagnetics_lm.DRIVER,
            {"channels": [2]},
            sim.CryomagneticsLm({2: lambda: None}),
            Reason.UNEXPECTED_REPLY,
            id="cryomagnetics",
        ),
    ],
)
def test_what_cannot_be_shown_is_bad(
    driver: SerialDriver, given: dict[str, Any], device: sim.Instrument, reason: Reason
) -> None:
    """An instrument without a probe says so in its own way, and none of them is a number."""
    (said,) = (each for decoded in asked(driver, given, device) for each in decoded)
    assert isinstance(said, Bad)
    assert said.reason is reason


def test_a_moving_load_is_in_doubt() -> None:
    """Both kinds of balance say that their load swings, and both drivers keep the weight in doubt."""
    for driver, given, device in (
        (mt_sics.DRIVER, {}, sim.MtSicsBalance(lambda: 1.0)),
        (and_balance.DRIVER, LINE, sim.AndBalance(lambda: 1.0)),
    ):
        device.moving = True
        ((mass,),) = asked(driver, given, device)
        assert isinstance(mass, Measured)
        assert mass.doubt is Reason.UNSTABLE


def test_a_request_that_writes_is_kept_and_not_answered() -> None:
    """A simulator that took a tare for a question would hide that a monitor tares."""
    device = sim.MtSicsBalance(lambda: 1.0)
    assert device.reply(b"T") is None
    assert device.wrote == [b"T"]


def printed(driver: SerialDriver, given: dict[str, Any], sent: bytes) -> list[Measured | Bad | Noted]:
    """What the driver reads of bytes that a device printed."""
    settings = driver.settings.model_validate(given)
    frames = cutter(driver.line(settings)).feed(sent)
    assert frames
    assert all(isinstance(frame, bytes) for frame in frames)
    return [each for frame in frames for each in driver.decode(settings, None, frame)]  # type: ignore[arg-type]


def test_a_freezer_prints() -> None:
    """Whole degrees with their sign, a failed probe as T_ERR."""
    cold, broken = (
        printed(forma900.DRIVER, {}, printing.Forma900(probe).line(T))
        for probe in (lambda: -80.2, lambda: None)
    )
    assert cold == [Measured("cabinet", "-080", "C"), Noted("alarm", "none")]
    assert isinstance(broken[0], Bad)


def test_a_receiver_prints() -> None:
    """A place with its time; without a fix no place, and least of all 0° N, 0° E."""
    here = printed(nmea0183.DRIVER, LINE, printing.Receiver(lambda: (39.9042, 116.4074)).line(T))
    assert Noted("position", "39.904, 116.407") in here
    assert Noted("position", "39.904, 116.407", T) in here
    south = printed(nmea0183.DRIVER, LINE, printing.Receiver(lambda: (-33.8688, -0.5)).line(T))
    assert Noted("position", "-33.869, -0.500") in south
    nowhere = printed(nmea0183.DRIVER, LINE, printing.Receiver(lambda: None).line(T))
    assert [each.key for each in nowhere if isinstance(each, Noted)] == ["fix", "valid"]


def test_a_controller_prints_its_fills() -> None:
    """One line when the valve opens, one when it is shut, nothing between; the contact follows."""
    valve = {"open": False}
    printer = printing.KryosPrinter(lambda: valve["open"])
    assert printer.line(T) == b""
    valve["open"] = True
    begun = printer.line(T)
    assert printer.line(T + 60_000) == b""
    valve["open"] = False
    over = printer.line(T + 24 * 60_000)
    assert [printed(kryos.DRIVER, LINE, line)[0] for line in (begun, over)] == [
        Measured("fill", "1", "open"),
        Measured("fill", "0", "open"),
    ]
    assert over == b"Fill occurred on 1/1/26 @ 12:00 for 24 minutes\r\n"
