"""Full, read-only or failing: the error says how to mend it, nothing is half written, and it heals."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
import pytest

from coldchain.journal import (
    Batch,
    Deliveries,
    Journal,
    JournalBusy,
    JournalError,
    JournalFull,
    JournalIo,
    JournalReadOnly,
    Notice,
    Reader,
    Reserve,
    verify_chain,
)
from coldchain.journal.errors import from_os, from_sqlite
from tests.unit.journal.disk import watched
from tests.unit.journal.support import batch, entries, fill


def commit_for_ever(journal: Journal) -> None:
    """Batches of 50 until something stands against it."""
    while True:
        journal.commit(batch(journal.tail().position + 1, 50))


def test_a_full_disk(tmp_path: Path) -> None:
    """A batch that does not fit leaves nothing behind; it goes in as it is once there is room."""
    path = tmp_path / "x.journal"
    with Journal.open(path) as journal:
        db = journal._database.connection
        limit = db.pragma("max_page_count", db.pragma("page_count") + 12)
        assert limit
        with pytest.raises(JournalFull) as caught:
            commit_for_ever(journal)
        full = caught.value
        last = journal.tail().position
        assert (full.operation, full.path, full.position, full.heals) == ("commit", path, last + 1, True)
        assert isinstance(full.__cause__, apsw.FullError)
        assert "make room" in str(full)
        assert last % 50 == 0
        assert last > 0
        assert verify_chain(journal).intact

        with pytest.raises(JournalFull):
            journal.save_checkpoint(last, "engine", b"x" * 100_000)
        again = batch(last + 1, 50)
        with pytest.raises(JournalFull):
            journal.commit(again)
        db.pragma("max_page_count", 1_000_000)
        assert journal.commit(again).last_position == last + 50
        assert verify_chain(journal).intact


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        pytest.param(apsw.FullError, JournalFull, id="no space"),
        pytest.param(apsw.IOError, JournalIo, id="a medium that fails"),
        pytest.param(apsw.ReadOnlyError, JournalReadOnly, id="remounted read-only"),
    ],
)
def test_whatever_request_fails(failure: type[apsw.Error], kind: type[JournalError]) -> None:
    """The n-th request to the disk fails, for every n: in the end each batch is there exactly once."""
    fail_at = failed_commits = failed_checkpoints = 0
    failed = True
    while failed:
        with TemporaryDirectory() as folder:
            path = Path(folder, "x.journal")
            with watched() as disk, Journal.open(path) as journal:
                journal.wal_pages_max = 3
                disk.fail_at, disk.failure = len(disk.operations) + fail_at, failure
                for size in (1, 3, 40, 2, 1):
                    made = batch(journal.tail().position + 1, size)
                    with suppress(kind):
                        journal.commit(made)
                        failed_checkpoints += journal.wal_trouble is not None
                        continue
                    failed_commits += 1
                    journal.commit(made)
                assert journal.wal_trouble is None, "a checkpoint that failed is made good by the next"
                assert list(journal.entries()) == list(entries(1, 47))
                assert verify_chain(journal).intact
                failed, disk.fail_at = disk.failed, None
            with Reader.open(path) as reader:
                assert verify_chain(reader).facts == 47
        fail_at += 1
    assert failed_commits >= 20
    assert failed_checkpoints >= 10


def test_a_checkpoint_that_fails_is_no_failed_commit() -> None:
    """The log could not be copied into the database: what is in the log is committed all the same."""
    with TemporaryDirectory() as folder, watched() as disk:
        path = Path(folder, "x.journal")
        with Journal.open(path) as journal:
            journal.commit(batch(1, 5))
            disk.fail_at = len(disk.operations)
            with pytest.raises(JournalIo):
                journal.checkpoint_wal()
            assert journal.checkpoint_wal().done
            assert journal.tail().position == 5


def test_a_disk_too_full_to_open_on(tmp_path: Path) -> None:
    """Opening needs a little room itself: the reserve is given for it; without one the error says full."""
    fill(tmp_path / "x.journal", [3])
    reserve = Reserve(tmp_path / "x.journal")
    with watched() as disk:
        disk.failure = apsw.FullError
        disk.fail_opening = True
        with pytest.raises(JournalFull):
            Journal.open(tmp_path / "x.journal")
        assert reserve.make()
        disk.fail_opening = True
        with Journal.open(tmp_path / "x.journal") as journal:
            assert journal.tail().position == 3
        assert not reserve.held


def test_the_log_under_a_long_reader(tmp_path: Path) -> None:
    """Another program's open transaction lets the log grow, visibly; after it the log is cut back."""
    path = tmp_path / "x.journal"
    fill(path, [3])
    with Journal.open(path) as journal:
        journal.wal_pages_max = 20
        journal._database.connection.pragma("journal_size_limit", 100_000)
        stranger = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        stranger.execute("BEGIN")
        assert list(stranger.execute("SELECT count(*) FROM facts")) == [(3,)]
        for first in range(4, 104):
            journal.commit(batch(first, 1))
        grown = journal.wal_bytes()
        assert grown > 100 * 4096
        assert not journal.checkpoint_wal(truncate=True).done
        assert journal.wal_bytes() == grown
        stranger.close()
        assert journal.checkpoint_wal().done
        journal.commit(batch(104, 1))
        assert journal.wal_bytes() <= 100_000
        assert verify_chain(journal).intact


def test_a_journal_whose_machine_went_down_can_be_read(tmp_path: Path) -> None:
    """File and log, copied from under a running writer, are the whole journal, for a reader too."""
    with Journal.open(tmp_path / "x.journal") as journal:
        journal.commit(batch(1, 5))
        (tmp_path / "copy").mkdir()
        files = [str(tmp_path / name) for name in ("x.journal", "x.journal-wal")]
        # By another process: closing a file that SQLite has open in ours would drop its locks.
        subprocess.run(["cp", *files, str(tmp_path / "copy")], check=True)
    with Reader.open(tmp_path / "copy" / "x.journal") as copy:
        assert copy.tail().position == 5
        assert verify_chain(copy).intact


@contextmanager
def nobody() -> Iterator[None]:
    """As a user without rights of its own: root may write where nobody may."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def locked_up() -> Iterator[Path]:
    """A journal at rest in a folder that may only be read."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder / "x.journal", [3, 4])
        (folder / "x.journal").chmod(0o444)
        (folder / "x.journal.lock").chmod(0o444)
        folder.chmod(0o555)
        yield folder / "x.journal"
        folder.chmod(0o755)


def test_an_archive_can_be_read_and_not_written(locked_up: Path) -> None:
    """From a read-only folder a journal can be verified; opening it for writing says what is missing."""
    with nobody(), Reader.open(locked_up) as journal:
        assert verify_chain(journal).intact
        assert journal.tail().position == 7
    with nobody(), pytest.raises(JournalReadOnly, match="writable"):
        Journal.open(locked_up)
    assert sorted(path.name for path in locked_up.parent.iterdir()) == ["x.journal", "x.journal.lock"]


def test_a_file_that_may_only_be_read(tmp_path: Path) -> None:
    """The folder lets us write, the journal itself does not."""
    if os.geteuid() == 0:
        tmp_path.chmod(0o777)
        for parent in tmp_path.parents:
            if parent.stat().st_uid == 0 and parent != Path("/") and parent.name != "tmp":
                parent.chmod(0o755)
    fill(tmp_path / "x.journal", [3])
    (tmp_path / "x.journal").chmod(0o444)
    (tmp_path / "x.journal.lock").chmod(0o666)
    with nobody(), pytest.raises(JournalReadOnly):
        Journal.open(tmp_path / "x.journal")
    with nobody(), Reader.open(tmp_path / "x.journal") as journal:
        assert journal.tail().position == 3


def test_a_stranger_s_transaction_is_named(tmp_path: Path) -> None:
    """Somebody left a write transaction open in another program: busy, and the batch goes in afterwards."""
    path = tmp_path / "x.journal"
    with Journal.open(path) as journal:
        journal._database.connection.set_busy_timeout(0)
        stranger = apsw.Connection(str(path))
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalBusy, match="end the other program"):
            journal.commit(batch(1, 2))
        stranger.execute("ROLLBACK")
        stranger.close()
        journal.commit(batch(1, 2))
        assert verify_chain(journal).intact


def test_a_sink_that_cannot_write_harms_nothing() -> None:
    """A receipt that could not be kept is an error for the sink, and the notice stays pending."""
    with TemporaryDirectory() as folder, watched() as disk:
        path = Path(folder, "x.journal")
        with Journal.open(path) as journal, Deliveries.open(path) as deliveries:
            journal.commit(Batch(entries(1, 3), notices=(Notice("hook", "a", 3, 0, "raised", b"x"),)))
            disk.fail_at, disk.failure = len(disk.operations), apsw.FullError
            with pytest.raises(JournalFull):
                deliveries.done("hook", {"a": "200"}, 0)
            assert [row.notice.id for row in deliveries.pending("hook", 0)] == ["a"]
            journal.commit(batch(4, 3))
            assert deliveries.done("hook", {"a": "200"}, 0) == 1


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        pytest.param(errno.ENOSPC, JournalFull, id="no space"),
        pytest.param(errno.EDQUOT, JournalFull, id="quota used up"),
        pytest.param(errno.EROFS, JournalReadOnly, id="read-only file system"),
        pytest.param(errno.EACCES, JournalReadOnly, id="no permission"),
        pytest.param(errno.EIO, JournalIo, id="a medium that fails"),
        pytest.param(0, JournalIo, id="nothing said"),
    ],
)
def test_what_the_system_said_decides(number: int, kind: type[JournalError]) -> None:
    """SQLite reports a used-up quota as a plain I/O error: the system's own number says which it is."""
    assert type(from_os(OSError(number, "x"), "commit", "j")) is kind
    assert type(from_sqlite(apsw.IOError("disk I/O error"), "commit", "j", system_errno=number)) is kind


def test_every_error_says_where_and_how_to_mend_it() -> None:
    """One sentence has path, operation, position, cause and mend."""
    said = str(from_sqlite(apsw.FullError("database or disk is full"), "commit", "/x/y.journal", position=7))
    assert said == (
        "/x/y.journal: commit at position 7: database or disk is full;"
        " make room on the file system that holds the journal"
    )


def test_the_reserve(tmp_path: Path) -> None:
    """The reserve takes real blocks, can be given back and made again."""
    reserve = Reserve(tmp_path / "x.journal", 1_000_000)
    assert not reserve.held
    assert not reserve.release()
    assert reserve.make()
    assert reserve.make(), "made already"
    assert reserve.held
    assert reserve.path.stat().st_blocks * 512 >= 1_000_000
    assert reserve.release()
    assert not reserve.path.exists()
    assert not reserve.held


def test_a_sparse_file_is_no_reserve(tmp_path: Path) -> None:
    """A file of the right length without blocks keeps no room: it is filled."""
    reserve = Reserve(tmp_path / "x.journal", 1_000_000)
    reserve.path.touch()
    os.truncate(reserve.path, 1_000_000)
    assert not reserve.held
    assert reserve.make()
    assert reserve.held


def test_no_reserve_is_made_of_the_last_room(tmp_path: Path) -> None:
    """A disk with less than twice the reserve free keeps its room for the journal."""
    disk = os.statvfs(tmp_path)
    reserve = Reserve(tmp_path / "x.journal", disk.f_bavail * disk.f_frsize)
    assert not reserve.make()
    assert not reserve.path.exists()


def test_a_reserve_that_does_not_fit_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else took the room in that instant: no half reserve stays behind."""

    def full(fd: int, *_: int) -> None:
        os.write(fd, b"x" * 1000)
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(os, "posix_fallocate", full)
    reserve = Reserve(tmp_path / "x.journal", 1_000_000)
    assert not reserve.make()
    assert not reserve.path.exists()
