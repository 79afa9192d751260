"""Commands about work at vessels: alarms that call nobody for a time, and whether the work was done."""

from __future__ import annotations

from pathlib import Path

import click

from coldchain.cli.ask_commands import span_ms
from coldchain.cli.gateway import Gateway, config_option, do
from coldchain.cli.output import at, format_option
from coldchain.plan import OUT_OF_SERVICE
from coldchain.web.station import LAST_MS, BeginWork, EndWork

_FOR = click.option("--for", "length", required=True, help="How long at most, such as 30min or 4h.")
_WHY = click.option("--comment", "-m", required=True, help="Why.")
_DONE = click.option("--comment", "-m", default="", help="What was found or done.")


@click.group()
def work() -> None:
    """Work at a vessel, such as a filling.

    \b
    Example:
      coldchain work begin dewar-2 filling --for 20min -m "weekly filling"
    """


@work.command("begin")
@config_option
@click.argument("vessel")
@click.argument("kind")
@_FOR
@_WHY
@format_option
def work_begin(config_file: Path, vessel: str, kind: str, length: str, comment: str, as_json: bool) -> None:
    """Begin a work: its alarms call nobody meanwhile.

    The kinds stand in the vessel's profile and under [works] in the configuration. Beginning it again moves
    its end.

    \b
    Example:
      coldchain work begin dewar-2 filling --for 20min -m "weekly filling"
    """
    _begin(config_file, vessel, kind, length, comment, f"{kind} at {vessel}", as_json=as_json)


@work.command("end")
@config_option
@click.argument("vessel")
@click.argument("kind")
@_DONE
@format_option
def work_end(config_file: Path, vessel: str, kind: str, comment: str, as_json: bool) -> None:
    """Say that a work is done.

    Where readings can show it they must, or an alarm asks.

    \b
    Example:
      coldchain work end dewar-2 filling
    """
    do(config_file, EndWork(vessel, kind, comment), f"ended: {kind} at {vessel}", as_json=as_json)


@work.command("out-of-service")
@config_option
@click.argument("what")
@_FOR
@_WHY
@format_option
def out_of_service(config_file: Path, what: str, length: str, comment: str, as_json: bool) -> None:
    """Take alarms out of service.

    Those of a vessel, of a place in it (asset/role), or one alarm. They are evaluated and recorded all the
    same, and call again at the end.

    \b
    Example:
      coldchain work out-of-service dewar-2/vapour --for 2h -m "probe out for calibration"
    """
    _begin(config_file, what, OUT_OF_SERVICE, length, comment, f"{what} out of service", as_json=as_json)


@work.command("in-service")
@config_option
@click.argument("what")
@_DONE
@format_option
def in_service(config_file: Path, what: str, comment: str, as_json: bool) -> None:
    """Put alarms back into service.

    \b
    Example:
      coldchain work in-service dewar-2/vapour -m "probe back in place"
    """
    do(config_file, EndWork(what, OUT_OF_SERVICE, comment), f"{what} in service again", as_json=as_json)


def _begin(
    config_file: Path, scope: str, kind: str, length: str, comment: str, done: str, *, as_json: bool
) -> None:
    until_ms = span_ms(length) + Gateway(config_file).utc_ms()
    if until_ms > LAST_MS:
        raise click.BadParameter(f'"{length}" never ends; a work needs an end', param_hint="--for")
    action = BeginWork(scope, kind, until_ms, comment)
    do(config_file, action, f"{done} until {at(until_ms)}", as_json=as_json)
