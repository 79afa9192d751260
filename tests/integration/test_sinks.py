"""All kinds of sink on one journal, with real receivers: what one of them suffers no other feels."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from coldchain import facts
from coldchain.announcements import Announcement
from coldchain.clock import SystemClock
from coldchain.config.endpoints import BrokerSettings, InfluxSink, MqttStateSink, WebhookSink
from coldchain.model import Priority
from coldchain.sinks.backoff import Backoff
from coldchain.sinks.base import AlarmNow, Category, Message, Present, Surroundings, installed
from coldchain.sinks.log_drain import LogDrain
from coldchain.sinks.notice_drain import NoticeDrain
from coldchain.sinks.state_drain import StateDrain
from coldchain.sinks.thread import Drain, News, Reporter, SinkThread
from tests.integration.test_sink_mqtt import PREFIX, Board
from tests.servers import Mosquitto, VictoriaMetrics, wait_until
from tests.servers.receiver import Receiver
from tests.unit.sinks.world import HIGH, NOON, World, raised, reading, reports

ROOMS = ("room", "office")


@pytest.fixture
def rooms() -> Iterator[list[Receiver]]:
    """Two receivers of notices."""
    both = [Receiver().start(), Receiver().start()]
    yield both
    for each in both:
        each.stop()


class Gateway:
    """A journal, and a thread for each sink, as the daemon has them."""

    def __init__(
        self, world: World, store: VictoriaMetrics, broker: Mosquitto, rooms: list[Receiver]
    ) -> None:
        self.world = world
        self.present: Present | None = None
        self.clock = SystemClock(trusted=True)
        self.kept, self.report = reports()
        self.local = BrokerSettings(host="127.0.0.1", port=broker.port, client_id="gateway-7")
        series = {"kind": "influx", "url": store.url, "bucket": "coldchain"}
        board = {"kind": "mqtt_state", "broker": "local", "topic_prefix": PREFIX}
        self.threads = {
            "series": self.thread("series", InfluxSink.model_validate(series)),
            "board": self.thread("board", MqttStateSink.model_validate(board)),
        }
        for name, room in zip(ROOMS, rooms, strict=True):
            settings = {"kind": "webhook", "url": room.url}
            self.threads[name] = self.thread(name, WebhookSink.model_validate(settings))
        for thread in self.threads.values():
            thread.start()

    def thread(self, name: str, settings: InfluxSink | MqttStateSink | WebhookSink) -> SinkThread:
        """The thread of one sink."""
        around = Surroundings(
            name=name, site="cell-bank", clock=self.clock, broker=lambda name: self.local, random=Random(1)
        )
        kind = installed()[settings.kind]

        def make(report: Reporter) -> Drain:
            sink: Any = kind.make(settings, around)
            match kind.category:
                case Category.LOG:
                    return LogDrain(name, sink, self.world.deliveries, self.clock, report)
                case Category.NOTICE:
                    backoff = Backoff(Random(2))
                    return NoticeDrain(name, sink, self.world.deliveries, self.clock, backoff, report)
                case Category.STATE:
                    return StateDrain(sink, lambda: self.present, self.clock)

        backoff = Backoff(Random(1), first_s=0.05, longest_s=0.5)
        return SinkThread(name, make, clock=self.clock, backoff=backoff, report=self.report)

    def commit(self, fact: facts.Fact, *said: Announcement) -> list[str]:
        """What the writer does; the answer is the keys of the notices."""
        self.world.arrival_ms = self.clock.journal_ms()
        position = self.world.add(fact, said=said, sinks=ROOMS)
        alarms = tuple(
            AlarmNow(each.alarm, Priority.CRITICAL, each.state, True, each.since_ms) for each in said
        )
        self.present = Present(position, self.world.arrival_ms, NOON, alarms=alarms)
        for thread in self.threads.values():
            thread.wake()
        return [f"n{position}-{ordinal}" for ordinal in range(len(said))]


@pytest.fixture
def gateway(
    world: World, victoria_metrics: VictoriaMetrics, mosquitto: Mosquitto, rooms: list[Receiver]
) -> Iterator[Gateway]:
    gateway = Gateway(world, victoria_metrics, mosquitto, rooms)
    yield gateway
    for thread in gateway.threads.values():
        thread.ask_to_stop()
    assert [name for name, thread in gateway.threads.items() if not thread.stop()] == []


def test_one_alarm_reaches_all(
    gateway: Gateway, victoria_metrics: VictoriaMetrics, mosquitto: Mosquitto, rooms: list[Receiver]
) -> None:
    """A reading that raises an alarm is a row, a state, and a message in two rooms under one key."""
    keys = gateway.commit(reading(NOON, "-146.2"), raised())
    wait_until(lambda: rooms[0].keys() == rooms[1].keys() == keys, what="both rooms know")
    wait_until(lambda: f"alarm/{HIGH}" in Board(mosquitto.port).read(), what="the board shows it")
    wait_until(lambda: bool(victoria_metrics.export("alarm_state")), what="the row is there")
    (series,) = victoria_metrics.export("temperature_value")
    assert series.points == ((NOON, -146.2),)
    wait_until(lambda: all(each.status.up for each in gateway.threads.values()), what="all are up")


def test_the_dead_do_not_delay_the_living(
    gateway: Gateway, victoria_metrics: VictoriaMetrics, mosquitto: Mosquitto, rooms: list[Receiver]
) -> None:
    """With the database frozen, the broker dead and one room hanging, the other room hears every alarm."""
    victoria_metrics.freeze()
    mosquitto.kill()
    rooms[0].hang.clear()
    keys = [key for n in range(30) for key in gateway.commit(reading(NOON + n), raised(n))]
    wait_until(lambda: rooms[1].keys() == keys, what="the other room has heard all", deadline_s=5)
    assert len(rooms[0].keys()) <= 1
    victoria_metrics.thaw()
    rooms[0].hang.set()
    mosquitto.start()
    wait_until(lambda: rooms[0].keys() == keys, what="the hanging room has heard all")
    wait_until(lambda: f"alarm/{HIGH}" in Board(mosquitto.port).read(), what="the board is back")
    wait_until(
        lambda: sum(len(each.points) for each in victoria_metrics.export("temperature_value")) == 30,
        what="every row is there",
    )


def test_an_alarm_that_cannot_be_recorded(gateway: Gateway, rooms: list[Receiver]) -> None:
    """A room hears at once what is not recorded; when it is recorded later it is not called again."""
    first = gateway.commit(reading(NOON), raised(1))
    wait_until(lambda: rooms[0].keys() == first, what="up")
    position, now_ms = gateway.world.position + 1, gateway.clock.journal_ms()
    key = f"n{position}-0"
    gateway.threads[ROOMS[0]].urge(Message(key, position, 0, raised(2), now_ms, None, 0, unrecorded=True))
    own = f"{key}-unrecorded-{now_ms}"
    wait_until(lambda: rooms[0].keys() == [*first, own], what="the room hears it")
    assert rooms[0].requests[-1].content["unrecorded"] is True
    assert rooms[0].requests[-1].content["text"].startswith("[NOT RECORDED]")
    assert gateway.commit(reading(NOON + 1), raised(2)) == [key]
    wait_until(lambda: rooms[1].keys() == [*first, key], what="the office hears it when it is recorded")

    def settled() -> bool:
        with gateway.world.deliveries() as journal:
            return journal.backlog("room").count == 0

    wait_until(settled, what="the room's notice is settled")
    assert rooms[0].keys() == [*first, own]


def test_what_is_down_says_so_once(gateway: Gateway, rooms: list[Receiver]) -> None:
    """A room that goes and comes is one report each way, with the reason and the mend."""
    rooms[0].stop()
    gateway.commit(reading(NOON), raised())
    wait_until(
        lambda: any(r.sink == "room" and r.news is News.DOWN for r in gateway.kept), what="reported down"
    )
    status = gateway.threads["room"].status
    assert (status.up, bool(status.why), bool(status.mend)) == (False, True, True)
    rooms[0].start()
    wait_until(
        lambda: [r.news for r in gateway.kept if r.sink == "room"][-1:] == [News.UP], what="reported up"
    )
    assert [r.news for r in gateway.kept if r.sink == "room" and r.news is News.DOWN] == [News.DOWN]
