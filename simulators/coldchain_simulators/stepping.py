"""Simulated time: bodies are moved from instant to instant, and every instant is exact.

An instant lies at a whole multiple of an interval, in integer ms since the start. Between two
instants nothing is looked at, so the same seed gives the same data at any speed and however the
running thread was delayed: a late thread catches up instant by instant.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from coldchain.clock import Clock

#: A wall clock that moves further than this between two looks was set, not running.
_JUMP_MS = 86_400_000
#: How long the loop waits at most (simulated ms), so that it sees the stop and a clock that was set.
_LOOK_MS = 60_000


class Body(Protocol):
    """Anything that time moves."""

    def process(self, dt_s: float) -> object:
        """Let time pass."""
        ...


Act = Callable[[int], None]  # called with UTC in ms of the instant


@dataclass(slots=True)
class _Repeat:
    interval_ms: int
    act: Act
    due_ms: int


class Stepper:
    """Moves bodies and calls what happens at exact instants. One thread moves it."""

    def __init__(self, bodies: Sequence[Body] = (), start_ms: int = 0) -> None:
        """`start_ms`: UTC at which simulated time is 0; `run` sets it by the clock."""
        self.start_ms = start_ms
        self.now_ms = 0
        self._bodies = tuple(bodies)
        self._at_ms = 0
        self._once: list[tuple[int, int, Act]] = []
        self._repeats: list[_Repeat] = []

    def every(self, interval_ms: int, act: Act) -> None:
        """Call `act` at 0, interval, 2 × interval and so on."""
        if interval_ms <= 0:
            raise ValueError(f"an interval of {interval_ms} ms")
        self._repeats.append(_Repeat(interval_ms, act, -(-self._at_ms // interval_ms) * interval_ms))

    def at(self, ms: int, act: Act) -> None:
        """Call `act` once at this simulated time, before what repeats at the same instant."""
        self._once.append((ms, len(self._once), act))
        self._once.sort(key=lambda entry: entry[:2])

    def process(self, dt_s: float) -> None:
        """Let simulated time pass, and do all that falls due in it."""
        self.advance(round(dt_s * 1000))

    def advance(self, ms: int) -> None:
        """As `process`, in ms. A step that reaches no instant moves no body yet."""
        self.now_ms += max(0, ms)
        due = self.next_ms()
        while due is not None and due <= self.now_ms:
            self._reach(due)
            due = self.next_ms()

    def next_ms(self) -> int | None:
        """The next instant at which something happens; None: never."""
        dues = [repeat.due_ms for repeat in self._repeats] + [ms for ms, _, _ in self._once[:1]]
        return min(dues, default=None)

    def _reach(self, due_ms: int) -> None:
        if due_ms > self._at_ms:
            for body in self._bodies:
                body.process((due_ms - self._at_ms) / 1000)
            self._at_ms = due_ms
        while self._once and self._once[0][0] <= due_ms:
            self._once.pop(0)[2](self.start_ms + due_ms)
        for repeat in self._repeats:
            if repeat.due_ms <= due_ms:
                repeat.due_ms += repeat.interval_ms
                repeat.act(self.start_ms + due_ms)

    def run(self, clock: Clock, stop: threading.Event) -> None:
        """Follow the clock until `stop` is set. Stamps are the clock's UTC, from a whole second on."""
        seen = clock.utc_ms()
        self.start_ms = seen // 1000 * 1000 - self.now_ms
        self.advance(seen % 1000)
        while not stop.is_set():
            due = self.next_ms()
            wait = _LOOK_MS if due is None else min(_LOOK_MS, due - self.now_ms)
            clock.wait(stop, max(1, wait))
            now = clock.utc_ms()
            if 0 <= now - seen <= _JUMP_MS:
                self.advance(now - seen)
            else:  # somebody set the clock: stamps follow it, simulated time does not
                self.start_ms += now - seen
            seen = now
