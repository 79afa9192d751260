"""`coldchain why`: everything that lies behind an alarm or an excursion."""

from __future__ import annotations

import io
import sys
from datetime import UTC, tzinfo
from pathlib import Path

import click
from rich.console import Console

from coldchain.cli import pictures
from coldchain.cli import replay_options as options
from coldchain.cli.excursion_commands import zone_of
from coldchain.cli.gateway import config_option, journal_of
from coldchain.cli.output import format_option
from coldchain.journal import JournalError, Reader
from coldchain.pipeline.engine_id import engine
from coldchain.reports.asking_why import why as ask
from coldchain.reports.why import Answer, Unknown
from coldchain.reports.why_json import as_json as json_of
from coldchain.reports.why_text import show
from coldchain.reports.why_words import picture_of

#: Width of an answer that goes to a file or a pipe.
_PAGE = 140
_LISTED = 20


@click.command()
@click.argument("name", metavar="ALARM|EXCURSION")
@config_option
@click.option(
    "--journal",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Ask this journal, whatever the configuration says.",
)
@click.option("--occurrence", "-n", type=int, help="Which occurrence of the alarm (default: the newest).")
@click.option("--tz", callback=options.zone, metavar="ZONE", help="Zone of the times (default: the site's).")
@click.option(
    "--svg",
    metavar="OUT.svg|OUT.png",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=options.picture,
    help="Draw it into this file, too.",
)
@format_option
def why(
    name: str,
    config_file: Path,
    journal: Path | None,
    occurrence: int | None,
    tz: tzinfo | None,
    svg: Path | None,
    as_json: bool,
) -> None:
    """Say why an alarm was raised, or what an excursion was.

    The readings around it and what the rule made of them, the limit with its source and the hash of its
    profile, the calibration, what was announced and when, and who was told.

    Only reads, beside a running daemon or without one. An alarm is named as `coldchain alarms` shows it, an
    excursion as announcements do.

    \b
    Examples:
      coldchain why box-7/vapour/too-warm
      coldchain why box-7/vapour/too-warm#2 --svg too-warm.svg
      coldchain why box-7/vapour/too-warm -n 1 --format json
    """
    path = journal_of(config_file) if journal is None else journal
    zone = tz or (UTC if journal is not None else zone_of(config_file))
    try:
        with Reader.open(path) as reader:
            answer = ask(reader, engine(), name, zone, occurrence)
    except JournalError as error:
        raise click.ClickException(str(error)) from error
    except Unknown as unknown:
        near = ", ".join(unknown.near[:_LISTED]) + (", …" if len(unknown.near) > _LISTED else "")
        known = f"; there are: {near}" if near else "; no alarm was ever raised in it"
        raise click.ClickException(f"{unknown}{known}") from unknown
    if svg is not None:
        try:
            pictures.write(svg, picture_of(answer, pictures.made_by()))
        except pictures.CannotWrite as error:
            raise click.ClickException(str(error)) from error
    _print(answer, as_json=as_json)


def _print(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.buffer.write(json_of(answer).encode())  # JSON is UTF-8 whatever the terminal is
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ° shows ? and the answer
    console = Console(highlight=False)
    show(answer, console if console.is_terminal else Console(highlight=False, width=_PAGE))
