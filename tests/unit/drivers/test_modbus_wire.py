"""Frames: published vectors, every way in which a reply is none, and nothing that writes."""

from __future__ import annotations

import struct
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerAscii, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse, ReadInputRegistersResponse

from coldchain.driver import Line
from coldchain.model import Reason
from coldchain.ports.framing import cutter
from coldchain_drivers import modbus_wire as wire
from coldchain_drivers.modbus_wire import Read, Transport, data_of, request
from coldchain_simulators.modbus_slave import crc16, framed, lrc

WAYS: tuple[Transport, ...] = get_args(Transport)


@pytest.mark.parametrize(
    ("way", "read", "frame"),
    [
        pytest.param("rtu", Read(1, 3, 0x30, 1), "01 03 00 30 00 01 84 05", id="Comet T, computed"),
        pytest.param("rtu", Read(1, 3, 0, 1), "01 03 00 00 00 01 84 0A", id="CWT, published"),
        pytest.param("rtu", Read(1, 4, 1, 2), "01 04 00 01 00 02 20 0B", id="XY-MD02, published"),
        pytest.param("rtu", Read(240, 3, 2, 2), "F0 03 00 02 00 02 70 EA", id="Vaisala, computed"),
        pytest.param("rtu", Read(1, 3, 0x100, 3), "01 03 01 00 00 03 04 37", id="Dixell, computed"),
        pytest.param("tcp", Read(1, 3, 0x9C27, 1), "00 00 00 00 00 06 01 03 9C 27 00 01", id="Comet P"),
        pytest.param("rtu", Read(1, 1, 0x0210, 1), "01 01 02 10 00 01 FD B7", id="a coil"),
        pytest.param("rtu", Read(1, 2, 0, 8), "01 02 00 00 00 08 79 CC", id="eight discrete inputs"),
    ],
)
def test_requests(way: Transport, read: Read, frame: str) -> None:
    """What goes out is exactly this."""
    assert request(way, read) == bytes.fromhex(frame)


@pytest.mark.parametrize(
    ("read", "frame"),
    [
        pytest.param(Read(1, 3, 0x04CC, 2), b":010304CC00022A\r\n", id="TC2 at address 1"),
        pytest.param(Read(1, 3, 0x04D0, 2), b":010304D0000226\r\n", id="TC3 at address 1"),
        pytest.param(Read(0x19, 3, 0x0530, 2), b":190305300002AD\r\n", id="set-point, TSX manual p. 63"),
        pytest.param(Read(0x19, 3, 0x0538, 2), b":190305380002A5\r\n", id="warm alarm, TSX manual p. 63"),
        pytest.param(Read(0x19, 3, 0x053C, 2), b":1903053C0002A1\r\n", id="cold alarm, TSX manual p. 64"),
        pytest.param(Read(0x19, 3, 0x04CC, 2), b":190304CC000212\r\n", id="TC2, TSX manual p. 66"),
        pytest.param(Read(0x19, 3, 0x04D0, 2), b":190304D000020E\r\n", id="TC3, TSX manual p. 66"),
        pytest.param(Read(0x19, 3, 0x04D4, 2), b":190304D400020A\r\n", id="TC4, TSX manual p. 67"),
        pytest.param(Read(0x19, 3, 0x04D8, 2), b":190304D8000206\r\n", id="TC5, TSX manual p. 67"),
    ],
)
def test_requests_in_ascii(read: Read, frame: bytes) -> None:
    """The requests that Thermo prints are the ones that we send."""
    assert request("ascii", read) == frame


@pytest.mark.parametrize("function", [0, 5, 6, 7, 8, 15, 16, 17, 22, 23, 43, 0x83])
@pytest.mark.parametrize("way", WAYS)
def test_no_function_that_does_more_than_read_can_be_formed(way: Transport, function: Any) -> None:
    """Writing, resetting, diagnosing: there is no request for it."""
    with pytest.raises(ValueError, match="does not only read"):
        request(way, Read(1, function, 0, 1))


@given(
    st.sampled_from(WAYS),
    st.integers(0, 255),
    st.sampled_from([1, 2, 3, 4]),
    st.integers(0, 65_535),
    st.integers(1, 125),
)
def test_whatever_is_asked_is_a_request_to_read(
    way: Transport, unit: int, function: Any, address: int, count: int
) -> None:
    """The function code on the wire is the one that was asked for, and the sums are another maker's."""
    sent = request(way, Read(unit, function, address, count))
    body = struct.pack(">BHH", function, address, count)
    assert sent == framed(way, unit, body)


@pytest.mark.parametrize(
    ("read", "frame", "says"),
    [
        pytest.param(Read(1, 3, 0x30, 1), "01 03 02 F8 E0 FA 0C", b"\xf8\xe0", id="Comet T: −182.4 °C"),
        pytest.param(Read(1, 3, 0x30, 1), "01 83 02 C0 F1", Reason.REFUSED, id="illegal address"),
        pytest.param(
            Read(1, 4, 1, 2), "01 04 04 FF 33 01 C4 3B 9C", b"\xff\x33\x01\xc4", id="XY-MD02: −20.5, 45.2"
        ),
        pytest.param(
            Read(240, 3, 2, 2), "F0 03 04 7A E1 41 F4 62 05", b"\x7a\xe1\x41\xf4", id="Vaisala: 30.56"
        ),
        pytest.param(
            Read(1, 3, 0, 1),
            "01 03 02 00 FA B8 44",
            Reason.BAD_CHECKSUM,
            id="CWT: the printed reply is wrong",
        ),
        pytest.param(Read(1, 3, 0, 1), "01 03 02 00 FA 38 07", b"\0\xfa", id="CWT: this is right, 25.0 °C"),
    ],
)
def test_replies(read: Read, frame: str, says: bytes | Reason) -> None:
    """Published and computed replies, and one that was printed wrongly."""
    assert data_of("rtu", read, b"", bytes.fromhex(frame)) == says


@pytest.mark.parametrize(
    ("unit", "frame", "says"),
    [
        pytest.param(1, b":010304C28DFBE4CA", b"\xc2\x8d\xfb\xe4", id="TC3: −70.99 °C"),
        pytest.param(1, b":010304FFFFFCE01E", b"\xff\xff\xfc\xe0", id="set-point: −80.0 °C"),
        pytest.param(1, b":010304c28dfbe4ca", b"\xc2\x8d\xfb\xe4", id="small letters"),
        pytest.param(
            0x19, b":190304FFFFFCE002", Reason.BAD_CHECKSUM, id="set-point, TSX p. 63: printed wrongly"
        ),
        pytest.param(0x19, b":190304FFFFFCE006", b"\xff\xff\xfc\xe0", id="set-point: this is right"),
        pytest.param(
            0x19, b":190304FFFFFD449D", Reason.BAD_CHECKSUM, id="warm alarm, TSX p. 63: printed wrongly"
        ),
        pytest.param(0x19, b":190304FFFFFD44A1", b"\xff\xff\xfd\x44", id="warm alarm: this is right"),
        pytest.param(1, b"010304C28DFBE4CA", Reason.CORRUPT_FRAME, id="without its beginning"),
        pytest.param(1, b"x:010304C28DFBE4CA", Reason.CORRUPT_FRAME, id="noise before it"),
        pytest.param(1, b":010304C28DFBE4C", Reason.CORRUPT_FRAME, id="half a byte"),
        pytest.param(1, b":010304C2 8DFBE4CA", Reason.CORRUPT_FRAME, id="a blank inside"),
        pytest.param(1, b":+10304C28DFBE4CA", Reason.CORRUPT_FRAME, id="a sign that int() would take"),
        pytest.param(1, b":", Reason.CORRUPT_FRAME, id="nothing"),
        pytest.param(1, b":00", Reason.CORRUPT_FRAME, id="a sum of nothing"),
    ],
)
def test_replies_in_ascii(unit: int, frame: bytes, says: bytes | Reason) -> None:
    """Whole, true and hexadecimal, or none."""
    assert data_of("ascii", Read(unit, 3, 0x04D0, 2), b"", frame) == says


GOOD = bytes([3, 2, 0xF8, 0xE0])


@pytest.mark.parametrize(
    ("unit", "body", "says"),
    [
        pytest.param(1, GOOD, b"\xf8\xe0", id="the reply"),
        pytest.param(2, GOOD, Reason.WRONG_DEVICE, id="another device"),
        pytest.param(1, bytes([4]) + GOOD[1:], Reason.UNEXPECTED_REPLY, id="another function"),
        pytest.param(1, bytes([3, 4, 0, 0, 0, 0]), Reason.UNEXPECTED_REPLY, id="too many registers"),
        pytest.param(1, bytes([3, 0]), Reason.UNEXPECTED_REPLY, id="no register"),
        pytest.param(1, bytes([3, 4, 0xF8, 0xE0]), Reason.UNEXPECTED_REPLY, id="tells more than it has"),
        pytest.param(1, bytes([3, 2, 0xF8, 0xE0, 0]), Reason.UNEXPECTED_REPLY, id="has more than it tells"),
        pytest.param(
            1, bytes([3, 0x00, 0x30, 0x00, 0x01]), Reason.UNEXPECTED_REPLY, id="echo of the request"
        ),
        pytest.param(1, bytes([3]), Reason.CORRUPT_FRAME, id="nothing after the function"),
        pytest.param(1, bytes([0x83, 1]), Reason.REFUSED, id="illegal function"),
        pytest.param(1, bytes([0x83, 2]), Reason.REFUSED, id="illegal address"),
        pytest.param(1, bytes([0x83, 3]), Reason.REFUSED, id="illegal count"),
        pytest.param(1, bytes([0x83, 4]), Reason.SENSOR_FAULT, id="device failure"),
        pytest.param(1, bytes([0x83, 5]), Reason.NOT_READY, id="takes a while"),
        pytest.param(1, bytes([0x83, 6]), Reason.NOT_READY, id="busy"),
        pytest.param(1, bytes([0x83, 8]), Reason.SENSOR_FAULT, id="memory parity"),
        pytest.param(1, bytes([0x83, 10]), Reason.NOT_CONNECTED, id="gateway has no way"),
        pytest.param(1, bytes([0x83, 11]), Reason.NOT_CONNECTED, id="gateway got no answer"),
        pytest.param(1, bytes([0x83, 99]), Reason.REFUSED, id="a code of the vendor's own"),
        pytest.param(1, bytes([0x83, 2, 0]), Reason.CORRUPT_FRAME, id="an exception that is too long"),
        pytest.param(1, bytes([0x84, 2]), Reason.UNEXPECTED_REPLY, id="an exception to another function"),
    ],
)
@pytest.mark.parametrize("way", WAYS)
def test_what_a_sound_frame_says(way: Transport, unit: int, body: bytes, says: bytes | Reason) -> None:
    """Address, function, length and exceptions mean the same however they are framed."""
    read = Read(1, 3, 0x30, 1)
    frame = framed(way, unit, body, b"\0\0").removesuffix(b"\r\n")
    assert data_of(way, read, request(way, read), frame) == says


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        pytest.param("00 07 00 00 00 05 01 03 02 F8 E0", b"\xf8\xe0", id="the reply"),
        pytest.param("00 06 00 00 00 05 01 03 02 F8 E0", Reason.UNEXPECTED_REPLY, id="to the request before"),
        pytest.param("00 07 00 01 00 05 01 03 02 F8 E0", Reason.CORRUPT_FRAME, id="no Modbus"),
        pytest.param("00 07 00 00 00 06 01 03 02 F8 E0", Reason.CORRUPT_FRAME, id="tells more than it has"),
        pytest.param("00 07 00 00 00 04 01 03 02 F8 E0", Reason.CORRUPT_FRAME, id="tells less than it has"),
        pytest.param("00 07 00 00 00", Reason.CORRUPT_FRAME, id="torn in its head"),
        pytest.param("00 07 00 00 00 00", Reason.CORRUPT_FRAME, id="nothing after its head"),
    ],
)
def test_replies_over_tcp(frame: str, says: bytes | Reason) -> None:
    """The transaction is that of the request, and the length is true."""
    read = Read(1, 3, 0x30, 1)
    sent = wire.tcp_numbered(request("tcp", read), 7)
    assert data_of("tcp", read, sent, bytes.fromhex(frame)) == says


@given(st.binary(min_size=1, max_size=40), st.integers(0, 319))
def test_one_wrong_bit_is_noticed(data: bytes, bit: int) -> None:
    """On a serial line no flipped bit passes, wherever it is."""
    read = Read(1, 3, 0, 1)
    body = GOOD
    for way in ("rtu", "ascii"):
        frame = bytearray(framed(way, 1, body).removesuffix(b"\r\n"))
        at = bit % (8 * len(frame))
        frame[at // 8] ^= 1 << at % 8
        said = data_of(way, read, b"", bytes(frame))
        if way == "ascii" and bytes(frame).upper() == framed(way, 1, body).removesuffix(b"\r\n"):
            assert said == b"\xf8\xe0", "the bit that makes a small letter of a large one changes nothing"
        else:
            assert isinstance(said, Reason)


@given(st.sampled_from(WAYS), st.binary(max_size=300), st.integers(1, 125), st.sampled_from([1, 2, 3, 4]))
def test_any_bytes_are_data_of_the_asked_length_or_a_reason(
    way: Transport, frame: bytes, count: int, function: Any
) -> None:
    """No bytes raise; what passes has the length that was asked for."""
    read = Read(1, function, 0, count)
    said = data_of(way, read, request(way, read), frame)
    if not isinstance(said, Reason):
        assert len(said) == (2 * count if function >= 3 else -(-count // 8))
    wire.exception_code(way, request(way, read), frame)


@given(
    st.lists(st.integers(0, 65_535), min_size=1, max_size=125), st.integers(1, 247), st.sampled_from([3, 4])
)
def test_what_another_library_sends_is_read(registers: list[int], unit: int, function: Any) -> None:
    """pymodbus's own replies, in its own framing, come out as the registers that went in."""
    make = ReadHoldingRegistersResponse if function == 3 else ReadInputRegistersResponse
    framers = {"rtu": FramerRTU, "ascii": FramerAscii, "tcp": FramerSocket}
    for way in WAYS:
        read = Read(unit, function, 0, len(registers))
        pdu = make(registers=registers, dev_id=unit, transaction_id=0)
        frame = framers[way](DecodePDU(is_server=False)).buildFrame(pdu).removesuffix(b"\r\n")
        data = data_of(way, read, request(way, read), frame)
        assert data == struct.pack(f">{len(registers)}H", *registers)


@given(st.binary(max_size=300))
def test_sums_by_two_ways(data: bytes) -> None:
    """The library's sums are those of the specification, computed bit by bit."""
    assert FramerRTU.compute_CRC(data).to_bytes(2, "big") == crc16(data)
    assert FramerAscii.compute_LRC(data) == lrc(data)


# --- What a port is told ------------------------------------

LINES = {
    "rtu": Line(b"", 256, 1000, size=wire.rtu_size),
    "ascii": Line(b"\r\n", 511, 1000),
    "tcp": Line(b"", 260, 1000, size=wire.tcp_size),
}


@given(st.sampled_from(WAYS), st.lists(st.integers(0, 65_535), min_size=1, max_size=125), st.data())
def test_a_reply_is_cut_whole_out_of_any_pieces(
    way: Transport, registers: list[int], data: st.DataObject
) -> None:
    """Byte by byte or at once: one frame, all of it, and nothing begun after it."""
    body = bytes([3, 2 * len(registers)]) + struct.pack(f">{len(registers)}H", *registers)
    frame = framed(way, 17, body, b"\x12\x34")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(frame)), max_size=6)))
    frames = cutter(LINES[way])
    found: list[object] = []
    for a, b in zip([0, *cuts], [*cuts, len(frame)], strict=True):
        found += frames.feed(frame[a:b])
    assert found == [frame.removesuffix(b"\r\n") if way == "ascii" else frame]
    assert not frames.waiting


@pytest.mark.parametrize(
    ("frame", "size"),
    [
        pytest.param("01", None, id="not yet"),
        pytest.param("01 03", None, id="the count is missing"),
        pytest.param("01 03 02", 7, id="one register"),
        pytest.param("01 01 01", 6, id="eight coils"),
        pytest.param("01 83", 5, id="an exception"),
        pytest.param("01 10 00", None, id="a reply to nothing that we ask"),
    ],
)
def test_how_long_a_frame_is(frame: str, size: int | None) -> None:
    """Its beginning tells; for what we never ask it does not."""
    assert wire.rtu_size(bytes.fromhex(frame)) == size


@pytest.mark.parametrize("way", ["rtu", "ascii"])
@pytest.mark.parametrize(
    ("unit", "body", "answers"),
    [
        pytest.param(1, GOOD, True, id="the reply"),
        pytest.param(1, bytes([0x83, 2]), True, id="an exception"),
        pytest.param(2, GOOD, False, id="another device"),
        pytest.param(1, bytes([4]) + GOOD[1:], False, id="another function"),
    ],
)
def test_what_may_answer(way: Transport, unit: int, body: bytes, answers: bool) -> None:
    """A late reply is waited for until one comes that can be it."""
    can = wire.rtu_answers if way == "rtu" else wire.ascii_answers
    frame = framed(way, unit, body).removesuffix(b"\r\n")
    assert can(request(way, Read(1, 3, 0x30, 1)), frame) is answers
    assert can(request(way, Read(1, 3, 0x30, 1)), frame[:-1]) is False


def test_transactions_are_numbered() -> None:
    """Each number once in 65536, and a reply names its own."""
    sent = request("tcp", Read(1, 3, 0x30, 1))
    numbered = [wire.tcp_numbered(sent, number) for number in (1, 2, 65_535, 65_536, 65_537)]
    assert [frame[:2].hex() for frame in numbered] == ["0001", "0002", "ffff", "0000", "0001"]
    assert all(frame[2:] == sent[2:] for frame in numbered)
    reply = framed("tcp", 1, GOOD, b"\0\x02")
    assert [wire.tcp_answers(frame, reply) for frame in numbered] == [False, True, False, False, False]
