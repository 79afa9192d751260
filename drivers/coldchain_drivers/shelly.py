"""Shelly, second generation and later: rooms, refrigerators, and whether there is power.

A notification says only what changed, and lies over what was said before: a component that reported an
error stays in error until it says otherwise, whatever number comes with it.
Sources: docs/drivers/shelly.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from msgspec import Struct
from msgspec.structs import replace
from pydantic import Field, model_validator

from coldchain.driver import Found, Maturity, MqttDriver
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain.session import Now, Received, Session, Turn
from coldchain_drivers import DATASHEETS
from coldchain_drivers.home import OLDEST_MS, gone, object_of, value_of
from coldchain_drivers.presence import is_offline
from coldchain_drivers.settings import Key, Strict
from coldchain_drivers.strict_json import Hole, Number, Object, walk
from coldchain_drivers.times import event_time_ms
from coldchain_drivers.topics import PlainTopic

_FULL, _CHANGE = "NotifyFullStatus", "NotifyStatus"
#: For each kind of component: the quantity, where it stands, its unit ("": the site says what a 1 means).
_KINDS: dict[str, tuple[tuple[str, tuple[str, ...], str], ...]] = {
    "temperature": (("temperature", ("tC",), "degC"),),
    "humidity": (("humidity", ("rh",), "%"),),
    "input": (("input", ("state",), ""),),
    "devicepower": (
        ("battery", ("battery", "percent"), "%"),
        ("voltage", ("battery", "V"), "V"),
    ),
}
_COMPONENT = re.compile(r"(temperature|humidity|input|devicepower):\d{1,3}")
Component = Annotated[str, Field(pattern=f"^{_COMPONENT.pattern}$")]
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ShellyDevice(Strict):
    """One device."""

    name: Key = Field(description="keys of its values begin with it, as in fridge/temperature_0")
    id: Annotated[str, Field(pattern=f"^{_ID.pattern}$")] = Field(
        description="its id, as shellyhtg3-84fce63ad204; each message must name it"
    )
    topic: PlainTopic | None = Field(default=None, description="its MQTT prefix, if it is not its id")
    components: Annotated[tuple[Component, ...], Field(strict=False, min_length=1)] = Field(
        default=("temperature:0", "humidity:0", "devicepower:0"),
        description="what it has: temperature:0 and on, 100 and on for probes of an add-on, humidity, input, "
        "devicepower",
    )

    @property
    def prefix(self) -> str:
        """Where its topics begin."""
        return self.topic or self.id

    @cached_property
    def keys(self) -> dict[str, str]:
        """Every key, with its unit as sent."""
        return {
            f"{self.name}/{quantity}_{component.partition(':')[2]}": unit
            for component in self.components
            for quantity, _, unit in _KINDS[component.partition(":")[0]]
        }


class ShellySettings(Strict):
    """Which devices."""

    devices: Annotated[tuple[ShellyDevice, ...], Field(strict=False, min_length=1)] = Field(
        description="the devices: a table of name, id and components for each"
    )

    @model_validator(mode="after")
    def _different(self) -> Self:
        for what in ("name", "id", "prefix"):
            if len({getattr(device, what) for device in self.devices}) < len(self.devices):
                raise ValueError(f"two devices have the same {what}")
        return self

    @cached_property
    def by_topic(self) -> dict[str, ShellyDevice]:
        """Each device by its topics."""
        return {
            f"{device.prefix}/{end}": device for device in self.devices for end in ("events/rpc", "online")
        }


class Known(Struct, frozen=True):
    """What a device said before: components in error, and whether it sleeps between its messages."""

    errors: frozenset[str] = frozenset()
    sleeps: bool = False


State = dict[str, Known]  # by name; never changed in place


def take(settings: ShellySettings, state: State, received: Received, now: Now) -> Turn:
    """One message."""
    payload = received.payload
    device = settings.by_topic.get(received.topic)
    if device is None:
        return Turn(state, (Bad(Reason.UNEXPECTED_REPLY, payload),))
    known = state.get(device.name, Known())
    if received.topic.endswith("/online"):
        # A device on batteries is gone after each message, and well.
        lost = is_offline(payload) and not known.sleeps
        return Turn(state, gone(device.keys, payload) if lost else ())
    message = object_of(payload)
    params = None if message is None else message.get("params")
    if message is None or not isinstance(params, Object) or params.twice:
        return Turn(state, (Bad(Reason.CORRUPT_FRAME, payload),))
    if message.get("src") != device.id:
        return Turn(state, (Bad(Reason.WRONG_DEVICE, payload),))
    if message.get("method") not in {_FULL, _CHANGE}:
        return Turn(state)  # an event, as of a button
    known = _learn(known, params, full=message["method"] == _FULL)
    return Turn(state | {device.name: known}, _values(device, known, params, payload))


def decode(settings: ShellySettings, topic: str, payload: bytes) -> Decoded:
    """One message by itself; never raises."""
    return take(settings, {}, Received(topic, payload), Now(0, 0)).decoded


def _learn(known: Known, params: Object, *, full: bool) -> Known:
    """What a message says of errors and of sleep; a full status says it all anew."""
    errors = set() if full else set(known.errors)
    for component, said in params.items():
        if isinstance(said, Object) and "errors" in said:
            errors.discard(component)
            if said["errors"] not in (None, []):
                errors.add(component)
    period = walk(params, ("sys", "wakeup_period"))
    if isinstance(period, Number):
        known = replace(known, sleeps=period != "0")
    return replace(known, errors=frozenset(errors))


def _values(device: ShellyDevice, known: Known, params: Object, payload: bytes) -> Decoded:
    at_ms = _time_ms(params)
    said: list[Measured | Bad] = []
    for component in device.components:
        kind, _, number = component.partition(":")
        there = params.get(component)
        if not isinstance(there, Object):
            continue
        if kind == "devicepower" and walk(there, ("external", "present")) is True:
            continue  # on a supply: its battery of 0 % means nothing
        for quantity, path, unit in _KINDS[kind]:
            key, sent = f"{device.name}/{quantity}_{number}", walk(there, path)
            if component in known.errors and (sent is not Hole.MISSING or "errors" in there):
                said.append(Bad(Reason.SENSOR_FAULT, payload, key, at_ms))
            elif sent is not Hole.MISSING:
                said.append(value_of(key, sent, unit, payload, at_ms))
    return tuple(said)


def _time_ms(params: Object) -> int | None:
    """The device's own time; None where it knows none, as just after waking: then it counts when it came."""
    stamp = params.get("ts")
    if not isinstance(stamp, Number) or walk(params, ("sys", "unixtime")) is None:
        return None
    at_ms = event_time_ms(stamp, "epoch_s", None)
    return at_ms if at_ms is not None and at_ms >= OLDEST_MS else None


def find(heard: Mapping[str, bytes]) -> Found | None:
    """The devices that sent a notification, with the components that they told; one tells what changed."""
    devices: list[dict[str, Any]] = []
    silent: list[str] = []
    for topic, payload in sorted(heard.items()):
        prefix = topic.removesuffix("/events/rpc")
        message = object_of(payload)
        told = None if message is None else message.get("params")
        own = None if message is None else message.get("src")
        if not isinstance(told, Object) or not isinstance(own, str) or not _ID.fullmatch(own):
            continue
        there = sorted(name for name, said in told.items() if _tells(name, said))
        if not there:
            silent.append(own)
        elif own not in {device["id"] for device in devices}:
            topics = {} if prefix == own else {"topic": prefix}
            devices.append({"name": own, "id": own, **topics, "components": there})
    notes = tuple(
        f"{own}: what it sent last told no value; a sleeping device tells all when it wakes" for own in silent
    )
    if devices:
        notes += ("a device tells what changed: it may have more components than these",)
        return Found({"devices": devices}, notes=notes)
    return (
        Found({}, {"devices": f"their names and ids: {', '.join(silent)}"}, notes=notes) if silent else None
    )


def _tells(name: str, said: object) -> bool:
    return _COMPONENT.fullmatch(name) is not None and isinstance(said, Object)


DRIVER = MqttDriver(
    name="shelly",
    version="1",
    title="Shelly, second generation and later",
    maturity=Maturity.SECOND_HAND,
    settings=ShellySettings,
    topics=lambda s: tuple(s.by_topic),
    decode=decode,
    looks_at=("+/events/rpc", "+/+/events/rpc"),
    find=find,
    session=Session(start=lambda settings: {}, take=take),
    keys=lambda s: {key: unit for device in s.devices for key, unit in device.keys.items()},
    sends_time=lambda settings: True,
    datasheet=DATASHEETS / "shelly.toml",
    sources=("shelly-api-docs: Gen2 notifications, component Temperature, MQTT",),
)
