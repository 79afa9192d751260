"""`coldchain config`: look at a configuration, change nothing."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from coldchain import config as configuration
from coldchain.cli.config_output import FORMAT, say_problems
from coldchain.config import ConfigError, Loaded
from coldchain.config.schema import gateway_schema, profile_schema
from coldchain.config.sources import installed_drivers


@click.group()
def config() -> None:
    """Check a configuration before it is used.

    \b
    Example:
      coldchain config check /etc/coldchain/gateway.toml
    """


@config.command(short_help="Say everything that is wrong in FILE, with its mend.")
@click.argument("file", type=click.Path(path_type=Path))
@FORMAT
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
        say_problems(error.problems, form)
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
