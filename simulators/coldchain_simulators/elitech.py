"""A simulated Elitech RC-4, RC-4HC or RC-5 at the end of a serial line, with what it recorded on a trip.

Its bytes are put together here from the description of its line (civic/elitech-datareader, rc-4-data.md),
without the importer's reader: so one checks the other. What it recorded comes from a physical model, read at
its interval.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from coldchain_simulators.wires import Wire

_REQUEST_BYTES = 5
_LOOK_S = 0.05


@dataclass(slots=True)
class ElitechLogger:
    """What it holds and says. No line, no clock. `start`, `now`: by its own clock, which knows no zone.

    tenths: its measurements, in tenths; with humidity two values each. damaged: numbers of replies of
    which one byte is changed on the way; short: of which half is lost; sums: whether its checksums are
    the sum of the bytes.
    """

    tenths: list[int]
    start: datetime
    now: datetime
    interval_s: int = 300
    model: int = 40
    page_values: int = 100
    values: int = 1
    station: int = 1
    number: bytes = b"9900112233"
    unit: int = 0x31
    state: int = 2
    delay: int = 0
    damaged: set[int] = field(default_factory=set)
    short: set[int] = field(default_factory=set)
    sums: bool = True
    requests: list[bytes] = field(default_factory=list)

    def measure(
        self, sample: Callable[[], float | None], process: Callable[[float], object], count: int
    ) -> None:
        """Record so many measurements, letting the body that is measured pass its time."""
        for _ in range(count):
            value = sample()
            self.tenths.append(0 if value is None else round(value * 10))
            process(self.interval_s)

    def reply(self, request: bytes) -> bytes | None:
        """The answer to a request; None: it is not known, or not for this station."""
        if sum(request[:-1]) % 256 != request[-1]:
            return None
        self.requests.append(request)
        body = self._body(request)
        if body is None:
            return None
        whole = b"\x55" + body
        whole += bytes([(sum(whole) + (0 if self.sums else 1)) % 256])
        number = len(self.requests)
        if number in self.damaged:
            middle = len(whole) // 2
            whole = whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :]
        return whole[: len(whole) // 2] if number in self.short else whole

    def _body(self, request: bytes) -> bytes | None:
        start, station, command, page = request[:4]
        if (start, command) == (0xCC, 0x0A):
            return b"\xa5"
        if (start, command) == (0xCC, 0x06):
            return self._information()
        if start != 0x33 or station != self.station:
            return None
        if command == 0x01:
            return (len(self.tenths) // self.values).to_bytes(2) + _moment(self.start)
        if command == 0x02:
            values = self.tenths[page * self.page_values : (page + 1) * self.page_values]
            return b"".join(value.to_bytes(2, signed=True) for value in values)
        return None

    def _information(self) -> bytes:
        hours, minutes, seconds = self.interval_s // 3600, self.interval_s // 60 % 60, self.interval_s % 60
        said = bytes([self.station, 1, self.model, 10, hours, minutes, seconds])
        said += (80).to_bytes(2, signed=True) + (20).to_bytes(2, signed=True) + _moment(self.start)
        said += bytes([self.state]) + _moment(self.start) + b"\x13\x64"
        said += (len(self.tenths) // self.values).to_bytes(2) + _moment(self.now)
        said += b"a simulated logger".ljust(100, b"\0") + self.number.ljust(10, b"\0")[:10]
        return said + bytes([self.delay, 0x31, 0, self.unit, 0]) + bytes(6)


def _moment(at: datetime) -> bytes:
    return at.year.to_bytes(2) + bytes([at.month, at.day, at.hour, at.minute, at.second])


class ElitechSimulator:
    """The logger on a line."""

    def __init__(self, device: ElitechLogger, wire: Wire) -> None:
        self.device, self.wire = device, wire

    @property
    def port(self) -> str:
        """What a client opens."""
        return self.wire.port

    def serve(self, stop: threading.Event) -> None:
        """Answer on the line until `stop` is set. A request is five bytes."""
        buffer = b""
        while not stop.is_set():
            buffer += self.wire.read(_LOOK_S)
            while len(buffer) >= _REQUEST_BYTES:
                request, buffer = buffer[:_REQUEST_BYTES], buffer[_REQUEST_BYTES:]
                reply = self.device.reply(request)
                if reply is not None:
                    self._write(reply)

    def _write(self, reply: Sequence[int]) -> None:
        """A pseudo-terminal takes some 4 kB at a time: more would be lost."""
        whole = bytes(reply)
        for at in range(0, len(whole), 512):
            self.wire.write(whole[at : at + 512])
