"""`coldchain probe`: what is at the end of a serial line, as a configuration that can be used."""

from __future__ import annotations

import tomllib
from typing import Any

import click
from pydantic import ValidationError

from coldchain.cli.output import errors
from coldchain.cli.probe_broker import is_broker, probe_broker
from coldchain.clock import SystemClock
from coldchain.config.problems import ConfigError
from coldchain.config.proposing import Proposal, as_toml
from coldchain.config.sources import drivers_found
from coldchain.datasheet import DatasheetError, read_datasheet
from coldchain.driver import SerialDriver
from coldchain.model import Measured
from coldchain.ports.lines import LineLost
from coldchain.ports.probing import PortHeld, Seen, Try, probe_line, settings_of, tries


@click.command(
    short_help="Try what is at the end of a serial line or on a broker; propose its configuration."
)
@click.argument("port")
@click.option("--driver", "only", multiple=True, help="Try this driver alone (repeatable).")
@click.option("--set", "stated", multiple=True, metavar="KEY=VALUE", help="What you know of the device.")
@click.option("--all", "go_on", is_flag=True, help="Go on after the first that fits.")
@click.option("--dry-run", is_flag=True, help="Say what would be tried, and open nothing.")
@click.option(
    "--listen", "seconds", type=click.FloatRange(0, 3600, min_open=True), default=30.0, show_default=True,
    metavar="SECONDS", help="How long to listen to a broker.",
)  # fmt: skip
@click.option(
    "--ask", is_flag=True, help="Let drivers ask on a broker what they ask in service (births of Sparkplug)."
)
@click.option("--asset", default="vessel-1", show_default=True, help="What the vessel is to be called.")
def probe(
    port: str,
    only: tuple[str, ...],
    stated: tuple[str, ...],
    go_on: bool,
    dry_run: bool,
    seconds: float,
    ask: bool,
    asset: str,
) -> None:
    """Try which driver reads the device on PORT, a device file or socket://HOST:PORT, and propose a source.

    PORT may be a broker, mqtt://[USER@]HOST[:PORT] (mqtts:// for TLS): then nothing is sent, and sources are
    proposed for what is published within --listen: Zigbee2MQTT, Ruuvi tags, LoRaWAN sensors, Shelly, Tasmota,
    and births of Sparkplug. Edge nodes are born when they connect; with --ask each that is heard is asked
    once to be born again, as this gateway would in service.

    Read-only: only requests are sent that the drivers ask in service. A port that another program has open
    is left alone. A request may mean something else to a device that no driver knows: where the line has a
    device that you do not know, try --dry-run first and name the drivers with --driver.

    Standard output has tables for a gateway.toml; what the device does not tell stands there as a comment,
    and `coldchain config check` asks for it.

    \b
    Examples:
      coldchain probe /dev/ttyUSB0
      coldchain probe /dev/ttyUSB0 --driver mve_tec3000 --set displayed_unit=degC >> gateway.toml
      coldchain probe socket://10.0.0.7:10001 --dry-run
      coldchain probe mqtt://127.0.0.1 --listen 600 >> gateway.toml
    """
    if is_broker(port):
        if stated or go_on or dry_run:
            raise click.UsageError(
                "--set, --all and --dry-run are for serial lines: a broker is only listened to"
            )
        for table in probe_broker(port, only, seconds, asset, ask=ask):
            click.echo(table)
        return
    if ask:
        raise click.UsageError("--ask is for brokers: on a serial line every driver asks")
    plan = _plan(port, only, dict(map(_stated, stated)))
    if dry_run:
        for tried in plan:
            asks = tried.driver.identity(settings_of(tried.driver, tried.given))
            polls = tried.driver.poll(settings_of(tried.driver, tried.given))
            sent = ", ".join(str(query.send)[1:] for query in (*asks, *polls)[:3]) or "nothing: it listens"
            click.echo(f"{tried.words}: {sent}")
        return
    found = 0
    try:
        for seen in probe_line(
            port, plan, SystemClock(), lambda t: errors.print(f"trying {t.words}", markup=False)
        ):
            if found:
                click.echo(f"# It also answers as {seen.tried.words}: see which it is by its label.")
                click.echo(
                    "".join(f"# {line}\n" for line in _block(seen, port, asset).splitlines()), nl=False
                )
            else:
                click.echo(f"# Answers as {seen.tried.words}.")
                click.echo(_block(seen, port, asset), nl=False)
            found += 1
            if not go_on:
                break
    except (PortHeld, LineLost) as error:
        raise click.ClickException(str(error)) from error
    if not found:
        raise click.ClickException(
            f"nothing that a driver here knows answers on {port}; `coldchain drivers list` has what can be "
            "read, and ascii_line and modbus take devices that you describe yourself"
        )


def _plan(port: str, only: tuple[str, ...], stated: dict[str, Any]) -> list[Try]:
    """All ways to be tried, those of one speed together."""
    drivers, _ = drivers_found()
    unknown = [name for name in only if name not in drivers]
    if unknown:
        raise click.ClickException(f'no driver "{unknown[0]}" is installed; see: coldchain drivers list')
    plan: list[Try] = []
    for name, driver in sorted(drivers.items()):
        if not isinstance(driver, SerialDriver) or (only and name not in only):
            continue
        known = {key: value for key, value in stated.items() if key in driver.settings.model_fields}
        if only and known != stated:
            raise click.ClickException(f"{name} has no setting {', '.join(stated.keys() - known.keys())}")
        try:
            plan += tries(driver, read_datasheet(driver).probe, known, network="://" in port)
        except (DatasheetError, ConfigError, ValidationError, KeyError) as error:
            raise click.ClickException(f"{name}: {error}") from error
    if not plan:
        raise click.ClickException("none of these can be told by asking; describe the device in gateway.toml")
    return sorted(
        plan, key=lambda tried: (tried.line.baud != 9600, tried.line.baud or 0, tried.line.frame or "")
    )


def _stated(text: str) -> tuple[str, Any]:
    """A setting as typed: a TOML value, or a bare word."""
    key, _, value = text.partition("=")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def _block(seen: Seen, port: str, asset: str) -> str:
    tried, driver = seen.tried, seen.tried.driver
    sheet = read_datasheet(driver)
    why = {each.setting: each.what for each in sheet.unknown}
    asked = [key for key in tried.attempt.trial if tried.given[key] == tried.attempt.trial[key]]
    given = {key: value for key, value in seen.given.items() if key not in asked}
    now = {each.key: (each.value, each.unit) for each in seen.said if isinstance(each, Measured)}
    polled = bool(driver.poll(settings_of(driver, tried.given)))
    return as_toml(
        Proposal(
            driver.name,
            driver.title,
            port,
            given,
            now,
            {key: why.get(key, "state it") for key in asked},
            polled,
        ),
        asset,
    )
