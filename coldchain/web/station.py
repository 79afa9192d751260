"""The page's only door into the daemon: what it may see and what it may ask for.

The daemon implements `Station`; tests use a small one in memory. Every method may be called from any
thread of the web server at any time and must not wait for a device or a network.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from coldchain.model import Ending
from coldchain.web.series import SeriesView
from coldchain.web.views import Pulse, StateView
from coldchain.web.workings import Workings


class Role(StrEnum):
    """What a person may do: a viewer looks, an operator acts, an admin also changes what measures what."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


#: The actor's name while no users exist; such actions are possible from this machine alone.
UNAUTHENTICATED = "unauthenticated"


class Actor(Struct, frozen=True):
    """Who asks. `name` is the login's, or `UNAUTHENTICATED`; never what a form says."""

    name: str
    role: Role
    authenticated: bool = True
    address: str = ""


#: The end of the year 9999, where calendars end (also that of Python's `datetime`): no view can show more.
LAST_MS = 253_402_300_799_999


class AcknowledgeAlarm(Struct, frozen=True, tag="acknowledge", tag_field="do", forbid_unknown_fields=True):
    """Take up these occurrences of an alarm, and no others."""

    alarm: str
    occurrences: tuple[int, ...]
    comment: str


class ShelveAlarm(Struct, frozen=True, tag="shelve", tag_field="do", forbid_unknown_fields=True):
    """Silence an alarm until a stated time (UTC ms)."""

    alarm: str
    until_ms: int
    comment: str


class UnshelveAlarm(Struct, frozen=True, tag="unshelve", tag_field="do", forbid_unknown_fields=True):
    """Take an alarm off the shelf before its end."""

    alarm: str
    comment: str = ""


class ResetLatch(Struct, frozen=True, tag="reset", tag_field="do", forbid_unknown_fields=True):
    """Reset a latched alarm whose condition has gone, with the reason."""

    alarm: str
    comment: str


class CloseAlarm(Struct, frozen=True, tag="close", tag_field="do", forbid_unknown_fields=True):
    """Close an alarm whose rule, channel or probe is gone; its excursion stays open."""

    alarm: str
    comment: str


class BeginWork(Struct, frozen=True, tag="begin_work", tag_field="do", forbid_unknown_fields=True):
    """Work at a vessel, a place in it or one alarm begins, or goes on until another end (UTC ms).

    work: its kind; "out-of-service" takes all alarms there out of service.
    """

    scope: str
    work: str
    until_ms: int
    comment: str


class EndWork(Struct, frozen=True, tag="end_work", tag_field="do", forbid_unknown_fields=True):
    """A work is done."""

    scope: str
    work: str
    comment: str = ""


class StartConsignment(Struct, frozen=True, tag="start", tag_field="do", forbid_unknown_fields=True):
    """Product units now travel together in an asset. `at_ms` None: now; earlier needs a `why`."""

    consignment: str
    asset: str
    profile: str
    stage: str
    units: tuple[str, ...] = ()
    at_ms: int | None = None
    why: str = ""


class EnterStage(Struct, frozen=True, tag="stage", tag_field="do", forbid_unknown_fields=True):
    """The consignment is in this stage of its lane."""

    consignment: str
    stage: str
    at_ms: int | None = None
    why: str = ""


class SetEta(Struct, frozen=True, tag="eta", tag_field="do", forbid_unknown_fields=True):
    """When the consignment is expected to arrive (UTC ms)."""

    consignment: str
    eta_ms: int


class EndConsignment(Struct, frozen=True, tag="end", tag_field="do", forbid_unknown_fields=True):
    """The consignment is over, and what became of it."""

    consignment: str
    outcome: Ending
    at_ms: int | None = None
    why: str = ""


class BindChannel(Struct, frozen=True, tag="bind", tag_field="do", forbid_unknown_fields=True):
    """This channel measures that role of that asset from now (or `at_ms`) on.

    confirmed: also if no limit judges that role there.
    """

    channel: str
    asset: str
    role: str
    at_ms: int | None = None
    why: str = ""
    confirmed: bool = False


class UnbindChannel(Struct, frozen=True, tag="unbind", tag_field="do", forbid_unknown_fields=True):
    """This channel measures nothing from now (or `at_ms`) on."""

    channel: str
    at_ms: int | None = None
    why: str = ""


class ResolveExcursion(Struct, frozen=True, tag="resolve", tag_field="do", forbid_unknown_fields=True):
    """Give the time of an excursion that is over back to budgets, with the reason.

    from_ms, to_ms: its ends as the person saw them, on the axis of its place.
    """

    excursion: str
    from_ms: int
    to_ms: int
    comment: str


class ReopenExcursion(Struct, frozen=True, tag="reopen", tag_field="do", forbid_unknown_fields=True):
    """Take a resolution back, with the reason."""

    excursion: str
    comment: str


class EraseNames(Struct, frozen=True, tag="erase_names", tag_field="do", forbid_unknown_fields=True):
    """Erase the private texts behind these commitments, with the reason."""

    commitments: tuple[str, ...]
    comment: str


Action = (
    AcknowledgeAlarm
    | ShelveAlarm
    | UnshelveAlarm
    | ResetLatch
    | CloseAlarm
    | StartConsignment
    | EnterStage
    | SetEta
    | EndConsignment
    | BindChannel
    | UnbindChannel
    | BeginWork
    | EndWork
    | ResolveExcursion
    | ReopenExcursion
    | EraseNames
)


class Outcome(Struct, frozen=True, omit_defaults=True):
    """What became of an action: done at a journal position, or refused in words fit for the person.

    message: why it was refused, or what follows from it that the person may not expect.
    confirm: refused only until it is asked for with `confirmed`.
    """

    done: bool
    message: str = ""
    position: int | None = None
    confirm: bool = False


class Station(Protocol):
    """Everything the page needs of the daemon."""

    def state(self) -> StateView:
        """The whole current view, of one instant. Cheap: called up to a few times a second."""
        ...

    def pulse(self) -> Pulse:
        """Proof that the writer lives. Cheaper still: called with every heartbeat."""
        ...

    def workings(self) -> Workings:
        """How the program itself is doing. As cheap as `state`."""
        ...

    def series(self, channel: str, from_ms: int, to_ms: int, columns: int) -> SeriesView | None:
        """One channel over [from_ms, to_ms) of event time, reduced by `series.draw`; None: unknown."""
        ...

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` after each commit that may have changed `state()`; returns how to end that.

        `changed` returns at once and never raises; it may be called from any thread, the writer's too.
        """
        ...

    def act(self, action: Action, actor: Actor) -> Outcome:
        """Carry out what a person asked for, and wait until it is in the journal or refused.

        The station judges whether it can be done (unknown alarm, reset while the condition lasts, …);
        whether the actor may ask at all has been judged before.
        """
        ...
