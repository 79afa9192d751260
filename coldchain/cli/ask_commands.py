"""Commands that ask the running daemon, or write to the journal themselves when none runs."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.table import Table

from coldchain.cli.output import PRIORITY_STYLE, at, console, errors, format_option, print_json
from coldchain.clock import SystemClock
from coldchain.config.load import load
from coldchain.config.problems import ConfigError
from coldchain.daemon.control import Ask, NotRunning, ask, local_actor, socket_path
from coldchain.daemon.offline import act_offline, state_offline
from coldchain.journal import JournalError
from coldchain.units import QUANTITIES
from coldchain.web.station import (
    AcknowledgeAlarm,
    Action,
    BindChannel,
    CloseAlarm,
    EndConsignment,
    EnterStage,
    Outcome,
    ResetLatch,
    SetEta,
    ShelveAlarm,
    StartConsignment,
    UnbindChannel,
    UnshelveAlarm,
)
from coldchain.web.views import AlarmView, ChannelView, StateView

_F = TypeVar("_F", bound=Callable[..., Any])
_SPAN = re.compile(r"(\d+)\s*(s|min|m|h|d)")
_SPAN_MS = {"s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


def config_option(command: _F) -> _F:
    """Which gateway: its configuration tells where the journal and its socket are."""
    return click.option(
        "--config",
        "config_file",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path("/etc/coldchain/gateway.toml"),
        show_default=True,
        envvar="COLDCHAIN_CONFIG",
        help="The gateway's configuration.",
    )(command)


def journal_of(config_file: Path) -> Path:
    """The journal of a configuration; ends the command if that cannot be read."""
    try:
        loaded = load(config_file)
    except (ConfigError, OSError) as error:
        raise click.ClickException(str(error)) from error
    return loaded.resolve(loaded.settings.journal.path)


def state_of(config_file: Path) -> StateView:
    """The current state, from the daemon or from the journal."""
    journal = journal_of(config_file)
    try:
        answer = ask(socket_path(journal), Ask())
    except NotRunning:
        errors.print("[dim]no daemon runs; this is the journal's last state[/]")
        try:
            return state_offline(journal)
        except JournalError as error:
            raise click.ClickException(str(error)) from error
    if answer.state is None:
        raise click.ClickException(answer.error or "the daemon gave no state")
    return answer.state


def do(config_file: Path, action: Action, done: str, *, as_json: bool = False) -> None:
    """Have an action done, by the daemon or on the journal itself, and say how it went."""
    journal = journal_of(config_file)
    try:
        answer = ask(socket_path(journal), Ask(action))
        outcome = answer.outcome or Outcome(done=False, message=answer.error)
    except NotRunning:
        try:
            outcome = act_offline(journal, SystemClock(), action, local_actor())
        except JournalError as error:
            raise click.ClickException(str(error)) from error
    if as_json:
        print_json(outcome)
    elif outcome.done:
        console.print(f"{done} (journal position {outcome.position})")
    else:
        errors.print(f"refused: {outcome.message.replace('_', ' ')}", style="red")
    if not outcome.done:
        sys.exit(1)


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


def span_ms(text: str) -> int:
    """A length of time such as "30 min" in ms."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise click.BadParameter(f'"{text}" is no length of time; write one such as 30min, 4h or 1d')
    return int(match[1]) * _SPAN_MS[match[2]]


@click.command()
@config_option
@format_option
def status(config_file: Path, as_json: bool) -> None:
    """Show what is watched and how it stands.

    \b
    Example:
      coldchain status
    """
    state = state_of(config_file)
    if as_json:
        print_json(state)
        return
    known = "clock ok" if state.clock.known else "CLOCK NOT KNOWN"
    console.print(
        f"[bold]{state.site}[/]  {known}" + ("  [reverse] SIMULATED [/]" if state.simulated else "")
    )
    if not state.gateway.journal_ok:
        console.print(f"journal cannot be written: {state.gateway.why}", style="bold red")
    table = Table("asset", "channel", "value", "state", "nearest limit", "last reading", "stage", "profile")
    for asset in state.assets:
        profile = asset.profile
        stamp = "" if profile is None else profile.id + ("" if profile.approved else " UNAPPROVED")
        for channel in asset.channels:
            table.add_row(
                asset.title,
                channel.role,
                _value(channel),
                channel.judgement.value.replace("_", " "),
                _nearest(channel),
                at(channel.at.ms, known=channel.at.known) if channel.at is not None else "never",
                asset.stage,
                stamp,
            )
        if not asset.channels:
            table.add_row(asset.title, "—", "—", "NOT MONITORED", "", "", asset.stage, stamp)
    console.print(table)
    _print_alarms(state.alarms)


@click.command()
@config_option
@format_option
def alarms(config_file: Path, as_json: bool) -> None:
    """List the alarms that stand.

    \b
    Example:
      coldchain alarms
    """
    state = state_of(config_file)
    if as_json:
        print_json(state.alarms)
    else:
        _print_alarms(state.alarms)


@click.command()
@config_option
@click.argument("alarm")
@click.option(
    "--occurrence", "-n", "occurrences", type=int, multiple=True, help="Only this one (repeatable)."
)
@click.option("--comment", "-m", required=True, help="What you found or do.")
@format_option
def ack(config_file: Path, alarm: str, occurrences: tuple[int, ...], comment: str, as_json: bool) -> None:
    """Acknowledge an alarm: the occurrences named, or all that stand now.

    \b
    Example:
      coldchain ack box-7/vapour/high-critical -m "refilling now"
    """
    if not occurrences:
        found = [a for a in state_of(config_file).alarms if a.id == alarm]
        if not found:
            raise click.ClickException(f"no alarm {alarm} stands; `coldchain alarms` lists them")
        occurrences = tuple(o.number for o in found[0].occurrences if not o.acknowledged)
    do(config_file, AcknowledgeAlarm(alarm, occurrences, comment), f"acknowledged {alarm}", as_json=as_json)


@click.command()
@config_option
@click.argument("alarm")
@click.option("--for", "length", required=True, help="How long, such as 30min or 4h.")
@click.option("--comment", "-m", required=True, help="Why.")
@format_option
def shelve(config_file: Path, alarm: str, length: str, comment: str, as_json: bool) -> None:
    """Silence an alarm until a stated end; it is evaluated and recorded all the same.

    \b
    Example:
      coldchain shelve fridge-1/product/high-warning --for 30min -m "loading"
    """
    until_ms = SystemClock().utc_ms() + span_ms(length)
    do(
        config_file,
        ShelveAlarm(alarm, until_ms, comment),
        f"shelved {alarm} until {at(until_ms)}",
        as_json=as_json,
    )


@click.command()
@config_option
@click.argument("alarm")
@click.option("--comment", "-m", default="", help="Why.")
@format_option
def unshelve(config_file: Path, alarm: str, comment: str, as_json: bool) -> None:
    """Take an alarm off the shelf before its end.

    \b
    Example:
      coldchain unshelve fridge-1/product/high-warning
    """
    do(config_file, UnshelveAlarm(alarm, comment), f"un-shelved {alarm}", as_json=as_json)


@click.command()
@config_option
@click.argument("alarm")
@click.option("--comment", "-m", required=True, help="Why it may be reset.")
@format_option
def reset(config_file: Path, alarm: str, comment: str, as_json: bool) -> None:
    """Reset a latched alarm whose condition has gone.

    \b
    Example:
      coldchain reset box-7/vapour/high-critical -m "product moved, inspected by QA"
    """
    do(config_file, ResetLatch(alarm, comment), f"reset {alarm}", as_json=as_json)


@click.command()
@config_option
@click.argument("alarm")
@click.option("--comment", "-m", required=True, help="Why nothing can end it any more.")
@format_option
def close(config_file: Path, alarm: str, comment: str, as_json: bool) -> None:
    """Close an alarm whose rule, channel or probe is gone; its excursion stays as it is.

    \b
    Example:
      coldchain close box-7/vapour/high-critical -m "logger lost in transit"
    """
    do(config_file, CloseAlarm(alarm, comment), f"closed {alarm}", as_json=as_json)


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
@click.option(
    "--outcome", required=True, type=click.Choice(["delivered", "infused", "returned", "discarded"])
)
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
        EndConsignment(name, outcome, instant(at_text), why),
        f"{name}: {outcome}",
        as_json=as_json,
    )


@click.command()
@config_option
@click.argument("channel")
@click.option("--asset", required=True)
@click.option("--role", required=True, help="What it measures there, as the profile's rules name it.")
@_WHEN
@_WHY
@format_option
def bind(
    config_file: Path, channel: str, asset: str, role: str, at_text: str | None, why: str, as_json: bool
) -> None:
    """Say that a channel measures a place of an asset from now on.

    \b
    Example:
      coldchain bind shipper-7.vapour --asset shipper-9 --role vapour --why "probe moved"
    """
    action = BindChannel(channel, asset, role, instant(at_text), why)
    do(config_file, action, f"{channel} measures {asset}/{role}", as_json=as_json)


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


COMMANDS = (status, alarms, ack, shelve, unshelve, reset, close, consignment, bind, unbind)


def _value(channel: ChannelView) -> str:
    if channel.value is None:
        return f"{channel.quality or 'nothing yet'}" + (f": {channel.reason}" if channel.reason else "")
    quantity = QUANTITIES[channel.quantity]
    return f"{quantity.display(channel.value)} {quantity.display_unit}"


def _nearest(channel: ChannelView) -> str:
    limit = next((one for one in channel.limits if one.id == channel.nearest), None)
    if limit is None:
        return ""
    quantity = QUANTITIES[channel.quantity]
    return f"{limit.side} {quantity.display(limit.limit)} {quantity.display_unit}"


def _print_alarms(found: tuple[AlarmView, ...]) -> None:
    if not found:
        console.print("no alarms")
        return
    table = Table("priority", "alarm", "state", "since", "extreme", "limit", "open", "")
    for alarm in found:
        quantity = QUANTITIES.get(alarm.quantity)

        def shown(value: int | None, quantity: Any = quantity) -> str:
            return (
                ""
                if value is None or quantity is None
                else f"{quantity.display(value)} {quantity.display_unit}"
            )

        stamps = ("UNAPPROVED " if alarm.unapproved else "") + ("SIMULATED" if alarm.simulated else "")
        table.add_row(
            f"[{PRIORITY_STYLE[alarm.priority.value]}]{alarm.priority.value.replace('_', ' ')}[/]",
            alarm.id,
            alarm.state.value.replace("_", " "),
            at(alarm.since.ms, known=alarm.since.known),
            shown(alarm.value),
            shown(alarm.limit),
            ", ".join(str(o.number) for o in alarm.occurrences if not o.acknowledged),
            stamps,
        )
    console.print(table)
