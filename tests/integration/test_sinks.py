"""All kinds of sink on one journal, with real receivers: what one of them suffers no other feels."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from coldchain import announcements, facts
from coldchain.announcements import Announcement
from coldchain.clock import SystemClock
from coldchain.config.endpoints import BrokerSettings, InfluxSink, MqttStateSink, WebhookSink
from coldchain.journal import Batch, Entry
from coldchain.model import Priority
from coldchain.sinks.base import AlarmNow, Present, Surroundings, installed
from coldchain.sinks.hub import Configured, Sinks
from coldchain.sinks.thread import News
from tests.integration.test_sink_mqtt import PREFIX, Board
from tests.integration.test_sink_webhook import Receiver
from tests.servers import Mosquitto, VictoriaMetrics, wait_until
from tests.unit.sinks.world import HIGH, NOON, World, raised, reading, reports


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.begin()
    yield world
    world.close()


@pytest.fixture
def rooms() -> Iterator[list[Receiver]]:
    """Two receivers of notices."""
    both = [Receiver().start(), Receiver().start()]
    yield both
    for each in both:
        each.stop()


class Gateway:
    """A journal, and sinks as the configuration would make them."""

    def __init__(
        self, world: World, store: VictoriaMetrics, broker: Mosquitto, rooms: list[Receiver]
    ) -> None:
        self.world = world
        self.present: Present | None = None
        self.clock = SystemClock(trusted=True)
        self.kept, report = reports()
        local = BrokerSettings(host="127.0.0.1", port=broker.port, client_id="gateway-7")
        kinds = installed()

        def configured(name: str, settings: Any) -> Configured:
            around = Surroundings(
                name=name, site="cell-bank", clock=self.clock, broker=lambda name: local, random=Random(1)
            )
            return Configured(
                kind=kinds[settings.kind], settings=settings, around=around, unrecorded=settings.unrecorded
            )

        series = {"kind": "influx", "url": store.url, "bucket": "coldchain"}
        board = {"kind": "mqtt_state", "broker": "local", "topic_prefix": PREFIX}
        room = {"kind": "webhook", "url": rooms[0].url, "unrecorded": True}
        office = {"kind": "webhook", "url": rooms[1].url}
        made = [
            configured("series", InfluxSink.model_validate(series)),
            configured("board", MqttStateSink.model_validate(board)),
            configured("room", WebhookSink.model_validate(room)),
            configured("office", WebhookSink.model_validate(office)),
        ]
        self.sinks = Sinks(
            made,
            journal_id=world.journal.journal_id,
            open_journal=world.deliveries,
            present=lambda: self.present,
            clock=self.clock,
            random=Random(1),
            report=report,
        )
        self.sinks.start()

    def commit(self, fact: facts.Fact, *said: Announcement) -> list[str]:
        """What the writer does; the answer is the keys of the notices."""
        self.world.position += 1
        position, arrival_ms = self.world.position, self.clock.journal_ms()
        notices = self.sinks.notices(position, arrival_ms, list(said))
        entry = Entry(position, arrival_ms, facts.encode(fact), tuple(map(announcements.encode, said)))
        self.world.journal.commit(Batch((entry,), notices=tuple(notices)))
        alarms = tuple(
            AlarmNow(each.alarm, Priority.CRITICAL, each.state, True, each.since_ms) for each in said
        )
        self.present = Present(position, arrival_ms, NOON, alarms=alarms)
        self.sinks.wake()
        return list(dict.fromkeys(each.id for each in notices))


@pytest.fixture
def gateway(
    world: World, victoria_metrics: VictoriaMetrics, mosquitto: Mosquitto, rooms: list[Receiver]
) -> Iterator[Gateway]:
    gateway = Gateway(world, victoria_metrics, mosquitto, rooms)
    yield gateway
    assert gateway.sinks.stop() == []


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
    wait_until(lambda: all(each.up for each in gateway.sinks.status()), what="all are up")


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
    """The room marked for it hears at once that it is not recorded; recorded later, nobody is called twice."""
    first = gateway.commit(reading(NOON), raised(1))
    wait_until(lambda: rooms[0].keys() == first, what="up")
    position = gateway.world.position + 1
    said = raised(2)
    now_ms = gateway.clock.journal_ms()
    (notice, _) = gateway.sinks.notices(position, now_ms, [said])
    gateway.sinks.urgent([(position, now_ms, said)])
    wait_until(lambda: rooms[0].keys() == [*first, notice.id], what="the room hears it")
    assert rooms[0].requests[-1].content["unrecorded"] is True
    assert rooms[0].requests[-1].content["text"].startswith("[NOT RECORDED]")
    assert gateway.commit(reading(NOON + 1), said) == [notice.id]
    wait_until(lambda: rooms[1].keys() == [*first, notice.id], what="the office hears it when it is recorded")

    def settled() -> bool:
        with gateway.world.deliveries() as journal:
            return journal.backlog("room").count == 0

    wait_until(settled, what="the room's notice is settled")
    assert rooms[0].keys() == [*first, notice.id]


def test_what_is_down_says_so_once(gateway: Gateway, rooms: list[Receiver]) -> None:
    """A room that goes and comes is one report each way, with the reason and the mend."""
    rooms[0].stop()
    gateway.commit(reading(NOON), raised())
    wait_until(
        lambda: any(r.sink == "room" and r.news is News.DOWN for r in gateway.kept), what="reported down"
    )
    (status,) = [each for each in gateway.sinks.status() if each.sink == "room"]
    assert (status.up, bool(status.why), bool(status.mend)) == (False, True, True)
    rooms[0].start()
    wait_until(
        lambda: [r.news for r in gateway.kept if r.sink == "room"][-1:] == [News.UP], what="reported up"
    )
    assert [r.news for r in gateway.kept if r.sink == "room" and r.news is News.DOWN] == [News.DOWN]
