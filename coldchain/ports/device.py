"""One source on a serial line, as the line's thread sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coldchain.clock import Clock
from coldchain.driver import Line, Query, SerialDriver
from coldchain.model import Decoded
from coldchain.pipeline.intake import Intake
from coldchain.ports.backoff import Backoff
from coldchain.ports.handing import Hands
from coldchain.ports.outlet import Outlet
from coldchain.ports.schedule import Rounds


@dataclass(slots=True)
class Device:
    """What is asked when, and how the device has answered so far."""

    outlet: Outlet
    driver: SerialDriver
    line: Line
    queries: tuple[Query, ...]
    identity: tuple[Query, ...]
    rounds: Rounds
    hands: Hands
    backoff: Backoff
    known: bool = False
    doubted: bool = False
    misses: int = 0
    mute: bool = False  # a whole round without any reply: one request a round until it answers
    turn: int = 0
    identity_due_s: float = 0.0
    objection: str | None = None  # what was wrong with the device that answered last

    @classmethod
    def of(cls, outlet: Outlet, intake: Intake, clock: Clock, start_ms: int) -> Device:
        """The device of a source, not yet asked; its rounds count from `start_ms` on the boot clock."""
        source, driver = outlet.source, outlet.source.driver
        assert isinstance(driver, SerialDriver), f"{driver.name} reads no serial line"
        assert source.line is not None
        return cls(
            outlet,
            driver,
            source.line,
            driver.poll(source.driver_settings) if source.polled else (),
            driver.identity(source.driver_settings),
            Rounds(start_ms, max(1, source.round_ms), source.settings.poll_outside),
            Hands(outlet, intake, clock),
            Backoff(),
        )

    def decoding(self, query: Query | None, frame: bytes) -> Callable[[], Decoded]:
        """What its driver makes of a frame, when called."""
        settings = self.outlet.source.driver_settings
        return lambda: self.driver.decode(settings, query, frame)
