"""A scenario against a real daemon: simulated probes on a real wire, a journal, the page, in scaled time.

What must be said is held against what the daemon said, and the verdict is judged over the readings that stand
in its journal afterwards: what the wire changed of them shows.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click
from msgspec import structs
from rich.text import Text

from coldchain.alarms.alarm import unacknowledged
from coldchain.cli.demo_command import ended_by_signals, free_port
from coldchain.cli.output import console
from coldchain.cli.scenario_output import Moment, happenings, said_at
from coldchain.cli.scenario_site import TOPIC, Against, configuration
from coldchain.cli.standing import shown
from coldchain.clock import SystemClock
from coldchain.config.load import load
from coldchain.daemon.daemon import Daemon
from coldchain.daemon.errors import DaemonError
from coldchain.facts import ConsignmentStarted, Fact, Reading, decode
from coldchain.journal import JournalError, Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.writer import Committed
from coldchain.testing.broker import BrokerError, EmbeddedBroker
from coldchain.testing.checking import role_of, run_case
from coldchain.testing.events import ASSET, CONSIGNMENT, Event
from coldchain.testing.notation import Series, duration_text
from coldchain.testing.saying import Told, hold
from coldchain.testing.scenario_file import Scenario, played
from coldchain.testing.scenario_run import ScenarioResult, untrue
from coldchain.web.settings import PageSettings
from coldchain_simulators.mqtt_logger import Publisher
from coldchain_simulators.speaking import swallow
from coldchain_simulators.story import Story
from coldchain_simulators.told_live import ToldLive, as_line, as_message
from coldchain_simulators.wires import PtyWire, TcpWire, Wire

#: How long the wire may take to be ready, and to bring the last measurement (real seconds).
_READY_S, _DRAIN_S, _LAST_S = 20.0, 10.0, 0.5
#: How often the values are shown, and how often we look for what is due (real seconds).
_SHOW_S, _LOOK_S = 2.0, 0.02


@dataclass(frozen=True)
class _Way:
    """A wire: where the configuration finds it, and how measurements go onto it.

    opened: called when the daemon hears; settled: waits until the last measurement is taken.
    """

    where: str
    say: Callable[[bytes, str], None]
    opened: Callable[[], object]
    settled: Callable[[], object]


def play_live(scenario: Scenario, seed: int, against: Against, speed: int, page_port: int) -> ScenarioResult:
    """Play it to its end, shown on the terminal and on the page as it happens. Raises ClickException."""
    for each in scenario.happens:
        if each.words.startswith("gateway "):
            raise click.ClickException(
                f'{scenario.name}: "{each.words}" happens to the gateway itself, and this one stays on; '
                "play it without --against"
            )
    with ended_by_signals(), tempfile.TemporaryDirectory(prefix="coldchain-scenario-") as folder:
        try:
            return _Play(scenario, seed, against, speed, Path(folder)).play(free_port(page_port))
        except (DaemonError, BrokerError, JournalError, OSError) as error:
            raise click.ClickException(str(error)) from error


class _Play:
    def __init__(self, scenario: Scenario, seed: int, against: Against, speed: int, folder: Path) -> None:
        self.scenario, self.seed, self.against, self.folder = scenario, seed, against, folder
        self.clock = SystemClock(speed=speed, trusted=True)
        self.told: list[Told] = []
        self._lines: list[Moment] = []
        self._lock = threading.Lock()
        self._start_ms = 0

    def play(self, page_port: int) -> ScenarioResult:
        """From the first reading to the verdict."""
        story = self.scenario.story(self.seed)
        with ExitStack() as rooms:
            way = rooms.enter_context(self._way())
            path = self.folder / "gateway.toml"
            path.write_text(
                configuration(self.scenario, self.against, way.where, self.folder), encoding="utf-8"
            )
            page = PageSettings(port=page_port, users_file=self.folder / "users.json")
            daemon = Daemon(load(path), self.clock, page=page)
            rooms.callback(daemon.stop)
            daemon.watch(self._committed)
            daemon.start()
            self._until_up(daemon)
            way.opened()
            self._start_ms = self.clock.utc_ms() // 1000 * 1000 + 1000
            profile = self.scenario.check.profile.plan.id
            stage = self.scenario.case.stage
            self._enter(daemon, ConsignmentStarted(CONSIGNMENT, ASSET, profile, stage, self._start_ms))
            self._open(daemon)
            live = ToldLive(
                story,
                self.scenario.head.until,
                lambda one: way.say(self._form(one, self._start_ms), one.role),
            )
            stop = threading.Event()
            telling = threading.Thread(
                target=live.run, args=(self.clock, self._start_ms, stop), name="scenario"
            )
            rooms.callback(telling.join)
            rooms.callback(stop.set)
            telling.start()
            self._watch(daemon, telling)
            way.settled()
        self._print()
        return self._result(story)

    @property
    def _form(self) -> Callable[..., bytes]:
        return as_message if self.against is Against.MQTT else as_line

    # The wire

    @contextmanager
    def _way(self) -> Iterator[_Way]:
        if self.against is Against.MQTT:
            broker = EmbeddedBroker(free_port(0))
            broker.start()
            publisher = Publisher("127.0.0.1", broker.port, f"sim-{self.scenario.name}", TOPIC)
            publisher.start()
            try:
                yield _Way(
                    str(broker.port),
                    lambda message, role: publisher.put(message, f"{TOPIC}/{role}"),
                    lambda: None,
                    lambda: self._settle(publisher),
                )
            finally:
                publisher.stop()
                broker.stop()
            return
        wire: Wire = PtyWire(self.folder / "line") if self.against is Against.SERIAL else TcpWire()
        stop = threading.Event()
        listening = threading.Thread(target=swallow, args=(wire, stop), name="scenario line")
        listening.start()
        try:
            yield _Way(
                wire.port,
                lambda line, _role: wire.write(line),
                lambda: wire.write(b"\r\n"),  # who opens a line drops what he hears up to the first end
                lambda: self._settle(None),
            )
        finally:
            stop.set()
            listening.join()
            wire.close()

    def _settle(self, publisher: Publisher | None) -> None:
        """What was sent last is on its way: let it arrive."""
        if publisher is not None and not publisher.drained(_DRAIN_S):
            raise click.ClickException("the broker did not take the last measurements in time")
        threading.Event().wait(_LAST_S)

    def _until_up(self, daemon: Daemon) -> None:
        end_s = self.clock.real_s() + _READY_S
        while not all(each.up for each in (daemon.ports.status() if daemon.ports is not None else ())):
            if self.clock.real_s() > end_s:
                raise DaemonError(f"the wire was not ready after {_READY_S:g} s")
            threading.Event().wait(_LOOK_S)

    # Time passes

    def _open(self, daemon: Daemon) -> None:
        where = daemon.page.url if daemon.page is not None else "none: it cannot be served"
        console.print(
            f"page     {where}\n"
            f"wire     {self.against}; one second here is {self.clock.speed} there; {self._length()} in all; "
            "Ctrl-C ends it\n",
            highlight=False,
            soft_wrap=True,
        )

    def _length(self) -> str:
        return duration_text(self.scenario.head.until)

    def _watch(self, daemon: Daemon, telling: threading.Thread) -> None:
        """Enter what people enter, and show what happens, until the story is told."""
        coming = happenings(self.scenario)
        events = sorted(self.scenario.case.events, key=lambda event: event.at_ms)
        show_s = self.clock.real_s() + _SHOW_S
        while telling.is_alive():
            telling.join(_LOOK_S)
            now_ms = self.clock.utc_ms() - self._start_ms
            while events and events[0].at_ms <= now_ms:
                self._event(daemon, events.pop(0))
            while coming and coming[0].at_ms <= now_ms:
                self._note(coming.pop(0))
            if self.clock.real_s() >= show_s:
                self._note(self._values(daemon, now_ms))
                show_s = self.clock.real_s() + _SHOW_S
            self._print()

    def _values(self, daemon: Daemon, now_ms: int) -> Moment:
        channels = [one for asset in daemon.station.state().assets for one in asset.channels]
        words = "   ".join(f"{one.role} {shown(one.quantity, one.value) or 'no value'}" for one in channels)
        return Moment(now_ms, Text(f"{duration_text(now_ms // 60_000 * 60_000):>12}   {words}", style="dim"))

    def _event(self, daemon: Daemon, event: Event) -> None:
        def open_of(alarm: str) -> tuple[int, ...]:
            known = daemon.writer.fold.desk.alarms.get(alarm)
            return unacknowledged(known) if known is not None else ()

        # In the writer's own thread, between two batches: what an alarm has open is known there.
        daemon.writer.later(lambda: self._enter(daemon, event.fact(self._start_ms, open_of)))

    @staticmethod
    def _enter(daemon: Daemon, fact: Fact) -> None:
        daemon.queue.submit((fact,))

    def _committed(self, batch: Committed) -> None:
        """In the writer's thread."""
        for each in batch.told:
            told = Told(each.arrival_ms, each.said, role_of(each.said.subject))
            with self._lock:
                self.told.append(told)
            self._note(said_at(told, self._start_ms))

    def _note(self, moment: Moment) -> None:
        with self._lock:
            self._lines.append(moment)

    def _print(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, []
        for moment in lines:
            console.print(moment.line, soft_wrap=True)

    # How it went

    def _result(self, story: Story) -> ScenarioResult:
        scenario, start_ms = self.scenario, self._start_ms
        end_ms = start_ms + scenario.head.until
        with Reader.open(self.folder / "journal.db") as reader:
            facts = tuple(
                (row.arrival_ms - start_ms, structs.replace(fact, source=fact.channel))
                for row in reader.facts()
                if isinstance(fact := decode(row.body), Reading) and row.arrival_ms <= end_ms
            )
        silent = {role: Series((), 0) for role in scenario.head.channels}
        case = replace(scenario.case, start_ms=start_ms, series=silent, facts=facts)
        judged = run_case(played(scenario, case), case, engine())
        told = tuple(each for each in self.told if start_ms <= each.at_ms <= end_ms)
        result = replace(judged, told=told, held=hold(case.expected, told, start_ms=start_ms))
        return ScenarioResult(scenario, self.seed, result, untrue(scenario, story), story.carrier.lost)
