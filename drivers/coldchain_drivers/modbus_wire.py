"""Modbus frames: requests that only read, and what a reply carries. RTU, ASCII and TCP.

Read-only by construction: the four function codes of `_READS` are the only ones for which there is a
request. Requests and sums are pymodbus's; replies are read here, for its framers search noise for
something that fits, and a monitor takes a whole, true reply or none. Why so:
docs/decisions/0005-modbus-without-its-client.md.

Sources: MODBUS Application Protocol V1.1b3 (7, the exceptions); MODBUS over Serial Line V1.02 (2.5);
MODBUS Messaging on TCP/IP V1.0b (3.1.3).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from msgspec import Struct
from pymodbus.framer import FramerAscii, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from coldchain.model import Reason

Transport = Literal["rtu", "ascii", "tcp"]
Function = Literal[1, 2, 3, 4]

_READS = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}
#: Longest frames by the specifications: 256 bytes; 513 characters, here without line end; 260 bytes.
FRAME_BYTES_MAX: dict[Transport, int] = {"rtu": 256, "ascii": 511, "tcp": 260}
#: Most items in one request (Application Protocol 6.1 to 6.4).
COUNT_MAX: dict[int, int] = {1: 2000, 2: 2000, 3: 125, 4: 125}

_REPLIES = DecodePDU(is_server=False)
_FRAMERS = {"rtu": FramerRTU(_REPLIES), "ascii": FramerAscii(_REPLIES), "tcp": FramerSocket(_REPLIES)}

_EXCEPTION = 0x80
_HEX = re.compile(rb":((?:[0-9A-Fa-f]{2})+)")
_MBAP_BYTES = 7  # transaction, protocol, length, unit

#: What an exception code says. Any other: the device refuses.
_EXCEPTIONS = {
    4: Reason.SENSOR_FAULT,  # server device failure
    5: Reason.NOT_READY,  # acknowledge: it takes a while
    6: Reason.NOT_READY,  # busy
    8: Reason.SENSOR_FAULT,  # memory parity error
    10: Reason.NOT_CONNECTED,  # a gateway has no way to the device
    11: Reason.NOT_CONNECTED,  # a gateway got no answer from it
}


class Read(Struct, frozen=True):
    """What is asked of one device: so many items from an address as it is sent, counted from 0."""

    unit: int
    function: Function
    address: int
    count: int


def request(transport: Transport, read: Read) -> bytes:
    """The frame that asks for it. ValueError: no such function, address or count."""
    if read.function not in _READS:
        raise ValueError(f"function {read.function} does not only read")
    pdu = _READS[read.function](dev_id=read.unit, transaction_id=0, address=read.address, count=read.count)
    return _FRAMERS[transport].buildFrame(pdu)


def data_of(transport: Transport, read: Read, sent: bytes, frame: bytes) -> bytes | Reason:
    """The data bytes that a whole reply to this request carries, or the reason why it carries none.

    `sent`: the request as it went out; with TCP a reply repeats its transaction number.
    """
    if len(frame) > FRAME_BYTES_MAX[transport]:
        return Reason.OVERSIZED_FRAME
    body = _BODIES[transport](sent, frame)
    if isinstance(body, Reason):
        return body
    if len(body) < 3:  # address, function and something
        return Reason.CORRUPT_FRAME
    unit, function, data = body[0], body[1], body[2:]
    if unit != read.unit:
        return Reason.WRONG_DEVICE
    if function == read.function | _EXCEPTION:
        return _EXCEPTIONS.get(data[0], Reason.REFUSED) if len(data) == 1 else Reason.CORRUPT_FRAME
    expected = -(-read.count // 8) if read.function <= 2 else 2 * read.count
    if function != read.function or data[0] != expected or len(data) != expected + 1:
        return Reason.UNEXPECTED_REPLY
    return data[1:]


def exception_code(transport: Transport, sent: bytes, frame: bytes) -> int | None:
    """The number of the exception that a reply carries, for people; None: it carries none."""
    if len(frame) > FRAME_BYTES_MAX[transport]:
        return None
    body = _BODIES[transport](sent, frame)
    if isinstance(body, Reason) or len(body) != 3 or not body[1] & _EXCEPTION:
        return None
    return body[2]


# --- From frame to body: address, function, data ------------------------------------------------------


def _rtu_body(_sent: bytes, frame: bytes) -> bytes | Reason:
    if len(frame) < 4:
        return Reason.CORRUPT_FRAME
    body, check = frame[:-2], frame[-2:]
    return body if FramerRTU.compute_CRC(body) == int.from_bytes(check, "big") else Reason.BAD_CHECKSUM


def _ascii_body(_sent: bytes, frame: bytes) -> bytes | Reason:
    match = _HEX.fullmatch(frame)
    if match is None:
        return Reason.CORRUPT_FRAME
    *body, check = bytes.fromhex(match[1].decode("ascii"))
    return bytes(body) if FramerAscii.compute_LRC(bytes(body)) == check else Reason.BAD_CHECKSUM


def _tcp_body(sent: bytes, frame: bytes) -> bytes | Reason:
    if len(frame) < _MBAP_BYTES or frame[2:4] != b"\0\0" or tcp_size(frame) != len(frame):
        return Reason.CORRUPT_FRAME
    return frame[_MBAP_BYTES - 1 :] if frame[:2] == sent[:2] else Reason.UNEXPECTED_REPLY


_BODIES: dict[Transport, Callable[[bytes, bytes], bytes | Reason]] = {
    "rtu": _rtu_body,
    "ascii": _ascii_body,
    "tcp": _tcp_body,
}


# --- What a port needs to know: where a frame ends, what it answers -------------------------------


def rtu_size(frame: bytes) -> int | None:
    """How long a reply is that begins so; None: not known, or it is no reply to a reading."""
    if len(frame) >= 2 and frame[1] & _EXCEPTION:
        return 5
    return 5 + frame[2] if len(frame) >= 3 and frame[1] in _READS else None


def tcp_size(frame: bytes) -> int | None:
    """How long a frame is that begins so; None: not known yet."""
    return 6 + int.from_bytes(frame[4:6], "big") if len(frame) >= 6 else None


def tcp_numbered(sent: bytes, number: int) -> bytes:
    """The request with this number as its transaction."""
    return (number % 0x10000).to_bytes(2, "big") + sent[2:]


def tcp_answers(sent: bytes, frame: bytes) -> bool:
    """Whether a frame names the transaction of this request."""
    return frame[:2] == sent[:2]


def rtu_answers(sent: bytes, frame: bytes) -> bool:
    """Whether a sound frame names the address and function of this request."""
    return _names_the_same(_rtu_body(b"", sent), _rtu_body(b"", frame))


def ascii_answers(sent: bytes, frame: bytes) -> bool:
    """As `rtu_answers`; the request with its line end, the frame without."""
    return _names_the_same(_ascii_body(b"", sent.removesuffix(b"\r\n")), _ascii_body(b"", frame))


def _names_the_same(asked: bytes | Reason, said: bytes | Reason) -> bool:
    if isinstance(asked, Reason) or isinstance(said, Reason) or min(len(asked), len(said)) < 2:
        return False
    return (asked[0], asked[1]) == (said[0], said[1] & ~_EXCEPTION)
