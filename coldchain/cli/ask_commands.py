"""Commands that ask the running daemon, or write to the journal themselves when none runs."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
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
    CloseAlarm,
    Outcome,
    ResetLatch,
    ShelveAlarm,
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


COMMANDS = (status, alarms, ack, shelve, unshelve, reset, close)


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
