"""Simulated Modbus devices: frames by the specification, exceptions, and each fault as it is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain_simulators import modbus_devices as made
from coldchain_simulators.modbus_slave import (
    Fault,
    Framing,
    ModbusBus,
    ModbusSimulator,
    ModbusSlave,
    crc16,
    framed,
    lrc,
)
from coldchain_simulators.stepping import Stepper
from coldchain_simulators.wires import PtyWire


def gauge() -> ModbusSlave:
    """Two registers and nine bits."""
    bits = {at: made.held(at % 2) for at in range(9)}
    return ModbusSlave(1, {1: bits, 2: bits, 3: {16: made.held(-1824), 17: made.held(5)}})


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        pytest.param("03 0010 0001", "03 02 F8E0", id="a register below zero"),
        pytest.param("03 0010 0002", "03 04 F8E0 0005", id="two"),
        pytest.param("03 0011 0002", "83 02", id="one of two is not there"),
        pytest.param("04 0010 0001", "84 02", id="another bank"),
        pytest.param("03 0010 0000", "83 03", id="none at all"),
        pytest.param("03 0010 007E", "83 03", id="more than a frame holds"),
        pytest.param("03 0010", "83 03", id="a request that is too short"),
        pytest.param("01 0000 0009", "01 02 AA 00", id="nine bits, the lowest first"),
        pytest.param("02 0001 0001", "02 01 01", id="a bit"),
        pytest.param("08 0000 0000", "88 01", id="a function that it does not have"),
    ],
)
def test_replies(request_: str, reply: str) -> None:
    """What the specification says."""
    assert gauge().reply(bytes.fromhex(request_)) == bytes.fromhex(reply)


def test_whoever_writes_is_seen() -> None:
    """A write changes the register and is counted: a monitor's tests look at the count."""
    slave = gauge()
    assert slave.reply(bytes.fromhex("06 0011 0007")) == bytes.fromhex("06 0011 0007")
    assert (slave.writes, slave.reply(bytes.fromhex("03 0011 0001"))) == (1, bytes.fromhex("03 02 0007"))


@pytest.mark.parametrize(
    ("data", "crc", "sum_"),
    [
        pytest.param("01 03 00 30 00 01", "84 05", 0xCB, id="request to a Comet T"),
        pytest.param("01 04 04 FF 33 01 C4", "3B 9C", 0x00, id="reply of an XY-MD02"),
        pytest.param("01 04 00 01 00 02", "20 0B", 0xF8, id="request to an XY-MD02"),
    ],
)
def test_sums(data: str, crc: str, sum_: int) -> None:
    """Sums that were published or computed elsewhere."""
    raw = bytes.fromhex(data)
    assert crc16(raw) == bytes.fromhex(crc)
    assert lrc(raw) == sum_


@given(st.sampled_from(["rtu", "ascii", "tcp"]), st.integers(1, 247), st.binary(min_size=2, max_size=60))
def test_frames_hold_what_went_in(framing: Framing, unit: int, body: bytes) -> None:
    """Sums come out as nothing, lengths as they are."""
    frame = framed(framing, unit, body, b"\x12\x34")
    if framing == "rtu":
        assert crc16(frame) == b"\0\0"
    elif framing == "ascii":
        assert frame.startswith(b":")
        assert sum(bytes.fromhex(frame[1:-2].decode())) % 256 == 0
    else:
        assert (frame[:6], frame[6:]) == (
            b"\x12\x34\0\0" + (len(body) + 1).to_bytes(2, "big"),
            bytes([unit]) + body,
        )


@pytest.mark.parametrize("framing", ["rtu", "ascii", "tcp"])
@pytest.mark.parametrize("fault", Fault)
def test_each_fault_is_what_it_is_called(framing: Framing, fault: Fault) -> None:
    """One reply goes wrong, in its own way, and the next one is right again."""
    slave = gauge()
    bus = ModbusBus(framing, [slave])
    ask = (b"\0\x07", 1, bytes.fromhex("03 0010 0001"))
    ((_, sound),) = bus.pieces(*ask)
    slave.inject(fault)
    pieces = bus.pieces(*ask)
    wrong = b"".join(piece for _, piece in pieces)
    if fault is Fault.SILENT:
        assert pieces == []
    elif fault is Fault.SPLIT:
        assert (wrong, len(pieces)) == (sound, len(sound))
    elif fault is Fault.LATE:
        assert pieces == [(bus.late_s, sound)]
    else:
        assert wrong != sound
    assert bus.pieces(*ask) == [(0.0, sound)]


def test_nobody_answers_for_another() -> None:
    """A request to an address that is not there gets no reply."""
    assert ModbusBus("rtu", [gauge()]).pieces(b"", 2, bytes.fromhex("03 0010 0001")) == []


def test_time_moves_the_registers(tmp_path: Path) -> None:
    """Between two measurements the device shows what it measured last."""
    shown = [4.0]
    slave = made.cwt_8pt1000([lambda: shown[0]])
    simulator = ModbusSimulator(
        ModbusBus("rtu", [slave]), PtyWire(tmp_path / "tty"), Stepper(), cycle_ms=1000
    )
    ask = bytes([3, 0, 0, 0, 1])
    simulator.process(0.5)
    shown[0] = 9.0
    assert slave.reply(ask) == bytes.fromhex("0302 0028")
    simulator.process(0.5)
    assert slave.reply(ask) == bytes.fromhex("0302 005A")
    assert simulator.port == str(tmp_path / "tty")
    simulator.wire.close()


@pytest.mark.parametrize(
    ("slave", "ask", "reply"),
    [
        pytest.param(made.cwt_8pt1000([lambda: None]), "03 0000 0001", "0302 1964", id="CWT open"),
        pytest.param(made.cwt_8pt1000([lambda: -242.0]), "03 0000 0001", "0302 F8F8", id="CWT shorted"),
        pytest.param(made.Mb8art([]), "04 0000 0001", "0402 7530", id="MB8ART open"),
        pytest.param(made.Mb8art([lambda: -242.0]), "04 0000 0001", "0402 8AD0", id="MB8ART shorted"),
        pytest.param(made.thermo_ult({}), "03 04CC 0002", "0304 C2FE0000", id="TSX not fitted"),
        pytest.param(
            made.Vaisala(lambda: 30.56, lambda: 1.0), "03 0002 0002", "0304 7AE1 41F4", id="Vaisala"
        ),
        pytest.param(made.comet_t(lambda: -182.4, lambda: 1.0), "03 0030 0001", "0302 F8E0", id="Comet T"),
        pytest.param(
            made.xy_md02(lambda: -20.5, lambda: 45.2), "04 0001 0002", "0404 FF33 01C4", id="XY-MD02"
        ),
    ],
)
def test_makes(slave: ModbusSlave, ask: str, reply: str) -> None:
    """Each make shows values and failures in the registers that its papers name."""
    assert slave.reply(bytes.fromhex(ask)) == bytes.fromhex(reply)
