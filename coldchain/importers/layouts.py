"""Layouts of loggers' tables as data: what such a file looks like, and what its fields mean.

A layout adds to the reader of separated values what a file does not say by itself: what stands in which
field, who wrote it, how many readings it must hold. It never settles a doubt: zone, order of the date and
unit still follow from the file's own lines, or are asked. `config/loggers/` has those that ship.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from coldchain.config.document import Document
from coldchain.config.library import shipped_folder
from coldchain.config.problems import listed, nearest
from coldchain.driver import Maturity
from coldchain.importers import numbers
from coldchain.importers.columns import is_temperature
from coldchain.importers.refusal import Refused, beginning
from coldchain.importers.table import Table
from coldchain.logged import LoggerAlarm

#: Lines from the beginning in which a layout's marks are looked for; preambles seen have up to 40.
_HEAD = 80
#: By this name a layout says where the temperature stands.
TEMPERATURE = "Temperature"


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression ({error})") from error
    return text


def _one_group(text: str) -> str:
    if re.compile(_pattern(text)).groups != 1:
        raise ValueError("must have exactly one group in brackets, around what is wanted")
    return text


_Pattern = Annotated[str, AfterValidator(_pattern)]
_Taking = Annotated[str, AfterValidator(_one_group)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=1)


class AlarmLine(_Table):
    """A line in which the logger tells an alarm: our name for it, and the line with its words in a group."""

    rule: str
    line: _Taking


class Layout(_Table):
    """What a file of one kind of logger looks like.

    recognise:  each must be found in a line near the beginning; first_line: the first of them in line 1.
    fields:     what stands in each field of a row, by place; "" leaves it to the file's heading.
    serial, unit, zone, count: lines that tell the serial number, the unit of all temperatures, for which
                zone the logger was set up (shown, not trusted), and how many readings the file must hold.
    alarms:     lines that tell the logger's own alarms; tells: lines worth repeating as they stand.
    unknown:    what nobody could say of such files, for the people who read the report.
    """

    title: str
    how_sure: Maturity
    sources: tuple[str, ...] = Field(min_length=1)
    unknown: str
    recognise: tuple[_Pattern, ...] = Field(min_length=1)
    first_line: bool = False
    fields: tuple[Annotated[str, Field(min_length=0)], ...] = ()
    serial: _Taking | None = None
    unit: _Taking | None = None
    zone: _Taking | None = None
    count: _Taking | None = None
    alarms: tuple[AlarmLine, ...] = ()
    tells: tuple[_Pattern, ...] = ()

    def fits(self, lines: Sequence[str]) -> bool:
        """Whether a file begins as this layout says."""
        head = lines[:_HEAD]
        if self.first_line and not (head and re.search(self.recognise[0], head[0])):
            return False
        return all(_found(mark, head) is not None for mark in self.recognise)

    def told(self, pattern: str | None, lines: Sequence[str]) -> tuple[str, str]:
        """What a line tells, and the line; both "" if none does."""
        found = _found(pattern, lines[:_HEAD]) if pattern else None
        return (found[1].strip(), found.string.strip()) if found is not None else ("", "")

    def logger_alarms(self, lines: Sequence[str]) -> tuple[LoggerAlarm, ...]:
        """The alarms that the logger tells, in its own words."""
        found = ((alarm, self.told(alarm.line, lines)[1]) for alarm in self.alarms)
        return tuple(LoggerAlarm(alarm.rule, line) for alarm, line in found if line)

    def notes(self, lines: Sequence[str]) -> list[str]:
        """How the file was recognised, how sure that is, and the lines worth repeating."""
        head = lines[:_HEAD]
        said = [line.strip() for line in head if any(re.search(mark, line) for mark in self.tells)]
        return [f"recognised as {self.title} ({self.how_sure})", *(f"it says: {beginning(s)}" for s in said)]

    def named(self, table: Table) -> Table:
        """The table with its fields named by their place.

        A heading that speaks of temperature is kept where the temperature stands, for the unit in it. Where
        nothing stands in that place, the file is not of this form and keeps its own headings.
        """
        names = list(table.names)
        cells = [row.cells for row in table.rows if not row.broken]
        for place, name in enumerate(self.fields[: len(names)]):
            if name == TEMPERATURE and not any(row[place] for row in cells):
                return table
            if name and not (name == TEMPERATURE and is_temperature(names[place])):
                names[place] = name
        return replace(table, names=tuple(names))

    def unit_token(self, lines: Sequence[str]) -> str:
        """The unit that a line tells for all temperatures, "" if none does."""
        return numbers.unit_token(self.told(self.unit, lines)[0])


def _found(pattern: str, lines: Sequence[str]) -> re.Match[str] | None:
    return next((match for line in lines if (match := re.search(pattern, line))), None)


@cache
def shipped() -> dict[str, Layout]:
    """The layouts that came with the program, by name."""
    folder = shipped_folder() / "loggers"
    return {path.stem: read_layout(path) for path in sorted(folder.glob("*.toml"))}


def read_layout(path: Path) -> Layout:
    """A layout from its file; raises ConfigError with file, line, field and mend."""
    document = Document.read(path)
    layout = document.validate(Layout, document.data)
    document.raise_problems()
    assert layout is not None  # else a problem was raised
    return layout


def layout_named(name: str) -> Layout:
    """A shipped layout by name, or one of a file (a path). Raises KeyError with the mend, ConfigError."""
    if "/" in name or name.endswith(".toml"):
        return read_layout(Path(name))
    if name not in shipped():
        meant = nearest(name, shipped())
        raise KeyError(f'did you mean "{meant}"?' if meant else f"there are: {listed(shipped())}")
    return shipped()[name]


def recognised(lines: Sequence[str]) -> Layout | None:
    """The one layout that fits a file; raises Refused if two do."""
    fitting = {name: layout for name, layout in shipped().items() if layout.fits(lines)}
    if len(fitting) > 1:
        raise Refused(
            f"it looks like {' and '.join(layout.title for layout in fitting.values())}",
            f"say which with --layout {' or --layout '.join(fitting)}",
        )
    return next(iter(fitting.values()), None)
