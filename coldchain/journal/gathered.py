"""What a damaged file still holds: rows by what they look like, whatever their page says."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import product
from typing import TypeVar

from msgspec import Struct

from coldchain.journal import shapes
from coldchain.journal.pages import Row
from coldchain.journal.records import Document, Entry, PrivateText

_LINK = 32  # bytes of a SHA-256
#: Bytes of a journal's id.
ID = 16

_T = TypeVar("_T")


class FoundCommit(Struct, frozen=True):
    """A row that looks like a commit's."""

    number: int
    first: int
    count: int
    link: bytes


@dataclass
class Found:
    """Rows by what they look like; of one place there may be several, some of them garbage."""

    ids: list[bytes] = field(default_factory=list)
    shapes: dict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    facts: dict[int, list[tuple[int, int, bytes]]] = field(default_factory=lambda: defaultdict(list))
    said: dict[int, dict[int, list[bytes]]] = field(default_factory=lambda: defaultdict(dict))
    commits: dict[int, list[FoundCommit]] = field(default_factory=lambda: defaultdict(list))
    documents: dict[str, str] = field(default_factory=dict)
    names: dict[str, PrivateText | None] = field(default_factory=dict)  # None: erased, and stays so
    remains: dict[str, bytes] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Take a row in as whatever it may be."""
        match row:
            case (int(key), (None, int(a), int(b), bytes(body))):
                _once(self.facts[key], (a, b, body))
                if len(body) == _LINK and a > 0 and b > 0:
                    _once(self.commits[key], FoundCommit(key, a, b, body))
            case (int(key), (None, bytes(body))):
                _once(self.shapes[key], body)
                if len(body) == ID:
                    _once(self.ids, body)
            case (None, (int(position), int(ordinal), bytes(body))):
                _once(self.said[position].setdefault(ordinal, []), body)
            case (_, (str(sha256), str(text))):
                if Document.of(text).sha256 == sha256:
                    self.documents[sha256] = text
            case (_, (str(commitment), bytes(salt), str(text))):
                kept = PrivateText.of(text, salt)
                if kept.commitment == commitment:
                    self.names.setdefault(commitment, kept)
            case (_, (str(sha256), bytes(body))):
                if hashlib.sha256(body).hexdigest() == sha256:
                    self.remains[sha256] = body
            case (_, (str(commitment), None, None)) if len(commitment) == 2 * _LINK:
                self.names[commitment] = None
            case _:
                pass

    def is_commit(self, commit: FoundCommit) -> None:
        """A row is that of a commit: it looks like a fact at the position of the same number, and is none."""
        self.facts[commit.number] = [
            row for row in self.facts[commit.number] if row != (commit.first, commit.count, commit.link)
        ]

    def entries(self, position: int) -> list[Entry]:
        """Every way to read the fact at a position with what was announced there."""
        bodies = []
        for arrival_ms, shape, body in self.facts.get(position, ()):
            if shape == shapes.WHOLE:
                bodies.append((arrival_ms, body))
                continue
            # One such row stands for thousands of readings: where it is lost, any other that fits is tried.
            known = self.shapes.get(shape) or [one for there in self.shapes.values() for one in there]
            for pieces in known:
                try:
                    bodies.append((arrival_ms, shapes.fill(pieces, body)))
                except ValueError:
                    continue
        by_ordinal = self.said.get(position, {})
        # Garbage may look like one more announcement: every number of them is tried, all of them first.
        last = 0
        while last in by_ordinal:
            last += 1
        said = [
            way for count in range(last, -1, -1) for way in product(*(by_ordinal[at] for at in range(count)))
        ]
        return [Entry(position, arrival_ms, body, way) for arrival_ms, body in bodies for way in said]


def _once(there: list[_T], value: _T) -> None:
    if value not in there:
        there.append(value)
