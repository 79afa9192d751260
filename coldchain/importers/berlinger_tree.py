"""The text that Berlinger loggers write, as a tree: a line's depth is its leading spaces.

A line is a key with a value ("Serial: RCPJ00010"), several of them divided by commas
("Type: 2, T AL: 8.0"), or a key alone whose lines follow one space deeper. Lines that begin with a
tab are rows of a table and belong to the last key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

# A value ends where ", " is followed by another key; free text may hold commas of its own.
# Keys are words, or the number of an alarm slot.
_KEY = r"[A-Za-z][A-Za-z ]*(?: \d{1,2})?|\d{1,3}"
_PAIR = re.compile(rf"(?P<key>{_KEY}):(?: ?(?P<value>.*?))(?=, (?:{_KEY}):|$)(?:, )?")
#: Sections that are tables.
_TABLES = {"Marker", "Data"}
#: Keys whose value people type in, commas and colons included.
_FREE = ("User String", "Owner", "Issuer")


@dataclass
class Node:
    """A line: its pairs in order, the lines below it, and its table's rows as (line, text)."""

    line: int
    pairs: dict[str, str]
    below: list[Node] = field(default_factory=list)
    rows: list[tuple[int, str]] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The line's first key, which names the section below it."""
        return next(iter(self.pairs), "")

    def get(self, key: str) -> str | None:
        """A value among the lines directly below, or None."""
        return next((node.pairs[key] for node in self.below if key in node.pairs), None)

    def line_of(self, key: str) -> int:
        """The line of a value directly below, or this line's own."""
        return next((node.line for node in self.below if key in node.pairs), self.line)

    def section(self, key: str) -> Node | None:
        """The section of that name directly below, or None."""
        return next((node for node in self.below if node.key == key), None)

    def walk(self) -> Iterator[Node]:
        """This line and every line below it."""
        yield self
        for node in self.below:
            yield from node.walk()


def tree(lines: Sequence[str]) -> tuple[Node, list[tuple[int, str]]]:
    """The whole file as one node, and the (line, text) of lines that are neither pair nor row.

    Whatever stands between two rows of a table is a damaged row, also where it resembles a pair.
    """
    root = Node(0, {})
    path: list[tuple[int, Node]] = [(-1, root)]
    odd: list[tuple[int, str]] = []
    table: Node | None = None
    after_table: list[tuple[int, str, Node, Node]] = []  # (line, text, node, parent)
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        if text.startswith("\t"):
            if table is None:
                odd.append((number, text))
                continue
            for line, damaged, node, parent in after_table:
                parent.below.remove(node)
                odd.append((line, damaged))
            after_table.clear()
            path[1:] = [(0, table)]
            table.rows.append((number, text))
            continue
        pairs = _pairs(text.strip())
        if not pairs:
            odd.append((number, text))
            continue
        depth = len(text) - len(text.lstrip(" "))
        while path[-1][0] >= depth:
            path.pop()
        node = Node(number, pairs)
        parent = path[-1][1]
        parent.below.append(node)
        path.append((depth, node))
        if depth == 0 and node.key in _TABLES:
            table = node
            after_table.clear()
        elif table is not None:
            after_table.append((number, text, node, parent))
    return root, sorted(odd)


def _pairs(text: str) -> dict[str, str]:
    if text.startswith(_FREE) and ":" in text:
        key, _, value = text.partition(":")
        return {key: value.strip()}
    pairs: dict[str, str] = {}
    end = 0
    while end < len(text):
        match = _PAIR.match(text, end)
        if match is None or match.end() == end:
            return {}
        pairs[match["key"].strip()] = match["value"].strip()
        end = match.end()
    return pairs
