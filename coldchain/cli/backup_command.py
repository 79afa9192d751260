"""`coldchain backup`: a second file with the whole journal, made while the daemon writes."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.progress import Progress

from coldchain.cli.output import console, errors, format_option, print_json
from coldchain.journal import JournalError, back_up


@click.command(short_help="Copy a journal into one file while the daemon writes.")
@click.argument("journal", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE, once the new copy was found whole.")
@format_option
def backup(journal: Path, file: Path, force: bool, as_json: bool) -> None:
    """Copy all of JOURNAL, as it is at one moment, into FILE. Works beside a running daemon.

    FILE gets its name only when every link in it was recomputed and agrees; then nothing but FILE is needed
    to read it, to verify it, or to go on from it (`coldchain restore`). Its anchor is printed: keep
    it elsewhere. The exit status is 0 if FILE is there, 2 if not (an older FILE is then as it was).

    \b
    Example:
      coldchain backup /var/lib/coldchain/journal.db /media/usb/journal.backup
      coldchain backup --force /var/lib/coldchain/journal.db /mnt/nas/gateway-7.backup
    """
    try:
        with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
            task = progress.add_task("copying", total=None)
            done = back_up(
                journal, file, force=force,
                progress=lambda pages, of: progress.update(task, completed=pages, total=of),
            )  # fmt: skip
    except (JournalError, OSError) as error:
        errors.print(str(error), style="red", markup=False)
        sys.exit(2)
    chain, tail = done.chain, done.tail
    if as_json:
        print_json(
            {
                "file": str(file.resolve()),
                "bytes": done.size,
                "commits": chain.commits,
                "facts": chain.facts,
                "announcements": chain.announcements,
                "last_link": tail.link.hex(),
            }
        )
        return
    console.print(
        f"{file}: {chain.facts} facts in {chain.commits} commits, every link as it was; "
        f"anchor of its end {tail.commit}:{tail.link.hex()}",
        markup=False,
    )
