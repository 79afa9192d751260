"""The times of all rows in ms UTC: cells, order of the date, zone, hours that happened twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise

from coldchain.importers import dates, daylight, stamps
from coldchain.importers.columns import TimeColumn
from coldchain.importers.loggerfile import ReadAs
from coldchain.importers.refusal import Refused
from coldchain.importers.stamps import Civil, Instant
from coldchain.importers.table import Row


@dataclass(frozen=True)
class Times:
    """Each row's time in ms UTC (None: unreadable), the zone to show times in, and how it was found."""

    at_ms: tuple[int | None, ...]
    zone: tzinfo
    notes: tuple[str, ...]


def times(
    rows: Sequence[Row],
    column: TimeColumn,
    told: ReadAs,
    groups: Sequence[Sequence[int]],
    read: stamps.Reader,
) -> Times:
    """The times of all rows; raises Refused where zone or date order are not certain.

    groups: indices of the rows that one clock wrote one after the other (one group, or one a series).
    """
    cells = [None if row.broken and not row.cells else _cell(row, column, read) for row in rows]
    civil = [(row.line, cell) for row, cell in zip(rows, cells, strict=True) if isinstance(cell, Civil)]
    if not civil:
        instants = tuple(cell.at_ms if isinstance(cell, Instant) else None for cell in cells)
        return Times(instants, told.zone or UTC, ())
    orders = dates.orders(civil, column.name, told.dates)
    walls = [orders.wall_clock(cell) if isinstance(cell, Civil) else None for cell in cells]
    _refuse_lost_halves(rows, cells, walls)
    offsets = [
        cell.offset if isinstance(cell, Civil) and cell.offset is not None else column.offset
        for cell in cells
    ]
    if not column.explicit and told.zone is None:
        raise Refused(
            "its times carry no zone",
            "say which clock wrote them, such as --tz Europe/Zurich or --tz UTC",
            line=civil[0][0],
            field=column.name,
            asks_zone=True,
        )
    notes = list(orders.notes)
    found: list[int | None] = [None] * len(rows)
    for index, (wall, offset) in enumerate(zip(walls, offsets, strict=True)):
        if wall is not None and offset is not None:
            found[index] = stamps.wall_ms(wall) - offset // timedelta(milliseconds=1)
        elif isinstance(instant := cells[index], Instant):
            found[index] = instant.at_ms
    if column.explicit:
        zone: tzinfo = UTC
        used = {offset for offset in offsets if offset is not None}
        zone = timezone(used.pop()) if len(used) == 1 else UTC
        return Times(tuple(found), told.zone or zone, tuple(notes))
    assert told.zone is not None
    for group in groups:
        known = [(index, wall) for index in group if (wall := walls[index]) and found[index] is None]
        instants_ms, said = daylight.to_utc([(rows[index].line, wall) for index, wall in known], told.zone)
        notes += said
        for (index, _), at_ms in zip(known, instants_ms, strict=True):
            found[index] = at_ms
    return Times(tuple(found), told.zone, tuple(notes))


def _cell(row: Row, column: TimeColumn, read: stamps.Reader) -> Instant | Civil | None:
    if max(column.columns) >= len(row.cells):
        return None
    return read(column.text(row.cells))


def _refuse_lost_halves(
    rows: Sequence[Row], cells: Sequence[Instant | Civil | None], walls: Sequence[datetime | None]
) -> None:
    """Refuse a clock of twelve hours whose AM and PM were not written: it goes back from 12 to 1."""
    known = [
        (row.line, wall)
        for row, cell, wall in zip(rows, cells, walls, strict=True)
        if wall is not None and isinstance(cell, Civil) and not cell.half
    ]
    if not known or any(not 1 <= wall.hour <= 12 for _, wall in known):
        return
    for (_, before), (line, after) in pairwise(known):
        if before.hour == 12 and after.hour == 1 and before.date() == after.date():
            raise Refused(
                "the clock shows twelve hours and does not say AM or PM", "export it with 24 hours", line=line
            )
