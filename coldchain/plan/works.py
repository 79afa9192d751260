"""Kinds of work at a vessel, during which some of its alarms call nobody, as frozen data."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from coldchain.model import Priority, Side
from coldchain.plan.rules import Cited

#: The kind of work that takes alarms out of service with no more said; the site says how long it may last.
OUT_OF_SERVICE = "out-of-service"


class Moves(StrEnum):
    """How a reading moves."""

    RISES = "rises"
    FALLS = "falls"
    CHANGES = "changes"


class Sign(Struct, frozen=True, omit_defaults=True):
    """What readings must show before a work at a vessel counts as done: a fill, a hand at the probe.

    by:        how far, in the quantum of the role's channel. role: of the vessel the work is at.
    after_end: only what is measured after the end of the work counts (the valve is open again).
    within_ms: so long after the end it is waited for.
    """

    role: str
    moves: Moves
    by: int
    within_ms: int = 0
    after_end: bool = False


class Cause(Struct, frozen=True):
    """A reading beyond this shows that a work goes on by itself: the fill valve is open, the lid is up."""

    role: str
    side: Side
    limit: int


class Work(Struct, frozen=True, omit_defaults=True):
    """A kind of work at a vessel, during which some of its alarms call nobody.

    hides:      ids of the rules whose alarms are suppressed by design; () takes all of them out of service.
    longest_ms: no such work lasts longer; at the latest then it ends by itself.
    sign:       how readings show that it was done, None: only a person's word does.
    cause:      how readings show that it goes on, None: only a person begins it.
    priority, advice, re_alarm_ms: of the alarm "end of work not confirmed".
    """

    id: str
    longest_ms: int
    cited: Cited
    title: str = ""
    hides: tuple[str, ...] = ()
    sign: Sign | None = None
    cause: Cause | None = None
    priority: Priority = Priority.HIGH
    advice: str = ""
    re_alarm_ms: int | None = None
