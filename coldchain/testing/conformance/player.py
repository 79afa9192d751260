"""A device that plays a datasheet: it answers each question as the vectors say, and wrongly on demand."""

from __future__ import annotations

import threading
from enum import Enum
from random import Random
from types import TracebackType
from typing import Self

from coldchain.datasheet import Vector
from coldchain.driver import Line, Query, SerialDriver
from coldchain.testing.conformance.subject import Subject
from coldchain_simulators.wires import PtyWire

_LOOK_S = 0.02
#: How often a device that speaks by itself does.
_SPEAKS_S = 0.1
#: A request that is not known after so long a rest is none of this driver's.
_STRANGE_S = 0.3
#: Numbers of requests have 16 bits; one is looked for so far ahead of the last.
_NUMBERS, _NUMBERS_AHEAD = 1 << 16, 50


class Fault(Enum):
    """What is done to one reply."""

    SILENT = "silent"
    PARTIAL = "partial"
    TORN = "torn, its rest late"
    MERGED = "two at once"
    SPLIT = "byte by byte"
    ECHOED = "echoed"
    GARBAGE = "garbage"
    CORRUPTED = "a changed byte"
    WRONG_ADDRESS = "another device's"
    OVERSIZED = "oversized"
    LATE = "late"


FAULTS = tuple(Fault)


def _plain(vector: Vector) -> bool:
    """Whether it is read with the example's settings, and all that it says are values."""
    return not vector.changes and bool(vector.says) and all(said.bad is None for said in vector.says)


class Player:
    """A thread at the device's end of the wire."""

    def __init__(self, subject: Subject, line: Line, wire: PtyWire) -> None:
        self.strange: list[bytes] = []
        self.values: set[tuple[str, str, str]] = set()
        self.notes: set[tuple[str, str]] = set()
        self._subject = subject
        self._line = line
        self._wire = wire
        self._fault: Fault | None = None
        self._number = 0
        self._noise = Random(5)  # noqa: S311 - line noise, no secret
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._play, name=f"plays {subject.name}")
        driver = subject.driver
        assert isinstance(driver, SerialDriver)
        settings = subject.settings()
        self._answers: dict[bytes, bytes] = {}
        self._says: list[bytes] = []
        for query in driver.poll(settings):
            self._answer(query, self._good(query.key))
        if not self._answers:
            self._says = [self._spoken(vector) for vector in self._unasked()]
        requests = driver.identity(settings)
        for request in requests:
            right = next(
                each
                for each in subject.datasheet.identities
                if each.right and (each.asked or requests[0].key) == request.key
            )
            self._answers[request.send] = right.reply + line.terminator

    # What there is to say

    def _good(self, key: str) -> Vector:
        for vector in self._subject.datasheet.vectors:
            if vector.asked == key and _plain(vector):
                return vector
        raise AssertionError(f"{self._subject.name}: no vector with the example's settings answers {key!r}")

    def _unasked(self) -> list[Vector]:
        found = [
            vector for vector in self._subject.datasheet.vectors if vector.asked is None and _plain(vector)
        ]
        assert found, f"{self._subject.name}: it speaks by itself, and no vector shows what"
        return found[:1]

    def _answer(self, query: Query, vector: Vector) -> None:
        requests = (query.send, *query.then)
        assert len(requests) == len(vector.parts), (
            f"{vector.name}: {len(requests)} requests need as many replies"
        )
        for request, reply in zip(requests, vector.parts, strict=True):
            self._answers[request] = reply + self._line.terminator
        self._note(vector)

    def _spoken(self, vector: Vector) -> bytes:
        self._note(vector)
        return vector.parts[0] + self._line.terminator

    def _note(self, vector: Vector) -> None:
        self.notes |= {(said.key or "", said.text) for said in vector.says if said.text}
        self.values |= {(said.key or "", said.value or "", said.unit) for said in vector.says if said.value}

    # What goes wrong

    def can(self, fault: Fault) -> bool:
        """Whether this device can do that. (It is no fault of one that echoes if it does.)"""
        sheet = self._subject.datasheet
        if fault is Fault.ECHOED:
            return not self._line.echoes and not self._says
        if fault is Fault.WRONG_ADDRESS:
            return any(vector.about == "address" for vector in sheet.vectors)
        if fault is Fault.CORRUPTED:
            return sheet.checked
        if fault in {Fault.LATE, Fault.MERGED}:
            return not self._says  # who speaks by itself is never late, and two lines are two lines
        return True

    def inject(self, fault: Fault) -> None:
        """Let the next reply go wrong."""
        self._fault = fault

    @property
    def done(self) -> bool:
        """Whether it has gone wrong."""
        return self._fault is None

    def _pieces(self, request: bytes, reply: bytes) -> list[tuple[float, bytes]]:
        """What goes out, after which rests."""
        fault, self._fault = self._fault, None
        late_s = 1.5 * self._line.timeout_ms / 1000
        half = max(1, (len(reply) - len(self._line.terminator)) // 2)
        match fault:
            case None:
                return [(0, reply)]
            case Fault.SILENT:
                return []
            case Fault.PARTIAL:
                return [(0, reply[:half])]
            case Fault.TORN:
                return [(0, reply[:half]), (late_s, reply[half:])]
            case Fault.MERGED:
                return [(0, reply + reply)]
            case Fault.SPLIT:
                return [(0.001, reply[at : at + 1]) for at in range(len(reply))]
            case Fault.ECHOED:
                return [(0, request + reply)]
            case Fault.GARBAGE:
                return [(0, self._noise.randbytes(12) + self._line.terminator)]
            case Fault.CORRUPTED:
                return [(0, bytes([reply[half] ^ 0x04]).join((reply[:half], reply[half + 1 :])))]
            case Fault.WRONG_ADDRESS:
                vectors = self._subject.datasheet.vectors
                other = next(vector for vector in vectors if vector.about == "address")
                return [(0, b"".join(other.parts) + self._line.terminator)]
            case Fault.OVERSIZED:
                return [(0, reply[:half] * (2 + self._line.reply_bytes_max // half) + self._line.terminator)]
            case Fault.LATE:
                return [(late_s, reply)]

    # The thread

    def _play(self) -> None:
        buffer, idle_s, since_s = b"", 0.0, 0.0
        while not self._stop.is_set():
            came = self._wire.read(_LOOK_S)
            buffer += came
            idle_s = 0.0 if came else idle_s + _LOOK_S
            since_s += _LOOK_S
            reply = self._reply(buffer)
            if reply is not None:
                request, buffer = buffer, b""
                self._send(request, self._echo(request) + reply)
            elif buffer and idle_s >= _STRANGE_S:
                self.strange.append(buffer)
                buffer = b""
            if self._says and since_s >= _SPEAKS_S:
                since_s = 0.0
                self._send(b"", self._says[0])

    def _reply(self, buffer: bytes) -> bytes | None:
        """The reply to a request that has come whole; None: it has not, or is none of the driver's."""
        numbered = self._line.numbered
        if numbered is None or not buffer:
            return self._answers.get(buffer)
        for number in range(self._number, self._number + _NUMBERS_AHEAD):
            for request, reply in self._answers.items():
                if numbered(request, number % _NUMBERS) == buffer:
                    self._number = number
                    return numbered(reply, number % _NUMBERS)
        return None

    def _echo(self, request: bytes) -> bytes:
        return request if self._line.echoes else b""

    def _send(self, request: bytes, reply: bytes) -> None:
        for rest_s, piece in self._pieces(request, reply):
            if not rest_s or not self._stop.wait(rest_s):
                self._wire.write(piece)

    def __enter__(self) -> Self:
        """Begin to play."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """End."""
        self._stop.set()
        self._thread.join()
