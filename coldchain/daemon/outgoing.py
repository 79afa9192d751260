"""The sinks, as the daemon sees them: each in a thread of its own, and how each is doing."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from coldchain.announcements import Announcement
from coldchain.clock import Clock
from coldchain.config.credentials import read_secret, secret_path
from coldchain.config.endpoints import BrokerSettings, SinkSettings, tells_unrecorded
from coldchain.config.loaded import Loaded
from coldchain.daemon.health import SinkHealth
from coldchain.daemon.outbox import Outbox, sink_kinds
from coldchain.daemon.present import present
from coldchain.daemon.receipts import Receipts
from coldchain.daemon.signing import Signer
from coldchain.journal import Deliveries, Journal, Notice
from coldchain.pipeline.intake import Told
from coldchain.pipeline.writer import Committed, Writer
from coldchain.sinks.backoff import Backoff
from coldchain.sinks.base import Category, Message, SinkKind, Surroundings
from coldchain.sinks.log_drain import LogDrain
from coldchain.sinks.notice_drain import NoticeDrain
from coldchain.sinks.state_drain import StateDrain
from coldchain.sinks.thread import Drain, News, Report, Reporter, SinkThread
from coldchain.web.alarm_views import ToldView
from coldchain.web.views import SinkView

_log = logging.getLogger("coldchain.sinks")

#: How long sinks may take to end when asked to, all together (real seconds).
STOP_S = 0.5


@dataclass(frozen=True)
class _Plan:
    """Everything a sink depends on: if two are equal, its thread runs on."""

    name: str
    kind: SinkKind
    settings: SinkSettings
    broker: BrokerSettings | None
    site: str
    base: Path


class Outgoing:
    """All sinks of a configuration. The writer calls `notices`, `urgent` and `committed`."""

    def __init__(
        self, loaded: Loaded, clock: Clock, writer: Writer, journal: Journal, signer: Signer
    ) -> None:
        """Raises DaemonError for a sink that is not installed; opens nothing outside the journal yet."""
        self._clock, self._writer, self._journal, self._signer = clock, writer, journal.path, signer
        self._outbox = Outbox(loaded, journal.journal_id)
        self._receipts = Receipts(Deliveries.open(journal.path), clock, writer.fold.timebase.printed)
        self._started = False
        self._sinks: tuple[tuple[_Plan, SinkThread], ...] = ()
        self.reload(loaded)

    def remember(self, positions: list[int]) -> None:
        """What was told before this process of announcements at these positions."""
        notices = [plan.name for plan, _ in self._sinks if plan.kind.category is Category.NOTICE]
        self._receipts.remember(notices, positions)

    def start(self) -> None:
        """Begin to deliver."""
        self._started = True
        for _, thread in self._sinks:
            thread.start()

    def reload(self, loaded: Loaded) -> None:
        """Bring a configuration into force: only sinks that it changes are started anew.

        Raises DaemonError, with nothing changed, for a sink that is not installed.
        """
        plans = [_plan(loaded, name, kind) for name, kind in sink_kinds(loaded).items()]
        self._outbox.reload(loaded)
        running = {plan.name: (plan, thread) for plan, thread in self._sinks}
        stay = {plan.name for plan in plans if plan.name in running and running[plan.name][0] == plan}
        self._end([thread for name, (_, thread) in running.items() if name not in stay])
        self._sinks = tuple(
            running[plan.name] if plan.name in stay else (plan, self._thread(loaded, plan)) for plan in plans
        )
        if self._started:
            for plan, thread in self._sinks:
                if plan.name not in stay:
                    thread.start()

    def stop(self) -> None:
        """End; what is not delivered stays in the journal."""
        self._end([thread for _, thread in self._sinks])
        self._receipts.close()

    # What the writer calls

    def notices(self, position: int, arrival_ms: int, said: list[Announcement]) -> Iterator[Notice]:
        """Rows for the outbox, made of one fact's announcements."""
        rows = list(self._outbox.rows(position, arrival_ms, said))
        self._receipts.expect(rows)
        return iter(rows)

    def urgent(self, told: list[Told]) -> None:
        """Alarms that must leave although the journal cannot be written."""
        for one in told:
            message = Message(
                self._outbox.key(one.position, one.ordinal),
                one.position,
                one.ordinal,
                one.said,
                one.arrival_ms,
                self._writer.fold.timebase.printed(one.arrival_ms),
                0,
                unrecorded=True,
            )
            for plan, thread in self._sinks:
                if tells_unrecorded(plan.settings) and _takes(plan, one.said):
                    thread.urge(message)

    def committed(self, batch: Committed) -> None:
        """There may be something new to deliver."""
        for plan, thread in self._sinks:
            if plan.kind.category is not Category.NOTICE or batch.told:
                thread.wake()

    # What the station asks

    def look(self) -> None:
        """Take notice of what was delivered; not while the writer waits for us."""
        self._receipts.look()

    def status(self) -> tuple[SinkView, ...]:
        """How each sink is doing."""
        views = []
        for plan, thread in self._sinks:
            status = thread.status
            waiting, oldest = self._receipts.waiting(plan.name)
            views.append(SinkView(plan.name, status.up is not False, waiting, oldest, status.why))
        return tuple(views)

    def health(self) -> dict[str, SinkHealth]:
        """Whether each sink takes what it is told, and for how long the oldest has waited."""
        now_ms = self._clock.journal_ms()
        found = {}
        for plan, thread in self._sinks:
            oldest_ms = self._receipts.oldest_ms(plan.name)
            age_ms = None if oldest_ms is None else max(0, now_ms - oldest_ms)
            found[plan.name] = SinkHealth(thread.status.up is not False, age_ms)
        return found

    def told(self, positions: list[int]) -> tuple[ToldView, ...]:
        """Who has been told of what was announced at these positions, and who still waits."""
        why = {plan.name: thread.status.why for plan, thread in self._sinks}
        return self._receipts.of(positions, lambda sink: why.get(sink, ""))

    # Threads

    def _end(self, threads: list[SinkThread]) -> None:
        for thread in threads:
            thread.ask_to_stop()
        until_s = self._clock.real_s() + STOP_S
        for thread in threads:
            if not thread.stop(max(0.01, until_s - self._clock.real_s())):
                _log.warning("sink %s does not end; it is left behind", thread.name)

    def _thread(self, loaded: Loaded, plan: _Plan) -> SinkThread:
        around = Surroundings(
            name=plan.name,
            site=plan.site,
            clock=self._clock,
            secret=lambda file, variable: read_secret(file, variable, base=plan.base, environ=os.environ),
            broker=loaded.settings.brokers.__getitem__,
            path=lambda file: secret_path(file, base=plan.base, environ=os.environ),
        )
        backoff = Backoff(Random(plan.name))  # noqa: S311 - spreads retries, guards nothing
        opened = partial(Deliveries.open, self._journal)

        def drain(report: Reporter) -> Drain:
            sink: Any = plan.kind.make(plan.settings, around)
            match plan.kind.category:
                case Category.LOG:
                    return LogDrain(plan.name, sink, opened, self._clock, report)
                case Category.NOTICE:
                    return NoticeDrain(plan.name, sink, opened, self._clock, backoff, report)
                case Category.STATE:
                    anchored = partial(self._signer.published, plan.name)
                    return StateDrain(
                        sink, lambda: present(self._writer, self._signer.head), self._clock, anchored
                    )

        return SinkThread(plan.name, drain, clock=self._clock, backoff=backoff, report=_to_log)


def _plan(loaded: Loaded, name: str, kind: SinkKind) -> _Plan:
    settings = loaded.settings.sinks[name]
    broker = getattr(settings, "broker", None)
    return _Plan(
        name,
        kind,
        settings,
        loaded.settings.brokers[broker] if broker is not None else None,
        loaded.settings.site.name,
        loaded.path.parent,
    )


def _takes(plan: _Plan, said: Announcement) -> bool:
    """Whether a sink is told of what could not be recorded: a log is not, people are as they wish."""
    match plan.kind.category:
        case Category.LOG:
            return False
        case Category.NOTICE:
            return plan.kind.wants(plan.settings, said)
        case Category.STATE:
            return True


def _to_log(report: Report) -> None:
    level = logging.INFO if report.news is News.UP else logging.WARNING
    words = "; ".join(filter(None, (report.why, report.mend)))
    _log.log(level, "sink %s: %s%s", report.sink, report.news.value, words and f": {words}")
