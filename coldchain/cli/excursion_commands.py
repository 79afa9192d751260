"""Commands about excursions: which there were, and giving one's time back to budgets with a reason."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from rich.text import Text

from coldchain.cli.gateway import config_option, do, journal_of
from coldchain.cli.output import console, errors, format_option, print_json
from coldchain.journal import JournalError, Reader
from coldchain.pipeline.engine_id import engine
from coldchain.plan import Bound
from coldchain.reports import words
from coldchain.reports.excursions import Excursions, Row, as_object, excursions
from coldchain.web.station import ReopenExcursion, ResolveExcursion

#: So many are listed for people, the newest; programs get all.
_LISTED = 50
_WHY = click.option("--comment", "-m", required=True, help="Why; it is kept with the name.")


@click.group("excursions", invoke_without_command=True)
@click.pass_context
def excursions_group(context: click.Context) -> None:
    """Excursions: list, resolve, unresolve.

    \b
    Example:
      coldchain excursions list
    """
    if context.invoked_subcommand is None:
        context.invoke(excursions_list)


@excursions_group.command("list")
@config_option
@click.option(
    "--place", default="", metavar="ASSET[/ROLE]", help="Only those of an asset, or of a role in it."
)
@format_option
def excursions_list(config_file: Path, place: str, as_json: bool) -> None:
    """List excursions, and what is spent of budgets.

    An excursion that never alarmed is listed, too: its time counts against budgets.

    \b
    Example:
      coldchain excursions list --place box-7
    """
    zone = zone_of(config_file)
    found = _read(config_file)
    if place:
        rows = tuple(row for row in found.rows if _lies_in(row.place, place))
        found = Excursions(rows, tuple(one for one in found.sums if _lies_in(one.place, place)))
    if as_json:
        print_json(as_object(found, zone))
        return
    if not found.rows:
        console.print("no excursions")
    else:
        for line in _lines(found.rows[-_LISTED:], zone):
            console.print(line)
    left_out = len(found.rows) - _LISTED
    if left_out > 0:
        errors.print(f"{left_out} older ones are left out; --format json lists them all")
    for one in found.sums:
        spent, allowed = (words.duration(ms) for ms in (one.spent_ms, one.budget.allowance_ms))
        console.print(f"{one.place}/{one.budget.id}: {spent} spent of {allowed}", markup=False)


@excursions_group.command("resolve")
@config_option
@click.argument("excursion")
@_WHY
@format_option
def excursions_resolve(config_file: Path, excursion: str, comment: str, as_json: bool) -> None:
    """Give an excursion's time back to budgets.

    It must be over. Only the span that stands now is given back: what late readings add to it later counts.
    The excursion itself, its alarm and what was announced stay as they are.

    \b
    Example:
      coldchain excursions resolve box-7/vapour/warming#2 -m "stability study 12 covers it"
    """
    row = _named(config_file, excursion)
    if row.ends is None:
        raise click.ClickException(
            f"{row.id} lasts, or belongs to an earlier time base; only what is over can be"
        )
    action = ResolveExcursion(row.id, *row.ends, comment)
    do(config_file, action, f"resolved {row.id}", as_json=as_json)


@excursions_group.command("unresolve")
@config_option
@click.argument("excursion")
@_WHY
@format_option
def excursions_unresolve(config_file: Path, excursion: str, comment: str, as_json: bool) -> None:
    """Take a resolution back; its time counts again.

    \b
    Example:
      coldchain excursions unresolve box-7/vapour/warming#2 -m "another product was in it"
    """
    do(config_file, ReopenExcursion(excursion, comment), f"unresolved {excursion}", as_json=as_json)


def zone_of(config_file: Path) -> tzinfo:
    """The site's zone; nothing else of the configuration need be right."""
    try:
        table = tomllib.loads(config_file.read_text(encoding="utf-8"))
        return ZoneInfo(table["site"]["time_zone"])
    except (OSError, ValueError, KeyError, TypeError, ZoneInfoNotFoundError):
        return UTC


def _read(config_file: Path) -> Excursions:
    try:
        with Reader.open(journal_of(config_file)) as reader:
            return excursions(reader, engine())
    except JournalError as error:
        raise click.ClickException(str(error)) from error


def _named(config_file: Path, name: str) -> Row:
    found = _read(config_file)
    row = next((each for each in found.rows if each.id == name), None)
    if row is None:
        near = [each.id for each in found.rows if name.partition("#")[0] in each.id][-_LISTED:]
        known = (
            f"; there are: {', '.join(near)}"
            if near
            else "; `coldchain excursions` lists those that there are"
        )
        raise click.ClickException(f"no excursion {name}{known}")
    return row


def _lies_in(place: str, where: str) -> bool:
    return place == where or place.startswith(f"{where}/")


def _lines(rows: tuple[Row, ...], zone: tzinfo) -> Iterator[Text]:
    """One line each, in columns; never folded: a terminal wraps by itself, a pipe gets it whole."""
    cells = [("excursion", "start", "end", "lasted", "extreme", "")] + [_cells(row, zone) for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for index, row in enumerate(cells):
        line = "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
        quiet = index > 0 and not rows[index - 1].triggered
        yield Text(line, "bold" if not index else "dim" if quiet else "")


def _cells(row: Row, zone: tzinfo) -> tuple[str, ...]:
    valued = isinstance(row.rule, Bound) and bool(row.quantity)
    return (
        row.id,
        words.clock(row.start_ms, zone),
        "lasts" if row.end_ms is None else words.clock(row.end_ms, zone),
        "" if row.end_ms is None else words.duration(max(0, row.end_ms - row.start_ms)),
        words.value(row.quantity, row.interval.extreme) if valued else "",
        _state(row),
    )


def _state(row: Row) -> str:
    said = [] if row.triggered else ["did not alarm"]
    if not row.confirmed:
        said.append("not confirmed")
    if row.resolved is not None:
        said.append(f'resolved by {row.resolved.who}: "{row.resolved.comment}"')
        if row.end_ms is not None and row.resolved.to_ms < row.end_ms:
            said.append("what came later counts")
    return ", ".join(said)
