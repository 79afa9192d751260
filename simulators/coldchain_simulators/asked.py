"""A device that answers when it is asked, with the ways in which it and its line go wrong.

What it measures is handed in (`sample` functions of a physical model), what it says is `reply`, and how its
bytes reach a line is the simulator's: three things that know nothing of each other.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from enum import Enum
from random import Random

from coldchain.clock import Clock
from coldchain_simulators.stepping import Stepper
from coldchain_simulators.wires import Wire

_FRAME_BYTES_MAX = 128
_LOOK_S = 0.1

Sample = Callable[[], float | None]
#: What goes out, after how many real seconds.
Piece = tuple[float, bytes]


class Fault(Enum):
    """What the line or the device does wrong with one reply."""

    SILENT = "silent"
    GARBAGE = "garbage"
    OTHER_UNIT = "other_unit"  # another unit's answer comes in its place: nothing in it tells so
    PARTIAL = "partial"  # the end is missing, line end included
    ECHO = "echo"  # the request comes back before the reply
    SPLIT = "split"  # byte by byte
    DELAYED = "delayed"  # later than anybody waits


class Asked:
    """A device that is asked. No line, no clock; a kind of device says what it measures and replies."""

    #: What ends a request, and what ends a reply.
    request_end = b"\r\n"
    reply_end = b"\r\n"
    #: It sends each request back before it answers.
    echoes = False
    #: What another device on the same bus would say.
    other_unit_shows = "21.50"

    def __init__(self, seed: int = 0) -> None:
        self.delay_s = 5.0  # beyond what a reader waits
        self.pace_s = 0.002
        self.requests = 0
        self._faults: deque[Fault] = deque()
        self._standing: Fault | None = None
        self._noise = Random(seed)  # noqa: S311 - line noise, no secret

    def measure(self, _at_ms: int = 0) -> None:
        """Take a sample of each probe onto the display."""

    def reply(self, request: bytes) -> bytes | None:
        """The answer to a request without its end, or None: not for us, or not known."""
        raise NotImplementedError

    def inject(self, *faults: Fault) -> None:
        """Let the next replies go wrong, one each."""
        self._faults.extend(faults)

    def keep(self, fault: Fault | None) -> None:
        """Let every reply go wrong in this way until told otherwise; None ends it."""
        self._standing = fault

    def pieces(self, request: bytes) -> list[Piece]:
        """What goes out in answer to a request, echo and fault included."""
        answer = self.reply(request)
        echo = request + self.reply_end if self.echoes else b""
        if answer is None:
            return [(0.0, echo)] if echo else []
        self.requests += 1
        reply = echo + answer
        fault = self._faults.popleft() if self._faults else self._standing
        match fault:
            case None:
                return [(0.0, reply)]
            case Fault.SILENT:
                return []
            case Fault.GARBAGE:
                return [(0.0, self._noise.randbytes(self._noise.randrange(1, 40)) + self.reply_end)]
            case Fault.OTHER_UNIT:
                return [(0.0, self.other_unit_shows.encode("ascii") + self.reply_end)]
            case Fault.PARTIAL:
                return [(0.0, reply[: len(reply) // 2])]
            case Fault.ECHO:
                return [(0.0, request + self.request_end), (0.0, reply)]
            case Fault.SPLIT:
                return [(self.pace_s, reply[at : at + 1]) for at in range(len(reply))]
            case Fault.DELAYED:
                return [(self.delay_s, reply)]


class AskedSimulator:
    """The device at the end of a line. `stepper` moves what its probes hang in, and its display."""

    def __init__(self, device: Asked, wire: Wire, stepper: Stepper, cycle_ms: int = 2000) -> None:
        """`cycle_ms`: simulated time between two measurements (judgement)."""
        self.device = device
        self.wire = wire
        self._stepper = stepper
        stepper.every(cycle_ms, device.measure)

    @property
    def port(self) -> str:
        """What a client opens."""
        return self.wire.port

    def process(self, dt_s: float) -> None:
        """Let simulated time pass without a line."""
        self._stepper.process(dt_s)

    def run(self, clock: Clock, stop: threading.Event) -> None:
        """Follow the clock and answer until `stop` is set."""
        speaker = threading.Thread(target=self.serve, args=(stop,), name=f"simulated {self.port}")
        speaker.start()
        try:
            self._stepper.run(clock, stop)
        finally:
            stop.set()
            speaker.join()

    def serve(self, stop: threading.Event) -> None:
        """Answer on the line until `stop` is set; somebody else moves time."""
        buffer = b""
        while not stop.is_set():
            buffer += self.wire.read(_LOOK_S)
            *requests, buffer = buffer.split(self.device.request_end)
            buffer = buffer[-_FRAME_BYTES_MAX:]
            for request in requests:
                for after_s, piece in self.device.pieces(request):
                    if after_s and stop.wait(after_s):  # real seconds: so are the reader's time-outs
                        return
                    self.wire.write(piece)
