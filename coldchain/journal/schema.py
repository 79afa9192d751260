"""The tables, version by version. Each migration and its record are one transaction.

A migration that has been released is never edited; a change is a new one at the end. A file with
a newer version than ours, or another program's file, is refused before anything is written.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import apsw
from msgspec import Struct

from coldchain.journal.errors import JournalNewer, NotAJournal

#: "ccjn", in SQLite's header at offset 68 (https://sqlite.org/fileformat2.html, section 1.3).
APPLICATION_ID = 0x63636A6E


class Migration(Struct, frozen=True):
    """The step to one version of the schema."""

    version: int
    name: str
    statements: str


# Facts, announcements, commits, shapes and documents are evidence: rows are only added (but see _RETENTION).
_APPEND_ONLY = "".join(
    f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, '{table}: rows are never changed'); END;\n"
    for table in ("facts", "announcements", "commits", "shapes", "documents")
    for event in ("UPDATE", "DELETE")
)

_FIRST = """
CREATE TABLE migrations(version INTEGER PRIMARY KEY, name TEXT NOT NULL, sqlite TEXT NOT NULL) STRICT;
CREATE TABLE identity(id INTEGER PRIMARY KEY CHECK (id = 1), journal BLOB NOT NULL) STRICT;

CREATE TABLE facts(
  position INTEGER PRIMARY KEY, arrival_ms INTEGER NOT NULL, shape INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE shapes(shape INTEGER PRIMARY KEY CHECK (shape > 0), pieces BLOB NOT NULL) STRICT;
CREATE TABLE announcements(
  position INTEGER NOT NULL, ordinal INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (position, ordinal)
) STRICT, WITHOUT ROWID;
CREATE TABLE commits(
  number INTEGER PRIMARY KEY, first_position INTEGER NOT NULL, facts INTEGER NOT NULL, link BLOB NOT NULL
) STRICT;

CREATE TABLE documents(sha256 TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE private_texts(commitment TEXT PRIMARY KEY, salt BLOB, text TEXT) STRICT;
CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoints(
  engine TEXT NOT NULL, position INTEGER NOT NULL, sha256 BLOB NOT NULL, state BLOB NOT NULL,
  UNIQUE (engine, position)
) STRICT;
CREATE TABLE base_states(
  position INTEGER PRIMARY KEY, engine TEXT NOT NULL, sha256 BLOB NOT NULL, state BLOB NOT NULL
) STRICT;

CREATE TABLE outbox(
  sink TEXT NOT NULL, id TEXT NOT NULL, position INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  kind TEXT NOT NULL, body BLOB NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, next_try_ms INTEGER NOT NULL, failure TEXT NOT NULL DEFAULT '',
  outcome TEXT, receipt TEXT NOT NULL DEFAULT '', settled_ms INTEGER,
  UNIQUE (sink, id)
) STRICT;
CREATE INDEX outbox_pending ON outbox(sink, position, ordinal) WHERE outcome IS NULL;
CREATE INDEX outbox_settled ON outbox(sink, position, ordinal) WHERE outcome IS NOT NULL;
CREATE TABLE cursors(
  sink TEXT PRIMARY KEY, sent INTEGER NOT NULL, confirmed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- For people with nothing but SQLite: every fact as its whole text, values laid between the pieces.
CREATE VIEW facts_as_text AS
SELECT position, arrival_ms,
  CASE shape WHEN 0 THEN CAST(body AS TEXT) ELSE (
    WITH RECURSIVE fill(done, todo) AS (
      SELECT CAST(pieces AS TEXT), CAST(body AS TEXT) || char(10) FROM shapes WHERE shapes.shape = facts.shape
      UNION ALL
      SELECT substr(done, 1, instr(done, char(10)) - 1) || substr(todo, 1, instr(todo, char(10)) - 1)
               || substr(done, instr(done, char(10)) + 1),
             substr(todo, instr(todo, char(10)) + 1)
      FROM fill WHERE instr(done, char(10)) > 0
    )
    SELECT done FROM fill WHERE instr(done, char(10)) = 0
  ) END AS fact
FROM facts;
"""

# A fact says what was removed (`removal.py`): only what lies before the end of what such a fact speaks of may
# go, and nothing that was ever announced at. `remains`: what removed readings leave behind.
_RETENTION = """
CREATE TABLE removals(
  position INTEGER PRIMARY KEY, first_position INTEGER NOT NULL, last_position INTEGER NOT NULL
) STRICT;
CREATE INDEX removals_end ON removals(last_position);
CREATE TABLE remains(sha256 TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
DROP TRIGGER facts_no_delete;
CREATE TRIGGER facts_no_delete BEFORE DELETE ON facts
WHEN old.position > (SELECT coalesce(max(last_position), 0) FROM removals)
  OR EXISTS (SELECT 1 FROM announcements WHERE announcements.position = old.position)
BEGIN SELECT RAISE(ABORT, 'facts: rows are never changed'); END;
CREATE TRIGGER removals_no_update BEFORE UPDATE ON removals
BEGIN SELECT RAISE(ABORT, 'removals: rows are never changed'); END;
CREATE TRIGGER removals_no_delete BEFORE DELETE ON removals
BEGIN SELECT RAISE(ABORT, 'removals: rows are never changed'); END;
"""

MIGRATIONS = (
    Migration(1, "facts, commits, announcements, outbox", _FIRST + _APPEND_ONLY),
    Migration(2, "readings removed by retention", _RETENTION),
)
VERSION = MIGRATIONS[-1].version


def inspect(db: apsw.Connection, path: Path) -> int:
    """The file's schema version, 0 for an empty file; NotAJournal or JournalNewer for what is not for us."""
    application, version = db.pragma("application_id"), db.pragma("user_version")
    if application != APPLICATION_ID:
        objects = next(db.execute("SELECT count(*) FROM sqlite_schema"))[0]
        if application or version or objects:
            raise NotAJournal("open", path, f"an SQLite database of another program (id {application:#x})")
        return 0
    assert isinstance(version, int)
    if version > VERSION:
        raise JournalNewer("open", path, f"schema version {version}, this program knows up to {VERSION}")
    return version


def migrate(
    db: apsw.Connection,
    path: Path,
    migrations: tuple[Migration, ...] | None = None,
    *,
    journal_id: bytes | None = None,
) -> tuple[int, int]:
    """Bring the file to our version; returns the version it had and the one it has.

    journal_id: what a new journal is called; drawn if not given. One that is there keeps its own.
    """
    before = version = inspect(db, path)
    for migration in MIGRATIONS if migrations is None else migrations:
        if migration.version <= version:
            continue
        db.execute("BEGIN IMMEDIATE")
        try:
            db.execute(migration.statements)
            if version == 0:
                db.pragma("application_id", APPLICATION_ID)
                db.execute("INSERT INTO identity VALUES (1, ?)", (journal_id or secrets.token_bytes(16),))
            db.execute(
                "INSERT INTO migrations VALUES (?, ?, ?)",
                (migration.version, migration.name, apsw.sqlite_lib_version()),
            )
            db.pragma("user_version", migration.version)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        version = migration.version
    return before, version
