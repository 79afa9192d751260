"""The sinks, as the daemon sees them: what each is to be told, in whose thread, and how it is doing."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from pydantic import BaseModel

from coldchain import announcements
from coldchain.announcements import Announcement
from coldchain.clock import Clock
from coldchain.config.credentials import read_secret
from coldchain.config.loaded import Loaded
from coldchain.daemon.present import present
from coldchain.journal import Deliveries, JournalError, Notice, Settled
from coldchain.pipeline.intake import Told
from coldchain.pipeline.writer import Committed, Writer
from coldchain.sinks.backoff import Backoff
from coldchain.sinks.base import Category, Message, SinkKind, Surroundings, installed
from coldchain.sinks.log_drain import LogDrain
from coldchain.sinks.notice_drain import NoticeDrain
from coldchain.sinks.state_drain import StateDrain
from coldchain.sinks.thread import Drain, News, Report, Reporter, SinkThread
from coldchain.web.views import Instant, SinkView, ToldView

_log = logging.getLogger("coldchain.sinks")


@dataclass(frozen=True)
class _Sink:
    name: str
    kind: SinkKind
    settings: BaseModel
    unrecorded: bool
    thread: SinkThread


class Outgoing:
    """All sinks of a configuration, each in a thread of its own.

    Raises CannotStart for one that is not installed or cannot be loaded.
    """

    def __init__(
        self, loaded: Loaded, clock: Clock, writer: Writer, journal: Path, journal_id: bytes
    ) -> None:
        self._clock, self._writer, self._journal = clock, writer, journal
        # The same announcement has the same key on every way and every attempt.
        self._key = journal_id.hex()[:16]
        kinds = installed()
        self._sinks = [
            self._make(loaded, name, kinds[settings.kind], settings)
            for name, settings in loaded.settings.sinks.items()
        ]

    def start(self) -> None:
        """Begin to deliver."""
        for sink in self._sinks:
            sink.thread.start()

    def stop(self) -> None:
        """End; what is not delivered stays in the journal."""
        for sink in self._sinks:
            sink.thread.stop(0.5)

    def notices(self, position: int, arrival_ms: int, said: list[Announcement]) -> Iterable[Notice]:
        """Rows for the outbox, made of one fact's announcements."""
        del arrival_ms
        for ordinal, one in enumerate(said):
            for sink in self._sinks:
                if sink.kind.category is Category.NOTICE and sink.kind.wants(sink.settings, one):
                    yield Notice(
                        sink.name,
                        self._message_key(position, ordinal),
                        position,
                        ordinal,
                        one.kind.value,
                        announcements.encode(one),
                    )

    def urgent(self, told: list[Told]) -> None:
        """Alarms that must leave although the journal cannot be written."""
        for one in told:
            message = Message(
                self._message_key(one.position, one.ordinal),
                one.position,
                one.ordinal,
                one.said,
                one.arrival_ms,
                self._writer.fold.timebase.printed(one.arrival_ms),
                0,
                unrecorded=True,
            )
            for sink in self._sinks:
                if sink.unrecorded and sink.kind.category is not Category.LOG:
                    sink.thread.urge(message)

    def committed(self, batch: Committed) -> None:
        """There may be something new to deliver."""
        for sink in self._sinks:
            if sink.kind.category is not Category.NOTICE or batch.told:
                sink.thread.wake()

    def status(self) -> tuple[SinkView, ...]:
        """How each sink is doing."""
        views = []
        for sink in self._sinks:
            status = sink.thread.status
            views.append(SinkView(sink.name, ok=status.up is not False, detail=status.why))
        return tuple(views)

    def told(self, positions: list[int], deliveries: Deliveries) -> tuple[ToldView, ...]:
        """Who has been told of what was announced at these positions, and who still waits."""
        if not positions:
            return ()
        found: list[ToldView] = []
        for sink in self._sinks:
            if sink.kind.category is not Category.NOTICE:
                continue
            try:
                settled = [
                    s for s in deliveries.settled(sink.name, min(positions)) if s.notice.position in positions
                ]
            except JournalError as error:
                found.append(ToldView(sink.name, failed=str(error)))
                continue
            if settled:
                found.append(self._told(sink.name, settled[-1]))
            else:
                found.append(ToldView(sink.name, failed=sink.thread.status.why))
        return tuple(found)

    def _told(self, who: str, settled: Settled) -> ToldView:
        utc_ms = self._writer.fold.timebase.printed(settled.settled_ms)
        at = Instant(settled.settled_ms if utc_ms is None else utc_ms, utc_ms is not None)
        return ToldView(who, at if settled.outcome.value != "refused" else None, "")

    def _message_key(self, position: int, ordinal: int) -> str:
        return f"{self._key}-{position}-{ordinal}"

    def _make(self, loaded: Loaded, name: str, kind: SinkKind, settings: BaseModel) -> _Sink:
        around = Surroundings(
            name=name,
            site=loaded.settings.site.name,
            clock=self._clock,
            secret=lambda file, variable: read_secret(
                file, variable, base=loaded.path.parent, environ=os.environ
            ),
            broker=loaded.settings.brokers.__getitem__,
            path=loaded.resolve,
        )
        backoff = Backoff(Random(name))  # noqa: S311 - spreads retries, guards nothing

        def drain(report: Reporter) -> Drain:
            sink = kind.make(settings, around)
            opened = partial(Deliveries.open, self._journal)
            match kind.category:
                case Category.LOG:
                    return LogDrain(name, sink, opened, self._clock, report)  # type: ignore[arg-type]
                case Category.NOTICE:
                    return NoticeDrain(name, sink, opened, self._clock, backoff, report)  # type: ignore[arg-type]
                case Category.STATE:
                    return StateDrain(sink, partial(present, self._writer), self._clock)  # type: ignore[arg-type]

        thread = SinkThread(name, drain, clock=self._clock, backoff=backoff, report=_to_log)
        return _Sink(name, kind, settings, bool(getattr(settings, "unrecorded", False)), thread)


def _to_log(report: Report) -> None:
    level = logging.INFO if report.news is News.UP else logging.WARNING
    _log.log(level, "sink %s %s: %s %s", report.sink, report.news.value, report.why, report.mend)
