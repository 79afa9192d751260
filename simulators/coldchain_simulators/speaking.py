"""A device that speaks by itself, at exact intervals of simulated time."""

from __future__ import annotations

import threading
from typing import Protocol

from coldchain.clock import Clock
from coldchain_simulators.stepping import Stepper
from coldchain_simulators.wires import Wire

_LOOK_S = 0.1


class Speaks(Protocol):
    """A device that has something to say. No line, no clock."""

    def line(self, utc_ms: int) -> bytes:
        """What it says at this time, with its end."""
        ...


class SpeakingSimulator:
    """The device at the end of a line. `stepper` moves what its probes hang in."""

    def __init__(self, device: Speaks, wire: Wire, stepper: Stepper, interval_ms: int = 60_000) -> None:
        """`interval_ms`: simulated time between two lines."""
        self.device = device
        self.wire = wire
        self._stepper = stepper
        stepper.every(interval_ms, self.emit)

    @property
    def port(self) -> str:
        """What a client opens."""
        return self.wire.port

    def emit(self, utc_ms: int) -> None:
        """Speak now."""
        self.wire.write(self.device.line(utc_ms))

    def process(self, dt_s: float) -> None:
        """Let simulated time pass; what falls due in it is said."""
        self._stepper.process(dt_s)

    def run(self, clock: Clock, stop: threading.Event) -> None:
        """Follow the clock and speak until `stop` is set."""
        listener = threading.Thread(target=self.serve, args=(stop,), name=f"simulated {self.port}")
        listener.start()
        try:
            self._stepper.run(clock, stop)
        finally:
            stop.set()
            listener.join()

    def serve(self, stop: threading.Event) -> None:
        """Swallow what comes in (and let TCP clients in) until `stop` is set."""
        swallow(self.wire, stop)


def swallow(wire: Wire, stop: threading.Event) -> None:
    """Take what comes in on a line and let TCP clients in, until `stop` is set: its device hears nothing."""
    while not stop.is_set():
        wire.read(_LOOK_S)
