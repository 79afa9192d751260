"""Handing in what a serial device said, and what happens when there is no room for it.

A serial device repeats nothing. While the intake takes nothing, the newest value of each channel
is kept (that is what the next judgement needs), and what it pushed out is counted; when there is
room again the kept values go in with the time at which they came, then a `Lost` fact tells the
rest.
"""

from __future__ import annotations

from msgspec.structs import replace

from coldchain.clock import Clock
from coldchain.facts import Lost, Reading
from coldchain.pipeline.intake import Intake
from coldchain.ports.outlet import Made, Outlet, PortFact
from coldchain.ports.ration import Ration
from coldchain.ports.standing import Count

_NO_ROOM = "the intake had no room; the newest value of each channel was kept"
_TOO_MANY = "unreadable frames, written one by one at first and then as a sample"


class Hands:
    """Hands in for one source. Never blocks."""

    def __init__(self, outlet: Outlet, intake: Intake, clock: Clock) -> None:
        self._outlet = outlet
        self._intake = intake
        self._clock = clock
        self._kept: dict[str, tuple[int, Reading]] = {}  # by channel: boot time it came at, reading
        self._lost = 0
        self._ration = Ration(clock.real_s())

    def give(self, made: Made) -> None:
        """Hand in one frame's facts, after those that waited. Of frames that gave no reading, not all."""
        if self._outlet.closed:
            return
        unread = not any(isinstance(fact, Reading) or fact.key for fact in made.facts)
        if made.facts and unread and not self._ration.allows(self._clock.real_s()):
            self._outlet.count(Count.FRAMES)
            self._outlet.count(Count.UNREADABLE)
            return
        self._outlet.taken(made)
        if made.facts and (not self.retry() or not self._intake.offer(made.facts)):
            self._keep(made.facts)

    def tick(self) -> None:
        """Nothing has come for a while: look whether there is room for what waits, or a sum to be told."""
        self.retry()
        left_out = self._ration.due(self._clock.real_s())
        if left_out and not self._outlet.closed:
            self._intake.submit((Lost(self._outlet.source.id, left_out, _TOO_MANY),))

    def retry(self) -> bool:
        """Hand in what waits; False if there is still no room."""
        if self._outlet.closed:
            return False
        if self._kept:
            boot_ms, journal_ms = self._clock.boot_ms(), self._clock.journal_ms()
            kept = tuple(
                replace(reading, stamp_ms=journal_ms - (boot_ms - came_ms))
                if reading.at_ms is None
                else reading
                for came_ms, reading in self._kept.values()
            )
            if not self._intake.offer(kept):
                return False
            self._kept.clear()
        if self._lost:
            if not self._intake.offer((Lost(self._outlet.source.id, self._lost, _NO_ROOM),)):
                return False
            self._lost = 0
        return True

    def finish(self) -> None:
        """The port ends: what still waits is told as lost, room or not."""
        if self._outlet.closed:
            return
        left_out = self._ration.tell(self._clock.real_s())
        if left_out:
            self._intake.submit((Lost(self._outlet.source.id, left_out, _TOO_MANY),))
        if self.retry():
            return
        lost, self._lost = self._lost + len(self._kept), 0
        self._outlet.count(Count.LOST, len(self._kept))
        self._kept.clear()
        self._intake.submit((Lost(self._outlet.source.id, lost, _NO_ROOM),))

    def _keep(self, facts: tuple[PortFact, ...]) -> None:
        boot_ms = self._clock.boot_ms()
        lost = 0
        for fact in facts:
            if isinstance(fact, Reading):
                lost += fact.channel in self._kept
                self._kept.pop(fact.channel, None)  # the order is that of arrival
                self._kept[fact.channel] = (boot_ms, fact)
            else:
                lost += 1
        self._lost += lost
        self._outlet.count(Count.LOST, lost)
