"""On which line of a TOML text each key stands.

The parser of the standard library tells what a text means and forgets where it stood. This module is its
counterpart: it walks over a text that the parser has already accepted and notes lines, nothing else.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left

#: A place in a document: keys of tables and indices of arrays, outermost first.
Place = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\n]+")
# A multi-line string may end in up to two quotes of its own before the three that close it.
_STRING = (
    re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']|'(?!''))*'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\]|\\.)*"'),
    re.compile(r"'[^']*'"),
)


class Lines:
    """The line, counted from 1, of each key, table and array element of one text."""

    def __init__(self, found: dict[Place, int]) -> None:
        self._found = found

    def of(self, place: Place) -> int:
        """The line of a place, or of the nearest table around it (a missing key has no line)."""
        while place and place not in self._found:
            place = place[:-1]
        return self._found.get(place, 1)

    def places(self) -> dict[Place, int]:
        """Every place found, with its line."""
        return dict(self._found)


def find_lines(text: str) -> Lines:
    """The lines of all places in `text`, which must be TOML that `tomllib` accepts."""
    return Lines(_Walk(text).run())


class _Walk:
    """One pass over the text; `at` only ever moves forward."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.breaks = [m.start() for m in re.finditer("\n", text)]
        self.found: dict[Place, int] = {}
        self.implied: set[Place] = set()  # tables that so far only stand in a longer key
        self.arrays: dict[Place, int] = {}  # arrays of tables: how many elements they have so far

    def run(self) -> dict[Place, int]:
        table: Place = ()
        self._skip_blank()
        while self.at < len(self.text):
            if self.text.startswith("[[", self.at):
                table = self._array_header()
            elif self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip_blank()
        return self.found

    def _line(self) -> int:
        return bisect_left(self.breaks, self.at) + 1

    def _note(self, place: Place, line: int) -> None:
        if place not in self.found or place in self.implied:
            self.found[place] = line
            self.implied.discard(place)

    def _imply(self, place: Place, line: int) -> None:
        if place not in self.found:
            self.found[place] = line
            self.implied.add(place)

    def _skip_blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        if match is not None:
            self.at = match.end()

    def _header(self) -> Place:
        line = self._line()
        self.at += 1
        place = self._resolve(self._key(), line)
        self._note(place, line)
        self.at += 1  # ]
        return place

    def _array_header(self) -> Place:
        line = self._line()
        self.at += 2
        place = self._resolve(self._key(), line)
        self._note(place, line)
        self.at += 2  # ]]
        index = self.arrays.get(place, 0)
        self.arrays[place] = index + 1
        self._note((*place, index), line)
        return (*place, index)

    def _resolve(self, key: list[str], line: int) -> Place:
        """The place a header means: below an array of tables, the key means its newest element."""
        place: Place = ()
        for part in key[:-1]:
            place = (*place, part)
            self._imply(place, line)
            if place in self.arrays:
                place = (*place, self.arrays[place] - 1)
        return (*place, key[-1])

    def _pair(self, table: Place) -> None:
        line = self._line()
        place = table
        key = self._key()
        for part in key[:-1]:
            place = (*place, part)
            self._imply(place, line)
        place = (*place, key[-1])
        self._note(place, line)
        self.at += 1  # =
        self._value(place)

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip_blank()
            bare = _BARE_KEY.match(self.text, self.at)
            if bare is not None:
                parts.append(bare.group())
                self.at = bare.end()
            else:
                start = self.at
                self._string()
                # Let the parser itself undo the quoting: escapes are its business.
                parts.append(tomllib.loads(f"key = {self.text[start : self.at]}")["key"])
            self._skip_blank()
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def _string(self) -> None:
        for pattern in _STRING:
            match = pattern.match(self.text, self.at)
            if match is not None:
                self.at = match.end()
                return
        raise ValueError(f"no TOML at character {self.at}")

    def _value(self, place: Place) -> None:
        self._skip_blank()
        match self.text[self.at]:
            case "[":
                self._array(place)
            case "{":
                self._inline_table(place)
            case '"' | "'":
                self._string()
            case _:
                bare = _BARE_VALUE.match(self.text, self.at)
                if bare is None:
                    raise ValueError(f"no TOML at character {self.at}")
                self.at = bare.end()

    def _array(self, place: Place) -> None:
        self.at += 1
        index = 0
        while True:
            self._skip_blank()
            match self.text[self.at]:
                case "]":
                    self.at += 1
                    return
                case ",":
                    self.at += 1
                case _:
                    self._note((*place, index), self._line())
                    self._value((*place, index))
                    index += 1

    def _inline_table(self, place: Place) -> None:
        self.at += 1
        while True:
            self._skip_blank()
            match self.text[self.at]:
                case "}":
                    self.at += 1
                    return
                case ",":
                    self.at += 1
                case _:
                    self._pair(place)
