"""The relay between client and broker tells the truth about what passed, and misbehaves exactly as told."""

import itertools
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers import Fate, Mosquitto, MqttRelay, Packet, Peer, Side, free_port, wait_until
from tests.servers.mqtt_wire import Splitter, kind_of, packet_id, protocol_level, qos, topic_and_payload
from tests.servers.process import HOST

# From the specifications' own figures where they give whole packets, else put together by hand.
CONNECT_4 = bytes.fromhex("10 0d 0004 4d515454 04 02 003c 0001 61")
CONNECT_5 = bytes.fromhex("10 0e 0004 4d515454 05 02 003c 00 0001 61")
PUBLISH_0 = bytes.fromhex("30 05 0003 612f62")
PUBLISH_1 = bytes.fromhex("32 09 0003 612f62 000a 6869")
PUBLISH_1_V5 = bytes.fromhex("3a 0c 0003 612f62 000a 02 0101 6869")
PUBACK = bytes.fromhex("40 02 000a")
PINGREQ = bytes.fromhex("c0 00")
LONG = b"\x30\x80\x01\x00\x01x" + bytes(125)


# --- The wire -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "kind", "number"),
    [
        pytest.param(CONNECT_4, Packet.CONNECT, None, id="CONNECT has no id"),
        pytest.param(PUBLISH_0, Packet.PUBLISH, None, id="nor has QoS 0"),
        pytest.param(PUBLISH_1, Packet.PUBLISH, 10, id="after the topic"),
        pytest.param(PUBLISH_1_V5, Packet.PUBLISH, 10, id="before the properties"),
        pytest.param(PUBACK, Packet.PUBACK, 10, id="first in an acknowledgement"),
        pytest.param(PINGREQ, Packet.PINGREQ, None, id="empty"),
    ],
)
def test_packets_are_named(raw: bytes, kind: Packet, number: int | None) -> None:
    """Type and packet identifier are read from where the specification puts them."""
    assert Splitter().feed(raw) == [raw]
    assert (kind_of(raw), packet_id(raw)) == (kind, number)


def test_messages_are_read_in_both_versions() -> None:
    """Topic and payload stand where the version of the CONNECT says."""
    assert (protocol_level(CONNECT_4), protocol_level(CONNECT_5)) == (4, 5)
    assert topic_and_payload(PUBLISH_1, 4) == ("a/b", b"hi")
    assert topic_and_payload(PUBLISH_1_V5, 5) == ("a/b", b"hi")
    assert (qos(PUBLISH_0), qos(PUBLISH_1)) == (0, 1)


PACKETS = st.lists(st.sampled_from([CONNECT_4, PUBLISH_0, PUBLISH_1, PUBACK, PINGREQ, LONG]))


@given(packets=PACKETS, cuts=st.lists(st.integers(0, 400)))
def test_any_pieces_give_the_same_packets(packets: Sequence[bytes], cuts: Sequence[int]) -> None:
    """However TCP cuts the stream, the packets come out whole, and nothing is left."""
    stream = b"".join(packets)
    splitter = Splitter()
    edges = [0, *sorted(cuts), len(stream)]
    found = [raw for start, end in itertools.pairwise(edges) for raw in splitter.feed(stream[start:end])]
    assert found == list(packets)
    assert splitter.give_up() == b""
    assert not splitter.lost


@given(data=st.lists(st.binary(max_size=20), max_size=20))
def test_no_byte_is_lost(data: Sequence[bytes]) -> None:
    """Any bytes at all: packets and the rest together are what came in, in order, and nothing raises."""
    splitter = Splitter()
    out = [piece for chunk in data for piece in splitter.feed(chunk)]
    for raw in out:
        packet_id(raw)
    assert b"".join(out) + splitter.give_up() == b"".join(data)


@pytest.mark.parametrize("bad", [b"\x00", b"\x30\xff\xff\xff\xff"], ids=["type 0", "length of five bytes"])
def test_what_is_no_mqtt_is_seen(bad: bytes) -> None:
    """What comes before bytes that cannot be MQTT still counts; from them on there are no packets."""
    splitter = Splitter()
    assert splitter.feed(PUBACK + bad + PINGREQ) == [PUBACK]
    assert splitter.lost
    assert splitter.give_up() == bad + PINGREQ
    assert splitter.feed(PINGREQ) == []


# --- What was seen ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mqtt5", [False, True], ids=["3.1.1", "5"])
def test_a_conversation_is_recorded(relay: MqttRelay, mqtt5: bool) -> None:
    """Every packet of both sides, in order, and the message goes through unchanged."""
    with Peer(relay.port, "gateway", subscribe=["probe/#"], mqtt5=mqtt5) as peer:
        peer.publish("probe/1", b"-151.2")
        assert peer.wait_for(1) == [b"-151.2"]
        relay.wait_for(Packet.PUBACK, Side.CLIENT)
    wait_until(lambda: relay.connections == 0, what="the connection is over")
    client = [record.kind.name for record in relay.records if record.sender is Side.CLIENT]
    assert client == ["CONNECT", "SUBSCRIBE", "PUBLISH", "PUBACK", "DISCONNECT"]
    broker = [record.kind.name for record in relay.records if record.sender is Side.BROKER]
    assert sorted(broker) == sorted(["CONNACK", "SUBACK", "PUBLISH", "PUBACK"])
    sent, received = relay.of(Packet.PUBLISH)
    for record in (sent, received):
        assert (record.topic, record.payload, record.qos, record.dup) == ("probe/1", b"-151.2", 1, False)
    (puback,) = relay.of(Packet.PUBACK, Side.BROKER)
    assert puback.packet_id == sent.packet_id
    assert [record.order for record in relay.records] == list(range(len(relay.records)))
    assert {(record.fate, record.connection) for record in relay.records} == {(Fate.FORWARDED, 1)}
    assert relay.acknowledged() == (received,)
    assert relay.fragments == []


def test_only_what_the_client_acknowledged_counts(relay: MqttRelay, mosquitto: Mosquitto) -> None:
    """What came but was not acknowledged comes again on the next connection, and only then counts."""
    with (
        Peer(relay.port, "gateway", subscribe=["x"], acknowledge=False) as gateway,
        Peer(mosquitto.port) as device,
    ):
        device.publish("x", b"a", b"b", b"c")
        gateway.wait_for(3)
        gateway.acknowledge(gateway.messages[0])
        relay.wait_for(Packet.PUBACK, Side.CLIENT)
        assert [record.payload for record in relay.acknowledged()] == [b"a"]
    with Peer(relay.port, "gateway", subscribe=["x"]) as gateway:
        assert gateway.wait_for(2) == [b"b", b"c"]
        relay.wait_for(Packet.PUBACK, Side.CLIENT, count=3)
    assert [(each.payload, each.connection, each.dup) for each in relay.acknowledged()] == [
        (b"a", 1, False),
        (b"b", 2, True),
        (b"c", 2, True),
    ]


def test_a_large_message_passes_whole(relay: MqttRelay) -> None:
    """A message larger than any buffer on the way goes through unchanged, and is one record."""
    payload = bytes(range(256)) * 40_000  # 10 MB
    with Peer(relay.port, subscribe=["x"]) as peer:
        peer.publish("x", payload)
        assert peer.wait_for(1) == [payload]
    assert [record.payload == payload for record in relay.of(Packet.PUBLISH)] == [True, True]


def test_many_messages_keep_their_order(relay: MqttRelay, mosquitto: Mosquitto) -> None:
    """Thousands of small messages pass in order, each recorded, each acknowledged once."""
    payloads = [b"%d" % number for number in range(3000)]
    with Peer(relay.port, subscribe=["x"]) as listener, Peer(mosquitto.port) as device:
        device.publish("x", *payloads)
        assert listener.wait_for(len(payloads)) == payloads
        relay.wait_for(Packet.PUBACK, Side.CLIENT, Fate.FORWARDED, count=len(payloads))
    assert [record.payload for record in relay.of(Packet.PUBLISH)] == payloads
    assert [record.payload for record in relay.acknowledged()] == payloads


#: For the machine: ten megabytes by way of Python are much for a busy one.
DEADLINE_S = 60


@contextmanager
def bare_ends() -> Iterator[tuple[MqttRelay, socket.socket, socket.socket]]:
    """A relay between two plain sockets: the client's and the broker's."""
    with (
        socket.create_server((HOST, 0)) as listener,
        MqttRelay(listener.getsockname()[1]) as relay,
        socket.create_connection((HOST, relay.port), timeout=DEADLINE_S) as client,
    ):
        broker, _ = listener.accept()
        with broker:
            broker.settimeout(DEADLINE_S)
            yield relay, client, broker


def read_all(end: socket.socket) -> bytes:
    """Read to the end of file."""
    return b"".join(iter(lambda: end.recv(4096), b""))


# --- What it can be told ------------------------------------------------------------------------------------


def test_held_acknowledgements_do_not_reach_the_broker(relay: MqttRelay, mosquitto: Mosquitto) -> None:
    """Sent but held, and the connection lost: the broker sends again what the client had acknowledged."""
    with Peer(relay.port, "gateway", subscribe=["x"]) as gateway, Peer(mosquitto.port) as device:
        held = relay.hold(Packet.PUBACK, Side.CLIENT, after=1)
        device.publish("x", b"a", b"b", b"c")
        gateway.wait_for(3)
        relay.wait_for(Packet.PUBACK, Side.CLIENT, count=3)
        relay.wait_for(Packet.PUBACK, Side.CLIENT, Fate.FORWARDED)
        assert [each.fate for each in relay.of(Packet.PUBACK, Side.CLIENT)] == [
            Fate.FORWARDED,
            Fate.WAITING,
            Fate.WAITING,
        ]
        relay.cut()
        held.release()
        assert [each.payload for each in relay.acknowledged()] == [b"a", b"b", b"c"]
        assert len(relay.of(Packet.PUBACK, Side.CLIENT, Fate.LOST)) == 2
        assert gateway.wait_for(5) == [b"a", b"b", b"c", b"b", b"c"]


def test_released_packets_arrive_in_order(relay: MqttRelay, mosquitto: Mosquitto) -> None:
    """At the end of the hold everything goes on, in the order it came, and other types were not held."""
    with Peer(relay.port, subscribe=["x"]) as listener, Peer(mosquitto.port, subscribe=["x"]) as device:
        with relay.hold(Packet.PUBLISH, Side.BROKER):
            device.publish("x", b"a", b"b", b"c")
            device.wait_for(3)
            relay.wait_for(Packet.PUBLISH, Side.BROKER, count=3)
            listener.client.publish("y", b"", qos=1)  # its PUBACK overtakes
            relay.wait_for(Packet.PUBACK, Side.BROKER, Fate.FORWARDED)
            assert listener.messages == []
        assert listener.wait_for(3) == [b"a", b"b", b"c"]


def test_a_dead_line_tells_nobody(relay: MqttRelay, mosquitto: Mosquitto) -> None:
    """With everything held neither side hears anything, not even that the other has gone, until released."""
    watcher = Peer(mosquitto.port, subscribe=["$SYS/broker/clients/connected", "will"])
    gateway = Peer(relay.port, "gateway")
    gateway.client.will_set("will", b"gone", qos=1)
    with watcher, gateway:
        rule = relay.hold()
        gateway.client.publish("x", b"never", qos=1)
        relay.wait_for(Packet.PUBLISH, Side.CLIENT)
        gateway.vanish()
        probe = Peer(mosquitto.port, subscribe=["echo"])
        with probe:
            probe.publish("echo", b"")
            probe.wait_for(1)
        assert relay.of(Packet.PUBLISH, Side.CLIENT, Fate.WAITING)
        assert [message.topic for message in watcher.messages if message.topic == "will"] == []
        rule.release()
        wait_until(lambda: any(each.topic == "will" for each in watcher.messages), what="the will is sent")


def test_discarded_packets_never_arrive(relay: MqttRelay, mosquitto: Mosquitto) -> None:
    """What is discarded is gone, what follows passes."""
    with Peer(relay.port, subscribe=["x"], mqtt5=False) as listener, Peer(mosquitto.port) as device:
        with relay.discard(Packet.PUBLISH, Side.BROKER, after=1):
            device.publish("x", b"a", b"b", b"c", qos=0)
            relay.wait_for(Packet.PUBLISH, Side.BROKER, count=3)
        device.publish("x", b"d", qos=0)
        assert listener.wait_for(2) == [b"a", b"d"]
    fates = [each.fate for each in relay.of(Packet.PUBLISH)]
    assert fates == [Fate.FORWARDED, Fate.DISCARDED, Fate.DISCARDED, Fate.FORWARDED]


def test_the_cut_comes_where_it_was_ordered(relay: MqttRelay, mosquitto: Mosquitto) -> None:
    """The third message is not delivered, the two before it are, and the client finds its way back."""
    with (
        Peer(relay.port, "gateway", subscribe=["x"], acknowledge=False) as gateway,
        Peer(mosquitto.port) as device,
    ):
        relay.cut_at(Packet.PUBLISH, Side.BROKER, count=3)
        device.publish("x", b"a", b"b", b"c", b"d")
        assert gateway.wait_for(6) == [b"a", b"b", b"a", b"b", b"c", b"d"]
    lost = relay.of(Packet.PUBLISH, Side.BROKER, Fate.LOST)
    assert lost[0].payload == b"c"
    assert {each.connection for each in lost} == {1}


@pytest.mark.parametrize(
    ("reset", "seen"), [(True, ConnectionResetError), (False, None)], ids=["reset", "in order"]
)
def test_both_sides_see_the_cut(reset: bool, seen: type[Exception] | None) -> None:
    """A reset is a reset for both ends, with no end of file before it; a cut in order is an end of file."""
    with bare_ends() as (relay, client, broker):
        client.sendall(PINGREQ)
        assert broker.recv(10) == PINGREQ
        relay.cut(reset=reset)
        for end in (client, broker):
            if seen is None:
                assert end.recv(10) == b""
            else:
                with pytest.raises(seen):
                    end.recv(10)


def test_refused_and_taken_again(relay: MqttRelay) -> None:
    """While it refuses, nobody gets through, as without a broker; open connections stay."""
    with Peer(relay.port, "a", subscribe=["x"]) as early:
        relay.refuse()
        relay.refuse()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, relay.port))
        early.publish("x", b"still here")
        assert early.wait_for(1) == [b"still here"]
        relay.accept()
        with Peer(relay.port, "b") as late:
            late.publish("x", b"here too")
            assert early.wait_for(2)[1] == b"here too"


def test_without_a_broker_it_hangs_up() -> None:
    """The broker gone, a client is let in and dropped at once; the relay itself stays."""
    with MqttRelay(free_port()) as relay:
        for _ in range(2):
            with socket.create_connection((HOST, relay.port)) as client:
                client.settimeout(10)
                assert client.recv(10) == b""
        assert relay.connections == 0


def test_it_outlives_the_brokers_kill(relay: MqttRelay, mosquitto: Mosquitto) -> None:
    """Broker killed and started: the same client, by the same relay, gets what was published after."""
    with Peer(relay.port, "gateway", subscribe=["x"]) as gateway:
        mosquitto.kill()
        wait_until(lambda: relay.connections == 0, what="the kill was passed on")
        mosquitto.start()
        relay.wait_for(Packet.SUBACK, Side.BROKER, Fate.FORWARDED, count=2)
        with Peer(mosquitto.port) as device:
            device.publish("x", b"after")
        assert gateway.wait_for(1) == [b"after"]


def test_delayed_packets_keep_their_order(relay: MqttRelay, mosquitto: Mosquitto) -> None:
    """A longer way changes nothing but the time, even when it becomes shorter under way."""
    with Peer(relay.port, subscribe=["x"]) as listener, Peer(mosquitto.port) as device:
        relay.delay(0.2, Side.BROKER)
        device.publish("x", b"a", b"b")
        relay.wait_for(Packet.PUBLISH, Side.BROKER, count=2)
        relay.delay(0)
        device.publish("x", b"c")
        assert listener.wait_for(3) == [b"a", b"b", b"c"]


def test_what_is_no_mqtt_passes_too() -> None:
    """Garbage reaches the other end unchanged and stands among the fragments, as does half a packet."""
    with bare_ends() as (relay, client, broker):
        client.sendall(PINGREQ + b"\x00garbage")
        broker.sendall(PUBLISH_1[:5])
        broker.shutdown(socket.SHUT_WR)
        assert read_all(client) == PUBLISH_1[:5]
        client.shutdown(socket.SHUT_WR)
        assert read_all(broker) == PINGREQ + b"\x00garbage"
        assert [record.kind for record in relay.records] == [Packet.PINGREQ]
        fragments = dict.fromkeys(Side, b"")
        for connection, side, data in relay.fragments:
            fragments[side] += data
            assert connection == 1
        assert fragments == {Side.CLIENT: b"\x00garbage", Side.BROKER: PUBLISH_1[:5]}


def test_a_slow_reader_gets_everything() -> None:
    """A side that does not read for a while loses nothing, and the other side is not held up by it."""
    count = 80_000
    with bare_ends() as (relay, client, broker):  # some 10 MB: more than the kernel keeps on the way
        client.sendall(LONG * count)
        client.shutdown(socket.SHUT_WR)
        relay.wait_for(Packet.PUBLISH, count=count)
        assert relay.of(Packet.PUBLISH, fate=Fate.WAITING)
        assert read_all(broker) == LONG * count


def test_the_relay_leaves_nothing_behind(mosquitto: Mosquitto) -> None:
    """After the context, or a stop in it, no thread runs and the port can be listened on at once."""
    with MqttRelay(mosquitto.port) as relay:
        assert any(thread.name == "mqtt relay" for thread in threading.enumerate())
        with Peer(relay.port):
            relay.cut()
        relay.stop()
        assert relay.connections == 0
        assert relay.of(Packet.CONNECT)
    assert not any(thread.name == "mqtt relay" for thread in threading.enumerate())
    socket.create_server((HOST, relay.port)).close()
