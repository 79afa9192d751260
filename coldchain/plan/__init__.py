"""The plan: everything a configuration means to the fold, as plain data.

The configuration and profile files are read, checked and compiled once, at the edge; what comes
out is this tree. It is what an activation writes into the journal, so a re-fold needs no file,
no TOML and no pydantic. All times are integer ms; all values integers in the channel's quantum.
"""

from __future__ import annotations

from msgspec import Struct

from coldchain.model import Priority
from coldchain.plan.calling import Contact, Escalation, FloodPlan, QuietHours, Step
from coldchain.plan.rules import (
    LANE,
    PAIR,
    Age,
    BoilOff,
    Bound,
    Budget,
    Cited,
    Crossing,
    Fires,
    HoldLeft,
    KineticMean,
    Limit,
    Outside,
    Per,
    Plugged,
    Rate,
    Rolling,
    Rule,
    Settle,
    Span,
    Spike,
    Stuck,
    TimeToLimit,
    bounds,
)
from coldchain.plan.works import OUT_OF_SERVICE, Cause, Moves, Sign, Work

__all__ = [
    "LANE",
    "OUT_OF_SERVICE",
    "PAIR",
    "Age",
    "AssetPlan",
    "BoilOff",
    "Bound",
    "Budget",
    "CalibrationPoint",
    "Cause",
    "ChannelPlan",
    "Cited",
    "Contact",
    "Crossing",
    "Escalation",
    "Fires",
    "FloodPlan",
    "HoldLeft",
    "KineticMean",
    "Limit",
    "Moves",
    "Outside",
    "Per",
    "Plan",
    "Plugged",
    "ProfilePlan",
    "QuietHours",
    "Rate",
    "Rolling",
    "Rule",
    "Settle",
    "Sign",
    "SourcePlan",
    "Span",
    "Spike",
    "StagePlan",
    "Step",
    "Stuck",
    "TimeToLimit",
    "Work",
    "bounds",
]


class SourcePlan(Struct, frozen=True, omit_defaults=True):
    """One device or message stream as the fold sees it. `link`: what it shares with others: broker or bus."""

    id: str
    driver: str
    round_ms: int
    clock_tolerance_ms: int = 60_000
    sends_time: bool = False
    numbered: bool = False
    simulated: bool = False
    link: str = ""


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
    uncertainty: int = 0  # expanded, as the certificate states it
    certificate: str = ""
    calibration_due_ms: int | None = None  # UTC
    calibration_ahead_ms: int | None = None  # so long before it people are told
    silence_priority: Priority = Priority.HIGH
    re_alarm_ms: int | None = None
    touch: int | None = None  # so far a reading moves when somebody has the probe in hand


class StagePlan(Struct, frozen=True, omit_defaults=True):
    """The rules in force in one stage of a lane.

    roles: the roles they judge, and the quantity that each must measure ("": any).
    """

    name: str
    rules: tuple[Rule, ...]
    title: str = ""
    roles: dict[str, str] = {}


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
    """A vessel. `profile` and `stage` judge it while no consignment says otherwise.

    empty_mass:        its tare, in quanta of mass; loss_per_day: its own loss of nitrogen, likewise.
    qualified_hold_ms: how long it was shown to stay cold.
    reserves:          pairs of roles: the second stands in while the first gives no value.
    """

    id: str
    kind: str
    title: str = ""
    profile: str = ""
    stage: str = ""
    empty_mass: int | None = None
    loss_per_day: int | None = None
    qualified_hold_ms: int | None = None
    reserves: tuple[tuple[str, str], ...] = ()


class Plan(Struct, frozen=True, omit_defaults=True):
    """What a whole configuration means.

    works: the site's own kinds, which are known at every vessel.
    zone:  (from UTC ms, offset in ms) of the site's local time, as far as quiet hours need it.
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
    contacts: tuple[Contact, ...] = ()
    escalation: tuple[Escalation, ...] = ()
    zone: tuple[tuple[int, int], ...] = ()
    flood: FloodPlan | None = None
