"""`coldchain ports`: which serial devices are plugged in, and by which name to configure them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="For people, or for programs.",
)
#: Where udev keeps names of devices that do not change when they are plugged in again.
_STABLE = (Path("/dev/serial/by-id"), Path("/dev/serial/by-path"))


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
