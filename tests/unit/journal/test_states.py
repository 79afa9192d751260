"""States of the fold, and texts that can be erased."""

from __future__ import annotations

import secrets
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from coldchain.journal import (
    Batch,
    Checkpoint,
    Journal,
    JournalCorrupt,
    JournalRefused,
    PrivateText,
    Reader,
    verify_chain,
)
from tests.unit.journal.support import batch, entries, fill, tamper


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Thirty facts."""
    fill(tmp_path / "x.journal", [10, 10, 10])
    return tmp_path / "x.journal"


def test_the_newest_state_of_an_engine(path: Path) -> None:
    """Each engine finds its own newest state, or its newest up to a position."""
    with Journal.open(path) as journal:
        assert journal.latest_checkpoint("a") is None
        for position in (10, 20, 30):
            journal.save_checkpoint(position, "a", b"a%d" % position)
        journal.save_checkpoint(20, "b", b"b20")
        assert journal.latest_checkpoint("a") == Checkpoint(30, "a", b"a30")
        assert journal.latest_checkpoint("a", up_to=29) == Checkpoint(20, "a", b"a20")
        assert journal.latest_checkpoint("a", up_to=9) is None
        assert journal.latest_checkpoint("b") == Checkpoint(20, "b", b"b20")
        assert journal.latest_checkpoint("c") is None


def test_only_the_newest_are_kept(path: Path) -> None:
    """Saving prunes older ones of the same engine; saving again replaces; others are not touched."""
    with Journal.open(path) as journal:
        journal.save_checkpoint(1, "b", b"b")
        for position in range(1, 9):
            journal.save_checkpoint(position, "a", b"old", keep=2)
            journal.save_checkpoint(position, "a", b"new", keep=2)
        rows = journal._database.all("test", "SELECT engine, position FROM checkpoints ORDER BY 1, 2")
        assert rows == [("a", 7), ("a", 8), ("b", 1)]
        assert journal.latest_checkpoint("a") == Checkpoint(8, "a", b"new")
        assert journal.drop_checkpoints(except_engine="a") == 1
        assert journal.latest_checkpoint("b") is None
        assert journal.drop_checkpoints() == 2
        assert journal.latest_checkpoint("a") is None


@pytest.mark.parametrize("position", [0, -1, 31])
def test_a_state_of_what_is_not_committed_is_refused(path: Path, position: int) -> None:
    """A state that runs ahead of the journal would swallow the facts after it."""
    with Journal.open(path) as journal:
        with pytest.raises(JournalRefused, match="ends at 30"):
            journal.save_checkpoint(position, "a", b"x")
        with pytest.raises(JournalRefused, match="ends at 30"):
            journal.save_base_state(position, "a", b"x")
        assert journal.latest_checkpoint("a") is None


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("UPDATE checkpoints SET state = x'00' WHERE position = 20", id="its bytes"),
        pytest.param("UPDATE checkpoints SET position = 25 WHERE position = 20", id="its place"),
        pytest.param("UPDATE checkpoints SET sha256 = x'00' WHERE position = 20", id="its hash"),
        pytest.param(
            "UPDATE checkpoints SET state = (SELECT state FROM checkpoints WHERE position = 10)"
            " WHERE position = 20",
            id="another's bytes",
        ),
    ],
)
def test_a_damaged_state_is_never_folded_from(path: Path, damage: str) -> None:
    """A cache that is not what was saved counts as absent: the one before it is taken."""
    with Journal.open(path) as journal:
        journal.save_checkpoint(10, "a", b"ten")
        journal.save_checkpoint(20, "a", b"twenty")
    tamper(path, damage)
    with Reader.open(path) as journal:
        assert journal.latest_checkpoint("a") == Checkpoint(10, "a", b"ten")


def test_base_states(path: Path) -> None:
    """The earliest base state of an engine at or after a position that is what was saved."""
    with Journal.open(path) as journal:
        assert journal.first_base_state("a") is None
        journal.save_base_state(10, "a", b"ten")
        journal.save_base_state(15, "another", b"fifteen")
        journal.save_base_state(20, "a", b"twenty")
        journal.drop_checkpoints()
        assert journal.first_base_state("a") == Checkpoint(10, "a", b"ten")
        assert journal.first_base_state("a", 11) == Checkpoint(20, "a", b"twenty")
        assert journal.first_base_state("a", 21) is None
    tamper(path, "UPDATE base_states SET state = x'00' WHERE position = 10")
    with Reader.open(path) as journal:
        assert journal.first_base_state("a") == Checkpoint(20, "a", b"twenty")


def test_states_beside_the_chain_change_no_link(path: Path) -> None:
    """Caches come and go; the chain is of facts and announcements alone."""
    with Journal.open(path) as journal:
        before = journal.tail()
        journal.save_checkpoint(30, "a", b"x" * 10_000)
        journal.save_base_state(30, "a", b"x")
        assert journal.tail() == before
        journal.commit(batch(31, 2))
        assert verify_chain(journal).intact


def found_in(folder: Path, secret: bytes) -> list[str]:
    """Files of a folder that contain these bytes.

    Looked at by another process: closing a file that SQLite has open in ours would drop its locks.
    """
    look = (
        "import sys, pathlib; secret = bytes.fromhex(sys.argv[2])\n"
        "for file in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    if secret in file.read_bytes(): print(file.name)"
    )
    command = [sys.executable, "-c", look, str(folder), secret.hex()]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_an_erased_name_is_gone_from_the_disk(tmp_path: Path) -> None:
    """Not in the database, not in the log; the fact with its commitment still verifies."""
    path = tmp_path / "x.journal"
    name = f"Anna {secrets.token_hex(8)}"
    text = PrivateText.of(name)
    with Journal.open(path) as journal:
        journal.commit(Batch(entries(1, 3), private_texts=(text, PrivateText.of("Berta"))))
        assert found_in(tmp_path, name.encode()) != [], "or the last assertions prove nothing"
        assert found_in(tmp_path, text.salt) != []
        assert journal.private_text(text.commitment) == name
        journal.commit(Batch(entries(4, 1), erased=(text.commitment,)))
        assert journal.private_text(text.commitment) is None
        journal.commit(Batch(entries(5, 1), private_texts=(text,)))
        assert journal.private_text(text.commitment) is None, "nothing brings it back"
        assert verify_chain(journal).intact
        assert len(list(journal.private_texts())) == 1
        assert found_in(tmp_path, name.encode()) == []
        assert found_in(tmp_path, text.salt) == []


def test_what_was_erased_leaves_the_log_when_nobody_reads_any_more(tmp_path: Path) -> None:
    """A reader of the moment before keeps it there; the next copying of the log after it takes it away."""
    path = tmp_path / "x.journal"
    name = f"Anna {secrets.token_hex(8)}"
    text = PrivateText.of(name)
    with Journal.open(path) as journal:
        journal.commit(Batch(entries(1, 3), private_texts=(text,)))
        reader = apsw.Connection(str(path))
        reader.execute("BEGIN").execute("SELECT count(*) FROM facts").fetchall()  # holds what it saw
        journal.commit(Batch(entries(4, 1), erased=(text.commitment,)))
        assert found_in(tmp_path, name.encode()) != [], "or the last assertion proves nothing"
        reader.close()
        journal.checkpoint_wal()
        assert found_in(tmp_path, name.encode()) == []


def test_a_commitment_hides_the_text() -> None:
    """The same name gives another commitment each time, so names cannot be guessed and compared."""
    first, second = PrivateText.of("Anna"), PrivateText.of("Anna")
    assert first.commitment != second.commitment
    assert len(first.salt) == 32
    assert PrivateText.of("Anna", first.salt) == first


def test_a_tail_that_was_tampered_with_is_not_continued(path: Path) -> None:
    """Opening for writing recomputes the last link: nothing is appended to what is not evidence any more."""
    tamper(path, "UPDATE facts SET arrival_ms = arrival_ms + 1 WHERE position = 30")
    with pytest.raises(JournalCorrupt, match="commit 3 is not what was committed"):
        Journal.open(path)
    with Reader.open(path) as journal:
        assert not verify_chain(journal).intact


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("DELETE FROM facts WHERE position = 30", id="last fact gone"),
        pytest.param("DELETE FROM commits WHERE number = 3", id="last commit gone"),
        pytest.param("DELETE FROM facts", id="all facts gone"),
        pytest.param("DELETE FROM commits", id="all commits gone"),
        pytest.param("DELETE FROM identity", id="the id gone"),
    ],
)
def test_a_tail_that_contradicts_itself_is_refused(path: Path, damage: str) -> None:
    """Facts and commits end at the same place, or there is no telling where to go on."""
    tamper(path, damage)
    with pytest.raises(JournalCorrupt):
        Journal.open(path)
