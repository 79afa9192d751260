"""`coldchain drivers`: what can be read, how sure we are, what is known of each, and a new one's package."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from coldchain.cli.driver_skeleton import SkeletonError, check_name, write_package
from coldchain.config.devices import device_files, shipped_device
from coldchain.config.example import load_example
from coldchain.config.problems import ConfigError, nearest
from coldchain.config.sources import drivers_found
from coldchain.datasheet import DatasheetError, read_datasheet
from coldchain.driver import Driver, Maturity, SerialDriver
from coldchain.reports.driver_page import IN_WORDS, driver_page

_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="For people, or for programs.",
)


@click.group(short_help="Look at the drivers that are installed.")
def drivers() -> None:
    """Look at the drivers that are installed: which devices and formats can be read. Begin one of your own.

    \b
    Examples:
      coldchain drivers list
      coldchain drivers show mt_sics
      coldchain drivers new acme_t100
    """


@drivers.command("list", short_help="List the installed drivers, and how sure we are of each.")
@_FORMAT
def list_drivers(form: str) -> None:
    """List the installed drivers, each with how sure we are that it reads its device rightly.

    \b
    Examples:
      coldchain drivers list
      coldchain drivers list --format json
    """
    drivers, broken = drivers_found()
    found = [_about(name, driver) for name, driver in sorted(drivers.items())]
    if form == "json":
        lost = [{"name": name, "broken": why} for name, why in sorted(broken.items())]
        click.echo(json.dumps([*found, *lost], ensure_ascii=False, indent=2))
        return
    for driver in found:
        click.echo(f"{driver['name']}  version {driver['version']}  {driver['title']}")
        click.echo(f"    read from {driver['read_from']}")
        click.echo(f"    {driver['maturity_in_words']}")
        for device in driver["devices"]:
            click.echo(f"    device {device['name']}: {device['title']}")
            click.echo(f"        {device['maturity_in_words']}")
        for source in driver["sources"]:
            click.echo(f"    source: {source}")
    for name, why in sorted(broken.items()):
        click.echo(f"{name}  cannot be loaded: {why}; install it again, with what it needs")


@drivers.command("show", short_help="Show all that is known of a device: wiring, settings, lies, sources.")
@click.argument("name")
def show_driver(name: str) -> None:
    """Show the page of a driver, as in the docs: wiring, settings, units, lies, an example, sources.

    \b
    Examples:
      coldchain drivers show mt_sics
      coldchain drivers show lakeshore | less
    """
    drivers, broken = drivers_found()
    if name not in drivers:
        if name in broken:
            raise click.ClickException(f"{name} cannot be loaded: {broken[name]}")
        meant = nearest(name, drivers)
        mend = f"did you mean {meant}?" if meant else "see: coldchain drivers list"
        raise click.ClickException(f'no driver "{name}" is installed; {mend}')
    driver = drivers[name]
    try:
        sheet = read_datasheet(driver)
        (source,) = load_example(driver, sheet).sources.values()
    except (DatasheetError, ConfigError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(driver_page(driver, sheet, source), nl=False)


@drivers.command("new", short_help="Write a package for a driver of your own, with its test.")
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Where to write it; by default coldchain-NAME in this folder.",
)
def new_driver(name: str, folder: Path | None) -> None:
    """Write a package for a driver of your own, called NAME in configurations: an example that works.

    It has the entry point by which coldchain finds it, a driver of a serial device that is asked, its
    datasheet, and the test that holds it to all that every driver must hold. Nothing is overwritten.

    \b
    Examples:
      coldchain drivers new acme_t100
      coldchain drivers new acme_t100 --folder ~/drivers/acme
    """
    found, broken = drivers_found()
    folder = Path(f"coldchain-{name.replace('_', '-')}") if folder is None else folder
    try:
        check_name(name, frozenset(found) | frozenset(broken))
        written = write_package(name, folder)
    except SkeletonError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    for path in written:
        click.echo(path)
    click.echo(
        f"Next: cd {folder}, python3 -m venv .venv, .venv/bin/pip install -e '.[test]', .venv/bin/pytest"
    )


def _about(name: str, driver: Driver) -> dict[str, Any]:
    return {
        "name": name,
        "version": driver.version,
        "title": driver.title,
        "read_from": "a serial line" if isinstance(driver, SerialDriver) else "an MQTT broker",
        "maturity": driver.maturity.value,
        "maturity_in_words": IN_WORDS[driver.maturity],
        "devices": list(_devices(driver)),
        "sources": list(driver.sources),
    }


def _devices(driver: Driver) -> Iterator[dict[str, str]]:
    """The devices that a driver of many knows by their data files."""
    if not isinstance(driver, SerialDriver) or driver.devices is None:
        return
    for name in device_files():
        device = shipped_device(name, driver.devices)
        sure: Maturity = getattr(device, "how_sure", driver.maturity)
        yield {
            "name": name,
            "title": str(getattr(device, "title", "")),
            "maturity": sure.value,
            "maturity_in_words": IN_WORDS[sure],
        }
