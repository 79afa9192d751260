"""A log that is not copied back says why: once when it begins, once when it is over."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from coldchain.daemon import tidying
from coldchain.daemon.tidying import Tidying
from coldchain.journal import Journal
from tests.unit.journal.disk import watched
from tests.unit.journal.support import batch


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Level and words of what was logged since the last time."""
    found = [(record.levelname, record.getMessage()) for record in caplog.records]
    caplog.clear()
    return found


def test_a_disk_that_takes_the_log_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The database cannot be written: said once with the cause, however often it is tried."""
    caplog.set_level("INFO")
    with watched() as disk, Journal.open(tmp_path / "x.journal") as journal:
        work = Tidying(journal)
        work.look()
        assert said(caplog) == []
        for _ in range(3):
            journal.commit(batch(journal.tail().position + 1, 5))
            disk.fail_at, disk.failed = len(disk.operations), False
            work.look()
            assert disk.failed
        ((level, words),) = said(caplog)
        assert level == "WARNING"
        assert words.startswith(f"the journal's log is 0 MiB: {journal.path}: checkpoint: ")
        disk.fail_at = None
        work.look()
        work.look()
        assert said(caplog) == [("INFO", "the journal's log is copied back again")]


def test_a_commit_that_could_not_copy_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A commit passes over it, for its facts are on the disk; the next look says it all the same."""
    caplog.set_level("INFO")
    with watched() as disk, Journal.open(tmp_path / "x.journal") as journal:
        work = Tidying(journal)
        journal.commit(batch(1, 5))
        seen = len(disk.operations)
        journal.commit(batch(6, 5))
        disk.fail_at = len(disk.operations) + len(disk.operations) - seen  # what is asked after the commit
        journal.wal_pages_max = 1
        journal.commit(batch(11, 5))
        assert journal.wal_trouble is not None
        assert journal.tail().position == 15
        work.look()
        ((level, words),) = said(caplog)
        assert (level, ": checkpoint: " in words) == ("WARNING", True)
        work.look()
        assert said(caplog) == [("INFO", "the journal's log is copied back again")]


def test_somebody_reads_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short reader is none of our business; one under whom the log has grown is named as the cause."""
    caplog.set_level("INFO")
    with Journal.open(tmp_path / "x.journal") as journal:
        work = Tidying(journal)
        stranger = apsw.Connection(str(journal.path), flags=apsw.SQLITE_OPEN_READONLY)
        stranger.execute("BEGIN")
        assert list(stranger.execute("SELECT count(*) FROM facts")) == [(0,)]
        journal.commit(batch(1, 50))
        work.look()
        assert said(caplog) == []
        monkeypatch.setattr(tidying, "WAL_KEEP_BYTES", 4096)
        work.look()
        work.look()
        ((level, words),) = said(caplog)
        assert (level, "has not ended its transaction" in words) == ("WARNING", True)
        stranger.close()
        work.look()
        assert said(caplog) == [("INFO", "the journal's log is copied back again")]
