"""What an importer says about a file, or a line of it, that it cannot read: where, what, and the mend."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass
class Refused(Exception):
    """A file that nobody can judge as it stands, although the command was in order.

    problem: what is wrong, as a sentence without a full stop; mend: what the reader can do about it;
    line, field: where, counted from 1 and as the file names it; file: set by whoever opened it.
    asks_zone: all that is missing is the zone of its clock; device: whose, if the file says so.
    """

    problem: str
    mend: str = ""
    line: int | None = None
    field: str = ""
    file: str = ""
    asks_zone: bool = False
    device: str = ""

    def __str__(self) -> str:
        where = ":".join(part for part in (self.file, str(self.line or "")) if part)
        parts = (where, self.field, self.problem)
        return ": ".join(part for part in parts if part) + (f"; {self.mend}" if self.mend else "")

    def at(self, file: str) -> Refused:
        """The same refusal, with the file's name."""
        return replace(self, file=file)


@dataclass(frozen=True, slots=True)
class Unread:
    """A line of a log, or one field of it, that gave no reading.

    line: counted from 1; field: the column as the file names it, "" for the whole line; text: its
    beginning as it stands; why: what is wrong with it. A field without a value (an open probe, a
    blank) is `known`: the line was readable, and says that there was nothing to read.
    """

    line: int
    field: str
    text: str
    why: str
    known: bool = False

    def __str__(self) -> str:
        field = f"{self.field}: " if self.field else ""
        return f"line {self.line}: {field}{self.why}" + (f" ({self.text!r})" if self.text else "")


#: How much of an unreadable text is worth repeating.
_SHOWN = 60


def beginning(text: str) -> str:
    """The beginning of a text, as much as a report repeats of it."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
