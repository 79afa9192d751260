"""What a person may not have meant: an entry that can be, and after which something is judged by nothing."""

from __future__ import annotations

from msgspec import Struct

from coldchain.config.problems import listed, nearest
from coldchain.consignments.judged import roles_of, roles_used, tells_roles
from coldchain.consignments.lane import Lane
from coldchain.consignments.line import stage_of
from coldchain.plan import ProfilePlan
from coldchain.web.station import Action, BindChannel, EnterStage, StartConsignment


class Doubt(Struct, frozen=True):
    """What follows from an entry, in words. `asks`: it is only recorded when that is confirmed."""

    message: str
    asks: bool = False


def doubt_of(lane: Lane, action: Action) -> Doubt | None:
    """What whoever asks for this should know first, or None. What cannot be is the fold's to refuse."""
    if not tells_roles(lane.plan):
        return None
    match action:
        case BindChannel():
            return _binding(lane, action)
        case StartConsignment():
            return _unmeasured(lane, action.asset, lane.known.profiles.get(action.profile), action.stage)
        case EnterStage():
            travelling = lane.consignments.get(action.consignment)
            if travelling is None:
                return None
            profile = lane.profile_under_way(travelling.profile, action.stage)
            return _unmeasured(lane, travelling.asset, profile, action.stage)
        case _:
            return None


def _binding(lane: Lane, action: BindChannel) -> Doubt | None:
    asset = lane.known.assets.get(action.asset)
    if action.channel not in lane.known.channels or asset is None:
        return None
    profile = lane.profile_in(asset.id)
    used = roles_used(lane.plan, asset, [profile] if profile is not None else lane.known.profiles.values())
    if action.role not in used:
        return Doubt(_unjudged(action, profile, used), asks=True)
    said = []
    if profile is None:
        said.append(f"no limit judges {action.asset} until a consignment begins in it")
    other = lane.bindings.channel_in(f"{action.asset}/{action.role}")
    if other is not None and other != action.channel:
        said.append(f"{other} measured that until now, and measures nothing any more")
    return Doubt("; ".join(said)) if said else None


def _unjudged(action: BindChannel, profile: ProfilePlan | None, used: set[str]) -> str:
    meant = nearest(action.role, used)
    mend = f'did you mean "{meant}"?' if meant else f"judged are: {listed(used)}."
    whose = profile.id if profile is not None else "any profile"
    return (
        f'no limit of {whose} judges "{action.role}" in {action.asset}; {mend} '
        "Nothing but the silence of the probe would be watched there"
    )


def _unmeasured(lane: Lane, asset: str, profile: ProfilePlan | None, stage_name: str) -> Doubt | None:
    """Limits that a product's stage has, and that no probe serves."""
    stage = stage_of(profile, stage_name) if profile is not None else None
    if stage is None or profile is None:
        return None
    missing = roles_of([stage]).keys() - lane.measured_in(asset).keys()
    if not missing:
        return None
    return Doubt(
        f"nothing measures {listed(missing)} in {asset}, which {profile.id} judges in stage {stage.name}; "
        "bind a probe with `coldchain bind`"
    )
