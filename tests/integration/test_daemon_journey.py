"""One journey, watched live over three kinds of source and told to three kinds of sink, then told again.

Forty simulated minutes at speed 200 through the real daemon: a TEC 3000 and a logger on pseudo-terminals, a
logger on a real broker. Every test below looks at that one journey.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from coldchain.announcements import Announcement
from coldchain.cli.main import main
from coldchain.clock import SystemClock
from coldchain.facts import ClockSet, Reading
from coldchain.web.series import SeriesView
from coldchain_simulators.asked import AskedSimulator
from coldchain_simulators.mqtt_logger import MqttLogger, MqttLoggerSimulator, Publisher, Quantity
from coldchain_simulators.rig import Rig
from coldchain_simulators.tec3000 import Tec3000
from coldchain_simulators.wires import PtyWire
from tests.integration.gateways import Course, History, Site, assert_equal, read, running, stamped, until
from tests.integration.test_sink_mqtt import PREFIX, Board
from tests.servers import Mosquitto, Series, VictoriaMetrics, free_port
from tests.servers.receiver import Receiver

pytestmark = [pytest.mark.servers, pytest.mark.slow]

SPEED = 200
MINUTE = 60_000
#: Outside twice, then a spell too short for its hold. The loggers' probe breaks in between; a TEC 3000 whose
#: probe breaks falls silent, which is another story.
WARM = ((4, -140.0), (17, -180.0), (24, -149.5), (31, -181.5), (33, -150.0), (34, -182.0))
BROKEN = ((4, -140.0), (17, -180.0), (20, None), (22, -180.0), *WARM[2:])
END_MIN = 37
POLL_MS = 30_000
SOURCES = ("tec", "log", "bus")
STAMPED = ("log", "bus")


@dataclass
class Journey:
    """What is left when it is over, and what the sinks had got by then."""

    site: Site
    history: History
    notices: list[dict[str, Any]]
    board: dict[str, Any]
    farewell: dict[str, Any]
    series: list[Series]
    sinks: dict[str, bool]
    curves: dict[str, SeriesView]


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """Watch it once; again if the machine was so busy that a reading came after a deadline it precedes.

    That readings come in time is what these tests presume, and no promise of ours.
    """
    for _ in range(3):
        watched = watch(tmp_path_factory.mktemp("journey"))
        if all(nothing_was_late(watched.history, source) for source in STAMPED):
            break
    return watched


def watch(folder: Path) -> Journey:
    """The journey as it was once."""
    with ExitStack() as ends:
        broker = ends.enter_context(Mosquitto(folder / "mosquitto"))
        store = ends.enter_context(VictoriaMetrics(folder / "store"))
        receiver = Receiver().start()
        ends.callback(receiver.stop)
        wires = {name: PtyWire(folder / name) for name in ("tec", "log")}
        site = Site(folder).broker(broker.port).webhook(receiver.url)
        site.tec("tec", wires["tec"].port, poll="30 s", profile="dry-shipper-150")
        site.ascii("log", wires["log"].port, profile="dry-shipper-150")
        site.mqtt("bus", topic="probe/bus", profile="dry-shipper-150")
        site.part(
            "board", f'[sinks.board]\nkind = "mqtt_state"\nbroker = "local"\ntopic_prefix = "{PREFIX}"\n'
        )
        site.part("series", f'[sinks.series]\nkind = "influx"\nurl = "{store.url}"\nbucket = "b"\n')
        # Nobody listens there: what this one suffers the others must not feel.
        site.webhook(f"http://127.0.0.1:{free_port()}/", name="dead")
        clock = SystemClock(speed=SPEED, trusted=True)
        with running(site, clock=clock) as daemon:
            course, whole = Course(*BROKEN), Course(*WARM)
            rig = Rig(clock, (course, whole))
            tec = Tec3000({"TEMPA": whole.sample}, address=1)
            rig.lines.append(AskedSimulator(tec, wires["tec"], rig.stepper))
            rig.lines.append(stamped(course, wires["log"], rig.stepper))
            logger = MqttLogger("bus", {"vapour": Quantity(course.sample, "degC")})
            publisher = Publisher("127.0.0.1", broker.port, "simulated", "probe/bus")
            rig.loggers.append(MqttLoggerSimulator(logger, publisher, rig.stepper))
            with rig:
                until(lambda: rig.stepper.now_ms > END_MIN * MINUTE, "the journey", 60)
                raised = 4 * len(SOURCES)
                until(lambda: len(of_alarms(receiver)) >= raised, f"{raised} notices", 30)
                until(lambda: value(store, "box-log") is not None, "the curve in the database", 30)
                board = Board(broker.port)
                sinks = {sink.id: sink.ok for sink in daemon.station.state().gateway.sinks}
                shown = board.read()
                now_ms = clock.utc_ms()
                spans = {
                    source: (f"box-{source}.vapour", now_ms - 2 * END_MIN * MINUTE, now_ms)
                    for source in SOURCES
                }
                curves = {source: daemon.station.series(*span, 1_000) for source, span in spans.items()}
        return Journey(
            site,
            read(site.journal),
            [request.content for request in receiver.requests],
            shown,
            board.read(),
            store.export(),
            sinks,
            {source: curve for source, curve in curves.items() if curve is not None},
        )


def of_alarms(receiver: Receiver) -> list[Any]:
    """The notices of raised limits so far."""
    said = [request.content.get("announcement", {}) for request in list(receiver.requests)]
    return [
        each for each in said if each.get("kind") == "raised" and each.get("alarm", "").startswith("box-")
    ]


def value(store: VictoriaMetrics, asset: str) -> Series | None:
    """The curve of a vessel in the database, once it reaches to the end of the journey."""
    found = store.export(f'temperature_value{{asset="{asset}"}}')
    return found[0] if found and len(found[0].points) >= END_MIN - 2 else None


def moments(raised: list[Announcement]) -> list[tuple[str, int | None, int | None]]:
    """Rule, since and due of each alarm, in order of becoming due."""
    return sorted(((one.rule, one.since_ms, one.due_ms) for one in raised), key=lambda one: (one[2], one[0]))


def test_live_equals_folded_again(journey: Journey) -> None:
    """Everything announced live comes out again, to the byte, from a fold of the journal from nothing."""
    assert_equal(journey.site.journal)
    assert len(journey.history.said) > 20


@pytest.mark.parametrize("source", SOURCES)
def test_each_source_raised_what_its_course_deserves(journey: Journey, source: str) -> None:
    """Two excursions above −150 °C, one of them above −165 °C long enough, and the sum of both."""
    rules = [one.rule for one in journey.history.raised(f"box-{source}") if one.rule != "silence"]
    assert sorted(rules) == ["time-too-warm", "too-warm", "too-warm", "warming"]


def nothing_was_late(history: History, source: str) -> bool:
    """Readings in event order, and none came after a deadline of its place that its event time precedes.

    A deadline runs in the channel's own time: so long after the newest reading's arrival as it lies after
    that reading's event. One that passed has fired, so it is among what was raised.
    """
    came = [
        (fact.at_ms, arrival_ms)
        for _, arrival_ms, fact in history.facts
        if isinstance(fact, Reading) and fact.channel == f"box-{source}.vapour" and fact.at_ms is not None
    ]
    dues = [one.due_ms for one in history.raised(f"box-{source}") if one.due_ms is not None]
    return all(
        before_ms < at_ms
        and not any(at_ms < due_ms <= before_ms + arrival_ms - before_arrival_ms for due_ms in dues)
        for (before_ms, before_arrival_ms), (at_ms, arrival_ms) in pairwise(came)
    )


def replayed(journey: Journey, source: str, tmp_path: Path) -> list[tuple[str, int, int]]:
    """What `coldchain replay` says of the readings in the journal, written to a file."""
    channel = f"box-{source}.vapour"
    offset_ms = next(f.offset_ms for f in journey.history.of(ClockSet) if f.offset_ms is not None)
    lines = ["time,vapour [°C]"]
    for _, arrival_ms, fact in journey.history.facts:
        if isinstance(fact, Reading) and fact.channel == channel:
            at_ms = fact.at_ms if fact.at_ms is not None else (fact.stamp_ms or arrival_ms) + offset_ms
            lines.append(f"{iso(at_ms)},{fact.raw if fact.bad is None else ''}")
    file = tmp_path / f"{source}.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    gap = "3m" if source in STAMPED else "90s"
    done = CliRunner().invoke(
        main,
        ["replay", str(file), "--profile", "dry-shipper-150", "--max-gap", gap, "--format", "json"],
        catch_exceptions=False,
    )
    assert done.exit_code == 1, done.output
    alarms = json.loads(done.output)["alarms"]
    found = [(a["rule"], ms(a["since"]), ms(a["raised"])) for a in alarms]
    return sorted(found, key=lambda one: (one[2], one[0]))


def iso(utc_ms: int) -> str:
    """With milliseconds."""
    moment = datetime.fromtimestamp(utc_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{utc_ms % 1000:03d}Z"


def ms(text: str) -> int:
    """The other way round."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize("source", STAMPED)
def test_replay_agrees_with_live_to_the_millisecond(journey: Journey, source: str, tmp_path: Path) -> None:
    """Where the source sends its time and nothing was late, a replay of its file is the live judgement."""
    assert nothing_was_late(journey.history, source), "the machine was too slow for this test"
    live = moments(journey.history.raised(f"box-{source}"))
    assert replayed(journey, source, tmp_path) == live


def test_replay_agrees_with_live_within_a_poll(journey: Journey, tmp_path: Path) -> None:
    """A TEC 3000 sends no time: same rules in the same order, times within one poll interval."""
    offset_ms = next(f.offset_ms for f in journey.history.of(ClockSet) if f.offset_ms is not None)
    live = moments(journey.history.raised("box-tec"))
    again = replayed(journey, "tec", tmp_path)
    assert [one[0] for one in again] == [one[0] for one in live]
    for (_, since, due), (rule, live_since, live_due) in zip(again, live, strict=True):
        assert live_since is not None
        assert live_due is not None
        assert abs(since - live_since - offset_ms) <= POLL_MS, rule
        assert abs(due - live_due - offset_ms) <= POLL_MS, rule


def test_a_room_is_told_of_everything_raised(journey: Journey) -> None:
    """Each alarm reaches the webhook as announced, recorded, marked simulated and unapproved."""
    told = {
        (n["position"], n["ordinal"]): n for n in journey.notices if n["announcement"]["kind"] == "raised"
    }
    for one in journey.history.said:
        if one.what.kind.value == "raised" and one.what.alarm.startswith("box-"):
            notice = next(n for (position, _), n in told.items() if position == one.position)
            assert notice["announced_ms"] == one.announced_ms
            assert (notice["simulated"], notice["unapproved"], notice["unrecorded"]) == (True, True, False)


def test_the_board_shows_how_things_stood(journey: Journey) -> None:
    """Retained state: latched alarms, values, "simulated" in each, a heartbeat, and "offline" at the end."""
    board = journey.board
    assert board["status"] == "online"
    assert board["heartbeat"]["position"] > 0
    for source in SOURCES:
        alarm = board[f"alarm/box-{source}/vapour/too-warm"]
        assert (alarm["state"], alarm["latched"], alarm["open"]) == (
            "return_to_normal_unacknowledged",
            True,
            [1, 2],
        )
        channel = board[f"channel/box-{source}.vapour"]
        assert channel["value"] == -182_000
        assert all(board[topic]["simulated"] for topic in board if topic.startswith(("alarm/box", "asset/")))
    assert journey.farewell["status"] == "offline"


def test_the_database_has_every_reading(journey: Journey) -> None:
    """Each GOOD reading is a point at its own time, marked simulated; so is each alarm."""
    for source in STAMPED:
        good = {
            fact.at_ms: float(fact.raw)
            for fact in journey.history.readings(f"box-{source}.vapour")
            if fact.bad is None
        }
        curve = next(
            s for s in journey.series
            if s.name == "temperature_value" and s.labels["asset"] == f"box-{source}"
        )  # fmt: skip
        assert curve.labels["simulated"] == "true"
        found = {at_ms: value for at_ms, value in curve.points if at_ms in good}
        assert len(found) >= END_MIN - 2
        assert found == {at_ms: good[at_ms] for at_ms in found}
    assert {
        s.labels["simulated"] for s in journey.series if "alarm" in s.labels and "box" in s.labels["alarm"]
    } == {"true"}


def test_a_dead_sink_is_said_and_delays_nobody(journey: Journey) -> None:
    """The sink that nobody answers is down; all others are up, and had everything while it was."""
    assert journey.sinks == {"room": True, "board": True, "series": True, "dead": False}


@pytest.mark.parametrize("source", SOURCES)
def test_the_page_s_curve_is_the_journey(journey: Journey, source: str) -> None:
    """Every value is in some column, each excursion has its extreme, and the limits stand beside it."""
    curve = journey.curves[source]
    good = [fact for fact in journey.history.readings(f"box-{source}.vapour") if fact.bad is None]
    assert sum(curve.drawn.count) in range(len(good) - 3, len(good) + 1)  # the last came after the look
    assert max(curve.drawn.high) == -140_000
    assert min(curve.drawn.low) == -182_000
    told = {one.excursion for one in journey.history.raised(f"box-{source}")}
    triggered = {each.id: each for each in curve.excursions if each.triggered}
    assert triggered.keys() == told
    assert {each.extreme for each in triggered.values()} == {-140_000, -149_500}
    assert {span.limit.limit for span in curve.limits} == {-165_000, -150_000}
    assert bool(curve.drawn.bad) is (source in STAMPED)
    assert curve.simulated
