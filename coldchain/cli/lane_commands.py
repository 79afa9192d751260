"""Commands about what travels where: consignments, their stages, and which channel measures what."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from coldchain.cli.gateway import config_option, do
from coldchain.cli.output import at, format_option
from coldchain.model import Ending
from coldchain.web.station import (
    BindChannel,
    EndConsignment,
    EnterStage,
    SetEta,
    StartConsignment,
    UnbindChannel,
)


def instant(text: str | None) -> int | None:
    """A time as ISO 8601 with an offset, in ms; None stays None."""
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f'"{text}" is no time; write one such as 2026-11-23T14:30+08:00') from error
    if parsed.tzinfo is None:
        raise click.BadParameter(
            f'"{text}" has no offset; write it with one, such as {text}+08:00 or {text}Z'
        )
    return round(parsed.timestamp() * 1000)


@click.group()
def consignment() -> None:
    """Product units that travel together: start, stage, eta, end.

    \b
    Example:
      coldchain consignment start C-0042 --asset shipper-7 --profile dry-shipper-150 --stage transport
    """


_WHEN = click.option("--at", "at_text", help="When it was true (ISO 8601 with offset); default: now.")
_WHY = click.option("--why", default="", help="The reason; required for an entry in the past.")


@consignment.command("start")
@config_option
@click.argument("name")
@click.option("--asset", required=True)
@click.option("--profile", required=True)
@click.option("--stage", default="", help="The first stage; may be left out if the profile has only one.")
@click.option("--unit", "units", multiple=True, help="A product unit's identity (repeatable).")
@_WHEN
@_WHY
@format_option
def consignment_start(
    config_file: Path,
    name: str,
    asset: str,
    profile: str,
    stage: str,
    units: tuple[str, ...],
    at_text: str | None,
    why: str,
    as_json: bool,
) -> None:
    """Begin a consignment.

    \b
    Example:
      coldchain consignment start C-0042 --asset shipper-7 --profile msc-beijing-2021 --stage transport
    """
    action = StartConsignment(name, asset, profile, stage, units, instant(at_text), why)
    do(config_file, action, f"started {name} in {asset}", as_json=as_json)


@consignment.command("stage")
@config_option
@click.argument("name")
@click.argument("stage")
@_WHEN
@_WHY
@format_option
def consignment_stage(
    config_file: Path, name: str, stage: str, at_text: str | None, why: str, as_json: bool
) -> None:
    """Enter the next stage of the lane.

    \b
    Example:
      coldchain consignment stage C-0042 storage
    """
    do(config_file, EnterStage(name, stage, instant(at_text), why), f"{name} is in {stage}", as_json=as_json)


@consignment.command("eta")
@config_option
@click.argument("name")
@click.argument("eta")
@format_option
def consignment_eta(config_file: Path, name: str, eta: str, as_json: bool) -> None:
    """Say when it is expected to arrive.

    \b
    Example:
      coldchain consignment eta C-0042 2026-11-24T18:00+08:00
    """
    eta_ms = instant(eta)
    assert eta_ms is not None
    do(config_file, SetEta(name, eta_ms), f"{name} is expected {at(eta_ms)}", as_json=as_json)


@consignment.command("end")
@config_option
@click.argument("name")
@click.option("--outcome", required=True, type=click.Choice([ending.value for ending in Ending]))
@_WHEN
@_WHY
@format_option
def consignment_end(
    config_file: Path, name: str, outcome: str, at_text: str | None, why: str, as_json: bool
) -> None:
    """End a consignment.

    \b
    Example:
      coldchain consignment end C-0042 --outcome infused
    """
    do(
        config_file,
        EndConsignment(name, Ending(outcome), instant(at_text), why),
        f"{name}: {outcome}",
        as_json=as_json,
    )


@click.command()
@config_option
@click.argument("channel")
@click.option("--asset", required=True)
@click.option("--role", required=True, help="What it measures there, as the profile's rules name it.")
@click.option("--unjudged", is_flag=True, help="Record it also if no limit judges that role there.")
@_WHEN
@_WHY
@format_option
def bind(
    config_file: Path,
    channel: str,
    asset: str,
    role: str,
    unjudged: bool,
    at_text: str | None,
    why: str,
    as_json: bool,
) -> None:
    """Say that a channel measures a place of an asset from now on.

    A role that no limit judges there is recorded only with --unjudged: nothing but silence would be watched.

    \b
    Example:
      coldchain bind shipper-7.vapour --asset shipper-9 --role vapour --why "probe moved"
    """
    action = BindChannel(channel, asset, role, instant(at_text), why, unjudged)
    done = f"{channel} measures {asset}/{role}"
    do(config_file, action, done, as_json=as_json, confirm="type it again with --unjudged")


@click.command()
@config_option
@click.argument("channel")
@_WHEN
@_WHY
@format_option
def unbind(config_file: Path, channel: str, at_text: str | None, why: str, as_json: bool) -> None:
    """Say that a channel measures nothing from now on.

    \b
    Example:
      coldchain unbind shipper-7.vapour --why "probe out for calibration"
    """
    do(
        config_file,
        UnbindChannel(channel, instant(at_text), why),
        f"{channel} measures nothing",
        as_json=as_json,
    )
