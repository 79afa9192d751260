"""How `run` and `verify` end when they cannot do their work: a status to act on, words to mend it by."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner

from coldchain.cli.main import main
from coldchain.facts import Activated, ProcessEnded, Reading
from coldchain.journal import Journal
from tests.unit.fold.bench import limit, plan
from tests.unit.pipeline.test_writer import begin

SITE = '[site]\nname = "x"\n[journal]\npath = "journal.db"\n'
REAL = """
[sources.freezer]
driver = "mve_tec3000"
port = "/dev/null"
poll = "10 s"
[sources.freezer.settings]
address = 1
displayed_unit = "degC"
queries = [{ key = "temp_a", query = "TEMPA?" }]
baud = 9600
frame = "8N1"
"""
EXPOSED = '[page]\nhost = "192.0.2.1"\nusers_file = "users"\nbehind_proxy = true\nnames = ["x.test"]\n'


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "words", "status", "said"),
    [
        pytest.param(SITE + "nonsense = 1\n", [], 78, "nonsense", id="a configuration with a mistake"),
        pytest.param(
            SITE + REAL, ["--speed", "10"], 78, "freezer is not marked simulated", id="a scaled real device"
        ),
        pytest.param(SITE + EXPOSED, [], 78, "coldchain user add", id="a page open to the world"),
        pytest.param(
            SITE.replace("journal.db", "/proc/no/such/journal.db"),
            [],
            78,
            "correct [journal] path",
            id="no folder",
        ),
        pytest.param(SITE.replace("journal.db", "text"), [], 69, "not an SQLite database", id="no journal"),
    ],
)
def test_a_daemon_that_cannot_start(
    tmp_path: Path, text: str, words: list[str], status: int, said: str
) -> None:
    """The exit status tells a configuration from a circumstance; the words name the mend; no traceback."""
    (tmp_path / "text").write_text("this is no database, and it is long enough to be looked at\n" * 20)
    config = tmp_path / "gateway.toml"
    config.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).with_name("coldchain"), "run", "--config", config, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A sound journal with an alarm in it."""
    path = tmp_path / "j.db"
    writer, queue, clock, opened = begin(path, [])
    queue.submit((Activated(plan(limit(hold_ms=0)), {}),))
    queue.offer((Reading("log", "box.vapour", "-149", "degC", at_ms=clock.utc_ms()),))
    writer.step(0)
    writer.stop(ProcessEnded("asked to stop"))
    writer.run()
    opened.close()
    return path


def test_a_sound_journal(journal: Path) -> None:
    """Exit status 0, in words and as JSON."""
    said = CliRunner().invoke(main, ["verify", str(journal)])
    assert said.exit_code == 0
    assert ": equal (1 announcements; engine " in said.stdout
    assert "\nsound\n" in said.stdout
    assert "no head is signed" in said.stdout
    whole = json.loads(CliRunner().invoke(main, ["verify", str(journal), "--format", "json"]).stdout)
    assert whole["sound"] is True
    assert whole["findings"] == []
    assert [stretch["verdict"] for stretch in whole["stretches"]] == ["equal"]


def test_a_journal_that_was_tampered_with(journal: Path, tmp_path: Path) -> None:
    """One digit of one reading changed behind our back: exit status 1, and where."""
    copy = tmp_path / "copy.db"
    shutil.copy(journal, copy)
    db = apsw.Connection(str(copy))
    db.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
    db.execute("UPDATE facts SET body = CAST(replace(body, '-149', '-159') AS BLOB)")
    db.close()
    said = CliRunner().invoke(main, ["verify", str(copy)])
    assert said.exit_code == 1
    assert "NOT SOUND" in said.stdout
    assert "commit 1: " in said.stdout
    assert (
        json.loads(CliRunner().invoke(main, ["verify", str(copy), "--format", "json"]).stdout)["sound"]
        is False
    )


@pytest.mark.parametrize(
    ("statement", "position"),
    [
        pytest.param("UPDATE facts SET arrival_ms = 1 WHERE position = 4", 4, id="an arrival that goes back"),
        pytest.param(
            "UPDATE facts SET body = x'7b7d', shape = 0 WHERE position = 3", 3, id="no fact any more"
        ),
        pytest.param("UPDATE facts SET shape = 99 WHERE position = 3", 3, id="a shape that is gone"),
    ],
)
def test_a_journal_that_cannot_be_folded_to_its_end(
    journal: Path, tmp_path: Path, statement: str, position: int
) -> None:
    """What the chain finds is said all the same, with where the re-fold had to stop: status 1."""
    copy = tmp_path / "copy.db"
    shutil.copy(journal, copy)
    db = apsw.Connection(str(copy))
    db.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
    db.execute(statement)
    db.close()
    said = CliRunner().invoke(main, ["verify", str(copy)], catch_exceptions=False)
    assert said.exit_code == 1
    assert "commit 1: " in said.stdout
    assert f"from position {position} on nothing can be folded" in said.stdout
    assert "note: " not in said.stdout
    whole = json.loads(CliRunner().invoke(main, ["verify", str(copy), "--format", "json"]).stdout)
    assert (whole["sound"], whole["stopped"]["position"]) == (False, position)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Path]:
    """The journal of a daemon that runs, part of it in the log alone."""
    path = tmp_path / "running.db"
    writer, queue, clock, opened = begin(path, [])
    queue.submit((Activated(plan(limit(hold_ms=0)), {}),))
    queue.offer((Reading("log", "box.vapour", "-149", "degC", at_ms=clock.utc_ms()),))
    writer.step(0)
    yield path
    opened.close()


def test_a_copy_without_its_log(running: Path, tmp_path: Path) -> None:
    """The file alone holds nothing yet: it says that the log is missing and which, never that it is sound."""
    copy = tmp_path / "copy.db"
    shutil.copy(running, copy)
    said = CliRunner().invoke(main, ["verify", str(copy)])
    assert said.exit_code == 2
    assert "there is no copy.db-wal" in said.stderr
    assert "copy its log to copy.db-wal" in said.stderr
    shutil.copy(running.with_name("running.db-wal"), tmp_path / "copy.db-wal")
    assert CliRunner().invoke(main, ["verify", str(copy)]).exit_code == 0


def test_a_copy_whose_end_lies_in_a_log_elsewhere(running: Path, tmp_path: Path) -> None:
    """A chain that was cut looks whole: it is said that the end may be missing. The original is in order."""
    copy = tmp_path / "copy.db"
    db = apsw.Connection(str(running))
    db.pragma("user_version")  # a connection that has read nothing yet knows of no log
    db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_FULL)
    shutil.copy(running, copy)
    said = CliRunner().invoke(main, ["verify", str(copy)])
    assert said.exit_code == 0, said.output
    assert "its newest facts are missing" in said.stdout
    assert json.loads(CliRunner().invoke(main, ["verify", str(copy), "--format", "json"]).stdout)["cut"]
    assert "note: " not in CliRunner().invoke(main, ["verify", str(running)]).stdout
    db.close()


def test_a_journal_without_a_fact(tmp_path: Path) -> None:
    """An empty journal is not sound: there was nothing to look at. Exit status 2, in words and as JSON."""
    path = tmp_path / "j.db"
    Journal.open(path, command="test").close()
    said = CliRunner().invoke(main, ["verify", str(path)])
    assert said.exit_code == 2
    assert "EMPTY" in said.stdout
    assert "sound" not in said.stdout
    empty = CliRunner().invoke(main, ["verify", str(path), "--format", "json"])
    assert empty.exit_code == 2
    assert (json.loads(empty.stdout)["sound"], json.loads(empty.stdout)["facts"]) == (False, 0)


def test_an_anchor_shows_a_missing_end(journal: Path, tmp_path: Path) -> None:
    """The anchor that is printed fits the journal it was printed of, and not one that ends before it."""
    said = CliRunner().invoke(main, ["verify", str(journal)]).stdout
    anchor = said.partition("anchor of its end ")[2].split()[0]
    assert CliRunner().invoke(main, ["verify", str(journal), "--anchor", anchor]).exit_code == 0
    copy = tmp_path / "copy.db"
    shutil.copy(journal, copy)
    db = apsw.Connection(str(copy))
    db.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
    db.execute("DELETE FROM facts WHERE position = 7; DELETE FROM commits WHERE number = 2")
    db.close()
    assert CliRunner().invoke(main, ["verify", str(copy)]).exit_code == 0
    short = CliRunner().invoke(main, ["verify", str(copy), "--anchor", anchor])
    assert short.exit_code == 1
    assert "known elsewhere and not here" in short.stdout
    wrong = CliRunner().invoke(main, ["verify", str(journal), "--anchor", anchor[:-1]])
    assert wrong.exit_code == 2
    assert "64 hex digits" in wrong.stderr


def test_what_is_no_journal(tmp_path: Path) -> None:
    """Exit status 2: nothing can be said of it."""
    other = tmp_path / "notes.txt"
    other.write_text("this is no database, and it is long enough to be looked at\n" * 20)
    said = CliRunner().invoke(main, ["verify", str(other)])
    assert said.exit_code == 2
    assert "not an SQLite database" in said.stderr
