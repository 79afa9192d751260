"""How a source is doing: up or down since when, what it sent, what was lost of it.

A standing lives as long as the process. It survives a port that is started anew, so that the
journal is told only when something changed.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from enum import StrEnum

from msgspec import Struct

from coldchain.clock import Clock
from coldchain.config.loaded import Source
from coldchain.facts import SourceDown, SourceUp
from coldchain.pipeline.intake import Intake

_log = logging.getLogger(__name__)


class Count(StrEnum):
    """What is counted of each source since the process began."""

    FRAMES = "frames"  # whole frames or messages, readable or not
    READINGS = "readings"  # handed in, BAD ones included
    BAD = "bad"  # readings that are no value
    UNREADABLE = "unreadable"  # frames that gave no reading
    UNMAPPED = "unmapped"  # values whose key is no configured channel
    NO_REPLY = "no_reply"  # requests without any reply in time
    UNASKED = "unasked"  # bytes that came without a request, in runs
    LOST = "lost"  # what the intake had no room for, and nobody sends again
    PUT_OFF = "put_off"  # what the intake had no room for, and the broker sends again


class SourceStatus(Struct, frozen=True):
    """How one source is doing, for the page and `coldchain status`.

    place:        device file, address or broker, as configured.
    up:           None: not tried yet.
    since_ms:     journal time of the last change; None: none yet.
    detail:       what the system said, or how the device was opened.
    last_good_ms: journal time of the last frame that could be read; None: none yet.
    says:         what the device said last that nothing judges, by key.
    """

    id: str
    driver: str
    version: str
    place: str
    simulated: bool
    up: bool | None = None
    since_ms: int | None = None
    detail: str = ""
    last_good_ms: int | None = None
    counts: dict[str, int] = {}
    says: dict[str, str] = {}


class Standing:
    """One source's standing. Written by its port's thread and by the watchdog, read by anybody."""

    def __init__(self, source: Source, intake: Intake, clock: Clock) -> None:
        self.source = source
        self.counts: Counter[Count] = Counter()
        self.told_keys: set[str] = set()
        self.says: dict[str, str] = {}
        self.noted: dict[
            str, tuple[str, float]
        ] = {}  # by key: what was recorded last, and when (real seconds)
        self._intake = intake
        self._clock = clock
        self._lock = threading.Lock()
        self._up: bool | None = None
        self._since_ms: int | None = None
        self._detail = ""
        self._last_good_ms: int | None = None

    @property
    def is_up(self) -> bool | None:
        """Whether it is up; None: not tried yet."""
        return self._up

    def up(self, detail: str) -> None:
        """It can be read; a fact if it could not before."""
        driver = self.source.driver
        with self._lock:
            self._detail = detail
            if self._change(True):
                _log.info("source %s is up: %s", self.source.id, detail)
                self._intake.submit((SourceUp(self.source.id, driver.name, driver.version, detail),))

    def down(self, why: str) -> None:
        """It cannot be read, and why; a fact if it could before."""
        with self._lock:
            self._detail = why
            if self._change(False):
                _log.warning("source %s is down: %s", self.source.id, why)
                self._intake.submit((SourceDown(self.source.id, why),))

    def good(self) -> None:
        """A frame came that could be read."""
        self._last_good_ms = self._clock.journal_ms()

    def status(self) -> SourceStatus:
        """How it is doing now."""
        source = self.source
        with self._lock:
            return SourceStatus(
                id=source.id,
                driver=source.driver.name,
                version=source.driver.version,
                place=source.settings.port or source.settings.broker or "",
                simulated=source.settings.simulated,
                up=self._up,
                since_ms=self._since_ms,
                detail=self._detail,
                last_good_ms=self._last_good_ms,
                counts={count.value: self.counts[count] for count in Count},
                says=dict(self.says),
            )

    def _change(self, up: bool) -> bool:
        if self._up is up:
            return False
        self._up, self._since_ms = up, self._clock.journal_ms()
        return True
