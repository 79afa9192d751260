"""The sinks' side: notices until somebody took them, cursors that never claim too much."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from coldchain.journal import (
    Backlog,
    Batch,
    Cursor,
    Deliveries,
    Journal,
    JournalMissing,
    JournalRefused,
    Notice,
    Outcome,
    Removing,
)
from tests.unit.journal.support import entries


def notice(name: str, position: int = 3, ordinal: int = 0, not_before_ms: int = 0) -> Notice:
    """A notice of sink `hook`."""
    return Notice("hook", name, position, ordinal, "raised", name.encode(), not_before_ms)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Nine facts, and notices a to e that were not put in in order."""
    made = [notice("c", 6), notice("a"), notice("e", 9, 1), notice("d", 9), notice("b", 3, 1)]
    other = Notice("mail", "a", 3, 0, "raised", b"to mail")
    with Journal.open(tmp_path / "x.journal") as opened:
        opened.commit(Batch(entries(1, 9), notices=(*made, other)))
        yield opened


@pytest.fixture
def deliveries(journal: Journal) -> Iterator[Deliveries]:
    """A sink's connection beside the writer's."""
    with Deliveries.open(journal.path) as opened:
        yield opened


def pending(deliveries: Deliveries, now_ms: int = 0, limit: int = 100) -> str:
    """Names of what is to be sent, in order."""
    return "".join(row.notice.id for row in deliveries.pending("hook", now_ms, limit))


def test_oldest_first(deliveries: Deliveries) -> None:
    """Notices come in the order of their announcements, for each sink its own."""
    assert pending(deliveries) == "abcde"
    assert pending(deliveries, limit=2) == "ab"
    assert [row.notice.body for row in deliveries.pending("mail", 0)] == [b"to mail"]
    assert deliveries.pending("nobody", 0) == []


def test_done_is_done(journal: Journal, deliveries: Deliveries) -> None:
    """A receipt settles a notice once, for its sink alone, and outlives a restart."""
    assert deliveries.done("hook", {"a": "200 ok", "b": "200", "unknown": "?"}, 77) == 2
    assert deliveries.done("hook", {"a": "again"}, 99) == 0
    assert pending(deliveries) == "cde"
    assert len(deliveries.pending("mail", 0)) == 1
    with Deliveries.open(journal.path) as other:
        row = other.settled("hook")[0]
        assert (row.notice.id, row.outcome, row.receipt, row.attempts, row.settled_ms) == (
            "a",
            Outcome.TOLD,
            "200 ok",
            1,
            77,
        )


def test_a_failure_waits_for_its_time(deliveries: Deliveries) -> None:
    """What failed is not offered before its next try, keeps its reason, and holds up nothing else."""
    deliveries.failed("hook", "a", "connection refused", 5_000)
    deliveries.failed("hook", "a", "time-out", 9_000)
    assert pending(deliveries, 8_999) == "bcde"
    row = deliveries.pending("hook", 9_000)[0]
    assert (row.notice.id, row.attempts, row.failure, row.next_try_ms) == ("a", 2, "time-out", 9_000)
    deliveries.done("hook", {"a": "200"}, 9_000)
    deliveries.failed("hook", "a", "too late to fail", 10_000)
    assert deliveries.settled("hook")[0].receipt == "200"


def test_refused_is_an_end(deliveries: Deliveries) -> None:
    """A receiver that will never take a notice is not asked again, and what it said is kept."""
    assert deliveries.refused("hook", "a", "410 gone", 5)
    assert not deliveries.refused("hook", "a", "410 gone", 6)
    assert pending(deliveries, 10**9) == "bcde"
    assert deliveries.settled("hook")[0].outcome is Outcome.REFUSED


def test_not_before(journal: Journal, deliveries: Deliveries) -> None:
    """A notice for later waits."""
    journal.commit(Batch(entries(10, 1), notices=(notice("f", 10, 0, not_before_ms=500),)))
    assert pending(deliveries, 499) == "abcde"
    assert pending(deliveries, 500) == "abcdef"


def test_folding_old_notices_into_one(deliveries: Deliveries) -> None:
    """Several become one in one step; what was told meanwhile stays told; the one is told like any other."""
    deliveries.done("hook", {"b": "200"}, 1)
    assert deliveries.fold("hook", ["a", "b", "c"], notice("while you were away", 6), 50) == 2
    assert [row.notice.id for row in deliveries.pending("hook", 50)] == ["while you were away", "d", "e"]
    ended = {row.notice.id: (row.outcome, row.receipt, row.attempts) for row in deliveries.settled("hook")}
    assert ended == {
        "a": (Outcome.FOLDED, "while you were away", 0),
        "b": (Outcome.TOLD, "200", 1),
        "c": (Outcome.FOLDED, "while you were away", 0),
    }


@pytest.mark.parametrize(
    "into",
    [
        pytest.param(notice("a"), id="one of those it stands for"),
        pytest.param(Notice("mail", "x", 3, 0, "raised", b""), id="another sink's"),
        pytest.param(Notice("hook", "d", 3, 0, "raised", b"other"), id="an id with another body"),
    ],
)
def test_a_fold_that_would_lose_something(deliveries: Deliveries, into: Notice) -> None:
    """Folding into something that will not be told is refused and changes nothing."""
    with pytest.raises(JournalRefused):
        deliveries.fold("hook", ["a", "b"], into, 0)
    assert pending(deliveries) == "abcde"


def test_the_backlog_is_told(deliveries: Deliveries) -> None:
    """How much, since which position, and how often the worst was tried."""
    assert deliveries.backlog("hook") == Backlog(5, 3, 0)
    deliveries.failed("hook", "c", "no", 5)
    deliveries.done("hook", {"a": "200", "b": "200"}, 0)
    assert deliveries.backlog("hook") == Backlog(3, 6, 1)
    assert deliveries.backlog("nobody") == Backlog(0, None, 0)


def test_pruning_takes_only_what_has_ended(journal: Journal, deliveries: Deliveries) -> None:
    """Receipts go with the readings of their time; what is still to be told never does."""
    deliveries.done("hook", {"a": "200", "c": "200", "d": "200"}, 0)
    position = journal.tail().position + 1
    journal.commit(Batch(entries(position, 1), removing=(Removing(position, (), 1, 8, b""),)))
    assert [row.notice.id for row in deliveries.settled("hook")] == ["d"]
    assert pending(deliveries) == "be"


@pytest.mark.parametrize(
    ("cursor", "fine"),
    [
        pytest.param(Cursor(9, 4), True, id="forward"),
        pytest.param(Cursor(5, 4), True, id="sent goes back, in doubt"),
        pytest.param(Cursor(4, 4), True, id="all confirmed"),
        pytest.param(Cursor(10, 4), False, id="past the end of the journal"),
        pytest.param(Cursor(9, 3), False, id="confirmed goes back"),
        pytest.param(Cursor(3, 4), False, id="confirmed more than sent"),
        pytest.param(Cursor(-1, -1), False, id="before the beginning"),
    ],
)
def test_a_cursor_never_claims_too_much(deliveries: Deliveries, cursor: Cursor, fine: bool) -> None:
    """What was confirmed stays confirmed and was sent; what was sent is in the journal."""
    assert deliveries.cursor("influx") == Cursor(0, 0)
    deliveries.move("influx", Cursor(7, 4))
    if fine:
        deliveries.move("influx", cursor)
        assert deliveries.cursor("influx") == cursor
    else:
        with pytest.raises(JournalRefused, match="cursor of influx"):
            deliveries.move("influx", cursor)
        assert deliveries.cursor("influx") == Cursor(7, 4)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM facts",
        "INSERT INTO commits VALUES (9, 9, 9, x'00')",
        "UPDATE announcements SET body = x'00'",
        "DROP TABLE documents",
        "DROP TRIGGER facts_no_delete",
        "PRAGMA user_version = 9",
        "UPDATE checkpoints SET state = x'00'",
        "ATTACH 'other' AS other",
    ],
)
def test_evidence_is_out_of_a_sink_s_reach(deliveries: Deliveries, statement: str) -> None:
    """A sink's connection can write receipts and cursors, nothing else."""
    with pytest.raises(JournalRefused, match="not authorized"), deliveries._database.transaction("try") as db:
        db.execute(statement)


def test_no_deliveries_without_a_journal(tmp_path: Path) -> None:
    """A sink never makes a journal."""
    with pytest.raises(JournalMissing):
        Deliveries.open(tmp_path / "x.journal")
    assert list(tmp_path.iterdir()) == []


def test_a_sink_reads_facts_by_position(deliveries: Deliveries) -> None:
    """Log sinks read what they send over the same connection."""
    assert [row.body for row in deliveries.facts(4, 6)] == [e.fact for e in entries(4, 3)]
    assert [row.position for row in deliveries.announcements(7, 9)] == [9, 9]


def test_writer_and_sinks_at_once(tmp_path: Path) -> None:
    """Two sinks settle while the writer commits: nobody is refused, nothing is lost or told twice."""
    path = tmp_path / "x.journal"
    rounds = 60
    stop = threading.Event()
    told: dict[str, list[str]] = {"hook": [], "mail": []}
    trouble: list[Exception] = []

    def sink(name: str) -> None:
        try:
            with Deliveries.open(path) as mine:
                while True:
                    last_look = stop.is_set()
                    ids = [row.notice.id for row in mine.pending(name, 0, 3)]
                    mine.done(name, dict.fromkeys(ids, "200"), 0)
                    told[name] += ids
                    if last_look and not ids:
                        return
        except Exception as cause:
            trouble.append(cause)
            raise

    with Journal.open(path) as journal:
        journal.wal_pages_max = 10
        threads = [threading.Thread(target=sink, args=(name,)) for name in told]
        for thread in threads:
            thread.start()
        for number in range(rounds):
            notices = tuple(Notice(name, f"{number}", 2 * number + 2, 0, "raised", b"") for name in told)
            journal.commit(Batch(entries(2 * number + 1, 2), notices=notices))
        stop.set()
        for thread in threads:
            thread.join(60)
        assert not trouble
        assert told == {name: [str(number) for number in range(rounds)] for name in told}
        assert journal.tail().position == 2 * rounds


class Outbox(RuleBasedStateMachine):
    """The outbox against a dictionary: whatever is done in whatever order, both say the same."""

    names = st.sampled_from("abcdefgh")

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 0
        self.waiting: dict[str, tuple[int, int]] = {}  # id -> attempts, next try
        self.ended: dict[str, str] = {}

    @initialize(folder=st.just(None))
    def open(self, folder: None) -> None:
        from tempfile import TemporaryDirectory

        self.folder = TemporaryDirectory()
        self.journal = Journal.open(Path(self.folder.name, "x.journal"))
        self.deliveries = Deliveries.open(self.journal.path)

    @rule(name=names, later_ms=st.integers(0, 5))
    def announce(self, name: str, later_ms: int) -> None:
        position = self.journal.tail().position + 1
        made = Notice("hook", name, position, 0, "raised", name.encode(), self.now_ms + later_ms)
        self.journal.commit(Batch(entries(position, 1), notices=(made,)))
        if name not in self.waiting and name not in self.ended:
            self.waiting[name] = (0, self.now_ms + later_ms)

    @rule(names=st.lists(names))
    def done(self, names: list[str]) -> None:
        hit = [name for name in dict.fromkeys(names) if name in self.waiting]
        assert self.deliveries.done("hook", dict.fromkeys(names, "200"), self.now_ms) == len(hit)
        for name in hit:
            del self.waiting[name]
            self.ended[name] = "told"

    @rule(name=names, later_ms=st.integers(0, 5))
    def failed(self, name: str, later_ms: int) -> None:
        self.deliveries.failed("hook", name, "no", self.now_ms + later_ms)
        if name in self.waiting:
            self.waiting[name] = (self.waiting[name][0] + 1, self.now_ms + later_ms)

    @rule(name=names)
    def refused(self, name: str) -> None:
        assert self.deliveries.refused("hook", name, "410", self.now_ms) == (name in self.waiting)
        if self.waiting.pop(name, None):
            self.ended[name] = "refused"

    @rule(ms=st.integers(1, 5))
    def wait(self, ms: int) -> None:
        self.now_ms += ms

    @rule()
    def restart(self) -> None:
        self.deliveries.close()
        self.journal.close()
        self.journal = Journal.open(self.journal.path)
        self.deliveries = Deliveries.open(self.journal.path)

    @invariant()
    def same(self) -> None:
        if not hasattr(self, "journal"):
            return
        due = {name for name, (_, at) in self.waiting.items() if at <= self.now_ms}
        rows = self.deliveries.pending("hook", self.now_ms)
        assert {row.notice.id: row.attempts for row in rows} == {n: self.waiting[n][0] for n in due}
        assert self.deliveries.backlog("hook").count == len(self.waiting)
        assert {r.notice.id: r.outcome.value for r in self.deliveries.settled("hook")} == self.ended

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.deliveries.close()
            self.journal.close()
            self.folder.cleanup()


TestOutbox = Outbox.TestCase
TestOutbox.settings = settings(
    max_examples=min(25, settings.default.max_examples), stateful_step_count=20, deadline=None
)
