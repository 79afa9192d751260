"""Which roles of an asset are judged, by whom, and as what.

A role is a word that people type. One that no rule knows is kept as it is, and nothing but silence is watched
there; one that a rule knows as a temperature must not be measured by a balance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from coldchain.plan import AssetPlan, ChannelPlan, Plan, ProfilePlan, StagePlan


def roles_of(stages: Iterable[StagePlan]) -> dict[str, str]:
    """The roles that any of these stages judges, and the quantity that each must measure ("": any)."""
    found: dict[str, str] = {}
    for stage in stages:
        for role, quantity in stage.roles.items():
            found[role] = quantity or found.get(role, "")
    return found


def roles_used(plan: Plan, asset: AssetPlan, profiles: Iterable[ProfilePlan]) -> set[str]:
    """The roles of an asset at which these profiles look at all, or works at vessels, or as a reserve."""
    chosen = tuple(profiles)
    works = (*plan.works, *(work for profile in chosen for work in profile.works))
    used = {part.role for work in works for part in (work.sign, work.cause) if part is not None}
    used.update(*(roles_of(profile.stages) for profile in chosen))
    return used | {second for first, second in asset.reserves if first in used}


def tells_roles(plan: Plan) -> bool:
    """Whether a plan says whom it judges; those of journals from before it was asked do not."""
    return any(stage.roles for profile in plan.profiles for stage in profile.stages)


def unlike(profile: ProfilePlan, measured: Mapping[str, ChannelPlan]) -> str | None:
    """Why what measures an asset (by role) cannot be judged by a profile, or None."""
    for role, wanted in sorted(roles_of(profile.stages).items()):
        channel = measured.get(role)
        if channel is not None and wanted and channel.quantity != wanted:
            return (
                f"the channel {channel.id} measures a {channel.quantity}, "
                f"and {profile.id} judges {role} as a {wanted}"
            )
    return None
