"""Simulated Modbus devices: registers that follow probes, three ways of framing, and what goes wrong.

Made from the specifications alone, without the library that the driver uses, so that neither can hide
a mistake of the other. A device that is asked to write does so: that nobody asks is for a test to see
(`writes`).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from random import Random
from typing import Literal

from coldchain.clock import Clock
from coldchain_simulators.stepping import Stepper
from coldchain_simulators.wires import Wire

_LOOK_S = 0.1
_FRAME_BYTES_MAX = 600
_QUIET_S = 0.004  # 3.5 characters at 9600 baud: MODBUS over Serial Line V1.02, 2.5.1.1

Framing = Literal["rtu", "ascii", "tcp"]
#: The content of one register (0 to 65535) or bit (0, 1), asked whenever the device measures.
Cell = Callable[[], int]
Piece = tuple[float, bytes]


class Fault(Enum):
    """What the line or the device does wrong with one reply."""

    SILENT = "silent"
    GARBAGE = "garbage"
    WRONG_SUM = "wrong sum"  # a bit has flipped on the way; over TCP the length is wrong instead
    OTHER_UNIT = "other unit"  # another device answers in its place
    OTHER_FUNCTION = "other function"
    TOO_FEW = "too few"  # sound, and with fewer registers than were asked for
    TOO_MANY = "too many"
    TORN = "torn"  # the end is missing
    TRAILING = "trailing"  # bytes follow the frame
    ECHO = "echo"  # the request comes back before the reply
    SPLIT = "split"  # byte by byte
    LATE = "late"  # after everybody's patience
    BUSY = "busy"  # exception 6
    REFUSES = "refuses"  # exception 2


class ModbusSlave:
    """One device: an address, and banks of cells by function code (1 to 4) and address as sent."""

    def __init__(self, unit: int, banks: Mapping[int, Mapping[int, Cell]]) -> None:
        """It has measured once."""
        self.unit = unit
        self.requests = 0
        self.writes = 0
        self._banks = banks
        self._shows: dict[tuple[int, int], int] = {}
        self._written: dict[tuple[int, int], int] = {}
        self._faults: deque[Fault] = deque()
        self._standing: Fault | None = None
        self.measure()

    def measure(self, _at_ms: int = 0) -> None:
        """Take every cell's content into the registers."""
        self._shows = {
            (function, address): cell()
            for function, bank in self._banks.items()
            for address, cell in bank.items()
        } | self._written

    def inject(self, *faults: Fault) -> None:
        """Let the next replies go wrong, one each."""
        self._faults.extend(faults)

    def keep(self, fault: Fault | None) -> None:
        """Let every reply go wrong in this way until told otherwise; None ends it."""
        self._standing = fault

    def fault(self) -> Fault | None:
        """What goes wrong with the reply that is due now."""
        return self._faults.popleft() if self._faults else self._standing

    def reply(self, request: bytes) -> bytes:
        """The answer to a request, both without address and sum."""
        function = request[0]
        self.requests += 1
        if function in (5, 6, 15, 16):
            return self._write(function, request)
        if function not in (1, 2, 3, 4):
            return bytes([function | 0x80, 1])
        if len(request) != 5:
            return bytes([function | 0x80, 3])
        first, count = int.from_bytes(request[1:3], "big"), int.from_bytes(request[3:5], "big")
        if not 1 <= count <= (2000 if function <= 2 else 125):
            return bytes([function | 0x80, 3])
        cells = [self._shows.get((function, address)) for address in range(first, first + count)]
        held = [cell for cell in cells if cell is not None]
        if len(held) < count:
            return bytes([function | 0x80, 2])
        if function <= 2:
            packed = sum(bit << at for at, bit in enumerate(held)).to_bytes((count + 7) // 8, "little")
        else:
            packed = b"".join(cell.to_bytes(2, "big") for cell in held)
        return bytes([function, len(packed)]) + packed

    def _write(self, function: int, request: bytes) -> bytes:
        self.writes += 1
        if function == 6:
            address, value = int.from_bytes(request[1:3], "big"), int.from_bytes(request[3:5], "big")
            self._written[3, address] = value
            self.measure()
        return request[:5]


# --- Framing -----------------------------------------------------------------------------------------------


def crc16(data: bytes) -> bytes:
    """The sum of an RTU frame: polynomial 0xA001, from 0xFFFF, low byte first (Serial Line, appendix B)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


def lrc(data: bytes) -> int:
    """The sum of an ASCII frame: what makes all bytes add up to nothing (Serial Line, 2.5.2.2)."""
    return -sum(data) & 0xFF


def framed(framing: Framing, unit: int, body: bytes, number: bytes = b"\0\0") -> bytes:
    """A whole frame; `number`: the transaction of TCP."""
    told = bytes([unit]) + body
    if framing == "rtu":
        return told + crc16(told)
    if framing == "ascii":
        return b":" + (told + bytes([lrc(told)])).hex().upper().encode("ascii") + b"\r\n"
    return number + b"\0\0" + len(told).to_bytes(2, "big") + told


class _Cut:
    """Cuts what comes in into requests: transaction number, address, body."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._buffer = b""

    def feed(self, data: bytes) -> list[tuple[bytes, int, bytes]]:
        """What is whole now."""
        self._buffer = (self._buffer + data)[-_FRAME_BYTES_MAX:]
        match self._framing:
            case "rtu":
                return self._rtu()
            case "ascii":
                return self._ascii()
            case "tcp":
                return self._tcp()

    def _rtu(self) -> list[tuple[bytes, int, bytes]]:
        frame = self._buffer
        if len(frame) < 4 or crc16(frame[:-2]) != frame[-2:]:
            return []
        self._buffer = b""
        return [(b"", frame[0], frame[1:-2])]

    def silence(self) -> None:
        """What has come by now begins no frame any more."""
        if self._framing == "rtu":
            self._buffer = b""

    def _ascii(self) -> list[tuple[bytes, int, bytes]]:
        *lines, self._buffer = self._buffer.split(b"\r\n")
        found = []
        for line in lines:
            try:
                told = bytes.fromhex(line.removeprefix(b":").decode("ascii"))
            except ValueError:
                continue
            if line.startswith(b":") and len(told) >= 3 and lrc(told) == 0:
                found.append((b"", told[0], told[1:-1]))
        return found

    def _tcp(self) -> list[tuple[bytes, int, bytes]]:
        found = []
        while len(self._buffer) >= 8:
            size = 6 + int.from_bytes(self._buffer[4:6], "big")
            if len(self._buffer) < size:
                break
            frame, self._buffer = self._buffer[:size], self._buffer[size:]
            found.append((frame[:2], frame[6], frame[7:]))
        return found


class ModbusBus:
    """Several devices on one line. No clock: `pieces` says what goes out, and after how many real seconds."""

    def __init__(self, framing: Framing, slaves: Sequence[ModbusSlave], *, seed: int = 0) -> None:
        """Addresses must differ."""
        self.framing: Framing = framing
        self.slaves = {slave.unit: slave for slave in slaves}
        self.late_s = 1.6  # beyond the second that a reader waits
        self.pace_s = 0.002
        self._noise = Random(seed)  # noqa: S311 - line noise, no secret

    def pieces(self, number: bytes, unit: int, request: bytes) -> list[Piece]:
        """What goes out in answer to a request; nothing if it is for somebody else."""
        slave = self.slaves.get(unit)
        if slave is None or not request:
            return []
        body = slave.reply(request)
        sound = framed(self.framing, unit, body, number)
        match slave.fault():
            case None:
                return [(0.0, sound)]
            case Fault.SILENT:
                return []
            case Fault.SPLIT:
                return [(self.pace_s, sound[at : at + 1]) for at in range(len(sound))]
            case Fault.LATE:
                return [(self.late_s, sound)]
            case fault:
                return [(0.0, self._instead(fault, unit, request, body, number))]

    def _instead(self, fault: Fault, unit: int, request: bytes, body: bytes, number: bytes) -> bytes:
        """What comes in the place of a sound reply."""
        function, sound = request[0], framed(self.framing, unit, body, number)

        def said(body: bytes, by: int = unit) -> bytes:
            return framed(self.framing, by, body, number)

        return {
            Fault.GARBAGE: lambda: self._noise.randbytes(self._noise.randrange(1, 40)),
            Fault.WRONG_SUM: lambda: self._flipped(sound),
            Fault.OTHER_UNIT: lambda: said(body, unit % 247 + 1),
            Fault.OTHER_FUNCTION: lambda: said(bytes([function ^ 7]) + body[1:]),
            Fault.TOO_FEW: lambda: said(bytes([function, 0])),
            Fault.TOO_MANY: lambda: said(bytes([function, body[1] + 2]) + body[2:] + b"\xf8\xe0"),
            Fault.TORN: lambda: sound[: len(sound) // 2],
            Fault.TRAILING: lambda: sound + b"\0",
            Fault.ECHO: lambda: said(request) + sound,
            Fault.BUSY: lambda: said(bytes([function | 0x80, 6])),
            Fault.REFUSES: lambda: said(bytes([function | 0x80, 2])),
        }[fault]()

    def _flipped(self, frame: bytes) -> bytes:
        """The frame with one bit wrong, where the protocol notices it: TCP has no sum but its length."""
        at = 5 if self.framing == "tcp" else 3
        digit = frame[at : at + 1]
        wrong = bytes([digit[0] ^ 1])
        return frame[:at] + wrong + frame[at + 1 :]


class ModbusSimulator:
    """Devices at the end of a line. `stepper` moves what their probes hang in, and measures."""

    def __init__(self, bus: ModbusBus, wire: Wire, stepper: Stepper, cycle_ms: int = 1000) -> None:
        """`cycle_ms`: simulated time between two measurements (judgement)."""
        self.bus = bus
        self.wire = wire
        self._stepper = stepper
        for slave in bus.slaves.values():
            stepper.every(cycle_ms, slave.measure)

    @property
    def port(self) -> str:
        """What a client opens."""
        return self.wire.port

    def process(self, dt_s: float) -> None:
        """Let simulated time pass without a line."""
        self._stepper.process(dt_s)

    def run(self, clock: Clock, stop: threading.Event) -> None:
        """Follow the clock and answer until `stop` is set."""
        speaker = threading.Thread(target=self.serve, args=(stop,), name="modbus line")
        speaker.start()
        try:
            self._stepper.run(clock, stop)
        finally:
            stop.set()
            speaker.join()

    def serve(self, stop: threading.Event) -> None:
        """Answer on the line until `stop` is set; somebody else moves time."""
        cut = _Cut(self.bus.framing)
        waiting = False
        while not stop.is_set():
            data = self.wire.read(_QUIET_S if waiting else _LOOK_S)
            if not data:
                cut.silence()
                waiting = False
                continue
            waiting = True
            for number, unit, request in cut.feed(data):
                for after_s, piece in self.bus.pieces(number, unit, request):
                    if after_s and stop.wait(after_s):  # real seconds: so are the reader's time-outs
                        return
                    self.wire.write(piece)
