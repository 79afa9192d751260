"""What the pipeline does is counted, never timed: commits, facts, bytes on the disk, rules asked.

Times belong to `make bench`; a machine that others use too can slow a test down, but it cannot make the
writer commit twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.series import T0_MS
from benchmarks.world import HandClock, World, reading, readings, shippers, start
from coldchain import announcements, facts
from coldchain.facts import Beat, Fact, Reading, Wake
from coldchain.fold.steps import Stand
from coldchain.fold.track import SNAPSHOT_EVERY
from coldchain.journal import Batch, Entry, Journal
from coldchain.model import Reason, Side
from coldchain.pipeline import writer
from coldchain.pipeline.intake import Folded
from coldchain.pipeline.writer import BATCH_FACTS, BEAT_S, LOOK_S, STATE_BYTES_PER_FACT
from coldchain.plan import AssetPlan, Plan, ProfilePlan, StagePlan
from coldchain.rules.book import JUDGES
from tests.unit.fold.bench import MIN, T0, Bench, budget, channel, limit, plan

CHANNELS = 20
INTERVAL_MS = 60_000
CALM = -18_500


@pytest.fixture
def clock() -> HandClock:
    """Time stands until a test moves it, so no heartbeat comes in between."""
    return HandClock()


@pytest.fixture
def world(tmp_path: Path, clock: HandClock) -> Iterator[World]:
    """A writer on a journal, with 20 shippers in force."""
    world = start(tmp_path / "x.journal", clock, shippers(CHANNELS, INTERVAL_MS))
    yield world
    world.close()


def since(world: World, position: int) -> list[Fact]:
    """The facts in the journal after a position."""
    return [facts.decode(row.body) for row in world.journal.facts(position + 1)]


def drain(world: World) -> None:
    """Let the writer work until nothing waits."""
    while not world.queue.empty():
        world.writer.step(0)


# Commits


@pytest.mark.parametrize(
    ("waiting", "commits"),
    [
        pytest.param(1, 1, id="one"),
        pytest.param(CHANNELS, 1, id="one round of all channels"),
        pytest.param(BATCH_FACTS, 1, id="as many as a commit holds"),
        pytest.param(BATCH_FACTS + 1, 2, id="one more"),
        pytest.param(2 * BATCH_FACTS, 2, id="twice as many"),
        pytest.param(7 * BATCH_FACTS // 2, 4, id="three and a half times as many"),
    ],
)
def test_what_waits_is_committed_together(world: World, waiting: int, commits: int) -> None:
    """Readings that wait share commits, as full as they may be; each is one fact and is settled once."""
    before = world.journal.tail()
    settled: list[Folded] = []
    for number in range(waiting):
        fact = reading(number % CHANNELS, number, T0_MS + number, CALM)
        assert world.queue.offer((fact,), settled.append)
    drain(world)
    after = world.journal.tail()
    assert after.commit - before.commit == commits
    assert [type(fact) for fact in since(world, before.position)] == [Reading] * waiting
    assert [folded.position for folded in settled] == list(range(before.position + 1, after.position + 1))
    sizes = [c.last_position - c.first_position + 1 for c in world.journal.commits(before.commit + 1)]
    assert max(sizes) <= BATCH_FACTS


def test_one_reading_a_step_is_one_commit_each(world: World, clock: HandClock) -> None:
    """At a calm rate nothing is held back to fill a commit: each reading is on the disk before the next."""
    before = world.journal.tail()
    for number in range(50):
        clock.now_ms += 50
        assert world.queue.offer((reading(0, number, clock.now_ms, CALM),))
        world.writer.step(0)
        assert world.journal.tail().commit == before.commit + number + 1
    assert world.journal.tail().position == before.position + 50


def test_a_message_is_never_split(world: World) -> None:
    """What came in together is committed together, however large; the next message is another commit."""
    before = world.journal.tail()
    large = tuple(reading(0, number, T0_MS + number, CALM) for number in range(BATCH_FACTS + 200))
    assert world.queue.offer(large)
    assert world.queue.offer((reading(1, 1, T0_MS, CALM),))
    drain(world)
    sizes = [c.last_position - c.first_position + 1 for c in world.journal.commits(before.commit + 1)]
    assert sizes == [len(large), 1]


# Facts of our own


def test_a_step_with_nothing_due_makes_no_fact(world: World, clock: HandClock) -> None:
    """Looking costs nothing on the disk: no wake, no empty commit, as long as nothing falls due."""
    before = world.journal.tail()
    due_ms = world.writer.fold.next_due_ms()
    assert due_ms is not None, "silence of the channels lies ahead"
    for _ in range(20):
        clock.now_ms += 100
        world.writer.step(0)
    assert clock.journal_ms() < due_ms
    assert world.journal.tail() == before


def test_what_falls_due_at_one_instant_takes_one_wake(world: World, clock: HandClock) -> None:
    """Twenty channels fall silent in the same millisecond: one fact, and no second one in the steps after."""
    due_ms = world.writer.fold.next_due_ms()
    assert due_ms is not None
    clock.now_ms += due_ms - clock.journal_ms() - 1
    world.writer.step(0)  # the heartbeat that is due by now
    before = world.journal.tail()
    clock.now_ms += 1
    for _ in range(5):
        world.writer.step(0)
    assert since(world, before.position) == [Wake()]
    [said] = [announcements.decode(row.body) for row in world.journal.announcements(before.position + 1)]
    assert said.alarm == "gateway/silence", "one outage is one alarm, though each tracker is its own source"
    assert said.detail["sources"].count(",") == CHANNELS - 1


def test_an_idle_hour_holds_heartbeats_alone(world: World, clock: HandClock) -> None:
    """Where nobody speaks and nothing is due, an hour is one small commit for each heartbeat."""
    for number in range(CHANNELS):  # every channel falls silent first
        assert world.queue.offer((reading(number, 0, clock.utc_ms(), CALM),))
    drain(world)
    clock.now_ms += 11 * INTERVAL_MS
    world.writer.step(0)
    before = world.journal.tail()
    span_ms = 3_600_000
    for _ in range(int(span_ms / (LOOK_S * 1000))):
        clock.now_ms += int(LOOK_S * 1000)
        world.writer.step(0)
    beats = since(world, before.position)
    assert {type(fact) for fact in beats} == {Beat}
    assert len(beats) == span_ms / (BEAT_S * 1000)
    assert world.journal.tail().commit - before.commit == len(beats)


# Bytes


# A row of `facts`: 26 bytes of values (time 13, raw 7, number up to 4, two line feeds), arrival 6, shape 1,
# record header 5, length and position 4, pointer 2: 44. A row of `commits`: link 32, two numbers 5, header 5,
# length and number 3, pointer 2: 47. (Record format: sqlite.org/fileformat2.html, 2.1.) A twentieth more for
# page headers and what stays free in pages, and the pages that are begun.
READING_BYTES, COMMIT_BYTES, MARGIN, BEGUN_BYTES = 44, 47, 1.05, 2 * 4096


@pytest.mark.parametrize(
    ("batch", "count"),
    [
        pytest.param(1, 1_000, id="1 in a commit"),
        pytest.param(10, 4_000, id="10 in a commit"),
        pytest.param(100, 10_000, id="100 in a commit"),
        pytest.param(500, 10_000, id="500 in a commit"),
    ],
)
def test_bytes_of_a_reading(tmp_path: Path, batch: int, count: int) -> None:
    """The journal grows by no more than a row for each reading and its share of a row for its commit."""
    path = tmp_path / "x.journal"
    Journal.open(path).close()
    empty = path.stat().st_size
    entries = [
        Entry(position, arrival_ms, facts.encode(fact))
        for position, (arrival_ms, fact) in enumerate(
            readings(CHANNELS, 1000, count // CHANNELS * 1000), start=1
        )
    ]
    with Journal.open(path) as journal:
        for first in range(0, count, batch):
            journal.commit(Batch(tuple(entries[first : first + batch])))
    grown = path.stat().st_size - empty
    assert grown <= (READING_BYTES + COMMIT_BYTES / batch) * MARGIN * count + BEGUN_BYTES, grown / count


def test_pages_of_a_commit(world: World, clock: HandClock) -> None:
    """A commit of one reading writes two pages, the ends of `facts` and of `commits`, and rarely more."""
    world.journal.checkpoint_wal(truncate=True)
    assert world.journal.wal_bytes() == 0
    commits = 200
    for number in range(commits):
        clock.now_ms += 1
        assert world.queue.offer((reading(0, number, clock.now_ms, CALM),))
        world.writer.step(0)
    page, frame_header = 4096, 24
    pages = world.journal.wal_bytes() / (page + frame_header)
    assert pages <= 2.15 * commits, pages / commits


@pytest.fixture
def saved(world: World, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Each state of the fold that is saved: its position and its size."""
    found: list[tuple[int, int]] = []
    save = world.journal.save_checkpoint

    def counted(position: int, engine: str, state: bytes) -> None:
        save(position, engine, state)
        found.append((position, len(state)))

    monkeypatch.setattr(world.journal, "save_checkpoint", counted)
    return found


def test_saved_states_cost_a_bounded_part_of_what_comes_in(
    world: World, clock: HandClock, saved: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often a state is asked for, all of them together cost the disk so many bytes a fact at most."""
    monkeypatch.setattr(writer, "STATE_BYTES_FREE", 0)
    first = world.journal.tail().position
    for number in range(3_000):
        clock.now_ms += 10
        assert world.queue.offer((reading(number % CHANNELS, number, clock.utc_ms(), CALM),))
        if number % 10 == 0:
            world.writer.want_checkpoint()
            world.writer.step(0)
    facts_in = world.journal.tail().position - first
    sizes = [size for _, size in saved]
    assert len(saved) > 3, "states are saved all the same"
    assert sum(sizes[:-1]) <= STATE_BYTES_PER_FACT * facts_in
    for (position, size), (later, _) in itertools.pairwise(saved):
        assert later - position >= size // STATE_BYTES_PER_FACT


def test_a_small_state_is_saved_whenever_asked(world: World, saved: list[tuple[int, int]]) -> None:
    """Thrift is for states that are large: one of a few kilobytes may cost more than what came in since."""
    for number in range(3):
        assert world.queue.offer((reading(0, number, T0_MS + number, CALM),))
        world.writer.want_checkpoint()
        world.writer.step(0)
    assert len(saved) == 3
    assert saved[0][1] > STATE_BYTES_PER_FACT


def test_whoever_stops_saves_the_state(
    world: World, saved: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An orderly end always saves it, whatever it costs: the next start has nothing to fold again."""
    monkeypatch.setattr(writer, "STATE_BYTES_FREE", 0)
    world.writer.want_checkpoint()
    world.writer.step(0)
    assert world.queue.offer((reading(0, 1, T0_MS, CALM),))
    world.writer.want_checkpoint()
    world.writer.step(0)
    assert len(saved) == 1, "one fact is not worth a state"
    world.writer.stop()
    world.writer.run()
    assert saved[-1][0] == world.journal.tail().position


# Rules


Asked = list[tuple[str, int]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Each time a rule judges a sample: the rule's id and the sample's time."""
    found: Asked = []
    for kind, judge in list(JUDGES.items()):

        def on_sample(rule, state, seen, now, judged=judge.on_sample):  # type: ignore[no-untyped-def]
            found.append((rule.id, now.at_ms))
            return judged(rule, state, seen, now)

        monkeypatch.setitem(JUDGES, kind, replace(judge, on_sample=on_sample))
    return found


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No reading is calm enough to be taken in unasked: what everything costs at most."""
    monkeypatch.setattr(Stand, "skip", lambda stand, now: False)
    monkeypatch.setattr(Stand, "skip_run", lambda stand, history, lo, hi: lo)


OURS = ("warm", "cold", "sum")
THEIRS = ("their-warm", "their-sum")


def two_boxes() -> Plan:
    """Box "box" with three rules, box "other" with two of its own."""
    one = plan(limit("warm"), limit("cold", -195, side=Side.BELOW), budget("sum"))
    others = (limit("their-warm"), budget("their-sum"))
    return Plan(
        site=one.site,
        sources=one.sources,
        channels=(channel(), channel("other.vapour", asset="other")),
        assets=(*one.assets, AssetPlan("other", "dry_shipper", profile="others", stage="transport")),
        profiles=(
            *one.profiles,
            ProfilePlan("others", "1", True, (StagePlan("transport", others),), "1" * 64),
        ),
    )


def say(at_ms: int, number: int, name: str = "box.vapour", raw: str = "-160") -> Reading:
    """A reading of one of the boxes."""
    return Reading("log", name, raw, "degC", at_ms=at_ms, sequence=number)


def spell(count: int, name: str = "box.vapour") -> Iterator[Reading]:
    """One reading a minute, in order."""
    return (say(T0 + number * MIN, number, name) for number in range(1, count + 1))


def test_a_calm_reading_asks_nobody(asked: Asked) -> None:
    """Far from every limit nothing but sums can change: the first reading is judged, and no other."""
    bench = Bench(two_boxes())
    for fact in spell(5):
        bench.add(fact)
    assert asked == [(rule, T0 + MIN) for rule in OURS]


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize(
    ("words", "times"),
    [
        pytest.param({"raw": "-160"}, 1, id="calm"),
        pytest.param({"raw": "-140"}, 1, id="outside"),
        pytest.param({"raw": "-149.5", "doubt": Reason.UNSTABLE}, 1, id="in doubt"),
        pytest.param({"raw": "", "bad": Reason.SENSOR_OPEN}, 1, id="bad"),
        pytest.param({"raw": "-160", "channel": "nobody"}, 0, id="of no channel that we know"),
        pytest.param({"raw": "-160", "at_ms": T0 - MIN}, 0, id="from before anything was in force"),
        pytest.param({"raw": "-160", "at_ms": T0 + 5 * MIN, "sequence": 5}, 0, id="a repeat"),
    ],
)
def test_each_rule_of_the_place_is_asked_once(asked: Asked, words: dict[str, object], times: int) -> None:
    """A reading in order is judged once by each rule of its own place and by no other; or by none at all."""
    bench = Bench(two_boxes())
    for fact in (*spell(5), *spell(5, "other.vapour")):
        bench.add(fact, T0 + 5 * MIN)
    asked.clear()
    given = {"source": "log", "channel": "box.vapour", "unit": "degC", "at_ms": T0 + 6 * MIN, "sequence": 6}
    bench.add(Reading(**(given | words)), T0 + 6 * MIN)  # type: ignore[arg-type]
    assert asked == [(rule, T0 + 6 * MIN) for rule in OURS] * times


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("late_by", [1, 2, 10, SNAPSHOT_EVERY - 1, SNAPSHOT_EVERY, SNAPSHOT_EVERY + 1, 900])
def test_a_late_reading_costs_two_snapshots_at_most(asked: Asked, late_by: int) -> None:
    """A reading overtaken by others is folded from a snapshot before it to where all is as it was again.

    That is its own span, or one interval of snapshots where calm readings follow, and one interval before it.
    """
    bench = Bench(two_boxes())
    count = 1_000
    for fact in spell(count):
        bench.add(fact)
    for fact in spell(count, "other.vapour"):
        bench.add(fact, bench.fold.arrival_ms)
    asked.clear()
    at_ms = T0 + (count - late_by) * MIN + 1
    bench.add(say(at_ms, count + 1), bench.fold.arrival_ms)
    assert {rule for rule, _ in asked} == set(OURS), "no other place is folded again"
    assert (OURS[0], at_ms) in asked
    assert len(asked) <= len(OURS) * (SNAPSHOT_EVERY + 1 + min(late_by, SNAPSHOT_EVERY))


@pytest.mark.usefixtures("plain")
def test_a_late_reading_costs_no_more_on_a_long_history(asked: Asked) -> None:
    """What a late reading costs does not grow with what lies before it."""
    for count in (600, 1_200, 2_400):
        bench = Bench(two_boxes())
        for fact in spell(count):
            bench.add(fact)
        asked.clear()
        bench.add(say(T0 + (count - 5) * MIN + 1, count + 1), bench.fold.arrival_ms)
        assert len(asked) <= len(OURS) * (SNAPSHOT_EVERY + 1 + 5)


@pytest.mark.usefixtures("plain")
def test_a_reading_in_order_after_late_ones_is_asked_once_again(asked: Asked) -> None:
    """A revision leaves nothing behind: the next reading in order costs what one always costs."""
    bench = Bench(two_boxes())
    for fact in spell(300):
        bench.add(fact)
    for number in range(5):
        bench.add(say(T0 + (100 + number) * MIN + 1, 301 + number), bench.fold.arrival_ms)
    asked.clear()
    bench.add(say(T0 + 301 * MIN, 400))
    assert asked == [(rule, T0 + 301 * MIN) for rule in OURS]
