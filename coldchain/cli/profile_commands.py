"""`coldchain profiles`: look at limit profiles, compare them, find what is dangerous in them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import msgspec

from coldchain import config as configuration
from coldchain.cli.config_output import FORMAT, in_json, say_problems
from coldchain.config import ConfigError
from coldchain.config.document import Document
from coldchain.config.library import profile_files
from coldchain.config.problems import Problem, listed
from coldchain.config.profile_file import Profile, missing_figures
from coldchain.config.rule_tables import RuleTable
from coldchain.config.settings import SiteFigure
from coldchain.profiles import differences, explaining, linting
from coldchain.profiles.load import read
from coldchain.profiles.succession import succession

_DIRECTORY = click.option(
    "--directory",
    "directories",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with profiles of the site; they hide shipped ones of the same id. May be repeated.",
)
_CONFIG = click.option(
    "--config",
    "gateway",
    type=click.Path(path_type=Path),
    help="A gateway.toml: its figures, and the channels that measure.",
)


@click.group(short_help="Look at limit profiles and where each limit comes from.")
def profiles() -> None:
    """Look at limit profiles: which there are, what they mean, and where each limit comes from.

    \b
    Example:
      coldchain profiles list
    """


def _given(
    profile: str, directories: tuple[Path, ...], gateway: Path | None, form: str = "text"
) -> tuple[Profile, dict[str, SiteFigure], configuration.Loaded | None]:
    """A profile as a configuration has it, or by itself; ends the command if something is wrong."""
    try:
        if gateway is None:
            return read(profile, folders=directories, complete=False), {}, None
        loaded = configuration.load(gateway)
        figures = loaded.settings.profiles.figures.get(profile, {})
        if profile in loaded.profiles:
            return loaded.profiles[profile], figures, loaded
        folders = [*directories, *(loaded.resolve(each) for each in loaded.settings.profiles.directories)]
        return read(profile, figures, folders=folders, complete=False), figures, loaded
    except ConfigError as error:
        say_problems(error.problems, form)
        raise click.exceptions.Exit(1) from error


@profiles.command("list")
@_DIRECTORY
@FORMAT
def list_profiles(directories: tuple[Path, ...], form: str) -> None:
    """List the profiles that a configuration can name.

    \b
    Examples:
      coldchain profiles list
      coldchain profiles list --directory /etc/coldchain/profiles
    """
    found = [_given(name, directories, None)[0] for name in profile_files(directories)]
    if form == "json":
        in_json([_head(profile) for profile in found])
        return
    for profile in found:
        head = profile.head
        figures = ", ".join(missing_figures(profile.document, {}))
        asks = f" (asks for {figures})" if figures else ""
        click.echo(f"{head.id:<22} {head.status:<11} version {head.version:<4} {head.title}{asks}")


@profiles.command("show", short_help="Show each limit of a profile with its source.")
@click.argument("profile")
@_DIRECTORY
@_CONFIG
@FORMAT
def show_profile(profile: str, directories: tuple[Path, ...], gateway: Path | None, form: str) -> None:
    """Show PROFILE, an id or a file: each limit with its source, our confidence in it, and what to do.

    \b
    Examples:
      coldchain profiles show dry-shipper-150
      coldchain profiles show /etc/coldchain/profiles/ours.toml
    """
    found, _, _ = _given(profile, directories, gateway, form)
    if form == "json":
        changed = [asdict(each) for each in differences.from_bases(found)]
        in_json({**_head(found), "plan": msgspec.to_builtins(found.plan), "differs": changed})
        return
    click.echo("\n".join(_profile_lines(found)))


@profiles.command("explain", short_help="Print a profile in plain sentences, to be read and signed.")
@click.argument("profile")
@_DIRECTORY
@_CONFIG
@FORMAT
def explain_profile(profile: str, directories: tuple[Path, ...], gateway: Path | None, form: str) -> None:
    """Print PROFILE, an id or a file, in plain sentences: every number with unit and source, to be signed.

    \b
    Examples:
      coldchain profiles explain dry-shipper-150
      coldchain profiles explain msc-fresh-2-8 --config /etc/coldchain/gateway.toml
    """
    found, figures, _ = _given(profile, directories, gateway, form)
    told = explaining.explain(found, figures)
    if form == "json":
        in_json({"id": found.head.id, "sha256": found.plan.sha256, **asdict(told)})
        return
    click.echo("\n".join(explaining.lines(told)))


@profiles.command("diff", short_help="Say per rule what is wider, narrower, new or gone.")
@click.argument("before")
@click.argument("after")
@_DIRECTORY
@FORMAT
def diff_profiles(before: str, after: str, directories: tuple[Path, ...], form: str) -> None:
    """Say what differs from profile BEFORE to AFTER, each an id or a file: wider, narrower, new or gone.

    The exit status is 1 if AFTER may not take the place of BEFORE: that is approved, and AFTER has the same
    version or is wider without a reason. Otherwise it is 0, whatever differs.

    \b
    Examples:
      coldchain profiles diff dry-shipper-150 /etc/coldchain/profiles/ours.toml
      coldchain profiles diff ours-1.toml ours.toml --format json
    """
    old, new = (_given(name, directories, None, form)[0] for name in (before, after))
    found = differences.compare(old, new)
    refused = succession(old, new)
    if form == "json":
        in_json(
            {
                **asdict(found),
                "same": found.same,
                "widens": found.widens,
                "problems": [asdict(problem) for problem in refused],
            }
        )
    else:
        click.echo("\n".join(_difference_lines(found)))
        for problem in refused:
            click.echo(f"refused: {problem}")
    if refused:
        raise click.exceptions.Exit(1)


@profiles.command("lint", short_help="Find what is impossible or dangerous in a profile.")
@click.argument("profile")
@_DIRECTORY
@_CONFIG
@click.option(
    "--channel",
    "channels",
    multiple=True,
    metavar="ROLE:KEY=VALUE,…",
    help="How a role is measured, in the words of [channels.NAME]. May be repeated.",
)
@FORMAT
def lint_profile(
    profile: str,
    directories: tuple[Path, ...],
    gateway: Path | None,
    channels: tuple[str, ...],
    form: str,
) -> None:
    """Find what is impossible or dangerous in PROFILE, an id or a file, by itself and with its probes.

    A warning that is meant so is answered in the profile, in [[accepted]] with a reason. The exit status is 0
    if nothing is left to mend or to answer, else 1.

    \b
    Examples:
      coldchain profiles lint dry-shipper-150
      coldchain profiles lint ours.toml --config /etc/coldchain/gateway.toml
      coldchain profiles lint ours.toml --channel "vapour:interval=1 min,fresh_within=10 min"
    """
    found, _, loaded = _given(profile, directories, gateway, form)
    watched = [linting.of_command_line(_probe(each, found)) for each in channels]
    if loaded is not None:
        watched += linting.of_configuration(loaded, found.head.id)
    findings = linting.lint(found, watched or None)
    passes = linting.passes(findings)
    if form == "json":
        said = [
            {"code": each.code, "severity": each.severity, "accepted": each.accepted, **asdict(each.problem)}
            for each in findings
        ]
        in_json({"id": found.head.id, "sha256": found.plan.sha256, "ok": passes, "findings": said})
    else:
        for each in findings:
            click.echo(str(each))
        click.echo(
            f"{found.head.id}: {'nothing to mend' if passes else 'to be mended, or answered'}", err=True
        )
    if not passes:
        raise click.exceptions.Exit(1)


def _probe(written: str, profile: Profile) -> linting.Probe:
    """A channel as written on the command line; ends the command if it is none, or is judged by nothing."""
    role, _, rest = written.partition(":")
    pairs = [pair.partition("=") for pair in rest.split(",")] if rest.strip() else []
    table = {"role": role.strip(), **{key.strip(): value.strip() for key, _, value in pairs}}
    document = Document("--channel", "")
    probe = document.validate(linting.Probe, table)
    if probe is None:
        raise click.BadParameter(
            "; ".join(_plain(problem) for problem in document.problems), param_hint="--channel"
        )
    known = {role for rule in profile.rules.values() for role in rule.roles()}
    if probe.role not in known:
        what = f'{profile.head.id} judges no role "{probe.role}"; it judges {listed(known)}'
        raise click.BadParameter(what, param_hint="--channel")
    return probe


def _plain(problem: Problem) -> str:
    return f"{problem.place}: {problem.what}; {problem.mend}"


def _head(profile: Profile) -> dict[str, Any]:
    head = profile.head
    return {
        "id": head.id,
        "version": head.version,
        "status": head.status,
        "title": head.title,
        "product_state": head.product_state,
        "approved_by": head.approved_by,
        "guideline": head.guideline,
        "guideline_page": head.guideline_page,
        "stages": list(head.stages),
        "builds_on": {name: base.head.version for name, base in profile.bases.items()},
        "figures": {name: figure.title for name, figure in head.figures.items()},
        "asks_for": list(missing_figures(profile.document, {})),
        "sha256": profile.plan.sha256,
    }


def _profile_lines(profile: Profile) -> list[str]:
    head = profile.head
    status = (
        f"approved by {head.approved_by}"
        if profile.plan.approved
        else "UNAPPROVED: not to be relied on as it is"
    )
    lines = [f"{head.id}  version {head.version}  {status}", head.title]
    if head.guideline:
        page = (
            f"page {head.guideline_page}"
            if head.guideline_page
            else "no figure in here is known to be from it"
        )
        lines.append(f"Guideline: {head.guideline} ({page})")
    if head.notes:
        lines.append(" ".join(head.notes.split()))
    sources = {rule.id: rule.cited.source for stage in profile.plan.stages for rule in stage.rules}
    for stage, about in head.stages.items():
        lines += ["", f"{stage}: {about.title}"]
        rules = [name for name in profile.rules if stage in profile.holds_in(name)]
        waiting = [name for name in profile.waiting if stage in profile.holds_in(name)]
        if not rules and not waiting:
            lines.append("  no limits")
        for name in rules:
            lines += _rule_lines(name, profile.rules[name], sources[name])
        for name in waiting:
            titles = (f"{each} ({head.figures[each].title})" for each in profile.waiting[name].figures)
            lines.append(f"  {name}: JUDGES NOTHING until the site gives {' and '.join(titles)}")
            table = profile.waiting[name].table
            lines.append(f"      source: {table['source']} (confidence {table['confidence']})")
            lines += [f"      to do: {table['advice']}"] if table.get("advice") else []
    told = explaining.explain(profile)
    for heading, parts in (("Measured with", told.needs), ("Works that explain alarms", told.works)):
        lines += ["", f"{heading}:"] if parts else []
        for part in parts:
            lines += [f"  {part.name}:", *(f"      {text}" for text in (*part.sentences, *part.sources))]
    changed = list(explaining.difference_lines(differences.from_bases(profile)))
    if profile.bases:
        names = " and ".join(differences.named(base) for base in profile.bases.values())
        lines += ["", f"Differs from {names}:", *(f"  {line}" for line in changed or ["in no rule"])]
    return lines


def _rule_lines(name: str, rule: RuleTable, source: str) -> list[str]:
    latched = ", latched" if rule.latched else ""
    lines = [
        f"  {name}: {rule.brief()} ({rule.priority}{latched})",
        f"      source: {source} (confidence {rule.confidence})",
    ]
    if rule.advice:
        lines.append(f"      to do: {rule.advice}")
    return lines


def _difference_lines(found: differences.Difference) -> list[str]:
    lines = [f"from {found.before} to {found.after}"]
    lines += [f"  {change.key}: {change.before} → {change.after}" for change in found.head]
    lines += [f"  stage {stage}: GONE" for stage in found.stages_gone]
    lines += [f"  stage {stage}: new" for stage in found.stages_new]
    lines += [f"  {line}" for line in explaining.difference_lines(found.rules)]
    if found.same:
        lines.append("  no rule differs")
    return lines
