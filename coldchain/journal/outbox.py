"""Rows of the outbox and of the cursors: what writer and sinks both write, in one place."""

from __future__ import annotations

from pathlib import Path

import apsw

from coldchain.journal.errors import JournalRefused
from coldchain.journal.records import Cursor, Notice


def insert_notice(db: apsw.Connection, path: Path, notice: Notice) -> None:
    """Put a notice into the outbox, inside the caller's transaction.

    The same id with the same body is the same notice and is left as it is; with another body it
    would be lost at the receiver, so it is refused.
    """
    db.execute(
        "INSERT INTO outbox(sink, id, position, ordinal, kind, body, next_try_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sink, id) DO NOTHING",
        (
            notice.sink,
            notice.id,
            notice.position,
            notice.ordinal,
            notice.kind,
            notice.body,
            notice.not_before_ms,
        ),
    )
    if not db.changes():
        there = next(
            db.execute("SELECT body FROM outbox WHERE sink = ? AND id = ?", (notice.sink, notice.id))
        )
        if there[0] != notice.body:
            why = f"notice {notice.id} of sink {notice.sink} is there with another body"
            raise JournalRefused("put into the outbox", path, why, position=notice.position)


def set_cursor(db: apsw.Connection, path: Path, sink: str, cursor: Cursor, last_position: int) -> None:
    """Move a log sink's cursor, inside the caller's transaction."""
    row = next(db.execute("SELECT confirmed FROM cursors WHERE sink = ?", (sink,)), (0,))
    if not row[0] <= cursor.confirmed <= cursor.sent <= last_position:
        why = (
            f"cursor of {sink} cannot be sent {cursor.sent}, confirmed {cursor.confirmed}:"
            f" confirmed up to {row[0]}, journal up to {last_position}"
        )
        raise JournalRefused("move a cursor", path, why, position=cursor.sent)
    db.execute(
        "INSERT INTO cursors VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET sent = excluded.sent, confirmed = excluded.confirmed",
        (sink, cursor.sent, cursor.confirmed),
    )
