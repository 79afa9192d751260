"""The other end of the intake: takes out of the real queue what a writer would, and keeps the facts."""

from __future__ import annotations

import threading
from collections.abc import Callable

from coldchain.clock import SystemClock
from coldchain.facts import Fact, Lost, Reading, SourceDown, SourceUp, Unreadable
from coldchain.pipeline.intake import Folded, Item, Queue

DEADLINE_S = 30.0
_pause = threading.Event()  # never set: the only way to let a moment pass


class Desk:
    """`intake` is what a port is given; facts are settled at once, or when the test says so."""

    def __init__(self, *, capacity: int = 10_000, speed: int = 1, settle: bool = True) -> None:
        self.clock = SystemClock(speed=speed, trusted=True)
        self.intake = Queue(self.clock, capacity)
        self.settles = settle
        self.items: list[Item] = []
        self.waiting: list[Item] = []
        self.takes = True

    def look(self) -> list[Fact]:
        """Take out what has come; every fact since the start, in order."""
        while self.takes:
            items, _ = self.intake.take(1000, None, 0)
            if not items:
                break
            self.items += items
            self.waiting += [item for item in items if item.settled is not None]
        if self.settles:
            self.settle()
        return [fact for item in self.items for fact in item.facts]

    def settle(self, count: int | None = None) -> None:
        """Say "committed" for what waits, all of it or the first few."""
        now, self.waiting = self.waiting[:count], self.waiting[len(self.waiting[:count]) :]
        for item in now:
            assert item.settled is not None
            item.settled(Folded(0, ()))

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Take in what comes until the condition holds; AssertionError after the deadline."""
        end = self.clock.real_s() + DEADLINE_S
        while self.look() is not None and not condition():
            assert self.clock.real_s() < end, f"not within {DEADLINE_S:g} s: {what}; {self.look()[-20:]}"
            _pause.wait(0.005)

    def wait_for(self, count: int, kind: type[Fact], what: str = "") -> list[Fact]:
        """Wait until so many facts of a kind have come; all of that kind."""
        self.until(
            lambda: len(self.of(kind)) >= count,
            what or f"{count} × {kind.__name__} (had {len(self.of(kind))})",
        )
        return self.of(kind)

    def of(self, kind: type[Fact]) -> list[Fact]:
        """The facts of a kind so far."""
        return [fact for fact in self.look() if isinstance(fact, kind)]

    @property
    def readings(self) -> list[Reading]:
        """The readings so far."""
        return [fact for fact in self.look() if isinstance(fact, Reading)]

    @property
    def unreadable(self) -> list[Unreadable]:
        """The frames so far that gave no reading."""
        return [fact for fact in self.look() if isinstance(fact, Unreadable)]

    @property
    def ups(self) -> list[SourceUp]:
        """How often a source came up."""
        return [fact for fact in self.look() if isinstance(fact, SourceUp)]

    @property
    def downs(self) -> list[SourceDown]:
        """How often a source went down."""
        return [fact for fact in self.look() if isinstance(fact, SourceDown)]

    @property
    def lost(self) -> list[Lost]:
        """What was told as lost."""
        return [fact for fact in self.look() if isinstance(fact, Lost)]

    def pause(self, seconds: float) -> None:
        """Let real time pass, for what must not happen in it."""
        end = self.clock.real_s() + seconds
        while self.clock.real_s() < end:
            self.look()
            _pause.wait(0.01)
