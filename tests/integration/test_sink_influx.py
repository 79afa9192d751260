"""The journal's rows into a real time-series database that is stopped, killed, frozen and that forgets."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Self

import pytest
from typing_extensions import override

from coldchain.clock import SystemClock
from coldchain.config.endpoints import InfluxSink
from coldchain.journal import Cursor
from coldchain.model import Reason
from coldchain.sinks.backoff import Backoff
from coldchain.sinks.base import (
    Misconfigured,
    Point,
    Rejected,
    Sign,
    SinkError,
    Surroundings,
    Unreachable,
    Unwilling,
)
from coldchain.sinks.influx import Influx
from coldchain.sinks.log_drain import LogDrain
from coldchain.sinks.thread import News, Report, SinkThread
from tests.servers import VictoriaMetrics, wait_until
from tests.servers.programs import Program
from tests.servers.receiver import Receiver
from tests.unit.sinks.world import AIR, HIGH, NOON, World, raised, reading, reports

NAME = "series"
#: The last minutes: not so old that the database would rather ignore it, not in the future.
DAY = 86_400_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def settings(store: VictoriaMetrics, **more: object) -> InfluxSink:
    given = {"kind": "influx", "url": store.url, "bucket": "coldchain", "doubt": "60 s", "timeout": "5 s"}
    return InfluxSink.model_validate(given | more)


def influx(store: VictoriaMetrics, **more: object) -> Influx:
    around = Surroundings(name=NAME, site="cell-bank", clock=SystemClock(trusted=True))
    return Influx(settings(store, **more), around)


class Running:
    """A drain in its thread, and what it reported."""

    def __init__(self, world: World, store: VictoriaMetrics, **more: object) -> None:
        self.world = world
        self.kept, report = reports()
        clock = SystemClock(trusted=True)

        def make(report: Callable[[Report], None]) -> LogDrain:
            return LogDrain(NAME, influx(store, **more), world.deliveries, clock, report)

        backoff = Backoff(Random(1), first_s=0.05, longest_s=0.2)
        self.thread = SinkThread(NAME, make, clock=clock, backoff=backoff, report=report)
        self.thread.start()

    def sent(self) -> int:
        with self.world.deliveries() as journal:
            return journal.cursor(NAME).sent

    def wait_sent(self) -> None:
        """Wait until the server took everything that is in the journal."""
        self.thread.wake()
        wait_until(lambda: self.sent() == self.world.position, what="everything is sent")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.thread.stop()


def rows(world: World, first: int, count: int) -> dict[int, float]:
    """Add readings, one a second; the answer is what must be found."""
    found = {}
    for second in range(first, first + count):
        raw = f"{-150 - second / 10:.1f}"
        world.add(reading(NOON + second * 1000, raw))
        found[NOON + second * 1000] = float(raw)
    return found


def held(store: VictoriaMetrics, field: str = "value") -> dict[int, float | None]:
    """What the database holds of the probe's temperature."""
    series = store.export(f'temperature_{field}{{channel="{AIR}"}}')
    assert len(series) <= 1
    return dict(series[0].points) if series else {}


def test_everything_arrives_as_it_was_judged(world: World, victoria_metrics: VictoriaMetrics) -> None:
    """Values, qualities, tags and alarms can be read back from the database, to the millisecond."""
    world.begin(simulated=True)
    expected = rows(world, 0, 300)
    world.add(reading(NOON + 900_001, "", bad=Reason.SENSOR_OPEN), said=[raised(1)], after_ms=900_001)
    with Running(world, victoria_metrics) as running:
        running.wait_sent()
        assert held(victoria_metrics) == expected
        assert held(victoria_metrics, "quality") == dict.fromkeys(expected, 2) | {NOON + 900_001: 0}
        (series,) = victoria_metrics.export("temperature_value")
        assert series.labels == {
            "site": "cell-bank",
            "asset": "box-7",
            "role": "air",
            "channel": AIR,
            "source": "probe",
            "origin": "device",
            "simulated": "true",
        }
        (bad,) = victoria_metrics.export("not_good_count")
        assert (bad.labels["reason"], bad.points) == ("sensor_open", ((NOON + 900_001, 1),))
        (alarm,) = victoria_metrics.export("alarm_state")
        assert (alarm.labels["alarm"], alarm.points) == (HIGH, ((NOON + 900_001, 1),))
    assert [each.news for each in running.kept] == [News.UP]


def test_names_with_every_odd_character(victoria_metrics: VictoriaMetrics) -> None:
    """Blanks, commas, equals signs and quotes in names arrive as they are; no line is cut in two."""
    odd = 'a b,c=d"e\\f °C'
    sink = influx(victoria_metrics)
    sink.write([Point("temperature", (("site", odd),), (("value", -1.5),), NOON)])
    (series,) = victoria_metrics.export("temperature_value")
    assert series.labels["site"] == odd
    sink.close()


def test_down_for_a_while(world: World, victoria_metrics: VictoriaMetrics) -> None:
    """What was measured while the database was down arrives when it is back: nothing lost or doubled."""
    world.begin()
    expected = rows(world, 0, 50)
    with Running(world, victoria_metrics) as running:
        running.wait_sent()
        victoria_metrics.stop()
        expected |= rows(world, 50, 150)
        running.thread.wake()
        wait_until(lambda: running.thread.status.up is False, what="the sink says that it is down")
        expected |= rows(world, 200, 10)
        victoria_metrics.start()
        running.wait_sent()
        assert held(victoria_metrics) == expected
    assert [each.news for each in running.kept if each.news is not News.IN_DOUBT] == [
        News.UP,
        News.DOWN,
        News.UP,
    ]


def test_killed_right_after_its_answer(world: World, victoria_metrics: VictoriaMetrics) -> None:
    """A 204 is not a disk: after kill -9 everything within the doubt is sent again and is there."""
    world.begin()
    expected = rows(world, 0, 200)
    with Running(world, victoria_metrics, doubt="6 s") as running:
        running.wait_sent()
        victoria_metrics.kill()
        victoria_metrics.start()
        # Nothing new comes in: the restart is noticed all the same, because something is in doubt.
        wait_until(lambda: any(e.news is News.IN_DOUBT for e in running.kept), what="the restart is noticed")
        running.wait_sent()
        assert held(victoria_metrics) == expected
    (doubt,) = [each for each in running.kept if each.news is News.IN_DOUBT]
    assert doubt.count == world.position


def test_we_are_killed_and_so_is_the_database(world: World, victoria_metrics: VictoriaMetrics) -> None:
    """A power cut takes both: after our start everything unconfirmed is sent again without being asked."""
    world.begin()
    expected = rows(world, 0, 60)
    with Running(world, victoria_metrics) as running:
        running.wait_sent()
    victoria_metrics.kill()
    victoria_metrics.start()
    with Running(world, victoria_metrics) as running:
        wait_until(lambda: len(held(victoria_metrics)) == len(expected), what="sent again")
        assert held(victoria_metrics) == expected


def test_confirmed_when_the_doubt_has_passed(world: World, victoria_metrics: VictoriaMetrics) -> None:
    """With a server that stays, the second cursor follows the first."""
    world.begin()
    rows(world, 0, 10)
    with Running(world, victoria_metrics, doubt="1 s") as running:
        running.wait_sent()

        def confirmed() -> bool:
            with world.deliveries() as journal:
                return journal.cursor(NAME) == Cursor(world.position, world.position)

        wait_until(confirmed, what="everything is confirmed")
    assert [each.news for each in running.kept] == [News.UP]


def test_frozen_for_a_while(world: World, victoria_metrics: VictoriaMetrics) -> None:
    """A database that takes the connection and says nothing is down after the time-out, and then up again."""
    world.begin()
    expected = rows(world, 0, 10)
    with Running(world, victoria_metrics, timeout="300 ms") as running:
        running.wait_sent()
        victoria_metrics.freeze()
        expected |= rows(world, 10, 10)
        running.thread.wake()
        wait_until(lambda: running.thread.status.up is False, what="the sink says that it is down")
        victoria_metrics.thaw()
        running.wait_sent()
        assert held(victoria_metrics) == expected


class Forgetful(VictoriaMetrics):
    """Keeps one month, as it does unless told otherwise, and drops what is older without a word."""

    @override
    def command(self) -> tuple[Program, Sequence[str | Path]]:
        program, arguments = super().command()
        return program, [each for each in arguments if not str(each).startswith("-retentionPeriod")]


@pytest.mark.servers
def test_what_the_server_drops_without_a_word_is_said(world: World, tmp_path: Path) -> None:
    """Rows older than the server's retention are answered with 204 and thrown away; a report counts them."""
    clock = SystemClock(trusted=True)
    world.begin()
    with Forgetful(tmp_path / "store") as store:
        today = clock.utc_ms()
        world.add(reading(today - 800 * DAY), reading(today - 700 * DAY), reading(today - 1000))
        with Running(world, store, doubt="1 s") as running:
            running.wait_sent()
            wait_until(lambda: any(e.news is News.DROPPED for e in running.kept), what="the loss is reported")
            assert len(held(store)) == 1
        (dropped,) = [each for each in running.kept if each.news is News.DROPPED]
        # Value, quality and what else a reading becomes are points of their own to this server.
        assert dropped.count >= 2
        assert "retention" in dropped.why


def test_the_witness_tells_a_restart_from_a_broken_line(victoria_metrics: VictoriaMetrics) -> None:
    """A broken connection is no restart if the process is the same; a restart is one, however quick."""
    sink = influx(victoria_metrics)
    assert sink.sign() is Sign.RESTARTED, "nobody knows what was before us"
    assert sink.sign() is Sign.SAME

    def old_enough() -> bool:
        sink.sign()
        return sink._witness._age_s >= 2

    wait_until(old_enough, what="the server is older than its start is precise")
    connection = sink._witness._connection
    assert connection is not None
    connection.close()
    assert sink.sign() is Sign.SAME
    victoria_metrics.kill()
    assert sink.sign() is Sign.SILENT
    victoria_metrics.start()
    assert sink.sign() is Sign.RESTARTED
    victoria_metrics.kill()
    victoria_metrics.start()
    assert sink.sign() is Sign.RESTARTED
    sink.close()


def test_the_address_of_something_else(world: World, victoria_metrics: VictoriaMetrics) -> None:
    """A wrong path, which this server answers with 400, gives no row up: a person must mend it."""
    world.begin()
    expected = rows(world, 0, 5)
    with Running(world, victoria_metrics, url=victoria_metrics.url + "/elsewhere") as running:
        wait_until(lambda: running.thread.status.up is False, what="the sink says that it is down")
        assert "check the address" in running.thread.status.mend
        assert running.sent() == 0
    assert [each.news for each in running.kept] == [News.DOWN]
    with Running(world, victoria_metrics) as running:
        running.wait_sent()
        assert held(victoria_metrics) == expected


def test_nobody_there(victoria_metrics: VictoriaMetrics) -> None:
    """A refused connection is said at once, by the same error as any other silence."""
    victoria_metrics.stop()
    sink = influx(victoria_metrics)
    with pytest.raises(Unreachable):
        sink.write([Point("temperature", (), (("value", math.pi),), NOON)])
    sink.close()


@pytest.mark.parametrize(
    ("answer", "error", "attributes"),
    [
        pytest.param(
            (
                422,
                {},
                b'{"code":"unprocessable entity","message":"points beyond retention policy dropped=3"}',
            ),
            Rejected,
            {"dropped": 3},
            id="InfluxDB threw three away",
        ),
        pytest.param((413, {}, b"too large"), Rejected, {"dropped": None}, id="too large"),
        pytest.param((429, {"Retry-After": "7"}, b"{}"), Unwilling, {"retry_after_s": 7.0}, id="too many"),
        pytest.param(503, Unwilling, {"retry_after_s": None}, id="overloaded"),
        pytest.param((401, {}, b'{"message":"unauthorized access"}'), Misconfigured, {}, id="token"),
        pytest.param((404, {}, b'{"message":"bucket not found"}'), Misconfigured, {}, id="bucket"),
        pytest.param(None, Unreachable, {}, id="no answer"),
    ],
)
def test_what_an_answer_means(answer: object, error: type[SinkError], attributes: dict[str, object]) -> None:
    """InfluxDB's answers are one of four things: again, never, a person must mend it, or nobody knows."""
    receiver = Receiver().start()
    try:
        receiver.answers = [answer]  # type: ignore[list-item]
        around = Surroundings(name=NAME, site="x", clock=SystemClock(), secret=lambda file, variable: "t0k")
        settings = InfluxSink.model_validate(
            {"kind": "influx", "url": f"http://127.0.0.1:{receiver.port}", "bucket": "b", "token_env": "T"}
        )
        sink = Influx(settings, around)
        with pytest.raises(error) as caught:
            sink.write([Point("temperature", (), (("value", 1.0),), NOON)])
        sink.close()
        assert {key: getattr(caught.value, key) for key in attributes} == attributes
        (request,) = receiver.requests
        assert request.headers["authorization"] == "Token t0k"
        assert request.body == f"temperature value=1 {NOON}".encode()
    finally:
        receiver.stop()
