"""Lives that end by SIGKILL at a chosen point, each by its own hand: for tests only, see `nursery.py`.

A daemon's life: POINT is where, COUNT how many times that point is passed before. FAULT removes a guard, so
that a test can show that it would notice.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from coldchain.cli.main import main
from coldchain.daemon import retention
from coldchain.evidence.keys import Key
from coldchain.fold.channels import Channels
from coldchain.journal import Deliveries, Journal, schema
from coldchain.journal import journal as journal_module
from coldchain.journal.backup import back_up
from coldchain.journal.database import Database
from coldchain.journal.schema import Migration
from coldchain.model import Decoded
from coldchain.pipeline import intake
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.writer import Writer
from coldchain_drivers.mqtt_json import DRIVER
from tests.campaign.rig import Obeying, rig
from tests.unit.daemon.retained import House
from tests.unit.journal.disk import Disk, Operation, watched
from tests.unit.pipeline.fake_clock import HandClock

#: Where a daemon may die, and how often at most that point is passed before.
POINTS = {
    "in_commit": ("inside a transaction", 8),
    "before_ack": ("between commit and acknowledgement", 8),
    "copying_log": ("while the log is copied into the database", 60),
    "saving_state": ("while the fold's state is saved", 8),
    "in_delivery": ("between a receiver's yes and its receipt", 3),
    "in_series": ("between a time series' yes and the cursor", 3),
    "at_disk": ("before any request to the disk", 150),
}

#: What a driver that leaks keeps of a message, and with each so many-th a file.
_LEAK_BYTES, _LEAK_EVERY = 100_000, 10
#: Each so many-th word of a sink is heard by nobody.
_DEAF_EVERY = 3
#: How long a fault may take to show itself before the process dies all the same (s).
_FAULT_S = 10.0


class _Fuse:
    """Dies at the n-th call, once the fault that was put in has done its harm."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.harmed: Callable[[], bool] = lambda: True

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            end_s = time.monotonic() + _FAULT_S
            while not self.harmed() and time.monotonic() < end_s:
                time.sleep(0.005)
            os.kill(os.getpid(), signal.SIGKILL)


class _Fatal(Disk):
    """A disk before whose n-th request the process dies; `copies`: of those that copy the log back."""

    def __init__(self, fuse: _Fuse, *, copies: bool = False) -> None:
        super().__init__()
        self._fuse, self._copies = fuse, copies

    def asked(self, operation: Operation) -> None:
        if not self._copies or (operation.kind == "write" and not operation.name.endswith("-wal")):
            self._fuse()


def _around(owner: Any, name: str, fuse: Callable[[], object], *, before: bool = False) -> None:
    original: Callable[..., Any] = getattr(owner, name)

    def wrapped(*words: Any, **more: Any) -> Any:
        if before:
            fuse()
        result = original(*words, **more)
        if not before:
            fuse()
        return result

    setattr(owner, name, wrapped)


def _instead(owner: object, name: str, by: object) -> None:
    """Put something in the place of a method, for the rest of this process."""
    setattr(owner, name, by)


def _arm(point: str, fuse: _Fuse, ends: ExitStack, folder: Path) -> None:
    match point:
        case "never":  # it lives on, and meets what other faults there are
            rig(folder)
            ends.enter_context(watched(Obeying(folder / "disk")))
        case "in_commit":
            _around(Journal, "_beside", fuse)  # the last statement inside the transaction
        case "before_ack":
            _around(Journal, "commit", fuse)
        case "saving_state":
            step = Writer.step

            def with_state(self: Writer, wait_s: float) -> None:
                self.want_checkpoint()
                step(self, wait_s)

            _instead(Writer, "step", with_state)
            _instead(Writer, "_checkpoint_pays", lambda self: True)  # in a long life it seldom does
            _around(Journal, "_save_state", fuse)  # written, not yet committed
        case "in_delivery":
            _around(Deliveries, "done", fuse, before=True)  # the receiver has it, the receipt is not kept yet
        case "in_series":
            _around(Deliveries, "move", fuse, before=True)
        case "copying_log":
            journal_module.WAL_PAGES = 4
            ends.enter_context(watched(_Fatal(fuse, copies=True)))
        case "at_disk":
            ends.enter_context(watched(_Fatal(fuse)))


def _break(fault: str, fuse: _Fuse) -> None:
    match fault:
        case "ack_first":
            _acknowledge_first(fuse)
        case "leak":
            _leak()
        case "twice":
            _instead(Channels, "is_repeat", lambda self, reading: False)
        case "deaf":
            _deaf()


def _leak() -> None:
    """A driver that keeps something of every message, and opens a file that it never closes."""
    decode, kept = DRIVER.decode, list[object]()

    def leaking(settings: Any, topic: str, payload: bytes) -> Decoded:
        kept.append(bytearray(_LEAK_BYTES))
        if len(kept) % _LEAK_EVERY == 0:
            kept.append(os.open(os.devnull, os.O_RDONLY))
        return decode(settings, topic, payload)

    object.__setattr__(DRIVER, "decode", leaking)  # frozen, for everybody but a fault


def _deaf() -> None:
    """Sinks that now and then say yes and tell nobody."""
    for name, verb, answer in (("webhook.Webhook", "tell", ""), ("influx.Influx", "write", None)):
        module, _, kind = name.partition(".")
        _now_and_then(getattr(import_module(f"coldchain.sinks.{module}"), kind), verb, answer)
    _instead(import_module("coldchain.sinks.alertmanager").Alertmanager, "_post", lambda self, *_: "")


def _now_and_then(owner: Any, name: str, answer: object) -> None:
    original: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def deaf(*words: Any) -> Any:
        nonlocal calls
        calls += 1
        return answer if calls % _DEAF_EVERY == 0 else original(*words)

    setattr(owner, name, deaf)


def _acknowledge_first(fuse: _Fuse) -> None:
    # On a busy machine the process would be dead before the port has sent what it was told to: then nothing
    # was acknowledged, and nothing could be lost.
    offer, ack = intake.Queue.offer, paho.Client.ack
    promised = sent = 0

    def ack_first(
        self: intake.Queue, facts: Any, settled: Callable[[intake.Folded], None] | None = None
    ) -> bool:
        nonlocal promised
        if settled is not None:
            promised += 1
            settled(intake.Folded(0, ()))
        return offer(self, facts)

    def acknowledged(self: paho.Client, mid: int, qos: int) -> Any:
        nonlocal sent
        done = ack(self, mid, qos)  # written before it returns
        sent += 1
        return done

    _instead(intake.Queue, "offer", ack_first)
    _instead(paho.Client, "ack", acknowledged)
    fuse.harmed = lambda: 0 < promised <= sent


def daemon(point: str, count: str, config: str, fault: str = "none") -> None:
    """A whole gateway, until killed by itself or told to stop."""
    fuse = _Fuse(int(count))
    _break(fault, fuse)
    faulthandler.register(signal.SIGUSR1)  # where each thread is, for a test that waits in vain
    with ExitStack() as ends:
        _arm(point, fuse, ends, Path(config).parent)
        main(["run", "--config", config], prog_name="coldchain")


#: A later version's schema, which touches every fact, so that there is something to be interrupted in.
LATER = Migration(
    schema.VERSION + 1,
    "a table of a later version",
    "CREATE TABLE later(position INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;\n"
    "INSERT INTO later SELECT position, body FROM facts;\n",
)


@contextmanager
def a_version_later() -> Iterator[None]:
    """As the next version of the program, whose schema is one step further."""
    before = schema.MIGRATIONS, schema.VERSION
    schema.MIGRATIONS, schema.VERSION = (*schema.MIGRATIONS, LATER), LATER.version
    try:
        yield
    finally:
        schema.MIGRATIONS, schema.VERSION = before


def migration(count: str, journal: str) -> None:
    """A later version opens a journal, and brings its schema up to date."""
    with a_version_later(), watched(_Fatal(_Fuse(int(count)))), Journal.open(journal, reserve_bytes=0):
        pass


def making(count: str, journal: str) -> None:
    """A journal is made where there was none."""
    with watched(_Fatal(_Fuse(int(count)))), Journal.open(journal, reserve_bytes=0):
        pass


def copying(count: str, journal: str, target: str) -> None:
    """A back-up.

    Closed by the end of the process: with a disk of ours in between, apsw raises what SQLite itself passes
    over when it closes a file that it may only read (the lock for a last copy of the log).
    """
    _instead(Database, "close", lambda self: None)
    with watched(_Fatal(_Fuse(int(count)))):
        back_up(Path(journal), Path(target), force=True)


def removing(count: str, journal: str, key_file: str, utc_ms: str, boot_ms: str) -> None:
    """A life that lets old readings go, in pieces of a hundred facts, dying while it does."""
    fuse = _Fuse(sys.maxsize)
    _instead(retention, "PIECE_FACTS", 100)
    clock = HandClock(int(utc_ms), boot_ms=int(boot_ms))
    key = Key.read(Path(key_file).read_text(encoding="ascii"), key_file)
    with watched(_Fatal(fuse)):
        house = House(Path(journal), key=key, clock=clock)
        _around(journal_module, "_remove", fuse)  # the last statement of it, not yet committed
        fuse.left = int(count)
        house.retain()
        fuse.left = sys.maxsize
        house.end()


LIVES: dict[str, Callable[..., None]] = {
    "daemon": daemon,
    "migration": migration,
    "making": making,
    "copying": copying,
    "removing": removing,
}


def prepare() -> None:
    """What every life would load by itself, loaded once."""
    for name in (
        "apscheduler.schedulers.background",
        "influxdb_client",
        "serial",
        "coldchain.cli.run_command",
    ):
        import_module(name)
    engine()
