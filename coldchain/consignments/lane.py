"""Which channel measures which place, and by which rules, from when to when.

Plans, bindings, consignments and stages are facts, each true from an instant on, which may lie in
the past. From all of them follows one time line per place ("asset/role"). It is worked out anew
whenever one of them is added; the caller folds again from the first instant that changed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from coldchain.consignments import judged
from coldchain.consignments.bindings import Bindings
from coldchain.consignments.carriage import Carriage, Consignment
from coldchain.consignments.fitting import fitted
from coldchain.consignments.line import Segment, put, stage_of
from coldchain.consignments.loggers import Loggers
from coldchain.consignments.resolutions import Resolutions
from coldchain.consignments.sense import nonsense
from coldchain.consignments.when import When
from coldchain.facts import (
    Activated,
    Bound,
    ConsignmentEnded,
    ConsignmentStarted,
    EtaSet,
    StageEntered,
    Unbound,
)
from coldchain.plan import LANE, PAIR, AssetPlan, ChannelPlan, Plan, ProfilePlan, Work

__all__ = ["Consignment", "Lane", "Segment", "When", "stage_of"]


@dataclass(slots=True)
class Known:
    """A plan with its parts by name."""

    plan: Plan
    channels: dict[str, ChannelPlan] = field(init=False)
    assets: dict[str, AssetPlan] = field(init=False)
    profiles: dict[str, ProfilePlan] = field(init=False)
    derived: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.channels = {channel.id: channel for channel in self.plan.channels}
        self.assets = {asset.id: asset for asset in self.plan.assets}
        self.profiles = {profile.id: profile for profile in self.plan.profiles}
        stages = [stage for profile in self.plan.profiles for stage in profile.stages]
        roles = {rule.role for stage in stages for rule in stage.rules}
        self.derived = tuple(sorted(role for role in roles if role == LANE or PAIR in role))


_NOTHING = Known(Plan(site=""))


class Lane:
    """All plans, bindings and consignments that count. A plan overrides whatever was to follow it."""

    def __init__(self) -> None:
        self.plans: list[tuple[When, Known]] = []
        self.bindings = Bindings()
        self.carriage = Carriage()
        self.resolutions = Resolutions()
        self.loggers = Loggers()
        self.touched: set[str] = set()

    @property
    def plan(self) -> Plan:
        """The newest plan."""
        return self.known.plan

    @property
    def known(self) -> Known:
        """The newest plan, with its parts by name."""
        return self.plans[-1][1] if self.plans else _NOTHING

    @property
    def consignments(self) -> dict[str, Consignment]:
        """Every consignment by its id."""
        return self.carriage.by_id

    def add(self, fact: object, when: When) -> str | None:
        """Take a fact in; the answer is why it was refused, or None. `touched` are the places it changes."""
        self.touched = set()
        match fact:
            case Activated():
                return self._activate(fact.plan, when)
            case Bound():
                return self._bound(fact, when)
            case Unbound():
                touched = self.bindings.unbind(fact.channel, when)
                self.touched = self.follow(touched or set())
                return f"channel {fact.channel} is not bound" if touched is None else None
            case ConsignmentStarted():
                return self._start(fact, when)
            case StageEntered():
                return self._stage(fact, when)
            case EtaSet():
                return self._eta(fact, when)
            case ConsignmentEnded():
                return self._end(fact, when)
            case _:
                raise TypeError(type(fact).__name__)

    def put_right(self, mend: Callable[[When], When]) -> None:
        """Our clock became known: vague instants are told anew, in journal order again."""
        self.plans = sorted(
            ((mend(when), known) for when, known in self.plans), key=lambda part: part[0].journal_ms
        )
        self.bindings.put_right(mend)
        self.carriage.put_right(mend)

    def places(self) -> set[str]:
        """Every place ("asset/role") that was ever measured, and those that follow from others."""
        measured = set(self.bindings.places())
        assets = {asset for _, known in self.plans for asset in known.assets}
        return measured | {place for asset in assets for place in self._derived(asset)}

    def place_of(self, channel: str) -> str | None:
        """Where a channel measures now."""
        return self.bindings.place_of(channel)

    def consignment_in(self, asset: str) -> Consignment | None:
        """The consignment travelling in an asset now."""
        return self.carriage.now_in(asset)

    def works_at(self, asset: str) -> dict[str, Work]:
        """The kinds of work known at a vessel now: those of its profile, then the site's own, by id."""
        travelling, home = self.carriage.now_in(asset), self.known.assets.get(asset)
        profile: ProfilePlan | None = None
        if travelling is not None:
            profile = self._under_way(len(self.plans) - 1, travelling.profile, travelling.stages[-1][1])
        elif home is not None:
            profile = self.known.profiles.get(home.profile)
        own = profile.works if profile is not None else ()
        return {work.id: work for work in (*self.plan.works, *own)}

    def profile_in(self, asset: str) -> ProfilePlan | None:
        """The profile that judges an asset now: that of its consignment, else its own."""
        carried = self.consignment_in(asset)
        if carried is not None:
            return self.profile_under_way(carried.profile, carried.stages[-1][1])
        home = self.known.assets.get(asset)
        return self.known.profiles.get(home.profile) if home is not None else None

    def profile_under_way(self, profile: str, stage: str) -> ProfilePlan | None:
        """The profile of a consignment that is in this stage now."""
        return self._under_way(len(self.plans) - 1, profile, stage)

    def measured_in(self, asset: str) -> dict[str, ChannelPlan]:
        """What measures each role of an asset now."""
        found: dict[str, ChannelPlan] = {}
        for channel in self.known.channels.values():
            where, _, role = (self.place_of(channel.id) or "").rpartition("/")
            if where == asset:
                found[role] = channel
        return found

    def channel_line(self, channel: str, *, journal_axis: bool) -> list[tuple[int, ChannelPlan]]:
        """What a channel was and is, from which instant of its own axis on."""
        line: list[tuple[int, ChannelPlan]] = []
        for when, known in self.plans:
            found = known.channels.get(channel)
            if found is None:
                continue
            at_ms = when.on(journal_axis=journal_axis)
            while line and line[-1][0] >= at_ms:
                line.pop()
            if not line or line[-1][1] != found:
                line.append((at_ms, found))
        return line

    def segments(self, place: str, journal_axis: bool) -> list[Segment]:
        """The time line of one place. Neighbours that mean the same are one segment."""
        asset, role = place.rsplit("/", 1)
        parts = self._parts(asset, role)
        bound = {when for part in parts for when in self.bindings.instants(part)}
        instants = {when for when, _ in self.plans} | bound | set(self.carriage.instants(asset))
        first_ms = min((when.journal_ms for when in bound), default=None)
        if role == LANE:
            first_ms = min((when.journal_ms for when in instants), default=None)
        line: list[Segment] = []
        for when in sorted(instants, key=lambda each: (each.journal_ms, each.utc_ms or 0, each.vague)):
            measured = first_ms is not None and when.journal_ms >= first_ms
            # A log that was read to its end leaves no probe behind that somebody would have to miss.
            measured = measured and not self.bindings.left_by_a_log(place, when.journal_ms)
            put(line, self._segment(asset, role, when, journal_axis=journal_axis, measured=measured))
        return self.resolutions.fitted(place, line)

    def _derived(self, asset: str) -> set[str]:
        """The places of an asset that no channel is bound to: its lane, and pairs of its roles."""
        roles = {role for _, known in self.plans for role in known.derived}
        measured = self.bindings.places_in(asset)
        return {
            f"{asset}/{role}"
            for role in roles
            if role == LANE or all(f"{asset}/{one}" in measured for one in role.split(PAIR))
        }

    def _probes(self, known: Known, asset: str, role: str, journal_ms: int) -> list[ChannelPlan]:
        """What measures a role at an instant: one channel, two of a pair, one with another in reserve."""
        roles = role.split(PAIR)
        home = known.assets.get(asset)
        if home is not None and len(roles) == 1:
            roles += [other for first, other in home.reserves if first == role]
        names = [self.bindings.channel_at(f"{asset}/{one}", journal_ms) for one in roles]
        found = [known.channels.get(name) if name is not None else None for name in names]
        first = found[0]
        if first is None or (PAIR in role and None in found):
            return []
        timed = {source.id: source.sends_time for source in known.plan.sources}
        alike = [
            other
            for other in found[1:]
            if other is not None
            and other.quantity == first.quantity
            and timed.get(other.source) is timed.get(first.source)
        ]
        return [first, *alike[:1]] if PAIR not in role or alike else []

    def _segment(self, asset: str, role: str, when: When, *, journal_axis: bool, measured: bool) -> Segment:
        from_ms = when.on(journal_axis=journal_axis)
        index = bisect_right(self.plans, when.journal_ms, key=lambda part: part[0].journal_ms) - 1
        # Before the first configuration no vessel had limits; what people state of that time is judged by it.
        unknown, index = index < 0, max(index, 0)
        known = self.plans[index][1] if self.plans else _NOTHING
        probes = self._probes(known, asset, role, when.journal_ms) if role != LANE else []
        channel = probes[0] if probes else None
        other = probes[1] if len(probes) > 1 else None
        differs = PAIR in role
        travelling = self.carriage.at(asset, when.journal_ms)
        home = known.assets.get(asset)
        if travelling is not None:
            scope, stage_name = travelling.id, travelling.stage_at(when.journal_ms)
            profile = self._under_way(index, travelling.profile, stage_name)
        elif home is not None and not unknown:
            scope, stage_name = "", home.stage
            profile = known.profiles.get(home.profile)
        else:
            scope, stage_name, profile = "", "", None
        stage = stage_of(profile, stage_name) if profile is not None else None
        if profile is None or not measured:
            return Segment(from_ms, channel, scope=scope, stage=stage_name, other=other, differs=differs)
        rules = tuple(
            fitted(rule, channel, home, travelling, when, journal_axis=journal_axis)
            for rule in (stage.rules if stage is not None else ())
            if rule.role == role
        )
        return Segment(
            from_ms,
            channel,
            rules,
            scope,
            stage_name,
            profile.id,
            profile.version,
            profile.approved,
            other,
            differs,
        )

    def _parts(self, asset: str, role: str) -> list[str]:
        """The measured places that a place follows from."""
        if role == LANE:
            return []
        reserves = {
            other
            for _, known in self.plans
            if (home := known.assets.get(asset)) is not None
            for first, other in home.reserves
            if first == role
        }
        return [f"{asset}/{one}" for one in (*role.split(PAIR), *sorted(reserves))]

    def _under_way(self, index: int, profile: str, stage: str) -> ProfilePlan | None:
        """The profile of a consignment: as the plan in force has it, or the newest before that has the stage.

        A reload that leaves a profile or a stage out takes it from nobody who travels under it.
        """
        for i in range(index, -1, -1):
            found = self.plans[i][1].profiles.get(profile)
            if found is not None and stage_of(found, stage) is not None:
                return found
        return None

    def _activate(self, plan: Plan, when: When) -> str | None:
        wrong = nonsense(plan)
        if wrong is not None:
            return wrong
        before = {c.id: f"{c.asset}/{c.role}" for c in self.loggers.taken_from(self.plan).channels}
        kept = [part for part in self.plans if part[0].journal_ms < when.journal_ms]
        known = Known(self.loggers.added_to(plan))
        if not kept or kept[-1][1].plan != known.plan:
            kept.append((when, known))
        self.plans = kept
        after = {c.id: f"{c.asset}/{c.role}" for c in plan.channels}
        # A file states where a channel measures; an operator's binding stands until the file's
        # own statement changes.
        for channel in sorted(before.keys() - after.keys()):
            self.bindings.unbind(channel, when)
        for channel, place in after.items():
            if before.get(channel) != place:
                self.bindings.bind(channel, place, when)
        self.touched = self.places()
        return None

    def follow(self, touched: set[str]) -> set[str]:
        """Places, and those that follow from them: pairs of roles, and roles with another in reserve."""
        follow = set(touched)
        for asset in {place.rsplit("/", 1)[0] for place in touched}:
            follow |= self._derived(asset)
            home = self.known.assets.get(asset)
            for first, other in home.reserves if home is not None else ():
                if f"{asset}/{other}" in touched and f"{asset}/{first}" in self.bindings.places_in(asset):
                    follow.add(f"{asset}/{first}")
        return follow

    def _of(self, asset: str) -> set[str]:
        return self.bindings.places_in(asset) | self._derived(asset)

    def _bound(self, fact: Bound, when: When) -> str | None:
        if fact.channel not in self.known.channels:
            return f"unknown channel {fact.channel}"
        if fact.asset not in self.known.assets:
            return f"unknown asset {fact.asset}"
        if not fact.role or "/" in fact.role or PAIR in fact.role or fact.role == LANE:
            return f"{fact.role!r} is no role"
        profile = self.profile_in(fact.asset)
        unlike = judged.unlike(profile, {fact.role: self.known.channels[fact.channel]}) if profile else None
        if unlike is not None:
            return unlike
        self.touched = self.follow(self.bindings.bind(fact.channel, f"{fact.asset}/{fact.role}", when))
        return None

    def _start(self, fact: ConsignmentStarted, when: When) -> str | None:
        if fact.consignment in self.carriage.by_id:
            return f"consignment {fact.consignment} exists"
        if not fact.consignment:
            return "a consignment needs a name"
        if fact.asset not in self.known.assets:
            return f"unknown asset {fact.asset}"
        profile = self.known.profiles.get(fact.profile)
        if profile is None:
            return f"unknown profile {fact.profile}"
        if stage_of(profile, fact.stage) is None:
            return f"profile {fact.profile} has no stage {fact.stage}"
        unlike = judged.unlike(profile, self.measured_in(fact.asset))
        if unlike is not None:
            return unlike
        started = Consignment(
            fact.consignment, fact.asset, fact.profile, when, [(when, fact.stage)], fact.units
        )
        refused = self.carriage.start(started)
        if refused is None:
            self._touch(fact.asset)
        return refused

    def _stage(self, fact: StageEntered, when: When) -> str | None:
        consignment = self.carriage.by_id.get(fact.consignment)
        if consignment is None:
            return f"unknown consignment {fact.consignment}"
        if consignment.ended is not None and when.journal_ms >= consignment.ended.journal_ms:
            return f"consignment {fact.consignment} is over"
        profile = self.profile_under_way(consignment.profile, fact.stage)
        if profile is None:
            return f"profile {consignment.profile} has no stage {fact.stage}"
        if when.journal_ms < consignment.started.journal_ms:
            return "the stage would begin before the consignment"
        consignment.enter(when, fact.stage)
        self._touch(consignment.asset)
        return None

    def _eta(self, fact: EtaSet, when: When) -> str | None:
        consignment = self.carriage.by_id.get(fact.consignment)
        if consignment is None or consignment.ended is not None:
            return f"no consignment {fact.consignment} is under way"
        offset_ms = None if when.utc_ms is None or when.vague == "utc" else when.journal_ms - when.utc_ms
        eta = When(fact.eta_ms + (offset_ms or 0), fact.eta_ms, "" if offset_ms is not None else "journal")
        consignment.expect(when, eta)
        self._touch(consignment.asset)
        return None

    def _end(self, fact: ConsignmentEnded, when: When) -> str | None:
        consignment = self.carriage.by_id.get(fact.consignment)
        if consignment is None:
            return f"unknown consignment {fact.consignment}"
        if consignment.ended is not None:
            return f"consignment {fact.consignment} is over"
        if when.journal_ms < consignment.stages[-1][0].journal_ms:
            return f"the consignment would end before its stage {consignment.stages[-1][1]} began"
        consignment.ended = when
        consignment.outcome = fact.outcome
        self._touch(consignment.asset)
        return None

    def _touch(self, asset: str) -> None:
        self.touched = self._of(asset)
