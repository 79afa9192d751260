"""What is looked up for the question why: receipts by position, activations among a million readings."""

from __future__ import annotations

from pathlib import Path

from coldchain.facts import Activated, Beat, Lost, encode
from coldchain.journal import Batch, Deliveries, Entry, Journal, Notice, Outcome, Reader
from coldchain.plan import Plan
from tests.unit.journal.support import ARRIVAL_MS, entry


def test_receipts_of_some_positions(tmp_path: Path) -> None:
    """Of the positions asked for, in journal order: told, refused, still waiting with its last failure."""
    path = tmp_path / "j.db"
    with Journal.open(path) as journal:
        notices = tuple(
            Notice(sink, f"{sink}-{position}", position, 0, "raised", b"x")
            for position in (1, 2, 3, 4)
            for sink in ("room", "mail")
        )
        journal.commit(Batch(tuple(entry(position) for position in range(1, 5)), notices=notices))
        with Deliveries.open(path) as deliveries:
            deliveries.done("room", {"room-1": "200 OK", "room-4": "200 OK"}, 7_000)
            deliveries.refused("mail", "mail-1", "550 no such box", 8_000)
            deliveries.failed("room", "room-3", "connection refused", 9_000)
        with Reader.open(path) as reader:
            found = {
                (r.position, r.sink): (r.outcome, r.receipt, r.failure, r.settled_ms)
                for r in reader.receipts([3, 1])
            }
            assert list(reader.receipts([])) == []
    assert found == {
        (1, "mail"): (Outcome.REFUSED, "550 no such box", "", 8_000),
        (1, "room"): (Outcome.TOLD, "200 OK", "", 7_000),
        (3, "mail"): (None, "", "", None),
        (3, "room"): (None, "", "connection refused", None),
    }


def test_activations_alone(tmp_path: Path) -> None:
    """Only activations, in order; a text that speaks of one is none."""
    path = tmp_path / "j.db"
    plans = [Activated(Plan(site), {}) for site in ("first", "second")]
    others = [Beat(), Lost("x", 1, 'said "fact":"activated"')]
    bodies = [encode(plans[0]), encode(others[0]), encode(others[1]), encode(plans[1])]
    made = tuple(Entry(i, ARRIVAL_MS + i, body) for i, body in enumerate(bodies, 1))
    with Journal.open(path) as journal:
        journal.commit(Batch(made))
    with Reader.open(path) as reader:
        assert [(row.position, row.body) for row in reader.activations()] == [(1, bodies[0]), (4, bodies[3])]


def test_the_tail_is_of_one_moment(tmp_path: Path) -> None:
    """A commit before whatever a reader asks next is no damage: the tail is the one before it or after it."""
    path = tmp_path / "j.db"
    with Journal.open(path) as journal, Reader.open(path) as reader:
        journal.commit(Batch((entry(1),)))

        def meanwhile(*_: object) -> bool:
            journal.commit(Batch((entry(journal.tail().position + 1),)))
            return True

        reader._database.connection.exec_trace = meanwhile
        tails = [reader.tail().position for _ in range(3)]
        reader._database.connection.exec_trace = None
        assert tails == sorted(tails)
        assert reader.tail() == journal.tail()
