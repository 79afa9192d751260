"""An MQTT client for tests: the device that publishes, or somebody who listens."""

import socket
import ssl
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.servers.process import DEADLINE_S, HOST, wait_until

_SESSION_KEPT_S = 86_400
_RECONNECT_AFTER_S = 0.05  # typed as int by the library, which only adds and waits


class Peer:
    """A client with a session that outlives its connections, unless it has no name (`name=""`).

    `connect` returns when it is connected and its subscriptions (QoS 1) stand. It reconnects by itself.
    `messages` holds what came, in order. With `acknowledge=False` only `peer.acknowledge(message)` does so.
    """

    def __init__(
        self,
        port: int,
        name: str = "",
        *,
        subscribe: Sequence[str] = (),
        acknowledge: bool = True,
        mqtt5: bool = True,
        user: str | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        keepalive_s: int = 60,
    ) -> None:
        self.messages: list[paho.MQTTMessage] = []
        self._port = port
        self._topics = subscribe
        self._keepalive_s = keepalive_s
        self._mqtt5 = mqtt5
        self._lasting = bool(name)
        self._standing = threading.Event()
        self._refused: str | None = None
        self._published: set[int] = set()
        version = MQTTProtocolVersion.MQTTv5 if mqtt5 else MQTTProtocolVersion.MQTTv311
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=version,
            clean_session=None if mqtt5 else not self._lasting,
            manual_ack=not acknowledge,
        )
        if user is not None:
            self.client.username_pw_set(user, password)
        if tls is not None:
            self.client.tls_set_context(tls)
        self.client.max_queued_messages_set(0)
        self.client.reconnect_delay_set(_RECONNECT_AFTER_S, _RECONNECT_AFTER_S)  # type: ignore[arg-type]
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_subscribe = lambda *_: self._standing.set()
        self.client.on_publish = lambda client, userdata, mid, *_: self._published.add(mid)
        self.client.on_message = lambda client, userdata, message: self.messages.append(message)

    def connect(self) -> Self:
        """Connect; AssertionError if the broker refuses or does not answer, OSError if nobody listens."""
        more: dict[str, Any] = {}
        if self._mqtt5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = _SESSION_KEPT_S if self._lasting else 0
            more = {"clean_start": not self._lasting, "properties": properties}
        self.client.connect(HOST, self._port, self._keepalive_s, **more)
        self.client.loop_start()
        try:
            wait_until(
                lambda: self._standing.is_set() or self._refused is not None, what="the peer is connected"
            )
            assert self._refused is None, f"refused: {self._refused}"
        except AssertionError:
            self.disconnect()
            raise
        return self

    def _on_connect(
        self, client: paho.Client, userdata: object, flags: object, reason: Any, more: object
    ) -> None:
        if reason.is_failure:
            self._refused = str(reason)
        elif self._topics:
            client.subscribe([(topic, 1) for topic in self._topics])
        else:
            self._standing.set()

    def _on_disconnect(
        self, client: paho.Client, userdata: object, flags: object, reason: object, more: object
    ) -> None:
        # With TLS 1.3 the broker's refusal of our certificate comes after what looks like a connection.
        if not self._standing.is_set() and self._refused is None:
            self._refused = str(reason)

    def publish(self, topic: str, *payloads: bytes | str, qos: int = 1, retain: bool = False) -> None:
        """Publish and return when the broker has acknowledged all of them (QoS 0: when they were sent)."""
        # Not `wait_for_publish`: it fails when the connection is lost meanwhile, though the message goes out
        # on the next one. (mosquitto 2.0 drops an MQTT 5 client whose publish an ACL denies: its issue
        # #2579.)
        mids = [self.client.publish(topic, payload, qos, retain).mid for payload in payloads]
        wait_until(
            lambda: self._published.issuperset(mids), what=f"what was published to {topic} is acknowledged"
        )
        self._published.difference_update(mids)

    def wait_for(self, count: int, *, deadline_s: float = DEADLINE_S) -> list[bytes]:
        """Wait until so many messages have come in all; return the payloads of all that came."""
        wait_until(lambda: len(self.messages) >= count, what=f"{count} messages came", deadline_s=deadline_s)
        return [bytes(message.payload) for message in self.messages]

    def acknowledge(self, message: paho.MQTTMessage) -> None:
        """Acknowledge one message by hand."""
        self.client.ack(message.mid, message.qos)

    def vanish(self) -> None:
        """End the connection without a good-bye, as a process that was killed; then reconnect by itself."""
        at = self.client.socket()
        assert at is not None, "not connected"
        at.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]

    def disconnect(self) -> None:
        """Say good-bye and end; the session stays with the broker if the peer has a name."""
        self.client.disconnect()
        self.client.loop_stop()

    def __enter__(self) -> Self:
        return self.connect()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.disconnect()
