"""`coldchain repair`: from a damaged journal into a new one, everything that still checks."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from coldchain.cli.output import console, errors, format_option, print_json
from coldchain.journal import JournalError
from coldchain.journal.repair import Gap, repair


@click.command(name="repair", short_help="Bring back from a damaged journal what still checks.")
@click.argument("journal", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("new", type=click.Path(dir_okay=False, path_type=Path))
@format_option
def repair_command(journal: Path, new: Path, as_json: bool) -> None:
    """Write NEW, a new journal, with every commit of JOURNAL whose hash link still proves it.

    JOURNAL is only read, page by page and with its log (JOURNAL-wal), whatever SQLite thinks of it. What is
    lost is named. Nothing is made up: `coldchain verify NEW` finds each gap. What waited to be told is not
    taken over. The exit status is 0 if everything came back, 1 if something is lost, 2 if there is no NEW.

    \b
    Example:
      coldchain repair broken.db repaired.db
    """
    try:
        done = repair(journal, new)
    except (JournalError, OSError) as error:
        errors.print(str(error), style="red", markup=False)
        sys.exit(2)
    if as_json:
        print_json(done)
    else:
        console.print(
            f"{new}: {done.facts} facts and {done.announcements} announcements in {done.commits} commits, "
            f"each proven by its link; {done.documents} documents, {done.names} names",
            markup=False,
        )
        if done.reshaped:
            console.print(
                f"found again, and proven: what the readings of {done.reshaped} channels have in common",
                markup=False,
            )
        for gap in done.gaps:
            console.print(f"lost: {_words(gap)}", style="bold red", markup=False)
    sys.exit(1 if done.gaps else 0)


def _words(gap: Gap) -> str:
    (first, last), (begin, end) = gap.commits, gap.positions
    which = f"commit {first}" if first == last else f"commits {first} to {last}"
    where = f"positions {begin} to {end}" if end is not None else f"everything from position {begin} on"
    return f"{which}, {where}: {gap.why}"
