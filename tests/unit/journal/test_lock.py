"""One writer; a second one is told who. Readers are let in."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coldchain import clock
from coldchain.journal import Journal, JournalBusy, JournalMissing, NotAJournal, Reader, holder_of
from coldchain.journal.lock import lock_path
from tests.unit.journal.support import batch, fill

HOLDS = """
import sys
import threading
from coldchain.journal import Journal
with Journal.open(sys.argv[1], command="coldchain run", since_utc_ms=1_700_000_000_000):
    print("holds", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the journal until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "holds\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_writer_is_told_who_holds_it(tmp_path: Path) -> None:
    """The refusal names the holder's process, command and since when, and who it is can be asked."""
    path = tmp_path / "x.journal"
    with another_process(path) as process:
        with pytest.raises(JournalBusy, match=rf"process {process.pid} \(coldchain run\)") as caught:
            Journal.open(path)
        holder = caught.value.holder
        assert holder is not None
        assert (holder.pid, holder.command) == (process.pid, "coldchain run")
        assert (holder.boot_id, holder.since_utc_ms) == (clock.boot_id(), 1_700_000_000_000)
        assert holder_of(path) == holder
        with Reader.open(path) as reader:
            assert reader.tail().position == 0


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    """The kernel gives the lock back, however the holder ended; what it wrote into the file is stale."""
    path = tmp_path / "x.journal"
    with another_process(path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert str(process.pid) in lock_path(path).read_text()
        assert holder_of(path) is None
        with Journal.open(path, command="second") as journal:
            journal.commit(batch(1, 1))
            holder = holder_of(path)
            assert holder is not None
            assert (holder.pid, holder.command) == (os.getpid(), "second")


def test_not_twice_in_one_process_either(tmp_path: Path) -> None:
    """A second open in the same process is refused as well; after closing it is free."""
    path = tmp_path / "x.journal"
    with Journal.open(path):
        for _ in range(2):
            with pytest.raises(JournalBusy, match=str(os.getpid())):
                Journal.open(path)
    assert holder_of(path) is None
    assert lock_path(path).read_text() == ""
    Journal.open(path).close()


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    """The second close does nothing, not even to the next holder's lock."""
    journal = Journal.open(tmp_path / "x.journal")
    journal.close()
    with Journal.open(tmp_path / "x.journal"):
        journal.close()
        assert holder_of(tmp_path / "x.journal") is not None


def test_a_link_to_a_journal_is_that_journal(tmp_path: Path) -> None:
    """Two names of one file have one lock."""
    (tmp_path / "link").symlink_to(tmp_path / "x.journal")
    with Journal.open(tmp_path / "x.journal"), pytest.raises(JournalBusy):
        Journal.open(tmp_path / "link")


@pytest.mark.parametrize("content", ["", "{", '{"pid": "x"}'], ids=["empty", "half written", "nonsense"])
def test_a_holder_that_has_not_said_its_name(tmp_path: Path, content: str) -> None:
    """Between taking the lock and writing the name a second writer is refused all the same."""
    path = tmp_path / "x.journal"
    with another_process(path):
        lock_path(path).write_text(content)
        with pytest.raises(JournalBusy, match="has not said its name") as caught:
            Journal.open(path)
        assert caught.value.holder is None
        assert holder_of(path) is not None


def test_a_failed_open_keeps_no_lock(tmp_path: Path) -> None:
    """Whatever stands against opening, the next try is not told that we hold it."""
    path = tmp_path / "x.journal"
    path.write_text("not a database at all, but long enough to have a header of its own " * 10)
    for _ in range(2):
        with pytest.raises(NotAJournal):
            Journal.open(path)
    assert holder_of(path) is None


def test_nothing_is_left_where_there_is_no_folder(tmp_path: Path) -> None:
    """A wrong path is said to be one."""
    with pytest.raises(JournalMissing, match="folder"):
        Journal.open(tmp_path / "typo" / "x.journal")
    with pytest.raises(JournalMissing):
        Journal.open(tmp_path / "x.journal", create=False)
    with pytest.raises(JournalMissing):
        Reader.open(tmp_path / "x.journal")
    assert holder_of(tmp_path / "x.journal") is None


def test_a_holder_on_a_full_disk_is_nameless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No room for the holder's name is no reason not to run."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(os, "pwrite", full)
    with Journal.open(tmp_path / "x.journal") as journal:
        journal.commit(batch(1, 1))
        with pytest.raises(JournalBusy, match="has not said its name"):
            Journal.open(tmp_path / "x.journal")


def test_a_journal_may_be_handed_to_a_thread(tmp_path: Path) -> None:
    """Opened in one thread, written in another: the daemon starts that way."""
    with Journal.open(tmp_path / "x.journal") as journal:
        thread = threading.Thread(target=journal.commit, args=(batch(1, 4),))
        thread.start()
        thread.join()
        assert journal.tail().position == 4


def test_readers_come_and_go_beside_a_writer(tmp_path: Path) -> None:
    """A reader sees each commit as soon as it is made, and keeps no writer waiting."""
    path = tmp_path / "x.journal"
    fill(path, [2])
    with Reader.open(path) as reader, Journal.open(path) as journal:
        journal._database.connection.set_busy_timeout(0)
        for size in (1, 20, 3):
            done = journal.commit(batch(journal.tail().position + 1, size))
            assert reader.tail().position == done.last_position
        assert journal.checkpoint_wal(truncate=True).done
        assert journal.wal_bytes() == 0
        assert reader.tail().position == 26
