"""Versions: ours are brought up to date in one step each, others are left alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import apsw
import pytest

from coldchain.journal import (
    Journal,
    JournalNewer,
    JournalReadOnly,
    NotAJournal,
    Reader,
    schema,
    verify_chain,
)
from coldchain.journal.schema import Migration, migrate
from tests.unit.journal.stored import STORED, assert_whole, put
from tests.unit.journal.support import batch, fill


def test_a_new_journal_says_what_it_is(tmp_path: Path) -> None:
    """Application id, version and the record of each migration are in the file."""
    path = tmp_path / "x.journal"
    Journal.open(path).close()
    header = path.read_bytes()[:100]
    assert header[68:72] == b"ccjn"
    assert int.from_bytes(header[60:64]) == schema.VERSION
    db = apsw.Connection(str(path))
    assert [row[0] for row in db.execute("SELECT version FROM migrations")] == [
        migration.version for migration in schema.MIGRATIONS
    ]
    assert db.pragma("journal_mode") == "wal"
    assert db.pragma("integrity_check") == "ok"
    db.close()


def test_migrations_are_numbered_without_a_gap() -> None:
    """Version n is what the n-th migration makes."""
    assert [m.version for m in schema.MIGRATIONS] == list(range(1, len(schema.MIGRATIONS) + 1))


@pytest.mark.parametrize("stored", sorted(STORED.glob("*.sql")), ids=lambda path: path.stem)
def test_a_stored_journal_of_every_version_still_opens(tmp_path: Path, stored: Path) -> None:
    """Facts, announcements and links written by an older version are read, verified and continued."""
    path = tmp_path / "x.journal"
    put(path, stored)
    with Journal.open(path) as journal:
        assert_whole(journal)
        journal.commit(batch(13, 3))
        assert verify_chain(journal).intact
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    db.close()


def test_there_is_a_stored_journal_of_every_version() -> None:
    """A version without a stored file would be one whose files nobody tries to open."""
    assert {path.stem for path in STORED.glob("*.sql")} == {str(m.version) for m in schema.MIGRATIONS}


def test_a_newer_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Neither reading nor writing touches what a newer version wrote; the error says so."""
    path = tmp_path / "x.journal"
    fill(path, [3])
    db = apsw.Connection(str(path))
    db.pragma("user_version", schema.VERSION + 1)
    db.close()
    before = path.read_bytes()
    for opener in (Journal.open, Reader.open):
        with pytest.raises(JournalNewer, match=f"version {schema.VERSION + 1}.*not touched"):
            opener(path)
    assert path.read_bytes() == before


def foreign(path: Path, what: str) -> None:
    """A file that is no journal."""
    match what:
        case "text":
            path.write_text("# my notes\n" * 100)
        case "folder":
            path.mkdir()
        case "tables" | "application":
            db = apsw.Connection(str(path))
            db.execute("CREATE TABLE places(url)" if what == "tables" else "PRAGMA application_id = 42")
            db.close()


@pytest.mark.parametrize("what", ["text", "folder", "tables", "application"])
def test_somebody_else_s_file_is_left_alone(tmp_path: Path, what: str) -> None:
    """A wrong path given by mistake costs nobody anything."""
    path = tmp_path / "x"
    foreign(path, what)
    before = path.read_bytes() if path.is_file() else b""
    for opener in (Journal.open, Reader.open):
        with pytest.raises(NotAJournal):
            opener(path)
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert {p.name for p in tmp_path.iterdir()} <= {"x", "x.lock"}


def test_an_empty_file_becomes_a_journal(tmp_path: Path) -> None:
    """Power went between making the file and writing to it: a writer goes on, a reader says so."""
    path = tmp_path / "x.journal"
    path.touch()
    with pytest.raises(NotAJournal, match="no journal was made here yet"):
        Reader.open(path)
    with Journal.open(path) as journal:
        journal.commit(batch(1, 1))


NEXT = Migration(
    schema.VERSION + 1, "a test's", "CREATE TABLE more(x); INSERT INTO more SELECT position FROM facts;"
)
BROKEN = Migration(
    schema.VERSION + 1, "a broken one", "CREATE TABLE more(x); INSERT INTO nowhere VALUES (1);"
)


def test_a_migration_and_its_record_are_one(tmp_path: Path) -> None:
    """After a migration that failed half-way the file is as before; after a good one all is there."""
    path = tmp_path / "x.journal"
    fill(path, [3])
    db = apsw.Connection(str(path))
    with pytest.raises(apsw.SQLError, match="nowhere"):
        migrate(db, path, (*schema.MIGRATIONS, BROKEN))
    assert not db.in_transaction
    assert db.pragma("user_version") == schema.VERSION
    assert list(db.execute("SELECT name FROM sqlite_schema WHERE name = 'more'")) == []
    assert migrate(db, path, (*schema.MIGRATIONS, NEXT)) == (schema.VERSION, schema.VERSION + 1)
    assert db.pragma("user_version") == schema.VERSION + 1
    assert list(db.execute("SELECT count(*) FROM more")) == [(3,)]
    assert list(db.execute("SELECT name FROM migrations ORDER BY version DESC LIMIT 1")) == [("a test's",)]
    db.close()


def test_an_older_journal_is_not_migrated_by_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader says that the journal must be brought up to date; the next writer does it."""
    path = tmp_path / "x.journal"
    fill(path, [3])
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, NEXT))
    monkeypatch.setattr(schema, "VERSION", NEXT.version)
    with pytest.raises(JournalReadOnly, match="older schema"):
        Reader.open(path)
    Journal.open(path).close()
    with Reader.open(path) as journal:
        assert verify_chain(journal).intact


def test_an_old_sqlite_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution's older SQLite, which can lose pages with two connections, never gets to write."""
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.40.1")
    with pytest.raises(Exception, match=r"3\.40\.1 may lose pages; install a newer apsw"):
        Journal.open(tmp_path / "x.journal")
