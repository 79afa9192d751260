"""What every sink shares: what calls people, what is installed, and what happens when one cannot start."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from coldchain.alarms import AlarmState
from coldchain.announcements import Announcement, Kind
from coldchain.clock import SystemClock
from coldchain.config.credentials import read_secret
from coldchain.config.endpoints import (
    AlertmanagerSink,
    InfluxSink,
    MailSink,
    MqttStateSink,
    SmsSink,
    WebhookSink,
)
from coldchain.model import Priority
from coldchain.sinks import influx, mqtt_state, webhook
from coldchain.sinks.backoff import Backoff
from coldchain.sinks.base import CannotStart, Category, Surroundings, calls_people, installed, wants
from coldchain.sinks.notice_drain import NoticeDrain
from coldchain.sinks.thread import Drain, Reporter, SinkThread
from tests.servers import wait_until
from tests.unit.sinks.world import World, raised


@pytest.mark.parametrize(
    ("said", "calls"),
    [
        pytest.param(raised(), True, id="raised"),
        pytest.param(raised(state=AlarmState.SHELVED.value), False, id="raised on the shelf"),
        pytest.param(
            Announcement(Kind.SHELVED, alarm="a", state=AlarmState.SHELVED.value), True, id="put on the shelf"
        ),
        pytest.param(
            Announcement(Kind.RETURNED, alarm="a", state=AlarmState.OUT_OF_SERVICE.value),
            False,
            id="returned during maintenance",
        ),
        pytest.param(Announcement(Kind.REFUSED, alarm="a"), False, id="a refused request"),
        pytest.param(Announcement(Kind.WORK_BEGAN, text="by_person"), True, id="somebody hides alarms"),
        pytest.param(Announcement(Kind.WORK_ENDED, text="by_person"), True, id="and says that it is done"),
        pytest.param(Announcement(Kind.WORK_BEGAN, text="by_readings"), False, id="an ordinary filling"),
        pytest.param(Announcement(Kind.BLIND_BEGAN, subject="box/vapour"), False, id="a place is blind"),
        pytest.param(
            Announcement(Kind.SUPPRESSED, alarm="a", state=AlarmState.SUPPRESSED.value), False, id="hidden"
        ),
        pytest.param(
            Announcement(Kind.OUT_OF_SERVICE, alarm="a", state=AlarmState.OUT_OF_SERVICE.value),
            False,
            id="hidden for service",
        ),
        pytest.param(
            Announcement(Kind.IN_SERVICE, alarm="a", state=AlarmState.NORMAL.value), False, id="back, calm"
        ),
        pytest.param(
            Announcement(Kind.UNSUPPRESSED, alarm="a", state=AlarmState.UNACKNOWLEDGED.value),
            True,
            id="back, and it lasts",
        ),
        pytest.param(Announcement(Kind.NOTE, text="not_running"), True, id="a note about ourselves"),
    ],
)
def test_what_calls_people(said: Announcement, calls: bool) -> None:
    """Nobody is called for what happens out of sight, nor for a request that was refused."""
    assert calls_people(said) is calls


@pytest.mark.parametrize(
    ("priority", "wanted"),
    [(Priority.CRITICAL, True), (Priority.HIGH, True), (Priority.LOW, False), (None, True)],
)
def test_a_webhook_gets_its_priorities(priority: Priority | None, wanted: bool) -> None:
    """A webhook for the night gets what it was set up for; what has no priority is not filtered by it."""
    settings = WebhookSink(
        kind="webhook", url="http://127.0.0.1/", priorities=(Priority.CRITICAL, Priority.HIGH)
    )
    assert wants(settings, raised(priority=priority)) is wanted


def test_a_sink_that_cannot_start_is_down_with_its_mend(world: World) -> None:
    """One wrong table in the configuration takes one sink away, not the gateway."""
    settings = WebhookSink(kind="webhook", url="http://127.0.0.1/", token_env="NOT_SET")
    around = Surroundings(
        name="room",
        site="x",
        clock=SystemClock(),
        secret=lambda file, variable: read_secret(file, variable, base=Path(), environ={}),
    )

    def make(report: Reporter) -> Drain:
        sink = webhook.Webhook(settings, around)
        return NoticeDrain("room", sink, world.deliveries, SystemClock(), Backoff(Random(1)), report)

    thread = SinkThread("room", make, clock=SystemClock(), backoff=Backoff(Random(1)))
    thread.start()
    wait_until(lambda: thread.status.up is False, what="down")
    assert "NOT_SET" in thread.status.why
    assert "set it for the service" in thread.status.mend
    assert thread.stop()


def test_a_board_without_its_broker_says_so() -> None:
    """A broker that no table describes is a matter of the configuration, said by its name."""
    settings = MqttStateSink(kind="mqtt_state", broker="local")
    around = Surroundings(name="board", site="x", clock=SystemClock(), broker={}.__getitem__)
    with pytest.raises(CannotStart, match="there is no local"):
        mqtt_state.MqttState(settings, around)


def test_the_sinks_are_installed() -> None:
    """Each is found by its entry point, under its own name, with the settings the configuration knows."""
    kinds = installed()
    assert {name: each.settings for name, each in kinds.items()} == {
        "alertmanager": AlertmanagerSink,
        "influx": InfluxSink,
        "mail": MailSink,
        "mqtt_state": MqttStateSink,
        "sms": SmsSink,
        "webhook": WebhookSink,
    }
    assert kinds["influx"] is influx.SINK
    assert kinds["mqtt_state"] is mqtt_state.SINK
    assert {each.category for each in kinds.values()} == set(Category)


def test_a_gateway_without_influx_does_not_pay_for_it() -> None:
    """Finding the sinks does not import the client library: 14 MB that most gateways never need."""
    code = (
        "import sys; from coldchain.sinks.base import installed; installed();"
        "print('influxdb_client' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "False"
