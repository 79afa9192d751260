"""Tasmota: one-wire probes and other sensors of boards with this firmware.

Its time is local and has no offset: the zone is asked for, or a reading counts when it came. Probes of
one kind are numbered by their order on the wire: when one dies, the others move up. So they are found by
their Id.
Sources: docs/drivers/tasmota.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from coldchain.driver import Found, Maturity, MqttDriver, Reach
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain_drivers import DATASHEETS
from coldchain_drivers.home import OLDEST_MS, gone, object_of, value_of
from coldchain_drivers.lies import LIES
from coldchain_drivers.presence import is_offline
from coldchain_drivers.settings import Key, Strict
from coldchain_drivers.strict_json import Object
from coldchain_drivers.times import ZoneName, event_time_ms
from coldchain_drivers.topics import fault, has_wildcard

_NUMBERED = re.compile(r".+-\d+")
_ONE_WIRE = "DS18B20"
_UNITS = frozenset({"C", "F"})
_SENSOR, _WILL = "SENSOR", "LWT"


class Sensor(Strict):
    """One sensor of a board."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")] = Field(
        description="as in its messages: DS18B20, DS18B20-1, SHT3X, AM2301"
    )
    id: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{6,16}$")] | None = Field(
        default=None, description="its Id in the messages; needed where several probes are numbered"
    )

    @model_validator(mode="after")
    def _is_found(self) -> Self:
        if _NUMBERED.fullmatch(self.name) and self.id is None:
            raise ValueError(
                f'"{self.name}" is a number in an order: when a probe dies the others move up, and this key '
                "would become another probe's; give its id as well"
            )
        return self


class TasmotaDevice(Strict):
    """One board."""

    name: Key = Field(description="keys of its values begin with it, as in fridge/DS18B20/temperature")
    topic: Annotated[str, Field(pattern=r"^[^+#/]{1,100}$")] = Field(description="its topic in Tasmota")
    sensors: Annotated[tuple[Sensor, ...], Field(strict=False, min_length=1)] = Field(
        description="its sensors: a table of name and id for each"
    )

    @cached_property
    def keys(self) -> dict[str, str]:
        """Every key; the unit of a temperature stands in each message."""
        return {
            f"{self.name}/{sensor.name}/{quantity}": unit
            for sensor in self.sensors
            for quantity, unit in (("temperature", ""), ("humidity", "%"))
        }


class TasmotaSettings(Strict):
    """Which boards, and how their topics are laid."""

    devices: Annotated[tuple[TasmotaDevice, ...], Field(strict=False, min_length=1)] = Field(
        description="the boards: a table of name, topic and sensors for each"
    )
    full_topic: Annotated[str, Field(max_length=200)] = Field(
        default="tele/{topic}",
        description="its FullTopic with tele for the prefix and {topic} for the topic of each board",
    )
    zone: ZoneName | None = Field(
        default=None,
        description='zone of the boards\' clocks, "+08:00" or "Europe/Berlin"; left out, a reading counts '
        "when it came",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        trial = self.full_topic.replace("{topic}", "x")
        wrong = fault(trial) or ("a wildcard would mix boards" if has_wildcard(trial) else None)
        if wrong or "{topic}" not in self.full_topic:
            raise ValueError(f'full_topic "{self.full_topic}": {wrong or "{topic} must stand in it"}')
        for what in ("name", "topic"):
            if len({getattr(device, what) for device in self.devices}) < len(self.devices):
                raise ValueError(f"two devices have the same {what}")
        return self

    @cached_property
    def by_topic(self) -> dict[str, TasmotaDevice]:
        """Each board by its topics."""
        return {
            f"{self.full_topic.replace('{topic}', device.topic)}/{what}": device
            for device in self.devices
            for what in (_SENSOR, _WILL)
        }


def decode(settings: TasmotaSettings, topic: str, payload: bytes) -> Decoded:
    """Read one message; never raises."""
    device = settings.by_topic.get(topic)
    if device is None:
        return (Bad(Reason.UNEXPECTED_REPLY, payload),)
    if topic.endswith(f"/{_WILL}"):
        return gone(device.keys, payload) if is_offline(payload) else ()
    message = object_of(payload)
    if message is None:
        return (Bad(Reason.CORRUPT_FRAME, payload),)
    at_ms, certain = _time(settings, message)
    said = [each for sensor in device.sensors for each in _read(device, sensor, message, payload, at_ms)]
    if certain:
        return tuple(said)
    return tuple(Bad(Reason.BAD_TIME, payload, each.key) for each in said)


def _read(
    device: TasmotaDevice, sensor: Sensor, message: Object, payload: bytes, at_ms: int | None
) -> list[Measured | Bad]:
    key = f"{device.name}/{sensor.name}"
    there = _found(sensor, message)
    if there is None:  # a message carries every sensor that answers
        return [Bad(Reason.NOT_CONNECTED, payload, f"{key}/temperature", at_ms)]
    said: list[Measured | Bad] = []
    if "Temperature" in there:
        unit = message.get("TempUnit")
        if isinstance(unit, str) and unit in _UNITS:
            lies = LIES["ds18b20"].lies if sensor.name.startswith(_ONE_WIRE) else ()
            said.append(value_of(f"{key}/temperature", there["Temperature"], unit, payload, at_ms, lies))
        else:
            said.append(Bad(Reason.NO_UNIT, payload, f"{key}/temperature", at_ms))
    if "Humidity" in there:
        said.append(value_of(f"{key}/humidity", there["Humidity"], "%", payload, at_ms))
    return said


def _found(sensor: Sensor, message: Object) -> Object | None:
    """The sensor's part of a message: by its Id where it has one, else by its name."""
    if sensor.id is None:
        said = message.get(sensor.name)
        return said if isinstance(said, Object) and not said.twice else None
    for said in message.values():
        if isinstance(said, Object) and not said.twice and _id(said) == sensor.id.upper():
            return said
    return None


def _id(said: Object) -> str:
    own = said.get("Id")
    return own.upper() if isinstance(own, str) else ""


def _time(settings: TasmotaSettings, message: Object) -> tuple[int | None, bool]:
    """The board's own time, and whether it could be told. A clock that was never set has none."""
    if settings.zone is None:
        return None, True
    stamp = message.get("Time")
    at_ms = event_time_ms(stamp, "iso8601_local", settings.zone) if isinstance(stamp, str) else None
    if at_ms is None:
        return None, False
    return (at_ms if at_ms >= OLDEST_MS else None), True


#: The orders of topics that can be told from a message: Tasmota's own, and the one of Home Assistant's habit.
_ORDERS = {
    "tele/{topic}": re.compile(r"tele/([^/]+)/SENSOR"),
    "{topic}/tele": re.compile(r"([^/]+)/tele/SENSOR"),
}
_NAME, _ID = re.compile(r"[A-Za-z0-9_-]{1,32}"), re.compile(r"[0-9A-F]{6,16}")


def find(heard: Mapping[str, bytes]) -> Found | None:
    """The boards that told a temperature or a humidity, with their sensors; those of the commoner order."""
    boards = {order: _boards(form, heard) for order, form in _ORDERS.items()}
    order, found = max(boards.items(), key=lambda each: len(each[1]))
    if not found:
        return None
    devices: list[dict[str, Any]] = []
    notes: list[str] = []
    for number, (topic, sensors) in enumerate(found.items(), start=1):
        named = [
            {"name": name} | ({"id": own} if own else {}) for name, own in sensors if not _moves(name, own)
        ]
        lost = [name for name, own in sensors if _moves(name, own)]
        if lost:
            notes.append(
                f"{topic}: {', '.join(lost)} have no Id; when one dies, the others take its number, so "
                "they are not proposed"
            )
        if named:
            name = re.sub(r"[^A-Za-z0-9_]+", "-", topic).strip("-") or f"board-{number}"
            devices.append({"name": name, "topic": topic, "sensors": named})
    others = sorted({topic for each in boards.values() for topic in each} - set(found))
    notes += [f"{', '.join(others)}: heard with another FullTopic; they need a source of their own"] * bool(
        others
    )
    notes.append('zone = "…" makes their own time count; without it a reading counts when it came')
    if not devices or len({device["name"] for device in devices}) < len(devices):
        return Found(
            {},
            {"devices": f"a table of name, topic and sensors for each of {', '.join(found)}"},
            notes=tuple(notes),
        )
    return Found({"full_topic": order, "devices": devices}, notes=tuple(notes))


def _moves(name: str, own: str) -> bool:
    """Whether this is a number in an order, and no probe."""
    return _NUMBERED.fullmatch(name) is not None and not own


def _boards(form: re.Pattern[str], heard: Mapping[str, bytes]) -> dict[str, list[tuple[str, str]]]:
    """Name and Id ("": none) of the sensors of each board."""
    return {
        match[1]: sensors
        for topic, payload in sorted(heard.items())
        if (match := form.fullmatch(topic)) and (sensors := list(_sensors(payload)))
    }


def _sensors(payload: bytes) -> Iterator[tuple[str, str]]:
    for name, said in (object_of(payload) or {}).items():
        if not isinstance(said, Object) or not _NAME.fullmatch(name):
            continue
        if not said.keys().isdisjoint({"Temperature", "Humidity"}):
            own = _id(said)
            yield name, own if _ID.fullmatch(own) else ""


DRIVER = MqttDriver(
    name="tasmota",
    version="1",
    title="Sensors of boards with Tasmota",
    maturity=Maturity.VENDOR_VECTORS,
    settings=TasmotaSettings,
    topics=lambda s: tuple(s.by_topic),
    decode=decode,
    looks_at=("tele/+/SENSOR", "+/tele/SENSOR"),
    find=find,
    keys=lambda s: {key: unit for device in s.devices for key, unit in device.keys.items()},
    reach=lambda s: {
        f"{device.name}/{sensor.name}/temperature": Reach("-55", "125", "degC", "a DS18B20 ends there")
        for device in s.devices
        for sensor in device.sensors
        if sensor.name.startswith(_ONE_WIRE)
    },
    sends_time=lambda s: s.zone is not None,
    datasheet=DATASHEETS / "tasmota.toml",
    sources=("tasmota.github.io: MQTT, sensors, one-wire probes",),
)
