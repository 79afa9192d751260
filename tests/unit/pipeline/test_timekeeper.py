"""What is said of the clock: known or not, stepped, and how long we were not running."""

from __future__ import annotations

import pytest

from coldchain.facts import ClockSet, Fact, ProcessStarted
from coldchain.fold import Fold
from coldchain.pipeline import timekeeper as module
from coldchain.pipeline.timekeeper import Timekeeper
from tests.unit.pipeline.fake_clock import LATER, HandClock

HOUR = 3_600_000


class Story:
    """A fold that lives through several processes on one clock."""

    def __init__(self, clock: HandClock) -> None:
        self.clock, self.fold, self.position = clock, Fold(), 0
        self.keeper = Timekeeper(clock)

    def start(self) -> tuple[ProcessStarted, ClockSet]:
        """A process begins."""
        self.keeper = Timekeeper(self.clock)
        started, clock_set = self.keeper.start(self.fold).facts
        assert isinstance(started, ProcessStarted)
        assert isinstance(clock_set, ClockSet)
        self.add(started)
        self.add(clock_set)
        return started, clock_set

    def look(self) -> ClockSet | None:
        """As the writer does: a leap happens before its fact is stamped."""
        said = self.keeper.look(self.clock.journal_ms())
        if said is not None:
            self.clock.leap(said.leap_ms)
            self.add(said)
        return said

    def add(self, fact: Fact) -> None:
        """Fold a fact now."""
        self.position += 1
        self.fold.apply(self.position, self.clock.journal_ms(), fact)

    @property
    def utc(self) -> int | None:
        """What the fold holds to be UTC now."""
        return self.fold.timebase.utc(self.clock.journal_ms())


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> Story:
    """The first process, its clock vouched for."""
    monkeypatch.setattr(module, "boot_id", lambda: "boot-1")
    told = Story(HandClock())
    told.start()
    return told


def test_a_first_start_takes_the_wall_clock_for_journal_time(story: Story) -> None:
    """A known clock at the very first start: journal time is UTC, offset nought."""
    assert (story.clock.journal_ms(), story.fold.timebase.offset_ms) == (LATER, 0)


def test_within_a_boot_the_boot_clock_knows_the_down_time(story: Story) -> None:
    """A restart in the same boot counts the time between, whatever the wall clock says."""
    story.clock.pass_ms(HOUR)
    story.add(ClockSet(0, "test"))
    story.clock.pass_ms(7_000)
    story.clock.wall_ms = 0
    started, said = story.start()
    assert (started.down_ms, said.offset_ms) == (7_000, None)


def test_across_boots_the_wall_clock_tells(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known before and after, and forward: the difference is the down time."""
    story.clock.pass_ms(HOUR)
    story.add(ClockSet(0, "test"))
    monkeypatch.setattr(module, "boot_id", lambda: "boot-2")
    story.clock.up_ms = 1_000
    story.clock.wall_ms += 3 * HOUR
    started, _ = story.start()
    assert started.down_ms == 3 * HOUR
    assert story.utc == story.clock.wall_ms


def test_booted_in_1970_then_known(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown at first; when the clock becomes known journal time leaps once, by the down time."""
    story.clock.pass_ms(HOUR)
    story.add(ClockSet(0, "test"))
    down_from = story.clock.wall_ms
    monkeypatch.setattr(module, "boot_id", lambda: "boot-2")
    story.clock.up_ms, story.clock.wall_ms = 1_000, 3_000
    started, said = story.start()
    assert (started.down_ms, started.utc_ms, said.offset_ms) == (None, None, None)
    assert story.look() is None
    story.clock.pass_ms(60_000)
    story.clock.wall_ms = down_from + 5 * HOUR
    known = story.look()
    assert known is not None
    assert known.leap_ms == 5 * HOUR - 60_000
    assert story.utc == story.clock.wall_ms
    assert story.look() is None


@pytest.mark.parametrize("by_ms", [HOUR, -HOUR, 365 * 24 * HOUR, -365 * 24 * HOUR])
def test_a_step_while_running_is_said_and_leaves_the_clock_known(story: Story, by_ms: int) -> None:
    """A jump of the wall clock changes how times print, not the order; nothing leaps."""
    story.clock.pass_ms(1_000)
    before = story.clock.journal_ms()
    story.clock.wall_ms += by_ms
    said = story.look()
    if by_ms == -365 * 24 * HOUR:
        assert said is not None  # a year back lies before this program was built: nobody can vouch for that
        assert said.offset_ms is None
        return
    assert said is not None
    assert (said.step_ms, said.leap_ms, said.offset_ms) == (by_ms, 0, by_ms)
    assert story.clock.journal_ms() == before
    assert story.utc == story.clock.wall_ms


def test_slewing_is_no_step(story: Story) -> None:
    """Half a second of difference, as NTP slews away, is said by nobody."""
    story.clock.wall_ms += 500
    assert story.look() is None


def test_an_earlier_clock_needs_a_word(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a start, a clock earlier than the journal's last known time is not known, whoever vouches."""
    story.clock.pass_ms(HOUR)
    story.add(ClockSet(0, "test"))
    monkeypatch.setattr(module, "boot_id", lambda: "boot-2")
    story.clock.up_ms = 1_000
    story.clock.wall_ms -= 2 * HOUR
    started, said = story.start()
    assert (started.utc_ms, started.down_ms, said.offset_ms) == (None, None, None)


def test_trust_lost_and_found(story: Story) -> None:
    """The kernel no longer vouches, then does again: said once each, with the step found then."""
    story.clock.trusted = False
    lost = story.look()
    assert lost is not None
    assert lost.offset_ms is None
    assert story.look() is None
    story.clock.pass_ms(10_000)
    story.clock.trusted = True
    story.clock.wall_ms += 5_000
    found = story.look()
    assert found is not None
    assert (found.offset_ms, found.step_ms, found.leap_ms) == (5_000, 5_000, 0)
