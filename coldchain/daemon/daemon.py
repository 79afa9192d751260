"""One daemon: journal, fold, writer, ports, sinks and page, put together in the order in which they depend.

Start: journal (its lock), recovery, writer, page, sinks, ports. Stop: the other way round, with
everything that had come in committed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from coldchain import __version__
from coldchain.announcements import Announcement, Kind
from coldchain.clock import SystemClock
from coldchain.config.load import compile as compile_plan
from coldchain.config.load import load
from coldchain.config.loaded import Loaded
from coldchain.config.problems import ConfigError
from coldchain.daemon.control import Control, socket_path
from coldchain.daemon.housekeeping import Housekeeping
from coldchain.daemon.outgoing import Outgoing
from coldchain.daemon.station import LiveStation, Surroundings
from coldchain.daemon.systemd import Notifier
from coldchain.facts import Activated, EngineStarted, ProcessEnded
from coldchain.journal import Deliveries, Document, Journal
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.intake import Folded, Queue
from coldchain.pipeline.recovery import recover
from coldchain.pipeline.timekeeper import Timekeeper
from coldchain.pipeline.writer import Committed, Hooks, Writer
from coldchain.ports import Ports, start_ports
from coldchain.web.server import Page
from coldchain.web.settings import PageSettings
from coldchain.web.views import SourceView

_log = logging.getLogger("coldchain")

#: Facts of devices that may wait to be folded: several in-flight windows of a broker.
INTAKE_FACTS = 20_000
#: The journal's log is copied into the database this often, and the fold's state saved (real seconds).
TIDY_S = 60
CHECKPOINT_S = 900


class DaemonError(Exception):
    """The daemon cannot start; the message says why and what to do."""


class Daemon:
    """A whole gateway. `clock` may be scaled for simulated runs."""

    def __init__(
        self,
        loaded: Loaded,
        clock: SystemClock,
        *,
        page: PageSettings | None = None,
        notifier: Notifier | None = None,
    ) -> None:
        self.loaded = loaded
        self.clock = clock
        self.notifier = notifier or Notifier()
        self.journal_path = loaded.resolve(loaded.settings.journal.path)
        self._page_settings = page if page is not None else page_settings(loaded)
        self._stopping = threading.Event()
        self._reload = threading.Event()
        self._threads: list[threading.Thread] = []
        self._watchers: list[Callable[[Committed], None]] = []
        self.page: Page | None = None
        self.ports: Ports | None = None

    def start(self) -> None:
        """Start every room; returns when readings are accepted.

        Raises JournalError (another daemon holds the journal, it cannot be written, …) and the
        page's errors; what was started by then is stopped again.
        """
        self.journal_path.parent.mkdir(parents=True, exist_ok=True)
        utc_ms = self.clock.utc_ms() if self.clock.known() else None
        self.journal = Journal.open(self.journal_path, command="coldchain run", since_utc_ms=utc_ms)
        try:
            self._start_rooms()
        except BaseException:
            self.stop()
            raise

    def _start_rooms(self) -> None:
        self.journal.reserve.make()
        recovered = recover(self.journal, engine())
        timekeeper = Timekeeper(self.clock)
        started = timekeeper.start(recovered.fold)
        self.queue = Queue(self.clock, INTAKE_FACTS)
        hooks = Hooks(committed=self._committed, alive=self._alive)
        self.writer = Writer(
            self.clock, self.queue, recovered.fold, self.journal, engine(), timekeeper, hooks
        )
        around = Surroundings(
            site=self.loaded.settings.site.name,
            zone=self.loaded.settings.site.time_zone,
            version=__version__,
            titles={name: channel.title for name, channel in self.loaded.settings.channels.items()},
        )
        self.station = LiveStation(self.writer, self.queue, self.clock, around)
        self.station.remember(self.journal)
        self.outgoing = Outgoing(
            self.loaded, self.clock, self.writer, self.journal_path, self.journal.journal_id
        )
        self._receipts = Deliveries.open(self.journal_path)
        hooks.notices = self.outgoing.notices
        hooks.urgent = self.outgoing.urgent
        around.sinks = self.outgoing.status
        # Asked while the writer's lock is held, so by one thread at a time.
        around.told = lambda positions: self.outgoing.told(positions, self._receipts)
        # The first facts are on disk before anything else may speak.
        self.queue.submit((*started.facts, EngineStarted(engine(), __version__)))
        self._activate(self.loaded)
        self.writer.step(0)
        self._thread("writer", self.writer.run)
        self.control = Control(socket_path(self.journal_path), self.station)
        self.control.start()
        if self._page_settings is not None:
            self.page = Page(self.station, self._page_settings, self.clock)
            self.page.start()
        self.outgoing.start()
        self.ports = start_ports(self.loaded, self.queue, self.clock)
        around.sources = self._sources
        self.housekeeping = Housekeeping(
            (
                ("tidy", TIDY_S, lambda: self.writer.later(self._tidy)),
                ("checkpoint", CHECKPOINT_S, self.writer.want_checkpoint),
            )
        )
        self.housekeeping.start()
        self.notifier.ready(self._summary())

    def watch(self, committed: Callable[[Committed], None]) -> None:
        """Be told of each batch after its commit; `committed` returns at once."""
        self._watchers.append(committed)

    def run(self) -> None:
        """Wait until `ask_to_stop`, reloading when asked; then stop."""
        while not self._stopping.wait(0.2):
            if self._reload.is_set():
                self._reload.clear()
                self.reload()
        self.stop()

    def ask_to_stop(self) -> None:
        """End soon; safe to call from a signal handler."""
        self._stopping.set()

    def ask_to_reload(self) -> None:
        """Read the configuration again soon; safe to call from a signal handler."""
        self._reload.set()

    def reload(self) -> bool:
        """Read the configuration again and bring it into force, whole or not at all."""
        self.notifier.reloading(int(self.clock.monotonic_us()))
        try:
            loaded = load(self.loaded.path)
        except (ConfigError, OSError) as error:
            _log.error("configuration refused, the old one stays in force: %s", error)
            self.notifier.ready(f"reload refused: {str(error).splitlines()[0]}")
            return False
        done = threading.Event()
        self._activate(loaded, lambda folded: done.set())
        if not done.wait(5):
            _log.warning("the new configuration waits for the journal")
        self.loaded = loaded
        if self.ports is not None:
            self.ports.reload(loaded)
        _log.info("configuration in force: %s", self._summary())
        self.notifier.ready(self._summary())
        return True

    def stop(self) -> None:
        """Stop every room that runs; what had come in is committed. The second time does nothing."""
        self.notifier.stopping()
        for name in ("housekeeping", "ports", "page", "control"):
            room = self.__dict__.get(name)
            if room is not None:
                room.stop()
                self.__dict__[name] = None
        writer = self.__dict__.get("writer")
        if writer is not None and self._threads:
            self.queue.submit((ProcessEnded("asked to stop"),))
            writer.want_checkpoint()
            writer.stop()
            for thread in self._threads:
                thread.join()
            self._threads.clear()
        outgoing = self.__dict__.get("outgoing")
        if outgoing is not None:
            outgoing.stop()
            self._receipts.close()
        journal = self.__dict__.get("journal")
        if journal is not None:
            journal.close()

    def _activate(self, loaded: Loaded, settled: Callable[[Folded], None] | None = None) -> None:
        documents = tuple(Document.of(text) for text in loaded.documents.values())
        fact = Activated(compile_plan(loaded), dict(loaded.hashes))
        self.queue.submit((fact,), settled, documents=documents)

    def _committed(self, batch: Committed) -> None:
        self.station.committed(batch)
        self.outgoing.committed(batch)
        for watcher in tuple(self._watchers):
            watcher(batch)
        for told in batch.told:
            _tell_the_log(told.said)
            if told.said.alarm == "gateway/clock-step" and "housekeeping" in self.__dict__:
                threading.Thread(target=self.housekeeping.rebuild, name="rebuild", daemon=True).start()

    def _alive(self) -> None:
        self.notifier.alive()

    def _tidy(self) -> None:
        self.journal.checkpoint_wal()
        if not self.journal.reserve.held:
            self.journal.reserve.make()

    def _sources(self) -> tuple[SourceView, ...]:
        return self.ports.status() if self.ports is not None else ()

    def _summary(self) -> str:
        plan = compile_plan(self.loaded)
        return f"{len(plan.sources)} sources, {len(plan.channels)} channels, {len(plan.assets)} assets"

    def _thread(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name)
        self._threads.append(thread)
        thread.start()


def page_settings(loaded: Loaded) -> PageSettings | None:
    """The page as the configuration says; None: no page."""
    page = loaded.settings.page
    if page is None:
        return None

    def path(name: str) -> Path | None:
        return loaded.resolve(name) if name else None

    users = path(page.users_file)
    journal = loaded.resolve(loaded.settings.journal.path)
    return PageSettings(
        host=page.host,
        port=page.port,
        certificate=path(page.tls_certificate_file),
        key=path(page.tls_key_file),
        behind_proxy=page.behind_proxy,
        users_file=users or journal.with_name("users.json"),
    )


def _tell_the_log(said: Announcement) -> None:
    """One line for the system's log; urgent alarms as warnings."""
    if said.kind in (Kind.RAISED, Kind.RE_ALARMED):
        _log.warning("%s %s %s (%s)", said.kind.value, said.alarm, said.state, said.priority)
    elif said.alarm:
        _log.info("%s %s %s", said.kind.value, said.alarm, said.state)
    else:
        _log.info("%s %s", said.kind.value, said.text)
