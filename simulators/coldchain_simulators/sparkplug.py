"""A simulated Sparkplug B edge node with one device: births, data by alias, a will, and rebirth on command.

Its bytes are put together here from the specification, without the driver's writer: so one checks the other.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from coldchain_simulators.mqtt_device import Out
from coldchain_simulators.stepping import Stepper

Sample = Callable[[], float | None]
_REBIRTH = b"Node Control/Rebirth"
_INT64, _DOUBLE, _BOOLEAN = 4, 10, 11


@dataclass(slots=True)
class EdgeNode:
    """What the node says. `lose` names numbers of messages that never reach the broker."""

    group: str
    node: str
    device: str
    metrics: Mapping[str, Sample]
    bd_seq: int = 0
    lose: set[int] = field(default_factory=set)
    sent: int = 0
    _seq: int = 0

    def births(self, utc_ms: int) -> tuple[Out, ...]:
        """The births of node and device: names, aliases, datatypes, values."""
        control = _field(1, _REBIRTH) + _stamp(utc_ms) + _number(4, _BOOLEAN) + _number(14, 0)
        node = _metric(self._bd_seq(utc_ms)) + _metric(control)
        device = b"".join(
            _metric(
                _field(1, name.encode())
                + _number(2, alias)
                + _stamp(utc_ms)
                + _number(4, _DOUBLE)
                + _value(s())
            )
            for alias, (name, s) in enumerate(self.metrics.items(), 1)
        )
        self._seq = 0
        return (*self._out("NBIRTH", utc_ms, node), *self._out("DBIRTH", utc_ms, device))

    def messages(self, utc_ms: int) -> tuple[Out, ...]:
        """Data of the device: aliases and values alone."""
        body = b"".join(
            _metric(_number(2, alias) + _stamp(utc_ms) + _value(sample()))
            for alias, sample in enumerate(self.metrics.values(), 1)
        )
        return self._out("DDATA", utc_ms, body)

    def death(self, utc_ms: int) -> Out:
        """The will: it carries bdSeq and no number."""
        return Out(
            f"spBv1.0/{self.group}/NDEATH/{self.node}", _number(1, utc_ms) + _metric(self._bd_seq(utc_ms))
        )

    def is_rebirth(self, payload: bytes) -> bool:
        """Whether a command asks to be born again."""
        return _REBIRTH in payload and payload.rstrip().endswith(b"\x70\x01")

    def _bd_seq(self, utc_ms: int) -> bytes:
        return _field(1, b"bdSeq") + _stamp(utc_ms) + _number(4, _INT64) + _number(11, self.bd_seq)

    def _out(self, kind: str, utc_ms: int, metrics: bytes) -> tuple[Out, ...]:
        seq, self._seq = self._seq, (self._seq + 1) % 256
        self.sent += 1
        topic = f"spBv1.0/{self.group}/{kind}/{self.node}" + (f"/{self.device}" if kind[0] == "D" else "")
        lost = self.sent in self.lose
        return () if lost else (Out(topic, _number(1, utc_ms) + metrics + _number(3, seq)),)


class EdgeNodeSimulator:
    """The node at a broker. All of its messages are QoS 0, as the specification wants."""

    def __init__(
        self, node: EdgeNode, host: str, port: int, stepper: Stepper, interval_ms: int = 60_000
    ) -> None:
        """`interval_ms`: simulated time between two measurements."""
        self.node = node
        self._address = (host, port)
        self._client: mqtt.Client | None = None
        self._lock = threading.Lock()
        self._utc_ms = stepper.start_ms
        self._stepper = stepper
        stepper.every(interval_ms, self._emit)

    def start(self) -> None:
        """Connect with a will, and be born."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, f"sim-{self.node.node}", protocol=mqtt.MQTTv311)
        death = self.node.death(self._utc_ms)
        client.will_set(death.topic, death.payload, 1)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        self._client = client
        client.connect(*self._address)
        client.loop_start()

    def stop(self, *, politely: bool = True) -> None:
        """End. Without a good-bye the broker publishes the will."""
        client, self._client = self._client, None
        if client is None:
            return
        sock = client.socket()
        if not politely and sock is not None:
            client.loop_stop()
            sock.close()
        else:
            client.disconnect()
            client.loop_stop()
        self.node.bd_seq = (self.node.bd_seq + 1) % 256

    def process(self, dt_s: float) -> None:
        """Let simulated time pass, and publish what is due in it."""
        self._stepper.process(dt_s)

    def _emit(self, utc_ms: int) -> None:
        with self._lock:
            self._utc_ms = utc_ms
            self._publish(self.node.messages(utc_ms))

    def _publish(self, messages: tuple[Out, ...]) -> None:
        for out in messages:
            if self._client is not None:
                self._client.publish(out.topic, out.payload, 0)

    def _on_connect(self, client: Any, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:
        if not reason.is_failure:
            client.subscribe(f"spBv1.0/{self.node.group}/NCMD/{self.node.node}", 1)
            with self._lock:
                self._publish(self.node.births(self._utc_ms))

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        if self.node.is_rebirth(bytes(message.payload)):
            with self._lock:
                self._publish(self.node.births(self._utc_ms))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field_number: int, value: int) -> bytes:
    return _varint(field_number << 3) + _varint(value)


def _field(field_number: int, value: bytes) -> bytes:
    return _varint(field_number << 3 | 2) + _varint(len(value)) + value


def _metric(body: bytes) -> bytes:
    return _field(2, body)


def _stamp(utc_ms: int) -> bytes:
    return _number(3, utc_ms)


def _value(value: float | None) -> bytes:
    """A double, or the word that there is none."""
    return _number(7, 1) if value is None else _varint(13 << 3 | 1) + struct.pack("<d", value)
