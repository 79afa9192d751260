"""What may be on a medium that lost power, rebuilt from what SQLite asked of it.

The model is a disk that honours flush: what was written to a file before its last sync is there. Of what
was written since, any part may be there, in sectors, in any order. A deleted file may be back as long as its
folder was not synced.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tests.unit.journal.disk import Operation

SECTOR = 512
Contents = dict[str, bytes]


class Cut(Struct, frozen=True):
    """The power goes after so many operations: what was safe then, and what of the rest got there."""

    operations: int
    safe: Contents
    kept: tuple[Operation, ...] = ()

    def contents(self) -> Contents:
        """The files as they are found."""
        files: dict[str, bytearray] = {}
        for operation in self.kept:
            name = operation.name
            if name not in files:
                files[name] = bytearray(self.safe.get(name, b""))
            _apply(files[name], operation)
        return self.safe | {name: bytes(content) for name, content in files.items()}


class Medium:
    """Operations played so far: what is safe, and what is only on its way."""

    def __init__(self, at_rest: Contents | None = None) -> None:
        self._safe: Contents = at_rest or {}
        self._deleted: Contents = {}
        self._waiting: list[Operation] = []
        self._count = 0

    def play(self, operation: Operation) -> None:
        """One more thing was asked, and answered."""
        name = operation.name
        self._count += 1
        match operation.kind:
            case "sync":
                if name not in self._safe and not name.endswith(".journal"):
                    self._deleted = {}  # a new log's first sync also syncs the folder (os_unix.c, DIRSYNC)
                content = bytearray(self._safe.get(name, b""))
                for earlier in self._waiting:
                    if earlier.name == name:
                        _apply(content, earlier)
                self._waiting = [each for each in self._waiting if each.name != name]
                self._safe = self._safe | {name: bytes(content)}
            case "delete":
                self._waiting = [each for each in self._waiting if each.name != name]
                if name in self._safe:
                    self._deleted = self._deleted | {name: self._safe[name]}
                    self._safe = {other: text for other, text in self._safe.items() if other != name}
            case _:
                self._waiting.append(operation)

    def singly(self) -> Iterator[Cut]:
        """All there, nothing there, and every single drop, tear and lost deletion."""
        waiting = self._waiting
        yield self._cut(waiting)
        yield self._cut(())
        for name in self._deleted:
            yield self._cut(waiting, [name])
        for at, operation in enumerate(waiting):
            before, behind = waiting[:at], waiting[at + 1 :]
            yield self._cut([*before, *behind])
            pieces = list(_pieces(operation))
            for border in range(1, len(pieces)):
                yield self._cut([*before, *pieces[:border], *behind])
                yield self._cut([*before, *pieces[border:], *behind])

    def at_random(self, chance: random.Random) -> Cut:
        """Some of it there, in sectors, and some of the deleted files back."""
        keep = chance.choice([0.0, 0.5, 0.9, 1.0])
        pieces = [piece for operation in self._waiting for piece in _pieces(operation)]
        kept = [piece for piece in pieces if chance.random() < keep]
        return self._cut(kept, [name for name in self._deleted if chance.random() >= keep])

    def _cut(self, kept: Sequence[Operation], back: Sequence[str] = ()) -> Cut:
        return Cut(self._count, {name: self._deleted[name] for name in back} | self._safe, tuple(kept))


def every_cut(operations: Sequence[Operation], at_rest: Contents | None = None) -> Iterator[Cut]:
    """After each operation, every state that `Medium.singly` knows; `at_rest`: the files before the first."""
    medium = Medium(at_rest)
    yield from medium.singly()
    for operation in operations:
        medium.play(operation)
        yield from medium.singly()


def some_cuts(
    operations: Sequence[Operation], chance: random.Random, at_rest: Contents | None = None
) -> Iterator[Cut]:
    """After each operation, one state drawn at random."""
    medium = Medium(at_rest)
    for operation in operations:
        medium.play(operation)
        yield medium.at_random(chance)


def _pieces(operation: Operation) -> Iterator[Operation]:
    if operation.kind != "write":
        yield operation
        return
    at, end = operation.offset, operation.offset + len(operation.data)
    while at < end:
        border = min(end, (at // SECTOR + 1) * SECTOR)
        piece = operation.data[at - operation.offset : border - operation.offset]
        yield operation._replace(offset=at, data=piece)
        at = border


def _apply(content: bytearray, operation: Operation) -> None:
    if operation.kind == "truncate":
        del content[operation.offset :]
        return
    content.extend(b"\0" * (operation.offset - len(content)))
    content[operation.offset : operation.offset + len(operation.data)] = operation.data
