"""Tables for other programs, as CSV or Parquet, from rows that come one by one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldchain.evidence.keys import EvidenceError
from coldchain.journal import JournalError

if TYPE_CHECKING:
    import polars as pl

#: Rows of Parquet made at a time, so that a year fits through a small computer's memory.
_ROWS = 50_000


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Lines of CSV (RFC 4180 with line feeds), UTF-8, a heading first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(row)
        if text.tell() > io.DEFAULT_BUFFER_SIZE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def write_parquet(
    columns: Sequence[str], types: Mapping[str, str], rows: Iterable[tuple[object, ...]], path: Path
) -> None:
    """A Parquet file. types: "time" (ms UTC), "number", "integer" or "boolean"; what is not named is text.

    Raises EvidenceError if Polars is not installed or cannot write, and what making the rows raises.
    """
    try:
        import polars as pl
        from polars.io.plugins import register_io_source
    except ImportError as error:
        raise EvidenceError("Parquet needs Polars", "pip install 'coldchain[bulk]'") from error
    known: dict[str, Any] = {
        "time": pl.Datetime("ms", "UTC"),
        "number": pl.Float64(),
        "integer": pl.Int64(),
        "boolean": pl.Boolean(),
        "text": pl.String(),
    }
    schema = pl.Schema({name: known[types.get(name, "text")] for name in columns})
    failed: list[Exception] = []

    def frames(*_: object) -> Iterator[pl.DataFrame]:
        try:
            ahead = iter(rows)
            while some := list(islice(ahead, _ROWS)):
                yield pl.DataFrame(some, schema=schema, orient="row")
        except (EvidenceError, JournalError) as error:  # Polars would keep its words and lose its kind
            failed.append(error)
            raise

    try:
        register_io_source(frames, schema=schema).sink_parquet(path, maintain_order=True)
    except (pl.exceptions.PolarsError, EvidenceError, JournalError, OSError) as error:
        if failed:
            raise failed[0] from error
        raise EvidenceError(f"{path} cannot be written: {error}", "make room, or write elsewhere") from error
