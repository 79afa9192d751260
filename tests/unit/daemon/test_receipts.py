"""Who has been told: what the outbox says, at hand for those who look, without asking it again and again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from coldchain import facts
from coldchain.clock import SystemClock
from coldchain.daemon.receipts import Receipts
from coldchain.facts import Beat
from coldchain.journal import Batch, Deliveries, Entry, Journal, Notice
from coldchain.web.alarm_views import ToldView
from coldchain.web.plain_views import Instant

ARRIVAL_MS = 1_000


def notice(position: int, sink: str = "room") -> Notice:
    """A notice of the first announcement at a position."""
    return Notice(sink, f"n{position}", position, 0, "raised", b"{}")


class World:
    """A journal with ten facts and a notice for each, and the receipts of it."""

    def __init__(self, path: Path) -> None:
        self.journal = Journal.open(path)
        notices = tuple(notice(position) for position in range(1, 11))
        entries = tuple(
            Entry(position, ARRIVAL_MS * position, facts.encode(Beat()), (b"{}",))
            for position in range(1, 11)
        )
        self.journal.commit(Batch(entries, notices=notices))
        self.outbox = Deliveries.open(path)
        self.clock = SystemClock()
        self.real_s = 100.0
        self.clock.real_s = lambda: self.real_s  # type: ignore[method-assign]
        self.path = path

    def receipts(self) -> Receipts:
        """Fresh ones, as after a start."""
        return Receipts(Deliveries.open(self.path), self.clock, lambda ms: ms + 1_000_000)

    def later(self) -> None:
        """Long enough for another look."""
        self.real_s += 1


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "j.db")
    yield made
    made.outbox.close()
    made.journal.close()


def silent(sink: str) -> str:
    """Nothing holds it up."""
    return ""


def test_from_waiting_to_told(world: World) -> None:
    """A notice waits, with what holds it up; then there is a receipt with its time, and nothing waits."""
    receipts = world.receipts()
    receipts.expect([notice(1), notice(2)])
    assert receipts.of([1], lambda sink: "connection refused") == (
        ToldView("room", failed="connection refused"),
    )
    assert receipts.waiting("room") == (2, Instant(1_000_000 + ARRIVAL_MS))
    world.outbox.done("room", {"n1": "200"}, 5_000)
    receipts.look()
    assert receipts.of([1], silent) == (ToldView("room", Instant(1_005_000)),)
    assert receipts.waiting("room") == (1, Instant(1_000_000 + 2 * ARRIVAL_MS))
    world.outbox.refused("room", "n2", "422 no such room", 6_000)
    receipts.look()
    assert receipts.waiting("room")[0] == 1, "a second look within half a second is none"
    world.later()
    receipts.look()
    assert receipts.of([2], silent) == (ToldView("room", failed="422 no such room"),)
    assert receipts.waiting("room") == (0, None)
    receipts.close()


def test_the_newest_word_counts(world: World) -> None:
    """Of several occurrences of an alarm the newest one's receipt is shown, for each sink."""
    receipts = world.receipts()
    receipts.expect([notice(1), notice(3)])
    world.outbox.done("room", {"n1": "200"}, 5_000)
    receipts.look()
    assert receipts.of([1, 3], silent) == (ToldView("room"),)
    world.later()
    world.outbox.done("room", {"n3": "200"}, 7_000)
    receipts.look()
    assert receipts.of([1, 3], silent) == (ToldView("room", Instant(1_007_000)),)
    receipts.close()


def test_a_stuck_one_hides_no_other(world: World) -> None:
    """The oldest waits for ever; those behind it are found all the same."""
    receipts = world.receipts()
    receipts.expect([notice(position) for position in range(1, 11)])
    world.outbox.done("room", {f"n{position}": "200" for position in range(2, 11)}, 5_000)
    receipts.look()
    assert receipts.waiting("room")[0] == 1
    assert receipts.of([10], silent) == (ToldView("room", Instant(1_005_000)),)
    receipts.close()


def test_after_a_restart(world: World) -> None:
    """What was told before is known for the positions that are asked about, and what waited still waits."""
    world.outbox.done("room", {"n1": "200", "n2": "200"}, 5_000)
    receipts = world.receipts()
    receipts.remember(["room", "office"], [2])
    assert receipts.of([2], silent) == (ToldView("room", Instant(1_005_000)),)
    assert receipts.of([1], silent) == (), "nobody asked about it"
    assert receipts.waiting("room")[0] == 8
    assert receipts.waiting("office") == (0, None)
    receipts.close()
