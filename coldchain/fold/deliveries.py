"""A source whose clock runs ahead of ours, and readings that run ahead of their own source.

One delivery is one message or file, or a run of messages whose times advance faster than they
arrive (a queue being emptied). If its newest reading lies in our future by more than the source's
tolerance, the whole delivery is shifted so that the newest counts as arrival, with the spacing
kept: clamping each reading alone would squeeze ten minutes outside a limit into none.

Two things bound the shift. It never takes a delivery back among what the same source sent before:
if our own clock was set back, its readings would be mixed with older ones, inside among outside,
and no hold would ever be fulfilled. And nothing is shifted by our clock while that is not known; then
all that comes is one delivery, and is put right once it is.

A **stray** is a reading that leaps ahead of what its own source has just sent, further than time has
passed, and from where no shift of its delivery would bring it back. It alone counts as arrival: left in
the future it would let every hold before it run out at once, and every later reading be late. While our
clock is not known the source's own stands for it, as its steady readings have shown it. A source that
goes on from where it leapt to has had its clock set: then that is its time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from coldchain.fold.pace import Pace, in_step

#: Readings of one delivery that can still be moved; of a longer one the first stay where they are.
MOVABLE = 100_000
#: Strays that are put right when our clock becomes known; of more, the first stay where they are.
STRAYS = 100

#: (time as sent, text) of readings by channel.
Run = dict[str, list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Move:
    """Readings of one shift that get another one. back: the source's time goes back with them."""

    run: Run
    from_ms: int
    to_ms: int
    back: bool = False


@dataclass(slots=True)
class Placed:
    """Where a reading belongs: at `sent - shift_ms`; what moves for it; what became known of its clock.

    run: where to keep it, None: in the delivery.
    """

    shift_ms: int
    moves: tuple[Move, ...] = ()
    fault_began: bool = False
    fault_ended: bool = False
    run: Run | None = None


@dataclass(slots=True)
class Newest:
    """The newest reading of a source: when it says it is, when that is judged, when it came."""

    sent_ms: int
    judged_ms: int
    arrival_ms: int


@dataclass(slots=True)
class Stray:
    """Readings that leapt ahead together: the newest of them, and the shift that they share."""

    newest: Newest
    shift_ms: int
    run: Run = field(default_factory=dict)


@dataclass(slots=True)
class SourceClock:
    """How far a source's clock is ahead, and the delivery that shares the finding.

    run:    the delivery so far, so that it can be moved.
    newest: the newest of the delivery; before: the newest of all deliveries before it.
    blind:  a part of it came while our own clock was not known.
    fault:  its clock is ahead of ours by more than the tolerance; astray: a reading has just leapt ahead;
            ahead_ms: by how much.
    stray:  the newest readings that leapt ahead; strays: those that came while our clock was not known.
    """

    shift_ms: int = 0
    ahead_ms: int = 0
    fault: bool = False
    astray: bool = False
    run: Run = field(default_factory=dict)
    newest: Newest | None = None
    before: Newest | None = None
    blind: bool = False
    pace: Pace = field(default_factory=Pace)
    stray: Stray | None = None
    strays: list[Stray] = field(default_factory=list)
    _first_sent_ms: int = 0
    _began_ms: int = 0
    _last_arrival_ms: int = 0
    _size: int = 0

    def place(self, sent_ms: int, arrival_ms: int, offset_ms: int | None, tolerance_ms: int) -> Placed:
        """Place one reading; `offset_ms` is UTC minus journal time, None while our clock is not known."""
        passed_ms = arrival_ms - self._last_arrival_ms
        self._last_arrival_ms = arrival_ms
        newest = self.newest
        moves: tuple[Move, ...] = ()
        stepped = False
        if newest is not None:
            ahead_ms = self._leap_ms(newest, sent_ms, arrival_ms, offset_ms, tolerance_ms)
            if ahead_ms is not None:
                stray = self.stray
                if stray is None or not in_step(_heard(stray.newest), (sent_ms, arrival_ms), tolerance_ms):
                    return self._strayed(sent_ms, arrival_ms, ahead_ms, blind=offset_ms is None)
                moves = self._went_on(stray, sent_ms, arrival_ms, blind=offset_ms is None)
                stepped = offset_ms is not None
            elif self.stray is not None and arrival_ms > self.stray.newest.arrival_ms:
                self.stray = None  # its source has come back since: nothing goes on from there
        if newest is None or stepped or self._is_another(newest, sent_ms, passed_ms, offset_ms):
            self._begin(sent_ms, arrival_ms)
            newest = self.newest = Newest(sent_ms, sent_ms - self.shift_ms, arrival_ms)
        elif sent_ms > newest.sent_ms:
            newest.sent_ms, newest.arrival_ms = sent_ms, arrival_ms
        self._first_sent_ms = min(self._first_sent_ms, sent_ms)
        self.pace.heard(sent_ms, arrival_ms, tolerance_ms)
        was_wrong, self.astray = self.fault or self.astray, False
        if offset_ms is None:
            self.blind = True
            newest, back = self._refuted(newest, sent_ms, arrival_ms, tolerance_ms)
            moves += back
        else:
            moves += self._find(newest, offset_ms, tolerance_ms)
        newest.judged_ms = newest.sent_ms - self.shift_ms
        return self._placed(was_wrong, self.shift_ms, moves)

    def keep(self, channel: str, sent_ms: int, text: int, run: Run | None = None) -> None:
        """Remember a reading as part of the delivery, or of the run that it was placed in."""
        if run is None:
            run = self.run
            if self._size == MOVABLE:
                self.run.clear()
                self._size = 0
            self._size += 1
        run.setdefault(channel, []).append((sent_ms, text))

    def known(self, offset_ms: int, tolerance_ms: int) -> Placed:
        """Our own clock became known: what came until then is put right as one delivery, and each stray."""
        if not self.blind or self.newest is None:
            return Placed(self.shift_ms)
        self.blind = False
        was_wrong, self.astray = self.fault or self.astray, False
        moves = self._find(self.newest, offset_ms, tolerance_ms)
        self.newest.judged_ms = self.newest.sent_ms - self.shift_ms
        strays, self.strays = self.strays, []
        for stray in strays:
            ahead_ms = stray.newest.sent_ms - stray.newest.arrival_ms - offset_ms
            wanted_ms = ahead_ms if ahead_ms > tolerance_ms else 0
            if abs(wanted_ms - stray.shift_ms) > tolerance_ms:
                moves += (Move(stray.run, stray.shift_ms, wanted_ms),)
                stray.shift_ms = wanted_ms
        return self._placed(was_wrong, self.shift_ms, moves)

    def restarted(self) -> None:
        """How long we were down is not known: journal time stood still, and the source's clock did not."""
        self.pace, self.stray = Pace(), None

    def leap(self, started_ms: int, by_ms: int) -> None:
        """A down time became known: arrivals since the process start move with it."""
        for known in (self.newest, self.before, *(stray.newest for stray in self.strays)):
            if known is not None and known.arrival_ms >= started_ms:
                known.arrival_ms += by_ms
        if self._began_ms >= started_ms:
            self._began_ms += by_ms
        if self._last_arrival_ms >= started_ms:
            self._last_arrival_ms += by_ms
        self.restarted()  # what has shown its pace may have come before the leap or after it

    def own_time(self, arrival_ms: int) -> int | None:
        """When it is by the source's own time: its newest reading and what has passed since; None: none."""
        newest = self.newest
        if newest is None:
            return None
        if self.before is not None and self.before.judged_ms > newest.judged_ms:
            newest = self.before
        return newest.judged_ms + arrival_ms - newest.arrival_ms

    # Strays

    def _leap_ms(
        self, newest: Newest, sent_ms: int, arrival_ms: int, offset_ms: int | None, tolerance_ms: int
    ) -> int | None:
        """How far a reading leapt ahead of everything that its source has sent; None: it did not."""
        passed_ms = arrival_ms - newest.arrival_ms
        if sent_ms - newest.sent_ms - passed_ms <= tolerance_ms:
            return None
        if offset_ms is None:
            ahead_ms = self.pace.ahead_ms(sent_ms, arrival_ms)
            return ahead_ms if ahead_ms is not None and ahead_ms > tolerance_ms else None
        ahead_ms = sent_ms - arrival_ms - offset_ms
        was_ms = newest.sent_ms - newest.arrival_ms - offset_ms
        if was_ms - self.shift_ms > tolerance_ms or ahead_ms - self.shift_ms <= tolerance_ms:
            return None
        return ahead_ms if ahead_ms - self._furthest_ms(ahead_ms) > tolerance_ms else None

    def _strayed(self, sent_ms: int, arrival_ms: int, ahead_ms: int, *, blind: bool) -> Placed:
        """Place a reading that leapt ahead: it counts as arrival, or with those that leapt with it."""
        stray = self.stray
        if stray is None or stray.newest.arrival_ms != arrival_ms or stray.newest.sent_ms != sent_ms:
            own_ms = self.own_time(arrival_ms)
            shift_ms = ahead_ms if own_ms is None else min(ahead_ms, sent_ms - own_ms)
            stray = self.stray = Stray(Newest(sent_ms, sent_ms - shift_ms, arrival_ms), shift_ms)
            if blind:
                self.strays = [*self.strays[1 - STRAYS :], stray]
        was_wrong, self.astray, self.ahead_ms = self.fault or self.astray, True, ahead_ms
        placed = self._placed(was_wrong, stray.shift_ms, ())
        placed.run = stray.run
        return placed

    def _placed(self, was_wrong: bool, shift_ms: int, moves: tuple[Move, ...]) -> Placed:
        wrong = self.fault or self.astray
        return Placed(
            shift_ms, moves, fault_began=wrong and not was_wrong, fault_ended=was_wrong and not wrong
        )

    def _went_on(self, stray: Stray, sent_ms: int, arrival_ms: int, *, blind: bool) -> tuple[Move, ...]:
        """The source goes on from where it leapt to: that is its time, and what leapt there was right."""
        self.stray = None
        self.pace = Pace(sent_ms - arrival_ms)
        if not blind:
            return ()
        self.strays = [each for each in self.strays if each is not stray]
        for channel, readings in stray.run.items():
            for at_ms, text in readings:
                self.keep(channel, at_ms, text)
        return (Move(stray.run, stray.shift_ms, self.shift_ms),)

    def _refuted(
        self, newest: Newest, sent_ms: int, arrival_ms: int, tolerance_ms: int
    ) -> tuple[Newest, tuple[Move, ...]]:
        """The newest reading, and what was taken for it and lies ahead of the source's own clock."""
        ahead_ms = self.pace.ahead_ms(newest.sent_ms, newest.arrival_ms)
        if ahead_ms is None or ahead_ms <= tolerance_ms or newest.sent_ms <= sent_ms:
            return newest, ()
        shift_ms = self.shift_ms + ahead_ms
        steady_ms = newest.sent_ms - newest.arrival_ms - ahead_ms
        stray = Stray(Newest(newest.sent_ms, newest.sent_ms - shift_ms, newest.arrival_ms), shift_ms)
        for channel, readings in self.run.items():
            from_ahead = {
                each
                for each in readings
                if each[0] == newest.sent_ms or each[0] - steady_ms > arrival_ms + tolerance_ms
            }
            if from_ahead:
                stray.run[channel] = sorted(from_ahead)
                self.run[channel] = [each for each in readings if each not in from_ahead]
        self.strays = [*self.strays[1 - STRAYS :], stray]
        self.astray, self.ahead_ms = True, ahead_ms
        found = self.newest = Newest(sent_ms, sent_ms - self.shift_ms, arrival_ms)
        return found, (Move(stray.run, self.shift_ms, shift_ms, back=True),)

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

    def _find(self, newest: Newest, offset_ms: int, tolerance_ms: int) -> tuple[Move, ...]:
        """What our clock says of the delivery, and by how much it has to move."""
        self.ahead_ms = ahead_ms = newest.sent_ms - newest.arrival_ms - offset_ms
        self.fault = ahead_ms > tolerance_ms
        if ahead_ms - self.shift_ms > tolerance_ms:
            was_ms = self.shift_ms
            self.shift_ms = max(was_ms, min(ahead_ms, self._furthest_ms(ahead_ms)))
            if self.shift_ms > was_ms:
                return (Move(self.run, was_ms, self.shift_ms, back=True),)
        elif self.shift_ms and not self.fault:
            # Set right. What was shifted stays where it was judged; the delivery begins anew here.
            self.shift_ms = 0
            self.run.clear()
            self._size = 0
        return ()

    def _furthest_ms(self, wanted_ms: int) -> int:
        """The largest shift that leaves the delivery after everything the source sent before it."""
        before = self.before
        if before is None or self._first_sent_ms <= before.sent_ms:
            return wanted_ms
        passed_ms = min(self._first_sent_ms - before.sent_ms, max(0, self._began_ms - before.arrival_ms))
        return self._first_sent_ms - before.judged_ms - passed_ms


def _heard(newest: Newest) -> tuple[int, int]:
    return newest.sent_ms, newest.arrival_ms
