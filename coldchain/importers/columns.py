"""Which columns hold the time and the temperatures, and what their headings say about zone and unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from coldchain.importers import numbers, stamps
from coldchain.importers.refusal import Refused
from coldchain.importers.stamps import Civil, Instant
from coldchain.importers.table import Table

_TEMPERATURE = re.compile(
    r"temp|tmp|celsius|fahrenheit|kelvin|thermo|probe|fühler|sonde|温度|℃|℉|°\s*[CFK]\b", re.IGNORECASE
)
#: Temperatures that no product has: set points, alarm limits, and what is reckoned from two quantities.
_NOT_THE_PRODUCT = re.compile(
    r"dew|limit|set.?point|sollwert|threshold|alarm|offset|mkt|mean kinetic", re.IGNORECASE
)
_OTHER_QUANTITY = re.compile(
    r"%|humid|feucht|\brh\b|pressure|\b[hk]?pa\b|\bm?bar\b|volt|batter|\blux\b|light|\bppm\b|\bg\b|rssi|dbm",
    re.IGNORECASE,
)
# A letter alone is a unit in brackets or at the end of a word for temperature, never after other names:
# "Probe C" is the third probe, and a "Sensor (K)" may be a thermocouple of type K.
_UNIT_IN_HEADING = re.compile(
    r"(?:°|º|\bdeg(?:rees?)?[ _.]*)\s*(?P<a>[CFK])(?![A-Za-z])|(?P<sign>[℃℉])"
    r"|(?P<word>celsius|fahrenheit|kelvin)|[\[(]\s*(?P<b>[CF])\s*[\])]"
    r"|(?:temp\w*?|\bt)\s*(?:[_/, ]|[\[(])\s*(?:deg)?(?P<c>[CFK])\s*(?:[\])]|$)|_deg(?P<d>[CFK])$",
    re.IGNORECASE,
)
_UNIT_COLUMN = re.compile(r"units?|einheit|unité|unidad|单位", re.IGNORECASE)
_UNIT_IN_PREAMBLE = re.compile(r"temp\w*[ _]*unit\w*\W+(?P<unit>\S.*)", re.IGNORECASE)
_SIMULATED = re.compile(r"\bsimulat(?:ed|ion)\b", re.IGNORECASE)


@dataclass(frozen=True)
class TimeColumn:
    """Where a row's time stands: one column, or a date and a time of day in two.

    offset: from UTC, if the heading states it. explicit: the times need no zone.
    """

    columns: tuple[int, ...]
    name: str
    offset: timedelta | None = None
    explicit: bool = False

    def text(self, cells: Sequence[str]) -> str:
        """The row's time as written."""
        return " ".join(cells[column] for column in self.columns).strip()


@dataclass(frozen=True)
class ValueColumn:
    """A column of temperatures. `unit` is the token its heading states, "" if it states none."""

    column: int
    name: str
    unit: str


def find(table: Table, told: str) -> int:
    """The column of a name or number that was told; raises Refused if there is none or two."""
    exact = [index for index, name in enumerate(table.names) if name == told]
    loose = [index for index, name in enumerate(table.names) if told.lower() in name.lower()]
    for found in (exact, loose):
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            raise Refused(f"several columns match {told!r}: {_listed(table, found)}", "give the full name")
    if told.isdigit() and 1 <= int(told) <= len(table.names):
        return int(told) - 1
    raise Refused(f"there is no column {told!r}", f"there are {_listed(table, range(len(table.names)))}")


def time_column(table: Table, told: str | None, read: stamps.Reader) -> TimeColumn:
    """The column of times; one that needs no zone is preferred. Raises Refused if it is not certain."""
    if told is not None:
        columns = tuple(find(table, part) for part in told.split("+"))
        return _described(table, columns, read)
    cells = [row.cells for row in table.rows if not row.broken]
    whole = [
        _described(table, (column,), read)
        for column in range(len(table.names))
        if _mostly([read(row[column]) is not None for row in cells]) and _varies(cells, column)
    ]
    if not whole:
        dates = [c for c in range(len(table.names)) if _mostly([stamps.is_date(row[c]) for row in cells])]
        hours = [
            c for c in range(len(table.names)) if _mostly([stamps.is_time_of_day(row[c]) for row in cells])
        ]
        whole = [_described(table, (date, hour), read) for date in dates for hour in hours]
    if not whole:
        raise Refused("no column holds times throughout", "name it with --time-column")
    explicit = [column for column in whole if column.explicit]
    left = explicit or whole
    if len(left) > 1 and len({tuple(column.text(row) for row in cells) for column in left}) > 1:
        if explicit and _agree(explicit, cells, read):
            return explicit[0]
        raise Refused(
            f"several columns hold times: {', '.join(column.name for column in left)}",
            "name the one to use with --time-column",
        )
    return left[0]


def value_columns(table: Table, time: TimeColumn, told: Sequence[str]) -> tuple[list[ValueColumn], list[str]]:
    """The columns of temperatures, and a note on each column of numbers that is not judged."""
    if told:
        return [_value_column(table, find(table, name)) for name in told], []
    cells = [row.cells for row in table.rows if not row.broken]
    numeric = [
        column
        for column in range(len(table.names))
        if column not in time.columns and any(numbers.is_number(row[column]) for row in cells)
    ]
    found = [column for column in numeric if is_temperature(table.names[column])]
    if not found and len(numeric) == 1 and not _OTHER_QUANTITY.search(table.names[numeric[0]]):
        found = numeric
    left = [column for column in numeric if column not in found and stamps.read(cells[0][column]) is None]
    if not found:
        raise Refused(
            "no column says that it holds temperatures"
            if any(table.names)
            else "the columns have no headings",
            f"name those to judge with --column; there are {_listed(table, left)}",
        )
    notes = [f"not judged: {_listed(table, left)}"] if left else []
    return [_value_column(table, column) for column in found], notes


def unit_column(table: Table) -> int | None:
    """The column that states each row's unit, if there is one."""
    found = [index for index, name in enumerate(table.names) if _UNIT_COLUMN.fullmatch(name)]
    return found[0] if len(found) == 1 else None


def unit_in_preamble(table: Table) -> str:
    """The unit of temperatures that a line above the table states, or ""."""
    for line in table.preamble:
        if match := _UNIT_IN_PREAMBLE.search(line):
            written = match["unit"].strip(" ;,\t\"'")
            return numbers.unit_token(written) or _unit_in(f"({written})")
    return ""


def says_simulated(table: Table, lines: Sequence[str]) -> bool:
    """Whether a remark, the preamble or a column says that nothing here was measured."""
    remarks = [line for line in lines if line.lstrip().startswith("#")]
    if any(_SIMULATED.search(line) for line in (*remarks, *table.preamble)):
        return True
    flags = [index for index, name in enumerate(table.names) if name.lower() in {"simulated", "origin"}]
    says = {"simulated", "true", "1", "yes"}
    return any(row.cells[index].lower() in says for index in flags for row in table.rows if not row.broken)


def _described(table: Table, columns: tuple[int, ...], read: stamps.Reader) -> TimeColumn:
    name = " + ".join(table.name(column) for column in columns)
    offset = stamps.zone_in_words(" ".join(table.names[column] for column in columns))
    cells = [" ".join(row.cells[column] for column in columns) for row in table.rows if not row.broken]
    times = [time for text in cells if (time := read(text)) is not None]
    written = [isinstance(time, Instant) or time.offset is not None for time in times]
    return TimeColumn(columns, name, offset, offset is not None or _mostly(written))


def _agree(columns: Sequence[TimeColumn], cells: Sequence[tuple[str, ...]], read: stamps.Reader) -> bool:
    """Whether all columns tell the same instants, as far as they can be compared without more evidence."""
    for row in cells:
        instants = set()
        for column in columns:
            time = read(column.text(row))
            if isinstance(time, Civil):
                wall = time.under("YMD") if time.shape == "first" else None
                offset = column.offset if time.offset is None else time.offset
                if wall is None or offset is None:
                    return False
                instants.add(stamps.wall_ms(wall) // 1000 - int(offset.total_seconds()))
            elif time is not None:
                instants.add(time.at_ms // 1000)
        if len(instants) > 1:
            return False
    return True


def _value_column(table: Table, column: int) -> ValueColumn:
    return ValueColumn(column, table.name(column), _unit_in(table.names[column]))


def _unit_in(heading: str) -> str:
    found = set()
    for match in _UNIT_IN_HEADING.finditer(heading):
        letter = match["a"] or match["b"] or match["c"] or match["d"] or (match["word"] or "")[:1]
        found.add(numbers.unit_token(letter or match["sign"]))
    return found.pop() if len(found) == 1 else ""


def is_temperature(heading: str) -> bool:
    """Whether a heading says that a column holds temperatures that a product may have had."""
    if _NOT_THE_PRODUCT.search(heading):
        return False
    return bool(_unit_in(heading)) or (
        _TEMPERATURE.search(heading) is not None and not _OTHER_QUANTITY.search(heading)
    )


def _mostly(answers: Sequence[bool]) -> bool:
    return 2 * sum(answers) > len(answers)


def _varies(cells: Sequence[tuple[str, ...]], column: int) -> bool:
    return len(cells) < 2 or len({row[column] for row in cells}) > 1


def _listed(table: Table, columns: Sequence[int]) -> str:
    return ", ".join(repr(table.name(column)) for column in columns)
