"""A simulated logger that publishes JSON at QoS 1 and keeps in memory what the broker has not taken.

Every message states `"simulated": true` of itself. Each carries the time and the running number of
its measurement, so a message that comes late or twice can be told for what it is.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from coldchain.clock import Clock
from coldchain_simulators.shown import fixed
from coldchain_simulators.stepping import Stepper

_INFLIGHT = 20
_KEEP_ALIVE_S = 30


@dataclass(frozen=True, slots=True)
class Quantity:
    """One value in the message."""

    sample: Callable[[], float | None]
    unit: str
    decimals: int = 2


class MqttLogger:
    """What the logger says. No broker, no clock."""

    def __init__(self, device: str, quantities: Mapping[str, Quantity]) -> None:
        """`quantities`: by the key of the value in the message."""
        self.device = device
        self.sequence = 0
        self.quantities = dict(quantities)

    def message(self, utc_ms: int) -> bytes:
        """The next measurement as JSON; a probe with nothing to read is null."""
        self.sequence += 1
        message: dict[str, Any] = {
            "device": self.device,
            "simulated": True,
            "time": utc_ms,
            "sequence": self.sequence,
            "units": {name: quantity.unit for name, quantity in self.quantities.items()},
        }
        for name, quantity in self.quantities.items():
            value = quantity.sample()
            text = "null" if value is None else fixed(value, quantity.decimals)
            message[name] = msgspec.Raw(text.encode("ascii"))  # the digits as shown, zeros at the end too
        return msgspec.json.encode(message)


class Publisher:
    """Brings messages to a broker, in order, each until it is acknowledged."""

    def __init__(
        self,
        host: str,
        port: int,
        client_id: str,
        topic: str,
        *,
        retain: bool = False,
        memory: int = 100_000,
        inflight: int = _INFLIGHT,
    ) -> None:
        """`topic`, `retain`: of messages that name no others. inflight: unacknowledged messages at a time.

        memory: messages kept while the broker is away; then the oldest are overwritten and counted.
        """
        self.topic = topic
        self.overwritten = 0
        self.acknowledged = 0
        self._retain = retain
        self._inflight = inflight
        self._address = (host, port)
        self._memory: deque[tuple[str, bytes, bool]] = deque(maxlen=memory)
        self._under_way = 0
        self._connected = False
        self._stopped = False
        self._changed = threading.Condition()
        self._sender = threading.Thread(target=self._send, name=f"{client_id} sender")
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id, clean_session=False, protocol=mqtt.MQTTv311
        )
        self._client.max_inflight_messages_set(inflight)
        self._client.reconnect_delay_set(min_delay=1, max_delay=10)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_socket_open = _without_delay

    def start(self) -> None:
        """Connect, now or when the broker is there."""
        self._client.connect_async(*self._address, keepalive=_KEEP_ALIVE_S)
        self._client.loop_start()
        self._sender.start()

    def put(self, message: bytes, topic: str = "", *, retain: bool | None = None) -> None:
        """Publish as soon as the broker takes it."""
        whole = (topic or self.topic, message, self._retain if retain is None else retain)
        with self._changed:
            if len(self._memory) == self._memory.maxlen:
                self.overwritten += 1
            self._memory.append(whole)
            self._changed.notify_all()

    def pending(self) -> tuple[bytes, ...]:
        """What waits in memory, oldest first."""
        with self._changed:
            return tuple(message for _, message, _ in self._memory)

    def drained(self, timeout_s: float) -> bool:
        """Wait until the broker has acknowledged all; whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._memory and not self._under_way, timeout_s)

    def stop(self) -> None:
        """Disconnect. What was not acknowledged is lost with the simulated device."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._sender.ident is not None:
            self._sender.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _send(self) -> None:
        # In a thread of its own and without our lock: paho calls `on_publish` while it holds the lock that
        # `publish` waits for. Only while connected and few at a time: what paho holds it sends again itself.
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._may_send())
                if self._stopped:
                    return
                topic, message, retain = self._memory.popleft()
                self._under_way += 1
            self._client.publish(topic, message, qos=1, retain=retain)

    def _may_send(self) -> bool:
        return bool(self._memory) and self._connected and self._under_way < self._inflight

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._set_connected(not reason.is_failure)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, _reason: Any, _properties: Any) -> None:
        self._set_connected(False)

    def _set_connected(self, connected: bool) -> None:
        with self._changed:
            self._connected = connected
            self._changed.notify_all()

    def _on_publish(self, _client: Any, _data: Any, _mid: int, _reason: Any, _properties: Any) -> None:
        with self._changed:
            self._under_way -= 1
            self.acknowledged += 1
            self._changed.notify_all()


def _without_delay(_client: Any, _data: Any, sock: Any) -> None:
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class MqttLoggerSimulator:
    """The logger at a broker. `stepper` moves what its probes hang in."""

    def __init__(
        self,
        device: MqttLogger,
        publisher: Publisher,
        stepper: Stepper,
        interval_ms: int = 60_000,
    ) -> None:
        """`interval_ms`: simulated time between two measurements."""
        self.device = device
        self.publisher = publisher
        self._stepper = stepper
        stepper.every(interval_ms, self.emit)

    def emit(self, utc_ms: int) -> None:
        """Measure and publish now."""
        self.publisher.put(self.device.message(utc_ms))

    def process(self, dt_s: float) -> None:
        """Let simulated time pass; the messages due in it are kept until there is a broker."""
        self._stepper.process(dt_s)

    def run(self, clock: Clock, stop: threading.Event) -> None:
        """Follow the clock and publish until `stop` is set."""
        self.publisher.start()
        try:
            self._stepper.run(clock, stop)
        finally:
            self.publisher.stop()
