"""What commands do when no daemon runs: take the journal's lock, fold, write, let go; or only look."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from coldchain import __version__
from coldchain.clock import SystemClock
from coldchain.config.loaded import Loaded
from coldchain.daemon.lens import labels_of
from coldchain.daemon.logs import Imported, Log, LoggerView
from coldchain.daemon.outbox import Outbox
from coldchain.daemon.station import LiveStation, Surroundings
from coldchain.facts import EngineStarted, ProcessEnded
from coldchain.fold import Fold
from coldchain.journal import Journal, Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.intake import Queue
from coldchain.pipeline.recovery import recover
from coldchain.pipeline.timekeeper import Timekeeper
from coldchain.pipeline.writer import Hooks, Writer
from coldchain.web.station import Action, Actor, Outcome
from coldchain.web.views import StateView

#: What the command itself adds to the intake, and some room.
_FACTS = 100


@dataclass
class _AtRest:
    """The fold of a journal that nobody writes to."""

    fold: Fold
    lock: threading.Lock = field(default_factory=threading.Lock)


def act_offline(loaded: Loaded, clock: SystemClock, action: Action, actor: Actor) -> Outcome:
    """Do one action on a journal that nobody holds; raises as `at_rest`."""
    with at_rest(loaded, clock) as station:
        return station.act(action, actor)


def take_log_offline(loaded: Loaded, clock: SystemClock, log: Log, actor: Actor) -> Imported:
    """Take a logger's file into a journal that nobody holds; raises as `at_rest`."""
    with at_rest(loaded, clock) as station:
        return station.take_log(log, actor)


def logger_offline(loaded: Loaded, device: str) -> LoggerView | None:
    """What a journal knows of a logger; takes nothing from anybody. Raises JournalError."""
    with Reader.open(loaded.resolve(loaded.settings.journal.path)) as reader:
        fold = recover(reader, engine()).fold
        clock = SystemClock()
        return LiveStation(_AtRest(fold), Queue(clock, 0), clock, Surroundings()).logger(device)


@dataclass(frozen=True)
class AtWork:
    """A journal that a command holds, with a writer at work on it."""

    journal: Journal
    queue: Queue
    writer: Writer


@contextmanager
def at_rest(loaded: Loaded, clock: SystemClock) -> Iterator[LiveStation]:
    """The station of a journal that nobody holds, for one command; raises as `at_work`."""
    with at_work(loaded, clock) as work:
        around = Surroundings(version=__version__, trouble=lambda: work.writer.failing.why)
        yield LiveStation(work.writer, work.queue, clock, around)


@contextmanager
def at_work(loaded: Loaded, clock: SystemClock) -> Iterator[AtWork]:
    """A journal that nobody holds, with a writer, for one command.

    Whatever is announced on the way (a hold that ran out while nothing ran) waits in the outbox for the
    daemon. Raises JournalError, and DaemonError for a sink that is not installed.
    """
    path = loaded.resolve(loaded.settings.journal.path)
    with Journal.open(path, command="a coldchain command", create=False) as journal:
        recovered = recover(journal, engine())
        timekeeper = Timekeeper(clock)
        started = timekeeper.start(recovered.fold)
        queue = Queue(clock, _FACTS)
        hooks = Hooks(notices=Outbox(loaded, journal.journal_id).rows)
        writer = Writer(clock, queue, recovered.fold, journal, engine(), timekeeper, hooks)
        queue.submit((*started.facts, EngineStarted(engine(), __version__)))
        working = threading.Thread(target=writer.run, name="writer")
        working.start()
        try:
            yield AtWork(journal, queue, writer)
        finally:
            writer.stop(ProcessEnded("a command was done"))
            working.join()


def state_offline(loaded: Loaded) -> StateView:
    """The state as a journal's last facts left it; takes nothing from anybody. Raises JournalError."""
    clock = SystemClock()
    around = Surroundings(
        site=loaded.settings.site.name,
        zone=loaded.settings.site.time_zone,
        version=__version__,
        labels=labels_of(loaded),
    )
    with Reader.open(loaded.resolve(loaded.settings.journal.path)) as reader:
        fold = recover(reader, engine()).fold
        clock.start_journal_at(fold.arrival_ms)
        station = LiveStation(_AtRest(fold), Queue(clock, 0), clock, around)
        station.remember(reader)
        return station.state()
