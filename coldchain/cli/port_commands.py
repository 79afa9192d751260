"""`coldchain ports`: which serial devices are plugged in, and by which name to configure them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from coldchain.config.sources import drivers_found
from coldchain.datasheet import DatasheetError, read_datasheet

_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="For people, or for programs.",
)
#: Makers of adapters between USB and a serial line, by USB vendor (the USB ID Repository, usb.ids).
_ADAPTERS = {
    0x0403: "an adapter by FTDI",
    0x067B: "an adapter by Prolific",
    0x10C4: "an adapter by Silicon Labs (CP210x)",
    0x1A86: "an adapter by QinHeng (CH34x)",
}
#: Where udev keeps names of devices that do not change when they are plugged in again.
_STABLE = (Path("/dev/serial/by-id"), Path("/dev/serial/by-path"))


@click.command(short_help="List the serial devices of this computer.")
@_FORMAT
def ports(form: str) -> None:
    """List the serial devices of this computer, with the name to write into a configuration.

    Where a device tells by its USB identity what it is, its driver is named; an adapter does not
    tell what is behind it: `coldchain probe` asks. Opens none of them.

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
        fits = [f"{each['driver']} may read it: {each['what']}" for each in port["fits"]]
        ask = (
            [] if fits or not port["adapter"] else [f"{port['adapter']}: try coldchain probe {port['name']}"]
        )
        for line in (", ".join(about), now, unstable, *fits, *ask):
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
            "adapter": _ADAPTERS.get(port.vid or 0, ""),
            "fits": list(_fits(port.vid, port.pid)),
        }


def _fits(vendor: int | None, product: int | None) -> Iterator[dict[str, str]]:
    """The drivers whose datasheet names this USB identity."""
    if vendor is None:
        return
    for name, driver in sorted(drivers_found()[0].items()):
        try:
            known = read_datasheet(driver).usb
        except DatasheetError:
            continue
        for usb in known:
            if int(usb.vendor, 16) == vendor and (usb.product is None or int(usb.product, 16) == product):
                yield {"driver": name, "what": usb.what}


def _stable_name(device: str) -> str | None:
    real = Path(device).resolve()
    for folder in _STABLE:
        for link in sorted(folder.glob("*")):
            if link.resolve() == real:
                return str(link)
    return None
