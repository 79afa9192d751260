"""Which channel measures which place, and by which rules, from when to when.

Plans, bindings, consignments and stages are facts, each true from an instant on, which may lie in
the past. From all of them follows one time line per place ("asset/role"). It is worked out anew
whenever one of them is added; the caller folds again from the first instant that changed.
"""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct

from coldchain.facts import (
    Activated,
    Bound,
    ConsignmentEnded,
    ConsignmentStarted,
    EtaSet,
    StageEntered,
    Unbound,
)
from coldchain.plan import AssetPlan, ChannelPlan, Plan, ProfilePlan, Rule, StagePlan

_Named = TypeVar("_Named", AssetPlan, ChannelPlan, ProfilePlan)


class When(Struct, frozen=True):
    """One instant in journal time and in UTC (None while the clock is not known).

    Instants are ordered in journal time alone: it always has one.
    """

    journal_ms: int
    utc_ms: int | None = None

    def __lt__(self, other: When) -> bool:
        return self.journal_ms < other.journal_ms

    def __le__(self, other: When) -> bool:
        return self.journal_ms <= other.journal_ms

    def __gt__(self, other: When) -> bool:
        return self.journal_ms > other.journal_ms

    def __ge__(self, other: When) -> bool:
        return self.journal_ms >= other.journal_ms

    def on(self, *, journal_axis: bool) -> int:
        """The instant on a channel's axis: UTC, or journal time if its source sends no time."""
        return self.journal_ms if journal_axis or self.utc_ms is None else self.utc_ms


class Segment(Struct, frozen=True):
    """From `from_ms` (on the channel's axis) on, `channel` is judged by `rules` at this place.

    `scope` names the product: a consignment's id, or "" for none; budgets belong to it.
    """

    from_ms: int
    channel: ChannelPlan | None
    rules: tuple[Rule, ...] = ()
    scope: str = ""
    stage: str = ""
    profile: str = ""
    version: str = ""
    approved: bool = True


class Consignment(Struct):
    """Product units that travel together, and the stages they have passed."""

    id: str
    asset: str
    profile: str
    started: When
    stages: list[tuple[When, str]]
    units: tuple[str, ...] = ()
    eta_ms: int | None = None
    ended: When | None = None
    outcome: str = ""

    def stage_at(self, when: When) -> str:
        """The stage in force at an instant ("" before the start and after the end)."""
        name = ""
        for began, stage in self.stages:
            if began <= when:
                name = stage
        return name


class _Binding(Struct):
    channel: str
    place: str
    began: When
    ended: When | None = None


class Lane:
    """All plans, bindings and consignments that were ever in force."""

    def __init__(self) -> None:
        self.plans: list[tuple[When, Plan]] = []
        self.consignments: dict[str, Consignment] = {}
        self._bindings: list[_Binding] = []

    @property
    def plan(self) -> Plan:
        """The newest plan."""
        return self.plans[-1][1] if self.plans else Plan(site="")

    def add(self, fact: object, when: When) -> str | None:
        """Take a fact in; the answer is why it was refused, or None."""
        match fact:
            case Activated():
                return self._activate(fact.plan, when)
            case Bound():
                return self._bind(fact.channel, f"{fact.asset}/{fact.role}", when)
            case Unbound():
                return self._unbind(fact.channel, when)
            case ConsignmentStarted():
                return self._start(fact, when)
            case StageEntered():
                return self._stage(fact, when)
            case EtaSet():
                return self._eta(fact)
            case ConsignmentEnded():
                return self._end(fact, when)
            case _:
                raise TypeError(type(fact).__name__)

    def places(self) -> set[str]:
        """Every place ("asset/role") that was ever measured."""
        return {binding.place for binding in self._bindings}

    def place_of(self, channel: str) -> str | None:
        """Where a channel measures now."""
        for binding in reversed(self._bindings):
            if binding.channel == channel and binding.ended is None:
                return binding.place
        return None

    def placed(self) -> dict[str, str]:
        """Where each channel measures now; a channel that measures nothing is not in it."""
        return {binding.channel: binding.place for binding in self._bindings if binding.ended is None}

    def bound_since(self, channel: str) -> When | None:
        """Since when a channel measures where it measures now."""
        return next((b.began for b in self._bindings if b.channel == channel and b.ended is None), None)

    def consignment_in(self, asset: str) -> Consignment | None:
        """The consignment travelling in an asset now."""
        for consignment in reversed(self.consignments.values()):
            if consignment.asset == asset and consignment.ended is None:
                return consignment
        return None

    def segments(self, place: str, journal_axis: bool) -> list[Segment]:
        """The time line of one place. Neighbours that mean the same are one segment."""
        asset = place.rsplit("/", 1)[0]
        instants = {when for when, _ in self.plans}
        for binding in self._bindings:
            if binding.place == place:
                instants |= {binding.began} | ({binding.ended} if binding.ended else set())
        for consignment in self.consignments.values():
            if consignment.asset == asset:
                instants |= {when for when, _ in consignment.stages}
                instants |= {consignment.ended} if consignment.ended else set()
        line: list[Segment] = []
        for when in sorted(instants):
            segment = self._segment(place, asset, when, when.on(journal_axis=journal_axis))
            if line and line[-1].from_ms >= segment.from_ms:
                segment = _at(segment, line.pop().from_ms)
            if not line or _at(line[-1], 0) != _at(segment, 0):
                line.append(segment)
        return line

    def _segment(self, place: str, asset: str, when: When, on_axis: int) -> Segment:
        plan = Plan(site="")
        for began, candidate in self.plans:
            if began <= when:
                plan = candidate
        channel = self._channel_at(plan, place, when)
        travelling = None
        for consignment in self.consignments.values():
            over = consignment.ended is not None and consignment.ended <= when
            if consignment.asset == asset and consignment.started <= when and not over:
                travelling = consignment
        home = _find(plan.assets, asset)
        if travelling is not None:
            profile_id, stage_name, scope = travelling.profile, travelling.stage_at(when), travelling.id
        elif home is not None:
            profile_id, stage_name, scope = home.profile, home.stage, ""
        else:
            profile_id, stage_name, scope = "", "", ""
        profile = next((p for p in plan.profiles if p.id == profile_id), None)
        if channel is None or profile is None:
            return Segment(on_axis, channel, scope=scope, stage=stage_name)
        stage = stage_of(profile, stage_name)
        role = place.rsplit("/", 1)[1]
        rules = tuple(rule for rule in stage.rules if rule.role == role) if stage else ()
        return Segment(
            on_axis, channel, rules, scope, stage_name, profile.id, profile.version, profile.approved
        )

    def _channel_at(self, plan: Plan, place: str, when: When) -> ChannelPlan | None:
        for binding in reversed(self._bindings):
            over = binding.ended is not None and binding.ended <= when
            if binding.place == place and binding.began <= when and not over:
                return next((c for c in plan.channels if c.id == binding.channel), None)
        return None

    def _activate(self, plan: Plan, when: When) -> str | None:
        before = {c.id: f"{c.asset}/{c.role}" for c in self.plan.channels}
        self.plans.append((when, plan))
        after = {c.id: f"{c.asset}/{c.role}" for c in plan.channels}
        # A file states where a channel measures; an operator's binding stands until the file's
        # own statement changes.
        for channel in before.keys() - after.keys():
            self._unbind(channel, when)
        for channel, place in after.items():
            if before.get(channel) != place:
                self._bind(channel, place, when)
        return None

    def _bind(self, channel: str, place: str, when: When) -> str | None:
        if _find(self.plan.channels, channel) is None:
            return f"unknown channel {channel}"
        if _find(self.plan.assets, place.rsplit("/", 1)[0]) is None:
            return f"unknown asset {place.rsplit('/', 1)[0]}"
        for binding in self._bindings:
            open_then = binding.ended is None or binding.ended > when
            if open_then and (binding.channel == channel or binding.place == place):
                binding.ended = max(when, binding.began)
        self._bindings.append(_Binding(channel, place, when))
        return None

    def _unbind(self, channel: str, when: When) -> str | None:
        for binding in self._bindings:
            if binding.ended is None and binding.channel == channel:
                binding.ended = max(when, binding.began)
                return None
        return f"channel {channel} is not bound"

    def _start(self, fact: ConsignmentStarted, when: When) -> str | None:
        if fact.consignment in self.consignments:
            return f"consignment {fact.consignment} exists"
        if _find(self.plan.assets, fact.asset) is None:
            return f"unknown asset {fact.asset}"
        profile = _find(self.plan.profiles, fact.profile)
        if profile is None:
            return f"unknown profile {fact.profile}"
        if stage_of(profile, fact.stage) is None:
            return f"profile {fact.profile} has no stage {fact.stage}"
        if self.consignment_in(fact.asset) is not None:
            return f"asset {fact.asset} already carries a consignment"
        self.consignments[fact.consignment] = Consignment(
            fact.consignment, fact.asset, fact.profile, when, [(when, fact.stage)], fact.units
        )
        return None

    def _running(self, name: str) -> Consignment | str:
        consignment = self.consignments.get(name)
        if consignment is None:
            return f"unknown consignment {name}"
        return f"consignment {name} is over" if consignment.ended is not None else consignment

    def _stage(self, fact: StageEntered, when: When) -> str | None:
        consignment = self._running(fact.consignment)
        if isinstance(consignment, str):
            return consignment
        profile = _find(self.plan.profiles, consignment.profile)
        if profile is None or stage_of(profile, fact.stage) is None:
            return f"profile {consignment.profile} has no stage {fact.stage}"
        if when < consignment.started:
            return "the stage would begin before the consignment"
        consignment.stages.append((when, fact.stage))
        consignment.stages.sort(key=lambda stage: stage[0])
        return None

    def _eta(self, fact: EtaSet) -> str | None:
        consignment = self._running(fact.consignment)
        if isinstance(consignment, str):
            return consignment
        consignment.eta_ms = fact.eta_ms
        return None

    def _end(self, fact: ConsignmentEnded, when: When) -> str | None:
        consignment = self._running(fact.consignment)
        if isinstance(consignment, str):
            return consignment
        if when < consignment.started:
            return "the consignment would end before it began"
        consignment.ended = when
        consignment.outcome = fact.outcome
        return None


def stage_of(profile: ProfilePlan, name: str) -> StagePlan | None:
    """The stage of a profile by name; a profile with one stage serves every stage name ""."""
    for stage in profile.stages:
        if stage.name == name:
            return stage
    return profile.stages[0] if not name and len(profile.stages) == 1 else None


def _at(segment: Segment, from_ms: int) -> Segment:
    return Segment(
        from_ms,
        segment.channel,
        segment.rules,
        segment.scope,
        segment.stage,
        segment.profile,
        segment.version,
        segment.approved,
    )


def _find(items: tuple[_Named, ...], name: str) -> _Named | None:
    return next((item for item in items if item.id == name), None)
