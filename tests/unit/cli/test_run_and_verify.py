"""How `run` and `verify` end when they cannot do their work: a status to act on, words to mend it by."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner

from coldchain.cli.main import main
from coldchain.facts import Activated, ProcessEnded, Reading
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
    assert said.stdout.endswith("\nsound\n")
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


def test_what_is_no_journal(tmp_path: Path) -> None:
    """Exit status 2: nothing can be said of it."""
    other = tmp_path / "notes.txt"
    other.write_text("this is no database, and it is long enough to be looked at\n" * 20)
    said = CliRunner().invoke(main, ["verify", str(other)])
    assert said.exit_code == 2
    assert "not an SQLite database" in said.stderr
