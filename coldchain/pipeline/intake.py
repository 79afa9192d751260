"""The way in: one bounded queue, stamped and ordered where things arrive.

The stamp is taken under the queue's own lock, so the queue's order is the order of the stamps and
the writer need not sort. Ports offer and never wait; people's actions and our own heartbeat have
room of their own, and each source has its share: a babbling device can keep out itself, and nobody
else's alarm.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from coldchain.announcements import Announcement
from coldchain.clock import Clock
from coldchain.facts import ClockSet, Fact, Lost, Reading, SourceDown, SourceUp, Unreadable
from coldchain.journal import Document, PrivateText, Removing
from coldchain.removed import ReadingsRemoved, ReadingsSummarised

#: A source may leave there so many times what is left free, so that one that floods never takes the last of
#: it (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998). One
#: alone has four fifths of the room; ten that flood at once leave one part in 41.
_SHARE = 4

_OF_A_SOURCE = (Reading, Unreadable, SourceUp, SourceDown, Lost)


class Told(Struct, frozen=True):
    """One announcement in its place: the `ordinal`-th (from 0) of the fact at `position`."""

    position: int
    ordinal: int
    arrival_ms: int
    said: Announcement


class Folded(Struct, frozen=True):
    """What became of an item: where its facts stand and what was said while folding them.

    `recorded` False: the journal could not be written; the fold runs on in memory.
    """

    position: int
    announcements: tuple[Announcement, ...]
    recorded: bool = True


class Item(Struct, frozen=True):
    """What came in at one instant: facts that belong together.

    shares:   facts of each source that offered them.
    settled:  called by the writer after the commit (never before); must return at once.
    removing: what is removed by the last fact, which tells of it; where that stands the writer knows.
    erased: commitments of private texts that are erased with it.
    """

    stamp_ms: int
    facts: tuple[Fact, ...]
    settled: Callable[[Folded], None] | None = None
    documents: tuple[Document, ...] = ()
    private_texts: tuple[PrivateText, ...] = ()
    removing: Removing | None = None
    erased: tuple[str, ...] = ()
    shares: dict[str, int] = {}


class Intake(Protocol):
    """The side of the queue that ports, the page and the daemon see."""

    def offer(self, facts: tuple[Fact, ...], settled: Callable[[Folded], None] | None = None) -> bool:
        """Hand in what a device sent; False if there is no room (nothing was taken)."""
        ...

    def submit(
        self,
        facts: tuple[Fact, ...],
        settled: Callable[[Folded], None] | None = None,
        *,
        documents: tuple[Document, ...] = (),
        private_texts: tuple[PrivateText, ...] = (),
        erased: tuple[str, ...] = (),
    ) -> None:
        """Hand in what people or the daemon itself say; always taken."""
        ...


class Queue:
    """The intake queue. `capacity` counts facts of devices that wait to be folded.

    A source of which nothing waits is let in with one item, room or not; so it holds at most that and what
    one message of each source brings.
    """

    def __init__(self, clock: Clock, capacity: int) -> None:
        self.capacity = capacity
        self._clock = clock
        self._items: deque[Item] = deque()
        self._waiting_of: Counter[str] = Counter()
        self._waiting = 0
        self._stamp_ms = 0
        self._changed = threading.Condition()
        self._closed = False
        self._held = False

    def offer(self, facts: tuple[Fact, ...], settled: Callable[[Folded], None] | None = None) -> bool:
        """Hand in what a device sent; False if there is no room or the way is closed."""
        shares = Counter(fact.source for fact in facts if isinstance(fact, _OF_A_SOURCE))
        with self._changed:
            if self._closed or self._held or not self._has_room(len(facts), shares):
                return False
            self._waiting += len(facts)
            self._waiting_of.update(shares)
            self._put(Item(self._stamp(), facts, settled, shares=shares))
            return True

    def submit(
        self,
        facts: tuple[Fact, ...],
        settled: Callable[[Folded], None] | None = None,
        *,
        documents: tuple[Document, ...] = (),
        private_texts: tuple[PrivateText, ...] = (),
        erased: tuple[str, ...] = (),
    ) -> None:
        """Hand in what people or the daemon itself say; always taken."""
        with self._changed:
            # Counted like the others, so that taking them out counts alike.
            self._waiting += len(facts)
            self._put(Item(self._stamp(), facts, settled, documents, private_texts, erased=erased))

    @property
    def waiting(self) -> int:
        """How many facts wait to be taken out."""
        with self._changed:
            return self._waiting

    def remove(
        self,
        summaries: tuple[ReadingsSummarised, ...],
        fact: ReadingsRemoved,
        removing: Removing,
        settled: Callable[[Folded], None],
    ) -> None:
        """Hand in a removal: what stands for the readings, the fact that tells of it, and what goes."""
        with self._changed:
            self._waiting += len(summaries) + 1
            self._put(Item(self._stamp(), (*summaries, fact), settled, removing=removing))

    def leap(self, fact: ClockSet) -> None:
        """Journal time leaps forward, and the fact that says so is the first stamped after it."""
        with self._changed:
            self._clock.leap(fact.leap_ms)
            self._waiting += 1
            self._put(Item(self._stamp(), (fact,)))

    def hold(self, held: bool) -> None:
        """Take nothing from devices for now: what is not on disk has used up its room in memory."""
        with self._changed:
            self._held = held

    def take(self, at_most: int, until_ms: int | None, wait_s: float) -> tuple[list[Item], int]:
        """Items in order, `at_most` facts (but one item at least), and journal time now.

        Waits for the first item, at most `wait_s` real seconds and not beyond journal time
        `until_ms`. The time answered was taken while nothing stamped earlier was left waiting,
        if no items are.
        """
        with self._changed:
            if not self._items:
                if until_ms is not None:
                    away_s = self._clock.real_until_s(until_ms)
                    wait_s = max(0.0, min(wait_s, away_s))
                if wait_s > 0:
                    self._changed.wait(wait_s)
            items: list[Item] = []
            facts = 0
            while self._items and (not items or facts + len(self._items[0].facts) <= at_most):
                item = self._items.popleft()
                items.append(item)
                facts += len(item.facts)
                self._waiting_of.subtract(item.shares)
            self._waiting -= facts
            return items, self._stamp()

    def empty(self) -> bool:
        """Whether nothing waits."""
        with self._changed:
            return not self._items

    def depth(self) -> int:
        """Facts waiting."""
        with self._changed:
            return self._waiting

    def close(self) -> None:
        """Take nothing more from devices; what waits is still handed out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wake(self) -> None:
        """Let a waiting writer look again."""
        with self._changed:
            self._changed.notify_all()

    def _has_room(self, count: int, shares: Mapping[str, int]) -> bool:
        free = self.capacity - self._waiting
        most = max((self._waiting_of[source] for source in shares), default=None)
        if most is None:
            return count <= free
        return most == 0 or (count <= free and most + count <= _SHARE * free)

    def _stamp(self) -> int:
        self._stamp_ms = max(self._stamp_ms, self._clock.journal_ms())
        return self._stamp_ms

    def _put(self, item: Item) -> None:
        self._items.append(item)
        self._changed.notify_all()
