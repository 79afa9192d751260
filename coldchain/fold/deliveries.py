"""A source whose clock runs ahead of ours.

One delivery is one message or file, or a run of messages whose times advance faster than they
arrive (a queue being emptied). If its newest reading lies in our future by more than the source's
tolerance, the whole delivery is shifted so that the newest counts as arrival, with the spacing
kept: clamping each reading alone would squeeze ten minutes outside a limit into none.

Two things bound the shift. It never takes a delivery back among what the same source sent before:
if our own clock was set back, its readings would be mixed with older ones, inside among outside,
and no hold would ever be fulfilled. And nothing is shifted while our own clock is not known; then
all that comes is one delivery, and is put right once it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Readings of one delivery that can still be moved; of a longer one the first stay where they are.
MOVABLE = 100_000


@dataclass(slots=True)
class Placed:
    """Where a reading belongs: at `sent - shift_ms`; `moves_ms`: the delivery so far moves back by that."""

    shift_ms: int
    moves_ms: int = 0
    fault_began: bool = False
    fault_ended: bool = False


@dataclass(slots=True)
class Newest:
    """The newest reading of a source: when it says it is, when that is judged, when it came."""

    sent_ms: int
    judged_ms: int
    arrival_ms: int


@dataclass(slots=True)
class SourceClock:
    """How far a source's clock is ahead, and the delivery that shares the finding.

    run:    (time as sent, text) of the delivery so far by channel, so that it can be moved.
    newest: the newest of the delivery; before: the newest of all deliveries before it.
    blind:  a part of it came while our own clock was not known.
    fault:  its clock is ahead of ours by more than the tolerance, and by how much.
    """

    shift_ms: int = 0
    ahead_ms: int = 0
    fault: bool = False
    run: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    newest: Newest | None = None
    before: Newest | None = None
    blind: bool = False
    _first_sent_ms: int = 0
    _began_ms: int = 0
    _last_arrival_ms: int = 0
    _size: int = 0

    def place(self, sent_ms: int, arrival_ms: int, offset_ms: int | None, tolerance_ms: int) -> Placed:
        """Place one reading; `offset_ms` is UTC minus journal time, None while our clock is not known."""
        passed_ms = arrival_ms - self._last_arrival_ms
        self._last_arrival_ms = arrival_ms
        newest = self.newest
        if newest is None or self._is_another(newest, sent_ms, passed_ms, offset_ms):
            self._begin(sent_ms, arrival_ms)
            newest = self.newest = Newest(sent_ms, sent_ms - self.shift_ms, arrival_ms)
        elif sent_ms > newest.sent_ms:
            newest.sent_ms, newest.arrival_ms = sent_ms, arrival_ms
        self._first_sent_ms = min(self._first_sent_ms, sent_ms)
        if offset_ms is None:
            self.blind = True
            placed = Placed(self.shift_ms)
        else:
            placed = self._find(newest, offset_ms, tolerance_ms)
        newest.judged_ms = newest.sent_ms - self.shift_ms
        return placed

    def keep(self, channel: str, sent_ms: int, text: int) -> None:
        """Remember a reading as part of the delivery."""
        if self._size == MOVABLE:
            self.run.clear()
            self._size = 0
        self._size += 1
        self.run.setdefault(channel, []).append((sent_ms, text))

    def known(self, offset_ms: int, tolerance_ms: int) -> Placed:
        """Our own clock became known: what came until then is put right as one delivery."""
        if not self.blind or self.newest is None:
            return Placed(self.shift_ms)
        self.blind = False
        placed = self._find(self.newest, offset_ms, tolerance_ms)
        self.newest.judged_ms = self.newest.sent_ms - self.shift_ms
        return placed

    def leap(self, started_ms: int, by_ms: int) -> None:
        """A down time became known: arrivals since the process start move with it."""
        for known in (self.newest, self.before):
            if known is not None and known.arrival_ms >= started_ms:
                known.arrival_ms += by_ms
        if self._began_ms >= started_ms:
            self._began_ms += by_ms
        if self._last_arrival_ms >= started_ms:
            self._last_arrival_ms += by_ms

    def own_time(self, arrival_ms: int) -> int | None:
        """When it is by the source's own time: its newest reading and what has passed since; None: none."""
        newest = self.newest
        if newest is None:
            return None
        if self.before is not None and self.before.judged_ms > newest.judged_ms:
            newest = self.before
        return newest.judged_ms + arrival_ms - newest.arrival_ms

    def _is_another(self, newest: Newest, sent_ms: int, passed_ms: int, offset_ms: int | None) -> bool:
        """Whether a reading begins another delivery."""
        if offset_ms is None:
            return not self.blind
        return passed_ms > 0 and sent_ms - newest.sent_ms <= passed_ms

    def _begin(self, sent_ms: int, arrival_ms: int) -> None:
        if self.newest is not None and (
            self.before is None or self.newest.judged_ms >= self.before.judged_ms
        ):
            self.before = self.newest
        self.run.clear()
        self._size = 0
        self.blind = False
        self._first_sent_ms, self._began_ms = sent_ms, arrival_ms

    def _find(self, newest: Newest, offset_ms: int, tolerance_ms: int) -> Placed:
        self.ahead_ms = ahead_ms = newest.sent_ms - newest.arrival_ms - offset_ms
        was = self.fault
        self.fault = ahead_ms > tolerance_ms
        moves_ms = 0
        if ahead_ms - self.shift_ms > tolerance_ms:
            moves_ms = max(0, min(ahead_ms, self._furthest_ms(ahead_ms)) - self.shift_ms)
            self.shift_ms += moves_ms
        elif self.shift_ms and not self.fault:
            # Set right. What was shifted stays where it was judged; the delivery begins anew here.
            self.shift_ms = 0
            self.run.clear()
            self._size = 0
        return Placed(
            self.shift_ms,
            moves_ms,
            fault_began=self.fault and not was,
            fault_ended=was and not self.fault,
        )

    def _furthest_ms(self, wanted_ms: int) -> int:
        """The largest shift that leaves the delivery after everything the source sent before it."""
        before = self.before
        if before is None or self._first_sent_ms <= before.sent_ms:
            return wanted_ms
        passed_ms = min(self._first_sent_ms - before.sent_ms, max(0, self._began_ms - before.arrival_ms))
        return self._first_sent_ms - before.judged_ms - passed_ms
