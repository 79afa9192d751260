"""`coldchain check`: limits put to the test by those who must rely on them."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import click
from rich.console import Console

from coldchain import __version__
from coldchain.cli.check_output import show
from coldchain.cli.replay_options import VerdictCommand
from coldchain.clock import SystemClock
from coldchain.config.problems import ConfigError, Problem
from coldchain.pipeline.engine_id import engine
from coldchain.testing.check_file import read_check
from coldchain.testing.checking import FileResult, run
from coldchain.testing.record import CheckedBy, record

#: Width of a record that goes to a file or a pipe.
_PAGE = 120
UNREADABLE = 2


@click.command(cls=VerdictCommand, short_help="Put the limits of a profile to the test.")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)  # fmt: skip
@click.option(
    "--directory",
    "directories",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with the site's own profiles; may be repeated.",
)
@click.option("--case", "only", metavar="TEXT", default="", help="Only cases with this text in their name.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people or programs."
)
def check(files: tuple[Path, ...], directories: tuple[Path, ...], only: str, form: str) -> None:
    """Put the limits of a profile to the test: stories of readings, and what must be said of each.

    A FILE (TOML or YAML) names a profile, what measures, and cases: a series such as
    "5 for 3h, ramp to 12 over 1h", the announcements to be made ("critical too-warm at 3h43m"), and the
    verdict. The very code that judges live runs them. What is printed is a validation record: versions,
    hashes, results; where a case fails, a time line with what was expected beside what happened.

    The exit status is 0 if all went as expected, 1 if not, 2 if a file cannot be read as it stands, 64 for a
    wrong command, 70 for an error of ours.

    \b
    Examples:
      coldchain check checks/fridge-2-8-buffered.toml
      coldchain check checks/*.toml --directory /etc/coldchain/profiles --format json
    """
    results: list[FileResult] = []
    problems: list[Problem] = []
    for path in files:
        try:
            file = read_check(path, directories)
        except ConfigError as error:
            problems += error.problems
            continue
        if only:
            file = file.with_cases(case for case in file.cases if only in case.name)
        results.append(run(file, engine()))
    for problem in problems:
        click.echo(str(problem), err=True)
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        click.echo(f"nothing is validated: {count}", err=True)
        click.get_current_context().exit(UNREADABLE)
    if only and not any(result.cases for result in results):
        raise click.UsageError(f'no case has "{only}" in its name')
    by = CheckedBy(__version__, engine(), SystemClock().utc_ms())
    if form == "json":
        made = json.dumps(record(results, by), indent=2, ensure_ascii=False) + "\n"
        sys.stdout.buffer.write(made.encode())  # JSON is UTF-8 whatever the terminal is
    else:
        show(results, by, _console())
    click.get_current_context().exit(0 if all(result.passed for result in results) else 1)


def _console() -> Console:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ° shows ? and the record
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PAGE)
