"""Works at a vessel: for a stated time some of its alarms call nobody; then readings must show it was done.

A filling, a lid opened for a planned move, a probe taken out for calibration: each has an owner, a reason and
an end. What is hidden meanwhile is evaluated and recorded all the same. Suppression is easily forgotten:
works at Karolinska left a valve shut in 2023, staff at Cleveland had switched an alarm off in 2018, and
nobody knew. So no work lasts longer than its kind allows, and an end that neither readings nor a person
confirm is an alarm.

`TABLE` says which state follows; time is an argument, in journal time; readings come in event order.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from coldchain.plan import Moves, Sign, Work


class WorkState(StrEnum):
    """Where a work stands. Its alarms are hidden while it is under way, and only then."""

    UNDER_WAY = "under_way"
    AWAITED = "awaited"  # it is over, and the sign that it was done may still come
    UNCONFIRMED = "unconfirmed"  # the alarm "end of work not confirmed" stands
    OVER = "over"


class WorkEvent(StrEnum):
    """What can happen to a work."""

    BEGIN = "begin"
    END = "end"  # a person says so, or its cause ceased
    TIME_UP = "time_up"  # its own end, or the end of waiting for the sign
    SHOWN = "shown"  # readings have shown the sign
    CLOSE = "close"  # a person closes the alarm, with a reason


class WorkRefusal(StrEnum):
    """Why a request about a work was refused; nothing has changed."""

    NOT_UNDER_WAY = "work_not_under_way"
    NOT_SHOWN = "work_not_shown"


class WorkGiven(NamedTuple):
    """The circumstances: readings have shown the sign; there is a sign to be shown; it may still come."""

    shown: bool
    checked: bool
    waits: bool


class WorkRow(NamedTuple):
    """In one of `states`, at `event`, so given (None: either), the work `becomes` this; None: it stays."""

    states: tuple[WorkState, ...]
    event: WorkEvent
    becomes: WorkState | WorkRefusal | None
    shown: bool | None = None
    checked: bool | None = None
    waits: bool | None = None

    def fits(self, given: WorkGiven) -> bool:
        """Whether the circumstances are those of this row."""
        asked = (self.shown, self.checked, self.waits)
        return all(want is None or want == is_so for want, is_so in zip(asked, given, strict=True))


_S, _E = WorkState, WorkEvent
_GOING, _AWAITED, _OPEN, _OVER = (_S.UNDER_WAY,), (_S.AWAITED,), (_S.UNCONFIRMED,), (_S.OVER,)

TABLE: tuple[WorkRow, ...] = (
    # --- Beginning. Again while it is under way moves its end.
    WorkRow(_GOING, _E.BEGIN, None),
    WorkRow(_AWAITED + _OPEN + _OVER, _E.BEGIN, _S.UNDER_WAY),
    # --- The end that somebody, or its cause, tells. Where readings can show it, a word does not do.
    WorkRow(_GOING, _E.END, _S.OVER, checked=False),
    WorkRow(_GOING, _E.END, _S.OVER, checked=True, shown=True),
    WorkRow(_GOING, _E.END, _S.AWAITED, checked=True, shown=False, waits=True),
    WorkRow(_GOING, _E.END, _S.UNCONFIRMED, checked=True, shown=False, waits=False),
    WorkRow(_OPEN, _E.END, _S.OVER, checked=False),
    WorkRow(_OPEN, _E.END, WorkRefusal.NOT_SHOWN, checked=True),
    WorkRow(_AWAITED, _E.END, WorkRefusal.NOT_SHOWN),
    WorkRow(_OVER, _E.END, WorkRefusal.NOT_UNDER_WAY),
    # --- Its time is up and nobody said anything: only readings can have shown that it was done.
    WorkRow(_GOING, _E.TIME_UP, _S.UNCONFIRMED, checked=False),
    WorkRow(_GOING, _E.TIME_UP, _S.OVER, checked=True, shown=True),
    WorkRow(_GOING, _E.TIME_UP, _S.AWAITED, checked=True, shown=False, waits=True),
    WorkRow(_GOING, _E.TIME_UP, _S.UNCONFIRMED, checked=True, shown=False, waits=False),
    WorkRow(_AWAITED, _E.TIME_UP, _S.UNCONFIRMED),
    WorkRow(_OPEN + _OVER, _E.TIME_UP, None),
    # --- The sign.
    WorkRow(_GOING + _OVER, _E.SHOWN, None),
    WorkRow(_AWAITED + _OPEN, _E.SHOWN, _S.OVER),
    # --- A person closes the alarm: it was not done, or they have seen to it in another way.
    WorkRow(_OPEN, _E.CLOSE, _S.OVER),
    WorkRow(_GOING + _AWAITED + _OVER, _E.CLOSE, None),
)


def look_up(state: WorkState, event: WorkEvent, given: WorkGiven) -> WorkRow:
    """The one row that fits."""
    return next(row for row in TABLE if row.event is event and state in row.states and row.fits(given))


# --- What readings show -------------------------------------------------------------------------------------


class Seen(Struct, frozen=True, omit_defaults=True):
    """How far the readings of one channel have moved: the most they rose above an earlier one, and fell."""

    channel: str = ""
    at_ms: int | None = None  # the newest
    low: int = 0
    high: int = 0
    rose: int = 0
    fell: int = 0

    def with_reading(self, channel: str, at_ms: int, value: int) -> Seen:
        """And one reading more, newer than all before. Between two probes nothing can be compared."""
        if channel != self.channel or self.at_ms is None:
            return Seen(channel, at_ms, value, value, self.rose, self.fell)
        return Seen(
            channel,
            at_ms,
            min(self.low, value),
            max(self.high, value),
            max(self.rose, value - self.low),
            max(self.fell, self.high - value),
        )

    def shows(self, sign: Sign) -> bool:
        """Whether the readings show a sign."""
        match sign.moves:
            case Moves.RISES:
                return self.rose >= sign.by
            case Moves.FALLS:
                return self.fell >= sign.by
            case Moves.CHANGES:
                return max(self.rose, self.fell) >= sign.by


def seen_in(readings: Iterable[tuple[str, int, int]]) -> Seen:
    """What readings (channel, time, value), in event order, show together."""
    seen = Seen()
    for channel, at_ms, value in readings:
        seen = seen.with_reading(channel, at_ms, value)
    return seen


# --- One work -----------------------------------------------------------------------------------------------


class Underway(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One work: where, what, since when, until when, whose.

    scope:      a vessel, a place ("asset/role") or an alarm.
    due_ms:     when it moves by itself, None: never; set_ms: when that was set.
    owner, why: as the fact said; by_readings: no person began it, its cause did.
    counts_ms:  what is measured since then may show the sign.
    """

    scope: str
    work: Work
    state: WorkState = WorkState.OVER
    began_ms: int = 0
    until_ms: int = 0
    due_ms: int | None = None
    set_ms: int = 0
    owner: str = ""
    why: str = ""
    by_readings: bool = False
    counts_ms: int = 0
    seen: Seen = Seen()

    @property
    def key(self) -> str:
        """What it is known by: one work of a kind at a scope at a time."""
        return f"{self.scope}/{self.work.id}"

    @property
    def alarm(self) -> str:
        """The id of its alarm "end of work not confirmed"."""
        return f"work:{self.key}"

    @property
    def asset(self) -> str:
        """The vessel."""
        return self.scope.split("/", 1)[0]

    @property
    def awaits(self) -> bool:
        """Whether readings may still show its sign, and that would matter."""
        sign = self.work.sign
        if sign is None or self.state is WorkState.OVER:
            return False
        return not (self.state is WorkState.UNDER_WAY and sign.after_end)

    @property
    def shown(self) -> bool:
        """Whether readings have shown what its sign asks for."""
        return self.work.sign is not None and self.seen.shows(self.work.sign)

    def hides(self, alarm: str, subject: str, rule: str) -> bool:
        """Whether it hides an alarm while it is under way."""
        within = alarm == self.scope or f"{alarm}/".startswith(f"{self.scope}/")
        if self.work.hides:
            return within and "/" in subject and rule in self.work.hides
        return within


class WorkMoved(NamedTuple):
    """The work after an event, and why it was refused, if it was."""

    work: Underway
    refusal: WorkRefusal | None = None


def begin(work: Underway, until_ms: int, owner: str, why: str, now_ms: int, *, by_readings: bool) -> Underway:
    """The work begins, or goes on until another end; its owner is whoever said so last."""
    anew = work.state is not WorkState.UNDER_WAY
    moved = _step(work, WorkEvent.BEGIN, now_ms).work
    if anew:
        moved = replace(moved, began_ms=now_ms, counts_ms=now_ms, seen=Seen())
    return replace(
        moved,
        until_ms=until_ms,
        due_ms=until_ms,
        set_ms=now_ms,
        owner=owner,
        why=why,
        by_readings=by_readings,
    )


def end(work: Underway, now_ms: int) -> WorkMoved:
    """A person says that it is done, or its cause has ceased."""
    return _step(work, WorkEvent.END, now_ms)


def time_up(work: Underway, now_ms: int) -> WorkMoved:
    """Its time has come: it ends, or the wait for its sign does."""
    return _step(work, WorkEvent.TIME_UP, now_ms)


def saw(work: Underway, seen: Seen, now_ms: int) -> WorkMoved:
    """What the readings show now."""
    watched = replace(work, seen=seen)
    return _step(watched, WorkEvent.SHOWN, now_ms) if watched.shown else WorkMoved(watched)


def closed(work: Underway, now_ms: int) -> WorkMoved:
    """A person has closed its alarm."""
    return _step(work, WorkEvent.CLOSE, now_ms)


def _step(work: Underway, event: WorkEvent, now_ms: int) -> WorkMoved:
    sign = work.work.sign
    # What only counts after the end cannot have been shown at the end.
    only_then = work.state is WorkState.UNDER_WAY and sign is not None and sign.after_end
    given = WorkGiven(
        shown=work.shown and not only_then,
        checked=sign is not None,
        waits=sign is not None and sign.within_ms > 0,
    )
    row = look_up(work.state, event, given)
    if isinstance(row.becomes, WorkRefusal):
        return WorkMoved(work, row.becomes)
    if row.becomes is None:
        return WorkMoved(work)
    waits_ms = sign.within_ms if sign is not None else 0
    due_ms = now_ms + waits_ms if row.becomes is WorkState.AWAITED else None
    if only_then:
        work = replace(work, counts_ms=now_ms, seen=Seen())
    return WorkMoved(replace(work, state=row.becomes, due_ms=due_ms, set_ms=now_ms))
