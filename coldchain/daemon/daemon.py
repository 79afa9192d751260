"""One daemon: journal, fold, writer, sinks, page, ports, put together in the order in which they depend.

Start: journal (its lock), recovery, writer, sinks, control socket, page, ports. Stop: the other way
round, with everything that had come in committed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from coldchain import __version__
from coldchain.clock import SystemClock
from coldchain.config.load import compile as compile_plan
from coldchain.config.load import load
from coldchain.config.loaded import Loaded
from coldchain.config.problems import ConfigError
from coldchain.daemon import damaged, health, page_room, system_log, views
from coldchain.daemon.catching_up import CatchingUp
from coldchain.daemon.control import Control, socket_path
from coldchain.daemon.errors import DaemonError
from coldchain.daemon.housekeeping import Housekeeping, Job
from coldchain.daemon.lens import labels_of
from coldchain.daemon.older import Archive
from coldchain.daemon.outgoing import Outgoing
from coldchain.daemon.page_room import PageRoom, page_settings
from coldchain.daemon.retention import retaining
from coldchain.daemon.signing import Signer
from coldchain.daemon.station import LiveStation, Surroundings
from coldchain.daemon.systemd import Notifier
from coldchain.daemon.tidying import Tidying
from coldchain.daemon.wishes import Wishes
from coldchain.daemon.workings import workings
from coldchain.facts import Activated, EngineStarted, ProcessEnded
from coldchain.fold.outside import sources_outside
from coldchain.journal import Document, Journal
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.intake import Queue, Told
from coldchain.pipeline.recovery import GivenUp, recover
from coldchain.pipeline.timekeeper import Timekeeper
from coldchain.pipeline.writer import Committed, Hooks, Writer
from coldchain.ports import Ports, start_ports
from coldchain.profiles.succession import changed_unversioned, check_succession
from coldchain.traffic import FramesView
from coldchain.web.settings import PageSettings
from coldchain.web.views import SourceView

if TYPE_CHECKING:
    from coldchain.web.server import Page

_log = logging.getLogger("coldchain")

#: Facts of devices that may wait to be folded: several in-flight windows of a broker.
INTAKE_FACTS = 20_000
#: The journal's log is copied into the database this often, and the fold's state saved (real seconds).
TIDY_S = 60
CHECKPOINT_S = 900
#: How often a page that is not served is tried again (real seconds).
PAGE_S = 30
#: How long devices and people may take to leave when we stop. With the last commit and what the sinks are
#: given (`outgoing.STOP_S`) that is within the 2 s that docs/installation.md promises.
DOORS_S = 1.3
#: A new configuration is in force once it is folded; its commit is waited for this long.
_ACTIVATE_S = 1.0
#: A watchdog is fed at least three times in its period, whatever the heartbeat's interval.
_FEEDS = 3


class Daemon:
    """A whole gateway. `clock` may be scaled for simulated runs; `page` stands in for the configuration's.

    wishes: what it was asked for, perhaps before it was there.
    """

    def __init__(
        self,
        loaded: Loaded,
        clock: SystemClock,
        *,
        page: PageSettings | None = None,
        notifier: Notifier | None = None,
        wishes: Wishes | None = None,
    ) -> None:
        self.loaded = loaded
        self.clock = clock
        self.journal_path = loaded.resolve(loaded.settings.journal.path)
        self.failure = ""
        self.control: Control | None = None
        self.ports: Ports | None = None
        self._notifier = notifier or Notifier()
        self._page_settings = page
        self._wishes = wishes or Wishes()
        self._rooms = ExitStack()
        self._page_room: PageRoom | None = None
        self._watchers: list[Callable[[Committed], None]] = []
        self._status = ""

    @property
    def page(self) -> Page | None:
        """The page, if it is served."""
        return self._page_room.page if self._page_room is not None else None

    def start(self) -> None:
        """Start every room; returns when readings are accepted.

        Raises JournalError (another daemon holds the journal, it cannot be written, …) and DaemonError;
        what was started by then is stopped again. So it is if the end is asked for while a journal is folded.
        """
        self._check(self.loaded)
        folder = self.journal_path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = f"the journal's folder {folder} cannot be made: {error.strerror}"
            raise DaemonError(f"{why}; make it, or correct [journal] path") from error
        try:
            trouble = damaged.start(self._start_writing, self._rooms.close, self.journal_path)
            if trouble:
                self.queue.submit((damaged.fact(self.clock.journal_ms(), trouble),))
            self._start_telling()
            self._open_doors()
        except GivenUp:
            self.stop()
            return
        except BaseException:
            self.stop()
            raise
        self._notifier.ready(self._summary())

    def watch(self, committed: Callable[[Committed], None]) -> None:
        """Be told of each batch after its commit; `committed` returns at once."""
        self._watchers.append(committed)

    def run(self) -> None:
        """Wait until `ask_to_stop`, reloading when asked; then stop.

        Raises DaemonError if it was not asked: the writer failed, and nothing is watched without it.
        """
        while self._wishes.wait():
            self.reload()
        self.stop()
        if self.failure:
            raise DaemonError(f"the writer failed: {self.failure}; report this as a defect, with the log")

    def ask_to_stop(self) -> None:
        """End soon; safe to call from a signal handler."""
        self._wishes.stop()

    def ask_to_reload(self) -> None:
        """Read the configuration again soon; safe to call from a signal handler."""
        self._wishes.reload()

    def stop(self) -> None:
        """Stop every room that runs; what had come in is committed. The second time does nothing."""
        self._notifier.stopping()
        self._rooms.close()

    # Reloading

    def reload(self) -> bool:
        """Read the configuration again and bring it into force, whole or not at all."""
        self._notifier.reloading(self.clock.monotonic_us())
        try:
            loaded = load(self.loaded.path)
            self._check(loaded)
            check_succession(self.loaded.profiles, loaded.profiles)
            self.outgoing.reload(loaded)
        except (ConfigError, DaemonError, OSError) as error:
            return self._refuse(str(error))
        except Exception as error:  # noqa: BLE001 - whatever anybody wrote there must not end the watch
            _log.exception("a configuration that cannot even be refused")
            return self._refuse(f"{type(error).__name__}: {error}")
        self._activate(loaded)
        self._take_over(loaded)
        _log.info("configuration in force: %s", self._summary())
        self._notifier.ready(self._summary())
        return True

    def _refuse(self, why: str) -> bool:
        _log.error("configuration refused, the old one stays in force: %s", why)
        self._notifier.ready(f"reload refused: {why.splitlines()[0]}")
        return False

    def _check(self, loaded: Loaded) -> None:
        """Raise DaemonError where a configuration is right in itself and still cannot be ours now."""
        real = [name for name, source in loaded.settings.sources.items() if not source.simulated]
        if self.clock.speed != 1 and real:
            raise DaemonError(
                f"--speed is for simulated sources only; {', '.join(real)} is not marked simulated = true"
            )
        if loaded.resolve(loaded.settings.journal.path) != self.journal_path:
            raise DaemonError("the journal's path cannot change while we run; restart the daemon")
        page_room.check(self._page_settings or page_settings(loaded))

    def _take_over(self, loaded: Loaded) -> None:
        """Everything but the fold, which has it from the fact, does as this configuration says."""
        self.loaded = loaded
        self.clock.trusted = loaded.settings.clock.trust == "site"
        self.writer.beat_s = self._beat_s()
        self._signer.reload(loaded)
        around = self.station.around
        around.site, around.zone = loaded.settings.site.name, loaded.settings.site.time_zone
        around.labels = labels_of(loaded)
        around.beat_s = self.writer.beat_s
        if self._page_room is not None:
            self._page_room.open(self._page_settings or page_settings(loaded))
        if self.ports is not None:
            self.ports.reload(loaded)

    def _activate(self, loaded: Loaded) -> None:
        """Bring it into force for all that comes in from now on."""
        documents = tuple(Document.of(text) for text in loaded.documents.values())
        fact = Activated(compile_plan(loaded), dict(loaded.hashes))
        done = threading.Event()
        self.queue.submit((fact,), lambda folded: done.set(), documents=documents)
        if self._writing.is_alive() and not done.wait(_ACTIVATE_S):
            _log.warning("the configuration is in force, and recorded once the journal can be written")

    # Rooms

    def _start_writing(self) -> None:
        utc_ms = self.clock.utc_ms() if self.clock.known() else None
        self.journal = Journal.open(self.journal_path, command="coldchain run", since_utc_ms=utc_ms)
        self._rooms.callback(self.journal.close)
        tidying = Tidying(self.journal)
        tidying.look()
        catching_up = CatchingUp(self.journal, engine(), self.clock, self._notifier, self._wishes)
        recovered = recover(self.journal, engine(), catching_up.look)
        timekeeper = Timekeeper(self.clock)
        started = timekeeper.start(recovered.fold)
        self.queue = Queue(self.clock, INTAKE_FACTS)
        hooks = Hooks(committed=self._committed, alive=self._alive)
        self.writer = Writer(
            self.clock, self.queue, recovered.fold, self.journal, engine(), timekeeper, hooks
        )
        self._signer = Signer(self.journal, self.queue, self.clock)
        hooks.between = self._signer.look
        self.outgoing = Outgoing(self.loaded, self.clock, self.writer, self.journal, self._signer)
        self._rooms.callback(self.outgoing.stop)
        hooks.notices, hooks.urgent = self.outgoing.notices, self._urgent
        around = Surroundings(
            version=__version__,
            trouble=lambda: self.writer.failing.why,
            sources=self._sources,
            sinks=self.outgoing.status,
            look=self.outgoing.look,
            told=self.outgoing.told,
            workings=lambda: workings(self.writer, self.queue, self.journal_path, self.outgoing.health()),
            frames=lambda port: FramesView("", ()) if self.ports is None else self.ports.frames(port),
            older=Archive(self.journal_path).of,
        )
        self.station = LiveStation(self.writer, self.queue, self.clock, around)
        self.station.remember(self.journal)
        self.outgoing.remember(self.station.positions())
        self.health = health.HealthWatch(
            lambda: self.loaded.settings.health,
            self.writer,
            self.queue,
            self.clock,
            self.journal_path,
            self._sink_health,
        )
        around_policy = (self.writer, self.queue, self.clock, self.journal, self._signer)
        self._retention = retaining(lambda: self.loaded, *around_policy)
        self._housekeeping = Housekeeping(
            self.clock,
            (
                Job("tidy", TIDY_S, lambda: self.writer.later(tidying.look)),
                Job("checkpoint", CHECKPOINT_S, self.writer.want_checkpoint),
                Job("health", health.LOOK_S, self.health.look),
                Job("retention", TIDY_S, self._retention.look),
                Job("page", PAGE_S, self._look_at_page),
            ),
        )
        self._writing = threading.Thread(target=self._write, name="writer")
        # The first facts are on disk before anything else may speak.
        self.queue.submit((*started.facts, EngineStarted(engine(), __version__)))
        # Refused while we run; but a restart that refused it would leave nobody watching at all.
        for problem in changed_unversioned(recovered.fold.lane.plan.profiles, self.loaded.profiles):
            _log.error("an approved profile was changed while we were not running: %s", problem)
        self._activate(self.loaded)
        self._take_over(self.loaded)
        self.writer.step(0)
        if catching_up.long:
            self.writer.want_checkpoint()
        self._writing.start()
        self._rooms.callback(self._end_writing)

    def _start_telling(self) -> None:
        self.outgoing.start()
        self._housekeeping.start()
        self._rooms.callback(self._housekeeping.stop)

    def _open_doors(self) -> None:
        self._rooms.callback(self._close_doors)
        try:
            self.control = Control(socket_path(self.journal_path), self.station)
            self.control.start()
        except OSError as error:  # a file system without sockets, for one
            _log.error("commands cannot reach us, everything else goes on: %s", error)
        self._page_room = PageRoom(self.station, self.clock)
        self._page_room.open(self._page_settings or page_settings(self.loaded))
        self.ports = start_ports(self.loaded, self.queue, self.clock)

    def _close_doors(self) -> None:
        """Devices and people leave at the same time: each may need a while, and we have none to lose."""
        rooms = [room for room in (self.ports, self._page_room, self.control) if room is not None]
        leaving = [threading.Thread(target=room.stop, name="leaving", daemon=True) for room in rooms]
        for thread in leaving:
            thread.start()
        until_s = self.clock.real_s() + DOORS_S
        for thread in leaving:
            thread.join(max(0.0, until_s - self.clock.real_s()))

    def _end_writing(self) -> None:
        self.writer.want_checkpoint()
        self.writer.stop(ProcessEnded("asked to stop"))
        self._writing.join()
        if self.writer.failing.unwritten:
            _log.critical("ended with facts that could not be written: %s", self.writer.failing.why)

    def _write(self) -> None:
        try:
            self.writer.run()
        except Exception as error:  # noqa: BLE001 - the thread's outer edge: nothing is watched without it
            _log.critical("the writer failed; ending, to be started anew", exc_info=True)
            self.failure = f"{type(error).__name__}: {error}"
            self._wishes.stop()

    # What rooms call

    def _hurry(self, batch: Committed) -> None:
        """Let what is outside be asked more often, where a source may be; in the writer's thread."""
        may = {name for name, source in self.loaded.sources.items() if source.settings.poll_outside}
        if may and self.ports is not None:
            fold = self.writer.fold
            self.ports.hurry(sources_outside(fold.places, fold.lane) & may)

    def _committed(self, batch: Committed) -> None:
        onlookers = (self.outgoing.committed, self.station.committed, system_log.tell, self._hurry)
        for told in (*onlookers, *self._watchers):
            try:
                told(batch)
            except Exception:  # noqa: BLE001 - the edge to those who only look on: they must not end the watch
                _log.exception("somebody who was told of a commit failed")

    def _urgent(self, told: list[Told]) -> None:
        self.outgoing.urgent(told)
        system_log.urgent(told)

    def _alive(self) -> None:
        """Our own heartbeat came out at the other end: the way is open."""
        self._notifier.alive()
        self._housekeeping.look()
        status = self._summary()
        if status != self._status:
            self._status = status
            self._notifier.status(status)

    def _look_at_page(self) -> None:
        if self._page_room is not None:
            self._page_room.look()

    def _sink_health(self) -> dict[str, health.SinkHealth]:
        self.outgoing.look()
        return self.outgoing.health()

    def _sources(self) -> tuple[SourceView, ...]:
        if self.ports is None:
            return ()
        printed = self.writer.fold.timebase.printed
        return tuple(views.source(status, printed) for status in self.ports.status())

    def _beat_s(self) -> float:
        wanted_s = self.loaded.settings.heartbeat.interval / 1000
        watchdog_s = self._notifier.watchdog_s
        return wanted_s if watchdog_s is None else min(wanted_s, watchdog_s / _FEEDS)

    def _summary(self) -> str:
        now = self.loaded.settings
        words = [f"{len(now.sources)} sources, {len(now.channels)} channels, {len(now.assets)} assets"]
        if self.writer.failing.why:
            words.insert(0, f"JOURNAL CANNOT BE WRITTEN: {self.writer.failing.why}")
        if self._page_room is not None and self._page_room.why:
            words.append(f"no page: {self._page_room.why}")
        return "; ".join(words)
