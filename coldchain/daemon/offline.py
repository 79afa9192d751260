"""What commands do when no daemon runs: take the journal's lock, fold, write, let go."""

from __future__ import annotations

import threading
from pathlib import Path

from coldchain import __version__
from coldchain.clock import SystemClock
from coldchain.daemon.station import LiveStation, Surroundings
from coldchain.facts import EngineStarted, ProcessEnded
from coldchain.journal import Journal
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.intake import Queue
from coldchain.pipeline.recovery import recover
from coldchain.pipeline.timekeeper import Timekeeper
from coldchain.pipeline.writer import Hooks, Writer
from coldchain.web.station import Action, Actor, Outcome
from coldchain.web.views import StateView


def act_offline(journal_path: Path, clock: SystemClock, action: Action, actor: Actor) -> Outcome:
    """Do one action on a journal that nobody holds. Raises JournalError."""
    with Journal.open(journal_path, command="coldchain, a command", create=False) as journal:
        recovered = recover(journal, engine())
        timekeeper = Timekeeper(clock)
        started = timekeeper.start(recovered.fold)
        queue = Queue(clock, 1)
        hooks = Hooks()
        writer = Writer(clock, queue, recovered.fold, journal, engine(), timekeeper, hooks)
        station = LiveStation(writer, queue, clock, Surroundings("", "UTC", __version__))
        queue.submit((*started.facts, EngineStarted(engine(), __version__)))
        working = threading.Thread(target=writer.run, name="writer")
        working.start()
        try:
            return station.act(action, actor)
        finally:
            queue.submit((ProcessEnded("command done"),))
            writer.stop()
            working.join()


def state_offline(journal_path: Path) -> StateView:
    """The state at a journal's tail, as its last facts left it. Raises JournalError."""
    clock = SystemClock()
    with Journal.open(journal_path, command="coldchain, a command", create=False) as journal:
        recovered = recover(journal, engine())
        clock.start_journal_at(recovered.fold.arrival_ms)
        queue = Queue(clock, 1)
        writer = Writer(clock, queue, recovered.fold, journal, engine(), Timekeeper(clock), Hooks())
        station = LiveStation(writer, queue, clock, Surroundings("", "UTC", __version__))
        station.remember(journal)
        return station.state()
