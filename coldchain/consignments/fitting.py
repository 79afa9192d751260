"""A profile's rule, fitted to where it judges: the vessel's own figures, the lane's times, the probe's error.

What comes out is a rule like any other, so a changed ETA or a new probe is nothing but a changed limit to the
fold. All times are on the axis of the place.
"""

from __future__ import annotations

from msgspec.structs import replace

from coldchain.consignments.carriage import Consignment
from coldchain.consignments.when import When
from coldchain.model import Side
from coldchain.plan import Age, AssetPlan, BoilOff, Bound, Budget, ChannelPlan, HoldLeft, Per, Rule


def fitted(
    rule: Rule,
    channel: ChannelPlan | None,
    asset: AssetPlan | None,
    travelling: Consignment | None,
    when: When,
    *,
    journal_axis: bool,
) -> Rule:
    """The rule as it judges a place from an instant on."""
    match rule:
        case Age():
            return _age(rule, asset, travelling, when, journal_axis=journal_axis)
        case HoldLeft():
            empty = rule.empty
            if empty is None and asset is not None and channel is not None and channel.quantity == "mass":
                empty = asset.empty_mass
            eta_ms = None if travelling is None else travelling.eta_at(when, journal_axis=journal_axis)
            return replace(rule, empty=empty, eta_ms=eta_ms)
        case BoilOff() if rule.baseline_per_day is None and asset is not None:
            return replace(rule, baseline_per_day=asset.loss_per_day)
        case Budget() if rule.per is Per.STAGE:
            return _guarded(replace(rule, since_ms=_stage_ms(travelling, when, journal_axis)), channel)
        case _:
            return _guarded(rule, channel) if isinstance(rule, Bound) else rule


def _guarded(rule: Bound, channel: ChannelPlan | None) -> Bound:
    """The limit moved inwards by the probe's expanded uncertainty, if the profile wants that."""
    if not rule.guarded or channel is None or not channel.uncertainty:
        return rule
    by = channel.uncertainty
    limit = rule.limit - by if rule.side is Side.ABOVE else rule.limit + by
    return replace(rule, limit=limit, guard=by)


def _age(
    rule: Age, asset: AssetPlan | None, travelling: Consignment | None, when: When, *, journal_axis: bool
) -> Age:
    max_ms = rule.max_ms
    if rule.hold_less_ms is not None and asset is not None and asset.qualified_hold_ms is not None:
        max_ms = max(0, asset.qualified_hold_ms - rule.hold_less_ms)
    if rule.since:
        began = None if travelling is None else travelling.first(rule.since, when)
        since_ms = None if began is None else began.on(journal_axis=journal_axis)
    else:
        since_ms = _stage_ms(travelling, when, journal_axis)
    return replace(rule, max_ms=max_ms, since_ms=since_ms)


def _stage_ms(travelling: Consignment | None, when: When, journal_axis: bool) -> int | None:
    """When the stage in force began; None where no consignment is under way."""
    if travelling is None:
        return None
    began = travelling.stage_began(when)
    return None if began is None else began.on(journal_axis=journal_axis)
