"""A simulated device at a broker: what it says, in a protocol of its own, is apart from how it is sent."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

from coldchain.clock import Clock
from coldchain_simulators.mqtt_logger import Publisher
from coldchain_simulators.stepping import Stepper


@dataclass(frozen=True, slots=True)
class Out:
    """One message to publish."""

    topic: str
    payload: bytes
    retain: bool = False


class Speaker(Protocol):
    """What a device says. No broker, no clock: it is moved by the stepper's instants alone."""

    def messages(self, utc_ms: int) -> tuple[Out, ...]:
        """What is published at this instant."""
        ...


class MqttDevice:
    """A speaker at a broker. `stepper` moves what its probes hang in."""

    def __init__(
        self, speaker: Speaker, publisher: Publisher, stepper: Stepper, interval_ms: int = 60_000
    ) -> None:
        """`interval_ms`: simulated time between two measurements."""
        self.speaker = speaker
        self.publisher = publisher
        self._stepper = stepper
        stepper.every(interval_ms, self.emit)

    def emit(self, utc_ms: int) -> None:
        """Measure and publish now."""
        for out in self.speaker.messages(utc_ms):
            self.publisher.put(out.payload, out.topic, retain=out.retain)

    def process(self, dt_s: float) -> None:
        """Let simulated time pass; the messages due in it are kept until there is a broker."""
        self._stepper.process(dt_s)

    def run(self, clock: Clock, stop: threading.Event) -> None:
        """Follow the clock and publish until `stop` is set."""
        self.publisher.start()
        try:
            self._stepper.run(clock, stop)
        finally:
            self.publisher.stop()
