"""Several simulated devices on one clock: started, moved and ended together."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from coldchain.clock import Clock
from coldchain_simulators.mqtt_logger import MqttLoggerSimulator
from coldchain_simulators.stepping import Body, Stepper
from coldchain_simulators.wires import Wire


class OnALine(Protocol):
    """A simulator at the end of a serial line."""

    @property
    def wire(self) -> Wire:
        """Its end of the line."""
        ...

    def serve(self, stop: threading.Event) -> None:
        """Tend the line until `stop` is set."""
        ...


class Rig:
    """One stepper for all bodies and devices, a thread for time and one for each line."""

    def __init__(self, clock: Clock, bodies: Sequence[Body]) -> None:
        """Devices are made with `stepper` and then handed to `lines` and `loggers`."""
        self.stepper = Stepper(bodies)
        self.lines: list[OnALine] = []
        self.loggers: list[MqttLoggerSimulator] = []
        self._clock = clock
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Let time run with the clock, tend the lines, publish."""
        for logger in self.loggers:
            logger.publisher.start()
        self._thread("simulated time", lambda: self.stepper.run(self._clock, self._stop))
        for line in self.lines:
            self._thread(f"simulated {line.wire.port}", functools.partial(line.serve, self._stop))

    def stop(self) -> None:
        """End everything; lines and connections are closed."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for logger in self.loggers:
            logger.publisher.stop()
        for line in self.lines:
            line.wire.close()

    def process(self, dt_s: float) -> None:
        """Let simulated time pass without a clock, instead of `start`; messages wait in memory."""
        self.stepper.process(dt_s)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _thread(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name)
        self._threads.append(thread)
        thread.start()
