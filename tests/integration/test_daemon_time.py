"""Time and the daemon: clocks that step, reloads in the middle of a hold, probes that fall silent."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from coldchain.announcements import Announcement, Kind, Late
from coldchain.clock import SystemClock
from coldchain.config.load import load
from coldchain.daemon.daemon import Daemon
from coldchain.facts import Activated, ClockSet, Fact, Reading, SourceUp
from coldchain.fold import Fold
from coldchain.pipeline.timekeeper import BUILT_UTC_MS
from coldchain_simulators.asked import AskedSimulator
from coldchain_simulators.rig import Rig
from coldchain_simulators.tec3000 import Tec3000
from coldchain_simulators.wires import PtyWire
from tests.integration.gateways import (
    Course,
    History,
    Printer,
    Site,
    assert_equal,
    read,
    running,
    standing,
    until,
)

pytestmark = pytest.mark.slow

MINUTE = 60_000
YEAR = 365 * 24 * 60 * MINUTE
BEAT = '[heartbeat]\ninterval = "100 ms"\n'


@contextmanager
def controller(clock: SystemClock, wire: PtyWire, course: Course) -> Iterator[Rig]:
    """A TEC 3000 whose probe hangs in a course."""
    rig = Rig(clock, (course,))
    rig.lines.append(AskedSimulator(Tec3000({"TEMPA": course.sample}, address=1), wire, rig.stepper))
    with rig:
        yield rig


# --- Clocks ------------------------------------------------------------------------------------------------


class Stepped(SystemClock):
    """A wall clock that a test sets; the boot clock beneath it runs on."""

    def __init__(self, speed: int) -> None:
        super().__init__(speed=speed)
        self._step_ms = 0
        self.vouched = False

    def set(self, utc_ms: int) -> None:
        """Somebody sets it."""
        self._step_ms += utc_ms - self.utc_ms()

    def utc_ms(self) -> int:
        return super().utc_ms() + self._step_ms

    def known(self) -> bool:
        return self.vouched


SPEED = 50
POLL_MS = 10_000


@pytest.fixture(scope="module")
def stepped(tmp_path_factory: pytest.TempPathFactory) -> tuple[History, Site, list[int], list[int]]:
    """1970 at first, then the true time, then a year back, then 1970 again, with a warm probe all along.

    Returns the journal, the site, the schedulers seen, and the number of objects at each step.
    """
    folder = tmp_path_factory.mktemp("stepped")
    wire = PtyWire(folder / "tec")
    site = Site(folder).profile(hold="2 min").tec("one", wire.port, poll="10 s").part("heartbeat", BEAT)
    clock = Stepped(SPEED)
    clock.set(3 * MINUTE)  # just booted, and no battery behind the clock
    course = Course()
    course.by_hand = -180.0
    schedulers, objects = [], []

    def look(daemon: Daemon) -> None:
        gc.collect()
        objects.append(len(gc.get_objects()))
        schedulers.append(id(daemon._housekeeping.scheduler))
        assert daemon.queue.depth() < 10

    with running(site, clock=clock) as daemon, controller(clock, wire, course):
        readings(site, 6)
        course.by_hand = -140.0  # warm before anybody knows what time it is
        until(lambda: alarm("one") in standing(daemon), "the alarm, with the clock unknown")
        look(daemon)

        clock.set(BUILT_UTC_MS + 2 * YEAR)
        clock.vouched = True
        until(lambda: daemon.station.state().clock.known, "the clock is known")
        readings(site, 6)
        until(lambda: id(daemon._housekeeping.scheduler) != schedulers[-1], "a new schedule")
        look(daemon)

        clock.set(BUILT_UTC_MS + YEAR)
        until(lambda: "gateway/clock-step" in standing(daemon), "the step is said")
        readings(site, 12)
        until(lambda: id(daemon._housekeeping.scheduler) != schedulers[-1], "another schedule")
        look(daemon)

        clock.set(3 * MINUTE)
        until(lambda: not daemon.station.state().clock.known, "the clock is not believed")
        readings(site, 4)
    wire.close()
    return read(site.journal), site, schedulers, objects


def readings(site: Site, more: int) -> None:
    """Wait until so many more have come."""
    before = len(read(site.journal).readings("box-one.vapour"))
    until(lambda: len(read(site.journal).readings("box-one.vapour")) >= before + more, f"{more} readings")


def polled(history: History, channel: str) -> list[int]:
    """When the readings of a device without a clock came, in journal time."""
    return [
        arrival_ms if fact.stamp_ms is None else fact.stamp_ms
        for _, arrival_ms, fact in history.facts
        if isinstance(fact, Reading) and fact.channel == channel
    ]


def alarm(name: str) -> str:
    """The alarm of a box."""
    return f"box-{name}/vapour/above"


Steps = tuple[History, Site, list[int], list[int]]


def test_polling_stays_in_pace(stepped: Steps) -> None:
    """By journal time, neither a burst nor a pause: a step of the wall clock is nothing to a port."""
    history, *_ = stepped
    stamps = polled(history, "box-one.vapour")
    gaps = [later - earlier for earlier, later in pairwise(stamps)]
    assert min(gaps) > POLL_MS / 4
    assert (stamps[-1] - stamps[0]) / len(gaps) < 1.5 * POLL_MS


def test_journal_time_never_goes_back(stepped: Steps) -> None:
    """1970, now, last year, 1970: arrivals only ever grow, by as much as the boot clock."""
    history, *_ = stepped
    arrivals = [arrival_ms for _, arrival_ms, _ in history.facts]
    assert arrivals == sorted(arrivals)
    assert arrivals[-1] - arrivals[0] < 60 * MINUTE


def test_alarms_come_in_order(stepped: Steps) -> None:
    """The alarm kept its hold to the millisecond, was raised once, and is announced once only."""
    history, *_ = stepped
    (raised,) = history.raised("box-one")
    assert raised.since_ms is not None
    assert raised.due_ms == raised.since_ms + 2 * MINUTE
    announced = [one.announced_ms for one in history.said]
    assert announced == sorted(announced)


def test_what_the_clock_did_is_a_fact_and_said(stepped: Steps) -> None:
    """Not known; known; a step back, which leaves it known; and 1970, which nobody can vouch for."""
    history, *_ = stepped
    clocks = history.of(ClockSet)
    assert [fact.offset_ms is not None for fact in clocks] == [False, True, True, False]
    assert abs(clocks[2].step_ms + YEAR) < 60 * MINUTE
    told = [(one.what.kind, one.what.alarm) for one in history.said if one.what.alarm.startswith("gateway/")]
    assert told == [
        (Kind.RAISED, "gateway/clock"),
        (Kind.RETURNED, "gateway/clock"),
        (Kind.RAISED, "gateway/clock-step"),
        (Kind.RAISED, "gateway/clock"),
    ]


def test_housekeeping_is_planned_anew(stepped: Steps) -> None:
    """After each step the schedule is another one: the old one would sleep for a year."""
    *_, schedulers, _ = stepped
    assert len(set(schedulers)) == 3


def test_memory_stays_flat(stepped: Steps) -> None:
    """A step of 56 years leaves no trail of missed work: objects grow by what came in, and no more."""
    history, _, _, objects = stepped
    assert len(history.facts) < 1_000
    assert objects[-1] - objects[0] < 100 * len(history.facts)


def test_stepped_live_equals_folded_again(stepped: Steps) -> None:
    """`verify` says equal."""
    _, site, *_ = stepped
    assert_equal(site.journal)


# --- Reloads -----------------------------------------------------------------------------------------------


class Hurried(SystemClock):
    """A clock that runs like any other until a test is in a hurry."""

    def hurry(self, speed: int) -> None:
        """From now on so many seconds in one."""
        journal_ms, utc_ns, now_ns = self.journal_ms(), self.utc_ms() * 1_000_000, time.time_ns()
        self.speed = speed
        self.start_journal_at(journal_ms)
        self._utc_ns = (now_ns * speed - utc_ns) // (speed - 1)

    def boot_ms(self) -> int:
        return self.journal_ms()


def raised_in(facts: list[tuple[int, Fact]]) -> list[Announcement]:
    """What a fold raises of these facts (arrival, fact), deadlines included."""
    fold = Fold()
    said: list[Announcement] = []
    for position, (arrival_ms, fact) in enumerate(facts, 1):
        said += fold.apply(position, arrival_ms, fact)
    return [one for one in said if one.kind is Kind.RAISED]


def test_reloads_move_no_hold(tmp_path: Path) -> None:
    """200 reloads while two holds run: both alarms are due when they would have been, to the millisecond."""
    reloads = 200
    wire = PtyWire(tmp_path / "tec")
    clock = Hurried(trusted=True)
    course = Course((0, -140.0))
    with Printer(tmp_path / "log") as printer:
        site = (
            Site(tmp_path)
            .profile(hold="12 min")
            .tec("tec", wire.port, fresh="2 h")
            .ascii("log", printer.port, fresh="2 h")
        )
        with running(site, clock=clock) as daemon, controller(clock, wire, course):
            until(lambda: all(s.up for s in daemon.station.state().gateway.sources), "the ports")
            printer.say(-140.0, clock.utc_ms())
            until(lambda: len(read(site.journal).readings("box-log.vapour")) == 1, "the stamped reading")
            until(lambda: len(read(site.journal).readings("box-tec.vapour")) > 0, "the polled reading")
            for number in range(reloads):
                assert daemon.reload(), number
            assert not standing(daemon)
            clock.hurry(300)
            until(lambda: {alarm("tec"), alarm("log")} <= set(standing(daemon)), "both alarms", 60)
            assert len(read(site.journal).of(SourceUp)) == 2, "a reload that changes nothing restarts no port"
    wire.close()
    history = read(site.journal)
    activated = [arrival_ms for _, arrival_ms, fact in history.facts if isinstance(fact, Activated)]
    alarms = [one for one in history.said if one.what.kind is Kind.RAISED]
    assert len(activated) == 1 + reloads
    for one in alarms:
        assert one.what.since_ms is not None
        assert one.what.due_ms == one.what.since_ms + 12 * MINUTE
    began = {polled(history, "box-tec.vapour")[0], history.readings("box-log.vapour")[0].at_ms}
    assert {one.what.since_ms for one in alarms} == began
    once = [
        (arrival_ms, fact)
        for _, arrival_ms, fact in history.facts
        if not isinstance(fact, Activated) or arrival_ms == activated[0]
    ]
    assert raised_in(once) == [one.what for one in alarms]
    assert_equal(site.journal)


def test_a_reload_changes_the_limits_and_keeps_the_old_ones_where_it_is_refused(tmp_path: Path) -> None:
    """A lower limit counts from its activation on; a file with a mistake changes nothing at all."""
    with Printer(tmp_path / "log") as printer:
        site = Site(tmp_path).profile(hold="0 s").ascii("log", printer.port)
        with running(site) as daemon:
            until(lambda: all(s.up for s in daemon.station.state().gateway.sources), "the port")
            printer.say(-155.0, daemon.clock.utc_ms())
            until(lambda: len(read(site.journal).readings("box-log.vapour")) == 1, "the reading")
            assert not standing(daemon)
            limits = tmp_path / "profiles" / "test.toml"
            good = limits.read_text(encoding="utf-8")
            limits.write_text(good.replace("-150 °C", "-160 °K"), encoding="utf-8")
            assert not daemon.reload()
            other = site.config.read_text(encoding="utf-8").replace("journal.db", "elsewhere.db")
            config = site.config.read_text(encoding="utf-8")
            limits.write_text(good, encoding="utf-8")
            site.config.write_text(other, encoding="utf-8")
            assert not daemon.reload()
            site.config.write_text("a = " + 5_000 * "[", encoding="utf-8")  # more than a parser can bear
            assert not daemon.reload()
            site.config.write_text(config, encoding="utf-8")
            assert not standing(daemon)
            assert len(read(site.journal).of(Activated)) == 1

            limits.write_text(good.replace('"-150 °C"', '"-160 °C"'), encoding="utf-8")
            assert daemon.reload()
            until(lambda: alarm("log") in standing(daemon), "the alarm by the new limit")
    (activated,) = read(site.journal).of(Activated)[1:]
    assert load(site.config).hashes == activated.documents
    assert_equal(site.journal)


def test_an_approved_profile_is_not_changed_under_its_version(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither silently nor wider without a reason; a restart that finds it so says it and watches on."""
    with Printer(tmp_path / "log") as printer:
        site = Site(tmp_path).profile(hold="10 min").ascii("log", printer.port)
        limits = tmp_path / "profiles" / "test.toml"
        approved = limits.read_text(encoding="utf-8").replace(
            'status = "unapproved"', 'status = "approved"\napproved_by = "A. Meier"'
        )
        approved = approved.replace("confidence =", 'approved_by = "A. Meier"\nconfidence =')
        limits.write_text(approved, encoding="utf-8")
        narrower = approved.replace("-150 °C", "-160 °C")
        wider = approved.replace('"10 min"', '"20 min"').replace('version = "1"', 'version = "2"')
        with running(site) as daemon:
            for refused in (narrower, wider):
                limits.write_text(refused, encoding="utf-8")
                assert not daemon.reload()
            assert "write a new version" in caplog.text
            assert "write reason, why that is right now" in caplog.text
            limits.write_text(narrower.replace('version = "1"', 'version = "2"'), encoding="utf-8")
            assert daemon.reload()
            assert len(read(site.journal).of(Activated)) == 2
        limits.write_text(approved.replace('version = "1"', 'version = "2"'), encoding="utf-8")
        caplog.clear()
        with running(site) as daemon:
            assert "an approved profile was changed while we were not running" in caplog.text
            assert "profiles/test.toml:2: version: is 2, as approved" in caplog.text
            assert daemon.station.state().assets


# --- Outside -----------------------------------------------------------------------------------------------


def test_what_is_outside_is_asked_oftener(tmp_path: Path) -> None:
    """Asked once an hour; while it is warm every 100 ms, as its source says; as ever when it is cold."""
    wire, value = PtyWire(tmp_path / "tec"), [-140.0]
    site = Site(tmp_path).profile().tec("one", wire.port, poll="1 h", outside="100 ms", fresh="2 h")
    clock = SystemClock(trusted=True)
    rig = Rig(clock, (Course(),))
    rig.lines.append(AskedSimulator(Tec3000({"TEMPA": lambda: value[0]}, address=1), wire, rig.stepper))

    def came() -> int:
        return len(read(site.journal).readings("box-one.vapour"))

    with rig, running(site, clock=clock) as daemon:
        until(lambda: came() >= 5, "readings that an hourly poll would not bring")
        assert daemon.ports is not None
        assert daemon.ports.hurried == {"one"}
        value[0] = -180.0
        until(lambda: daemon.ports is not None and not daemon.ports.hurried, "it is inside again")
    assert_equal(site.journal)


# --- Silence -----------------------------------------------------------------------------------------------


def test_a_product_that_nobody_watches_alarms_in_time(tmp_path: Path) -> None:
    """The cable is pulled: said within `fresh_within` and a second of journal time from the last reading."""
    wire = PtyWire(tmp_path / "tec")
    site = Site(tmp_path).profile().tec("one", wire.port, poll="1 s", fresh="3 s")
    clock = SystemClock(trusted=True)
    course = Course()
    with running(site, clock=clock) as daemon, controller(clock, wire, course):
        until(lambda: len(read(site.journal).readings("box-one.vapour")) >= 2, "readings")
        wire.unplug()
        until(lambda: "port:one" in standing(daemon), "the silence is said")
        state = daemon.station.state()
        assert state.assets[0].judgement.value == "not_known"
        assert not state.gateway.sources[0].up
        wire.replug()
        until(
            lambda: not next(a for a in daemon.station.state().alarms if a.id == "port:one").active,
            "it is back",
        )
    history = read(site.journal)
    (said,) = [one for one in history.said if one.what.kind is Kind.RAISED]
    last = max(at_ms for at_ms in polled(history, "box-one.vapour") if at_ms < said.announced_ms)
    assert said.what.alarm == "port:one"
    assert said.what.due_ms == last + 3_000 + 1
    assert last + 3_000 < said.announced_ms <= last + 3_000 + 1_000
    assert said.what.late not in set(Late)
    assert_equal(site.journal)
