"""States beside the chain, each with its hash: checkpoints, base states, what removed readings left behind.

A checkpoint is a cache. A base state is where a fold can begin after readings were removed: the removal
tells its hash, so it is evidence.
"""

from __future__ import annotations

import hashlib

from coldchain.journal.database import Database
from coldchain.journal.records import Checkpoint


def state_hash(position: int, engine: str, state: bytes) -> bytes:
    """What lies beside a kept state, so that a damaged one is never folded from."""
    return hashlib.sha256(b"%d\n%b\n" % (position, engine.encode()) + state).digest()


def latest(database: Database, engine: str, end: int) -> Checkpoint | None:
    """The newest intact checkpoint of an engine up to a position."""
    return _intact(
        database,
        "SELECT position FROM checkpoints WHERE engine = ? AND position <= ? ORDER BY position DESC",
        "SELECT state, sha256 FROM checkpoints WHERE engine = ? AND position = ?",
        engine,
        end,
    )


def first_base(database: Database, engine: str, begin: int) -> Checkpoint | None:
    """The earliest intact base state of an engine from a position on."""
    return _intact(
        database,
        "SELECT position FROM base_states WHERE engine = ? AND position >= ? ORDER BY position",
        "SELECT state, sha256 FROM base_states WHERE engine = ? AND position = ?",
        engine,
        begin,
    )


def removal_positions(database: Database) -> list[int]:
    """Where the facts of retention stand, in order."""
    rows = database.all("read removals", "SELECT position FROM removals ORDER BY position", kinds=(int,))
    return [row[0] for row in rows]


def remains(database: Database, sha256: str) -> bytes | None:
    """What removed readings left behind; None if it is not there, or not what it was."""
    row = database.first(
        "read remains", "SELECT body FROM remains WHERE sha256 = ?", (sha256,), kinds=(bytes,)
    )
    return row[0] if row is not None and hashlib.sha256(row[0]).hexdigest() == sha256 else None


def _intact(database: Database, positions: str, state: str, engine: str, edge: int) -> Checkpoint | None:
    # A damaged one is none: the next, or the beginning.
    for (position,) in database.all("read a state", positions, (engine, edge), kinds=(int,)):
        row = database.first("read a state", state, (engine, position), kinds=(bytes, bytes))
        if row is not None and state_hash(position, engine, row[0]) == row[1]:
            return Checkpoint(position, engine, row[0])
    return None
