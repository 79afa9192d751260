"""Readings stored small come back byte for byte."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.facts import Beat, Lost, Reading, encode
from coldchain.journal import Batch, Entry, Journal, shapes, verify_chain
from coldchain.model import Origin, Reason
from tests.unit.journal.support import entries, reading

TEXT = st.text(max_size=12)
NUMBER = st.none() | st.integers(-(2**53), 2**53)
READINGS = st.builds(
    Reading,
    source=TEXT,
    channel=TEXT,
    raw=TEXT,
    unit=TEXT,
    at_ms=NUMBER,
    stamp_ms=NUMBER,
    sequence=NUMBER,
    place=st.integers(0, 9),
    origin=st.sampled_from(Origin),
    bad=st.none() | st.sampled_from(Reason),
    dup=st.booleans(),
)


@given(READINGS)
def test_any_reading_comes_back(made: Reading) -> None:
    """Cutting and filling is the identity, whatever the texts contain."""
    fact = encode(made)
    parts = shapes.cut(fact)
    assert (shapes.fill(*parts) if parts else fact) == fact
    assert parts is not None or not (made.raw or made.place or made.at_ms or made.sequence)


@given(st.binary(max_size=60))
def test_any_bytes_come_back(noise: bytes) -> None:
    """What is no reading is kept whole or comes back as it was; never an exception."""
    for fact in (noise, b'{"fact":"reading",' + noise, noise + b'"raw":"x","fact":"reading"}'):
        parts = shapes.cut(fact)
        assert parts is None or shapes.fill(*parts) == fact


@pytest.mark.parametrize(
    ("fact", "parts"),
    [
        pytest.param(
            b'{"channel":"v","fact":"reading","raw":"-1,5","sequence":-7,"unit":"C"}',
            (b'{"channel":"v","fact":"reading","raw":"\n","sequence":\n,"unit":"C"}', b"-1,5\n-7"),
            id="values out, all else stays",
        ),
        pytest.param(
            b'{"channel":"v3","fact":"reading","raw":""}',
            (b'{"channel":"v3","fact":"reading","raw":"\n"}', b""),
            id="digits in a name stay, an empty token goes",
        ),
        pytest.param(encode(Beat()), None, id="no reading"),
        pytest.param(encode(Lost("s", 5, "full")), None, id="a number in no reading"),
        pytest.param(b'{"fact":"reading"}', None, id="nothing that changes"),
        pytest.param(b'{"fact":"reading",\n"raw":"1"}', None, id="a line feed: not canonical"),
    ],
)
def test_cut(fact: bytes, parts: tuple[bytes, bytes] | None) -> None:
    """Only a reading's integers and raw token are taken out."""
    assert shapes.cut(fact) == parts


def test_values_that_do_not_fit_are_seen() -> None:
    """A shape with other holes than the row has values gives no bytes at all."""
    with pytest.raises(ValueError):
        shapes.fill(b"a\nb\nc", b"1")


def test_one_shape_a_channel(tmp_path: Path) -> None:
    """Readings of one channel share a shape, over commits and restarts; what differs has its own."""
    path = tmp_path / "x.journal"
    for round_ in range(3):
        with Journal.open(path) as journal:
            for channel in ("vapour", "room"):
                first = journal.tail().position + 1
                journal.commit(
                    Batch(
                        tuple(
                            Entry(n, 0, reading(n, channel)) for n in range(first, first + 10 * (round_ + 1))
                        )
                    )
                )
    with Journal.open(path) as journal:
        assert journal._database.all("test", "SELECT count(*) FROM shapes") == [(2,)]
        assert verify_chain(journal).intact


def test_beyond_the_bound_readings_are_kept_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub with more channels than shapes loses room, nothing else."""
    monkeypatch.setattr(shapes, "SHAPES_MAX", 3)
    made = tuple(Entry(n, 0, reading(n, f"channel-{n % 5}")) for n in range(1, 51))
    with Journal.open(tmp_path / "x.journal") as journal:
        journal.commit(Batch(made))
        assert tuple(journal.entries()) == made
        rows = journal._database.all("test", "SELECT count(*) FROM facts WHERE shape = 0")
        assert rows == [(20,)], "ten readings of each of the two channels that came too late"


def test_a_shape_of_a_failed_batch_is_forgotten(tmp_path: Path) -> None:
    """A shape first used in a batch that was not committed is written again with the next one."""
    with Journal.open(tmp_path / "x.journal") as journal:
        db = journal._database.connection
        limit = db.pragma("max_page_count")
        db.pragma("max_page_count", db.pragma("page_count"))
        many = tuple(Entry(n, 0, reading(n)) for n in range(1, 2001))
        with pytest.raises(Exception, match="full"):
            journal.commit(Batch(many))
        db.pragma("max_page_count", limit)
        journal.commit(Batch(many))
        assert tuple(journal.entries()) == many
        assert verify_chain(journal).intact


def test_people_can_read_facts_with_sql_alone(tmp_path: Path) -> None:
    """The view `facts_as_text` shows every fact as the text that was committed."""
    made = entries(1, 60)
    with Journal.open(tmp_path / "x.journal") as journal:
        journal.commit(Batch(made))
    db = apsw.Connection(str(tmp_path / "x.journal"), flags=apsw.SQLITE_OPEN_READONLY)
    rows = list(db.execute("SELECT position, arrival_ms, fact FROM facts_as_text ORDER BY position"))
    db.close()
    assert rows == [(e.position, e.arrival_ms, e.fact.decode()) for e in made]
