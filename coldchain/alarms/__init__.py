"""The life of an alarm (ISA-18.2 / IEC 62682): pure, without clock, thread or disk.

`table.py` says which state follows, `moves.py` has one function for each event, `alarm.py` is what an alarm
remembers, `drawing.py` draws the table.
"""

from coldchain.alarms.alarm import Alarm, Moved, Occurrence, Said, due_ms, unacknowledged
from coldchain.alarms.moves import (
    acknowledge,
    adopt,
    close,
    condition_gone,
    fire,
    raise_,
    remove_from_service,
    renamed,
    reset,
    return_to_service,
    shelve,
    suppress,
    unshelve,
    unsuppress,
)
from coldchain.alarms.table import HIDDEN_STATES, AlarmEvent, AlarmState, Refusal

__all__ = [
    "HIDDEN_STATES",
    "Alarm",
    "AlarmEvent",
    "AlarmState",
    "Moved",
    "Occurrence",
    "Refusal",
    "Said",
    "acknowledge",
    "adopt",
    "close",
    "condition_gone",
    "due_ms",
    "fire",
    "raise_",
    "remove_from_service",
    "renamed",
    "reset",
    "return_to_service",
    "shelve",
    "suppress",
    "unacknowledged",
    "unshelve",
    "unsuppress",
]
