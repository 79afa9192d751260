"""Columnar files (Parquet, read by Polars from the extra `bulk`).

As a log, any columns are read as those of separated values are: by their names and by what they hold.
For bulk work, past readings are two or three columns of integers:

`at_ms` (UTC, ms) and `value` (in thousandths of a degree Celsius); `quality`, where it is there, is 0 for
GOOD, 1 for UNCERTAIN, 2 for BAD. A file of exactly these is read so as a log, too.
"""

from __future__ import annotations

from array import array
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from coldchain.fold.history import History, Sent
from coldchain.importers import csv_file
from coldchain.importers.loggerfile import LoggerFile, ReadAs
from coldchain.importers.refusal import Refused
from coldchain.importers.table import Row, Table

if TYPE_CHECKING:
    import polars as pl

_WANTED = ("at_ms", "value")


def is_parquet(data: bytes) -> bool:
    """Whether bytes begin as a Parquet file does ("Apache Parquet", file format: magic number PAR1)."""
    return data.startswith(b"PAR1")


def read_log(name: str, sha256: str, data: bytes, told: ReadAs) -> LoggerFile:
    """A Parquet file as a log; raises Refused. Its rows are counted from 1 where a report names a line."""
    frame = _frame(BytesIO(data))
    packed = _is_packed(frame)
    doubts: tuple[str, ...] = ()
    if packed:
        frame, uncertain = _unpacked(frame)
        doubts = (f"readings marked as uncertain: {uncertain}",) if uncertain else ()
    cells = [_cells(frame[column]) for column in frame.columns]
    rows = tuple(Row(line, row, ", ".join(row)) for line, row in enumerate(zip(*cells, strict=True), start=1))
    if not rows:
        raise Refused("the file holds no row")
    table = Table("", tuple(frame.columns), (), rows, ())
    told = replace(told, decimal=".")
    file = csv_file.read_table(name, sha256, table, told, kind="Parquet", unit="degC" if packed else "")
    return replace(file, doubts=(*file.doubts, *doubts))


def read_parquet(path: Path) -> History:
    """The packed readings of a file, in order of time. Raises Refused with the mend."""
    frame = _frame(path)
    import polars as pl

    columns = set(frame.columns)
    if missing := [name for name in _WANTED if name not in columns]:
        raise Refused(
            f"column {missing[0]} is missing; it needs at_ms (UTC, ms) and value (thousandths of °C), "
            "both whole numbers, and may have quality (0 good, 1 uncertain, 2 bad)"
        )
    names = [*_WANTED, *(["quality"] if "quality" in columns else [])]
    for name in names:
        if not frame.schema[name].is_integer():
            raise Refused(f"column {name} holds {frame.schema[name]}; write whole numbers")
        if frame[name].null_count():
            raise Refused(f"column {name} has empty places; leave such rows out, or give them quality 2")
    if not frame["at_ms"].is_sorted():
        frame = frame.sort("at_ms", maintain_order=True)
    history = History()
    history.number(Sent("", "", None, None))
    history.at = array("q", frame["at_ms"].cast(pl.Int64).to_numpy().tobytes())
    history.value = array("q", frame["value"].cast(pl.Int64).to_numpy().tobytes())
    if "quality" in names:
        if not frame["quality"].is_between(0, 2).all():
            raise Refused("column quality holds another number than 0, 1 and 2")
        history.code = array("I", frame["quality"].cast(pl.UInt32).to_numpy().tobytes())
    else:
        history.code = array("I", bytes(4 * len(history.at)))
    history.sent = array("I", bytes(4 * len(history.at)))
    return history


def _frame(source: Path | BytesIO) -> pl.DataFrame:
    try:
        import polars as pl
    except ImportError as error:
        raise Refused('Parquet needs the extra "bulk": pip install "coldchain[bulk]"') from error
    try:
        return pl.read_parquet(source)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Refused(f"it is no Parquet file that can be read: {error}") from error


def _is_packed(frame: pl.DataFrame) -> bool:
    """Whether a file has exactly the columns of bulk work, all of them whole numbers."""
    named = set(frame.columns) in ({*_WANTED}, {*_WANTED, "quality"})
    return named and all(kind.is_integer() for kind in frame.dtypes)


def _unpacked(frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The same with degrees for thousandths and nothing for BAD, and how many are UNCERTAIN."""
    import polars as pl

    quality = frame["quality"] if "quality" in frame.columns else pl.Series([0] * frame.height)
    degrees = [
        None if value is None or grade == 2 else str(Decimal(value).scaleb(-3))
        for value, grade in zip(frame["value"], quality, strict=True)
    ]
    told = pl.DataFrame({"at_ms": frame["at_ms"], "temperature": pl.Series(degrees, dtype=pl.String)})
    return told, quality.to_list().count(1)


def _cells(column: pl.Series) -> tuple[str, ...]:
    """A column as text: instants in UTC, local times without a zone, numbers as short as they are exact."""
    import polars as pl

    if isinstance(column.dtype, pl.Datetime):
        zoned = column.dtype.time_zone is not None
        text = column.cast(pl.Datetime("ms", "UTC" if zoned else None)).dt.strftime("%Y-%m-%dT%H:%M:%S%.3f")
        return tuple("" if cell is None else cell + ("Z" if zoned else "") for cell in text)
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        return ("",) * len(column)
    return tuple("" if cell is None else cell for cell in column.cast(pl.String))
