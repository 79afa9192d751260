"""MQTT packets as they stand on the wire: enough to cut a stream into packets and to name them.

Sources: MQTT 3.1.1 (OASIS, 2014) and MQTT 5.0 (OASIS, 2019), section 2.1 fixed header, 1.5.5 / 2.2.3 the
variable byte integer, 3.1 CONNECT, 3.3 PUBLISH.
"""

from enum import Enum, IntEnum


class Packet(IntEnum):
    """MQTT control packet types by their number on the wire."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


class Side(Enum):
    """Who sent a packet."""

    CLIENT = "client"
    BROKER = "broker"


_STARTS_WITH_ID = frozenset({
    Packet.PUBACK, Packet.PUBREC, Packet.PUBREL, Packet.PUBCOMP,
    Packet.SUBSCRIBE, Packet.SUBACK, Packet.UNSUBSCRIBE, Packet.UNSUBACK,
})  # fmt: skip


class Splitter:
    """Cut one direction of a connection into whole packets, whatever pieces it arrives in.

    Once the bytes cannot be MQTT (a packet type 0, a length of more than four bytes) `lost` is true for good:
    nobody can say where the next packet would start.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.lost = False

    def give_up(self) -> bytes:
        """Return, and forget, the bytes of a packet that is not whole, or that can be none."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and return the packets that are whole now."""
        self._buffer += data
        packets: list[bytes] = []
        start = 0
        while not self.lost:
            self.lost = start < len(self._buffer) and self._buffer[start] >> 4 == 0
            length = None if self.lost else _variable_integer(self._buffer, start + 1)
            if length is None:
                self.lost = self.lost or len(self._buffer) - start > _LONGEST_LENGTH
                break
            size, body = length
            if len(self._buffer) < body + size:
                break
            packets.append(bytes(self._buffer[start : body + size]))
            start = body + size
        del self._buffer[:start]
        return packets


_LONGEST_LENGTH = 4


def _variable_integer(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """Read a variable byte integer: its value and where what follows starts; None if it has no end (yet)."""
    value = 0
    for count, byte in enumerate(data[at : at + _LONGEST_LENGTH]):
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, at + count + 1
    return None


def kind_of(raw: bytes) -> Packet:
    """Name the type of a whole packet."""
    return Packet(raw[0] >> 4)


def packet_id(raw: bytes) -> int | None:
    """Return the packet identifier; None for packets that carry none (QoS 0, CONNECT, PINGREQ, ...)."""
    kind, body = kind_of(raw), _body(raw)
    if kind in _STARTS_WITH_ID:
        return int.from_bytes(body[:2], "big")
    if kind is Packet.PUBLISH and qos(raw) > 0:
        topic_end = 2 + int.from_bytes(body[:2], "big")
        return int.from_bytes(body[topic_end : topic_end + 2], "big")
    return None


def protocol_level(connect: bytes) -> int:
    """Return 4 for MQTT 3.1.1 and 5 for MQTT 5, from a CONNECT packet; 0 if it ends before."""
    body = _body(connect)
    at = 2 + int.from_bytes(body[:2], "big")
    return int.from_bytes(body[at : at + 1], "big")


def qos(publish: bytes) -> int:
    """Return the quality of service of a PUBLISH."""
    return publish[0] >> 1 & 3


def dup(publish: bytes) -> bool:
    """Return whether a PUBLISH says that it may have been sent before."""
    return bool(publish[0] & 8)


def topic_and_payload(publish: bytes, level: int) -> tuple[str, bytes]:
    """Return topic and payload of a PUBLISH; the protocol level tells whether properties stand between them.

    The topic is empty where MQTT 5 replaces it by an alias.
    """
    body = _body(publish)
    topic_end = 2 + int.from_bytes(body[:2], "big")
    payload = topic_end + (2 if qos(publish) else 0)
    if level >= 5:
        properties = _variable_integer(body, payload)
        assert properties is not None, f"PUBLISH without properties: {publish.hex(' ')}"
        payload = properties[0] + properties[1]
    return body[2:topic_end].decode(), body[payload:]


def _body(raw: bytes) -> bytes:
    length = _variable_integer(raw, 1)
    assert length is not None, f"not a whole packet: {raw.hex(' ')}"
    return raw[length[1] :]
