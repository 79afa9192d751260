"""A migration that is cut off, by the disk, a kill or the power, leaves the old version or the new one."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
import pytest

from coldchain.journal import Journal, JournalError, verify_chain
from tests.campaign.medium import Contents, Cut, Medium, every_cut
from tests.unit.journal.disk import Operation, watched
from tests.unit.journal.stored import STORED, assert_whole, put
from tests.unit.journal.support import batch

VERSIONS = sorted(int(path.stem) for path in STORED.glob("*.sql"))
#: States drawn at random for each migration, beside those that a kill leaves.
DRAWN = 40
NAME = "x.journal"
#: In memory where there is such a folder: it is what was asked of the disk that is tried, not this disk.
QUICK = Path("/dev/shm") if Path("/dev/shm").is_dir() else None


def objects(path: Path) -> tuple[int, set[tuple[str, str]], list[int]]:
    """The version that a file says it has, what there is in its schema, and which migrations it knows of."""
    db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        there = set(db.execute("SELECT type, name || coalesce(sql, '') FROM sqlite_schema"))
        return (
            version,
            there,
            [row[0] for row in db.execute("SELECT version FROM migrations ORDER BY version")],
        )
    finally:
        db.close()


def old(folder: Path, version: int, *, in_log: bool) -> Contents:
    """The files of a stored journal; `in_log`: as a power cut left them, all of it still in the log."""
    path = folder / f"{version}{in_log:d}" / NAME
    path.parent.mkdir()
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = wal")
    db.execute(f"PRAGMA wal_autocheckpoint = {0 if in_log else 1}")
    db.executescript((STORED / f"{version}.sql").read_text(encoding="utf-8"))
    found = {file.name: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}
    db.close()
    return found if in_log else {NAME: path.read_bytes()}


def lay(folder: Path, files: Contents) -> Path:
    """Put files on the disk."""
    for name, text in files.items():
        (folder / name).write_bytes(text)
    return folder / NAME


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, set[tuple[str, str]]]:
    """The whole schema of each version."""
    folder = tmp_path_factory.mktemp("shapes")
    found = {}
    for version in VERSIONS:
        put(folder / f"{version}", STORED / f"{version}.sql")
        found[version] = objects(folder / f"{version}")[1]
    return found


def assert_old_or_new(path: Path, shapes: dict[int, set[tuple[str, str]]], before: int) -> int:
    """One version or another, no half of it; then it opens, and everything is there. The version it was."""
    version, there, known = objects(path)
    assert version in VERSIONS[VERSIONS.index(before) :]
    assert there == shapes[version]
    assert known == list(range(1, version + 1))
    with Journal.open(path, reserve_bytes=0) as journal:
        assert_whole(journal)
        journal.commit(batch(13, 2))
        assert verify_chain(journal).intact
    assert objects(path) == (VERSIONS[-1], shapes[VERSIONS[-1]], VERSIONS)
    return version


CASES = [
    pytest.param(before, in_log, id=f"from {before}, {'all in its log' if in_log else 'at rest'}")
    for before in VERSIONS[:-1]
    for in_log in (False, True)
]


@pytest.mark.parametrize(("before", "in_log"), CASES)
def test_whatever_request_of_a_migration_fails(
    tmp_path: Path, shapes: dict[int, set[tuple[str, str]]], before: int, in_log: bool
) -> None:
    """The n-th request fails, for every n: the start says so, and the next one finds all of it."""
    files = old(tmp_path, before, in_log=in_log)
    refused = 0
    for fail_at in range(10_000):
        with TemporaryDirectory(dir=QUICK) as folder:
            path = lay(Path(folder), files)
            with watched() as disk:
                disk.fail_at, disk.failure = fail_at, (apsw.FullError, apsw.IOError)[fail_at % 2]
                try:
                    Journal.open(path, reserve_bytes=0).close()
                except JournalError:
                    refused += 1
            assert_old_or_new(path, shapes, before)
        if not disk.failed:
            break
    assert refused > 5


def recorded(files: Contents) -> list[Operation]:
    """Everything that is asked of the disk by a start that migrates, until it could take something in."""
    with TemporaryDirectory(dir=QUICK) as folder, watched() as disk:
        path = lay(Path(folder), files)
        with Journal.open(path, reserve_bytes=0):
            return list(disk.operations)


def tried(cuts: Iterable[Cut], shapes: dict[int, set[tuple[str, str]]], before: int) -> list[int]:
    """Open what each cut leaves; states that are the same are opened once. The versions found, in order."""
    seen: dict[frozenset[tuple[str, bytes]], int] = {}
    found = []
    for cut in cuts:
        contents = cut.contents()
        state = frozenset(contents.items())
        if state not in seen:
            with TemporaryDirectory(dir=QUICK) as folder:
                seen[state] = assert_old_or_new(lay(Path(folder), contents), shapes, before)
        found.append(seen[state])
    return found


@pytest.mark.parametrize(("before", "in_log"), CASES)
def test_a_kill_at_any_request_of_a_migration(
    tmp_path: Path, shapes: dict[int, set[tuple[str, str]]], before: int, in_log: bool
) -> None:
    """What was asked until then is there, nothing behind it: the old version, from one request on the new."""
    files = old(tmp_path, before, in_log=in_log)
    medium, cuts = Medium(files), []
    for operation in [None, *recorded(files)]:
        if operation is not None:
            medium.play(operation)
        cuts.append(next(medium.singly()))
    found = tried(cuts, shapes, before)
    assert found[0] == before
    assert found[-1] == VERSIONS[-1]
    assert all(one <= other for one, other in pairwise(found))


@pytest.mark.parametrize(("before", "in_log"), CASES)
def test_a_power_cut_within_a_migration(
    tmp_path: Path, shapes: dict[int, set[tuple[str, str]]], before: int, in_log: bool
) -> None:
    """Any part of what was not synced is there; a start that was over is never undone."""
    files = old(tmp_path, before, in_log=in_log)
    operations = recorded(files)
    chance = random.Random(f"{before} {in_log}")
    cuts = []
    for _ in range(DRAWN):
        medium = Medium(files)
        for operation in operations[: chance.randrange(len(operations) + 1)]:
            medium.play(operation)
        cuts.append(medium.at_random(chance))
    assert set(tried(cuts, shapes, before)) == {before, VERSIONS[-1]}
    ended = [cut for cut in every_cut(operations, files) if cut.operations == len(operations)]
    assert set(tried(ended, shapes, before)) == {VERSIONS[-1]}
