"""`coldchain verify`: is the journal what was committed, and does folding it again say the same?"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.progress import Progress

from coldchain.cli.output import console, errors, format_option, print_json
from coldchain.journal import JournalError, Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.verify import Stretch, Verdict, Verification
from coldchain.pipeline.verify import verify as verify_journal


@click.command(short_help="Fold a journal again from nothing, and compare.")
@click.argument("journal", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@format_option
def verify(journal: Path, as_json: bool) -> None:
    """Recompute every hash link of a journal, fold its facts again from nothing, and compare.

    Each stretch is equal, made by another engine (and what today's would say differently), or differs.
    The exit status is 0 if it is sound, 1 if not, 2 if it cannot be read. Works beside a running daemon.

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
        errors.print(str(error), style="red", markup=False)
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


_VERDICTS = {
    Verdict.EQUAL: ("equal", "green"),
    Verdict.OTHER_ENGINE: ("made by another engine", "yellow"),
    Verdict.DIFFERS: ("DIFFERS", "bold red"),
}


def _print(found: Verification) -> None:
    chain = found.chain
    console.print(
        f"{chain.facts} facts, {chain.announcements} announcements in {chain.commits} commits; "
        f"last link {chain.last_link.hex()[:16]}…",
    )
    for finding in chain.findings:
        console.print(
            f"commit {finding.commit}: {finding.fault}: {finding.detail}",
            style="bold red", markup=False,
        )  # fmt: skip
    for stretch in found.stretches:
        verdict, style = _VERDICTS[stretch.verdict]
        console.print(
            f"positions {stretch.first_position} to {stretch.last_position}: [{style}]{verdict}[/]"
            f" ({_counted(stretch)}; engine {stretch.engine})",
        )
    console.print("sound" if found.sound else "NOT SOUND", style="green" if found.sound else "bold red")


def _counted(stretch: Stretch) -> str:
    said = f"{stretch.announcements} announcements"
    if not stretch.different:
        return said if stretch.verdict is Verdict.EQUAL else f"{said}, and today's would say the same"
    facts = "1 fact" if stretch.different == 1 else f"{stretch.different} facts"
    return f"{said}; of {facts} today's would say something else, first at position {stretch.first_different}"
