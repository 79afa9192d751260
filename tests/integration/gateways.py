"""Whole gateways for tests: a configuration in a few lines, the real daemon, devices that obey.

site = Site(tmp_path).profile(hold="10 min")         # above −150 °C is critical after ten minutes
site.ascii("log", port).webhook(url)                 # each source measures the vapour of "box-SOURCE"
with running(site, speed=200) as daemon: ...         # in this process, ports, sinks and socket included
with Child("run", "--config", site.write(), log=file) as child: ...   # as a process of its own
history = read(site.journal)                         # facts and announcements of a journal
assert_equal(site.journal)                           # what `verify` says, and a re-fold of our own
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from coldchain import announcements, facts
from coldchain.announcements import Announcement, Kind
from coldchain.clock import SystemClock
from coldchain.config.load import load
from coldchain.daemon.control import Ask, ControlError, NotRunning, ask, socket_path
from coldchain.daemon.daemon import Daemon
from coldchain.facts import EngineStarted, Fact, Reading
from coldchain.fold import Fold
from coldchain.journal import Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.verify import Verdict, Verification, verify
from coldchain_simulators.ascii_logger import AsciiLogger, Column
from coldchain_simulators.speaking import SpeakingSimulator
from coldchain_simulators.stepping import Stepper
from coldchain_simulators.wires import PtyWire
from tests.servers import wait_until

ROOT = Path(__file__).parents[2]
COLDCHAIN = Path(sys.executable).with_name("coldchain")

PROFILE = """\
id = "test"
version = "{version}"
status = "unapproved"
title = "Limits of a test"
product_state = "none"

[stages.transport]
title = "Transport"

[stages.storage]
title = "Storage"

[rules.above]
title = "Above −150 °C"
role = "vapour"
side = "above"
value = "{limit}"
hold = "{hold}"
hold_source = "made up for a test"
priority = "critical"
advice = "Nothing: this is a test."
latched = {latched}
source = "made up for a test"
confidence = "low"
"""

_CHANNEL = """
[assets.{asset}]
kind = "dry_shipper"
profile = "{profile}"
stage = "transport"

[channels."{asset}.vapour"]
source = "{source}"
key = "{key}"
asset = "{asset}"
role = "vapour"
quantity = "temperature"
probe = "vapour"
{interval}
fresh_within = "{fresh}"
valid_low = "-200 °C"
valid_high = "60 °C"
"""


class Site:
    """A gateway's files. Every source measures the vapour of an asset "box-SOURCE"."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = folder / "journal.db"
        self.config = folder / "gateway.toml"
        self._name = "Test site"
        self._parts: dict[str, str] = {}
        self.trust = "site"

    def part(self, name: str, text: str) -> Self:
        """A piece of the configuration, by a name under which it can be replaced."""
        self._parts[name] = text
        return self

    def profile(
        self, *, hold: str = "10 min", latched: bool = True, limit: str = "-150 °C", version: int = 1
    ) -> Self:
        """The profile "test": critical above that limit after that hold."""
        folder = self.folder / "profiles"
        folder.mkdir(exist_ok=True)
        text = PROFILE.format(hold=hold, latched=str(latched).lower(), limit=limit, version=version)
        (folder / "test.toml").write_text(text, encoding="utf-8")
        return self.part("profiles", '[profiles]\ndirectories = ["profiles"]\n')

    def ascii(self, name: str, port: str, *, fresh: str = "10 min", profile: str = "test") -> Self:
        """A logger that prints `time=…;seq=…;T=…*CS` once a minute."""
        return self.part(
            name,
            f"""
[sources.{name}]
driver = "ascii_line"
port = "{port}"
simulated = true
clock_tolerance = "1 h"
[sources.{name}.settings]
baud = 9600
frame = "8N1"
layout = "pairs"
checksum = "xor8"
time = {{ at = "time", format = "epoch_ms" }}
sequence = "seq"
values = [{{ key = "t", at = "T", unit = "degC" }}]
"""
            + _CHANNEL.format(
                asset=f"box-{name}",
                profile=profile,
                source=name,
                key="t",
                interval='interval = "1 min"',
                fresh=fresh,
            ),
        )

    def tec(
        self,
        name: str,
        port: str,
        *,
        poll: str = "30 s",
        outside: str = "",
        fresh: str = "10 min",
        profile: str = "test",
    ) -> Self:
        """A TEC 3000 that is asked for TEMPA; `outside`: so often while that is outside."""
        oftener = f'poll_outside = "{outside}"' if outside else ""
        return self.part(
            name,
            f"""
[sources.{name}]
driver = "mve_tec3000"
port = "{port}"
poll = "{poll}"
{oftener}
simulated = true
[sources.{name}.settings]
address = 1
displayed_unit = "degC"
queries = [{{ key = "temp_a", query = "TEMPA?" }}]
baud = 9600
frame = "8N1"
"""
            + _CHANNEL.format(
                asset=f"box-{name}", profile=profile, source=name, key="temp_a", interval="", fresh=fresh
            ),
        )

    def mqtt(
        self,
        name: str,
        *,
        topic: str,
        broker: str = "local",
        fresh: str = "10 min",
        profile: str = "test",
        tolerance: str = "1 h",
    ) -> Self:
        """A logger on MQTT: `{"time": ms, "sequence": n, "vapour": t, "simulated": true}`."""
        mapping = (
            f'key = "t", topic = "{topic}", path = "vapour", unit = "degC", time_path = "time", '
            'time_format = "epoch_ms", sequence_path = "sequence"'
        )
        return self.part(
            name,
            f"""
[sources.{name}]
driver = "mqtt_json"
broker = "{broker}"
clock_tolerance = "{tolerance}"
simulated = true
[sources.{name}.settings]
simulated = true
mappings = [{{ {mapping} }}]
"""
            + _CHANNEL.format(
                asset=f"box-{name}",
                profile=profile,
                source=name,
                key="t",
                interval='interval = "1 min"',
                fresh=fresh,
            ),
        )

    def broker(
        self,
        port: int,
        *,
        client_id: str = "gateway-under-test",
        name: str = "local",
        keep_alive: str = "30 s",
    ) -> Self:
        """The broker "local"."""
        return self.part(
            f"broker {name}",
            f'[brokers.{name}]\nhost = "127.0.0.1"\nport = {port}\nclient_id = "{client_id}"\n'
            f'keep_alive = "{keep_alive}"\n',
        )

    def webhook(self, url: str, *, name: str = "room") -> Self:
        """A sink that posts to that address; all else as it is where a site says no more."""
        return self.part(f"sink {name}", f'[sinks.{name}]\nkind = "webhook"\nurl = "{url}"\n')

    def text(self, *, without: str = "") -> str:
        """What gateway.toml says, or would without one of its parts."""
        head = (
            f'[site]\nname = "{self._name}"\n[journal]\npath = "{self.journal.name}"\n'
            f'[clock]\ntrust = "{self.trust}"\n'
        )
        return head + "\n".join(text for name, text in self._parts.items() if name != without)

    def write(self) -> Path:
        """Write gateway.toml; its path."""
        self.config.write_text(self.text(), encoding="utf-8")
        return self.config


@contextlib.contextmanager
def running(site: Site, *, speed: int = 1, clock: SystemClock | None = None, **more: Any) -> Iterator[Daemon]:
    """The daemon of a site in this process, from start to end."""
    if not site.config.exists():
        site.write()
    daemon = Daemon(load(site.config), clock or SystemClock(speed=speed, trusted=True), **more)
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.stop()


class Child:
    """A `coldchain` command (or a module of the tests) as a process of its own; its words go to a file."""

    def __init__(self, *words: object, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        command = [str(word) for word in words]
        if not command[0].startswith("-m"):
            command.insert(0, str(COLDCHAIN))
        else:
            command.insert(0, sys.executable)
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
            )

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def running(self) -> bool:
        """Whether it still lives."""
        return self.process.poll() is None

    def wait(self, deadline_s: float = 30) -> int:
        """Its exit status."""
        return self.process.wait(deadline_s)

    def end(self) -> int:
        """Ask it to end as systemd does; its exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def ready(self, journal: Path) -> Self:
        """Wait until its daemon answers."""
        wait_until(lambda: self.process.poll() is not None or answers(journal), what="the daemon answers")
        assert self.process.poll() is None, self.said
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)


def answers(journal: Path) -> bool:
    """Whether a daemon answers for this journal."""
    try:
        return ask(socket_path(journal), Ask()).state is not None
    except (NotRunning, ControlError):  # the answer of one that was killed, or is late
        return False


# --- What a journal holds --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """One announcement with its place."""

    position: int
    announced_ms: int
    what: Announcement


@dataclass
class History:
    """Facts and announcements of a journal, in order."""

    facts: list[tuple[int, int, Fact]] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)

    def of(self, kind: type[Any], **fields: object) -> list[Any]:
        """The facts of one kind, with these fields."""
        return [
            fact
            for _, _, fact in self.facts
            if isinstance(fact, kind) and all(getattr(fact, name) == value for name, value in fields.items())
        ]

    def readings(self, channel: str) -> list[Reading]:
        """The readings of a channel."""
        return self.of(Reading, channel=channel)

    def raised(self, asset: str = "") -> list[Announcement]:
        """Alarms raised of an asset (or of all), in order."""
        return [
            one.what
            for one in self.said
            if one.what.kind is Kind.RAISED and one.what.alarm.startswith(asset + "/" if asset else "")
        ]


def read(journal: Path) -> History:
    """Everything a journal holds."""
    with Reader.open(journal) as reader:
        return History(
            [(row.position, row.arrival_ms, facts.decode(row.body)) for row in reader.facts()],
            [
                Said(row.position, row.announced_ms, announcements.decode(row.body))
                for row in reader.announcements()
            ],
        )


def verified(journal: Path) -> Verification:
    """What `verify` finds."""
    with Reader.open(journal) as reader:
        return verify(reader, engine())


def assert_equal(journal: Path) -> None:
    """`verify` says equal, and so does a fold that knows nothing of `verify`."""
    found = verified(journal)
    assert found.sound, found
    assert {stretch.verdict for stretch in found.stretches} == {Verdict.EQUAL}, found
    history = read(journal)
    fold = Fold()
    again = [
        Said(position, arrival_ms, what)
        for position, arrival_ms, fact in history.facts
        for what in fold.apply(position, arrival_ms, fact)
    ]
    assert again == history.said
    assert len({fact.engine for fact in history.of(EngineStarted)}) == 1


# --- Devices ---------------------------------------------------------------------------------------------


class Course:
    """A temperature as written: (minute, °C) steps, or set by hand. None: the probe is broken."""

    def __init__(self, *steps: tuple[float, float | None]) -> None:
        self._steps = [(minute * 60_000, celsius) for minute, celsius in steps]
        self._now_ms = 0
        self.by_hand: float | None = None

    def process(self, dt_s: float) -> None:
        """Let simulated time pass."""
        self._now_ms += round(dt_s * 1000)

    def sample(self) -> float | None:
        """The value now."""
        if self.by_hand is not None:
            return self.by_hand
        value: float | None = -180.0
        for at_ms, celsius in self._steps:
            if at_ms <= self._now_ms:
                value = celsius
        return value


class Printer:
    """A logger on a pseudo-terminal whose lines a test prints one by one, with any time it likes."""

    def __init__(self, link: Path) -> None:
        self.wire = PtyWire(link)
        self.port = self.wire.port
        self.celsius = -180.0
        self._logger = AsciiLogger(
            {"T": Column(lambda: self.celsius)}, stamp="epoch_ms", numbered=True, checksum="xor8"
        )

    def say(self, celsius: float, at_ms: int) -> None:
        """Print a line: that value at that time.

        A line end comes first: what a port hears just after it was opened may be the rest of a line.
        """
        self.celsius = celsius
        self.wire.write(b"\r\n" + self._logger.line(at_ms))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wire.close()


def stamped(course: Course, wire: PtyWire, stepper: Stepper) -> SpeakingSimulator:
    """A logger that prints what a course says once a minute, with time, number and checksum."""
    logger = AsciiLogger({"T": Column(course.sample)}, stamp="epoch_ms", numbered=True, checksum="xor8")
    return SpeakingSimulator(logger, wire, stepper)


def until(condition: Callable[[], bool], what: str, deadline_s: float = 30) -> None:
    """Poll until the condition holds."""
    wait_until(condition, what=what, deadline_s=deadline_s)


def standing(daemon: Daemon) -> Sequence[str]:
    """The ids of the alarms that stand."""
    return [alarm.id for alarm in daemon.station.state().alarms]
