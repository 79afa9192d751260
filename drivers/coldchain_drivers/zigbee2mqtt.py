"""Zigbee2MQTT: door contacts, temperature and humidity of small Zigbee sensors.

A message carries what changed, or all that is cached, without saying which of it is new: only `last_seen`
tells when the device spoke. A battery device counts as present for 25 hours by default: silence is ours to
see.
Sources: docs/drivers/zigbee2mqtt.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, model_validator

from coldchain.driver import Found, Maturity, MqttDriver
from coldchain.model import Bad, Decoded, Reason
from coldchain_drivers import DATASHEETS
from coldchain_drivers.home import gone, object_of, value_of
from coldchain_drivers.presence import is_offline
from coldchain_drivers.settings import Key, Strict
from coldchain_drivers.strict_json import Number, Object
from coldchain_drivers.times import event_time_ms
from coldchain_drivers.topics import PlainTopic

#: Its names of quantities, and their units. `contact` is true while the magnet is there: closed.
UNITS = {
    "temperature": "degC",
    "humidity": "%",
    "pressure": "hPa",
    "contact": "closed",
    "battery": "%",
    "voltage": "mV",
}
_AVAILABILITY = "/availability"


class ZigbeeDevice(Strict):
    """One device."""

    name: Key = Field(description="keys of its values begin with it, as in fridge/contact")
    friendly_name: PlainTopic = Field(description="its name in Zigbee2MQTT; it may have slashes in it")


class ZigbeeSettings(Strict):
    """Which devices of which bridge."""

    devices: Annotated[tuple[ZigbeeDevice, ...], Field(strict=False, min_length=1)] = Field(
        description="the devices: a table of name and friendly_name for each"
    )
    base_topic: PlainTopic = Field(default="zigbee2mqtt", description="as in Zigbee2MQTT's mqtt.base_topic")
    last_seen: bool = Field(
        description="whether Zigbee2MQTT adds last_seen (advanced.last_seen: ISO_8601 or epoch); without it "
        "what it has cached looks fresh whenever it starts, so write false only with "
        "advanced.cache_state_send_on_startup: false"
    )

    @model_validator(mode="after")
    def _different(self) -> Self:
        for what in ("name", "friendly_name"):
            if len({getattr(device, what) for device in self.devices}) < len(self.devices):
                raise ValueError(f"two devices have the same {what}")
        return self

    @cached_property
    def by_topic(self) -> dict[str, ZigbeeDevice]:
        """Each device by the topic of its values."""
        return {f"{self.base_topic}/{device.friendly_name}": device for device in self.devices}

    @property
    def bridge(self) -> str:
        """Where the bridge says whether it is there."""
        return f"{self.base_topic}/bridge/state"


def decode(settings: ZigbeeSettings, topic: str, payload: bytes) -> Decoded:
    """Read one message; never raises. What it does not mention gives nothing."""
    if topic == settings.bridge:
        names = [device.name for device in settings.devices]
        return gone(_keys(names), payload) if is_offline(payload) else ()
    device = settings.by_topic.get(topic.removesuffix(_AVAILABILITY))
    if device is None:
        return (Bad(Reason.UNEXPECTED_REPLY, payload),)
    if topic.endswith(_AVAILABILITY) and topic not in settings.by_topic:
        return gone(_keys([device.name]), payload) if is_offline(payload) else ()
    message = object_of(payload)
    if message is None:
        return (Bad(Reason.CORRUPT_FRAME, payload),)
    at_ms = _seen_ms(message) if settings.last_seen else None
    there = [(f"{device.name}/{name}", name) for name in UNITS if name in message]
    if settings.last_seen and at_ms is None:
        return tuple(Bad(Reason.BAD_TIME, payload, key) for key, _ in there)
    return tuple(value_of(key, message[name], UNITS[name], payload, at_ms) for key, name in there)


def _seen_ms(message: Object) -> int | None:
    """When the device spoke: a number of ms, or a text with its offset."""
    stamp = message.get("last_seen")
    if isinstance(stamp, Number):
        return event_time_ms(stamp, "epoch_ms", None)
    return event_time_ms(stamp, "iso8601", None) if isinstance(stamp, str) else None


def _keys(names: list[str]) -> list[str]:
    return [f"{name}/{quantity}" for name in names for quantity in UNITS]


def _topics(settings: ZigbeeSettings) -> tuple[str, ...]:
    own = [each for topic in settings.by_topic for each in (topic, topic + _AVAILABILITY)]
    return (*own, settings.bridge)


def find(heard: Mapping[str, bytes]) -> Found | None:
    """The devices that told a quantity we know, under the usual base topic. The bridge is none."""
    told = {
        topic.removeprefix("zigbee2mqtt/"): message
        for topic, payload in heard.items()
        if topic.startswith("zigbee2mqtt/")
        and not topic.startswith("zigbee2mqtt/bridge/")
        and (message := object_of(payload)) is not None
        and not UNITS.keys().isdisjoint(message)
    }
    devices = [
        {"name": re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-") or f"device-{number}", "friendly_name": name}
        for number, name in enumerate(sorted(told), start=1)
    ]
    if not devices or len({device["name"] for device in devices}) < len(devices):
        return None
    if all(_seen_ms(message) is not None for message in told.values()):
        return Found({"devices": devices, "last_seen": True})
    why = "set advanced.last_seen in Zigbee2MQTT and write true: without it what is cached looks fresh"
    return Found({"devices": devices}, {"last_seen": why}, {"last_seen": False})


DRIVER = MqttDriver(
    name="zigbee2mqtt",
    version="1",
    title="Zigbee devices through Zigbee2MQTT",
    maturity=Maturity.VENDOR_VECTORS,
    settings=ZigbeeSettings,
    topics=_topics,
    decode=decode,
    looks_at=("zigbee2mqtt/#",),
    find=find,
    keys=lambda s: {f"{device.name}/{name}": unit for device in s.devices for name, unit in UNITS.items()},
    sends_time=lambda s: s.last_seen,
    datasheet=DATASHEETS / "zigbee2mqtt.toml",
    sources=("zigbee2mqtt.io: MQTT topics and messages, availability, configuration",),
)
