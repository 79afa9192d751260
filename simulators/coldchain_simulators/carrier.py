"""What lies between a sensor and who judges: a logger with a memory and a clock, a network, a gateway.

It is handed what was measured and says what arrives, and when. A gateway that has no power takes nothing in;
the broker in front of it keeps what the loggers bring, so that nothing is lost but punctuality.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from coldchain_simulators.scenes import Unknown

_SHIFT = re.compile(r"clock\s+(ahead|behind)\s+by\s+(\d+)\s*(s|min|h|d)")
_UNIT_MS = {"s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_SHIFTS = ("clock ahead by 2 h", "clock behind by 5 min")


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement: of a role, when by the logger's own clock, and the digits; None: nothing to read."""

    role: str
    stamp_ms: int
    digits: str | None
    number: int


@dataclass(frozen=True, slots=True)
class Restarted:
    """The gateway has its power back; `down_ms` is None while it does not know how long that was."""

    down_ms: int | None


@dataclass(frozen=True, slots=True)
class ClockKnown:
    """The gateway's clock has been set; until then it knew only how long it has been running."""


Arrival = Measured | Restarted | ClockKnown


@dataclass(slots=True)
class Carrier:
    """Times are ms since the start of the scenario. `memory`: how many measurements a logger keeps."""

    memory: int = 10_000
    lost: int = 0
    arrived: list[tuple[int, Arrival]] = field(default_factory=list)
    _number: int = 0
    _shift_ms: int = 0
    _logging: bool = True
    _network: bool = True
    _off_since_ms: int | None = None
    _repeats: bool = False
    _kept: deque[Measured] = field(default_factory=deque)

    def measured(self, at_ms: int, role: str, digits: str | None) -> None:
        """A sensor was read."""
        if not self._logging:
            return
        self._number += 1
        self._kept.append(Measured(role, at_ms + self._shift_ms, digits, self._number))
        if len(self._kept) > self.memory:
            self._kept.popleft()
            self.lost += 1
        self._bring(at_ms)

    def what(self, words: str) -> Callable[[int], None]:
        """What happens by these words, at a time; raises Unknown if nothing does."""
        if (match := _SHIFT.fullmatch(words)) is not None:
            by_ms = int(match[2]) * _UNIT_MS[match[3]] * (1 if match[1] == "ahead" else -1)
            return lambda _: setattr(self, "_shift_ms", by_ms)
        acts: dict[str, Callable[[int], None]] = {
            "network down": lambda _: setattr(self, "_network", False),
            "network up": self._up,
            "logger off": lambda _: setattr(self, "_logging", False),
            "logger on": lambda _: setattr(self, "_logging", True),
            "gateway off": lambda at_ms: setattr(self, "_off_since_ms", at_ms),
            "gateway on": self._restart,
            "gateway on, clock not set": lambda at_ms: self._restart(at_ms, known=False),
            "gateway clock set": lambda at_ms: self.arrived.append((at_ms, ClockKnown())),
            "clock right": lambda _: setattr(self, "_shift_ms", 0),
            "repeats": lambda _: setattr(self, "_repeats", True),
            "repeats over": lambda _: setattr(self, "_repeats", False),
        }
        if words not in acts:
            raise Unknown(words, (*acts, *_SHIFTS))
        return acts[words]

    def _up(self, at_ms: int) -> None:
        self._network = True
        self._bring(at_ms)

    def _restart(self, at_ms: int, *, known: bool = True) -> None:
        since_ms, self._off_since_ms = self._off_since_ms, None
        if since_ms is not None:
            self.arrived.append((at_ms, Restarted(at_ms - since_ms if known else None)))
        self._bring(at_ms)

    def _bring(self, at_ms: int) -> None:
        if not self._network or self._off_since_ms is not None:
            return
        while self._kept:
            one = self._kept.popleft()
            self.arrived += [(at_ms, one)] * (2 if self._repeats else 1)
