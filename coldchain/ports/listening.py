"""Listening to a broker for a while: what was published under some topics, the newest of each.

For a look at a broker that nobody has described yet. Nothing is published unless the caller asks, and the
client has a name of its own, so no session of a gateway is disturbed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from coldchain.clock import Clock
from coldchain.config.credentials import SecretUnavailable
from coldchain.config.endpoints import BrokerSettings
from coldchain.ports.broker_client import CONNECT_S, make_client
from coldchain.session import Publication

#: Bounds of what is remembered: topics, and the size of one payload. A judgement; more is no sensor's.
TOPICS_MAX, PAYLOAD_BYTES_MAX = 5000, 1 << 20
_LOOK_S = 0.2


class NoBroker(Exception):
    """It cannot be listened to; says why."""


#: What was heard so far, and UTC in ms, to what should be published.
Asking = Callable[[Mapping[str, bytes], int], Iterable[Publication]]


def listen(
    settings: BrokerSettings,
    filters: Iterable[str],
    seconds: float,
    clock: Clock,
    asking: Asking | None = None,
) -> dict[str, bytes]:
    """The newest payload of each topic that comes within so many seconds. Raises NoBroker.

    asking: what to publish meanwhile; to each topic once.
    """
    settings = settings.model_copy(
        update={
            "client_id": f"coldchain-probe-{secrets.token_hex(4)}",
            "clean_session": True,
            "protocol": "3.1.1",
        }
    )
    heard: dict[str, bytes] = {}
    why: list[str] = []
    listening: list[float] = []  # since when; connecting is not listening
    asked: set[str] = set()

    def connected(client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            why.append(f"it refuses us: {reason}")
        else:
            client.subscribe([(topic, 0) for topic in sorted(set(filters))])

    def subscribed(_client: paho.Client, _data: Any, _id: int, codes: Any, _properties: Any) -> None:
        listening.append(clock.real_s())
        if all(code.is_failure for code in codes):
            why.append(f"it lets us hear nothing: {codes[0]}")

    def came(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        room = message.topic in heard or len(heard) < TOPICS_MAX
        if room and len(message.payload) <= PAYLOAD_BYTES_MAX:
            heard[message.topic] = bytes(message.payload)

    where = f"{settings.host}:{settings.port_number}"
    try:
        client = make_client(settings, Path.cwd())
        client.on_connect, client.on_subscribe, client.on_message = connected, subscribed, came
        client.reconnect()
        begun_s = clock.real_s()
        while not why:
            end_s = listening[0] + seconds if listening else begun_s + CONNECT_S
            left_s = end_s - clock.real_s()
            if left_s <= 0:
                break
            if (code := client.loop(min(_LOOK_S, left_s))) != paho.MQTT_ERR_SUCCESS:
                why.append(f"the connection was lost: {paho.error_string(code)}")
            _publish(client, asking(heard, clock.utc_ms()) if asking is not None else (), asked)
        client.disconnect()
        if not listening and not why:
            why.append(f"it does not answer within {CONNECT_S:g} s")
    except (OSError, ValueError, SecretUnavailable) as error:
        raise NoBroker(f"{where}: {error}") from error
    if why:
        raise NoBroker(f"{where}: {why[0]}")
    return heard


def _publish(client: paho.Client, wanted: Iterable[Publication], asked: set[str]) -> None:
    """Publish what was not published before; `asked` remembers it."""
    for each in wanted:
        if each.topic not in asked:
            asked.add(each.topic)
            client.publish(each.topic, each.payload, each.qos, each.retain)
