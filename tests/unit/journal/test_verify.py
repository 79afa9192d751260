"""Whatever is done to committed evidence is found, and the first commit it touches is named."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coldchain.journal import (
    Batch,
    Document,
    Entry,
    Fault,
    Journal,
    JournalError,
    PrivateText,
    Reader,
    verify_chain,
)
from tests.unit.journal.support import batch, entries, entry, fill, tamper

param = pytest.param
SIZES = [4, 1, 6, 3, 5]  # positions 1-4, 5, 6-11, 12-14, 15-19


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of five commits."""
    fill(tmp_path / "x.journal", SIZES)
    return tmp_path / "x.journal"


def first_fault(path: Path) -> tuple[Fault, int | None] | None:
    """What verification says first."""
    with Reader.open(path) as journal:
        found = verify_chain(journal).first
    return None if found is None else (found.fault, found.commit)


SHIFT_UP = (
    "UPDATE facts SET position = -position - 1 WHERE position >= 8;"
    "UPDATE facts SET position = -position WHERE position < 0"
)
SWAP_POSITIONS = (
    "UPDATE facts SET position = -1 WHERE position = 8; UPDATE facts SET position = 8 WHERE position = 9;"
    "UPDATE facts SET position = 9 WHERE position = -1"
)


def swap_bodies(a: int, b: int) -> str:
    """SQL that exchanges what two facts say."""
    other = f"SELECT body FROM facts other WHERE other.position = {a + b} - facts.position"
    return f"UPDATE facts SET body = ({other}) WHERE position IN ({a}, {b})"


@pytest.mark.parametrize(
    ("statement", "fault", "commit"),
    [
        param("SELECT 1", None, None, id="nothing done"),
        # bytes
        param(
            "UPDATE facts SET body = CAST(replace(body, '-18', '-17') AS BLOB) WHERE position = 8",
            Fault.BYTES_DIFFER,
            3,
            id="a value",
        ),
        param("UPDATE facts SET body = x'7b7d' WHERE position = 5", Fault.BYTES_DIFFER, 2, id="a whole fact"),
        param("UPDATE facts SET body = x'' WHERE position = 12", Fault.BYTES_DIFFER, 4, id="values gone"),
        param(
            "UPDATE facts SET arrival_ms = arrival_ms + 1 WHERE position = 13",
            Fault.BYTES_DIFFER,
            4,
            id="an arrival",
        ),
        param(
            "UPDATE facts SET arrival_ms = 1 WHERE position = 13",
            Fault.ARRIVAL_GOES_BACK,
            4,
            id="an arrival, before the one before",
        ),
        param("UPDATE facts SET shape = 0 WHERE position = 6", Fault.BYTES_DIFFER, 3, id="a fact's shape"),
        param(
            "UPDATE shapes SET pieces = CAST(pieces || ' ' AS BLOB)",
            Fault.BYTES_DIFFER,
            1,
            id="a shape's text",
        ),
        param("DELETE FROM shapes", Fault.BYTES_DIFFER, 1, id="a shape"),
        param("UPDATE identity SET journal = zeroblob(16)", Fault.BYTES_DIFFER, 1, id="the journal's id"),
        # facts
        param("DELETE FROM facts WHERE position = 8", Fault.FACT_MISSING, 3, id="a fact removed"),
        param("DELETE FROM facts WHERE position = 5", Fault.FACT_MISSING, 2, id="a commit's only fact"),
        param("DELETE FROM facts WHERE position = 1", Fault.FACT_MISSING, 1, id="the first fact"),
        param("DELETE FROM facts WHERE position = 19", Fault.FACT_MISSING, 5, id="the last fact"),
        param("DELETE FROM facts", Fault.FACT_MISSING, 1, id="all facts"),
        param(
            "INSERT INTO facts VALUES (20, 9e12, 0, x'7b7d')",
            Fault.FACT_UNCOMMITTED,
            6,
            id="one more at the end",
        ),
        param(
            "INSERT INTO facts VALUES (0, 0, 0, x'7b7d')",
            Fault.FACT_UNCOMMITTED,
            1,
            id="one before the first",
        ),
        param(SHIFT_UP, Fault.FACT_MISSING, 3, id="room made for another"),
        param(
            SHIFT_UP + "; INSERT INTO facts SELECT 8, arrival_ms, 0, x'7b7d' FROM facts WHERE position = 7",
            Fault.BYTES_DIFFER,
            3,
            id="another inserted",
        ),
        param(swap_bodies(7, 8), Fault.BYTES_DIFFER, 3, id="two swapped in a commit"),
        param(swap_bodies(11, 12), Fault.BYTES_DIFFER, 3, id="two swapped over commits"),
        param(SWAP_POSITIONS, Fault.ARRIVAL_GOES_BACK, 3, id="two swapped with their arrivals"),
        # announcements
        param(
            "UPDATE announcements SET body = x'7b7d' WHERE position = 12",
            Fault.BYTES_DIFFER,
            4,
            id="an announcement",
        ),
        param("DELETE FROM announcements WHERE position = 6", Fault.BYTES_DIFFER, 3, id="one unsaid"),
        param(
            "DELETE FROM announcements WHERE position = 9 AND ordinal = 0",
            Fault.ANNOUNCEMENT_MISPLACED,
            3,
            id="the first of two unsaid",
        ),
        param("INSERT INTO announcements VALUES (1, 0, x'7b7d')", Fault.BYTES_DIFFER, 1, id="one never said"),
        param(
            "INSERT INTO announcements VALUES (5, 3, x'7b7d')",
            Fault.ANNOUNCEMENT_MISPLACED,
            2,
            id="one never said, with a gap",
        ),
        param(
            "INSERT INTO announcements VALUES (20, 0, x'7b7d')",
            Fault.ANNOUNCEMENT_MISPLACED,
            6,
            id="one after the end",
        ),
        param(
            "UPDATE announcements SET position = 13 WHERE position = 12",
            Fault.BYTES_DIFFER,
            4,
            id="one moved",
        ),
        # commits
        param("DELETE FROM commits WHERE number = 3", Fault.COMMIT_MISSING, 3, id="a commit removed"),
        param("DELETE FROM commits WHERE number = 1", Fault.COMMIT_MISSING, 1, id="the first commit"),
        param("DELETE FROM commits WHERE number < 5", Fault.COMMIT_MISSING, 1, id="all but the last"),
        param("DELETE FROM commits WHERE number = 5", Fault.FACT_UNCOMMITTED, 5, id="the last commit"),
        param("DELETE FROM commits", Fault.FACT_UNCOMMITTED, 1, id="all commits"),
        param("UPDATE commits SET link = zeroblob(32) WHERE number = 2", Fault.BYTES_DIFFER, 2, id="a link"),
        param(
            "UPDATE commits SET first_position = 11, facts = 4 WHERE number = 4;"
            "UPDATE commits SET facts = 5 WHERE number = 3",
            Fault.BYTES_DIFFER,
            3,
            id="a commit's border moved",
        ),
        param(
            "UPDATE commits SET first_position = first_position + 1, facts = facts - 1 WHERE number = 3",
            Fault.COMMIT_MISPLACED,
            3,
            id="a commit begins later",
        ),
        param(
            "UPDATE commits SET number = 7 WHERE number = 5", Fault.COMMIT_MISSING, 5, id="a number changed"
        ),
    ],
)
def test_tampering_is_found(path: Path, statement: str, fault: Fault | None, commit: int | None) -> None:
    """The first commit that is not what was written is named, with what is wrong there."""
    tamper(path, statement)
    assert first_fault(path) == (None if fault is None else (fault, commit))


def test_what_follows_is_judged_by_itself(path: Path) -> None:
    """One changed byte is one finding: the commits after it are still known to be intact."""
    tamper(path, "UPDATE facts SET body = x'00' WHERE position = 8")
    with Reader.open(path) as journal:
        report = verify_chain(journal)
        assert [(f.fault, f.commit, f.position) for f in report.findings] == [(Fault.BYTES_DIFFER, 3, 8)]
        assert (report.commits, report.facts, report.announcements) == (5, 19, 8)
        assert report.last_link == journal.tail().link


def test_many_findings_are_counted(tmp_path: Path) -> None:
    """A journal that is wrong everywhere gives a short list and a number, and the first one is on it."""
    fill(tmp_path / "x.journal", [1] * 150)
    tamper(tmp_path / "x.journal", "UPDATE facts SET arrival_ms = -position")
    with Reader.open(tmp_path / "x.journal") as journal:
        report = verify_chain(journal)
    assert len(report.findings) == 100
    assert report.more == 150 - 100
    assert report.first is not None
    assert report.first.commit == 1


def cut_off(path: Path) -> None:
    """Remove the last commit so that nothing points to it."""
    tamper(
        path,
        "DELETE FROM commits WHERE number = 5",
        "DELETE FROM facts WHERE position >= 15",
        "DELETE FROM announcements WHERE position >= 15",
    )


def test_only_an_anchor_shows_a_cut_off_end(path: Path) -> None:
    """A chain cannot know that it was longer: a link kept elsewhere can."""
    with Reader.open(path) as journal:
        anchor = verify_chain(journal).last_link
    cut_off(path)
    with Reader.open(path) as journal:
        assert verify_chain(journal).intact
        found = verify_chain(journal, {5: anchor}).first
        assert found is not None
        assert (found.fault, found.commit) == (Fault.ANCHOR_DIFFERS, 5)


def test_only_an_anchor_shows_a_journal_made_anew(path: Path) -> None:
    """Somebody who writes another story with this program gets an intact chain, with other links."""
    other = path.with_name("other.journal")
    with Journal.open(other) as journal:
        journal.commit(Batch((entry(1, fact=b"{}"),)))
    with Reader.open(path) as journal:
        anchor = next(journal.commits()).link
        assert verify_chain(journal, {1: anchor}).intact
    with Reader.open(other) as journal:
        assert verify_chain(journal).intact
        assert not verify_chain(journal, {1: anchor}).intact


def test_two_journals_with_the_same_facts_have_different_links(tmp_path: Path) -> None:
    """A journal's id is in its chain, so no commit can be carried over from another journal."""
    links = []
    for name in ("a", "b"):
        fill(tmp_path / name, [3])
        with Reader.open(tmp_path / name) as journal:
            links.append(journal.tail().link)
    assert links[0] != links[1]


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        param("UPDATE documents SET text = text || ' '", Fault.DOCUMENT_DIFFERS, id="a document"),
        param("UPDATE private_texts SET text = 'Anne'", Fault.TEXT_DIFFERS, id="a name"),
        param("UPDATE private_texts SET salt = x'00'", Fault.TEXT_DIFFERS, id="a salt"),
        param("UPDATE private_texts SET salt = NULL, text = NULL", None, id="a name erased"),
        param(
            "UPDATE documents SET text = CAST(x'ff80' AS TEXT)",
            Fault.UNREADABLE,
            id="a document that is no text",
        ),
    ],
)
def test_texts_beside_the_chain(tmp_path: Path, statement: str, fault: Fault | None) -> None:
    """Documents and private texts are checked by the hashes that facts carry; an erased one is in order."""
    path = tmp_path / "x.journal"
    with Journal.open(path) as journal:
        journal.commit(
            Batch(
                entries(1, 2),
                documents=(Document.of("site = 1"),),
                private_texts=(PrivateText.of("Anna"),),
            )
        )
    tamper(path, statement)
    assert first_fault(path) == (None if fault is None else (fault, None))


class Template:
    """A journal's whole file, and what is in it. No dataclass: a failing property would print it all."""

    def __init__(self, file: bytes, entries: list[Entry]) -> None:
        self.file, self.entries = file, entries


@pytest.fixture(scope="module")
def template() -> Template:
    """A journal of five commits, to be copied and damaged many times."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.journal")
        made = fill(path, [7, 1, 40, 2, 150])
        return Template(path.read_bytes(), list(made))


# The fault and the place it is done to: table, column, and the position or number of the commit it hits.
COLUMNS = ("facts.body", "facts.arrival_ms", "facts.shape", "announcements.body", "commits.link")


# As found: a fact kept whole that claims a shape was not put together, and its bytes were judged without it.
@example(column="facts.shape", pick=2454, bit=0)
@settings(max_examples=min(120, settings.default.max_examples))
@given(column=st.sampled_from(COLUMNS), pick=st.integers(0, 10**6), bit=st.integers(0, 10**6))
def test_any_flipped_bit_is_found(template: Template, column: str, pick: int, bit: int) -> None:
    """One bit of any fact, arrival, announcement or link: found, and no earlier commit is blamed."""
    table, name = column.split(".")
    key = "number" if table == "commits" else "position"
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.journal")
        path.write_bytes(template.file)
        db = apsw.Connection(str(path))
        rows = list(db.execute(f"SELECT {key}, {name} FROM {table} WHERE length({name}) > 0"))
        where, value = rows[pick % len(rows)]
        if isinstance(value, bytes):
            at = bit % (len(value) * 8)
            changed: bytes | int = bytes(
                b ^ (1 << at % 8) if i == at // 8 else b for i, b in enumerate(value)
            )
        else:
            changed = value ^ (1 << bit % 40)
        commits = list(db.execute("SELECT number, first_position, facts FROM commits"))
        db.execute(f"DROP TRIGGER {table}_no_update")
        condition = f"{key} = ? AND {name} = ?"
        db.execute(f"UPDATE {table} SET {name} = ? WHERE {condition}", (changed, where, value))
        db.close()
        hit = (
            where
            if table == "commits"
            else next(n for n, first, count in commits if first <= where < first + count)
        )
        found = first_fault(path)
        assert found is not None
        # An arrival moved forward is also seen as the next one going back, perhaps in the next commit.
        assert found[1] == hit


# As found: a fact that only a walk through all still finds; with it its announcement was left out.
@example(at=16383, xor=2, length=1)
@settings(max_examples=min(150, settings.default.max_examples))
@given(at=st.integers(0, 10**9), xor=st.integers(1, 255), length=st.sampled_from([1, 1, 1, 16, 512]))
def test_damage_anywhere_in_the_file(template: Template, at: int, xor: int, length: int) -> None:
    """After any damage the journal is refused, or found broken, or holds exactly what was committed."""
    damaged = bytearray(template.file)
    at %= len(damaged)
    damaged[at : at + length] = bytes(byte ^ xor for byte in damaged[at : at + length])
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.journal")
        path.write_bytes(damaged)
        with suppress(JournalError), Reader.open(path) as journal:
            if verify_chain(journal).intact:
                assert list(journal.entries()) == template.entries


def test_rows_before_damaged_pages_are_still_judged(tmp_path: Path) -> None:
    """A ruined page in the middle: it is said to be unreadable, and the first commit it hit is named."""
    path = tmp_path / "x.journal"
    fill(path, [20] * 100)
    db = apsw.Connection(str(path))
    leaves = list(
        db.execute("SELECT pageno FROM dbstat WHERE name = 'facts' AND pagetype = 'leaf' ORDER BY path")
    )
    size = db.pragma("page_size")
    page = leaves[len(leaves) // 2][0]
    db.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with Reader.open(path) as journal:
        report = verify_chain(journal)
    assert report.first is not None
    assert report.first.fault is Fault.FACT_MISSING
    assert report.first.commit is not None
    assert 10 < report.first.commit < 90
    assert Fault.UNREADABLE in {finding.fault for finding in report.findings}


def test_a_journal_can_be_verified_while_it_grows(path: Path) -> None:
    """What is committed during a verification is no fault of it, whenever it comes."""
    with Journal.open(path) as journal:

        class Meanwhile(Reader):
            """A reader beside a writer that commits whenever a table has been read to its end."""

            def stored_facts(
                self, from_position: int = 1, to_position: int | None = None
            ) -> Iterator[tuple[int, int, int, bytes]]:
                yield from super().stored_facts(from_position, to_position)
                journal.commit(batch(journal.tail().position + 1, 3))

            def stored_announcements(self, to_position: int) -> Iterator[tuple[int, int, bytes]]:
                journal.commit(batch(journal.tail().position + 1, 3))
                yield from super().stored_announcements(to_position)
                journal.commit(batch(journal.tail().position + 1, 3))

        with Meanwhile.open(path) as reader:
            report = verify_chain(reader)
            assert report.findings == ()
            assert report.facts == 19
            assert verify_chain(journal).facts > 19


def test_what_sqlite_finds_wrong(path: Path) -> None:
    """A page that no chain covers is found by SQLite's own check."""
    with Reader.open(path) as journal:
        assert journal.integrity() == []
        page, size = journal._database.all(
            "test", "SELECT pageno, pgsize FROM dbstat WHERE name = 'outbox' AND pagetype = 'leaf'"
        )[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with Reader.open(path) as journal:
        assert verify_chain(journal).intact
        assert journal.integrity() != []


def test_a_copy_verifies_like_the_original(path: Path, tmp_path: Path) -> None:
    """The journal is its one file once it is closed: it can be carried elsewhere and checked there."""
    shutil.copy(path, tmp_path / "copy")
    with Reader.open(tmp_path / "copy") as copy, Reader.open(path) as journal:
        assert verify_chain(copy) == verify_chain(journal)
