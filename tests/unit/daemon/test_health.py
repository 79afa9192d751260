"""When the gateway speaks of itself: not for a pause, not without end, and never twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import pytest

from coldchain import clock
from coldchain.announcements import Kind
from coldchain.clock import SystemClock
from coldchain.config import settings
from coldchain.config.settings import Health
from coldchain.daemon import consumption
from coldchain.daemon.health import CALM_S, LOOK_S, WAIT_S, HealthWatch, SinkHealth
from coldchain.facts import Reading
from coldchain.fold import Fold
from coldchain.journal import Journal, Reader
from coldchain.journal.database import WAL_KEEP_BYTES
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.intake import Queue
from coldchain.pipeline.timekeeper import Timekeeper
from coldchain.pipeline.verify import verify
from coldchain.pipeline.writer import Hooks, Writer


def limits(**words: str) -> Health:
    """A site's limits; of the disk so little need be free that every disk will do."""
    return Health.model_validate({"disk_free": "0.01 %"} | words)


#: STA_UNSYNC, as adjtimex(2) says it.
UNSYNCHRONISED = 0x40
FULL = limits(disk_free="60 %")  # more than is free


class Stepped(SystemClock):
    """A clock that a test moves."""

    ahead_s = 0.0

    def real_s(self) -> float:
        """Real seconds, and those that the test skipped."""
        return super().real_s() + self.ahead_s

    def journal_ms(self) -> int:
        """Journal time likewise."""
        return super().journal_ms() + round(self.ahead_s * 1000)

    def utc_ms(self) -> int:
        """The wall clock likewise: it does not step."""
        return super().utc_ms() + round(self.ahead_s * 1000)

    def boot_ms(self) -> int:
        """The boot clock likewise."""
        return super().boot_ms() + round(self.ahead_s * 1000)


@dataclass
class Gateway:
    """The real writer on a real journal, without ports; limits and sinks as the test sets them."""

    folder: Path
    limits: Health = field(default_factory=limits)
    sinks: dict[str, SinkHealth] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = Stepped(trusted=True)
        self.journal = Journal.open(self.folder / "x.journal", reserve_bytes=0)
        timekeeper = Timekeeper(self.clock)
        fold = Fold()
        facts = timekeeper.start(fold).facts
        self.queue = Queue(self.clock, 10)
        self.writer = Writer(self.clock, self.queue, fold, self.journal, engine(), timekeeper, Hooks())
        self.queue.submit(facts)
        self.writer.step(0)
        self.watch = HealthWatch(
            lambda: self.limits, self.writer, self.queue, self.clock, self.journal.path, lambda: self.sinks
        )

    def pass_(self, seconds: float) -> list[str]:
        """Time passes, looked at as housekeeping does; what is said meanwhile."""
        before = self.writer.fold.position
        end_s = self.clock.ahead_s + seconds
        while self.clock.ahead_s < end_s:
            self.watch.look()
            self.writer.step(0)
            self.clock.ahead_s += LOOK_S
        with Reader.open(self.journal.path) as reader:
            return [
                f"{said['kind']} {said['alarm']}" for row in reader.announcements(before + 1)
                if "gateway/" in (said := decoded(row.body))["alarm"]
            ]  # fmt: skip


def decoded(body: bytes) -> dict[str, str]:
    """An announcement's kind and alarm."""
    from coldchain import announcements

    said = announcements.decode(body)
    return {"kind": said.kind.value, "alarm": said.alarm}


@dataclass
class Kernel:
    """What the kernel says of its clock: the most by which it may be wrong, and its status bits."""

    error_s: float | None = 0.02
    state: int = 0


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """One whose clock is well; tests change what it says."""
    made = Kernel()
    monkeypatch.setattr(clock, "kernel_clock_error_s", lambda: made.error_s)
    monkeypatch.setattr(clock, "kernel_clock_state", lambda: made.state)
    return made


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> Iterator[Gateway]:
    """One that is well, on a disk that is half full."""
    usage = (1_000_000, 500_000, 500_000)
    monkeypatch.setattr("coldchain.daemon.health.shutil.disk_usage", lambda folder: usage)
    made = Gateway(tmp_path)
    yield made
    with Reader.open(made.journal.path) as reader:
        assert verify(reader, engine()).sound
    made.journal.close()


def test_a_well_gateway_says_nothing(gateway: Gateway) -> None:
    """Ten minutes of looking leave no fact of health."""
    gateway.sinks["mail"] = SinkHealth(ok=True, oldest_ms=None)
    assert gateway.pass_(600) == []


def test_a_disk_that_fills(gateway: Gateway) -> None:
    """Raised once it has lasted; gone once it has been well for long enough; the journal verifies."""
    gateway.limits = FULL
    assert gateway.pass_(WAIT_S - LOOK_S) == []
    assert gateway.pass_(3 * LOOK_S) == ["raised gateway/disk"]
    assert gateway.pass_(WAIT_S) == [], "said once"
    gateway.limits = limits()
    assert gateway.pass_(CALM_S - LOOK_S) == []
    assert gateway.pass_(3 * LOOK_S) == ["returned gateway/disk"]


@pytest.mark.parametrize(("speed", "said"), [(1, ["raised gateway/sink-mail"]), (600, [])])
def test_a_receiver_lives_in_real_time(gateway: Gateway, speed: int, said: list[str]) -> None:
    """What waited for 16 min of a journal's time that runs 600 times as fast has waited for 1.6 s."""
    gateway.clock.speed = speed
    gateway.sinks["mail"] = SinkHealth(ok=True, oldest_ms=16 * 60_000)
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HealthWatch, "_say", lambda self, one: found.append(f"raised gateway/{one.what}"))
        gateway.watch.look()
        gateway.clock.ahead_s += WAIT_S
        gateway.watch.look()
    assert found == said


def test_a_pause_wakes_nobody(gateway: Gateway) -> None:
    """Shorter than the wait, again and again: nothing is said."""
    for _ in range(4):
        gateway.limits = FULL
        said = gateway.pass_(WAIT_S - LOOK_S)
        gateway.limits = limits()
        assert said + gateway.pass_(LOOK_S) == []


def test_a_sink_that_tells_nobody(gateway: Gateway) -> None:
    """Down for longer than the site allows, or a notice too old; one that is taken out ends it."""
    gateway.limits = limits(sink="120 s")
    gateway.sinks["mail"] = SinkHealth(ok=False, oldest_ms=None)
    gateway.sinks["hook"] = SinkHealth(ok=True, oldest_ms=0)
    assert gateway.pass_(120) == []
    assert gateway.pass_(WAIT_S + 2 * LOOK_S) == ["raised gateway/sink-mail"]
    gateway.sinks["hook"] = SinkHealth(ok=True, oldest_ms=130_000)
    assert gateway.pass_(WAIT_S + LOOK_S) == ["raised gateway/sink-hook"]
    gateway.sinks["mail"] = SinkHealth(ok=True, oldest_ms=None)
    assert gateway.pass_(CALM_S + 2 * LOOK_S) == ["returned gateway/sink-mail"]
    del gateway.sinks["hook"]
    assert gateway.pass_(LOOK_S) == ["returned gateway/sink-hook"]


def test_what_stood_at_the_last_run_is_ended_by_this_one(gateway: Gateway) -> None:
    """The journal knows what stands, not the process: a new watch ends it."""
    gateway.limits = FULL
    gateway.pass_(WAIT_S + 2 * LOOK_S)
    gateway.limits = limits()
    gateway.watch = HealthWatch(
        lambda: gateway.limits, gateway.writer, gateway.queue, gateway.clock, gateway.journal.path, dict
    )
    assert gateway.pass_(CALM_S + 2 * LOOK_S) == [f"{Kind.RETURNED} gateway/disk"]


def test_a_full_intake(gateway: Gateway) -> None:
    """More waits than the site wants, look after look: said as soon as something is folded again."""
    for number in range(6):
        assert gateway.queue.offer((Reading("log", "x", "1", "degC", number),))
    for _ in range(5):
        gateway.watch.look()
        gateway.clock.ahead_s += LOOK_S
    assert gateway.pass_(LOOK_S) == ["raised gateway/queue"]


def test_slow_transactions(gateway: Gateway) -> None:
    """The mean since the last look counts, not one that was long."""
    gateway.limits = limits(commit="500 ms")
    for mean_s, said in [(0.4, []), (0.6, ["raised gateway/commit"])]:
        heard = []
        for _ in range(5):
            gateway.writer.commits.count += 1000
            gateway.writer.commits.sum_s += 1000 * mean_s
            heard += gateway.pass_(LOOK_S)
        assert heard == said


def test_a_log_that_is_not_copied_back(gateway: Gateway) -> None:
    """While a stranger reads on, the log only grows: said, and over once he has gone and it is cut back."""
    assert settings.LOG_LEAST > WAL_KEEP_BYTES, "else the alarm of a log that is well might never end"
    gateway.limits = limits(log="16 MiB")
    stranger = apsw.Connection(str(gateway.journal.path), flags=apsw.SQLITE_OPEN_READONLY)
    stranger.execute("BEGIN")
    assert list(stranger.execute("SELECT count(*) FROM commits")) == [(1,)]
    position = gateway.writer.fold.position
    gateway.journal.save_checkpoint(position, "another", bytes(15 << 20))
    assert gateway.pass_(WAIT_S + 2 * LOOK_S) == []
    gateway.journal.save_checkpoint(position, "another", bytes(15 << 20))
    assert gateway.pass_(WAIT_S + 2 * LOOK_S) == ["raised gateway/log"]
    assert not gateway.journal.checkpoint_wal().done
    assert gateway.pass_(CALM_S + 2 * LOOK_S) == []
    stranger.close()
    assert gateway.journal.checkpoint_wal().done
    assert gateway.pass_(CALM_S + 2 * LOOK_S) == ["returned gateway/log"]


def test_a_clock_that_nothing_corrects(gateway: Gateway, kernel: Kernel) -> None:
    """Said while the kernel still stands for it; once it does not, the clock's own alarm says more."""
    gateway.limits = limits(clock="10 s")
    assert gateway.pass_(WAIT_S + 2 * LOOK_S) == []
    kernel.error_s = 10.0
    assert gateway.pass_(WAIT_S + 2 * LOOK_S) == []
    kernel.error_s = 10.001
    assert gateway.pass_(WAIT_S + 2 * LOOK_S) == ["raised gateway/clock-error"]
    kernel.error_s = 0.02
    assert gateway.pass_(CALM_S + 2 * LOOK_S) == ["returned gateway/clock-error"]
    kernel.error_s = 15.9
    assert gateway.pass_(WAIT_S + 2 * LOOK_S) == ["raised gateway/clock-error"]
    kernel.error_s, kernel.state = 16.0, UNSYNCHRONISED
    assert gateway.pass_(CALM_S + 2 * LOOK_S) == ["returned gateway/clock-error"]


@pytest.mark.parametrize(("error_s", "state"), [(16.0, UNSYNCHRONISED), (None, -1)])
def test_a_clock_nobody_stands_for_is_another_alarm(
    gateway: Gateway, kernel: Kernel, error_s: float | None, state: int
) -> None:
    """A site that vouches for its clock itself, or a kernel that may not be asked: nothing is said of it."""
    kernel.error_s, kernel.state = error_s, state
    assert gateway.pass_(WAIT_S + 2 * LOOK_S) == []


@pytest.mark.parametrize("what", ["memory", "files"])
def test_what_is_never_given_back(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """A driver that leaks is said long before the system ends us; a process that was restarted ends it."""
    used = 0
    monkeypatch.setattr(consumption, what, lambda: consumption.Taken(used, 100))
    gateway.limits = limits(memory="70 %", files="70 %")
    said: list[str] = []
    while used < 100 and not said:
        used += 5
        said = gateway.pass_(WAIT_S)
    assert said == [f"raised gateway/{what}"]
    assert 70 < used < 100
    used = 10
    assert gateway.pass_(CALM_S + 2 * LOOK_S) == [f"returned gateway/{what}"]
