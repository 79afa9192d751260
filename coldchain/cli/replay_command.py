"""`coldchain replay`: judge a recorded journey again, from the file that a logger left behind."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from coldchain.cli import pictures
from coldchain.cli import replay_options as options
from coldchain.config import ConfigError
from coldchain.importers import LoggerFile, ReadAs, Refused, read, sha256
from coldchain.importers.replay_plan import ReplayPlan, replay_plans
from coldchain.importers.stamps import epoch_ms
from coldchain.logged import PLATINUM, Valid
from coldchain.pipeline.engine_id import engine
from coldchain.plan import LANE, ProfilePlan, StagePlan
from coldchain.profiles import compile_quick, load
from coldchain.reports import (
    ChannelReport,
    ReplayReport,
    Subject,
    Verdict,
    as_json,
    channel_report,
    refused_report,
    replay_report,
    show,
)
from coldchain.reports.replay_picture import picture_of
from coldchain.units import TEMPERATURE

EXIT = {Verdict.INSIDE: 0, Verdict.OUTSIDE: 1, Verdict.CANNOT_JUDGE: 2}
ORDERS = {"year-first": "YMD", "day-first": "DMY", "month-first": "MDY"}
#: Width of a report that goes to a file or a pipe.
_PAGE = 120


@dataclass(frozen=True)
class Asked:
    """What judges, as asked for on the command line."""

    profile: ProfilePlan | None
    stage: str
    role: str | None
    roles: dict[str, str]
    max_gap_ms: int | None
    valid: Valid
    energy_kj_mol: Fraction | None
    until: datetime | None


@click.command(
    cls=options.VerdictCommand, short_help="Judge the log of a journey, a file, as if it happened now."
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--profile", metavar="ID_OR_FILE", help="Judge by this limit profile.")
@click.option("--stage", help="The stage of the profile; needed if it has several.")
@click.option(
    "--above", metavar="LIMIT", help="Quick limit: outside above this (°C, or with a unit: 46.4°F)."
)
@click.option("--below", metavar="LIMIT", help="Quick limit: outside below this.")
@click.option(
    "--for", "hold", metavar="DURATION", help="How long without a break, such as 30m (default: at once)."
)
@click.option(
    "--tz",
    callback=options.zone,
    metavar="ZONE",
    help="Zone of times that carry none: Europe/Zurich, UTC, +01:00.",
)
@click.option("--dates", type=click.Choice(list(ORDERS)), help="Order of day, month and year in dates.")
@click.option("--time-format", metavar="FORMAT", help="Form of the times, as for strptime: '%d.%m.%y %H%M'.")
@click.option("--time-column", metavar="NAME", help="Column of the times (or DATE+TIME), by name or number.")
@click.option(
    "--column", "columns", metavar="NAME[=ROLE]", multiple=True,
    help="A column to judge, and its role in the profile. May be repeated.",
)  # fmt: skip
@click.option("--role", help="Role in the profile of columns that name none.")
@click.option("--series-column", metavar="NAME", help="Column that tells several series in one file apart.")
@click.option("--unit", callback=options.unit, metavar="C|F|K", help="Unit of values that state none.")
@click.option("--delimiter", callback=options.delimiter, metavar="CHAR", help="What stands between fields.")
@click.option("--decimal", type=click.Choice([".", ","]), help="Decimal sign.")
@click.option("--encoding", callback=options.encoding, help="Text encoding of the file.")
@click.option(
    "--max-gap",
    callback=options.span,
    metavar="DURATION",
    help="A reading counts at most this long (default: 3 usual steps).",
)
@options.valid_option
@click.option(
    "--mkt-energy", callback=options.energy, metavar="KJ/MOL", help="Activation energy, for the kinetic mean."
)
@click.option(
    "--until",
    callback=options.moment,
    metavar="TIME",
    help="Let holds run on to this time after the last reading.",
)
@click.option("--simulated", is_flag=True, help="Mark the report: nothing in the file was measured.")
@click.option(
    "--plot",
    metavar="OUT.svg|OUT.png",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=options.picture,
    help="Draw the curve with limits, time outside, alarms and gaps into this file.",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people or programs."
)
def replay(file: Path, form: str, plot: Path | None, **told: Any) -> None:
    """Judge FILE, the log of a journey, as if it happened now: what was outside, since when, for how long.

    Reads CSV in the usual forms, what `coldchain export` wrote (CSV, Parquet), and the text reports of
    Berlinger Q-tag loggers; - reads standard input. What judges is a profile, a quick limit, or the limits
    that the file itself carries. Nothing is guessed: where the file leaves a doubt (zone, order of the date,
    unit), it says so and which option settles it.

    The exit status is 0 if the journey was inside its limits, 1 if outside, 2 if nobody can judge
    it (the report says why), 64 for a wrong command, 70 for an error of ours.

    \b
    Examples:
      coldchain replay shipment.csv --profile fridge-2-8-buffered
      coldchain replay shipment.csv --above 8 --below 2 --for 30m --tz Europe/Zurich
      coldchain replay logger.txt --tz UTC --format json
      coldchain replay shipment.csv --profile fridge-2-8-buffered --plot shipment.svg
    """
    columns, roles = columns_of(told["columns"])
    asked = _asked(roles=roles, **{key: told[key] for key in _ASKED})
    report = _report(file, _read_as(columns, told), asked)
    if plot is not None:
        try:
            pictures.write(plot, picture_of(report, pictures.made_by()))
        except pictures.CannotWrite as error:
            raise options.usage(str(error)) from error
    _print(report, form)
    click.get_current_context().exit(EXIT[report.verdict])


_ASKED = (
    "profile",
    "stage",
    "above",
    "below",
    "hold",
    "role",
    "max_gap",
    "valid",
    "mkt_energy",
    "until",
    "tz",
)


def columns_of(given: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The columns to judge, and the role of each that was given one."""
    roles = {}
    names = []
    for text in given:
        name, _, role = text.rpartition("=") if "=" in text else (text, "", "")
        names.append(name)
        if role:
            roles[name] = role
    return tuple(names), roles


def _read_as(columns: tuple[str, ...], told: dict[str, Any]) -> ReadAs:
    return ReadAs(
        zone=told["tz"],
        delimiter=told["delimiter"],
        decimal=told["decimal"],
        dates=ORDERS.get(told["dates"] or ""),
        time_format=told["time_format"],
        time_column=told["time_column"],
        columns=columns,
        series_column=told["series_column"],
        unit=told["unit"],
        encoding=told["encoding"],
        simulated=told["simulated"],
    )


def _asked(
    *,
    profile: str | None,
    stage: str | None,
    above: str | None,
    below: str | None,
    hold: str | None,
    role: str | None,
    roles: dict[str, str],
    max_gap: int | None,
    valid: Valid | None,
    mkt_energy: Fraction | None,
    until: datetime | None,
    tz: tzinfo | None,
) -> Asked:
    quick = above is not None or below is not None
    if profile is not None and (quick or hold is not None):
        raise options.usage("--profile and quick limits (--above, --below, --for) cannot judge together")
    if hold is not None and not quick:
        raise options.usage("--for needs a limit: --above, --below or both")
    if stage is not None and profile is None:
        raise options.usage("--stage needs --profile")
    if until is not None and until.tzinfo is None:
        if tz is None:
            raise options.usage("--until has no offset; write it, or say --tz")
        until = until.replace(tzinfo=tz)
    found = _profile(profile) if profile is not None else None
    if quick:
        try:
            found = compile_quick(above, below, hold or "0 s")
        except ValueError as error:
            raise options.usage(str(error)) from error
    return Asked(found, _stage(found, stage), role, roles, max_gap, valid or PLATINUM, mkt_energy, until)


def _profile(id_or_file: str) -> ProfilePlan:
    try:
        return load(id_or_file)
    except (ConfigError, OSError) as error:
        raise options.usage(f"--profile {id_or_file}: {error}") from error


def _stage(profile: ProfilePlan | None, stage: str | None) -> str:
    names = [known.name for known in profile.stages] if profile is not None else []
    if profile is None:
        return ""
    if stage is None:
        if len(names) == 1:
            return names[0]
        raise options.usage(
            f"profile {profile.id} has several stages; say which with --stage: {', '.join(names)}"
        )
    if stage not in names:
        raise options.usage(f"profile {profile.id} has no stage {stage!r}; there are {', '.join(names)}")
    return stage


def _report(path: Path, told: ReadAs, asked: Asked) -> ReplayReport:
    name = "standard input" if str(path) == "-" else str(path)
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise options.usage(f"{name} cannot be read: {error.strerror}") from error
    try:
        file = read(name, data, told)
    except Refused as refused:
        subject = Subject(name, sha256(data), "", told.zone or UTC, asked.profile, asked.stage)
        return refused_report(subject, str(refused))
    own = asked.profile is None and bool(file.rules)
    profile, stage = (_own_limits(file), "file") if own else (asked.profile, asked.stage)
    role, notes = _role(profile, stage, asked)
    if asked.valid != PLATINUM:
        low, high = (TEMPERATURE.display(mc) for mc in (asked.valid.low_mc, asked.valid.high_mc))
        notes.append(f"readings are believed from {low} °C to {high} °C only (--valid)")
    until_ms = None if asked.until is None else epoch_ms(asked.until)
    plans = replay_plans(
        file,
        profile,
        stage,
        roles=_own_roles(file, profile, stage, asked) | _by_id(file, asked.roles),
        role=role,
        max_gap_ms=asked.max_gap_ms,
        valid=asked.valid,
        engine=engine(),
    )
    if until_ms is not None and any(plan.facts[-1][0] > until_ms for plan in plans):
        raise options.usage("--until lies before the end of the log")
    subject = Subject(
        file=name,
        sha256=file.sha256,
        kind=file.kind,
        zone=file.zone,
        profile=profile,
        stage=stage,
        unread=tuple(map(str, file.unread)),
        notes=(*file.notes, *notes),
        doubts=file.doubts,
        # What the device decided says nothing about limits that it did not know.
        claims=file.claims if own else (),
        energy_kj_mol=asked.energy_kj_mol or file.energy,
        counts_until_ms=file.stopped_ms,
        until_ms=until_ms,
        simulated=file.simulated,
    )
    titles = {series.id: series.title for series in file.series}
    return replay_report(subject, [_channel(subject, plan, titles, stage) for plan in plans])


def _channel(subject: Subject, plan: ReplayPlan, titles: dict[str, str], stage: str) -> ChannelReport:
    rules = [
        rule
        for profile in plan.plan.profiles
        for known in profile.stages
        if known.name == stage
        for rule in known.rules
    ]
    return channel_report(subject, plan.channel, titles[plan.channel.id], plan.facts, rules)


def _own_limits(file: LoggerFile) -> ProfilePlan:
    """The limits that a file carries, as a profile that nobody here approved."""
    logger = f"logger {file.serial}" if file.serial else "the logger"
    return ProfilePlan(
        id="file",
        version="1",
        approved=False,
        stages=(StagePlan(name="file", rules=file.rules),),
        sha256=file.sha256,
        title=f"limits as set in {logger}",
    )


def _role(profile: ProfilePlan | None, stage: str, asked: Asked) -> tuple[str, list[str]]:
    """The role of columns that name none: told, or the only one that the stage has rules for."""
    if asked.role is not None or profile is None:
        return asked.role or "product", []
    rules = [rule for known in profile.stages if known.name == stage for rule in known.rules]
    roles = sorted({rule.role for rule in rules} - {LANE})  # of a stage's length no column tells
    if len(roles) == 1 and roles != ["product"]:
        return roles[0], [f"columns are judged as {roles[0]!r}, the only role of this stage"]
    return "product", []


def _own_roles(file: LoggerFile, profile: ProfilePlan | None, stage: str, asked: Asked) -> dict[str, str]:
    """Roles by series, where the file says them and the stage has rules for them; none if one was told."""
    if asked.role is not None or profile is None:
        return {}
    ruled = {rule.role for known in profile.stages if known.name == stage for rule in known.rules}
    return {series.id: series.role for series in file.series if series.role in ruled}


def _by_id(file: LoggerFile, roles: dict[str, str]) -> dict[str, str]:
    """Roles by series; a column is named as in --column, in full or in part."""
    found = {}
    for named, role in roles.items():
        for series in file.series:
            if named == series.title or named.lower() in series.title.lower():
                found[series.id] = role
    return found


def _print(report: ReplayReport, form: str) -> None:
    try:
        if form == "json":
            sys.stdout.buffer.write(as_json(report).encode())  # JSON is UTF-8 whatever the terminal is
        else:
            show(report, _console())
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the report has seen enough; the exit status still says the verdict.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _console() -> Console:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ° shows ? and the report
    console = Console()
    return console if console.is_terminal else Console(width=_PAGE)
