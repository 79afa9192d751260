"""A removal is one transaction, and what is kept is proven; the file itself refuses more."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
import pytest

from coldchain.facts import decode
from coldchain.journal import (
    Batch,
    Entry,
    Fault,
    Journal,
    JournalError,
    JournalRefused,
    Reader,
    Removing,
    back_up,
    verify_chain,
)
from coldchain.journal.removal import Bound, Surveyed, holding, removable, removals, survey
from tests.unit.journal.disk import watched
from tests.unit.journal.support import ARRIVAL_MS, entries, entry, fact_of, fill, removing

#: What arrived before the 31st fact of the journals here.
OLD = Bound(ARRIVAL_MS + 31_000, None)


def remove(journal: Journal, first: int = 1, last: int = 10**6, bound: Bound = OLD) -> Surveyed:
    """Remove what is old from some commits."""
    found = survey(journal, first, last, bound, None)
    assert found is not None
    journal.commit(removing(journal, found))
    return found


def test_readings_go_and_the_rest_stays(tmp_path: Path) -> None:
    """What was announced at stays, whatever it is; all links stay; the chain is proven."""
    path = tmp_path / "x.journal"
    made = fill(path, [10, 1, 19, 10])
    with Journal.open(path) as journal:
        links = [commit.link for commit in journal.commits()]
        found = remove(journal, last=3)
        assert found.removed == 20
        left = list(journal.entries())[:-1]
        assert left == [one for one in made if one.position > 30 or one.announcements]
        assert [commit.link for commit in journal.commits()][:4] == links
        report = verify_chain(journal, {3: links[2]})
        assert report.intact, report.first
        assert (report.removed, report.facts) == (20, 21)
        assert journal.position_at(ARRIVAL_MS + 35_000) == 35
        assert 3 <= journal.position_at(ARRIVAL_MS + 3_000) < 6
        assert [commit.arrival_ms for commit in journal.commits(2, 2)] == [ARRIVAL_MS + 9_000]
        assert journal.check_tail().position == 41


def test_an_anchor_within_the_gap_still_counts(tmp_path: Path) -> None:
    """The links of commits whose readings went are what they were to whoever kept one."""
    path = tmp_path / "x.journal"
    fill(path, [10, 10, 20])
    with Journal.open(path) as journal:
        remove(journal, last=2)
        report = verify_chain(journal, {1: b"\x00" * 32})
    assert [finding.fault for finding in report.findings] == [Fault.ANCHOR_DIFFERS]


def test_a_later_removal_holds(tmp_path: Path) -> None:
    """Commits of which more could go later: the newer fact says what is kept of them now."""
    path = tmp_path / "x.journal"
    fill(path, [10, 10, 20])
    with Journal.open(path) as journal:
        remove(journal, 1, 2, Bound(OLD.before_ms, None, frozenset({"vapour"})))
        assert verify_chain(journal).removed == 3  # our own heartbeats
        remove(journal, 1, 2)
        report = verify_chain(journal)
        assert report.intact, report.first
        assert report.removed == 14
        assert [removed.removed for _, removed in removals(journal)] == [3, 11]
        assert len(holding(removals(journal)).parts) == 1


def test_only_a_whole_removal_is_done_again(tmp_path: Path) -> None:
    """A newer one of half the commits of an older leaves the other half unproven: it is said."""
    path = tmp_path / "x.journal"
    fill(path, [10, 10, 20])
    with Journal.open(path) as journal:
        remove(journal, 1, 2, Bound(OLD.before_ms, None, frozenset({"vapour"})))
        remove(journal, 2, 2)
        found = [finding.fault for finding in verify_chain(journal).findings]
    assert Fault.REMOVAL_DIFFERS in found


@pytest.mark.parametrize(
    ("spans", "first", "last"),
    [
        pytest.param(((1, 2),), 5, 9, id="before what it looked at"),
        pytest.param(((5, 10),), 5, 9, id="behind it"),
        pytest.param(((41, 41),), 41, 41, id="itself"),
    ],
)
def test_a_removal_that_reaches_too_far_is_refused(
    tmp_path: Path, spans: tuple[tuple[int, int], ...], first: int, last: int
) -> None:
    """A defect of the caller costs no reading."""
    path = tmp_path / "x.journal"
    fill(path, [40])
    with Journal.open(path) as journal:
        batch = Batch(entries(41, 1), removing=(Removing(41, spans, first, last, b""),))
        with pytest.raises(JournalRefused):
            journal.commit(batch)
        assert verify_chain(journal).facts == 40


def test_what_was_announced_at_is_never_deleted(tmp_path: Path) -> None:
    """The file itself refuses, and the whole batch with it."""
    path = tmp_path / "x.journal"
    fill(path, [40])
    with Journal.open(path) as journal:
        batch = Batch(entries(41, 1), removing=(Removing(41, ((3, 3),), 1, 9, b""),))
        with pytest.raises(JournalError, match="never changed"):
            journal.commit(batch)
        assert verify_chain(journal).facts == 40


@pytest.mark.parametrize(
    ("fact", "goes"),
    [
        pytest.param(entry(1), True, id="a reading"),
        pytest.param(entry(31), False, id="a younger one"),
        pytest.param(entry(1, b"{}"), False, id="one at which something was announced"),
        pytest.param(entry(1, fact=b'{"fact":"beat"}'), True, id="our heartbeat"),
        pytest.param(entry(1, fact=b'{"fact":"wake"}'), False, id="a timer"),
        pytest.param(entry(1, fact=b'{"fact":"note_","why":"\\"fact\\":\\"reading\\""}'), False, id="words"),
        pytest.param(entry(1, fact=b'{"fact":"reading"'), False, id="what is no fact"),
        pytest.param(
            entry(1, fact=b'{"at_ms":1,"channel":"a","fact":"reading","source":"b"}'), False,
            id="with a time of its own, while nobody knows ours",
        ),
    ],
)  # fmt: skip
def test_what_goes(fact: Entry, goes: bool) -> None:
    """Readings, unreadable frames, notes and our heartbeat, if they are old and nothing was said at them."""
    assert removable(fact, OLD) is goes


def test_a_reading_with_its_own_time_goes_by_that(tmp_path: Path) -> None:
    """What came late is as old as it was measured, not as it came."""
    bound = Bound(OLD.before_ms, 1_000)
    for at_ms, goes in ((999, True), (1_000, False)):
        body = b'{"at_ms":%d,"channel":"a","fact":"reading","source":"b"}' % at_ms
        assert removable(entry(10**6, fact=body), bound) is goes


def test_whatever_request_of_the_disk_fails_it_is_whole_or_not_at_all() -> None:
    """The n-th request fails, for every n: the journal is as before, and then, tried again, as after."""
    fail_at = failed_times = 0
    failed = True
    while failed:
        with TemporaryDirectory() as folder:
            path = Path(folder, "x.journal")
            with watched() as disk, Journal.open(path, reserve_bytes=0) as journal:
                journal.commit(Batch(entries(1, 30)))
                journal.commit(Batch(entries(31, 10)))
                found = survey(journal, 1, 1, OLD, None)
                assert found is not None
                batch = removing(journal, found)
                disk.fail_at = len(disk.operations) + fail_at
                try:
                    journal.commit(batch)
                except JournalError:
                    failed_times += 1
                    report = verify_chain(journal)
                    assert (report.intact, report.facts, report.removed) == (True, 40, 0)
                    journal.commit(batch)
                report = verify_chain(journal)
                assert (report.intact, report.facts, report.removed) == (True, 21, 20)
                failed, disk.fail_at = disk.failed, None
        fail_at += 1
    assert failed_times >= 3


def test_a_copy_of_a_journal_with_a_gap_is_whole(tmp_path: Path) -> None:
    """The backup holds what is kept, the removal's fact and what the readings left behind."""
    path, copy = tmp_path / "x.journal", tmp_path / "copy"
    fill(path, [10, 10, 20])
    with Journal.open(path) as journal:
        remove(journal, last=2)
    done = back_up(path, copy)
    assert done.chain.removed == 14
    with Reader.open(copy) as journal:
        assert journal.remains(hashlib.sha256(b"{}").hexdigest()) == b"{}"


def test_the_fact_is_stored_like_every_other(tmp_path: Path) -> None:
    """Its canonical bytes come out as they went in, and older programs' facts stay readable."""
    path = tmp_path / "x.journal"
    fill(path, [10, 10])
    with Journal.open(path) as journal:
        found = remove(journal, last=1)
        row = list(journal.facts())[-1]
    assert decode(row.body) == fact_of(found)
    db = apsw.Connection(str(path))
    assert list(db.execute("SELECT * FROM removals")) == [(21, 1, 10)]
    db.close()
