"""The plan: everything a configuration means to the fold, as plain data.

The configuration and profile files are read, checked and compiled once, at the edge; what comes
out is this tree. It is what an activation writes into the journal, so a re-fold needs no file,
no TOML and no pydantic. All times are integer ms; all values integers in the channel's quantum.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from coldchain.model import Priority, Side


class Outside(StrEnum):
    """Whether the value exactly on a limit is outside."""

    BEYOND = "beyond"
    AT_OR_BEYOND = "at_or_beyond"


class Fires(StrEnum):
    """What completes a hold: its deadline, or a reading after it (semantics, Holds)."""

    AT_DUE = "at_due"
    ON_READING = "on_reading"


class Crossing(StrEnum):
    """Where between two readings a limit was crossed: at the later one, or interpolated."""

    STEP = "step"
    LINEAR = "linear"


class Cited(Struct, frozen=True, omit_defaults=True):
    """Where a number comes from: source in words, our confidence in it, who approved it."""

    source: str
    confidence: str
    approved_by: str = ""


class Limit(Struct, frozen=True, tag="limit", omit_defaults=True):
    """A limit held for a minimum time (a single event). `hold_ms` 0 fires at once."""

    id: str
    role: str
    side: Side
    limit: int
    hold_ms: int
    priority: Priority
    cited: Cited
    title: str = ""
    outside: Outside = Outside.BEYOND
    fires: Fires = Fires.AT_DUE
    crossing: Crossing = Crossing.STEP
    deadband: int = 0
    off_delay_ms: int = 0
    latched: bool = False
    re_alarm_ms: int | None = None
    advice: str = ""


class Budget(Struct, frozen=True, tag="budget", omit_defaults=True):
    """A sum of time outside a limit; exceeded when greater than `allowance_ms` (or equal, as said)."""

    id: str
    role: str
    side: Side
    limit: int
    allowance_ms: int
    priority: Priority
    cited: Cited
    title: str = ""
    outside: Outside = Outside.BEYOND
    exceeded: Outside = Outside.BEYOND
    fires: Fires = Fires.AT_DUE
    crossing: Crossing = Crossing.STEP
    charge_unmonitored: bool = False
    latched: bool = True
    re_alarm_ms: int | None = None
    advice: str = ""


Rule = Limit | Budget


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


class SourcePlan(Struct, frozen=True, omit_defaults=True):
    """One device or message stream as the fold sees it."""

    id: str
    driver: str
    round_ms: int
    clock_tolerance_ms: int = 60_000
    sends_time: bool = False
    numbered: bool = False
    simulated: bool = False


class CalibrationPoint(Struct, frozen=True):
    """At an indicated value, add this correction (both in the channel's quantum)."""

    at: int
    correction: int


class ChannelPlan(Struct, frozen=True, omit_defaults=True):
    """One quantity of one probe at one place."""

    id: str
    source: str
    quantity: str
    asset: str
    role: str
    interval_ms: int
    fresh_within_ms: int
    max_gap_ms: int
    valid_low: int
    valid_high: int
    unit: str = ""
    probe: str = ""
    calibration: tuple[CalibrationPoint, ...] = ()
    silence_priority: Priority = Priority.HIGH
    re_alarm_ms: int | None = None
    touch: int | None = None  # so far a reading moves when somebody has the probe in hand


class StagePlan(Struct, frozen=True, omit_defaults=True):
    """The rules in force in one stage of a lane."""

    name: str
    rules: tuple[Rule, ...]
    title: str = ""


class ProfilePlan(Struct, frozen=True, omit_defaults=True):
    """A compiled limit profile. `approved` False is said wherever it judges."""

    id: str
    version: str
    approved: bool
    stages: tuple[StagePlan, ...]
    sha256: str
    title: str = ""
    works: tuple[Work, ...] = ()


class AssetPlan(Struct, frozen=True, omit_defaults=True):
    """A vessel. `profile` and `stage` judge it while no consignment says otherwise."""

    id: str
    kind: str
    title: str = ""
    profile: str = ""
    stage: str = ""


class Plan(Struct, frozen=True, omit_defaults=True):
    """What a whole configuration means.

    works: the site's own kinds, which are known at every vessel.
    shelf_max_ms: how long an alarm of each priority may be shelved at most; one that is not in it, for ever
    (as in journals that were written before there was a maximum).
    """

    site: str
    sources: tuple[SourcePlan, ...] = ()
    channels: tuple[ChannelPlan, ...] = ()
    assets: tuple[AssetPlan, ...] = ()
    profiles: tuple[ProfilePlan, ...] = ()
    works: tuple[Work, ...] = ()
    shelf_max_ms: dict[Priority, int] = {}
