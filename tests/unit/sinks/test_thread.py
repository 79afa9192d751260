"""A sink's thread: never ends by itself, never makes anybody wait, backs off, and hurries for an alarm."""

import threading
from collections.abc import Callable, Iterator
from random import Random

import pytest

from coldchain.clock import SystemClock
from coldchain.journal import JournalIo
from coldchain.sinks.backoff import Backoff
from coldchain.sinks.base import Message, Unreachable
from coldchain.sinks.thread import URGENT_MAX, News, Report, SinkThread, Stepped
from tests.servers import wait_until
from tests.unit.sinks.world import raised, reports


class Scripted:
    """A drain that does what it is told, and counts."""

    def __init__(self) -> None:
        self.steps = 0
        self.urged: list[Message] = []
        self.closed = 0
        self.wait_s = 3_600.0
        self.reached = True
        self.fails: Exception | None = None

    def step(self) -> Stepped:
        self.steps += 1
        if self.fails is not None:
            raise self.fails
        return Stepped(self.wait_s, self.reached)

    def urge(self, message: Message) -> None:
        if self.fails is not None:
            raise self.fails
        self.urged.append(message)

    def close(self) -> None:
        self.closed += 1


class Stage:
    """One thread, its drain, and what it reported."""

    def __init__(self, first_s: float = 3_600.0) -> None:
        self.drain = Scripted()
        self.made = 0
        self.kept, report = reports()
        backoff = Backoff(Random(1), first_s=first_s, longest_s=3_600.0)
        self.thread = SinkThread("room", self.make, clock=SystemClock(), backoff=backoff, report=report)

    def make(self, report: Callable[[Report], None]) -> Scripted:
        self.made += 1
        return self.drain

    def news(self) -> list[News]:
        return [each.news for each in self.kept]


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    assert stage.thread.stop()


@pytest.fixture
def quick() -> Iterator[Stage]:
    stage = Stage(first_s=0.001)
    yield stage
    assert stage.thread.stop()


def message(key: str = "k") -> Message:
    return Message(key, 1, 0, raised(), 0, None, 0, unrecorded=True)


def test_waking_is_enough(stage: Stage) -> None:
    """Each wake brings a step, however long the drain wanted to rest."""
    stage.thread.start()
    wait_until(lambda: stage.drain.steps == 1, what="the first step")
    stage.thread.wake()
    wait_until(lambda: stage.drain.steps == 2, what="a step for the wake")
    assert stage.news() == [News.UP]
    assert stage.thread.status.up is True


def test_down_is_said_once_and_up_again(quick: Stage) -> None:
    """A sink that fails a hundred times is reported down once, with its mend, and up once."""
    quick.drain.fails = Unreachable("room", "tell", "no route")
    quick.thread.start()
    wait_until(lambda: quick.drain.steps > 5, what="several tries")
    assert quick.news() == [News.DOWN]
    assert quick.thread.status.why == "tell: no route"
    assert quick.kept[0].mend
    quick.drain.fails = None
    wait_until(lambda: quick.thread.status.up is True, what="up again")
    assert quick.news() == [News.DOWN, News.UP]


def test_wakes_do_not_cut_a_back_off_short(stage: Stage) -> None:
    """A dead receiver is not asked once per reading."""
    stage.drain.fails = Unreachable("room", "tell", "no route")
    stage.thread.start()
    wait_until(lambda: stage.thread.status.up is False, what="down")
    for _ in range(50):
        stage.thread.wake()
    # It takes the thread one turn to handle a wake; an urgent message proves that it had that turn.
    stage.drain.fails = None
    stage.thread.urge(message())
    wait_until(lambda: bool(stage.drain.urged), what="the urgent message")
    wait_until(lambda: stage.drain.steps == 2, what="the step after it")
    assert stage.drain.steps == 2


def test_an_urgent_alarm_breaks_the_back_off(stage: Stage) -> None:
    """An alarm that no journal holds is tried at once, though the receiver was down a moment ago."""
    stage.drain.fails = Unreachable("room", "tell", "no route")
    stage.thread.start()
    wait_until(lambda: stage.thread.status.up is False, what="down")
    stage.drain.fails = None
    stage.thread.urge(message("alarm"))
    wait_until(lambda: bool(stage.drain.urged), what="the alarm got out")
    assert stage.drain.urged[0].key == "alarm"


def test_an_urgent_alarm_that_fails_is_kept(quick: Stage) -> None:
    """It is tried until it gets out, and comes first."""
    quick.drain.fails = Unreachable("room", "tell", "no route")
    quick.thread.start()
    quick.thread.urge(message("alarm"))
    wait_until(lambda: quick.thread.status.up is False, what="down")
    quick.drain.fails = None
    wait_until(lambda: bool(quick.drain.urged), what="the alarm got out")
    assert [each.key for each in quick.drain.urged] == ["alarm"]


def test_a_journal_that_fails_is_no_receiver_to_be_spared(quick: Stage) -> None:
    """However often our own disk refuses, the next try comes as soon as after the first time.

    With waits that double, thirty of them would take twelve days.
    """
    quick.drain.fails = JournalIo("keep receipts", "x", "no room")
    quick.thread.start()
    wait_until(lambda: quick.drain.steps > 30, what="thirty tries")
    quick.drain.fails = None
    wait_until(lambda: quick.thread.status.up is True, what="up again")


def test_too_many_urgent_ones_are_counted(stage: Stage) -> None:
    """Memory is bounded: the oldest is given up, aloud."""
    for number in range(URGENT_MAX + 3):
        stage.thread.urge(message(str(number)))
    assert [(each.news, each.count) for each in stage.kept] == [(News.DROPPED, 1)] * 3
    stage.thread.start()
    wait_until(lambda: len(stage.drain.urged) == URGENT_MAX, what="the rest got out")
    assert stage.drain.urged[0].key == "3"


@pytest.mark.parametrize(
    ("error", "news"),
    [
        pytest.param(ZeroDivisionError("a defect"), News.FAULT, id="a defect of ours"),
        pytest.param(
            JournalIo("keep receipts", "journal.db", "disk failed"), News.DOWN, id="the journal fails"
        ),
    ],
)
def test_nothing_ends_the_thread(quick: Stage, error: Exception, news: News) -> None:
    """Whatever is raised, the thread goes on; after a defect with a new drain."""
    quick.drain.fails = error
    quick.thread.start()
    wait_until(lambda: quick.drain.steps > 3, what="several tries")
    quick.drain.fails = None
    wait_until(lambda: quick.thread.status.up is True, what="up again")
    assert quick.news()[0] is news
    assert quick.thread.alive
    if news is News.FAULT:
        assert quick.made > 1
        assert quick.drain.closed == quick.made - 1


def test_a_sink_that_cannot_be_made_is_down_and_tried_again() -> None:
    """A missing secret at the start is a state with a mend, not a dead thread."""
    tries = threading.Semaphore(0)
    drain = Scripted()

    def make(report: Callable[[Report], None]) -> Scripted:
        tries.release()
        if made():
            return drain
        raise Unreachable("room", "read the token", "there is none")

    enough = iter([False, False])

    def made() -> bool:
        return next(enough, True)

    thread = SinkThread("room", make, clock=SystemClock(), backoff=Backoff(Random(1), first_s=0.001))
    thread.start()
    wait_until(lambda: thread.status.up is True, what="made at the third try")
    assert thread.stop()
    assert drain.closed == 1


def test_a_thread_that_never_started_stops() -> None:
    """Stopping in the middle of a failed start is no error."""
    assert Stage().thread.stop()


def test_back_off_doubles_with_jitter_and_an_end() -> None:
    """Each wait lies in the upper half of its double, never above the longest; success begins anew."""
    backoff = Backoff(Random(7), first_s=1.0, longest_s=60.0)
    for whole in (1, 2, 4, 8, 16, 32, 60, 60, 60):
        assert whole / 2 <= backoff.wait_s() <= whole
    backoff.reset()
    assert backoff.wait_s() <= 1.0


def test_back_off_is_the_same_for_the_same_seed() -> None:
    """A run can be repeated: jitter comes from the source it was given."""
    assert [Backoff(Random(3)).wait_s() for _ in range(3)] == [Backoff(Random(3)).wait_s() for _ in range(3)]


@pytest.mark.parametrize(
    ("asked", "low", "high"), [(20.0, 20.0, 20.0), (0.0, 0.5, 1.0), (9_999.0, 300.0, 300.0)]
)
def test_back_off_believes_the_receiver(asked: float, low: float, high: float) -> None:
    """Retry-After lengthens the wait, up to the longest; it never shortens it."""
    assert low <= Backoff(Random(3)).wait_s(asked) <= high


def test_up_means_reached(stage: Stage) -> None:
    """Steps that had nothing to do leave it open whether the sink is up; the first answer settles it."""
    stage.drain.reached = False
    stage.thread.start()
    wait_until(lambda: stage.drain.steps == 1, what="the first step")
    stage.thread.wake()
    wait_until(lambda: stage.drain.steps == 2, what="the second step")
    assert stage.thread.status.up is None
    assert stage.news() == []
    stage.drain.reached = True
    stage.thread.wake()
    wait_until(lambda: stage.thread.status.up is True, what="reached")
