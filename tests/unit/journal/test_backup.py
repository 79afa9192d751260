"""A backup is the whole journal of one moment, checked, in one file; or it is not there."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner

from coldchain.cli.main import main
from coldchain.journal import (
    Batch,
    Cursor,
    Deliveries,
    Journal,
    JournalCorrupt,
    JournalError,
    JournalMissing,
    JournalRefused,
    NotAJournal,
    Notice,
    PrivateText,
    Reader,
    back_up,
    verify_chain,
)
from tests.unit.journal import support

ROOT = Path(__file__).resolve().parents[3]


def everything(path: Path) -> list[list[tuple[object, ...]]]:
    """Every row of every table, in the order of the file."""
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        tables = [
            row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")
        ]
        return [list(db.execute(f"SELECT * FROM {table}")) for table in tables]
    finally:
        db.close()


def test_what_a_backup_holds(tmp_path: Path) -> None:
    """All of it, out of the log of an open journal too, in one file that needs none and goes on."""
    path, copy = tmp_path / "x.journal", tmp_path / "copy"
    with Journal.open(path) as journal:
        last = Notice("hook", "a", 3, 0, "raised", b"x")
        name = PrivateText.of("Wang")
        journal.commit(Batch(support.entries(1, 40), (last,), private_texts=(name,), counts={"repeats": 2}))
        with Deliveries.open(path) as deliveries:
            deliveries.move("influx", Cursor(20, 10))
        journal.save_checkpoint(40, "engine", b"state")
        done = back_up(path, copy)
        assert done.tail == journal.tail()
        assert (done.chain.facts, done.size) == (40, copy.stat().st_size)
        assert everything(copy) == everything(path)
        journal.commit(support.batch(41, 3))
    assert sorted(file.name for file in tmp_path.iterdir() if file.name.startswith("copy")) == ["copy"]
    with Reader.open(copy) as reader:
        assert verify_chain(reader, {done.tail.commit: done.tail.link}).intact
    with Journal.open(copy) as journal:
        journal.commit(support.batch(41, 3))


def test_while_somebody_writes(tmp_path: Path) -> None:
    """Each copy, taken at any moment beside a process that commits, is whole and begins like the next."""
    path = tmp_path / "x.journal"
    command = [sys.executable, "-m", "tests.unit.journal.appender", str(path), "7"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        chance, tails = random.Random(6), []
        for number in range(6):
            for _ in range(chance.randrange(1, 40)):
                reported = process.stdout.readline().split()
            tails.append(back_up(path, tmp_path / f"copy-{number}").tail)
            assert tails[-1].commit >= int(reported[0]), "what was reported before is in it"
    finally:
        process.kill()
        process.communicate()
    with Reader.open(tmp_path / "copy-5") as reader:
        assert verify_chain(reader, {tail.commit: tail.link for tail in tails}).intact


@pytest.mark.parametrize("force", [False, True])
def test_nothing_is_overwritten_unasked(tmp_path: Path, force: bool) -> None:
    """What lies there stays, unless --force; the journal itself and what is being written stay always."""
    path, copy = tmp_path / "x.journal", tmp_path / "copy"
    support.fill(path, [3])
    copy.write_text("precious")
    if force:
        assert back_up(path, copy, force=True).chain.facts == 3
    else:
        with pytest.raises(JournalRefused, match="say --force"):
            back_up(path, copy)
        assert copy.read_text() == "precious"
    before = path.read_bytes()
    link = tmp_path / "link"
    link.hardlink_to(path)
    for same in (path, link):
        with pytest.raises(JournalRefused, match="the journal itself"):
            back_up(path, same, force=force)
    assert path.read_bytes() == before
    with Journal.open(tmp_path / "live") as _, pytest.raises(JournalRefused, match="writes there"):
        back_up(path, tmp_path / "live", force=True)
    (tmp_path / "new-wal").write_bytes(b"frames")
    with pytest.raises(JournalRefused, match="log of another journal"):
        back_up(path, tmp_path / "new")


def test_a_damaged_journal_takes_no_good_copy_s_place(tmp_path: Path) -> None:
    """A chain that does not agree is said; the older copy is as it was, and nothing half is left."""
    path, copy = tmp_path / "x.journal", tmp_path / "copy"
    support.fill(path, [3, 3])
    back_up(path, copy)
    good = copy.read_bytes()
    support.tamper(path, "UPDATE facts SET body = x'7b7d' WHERE position = 5")
    with pytest.raises(JournalCorrupt, match="not what was committed"):
        back_up(path, copy, force=True)
    assert copy.read_bytes() == good
    assert not (tmp_path / "copy.partial").exists()


def test_no_room(tmp_path: Path) -> None:
    """A folder that takes nothing is an error of ours, with the mend; nothing half is left behind."""
    path = tmp_path / "x.journal"
    support.fill(path, [3])
    with pytest.raises(JournalError, match="No such file or directory"):
        back_up(path, tmp_path / "nowhere" / "copy")
    with pytest.raises(JournalMissing):
        back_up(tmp_path / "y.journal", tmp_path / "copy")
    (tmp_path / "text").write_text("no journal at all")
    with pytest.raises(NotAJournal):
        back_up(tmp_path / "text", tmp_path / "copy")
    assert not list(tmp_path.glob("copy*"))


def test_the_commands(tmp_path: Path) -> None:
    """`backup` prints the anchor of the end, `restore` makes a journal of it, neither overwrites."""
    path, copy, back = tmp_path / "x.journal", tmp_path / "copy", tmp_path / "back.journal"
    support.fill(path, [3, 4])
    with Reader.open(path) as reader:
        tail = reader.tail()
    done = CliRunner().invoke(main, ["backup", str(path), str(copy)])
    assert done.exit_code == 0, done.output
    assert f"7 facts in 2 commits, every link as it was; anchor of its end 2:{tail.link.hex()}" in done.output
    assert CliRunner().invoke(main, ["backup", str(path), str(copy)]).exit_code == 2
    done = CliRunner().invoke(main, ["backup", "--force", "--format", "json", str(path), str(copy)])
    assert tail.link.hex() in done.output
    done = CliRunner().invoke(main, ["restore", str(copy), str(back)])
    assert (done.exit_code, done.output) == (0, f"7 facts in {back}, every link as it was\n")
    assert everything(back) == everything(path)
    assert CliRunner().invoke(main, ["restore", str(copy), str(back)]).exit_code == 2
