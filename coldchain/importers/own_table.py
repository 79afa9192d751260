"""What `coldchain export` wrote as CSV or Parquet, read back: every reading with the value it was taken for.

Nothing has to be told: channel, place, unit, quality and zone stand in each row. A row that cannot be read
may have belonged to any channel, so it is missing from each.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from coldchain.evidence.meaning import UNKNOWN_CHANNEL
from coldchain.evidence.readings import COLUMNS, decimal, decimals
from coldchain.importers.loggerfile import Findings, LoggerFile, ReadAs, Series, Value
from coldchain.importers.placing import placed
from coldchain.importers.refusal import Refused, Unread, beginning
from coldchain.importers.stamps import epoch_ms
from coldchain.model import Origin, Quality, Reason
from coldchain.units import QUANTITIES, exact

HEADING = ",".join(COLUMNS)
#: The one quantity that `replay` judges.
_JUDGED = "temperature"


class OwnRow(NamedTuple):
    """A row that could be read. `value` is a decimal number in the quantity's display unit, "" if BAD."""

    at_ms: int
    asset: str
    role: str
    channel: str
    quantity: str
    value: str
    quality: Quality
    reason: str
    origin: str
    simulated: bool


class OwnLine(NamedTuple):
    """A line of the file and its row, or why there is none."""

    number: int
    text: str
    row: OwnRow | str


def is_own(lines: list[str], told: ReadAs) -> bool:
    """Whether a text is such an export, and nothing was told that asks for another way of reading it."""
    return bool(lines) and lines[0] == HEADING and not (told.time_column or told.series_column)


def read_text(name: str, sha256: str, lines: list[str], told: ReadAs) -> LoggerFile:
    """Read the lines of a CSV export. Raises Refused."""
    parsed = [OwnLine(number, text, _row_of_text(text)) for number, text in enumerate(lines[1:], 2)]
    return file_of(name, sha256, "readings exported as CSV", parsed, told)


def is_own_parquet(source: Path | io.BytesIO) -> bool:
    """Whether a file has the columns of a Parquet export; False, too, where it cannot be read."""
    try:
        import polars as pl
    except ImportError:
        return False  # whoever reads other Parquet files says what is missing
    try:
        return tuple(pl.read_parquet_schema(source)) == COLUMNS
    except (OSError, pl.exceptions.PolarsError):
        return False


def read_parquet(name: str, sha256: str, data: bytes, told: ReadAs) -> LoggerFile | None:
    """Read a Parquet export; lines are rows, counted from 1. None if it is none, or cannot be read."""
    if not is_own_parquet(io.BytesIO(data)):
        return None
    import polars as pl

    try:
        frame = pl.read_parquet(io.BytesIO(data))
    except (OSError, pl.exceptions.PolarsError):
        return None
    schema = {"time": pl.Datetime("ms", "UTC"), "value": pl.Float64(), "simulated": pl.Boolean()}
    if wrong := [one for one, what in schema.items() if frame.schema[one] != what]:
        raise Refused(
            f"column {wrong[0]} holds {frame.schema[wrong[0]]}, not what an export of coldchain holds there",
            "export it again, and give it as it was written",
        )
    frame = frame.with_columns(pl.col("time").cast(pl.Int64))
    parsed = [OwnLine(number, "", row_of(cells)) for number, cells in enumerate(frame.iter_rows(), 1)]
    return file_of(name, sha256, "readings exported as Parquet", parsed, told)


def _row_of_text(text: str) -> OwnRow | str:
    try:
        cells = next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        return f"not a line of separated values: {error}"
    if len(cells) != len(COLUMNS):
        return f"has {len(cells)} of {len(COLUMNS)} fields"
    try:
        at = datetime.fromisoformat(cells[0])
        if at.tzinfo is None:
            raise ValueError
    except ValueError:
        return f"{beginning(cells[0])!r} is no time like the others"
    if cells[11] not in ("true", "false") or not cells[14].isdecimal():
        return "simulated and position are not what an export writes"
    typed: list[object] = [epoch_ms(at), *cells[1:]]
    typed[11] = cells[11] == "true"
    return row_of(tuple(typed))


def row_of(cells: tuple[object, ...]) -> OwnRow | str:
    """A row of typed cells, or why it is none; a value is a text from CSV, else a number."""
    at_ms, asset, role, channel, _, quantity, value, unit, quality, reason, origin, simulated = cells[:12]
    if not isinstance(at_ms, int) or not isinstance(channel, str) or not channel:
        return "time or channel is missing"
    if quantity == "" and value in ("", None) and reason == UNKNOWN_CHANNEL:
        return OwnRow(at_ms, "", "", channel, "", "", Quality.BAD, reason, str(origin), simulated is True)
    if quantity not in QUANTITIES or unit != QUANTITIES[str(quantity)].display_unit:
        return f"quantity {quantity!r} in {unit!r} is not known"
    if quality not in set(Quality):
        return f"quality {quality!r} is not known"
    if isinstance(value, float):
        quanta = round(value * 10 ** decimals(str(quantity)))
        value = decimal(quanta, str(quantity)) if value == value else "nan"
    text = "" if value is None else str(value)
    if (text == "") != (quality == Quality.BAD) or (text and exact(text) is None):
        return f"value {beginning(text)!r} does not go with quality {quality}"
    return OwnRow(
        at_ms, str(asset), str(role), channel, str(quantity), text,
        Quality(str(quality)), str(reason), str(origin), simulated is True,
    )  # fmt: skip


def file_of(name: str, sha256: str, kind: str, parsed: list[OwnLine], told: ReadAs) -> LoggerFile:
    """What the lines of an export hold. Raises Refused where no temperature is among them."""
    findings = Findings()
    known = [line.row for line in parsed if isinstance(line.row, OwnRow)]
    left = Counter(f"{row.channel} ({row.quantity or 'unknown'})" for row in known if row.quantity != _JUDGED)
    findings.notes += [f"not judged: {count} readings of {what}" for what, count in sorted(left.items())]
    for line in parsed:
        if isinstance(line.row, str):
            findings.unread.append(Unread(line.number, "", beginning(line.text), line.row))
    titles = _titles(known)
    chosen = [key for key, title in titles.items() if _is_wanted(title, told)]
    if not chosen:
        there = f"there are {', '.join(titles.values())}" if titles else "export another asset or span"
        raise Refused("no temperature is among its readings" if not titles else "no such column", there)
    series = [_series(key, titles[key], parsed, findings) for key in chosen]
    simulated = sum(row.simulated for row in known)
    if 0 < simulated < len(known):
        findings.notes.append(f"{simulated} of {len(known)} readings are simulated, so all are marked so")
    findings.unread.sort(key=lambda unread: (unread.line, unread.field))
    return LoggerFile(
        name=name,
        sha256=sha256,
        kind=kind,
        zone=told.zone or UTC,
        series=tuple(series),
        unread=tuple(findings.unread),
        notes=tuple(findings.notes),
        simulated=told.simulated or bool(simulated),
    )


_Key = tuple[str, str, str]  # asset, role, channel


def _titles(rows: Iterable[OwnRow]) -> dict[_Key, str]:
    """What each series is called: its place, and its channel where two measured there or none is known."""
    keys = dict.fromkeys((row.asset, row.role, row.channel) for row in rows if row.quantity == _JUDGED)
    places = Counter(key[:2] for key in keys)
    return {
        key: key[2] if not key[1] else f"{key[0]}/{key[1]}" + (f" {key[2]}" if places[key[:2]] > 1 else "")
        for key in keys
    }


def _is_wanted(title: str, told: ReadAs) -> bool:
    return not told.columns or any(name.lower() in title.lower() for name in told.columns)


def _series(key: _Key, title: str, parsed: Iterable[OwnLine], findings: Findings) -> Series:
    values: list[Value | None] = []
    lines: list[int] = []
    undated = 0
    for line in parsed:
        row = line.row
        if isinstance(row, str):
            values.append(None)
            lines.append(line.number)
            continue
        if (row.asset, row.role, row.channel) != key or row.quantity != _JUDGED:
            continue
        if row.origin == Origin.RETAINED and row.reason == Reason.RETAINED_WITHOUT_TIME:
            undated += 1  # live it was shown and judged by nothing: nobody knows when it was true
            continue
        values.append(_value(row, line.number))
        lines.append(line.number)
        if row.quality is Quality.BAD:
            why = f"no value: {row.reason}"
            findings.unread.append(Unread(line.number, title, "", why, known=True))
    if undated:
        findings.notes.append(f"{title}: {undated} readings kept by a broker, of unknown age, are not judged")
    in_order = tuple(sorted(placed(values, lines), key=lambda value: value.at_ms))
    return Series("/".join(filter(None, key)), title, "degC", in_order, key[1])


def _value(row: OwnRow, line: int) -> Value:
    reason = Reason(row.reason) if row.reason in set(Reason) else None
    if row.quality is Quality.BAD:
        return Value(row.at_ms, "", line, reason or Reason.NO_VALUE)
    doubt = (reason or Reason.UNSTABLE) if row.quality is Quality.UNCERTAIN else None
    return Value(row.at_ms, row.value, line, doubt=doubt)
