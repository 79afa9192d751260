"""What the page is shown of alarms and of works at vessels. Conventions as in `views.py`."""

from __future__ import annotations

from msgspec import Struct

from coldchain.alarms.table import AlarmState
from coldchain.announcements import Late
from coldchain.model import Priority, Side
from coldchain.web.plain_views import CitedView, Instant


class OccurrenceView(Struct, frozen=True, omit_defaults=True):
    """One occurrence of an alarm. `ended`: the condition went; `due`: when it became certain."""

    number: int
    since: Instant
    announced: Instant
    due: Instant | None = None
    ended: Instant | None = None
    late: Late | None = None
    value: int | None = None
    acknowledged: bool = False
    confirmed: bool = True  # False: late evidence ended it before it was due


class ToldView(Struct, frozen=True, omit_defaults=True):
    """Whom a sink has told: `receipt` None while it still waits; `failed` says what the sink said."""

    who: str
    receipt: Instant | None = None
    failed: str = ""


class TakenView(Struct, frozen=True, omit_defaults=True):
    """Who took an alarm up, which occurrences, and in what words."""

    who: str
    at: Instant
    occurrences: tuple[int, ...]
    comment: str = ""


class CalledView(Struct, frozen=True, omit_defaults=True):
    """A contact of an alarm's steps: when it was called, or when it will be if nobody takes the alarm up.

    held: its step has come, and its quiet hours hold it back.
    """

    who: str
    at: Instant | None = None
    due: Instant | None = None
    held: bool = False


class ShelfView(Struct, frozen=True, omit_defaults=True):
    """Why an alarm is silent, until when, by whom. Shelved and suppressed alarms stay in sight with it."""

    until: Instant | None
    by: str = ""
    comment: str = ""


class WorkView(Struct, frozen=True, omit_defaults=True):
    """A work at a vessel that is not over: whose, why, until when.

    scope:       the vessel, a place in it ("asset/role") or one alarm.
    state:       under_way, awaited (its sign may still come) or unconfirmed.
    until:       when it ends at the latest; awaited: when the wait for its sign ends.
    hides:       the rules whose alarms it hides; none: all of them, out of service.
    by_readings: nobody began it, readings did. shown: readings have shown that it was done.
    """

    scope: str
    work: str
    state: str
    since: Instant
    until: Instant | None
    title: str = ""
    hides: tuple[str, ...] = ()
    by: str = ""
    comment: str = ""
    by_readings: bool = False
    checked: bool = False
    shown: bool = False


class WorkChoice(Struct, frozen=True, omit_defaults=True):
    """A kind of work that may be done at a vessel; `by_design`: it hides chosen alarms only."""

    id: str
    longest_ms: int
    title: str = ""
    by_design: bool = False


class AlarmView(Struct, frozen=True, omit_defaults=True):
    """An alarm that is not Normal, or that ended so recently that the room should still see it.

    id:          "asset/role/rule", "port:SOURCE" or "gateway/...", as announced.
    kind:        which words to use: "limit", "budget", "silence", "port", "link", "nothing_heard", "work",
                 "prediction", "calibration" or "gateway".
    active:      the condition lasts. occurrences: all that matter now, oldest first; acknowledging
                 names the unacknowledged among them, and no others.
    value:       the extreme so far; limit: what it is held against, both in `quantity`.
    advice:      what to do, in the profile's words; detail: parameters of a gateway alarm's words.
    latched:     it stays after the condition has gone, until reset with a reason.
    shelf_max_ms: for how long it may be shelved at most; None: as long as somebody likes.
    can_close:   its rule, channel or probe is gone, so it may be closed with a reason.
    called:      the contacts of its steps, in their order.
    group:       alarms of one vessel that came up together have one; `first_in_group`: this was the first.
    unrecorded:  announced while the journal could not be written.
    """

    id: str
    kind: str
    title: str
    priority: Priority
    state: AlarmState
    since: Instant
    announced: Instant
    occurrences: tuple[OccurrenceView, ...] = ()
    asset: str = ""
    channel: str = ""
    active: bool = True
    latched: bool = False
    due: Instant | None = None
    late: Late | None = None
    last_confirmed: Instant | None = None
    value: int | None = None
    limit: int | None = None
    side: Side | None = None
    quantity: str = ""
    hold_ms: int = 0
    cited: CitedView | None = None
    advice: str = ""
    detail: dict[str, str] = {}
    told: tuple[ToldView, ...] = ()
    taken: tuple[TakenView, ...] = ()
    called: tuple[CalledView, ...] = ()
    group: str = ""
    first_in_group: bool = False
    shelf: ShelfView | None = None
    shelf_max_ms: int | None = None
    re_alarm: Instant | None = None
    can_reset: bool = False
    can_close: bool = False
    unrecorded: bool = False
    unapproved: bool = False
    simulated: bool = False
