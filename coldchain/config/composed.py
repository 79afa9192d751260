"""A profile's tables with what came from other files, each key with the file and place it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from coldchain.config.document import Document
from coldchain.config.positions import Place
from coldchain.config.problems import Problem

#: What may be written to an inherited rule without changing it: whoever approved it still has.
_LEAVES_AS_IT_IS = {"approved_by", "version", "title", "advice", "reason"}
#: What is said of a rule as it was, and no longer once it is changed.
_SAID_OF_THE_OLD = ("approved_by", "version", "reason")


class Composed(Document):
    """A profile's document with what it builds on in its tables.

    own:     the file itself.
    parents: for each rule that came from elsewhere: the document it came from, and its name there.
    removed: for each rule of theirs that was taken away: the same, and why.
    lacks:   something that it builds on is not to be had; what then is missing only follows from that.
    """

    def __init__(self, own: Document) -> None:
        super().__init__(own.name, own.text, own.shown)
        self.own = own
        self.data = deepcopy(own.data)
        self.bases: dict[str, Composed] = {}
        self.parents: dict[str, tuple[Composed, str]] = {}
        self.removed: dict[str, Removal] = {}
        self.lacks = False
        self._origins: dict[Place, tuple[Document, Place]] = {}

    def problem(self, place: Place, what: str, mend: str) -> Problem:
        """A problem where the place was written, in whichever file."""
        document, there = self.where(place)
        return document.problem(there, what, mend)

    def where(self, place: Place) -> tuple[Document, Place]:
        """The file in which a place was written, and the place there."""
        for length in range(len(place), 0, -1):
            found = self._origins.get(place[:length])
            if found is not None:
                return found[0], (*found[1], *place[length:])
        return self.own, place

    def came_from(self, place: Place, document: Document, there: Place) -> None:
        """Note that a place was written elsewhere."""
        self._origins[place] = (document, there)

    def parts(self) -> Iterator[Document]:
        """Every file that it is made of, its own first."""
        yield self.own
        for base in self.bases.values():
            yield from base.parts()

    def hash(self) -> str:
        """SHA-256 of its text, or over those of all its parts."""
        if not self.bases:
            return self.own.sha256
        parts = sorted({(part.name, part.sha256) for part in self.parts()})
        return hashlib.sha256("\n".join(f"{sha256} {name}" for name, sha256 in parts).encode()).hexdigest()


@dataclass(frozen=True)
class Removal:
    """A rule taken away: whose it was (None: of an earlier version of the same file), and why."""

    parent: tuple[Composed, str] | None
    reason: str


def tables(document: Document, name: str) -> dict[str, dict[str, Any]]:
    """The tables below a table, as written; what is no table is reported by the model of the whole."""
    found = document.data.get(name)
    entries = found.items() if isinstance(found, dict) else ()
    return {key: value for key, value in entries if isinstance(value, dict)}


def figure_in(value: object) -> str | None:
    """The figure that stands in a number's place, `{ figure = "NAME" }`."""
    if isinstance(value, dict) and set(value) == {"figure"} and isinstance(value["figure"], str):
        return value["figure"]
    return None


def figures_in(table: Mapping[str, Any], place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every figure that stands in a number's place in a table and the tables in it: where, and its name."""
    for key, value in table.items():
        if (figure := figure_in(value)) is not None:
            yield (*place, key), figure
        elif isinstance(value, dict):
            yield from figures_in(value, (*place, key))


def with_figures(table: Mapping[str, Any], instead: Callable[[str], object]) -> dict[str, Any]:
    """A copy of a table with something else in the place of each figure; None leaves it as it is."""
    copy: dict[str, Any] = {}
    for key, value in table.items():
        figure = figure_in(value)
        other = instead(figure) if figure is not None else None
        if other is not None:
            copy[key] = other
        elif isinstance(value, dict) and figure is None:
            copy[key] = with_figures(value, instead)
        else:
            copy[key] = deepcopy(value)
    return copy


def place_beside(
    composed: Composed, place: tuple[str, str], table: dict[str, Any], base: Composed, there: Place
) -> None:
    """Put a table of another file in place, unless the profile has one of that name: that goes over it."""
    tables_here = composed.data[place[0]]
    own = tables_here.get(place[1])
    if own is None:
        tables_here[place[1]] = table
        _came_from_base(composed, place, base, there)
    elif not isinstance(own, dict):
        return  # the model of the whole says so
    elif "removed" not in own and own.get("kind", table.get("kind")) != table.get("kind"):
        composed.refuse(
            (*place, "kind"),
            f"is not {table.get('kind', 'limit')}, as it is in {base.data.get('id')} ({there[1]})",
            'take that rule away (removed = "why"), and write this one under another name',
        )
        del tables_here[place[1]]
    else:
        _put_below(composed, place, own, table, base, there)


def _put_below(
    composed: Composed,
    place: tuple[str, str],
    own: dict[str, Any],
    table: dict[str, Any],
    base: Composed,
    there: Place,
) -> None:
    """Put what an own table does not say itself below it."""
    if place[0] == "rules" and own.keys() - _LEAVES_AS_IT_IS:
        table = {key: value for key, value in table.items() if key not in _SAID_OF_THE_OLD}
    for key, value in table.items():
        if key not in own:
            own[key] = value
            composed.came_from((*place, key), *base.where((*there, key)))


def _came_from_base(composed: Composed, place: Place, base: Composed, there: Place) -> None:
    """Note where a whole table was written; a table below may have keys from several files."""
    composed.came_from(place, *base.where(there))
    for key in tables(base, str(there[0])).get(str(there[1]), {}):
        composed.came_from((*place, key), *base.where((*there, key)))
