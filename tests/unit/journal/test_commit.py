"""Batches go in whole, in order, and come out as they were."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.journal import (
    Batch,
    Cursor,
    Deliveries,
    Document,
    Entry,
    Journal,
    JournalRefused,
    Notice,
    PrivateText,
    Reader,
    verify_chain,
)
from tests.unit.journal.support import ARRIVAL_MS, batch, entries, entry, fill


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    """Facts, announcements, commits and tail are after reopening what they were when written."""
    made = fill(tmp_path / "x.journal", [1, 10, 3, 100])
    with Reader.open(tmp_path / "x.journal") as journal:
        assert tuple(journal.entries()) == made
        assert [row.body for row in journal.facts(5, 7)] == [e.fact for e in made[4:7]]
        said = [(e.position, i, e.arrival_ms, b) for e in made for i, b in enumerate(e.announcements)]
        read = [(a.position, a.ordinal, a.announced_ms, a.body) for a in journal.announcements()]
        assert read == said
        commits = list(journal.commits())
        assert [(c.number, c.first_position, c.last_position) for c in commits] == [
            (1, 1, 1),
            (2, 2, 11),
            (3, 12, 14),
            (4, 15, 114),
        ]
        assert [c.arrival_ms for c in commits] == [made[c.last_position - 1].arrival_ms for c in commits]
        tail = journal.tail()
        assert (tail.position, tail.arrival_ms, tail.commit) == (114, made[-1].arrival_ms, 4)
        assert tail.link == commits[-1].link


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param(1, None, id="all"),
        pytest.param(1, 0, id="nothing"),
        pytest.param(3, 3, id="one with an announcement"),
        pytest.param(4, 8, id="from the middle"),
        pytest.param(9, 9, id="one with two announcements"),
        pytest.param(30, 90, id="past the end"),
    ],
)
def test_a_span_is_inclusive_on_both_ends(tmp_path: Path, first: int, last: int | None) -> None:
    """Entries of a span are those with a position in it, each with its own announcements and no other's."""
    made = fill(tmp_path / "x.journal", [40])
    with Reader.open(tmp_path / "x.journal") as journal:
        expected = [e for e in made if first <= e.position and (last is None or e.position <= last)]
        assert list(journal.entries(first, last)) == expected


def test_reading_goes_on_over_many_chunks(tmp_path: Path) -> None:
    """Nothing is lost or doubled where one read transaction ends and the next begins."""
    made = fill(tmp_path / "x.journal", [999, 1, 1, 1000, 501])
    with Reader.open(tmp_path / "x.journal") as journal:
        assert tuple(journal.entries()) == made
        assert len(list(journal.announcements())) == sum(len(e.announcements) for e in made)


def test_a_reader_sees_no_more_than_was_there_when_it_began(tmp_path: Path) -> None:
    """A long read beside a writer ends at the tail of its beginning, and blocks neither."""
    with Journal.open(tmp_path / "x.journal") as journal, Reader.open(tmp_path / "x.journal") as reader:
        journal.commit(batch(1, 1500))
        facts = reader.facts()
        next(facts)
        journal.commit(batch(1501, 10))
        assert journal.checkpoint_wal().done, "the reader holds no transaction between two chunks"
        assert len(list(facts)) == 1499
        assert reader.tail().position == 1510


@given(
    cuts=st.lists(st.integers(1, 7), min_size=1, max_size=12),
    other=st.lists(st.integers(1, 7), min_size=1, max_size=12),
)
def test_splitting_changes_no_fact(cuts: list[int], other: list[int]) -> None:
    """However a stream is split into commits, the same facts and announcements are there, chained."""
    total = min(sum(cuts), sum(other))
    with TemporaryDirectory() as folder:
        read = []
        for name, split in (("a", cuts), ("b", other)):
            ends = [end for end in accumulate(split) if end < total]
            sizes = [b - a for a, b in zip([0, *ends], [*ends, total], strict=True)]
            fill(Path(folder, name), sizes)
            with Reader.open(Path(folder, name)) as journal:
                report = verify_chain(journal)
                assert report.intact
                assert (report.commits, report.facts) == (len(sizes), total)
                read.append(list(journal.entries()))
        assert read[0] == read[1]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        pytest.param((), "at least one fact", id="empty"),
        pytest.param(entries(3, 1), "position 2 comes next, not 3", id="gap before"),
        pytest.param(entries(1, 1), "position 2 comes next, not 1", id="position used already"),
        pytest.param((entry(2), entry(4)), "position 3 comes next, not 4", id="gap inside"),
        pytest.param((entry(2), entry(2)), "position 3 comes next, not 2", id="position twice"),
        pytest.param((Entry(2, ARRIVAL_MS, b"{}"),), "lies before", id="arrival before the tail's"),
        pytest.param(
            (Entry(2, ARRIVAL_MS + 9000, b"{}"), Entry(3, ARRIVAL_MS + 8999, b"{}")),
            "lies before",
            id="arrival goes back inside",
        ),
    ],
)
def test_a_batch_that_does_not_continue_is_refused(
    tmp_path: Path, given: tuple[Entry, ...], why: str
) -> None:
    """Positions have no gap and arrivals never go back: anything else is refused and nothing is written."""
    with Journal.open(tmp_path / "x.journal") as journal:
        journal.commit(batch(1, 1))
        with pytest.raises(JournalRefused, match=why):
            journal.commit(Batch(given))
        assert journal.tail().position == 1
        assert journal.commit(batch(2, 5)).last_position == 6


def test_equal_arrivals_are_in_order(tmp_path: Path) -> None:
    """Several facts may arrive in one millisecond, and the first at any time, before 0 too."""
    with Journal.open(tmp_path / "x.journal") as journal:
        journal.commit(Batch((Entry(1, -5, b"{}"), Entry(2, -5, b"{}"), Entry(3, 0, b"{}"))))
        assert [row.arrival_ms for row in journal.facts()] == [-5, -5, 0]
        assert verify_chain(journal).intact


FULL = Batch(
    entries=entries(1, 9),
    notices=(Notice("hook", "a", 9, 0, "raised", b"body"),),
    documents=(Document.of('site = "köln"'),),
    private_texts=(PrivateText.of("Anna", b"salt"),),
    cursors={"influx": Cursor(9, 4)},
    counts={"repeats/vapour": 2},
)


def test_everything_of_a_batch_is_there(tmp_path: Path) -> None:
    """A batch's parts besides evidence are committed with it."""
    with Journal.open(tmp_path / "x.journal") as journal:
        journal.commit(FULL)
        assert journal.document(FULL.documents[0].sha256) == FULL.documents[0]
        assert journal.private_text(FULL.private_texts[0].commitment) == "Anna"
        assert journal.counts() == {"repeats/vapour": 2}
        journal.commit(Batch(entries(10, 1), documents=FULL.documents, counts={"repeats/vapour": 3}))
        assert journal.counts() == {"repeats/vapour": 5}
        with Deliveries.open(journal.path) as deliveries:
            assert [p.notice for p in deliveries.pending("hook", 0)] == list(FULL.notices)
            assert deliveries.cursor("influx") == Cursor(9, 4)


@pytest.mark.parametrize(
    "spoiled",
    [
        pytest.param({"cursors": {"influx": Cursor(10, 0)}}, id="cursor past the end"),
        pytest.param({"cursors": {"influx": Cursor(3, 4)}}, id="confirmed more than sent"),
        pytest.param({"notices": (Notice("hook", "b", 10, 0, "raised", b"x"),)}, id="notice of nothing"),
        pytest.param(
            {"notices": (*FULL.notices, Notice("hook", "a", 9, 1, "raised", b"other"))},
            id="one id, two bodies",
        ),
    ],
)
def test_a_spoiled_part_takes_the_batch_with_it(tmp_path: Path, spoiled: dict[str, object]) -> None:
    """If any part cannot be written, no part is; the same batch without the fault goes in afterwards."""
    parts = {name: getattr(FULL, name) for name in FULL.__struct_fields__} | spoiled
    with Journal.open(tmp_path / "x.journal") as journal:
        with pytest.raises(JournalRefused):
            journal.commit(Batch(**parts))
        assert journal.tail().position == 0
        assert journal.counts() == {}
        assert journal.document(FULL.documents[0].sha256) is None
        assert list(journal.announcements()) == []
        journal.commit(FULL)
        assert list(journal.entries()) == list(FULL.entries)
        assert verify_chain(journal).intact


def test_evidence_is_append_only(tmp_path: Path) -> None:
    """Not even this program's own connection can change or delete what was committed."""
    with Journal.open(tmp_path / "x.journal") as journal:
        journal.commit(FULL)
        db = journal._database.connection
        for table in ("facts", "announcements", "commits", "shapes", "documents"):
            for statement in (
                f"DELETE FROM {table}",
                f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
            ):
                with pytest.raises(apsw.ConstraintError, match="rows are never changed"):
                    db.execute(statement)


@pytest.mark.parametrize(
    ("arrival_ms", "position"),
    [
        pytest.param(ARRIVAL_MS, 0, id="before all"),
        pytest.param(ARRIVAL_MS + 1000, 1, id="exactly the first"),
        pytest.param(ARRIVAL_MS + 7999, 7, id="between two"),
        pytest.param(ARRIVAL_MS + 8000, 8, id="exactly one inside"),
        pytest.param(ARRIVAL_MS + 10**9, 20, id="after all"),
    ],
)
def test_position_at(tmp_path: Path, arrival_ms: int, position: int) -> None:
    """'As known at a time' is all facts whose arrival is not later."""
    fill(tmp_path / "x.journal", [20])
    with Reader.open(tmp_path / "x.journal") as journal:
        assert journal.position_at(arrival_ms) == position


def test_position_at_takes_the_last_of_one_millisecond(tmp_path: Path) -> None:
    """Of several facts that arrived together all are known; in an empty journal none is."""
    with Journal.open(tmp_path / "x.journal") as journal:
        assert journal.position_at(5) == 0
        journal.commit(Batch(tuple(Entry(n, 5, b"{}") for n in (1, 2, 3))))
        assert journal.position_at(5) == 3
        assert journal.position_at(4) == 0
