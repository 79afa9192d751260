"""The daemon as a process under systemd's eyes: started, reloaded, refused a second time, ended.

Two lives are lived once, each by the real command as a child; the tests look at what they left behind.
"""

from __future__ import annotations

import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Self

import pytest

from coldchain.clock import SystemClock
from coldchain.config import load
from coldchain.daemon import catching_up
from coldchain.daemon.control import Ask, ask, socket_path
from coldchain.daemon.daemon import DOORS_S, Daemon
from coldchain.daemon.outgoing import STOP_S
from coldchain.daemon.systemd import Notifier
from coldchain.daemon.wishes import Wishes
from coldchain.facts import Activated, Beat, ProcessEnded, SourceUp, encode
from coldchain.journal import Batch, Entry, Journal, Reader
from coldchain.pipeline.engine_id import engine
from tests.integration.gateways import (
    Child,
    History,
    Printer,
    Site,
    answers,
    assert_equal,
    read,
    until,
)
from tests.servers import free_port

pytestmark = pytest.mark.slow

#: The heartbeat in these tests, so that a watchdog is fed often.
BEAT = '[heartbeat]\ninterval = "200 ms"\n'

#: systemd ends a service whose watchdog was fed by nobody for so long (real seconds).
WATCHDOG_S = 3


class Systemd:
    """The socket that systemd would listen on, and what it heard."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: list[str] = []
        self.fed_s: list[float] = []  # when the watchdog was fed (monotonic, real seconds)
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.bind(str(path))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """What a service is given."""
        return {"NOTIFY_SOCKET": str(self.path), "WATCHDOG_USEC": str(WATCHDOG_S * 1_000_000)}

    def longest_hunger_s(self, from_s: float, to_s: float) -> float:
        """For how long the watchdog was fed by nobody at most, of these real seconds."""
        fed_s = [from_s, *(at_s for at_s in tuple(self.fed_s) if from_s < at_s < to_s), to_s]
        return max(later - earlier for earlier, later in pairwise(fed_s))

    def count(self, word: str) -> int:
        """How often it heard a word."""
        return sum(word in said.split("\n") for said in tuple(self.heard))

    def wait_for(self, word: str, count: int = 1) -> None:
        """Until it heard it so often."""
        until(lambda: self.count(word) >= count, f"{count} × {word}; heard {self.heard[-5:]}")

    def _listen(self) -> None:
        while said := self._line.recv(4096):
            self.heard.append(said.decode())
            if said == b"WATCHDOG=1":
                self.fed_s.append(time.monotonic())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.sendto(b"", str(self.path))
        self._thread.join(10)
        self._line.close()


@dataclass
class Life:
    """What a daemon's life left behind."""

    site: Site
    heard: list[str]
    log: str
    history: History
    printed: int
    status: int
    left: set[str]
    second: tuple[int, str] = (0, "")
    fed_early: list[tuple[int, int]] = field(default_factory=list)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Start, print, reload well, reload badly, start a second one, print, end."""
    folder = tmp_path_factory.mktemp("life")
    with (
        Printer(folder / "one") as one,
        Printer(folder / "two") as two,
        Systemd(folder / "notify") as systemd,
    ):
        site = Site(folder).profile(hold="1 h").ascii("one", one.port).part("heartbeat", BEAT)
        printed = 0

        def say(printer: Printer, channel: str) -> None:
            nonlocal printed
            before = count(site, channel)
            printer.say(-180.0, time.time_ns() // 1_000_000)
            printed += 1
            until(lambda: count(site, channel) > before, f"a reading of {channel}")

        environment = systemd.environment | journal_stream(folder / "log")
        with Child("run", "--config", site.write(), log=folder / "log", environment=environment) as daemon:
            daemon.ready(site.journal)
            systemd.wait_for("READY=1")
            until(lambda: ups(site) >= {"one"}, "the port")
            for _ in range(3):
                say(one, "box-one.vapour")
            fed = []
            for number in range(1, 4):
                systemd.wait_for("WATCHDOG=1", number)
                fed.append((systemd.count("WATCHDOG=1"), len(read(site.journal).of(Beat))))

            site.ascii("two", two.port).write()
            daemon.signal(signal.SIGHUP)
            systemd.wait_for("READY=1", 2)
            until(lambda: ups(site) >= {"one", "two"}, "the new port")
            say(two, "box-two.vapour")

            good = site.config.read_text(encoding="utf-8")
            site.config.write_text(
                good.replace('role = "vapour"', 'role = "vapour"\nrule = 1'), encoding="utf-8"
            )
            daemon.signal(signal.SIGHUP)
            systemd.wait_for("READY=1", 3)
            for printer, channel in ((one, "box-one.vapour"), (two, "box-two.vapour")):
                say(printer, channel)
            site.config.write_text(good, encoding="utf-8")

            environment = journal_stream(folder / "second")
            with Child(
                "run", "--config", site.config, log=folder / "second", environment=environment
            ) as second:
                refused = second.wait(), second.said
            assert answers(site.journal)
            status = daemon.end()
            left = {path.name for path in folder.glob("journal.db*")}
        yield Life(site, systemd.heard, daemon.said, read(site.journal), printed, status, left, refused, fed)


def count(site: Site, channel: str) -> int:
    """Readings of a channel in the journal."""
    return len(read(site.journal).readings(channel))


def journal_stream(log: Path) -> dict[str, str]:
    """What systemd tells a service whose output is this file, as if it were its journal's."""
    log.touch()
    found = log.stat()
    return {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}


def ups(site: Site) -> set[str]:
    """Sources that have been up."""
    return {fact.source for fact in read(site.journal).of(SourceUp)}


def test_the_end_is_orderly(life: Life) -> None:
    """SIGTERM: status 0, "process ended" is the last fact, no printed line is lost, `verify` says equal."""
    assert life.status == 0, life.log
    assert life.history.facts[-1][2] == ProcessEnded("asked to stop")
    readings = [*life.history.readings("box-one.vapour"), *life.history.readings("box-two.vapour")]
    assert len(readings) == life.printed
    assert_equal(life.site.journal)


def test_nothing_is_left_behind(life: Life) -> None:
    """After the end there is no socket and no log; the lock's file stays by design, and the reserve."""
    assert life.left == {"journal.db", "journal.db.lock", "journal.db.reserve"}


def test_systemd_hears_each_step(life: Life) -> None:
    """READY with a status, a RELOADING before each READY that ends a reload, STOPPING at last."""
    words = [said.split("\n")[0] for said in life.heard if not said.startswith(("WATCHDOG", "STATUS"))]
    assert words == ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
    ready = [said for said in life.heard if said.startswith("READY")]
    assert "STATUS=1 sources, 1 channels, 1 assets" in ready[0]
    assert all("MONOTONIC_USEC=" in said for said in life.heard if said.startswith("RELOADING"))


def test_the_watchdog_is_fed_by_committed_heartbeats(life: Life) -> None:
    """Whenever systemd has been fed n times, n of our own heartbeats are in the journal."""
    assert life.fed_early
    assert all(committed >= fed for fed, committed in life.fed_early)


def test_a_good_file_comes_into_force(life: Life) -> None:
    """SIGHUP: a new activation is a fact and the new source is read, while the old one never stopped."""
    activated = life.history.of(Activated)
    assert [len(fact.plan.sources) for fact in activated] == [1, 2]
    assert [fact.source for fact in life.history.of(SourceUp)] == ["one", "two"]


def test_a_broken_file_is_refused_aloud(life: Life) -> None:
    """It says which line and why, in the log and to systemd; the old one stays in force."""
    refused = [said for said in life.heard if "reload refused" in said]
    assert len(refused) == 1
    assert "rule" in refused[0]
    assert "configuration refused, the old one stays in force" in life.log
    assert len(life.history.of(Activated)) == 2


def test_each_line_of_the_log_has_its_priority(life: Life) -> None:
    """What systemd's journal is given by the real program, its end included: no line that it would guess."""
    lines = [*life.log.splitlines(), *life.second[1].splitlines()]
    assert [line for line in lines if not re.match(r"<[23467]>coldchain", line)] == []
    (refused,) = [line for line in lines if "configuration refused" in line]
    assert refused.startswith("<3>coldchain: ")
    assert lines[-1].startswith("<2>coldchain run: ")


def test_a_second_daemon_is_told_who_holds_the_journal(life: Life) -> None:
    """Exit status 69, with the holder's process id, command and what to do."""
    status, said = life.second
    assert status == 69
    assert "held by" in said
    assert "coldchain run" in said
    assert "end the program that holds it" in said
    assert "Traceback" not in said


def test_a_reload_that_is_asked_for_too_early(tmp_path: Path) -> None:
    """A SIGHUP at every moment of the start ends nothing: it is watched, and the file is read again."""
    with Printer(tmp_path / "one") as one, Systemd(tmp_path / "notify") as systemd:
        site = Site(tmp_path).profile().ascii("one", one.port)
        with Child(
            "-m", "tests.integration.hasty", "run", "--config", site.write(),
            log=tmp_path / "log", environment=systemd.environment,
        ) as daemon:  # fmt: skip
            daemon.ready(site.journal)
            systemd.wait_for("RELOADING=1")
            systemd.wait_for("READY=1", 2)
            assert daemon.end() == 0, daemon.said


def beats(journal: Path, count: int) -> None:
    """A journal of so many facts, made by no engine."""
    with Journal.open(journal, command="test") as opened:
        entries = [Entry(position, position, encode(Beat()), ()) for position in range(1, count + 1)]
        opened.commit(Batch(tuple(entries)))


def saved(journal: Path) -> bool:
    """Whether a state of this engine is kept."""
    with Reader.open(journal) as reader:
        return reader.latest_checkpoint(engine()) is not None


def test_an_end_that_is_asked_for_while_a_journal_is_folded(tmp_path: Path) -> None:
    """Folding a long journal takes a while, and nobody waits for it: it ends in order, and did not start."""
    with Printer(tmp_path / "one") as one:
        site = Site(tmp_path).profile().ascii("one", one.port)
        loaded = load(site.write())
        beats(site.journal, 1_000)
        wishes = Wishes()
        wishes.reload()
        wishes.stop()
        daemon = Daemon(loaded, SystemClock(), wishes=wishes)
        daemon.start()
        started = answers(site.journal)
        daemon.run()
        assert not started
    assert len(read(site.journal).facts) == 1_000


def test_systemd_waits_for_a_start_that_folds_a_long_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for patience on the way, before it is told that we are ready; the state is kept then."""
    monkeypatch.setattr(catching_up, "SAY_S", 0)  # each look is as if five seconds had passed
    with Printer(tmp_path / "one") as one, Systemd(tmp_path / "notify") as systemd:
        site = Site(tmp_path).profile().ascii("one", one.port)
        loaded = load(site.write())
        beats(site.journal, 1_000)
        daemon = Daemon(loaded, SystemClock(), notifier=Notifier(systemd.environment))
        daemon.start()
        try:
            systemd.wait_for("READY=1")
            until(lambda: saved(site.journal), "the state")
        finally:
            daemon.stop()
        words = [word.split("\n")[0] for word in systemd.heard if word.startswith(("EXTEND", "READY"))]
    assert words == ["EXTEND_TIMEOUT_USEC=120000000"] * 3 + ["READY=1"]  # a look each 256 facts


def test_nobody_who_hangs_keeps_it_from_ending(tmp_path: Path) -> None:
    """A receiver without an answer and browsers in the middle of a word: it ends, all that came in committed.

    What each may take adds up to less than the two seconds that docs/installation.md promises.
    """
    assert DOORS_S + STOP_S < 2
    port = free_port()
    with (
        socket.create_server(("127.0.0.1", 0)) as receiver,
        Printer(tmp_path / "one") as one,
        socket.socket() as half,
        socket.socket() as silent,
    ):
        site = Site(tmp_path).profile(hold="0 s").ascii("one", one.port)
        site.webhook(f"http://127.0.0.1:{receiver.getsockname()[1]}/")
        site.part("page", f"[page]\nport = {port}\n")
        with Child("run", "--config", site.write(), log=tmp_path / "log") as daemon:
            daemon.ready(site.journal)
            until(lambda: ups(site) >= {"one"}, "the port")
            half.connect(("127.0.0.1", port))
            half.sendall(b"GET / HTTP/1.1\r\nHo")
            silent.connect(("127.0.0.1", port))
            one.say(-140.0, time.time_ns() // 1_000_000)
            taken, _ = receiver.accept()  # the notice of the alarm, which nobody answers
            with taken:
                assert daemon.end() == 0, daemon.said
        assert "sink room does not end; it is left behind" in daemon.said
        assert "Traceback" not in daemon.said
    history = read(site.journal)
    assert len(history.readings("box-one.vapour")) == 1
    assert history.facts[-1][2] == ProcessEnded("asked to stop")
    assert_equal(site.journal)


def test_a_stuck_writer_feeds_no_watchdog(tmp_path: Path) -> None:
    """While a commit hangs, systemd hears nothing though all else answers; afterwards it does again."""
    with Printer(tmp_path / "one") as one, Systemd(tmp_path / "notify") as systemd:
        site = Site(tmp_path).profile().ascii("one", one.port).part("heartbeat", BEAT)
        with Child(
            "-m", "tests.integration.rigged", tmp_path, "run", "--config", site.write(),
            log=tmp_path / "log", environment=systemd.environment,
        ) as daemon:  # fmt: skip
            daemon.ready(site.journal)
            systemd.wait_for("WATCHDOG=1", 2)
            (tmp_path / "stuck").touch()
            begun = pulse_ms(site)
            until(lambda: pulse_ms(site) > begun + 300, "a beat that may have been on its way")
            fed = systemd.count("WATCHDOG=1")
            until(lambda: pulse_ms(site) > begun + 1_500, "six beats of journal time")
            assert systemd.count("WATCHDOG=1") == fed
            (tmp_path / "stuck").unlink()
            systemd.wait_for("WATCHDOG=1", fed + 1)
            assert daemon.end() == 0, daemon.said


def pulse_ms(site: Site) -> int:
    """Journal time as the daemon itself says it."""
    pulse = ask(socket_path(site.journal), Ask()).pulse
    assert pulse is not None
    return pulse.journal_ms


def test_a_writer_that_fails_ends_the_process(tmp_path: Path) -> None:
    """A defect in the writer is no silent standstill: status 70 and the reason, to be started anew."""
    with Printer(tmp_path / "one") as one:
        site = Site(tmp_path).profile().ascii("one", one.port).part("heartbeat", BEAT)
        with Child(
            "-m", "tests.integration.rigged", tmp_path, "run", "--config", site.write(), log=tmp_path / "log"
        ) as daemon:
            daemon.ready(site.journal)
            (tmp_path / "poisoned").touch()
            assert daemon.wait() == 70
            assert "the writer failed: ZeroDivisionError: a defect, for a test" in daemon.said
        (tmp_path / "poisoned").unlink()
        with Child("run", "--config", site.config, log=tmp_path / "log 2") as again:
            again.ready(site.journal)
            assert again.end() == 0
    assert_equal(site.journal)
