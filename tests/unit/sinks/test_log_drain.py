"""Every row arrives, whatever the server forgets, refuses or throws away."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from coldchain.facts import Activated, Beat, Bound, ClockSet, Reading
from coldchain.journal import Cursor
from coldchain.sinks.base import Misconfigured, Point, Rejected, Sign, SinkError, Unreachable
from coldchain.sinks.log_drain import LogDrain
from coldchain.sinks.points import Lens
from coldchain.sinks.thread import News, Report
from tests.unit.sinks.world import NOON, HandClock, Server, World, plan, raised, reading, reports

NAME = "series"
TEMPERATURE = "temperature"


def values(server: Server) -> dict[int, float]:
    """Time after noon -> value, of what the server holds."""
    return {
        time_ms - NOON: dict(fields)["value"]
        for (measurement, _, time_ms), fields in server.taken.items()
        if measurement == TEMPERATURE and isinstance(time_ms, int)
    }


def run(drain: LogDrain, clock: HandClock, *, seconds: float = 2, steps: int = 8) -> None:
    """Let the drain have its way for a while."""
    for _ in range(steps):
        clock.now_ms += int(seconds * 1000 / steps)
        drain.step()


def make(world: World, server: Server, clock: HandClock) -> tuple[LogDrain, list[Report]]:
    kept, report = reports()
    return LogDrain(NAME, server, world.deliveries, clock, report), kept


def test_every_row_is_sent_once(world: World) -> None:
    """Rows and announcements arrive in batches, and nothing is sent again without doubt."""
    world.begin()
    for second in range(120):
        world.add(reading(NOON + second * 1000, f"{-150 - second / 10}"))
    world.add(Beat(), said=[raised()])
    server, clock = Server(), HandClock(200_000)
    drain, kept = make(world, server, clock)
    run(drain, clock)
    assert len(values(server)) == 120
    assert max(server.requests) <= 50 * 2
    assert sum(server.requests) == 121
    assert kept == []
    drain.close()
    assert server.closed


def test_confirmed_follows_after_the_doubt(world: World) -> None:
    """What was sent is believed kept only when the doubt has passed and the server was seen the same."""
    world.begin()
    world.add(reading(NOON))
    server, clock = Server(), HandClock(10_000)
    server.doubt_ms = 60_000
    drain, _ = make(world, server, clock)
    drain.step()
    with world.deliveries() as journal:
        assert journal.cursor(NAME) == Cursor(3, 0)
        run(drain, clock, seconds=59)
        assert journal.cursor(NAME) == Cursor(3, 0)
        run(drain, clock, seconds=12, steps=3)
        assert journal.cursor(NAME) == Cursor(3, 3)
    drain.close()


def test_after_a_restart_of_the_server_it_is_sent_again(world: World) -> None:
    """A server that lost what it had taken is given it again, and somebody is told."""
    world.begin()
    for second in range(5):
        world.add(reading(NOON + second))
    server, clock = Server(), HandClock(10_000)
    server.doubt_ms = 60_000
    drain, kept = make(world, server, clock)
    run(drain, clock)
    server.die()
    assert values(server) == {}
    run(drain, clock, seconds=30)
    assert sorted(values(server)) == [0, 1, 2, 3, 4]
    assert [(each.news, each.count) for each in kept] == [(News.IN_DOUBT, 7)]
    drain.close()


def test_hours_of_sleep_end_no_doubt(world: World) -> None:
    """A machine that slept, and a server on it that slept as well: what was not on its disk is sent again."""
    world.begin()
    world.add(reading(NOON))
    server, clock = Server(), HandClock(10_000)
    server.doubt_ms = 60_000
    drain, _ = make(world, server, clock)
    run(drain, clock)
    clock.now_ms += 3 * 3_600_000
    run(drain, clock)
    server.die()
    run(drain, clock, seconds=30)
    assert sorted(values(server)) == [0]
    with world.deliveries() as journal:
        run(drain, clock, seconds=80, steps=20)
        assert journal.cursor(NAME) == Cursor(3, 3)
    drain.close()


def test_after_our_own_restart_it_is_sent_again(world: World) -> None:
    """We were away: nobody saw whether the server was, so everything unconfirmed goes out again."""
    world.begin()
    world.add(reading(NOON))
    server, clock = Server(), HandClock(10_000)
    server.doubt_ms = 60_000
    drain, _ = make(world, server, clock)
    run(drain, clock)
    drain.close()
    server.taken.clear()
    drain, _ = make(world, server, clock)
    run(drain, clock)
    assert sorted(values(server)) == [0]
    drain.close()


def test_a_silent_server_confirms_nothing(world: World) -> None:
    """No sign is no good sign: the doubt goes on until the server was seen again."""
    world.begin()
    world.add(reading(NOON))
    server, clock = Server(), HandClock(10_000)
    server.doubt_ms = 6_000
    drain, _ = make(world, server, clock)
    drain.step()
    server.signs = [Sign.SILENT] * 20
    run(drain, clock, seconds=20, steps=20)
    with world.deliveries() as journal:
        assert journal.cursor(NAME).confirmed == 0
        server.signs = []
        run(drain, clock, seconds=4)
        assert journal.cursor(NAME).confirmed == 3
    drain.close()


def test_an_unreachable_server_moves_nothing(world: World) -> None:
    """A failed request is repeated whole; the cursor stands where it was."""
    world.begin()
    world.add(reading(NOON))
    server, clock = Server(), HandClock(10_000)
    drain, _ = make(world, server, clock)
    server.fails = lambda points: Unreachable(NAME, "write", "no route")
    with pytest.raises(Unreachable):
        drain.step()
    with world.deliveries() as journal:
        assert journal.cursor(NAME) == Cursor(0, 0)
    server.fails = lambda points: None
    run(drain, clock)
    assert sorted(values(server)) == [0]
    drain.close()


def test_a_row_sent_twice_is_the_same_point_twice(world: World) -> None:
    """A binding later in the batch must not change what its earlier rows say when they are sent again."""
    world.begin()
    world.add(reading(NOON), Bound("box-7.air", "box-8", "air", NOON, "anna", "moved"), reading(NOON + 1))
    server, clock = Server(), HandClock(10_000)
    drain, _ = make(world, server, clock)
    taken: list[list[Point]] = []

    def take(points: Sequence[Point]) -> SinkError:
        taken.append(list(points))
        return Unreachable(NAME, "write", "answer lost")

    server.fails = take
    for _ in range(2):
        with pytest.raises(Unreachable):
            drain.step()
    assert taken[0] == taken[1]
    assert [dict(point.tags)["asset"] for point in taken[0]] == ["box-7", "box-8"]
    drain.close()


def test_after_a_restart_rows_are_seen_as_they_were(world: World) -> None:
    """A row sent again after the server's restart carries the asset it was measured in, not today's."""
    world.begin()
    world.add(reading(NOON))
    server, clock = Server(), HandClock(10_000)
    server.doubt_ms = 60_000
    drain, _ = make(world, server, clock)
    run(drain, clock)
    world.add(Bound("box-7.air", "box-8", "air", NOON, "anna", "moved"), reading(NOON + 1))
    run(drain, clock)
    before = dict(server.taken)
    server.die()
    run(drain, clock, seconds=30)
    assert server.taken == before
    drain.close()


def test_one_bad_point_does_not_hold_up_the_rest(world: World) -> None:
    """Of a batch that is rejected the very point is found and reported; the others arrive."""
    world.begin()
    for ms in range(20):
        world.add(reading(NOON + ms))
    server, clock = Server(), HandClock(10_000)
    server.fails = lambda points: (
        Rejected(NAME, "write", "field type conflict")
        if any(p.time_ms == NOON + 13 for p in points)
        else None
    )
    drain, kept = make(world, server, clock)
    run(drain, clock)
    assert sorted(values(server)) == [ms for ms in range(20) if ms != 13]
    assert [(each.news, each.count) for each in kept] == [(News.DROPPED, 1)]
    assert "field type conflict" in kept[0].why
    drain.close()


def test_a_server_that_rejects_everything_gets_nothing_given_up(world: World) -> None:
    """When even a harmless point is rejected it is not the rows that are wrong: they stay, and wait."""
    world.begin()
    for ms in range(20):
        world.add(reading(NOON + ms))
    server, clock = Server(), HandClock(10_000)
    asked: list[int] = []

    def no(points: Sequence[Point]) -> SinkError:
        asked.append(len(points))
        return Rejected(NAME, "write", "unsupported path")

    server.fails = no
    drain, kept = make(world, server, clock)
    with pytest.raises(Misconfigured):
        drain.step()
    assert kept == []
    assert len(asked) == 2, "it is not asked for every row"
    server.fails = lambda points: None
    run(drain, clock)
    assert len(values(server)) == 20
    drain.close()


def test_a_partial_refusal_is_reported_and_done(world: World) -> None:
    """A server that says how many it threw away has taken the others: one report, no second request."""
    world.begin()
    for ms in range(20):
        world.add(reading(NOON + ms))
    server, clock = Server(), HandClock(10_000)
    server.fails = lambda points: Rejected(NAME, "write", "partial write", dropped=3) if points else None
    drain, kept = make(world, server, clock)
    run(drain, clock)
    assert [(each.news, each.count) for each in kept] == [(News.DROPPED, 3)]
    drain.close()


def test_what_the_server_throws_away_silently_is_reported(world: World) -> None:
    """Points outside a retention are answered "taken"; the server's own count gives it away."""
    world.begin()
    world.add(reading(NOON - 900 * 86_400_000))
    server, clock = Server(), HandClock(10_000)
    server.thrown_away = 4
    drain, kept = make(world, server, clock)
    drain.step()
    server.thrown_away = 6
    run(drain, clock, seconds=8)
    assert [(each.news, each.count) for each in kept] == [(News.DROPPED, 2)]
    assert "retention" in kept[0].mend
    drain.close()


def test_without_a_clock_rows_wait_in_order(world: World) -> None:
    """A row that cannot be given a time waits for the clock, and so does what is behind it."""
    world.add(Activated(plan(), {}), reading(NOON))
    world.add(Reading("mute", "box-7.wall", "4.0", "degC", stamp_ms=7), reading(NOON + 1))
    server, clock = Server(), HandClock(10_000)
    drain, _ = make(world, server, clock)
    run(drain, clock, seconds=90)
    assert sorted(values(server)) == [0]
    world.add(ClockSet(NOON, "kernel"))
    run(drain, clock, seconds=90)
    assert values(server) == {0: -150.5, 1: -150.5, 7: 4.0}
    drain.close()


def test_rows_are_gathered(world: World) -> None:
    """A reading each tenth of a second is one request a second, not ten."""
    world.begin()
    server, clock = Server(), HandClock(10_000)
    drain, _ = make(world, server, clock)
    for tenth in range(50):
        world.add(reading(NOON + tenth))
        clock.now_ms += 100
        drain.step()
    assert len(server.requests) <= 6
    drain.close()


class AnyTrouble(RuleBasedStateMachine):
    """Rows come in while server and gateway die in any order; at the end nothing is missing or different."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name))
        self.world.begin()
        self.server = Server()
        self.server.doubt_ms = 3_000
        self.clock = HandClock(10_000)
        self.drain: LogDrain | None = None
        self.lose_after_s = 2.0
        self.wrote_ms = 0

    def teardown(self) -> None:
        self.server.fails = lambda points: None
        for _ in range(60):
            self.clock.now_ms += 500
            self.step()
            self.sync()
        with self.world.deliveries() as journal:
            assert journal.cursor(NAME) == Cursor(self.world.position, self.world.position)
        expected = self.expected()
        self.server.die()  # what was confirmed is on the disk
        assert self.server.taken == expected
        if self.drain is not None:
            self.drain.close()
        self.world.close()
        self.folder.cleanup()

    def expected(self) -> dict[tuple[object, ...], tuple[tuple[str, float], ...]]:
        """What a reader who saw every fact in order would hold."""
        from coldchain import announcements, facts

        lens, rows = Lens(), {}
        for entry in self.world.journal.entries():
            fact = facts.decode(entry.fact)
            lens.learn(entry.arrival_ms, fact)
            said = [announcements.decode(body) for body in entry.announcements]
            for point in lens.points(entry.arrival_ms, fact, said):
                rows[(point.measurement, point.tags, point.time_ms)] = point.fields
        return rows

    def sync(self) -> None:
        """The server's disk holds what was taken some time ago: sooner than the doubt ends."""
        if self.clock.now_ms - self.wrote_ms >= self.lose_after_s * 1000:
            self.server.sync()

    def step(self) -> None:
        before = len(self.server.requests)
        try:
            if self.drain is None:
                self.drain, _ = make(self.world, self.server, self.clock)
            self.drain.step()
        except Unreachable:
            pass
        if len(self.server.requests) > before:
            self.wrote_ms = self.clock.now_ms

    @rule(count=st.integers(1, 5), late=st.booleans())
    def rows(self, count: int, late: bool) -> None:
        first = self.world.position
        for i in range(count):
            at_ms = NOON + first * 10 + i - (5_000 if late else 0)
            self.world.add(reading(at_ms, f"{-150 + i / 10}"), said=[raised()] if i == 2 else (), after_ms=1)

    @rule(asset=st.sampled_from(["box-7", "box-8"]))
    def bound(self, asset: str) -> None:
        self.world.add(Bound("box-7.air", asset, "air", NOON, "anna", "moved"), after_ms=1)

    @rule(ms=st.integers(100, 4_000))
    def time_passes(self, ms: int) -> None:
        self.clock.now_ms += ms
        self.sync()
        self.step()

    @rule()
    def server_dies(self) -> None:
        self.server.die()

    @rule()
    def line_down(self) -> None:
        self.server.fails = lambda points: Unreachable(NAME, "write", "no route")

    @rule()
    def answer_lost(self) -> None:
        """The server takes everything and its answer gets lost."""

        def take(points: Sequence[Point]) -> SinkError:
            for point in points:
                self.server.taken[(point.measurement, point.tags, point.time_ms)] = point.fields
            return Unreachable(NAME, "write", "no answer")

        self.server.fails = take

    @rule()
    def line_up(self) -> None:
        self.server.fails = lambda points: None

    @precondition(lambda self: self.drain is not None)
    @rule()
    def we_die(self) -> None:
        assert self.drain is not None
        self.drain.close()
        self.drain = None


TestAnyTrouble = AnyTrouble.TestCase
TestAnyTrouble.settings = settings(
    max_examples=min(40, settings.default.max_examples),
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
