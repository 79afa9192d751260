"""What still checks of a damaged journal comes back, what does not is named, and nothing is made up."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from coldchain import facts
from coldchain.cli.main import main
from coldchain.facts import Activated, Reading
from coldchain.journal import (
    Batch,
    Document,
    Entry,
    Fault,
    Journal,
    JournalCorrupt,
    JournalRefused,
    PrivateText,
    Reader,
    shapes,
    verify_chain,
)
from coldchain.journal.repair import Repaired, repair
from tests.unit.fold.bench import limit, plan
from tests.unit.journal import support

SEED = 20261129
PAGE = 4096
COMMITS = 80


def made(path: Path, *, log: bool = False) -> dict[int, tuple[Entry, ...]]:
    """A journal of many pages: small commits and large, a long fact, documents, names. Its commits."""
    chance = random.Random(SEED)
    commits: dict[int, tuple[Entry, ...]] = {}
    with Journal.open(path, reserve_bytes=0) as journal:
        while journal.tail().commit < COMMITS:
            tail = journal.tail()
            entries = list(support.entries(tail.position + 1, chance.choice([1, 1, 2, 7, 30])))
            if tail.commit == 3:  # longer than a page
                entries[0] = support.entry(
                    tail.position + 1, b'{"kind":"note"}', fact=b'{"long":"%b"}' % (b"x" * 9000)
                )
            document, name = Document.of(f"text {tail.commit}"), PrivateText.of(f"name {tail.commit}")
            done = journal.commit(Batch(tuple(entries), documents=(document,), private_texts=(name,)))
            commits[done.number] = tuple(entries)
        journal.save_checkpoint(journal.tail().position, "engine", b"state" * 3000)
        if log:
            for file in (path, path.with_name(path.name + "-wal")):
                shutil.copyfile(file, file.with_name(f"copy-{file.name}"))
    return commits


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, tuple[Entry, ...]]]:
    """A journal at rest, and its commits."""
    path = tmp_path_factory.mktemp("whole") / "x.journal"
    return path, made(path)


def brought_back(path: Path, commits: dict[int, tuple[Entry, ...]]) -> tuple[Repaired, set[int]]:
    """Repair; hold all that the new file says against what was written, and against its own verification."""
    before, new = path.read_bytes(), path.with_name("new.journal")
    new.unlink(missing_ok=True)
    done = repair(path, new)
    assert path.read_bytes() == before, "the old file was touched"
    with Reader.open(new) as journal:
        numbers = {commit.number for commit in journal.commits()}
        entries = {entry.position: entry for entry in journal.entries()}
        report = verify_chain(journal)
        for document in journal.documents():
            assert Document.of(document.text) == document
    expected = {entry.position: entry for number in numbers for entry in commits[number]}
    assert entries == expected, "byte for byte what was committed, and nothing else"
    lost = commits.keys() - numbers
    named = {number for gap in done.gaps for number in range(gap.commits[0], gap.commits[1] + 1)}
    assert lost <= named | set(range(max(numbers, default=0) + 1, max(commits) + 1))
    assert named & numbers == set()
    inner = {number for number in lost if number < max(numbers)}
    assert {one.fault for one in report.findings} == ({Fault.COMMIT_MISSING} if inner else set())
    return done, lost


def test_an_undamaged_journal(whole: tuple[Path, dict[int, tuple[Entry, ...]]], tmp_path: Path) -> None:
    """All of it comes back: links, documents and names too; nothing is called lost."""
    path = tmp_path / "x.journal"
    shutil.copyfile(whole[0], path)
    done, lost = brought_back(path, whole[1])
    assert (lost, done.gaps, done.commits, done.documents, done.names) == (set(), (), *[COMMITS] * 3)
    with Reader.open(path) as old, Reader.open(path.with_name("new.journal")) as new:
        assert (new.journal_id, new.tail()) == (old.journal_id, old.tail())
        assert set(new.private_texts()) == set(old.private_texts())


@pytest.mark.slow
def test_a_flipped_bit_in_any_page(whole: tuple[Path, dict[int, tuple[Entry, ...]]], tmp_path: Path) -> None:
    """One bit costs at most the one commit that it is in; wherever it is, also in what finds the rows."""
    path = tmp_path / "x.journal"
    data = whole[0].read_bytes()
    chance = random.Random(SEED)
    pages = len(data) // PAGE
    costs = []
    heads = [page * PAGE * 8 + chance.randrange(12 * 8) for page in chance.sample(range(1, pages), 12)]
    anywhere = [chance.randrange(len(data) * 8) for _ in range(24)]
    for bit in (*heads, *anywhere):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        _, lost = brought_back(path, whole[1])
        assert len(lost) <= 1, f"bit {bit}, in page {bit // 8 // PAGE + 1}, costs {sorted(lost)}"
        costs.append(len(lost))
    assert 0 in costs
    assert 1 in costs, "some bits were in a fact"


def record(*values: int | bytes | None) -> bytes:
    """A row as SQLite writes it: https://sqlite.org/fileformat2.html#record_format."""
    types, data = b"", b""
    for value in values:
        if isinstance(value, bytes):
            kind = 12 + 2 * len(value)
            types += bytes([kind]) if kind < 128 else bytes([0x80 | kind >> 7, kind & 0x7F])
            data += value
        elif value is None or value in (0, 1):
            types += bytes([0 if value is None else 8 + value])
        else:
            widths = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 6))
            code, width = next((code, width) for code, width in widths if value < 1 << 8 * width - 1)
            types += bytes([code])
            data += value.to_bytes(width, "big")
    return bytes([1 + len(types)]) + types + data


def provable(data: bytes, commits: dict[int, tuple[Entry, ...]], links: dict[int, bytes]) -> set[int]:
    """Commits whose every row is still somewhere in a file, and so is the one before them."""

    def is_there(entry: Entry) -> bool:
        parts = shapes.cut(entry.fact)
        kept = (0, entry.fact) if parts is None else (1, parts[1])
        said = [record(entry.position, ordinal, body) for ordinal, body in enumerate(entry.announcements)]
        return all(row in data for row in (record(None, entry.arrival_ms, *kept), *said))

    linked = {
        number
        for number, there in commits.items()
        if record(None, there[0].position, len(there), links[number]) in data
    }
    return {
        number
        for number, there in commits.items()
        if number in linked
        and (number == 1 or number - 1 in linked)
        and all(len(entry.fact) < PAGE and is_there(entry) for entry in there)
    }


@pytest.mark.parametrize("kept", [0.15, 0.5, 0.6, 0.75, 0.9])
def test_a_cut_file(whole: tuple[Path, dict[int, tuple[Entry, ...]]], tmp_path: Path, kept: float) -> None:
    """Of what is left, everything that the links prove."""
    path = tmp_path / "x.journal"
    data = whole[0].read_bytes()
    with Reader.open(whole[0]) as journal:
        links = {commit.number: commit.link for commit in journal.commits()}
        assert len(list(journal._database.all("count", "SELECT shape FROM shapes"))) == 1
    left = data[: round(len(data) * kept)]
    path.write_bytes(left)
    done, lost = brought_back(path, whole[1])
    assert done.gaps
    assert provable(left, whole[1], links) & lost == set()
    assert provable(data, whole[1], links) == whole[1].keys() - {4}, "the long one lies in several pieces"
    assert lost != whole[1].keys()


def test_a_log_that_was_never_copied_back(tmp_path: Path) -> None:
    """The newest commits lie in the log alone; a torn page there costs no more than elsewhere."""
    commits = made(tmp_path / "x.journal", log=True)
    path, log = tmp_path / "copy-x.journal", tmp_path / "copy-x.journal-wal"
    assert brought_back(path, commits)[1] == set()
    data = bytearray(log.read_bytes())
    data[len(data) // 2] ^= 1
    log.write_bytes(data)
    assert len(brought_back(path, commits)[1]) <= 1


def test_a_changed_fact_is_not_brought_back(tmp_path: Path) -> None:
    """What was written over is lost, and only its commit; a commit row that is gone is proven by the next."""
    path = tmp_path / "x.journal"
    support.fill(path, [3, 3, 3, 3, 3])
    support.tamper(
        path,
        "UPDATE facts SET body = CAST(replace(body, '-18', '-17') AS BLOB) WHERE position = 8",
        "DELETE FROM commits WHERE number = 4",
        "VACUUM",
    )
    done = repair(path, tmp_path / "new")
    assert [(gap.commits, gap.positions) for gap in done.gaps] == [((3, 3), (7, 9))]
    with Reader.open(tmp_path / "new") as journal:
        assert [commit.number for commit in journal.commits()] == [1, 2, 4, 5]


def test_an_erased_name_stays_erased(tmp_path: Path) -> None:
    """Its place is kept, and no older page brings it back."""
    path = tmp_path / "x.journal"
    name = PrivateText.of("Wang")
    with Journal.open(path, reserve_bytes=0) as journal:
        journal.commit(Batch(support.entries(1, 3), private_texts=(name,)))
        journal.checkpoint_wal()
        journal.commit(Batch(support.entries(4, 1), erased=(name.commitment,)))
    assert repair(path, tmp_path / "new").names == 0
    with Reader.open(tmp_path / "new") as journal:
        assert list(journal.private_texts()) == []
    assert b"Wang" not in (tmp_path / "new").read_bytes()


def test_what_is_refused(tmp_path: Path) -> None:
    """Nothing is overwritten, a journal in use is left alone, and of noise nothing is made."""
    path = tmp_path / "x.journal"
    support.fill(path, [3])
    (tmp_path / "there").write_text("precious")
    with pytest.raises(JournalRefused, match="something lies there"):
        repair(path, tmp_path / "there")
    with Journal.open(path) as _, pytest.raises(JournalRefused, match="writes to it"):
        repair(path, tmp_path / "new")
    path.write_bytes(random.Random(SEED).randbytes(10 * PAGE))
    with pytest.raises(JournalCorrupt):
        repair(path, tmp_path / "new")
    assert sorted(one.name for one in tmp_path.iterdir() if "new" in one.name) == []


def test_the_command(tmp_path: Path) -> None:
    """What came back and what is lost, in words and in the exit status."""
    path, new = tmp_path / "x.journal", tmp_path / "new"
    support.fill(path, [3, 3, 3])
    done = CliRunner().invoke(main, ["repair", str(path), str(new)])
    assert (done.exit_code, "9 facts" in done.output) == (0, True), done.output
    assert CliRunner().invoke(main, ["repair", str(path), str(new)]).exit_code == 2
    support.tamper(path, "UPDATE facts SET arrival_ms = arrival_ms + 1 WHERE position = 5")
    done = CliRunner().invoke(main, ["repair", str(path), str(tmp_path / "other")])
    assert done.exit_code == 1
    assert "lost: commit 2, positions 4 to 6: rows are lost, or are not what was written" in done.output


def test_any_flipped_bit_of_a_shape_costs_nothing(
    whole: tuple[Path, dict[int, tuple[Entry, ...]]], tmp_path: Path
) -> None:
    """The one row that stands for all readings of a channel: its text is found again, and proven by links."""
    path = tmp_path / "x.journal"
    data = whole[0].read_bytes()
    (pieces, _) = shapes.cut(support.reading(1)) or (b"", b"")
    row = data.index(pieces)
    chance = random.Random(SEED)
    for bit in chance.sample(range(row * 8, (row + len(pieces)) * 8), 4):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        done, lost = brought_back(path, whole[1])
        assert (lost, done.reshaped) == (set(), 1)


@pytest.mark.parametrize(
    ("sent", "back"),
    [
        pytest.param({"sequence": 7, "stamp_ms": 9}, True, id="as most devices send"),
        pytest.param({"at_ms": 5, "unit": "%", "simulated": True}, True, id="another unit, its own time"),
        pytest.param({"unit": "furlong"}, False, id="a unit that nobody guesses"),
    ],
)
def test_a_shape_that_is_gone_is_made_again(tmp_path: Path, sent: dict[str, Any], back: bool) -> None:
    """From the channels that configurations name; where that proves nothing, what is lost is said."""
    path, new = tmp_path / "x.journal", tmp_path / "new.journal"
    activated = facts.encode(Activated(plan(limit()), {}))
    with Journal.open(path, reserve_bytes=0) as journal:
        journal.commit(Batch((support.entry(1, fact=activated),)))
        for position in range(2, 30):
            words = {"unit": "°C"} | sent | {"raw": str(position)}
            reading = facts.encode(Reading("log", "box.vapour", **words))
            journal.commit(Batch((support.entry(position, fact=reading),)))
    support.tamper(path, "UPDATE shapes SET pieces = zeroblob(3)")
    done = repair(path, new)
    assert (done.facts, done.reshaped) == ((29, 1) if back else (1, 0))
    if not back:
        assert done.gaps[0].commits == (2, 29)
        assert "of 28 readings only the values are left" in done.gaps[0].why
