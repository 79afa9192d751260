"""`coldchain requalify`: what another profile would have said of past shipments."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import tzinfo
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import click
from rich.progress import Progress
from rich.table import Table

from coldchain.cli import replay_options as options
from coldchain.cli.output import console, errors, format_option, print_json
from coldchain.config import ConfigError
from coldchain.facts import Fact, Reading, decode
from coldchain.fold.conditioning import condition
from coldchain.fold.history import History, code_of
from coldchain.importers import ReadAs, Refused, read
from coldchain.importers.columnar import read_parquet
from coldchain.importers.own_table import is_own_parquet
from coldchain.importers.replay_plan import replay_plans
from coldchain.journal import JournalError, Reader
from coldchain.logged import GAP_STEPS, PLATINUM, Valid
from coldchain.pipeline import plugins
from coldchain.plan import LANE, ChannelPlan, ProfilePlan, Rule
from coldchain.profiles import load
from coldchain.reports.requalifying import Difference, Seen, compare, judge_column, judge_facts
from coldchain.rules.plugged import MissingPlugin

#: So many of its times tell a file's usual step.
_ENOUGH = 2000


@dataclass(frozen=True)
class Failed:
    """A shipment that cannot be judged, and why."""

    shipment: str
    why: str


@dataclass(frozen=True)
class _Asked:
    before: tuple[Rule, ...]
    after: tuple[Rule, ...]
    zone: tzinfo | None
    valid: Valid


@click.command(cls=options.VerdictCommand, short_help="What another profile says of past shipments.")
@click.argument("where", metavar="DIR|JOURNAL", type=click.Path(exists=True, path_type=Path))
@click.option("--profile", "new", required=True, metavar="ID_OR_FILE", help="The profile to try.")
@click.option("--against", metavar="ID_OR_FILE", help="The profile it is compared with; of files, needed.")
@click.option("--stage", help="The stage that judges files; needed if a profile has several.")
@click.option("--tz", callback=options.zone, metavar="ZONE", help="Zone of times in files that carry none.")
@options.valid_option
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=None, help="Processes (default: one a processor)."
)
@format_option
def requalify(
    where: Path,
    new: str,
    against: str | None,
    stage: str | None,
    tz: tzinfo | None,
    valid: Valid | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Judge past shipments again by two profiles, and say which would be judged differently.

    A folder: each file in it that `replay` reads (what `coldchain export` wrote among them), and Parquet
    files with the columns at_ms and value (thousandths of °C). A journal: each consignment, with the new
    profile in the place of the one with its id. What does not change anything is skipped; the rest goes
    through the very rules that judge live.

    The exit status is 0 if nothing would be judged differently, 1 if something would, 2 if a shipment cannot
    be judged, 64 for a wrong command, 70 for an error of ours.

    \b
    Examples:
      coldchain requalify trips/ --profile dry-shipper-150 --against msc-frozen-135 --stage transport
      coldchain requalify /var/lib/coldchain/journal.db --profile site/msc-frozen-135.toml
    """
    after = _profile("--profile", new)
    found: list[Difference | Failed]
    if where.is_dir():
        if against is None:
            raise options.usage("files need the profile to compare with; give it with --against ID_OR_FILE")
        before = _profile("--against", against)
        asked = _Asked(_rules(before, stage), _rules(after, stage), tz, valid or PLATINUM)
        found = _folder(where, asked, jobs or os.cpu_count() or 1)
    else:
        if against is not None:
            raise options.usage("a journal knows what was in force; leave out --against")
        if valid is not None:
            raise options.usage(
                "a journal knows between which values each probe is believed; leave out --valid"
            )
        found = _journal(where, after)
    if not found:
        raise options.usage(f"nothing to judge in {where}")
    if as_json:
        print_json({"shipments": [_plain(one) for one in found]})
    else:
        _print(found)
    failed = any(isinstance(one, Failed) for one in found)
    differs = any(isinstance(one, Difference) and one.differs for one in found)
    sys.exit(2 if failed else 1 if differs else 0)


def _profile(option: str, id_or_file: str) -> ProfilePlan:
    try:
        return load(id_or_file)
    except (ConfigError, OSError) as error:
        raise options.usage(f"{option} {id_or_file}: {error}") from error


def _rules(profile: ProfilePlan, stage: str | None) -> tuple[Rule, ...]:
    names = [known.name for known in profile.stages]
    if stage is None and len(names) > 1:
        raise options.usage(f"profile {profile.id} has several stages; give --stage: {', '.join(names)}")
    if stage is not None and stage not in names and len(names) > 1:
        raise options.usage(f"profile {profile.id} has no stage {stage}; there are {', '.join(names)}")
    chosen = stage if stage in names else names[0]
    return next(known.rules for known in profile.stages if known.name == chosen)


def _folder(folder: Path, asked: _Asked, jobs: int) -> list[Difference | Failed]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    results: dict[Path, Difference | Failed] = {}
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("judging again", total=len(paths))
        # Not forked: a library with threads of its own (Polars) would wait for ever in the child.
        with ProcessPoolExecutor(min(jobs, max(1, len(paths))), get_context("spawn")) as pool:
            waiting = {pool.submit(requalify_file, path, asked): path for path in paths}
            for done in as_completed(waiting):
                results[waiting[done]] = done.result()
                progress.advance(task)
    return [results[path] for path in paths]


def requalify_file(path: Path, asked: _Asked) -> Difference | Failed:
    """One file, judged by both profiles."""
    plugins.load()
    try:
        columns = list(_columns(path, asked))
    except (Refused, OSError) as error:
        return Failed(str(path), str(error))
    before = [one for channel, history in columns for one in judge_column(channel, history, asked.before)]
    after = [one for channel, history in columns for one in judge_column(channel, history, asked.after)]
    return compare(str(path), sum(len(history) for _, history in columns), before, after)


def _columns(path: Path, asked: _Asked) -> Iterator[tuple[ChannelPlan, History]]:
    """The channels of a file with their packed readings.

    Each plays the role that the rules know, unless the file says which ones do.
    """
    roles = sorted({rule.role for rule in (*asked.before, *asked.after)} - {LANE})
    if len(roles) != 1:
        raise Refused(
            f"its readings could be of any of the roles {', '.join(roles)}; `replay` can be told which"
        )
    role = roles[0]
    if path.suffix == ".parquet" and not is_own_parquet(path):
        history = read_parquet(path)
        step_ms = _usual_step_ms(history)
        yield _channel(path.stem, role, step_ms, asked.valid), history
        return
    file = read(str(path), path.read_bytes(), ReadAs(zone=asked.zone))
    if any(series.role for series in file.series):
        file = replace(file, series=tuple(one for one in file.series if one.role == role))
    for plan in replay_plans(file, None, role=role, valid=asked.valid):
        history = History()
        for _, fact in plan.facts:
            _keep(plan.channel, fact, history)
        yield plan.channel, history


def _keep(channel: ChannelPlan, fact: Fact, history: History) -> None:
    if isinstance(fact, Reading) and fact.at_ms is not None:
        value, quality, reason = condition(channel, fact)
        history.insert(fact.at_ms, value, code_of(quality, reason, fact.origin), 0)


def _usual_step_ms(history: History) -> int:
    at = history.at
    few = sorted(after - before for before, after in pairwise(at[:_ENOUGH]))
    return max(1, few[len(few) // 2]) if few else 1


def _channel(name: str, role: str, step_ms: int, valid: Valid) -> ChannelPlan:
    return ChannelPlan(
        id=name,
        source="file",
        quantity="temperature",
        asset="file",
        role=role,
        interval_ms=step_ms,
        fresh_within_ms=2**52,
        max_gap_ms=GAP_STEPS * step_ms,
        valid_low=valid.low_mc,
        valid_high=valid.high_mc,
    )


def _journal(path: Path, profile: ProfilePlan) -> list[Difference | Failed]:
    try:
        with Reader.open(path) as reader:
            facts = [(row.position, row.arrival_ms, decode(row.body)) for row in reader.facts()]
    except JournalError as error:
        raise options.usage(str(error)) from error
    plugins.load()
    try:
        before = judge_facts(facts, None)
        after = judge_facts(facts, profile)
    except MissingPlugin as missing:
        raise options.usage(f"{path}: {missing}; install it again") from missing
    why = "readings of it were removed by the site's policy; judge a backup from before"
    return [
        Failed(name, why)
        if name in before.gone
        else compare(name, before.readings[name], seen, after.seen[name])
        for name, seen in before.seen.items()
    ]


def _plain(one: Difference | Failed) -> dict[str, object]:
    if isinstance(one, Failed):
        return {"shipment": one.shipment, "cannot_judge": one.why}
    return {
        "shipment": one.shipment,
        "readings": one.readings,
        "differs": one.differs,
        "both": [vars(each) for each in one.both],
        "only_before": [vars(each) for each in one.only_before],
        "only_after": [vars(each) for each in one.only_after],
    }


def _print(found: list[Difference | Failed]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("shipment", "readings", "as before", "no longer", "new"):
        table.add_column(name, justify="right" if name == "readings" else "left", overflow="fold")
    for one in found:
        if isinstance(one, Failed):
            table.add_row(one.shipment, "", f"[yellow]cannot be judged:[/] {one.why}", "", "")
        else:
            table.add_row(
                one.shipment,
                f"{one.readings:,}",
                _rules_of(one.both),
                f"[green]{_rules_of(one.only_before)}[/]",
                f"[red]{_rules_of(one.only_after)}[/]",
            )
    console.print(table)
    judged = [one for one in found if isinstance(one, Difference)]
    differing = sum(one.differs for one in judged)
    console.print(f"{differing} of {len(judged)} would be judged differently.")


def _rules_of(seen: tuple[Seen, ...]) -> str:
    counted: dict[str, int] = {}
    for one in seen:
        counted[one.rule] = counted.get(one.rule, 0) + 1
    return ", ".join(f"{rule} ×{n}" if n > 1 else rule for rule, n in counted.items()) or "–"
