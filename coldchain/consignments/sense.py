"""Whether a plan makes sense to the fold at all.

A configuration is checked where it is read, with line and mend. This is the last door before the
engine: whatever could make it fail, loop or judge by nonsense is refused here, in one sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from coldchain.plan import LANE, PAIR, ChannelPlan, KineticMean, Plan, ProfilePlan, Rule, Work
from coldchain.units import QUANTITIES, exact

#: Beyond this many quanta no validity window and no limit means anything (units.py converts no more).
_LARGEST = 2**40

#: Numbers of a rule that are never negative, and spans that are never empty.
_NOT_NEGATIVE = frozenset(
    {"hold_ms", "off_delay_ms", "allowance_ms", "deadband", "guard", "horizon_ms", "reserve_ms", "max_ms"}
    | {"least", "tolerance", "percent", "hold_less_ms", "baseline_per_day"}
)
_POSITIVE = ("window_ms", "within_ms", "for_ms")


def nonsense(plan: Plan) -> str | None:
    """The first thing in a plan that cannot be, or None."""
    return next(_faults(plan), None)


def _faults(plan: Plan) -> Iterator[str]:
    for what, names in (
        ("source", [source.id for source in plan.sources]),
        ("channel", [channel.id for channel in plan.channels]),
        ("asset", [asset.id for asset in plan.assets]),
        ("profile", [profile.id for profile in plan.profiles]),
    ):
        if (twice := _twice(names)) is not None:
            yield f"{what} {twice} stands there twice"
    sources = {source.id for source in plan.sources}
    for source in plan.sources:
        if source.round_ms < 0 or source.clock_tolerance_ms < 0:
            yield f"source {source.id} has a negative time"
    for channel in plan.channels:
        yield from _channel(channel, sources)
    for profile in plan.profiles:
        yield from _profile(profile)
    yield from _works("the site", plan.works)
    flood = plan.flood
    if flood is not None and min(flood.within_ms, flood.begins_above, flood.ends_below) <= 0:
        yield "a flood of alarms would never begin, or never end"
    for priority, most_ms in plan.shelf_max_ms.items():
        if most_ms <= 0:
            yield f"no {priority} alarm could ever be shelved"


def _channel(channel: ChannelPlan, sources: set[str]) -> Iterator[str]:
    name = f"channel {channel.id}"
    if channel.source not in sources:
        yield f"{name}: no source {channel.source}"
    if channel.quantity not in QUANTITIES:
        yield f"{name}: no quantity {channel.quantity}"
    if "/" in channel.role or PAIR in channel.role or channel.role == LANE:
        yield f"{name}: {channel.role} is no role of a probe"
    if not -_LARGEST <= channel.valid_low <= channel.valid_high <= _LARGEST:
        yield f"{name}: nothing is valid between {channel.valid_low} and {channel.valid_high}"
    if channel.fresh_within_ms <= 0 or channel.max_gap_ms < 0 or channel.interval_ms < 0:
        yield f"{name}: a time is negative, or nothing is ever fresh"
    if channel.re_alarm_ms is not None and channel.re_alarm_ms <= 0:
        yield f"{name}: its alarm would never stop"
    if channel.touch is not None and channel.touch <= 0:
        yield f"{name}: a touch would always show"
    if any(low.at >= high.at for low, high in pairwise(channel.calibration)):
        yield f"{name}: the points of its calibration do not rise"


def _profile(profile: ProfilePlan) -> Iterator[str]:
    if (twice := _twice(stage.name for stage in profile.stages)) is not None:
        yield f"profile {profile.id}: stage {twice} stands there twice"
    for stage in profile.stages:
        if (twice := _twice(rule.id for rule in stage.rules)) is not None:
            yield f"profile {profile.id}: rule {twice} stands twice in stage {stage.name}"
        for rule in stage.rules:
            yield from _rule(f"profile {profile.id}: rule {rule.id}", rule)
    yield from _works(f"profile {profile.id}", profile.works)


def _rule(name: str, rule: Rule) -> Iterator[str]:
    numbers = [getattr(rule, field) for field in rule.__struct_fields__ if field in _NOT_NEGATIVE]
    if any(number is not None and number < 0 for number in numbers):
        yield f"{name} has a negative time or deadband"
    if any(getattr(rule, field, 1) <= 0 for field in _POSITIVE):
        yield f"{name} has a span of no time"
    if isinstance(rule, KineticMean) and not _is_energy(rule.energy_kj_mol):
        yield f"{name} has no activation energy that any product has"
    if rule.re_alarm_ms is not None and rule.re_alarm_ms <= 0:
        yield f"{name}: its alarm would never stop"


def _works(whose: str, works: tuple[Work, ...]) -> Iterator[str]:
    if (twice := _twice(work.id for work in works)) is not None:
        yield f"{whose}: work {twice} stands there twice"
    for work in works:
        name = f"{whose}: work {work.id}"
        if work.longest_ms <= 0 or "/" in work.id:
            yield f"{name} may last no time, or its name has a slash in it"
        if work.re_alarm_ms is not None and work.re_alarm_ms <= 0:
            yield f"{name}: its alarm would never stop"
        if work.cause is not None and not work.hides:
            yield f"{name} would take all alarms out of service with nobody asking for it"
        sign = work.sign
        if sign is not None and (sign.by <= 0 or sign.within_ms < 0):
            yield f"{name} is shown by no move at all, or in no time"
        if sign is not None and sign.after_end and not sign.within_ms:
            yield f"{name} can never be shown: it must come after the end, and nobody waits for it"


def _is_energy(text: str) -> bool:
    energy = exact(text)
    return energy is not None and 0 < energy <= 1000


def _twice(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
