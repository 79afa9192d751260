"""`coldchain verify`: is the journal what was committed, and does folding it again say the same?"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.progress import Progress
from rich.table import Table

from coldchain.cli.output import console, errors, format_option, print_json
from coldchain.journal import JournalError, Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.verify import Verdict, Verification
from coldchain.pipeline.verify import verify as verify_journal


@click.command()
@click.argument("journal", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@format_option
def verify(journal: Path, as_json: bool) -> None:
    """Recompute every hash link of a journal, fold its facts again from nothing, and compare.

    Each stretch is equal, made by another engine (and how much it would say differently), or differs.
    Exit code 0: sound; 1: not; 2: cannot be read. Works beside a running daemon.

    \b
    Example:
      coldchain verify /var/lib/coldchain/journal.db
    """
    try:
        with Reader.open(journal) as reader:
            last = reader.tail().position
            with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
                task = progress.add_task("folding again", total=last)
                found = verify_journal(reader, engine(), lambda at: progress.update(task, completed=at))
    except JournalError as error:
        errors.print(str(error), style="red")
        sys.exit(2)
    if as_json:
        print_json(_plain(found))
    else:
        _print(found)
    sys.exit(0 if found.sound else 1)


def _plain(found: Verification) -> dict[str, object]:
    chain = found.chain
    return {
        "sound": found.sound,
        "commits": chain.commits,
        "facts": chain.facts,
        "announcements": chain.announcements,
        "last_link": chain.last_link.hex(),
        "findings": chain.findings,
        "stretches": found.stretches,
    }


def _print(found: Verification) -> None:
    chain = found.chain
    console.print(
        f"{chain.facts} facts, {chain.announcements} announcements in {chain.commits} commits; "
        f"last link {chain.last_link.hex()[:16]}…"
    )
    for finding in chain.findings:
        console.print(f"commit {finding.commit}: {finding.fault}: {finding.detail}", style="bold red")
    table = Table("positions", "engine", "verdict", "announcements", "differ")
    for stretch in found.stretches:
        style = {Verdict.EQUAL: "", Verdict.OTHER_ENGINE: "yellow", Verdict.DIFFERS: "bold red"}[
            stretch.verdict
        ]
        table.add_row(
            f"{stretch.first_position}–{stretch.last_position}",
            stretch.engine,
            f"[{style}]{stretch.verdict.value.replace('_', ' ')}[/]" if style else stretch.verdict.value,
            str(stretch.announcements),
            str(stretch.different) if stretch.different else "",
        )
    console.print(table)
    console.print("sound" if found.sound else "NOT SOUND", style="green" if found.sound else "bold red")
