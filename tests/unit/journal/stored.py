"""Journals as older versions wrote them, and what must be in each of them for ever."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from coldchain.journal import Checkpoint, Cursor, Deliveries, Document, Journal, PrivateText, verify_chain
from tests.unit.journal.support import entries

#: One file of SQL for each version of the schema.
STORED = Path(__file__).parent / "versions"
#: Link of the third commit of every stored journal: what is stored and how it is hashed never changes.
LINK_3 = "36065b156a2838dd17b11c56d5680b9b81a35403855cd53e4902750498b6e272"


def put(path: Path, stored: Path) -> None:
    """Make the journal that is stored there."""
    db = sqlite3.connect(path)
    db.executescript(stored.read_text(encoding="utf-8"))
    db.close()


def assert_whole(journal: Journal) -> None:
    """Everything that the older version wrote is in it, evidence and what stands beside it."""
    assert list(journal.entries()) == list(entries(1, 12))
    assert verify_chain(journal, {3: bytes.fromhex(LINK_3)}).intact
    assert journal.document(Document.of('site = "köln"\n').sha256) is not None
    assert journal.private_text(PrivateText.of("Anna", b"salt" * 8).commitment) == "Anna"
    assert journal.counts() == {"repeats/vapour": 2}
    assert journal.latest_checkpoint("engine") == Checkpoint(12, "engine", b"state")
    assert journal.first_base_state("engine") == Checkpoint(5, "engine", b"base")
    with Deliveries.open(journal.path) as deliveries:
        assert [row.notice.id for row in deliveries.pending("hook", 0)] == ["n9"]
        assert [row.receipt for row in deliveries.settled("hook")] == ["200"]
        assert deliveries.cursor("influx") == Cursor(10, 4)
