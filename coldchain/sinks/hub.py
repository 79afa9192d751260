"""All sinks of one gateway: what the writer is given to call, and what the daemon asks how they are.

Every call here returns at once; the work is done in the sinks' own threads. A sink that cannot even be made
(a missing token, a missing library) is down like any other, with its reason and mend, and is tried again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from coldchain.announcements import Announcement
from coldchain.clock import Clock
from coldchain.journal import Deliveries, Notice
from coldchain.sinks.backoff import Backoff
from coldchain.sinks.base import Category, Message, Present, SinkKind, Surroundings, calls_people
from coldchain.sinks.log_drain import LogDrain
from coldchain.sinks.notice_drain import NoticeDrain
from coldchain.sinks.outgoing import Outgoing, encode
from coldchain.sinks.state_drain import StateDrain
from coldchain.sinks.thread import Drain, Reporter, SinkThread, Status

#: Facts whose announcements are remembered until it is clear whether they were recorded.
_REMEMBERED = 1_000


@dataclass(frozen=True, kw_only=True)
class Configured:
    """One sink of the configuration. `unrecorded`: it also gets what the journal could not take."""

    kind: SinkKind
    settings: Any
    around: Surroundings
    unrecorded: bool = False


class Sinks:
    """The sinks of one journal.

    journal_id:   the journal's own random id: it makes keys unique among all gateways of a receiver.
    open_journal: a new connection to the journal, called in each sink's thread.
    present:      how things are now, or None while that is not known; called in state sinks' threads.
    report:       told what happens to sinks, in their threads; must return at once.
    """

    def __init__(
        self,
        configured: Iterable[Configured],
        *,
        journal_id: bytes,
        open_journal: Callable[[], Deliveries],
        present: Callable[[], Present | None],
        clock: Clock,
        random: Random,
        report: Reporter = lambda report: None,
    ) -> None:
        self._journal_id = journal_id.hex()[:12]
        self._open_journal = open_journal
        self._present = present
        self._clock = clock
        self._random = random
        self._configured = {each.around.name: each for each in configured}
        self._threads = {
            name: SinkThread(
                name,
                self._maker(each),
                clock=clock,
                backoff=self._backoff(),
                report=report,
            )
            for name, each in self._configured.items()
        }
        self._recent: deque[tuple[int, Sequence[Announcement]]] = deque(maxlen=_REMEMBERED)

    def start(self) -> None:
        """Start every thread."""
        for thread in self._threads.values():
            thread.start()

    def stop(self, deadline_s: float = 10.0) -> list[str]:
        """End every thread; the names of those that are still at it after the deadline (shared by all)."""
        for thread in self._threads.values():
            thread.ask_to_stop()
        end_s = self._clock.real_s() + deadline_s
        return [
            name
            for name, thread in self._threads.items()
            if not thread.stop(max(end_s - self._clock.real_s(), 0.01))
        ]

    def status(self) -> tuple[Status, ...]:
        """How each sink is doing."""
        return tuple(thread.status for thread in self._threads.values())

    def alive(self) -> bool:
        """Whether every thread runs."""
        return all(thread.alive for thread in self._threads.values())

    # --- What the writer calls

    def notices(self, position: int, arrival_ms: int, said: list[Announcement]) -> list[Notice]:
        """The outbox rows of one fact's announcements, to be committed with them."""
        self._recent.append((position, said))
        wanted = [
            (name, ordinal, each)
            for name, sink in self._configured.items()
            if sink.kind.category is Category.NOTICE
            for ordinal, each in enumerate(said)
            if sink.kind.wants(sink.settings, each)
        ]
        utc_ms = self._utc(arrival_ms) if wanted else None
        return [
            Notice(
                sink=name,
                id=self._key(position, ordinal),
                position=position,
                ordinal=ordinal,
                kind=each.kind.value,
                body=encode(Outgoing(each, arrival_ms, utc_ms)),
            )
            for name, ordinal, each in wanted
        ]

    def wake(self) -> None:
        """There is something new in the journal."""
        for thread in self._threads.values():
            thread.wake()

    def urgent(self, said: Iterable[tuple[int, int, Announcement]]) -> None:
        """Announcements (position, arrival, what) that must leave although they could not be recorded."""
        for position, arrival_ms, each in said:
            ordinal = self._ordinal(position, each)
            # What is in no fact's announcements (the journal's own alarm) will never be in the outbox either.
            key = (
                f"{self._journal_id}-{position}-{each.rule}"
                if ordinal is None
                else self._key(position, ordinal)
            )
            utc_ms = self._utc(arrival_ms)
            message = Message(key, position, ordinal or 0, each, arrival_ms, utc_ms, 0, unrecorded=True)
            for name, sink in self._configured.items():
                if sink.unrecorded and self._takes(sink, each):
                    self._threads[name].urge(message)

    # --- Inside

    @staticmethod
    def _takes(sink: Configured, announcement: Announcement) -> bool:
        if sink.kind.category is Category.NOTICE:
            return sink.kind.wants(sink.settings, announcement)
        return sink.kind.category is Category.STATE and calls_people(announcement)

    def _utc(self, journal_ms: int) -> int | None:
        """UTC of an instant that is just now or was a moment ago, None while the clock is not known."""
        if not self._clock.known():
            return None
        return journal_ms + self._clock.utc_ms() - self._clock.journal_ms()

    def _key(self, position: int, ordinal: int) -> str:
        return f"{self._journal_id}-{position}-{ordinal}"

    def _ordinal(self, position: int, announcement: Announcement) -> int | None:
        for recent, said in reversed(self._recent):
            if recent == position:
                return next((i for i, each in enumerate(said) if each == announcement), None)
        return None

    def _backoff(self) -> Backoff:
        return Backoff(Random(self._random.getrandbits(64)))  # noqa: S311 - jitter, no secret

    def _maker(self, sink: Configured) -> Callable[[Reporter], Drain]:
        name = sink.around.name
        backoff = self._backoff()

        def make(report: Reporter) -> Drain:
            made: Any = sink.kind.make(sink.settings, sink.around)
            try:
                match sink.kind.category:
                    case Category.LOG:
                        return LogDrain(name, made, self._open_journal, self._clock, report)
                    case Category.NOTICE:
                        return NoticeDrain(name, made, self._open_journal, self._clock, backoff, report)
                    case Category.STATE:
                        return StateDrain(made, self._present, self._clock)
            except BaseException:
                made.close()
                raise

        return make
