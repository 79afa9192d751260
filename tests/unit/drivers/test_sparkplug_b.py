"""sparkplug_b: a whole host application, as a function of what happens to it."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain.session import Now, Publication, Received, Turn
from coldchain_drivers.sparkplug_b import DRIVER
from coldchain_drivers.sparkplug_payload import Metric, Payload, Type, read, write

T = 1_700_000_000_000
VAPOUR = {
    "key": "vapour",
    "group": "Bank",
    "edge_node": "Line1",
    "device": "Freezer3",
    "metric": "Temperature/Vapor",
    "unit": "degC",
}
LID = {"key": "lid", "group": "Bank", "edge_node": "Line1", "metric": "Lid", "unit": "open"}


def settings(**more: Any) -> Any:
    return DRIVER.settings.model_validate({"host_id": "gw7", "metrics": [VAPOUR, LID]} | more)


READY = settings()


def temperature(value: float | None, at_ms: int = T, *, alias: int | None = 7, **more: Any) -> Metric:
    """The vapour's temperature by its number, as data carries it."""
    return Metric(alias=alias, at_ms=at_ms, raw=value, **more)


def born(value: float = -182.4, **more: Any) -> Metric:
    """The same in a birth: name, number, datatype."""
    return Metric("Temperature/Vapor", 7, T, Type.DOUBLE, raw=value, **more)


class Host:
    """A host that lives through a story; `at` is boot time in ms, and UTC too."""

    def __init__(self, ready: Any = READY) -> None:
        self.ready = ready
        self.at = 0
        self.sent: list[Publication] = []
        assert DRIVER.session is not None
        self.session = DRIVER.session
        self.state = self.session.start(ready)

    def turn(self, turn: Turn) -> Decoded:
        self.state = turn.state
        self.sent += turn.publish
        return turn.decoded

    def opened(self) -> None:
        assert self.turn(self.session.opened(self.ready, self.state, Now(self.at, self.at))) == ()

    def say(self, kind: str, *metrics: Metric, seq: int | None = None, retained: bool = False) -> Decoded:
        device = "/Freezer3" if kind.startswith("D") else ""
        frame = write(Payload(T, metrics, seq))
        return self.hear(f"spBv1.0/Bank/{kind}/Line1{device}", frame, retained=retained)

    def hear(self, topic: str, frame: bytes, *, retained: bool = False) -> Decoded:
        received = Received(topic, frame, retained)
        return self.turn(self.session.take(self.ready, self.state, received, Now(self.at, self.at)))

    def later(self, ms: int) -> Decoded:
        """Time passes; what falls due by itself happens."""
        self.at += ms
        due = self.session.due_ms(self.state)
        if due is None or due > self.at:
            return ()
        return self.turn(self.session.fire(self.ready, self.state, Now(self.at, self.at)))

    @property
    def rebirths(self) -> int:
        """How often a rebirth was asked for."""
        return sum(publication.topic == "spBv1.0/Bank/NCMD/Line1" for publication in self.sent)


def alive(seq: int = 0, bd_seq: int = 0) -> Host:
    """A host whose node and device were just born; the device's birth has the next number."""
    host = Host()
    host.opened()
    host.say("NBIRTH", Metric("bdSeq", None, T, Type.INT64, raw=bd_seq), lid(0), seq=seq)
    host.say("DBIRTH", born(), seq=(seq + 1) % 256)
    host.sent.clear()
    host.later(60_000)
    return host


def lid(value: int) -> Metric:
    return Metric("Lid", 1, T, Type.BOOLEAN, raw=value)


def short(decoded: Decoded) -> list[tuple[str | None, str | Reason]]:
    return [(each.key, each.value if isinstance(each, Measured) else each.reason) for each in decoded]


STALE = [("vapour", Reason.OFFLINE), ("lid", Reason.OFFLINE)]


# --- Being there -------------------------------------------------------------------------------------------


def test_the_will_and_the_birth_of_the_host_tell_one_time() -> None:
    """STATE is retained at QoS 1; the will says that we are gone with the time of the birth."""
    host = Host()
    host.at = 1234
    will = host.session.will(READY, Now(1234, 9))
    host.opened()
    assert will is not None
    here = host.sent[0]
    for publication, online in ((will, False), (here, True)):
        assert (publication.topic, publication.qos, publication.retain) == ("spBv1.0/STATE/gw7", 1, True)
        assert json.loads(publication.payload) == {"online": online, "timestamp": 1234}


def test_a_host_that_comes_asks_each_node_to_be_born_again() -> None:
    """What was said meanwhile is not known; the request is byte for byte the specification's."""
    host = Host()
    host.at = T
    host.opened()
    (asked,) = host.sent[1:]
    assert (asked.topic, asked.qos, asked.retain) == ("spBv1.0/Bank/NCMD/Line1", 0, False)
    assert asked.payload.hex() == (
        "0880d095ffbc3112210a144e6f646520436f6e74726f6c2f526562697274681880d095ffbc31200b7001"
    )


@pytest.mark.parametrize("said", [b'{"online":false,"timestamp":1}', b"OFFLINE"], ids=["3.0", "2.2"])
def test_who_is_said_to_be_gone_says_that_he_is_there(said: bytes) -> None:
    """The will of an older connection may come late; the birth's own time is repeated."""
    host = Host()
    assert host.hear("spBv1.0/STATE/gw7", said, retained=True) == ()
    assert host.sent == [], "not there yet"
    host.at = 77
    host.opened()
    host.sent.clear()
    host.at = 99
    assert host.hear("spBv1.0/STATE/gw7", said) == ()
    assert [json.loads(each.payload) for each in host.sent] == [{"online": True, "timestamp": 77}]
    host.hear("spBv1.0/STATE/gw7", b'{"online":true,"timestamp":77}')
    assert len(host.sent) == 1


def test_who_leaves_in_order_says_so_first() -> None:
    """Then nobody waits for the will."""
    assert DRIVER.session is not None
    (gone,) = DRIVER.session.closing(READY, alive().state, Now(5, 5))
    assert json.loads(gone.payload) == {"online": False, "timestamp": 5}


def test_it_can_say_nothing_else() -> None:
    """Whatever comes, only STATE and the request to be born again are ever published."""
    host = alive()
    for kind in ("NDATA", "DDATA", "DBIRTH", "NBIRTH", "NDEATH", "DDEATH", "NCMD", "DCMD"):
        for seq in (3, 9, 0):
            host.say(kind, temperature(1.0), Metric("X", raw=1, datatype=1), seq=seq)
            host.later(30_000)
    for publication in host.sent:
        if publication.topic.startswith("spBv1.0/STATE/"):
            continue
        assert publication.topic == "spBv1.0/Bank/NCMD/Line1"
        (metric,) = read(publication.payload).metrics
        assert (metric.name, metric.raw) == ("Node Control/Rebirth", 1)


# --- Values ------------------------------------------------------------------------------------------------


def test_births_and_data_bring_values() -> None:
    """A birth's values count with their own times; data is read by the number that the birth gave."""
    host = Host()
    host.opened()
    assert host.say("NBIRTH", lid(1), seq=0) == (Measured("lid", "1", "open", T),)
    assert host.say("DBIRTH", born(), seq=1) == (Measured("vapour", "-182.4", "degC", T),)
    assert host.say("DDATA", temperature(-181.9, T + 1000), seq=2) == (
        Measured("vapour", "-181.9", "degC", T + 1000),
    )
    by_name = Metric("Temperature/Vapor", None, T + 2000, raw=-181.5)
    assert short(host.say("DDATA", by_name, seq=3)) == [("vapour", "-181.5")]
    assert short(host.say("NDATA", Metric(alias=1, at_ms=T, raw=0), seq=4)) == [("lid", "0")]
    assert host.rebirths == 1, "only the one at the beginning"


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        pytest.param(temperature(None, null=True), Reason.NO_VALUE, id="null is no value"),
        pytest.param(temperature(None), Reason.NO_VALUE, id="nothing there"),
        pytest.param(temperature(float("nan")), Reason.NOT_A_NUMBER, id="NaN"),
        pytest.param(temperature(-1.0, properties={"Quality": 0}), Reason.SENSOR_FAULT, id="quality bad"),
        pytest.param(temperature(-1.0, properties={"Quality": 500}), Reason.OFFLINE, id="quality stale"),
        pytest.param(temperature(-1.0, properties={"Quality": 7}), Reason.SENSOR_FAULT, id="unknown quality"),
        pytest.param(temperature(-1.0, properties={"Quality": "x"}), Reason.SENSOR_FAULT, id="a text"),
        pytest.param(temperature(-1.0, properties={"Quality": 192}), "-1.0", id="quality good"),
        pytest.param(temperature(-1.0, 2**63), Reason.BAD_TIME, id="a time beyond every calendar"),
        pytest.param(temperature(5, datatype=Type.INT32), "5", id="its own datatype wins"),
    ],
)
def test_what_a_metric_is_worth(metric: Metric, says: str | Reason) -> None:
    """A value and its quality are one thing."""
    host = alive()
    frame = _hand_written(metric) if metric.properties else None
    topic = "spBv1.0/Bank/DDATA/Line1/Freezer3"
    got = host.hear(topic, frame) if frame else host.say("DDATA", metric, seq=2)
    assert short(got) == [("vapour", says)]


def _hand_written(metric: Metric) -> bytes:
    """With a property set, which our writer never sends."""
    ((name, value),) = metric.properties.items()
    said = b"\x08\x03\x18" + _varint(value) if isinstance(value, int) else b"\x42\x01x"
    properties = b"\x0a" + bytes([len(name)]) + name.encode() + b"\x12" + bytes([len(said)]) + said
    body = b"\x10\x07\x18" + _varint(T) + b"\x4a" + bytes([len(properties)]) + properties
    body += b"\x69" + struct.pack("<d", metric.raw)
    return b"\x08" + _varint(T) + b"\x12" + bytes([len(body)]) + body + b"\x18\x02"


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def test_historical_values_are_backfill() -> None:
    """They have their own times, and look never fresh."""
    (said,) = alive().say("DDATA", temperature(-170.0, T - 3_600_000, historical=True), seq=2)
    assert said == Measured("vapour", "-170.0", "degC", T - 3_600_000, history=True)


def test_a_time_is_the_metrics_or_the_messages() -> None:
    """A metric without one takes its message's; a message without one gives no reading."""
    host = alive()
    (said,) = host.say("DDATA", Metric(alias=7, raw=-1.0), seq=2)
    assert said.at_ms == T
    topic = "spBv1.0/Bank/DDATA/Line1/Freezer3"
    (said,) = host.hear(topic, write(Payload(None, (Metric(alias=7, raw=-1.0),), 3)))
    assert short((said,)) == [("vapour", Reason.BAD_TIME)]
    (said,) = host.hear(topic, write(Payload(None, (Metric(alias=7, historical=True, raw=-1.0),), 4)))
    assert short((said,)) == [(None, Reason.BAD_TIME)], (
        "what cannot be placed in the past is no channel's now"
    )


def test_a_unit_may_stand_in_the_birth() -> None:
    """Where the settings say in which property; without it there the value is refused."""
    metrics = [{key: value for key, value in VAPOUR.items() if key != "unit"} | {"unit_property": "engUnit"}]
    host = Host(settings(metrics=metrics))
    host.opened()
    host.say("NBIRTH", seq=0)
    properties = b"\x0a\x07engUnit\x12\x07\x08\x0c\x42\x03" + "°C".encode()
    name = b"Temperature/Vapor"
    body = b"\x0a" + bytes([len(name)]) + name + b"\x10\x07\x18" + _varint(T) + b"\x20\x0a"
    body += b"\x4a" + bytes([len(properties)]) + properties + b"\x69" + struct.pack("<d", -182.4)
    frame = b"\x08" + _varint(T) + b"\x12" + bytes([len(body)]) + body + b"\x18\x01"
    topic = "spBv1.0/Bank/DBIRTH/Line1/Freezer3"
    assert host.hear(topic, frame) == (Measured("vapour", "-182.4", "°C", T),)
    assert host.say("DDATA", temperature(-180.0), seq=2) == (Measured("vapour", "-180.0", "°C", T),)
    assert short(host.say("DBIRTH", born(), seq=3)) == [("vapour", Reason.NO_UNIT)]
    assert DRIVER.keys(host.ready) == {"vapour": ""}


def test_a_birth_without_the_metric_says_so() -> None:
    """A renamed metric is no silence: the channel is told that nothing comes under its name."""
    host = alive()
    other = Metric("Temperature/Vapour", 7, T, Type.DOUBLE, raw=-182.4)
    assert short(host.say("DBIRTH", other, seq=2)) == [("vapour", Reason.NO_VALUE)]


# --- Deaths ------------------------------------------------------------------------------------------------


def test_a_node_that_dies_takes_its_devices_along() -> None:
    """All of its metrics are BAD from the host's own time on."""
    said = alive().say("NDEATH", Metric("bdSeq", None, T, Type.INT64, raw=0))
    assert short(said) == STALE
    assert {each.at_ms for each in said} == {None}


def test_the_will_of_a_connection_before_kills_nobody() -> None:
    """A death whose bdSeq is not that of the birth is stale."""
    host = alive(bd_seq=3)
    assert host.say("NDEATH", Metric("bdSeq", None, T, Type.INT64, raw=2)) == ()
    assert short(host.say("DDATA", temperature(-180.0), seq=2)) == [("vapour", "-180.0")]
    assert short(host.say("NDEATH", Metric("bdSeq", None, T, Type.INT64, raw=3))) == STALE
    assert host.say("NDEATH", Metric("bdSeq", None, T, Type.INT64, raw=3)) == (), "dead once"


def test_a_device_that_dies_does_so_when_it_says() -> None:
    """With the time of its death; the node lives on, and the device's data means nothing any more."""
    host = alive()
    (said,) = host.say("DDEATH", seq=2)
    assert said == Bad(Reason.OFFLINE, said.frame, "vapour", T)  # type: ignore[union-attr]
    assert short(host.say("NDATA", Metric(alias=1, at_ms=T, raw=1), seq=3)) == [("lid", "1")]
    assert short(host.say("DDATA", temperature(-1.0), seq=4)) == [(None, Reason.UNEXPECTED_REPLY)]
    assert host.rebirths == 1


# --- Order -------------------------------------------------------------------------------------------------


def test_the_counter_goes_round() -> None:
    """After 255 comes 0, for the node and its devices together."""
    host = alive(seq=253)
    assert short(host.say("DDATA", temperature(-1.0), seq=255)) == [("vapour", "-1.0")]
    assert short(host.say("NDATA", Metric(alias=1, at_ms=T, raw=1), seq=0)) == [("lid", "1")]
    assert short(host.say("DDATA", temperature(-2.0), seq=1)) == [("vapour", "-2.0")]
    assert host.rebirths == 0


def test_a_message_that_comes_late_is_waited_for() -> None:
    """What comes before it is held, and read in order once it is there."""
    host = alive()
    assert host.say("DDATA", temperature(-3.0), seq=3) == ()
    assert host.say("DDATA", temperature(-4.0), seq=4) == ()
    host.later(1999)
    assert short(host.say("DDATA", temperature(-2.0), seq=2)) == [
        ("vapour", "-2.0"),
        ("vapour", "-3.0"),
        ("vapour", "-4.0"),
    ]
    assert host.later(60_000) == ()
    assert host.rebirths == 0


def test_a_message_that_is_lost_makes_the_node_be_born_again() -> None:
    """What was held may mean anything, for a birth may be what is missing: it is flagged, not read."""
    host = alive()
    host.say("DDATA", temperature(-3.0), seq=3)
    assert host.later(1999) == ()
    assert host.rebirths == 0
    assert short(host.later(1)) == [(None, Reason.UNEXPECTED_REPLY)]
    assert host.rebirths == 1
    assert host.say("DDATA", temperature(-5.0), seq=4) == (), "it was asked just now, and says it again"
    host.later(9_999)
    assert host.rebirths == 1
    host.later(1)
    assert short(host.say("DDATA", temperature(-5.0), seq=5)) == [(None, Reason.UNEXPECTED_REPLY)]
    assert host.rebirths == 2, "asked again, not more often than every 10 s"
    host.say("NBIRTH", lid(0), seq=0)
    assert short(host.say("DBIRTH", born(-179.0), seq=1)) == [("vapour", "-179.0")]
    assert short(host.say("DDATA", temperature(-178.0), seq=2)) == [("vapour", "-178.0")]


def test_numbers_of_another_birth_are_never_mixed_up() -> None:
    """After a rebirth the number 7 may be another metric: an old meaning would give a wrong probe's value."""
    host = alive()
    host.say("NBIRTH", Metric("Ambient", 7, T, Type.DOUBLE, raw=21.0), seq=0)
    assert short(host.say("DDATA", temperature(21.5), seq=1)) == [(None, Reason.UNEXPECTED_REPLY)]
    host.say("DBIRTH", Metric("Temperature/Vapor", 9, T, Type.DOUBLE, raw=-182.4), seq=2)
    assert short(host.say("DDATA", temperature(21.5), seq=3)) == [(None, Reason.UNEXPECTED_REPLY)]
    assert short(host.say("DDATA", temperature(-180.0, alias=9), seq=4)) == [("vapour", "-180.0")]


def test_an_unknown_number_asks_for_a_birth() -> None:
    """It is flagged; what else the message says counts."""
    host = alive()
    both = host.say("DDATA", temperature(-1.0), temperature(-2.0, alias=99), seq=2)
    assert short(both) == [("vapour", "-1.0"), (None, Reason.UNEXPECTED_REPLY)]
    assert host.rebirths == 1


def test_data_before_any_birth_asks_for_it() -> None:
    """A host that was not heard yet, or asked long ago, asks; the message is flagged."""
    host = Host()
    host.opened()
    assert host.say("DDATA", temperature(-1.0), seq=5) == ()
    host.later(10_000)
    assert short(host.say("DDATA", temperature(-1.0), seq=6)) == [(None, Reason.UNEXPECTED_REPLY)]
    assert short(host.say("DBIRTH", born(), seq=7)) == []
    assert host.rebirths == 2


@pytest.mark.parametrize("seq", [None, 256, 2**40], ids=str)
def test_a_message_without_its_number_is_none(seq: int | None) -> None:
    """It cannot be put in order."""
    assert short(alive().say("DDATA", temperature(-1.0), seq=seq)) == [(None, Reason.CORRUPT_FRAME)]


def test_what_a_broker_kept_of_an_edge_node_is_out_of_order() -> None:
    """No such message may be retained; one that is counts for nothing."""
    host = alive()
    assert host.say("DDATA", temperature(-1.0), seq=2, retained=True) == ()
    assert short(host.say("DDATA", temperature(-1.0), seq=2)) == [("vapour", "-1.0")]


def test_a_connection_that_was_lost_knows_nothing() -> None:
    """What was said meanwhile is gone: all is asked anew."""
    host = alive()
    host.opened()
    assert host.rebirths == 1
    assert host.say("DDATA", temperature(-1.0), seq=2) == ()


@given(st.permutations(range(2, 10)))
def test_any_order_within_the_time_out_reads_alike(order: list[int]) -> None:
    """However messages overtake each other, each is read once, in the order in which it was sent."""
    host = alive()
    said: list[Any] = []
    for seq in order:
        said += host.say("DDATA", temperature(float(seq)), seq=seq)
    assert [each.value for each in said] == [f"{seq}.0" for seq in range(2, 10)]
    assert host.later(60_000) == ()
    assert host.rebirths == 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["NBIRTH", "DBIRTH", "DDATA", "NDATA", "DDEATH", "NDEATH", "later"]),
            st.integers(0, 5),
            st.integers(0, 3),
        ),
        max_size=30,
    )
)
def test_any_story_keeps_its_bounds(story: list[tuple[str, int, int]]) -> None:
    """Nothing raises, nothing grows, and a value is always one that was sent under its own name."""
    host = alive()
    for kind, seq, alias in story:
        if kind == "later":
            host.later(seq * 1000)
            continue
        metric = Metric("Temperature/Vapor" if kind == "DBIRTH" else "", alias, T, 10, raw=-100.0 - alias)
        for said in host.say(kind, metric, seq=seq):
            if isinstance(said, Measured) and said.key == "vapour":
                assert said.value in {"-100.0", "-101.0", "-102.0", "-103.0"}
    known = host.state.nodes["Bank", "Line1"]
    assert len(known.held) <= 256
    assert len(known.names) <= 3


# --- Settings and topics -----------------------------------------------------------------------------------


def test_topics() -> None:
    """All devices of a node, for their messages are numbered together; and our own state."""
    assert DRIVER.topics(READY) == (
        "spBv1.0/Bank/NBIRTH/Line1",
        "spBv1.0/Bank/NDEATH/Line1",
        "spBv1.0/Bank/NDATA/Line1",
        "spBv1.0/Bank/DBIRTH/Line1/+",
        "spBv1.0/Bank/DDEATH/Line1/+",
        "spBv1.0/Bank/DDATA/Line1/+",
        "spBv1.0/STATE/gw7",
    )


def test_another_devices_messages_count_in_the_order() -> None:
    """They give no values, and their numbers are not missing."""
    host = alive()
    other = "spBv1.0/Bank/{}/Line1/Other"
    metric = Metric("Temperature/Vapor", 20, T, Type.DOUBLE, raw=30.0)
    assert host.hear(other.format("DBIRTH"), write(Payload(T, (metric,), 2))) == ()
    assert host.hear(other.format("DDATA"), write(Payload(T, (temperature(31.0, alias=20),), 3))) == ()
    assert short(host.say("DDATA", temperature(-1.0), seq=4)) == [("vapour", "-1.0")]
    assert host.rebirths == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"host_id": "a/b"}, "has no", id="a slash in an id"),
        pytest.param({"metrics": [VAPOUR, VAPOUR | {"metric": "Other"}]}, "same key", id="a key twice"),
        pytest.param({"metrics": [VAPOUR, VAPOUR | {"key": "b"}]}, "same metric", id="a metric twice"),
        pytest.param({"metrics": [VAPOUR | {"unit_property": "u"}]}, "either unit", id="two units"),
        pytest.param({"metrics": [VAPOUR | {"unit": "Celsius"}]}, "no unit", id="no unit of ours"),
        pytest.param({"metrics": []}, "at least 1", id="no metric"),
        pytest.param({"primary": True}, "Extra inputs", id="misspelt"),
    ],
)
def test_settings_refuse(change: dict[str, Any], says: str) -> None:
    """What could mix or guess is refused."""
    with pytest.raises(ValidationError, match=says):
        settings(**change)


@given(
    st.sampled_from(["NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDATA", "DDEATH", "NCMD", "X", ""]),
    st.binary(max_size=60),
    st.booleans(),
)
def test_any_bytes(kind: str, frame: bytes, retained: bool) -> None:
    """No message raises, whatever its topic and bytes."""
    host = alive()
    for topic in (
        f"spBv1.0/Bank/{kind}/Line1",
        f"spBv1.0/Bank/{kind}/Line1/Freezer3",
        kind,
        f"a/b/{kind}/c/d/e",
    ):
        host.hear(topic, frame, retained=retained)
        host.later(500)
