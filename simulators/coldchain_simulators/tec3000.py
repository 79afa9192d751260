"""A simulated TEC 3000 freezer controller, with the ways in which a serial line goes wrong.

As far as it is known (docs/drivers/mve_tec3000.md): it answers a known query, addressed to it, with
a number and nothing else, and is silent about all other frames. What the real one does with an
unknown query, or with a probe that is not there, was not published; silence is our judgement.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from random import Random

from coldchain.clock import Clock
from coldchain_simulators.shown import TemperatureUnit, fixed, in_unit
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


class Tec3000:
    """The controller itself: what it shows, and what it answers. No line, no clock."""

    def __init__(
        self,
        probes: Mapping[str, Sample],
        *,
        address: int | None = None,
        unit: TemperatureUnit = "degC",
        identity: str = "Controller, Software ver. 0.00",
        seed: int = 0,
    ) -> None:
        """`probes`: by query without "?", as {"TEMPA": probe.sample}; without `address` frames have none."""
        self.address = address
        self.unit: TemperatureUnit = unit
        self.identity = identity
        self.other_unit_shows = "21.50"
        self.delay_s = 5.0  # beyond the 3 s that a reader waits
        self.pace_s = 0.002
        self.requests = 0
        self._probes = dict(probes)
        self._shows: dict[str, str | None] = dict.fromkeys(self._probes)
        self._faults: deque[Fault] = deque()
        self._standing: Fault | None = None
        self._noise = Random(seed)  # noqa: S311 - line noise, no secret

    def measure(self, _at_ms: int = 0) -> None:
        """Take a sample of each probe onto the display."""
        for name, sample in self._probes.items():
            celsius = sample()
            self._shows[name] = None if celsius is None else fixed(in_unit(celsius, self.unit), 2)

    def inject(self, *faults: Fault) -> None:
        """Let the next replies go wrong, one each."""
        self._faults.extend(faults)

    def keep(self, fault: Fault | None) -> None:
        """Let every reply go wrong in this way until told otherwise; None ends it."""
        self._standing = fault

    def reply(self, frame: bytes) -> bytes | None:
        """The answer to a frame without its line end, or None: not for us, or not known."""
        if self.address is not None:
            mine = b"%03d " % self.address
            if not frame.startswith(mine):
                return None
            frame = frame.removeprefix(mine)
        if frame == b"*IDN?":
            return self.identity.encode("ascii") + b"\r\n"
        name = frame.decode("ascii", errors="replace")
        shown = self._shows.get(name.removesuffix("?")) if name.endswith("?") else None
        return None if shown is None else shown.encode("ascii") + b"\r\n"

    def pieces(self, frame: bytes) -> list[Piece]:
        """What goes out in answer to a frame, fault included."""
        reply = self.reply(frame)
        if reply is None:
            return []
        self.requests += 1
        fault = self._faults.popleft() if self._faults else self._standing
        match fault:
            case None:
                return [(0.0, reply)]
            case Fault.SILENT:
                return []
            case Fault.GARBAGE:
                return [(0.0, self._noise.randbytes(self._noise.randrange(1, 40)) + b"\r\n")]
            case Fault.OTHER_UNIT:
                return [(0.0, self.other_unit_shows.encode("ascii") + b"\r\n")]
            case Fault.PARTIAL:
                return [(0.0, reply[: len(reply) // 2])]
            case Fault.ECHO:
                return [(0.0, frame + b"\r\n"), (0.0, reply)]
            case Fault.SPLIT:
                return [(self.pace_s, reply[at : at + 1]) for at in range(len(reply))]
            case Fault.DELAYED:
                return [(self.delay_s, reply)]


class Tec3000Simulator:
    """The controller at the end of a line. `stepper` moves what its probes hang in, and its display."""

    def __init__(self, device: Tec3000, wire: Wire, stepper: Stepper, cycle_ms: int = 2000) -> None:
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
        speaker = threading.Thread(target=self.serve, args=(stop,), name="tec3000 line")
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
            *frames, buffer = buffer.split(b"\r\n")
            buffer = buffer[-_FRAME_BYTES_MAX:]
            for frame in frames:
                for after_s, piece in self.device.pieces(frame):
                    if after_s and stop.wait(after_s):  # real seconds: so are the reader's time-outs
                        return
                    self.wire.write(piece)
