"""`coldchain readout`: read a logger out over its serial line, into a file that `coldchain import` takes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from coldchain.cli.output import errors
from coldchain.clock import SystemClock
from coldchain.driver import Line
from coldchain.importers import elitech_wire as wire
from coldchain.importers.elitech_readout import NoReadout, Readout, Talk, read_out
from coldchain.importers.recognise import sha256
from coldchain.ports.bell import Bell
from coldchain.ports.bus import Bus
from coldchain.ports.framing import Blob
from coldchain.ports.holders import holder_of
from coldchain.ports.lines import LineLost, open_wire


@click.command(short_help="Read a logger out over its serial line, into a file.")
@click.argument("port")
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write (default: elitech-NUMBER-TIME.txt here). None is overwritten.",
)  # fmt: skip
@click.option(
    "--baud", type=click.IntRange(300), default=wire.BAUD, show_default=True, help="Bits per second."
)
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(0.05, 60), default=wire.TIMEOUT_S, show_default=True,
    metavar="SECONDS", help="How long a reply may take.",
)  # fmt: skip
@click.option("--page-values", type=click.IntRange(1, 2000), help="Values in a page, for a model not known.")
@click.option(
    "--values",
    type=click.IntRange(1, 2),
    help="Values in a measurement, for a model not known: 2 with humidity.",
)
def readout(
    port: str, output: Path | None, baud: int, timeout_s: float, page_values: int | None, values: int | None
) -> None:
    """Read an Elitech RC-4, RC-4HC or RC-5 out, a trip's log, and write every request and reply to a file.

    PORT is a device file or socket://HOST:PORT. Only questions are sent; nothing in the logger is set, and it
    keeps its data. The way it speaks is known from a second-hand description and was not tried on a logger:
    compare the first and the last value with its display before you rely on them.

    `coldchain import FILE --asset A --tz ZONE` takes the file into the journal.

    \b
    Examples:
      coldchain readout /dev/ttyUSB0
      coldchain readout /dev/ttyUSB0 --output box-7.txt
    """
    if output is not None and output.exists():
        raise click.ClickException(f"{output} exists and is not overwritten; name another file")
    holder = holder_of(port)
    if holder is not None:
        raise click.ClickException(f"{holder} has {port} open; stop it first")
    now = datetime.fromtimestamp(SystemClock().utc_ms() / 1000, UTC)
    try:
        with _line(port, baud, timeout_s) as talk:
            found = read_out(talk, now.isoformat(), _told, page_values, values)
    except NoReadout as error:
        raise click.ClickException(f"{port}: {error}") from error
    except LineLost as error:
        raise click.ClickException(f"{port}: the line was lost: {error}") from error
    path = output or Path(f"elitech-{_named(found)}-{now:%Y%m%dT%H%M%SZ}.txt")
    try:
        with path.open("x", encoding="ascii") as file:
            file.write(found.text)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
    _say(found, path)


def _named(found: Readout) -> str:
    return "".join(sign for sign in found.info.number if sign.isalnum()) or "unnamed"


def _say(found: Readout, path: Path) -> None:
    info, header = found.info, found.header
    whose = info.number or "a logger without a number"
    every = f"each {info.interval_s} s from {header.start} on by its own clock"
    click.echo(f"{header.count} measurements of {whose}, {every}")
    click.echo(f"{path}  SHA-256 {sha256(found.text.encode('ascii'))}")
    click.echo(f"next: coldchain import {path} --asset … --tz …")


def _told(number: int, pages: int) -> None:
    errors.print(f"page {number} of {pages}", markup=False)


@contextmanager
def _line(port: str, baud: int, timeout_s: float) -> Iterator[Talk]:
    """A way to ask. The line is opened anew for each question, as the description has it.

    No reply names its question: after one that did not come whole, nothing is asked until it cannot be late.
    """
    clock, never = SystemClock(trusted=True), threading.Event()
    with closing(Bell()) as bell:

        def talk(request: bytes, size: int) -> bytes:
            line = Line(b"", size, round(timeout_s * 1000), size=lambda _: size)
            with open_wire(port, baud, wire.FRAME, bell) as opened:
                bus = Bus(opened, bell, clock, lambda: False, lambda: None)
                reply = bus.ask(request, line, _unasked)
                if not isinstance(reply, bytes):
                    bus.rest(partial(float, clock.real_s() + 2 * timeout_s), _unasked)
            never.wait(wire.REST_S)
            return reply if isinstance(reply, bytes) else b""

        yield talk


def _unasked(blob: Blob) -> None:
    """What came without a question is no part of the log."""
