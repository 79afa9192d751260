"""One TOML file: its exact text, what it means, and where each key of it stands.

Pydantic says what is wrong with a value (`coldchain.config.wording` puts it plainly); this module says where.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from coldchain.config.positions import Lines, Place, find_lines
from coldchain.config.problems import ConfigError, Problem, dotted
from coldchain.config.wording import in_words, place_of, shown

M = TypeVar("M", bound=BaseModel)

#: Far more than any sane configuration; a log file given by mistake is refused instead of parsed.
_LARGEST_BYTES = 4 * 1024 * 1024


class Document:
    """A TOML file that has been read. The journal calls it `name`, messages call it `shown`."""

    def __init__(self, name: str, text: str, shown: str = "") -> None:
        """Raises ConfigError if the text is no TOML."""
        self.name = name
        self.shown = shown or name
        self.text = text
        self.sha256 = hashlib.sha256(text.encode()).hexdigest()
        self.problems: list[Problem] = []
        self.data: dict[str, Any] = self._parsed()
        self._lines: Lines | None = None

    @classmethod
    def read(cls, path: Path, name: str = "", shown: str = "") -> Document:
        """Read a file; raises ConfigError if it cannot be read or is no TOML."""
        name = name or path.name
        shown = shown or name
        try:
            content = path.read_bytes()
        except OSError as error:
            said = f"cannot be read: {error.strerror or error}"
            raise ConfigError(
                [Problem(shown, 1, "", said, f"check that {path} exists and may be read")]
            ) from error
        if len(content) > _LARGEST_BYTES:
            raise ConfigError([Problem(shown, 1, "", "is larger than 4 MiB", "give a configuration file")])
        try:
            # Not `read_text`: the hash is over the exact text, line ends included.
            return cls(name, content.decode(), shown)
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise ConfigError([Problem(shown, line, "", "is not UTF-8", "save it as UTF-8")]) from error

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest table around it."""
        if self._lines is None:  # only wanted when something is wrong
            self._lines = find_lines(self.text.replace("\r\n", "\n"))
        return self._lines.of(place)

    def _parsed(self) -> dict[str, Any]:
        """What the text means."""
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([_syntax(self.shown, self.text, error)]) from error

    def problem(self, place: Place, what: str, mend: str) -> Problem:
        """A problem at a place of this file."""
        return Problem(self.shown, self.line(place), dotted(place), what, mend)

    def refuse(self, place: Place, what: str, mend: str) -> None:
        """Note a problem; `raise_problems` reports all of them together."""
        self.problems.append(self.problem(place, what, mend))

    def raise_problems(self) -> None:
        """Raise ConfigError if anything was refused."""
        if self.problems:
            raise ConfigError(self.problems)

    def validate(self, model: type[M], data: object, place: Place = ()) -> M | None:
        """`data`, which stands at `place`, as a model; None if it is wrong, the problems noted."""
        if not isinstance(data, dict):
            self.refuse(place, f"{shown(data)} is no table", f"write [{dotted(place)}]")
            return None
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self.refuse((*place, *place_of(detail, data)), *in_words(model, detail, data))
            return None


def _syntax(name: str, text: str, error: tomllib.TOMLDecodeError) -> Problem:
    if text.startswith("\ufeff"):
        return Problem(name, 1, "", "begins with a byte order mark", "save it as UTF-8 without one")
    said = str(error)
    what, _, where = said.partition(" (at ")
    digits = where.removeprefix("line ").partition(",")[0]
    line = int(digits) if digits.isdigit() else text.rstrip("\n").count("\n") + 1
    again = "overwrite" in what or "Cannot declare" in what or "Cannot mutate" in what
    mend = "write each key and each table once" if again else "correct the line, or put the value in quotes"
    return Problem(name, line, "", what[:1].lower() + what[1:], mend)
