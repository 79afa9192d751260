"""A text of separated values as rows: separator, heading and body found by what the lines hold.

Every physical line is read by itself, so that one stray quotation mark costs one line and not the
rest of the file. Lines above the first row of data are heading or preamble; below it every line is
a row, a remark (#) or unreadable, and none is skipped in silence.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coldchain.importers import numbers, stamps
from coldchain.importers.refusal import Refused

#: How many damaged lines may stand between a heading and the first line that is data.
_DAMAGED_MAX = 4

#: Lines from the beginning of a file, and as many spread over the rest, that show its separator.
_SAMPLE = 200
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the body. `broken` says why its cells cannot be assigned to columns, "" if they can."""

    line: int
    cells: tuple[str, ...]
    text: str
    broken: str = ""


@dataclass(frozen=True)
class Table:
    """A file of separated values. `names` are the columns' headings, "" where there are none."""

    delimiter: str
    names: tuple[str, ...]
    preamble: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    def name(self, column: int) -> str:
        """A column as people would call it."""
        return self.names[column] or f"column {column + 1}"


IsTime = Callable[[str], bool]


def table(
    lines: list[str], delimiter: str | None = None, is_time: IsTime | None = None, width: int = 0
) -> Table:
    """Find separator, heading and body; raises Refused where there is no log in the lines.

    is_time: what counts as a time, if the times are of a form that was told; width: so many fields a row
    may have, even where no heading names them.
    """
    is_time = is_time or (lambda text: stamps.read(text) is not None)
    best = delimiter or _separator(lines, is_time)
    rows = _split(lines, best)
    data = [row for row in rows if _is_data(row, is_time)]
    if not data:
        raise Refused(
            "no line holds a time and a number as separate fields",
            "name the separator with --delimiter or the form of its times with --time-format",
        )
    where = Counter(_times(row, is_time) for row in data).most_common(1)[0][0]
    start = next(row for row in rows if _times(row, is_time) == where and _is_row(row, where))
    return _assembled(best, rows, data, start, stated=delimiter is not None, width=width)


def _separator(lines: list[str], is_time: IsTime) -> str:
    """What stands between fields, by a sample of lines from the whole file."""
    sample = lines[:_SAMPLE] + lines[_SAMPLE :: max(1, len(lines) // _SAMPLE)]
    data = {mark: sum(_is_data(row, is_time) for row in _split(sample, mark)) for mark in _SEPARATORS}
    best = max(data.values())
    rivals = [name for mark, name in _SEPARATORS.items() if best and data[mark] == best]
    if len(rivals) > 1:
        raise Refused(f"fields may be separated by {' or '.join(rivals)}", "say which with --delimiter")
    return next(mark for mark in _SEPARATORS if data[mark] == best)


def _split(lines: Sequence[str], delimiter: str) -> list[Row]:
    rows = []
    for line, text in enumerate(lines, start=1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        try:
            cells = next(csv.reader([text], delimiter=delimiter, strict=True))
        except csv.Error as error:
            rows.append(Row(line, (), text, f"not a line of separated values: {error}"))
        else:
            rows.append(Row(line, tuple(cell.strip() for cell in cells), text))
    return rows


def _times(row: Row, is_time: IsTime) -> frozenset[int]:
    """The columns of a row that make up its time: one or more of their own, or a date and a time of day."""
    whole = frozenset(index for index, cell in enumerate(row.cells) if is_time(cell))
    if whole:
        return whole
    dates = [index for index, cell in enumerate(row.cells) if stamps.is_date(cell)]
    hours = [index for index, cell in enumerate(row.cells) if stamps.is_time_of_day(cell)]
    return frozenset(dates + hours) if dates and hours else frozenset()


def _is_data(row: Row, is_time: IsTime) -> bool:
    times = _times(row, is_time)
    rest = [cell for index, cell in enumerate(row.cells) if index not in times]
    # Epochs are times and numbers at once: a row of nothing else may be data too.
    return bool(times) and (len(times) > 1 or any(map(numbers.is_number, rest)))


def _is_row(row: Row, times: frozenset[int]) -> bool:
    """Whether a row with its time in the right place is data, be it without a value."""
    rest = [cell for index, cell in enumerate(row.cells) if index not in times]
    return not rest or any(numbers.is_number(cell) or numbers.says_nothing(cell) for cell in rest)


def _assembled(
    delimiter: str, rows: list[Row], data: list[Row], start: Row, *, stated: bool, width: int
) -> Table:
    fields = Counter(len(_trimmed(row.cells)) for row in data).most_common(1)[0][0]
    before = rows[: rows.index(start)]
    above = _heading(before, fields)
    # What stands between heading and first good row is a damaged row, not preamble.
    begin = rows.index(above[-1]) + 1 if above else len(before)
    while not above and begin and _damaged(rows[begin - 1], fields):
        begin -= 1
    width = max([width, fields, *(len(_trimmed(row.cells)) for row in above)])
    names = tuple(
        " ".join(row.cells[column] for row in above if column < len(row.cells) and row.cells[column])
        for column in range(width)
    )
    body, repeated = [], 0
    for row in rows[begin:]:
        if any(row.cells == heading.cells for heading in above):
            repeated += 1
            continue
        body.append(_fitted(row, fields, width))
    broken = sum(bool(row.broken) for row in body)
    if 2 * broken > len(body):
        raise Refused(
            f"{broken} of {len(body)} lines do not have the {width} fields of "
            + ("the heading" if above else "the first line"),
            "if the comma is also the decimal sign, export with another separator"
            if delimiter == ","
            else "",
            line=next(row.line for row in body if row.broken),
        )
    if not above and not stated and delimiter == "," and _could_be_decimal_commas(body):
        raise Refused(
            f"no heading names {fields} fields, so the comma may separate fields or be the decimal sign",
            "export with another separator, or say --delimiter , if it only separates",
            line=body[0].line,
        )
    remark = [f"{repeated} repeated heading(s) within the log"] if repeated else []
    preamble = tuple(row.text for row in rows[:begin] if row not in above)
    return Table(delimiter, names, preamble, tuple(body), tuple(remark))


def _trimmed(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Cells without the empty ones at the end, which some exports write after a last separator."""
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]


def _heading(before: list[Row], fields: int) -> list[Row]:
    """The nearest line above the data that names its columns, with the one above it if it holds units."""
    for index in range(len(before) - 1, max(-1, len(before) - 1 - _DAMAGED_MAX), -1):
        if not _could_name(before[index], fields):
            continue
        units = any(not cell or numbers.unit_token(cell.strip("[]()")) for cell in before[index].cells)
        if units and index and _could_name(before[index - 1], fields):
            return before[index - 1 : index + 1]
        return [before[index]]
    return []


def _damaged(row: Row, fields: int) -> bool:
    return not row.broken and len(_trimmed(row.cells)) == fields and any(map(numbers.is_number, row.cells))


def _could_name(row: Row, fields: int) -> bool:
    return (
        not row.broken and len(_trimmed(row.cells)) >= fields and not any(map(numbers.is_number, row.cells))
    )


def _fitted(row: Row, fields: int, width: int) -> Row:
    """The row with exactly `width` cells, or broken if it has other fields than the rest.

    Some exports leave out a last field that is empty; `fields` are there in nearly all rows.
    """
    if row.broken:
        return row
    cells = _trimmed(row.cells) if len(row.cells) > width else row.cells
    if not fields <= len(cells) <= width:
        return Row(
            row.line,
            cells,
            row.text,
            f"has {len(cells)} of {width} fields"
            if len(cells) < width
            else f"has {len(cells)} fields, not {width}",
        )
    return Row(row.line, cells + ("",) * (width - len(cells)), row.text)


def _could_be_decimal_commas(body: list[Row]) -> bool:
    """Whether every field after the first is a whole number, as the halves of "4,5" would be."""
    rest = [cell for row in body for cell in row.cells[1:]]
    return any(len(row.cells) > 2 for row in body) and all(cell.lstrip("+-−").isdigit() for cell in rest)
