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


class AssetPlan(Struct, frozen=True, omit_defaults=True):
    """A vessel. `profile` and `stage` judge it while no consignment says otherwise."""

    id: str
    kind: str
    title: str = ""
    profile: str = ""
    stage: str = ""


class Plan(Struct, frozen=True, omit_defaults=True):
    """What a whole configuration means."""

    site: str
    sources: tuple[SourcePlan, ...] = ()
    channels: tuple[ChannelPlan, ...] = ()
    assets: tuple[AssetPlan, ...] = ()
    profiles: tuple[ProfilePlan, ...] = ()
