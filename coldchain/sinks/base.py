"""What a sink is: the outside world at one end, plain data at the other.

A sink is handed data and says what became of it: it returns, or raises one of the errors below. It owns no
thread, reads no journal and keeps no cursor; a drain (`log_drain.py`, `notice_drain.py`, `state_drain.py`)
knows the journal, and `thread.py` gives each its own thread, so that a sink that is down delays nothing else.

There are three kinds, because the outside world forgets in three ways: a *log* wants every row, and may lose
what it had taken; a *state* wants only how things are now; a *notice* is for a person, and one that comes
days late says something else than one in time.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any, Protocol

from msgspec import Struct
from pydantic import BaseModel

from coldchain.alarms.table import HIDDEN_STATES, AlarmState
from coldchain.announcements import Announcement, Kind
from coldchain.clock import Clock
from coldchain.config.endpoints import BrokerSettings, NoticeTable
from coldchain.facts import HeadSigned
from coldchain.model import Priority, Quality, Reason

# --- What goes wrong ----------------------------------------------------------------------------------------


class SinkError(Exception):
    """The root: which sink, what happened, why, and the mend, as attributes and in one sentence.

    retry_after_s: how long the receiver asked us to wait; None if it did not say.
    """

    mend = "nothing: it is tried again by itself"

    def __init__(
        self, sink: str, what: str, why: str, *, mend: str = "", retry_after_s: float | None = None
    ) -> None:
        self.sink = sink
        self.what = what
        self.why = why
        self.mend = mend or self.mend
        self.retry_after_s = retry_after_s
        super().__init__(f"sink {sink}: {what}: {why}; {self.mend}")


class Unreachable(SinkError):
    """No connection, or no answer in time. Whether the receiver took what we sent is not known."""


class Unwilling(SinkError):
    """It answered, and not now: overloaded, or broken on its side (HTTP 408, 425, 429 and 5xx)."""


class Misconfigured(SinkError):
    """It answered that we may not, or that there is nothing here (HTTP 401, 403, 404, redirects).

    A person must mend something; nothing is given up meanwhile.
    """

    mend = "check the address and the token of this sink; it is tried again meanwhile"


class AccessRefused(Misconfigured):
    """Secret or certificate will not do, ours or the other side's (HTTP 401, 403, TLS).

    The sink is made anew for the next attempt, so what a person renews in a file counts without a restart.
    """

    mend = "renew the secret or the certificate that this sink names; it is read anew with each attempt"


class Rejected(SinkError):
    """It answered that this very thing is wrong, and repeating it would not help (HTTP 400, 413, 422).

    dropped: of several things it threw this many away and took the others; None: it took none, or did not
    say.
    """

    mend = "look at what the receiver said; this one is not sent again"

    def __init__(self, sink: str, what: str, why: str, *, mend: str = "", dropped: int | None = None) -> None:
        super().__init__(sink, what, why, mend=mend)
        self.dropped = dropped


class CannotStart(SinkError):
    """The settings cannot be used as they are: a secret is missing, a library is not installed."""

    mend = "mend the sink's table in the configuration"


# --- What is told -------------------------------------------------------------------------------------------


class Point(Struct, frozen=True):
    """One point of a time series: numbers only, since some servers store a text as the number 0.

    The receiver knows a repeat by (measurement, tags, time_ms), which are the same on every sending.
    """

    measurement: str
    tags: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, float], ...]
    time_ms: int


class Message(Struct, frozen=True):
    """One announcement on its way to people.

    key:              the same on every attempt; the receiver knows a repeat by it.
    announced_ms:     journal time, announced_utc_ms: UTC or None while the clock is not known.
    age_ms:           journal time since then.
    attempt:          from 1.
    unrecorded:       handed over directly because the journal could not be written.
    """

    key: str
    position: int
    ordinal: int
    announcement: Announcement
    announced_ms: int
    announced_utc_ms: int | None
    age_ms: int
    attempt: int = 1
    unrecorded: bool = False


class Pulse(Struct, frozen=True):
    """A sign of life: where the journal stands, so that a receiver sees us standing still, too."""

    journal_ms: int
    utc_ms: int | None
    position: int


class ChannelNow(Struct, frozen=True):
    """One channel as last heard.

    value: judged, in the quantity's quantum; None where there is none. at_ms: its event time, UTC, None while
    not known. heard_ms: journal time of its arrival. stale: older than the channel's `fresh_within`.
    """

    id: str
    asset: str
    role: str
    quantity: str
    value: int | None = None
    quality: Quality | None = None
    reason: Reason | None = None
    at_ms: int | None = None
    heard_ms: int | None = None
    stale: bool = False
    simulated: bool = False


class AlarmNow(Struct, frozen=True):
    """One alarm as it stands. `since_ms`: event time of its newest occurrence; `open`: unacknowledged."""

    id: str
    priority: Priority
    state: str
    active: bool
    since_ms: int | None = None
    axis: str = ""
    open: tuple[int, ...] = ()
    latched: bool = False
    shelved_until_ms: int | None = None
    value: int | None = None
    limit: int | None = None
    quantity: str = ""
    unapproved: bool = False
    simulated: bool = False
    unrecorded: bool = False


class AssetNow(Struct, frozen=True):
    """One vessel: whether it is watched, what travels in it, by which profile it is judged."""

    id: str
    title: str = ""
    kind: str = ""
    monitored: bool = True
    why: str = ""
    consignment: str = ""
    stage: str = ""
    profile: str = ""
    unapproved: bool = False
    simulated: bool = False


class Present(Struct, frozen=True):
    """Everything a state sink shows, as known after folding `position`; `head`: the newest signed head."""

    position: int
    arrival_ms: int
    utc_ms: int | None
    assets: tuple[AssetNow, ...] = ()
    channels: tuple[ChannelNow, ...] = ()
    alarms: tuple[AlarmNow, ...] = ()
    head: HeadSigned | None = None


# --- What a sink does ---------------------------------------------------------------------------------------


class Sign(StrEnum):
    """What a log sink can say about its server since the last time it was asked."""

    SAME = "same"
    RESTARTED = "restarted"
    SILENT = "silent"


class LogSink(Protocol):
    """A time-series database. Every method may raise a SinkError."""

    batch: int
    doubt_ms: int

    def write(self, points: Sequence[Point]) -> None:
        """Send these points; on return the server said it took them. Partial refusals raise Rejected."""
        ...

    def sign(self) -> Sign:
        """Whether it is still the same process that took what we sent. Never raises: no answer is SILENT."""
        ...

    def ignored(self) -> int | None:
        """How many points the server says it took and threw away so far (of all its writers), if it says."""
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...


class NoticeSink(Protocol):
    """A way to people. Every method may raise a SinkError."""

    max_age_ms: int
    heartbeat_ms: int | None

    def tell(self, message: Message) -> str:
        """Send one message; the answer is the receipt, in the receiver's words."""
        ...

    def beat(self, pulse: Pulse) -> None:
        """Send a sign of life, so that somebody else can miss us."""
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...


class StateSink(Protocol):
    """A board that shows how things are. Every method may raise a SinkError."""

    refresh_ms: int

    def show(self, present: Present, *, all_of_it: bool) -> None:
        """Make the board show this: what changed, or everything (after a reconnection always everything)."""
        ...

    def lost(self) -> bool:
        """Whether the board was lost since it was last shown something (it may have forgotten everything)."""
        ...

    def tell(self, message: Message) -> str:
        """Show one announcement that is not in the journal; the answer is the receipt."""
        ...

    def close(self) -> None:
        """Say that we leave, and let go of every connection."""
        ...


Sink = LogSink | NoticeSink | StateSink


def wants(settings: NoticeTable, announcement: Announcement) -> bool:
    """Whether a way to people is to be told: what calls people, in the priorities it was set up for."""
    priority = announcement.priority
    return calls_people(announcement) and (priority is None or priority in settings.priorities)


class Category(StrEnum):
    """The three kinds of sink."""

    LOG = "log"
    STATE = "state"
    NOTICE = "notice"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a sink is given besides its own settings.

    name:   the sink's name in the configuration; site: the site's name.
    secret: (file, environment variable) -> the secret or None; raises SecretUnavailable.
    broker: a broker's settings by name; path: where a file named in the configuration lies.
    random: where jitter comes from.
    """

    name: str
    site: str
    clock: Clock
    secret: Callable[[str, str], str | None] = lambda file, variable: None
    broker: Callable[[str], BrokerSettings] | None = None
    path: Callable[[str], Path] = Path
    random: Random = field(default_factory=Random)


#: What is recorded and calls nobody: that it is hidden, each alarm by itself, is no news beside the work.
_QUIET = frozenset({Kind.REFUSED, Kind.SUPPRESSED, Kind.OUT_OF_SERVICE, Kind.BLIND_BEGAN, Kind.BLIND_ENDED})
#: What says that something comes into sight again: news only if it asks for somebody.
_SHOWS = frozenset({Kind.UNSUPPRESSED, Kind.IN_SERVICE})
_WORKS = frozenset({Kind.WORK_BEGAN, Kind.WORK_ENDED, Kind.WORK_CONFIRMED})


def calls_people(announcement: Announcement) -> bool:
    """Whether an announcement is worth a message: not what was refused, nor what happens out of sight.

    That a person hides alarms, and that they are back, is worth one; an ordinary filling by itself is not.
    """
    kind = announcement.kind
    if kind in _QUIET or announcement.folded:
        return False
    if kind in _WORKS:
        return announcement.text != "by_readings"
    if kind in _SHOWS:
        return announcement.state in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED)
    return announcement.state not in HIDDEN_STATES or kind is Kind.SHELVED


@dataclass(frozen=True, kw_only=True)
class SinkKind:
    """What a sink's module publishes as `SINK` under the entry-point group `coldchain.sinks`.

    settings: the table of the configuration it understands.
    make:     (settings, surroundings) -> the sink; opens nothing yet. Raises CannotStart.
    wants:    (settings, announcement) -> whether a notice sink is to be told; asked when it is announced.
    """

    name: str
    title: str
    category: Category
    settings: type[BaseModel]
    make: Callable[[Any, Surroundings], Sink]
    wants: Callable[[Any, Announcement], bool] = lambda settings, announcement: False


GROUP = "coldchain.sinks"


def installed() -> dict[str, SinkKind]:
    """Every sink that is installed, by name. Raises CannotStart if one of them cannot be loaded."""
    kinds = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        try:
            kind = point.load()
        except (ImportError, AttributeError) as error:
            raise CannotStart(point.name, "load it", str(error), mend="install it anew") from error
        if not isinstance(kind, SinkKind) or kind.name != point.name:
            raise CannotStart(point.name, "load it", f"{point.value} is no sink of that name")
        kinds[kind.name] = kind
    return kinds
