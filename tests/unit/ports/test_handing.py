"""When the intake takes nothing: the newest value is kept, the rest is counted and told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.facts import Lost, Reading, Unreadable
from coldchain.model import Bad, Measured, Reason
from coldchain.ports.handing import Hands
from coldchain.ports.outlet import Outlet
from coldchain.ports.ration import BURST, EACH_S, TELL_S, Ration
from coldchain.ports.standing import Count
from tests.unit.ports.support import Desk
from tests.unit.ports.test_outlet import outlet


@pytest.fixture
def desk() -> Desk:
    return Desk(capacity=4)


@pytest.fixture
def out(tmp_path: Path, desk: Desk) -> Outlet:
    return outlet(tmp_path, desk)


def give(hands: Hands, out: Outlet, *values: str, at_ms: int | None = None) -> None:
    """Frames with a value for channel a."""
    for value in values:
        hands.give(out.read(lambda: (Measured("a", value, "degC", at_ms),), b"frame"))  # noqa: B023


def test_no_room(desk: Desk, out: Outlet) -> None:
    """The newest value of each channel waits, with its time; what it pushed out is told as lost."""
    hands = Hands(out, desk.intake, desk.clock)
    desk.takes = False
    give(hands, out, "1", "2", "3", "4", "5", "6", "7")
    hands.give(out.read(lambda: (Measured("b", "b", "degC", 99),), b"frame"))
    before_ms = desk.clock.journal_ms()
    desk.pause(0.02)
    desk.takes = True
    assert [reading.raw for reading in desk.readings] == ["1", "2", "3", "4"]
    hands.tick()
    kept = desk.readings[4:]
    assert [(reading.channel, reading.raw) for reading in kept] == [("box.a", "7"), ("box.b", "b")]
    assert kept[0].stamp_ms is not None
    # Journal and boot clock are each rounded down, so the stamp may lie one ms later; not the pause of 20.
    assert kept[0].stamp_ms <= before_ms + 1
    assert (kept[1].at_ms, kept[1].stamp_ms) == (99, None), "the device's own time needs no stamp"
    assert [(fact.source, fact.count) for fact in desk.lost] == [("log", 2)]
    assert out.standing.counts[Count.LOST] == 2
    hands.tick()
    assert len(desk.lost) == 1, "told once"


def test_what_waits_goes_before_what_comes(desk: Desk, out: Outlet) -> None:
    """Readings of a channel reach the journal in the order in which they came."""
    hands = Hands(out, desk.intake, desk.clock)
    desk.takes = False
    give(hands, out, "1", "2", "3", "4", "5")
    desk.takes = True
    desk.look()
    give(hands, out, "6")
    assert [reading.raw for reading in desk.readings] == ["1", "2", "3", "4", "5", "6"]
    assert desk.lost == []


def test_at_the_end_nothing_is_forgotten(desk: Desk, out: Outlet) -> None:
    """A port that ends while there is no room tells all that waited as lost."""
    hands = Hands(out, desk.intake, desk.clock)
    desk.takes = False
    give(hands, out, *"1234567")
    hands.finish()
    desk.takes = True
    assert [fact.count for fact in desk.lost] == [3]


def test_a_reading_without_its_own_time_that_went_in_at_once_has_none(desk: Desk, out: Outlet) -> None:
    """Its arrival, stamped by the intake under its lock, is its time."""
    hands = Hands(out, desk.intake, desk.clock)
    give(hands, out, "1")
    assert desk.readings[0].stamp_ms is None


@given(st.lists(st.one_of(st.just("take"), st.sampled_from(["a", "b", "?"])), max_size=60))
def test_everything_is_taken_or_told(tmp_path_factory: pytest.TempPathFactory, acts: list[str]) -> None:
    """However room comes and goes: frames given = readings and unreadables journalled + told as lost."""
    desk = Desk(capacity=3)
    out = outlet(tmp_path_factory.mktemp("h"), desk)
    hands = Hands(out, desk.intake, desk.clock)
    desk.takes = False
    given_ = 0
    for act in acts:
        if act == "take":
            desk.takes = True
            desk.look()
            desk.takes = False
            continue
        given_ += 1
        item = Bad(Reason.CORRUPT_FRAME, b"x") if act == "?" else Measured(act, str(given_), "degC")
        hands.give(out.read(lambda: (item,), b"x"))  # noqa: B023
    hands.finish()
    desk.takes = True
    facts = desk.look()
    taken = [fact for fact in facts if isinstance(fact, Reading | Unreadable)]
    assert len(taken) + sum(fact.count for fact in facts if isinstance(fact, Lost)) == given_
    for channel in ("box.a", "box.b"):
        order = [int(f.raw) for f in taken if isinstance(f, Reading) and f.channel == channel]
        assert order == sorted(order)


def test_babble_is_written_as_a_sample() -> None:
    """A burst goes through, then one frame in ten seconds; all others are counted and told each hour."""
    ration = Ration(0.0)
    allowed = sum(ration.allows(second / 10) for second in range(36_000 * 2))
    assert BURST + 7200 / EACH_S - 1 <= allowed <= BURST + 7200 / EACH_S + 1
    assert ration.due(TELL_S) == 72_000 - allowed
    assert ration.due(2 * TELL_S) == 0, "nothing more was left out"
    assert ration.allows(2 * TELL_S + 1000)


def test_a_line_that_babbles_does_not_fill_the_journal(tmp_path: Path) -> None:
    """Of a thousand unreadable frames the first sixty are facts; readings among them are never left out."""
    desk = Desk()
    out = outlet(tmp_path, desk)
    hands = Hands(out, desk.intake, desk.clock)
    for _ in range(1_000):
        hands.give(out.read(lambda: (Bad(Reason.CORRUPT_FRAME, b"x"),), b"x"))
    give(hands, out, "1")
    assert BURST <= len(desk.unreadable) <= BURST + 1
    assert len(desk.readings) == 1
    assert out.standing.counts[Count.UNREADABLE] == 1_000
    hands.finish()
    assert [fact.count for fact in desk.lost] == [1_000 - len(desk.unreadable)]
