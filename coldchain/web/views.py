"""What the page is shown: plain frozen views, made by the daemon, sent as JSON.

Conventions, the same everywhere:

- values are integers in the quantity's quantum, as the fold judged them; `quantity` names one of
  `coldchain.units.QUANTITIES`, or "duration" (quantum 1 ms). The page prints; it never judges.
- an `Instant` is UTC in integer ms and says whether the clock was known when it was taken.
- fields named `*_at_journal_ms` are journal time. The page lets ages and running sums tick by journal
  time, which its heartbeats carry, so neither a stepped clock nor the viewer's own clock matters.
- a view changes only when what it says changed, never because time went by: only then can the server
  send differences. So no view holds an age; it holds the journal time from which an age counts.
- None means "there is none" or "not known", as said beside the field; it never means zero.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from coldchain.model import Priority, Quality, Reason, Side
from coldchain.plan import Outside
from coldchain.web.alarm_views import AlarmView, WorkChoice, WorkView
from coldchain.web.plain_views import CitedView, Instant


class Judgement(StrEnum):
    """What can be said about a channel or an asset now.

    NOT_KNOWN: silent, BAD, or UNMONITORED for any other reason; UNJUDGED: no limit is in force here.
    """

    INSIDE = "inside"
    OUTSIDE = "outside"
    NOT_KNOWN = "not_known"
    UNJUDGED = "unjudged"


class LimitView(Struct, frozen=True, omit_defaults=True):
    """A limit in force on a channel.

    `hold_ms`: how long it may last; `allowance_ms`: a budget's allowance, None for a single event.
    `spent_ms`: the budget's time outside so far; if `spending` it runs on from `spent_at_journal_ms`.
    """

    id: str
    side: Side
    limit: int
    cited: CitedView
    title: str = ""
    outside: Outside = Outside.BEYOND
    priority: Priority = Priority.HIGH
    hold_ms: int = 0
    allowance_ms: int | None = None
    spent_ms: int | None = None
    spending: bool = False
    spent_at_journal_ms: int | None = None


class Extreme(Struct, frozen=True, omit_defaults=True):
    """A lowest or highest value and when it was."""

    value: int
    at: Instant


class ChannelView(Struct, frozen=True, omit_defaults=True):
    """One quantity of one probe, as last heard.

    value:      the last judged value; None if the last reading had none (BAD) or nothing came yet.
    at:         its event time; `heard_at_journal_ms`: the journal time from which its age counts.
    fresh_within_ms: older than this it is not known, whatever the value was.
    judgement:  the fold's word; the page may only make it worse (NOT_KNOWN by age), never better.
    distance:   to the nearest limit in force, positive inside, negative outside, in quanta.
    nearest:    that limit's id.
    outside_since: start of the open excursion, if any.
    per_minute: trend in quanta a minute over the recent past, None if it cannot be told.
    least, greatest: extremes since packing, or since `since` where there is no consignment.
    good_ms, product_ms: coverage is their quotient, GOOD time over product time. Both run on from
                `counts_at_journal_ms`: product time for ever, GOOD time until `good_until_journal_ms`.
    blind_ms:   for how long at least one of its alarms called nobody, since `since`; while that is so it runs
                on from `blind_at_journal_ms`.
    """

    id: str
    role: str
    quantity: str
    judgement: Judgement
    fresh_within_ms: int
    title: str = ""
    quality: Quality | None = None
    reason: Reason | None = None
    value: int | None = None
    at: Instant | None = None
    heard_at_journal_ms: int | None = None
    limits: tuple[LimitView, ...] = ()
    nearest: str = ""
    distance: int | None = None
    outside_since: Instant | None = None
    per_minute: int | None = None
    since: Instant | None = None
    least: Extreme | None = None
    greatest: Extreme | None = None
    good_ms: int | None = None
    product_ms: int | None = None
    counts_at_journal_ms: int | None = None
    good_until_journal_ms: int | None = None
    probe: str = ""
    calibration_due: Instant | None = None
    simulated: bool = False
    blind_ms: int = 0
    blind_at_journal_ms: int | None = None


class ProfileView(Struct, frozen=True, omit_defaults=True):
    """The limit profile that judges an asset; `approved` False is stamped across all it judges."""

    id: str
    version: str
    approved: bool
    title: str = ""


class ConsignmentView(Struct, frozen=True, omit_defaults=True):
    """Product units travelling together. `started`: packed; `stage_since`: entered the present stage."""

    id: str
    stage: str
    started: Instant
    stage_title: str = ""
    stage_since: Instant | None = None
    eta: Instant | None = None
    units: int = 0
    origin: str = ""
    destination: str = ""


class HoldView(Struct, frozen=True, omit_defaults=True):
    """Remaining LN2 hold as an interval, against the time still to travel and the reserve (all ms).

    low_ms:    the shorter end, None: it cannot be told, see `why`; high_ms None: no end is in sight.
    needed_ms: the time still to travel, None: nobody said when it arrives.
    reckoned_at_journal_ms: when; interval and time to travel shrink from there.
    enough:    at that time `low_ms` was enough for both; the page may only make it worse.
    basis:     "mass", "level" or words; channel: what measures it.
    why:       "nothing_says_empty", "too_few_readings" (since the fill, or since it began).
    """

    low_ms: int | None
    high_ms: int | None
    needed_ms: int | None
    reckoned_at_journal_ms: int | None
    reserve_ms: int = 0
    basis: str = ""
    enough: bool = True
    channel: str = ""
    why: str = ""


class AssetView(Struct, frozen=True, omit_defaults=True):
    """A vessel and all that hangs on it. `monitored` False: the product in it is not watched, see `why`."""

    id: str
    title: str
    kind: str
    judgement: Judgement
    channels: tuple[ChannelView, ...]
    stage: str = ""
    stage_title: str = ""
    stages: tuple[str, ...] = ()  # the stages its profile knows, in lane order
    consignment: ConsignmentView | None = None
    profile: ProfileView | None = None
    hold: HoldView | None = None
    monitored: bool = True
    why: str = ""
    simulated: bool = False
    works: tuple[WorkView, ...] = ()
    work_choices: tuple[WorkChoice, ...] = ()


class SourceView(Struct, frozen=True, omit_defaults=True):
    """A device or message stream: up or down since when, and what the system said."""

    id: str
    driver: str
    up: bool
    since: Instant | None = None
    detail: str = ""
    simulated: bool = False
    says: dict[str, str] = {}  # what it said last that nothing judges: a state in words, a place


class SinkView(Struct, frozen=True, omit_defaults=True):
    """Where announcements go: whether it takes them, how many wait, since when the oldest waits."""

    id: str
    ok: bool
    waiting: int = 0
    oldest: Instant | None = None
    detail: str = ""


class GatewayView(Struct, frozen=True, omit_defaults=True):
    """Health of the program itself. `journal_ok` False: alarms leave unrecorded; `why` says what failed.

    flood: since when more alarms come up than a person can take in; low ones are told together at its end.
    """

    version: str
    started: Instant
    journal_ok: bool = True
    why: str = ""
    sources: tuple[SourceView, ...] = ()
    sinks: tuple[SinkView, ...] = ()
    flood: Instant | None = None


class ClockView(Struct, frozen=True, omit_defaults=True):
    """Whether the wall clock is known, from whom, and the site's zone (IANA name)."""

    known: bool
    zone: str
    source: str = ""


class ProfileChoice(Struct, frozen=True, omit_defaults=True):
    """A profile a consignment can be started under, its stages in lane order, and the roles it judges."""

    id: str
    version: str
    approved: bool
    stages: tuple[str, ...]
    title: str = ""
    roles: tuple[str, ...] = ()


class ChannelChoice(Struct, frozen=True, omit_defaults=True):
    """A channel that can be bound; `asset` and `role` say what it measures now ("" if nothing)."""

    id: str
    quantity: str
    asset: str = ""
    role: str = ""


class StateView(Struct, frozen=True, omit_defaults=True):
    """Everything the page shows now, of one instant.

    simulated: data of a simulator are part of the view; it is stamped across the page.
    """

    site: str
    clock: ClockView
    gateway: GatewayView
    assets: tuple[AssetView, ...]
    alarms: tuple[AlarmView, ...]
    profiles: tuple[ProfileChoice, ...] = ()
    channels: tuple[ChannelChoice, ...] = ()
    simulated: bool = False


class Pulse(Struct, frozen=True):
    """Proof of life for the heartbeat: of the writer, not merely of the server that sends it.

    `beat_journal_ms` is the journal time of the writer's last own heartbeat that came out committed or
    folded; when it is more than `beat_within_ms` behind `journal_ms`, nothing on the page is live, however
    well the line works. `speed`: how fast both times run, 1 but in simulated runs.
    """

    journal_ms: int
    utc_ms: int
    clock_known: bool
    beat_journal_ms: int
    beat_within_ms: int
    speed: int = 1
