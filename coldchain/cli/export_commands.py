"""`coldchain export` and `coldchain restore`: the journal's evidence as text, and back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from coldchain.cli.output import errors
from coldchain.evidence import check_export
from coldchain.evidence import export as journal_lines
from coldchain.evidence.keys import EvidenceError
from coldchain.journal import JournalError, Reader, back_up

#: What every SQLite file begins with (https://sqlite.org/fileformat2.html, 1.2).
_SQLITE = b"SQLite format 3\0"


@click.command(short_help="Write a journal as a file that others can read and check.")
@click.argument("journal", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--names", is_flag=True, help="With the names and free texts that stand beside the chain.")
@click.option("--with-checker", is_flag=True, help="Also write check_export.py beside FILE.")
def export(journal: Path, file: Path, names: bool, with_checker: bool) -> None:
    """Write JOURNAL to FILE ("-": standard output). Works beside a running daemon.

    All evidence goes out, one commit a line (docs/evidence.md). `coldchain restore` makes it a journal again;
    check_export.py checks it on a computer that has no coldchain.

    \b
    Example:
      coldchain export /var/lib/coldchain/journal.db trip-17.jsonl --with-checker
    """

    def write() -> None:
        with Reader.open(journal) as reader, click.open_file(str(file), "wb", atomic=str(file) != "-") as out:
            for line in journal_lines.lines(reader, names=names):
                out.write(line)
        if with_checker and str(file) != "-":
            (file.parent / "check_export.py").write_bytes(Path(check_export.__file__).read_bytes())

    _guarded(write)


@click.command(name="restore", short_help="Make a journal of an export or of a backup.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("journal", type=click.Path(dir_okay=False, path_type=Path))
def restore(file: Path, journal: Path) -> None:
    """Make JOURNAL, a new file, of FILE: the same, link by link.

    Of what `coldchain export` wrote comes the evidence; of what `coldchain backup` wrote comes all there was,
    also what was still to be told.

    \b
    Example:
      coldchain restore trip-17.jsonl trip-17.db
      coldchain restore /media/usb/journal.backup /var/lib/coldchain/journal.db
    """

    def make() -> None:
        with file.open("rb") as text:
            if text.read(len(_SQLITE)) != _SQLITE:
                text.seek(0)
                facts = journal_lines.read_back(text, journal)
                click.echo(f"{facts} facts in {journal}, every link as it was")
                return
        done = back_up(file, journal)
        click.echo(f"{done.chain.facts} facts in {journal}, every link as it was")

    _guarded(make)


def _guarded(work: Callable[[], None]) -> None:
    try:
        work()
    except (EvidenceError, JournalError, OSError) as error:
        errors.print(str(error), style="red", markup=False)
        sys.exit(2)
