"""A log as a table, as exported by most loggers: read by the file's own evidence.

What a kind of logger means by its fields, a layout may say (`layouts`).
Separator, decimal sign, order of the date, zone and unit are taken from what the file itself shows,
or from what the reader was told; where neither decides, the file is refused and the mend is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from coldchain.importers import clock_column, columns, numbers, stamps
from coldchain.importers.columns import TimeColumn, ValueColumn
from coldchain.importers.layouts import Layout, recognised
from coldchain.importers.loggerfile import Findings, LoggerFile, ReadAs, Series, Value
from coldchain.importers.placing import placed
from coldchain.importers.refusal import Refused, Unread, beginning
from coldchain.importers.table import Row, Table, table
from coldchain.model import Reason

#: From this share of blanks on, a column may have its turn only in some rows; a blank is no failure then
#: where another column has its turn.
_TAKES_TURNS = 0.5


def read(name: str, sha256: str, lines: list[str], told: ReadAs, *, open_end: bool) -> LoggerFile:
    """Read the lines of a file; raises Refused. open_end: the last line has no line end."""
    layout = told.layout or recognised(lines)
    reader = stamps.reader(told.time_format)
    width = len(layout.fields) if layout is not None else 0
    found = table(lines, told.delimiter, lambda text: reader(text) is not None, width)
    if layout is None:
        _refuse_shifted(found, told)
        file = read_table(name, sha256, found, told, open_end=open_end)
        return replace(file, simulated=file.simulated or columns.says_simulated(found, lines))
    return _by_layout(name, sha256, lines, layout, found, told, open_end=open_end)


def _by_layout(
    name: str, sha256: str, lines: list[str], layout: Layout, found: Table, told: ReadAs, *, open_end: bool
) -> LoggerFile:
    """The same, with what is known of a kind of logger."""
    serial, _ = layout.told(layout.serial, lines)
    unit = layout.unit_token(lines)
    try:
        file = read_table(name, sha256, layout.named(found), told, open_end=open_end, unit=unit)
    except Refused as refused:
        _, line = layout.told(layout.zone, lines)
        if not refused.asks_zone:
            raise
        setting = f"; {line!r} is how it was set up, no proof" if line else ""
        raise replace(refused, problem=refused.problem + setting, device=serial) from refused
    doubts = list(file.doubts)
    promised, line = layout.told(layout.count, lines)
    if promised and int(promised) != len(found.rows):
        doubts.append(
            f"it says that it holds {promised} readings ({line!r}), and has {len(found.rows)} lines"
        )
    return replace(
        file,
        kind=layout.title,
        serial=serial,
        notes=(*layout.notes(lines), *file.notes),
        doubts=tuple(doubts),
        alarms=layout.logger_alarms(lines),
        simulated=file.simulated or columns.says_simulated(found, lines),
    )


def read_table(
    name: str,
    sha256: str,
    found: Table,
    told: ReadAs,
    *,
    kind: str = "separated values",
    open_end: bool = False,
    unit: str = "",
) -> LoggerFile:
    """What a table holds; raises Refused. unit: of temperatures whose own column and number state none."""
    reader = stamps.reader(told.time_format)
    time = columns.time_column(found, told.time_column, reader)
    values, notes = columns.value_columns(found, time, told.columns)
    findings = Findings(notes=[*_how(found, time), *notes, *found.notes])
    groups = _groups(found, told.series_column)
    clock = clock_column.times(found.rows, time, told, [rows for _, rows in groups], reader)
    findings.notes += clock.notes
    decimal = numbers.decimal_sign(
        ((row.line, row.cells[v.column]) for row in found.rows if not row.broken for v in values),
        told.decimal,
    )
    if open_end and _looks_cut(found.rows, values[-1].column):
        last = found.rows[-1]
        cut = Row(last.line, last.cells, last.text, "the last line ends in the middle of a number")
        found = Table(found.delimiter, found.names, found.preamble, (*found.rows[:-1], cut), found.notes)
    series = [
        _series(found, time, value, label, rows, clock.at_ms, decimal, unit, told, findings)
        for label, rows in groups
        for value in values
    ]
    series = told_apart(series)
    if not told.series_column:
        _refuse_mixed_series(found, series[0], [time.columns, tuple(v.column for v in values)])
    findings.unread.sort(key=lambda unread: (unread.line, unread.field))
    return LoggerFile(
        name=name,
        sha256=sha256,
        kind=kind,
        zone=clock.zone,
        series=tuple(series),
        unread=tuple(dict.fromkeys(findings.unread)),
        notes=tuple(findings.notes),
        doubts=tuple(findings.doubts),
        simulated=told.simulated,
    )


def _refuse_shifted(found: Table, told: ReadAs) -> None:
    """Refuse a heading with a blank above numbers and a name above nothing: its names stand one field off."""
    cells = [row.cells for row in found.rows if not row.broken]
    unnamed = [
        place
        for place, name in enumerate(found.names)
        if not name and any(numbers.is_number(row[place]) for row in cells)
    ]
    idle = [place for place, name in enumerate(found.names) if name and not any(row[place] for row in cells)]
    if not told.columns and unnamed and idle and unnamed[0] < idle[-1]:
        raise Refused(
            f"the heading has no name for column {unnamed[0] + 1}, which holds numbers, and "
            f"{found.names[idle[-1]]!r} for column {idle[-1] + 1}, which holds nothing, so its names may "
            "stand above the wrong columns",
            f"name the temperatures by number, such as --column {unnamed[0] + 1}",
        )


def _how(found: Table, time: TimeColumn) -> list[str]:
    if not found.delimiter:
        return [f"times from {time.name!r}"]
    separator = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}.get(
        found.delimiter, "separators"
    )
    return [f"fields between {separator}, times from {time.name!r}"]


def _groups(found: Table, series_column: str | None) -> list[tuple[str, list[int]]]:
    """The rows of each series: all of them, or by the text of a column that names the series."""
    if series_column is None:
        return [("", list(range(len(found.rows))))]
    column = columns.find(found, series_column)
    grouped: dict[str, list[int]] = {}
    for index, row in enumerate(found.rows):
        if not row.broken:
            grouped.setdefault(row.cells[column], []).append(index)
    # A broken row may have belonged to any of them, so it is missing from each.
    broken = [index for index, row in enumerate(found.rows) if row.broken]
    return [(label, sorted(rows + broken)) for label, rows in grouped.items()]


def _series(
    found: Table,
    time: TimeColumn,
    value: ValueColumn,
    label: str,
    rows: list[int],
    at_ms: Sequence[int | None],
    decimal: str,
    usual: str,
    told: ReadAs,
    findings: Findings,
) -> Series:
    title = " ".join(part for part in (label, value.name) if part)
    turns = _takes_turns(found, value.column, rows, time)
    units: dict[str, int] = {}
    unit_column = columns.unit_column(found)
    values: list[Value | None] = []
    lines: list[int] = []
    for index in rows:
        row, when = found.rows[index], at_ms[index]
        if row.broken or when is None:
            why = row.broken or f"{beginning(_time_text(row, time))!r} is no time like the others"
            findings.unread.append(
                Unread(row.line, "" if row.broken else time.name, beginning(row.text), why)
            )
            bad = Reason.CORRUPT_FRAME if row.broken else Reason.BAD_TIME
            values.append(None if when is None else Value(when, "", row.line, bad))
            lines.append(row.line)
            continue
        cell = row.cells[value.column]
        if not cell and any(numbers.is_number(row.cells[other]) for other in turns):
            continue
        number = numbers.read(cell, decimal)
        lines.append(row.line)
        if isinstance(number, numbers.Number):
            units.setdefault(number.unit, row.line)
            if unit_column is not None:
                written = row.cells[unit_column]
                units.setdefault(numbers.unit_token(written) or f"?{written}", row.line)
            values.append(Value(when, number.raw, row.line))
            continue
        why = "is no number" if number is None else f"no value: {number}"
        findings.unread.append(Unread(row.line, title, beginning(cell), why, known=number is not None))
        values.append(Value(when, "", row.line, number or Reason.NOT_A_NUMBER))
    unit = _unit(found, value, {u: line for u, line in units.items() if u}, usual, told)
    in_order = placed(values, lines)
    if any(b.at_ms < a.at_ms for a, b in pairwise(in_order)):
        if any(b.at_ms > a.at_ms for a, b in pairwise(in_order)):
            findings.notes.append(f"{title}: lines are not in order of time; judged in order of time")
        else:
            findings.notes.append(f"{title}: newest line first; judged in order of time")
    return Series(_slug(title), title, unit, tuple(sorted(in_order, key=lambda v: v.at_ms)))


def _unit(found: Table, value: ValueColumn, written: dict[str, int], usual: str, told: ReadAs) -> str:
    """The one unit of a column's values; raises Refused if none is stated, or two are."""
    stated = {value.unit: 0} if value.unit else {}
    stated.update(written)
    if unknown := [unit for unit in stated if unit.startswith("?")]:
        raise Refused(
            f"{unknown[0][1:]!r} is no unit of temperature",
            "name the column to judge with --column",
            line=stated[unknown[0]],
            field=value.name,
        )
    if len(stated) > 1:
        raise Refused(f"states two units: {' and '.join(sorted(stated))}", field=value.name)
    unit = next(iter(stated), "") or usual or columns.unit_in_preamble(found)
    if told.unit and unit and told.unit != unit:
        raise Refused(f"states {unit}, and {told.unit} was given", "leave out --unit", field=value.name)
    unit = unit or told.unit or ""
    if not unit:
        raise Refused("states no unit", "say it: --unit C, --unit F or --unit K", field=value.name)
    return unit


def _takes_turns(found: Table, column: int, rows: list[int], time: TimeColumn) -> list[int]:
    """The columns that a column of many blanks takes turns with: each is blank where this one has a value.

    A sensor that died half way leaves as many blanks; then no other column has its turn.
    """
    cells = [found.rows[index].cells for index in rows if not found.rows[index].broken]
    if sum(not row[column] for row in cells) < _TAKES_TURNS * len(cells):
        return []
    valued = [row for row in cells if row[column]]
    others = [other for other in range(len(found.names)) if other != column and other not in time.columns]
    return [other for other in others if any(not row[other] for row in valued)]


def _time_text(row: Row, time: TimeColumn) -> str:
    return time.text(row.cells) if max(time.columns) < len(row.cells) else row.text


def _looks_cut(rows: Sequence[Row], column: int) -> bool:
    """Whether the last number has fewer decimals than all others of its column, which have the same."""
    if len(rows) < 3 or column != len(rows[-1].cells) - 1:
        return False
    decimals = {
        len(cell) - max(cell.rfind("."), cell.rfind(",")) - 1 if {".", ","} & set(cell) else 0
        for row in rows[:-1]
        if not row.broken and numbers.is_number(cell := row.cells[column])
    }
    last = rows[-1].cells[column]
    shown = len(last) - max(last.rfind("."), last.rfind(",")) - 1 if {".", ","} & set(last) else 0
    return len(decimals) == 1 and numbers.is_number(last) and shown < decimals.pop()


def _refuse_mixed_series(found: Table, series: Series, used: Sequence[tuple[int, ...]]) -> None:
    """Refuse a file in which several series lie below each other, told apart by a column of names."""
    seen = [value.at_ms for value in series.values if not value.estimated]
    if len(set(seen)) > 0.7 * len(seen):
        return
    taken = {column for columns_used in used for column in columns_used}
    rows = [row.cells for row in found.rows if not row.broken]
    for column in range(len(found.names)):
        names = {cells[column] for cells in rows}
        if column not in taken and 2 <= len(names) <= len(rows) / 2 and not any(map(stamps.read, names)):
            raise Refused(
                f"many lines share a time; column {found.name(column)!r} may name several series",
                f"if so, say --series-column {found.name(column)!r}",
            )


def told_apart(series: list[Series]) -> list[Series]:
    """Columns of the same heading get a number, in the order of the file."""
    found: list[Series] = []
    for one in series:
        same = sum(other.title == one.title or other.id == one.id for other in series[: len(found)])
        if same:
            one = Series(f"{one.id}-{same + 1}", f"{one.title} ({same + 1})", one.unit, one.values)
        found.append(one)
    return found


def _slug(title: str) -> str:
    kept = "".join(letter if letter.isalnum() else "-" for letter in title.lower())
    return "-".join(part for part in kept.split("-") if part) or "values"
