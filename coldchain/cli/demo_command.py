"""`coldchain demo`: the real daemon on simulated devices, with nothing to prepare.

A dry shipper loses its vacuum: a TEC 3000 controller on a pseudo-terminal and loggers on MQTT tell
of it, the alarms arrive on the page, and the journal is verified. Everything is marked simulated.
"""

from __future__ import annotations

import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click
from rich.panel import Panel
from rich.text import Text

from coldchain.announcements import Announcement, Kind
from coldchain.cli import run_log
from coldchain.cli.demo_site import configuration
from coldchain.cli.output import PRIORITY_STYLE, at, console, errors
from coldchain.cli.standing import shown
from coldchain.clock import SystemClock
from coldchain.config.load import load
from coldchain.daemon.daemon import Daemon
from coldchain.daemon.errors import DaemonError
from coldchain.journal import JournalError, Reader
from coldchain.model import Priority
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.verify import verify
from coldchain.pipeline.writer import Committed
from coldchain.testing.broker import BrokerError, EmbeddedBroker
from coldchain.web.settings import PageSettings
from coldchain_simulators.scenario import DemoBox

#: The story is told after 80 simulated minutes (see the scenario). It is given twice that, and a minute of
#: real time for a slow machine.
_TOLD_AFTER_S = 80 * 60
_SLOW_S = 60
#: How often the values are shown (real seconds).
_SHOW_S = 2.0
_LOOK_S = 0.25


@click.command(short_help="Show a simulated dry shipper losing its vacuum.")
@click.option(
    "--speed", type=click.IntRange(1, 2000), default=200, show_default=True, help="Simulated seconds in one."
)
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of the simulated noise.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Where the page listens; another one if this is taken.",
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep configuration and journal in this folder.",
)
@click.option("--once", is_flag=True, help="End when the story is told and the journal is verified.")
def demo(speed: int, seed: int, port: int, keep: Path | None, once: bool) -> None:
    """Show a simulated dry shipper losing its vacuum, from the sensor to the alarm on the page.

    Needs no hardware, no broker and no configuration. The exit status is 0 if the story was told and the
    journal is sound.

    \b
    Examples:
      coldchain demo
      coldchain demo --speed 600 --once
    """
    run_log.only_trouble()
    if keep is not None and (keep / "journal.db").exists():
        raise click.ClickException(
            f"{keep} holds the journal of an earlier demonstration; name another folder, "
            f"or look at that one: coldchain status --config {keep / 'gateway.toml'}"
        )
    with ended_by_signals(), tempfile.TemporaryDirectory(prefix="coldchain-demo-") as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _Demo(folder.absolute(), speed, seed, free_port(port)).play(once=once)
        except (DaemonError, BrokerError, JournalError, OSError) as error:
            raise click.ClickException(str(error)) from error


class _Demo:
    def __init__(self, folder: Path, speed: int, seed: int, page_port: int) -> None:
        self.clock = SystemClock(speed=speed, trusted=True)
        self.broker = EmbeddedBroker(free_port(0))
        self.box = DemoBox(seed, self.clock, broker_port=self.broker.port, folder=folder)
        self.config = folder / "gateway.toml"
        self.config.write_text(configuration(self.box, self.broker.port, folder), encoding="utf-8")
        settings = PageSettings(port=page_port, users_file=folder / "users.json")
        self.daemon = Daemon(load(self.config), self.clock, page=settings)
        self.raised: set[Priority] = set()
        self.told = threading.Event()

    def play(self, *, once: bool) -> None:
        """From the first line to the end."""
        try:
            self.broker.start()
            self.daemon.start()
            self._open()
            self.daemon.watch(self._committed)
            with self.box:
                self._story(once=once)
        except KeyboardInterrupt:
            console.print("\nending; everything that came in is committed")
        finally:
            self.daemon.stop()
            self.broker.stop()

    def _open(self) -> None:
        if self.daemon.page is None:
            raise DaemonError("the page cannot be served; see above")
        lines = [
            "[bold]coldchain demo[/]   everything here is [reverse] SIMULATED [/]",
            "",
            f"page     [bold]{self.daemon.page.url}[/]",
            f"journal  {self.daemon.journal_path}",
            "",
            "A packed dry shipper stands on the dock beside a refrigerator.",
            "In ten simulated minutes the shipper loses its vacuum.",
            f"One second here is {self.clock.speed} there; times are UTC there. Ctrl-C ends it.",
        ]
        console.print(Panel("\n".join(lines), expand=False))

    def _story(self, *, once: bool) -> None:
        end_s = self.clock.real_s() + _SLOW_S + 2 * _TOLD_AFTER_S / self.clock.speed
        show_s = 0.0
        while not self.told.wait(_LOOK_S) and self.clock.real_s() < end_s:
            if self.clock.real_s() >= show_s:
                self._show()
                show_s = self.clock.real_s() + _SHOW_S
        if not self.told.is_set():
            errors.print("the story was not told: no warning and no critical alarm came in time", style="red")
            raise click.exceptions.Exit(1)
        self._verify()
        if not once:
            console.print(
                "\nThe page goes on; acknowledge the alarm there, or in another terminal:\n"
                f'{_command()} ack box-7/vapour/too-warm -m "moving it" --config {self.config}\n'
                "Ctrl-C ends the demonstration.",
                markup=False,
            )
            threading.Event().wait()

    def _verify(self) -> None:
        with Reader.open(self.daemon.journal_path) as reader:
            found = verify(reader, engine())
        chain = found.chain
        console.print(
            f"verify   {chain.facts} facts, {chain.announcements} announcements, folded again from nothing: "
            + ("[green]equal[/]" if found.sound else "[bold red]NOT SOUND[/]"),
        )
        if not found.sound:
            raise click.exceptions.Exit(1)

    def _show(self) -> None:
        words = []
        for asset in self.daemon.station.state().assets:
            values = [shown(channel.quantity, channel.value) for channel in asset.channels]
            words.append(f"{asset.id}  {', '.join(filter(None, values)) or 'nothing yet'}")
        line = f"{_clock(self.daemon.station.pulse().utc_ms)}  {'   '.join(words)}"
        console.print(line, style="dim")

    def _committed(self, batch: Committed) -> None:
        for told in batch.told:
            said = told.said
            if said.kind in (Kind.RAISED, Kind.RETURNED) and said.priority is not None:
                console.print(_line(told.arrival_ms, said))
            if said.kind is Kind.RAISED and said.priority is not None:
                self.raised.add(said.priority)
        if {Priority.HIGH, Priority.CRITICAL} <= self.raised:
            self.told.set()


def _line(arrival_ms: int, said: Announcement) -> Text:
    line = Text(f"{_clock(arrival_ms)}  ")
    word = "over    " if said.kind is Kind.RETURNED else f"{said.priority:<8}".upper()
    line.append(word, style=PRIORITY_STYLE[str(said.priority)])
    line.append(f"  {said.alarm}", style="bold")
    if said.value is not None and said.limit is not None:
        value, limit = shown(said.quantity, said.value), shown(said.quantity, said.limit)
        line.append(f"  {value}, limit {limit}")
    stamps = (("SIMULATED", said.simulated), ("UNAPPROVED PROFILE", said.unapproved))
    if said.kind is Kind.RAISED and any(meant for _, meant in stamps):
        line.append("\n" + " " * 20)
        for stamp, meant in stamps:
            if meant:
                line.append(f" {stamp} ", style="reverse")
                line.append(" ")
    return line


def _clock(utc_ms: int) -> str:
    """The time of day alone: the story lasts an hour or two."""
    return at(utc_ms).removesuffix(" UTC").split(" ")[-1]


def _command() -> str:
    """How this program can be called again."""
    return "coldchain" if shutil.which("coldchain") else sys.argv[0]


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGINT and SIGTERM end what is played within, in order."""
    before = {each: signal.signal(each, _interrupt) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C would leave threads behind, and the end takes two seconds at most.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def free_port(port: int) -> int:
    """This port if it is free, else a free one."""
    for wanted in (port, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise click.ClickException("no free port on 127.0.0.1")
