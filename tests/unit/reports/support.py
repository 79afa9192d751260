"""Small logs in a short notation, judged as `replay` judges them."""

from __future__ import annotations

from datetime import UTC
from fractions import Fraction

from coldchain.importers import LoggerFile, Series, Value
from coldchain.importers.replay_plan import replay_plans
from coldchain.model import Reason
from coldchain.plan import ProfilePlan
from coldchain.profiles import compile_quick
from coldchain.reports import ReplayReport, Subject, channel_report, replay_report

START = 1_700_000_000_000 - 1_700_000_000_000 % 3_600_000  # 2023-11-14 22:00 UTC
MINUTE = 60_000


def values(log: str, step_min: int = 10) -> tuple[Value, ...]:
    """One value a step: a number, `_` no line at all, `bad` a line without a value."""
    found = []
    for step, word in enumerate(log.split()):
        at_ms = START + step * step_min * MINUTE
        if word == "bad":
            found.append(Value(at_ms, "", step + 2, Reason.SENSOR_OPEN))
        elif word != "_":
            found.append(Value(at_ms, word, step + 2))
    return tuple(found)


def file(*logs: str, step_min: int = 10, simulated: bool = False) -> LoggerFile:
    """A file with a column for each log."""
    series = tuple(
        Series(f"t{number}", f"T{number}", "degC", values(log, step_min))
        for number, log in enumerate(logs, start=1)
    )
    return LoggerFile("log.csv", "00", "test", UTC, series, simulated=simulated)


def report(
    *logs: str,
    above: str | None = "8",
    below: str | None = "2",
    hold: str = "30m",
    step_min: int = 10,
    until_min: int | None = None,
    energy: Fraction | None = None,
    doubts: tuple[str, ...] = (),
    claims: tuple[tuple[str, str], ...] = (),
    unread: tuple[str, ...] = (),
    simulated: bool = False,
    profile: ProfilePlan | None = None,
    max_gap_min: int | None = None,
) -> ReplayReport:
    """The report on a file with a column for each log, by quick limits or by a profile."""
    judged = file(*logs, step_min=step_min, simulated=simulated)
    if profile is None and (above or below):
        profile = compile_quick(above, below, hold)
    stage = profile.stages[0].name if profile else ""
    subject = Subject(
        file="log.csv",
        sha256="00",
        kind="test",
        zone=UTC,
        profile=profile,
        stage=stage,
        doubts=doubts,
        claims=claims,
        unread=unread,
        energy_kj_mol=energy,
        until_ms=None if until_min is None else START + until_min * MINUTE,
        simulated=simulated,
    )
    plans = replay_plans(
        judged, profile, stage, max_gap_ms=None if max_gap_min is None else max_gap_min * MINUTE
    )
    channels = []
    for plan in plans:
        rules = [rule for known in plan.plan.profiles for rule in known.stages[0].rules]
        channels.append(channel_report(subject, plan.channel, plan.channel.id.upper(), plan.facts, rules))
    return replay_report(subject, channels)
