"""Commands about alarms: look, acknowledge, shelve, reset, close."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import click
from typing_extensions import override

from coldchain.cli.gateway import Gateway, config_option, do
from coldchain.cli.output import at, errors, format_option, print_json, whole
from coldchain.cli.standing import print_alarms, print_state
from coldchain.web.station import (
    LAST_MS,
    AcknowledgeAlarm,
    CloseAlarm,
    ResetLatch,
    ShelveAlarm,
    UnshelveAlarm,
)

_SPAN = re.compile(r"(\d+)\s*(s|min|m|h|d)")
_SPAN_MS = {"s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_NOT_RUNNING = "no daemon runs: nothing is watched, and this is how things stood when it ended"


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
    state, runs = Gateway(config_file).state()
    if as_json:
        print_json({"daemon_runs": runs, **whole(state)})
        return
    if not runs:
        errors.print(_NOT_RUNNING, style="bold red")
    print_state(state)


class _Alarms(click.Group):
    """`alarms` by itself lists; what reads a whole journal is imported when it is asked for."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["report"]

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != "report":
            return None
        command = import_module("coldchain.cli.alarm_report_command").report
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Alarms, invoke_without_command=True)
@config_option
@format_option
@click.pass_context
def alarms(context: click.Context, config_file: Path, as_json: bool) -> None:
    """List the alarms that stand, the most urgent first.

    \b
    Example:
      coldchain alarms
    """
    if context.invoked_subcommand is not None:
        context.default_map = {context.invoked_subcommand: {"config_file": str(config_file)}}
        return
    state, runs = Gateway(config_file).state()
    if not runs:
        errors.print(_NOT_RUNNING, style="bold red")
    if as_json:
        print_json(state.alarms)
    else:
        print_alarms(state.alarms)


@click.command(short_help="Acknowledge an alarm: the occurrences that stand now.")
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
      coldchain ack box-7/vapour/too-warm -m "refilling now"
    """
    if not occurrences:
        state, _ = Gateway(config_file).state()
        found = [each for each in state.alarms if each.id == alarm]
        if not found:
            raise click.ClickException(f"no alarm {alarm} stands; `coldchain alarms` lists those that do")
        occurrences = tuple(each.number for each in found[0].occurrences if not each.acknowledged)
        if not occurrences:
            raise click.ClickException(f"every occurrence of {alarm} is acknowledged already")
    do(config_file, AcknowledgeAlarm(alarm, occurrences, comment), f"acknowledged {alarm}", as_json=as_json)


@click.command(short_help="Silence an alarm until a stated end.")
@config_option
@click.argument("alarm")
@click.option("--for", "length", required=True, help="How long, such as 30min or 4h.")
@click.option("--comment", "-m", required=True, help="Why.")
@format_option
def shelve(config_file: Path, alarm: str, length: str, comment: str, as_json: bool) -> None:
    """Silence an alarm until a stated end; it is evaluated and recorded all the same.

    \b
    Example:
      coldchain shelve fridge-1/product/too-warm --for 30min -m "loading"
    """
    until_ms = span_ms(length) + Gateway(config_file).utc_ms()
    if until_ms > LAST_MS:
        raise click.BadParameter(f'"{length}" never ends; a shelf needs an end', param_hint="--for")
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
      coldchain unshelve fridge-1/product/too-warm
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
      coldchain reset box-7/vapour/too-warm -m "product moved, inspected by QA"
    """
    do(config_file, ResetLatch(alarm, comment), f"reset {alarm}", as_json=as_json)


@click.command(short_help="Close an alarm that nothing can end any more.")
@config_option
@click.argument("alarm")
@click.option("--comment", "-m", required=True, help="Why nothing can end it any more.")
@format_option
def close(config_file: Path, alarm: str, comment: str, as_json: bool) -> None:
    """Close an alarm whose rule, channel or probe is gone; its excursion stays as it is.

    \b
    Example:
      coldchain close box-7/vapour/too-warm -m "logger lost in transit"
    """
    do(config_file, CloseAlarm(alarm, comment), f"closed {alarm}", as_json=as_json)
