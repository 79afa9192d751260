"""The present state as retained MQTT messages: a board for dashboards, panels and home automation.

Under the sink's prefix lie `status` ("online", "offline"; the broker itself writes the latter when we
vanish), `heartbeat`, `head` (the journal's newest signed head), and one retained topic per asset, channel and
alarm. Everything is published at QoS 1 and waited for.

A connection lives as long as it works and is then thrown away with all that paho still holds: paho would
queue what is published while down and deliver it after the reconnection, behind newer states.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import Any

import paho.mqtt.client as mqtt
from msgspec import json as _json
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from coldchain.config.credentials import SecretUnavailable
from coldchain.config.endpoints import BrokerSettings, MqttStateSink
from coldchain.facts import encode
from coldchain.sinks.base import (
    AccessRefused,
    CannotStart,
    Category,
    Message,
    Misconfigured,
    Present,
    SinkKind,
    Surroundings,
    Unreachable,
)
from coldchain.sinks.trust import trusted
from coldchain.sinks.webhook import body as message_body
from coldchain.sinks.wording import iso

_encoder = _json.Encoder(order="sorted")
ONLINE, OFFLINE = b"online", b"offline"
#: Published and not yet acknowledged at a time; mosquitto lets 20 be under way by default.
_AT_ONCE = 20


class MqttState:
    """One board on one broker. Its methods belong to one thread; paho's own thread only counts."""

    def __init__(self, settings: MqttStateSink, around: Surroundings) -> None:
        if around.broker is None:
            raise CannotStart(around.name, "find its broker", "no broker is configured")
        try:
            self._broker = around.broker(settings.broker)
        except KeyError as error:
            raise CannotStart(around.name, "find its broker", f"there is no {settings.broker}") from error
        try:
            self._password = around.secret(self._broker.password_file, self._broker.password_env)
        except SecretUnavailable as error:
            raise CannotStart(around.name, "read the password", error.what, mend=error.mend) from error
        self._tls = (
            trusted(around, self._broker.ca_file, self._broker.certificate_file, self._broker.key_file)
            if self._broker.tls
            else None
        )
        self.refresh_ms = settings.refresh
        self._name, self._site = around.name, around.site
        self._prefix = settings.topic_prefix.rstrip("/")
        self._timeout_s = settings.timeout / 1000
        self._client_id = f"{self._broker.client_id}-{around.name}"
        self._connection: _Connection | None = None
        self._shown: dict[str, bytes] = {}

    def show(self, present: Present, *, all_of_it: bool) -> None:
        """Publish what changed, or everything; see `StateSink`."""
        first = self._connection is None or not self._connection.alive
        if first:
            self._connect()
            all_of_it = True
        assert self._connection is not None
        topics = self._topics(present)
        gone = [topic for topic in self._shown if topic not in topics]
        if all_of_it:
            gone += [topic for topic in self._connection.found() if topic not in topics]
            if not first:
                self._connection.look_no_more()
        now = {topic: text for topic, text in topics.items() if all_of_it or self._shown.get(topic) != text}
        now.update(dict.fromkeys(gone, b""))  # an empty retained message takes a topic away
        if all_of_it:
            now[f"{self._prefix}/heartbeat"] = self._heartbeat(present)
            now[f"{self._prefix}/status"] = ONLINE  # last: whoever sees it sees the rest
        self._publish(now, retain=True)
        self._shown = topics

    def lost(self) -> bool:
        """Whether the connection was lost since the last `show`."""
        return self._connection is None or not self._connection.alive

    def tell(self, message: Message) -> str:
        """Publish one announcement, not retained, under `unrecorded`."""
        if self._connection is None or not self._connection.alive:
            self._connect()
        text = message_body(self._site, self._name, message)
        self._publish({f"{self._prefix}/unrecorded": text}, retain=False)
        return "PUBACK"

    def close(self) -> None:
        """Say "offline" as the broker would for us, and leave."""
        if self._connection is not None and self._connection.alive:
            with contextlib.suppress(Unreachable):  # then the broker says it
                self._publish({f"{self._prefix}/status": OFFLINE}, retain=True)
        self._drop()

    # --- What lies where

    def _topics(self, present: Present) -> dict[str, bytes]:
        things = [
            *(("asset", each.id, each) for each in present.assets),
            *(("channel", each.id, each) for each in present.channels),
            *(("alarm", each.id, each) for each in present.alarms),
        ]
        topics = {
            f"{self._prefix}/{kind}/{_level(name)}": _encoder.encode(each) for kind, name, each in things
        }
        if present.head is not None:
            topics[f"{self._prefix}/head"] = encode(present.head)
        return topics

    def _heartbeat(self, present: Present) -> bytes:
        return _encoder.encode(
            {"position": present.position, "journal_ms": present.arrival_ms, "utc": iso(present.utc_ms)}
        )

    # --- The connection

    def _connect(self) -> None:
        self._drop()
        self._shown = {}
        connection = _Connection(self._client_id, self._broker, self._tls, self._password)
        try:
            connection.open(f"{self._prefix}/status", self._timeout_s)
        except (OSError, ValueError) as error:
            connection.close()
            why = f"{self._broker.host}:{self._broker.port_number}: {error}"
            if isinstance(error, ssl.SSLError):
                raise AccessRefused(self._name, "connect", why, mend="check the certificates") from error
            raise Unreachable(self._name, "connect", why) from error
        if connection.refused:
            connection.close()
            raise AccessRefused(self._name, "connect", connection.refused, mend="check user and password")
        self._connection = connection
        connection.find_under(self._prefix, self._timeout_s)

    def _publish(self, now: dict[str, bytes], *, retain: bool) -> None:
        assert self._connection is not None
        done = self._connection.publish(now, retain, self._timeout_s)
        if denied := self._connection.denied:
            self._drop()
            mend = f"let this user publish under {self._prefix}/ on the broker"
            raise Misconfigured(self._name, f"publish {len(now)} topics", denied, mend=mend)
        if not done:
            self._drop()
            raise Unreachable(self._name, f"publish {len(now)} topics", "not acknowledged in time")

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _Connection:
    """One connection from CONNECT to its end; never reused."""

    def __init__(
        self, client_id: str, broker: BrokerSettings, tls: ssl.SSLContext | None, password: str | None
    ) -> None:
        v5 = broker.protocol == "5"
        self._broker = broker
        self._v5 = v5
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        if broker.user:
            self._client.username_pw_set(broker.user, password)
        if tls is not None:
            self._client.tls_set_context(tls)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._changed = threading.Condition()
        self._unacknowledged: set[int] = set()
        self._early: set[int] = set()
        self._subscribed = False
        self._found: set[str] = set()
        self._filters: list[str] = []
        self._started = False
        self.alive = False
        self.refused = ""
        self.denied = ""

    def open(self, status: str, timeout_s: float) -> None:
        """Connect and wait for the broker's word. Raises OSError; `refused` says what it refused."""
        self._client.connect_timeout = timeout_s
        self._client.will_set(status, OFFLINE, qos=1, retain=True)
        extra: dict[str, Any] = {"clean_start": True} if self._v5 else {}
        keep_alive_s = max(1, self._broker.keep_alive // 1000)
        self._client.connect(self._broker.host, self._broker.port_number, keepalive=keep_alive_s, **extra)
        line = self._client.socket()
        if isinstance(line, socket.socket):  # else small messages wait 20 to 40 ms for each other
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.loop_start()
        self._started = True
        with self._changed:
            self._changed.wait_for(lambda: self.alive or bool(self.refused), timeout_s)
        if not self.alive and not self.refused:
            raise TimeoutError("the broker does not answer")

    def find_under(self, prefix: str, timeout_s: float) -> None:
        """Ask which retained topics lie there from an earlier run; the answers come in by themselves."""
        self._filters = [f"{prefix}/{group}/#" for group in ("asset", "channel", "alarm")]
        if self._v5:
            own = SubscribeOptions(qos=1, noLocal=True)
            self._client.subscribe([(each, own) for each in self._filters])
        else:
            self._client.subscribe([(each, 1) for each in self._filters])
        with self._changed:
            self._changed.wait_for(lambda: self._subscribed or not self.alive, timeout_s)

    def found(self) -> list[str]:
        """The retained topics that have come in so far."""
        with self._changed:
            return sorted(self._found)

    def look_no_more(self) -> None:
        """All that was there has come in by now."""
        if self._filters:
            self._client.unsubscribe(self._filters)
            self._filters = []
            with self._changed:
                self._found.clear()

    def publish(self, now: dict[str, bytes], retain: bool, timeout_s: float) -> bool:
        """Publish in order and wait for every PUBACK; False if one did not come."""
        for topic, text in now.items():
            with self._changed:
                room = self._changed.wait_for(
                    lambda: not self.alive or len(self._unacknowledged) < _AT_ONCE, timeout_s
                )
                if not self.alive or not room:
                    return False
            info = self._client.publish(topic, text, qos=1, retain=retain)
            if info.rc != mqtt.MQTT_ERR_SUCCESS:
                return False
            with self._changed:
                if info.mid in self._early:
                    self._early.discard(info.mid)
                else:
                    self._unacknowledged.add(info.mid)
        with self._changed:
            self._changed.wait_for(lambda: not self.alive or not self._unacknowledged, timeout_s)
            return self.alive and not self._unacknowledged

    def close(self) -> None:
        """End it, and paho's thread with it."""
        self.alive = False
        self._client.disconnect()
        if self._started:
            self._client.loop_stop()

    # --- In paho's thread: nothing here may raise, or the thread ends while it still says "connected"

    def _on_connect(self, client: mqtt.Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        with self._changed:
            if reason.is_failure:
                self.refused = str(reason)
            else:
                self.alive = True
            self._changed.notify_all()

    def _on_disconnect(
        self, client: mqtt.Client, data: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        with self._changed:
            self.alive = False
            self._changed.notify_all()

    def _on_publish(self, client: mqtt.Client, data: Any, mid: int, reason: Any, properties: Any) -> None:
        with self._changed:
            if reason.is_failure:
                self.denied = str(reason)
            if mid in self._unacknowledged:
                self._unacknowledged.discard(mid)
            else:
                self._early.add(mid)  # acknowledged before `publish` returned
            self._changed.notify_all()

    def _on_subscribe(self, client: mqtt.Client, data: Any, mid: int, reasons: Any, properties: Any) -> None:
        with self._changed:
            self._subscribed = True
            self._changed.notify_all()

    def _on_message(self, client: mqtt.Client, data: Any, message: mqtt.MQTTMessage) -> None:
        if message.retain and message.payload:
            with self._changed:
                self._found.add(message.topic)


def _level(name: str) -> str:
    """A name as topic levels: "asset/role/rule" stays a path; what a topic cannot hold becomes "_"."""
    return "".join("_" if each in "+#" or not each.isprintable() else each for each in name)


SINK = SinkKind(
    name="mqtt_state",
    title="The present state as retained MQTT messages",
    category=Category.STATE,
    settings=MqttStateSink,
    make=MqttState,
)
