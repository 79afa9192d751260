"""The alarm's life as one table: state, event and circumstances in, next state out.

States and transitions follow ISA-18.2 / IEC 62682, by name and not by letter: editions differ in their
letters, and the 2016 edition of ISA-18.2 has no latched states of its own. Latching is therefore a
circumstance beside the state, as IEC 62541-9 (OPC UA Alarms & Conditions) also lets it be.

House rules. Whatever moves an alarm stands in `TABLE`; `alarm.py` computes the circumstances, looks the row
up and does what the row says, nothing else. For each state, event and circumstances exactly one row fits (a
test visits them all). The drawing and the list in `docs/alarms.md` are made from this table.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class AlarmState(StrEnum):
    """The states of ISA-18.2 / IEC 62682."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "return_to_normal_unacknowledged"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed_by_design"
    OUT_OF_SERVICE = "out_of_service"


class AlarmEvent(StrEnum):
    """What can happen to an alarm: to its condition, by a person, or by its own timers."""

    # The condition.
    RAISE = "raise"
    RETURN = "return"
    # A person.
    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    RESET = "reset"
    CLOSE = "close"
    REMOVE_FROM_SERVICE = "remove_from_service"
    RETURN_TO_SERVICE = "return_to_service"
    # Its own timers.
    SHELF_END = "shelf_end"
    RE_ALARM = "re_alarm"
    ESCALATE = "escalate"
    # Logic: another alarm stands for this one, or a work explains it; or no longer does.
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"


class Refusal(StrEnum):
    """Why a request was refused; nothing has changed."""

    # Said by the table.
    NOTHING_TO_ACKNOWLEDGE = "nothing_to_acknowledge"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    NOT_LATCHED = "not_latched"
    CONDITION_LASTS = "condition_lasts"
    HIDDEN = "hidden"
    NOT_SHELVED = "not_shelved"
    NOT_OUT_OF_SERVICE = "not_out_of_service"
    STILL_JUDGED = "still_judged"
    NOTHING_TO_CLOSE = "nothing_to_close"
    # Said of a request that is not whole (`alarm.py`), whatever the state.
    NAMES_NO_OCCURRENCE = "names_no_occurrence"
    UNKNOWN_OCCURRENCE = "unknown_occurrence"
    ALREADY_ACKNOWLEDGED = "already_acknowledged"
    NO_ACTOR = "no_actor"
    NO_REASON = "no_reason"
    NO_END = "no_end"
    SHELF_TOO_LONG = "shelf_too_long"


class Given(NamedTuple):
    """The circumstances a row may ask for, once the event's own effect is counted in.

    active:         the condition lasts.
    unacknowledged: at least one occurrence is acknowledged by nobody.
    latched:        the latch holds: it caught an occurrence and was not reset.
    judged:         readings still decide about this alarm (its rule, channel and probe are there).
    suppressed:     logic hides it, whatever people do.
    """

    active: bool
    unacknowledged: bool
    latched: bool
    judged: bool
    suppressed: bool = False


class Row(NamedTuple):
    """One row: in one of `states`, at `event`, under these circumstances (None: either), the alarm `becomes`.

    A state: the next one; None: it stays as it is; a refusal: nothing changes and the person is told why.
    `anew`: earlier acknowledgements of what is still held no longer stand, somebody is asked again.
    """

    states: tuple[AlarmState, ...]
    event: AlarmEvent
    becomes: AlarmState | Refusal | None
    active: bool | None = None
    unacknowledged: bool | None = None
    latched: bool | None = None
    judged: bool | None = None
    suppressed: bool | None = None
    anew: bool = False

    def fits(self, given: Given) -> bool:
        """Whether the circumstances are those of this row."""
        asked = (self.active, self.unacknowledged, self.latched, self.judged, self.suppressed)
        return all(want is None or want == is_so for want, is_so in zip(asked, given, strict=True))


_NORMAL = (AlarmState.NORMAL,)
_UNACK = (AlarmState.UNACKNOWLEDGED,)
_ACKED = (AlarmState.ACKNOWLEDGED,)
_RETURNED = (AlarmState.RETURNED,)
_SHELVED = (AlarmState.SHELVED,)
_SUPPRESSED = (AlarmState.SUPPRESSED,)
_OUT = (AlarmState.OUT_OF_SERVICE,)
_HELD = _UNACK + _ACKED + _RETURNED
_SEEN = _NORMAL + _HELD
_HIDDEN = _SHELVED + _SUPPRESSED + _OUT

#: The states in which nobody is called. The alarm is evaluated and its occurrences are recorded all the same.
HIDDEN_STATES: frozenset[AlarmState] = frozenset(_HIDDEN)

_E = AlarmEvent
_S = AlarmState
_R = Refusal

TABLE: tuple[Row, ...] = (
    # --- The condition. An occurrence found late may be over already; then it only asks to be looked at.
    Row(_NORMAL + _ACKED + _RETURNED, _E.RAISE, _S.UNACKNOWLEDGED, active=True),
    Row(_NORMAL + _ACKED, _E.RAISE, _S.RETURNED, active=False),
    Row(_RETURNED, _E.RAISE, None, active=False),
    Row(_UNACK + _HIDDEN, _E.RAISE, None),
    Row(_UNACK, _E.RETURN, _S.RETURNED),
    Row(_ACKED, _E.RETURN, _S.NORMAL, latched=False),
    Row(_ACKED, _E.RETURN, None, latched=True),
    # A closed alarm's condition may end long after; there is nothing left to say about it.
    Row(_NORMAL + _RETURNED + _HIDDEN, _E.RETURN, None),
    # --- Acknowledging. What it does not name stays open, and keeps the alarm open.
    Row(_NORMAL + _ACKED, _E.ACKNOWLEDGE, _R.NOTHING_TO_ACKNOWLEDGE),
    Row(_UNACK, _E.ACKNOWLEDGE, None, unacknowledged=True),
    Row(_UNACK, _E.ACKNOWLEDGE, _S.ACKNOWLEDGED, unacknowledged=False),
    Row(_RETURNED, _E.ACKNOWLEDGE, None, unacknowledged=True),
    Row(_RETURNED, _E.ACKNOWLEDGE, _S.NORMAL, unacknowledged=False, latched=False),
    Row(_RETURNED, _E.ACKNOWLEDGE, _S.ACKNOWLEDGED, unacknowledged=False, latched=True),
    Row(_HIDDEN, _E.ACKNOWLEDGE, None),
    # --- The shelf: put there by a person, with an end. Shelving again moves the end.
    Row(_SEEN + _SHELVED, _E.SHELVE, _S.SHELVED),
    Row(_SUPPRESSED + _OUT, _E.SHELVE, _R.HIDDEN),
    # A person who takes it down has it in hand: acknowledgements stand.
    Row(_SHELVED, _E.UNSHELVE, _S.UNACKNOWLEDGED, active=True, unacknowledged=True),
    Row(_SHELVED, _E.UNSHELVE, _S.ACKNOWLEDGED, active=True, unacknowledged=False),
    Row(_SHELVED, _E.UNSHELVE, _S.RETURNED, active=False, unacknowledged=True),
    Row(_SHELVED, _E.UNSHELVE, _S.ACKNOWLEDGED, active=False, unacknowledged=False, latched=True),
    Row(_SHELVED, _E.UNSHELVE, _S.NORMAL, active=False, unacknowledged=False, latched=False),
    Row(_SEEN + _SUPPRESSED + _OUT, _E.UNSHELVE, _R.NOT_SHELVED),
    # When the time is up nobody may be there: what is still held asks again.
    Row(_SHELVED, _E.SHELF_END, _S.UNACKNOWLEDGED, active=True, anew=True),
    Row(_SHELVED, _E.SHELF_END, _S.RETURNED, active=False, unacknowledged=True),
    Row(_SHELVED, _E.SHELF_END, _S.RETURNED, active=False, unacknowledged=False, latched=True, anew=True),
    Row(_SHELVED, _E.SHELF_END, _S.NORMAL, active=False, unacknowledged=False, latched=False),
    Row(_SEEN + _SUPPRESSED + _OUT, _E.SHELF_END, None),
    # --- Re-alarm: while the condition lasts. An acknowledged one asks again, as IEC 62541-9 says of
    # ReAlarmTime.
    Row(_UNACK, _E.RE_ALARM, None),
    Row(_ACKED, _E.RE_ALARM, _S.UNACKNOWLEDGED, active=True, anew=True),
    Row(_ACKED, _E.RE_ALARM, None, active=False),
    Row(_NORMAL + _RETURNED + _HIDDEN, _E.RE_ALARM, None),
    # --- Escalation: the next step is called while nobody has taken it up. It changes no state.
    Row(_SEEN + _HIDDEN, _E.ESCALATE, None),
    # --- The latch: reset in sight, when the condition has gone and its occurrences were taken up.
    Row(_UNACK, _E.RESET, _R.CONDITION_LASTS),
    Row(_ACKED, _E.RESET, _R.CONDITION_LASTS, active=True),
    Row(_ACKED, _E.RESET, _S.NORMAL, active=False),
    Row(_RETURNED, _E.RESET, _R.NOT_ACKNOWLEDGED),
    Row(_NORMAL, _E.RESET, _R.NOT_LATCHED),
    Row(_HIDDEN, _E.RESET, _R.HIDDEN),
    # --- Closing: for what no reading can end any more. The excursion stays open.
    Row(_NORMAL, _E.CLOSE, _R.NOTHING_TO_CLOSE),
    Row(_HELD + _HIDDEN, _E.CLOSE, _R.STILL_JUDGED, judged=True),
    Row(_HELD + _HIDDEN, _E.CLOSE, _S.NORMAL, judged=False),
    # --- Logic: another alarm stands for this one, or a work at the vessel explains it. It takes an alarm off
    # the shelf, and whatever is still held asks again when it ends, or flapping logic could swallow an alarm.
    Row(_SEEN + _SHELVED, _E.SUPPRESS, _S.SUPPRESSED),
    Row(_SUPPRESSED + _OUT, _E.SUPPRESS, None),
    Row(_SUPPRESSED, _E.UNSUPPRESS, _S.UNACKNOWLEDGED, active=True, anew=True),
    Row(_SUPPRESSED, _E.UNSUPPRESS, _S.RETURNED, active=False, unacknowledged=True),
    Row(_SUPPRESSED, _E.UNSUPPRESS, _S.RETURNED, active=False, unacknowledged=False, latched=True, anew=True),
    Row(_SUPPRESSED, _E.UNSUPPRESS, _S.NORMAL, active=False, unacknowledged=False, latched=False),
    Row(_SEEN + _SHELVED + _OUT, _E.UNSUPPRESS, None),
    # --- Maintenance: stronger than shelf and logic; after it, too, what is still held asks again.
    Row(_SEEN + _SHELVED + _SUPPRESSED, _E.REMOVE_FROM_SERVICE, _S.OUT_OF_SERVICE),
    Row(_OUT, _E.REMOVE_FROM_SERVICE, _R.HIDDEN),
    Row(_OUT, _E.RETURN_TO_SERVICE, _S.SUPPRESSED, suppressed=True),
    Row(_OUT, _E.RETURN_TO_SERVICE, _S.UNACKNOWLEDGED, suppressed=False, active=True, anew=True),
    Row(_OUT, _E.RETURN_TO_SERVICE, _S.RETURNED, suppressed=False, active=False, unacknowledged=True),
    Row(
        _OUT,
        _E.RETURN_TO_SERVICE,
        _S.RETURNED,
        suppressed=False,
        active=False,
        unacknowledged=False,
        latched=True,
        anew=True,
    ),
    Row(
        _OUT,
        _E.RETURN_TO_SERVICE,
        _S.NORMAL,
        suppressed=False,
        active=False,
        unacknowledged=False,
        latched=False,
    ),
    Row(_SEEN + _SHELVED + _SUPPRESSED, _E.RETURN_TO_SERVICE, _R.NOT_OUT_OF_SERVICE),
)

_ROWS: dict[tuple[AlarmState, AlarmEvent], tuple[Row, ...]] = {
    (state, event): tuple(row for row in TABLE if row.event is event and state in row.states)
    for state in AlarmState
    for event in AlarmEvent
}


def look_up(state: AlarmState, event: AlarmEvent, given: Given) -> Row:
    """The one row that fits."""
    return next(row for row in _ROWS[state, event] if row.fits(given))
