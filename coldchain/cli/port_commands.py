"""`coldchain ports` and `coldchain drivers`: what is plugged in, and what can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from coldchain.config.devices import device_files, shipped_device
from coldchain.config.sources import installed_drivers
from coldchain.driver import Driver, Maturity, SerialDriver

_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="For people, or for programs.",
)
#: Where udev keeps names of devices that do not change when they are plugged in again.
_STABLE = (Path("/dev/serial/by-id"), Path("/dev/serial/by-path"))

_PLAIN = {
    Maturity.VENDOR_VECTORS: "checked against examples of the vendor",
    Maturity.VENDOR_DOCUMENT: "from the vendor's own description; no example of theirs to check against",
    Maturity.SECOND_HAND: "from descriptions of others; not checked against a device of the vendor",
    Maturity.SIMULATED: "written from a description without examples; tried on our own simulator only",
    Maturity.GENERIC: "a general format; your settings say what the device means",
}


@click.command(short_help="List the serial devices of this computer.")
@_FORMAT
def ports(form: str) -> None:
    """List the serial devices of this computer, with the name to write into a configuration.

    Opens none of them.

    \b
    Examples:
      coldchain ports
      coldchain ports --format json
    """
    found = list(_ports())
    if form == "json":
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    if not found:
        click.echo("no serial device is plugged in")
    for port in found:
        click.echo(port["name"])
        about = [text for text in (port["description"], port["serial_number"]) if text]
        now = f"now {port['device']}" if port["device"] != port["name"] else ""
        unstable = "" if port["stable"] else "this name may be another device's after it is plugged in again"
        for line in (", ".join(about), now, unstable):
            if line:
                click.echo(f"    {line}")


@click.group(short_help="Look at the drivers that are installed.")
def drivers() -> None:
    """Look at the drivers that are installed: which devices and formats can be read.

    \b
    Example:
      coldchain drivers list
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
    found = [_about(name, driver) for name, driver in sorted(installed_drivers().items())]
    if form == "json":
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
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


def _plugged() -> list[ListPortInfo]:
    return sorted(list_ports.comports())


def _ports() -> Iterator[dict[str, Any]]:
    """Serial devices by their most lasting name."""
    for port in _plugged():
        stable = _stable_name(port.device)
        yield {
            "name": stable or port.device,
            "device": port.device,
            "stable": stable is not None or port.vid is None,  # what is built in keeps its name
            "description": port.description if port.description != "n/a" else "",
            "serial_number": port.serial_number or "",
        }


def _stable_name(device: str) -> str | None:
    real = Path(device).resolve()
    for folder in _STABLE:
        for link in sorted(folder.glob("*")):
            if link.resolve() == real:
                return str(link)
    return None


def _about(name: str, driver: Driver) -> dict[str, Any]:
    return {
        "name": name,
        "version": driver.version,
        "title": driver.title,
        "read_from": "a serial line" if isinstance(driver, SerialDriver) else "an MQTT broker",
        "maturity": driver.maturity.value,
        "maturity_in_words": _PLAIN[driver.maturity],
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
            "maturity_in_words": _PLAIN[sure],
        }
