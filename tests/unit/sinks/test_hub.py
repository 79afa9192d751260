"""The hub: which announcements become notices, under which keys, and what leaves unrecorded."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from pydantic import BaseModel

from coldchain.alarms import AlarmState
from coldchain.announcements import Announcement, Kind
from coldchain.clock import SystemClock
from coldchain.config.endpoints import InfluxSink, MqttStateSink, WebhookSink
from coldchain.facts import Beat
from coldchain.model import Priority
from coldchain.sinks import influx, mqtt_state, webhook
from coldchain.sinks.base import (
    Category,
    Message,
    Present,
    Sink,
    SinkKind,
    Surroundings,
    calls_people,
    installed,
)
from coldchain.sinks.hub import Configured, Sinks
from tests.servers import wait_until
from tests.unit.sinks.world import People, World, raised


class NoSettings(BaseModel):
    """None."""


class Board:
    """A state sink that keeps what it was shown."""

    refresh_ms = 60_000

    def __init__(self) -> None:
        self.shown: list[Present] = []
        self.told: list[Message] = []

    def show(self, present: Present, *, all_of_it: bool) -> None:
        self.shown.append(present)

    def lost(self) -> bool:
        return False

    def tell(self, message: Message) -> str:
        self.told.append(message)
        return "shown"

    def close(self) -> None:
        pass


def kind(category: Category, sink: Sink) -> SinkKind:
    return SinkKind(
        name="demo",
        title="",
        category=category,
        settings=NoSettings,
        make=lambda settings, around: sink,
        wants=lambda settings, announcement: calls_people(announcement),
    )


class Site:
    """A hub over a journal: two ways to people, one of them for unrecorded alarms, and a board."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.room, self.siren, self.board = People(), People(), Board()
        self.present = Present(0, 0, None)
        clock = SystemClock(trusted=True)

        def configured(name: str, category: Category, sink: Any, unrecorded: bool) -> Configured:
            around = Surroundings(name=name, site="cell-bank", clock=clock)
            return Configured(
                kind=kind(category, sink), settings=NoSettings(), around=around, unrecorded=unrecorded
            )

        self.sinks = Sinks(
            [
                configured("room", Category.NOTICE, self.room, False),
                configured("siren", Category.NOTICE, self.siren, True),
                configured("board", Category.STATE, self.board, True),
            ],
            journal_id=world.journal.journal_id,
            open_journal=world.deliveries,
            present=lambda: self.present,
            clock=clock,
            random=Random(1),
        )


@pytest.fixture
def site(world: World) -> Iterator[Site]:
    site = Site(world)
    yield site
    assert site.sinks.stop() == []


def test_each_announcement_is_a_notice_per_way_to_people(site: Site) -> None:
    """Notice sinks get rows of the outbox; boards and logs read for themselves."""
    notices = site.sinks.notices(7, 0, [raised(1), raised(2)])
    assert [(each.sink, each.position, each.ordinal) for each in notices] == [
        ("room", 7, 0),
        ("room", 7, 1),
        ("siren", 7, 0),
        ("siren", 7, 1),
    ]
    assert len({each.id for each in notices}) == 2, "one key per announcement, the same for every receiver"


def test_keys_are_unique_among_gateways(site: Site, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Two gateways at the same position of their journals do not look like one to a receiver."""
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other")
    far = Site(other)
    assert site.sinks.notices(7, 0, [raised()])[0].id != far.sinks.notices(7, 0, [raised()])[0].id
    far.sinks.stop()
    other.close()


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
    assert webhook.wants(settings, raised(priority=priority)) is wanted


def test_unrecorded_alarms_go_where_they_are_wanted(site: Site) -> None:
    """Only sinks marked for it get what the journal could not take, marked as such, under its later key."""
    said = [raised(1), raised(2)]
    later = site.sinks.notices(7, 500, said)
    site.sinks.start()
    site.sinks.urgent([(7, 500, said[1])])
    wait_until(lambda: bool(site.siren.told and site.board.told), what="the unrecorded alarm")
    (message,) = site.siren.told
    assert (message.unrecorded, message.announced_ms) == (True, 500)
    assert message.key == later[3].id
    assert site.room.told == []


def test_the_journals_own_alarm_has_a_key_too(site: Site) -> None:
    """ "Journal not writable" is no fact's announcement: it goes out under a key that no notice will have."""
    root = raised(alarm="gateway/journal", rule="journal")
    keys = {each.id for each in site.sinks.notices(7, 0, [raised(1)])}
    site.sinks.start()
    site.sinks.urgent([(7, 0, root)])
    wait_until(lambda: bool(site.siren.told), what="the root alarm")
    assert site.siren.told[0].key not in keys


def test_recorded_after_all_is_not_told_twice(site: Site) -> None:
    """When the journal can be written again the siren's notice is settled; the room hears it then."""
    said = [raised(1)]
    site.sinks.start()
    site.sinks.urgent([(1, 0, said[0])] if site.sinks.notices(1, 0, said) else [])
    wait_until(lambda: bool(site.siren.told), what="told unrecorded")
    from coldchain import announcements, facts
    from coldchain.journal import Batch, Entry

    notices = site.sinks.notices(1, 0, said)
    entry = Entry(1, 0, facts.encode(Beat()), (announcements.encode(said[0]),))
    site.world.journal.commit(Batch((entry,), notices=tuple(notices)))
    site.sinks.wake()
    wait_until(lambda: bool(site.room.told), what="the room hears it")

    def done() -> bool:
        with site.world.deliveries() as journal:
            return journal.backlog("siren").count == 0

    wait_until(done, what="the siren's notice settled")
    assert len(site.siren.told) == 1


def test_a_board_is_shown_the_present(site: Site) -> None:
    """At the start, and when something was committed."""
    site.sinks.start()
    wait_until(lambda: bool(site.board.shown), what="the first look")
    site.present = Present(5, 0, None)
    site.sinks.wake()
    wait_until(lambda: site.board.shown[-1].position == 5, what="the change")
    assert site.sinks.alive()


def test_a_sink_that_cannot_start_is_down_with_its_mend(world: World) -> None:
    """One wrong table in the configuration takes one sink away, not the gateway."""

    def make(settings: object, around: Surroundings) -> Sink:
        return webhook.Webhook(
            WebhookSink(kind="webhook", url="http://127.0.0.1/", token_env="NOT_SET"), around
        )

    from pathlib import Path

    from coldchain.config.credentials import read_secret

    around = Surroundings(
        name="room",
        site="x",
        clock=SystemClock(),
        secret=lambda file, variable: read_secret(file, variable, base=Path(), environ={}),
    )
    broken = replace(kind(Category.NOTICE, People()), make=make)
    sinks = Sinks(
        [Configured(kind=broken, settings=NoSettings(), around=around)],
        journal_id=b"1",
        open_journal=world.deliveries,
        present=lambda: None,
        clock=SystemClock(),
        random=Random(1),
    )
    sinks.start()
    wait_until(lambda: sinks.status()[0].up is False, what="down")
    assert "NOT_SET" in sinks.status()[0].why
    assert "set it for the service" in sinks.status()[0].mend
    assert sinks.stop() == []


def test_three_sinks_are_installed() -> None:
    """Each is found by its entry point, under its own name, with the settings the configuration knows."""
    kinds = installed()
    assert {name: each.settings for name, each in kinds.items()} == {
        "influx": InfluxSink,
        "mqtt_state": MqttStateSink,
        "webhook": WebhookSink,
    }
    assert kinds["influx"] is influx.SINK
    assert kinds["mqtt_state"] is mqtt_state.SINK
    assert {each.category for each in kinds.values()} == set(Category)
