"""Entries and batches to fill a journal with, and ways to get at its file behind its back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import apsw

from coldchain.facts import Beat, Reading, encode
from coldchain.journal import Batch, Entry, Journal

ARRIVAL_MS = 1_763_900_000_000


def reading(number: int, channel: str = "vapour") -> bytes:
    """Canonical bytes of a reading, each with other values."""
    return encode(
        Reading(
            source="shipper-7",
            channel=channel,
            raw=f"-{182 + number % 7}.{number % 100:02}",
            unit="°C",
            stamp_ms=ARRIVAL_MS + number * 1000,
            sequence=number,
        )
    )


def entry(position: int, *announcements: bytes, fact: bytes | None = None) -> Entry:
    """An entry that arrives one second per position after `ARRIVAL_MS`."""
    return Entry(position, ARRIVAL_MS + position * 1000, fact or reading(position), announcements)


def entries(first: int, count: int) -> tuple[Entry, ...]:
    """Entries without a gap; every third announces something, every ninth twice."""
    made = []
    for position in range(first, first + count):
        said = [b'{"kind":"raised","n":%d}' % position] if position % 3 == 0 else []
        if position % 9 == 0:
            said.append(b'{"kind":"note","n":%d}' % position)
        made.append(entry(position, *said, fact=encode(Beat()) if position % 5 == 0 else None))
    return tuple(made)


def batch(first: int, count: int) -> Batch:
    """A batch of `entries`."""
    return Batch(entries(first, count))


def fill(path: Path, sizes: Sequence[int]) -> tuple[Entry, ...]:
    """Make a journal with commits of these sizes; return everything in it."""
    made: tuple[Entry, ...] = ()
    with Journal.open(path) as journal:
        for size in sizes:
            more = entries(len(made) + 1, size)
            journal.commit(Batch(more))
            made += more
    return made


def tamper(path: Path, *statements: str) -> None:
    """Change the file as somebody would who knows SQLite but not the chain."""
    db = apsw.Connection(str(path))
    for table in ("facts", "announcements", "commits", "shapes", "documents"):
        for event in ("update", "delete"):
            db.execute(f"DROP TRIGGER {table}_no_{event}")
    for statement in statements:
        db.execute(statement)
    db.close()
