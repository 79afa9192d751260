"""`coldchain frames`: the bytes that passed over a serial port around its newest faults."""

from __future__ import annotations

import string
from pathlib import Path

import click
from rich.markup import escape

from coldchain.cli.gateway import Gateway, config_option
from coldchain.cli.output import at, console, format_option, print_json
from coldchain.config.problems import listed, nearest
from coldchain.traffic import Fault, Piece

#: What is shown as itself beside the hex; a letter more would be taken for a line end or a colour.
_PLAIN = frozenset((string.ascii_letters + string.digits + string.punctuation + " ").encode())


@click.command(short_help="Show the raw bytes around a serial port's newest faults.")
@click.argument("port")
@config_option
@format_option
def frames(port: str, config_file: Path, *, as_json: bool) -> None:
    """Show the raw bytes that passed over a serial PORT around its newest faults, in both directions.

    PORT is its name in the configuration, or a source that it serves. A fault is a frame that could not be
    read, a reading without a value, a request without a reply, a line that was lost; one that stands is
    counted.

    The running daemon keeps the newest in its memory, bounded. The journal keeps why, the hash and the first
    bytes of every frame that gave no reading. What may be a password is taken out before anything is kept.

    \b
    Examples:
      coldchain frames /dev/serial/by-id/usb-FTDI_USB-RS422_Cable_FT0000-if00-port0
      coldchain frames tec --format json
    """
    view = Gateway(config_file).frames(port)
    if view is None:
        raise click.ClickException(
            "no daemon runs, and frames are kept in its memory alone; what gave no reading is in the "
            "journal, with its hash and its first bytes"
        )
    if not view.port:
        meant = nearest(port, view.ports)
        there = f"did you mean {meant}?" if meant else f"there are: {listed(view.ports)}"
        raise click.ClickException(
            f"no serial port {port!r} is read; {there if view.ports else 'there is none'}"
        )
    if as_json:
        print_json(view)
        return
    if not view.faults:
        console.print(f"{escape(view.port)}: no fault since the daemon started")
    for fault in view.faults:
        _show(view.port, fault)


def _show(port: str, fault: Fault) -> None:
    whose = f"{port}, {fault.source}" if fault.source else port
    again = f", {fault.times} times until {at(fault.last_ms)}" if fault.times > 1 else ""
    console.print(f"[bold]{at(fault.utc_ms)}[/] {escape(whose)}: [red]{escape(fault.why)}[/]{again}")
    for piece in fault.pieces:
        _show_piece(piece, fault.utc_ms)
    console.print()


def _show_piece(piece: Piece, fault_ms: int) -> None:
    data = bytes.fromhex(piece.hex)
    plain = "".join(chr(byte) if byte in _PLAIN else "." for byte in data)
    more = piece.size - piece.hidden - len(data)
    rest = (f" and {more} bytes more" if more > 0 else "") + (
        f" [{piece.hidden} bytes removed: a secret]" if piece.hidden else ""
    )
    arrow = "→" if piece.sent else "←"
    seconds = (piece.utc_ms - fault_ms) / 1000
    console.print(f"  {seconds:+9.3f} s {arrow} {piece.hex}{rest}  {plain}", markup=False)
