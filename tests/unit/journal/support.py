"""Entries and batches to fill a journal with, and ways to get at its file behind its back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw

from coldchain.facts import Beat, Reading, encode
from coldchain.journal import Batch, Entry, Journal, Removing
from coldchain.journal.removal import Surveyed
from coldchain.removed import ReadingsRemoved

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


def fact_of(found: Surveyed) -> ReadingsRemoved:
    """The fact of a removal, as far as the journal looks at it."""
    words: dict[str, Any] = {
        "journal": "", "first_commit": found.first_commit, "last_commit": found.last_commit,
        "first_position": found.first_position, "last_position": found.last_position,
        "removed": found.removed, "kept": found.kept, "link_before": found.link_before,
        "link_after": found.link_after, "policy": "p", "judged_from_ms": 0,
        "judged_from_utc_ms": None, "reach_ms": 0, "remains": "", "state_position": 1, "state": "",
        "engine": "e",
    }  # fmt: skip
    return ReadingsRemoved(**words)


def removing(journal: Journal, found: Surveyed, remains: bytes = b"{}") -> Batch:
    """The batch that removes what a survey found."""
    position = journal.tail().position + 1
    row = Entry(position, journal.tail().arrival_ms, encode(fact_of(found)))
    went = Removing(position, found.spans, found.first_position, found.last_position, remains)
    return Batch((row,), removing=(went,))


def tamper(path: Path, *statements: str) -> None:
    """Change the file as somebody would who knows SQLite but not the chain."""
    db = apsw.Connection(str(path))
    for table in ("facts", "announcements", "commits", "shapes", "documents"):
        for event in ("update", "delete"):
            db.execute(f"DROP TRIGGER {table}_no_{event}")
    for statement in statements:
        db.execute(statement)
    db.close()
