"""One broker's messages: who claims them, what is told once, what happens without room."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from coldchain.driver import Maturity, MqttDriver
from coldchain.facts import Lost, Reading, Unreadable
from coldchain.model import Decoded, Measured, Origin, Reason
from coldchain.pipeline.intake import Folded
from coldchain.ports.inbox import (
    PAYLOAD_BYTES_MAX,
    UNCLAIMED_MAX,
    Inbox,
    Message,
    Verdict,
    covers,
    widest,
)
from coldchain.ports.outlet import Outlet, channels_of
from coldchain.ports.standing import Count, Standing
from tests.unit.ports.support import AnySettings, Desk, site


class Told(Exception):
    """What the driver below raises when it is told to."""


def decode(settings: AnySettings, topic: str, payload: bytes) -> Decoded:
    """The payload is the value; some words mean something else."""
    if payload == b"raise":
        raise Told("as asked")
    return () if payload == b"nothing" else (Measured("v", payload.decode("latin-1")[:20], "degC"),)


PLAIN = MqttDriver(
    name="plain",
    version="3",
    title="The payload is the value",
    maturity=Maturity.GENERIC,
    settings=AnySettings,
    topics=lambda s: (s.topic,),
    decode=decode,
    keys=lambda s: {"v": "degC"},
)

SITE = """
[brokers.local]
host = "127.0.0.1"
client_id = "gateway"

[sources.one]
driver = "plain"
broker = "local"
settings = { topic = "probe/1" }

[sources.all]
driver = "plain"
broker = "local"
settings = { topic = "probe/#" }
"""


def settled(_: Folded) -> None:
    """Nothing to do."""


def make(tmp_path: Path, desk: Desk) -> Inbox:
    """Source one reads probe/1, source all reads everything below probe."""
    loaded = site(tmp_path, SITE, {"box.1": ("one", "v"), "box.2": ("all", "v")}, {"plain": PLAIN})
    outlets = tuple(
        Outlet(source, channels_of(loaded, source.id), Standing(source, desk.intake, desk.clock), desk.clock)
        for source in loaded.sources.values()
    )
    return Inbox("local", outlets, desk.intake, desk.clock)


def test_a_message_goes_to_everybody_who_claims_its_topic(tmp_path: Path) -> None:
    """Two sources read it: their facts go in together and are acknowledged together."""
    desk = Desk()
    inbox = make(tmp_path, desk)
    assert inbox.filters == ("probe/#",), "the other lies within it, and would bring each message twice"
    assert [outlet.source.id for outlet in inbox.of_filter("probe/#")] == ["one", "all"]
    assert inbox.take(Message("probe/1", b"-5"), settled) is Verdict.TAKEN
    assert inbox.take(Message("probe/2", b"-6"), settled) is Verdict.TAKEN
    assert [(r.source, r.channel, r.raw) for r in desk.readings] == [
        ("one", "box.1", "-5"),
        ("all", "box.2", "-5"),
        ("all", "box.2", "-6"),
    ]
    assert len(desk.items) == 2


@pytest.mark.parametrize(
    ("wide", "narrow", "so"),
    [
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("a/#", "a/+", True),
        ("a/#", "a/#", True),
        ("a/#", "ab/c", False),
        ("#", "a/b", True),
        ("#", "$SYS/b", False),
        ("+/b", "$SYS/b", False),
        ("$SYS/#", "$SYS/b", True),
        ("a/+", "a/b", True),
        ("a/+", "a/+", True),
        ("a/+", "a/#", False),
        ("a/+", "a/b/c", False),
        ("a/+/c", "a/b/c", True),
        ("a/b", "a/+", False),
        ("a/b/c", "a/b", False),
        ("+/+", "a/", True),
    ],
)
def test_one_filter_within_another(wide: str, narrow: str, so: bool) -> None:
    """Only what the other surely brings as well is left out."""
    assert covers(wide, narrow) is so


LEVELS = st.lists(st.sampled_from(["a", "b", "+", "", "$x"]), min_size=1, max_size=3)
FILTERS = st.tuples(LEVELS, st.booleans()).map(lambda f: "/".join([*f[0], "#"] if f[1] else f[0]))
TOPICS = st.lists(st.sampled_from(["a", "b", "", "$x"]), min_size=1, max_size=4).map("/".join)


@given(st.lists(FILTERS, unique=True, max_size=6), st.lists(TOPICS, max_size=30))
def test_leaving_filters_out_changes_nothing_that_comes(filters: list[str], topics: list[str]) -> None:
    """Whoever's filter matches a topic hears it through what is subscribed."""
    wide = widest(tuple(filters))
    for topic in topics:
        for topic_filter in filters:
            if topic and topic_matches_sub(topic_filter, topic):
                assert topic_matches_sub(wide[topic_filter], topic)


@pytest.mark.parametrize(("retain", "dup"), [(False, False), (True, False), (False, True), (True, True)])
def test_flags(tmp_path: Path, retain: bool, dup: bool) -> None:
    """A retained message never looks fresh, and a repeat is known as one."""
    desk = Desk()
    make(tmp_path, desk).take(Message("probe/2", b"1", retain=retain, dup=dup), settled)
    (reading,) = desk.readings
    assert (reading.origin, reading.dup) == (Origin.RETAINED if retain else Origin.LIVE, dup)


def test_nothing_of_ours_needs_no_commit(tmp_path: Path) -> None:
    """A message that says nothing for us is no fact, and may be acknowledged in its turn."""
    desk = Desk()
    inbox = make(tmp_path, desk)
    assert inbox.take(Message("probe/2", b"nothing"), settled) is Verdict.NOTHING
    assert desk.look() == []
    assert inbox.outlets[1].standing.counts[Count.FRAMES] == 1


@pytest.mark.parametrize("topic", ["elsewhere/7", ""], ids=["a topic of nobody", "a topic that is no UTF-8"])
def test_what_nobody_claims_is_told_once_a_topic(tmp_path: Path, topic: str) -> None:
    """It is a fact the first time, with the topic as its key, and counted afterwards."""
    desk = Desk()
    inbox = make(tmp_path, desk)
    assert inbox.take(Message(topic, b"hello"), settled) is Verdict.TAKEN
    assert inbox.take(Message(topic, b"again"), settled) is Verdict.NOTHING
    (fact,) = desk.unreadable
    assert fact == Unreadable(
        "broker:local",
        Reason.UNEXPECTED_REPLY,
        sha256(b"hello").hexdigest(),
        5,
        b"hello".hex(),
        topic or "a topic that is no UTF-8",
    )
    assert inbox.unclaimed.total() == 2


def test_a_million_topics_of_nobody_cost_bounded_memory(tmp_path: Path) -> None:
    """Beyond a thousand they are counted together and written down no more."""
    desk = Desk()
    inbox = make(tmp_path, desk)
    for number in range(UNCLAIMED_MAX + 500):
        inbox.take(Message(f"x/{number}", b""), settled)
    assert len(desk.unreadable) == UNCLAIMED_MAX
    assert inbox.unclaimed.total() == UNCLAIMED_MAX + 500
    assert len(inbox.unclaimed) == UNCLAIMED_MAX + 1


def test_a_payload_too_large_for_anybody_is_shown_to_no_driver(tmp_path: Path) -> None:
    """It is a fact with its size and hash; one byte less is read."""
    desk = Desk()
    inbox = make(tmp_path, desk)
    large = b"7" * (PAYLOAD_BYTES_MAX + 1)
    inbox.take(Message("probe/2", large), settled)
    (fact,) = desk.unreadable
    assert (fact.source, fact.reason, fact.size) == ("all", Reason.OVERSIZED_FRAME, len(large))
    inbox.take(Message("probe/2", large[1:]), settled)
    assert len(desk.readings) == 1


def test_a_driver_that_raises_costs_its_own_source_that_message(tmp_path: Path) -> None:
    """The message is a fact and is acknowledged, or it would come again for ever."""
    desk = Desk()
    inbox = make(tmp_path, desk)
    for outlet in inbox.outlets:
        outlet.connected("open")
    assert inbox.take(Message("probe/2", b"raise"), settled) is Verdict.TAKEN
    (fact,) = desk.unreadable
    assert (fact.source, fact.reason) == ("all", Reason.CORRUPT_FRAME)
    assert [(down.source, down.why) for down in desk.downs] == [
        ("all", "driver plain 3 raised Told: as asked")
    ]
    assert inbox.take(Message("probe/2", b"1"), settled) is Verdict.TAKEN


def test_without_room_qos_1_is_refused_and_qos_0_is_lost(tmp_path: Path) -> None:
    """What the broker sends again is put off; what it does not is counted, and told when there is room."""
    desk = Desk(capacity=3)
    inbox = make(tmp_path, desk)
    desk.takes = False
    for number in range(3):
        assert inbox.take(Message("probe/2", b"%d" % number), settled) is Verdict.TAKEN
    assert inbox.take(Message("probe/2", b"3"), settled) is Verdict.REFUSED
    for _ in range(5):
        assert inbox.take(Message("probe/1", b"4", qos=0), None) is Verdict.REFUSED
    inbox.tick()
    desk.takes = True
    assert [r.raw for r in desk.readings] == ["0", "1", "2"]
    inbox.tick()
    assert [(fact.source, fact.count) for fact in desk.lost] == [("one", 5), ("all", 5)]
    one, everything = (outlet.standing.counts for outlet in inbox.outlets)
    assert (everything[Count.PUT_OFF], everything[Count.LOST], one[Count.LOST]) == (1, 5, 5)
    assert everything[Count.READINGS] == 3, "what was not taken is not counted as taken"


def test_what_was_lost_is_told_at_the_end_room_or_not(tmp_path: Path) -> None:
    """A port that is stopped meanwhile leaves no loss untold."""
    desk = Desk()
    desk.intake.hold(True)
    inbox = make(tmp_path, desk)
    inbox.take(Message("probe/2", b"1", qos=0), None)
    inbox.finish()
    assert desk.look() == [Lost("all", 1, desk.lost[0].why)]


def test_a_run_that_is_over_hands_nothing_in(tmp_path: Path) -> None:
    """A driver that comes back after its port was given up finds no way in."""
    desk = Desk()
    inbox = make(tmp_path, desk)
    inbox.outlets[1].close()
    assert inbox.take(Message("probe/2", b"1"), settled) is Verdict.REFUSED
    assert [fact for fact in desk.look() if isinstance(fact, Reading)] == []
