"""What is wrong in a file: where, what, and the mend."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from coldchain.config.positions import Place

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dotted(place: Place) -> str:
    """A place as one would write it in the file: `channels."box-7.vapour".interval`, `points[2].at`."""
    said = ""
    for part in place:
        if isinstance(part, int):
            said += f"[{part}]"
            continue
        key = part if _BARE.fullmatch(part) else '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
        said += f".{key}" if said else key
    return said


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was most likely meant, if any comes close."""
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return close[0] if close else None


def listed(words: Iterable[str], *, none: str = "none") -> str:
    """Words in a row for people, sorted, or `none`."""
    return ", ".join(sorted(words)) or none


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong (or, in a list of warnings, doubtful) in one file."""

    file: str
    line: int
    place: str
    what: str
    mend: str

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{self.file}:{self.line}: {where}{self.what}; {self.mend}"


class ConfigError(Exception):
    """A configuration that is not used, with everything that is wrong in it.

    Attributes: problems, sorted by file and line; at least one.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))
