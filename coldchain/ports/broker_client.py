"""A paho client made ready for one connection to one broker: session, bounds, TLS, password."""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from coldchain.config.credentials import read_secret, secret_path, tls_context
from coldchain.config.endpoints import BrokerSettings
from coldchain.session import Publication

CONNECT_S = 5.0
#: Larger packets an MQTT 5 broker keeps to itself: paho puts a whole packet into memory, and the protocol
#: allows 256 MB. (MQTT 3.1.1 has no such word: there the broker's own `message_size_limit` must do it.)
PACKET_BYTES_MAX = 16 * 1_048_576


def make_client(settings: BrokerSettings, base: Path, will: Publication | None = None) -> paho.Client:
    """A client that is ready for `reconnect()`; acknowledges nothing by itself, and does not reconnect.

    base: where relative paths of the configuration start; will: what the broker publishes for us when we are
    gone without a word. Raises SecretUnavailable, OSError.
    """
    v5 = settings.protocol == "5"
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=settings.client_id,
        protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311,
        clean_session=None if v5 else settings.clean_session,
        manual_ack=True,
        reconnect_on_failure=False,  # nor falls back to MQTT 3.1, which paho would do without a word
    )
    client.connect_timeout = CONNECT_S
    if will is not None:
        client.will_set(will.topic, will.payload, will.qos, will.retain)
    if settings.user:
        password = read_secret(settings.password_file, settings.password_env, base=base, environ=os.environ)
        client.username_pw_set(settings.user, password)
    if settings.tls:
        client.tls_set_context(_tls(settings, base))
    client.on_socket_open = _without_delay
    client.connect_async(
        settings.host,
        settings.port_number,
        keepalive=max(1, settings.keep_alive // 1000),
        clean_start=settings.clean_session,
        properties=_properties(settings) if v5 else None,
    )
    return client


def _properties(settings: BrokerSettings) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    expiry_s = 0 if settings.clean_session else settings.session_expiry // 1000
    properties.SessionExpiryInterval = min(expiry_s, 0xFFFF_FFFF)
    properties.ReceiveMaximum = settings.inflight
    properties.MaximumPacketSize = PACKET_BYTES_MAX
    return properties


def _tls(settings: BrokerSettings, base: Path) -> ssl.SSLContext:
    def path(file: str) -> Path:
        return secret_path(file, base=base, environ=os.environ)

    return tls_context(path, settings.ca_file, settings.certificate_file, settings.key_file)


def _without_delay(_client: object, _data: object, opened: object) -> None:
    """Send each packet at once: an acknowledgement that waits for the next one costs 20 to 40 ms."""
    if isinstance(opened, socket.socket):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
