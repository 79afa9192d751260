"""Rows out of an SQLite file without SQLite: page by page, so that damage costs what it hits and no more.

SQLite finds rows by way of pages above them; one flipped bit there hides thousands of rows that are whole.
Here every page of the file, and every one that waits in the log beside it, is searched for rows by itself,
whatever its head says. What comes out may be old, doubled or garbage: whoever takes it must check it.
Format: https://sqlite.org/fileformat2.html, sections 1.3, 1.6, 2.1 and 4.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from coldchain.journal.database import wal_path

#: A row: its rowid (None in a table without one) and its columns.
Row = tuple[int | None, tuple[int | bytes | str | None, ...]]
Value = int | bytes | str | None

_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR = 13, 10, 2
_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_DEFAULT_SIZE = 4096
_FILE_HEADER, _WAL_HEADER, _FRAME_HEADER = 100, 32, 24

#: How the record of a row of ours may begin: the length of its head, then the types of its columns (NULL or
#: a hash for a rowid table, two integers in a table without one). Only there it is worth trying.
_TABLE_HEAD = re.compile(rb"[\x03-\x0a](?:\x00[\x01-\x06\x08\x09\x0c-\xff]|\x81\x0d)", re.DOTALL)
_INDEX_HEAD = re.compile(rb"[\x03-\x0a][\x01-\x06\x08\x09][\x01-\x06\x08\x09]", re.DOTALL)
_HEADS = {_TABLE_LEAF: _TABLE_HEAD, _INDEX_LEAF: _INDEX_HEAD, _INDEX_INTERIOR: _INDEX_HEAD}
#: A cell begins at most so many bytes before its record: a page's number, the record's length, the rowid.
_BEFORE_HEAD = 14


def rows(path: Path) -> Iterator[Row]:
    """Every row that can be read in a database and in the log beside it; an OSError if a file cannot be."""
    base = path.read_bytes()
    size = _page_size(base)
    pages = {number: base[at : at + size] for number, at in enumerate(range(0, len(base), size), 1)}
    logged = _logged(wal_path(path), size)
    seen: set[tuple[int, bytes]] = set()
    # Newest first; an older image of a page may hold what damage took from the newer one.
    for view in (pages | dict(logged), pages):
        for number, page in view.items():
            if (number, page) not in seen:
                seen.add((number, page))
                yield from _Page(number, page, view, size).rows()


def _page_size(base: bytes) -> int:
    told = int.from_bytes(base[16:18], "big")
    size = 65_536 if told == 1 else told
    return size if size >= 512 and size & (size - 1) == 0 else _DEFAULT_SIZE


def _logged(log: Path, size: int) -> Iterator[tuple[int, bytes]]:
    """The pages in a write-ahead log that belong to its present run, in order, damaged or not."""
    try:
        data = log.read_bytes()
    except FileNotFoundError:
        return
    salt = data[16:24]
    for at in range(_WAL_HEADER, len(data) - _FRAME_HEADER - size + 1, _FRAME_HEADER + size):
        if data[at + 8 : at + 16] == salt:
            start = at + _FRAME_HEADER
            yield int.from_bytes(data[at : at + 4], "big"), data[start : start + size]


class _Page:
    """One page, read as each kind of page that holds rows until one makes sense."""

    def __init__(self, number: int, page: bytes, view: dict[int, bytes], size: int) -> None:
        self._page, self._view, self._size = page, view, size
        self._head = _FILE_HEADER if number == 1 else 0

    def rows(self) -> list[Row]:
        if len(self._page) <= self._head + 8:
            return []
        kind = self._page[self._head]
        kinds = [kind] if kind in (_TABLE_LEAF, _INDEX_LEAF) else [_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR]
        found = [row for one in kinds for row in self._read_as(one)]
        if not found and len(kinds) == 1:
            others = {_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR} - {kind}
            found = [row for one in others for row in self._read_as(one)]
        return found

    def _read_as(self, kind: int) -> list[Row]:
        found: dict[int, tuple[int, Row]] = {}  # where a cell begins -> where it ends, and its row
        for at in self._pointers(self._head + (12 if kind == _INDEX_INTERIOR else 8)):
            if at not in found and (cell := self._cell(kind, at)) is not None:
                found[at] = cell
        # Between them lies what a damaged pointer lost, and what was moved and not yet written over.
        for begin, end in self._uncovered(found):
            for head in _HEADS[kind].finditer(self._page, begin, end):
                for at in range(head.start() - 1, max(begin, head.start() - _BEFORE_HEAD) - 1, -1):
                    cell = self._cell(kind, at)
                    if cell is not None and at not in found:
                        found[at] = cell
        return [row for _, row in found.values()]

    def _uncovered(self, found: dict[int, tuple[int, Row]]) -> list[tuple[int, int]]:
        spans, at = [], self._head + 8
        for begin in sorted(found):
            if begin > at:
                spans.append((at, begin))
            at = max(at, found[begin][0])
        return [*spans, (at, len(self._page))]

    def _pointers(self, begin: int) -> Iterator[int]:
        count = int.from_bytes(self._page[self._head + 3 : self._head + 5], "big")
        lowest = len(self._page)
        index = begin
        while index + 2 <= lowest:
            at = int.from_bytes(self._page[index : index + 2], "big")
            if begin < at < len(self._page):
                lowest = min(lowest, at) if at > index else lowest
                yield at
            elif (index - begin) // 2 >= count:
                return
            index += 2

    def _cell(self, kind: int, at: int) -> tuple[int, Row] | None:
        """A cell's end and its row; None if nothing there makes sense."""
        try:
            if kind == _INDEX_INTERIOR:
                at += 4  # the page to the left
            length, at = _varint(self._page, at)
            rowid: int | None = None
            if kind == _TABLE_LEAF:
                rowid, at = _varint(self._page, at)
                rowid -= (rowid >> 63) << 64
            payload, end = self._payload(kind, at, length)
            values = _record(payload)
        except (IndexError, ValueError):
            return None
        return end, (rowid, values)

    def _payload(self, kind: int, at: int, length: int) -> tuple[bytes, int]:
        usable = self._size
        most = usable - 35 if kind == _TABLE_LEAF else (usable - 12) * 64 // 255 - 23
        if length <= most:
            if at + length > len(self._page):
                raise ValueError
            return self._page[at : at + length], at + length
        least = (usable - 12) * 32 // 255 - 23
        local = least + (length - least) % (usable - 4)
        local = local if local <= most else least
        parts, left = [self._page[at : at + local]], length - local
        following = int.from_bytes(self._page[at + local : at + local + 4], "big")
        visited: set[int] = set()
        while left > 0:
            page = self._view.get(following)
            if page is None or following in visited or len(page) < usable:
                raise ValueError
            visited.add(following)
            parts.append(page[4 : 4 + min(left, usable - 4)])
            left -= usable - 4
            following = int.from_bytes(page[:4], "big")
        return b"".join(parts), at + local + 4


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(at, at + 8):
        byte = data[index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, index + 1
    return value << 8 | data[at + 8], at + 9


def _record(payload: bytes) -> tuple[Value, ...]:
    """The columns of a record that is whole, to the last byte; else ValueError or IndexError."""
    end, at = _varint(payload, 0)
    start, values = end, []
    while at < end:
        kind, at = _varint(payload, at)
        value, start = _value(payload, kind, start)
        values.append(value)
    if at != end or start != len(payload):
        raise ValueError
    return tuple(values)


def _value(payload: bytes, kind: int, at: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind in (8, 9):
        return kind - 8, at
    if (width := _INTEGER_BYTES.get(kind)) is not None:
        end = at + width
        return int.from_bytes(payload[at:end], "big", signed=True), end
    if kind < 12:
        raise ValueError  # a float, or reserved: no table of ours holds one
    end = at + (kind - 12) // 2
    if end > len(payload):
        raise ValueError
    return (payload[at:end] if kind % 2 == 0 else payload[at:end].decode()), end
