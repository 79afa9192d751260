"""`coldchain export` and `coldchain restore`: the journal's evidence as text, and back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from coldchain.cli.output import errors
from coldchain.cli.replay_options import moment
from coldchain.evidence import check_export, readings, summary_table
from coldchain.evidence import export as journal_lines
from coldchain.evidence.keys import EvidenceError
from coldchain.evidence.readings import Chosen
from coldchain.journal import JournalError, Reader, back_up
from coldchain.sinks import line_protocol

#: What every SQLite file begins with (https://sqlite.org/fileformat2.html, 1.2).
_SQLITE = b"SQLite format 3\0"


#: How a file is written, by its ending; JSON lines if it says nothing.
_BY_ENDING = {".csv": "csv", ".parquet": "parquet", ".lp": "line", ".line": "line"}


@click.command(short_help="Write a journal as a file that others can read and check.")
@click.argument("journal", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv", "parquet", "line"]),
    help="Everything as JSON lines; readings as CSV or Parquet; points as InfluxDB line protocol. "
    "If not given: by FILE's ending (.csv, .parquet, .lp), else jsonl.",
)
@click.option("--from", "since", callback=moment, metavar="TIME", help="Readings from this instant on.")
@click.option("--to", "until", callback=moment, metavar="TIME", help="Readings before this instant.")
@click.option("--asset", help="Readings of this asset alone.")
@click.option(
    "--summaries",
    is_flag=True,
    help="What stands for the readings that were removed, instead of readings (CSV, Parquet).",
)
@click.option("--names", is_flag=True, help="With the names and free texts that stand beside the chain.")
@click.option("--with-checker", is_flag=True, help="Also write check_export.py beside FILE.")
def export(
    journal: Path,
    file: Path,
    form: str | None,
    since: datetime | None,
    until: datetime | None,
    asset: str | None,
    summaries: bool,
    names: bool,
    with_checker: bool,
) -> None:
    """Write JOURNAL to FILE ("-": standard output). Works beside a running daemon.

    As JSON lines all evidence goes out, one commit a line (docs/evidence.md): `coldchain restore` makes it a
    journal again, and check_export.py checks it on a computer that has no coldchain. As CSV or Parquet every
    reading goes out as it was judged, with unit, quality and origin, marked where it was simulated
    (docs/export.md): `coldchain replay` judges it again. Where readings were removed by policy
    this is said, and --summaries writes what stands for them: counts, extremes and means.

    \b
    Examples:
      coldchain export /var/lib/coldchain/journal.db trip-17.jsonl --with-checker
      coldchain export journal.db box-7.csv --asset box-7 --from 2026-11-23T00:00+08:00
      coldchain export journal.db november.parquet
      coldchain export journal.db older.csv --summaries
      coldchain export journal.db points.lp && influx write --precision ms --file points.lp
    """
    form = form or _BY_ENDING.get(file.suffix.lower(), "jsonl")
    if form == "jsonl" and (since or until or asset):
        raise click.UsageError("--from, --to and --asset choose readings; JSON lines hold a whole journal")
    if form != "jsonl" and (names or with_checker):
        raise click.UsageError("--names and --with-checker belong to JSON lines, which alone can be checked")
    if summaries and form not in ("csv", "parquet"):
        raise click.UsageError("--summaries are written as CSV or Parquet; JSON lines hold them anyway")
    chosen = Chosen(_ms(since, "--from"), _ms(until, "--to"), asset)

    if form == "parquet" and str(file) == "-":
        raise click.UsageError("Parquet is written into a file, not to standard output")

    def write() -> None:
        with Reader.open(journal) as reader, _whole(file) as out:
            if form == "parquet" and summaries:
                summary_table.write_parquet(summary_table.rows(reader, chosen), out)
            elif form == "parquet":
                readings.write_parquet(readings.rows(reader, chosen), out)
            else:
                with click.open_file(str(out), "wb") as text:
                    for line in _lines(reader, form, chosen, names=names, summaries=summaries):
                        text.write(line)
            if form != "jsonl" and not summaries:
                _say_what_is_gone(reader, journal, chosen)
        if with_checker and str(file) != "-":
            (file.parent / "check_export.py").write_bytes(Path(check_export.__file__).read_bytes())

    _guarded(write)


@contextmanager
def _whole(file: Path) -> Iterator[Path]:
    """Where to write instead of a file, which is replaced only when all of it is there."""
    if str(file) == "-":
        yield file
        return
    partial = file.with_name(file.name + ".partial")
    try:
        yield partial
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _say_what_is_gone(reader: Reader, journal: Path, chosen: Chosen) -> None:
    """A table of readings says nothing of those that were removed: it is said beside it."""
    gone = summary_table.gone(reader)
    if gone is None:
        return
    if chosen.from_ms is not None and gone.before_ms is not None and chosen.from_ms >= gone.before_ms:
        return
    when = "" if gone.before_ms is None else f" of the time before {readings.instant(gone.before_ms)}"
    stand = f"what stands for them: coldchain export {journal} FILE.csv --summaries"
    if gone.bare == gone.facts:
        stand = "nothing stands for them"
    elif gone.bare:
        stand = f"nothing stands for {gone.bare} of them; for the others: … --summaries"
    errors.print(
        f"{gone.facts} facts{when} were removed by policy and are not in it; {stand}",
        style="yellow",
        markup=False,
        soft_wrap=True,
    )


def _lines(
    reader: Reader, form: str, chosen: Chosen, *, names: bool, summaries: bool = False
) -> Iterator[bytes]:
    if summaries:
        return summary_table.as_csv(summary_table.rows(reader, chosen))
    if form == "csv":
        return readings.as_csv(readings.rows(reader, chosen))
    if form == "line":
        try:
            protocol = line_protocol.LineProtocol()
        except ImportError as error:
            mend = "pip install 'coldchain[influx]'"
            raise EvidenceError("line protocol needs influxdb-client", mend) from error
        return line_protocol.lines(reader, chosen, protocol)
    return journal_lines.lines(reader, names=names)


def _ms(at: datetime | None, option: str) -> int | None:
    if at is None:
        return None
    if at.tzinfo is None:
        raise click.UsageError(f"{option} has no offset from UTC: write 2026-11-23T00:00+08:00, or …Z")
    return round(at.timestamp() * 1000)


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
