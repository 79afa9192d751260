"""What docs/journal.md promises a stranger holds, with the stranger's own tools."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from coldchain.journal import Entry, Journal, Reader, errors, schema
from coldchain.journal.errors import JournalError
from coldchain.journal.link import link, origin
from tests.unit.journal.support import batch, entries, fill, tamper

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "journal.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program printed on the page."""
    found = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    path = tmp_path_factory.mktemp("stranger") / "check.py"
    path.write_text(found[0], encoding="utf-8")
    return path


def run(stranger: Path, journal: Path) -> subprocess.CompletedProcess[str]:
    """Let the stranger check a journal; `-I` keeps everything of ours away."""
    return subprocess.run(
        [sys.executable, "-I", str(stranger), str(journal)], capture_output=True, text=True, check=False
    )


def test_a_stranger_comes_to_the_same_link(stranger: Path, tmp_path: Path) -> None:
    """The program on the page, with Python's own SQLite, recomputes the last link."""
    fill(tmp_path / "x.journal", [1, 7, 30, 2])
    with Reader.open(tmp_path / "x.journal") as journal:
        tail = journal.tail()
    checked = run(stranger, tmp_path / "x.journal")
    assert checked.stdout.split() == ["4", tail.link.hex()], checked.stderr


def test_a_stranger_may_look_while_the_daemon_runs(stranger: Path, tmp_path: Path) -> None:
    """Commits that are still in the log are seen too."""
    with Journal.open(tmp_path / "x.journal") as journal:
        journal.commit(batch(1, 3))
        assert run(stranger, tmp_path / "x.journal").stdout.split() == ["1", journal.tail().link.hex()]


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        pytest.param("UPDATE facts SET body = x'7b7d' WHERE position = 5", "commit 2", id="a fact"),
        pytest.param("DELETE FROM facts WHERE position = 5", "commit 2", id="a fact gone"),
        pytest.param("DELETE FROM announcements WHERE position = 9", "commit 3", id="unsaid"),
        pytest.param("DELETE FROM commits WHERE number = 2", "commit 3", id="a commit gone"),
        pytest.param("DELETE FROM commits WHERE number = 4", "commit 4", id="the last commit gone"),
        pytest.param("DELETE FROM shapes", "commit 1", id="shapes gone"),
    ],
)
def test_a_stranger_finds_what_we_find(stranger: Path, tmp_path: Path, statement: str, says: str) -> None:
    """A journal that was tampered with is told from a true one."""
    fill(tmp_path / "x.journal", [1, 7, 30, 2])
    tamper(tmp_path / "x.journal", statement)
    checked = run(stranger, tmp_path / "x.journal")
    assert checked.returncode == 1
    assert checked.stderr.splitlines()[-1].startswith(says)


def test_the_encoding_is_as_the_page_draws_it() -> None:
    """The link of a small batch, written out byte by byte."""
    journal_id = bytes(range(16))
    first = hashlib.sha256(b"coldchain journal 1\n" + journal_id).digest()
    assert origin(journal_id) == first
    batch = [Entry(7, -1, b"{}", (b"a", b"")), Entry(8, 5, b"", ())]
    by_hand = (
        first
        + (3).to_bytes(8)
        + (7).to_bytes(8)
        + (2).to_bytes(4)
        + b"\xff" * 8
        + (2).to_bytes(4)
        + b"{}"
        + (2).to_bytes(4)
        + (1).to_bytes(4)
        + b"a"
        + (0).to_bytes(4)
        + (5).to_bytes(8)
        + (0).to_bytes(4)
        + (0).to_bytes(4)
    )
    assert link(first, 3, batch) == hashlib.sha256(by_hand).digest()
    assert struct.calcsize(">QQI") == 20


def test_nothing_can_move_between_parts() -> None:
    """The same bytes cut otherwise give another link: facts and announcements are told apart."""
    start = origin(bytes(16))
    cuts = [
        (Entry(1, 0, b"ab", ()), Entry(2, 0, b"c", ())),
        (Entry(1, 0, b"a", ()), Entry(2, 0, b"bc", ())),
        (Entry(1, 0, b"ab", (b"c",)),),
        (Entry(1, 0, b"a", (b"b", b"c")),),
        (Entry(1, 0, b"a", (b"bc",)),),
        (Entry(1, 0, b"abc", ()),),
        (Entry(1, 0, b"abc", (b"",)),),
        (Entry(2, 0, b"abc", ()),),
        (Entry(1, 1, b"abc", ()),),
    ]
    assert len({link(start, 1, cut) for cut in cuts}) == len(cuts)
    assert link(start, 1, entries(1, 2)) != link(start, 2, entries(1, 2))


def test_the_page_knows_every_table_and_error(tmp_path: Path) -> None:
    """A table or error that is added is described, one that is removed is not described any more."""
    Journal.open(tmp_path / "x.journal").close()
    db = sqlite3.connect(tmp_path / "x.journal")
    names = {row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")}
    db.close()
    assert {name for name in names if f"`{name}`" not in PAGE} == {"sqlite_sequence"} & names
    kinds = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, JournalError) and kind is not JournalError
    }
    assert {name for name in kinds if f"`{name}`" not in PAGE} == set()
    assert f"0x{schema.APPLICATION_ID:x}" in PAGE
