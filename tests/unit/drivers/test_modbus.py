"""Devices that lie, are exchanged, or are set otherwise than stated: BAD with the reason, never a number."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.driver import Query
from coldchain.model import Bad, Measured, Reason
from coldchain_drivers.modbus import DRIVER
from coldchain_drivers.modbus_settings import ModbusSettings
from coldchain_simulators import modbus_devices as made
from coldchain_simulators.modbus_slave import ModbusSlave, framed
from tests.unit.drivers.modbus_bench import all_of, asked, bad, objections, reply_of, settings, values


def at(value: float | None) -> made.Sample:
    """A probe that reads this."""
    return lambda: value


def register(content: int, *, unit: int = 1, function: int = 3, address: int = 0) -> ModbusSlave:
    """A device with one register."""
    return ModbusSlave(unit, {function: {address: made.held(content)}})


# --- Whole frames ------------------------------------


@pytest.mark.parametrize(
    ("ready", "sends", "frame", "says"),
    [
        pytest.param(
            settings("comet_t", "temperature", unit="degC"),
            "01 03 00 30 00 01 84 05",
            "01 03 02 F8 E0 FA 0C",
            (Measured("temperature", "-182.4", "degC"),),
            id="Comet T: printed register 0x31 is sent as 0x30",
        ),
        pytest.param(
            settings("comet_t", "temperature", unit="degC"),
            "01 03 00 30 00 01 84 05",
            "01 83 02 C0 F1",
            Reason.REFUSED,
            id="Comet T: illegal address",
        ),
        pytest.param(
            settings("xy_md02", "temperature", "humidity"),
            "01 04 00 01 00 02 20 0B",
            "01 04 04 FF 33 01 C4 3B 9C",
            (Measured("temperature", "-20.5", "degC"), Measured("humidity", "45.2", "%")),
            id="XY-MD02: both in one request, with signs",
        ),
        pytest.param(
            settings("vaisala_hmp", "temperature", without_checks=["self_test", "status"]),
            "F0 03 00 02 00 02 70 EA",
            "F0 03 04 7A E1 41 F4 62 05",
            (Measured("temperature", "30.56", "degC"),),
            id="Vaisala: address 240, register 3 is sent as 2, words turned round",
        ),
        pytest.param(
            settings("cwt_8pt1000", "channel_1"),
            "01 03 00 00 00 01 84 0A",
            "01 03 02 00 FA B8 44",
            Reason.BAD_CHECKSUM,
            id="CWT: the printed reply is none",
        ),
        pytest.param(
            settings("cwt_8pt1000", "channel_1"),
            "01 03 00 00 00 01 84 0A",
            "01 03 02 00 FA 38 07",
            (Measured("channel_1", "25.0", "degC"),),
            id="CWT: with the right sum",
        ),
        pytest.param(
            settings("dixell_xr", "probe_1", "probe_2", "probe_3", unit="degC", unit_id=1),
            "01 03 01 00 00 03 04 37",
            "01 03 06 FF CE 00 28 FF 9C 9D 3B",
            tuple(Measured(f"probe_{n}", v, "degC") for n, v in ((1, "-5.0"), (2, "4.0"), (3, "-10.0"))),
            id="Dixell: three probes",
        ),
    ],
)
def test_frames(ready: ModbusSettings, sends: str, frame: str, says: tuple[Measured, ...] | Reason) -> None:
    """The request and its reply, byte for byte."""
    query = asked(ready)
    assert query.send == bytes.fromhex(sends)
    raw = bytes.fromhex(frame)
    want = bad(says, raw, *ready.read) if isinstance(says, Reason) else says
    assert DRIVER.decode(ready, query, raw) == want


@pytest.mark.parametrize(
    ("key", "sends", "frame", "says"),
    [
        pytest.param("thermocouple_3", b":010304D0000226", b":010304C28DFBE4CA", "-70.991974", id="TC3"),
        pytest.param(
            "thermocouple_2", b":010304CC00022A", b":010304C2FE000038", Reason.NOT_CONNECTED, id="TC2 absent"
        ),
        pytest.param("setpoint", b":010305300002C5", b":010304FFFFFCE01E", "-80.0", id="set-point"),
        pytest.param(
            "setpoint", b":010305300002C5", b":010304FFFFFCE01F", Reason.BAD_CHECKSUM, id="wrong sum"
        ),
    ],
)
def test_frames_in_ascii(key: str, sends: bytes, frame: bytes, says: str | Reason) -> None:
    """Thermo freezers: the address of each thermocouple is four further than the last."""
    ready = settings("thermo_ult", key, unit_id=1, baud=9600)
    query = asked(ready)
    assert query.send == sends + b"\r\n"
    assert values(DRIVER.decode(ready, query, frame)) == {key: says}


def test_frames_over_tcp() -> None:
    """Comet web sensor: the transaction that the port gave is the one that counts."""
    ready = settings("comet_p", "channel_1", "channel_2", unit="degC", serial="11960456")
    query = Query(asked(ready).key, b"\x12\x34" + asked(ready).send[2:])
    assert query.send == bytes.fromhex("1234 0000 0006 01 03 9C27 0002")
    frame = framed("tcp", 1, bytes.fromhex("03 04 FFB0 0019"), b"\x12\x34")
    assert values(DRIVER.decode(ready, query, frame)) == {"channel_1": "-8.0", "channel_2": "2.5"}
    late = framed("tcp", 1, bytes.fromhex("03 04 FFB0 0019"), b"\x12\x33")
    assert DRIVER.decode(ready, query, late) == bad(Reason.UNEXPECTED_REPLY, late, "channel_1", "channel_2")


# --- Readings that lie ------------------------------------

LOW, HIGH = {"resolution": "0.1"}, {"resolution": "0.01"}


@pytest.mark.parametrize(
    ("ready", "slave", "says"),
    [
        pytest.param(
            settings("cwt_8pt1000", "channel_1"), register(-1800), Reason.SENSOR_SHORT, id="CWT −180.0: short"
        ),
        pytest.param(
            settings("cwt_8pt1000", "channel_1"), register(-32_768), Reason.SENSOR_SHORT, id="CWT 0x8000"
        ),
        pytest.param(
            settings("cwt_8pt1000", "channel_1"), register(-1799), "-179.9", id="CWT above its floor"
        ),
        pytest.param(
            settings("cwt_8pt1000", "channel_1"), register(6500), Reason.SENSOR_OPEN, id="CWT 650: open"
        ),
        pytest.param(
            settings("cwt_8pt1000", "channel_1"), register(32_767), Reason.SENSOR_OPEN, id="CWT 0x7FFF"
        ),
        pytest.param(
            settings("cwt_8pt1000", "channel_1"), register(6499), "649.9", id="CWT below its ceiling"
        ),
        pytest.param(
            settings("comet_t", "temperature", unit="degC"),
            register(9999, address=0x30),
            Reason.SENSOR_FAULT,
            id="Comet T 999.9",
        ),
        pytest.param(
            settings("comet_t", "temperature", unit="degF"),
            register(-9999, address=0x30),
            Reason.SENSOR_FAULT,
            id="Comet T −999.9, set to °F",
        ),
        pytest.param(
            settings("thermo_ult", "thermocouple_5", unit_id=1),
            made.thermo_ult({}),
            Reason.NOT_CONNECTED,
            id="TSX thermocouple that is not there",
        ),
        pytest.param(
            settings("vaisala_hmp", "temperature"),
            made.Vaisala(at(None), at(40.0)),
            Reason.NOT_READY,
            id="NaN",
        ),
        pytest.param(
            settings("vaisala_hmt330", "temperature", unit_id=240, transport="rtu"),
            made.Vaisala(at(None), at(40.0)),
            Reason.NOT_READY,
            id="0x8000 for NaN",
        ),
        pytest.param(
            settings("xy_md02", "temperature"),
            register(-400, function=4, address=1),
            Reason.UNDER_RANGE,
            id="XY-MD02 at its floor",
        ),
    ],
)
def test_what_is_no_value(ready: ModbusSettings, slave: ModbusSlave, says: str | Reason) -> None:
    """What a device says instead of a value is BAD with the reason; beside it there are values."""
    assert all_of(ready, slave) == {ready.read[0]: says}


@pytest.mark.parametrize(
    ("hundredths", "content", "says"),
    [
        pytest.param(False, 30_000, Reason.SENSOR_OPEN, id="3000.0: open"),
        pytest.param(False, -30_000, Reason.SENSOR_FAULT, id="−3000.0: shorted"),
        pytest.param(True, 30_000, Reason.SENSOR_OPEN, id="300.00: open"),
        pytest.param(True, -30_000, Reason.SENSOR_FAULT, id="−300.00: shorted"),
        pytest.param(False, -1824, "-182.4", id="tenths"),
        pytest.param(True, -18_240, "-182.40", id="hundredths"),
        pytest.param(False, -2000, Reason.UNDER_RANGE, id="tenths, at its floor"),
        pytest.param(True, 20_000, Reason.OVER_RANGE, id="hundredths, at its ceiling"),
        pytest.param(False, 3000, "300.0", id="tenths, a true 300 °C"),
    ],
)
def test_mb8art(hundredths: bool, content: int, says: str | Reason) -> None:
    """The same content means one thing in tenths and another in hundredths; faults are faults in both."""
    slave = made.Mb8art([at(20.0)], hundredths=hundredths)
    ready = settings("mb8art", "channel_1", choices=HIGH if hundredths else LOW)
    assert objections(ready, slave) == []
    frame = framed("rtu", 1, bytes([4, 2]) + (content & 0xFFFF).to_bytes(2, "big"))
    assert values(DRIVER.decode(ready, asked(ready), frame)) == {"channel_1": says}


def test_a_resolution_that_is_not_as_stated() -> None:
    """It is never assumed: the device is asked before each round, and no value counts if it differs."""
    slave = made.Mb8art([at(-182.4)])
    ready = settings("mb8art", "channel_1", "channel_2", choices=LOW)
    before_each_round = [query for query in DRIVER.identity(ready) if query.each_round]
    assert [query.send[1:6].hex() for query in before_each_round] == ["03004c0001"], "holding register 76"
    assert all_of(ready, slave) == {"channel_1": "-182.4", "channel_2": Reason.SENSOR_OPEN}
    slave.hundredths = True
    (why,) = objections(ready, slave)
    assert why == (
        'resolution (register 76): the device holds 1, that is choices.resolution = "0.01"; '
        'the configuration says choices.resolution = "0.1"'
    )
    assert all_of(ready, slave) == {"channel_1": Reason.WRONG_DEVICE, "channel_2": Reason.WRONG_DEVICE}


def test_a_channel_that_is_set_to_a_thermocouple() -> None:
    """It would send tenths whatever the resolution is: only this channel is no value."""
    slave = made.Mb8art([at(5.0)] * 3, hundredths=True)
    ready = settings("mb8art", "channel_1", "channel_3", "module", choices=HIGH)
    slave.kinds[2] = 0x0101
    (why,) = objections(ready, slave)
    assert why == (
        "kind of probe that the channel is set to (registers 128 to 135) (channel_3): the device holds 257 "
        "instead of 512 or 513; set the channel to Pt100 (512) or Pt1000 (513); other kinds have other "
        "numbers"
    )
    assert all_of(ready, slave) == {"channel_1": "5.00", "channel_3": Reason.WRONG_DEVICE, "module": "25.1"}


def test_another_module_in_its_place() -> None:
    """A type register that says something else makes every value none."""
    slave = register(57)
    slave = ModbusSlave(
        1, {3: {64: made.held(41), 76: made.held(0), 128: made.held(512)}, 4: {0: made.held(250)}}
    )
    ready = settings("mb8art", "channel_1", choices=LOW)
    assert objections(ready, slave) == [
        "type of the module (register 64): the device holds 41 instead of 57; it is no MB8ART"
    ]


def test_a_self_test_that_fails() -> None:
    """Words in another order than the device sends them are found out before a value is taken."""
    slave = made.Vaisala(at(-20.0), at(40.0))
    ready = settings("vaisala_hmp", "temperature")
    assert objections(ready, slave) == []
    turned = settings(
        ready.device.model_copy(
            update={"registers": ready.device.registers.model_copy(update={"word_order": "big"})}
        ),
        "temperature",
    )
    (why,) = objections(turned, slave)
    assert why.startswith("floating point test (register 7938): the device holds ")
    assert why.endswith(
        " instead of -123.45; its numbers would be read wrongly: another device, or another order of words"
    )
    assert all_of(turned, slave) == {"temperature": Reason.WRONG_DEVICE}


def test_a_device_that_says_it_is_ill() -> None:
    """Its status is asked before each round; while it says so its values are none, for this reason."""
    slave = made.Vaisala(at(-20.0), at(40.0))
    ready = settings("vaisala_hmp", "temperature", "humidity")
    assert all_of(ready, slave) == {"temperature": "-20", "humidity": "40"}
    slave.fault_shown = True
    assert all_of(ready, slave) == {"temperature": Reason.SENSOR_FAULT, "humidity": Reason.SENSOR_FAULT}
    trusting = settings("vaisala_hmp", "temperature", without_checks=["status"])
    assert all_of(trusting, slave) == {"temperature": "-20"}


@pytest.mark.parametrize("little", [True, False])
def test_the_fieldlogger_tells_its_order_of_words(little: bool) -> None:
    """Its constant shows which of two registers comes first; the other order is refused."""
    slave = made.fieldlogger({46: at(-71.5)}, little=little)
    words, other = ("little", "big") if little else ("big", "little")
    points = {"shelf": {"function": 3, "address": 46, "type": "float32", "unit": "degC"}}

    def stating(order: str) -> ModbusSettings:
        of: dict[str, Any] = {"transport": "tcp", "unit_id": 1, "points": points}
        return settings("novus_fieldlogger", "shelf", choices={"word_order": order}, **of)

    assert objections(stating(words), slave) == []
    assert all_of(stating(words), slave) == {"shelf": "-71.5"}
    (why,) = objections(stating(other), slave)
    assert f'that is choices.word_order = "{words}"' in why
    assert all_of(stating(other), slave) == {"shelf": Reason.WRONG_DEVICE}


@pytest.mark.parametrize(
    ("serial", "addresses_from", "right"),
    [
        pytest.param("11960456", 0, True, id="the device on the label"),
        pytest.param("11960457", 0, False, id="another device"),
        pytest.param("11960456", 1, False, id="counted from one: channel 1 would be the type, 2 would be 1"),
    ],
)
def test_a_serial_number(serial: str, addresses_from: int, right: bool) -> None:
    """A device put in another's place, or one that counts otherwise, is not read."""
    slave = made.comet_p([at(4.0), at(5.0)], addresses_from=addresses_from)
    ready = settings("comet_p", "channel_1", "channel_2", unit="degC", serial=serial)
    assert (objections(ready, slave) == []) is right
    want = (
        {"channel_1": "4.0", "channel_2": "5.0"} if right else dict.fromkeys(ready.read, Reason.WRONG_DEVICE)
    )
    assert all_of(ready, slave) == want


def test_a_serial_number_in_two_registers() -> None:
    """Four digits in each."""
    slave = made.comet_t(at(4.0), at(50.0))
    assert objections(settings("comet_t", "humidity", serial="10960123"), slave) == []
    (why,) = objections(settings("comet_t", "humidity", serial="10960124"), slave)
    assert why == (
        "serial number: the device holds 10960123 instead of 10960124; another device stands there, or it "
        "counts its registers otherwise"
    )


# --- Signs, units, requests ------------------------------------


@pytest.mark.parametrize(
    ("ready", "slave", "says"),
    [
        pytest.param(
            settings("pta8e16", "channel_1", unit_id=1), made.pta8e16([at(-18.2)]), "-18.2", id="PTA8E16"
        ),
        pytest.param(
            settings("xy_md02", "temperature"), made.xy_md02(at(-20.5), at(45.2)), "-20.5", id="XY-MD02"
        ),
    ],
)
def test_signs(ready: ModbusSettings, slave: ModbusSlave, says: str) -> None:
    """What sample code reads without a sign is read with one: a freezer at −20 is not at 6533 °C."""
    assert all_of(ready, slave) == {ready.read[0]: says}


def test_a_unit_that_no_register_tells() -> None:
    """It is the one that the site states, and the number is not converted."""
    slave = made.comet_t(at(-80.0), at(50.0), shows="degF")
    ready = settings("comet_t", "temperature", unit="degF")
    frame = reply_of(ready, asked(ready), slave)
    assert DRIVER.decode(ready, asked(ready), frame) == (Measured("temperature", "-112.0", "degF"),)
    assert DRIVER.keys(ready) == {"temperature": "degF"}


@pytest.mark.parametrize(
    ("ready", "sends"),
    [
        pytest.param(
            settings("mb8art", *(f"channel_{n}" for n in range(1, 9)), choices=LOW),
            ["04 0000 0008"],
            id="a whole row",
        ),
        pytest.param(
            settings("mb8art", "channel_1", "channel_2", "channel_4", choices=LOW),
            ["04 0000 0002", "04 0003 0001"],
            id="a gap is not read over",
        ),
        pytest.param(
            settings("mb8art", "channel_1", "channel_2", "channel_3", choices=LOW, registers_max=2),
            ["04 0000 0002", "04 0002 0001"],
            id="no more in one request than the site says",
        ),
        pytest.param(
            settings("cwt_8pt1000", "channel_2", "channel_1"),
            ["03 0000 0002"],
            id="the order of the keys is ours",
        ),
        pytest.param(
            settings("thermo_ult", "thermocouple_2", "thermocouple_3", unit_id=1),
            ["03 04CC 0002", "03 04D0 0002"],
            id="addresses that count bytes are no neighbours",
        ),
        pytest.param(
            settings("vaisala_hmp", "humidity", "temperature", "dew_point"),
            ["03 0000 0004", "03 0006 0002"],
            id="two floats side by side",
        ),
    ],
)
def test_requests(ready: ModbusSettings, sends: list[str]) -> None:
    """Neighbours share a request; what nobody wants is not asked."""
    read = [one.read for one in ready.plan.asked.values()]
    assert [f"{r.function:02X} {r.address:04X} {r.count:04X}" for r in read] == sends


def test_lies_that_the_site_knows() -> None:
    """What no source tells of a device, somebody who unplugged a probe can say."""
    ready = settings(
        "pta8e16", "channel_1", unit_id=1, lies=[{"value": "-200.0", "reason": "sensor_short"}, "max31865"]
    )
    assert all_of(ready, made.pta8e16([at(-200.0)])) == {"channel_1": Reason.SENSOR_SHORT}
    assert all_of(ready, made.pta8e16([at(-80.0)])) == {"channel_1": "-80.0"}


def test_the_line() -> None:
    """What is known of a device is its default, and the site's word goes before it."""
    line = DRIVER.line(settings("comet_t", "humidity"))
    assert (line.baud, line.frame, line.timeout_ms, line.terminator) == (9600, "8N2", 1000, b"")
    line = DRIVER.line(settings("comet_t", "humidity", baud=19200, frame="8E1", timeout_ms=2500))
    assert (line.baud, line.frame, line.timeout_ms) == (19200, "8E1", 2500)
    line = DRIVER.line(settings("thermo_ult", "setpoint", unit_id=3))
    assert (line.baud, line.frame, line.terminator, line.numbered) == (None, "7E1", b"\r\n", None)
    line = DRIVER.line(settings("comet_p", "channel_1", unit="degC", serial="1"))
    assert (line.baud, line.frame, line.numbered is None) == (None, None, False)


def test_how_far_a_device_sees() -> None:
    """The ends that its data file knows are told, so that no limit beyond them is watched by it."""
    reach = DRIVER.reach(settings("cwt_8pt1000", "channel_1"))["channel_1"]
    assert (reach.low, reach.high, reach.unit) == ("-180", "650", "degC")
    fine = DRIVER.reach(settings("mb8art", "channel_1", choices=HIGH))["channel_1"]
    assert (fine.low, fine.high) == ("-200", "200")
    assert DRIVER.reach(settings("pta8e16", "channel_1", unit_id=1)) == {}


# --- Any bytes ------------------------------------

READY = [
    settings("mb8art", "channel_1", "channel_2", "module", choices=LOW),
    settings("thermo_ult", "thermocouple_2", "setpoint", unit_id=1),
    settings("comet_p", "channel_1", unit="degC", serial="11960456"),
    settings("vaisala_hmp", "temperature", "humidity"),
]


@given(st.sampled_from(READY), st.binary(max_size=300), st.booleans())
def test_any_bytes(ready: ModbusSettings, frame: bytes, framed_well: bool) -> None:
    """No bytes raise, and what is no sound reply is BAD for each value that was asked for, with the bytes."""
    way = ready.way
    for query in DRIVER.poll(ready):
        sound = framed(way, ready.address, bytes([query.send[1] & 0x7F]) + frame[:250], query.send[:2])
        given_frame = sound.removesuffix(b"\r\n") if framed_well else frame
        for item in DRIVER.decode(ready, query, given_frame):
            assert item.key in ready.read
            assert isinstance(item, Measured) or item.frame == given_frame
    for query in DRIVER.identity(ready):
        said = DRIVER.identify(ready, query, frame)
        right = DRIVER.decode(ready, query, frame) == ()
        assert (said is None) is right


@given(st.sampled_from(READY), st.binary(max_size=40))
def test_a_reply_to_nothing(ready: ModbusSettings, frame: bytes) -> None:
    """What was not asked for is no value of any key."""
    assert DRIVER.decode(ready, None, frame) == (Bad(Reason.UNEXPECTED_REPLY, frame),)
    assert DRIVER.decode(ready, Query("another", b""), frame) == (Bad(Reason.UNEXPECTED_REPLY, frame),)
