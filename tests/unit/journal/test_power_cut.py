"""A power cut at any moment: the short form of the campaign, with its controls and its own sharpness."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldchain.journal import Batch, Deliveries, Journal, Notice
from tests.campaign import power
from tests.campaign.medium import Medium, every_cut
from tests.campaign.outcome import Size
from tests.unit.journal.disk import Operation, watched
from tests.unit.journal.support import entries

SIZES = [1, 1, 3, 20, 1, 2, 60, 1, 1, 150, 1, 5, 1, 1, 30, 1]


@pytest.fixture(scope="module")
def full() -> power.Life:
    """A long life as the product makes it."""
    return power.record([SIZES, SIZES])


@pytest.mark.slow
@settings(max_examples=min(100, settings.default.max_examples))
@given(where=st.integers(0, 10**6), seed=st.integers(0, 10**6))
def test_no_power_cut_takes_a_commit(full: power.Life, where: int, seed: int) -> None:
    """Cut anywhere, with any part of the unsynced writes on the disk: all that was acknowledged is there."""
    count = where % (len(full.operations) + 1)
    medium = Medium()
    for operation in full.operations[:count]:
        medium.play(operation)
    trial = power.audit(full, [medium.at_random(random.Random(seed))])
    assert not trial.lost, trial.first
    assert not trial.wrong, trial.first


@pytest.mark.slow
def test_single_drops_and_tears_take_nothing() -> None:
    """Of short lives, some of the states the campaign tries all of."""
    outcome = power.cut_power(20261129, Size.SHORT)
    assert outcome.tried == 200
    assert (outcome.lost, outcome.doubled) == (0, 0), outcome.note


@pytest.mark.slow
def test_every_state_of_one_commit() -> None:
    """One commit into a journal that is there: each drop and each tear, none left out."""
    life = power.record([[1]], begun=True)
    cuts = list(every_cut(life.operations, life.at_rest))
    committed = life.acknowledged[0][0]  # what comes behind is receipts, a state and the end
    trial = power.audit(life, [cut for cut in cuts if cut.operations <= committed])
    assert trial.states > 100
    assert (trial.lost, trial.wrong) == (0, 0), trial.first


@pytest.mark.parametrize("control", [power.cut_power_with_normal, power.cut_power_early])
def test_the_audit_sees_a_loss(control: power.Control) -> None:
    """With synchronous=NORMAL, or acknowledged before the commit, acknowledged facts are lost and counted."""
    assert control(7, Size.SHORT).lost > 0


def test_without_any_sync_a_commit_is_seldom_there() -> None:
    """The disk of the tests does lose what was never synced."""
    life = power.record([SIZES], "OFF")
    cuts = []
    medium = Medium()
    moments = {asked for asked, _ in life.acknowledged}
    for count, operation in enumerate(life.operations, 1):
        medium.play(operation)
        if count in moments:
            cuts.append(list(medium.singly())[1])
    trial = power.audit(life, cuts)
    assert trial.lost > len(cuts) // 2


def test_the_medium_tears_where_a_sector_ends() -> None:
    """What one write across two sectors may leave: all, nothing, its beginning, its end."""
    medium = Medium({"f": b"." * 1024})
    medium.play(Operation("write", "f", 500, b"x" * 24))
    states = {cut.contents()["f"][498:526] for cut in medium.singly()}
    assert states == {
        b"..xxxxxxxxxxxxxxxxxxxxxxxx..",
        b"............................",
        b"..xxxxxxxxxxxx..............",
        b"..............xxxxxxxxxxxx..",
    }
    medium.play(Operation("sync", "f"))
    assert [cut.contents()["f"][500:524] for cut in medium.singly()] == [b"x" * 24] * 2


def test_receipts_cost_no_sync() -> None:
    """A sink's transaction is not synced on its own, so it never keeps the writer waiting for the disk."""
    with TemporaryDirectory() as folder, watched() as disk:
        path = Path(folder, "x.journal")
        with Journal.open(path) as journal, Deliveries.open(path) as deliveries:
            made = entries(1, 3)
            notices = tuple(Notice("hook", f"{n}", 3, 0, "raised", b"x") for n in range(20))
            journal.commit(Batch(made, notices=notices))
            before = len(disk.operations)
            for notice in deliveries.pending("hook", 0):
                deliveries.done("hook", {notice.notice.id: "200"}, 0)
            kinds = {operation.kind for operation in disk.operations[before:]}
            assert kinds == {"write"}
            before = len(disk.operations)
            journal.commit(Batch(entries(4, 1)))
            assert [op.kind for op in disk.operations[before:]].count("sync") == 1
