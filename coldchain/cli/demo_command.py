"""`coldchain demo`: the real daemon on simulated devices, with nothing to prepare.

A dry shipper loses its vacuum: a TEC 3000 controller on a pseudo-terminal and loggers on MQTT tell
of it, the alarms arrive on the page, and the journal is verified. Everything is marked simulated.
"""

from __future__ import annotations

import logging
import socket
import sys
import tempfile
import threading
from pathlib import Path

import click
from rich.panel import Panel

from coldchain.announcements import Announcement, Kind
from coldchain.cli.demo_broker import DemoBroker
from coldchain.cli.output import PRIORITY_STYLE, at, console, errors
from coldchain.clock import SystemClock
from coldchain.config.load import load
from coldchain.daemon import Daemon
from coldchain.journal import Reader
from coldchain.model import Priority
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.verify import verify
from coldchain.pipeline.writer import Committed
from coldchain.units import QUANTITIES
from coldchain.web.settings import PageSettings
from coldchain_simulators.scenario import DemoBox

#: The demonstration ends by itself (`--once`) if the story has not been told by then (real seconds).
_TOLD_WITHIN_S = 120


@click.command()
@click.option(
    "--speed", type=click.IntRange(1, 2000), default=200, show_default=True, help="Simulated seconds in one."
)
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of the simulated noise.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Where the page listens."
)
@click.option(
    "--keep", type=click.Path(file_okay=False, path_type=Path), help="Keep the journal in this folder."
)
@click.option("--once", is_flag=True, help="End when the story is told and the journal is verified.")
def demo(speed: int, seed: int, port: int, keep: Path | None, once: bool) -> None:
    """Show a simulated dry shipper losing its vacuum, from the sensor to the alarm on the page.

    \b
    Example:
      coldchain demo
      coldchain demo --speed 600 --once
    """
    logging.basicConfig(level="ERROR", stream=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="coldchain-demo-") as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        _Demo(folder, speed, seed, _free(port)).play(once=once)


class _Demo:
    def __init__(self, folder: Path, speed: int, seed: int, page_port: int) -> None:
        self.clock = SystemClock(speed=speed, trusted=True)
        self.broker = DemoBroker(_free(0))
        self.box = DemoBox(seed, self.clock, broker_port=self.broker.port, folder=folder)
        config = folder / "gateway.toml"
        config.write_text(_configuration(self.box, self.broker.port, folder), encoding="utf-8")
        settings = PageSettings(port=page_port, users_file=folder / "users.json")
        self.daemon = Daemon(load(config), self.clock, page=settings)
        self.critical = threading.Event()
        self.warned = threading.Event()
        self._readings = 0

    def play(self, *, once: bool) -> None:
        self.broker.start()
        try:
            self._play(once=once)
        finally:
            self.broker.stop()

    def _play(self, *, once: bool) -> None:
        self.daemon.start()
        page = self.daemon.page
        assert page is not None
        console.print(
            Panel(
                f"[bold]coldchain demo[/]   everything here is [reverse] SIMULATED [/]\n\n"
                f"page      [bold]{page.url}[/]\n"
                f"journal   {self.daemon.journal_path}\n\n"
                f"A packed dry shipper stands on the dock. In ten simulated minutes it loses its vacuum;\n"
                f"one real second is {self.clock.speed} simulated ones. Ctrl-C ends the demonstration.",
                expand=False,
            )
        )
        self.daemon.watch(self._committed)
        try:
            with self.box:
                self._story(once=once)
        except KeyboardInterrupt:
            console.print("\nending; everything that came in is committed")
        finally:
            self.daemon.stop()

    def _story(self, *, once: bool) -> None:
        waiting = threading.Event()
        for beat in range(_TOLD_WITHIN_S * 2):
            waiting.wait(0.5)
            if not beat % 4:
                self._show()
            if self.critical.is_set():
                break
        if not (self.warned.is_set() and self.critical.is_set()):
            errors.print("the story was not told: no warning and critical alarm came in time", style="red")
            self._end(1)
        with Reader.open(self.daemon.journal_path) as reader:
            found = verify(reader, engine())
        console.print(
            f"verify   {found.chain.facts} facts, {found.chain.announcements} announcements in "
            f"{found.chain.commits} commits, folded again from nothing: "
            + ("[green]equal, chain intact[/]" if found.sound else "[bold red]NOT SOUND[/]")
        )
        if not found.sound:
            self._end(1)
        if once:
            return
        console.print("The page goes on: acknowledge the alarm there. Ctrl-C ends.")
        waiting.wait()

    def _end(self, code: int) -> None:
        raise click.exceptions.Exit(code)

    def _show(self) -> None:
        state = self.daemon.station.state()
        words = []
        for asset in state.assets:
            for channel in asset.channels:
                if channel.value is not None:
                    quantity = QUANTITIES[channel.quantity]
                    words.append(
                        f"{asset.id} {channel.role} {quantity.display(channel.value)} {quantity.display_unit}"
                    )
        if words:
            pulse = self.daemon.station.pulse()
            console.print(f"[dim]{at(pulse.utc_ms)}  {'   '.join(words)}[/]", soft_wrap=True)

    def _committed(self, batch: Committed) -> None:
        for told in batch.told:
            said = told.said
            if said.kind in (Kind.RAISED, Kind.RETURNED) and said.priority is not None:
                console.print(_line(told.arrival_ms, said), soft_wrap=True)
                self.critical.set() if said.priority is Priority.CRITICAL else self.warned.set()


def _line(arrival_ms: int, said: Announcement) -> str:
    style = PRIORITY_STYLE[str(said.priority)]
    quantity = QUANTITIES.get(said.quantity)
    value = limit = ""
    if quantity is not None and said.value is not None and said.limit is not None:
        value = f"  {quantity.display(said.value)} {quantity.display_unit}"
        limit = f", limit {quantity.display(said.limit)}"
    stamps = " [reverse] UNAPPROVED PROFILE [/]" if said.unapproved else ""
    return (
        f"{at(arrival_ms)}  [{style}]{said.priority} {said.kind.value}: {said.alarm}{value}{limit}[/]{stamps}"
    )


def _free(port: int) -> int:
    """This port if it is free, else a free one."""
    for wanted in (port, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise click.ClickException("no free port on 127.0.0.1")


def _configuration(box: DemoBox, broker_port: int, folder: Path) -> str:
    """The demonstration's gateway.toml, as a person would write it."""
    return f"""\
[site]
name = "Demonstration"

[journal]
path = "{folder / "journal.db"}"

[clock]
trust = "site"

[brokers.demo]
host = "127.0.0.1"
port = {broker_port}
protocol = "3.1.1"
client_id = "coldchain-demo"

[sources.controller]
title = "TEC 3000 on a pseudo-terminal"
driver = "mve_tec3000"
port = "{box.port}"
poll = "30 s"
simulated = true
settings = {_inline(box.tec_settings)}

[sources.loggers]
title = "Loggers on MQTT"
driver = "mqtt_json"
broker = "demo"
clock_tolerance = "10 min"
simulated = true
settings = {_inline(box.mqtt_settings)}

[assets.box-7]
kind = "dry_shipper"
title = "Dry shipper box-7"
profile = "dry-shipper-150"

[assets.fridge-1]
kind = "refrigerator"
title = "Refrigerator 1"
profile = "fridge-2-8-buffered"

[channels."box-7.vapour"]
source = "controller"
key = "temp_a"
asset = "box-7"
role = "vapour"
quantity = "temperature"
probe = "vapour"
fresh_within = "10 min"
valid_low = "-200 °C"
valid_high = "60 °C"

[channels."box-7.vapour-2"]
source = "loggers"
key = "box-7/vapour"
unit = "°C"
asset = "box-7"
role = "second-vapour"
quantity = "temperature"
probe = "vapour"
interval = "1 min"
fresh_within = "10 min"
valid_low = "-200 °C"
valid_high = "60 °C"

[channels."box-7.mass"]
source = "loggers"
key = "box-7/mass"
unit = "kg"
asset = "box-7"
role = "mass"
quantity = "mass"
interval = "1 min"
fresh_within = "10 min"
valid_low = "0 kg"
valid_high = "60 kg"

[channels."fridge-1.product"]
source = "loggers"
key = "fridge-1/temperature"
unit = "°C"
asset = "fridge-1"
role = "product"
quantity = "temperature"
probe = "buffered"
interval = "1 min"
fresh_within = "10 min"
valid_low = "-40 °C"
valid_high = "60 °C"
"""


def _inline(value: object) -> str:
    """A value as TOML on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{key}" = {_inline(one)}' for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
