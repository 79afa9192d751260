"""When the head is signed: at once, then as often as the site asks, by no clock that steps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from coldchain import facts
from coldchain.config import load
from coldchain.daemon.signing import Signer
from coldchain.evidence.keys import Key
from coldchain.facts import EngineStarted, Fact, HeadPublished, HeadSigned, Reading
from coldchain.journal import Journal, JournalIo, Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.intake import Queue
from coldchain.pipeline.recovery import recover
from coldchain.pipeline.timekeeper import Timekeeper
from coldchain.pipeline.writer import Hooks, Writer
from tests.unit.pipeline.fake_clock import HandClock

MIN = 60_000
EVERY = 15 * MIN
CONFIG = """\
[site]
name = "Test"
[journal]
path = "x.journal"
[evidence]
key_file = "evidence.key"
every = "{every}"
"""


class Signing:
    """A gateway's writer and signer, with a clock in the hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = Key.make(folder / "evidence.key")
        self.clock = HandClock()
        self.journal = Journal.open(folder / "x.journal", reserve_bytes=0)
        fold = recover(self.journal, engine()).fold
        timekeeper = Timekeeper(self.clock)
        self.started: tuple[Fact, ...] = (*timekeeper.start(fold).facts, EngineStarted(engine(), "test"))
        self.queue = Queue(self.clock, 10_000)
        self.signer = Signer(self.journal, self.queue, self.clock)
        hooks = Hooks(between=self.signer.look)
        self.writer = Writer(self.clock, self.queue, fold, self.journal, engine(), timekeeper, hooks)
        self.writer.beat_s = 10**9
        self.configure("15 min")

    def configure(self, every: str) -> None:
        """Bring a configuration into force."""
        path = self.folder / "gateway.toml"
        path.write_text(CONFIG.format(every=every), encoding="utf-8")
        self.signer.reload(load(path))

    def start(self) -> None:
        """Write the first facts, as a start does."""
        self.queue.submit(self.started)
        self.round()

    def round(self) -> None:
        """Let the writer write what waits, and what it signs meanwhile."""
        self.writer.step(0)
        self.writer.step(0)

    def live(self, minutes: int) -> None:
        """So many minutes, a reading in each."""
        for _ in range(minutes):
            self.clock.pass_ms(MIN)
            self.queue.offer((Reading("log", "x", "5", "degC", at_ms=self.clock.utc_ms()),))
            self.round()

    def signed(self) -> list[HeadSigned]:
        """The heads in the journal, in order."""
        with Reader.open(self.journal.path) as reader:
            found = [facts.decode(row.body) for row in reader.facts()]
        return [fact for fact in found if isinstance(fact, HeadSigned)]

    def times(self) -> list[int]:
        """When each was signed by the wall clock, in minutes since the first."""
        heads = [head.utc_ms for head in self.signed()]
        return [((at or 0) - (heads[0] or 0)) // MIN for at in heads]


@pytest.fixture
def signing(tmp_path: Path) -> Iterator[Signing]:
    """One that has not started yet."""
    made = Signing(tmp_path)
    yield made
    made.journal.close()


def test_a_head_each_quarter_of_an_hour(signing: Signing) -> None:
    """The first at once, then one each `every`, no more; each covers what came since the one before."""
    signing.start()
    signing.live(61)
    assert signing.times() == [0, 15, 30, 45, 60]
    heads = signing.signed()
    with Reader.open(signing.journal.path) as reader:
        links = {commit.number: commit.link.hex() for commit in reader.commits()}
    assert [links[head.commit] for head in heads] == [head.link for head in heads]
    covered = [after.position - before.position for before, after in itertools.pairwise(heads)]
    assert covered == [16, 16, 16, 16], "fifteen readings, and the head before it"
    assert signing.signer.head == heads[-1], "what the sinks show is the newest"


def test_nothing_is_signed_before_there_is_something(signing: Signing) -> None:
    """An empty journal has no head; its first commit is signed at once, not an interval later."""
    for _ in range(20):
        signing.clock.pass_ms(MIN)
        signing.round()
    assert signing.signer.head is None
    assert signing.journal.tail().commit == 0
    signing.start()
    assert [head.commit for head in signing.signed()] == [1]


def test_a_silent_gateway_signs_on(signing: Signing) -> None:
    """Nothing but the last head came since: the next says all the same that the journal ended there, then."""
    signing.start()
    for _ in range(31):
        signing.clock.pass_ms(MIN)
        signing.round()
    assert signing.times() == [0, 15, 30]
    assert [head.commit for head in signing.signed()] == [1, 2, 3]


@pytest.mark.parametrize(
    "step_min",
    [
        pytest.param(10, id="ten minutes forward"),
        pytest.param(-10, id="ten minutes back"),
        pytest.param(-525_600, id="a year back"),
        pytest.param(29_000_000, id="half a century forward"),
    ],
)
def test_a_step_of_the_wall_clock_changes_no_interval(signing: Signing, step_min: int) -> None:
    """Neither a head too many nor a year without one: the time since boot counts."""
    signing.start()
    signing.live(5)
    signing.clock.wall_ms += step_min * MIN
    signing.live(9)
    assert len(signing.signed()) == 1
    signing.live(1)
    assert len(signing.signed()) == 2
    signing.live(14)
    assert len(signing.signed()) == 2
    signing.live(1)
    assert len(signing.signed()) == 3


def test_a_suspended_gateway_signs_as_it_wakes(signing: Signing) -> None:
    """Hours of sleep are more than an interval: one head, at once, not one for each slept through."""
    signing.start()
    signing.clock.pass_ms(5 * 60 * MIN)
    signing.live(1)
    assert len(signing.signed()) == 2
    signing.live(14)
    assert len(signing.signed()) == 2


def test_an_unknown_time_is_not_signed_as_known(signing: Signing) -> None:
    """A gateway that booted in 1970 signs on schedule, without a time."""
    signing.clock.trusted = False
    signing.start()
    signing.live(15)
    assert [head.utc_ms for head in signing.signed()] == [None, None]


def test_another_interval_counts_at_once(signing: Signing) -> None:
    """A reload that shortens it does not wait for the old one to end."""
    signing.start()
    signing.live(5)
    signing.configure("5 min")
    signing.live(10)
    assert signing.times() == [0, 6, 11]


def test_what_is_on_no_disk_is_not_signed(signing: Signing, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the journal cannot be written no head is signed; once it can, the one that is due is."""
    signing.start()
    with monkeypatch.context() as broken:

        def fails(batch: object) -> None:
            raise JournalIo("commit", signing.journal.path, "the medium failed")

        broken.setattr(signing.journal, "commit", fails)
        signing.live(20)
        assert len(signing.signed()) == 1
    signing.live(1)
    heads = signing.signed()
    assert len(heads) == 2
    assert heads[-1].position >= heads[0].position + 21, "the kept readings are under it"


def test_that_a_head_was_taken_is_said_of_that_head(signing: Signing) -> None:
    """The fact names commit, link and sink; the newest one outside is what retention may rely on."""
    signing.start()
    signing.live(15)
    first, second = signing.signed()
    signing.signer.published("board", second)
    signing.signer.published("late", first)
    signing.round()
    with Reader.open(signing.journal.path) as reader:
        found = [facts.decode(row.body) for row in reader.facts()]
    now = signing.clock.utc_ms()
    assert [fact for fact in found if isinstance(fact, HeadPublished)] == [
        HeadPublished(second.commit, second.link, "board", now),
        HeadPublished(first.commit, first.link, "late", now),
    ]
    assert signing.signer.outside == second.commit
