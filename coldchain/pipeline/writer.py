"""The one writer: takes what came in, folds it, commits it with everything said, then acknowledges.

Facts, announcements and outgoing notices of one batch are one transaction. Nothing is announced
that is not on disk, with one exception: when the journal cannot be written, the fold runs on in
memory and urgent alarms go straight to the sinks marked for it (`failing.py`).
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from coldchain import announcements, facts
from coldchain.announcements import Announcement
from coldchain.clock import Clock
from coldchain.facts import Beat, Fact, Reading, Wake
from coldchain.fold import Fold
from coldchain.journal import Batch, Entry, Journal, JournalError, Notice, Removing
from coldchain.pipeline.failing import Failing
from coldchain.pipeline.intake import Folded, Item, Queue, Told
from coldchain.pipeline.states import freeze
from coldchain.pipeline.timekeeper import Timekeeper

_log = logging.getLogger(__name__)

#: Facts in one transaction at most; beyond it a commit no longer gets cheaper per fact.
BATCH_FACTS = 500
#: How often our own heartbeat goes through intake, fold and commit unless told otherwise (real seconds).
BEAT_S = 5.0
#: How long the writer waits at most before it looks at clock and heartbeat (real seconds).
LOOK_S = 0.5
#: What saving the fold's state may cost the disk, in bytes for each fact that came in since the last time.
#: The state holds the channels' histories and grows with them: saved by the clock alone it would after weeks
#: write hundreds of times what comes in. This is about three times what a fact itself takes up.
STATE_BYTES_PER_FACT = 128
#: A state up to this size is saved whenever it is asked for.
STATE_BYTES_FREE = 65_536


@dataclass(frozen=True, slots=True)
class Committed:
    """One batch after its commit, for those who watch: sinks, page, log."""

    first_position: int
    last_position: int
    arrival_ms: int
    told: tuple[Told, ...]
    recorded: bool = True


@dataclass
class Hooks:
    """What the writer calls, each from its own thread and expected to return at once.

    notices:   rows for the outbox, made of one fact's announcements, stored with them.
    committed: after each batch (also unrecorded ones), before the sources are acknowledged.
    urgent:    announcements that must leave although they could not be recorded.
    alive:     our own heartbeat came out committed or folded: the way is open from end to end.
    between:   after each round, twice a second at least, if all that was taken in is in the journal and
               no end is wished.
    """

    notices: Callable[[int, int, list[Announcement]], Iterable[Notice]] = lambda p, a, said: ()
    committed: Callable[[Committed], None] = lambda batch: None
    urgent: Callable[[list[Told]], None] = lambda told: None
    alive: Callable[[], None] = lambda: None
    between: Callable[[], None] = lambda: None


@dataclass
class _Work:
    """One batch in the making."""

    entries: list[Entry] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    settle: list[tuple[Item, Folded]] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    removing: list[Removing] = field(default_factory=list)
    beat: bool = False


@dataclass
class _Written:
    """What became of a batch: whom to acknowledge, and what must leave although it is not recorded."""

    settle: list[tuple[Item, Folded]] = field(default_factory=list)
    urgent: list[Told] = field(default_factory=list)
    recorded: bool = True


@dataclass
class Commits:
    """Transactions on disk since the start: how many, and the real seconds they took."""

    count: int = 0
    sum_s: float = 0.0
    longest_s: float = 0.0

    def took(self, real_s: float) -> None:
        """One more."""
        self.count += 1
        self.sum_s += real_s
        self.longest_s = max(self.longest_s, real_s)


class Writer:
    """Owns the fold and the journal. `lock` is held while the fold changes and until that is
    on disk: views take it too."""

    def __init__(
        self,
        clock: Clock,
        queue: Queue,
        fold: Fold,
        journal: Journal,
        engine: str,
        timekeeper: Timekeeper,
        hooks: Hooks,
    ) -> None:
        self.fold = fold
        self.lock = threading.Lock()
        self.beat_s = BEAT_S
        self.failing = Failing(clock, journal)
        self._clock, self._queue, self._journal, self._engine = clock, queue, journal, engine
        self._timekeeper, self._hooks = timekeeper, hooks
        self.commits = Commits()
        self._checkpoint_wanted = threading.Event()
        self._saved_position = self._saved_bytes = 0
        self._later: deque[Callable[[], object]] = deque()
        self._stopping = threading.Event()
        self._last_words: tuple[Fact, ...] = ()
        self._counts: dict[str, int] = {}  # repeats, written with the next batch
        self._beat_at_s = 0.0
        self._looked_at_s = 0.0

    def run(self) -> None:
        """Work until told to stop and nothing waits any more."""
        while not (self._stopping.is_set() and self._queue.empty()):
            self.step(LOOK_S)
        self.failing.hurry()
        self.step(0)
        self._queue.submit(self._last_words)
        self.step(0)

    def stop(self, *last_words: Fact) -> None:
        """End after what already waits is committed, with these as the last facts of all."""
        self._last_words = last_words
        self._queue.close()
        self._stopping.set()
        self._queue.wake()

    def want_checkpoint(self) -> None:
        """Save the fold's state after the next batch at which it is worth its bytes; when stopping, always.

        Facts that came in since the last time are folded again by the next start: few beside those it holds.
        """
        self._checkpoint_wanted.set()

    def later(self, work: Callable[[], object]) -> None:
        """Do something with the journal in the writer's thread, between two batches."""
        self._later.append(work)

    def step(self, wait_s: float) -> None:
        """One round: take, fold, commit, tell, acknowledge."""
        if not self._stopping.is_set():
            self._look_after_ourselves()
        items, now_ms = self._queue.take(BATCH_FACTS, self.fold.next_due_ms(), wait_s)
        work = _Work(items=items)
        with self.lock:
            for item in items:
                self._fold_item(item, work)
            due_ms = self.fold.next_due_ms()
            awake = not self._stopping.is_set() and self._queue.empty()
            if due_ms is not None and due_ms <= now_ms and awake:
                self._fold_fact(Wake(), max(now_ms, self.fold.arrival_ms), work)
            # Written before the lock is given up: nobody is shown what is not on disk.
            written = self._write(work)
        self._tell(work, written)
        while self._later and not self.failing.unwritten:
            self._tidy(self._later.popleft())
        if not (self.failing.unwritten or self._stopping.is_set()):
            self._tidy(self._hooks.between)
        if self._checkpoint_wanted.is_set() and not self.failing.unwritten and self._checkpoint_pays():
            self._checkpoint_wanted.clear()
            self._save_checkpoint()

    def _look_after_ourselves(self) -> None:
        now_s = self._clock.real_s()
        if now_s - self._looked_at_s >= LOOK_S:
            self._looked_at_s = now_s
            clock_fact = self._timekeeper.look(self._clock.journal_ms())
            if clock_fact is not None and clock_fact.leap_ms:
                self._queue.leap(clock_fact)
            elif clock_fact is not None:
                self._queue.submit((clock_fact,))
            self._queue.hold(self.failing.full)
        if now_s - self._beat_at_s >= self.beat_s:
            self._beat_at_s = now_s
            self._queue.submit((Beat(),))

    def _fold_item(self, item: Item, work: _Work) -> None:
        first = len(work.told)
        for fact in item.facts:
            if isinstance(fact, Reading) and self.fold.channels.is_repeat(fact):
                name = f"repeats/{fact.channel}"
                self._counts[name] = self._counts.get(name, 0) + 1
                continue
            self._fold_fact(fact, max(item.stamp_ms, self.fold.arrival_ms), work)
            work.beat = work.beat or isinstance(fact, Beat)
        said = tuple(told.said for told in work.told[first:])
        if item.removing is not None:
            work.removing.append(replace(item.removing, position=self.fold.position))
        if item.settled is not None:
            work.settle.append((item, Folded(self.fold.position, said)))

    def _fold_fact(self, fact: Fact, arrival_ms: int, work: _Work) -> None:
        position = self.fold.position + 1
        said = self.fold.apply(position, arrival_ms, fact)
        bodies = tuple(announcements.encode(one) for one in said)
        work.entries.append(Entry(position, arrival_ms, facts.encode(fact), bodies))
        if said:
            work.told += [Told(position, i, arrival_ms, one) for i, one in enumerate(said)]
            work.notices += self._hooks.notices(position, arrival_ms, said)

    def _write(self, work: _Work) -> _Written:
        """Commit a batch, or keep it in memory where that cannot be."""
        if not (work.entries or work.settle or self.failing.retry_due()):
            return _Written()
        batch = Batch(
            tuple(work.entries),
            notices=tuple(work.notices),
            documents=tuple(d for item in work.items for d in item.documents),
            private_texts=tuple(t for item in work.items for t in item.private_texts),
            erased=tuple(commitment for item in work.items for commitment in item.erased),
            counts=self._counts if work.entries else {},
            removing=tuple(work.removing),
        )
        if work.entries:
            self._counts = {}
        begun_s = self._clock.real_s()
        try:
            recorded = self.failing.commit(batch, work.settle)
        except JournalError as error:
            return _Written(urgent=self.failing.began(error, batch, work.settle, work.told), recorded=False)
        self.commits.took(self._clock.real_s() - begun_s)
        if recorded.mended is not None:
            self._queue.submit((recorded.mended,))
        return _Written(recorded.settle)

    def _tell(self, work: _Work, written: _Written) -> None:
        """Tell those who watch, then acknowledge the sources."""
        if written.urgent:
            self._hooks.urgent(written.urgent)
        if work.entries:
            first, last = work.entries[0], work.entries[-1]
            self._hooks.committed(
                Committed(first.position, last.position, last.arrival_ms, tuple(work.told), written.recorded)
            )
        for item, folded in written.settle:
            if item.settled is not None:
                item.settled(folded)
        if work.beat:
            self._hooks.alive()

    def _tidy(self, work: Callable[[], object]) -> None:
        try:
            work()
        except JournalError as error:
            _log.warning("housekeeping: %s", error)  # the next commit says so aloud if it lasts

    def _checkpoint_pays(self) -> bool:
        allowed = (self.fold.position - self._saved_position) * STATE_BYTES_PER_FACT
        return self._stopping.is_set() or self._saved_bytes <= max(allowed, STATE_BYTES_FREE)

    def _save_checkpoint(self) -> None:
        with self.lock:
            state, position = freeze(self.fold), self.fold.position
        try:
            self._journal.save_checkpoint(position, self._engine, state)
        except JournalError:
            self._checkpoint_wanted.set()  # it is a cache: the next round tries again
        else:
            self._saved_position, self._saved_bytes = position, len(state)
