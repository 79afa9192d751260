"""The time line of a place: which probe measures it, by which rules, from when to when."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from coldchain.plan import ChannelPlan, ProfilePlan, Rule, StagePlan


class Segment(Struct, frozen=True):
    """From `from_ms` (on the channel's axis) on, `channel` is judged by `rules` at this place.

    `scope` names the product: a consignment's id, or "" for none; budgets belong to it. Without a
    channel the rules stay in force: nothing is measured, and no hold ends by that. `other` is a second
    probe: in reserve for the first, or, where the place is a pair of roles (`differs`), compared with it.
    """

    from_ms: int
    channel: ChannelPlan | None
    rules: tuple[Rule, ...] = ()
    scope: str = ""
    stage: str = ""
    profile: str = ""
    version: str = ""
    approved: bool = True
    other: ChannelPlan | None = None
    differs: bool = False

    @property
    def probe(self) -> tuple[str, str] | None:
        """What measures here: the ids of its channels; None: nothing does."""
        if self.channel is None:
            return None
        return (self.channel.id, self.other.id if self.other is not None else "")

    @property
    def gap_ms(self) -> int:
        """How long a sample counts here if no other follows."""
        if self.channel is None:
            return 0
        gap_ms = self.channel.max_gap_ms
        return gap_ms if self.other is None else min(gap_ms, self.other.max_gap_ms)


def put(line: list[Segment], segment: Segment) -> None:
    """Add what holds from an instant on; it replaces what would begin there or later.

    Instants come in journal order. Where our clock was set back their order in UTC is another one;
    then what was said last holds.
    """
    while line and line[-1].from_ms >= segment.from_ms:
        line.pop()
    if not line or replace(line[-1], from_ms=0) != replace(segment, from_ms=0):
        line.append(segment)


def stage_of(profile: ProfilePlan, name: str) -> StagePlan | None:
    """The stage of a profile by name; a profile with one stage serves every stage name ""."""
    for stage in profile.stages:
        if stage.name == name:
            return stage
    return profile.stages[0] if not name and len(profile.stages) == 1 else None
