"""`coldchain import`: take what a logger recorded on a trip into the journal, with the file itself."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from coldchain.cli import replay_options as options
from coldchain.cli.gateway import Gateway, config_option
from coldchain.cli.import_report import FileReport, Status, report_as_json, show
from coldchain.cli.output import format_option, print_json
from coldchain.cli.replay_command import ORDERS, columns_of
from coldchain.daemon.logs import FILE_BYTES_MAX, Column, Log
from coldchain.importers import LoggerFile, ReadAs, Refused, read, sha256
from coldchain.importers.future import without_future
from coldchain.logged import PLATINUM, Valid

#: A report that goes to a file or a pipe has lines of this width.
_PAGE = 140
_EXIT = {Status.IMPORTED: 0, Status.ALREADY: 0, Status.WITH_GAPS: 1, Status.REFUSED: 2}


@dataclass(frozen=True)
class _Asked:
    asset: str
    device: str
    role: str
    roles: dict[str, str]
    another_zone: bool
    valid: Valid


@click.command(
    "import", cls=options.VerdictCommand, short_help="Take what a logger recorded on a trip into the journal."
)
@config_option
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)  # fmt: skip
@click.option("--asset", required=True, help="The vessel in which it was recorded.")
@click.option("--role", default="", help="What it measured there (default: the only one that is judged).")
@click.option(
    "--column", "columns", metavar="NAME[=ROLE]", multiple=True,
    help="A column to import, and what it measured. May be repeated.",
)  # fmt: skip
@click.option("--device", default="", metavar="NAME", help="The logger, where its file does not name it.")
@click.option(
    "--tz",
    "zone",
    callback=options.zone,
    metavar="ZONE",
    help="Zone of the logger's clock, asked once for each logger: Europe/Zurich, UTC, +01:00.",
)
@click.option("--another-tz", "another_zone", is_flag=True, help="Its clock was set to another zone.")
@click.option("--dates", type=click.Choice(list(ORDERS)), help="Order of day, month and year in dates.")
@click.option("--time-format", metavar="FORMAT", help="Form of the times, as for strptime: '%d.%m.%y %H%M'.")
@click.option("--time-column", metavar="NAME", help="Column of the times (or DATE+TIME), by name or number.")
@click.option("--series-column", metavar="NAME", help="Column that tells several series in one file apart.")
@click.option("--unit", callback=options.unit, metavar="C|F|K", help="Unit of values that state none.")
@options.valid_option
@click.option("--delimiter", callback=options.delimiter, metavar="CHAR", help="What stands between fields.")
@click.option("--decimal", type=click.Choice([".", ","]), help="Decimal sign.")
@click.option(
    "--layout", callback=options.layout, metavar="NAME|FILE",
    help="Which logger's table it is, where the file does not show it; a FILE of your own ends in .toml.",
)  # fmt: skip
@click.option("--encoding", callback=options.encoding, help="Text encoding of the file.")
@click.option("--simulated", is_flag=True, help="Nothing in the file was measured.")
@format_option
def import_(
    config_file: Path,
    files: tuple[Path, ...],
    asset: str,
    role: str,
    columns: tuple[str, ...],
    device: str,
    another_zone: bool,
    valid: Valid | None,
    dates: str | None,
    as_json: bool,
    **told: Any,
) -> None:
    """Take the log of a trip into the journal, the file itself with its SHA-256, and say what it shows.

    The form of a FILE is recognised; every line that gives no reading is named. Readings stay marked as
    imported. Where nothing else measured that place at the time, the limits that were in force judge them;
    else they stand beside. Alarms that the logger itself recorded are shown beside ours. The same file again
    changes nothing. Nothing is guessed: where a file leaves a doubt (zone, order of the date, unit), it is
    refused and the option that settles it is named.

    With a daemon or without one. The exit status is 0 if all of every file is in the journal, 1 if some lines
    gave no reading, 2 if a file was refused, 64 for a wrong command, 70 for an error of ours.

    \b
    Examples:
      coldchain import trip.txt --asset box-7 --tz Europe/Zurich
      coldchain import trip.csv --asset box-7 --column "Probe 1=vapour"
    """
    names, roles = columns_of(columns)
    told_as = ReadAs(columns=names, dates=ORDERS.get(dates or ""), days=True, **told)
    asked = _Asked(asset, device, role, roles, another_zone, valid or PLATINUM)
    gateway = Gateway(config_file)
    reports = [_one(gateway, path, told_as, asked) for path in files]
    if as_json:
        print_json({"format": "coldchain import 1", "files": [report_as_json(each) for each in reports]})
    else:
        console = Console(highlight=False)
        show(reports, console if console.is_terminal else Console(highlight=False, width=_PAGE))
    click.get_current_context().exit(max(_EXIT[report.status] for report in reports))


def _one(gateway: Gateway, path: Path, told: ReadAs, asked: _Asked) -> FileReport:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise options.usage(f"{path} cannot be read: {error.strerror}") from error
    report = FileReport(str(path), sha256(content), len(content), asked.asset)
    if len(content) > FILE_BYTES_MAX:
        return report.was_refused(
            f"{path}: the file has more than {FILE_BYTES_MAX >> 20} MiB, and more is not kept in a journal; "
            "export a shorter span, one file after the other"
        )
    try:
        file, zone = _read(gateway, path, content, told, asked)
        file = without_future(file, gateway.utc_ms())
        log = _log(file, content, zone, asked)
    except Refused as refused:
        return report.was_refused(str(refused if refused.file else refused.at(str(path))))
    return report.told(file, log.device, gateway.take_log(log))


def _read(
    gateway: Gateway, path: Path, content: bytes, told: ReadAs, asked: _Asked
) -> tuple[LoggerFile, str]:
    """The file, and the zone in which its times were read ("" if they carry their own)."""
    try:
        return read(str(path), content, replace(told, zone=None)), ""
    except Refused as refused:
        if not refused.asks_zone:
            raise
        zone = told.zone
        device = asked.device or refused.device
        if zone is None and device and (known := gateway.logger(device)) is not None and known.zone:
            zone = options.zone(click.get_current_context(), None, known.zone)
        if zone is None and sys.stdin.isatty():
            said = click.prompt(f"In which zone is the clock of {device or path}?", err=True)
            zone = options.zone(click.get_current_context(), None, said)
        if zone is None:
            raise
    return read(str(path), content, replace(told, zone=zone)), options.zone_name(zone)


def _log(file: LoggerFile, content: bytes, zone: str, asked: _Asked) -> Log:
    # A file that names no logger is one of its own: nothing is known of it from trips before.
    device = asked.device or file.serial or f"file-{file.sha256[:12]}"
    columns = []
    for series in file.series:
        if not series.values:
            continue
        told = [role for name, role in asked.roles.items() if name.lower() in series.title.lower()]
        values = series.values
        columns.append(
            Column(
                series.id,
                series.title,
                series.unit,
                told[0] if told else asked.role,
                tuple(value.at_ms for value in values),
                tuple(value.raw for value in values),
                tuple(value.bad for value in values),
                tuple(value.doubt for value in values),
            )
        )
    return Log(
        asset=asked.asset,
        device=device,
        serial=file.serial,
        kind=file.kind,
        zone=zone,
        name=Path(file.name).name,
        sha256=file.sha256,
        content=content,
        columns=tuple(columns),
        until_ms=file.stopped_ms,
        unread=tuple(map(str, file.unread)),
        alarms=file.alarms,
        days=file.days,
        another_zone=asked.another_zone,
        valid=asked.valid,
        simulated=file.simulated,
    )
