"""`coldchain config` and `coldchain profiles`: look at files, change nothing."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import msgspec

from coldchain import config as configuration
from coldchain.config import ConfigError, Loaded, Problem
from coldchain.config.library import profile_files
from coldchain.config.profile_file import Profile
from coldchain.config.rule_tables import RuleTable
from coldchain.config.schema import gateway_schema, profile_schema
from coldchain.config.sources import installed_drivers
from coldchain.profiles.load import read

_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="For people, or for programs.",
)
_DIRECTORY = click.option(
    "--directory",
    "directories",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with profiles of the site; they hide shipped ones of the same id. May be repeated.",
)


@click.group()
def config() -> None:
    """Check a configuration before it is used.

    \b
    Example:
      coldchain config check /etc/coldchain/gateway.toml
    """


@config.command(short_help="Say everything that is wrong in FILE, with its mend.")
@click.argument("file", type=click.Path(path_type=Path))
@_FORMAT
def check(file: Path, form: str) -> None:
    """Say everything that is wrong in FILE, each with its line and mend, or what it would watch.

    Reads no secret, opens no device, changes nothing. The exit status is 0 if the file would be used, else 1.

    \b
    Examples:
      coldchain config check /etc/coldchain/gateway.toml
      coldchain config check gateway.toml --format json
    """
    try:
        loaded = configuration.load(file)
    except ConfigError as error:
        _say_problems(error.problems, form)
        raise click.exceptions.Exit(1) from error
    if form == "json":
        said = {
            "ok": True,
            "problems": [],
            "warnings": [asdict(w) for w in loaded.warnings],
            **_summary(loaded),
        }
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
        return
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}")
    click.echo("\n".join(["ok", *_summary_lines(loaded)]))


def _say_problems(problems: tuple[Problem, ...], form: str) -> None:
    if form == "json":
        said = {"ok": False, "problems": [asdict(problem) for problem in problems], "warnings": []}
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
        return
    for problem in problems:
        click.echo(str(problem))
    click.echo(f"{len(problems)} to mend", err=True)


def _summary(loaded: Loaded) -> dict[str, Any]:
    profiles = loaded.profiles.values()
    return {
        "site": loaded.settings.site.name,
        "sources": list(loaded.sources),
        "simulated": [name for name, source in loaded.sources.items() if source.settings.simulated],
        "channels": list(loaded.settings.channels),
        "assets": list(loaded.settings.assets),
        "profiles": [profile.head.id for profile in profiles],
        "unapproved": [profile.head.id for profile in profiles if not profile.plan.approved],
        "sinks": list(loaded.settings.sinks),
        "documents": dict(loaded.hashes),
    }


def _summary_lines(loaded: Loaded) -> list[str]:
    summary = _summary(loaded)
    lines = [f"site        {summary['site']}"]
    for key in ("sources", "channels", "assets", "profiles", "sinks"):
        names = summary[key]
        lines.append(f"{key:<11} {len(names)}: {', '.join(names)}" if names else f"{key:<11} none")
    if summary["simulated"]:
        lines.append(f"SIMULATED   {', '.join(summary['simulated'])}")
    if summary["unapproved"]:
        lines.append(f"UNAPPROVED  {', '.join(summary['unapproved'])}")
    return lines


@config.command(short_help="Print the JSON Schema of a configuration, for an editor.")
@click.option("--profile", is_flag=True, help="The schema of a profile's file instead.")
def schema(profile: bool) -> None:
    """Print the JSON Schema of a configuration, for an editor that checks while one types.

    \b
    Examples:
      coldchain config schema > gateway.schema.json
      coldchain config schema --profile > profile.schema.json
    """
    made = profile_schema() if profile else gateway_schema(installed_drivers())
    click.echo(json.dumps(made, ensure_ascii=False, indent=2))


@click.group(short_help="Look at limit profiles and where each limit comes from.")
def profiles() -> None:
    """Look at limit profiles: which there are, and where each limit comes from.

    \b
    Example:
      coldchain profiles list
    """


@profiles.command("list")
@_DIRECTORY
@_FORMAT
def list_profiles(directories: tuple[Path, ...], form: str) -> None:
    """List the profiles that a configuration can name.

    \b
    Examples:
      coldchain profiles list
      coldchain profiles list --directory /etc/coldchain/profiles
    """
    found = []
    for name in profile_files(directories):
        try:
            found.append(read(name, folders=directories, complete=False))
        except ConfigError as error:
            _say_problems(error.problems, "text")
            raise click.exceptions.Exit(1) from error
    if form == "json":
        click.echo(json.dumps([_head(profile) for profile in found], ensure_ascii=False, indent=2))
        return
    for profile in found:
        head = profile.head
        click.echo(f"{head.id:<22} {head.status:<11} version {head.version:<4} {head.title}")


@profiles.command("show", short_help="Show each limit of a profile with its source.")
@click.argument("profile")
@_DIRECTORY
@_FORMAT
def show_profile(profile: str, directories: tuple[Path, ...], form: str) -> None:
    """Show PROFILE, an id or a file: each limit with its source, our confidence in it, and what to do.

    \b
    Examples:
      coldchain profiles show dry-shipper-150
      coldchain profiles show /etc/coldchain/profiles/ours.toml
    """
    try:
        found = read(profile, folders=directories, complete=False)
    except ConfigError as error:
        _say_problems(error.problems, form)
        raise click.exceptions.Exit(1) from error
    if form == "json":
        plan = msgspec.to_builtins(found.plan)
        click.echo(json.dumps({**_head(found), "plan": plan}, ensure_ascii=False, indent=2))
        return
    click.echo("\n".join(_profile_lines(found)))


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
    sources = {rule.id: rule.cited.source for stage in profile.plan.stages for rule in stage.rules}
    for stage, about in head.stages.items():
        lines += ["", f"{stage}: {about.title}"]
        rules = [name for name in profile.rules if stage in profile.holds_in(name)]
        if not rules:
            lines.append("  no limits")
        for name in rules:
            lines += _rule_lines(name, profile.rules[name], sources[name])
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
