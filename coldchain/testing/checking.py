"""Running a check: the very fold that judges live is fed with a story, and what it says is looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from coldchain import announcements as words
from coldchain.alarms.alarm import unacknowledged
from coldchain.announcements import Kind
from coldchain.facts import (
    Activated,
    ClockSet,
    ConsignmentStarted,
    EngineStarted,
    Fact,
    ProcessStarted,
    Reading,
)
from coldchain.fold.coverage import Coverage, coverage
from coldchain.logged import PLATINUM
from coldchain.plan import PAIR, AssetPlan, ChannelPlan, Plan, ProfilePlan, Rule, SourcePlan, StagePlan
from coldchain.reports import Verdict
from coldchain.reports.judging import Found, Judging, could_be_hidden
from coldchain.reports.statistics import Gap, Point, gaps, points
from coldchain.reports.words import duration
from coldchain.testing.check_file import Case, Channel, CheckFile, roles_of
from coldchain.testing.events import ASSET, CONSIGNMENT, Event
from coldchain.testing.saying import Held, Told, hold
from coldchain.units import QUANTITIES

#: Longer than any check: a channel that states no `fresh_within` is never called silent.
_NEVER_MS = 2**52
#: As wide as a judged value can be, for quantities whose probe sets no bound of its own.
_WIDEST = 2**39


@dataclass(frozen=True)
class RoleResult:
    """What one role measured: its readings as judged, what nobody watched, its limits, its coverage."""

    plan: ChannelPlan
    points: tuple[Point, ...]
    gaps: tuple[Gap, ...]
    rules: tuple[Rule, ...]
    coverage: Coverage


@dataclass(frozen=True)
class CaseResult:
    """One case as it went.

    refused: what the fold refused to do; timeline_sha256: over every announcement and its time.
    """

    case: Case
    told: tuple[Told, ...]
    held: Held
    verdict: Verdict
    reasons: tuple[str, ...]
    refused: tuple[Told, ...]
    found: tuple[Found, ...]
    roles: Mapping[str, RoleResult]
    timeline_sha256: str

    @property
    def passed(self) -> bool:
        """Whether all that was expected happened and no other alarm, and the verdict is as expected."""
        return self.held.whole and not self.refused and self.verdict is self.case.verdict


@dataclass(frozen=True)
class FileResult:
    """A check file with its cases as they went."""

    file: CheckFile
    cases: tuple[CaseResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every case went as expected."""
        return all(case.passed for case in self.cases)


def run(file: CheckFile, engine: str) -> FileResult:
    """Run every case of a file; `engine` names the code that judges, as in a journal."""
    return FileResult(file, tuple(run_case(file, case, engine) for case in file.cases))


def run_case(file: CheckFile, case: Case, engine: str) -> CaseResult:
    """Run one case with the profile, the channels and the vessel of its file."""
    under_way = CaseRun(file, case, engine)
    for at_ms, what in _story(under_way.plan, case):
        if isinstance(what, Event):
            under_way.enter(at_ms, what)
        else:
            under_way.feed(at_ms, what)
    return under_way.result(case, case.start_ms + case.length_ms)


class CaseRun:
    """A case under way: fed in order of arrival, and looked at whenever one likes. Times are UTC in ms."""

    def __init__(self, file: CheckFile, case: Case, engine: str) -> None:
        """Everything begins at the case's start; its series, facts and events are not fed by this."""
        self.plan = _plan(file, case)
        self._start_ms = case.start_ms
        self._judging = Judging()
        self._facts: list[tuple[int, Fact]] = []
        self._covered: dict[str, Coverage] = {}
        for fact in _beginning(self.plan, case, engine):
            self.feed(case.start_ms, fact)

    def feed(self, at_ms: int, fact: Fact) -> None:
        """A fact arrives; what was due before it, happens before it."""
        self._facts.append((at_ms, fact))
        if isinstance(fact, ProcessStarted):
            self._judging.resume(at_ms, fact)
        else:
            self._judging.feed(at_ms, fact)

    def enter(self, at_ms: int, event: Event) -> None:
        """A person enters something."""
        self.pass_until(at_ms)
        if event.word == "end":
            self._covered = _coverage(self._judging, at_ms)
        self.feed(at_ms, event.fact(self._start_ms, self._open_of))

    def pass_until(self, at_ms: int) -> None:
        """Let deadlines pass up to an instant."""
        self._judging.pass_until(at_ms)

    def told(self) -> tuple[Told, ...]:
        """Everything that has been said so far."""
        return tuple(Told(at_ms, said, role_of(said.subject)) for at_ms, said in self._judging.said)

    def result(self, case: Case, end_ms: int) -> CaseResult:
        """How it went up to an instant, held against what the case expects."""
        self.pass_until(end_ms)
        covered = self._covered or _coverage(self._judging, end_ms)
        judged, told, when_true = self._judging.judged(), self.told(), _by_own_time(self._facts)
        roles = {
            channel.id: _role_result(self.plan.profiles[0], case, channel, when_true, covered, end_ms)
            for channel in self.plan.channels
        }
        verdict, reasons = _verdict(case, judged.found, roles, when_true, end_ms)
        digest = hashlib.sha256()
        for at_ms, said in judged.said:
            digest.update(b"%d %b\n" % (at_ms - case.start_ms, words.encode(said)))
        return CaseResult(
            case=case,
            told=told,
            held=hold(case.expected, told, start_ms=case.start_ms),
            verdict=verdict,
            reasons=tuple(reasons),
            refused=tuple(each for each in told if each.said.kind is Kind.REFUSED),
            found=judged.found,
            roles=roles,
            timeline_sha256=digest.hexdigest(),
        )

    def _open_of(self, alarm: str) -> tuple[int, ...]:
        known = self._judging.fold.desk.alarms.get(alarm)
        return unacknowledged(known) if known is not None else ()


def _plan(file: CheckFile, case: Case) -> Plan:
    profile = file.profile.plan
    judged = {role for stage in _stages(profile, case) for role in roles_of(stage.rules)}
    channels = tuple(
        _channel(channel)
        for role, channel in file.channels.items()
        if role in case.series or role in judged  # what no stage of this story asks for is no part of it
    )
    sources = tuple(
        SourcePlan(
            id=channel.id,
            driver="check",
            round_ms=channel.interval_ms,
            sends_time=True,
            simulated=True,
        )
        for channel in channels
    )
    vessel = file.vessel
    asset = AssetPlan(
        ASSET,
        "check",
        profile=profile.id,
        stage=case.stage,
        empty_mass=vessel.tare_mass.quanta if vessel.tare_mass else None,
        loss_per_day=vessel.loss_per_day.quanta if vessel.loss_per_day else None,
        qualified_hold_ms=vessel.qualified_hold,
        reserves=tuple(vessel.reserve.items()),
    )
    return Plan("check", sources, channels, (asset,), (profile,))


def _stages(profile: ProfilePlan, case: Case) -> list[StagePlan]:
    """The stages that a case passes."""
    passed = {case.stage, *(event.stage for event in case.events if event.stage)}
    return [stage for stage in profile.stages if stage.name in passed]


def _channel(channel: Channel) -> ChannelPlan:
    settings = channel.settings
    quantity = QUANTITIES[settings.quantity]
    low, high = (
        (PLATINUM.low_mc, PLATINUM.high_mc) if settings.quantity == "temperature" else (-_WIDEST, _WIDEST)
    )
    return ChannelPlan(
        id=channel.role,
        source=channel.role,
        quantity=settings.quantity,
        asset=ASSET,
        role=channel.role,
        interval_ms=settings.interval,
        fresh_within_ms=_NEVER_MS if settings.fresh_within is None else settings.fresh_within,
        max_gap_ms=channel.max_gap_ms,
        valid_low=low if settings.valid_low is None else settings.valid_low.quanta,
        valid_high=high if settings.valid_high is None else settings.valid_high.quanta,
        unit=settings.unit or quantity.display_unit,
        probe=settings.probe or "",
        uncertainty=settings.uncertainty.quanta if settings.uncertainty else 0,
    )


def _beginning(plan: Plan, case: Case, engine: str) -> Iterator[Fact]:
    yield EngineStarted(engine, "")
    yield ProcessStarted("check", case.start_ms, None)
    yield ClockSet(0, "check")
    yield Activated(plan, {})
    yield ConsignmentStarted(CONSIGNMENT, ASSET, plan.profiles[0].id, case.stage, case.start_ms)


def _story(plan: Plan, case: Case) -> list[tuple[int, Fact | Event]]:
    """Everything that happens, in order; at one instant what people do comes before what is read."""
    happens: list[tuple[int, Fact | Event]] = [(case.start_ms + each.at_ms, each) for each in case.events]
    for channel in plan.channels:
        if channel.id in case.series:
            for reading in case.series[channel.id].readings(
                source=channel.source, channel=channel.id, unit=channel.unit, start_ms=case.start_ms
            ):
                assert reading.at_ms is not None, "a series has times"
                happens.append((reading.at_ms, reading))
    happens += [(case.start_ms + at_ms, fact) for at_ms, fact in case.facts]
    happens.sort(key=lambda each: each[0])
    return happens


def _by_own_time(facts: Sequence[tuple[int, Fact]]) -> list[tuple[int, Fact]]:
    """Readings stand where they were measured, however late they came."""
    placed = [
        (fact.at_ms if isinstance(fact, Reading) and fact.at_ms is not None else at_ms, fact)
        for at_ms, fact in facts
    ]
    return sorted(placed, key=lambda pair: pair[0])


def role_of(subject: str) -> str:
    """The role that an announcement is about; a source is called as its one role."""
    asset, _, role = subject.rpartition("/")
    return role if asset == ASSET else "" if subject in ("", "gateway") else subject


def _coverage(judging: Judging, at_ms: int) -> dict[str, Coverage]:
    return {
        name.rpartition("/")[2]: coverage(place.track, at_ms) for name, place in judging.fold.places.items()
    }


def _role_result(
    profile: ProfilePlan,
    case: Case,
    channel: ChannelPlan,
    facts: Sequence[tuple[int, Fact]],
    covered: Mapping[str, Coverage],
    end_ms: int,
) -> RoleResult:
    rules = {
        rule.id: rule
        for stage in _stages(profile, case)
        for rule in stage.rules
        if channel.role in rule.role.split(PAIR)
    }
    read = points(channel, facts)
    unwatched = list(gaps(read, channel.max_gap_ms, end_ms))
    if read and read[0].at_ms > case.start_ms:
        unwatched.insert(0, Gap(case.start_ms, read[0].at_ms))
    return RoleResult(
        plan=channel,
        points=read,
        gaps=tuple(unwatched),
        rules=tuple(rules.values()),
        coverage=covered.get(channel.role, Coverage(0, end_ms - case.start_ms)),
    )


def _verdict(
    case: Case,
    found: Sequence[Found],
    roles: Mapping[str, RoleResult],
    facts: Sequence[tuple[int, Fact]],
    end_ms: int,
) -> tuple[Verdict, list[str]]:
    """As a replay has it: outside if a rule alarmed; inside if none could have, whatever the gaps hid."""
    alarmed = [
        (one.interval.triggered_ms, one.rule.id) for one in found if one.interval.triggered_ms is not None
    ]
    outside = dict.fromkeys(rule for _, rule in sorted(alarmed))
    doubts: list[str] = []
    for role, result in roles.items():
        if not result.rules:
            doubts.append(f"{role}: no rule in stage {case.stage}")
        elif not any(point.value is not None for point in result.points):
            doubts.append(f"{role}: no reading has a value")
        elif result.gaps:
            unwatched = duration(sum(gap.end_ms - gap.start_ms for gap in result.gaps))
            hidden = could_be_hidden(result.plan, facts, result.gaps, result.rules, end_ms)
            if hidden is None:
                doubts.append(f"{role}: {unwatched} without a reading, far more than was watched")
            elif new := [rule for rule in hidden if rule not in outside]:
                hides = f"an alarm of {', '.join(new)} could be hidden there"
                doubts.append(f"{role}: {unwatched} without a reading: {hides}")
    if outside:
        return Verdict.OUTSIDE, [f"{', '.join(outside)} alarmed", *doubts]
    return (Verdict.CANNOT_JUDGE, doubts) if doubts else (Verdict.INSIDE, [])
