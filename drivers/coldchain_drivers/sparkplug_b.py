"""Sparkplug B 3.0: the host application of a plant's SCADA network, listening to its edge nodes.

It publishes two things: that it is there (STATE, with a will), and the request to be born again. It can form
no other command, so it switches nothing.
Sources: docs/drivers/sparkplug_b.md.
"""

from __future__ import annotations

from coldchain.driver import Maturity, MqttDriver
from coldchain.model import Decoded
from coldchain.session import Now, Received, Session
from coldchain_drivers import DATASHEETS
from coldchain_drivers import sparkplug_finding as finding
from coldchain_drivers import sparkplug_session as session
from coldchain_drivers.sparkplug_settings import SparkplugSettings

_OF_NODES = ("NBIRTH", "NDEATH", "NDATA")
_OF_DEVICES = ("DBIRTH", "DDEATH", "DDATA")


def decode(settings: SparkplugSettings, topic: str, payload: bytes) -> Decoded:
    """One message that nothing came before; never raises. A birth is whole by itself, data is not."""
    return session.take(settings, session.State(), Received(topic, payload), Now(0, 0)).decoded


def _topics(settings: SparkplugSettings) -> tuple[str, ...]:
    # All devices of a node, wanted or not: the messages of a node are numbered together.
    nodes = [
        f"spBv1.0/{group}/{kind}/{node}" + ("/+" if kind in _OF_DEVICES else "")
        for group, node in settings.nodes
        for kind in (*_OF_NODES, *_OF_DEVICES)
    ]
    return (*nodes, session.state_topic(settings))


DRIVER = MqttDriver(
    name="sparkplug_b",
    version="1",
    title="Sparkplug B 3.0, as a host application",
    maturity=Maturity.SIMULATED,
    settings=SparkplugSettings,
    topics=_topics,
    decode=decode,
    looks_at=finding.LOOKS_AT,
    find=finding.find,
    asks=finding.asks,
    session=Session(
        start=lambda settings: session.State(),
        take=session.take,
        will=lambda settings, now: session.presence_of(settings, now.utc_ms, online=False),
        opened=session.opened,
        closing=lambda settings, state, now: (session.presence_of(settings, now.utc_ms, online=False),),
        due_ms=session.due_ms,
        fire=session.fire,
        clean=True,
    ),
    keys=lambda s: {metric.key: metric.unit or "" for metric in s.metrics},
    sends_time=lambda settings: True,
    datasheet=DATASHEETS / "sparkplug_b.toml",
    sources=("Eclipse Sparkplug specification 3.0 (topics, payloads, operational behavior)",),
)
