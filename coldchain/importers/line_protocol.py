"""InfluxDB line protocol as a log: each measurement with its tags is a series of its own.

`measurement,tag=a value=4.2,state="ok" 1667882940000000000`: what stands between unescaped blanks and commas,
as the InfluxDB reference "Line protocol" (v2, "Syntax description") has it. Times count from 1970 in UTC,
so no zone is asked; their unit follows from their size. A line without a time was given that of its arrival
in some database, so here it is a line that cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from coldchain.importers import csv_file, numbers, stamps
from coldchain.importers.columns import is_temperature
from coldchain.importers.loggerfile import LoggerFile, ReadAs
from coldchain.importers.refusal import Refused
from coldchain.importers.table import Row, Table

_KEY = r"(?:\\.|[^\\ ,=\n])+"
_SERIES = rf"(?:\\.|[^\\ ,\n])+(?:,{_KEY}=(?:\\.|[^\\ ,\n])+)*"
_VALUE = r"\"(?:\\.|[^\"\\])*\"|[^\" ,\n]+"
_FIELDS = rf"{_KEY}=(?:{_VALUE})(?:,{_KEY}=(?:{_VALUE}))*"
_LINE = re.compile(rf"(?P<series>{_SERIES}) +(?P<fields>{_FIELDS})(?: +(?P<time>-?\d{{1,19}}))?\s*")
_FIELD = re.compile(rf"(?P<key>{_KEY})=(?P<value>{_VALUE})")
#: A number: an optional `i` or `u` marks integers. What else a field holds is no measured value.
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[iu]?")
_UNIT_TAG = re.compile(r"(?:^|,)unit=(?P<unit>(?:\\.|[^\\ ,])+)")
#: As our own time series marks what nobody measured.
_SIMULATED = re.compile(r",simulated=(?:yes|true|1)(?:,|$)", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([ ,=\\\"])")


@dataclass
class _Points:
    """The points of one series: line, text, time and fields of each. `name`: of its measurement."""

    name: str
    title: str
    unit: str
    points: list[tuple[int, str, str, dict[str, str]]] = field(default_factory=list)

    def numeric(self) -> list[str]:
        """The fields that hold numbers, in order of appearance."""
        return list(
            dict.fromkeys(
                key for *_, fields in self.points for key, value in fields.items() if _NUMBER.fullmatch(value)
            )
        )

    def judged(self, told: ReadAs) -> list[str]:
        """The fields to read: those named, else those whose measurement or name speaks of temperature."""
        if told.columns:
            asked = [name.lower() for name in told.columns]
            return [key for key in self.numeric() if any(one in self.column(key).lower() for one in asked)]
        return [key for key in self.numeric() if is_temperature(f"{self.name} {key}")]

    def column(self, key: str) -> str:
        """A field as people would call it."""
        return f"{self.title} {key}"


class Written(NamedTuple):
    """A point as it stands: measurement and tags, time (one that can be one), fields."""

    series: str
    time: str
    fields: dict[str, str]

    def tags(self) -> tuple[str, dict[str, str]]:
        """The measurement's name, and the tags."""
        name, *tags = re.split(r"(?<!\\),", self.series)
        found = (re.split(r"(?<!\\)=", tag, maxsplit=1) for tag in tags)
        return _plain(name), {_plain(key): _plain(value) for key, value in found}


def point(line: str) -> Written | str:
    """A line as a point, or why it is none."""
    match = _LINE.fullmatch(line)
    if match is None:
        return "is no point of the line protocol"
    if not match["time"] or stamps.read(match["time"]) is None:
        return "has no time from 2000 to 2100"
    fields = {_plain(each["key"]): each["value"] for each in _FIELD.finditer(match["fields"])}
    return Written(match["series"], match["time"], fields)


def is_line_protocol(lines: Sequence[str]) -> bool:
    """Whether the first line that is no remark is a point of the line protocol, with its time."""
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    return isinstance(point(first), Written)


def read(name: str, sha256: str, lines: Sequence[str], told: ReadAs) -> LoggerFile:
    """Read the points of a file; raises Refused."""
    found: dict[str, _Points] = {}
    broken: list[Row] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        written = point(line)
        if isinstance(written, str):
            broken.append(Row(number, (), line, written))
            continue
        points = found.setdefault(written.series, _points(written.series))
        points.points.append((number, line, written.time, written.fields))
    wanted = [points for points in found.values() if points.judged(told)]
    if not wanted:
        there = sorted({points.column(key) for points in found.values() for key in points.numeric()})
        raise Refused(
            "no measurement and no field says that it holds temperatures",
            f"name those to import with --column; there are {', '.join(map(repr, there))}",
        )
    files = [_file(name, sha256, points, broken, told) for points in wanted]
    left = [points.title for points in found.values() if not points.judged(told)]
    notes = [*(note for file in files for note in file.notes), *(f"not judged: {title!r}" for title in left)]
    unread = {one for file in files for one in file.unread}
    return replace(
        files[0],
        series=tuple(csv_file.told_apart([series for file in files for series in file.series])),
        unread=tuple(sorted(unread, key=lambda one: (one.line, one.field))),
        notes=tuple(dict.fromkeys(notes)),
        simulated=any(file.simulated for file in files),
    )


def _file(name: str, sha256: str, points: _Points, broken: list[Row], told: ReadAs) -> LoggerFile:
    """One series by itself. What could not be read may have belonged to any, so it is missing from each."""
    keys = points.judged(told)
    rows = [
        Row(line, (time, *(_cell(fields.get(key, "")) for key in keys)), text)
        for line, text, time, fields in points.points
    ]
    table = Table(
        "",
        ("time", *map(points.column, keys)),
        (),
        tuple(sorted([*rows, *broken], key=lambda row: row.line)),
        (),
    )
    told = replace(told, columns=table.names[1:], time_column="time", time_format=None, decimal=".")
    kind = "InfluxDB line protocol"
    file = csv_file.read_table(name, sha256, table, told, kind=kind, unit=points.unit)
    return replace(file, simulated=file.simulated or _SIMULATED.search(points.title) is not None)


def _points(label: str) -> _Points:
    unit = _UNIT_TAG.search(label)
    measurement = re.split(r"(?<!\\),", label, maxsplit=1)[0]
    stated = numbers.unit_token(_plain(unit["unit"])) if unit else ""
    return _Points(_plain(measurement), _plain(label), stated)


def _cell(value: str) -> str:
    """A number without the mark of its type; what is no number stays as it stands."""
    number = _NUMBER.fullmatch(value)
    return number[1] if number else value.strip('"')


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
