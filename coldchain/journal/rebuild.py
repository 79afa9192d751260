"""A journal made of commits that a repair has proven, or an export brings. Links are taken as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from coldchain.journal import shapes
from coldchain.journal.database import open_for_writing
from coldchain.journal.records import Document, PrivateText
from coldchain.journal.removal import MARK, Stored, told_in


@dataclass
class Beside:
    """What stands beside the chain, known by a hash. names: None for one that was erased, and stays so."""

    documents: list[Document] = field(default_factory=list)
    names: dict[str, PrivateText | None] = field(default_factory=dict)
    remains: dict[str, bytes] = field(default_factory=dict)


def rebuild(path: Path, journal_id: bytes, commits: Iterable[Stored], beside: Beside) -> None:
    """Make a file that holds this and nothing else, and needs no log.

    beside: looked at when the commits are through. Nothing is checked here: see to that before, or run
    `verify_chain` on it. Raises what opening raises.
    """
    database = open_for_writing(path, create=True, journal_id=journal_id)
    try:
        with database.transaction("rebuild") as db:
            known: dict[bytes, int] = {}
            for commit in commits:
                _insert(db, commit, known)
            for document in beside.documents:
                db.execute("INSERT INTO documents VALUES (?, ?)", (document.sha256, document.text))
            for commitment, kept in beside.names.items():
                salt, text = (kept.salt, kept.text) if kept is not None else (None, None)
                db.execute("INSERT INTO private_texts VALUES (?, ?, ?)", (commitment, salt, text))
            for row in beside.remains.items():
                db.execute("INSERT INTO remains VALUES (?, ?)", row)
        with database.guard("rebuild") as db:
            db.pragma("journal_mode", "delete")
    finally:
        database.close()


def _insert(db: apsw.Connection, commit: Stored, known: dict[bytes, int]) -> None:
    db.execute(
        "INSERT INTO commits VALUES (?, ?, ?, ?)", (commit.number, commit.first, commit.count, commit.link)
    )
    for entry in commit.entries:
        shape, body = shapes.WHOLE, entry.fact
        parts = shapes.cut(entry.fact)
        if parts is not None and (parts[0] in known or len(known) < shapes.SHAPES_MAX):
            pieces, body = parts
            if pieces not in known:
                known[pieces] = len(known) + 1
                db.execute("INSERT INTO shapes VALUES (?, ?)", (known[pieces], pieces))
            shape = known[pieces]
        db.execute("INSERT INTO facts VALUES (?, ?, ?, ?)", (entry.position, entry.arrival_ms, shape, body))
        for ordinal, said in enumerate(entry.announcements):
            db.execute("INSERT INTO announcements VALUES (?, ?, ?)", (entry.position, ordinal, said))
        removed = told_in(entry.fact) if MARK in entry.fact else None
        if removed is not None:
            span = (entry.position, removed.first_position, removed.last_position)
            db.execute("INSERT INTO removals VALUES (?, ?, ?)", span)
