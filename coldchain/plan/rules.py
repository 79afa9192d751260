"""The kinds of rules a profile is made of, as frozen data: what each judges, and by which numbers.

What a rule does with a sample stands in `coldchain.rules`, one module a kind. All times are integer ms, all
values integers in the channel's quantum.
"""

from __future__ import annotations

from collections.abc import Iterable
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


class Settle(Struct, frozen=True, omit_defaults=True):
    """A probe's time to settle after its product came in: the rule waits for a value, not only for time.

    It begins to judge with the first GOOD value that is not beyond `to` on `side`, or after `max_ms` at the
    latest.
    """

    side: Side
    to: int
    max_ms: int


class Limit(Struct, frozen=True, tag="limit", omit_defaults=True):
    """A limit held for a minimum time (a single event). `hold_ms` 0 fires at once.

    guarded: the limit moves inwards by the uncertainty of the probe; guard: by how much it has been moved.
    """

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
    guarded: bool = False
    guard: int = 0
    settle: Settle | None = None


class Span(Struct, frozen=True):
    """A span of event time: from its first ms up to, and without, its last."""

    from_ms: int
    to_ms: int

    @property
    def ends(self) -> tuple[int, int]:
        """Both ends."""
        return self.from_ms, self.to_ms


class Per(StrEnum):
    """What a budget's allowance is for: the product's whole time, one stage of it, or a day."""

    PRODUCT = "product"
    STAGE = "stage"
    DAY = "day"


class Budget(Struct, frozen=True, tag="budget", omit_defaults=True):
    """A sum of time outside a limit; exceeded when greater than `allowance_ms` (or equal, as said).

    per:           what the allowance is for; a budget per product is shared by all stages that name it.
    day_offset_ms: local time minus UTC, for a budget per day.
    since_ms:      when the stage began, on the channel's axis, for a budget per stage; set by the lane.
    given_back:    spans of excursions that a person resolved, in order; set by the lane.
    """

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
    per: Per = Per.PRODUCT
    day_offset_ms: int = 0
    since_ms: int | None = None
    guarded: bool = False
    guard: int = 0
    settle: Settle | None = None
    given_back: tuple[Span, ...] = ()


class _Rule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every rule says of itself, and of its alarm."""

    id: str
    role: str
    priority: Priority
    cited: Cited
    title: str = ""
    latched: bool = False
    re_alarm_ms: int | None = None
    advice: str = ""
    settle: Settle | None = None


class Rolling(_Rule, frozen=True, kw_only=True, tag="rolling", omit_defaults=True):
    """A sum of time outside a limit within the last `window_ms`, whatever product or stage it was."""

    side: Side
    limit: int
    allowance_ms: int
    window_ms: int
    outside: Outside = Outside.BEYOND
    exceeded: Outside = Outside.BEYOND
    fires: Fires = Fires.AT_DUE
    charge_unmonitored: bool = False
    guarded: bool = False
    guard: int = 0


class KineticMean(_Rule, frozen=True, kw_only=True, tag="kinetic_mean", omit_defaults=True):
    """The mean kinetic temperature of the last `window_ms` of monitored time, high side only.

    energy_kj_mol: the activation energy, as the exact text of a decimal number.
    """

    limit: int
    window_ms: int
    energy_kj_mol: str
    outside: Outside = Outside.BEYOND

    @property
    def side(self) -> Side:
        """A mean must never excuse cold: it falls when a product freezes."""
        return Side.ABOVE


class Rate(_Rule, frozen=True, kw_only=True, tag="rate", omit_defaults=True):
    """A change of at least `limit` within `within_ms`, upwards (above) or downwards (below)."""

    side: Side
    limit: int
    within_ms: int


class TimeToLimit(_Rule, frozen=True, kw_only=True, tag="time_to_limit", omit_defaults=True):
    """The straight line through the last `window_ms` reaches a limit within `horizon_ms`.

    least: how far the line must move within the window to be taken for one, in quanta.
    """

    side: Side
    limit: int
    horizon_ms: int
    window_ms: int
    least: int


class HoldLeft(_Rule, frozen=True, kw_only=True, tag="hold_left", omit_defaults=True):
    """The nitrogen that is left lasts for the time still to travel, plus a reserve.

    empty:     the reading at which nothing is left (tare mass, or level zero), set from the asset.
    eta_ms:    when the consignment is expected, on the channel's axis, set by the lane; None: not known.
    window_ms: how far back weighings count for the rate. `least`: how far the line must fall within it.
    """

    reserve_ms: int
    window_ms: int
    least: int
    empty: int | None = None
    eta_ms: int | None = None

    @property
    def limit(self) -> int | None:
        """There is no one value: what is needed shrinks while one travels."""
        return None

    @property
    def side(self) -> Side:
        """Less is worse."""
        return Side.BELOW


class BoilOff(_Rule, frozen=True, kw_only=True, tag="boil_off", omit_defaults=True):
    """Nitrogen is lost faster than `percent` of the vessel's own loss in a day, `baseline_per_day`.

    The slope of the last `window_ms`; a rise of at least `least` is a fill and begins anew.
    """

    percent: int
    window_ms: int
    least: int
    baseline_per_day: int | None = None

    @property
    def limit(self) -> int | None:
        """Quanta a day at which it is abnormal, if the baseline is known."""
        return None if self.baseline_per_day is None else self.baseline_per_day * self.percent // 100

    @property
    def side(self) -> Side:
        """Losing is falling."""
        return Side.BELOW


class Age(_Rule, frozen=True, kw_only=True, tag="age", omit_defaults=True):
    """At most `max_ms` since a stage began: the age since release, charge or thaw, or the dwell in a stage.

    since:     the stage whose first beginning counts; "" for the beginning of the stage in force (dwell).
    since_ms:  when that was, in journal time, set by the lane; None: it has not begun.
    hold_less_ms: where the asset has a qualified hold, that less this counts instead of `max_ms`.
    """

    max_ms: int
    since: str = ""
    hold_less_ms: int | None = None
    since_ms: int | None = None

    @property
    def limit(self) -> int | None:
        """Time is judged, not a value."""
        return None

    @property
    def side(self) -> Side:
        """Older is worse."""
        return Side.ABOVE


class Stuck(_Rule, frozen=True, kw_only=True, tag="stuck", omit_defaults=True):
    """Readings that stay within `tolerance` of each other for `for_ms`: a dead cable, a cached value."""

    for_ms: int
    tolerance: int = 0

    @property
    def limit(self) -> int | None:
        """No value is wrong in itself."""
        return None

    @property
    def side(self) -> Side:
        """Neither side."""
        return Side.ABOVE


class Spike(_Rule, frozen=True, kw_only=True, tag="spike", omit_defaults=True):
    """One reading that jumps by more than `limit` from the one before, to either side."""

    limit: int

    @property
    def side(self) -> Side:
        """Either side."""
        return Side.ABOVE


class Plugged(_Rule, frozen=True, kw_only=True, tag="plugged", omit_defaults=True):
    """A rule that another package brings (entry-point group `coldchain.rules`), with its own parameters."""

    kind: str
    package: str
    version: str
    parameters: dict[str, str | int | bool | None] = {}
    side: Side = Side.ABOVE
    limit: int | None = None


Rule = (
    Limit
    | Budget
    | Rolling
    | KineticMean
    | Rate
    | TimeToLimit
    | HoldLeft
    | BoilOff
    | Age
    | Stuck
    | Spike
    | Plugged
)

#: Rules with a line of their own: each value lies outside of it, or not.
Bound = Limit | Budget | Rolling


def bounds(rules: Iterable[Rule]) -> list[Bound]:
    """Those of some rules that have a line of their own."""
    return [rule for rule in rules if isinstance(rule, Bound)]


#: The role of rules about a lane itself (age, dwell): they are judged without any reading.
LANE = "lane"
#: Between two roles: their difference, which is judged like a role of its own.
PAIR = "~"
