"""A logger's file as facts for the fold: one small plan a channel, and its readings in order of time.

In a replay a reading arrives when it was taken. Each channel is folded by itself and ends at its own last
reading, so that another column's longer log changes nothing here. Whatever judges is the fold; this
module only says what there is to judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low

from coldchain.facts import Activated, ClockSet, EngineStarted, Fact, ProcessStarted, Reading
from coldchain.importers.loggerfile import LoggerFile, Series, Value
from coldchain.logged import GAP_STEPS, PLATINUM, Valid
from coldchain.model import Origin
from coldchain.plan import AssetPlan, ChannelPlan, Plan, ProfilePlan, SourcePlan, StagePlan

#: The one asset and the one source of a replay.
ASSET = SOURCE = "file"
#: A file is not expected to speak again: gaps are told as unmonitored time, not as silence.
_NEVER_MS = 2**52


@dataclass(frozen=True)
class ReplayPlan:
    """One channel of a file, ready to be folded: its plan and (arrival, fact) in order."""

    plan: Plan
    channel: ChannelPlan
    facts: tuple[tuple[int, Fact], ...]


def replay_plans(
    file: LoggerFile,
    profile: ProfilePlan | None,
    stage: str = "",
    *,
    roles: dict[str, str] | None = None,
    role: str = "product",
    max_gap_ms: int | None = None,
    valid: Valid = PLATINUM,
    engine: str = "",
) -> list[ReplayPlan]:
    """The facts of each channel of a file that has values.

    profile, stage: what judges; None: nothing does. roles: the role of a series by its id, where it is not
    `role`. max_gap_ms: how long a reading counts; None: three of the channel's own usual steps. valid:
    between which values readings are believed.
    """
    return [
        _plan(file, series, profile, stage, (roles or {}).get(series.id, role), max_gap_ms, valid, engine)
        for series in file.series
        if series.values
    ]


def usual_step_ms(values: tuple[Value, ...]) -> int | None:
    """The median time between neighbouring values, None if there are not two times."""
    times = sorted({value.at_ms for value in values if not value.estimated})
    steps = [after - before for before, after in pairwise(times)]
    return median_low(steps) if steps else None


def _plan(
    file: LoggerFile,
    series: Series,
    profile: ProfilePlan | None,
    stage: str,
    role: str,
    max_gap_ms: int | None,
    valid: Valid,
    engine: str,
) -> ReplayPlan:
    step_ms = usual_step_ms(series.values) or 1
    channel = ChannelPlan(
        id=series.id,
        source=SOURCE,
        quantity="temperature",
        asset=ASSET,
        role=role,
        interval_ms=step_ms,
        fresh_within_ms=_NEVER_MS,
        max_gap_ms=GAP_STEPS * step_ms if max_gap_ms is None else max_gap_ms,
        valid_low=valid.low_mc,
        valid_high=valid.high_mc,
        unit=series.unit,
    )
    source = SourcePlan(id=SOURCE, driver="file", round_ms=step_ms, sends_time=True, simulated=file.simulated)
    asset = AssetPlan(
        id=ASSET, kind="file", title=file.name, profile=profile.id if profile else "", stage=stage
    )
    plan = Plan(
        site="replay",
        sources=(source,),
        channels=(channel,),
        assets=(asset,),
        profiles=(_for_role(profile, role),) if profile else (),
    )
    start_ms = series.values[0].at_ms
    begin: list[Fact] = [
        EngineStarted(engine=engine, version=""),
        ProcessStarted(boot_id="replay", utc_ms=start_ms, down_ms=None),
        ClockSet(offset_ms=0, source="file"),
        Activated(plan=plan, documents={file.name: file.sha256}),
    ]
    readings = [_reading(file, series, value) for value in series.values]
    facts = [(start_ms, fact) for fact in begin] + [
        (value.at_ms, reading) for value, reading in zip(series.values, readings, strict=True)
    ]
    return ReplayPlan(plan, channel, tuple(facts))


def _for_role(profile: ProfilePlan, role: str) -> ProfilePlan:
    """The profile with the rules of one role only: a file's other roles are judged with their own columns."""
    stages = tuple(
        StagePlan(stage.name, tuple(rule for rule in stage.rules if rule.role == role), stage.title)
        for stage in profile.stages
    )
    return ProfilePlan(profile.id, profile.version, profile.approved, stages, profile.sha256, profile.title)


def _reading(file: LoggerFile, series: Series, value: Value) -> Reading:
    return Reading(
        source=SOURCE,
        channel=series.id,
        raw=value.raw,
        unit=series.unit if value.raw else "",
        at_ms=value.at_ms,
        origin=Origin.IMPORTED,
        bad=value.bad,
        doubt=value.doubt,
        simulated=file.simulated,
        # Two lines of the same time and value are two lines; the line keeps them apart.
        place=value.line,
    )
