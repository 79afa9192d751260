"""ChirpStack v4: uplinks of LoRaWAN sensors as JSON; the payload is decoded here, by our own codecs.

The JSON is protobuf's: what is zero or empty is left out. Only `data` counts. It is refused where a join
server holds the key, for then it is encrypted for somebody else.
Sources: docs/drivers/chirpstack.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, model_validator

from coldchain.driver import Found, Maturity, MqttDriver
from coldchain.model import Bad, Decoded, Measured, Noted, Reason
from coldchain.session import Now, Received, Session, Turn
from coldchain_drivers import DATASHEETS
from coldchain_drivers.lorawan.codec import Uplink
from coldchain_drivers.lorawan.models import DevEui, LoraDevice
from coldchain_drivers.lorawan.server import Seen, again, payload_of, refused, values
from coldchain_drivers.settings import Strict
from coldchain_drivers.strict_json import NotJson, Number, Object, load, walk
from coldchain_drivers.times import event_time_ms

_UPLINK, _STATUS, _LOG = "up", "status", "log"


class ChirpstackDevice(LoraDevice):
    """One sensor."""

    dev_eui: DevEui = Field(description="its DevEUI, 16 hex digits, as on its label")


class ChirpstackSettings(Strict):
    """Which sensors of which application."""

    devices: Annotated[tuple[ChirpstackDevice, ...], Field(strict=False, min_length=1)] = Field(
        description="the sensors: a table of name, dev_eui and model for each"
    )
    application: Annotated[str, Field(pattern=r"^[0-9a-zA-Z-]{1,64}$|^\+$")] = Field(
        default="+", description="id of the application in ChirpStack; +: any"
    )
    simulated: bool = Field(
        default=False,
        description='accept messages that say "simulated": true of themselves; else they are refused',
    )

    @model_validator(mode="after")
    def _different(self) -> Self:
        for what in ("name", "dev_eui"):
            if len({getattr(device, what) for device in self.devices}) < len(self.devices):
                raise ValueError(f"two devices have the same {what}")
        return self

    @cached_property
    def by_eui(self) -> dict[str, ChirpstackDevice]:
        """Each device by its DevEUI."""
        return {device.dev_eui: device for device in self.devices}


def take(settings: ChirpstackSettings, state: Seen, received: Received, now: Now) -> Turn:
    """One message; a copy of an uplink gives nothing."""
    decoded, eui, identity = _read(settings, received.topic, received.payload)
    copy, seen = again(state, eui, identity)
    return Turn(seen if not received.retained else state, () if copy else decoded)


def decode(settings: ChirpstackSettings, topic: str, payload: bytes) -> Decoded:
    """One message by itself; never raises."""
    return _read(settings, topic, payload)[0]


def _read(settings: ChirpstackSettings, topic: str, payload: bytes) -> tuple[Decoded, str, str]:
    """The values of one message, whose they are, and what tells it from others ("": nothing does)."""
    levels = topic.split("/")
    eui = levels[3].lower() if len(levels) == 6 else ""
    device = settings.by_eui.get(eui)
    if device is None or settings.application not in {"+", levels[1]}:
        return (Bad(Reason.UNEXPECTED_REPLY, payload),), "", ""
    try:
        message = load(payload)
    except NotJson:
        return (Bad(Reason.CORRUPT_FRAME, payload),), "", ""
    if not isinstance(message, Object) or message.twice:
        return (Bad(Reason.CORRUPT_FRAME, payload),), "", ""
    named = walk(message, ("deviceInfo", "devEui"))
    if not isinstance(named, str) or named.lower() != eui:
        return (Bad(Reason.WRONG_DEVICE, payload),), "", ""
    simulated = message.get("simulated", False)
    if simulated is not False and not settings.simulated:
        return refused(device, Reason.SIMULATED, payload), "", ""
    identity = message.get("deduplicationId")
    known = identity if isinstance(identity, str) else ""
    match levels[5]:
        case "up":
            return _uplink(device, message, payload), eui, known
        case "status":
            return _status(device, message, payload), eui, known
        case "log":
            return _log(device, message), eui, known
    return (Bad(Reason.UNEXPECTED_REPLY, payload),), "", ""


def _uplink(device: ChirpstackDevice, message: Object, payload: bytes) -> Decoded:
    if message.get("joinServerContext") is not None:
        return refused(device, Reason.ENCRYPTED, payload)
    if "data" not in message:
        return ()  # no payload of the application: a frame of the network's own
    data, (at_ms, certain) = payload_of(message["data"]), _time(message)
    port = message.get("fPort", Number("0"))
    if data is None or not isinstance(port, Number) or not port.isdigit():
        return (Bad(Reason.CORRUPT_FRAME, payload),)
    if not certain:
        return refused(device, Reason.BAD_TIME, payload)
    return values(device, Uplink(data, int(port), at_ms), payload, message.get("object"))


def _status(device: ChirpstackDevice, message: Object, payload: bytes) -> Decoded:
    """The battery as the network asked for it. It is left out where the device does not know."""
    level, (at_ms, certain) = message.get("batteryLevel"), _time(message)
    if not isinstance(level, Number) or message.get("batteryLevelUnavailable") is True or not certain:
        return ()
    return (Measured(f"{device.name}/battery_level", str(level), "%", at_ms),)


def _log(device: ChirpstackDevice, message: Object) -> Decoded:
    """What the network says went wrong with a device, as a frame whose check failed."""
    code = message.get("code")
    if message.get("level") != "ERROR" or not isinstance(code, str):
        return ()
    return (Noted(f"{device.name}/network", code[:100]),)


def _time(message: Object) -> tuple[int | None, bool]:
    """When the network received it, if it says so; and whether that could be read."""
    stamp = message.get("time")
    if stamp is None:
        return None, True
    at_ms = event_time_ms(stamp, "iso8601", None) if isinstance(stamp, str) else None
    return at_ms, at_ms is not None


def _topics(settings: ChirpstackSettings) -> tuple[str, ...]:
    return tuple(
        f"application/{settings.application}/device/{device.dev_eui}/event/{event}"
        for device in settings.devices
        for event in (_UPLINK, _STATUS, _LOG)
    )


def find(heard: Mapping[str, bytes]) -> Found | None:
    """The sensors whose uplinks were heard; which model each is, and so its codec, no message tells."""
    seen = []
    for topic in sorted(heard):
        eui = topic.split("/")[3]
        try:
            message = load(heard[topic])
        except NotJson:
            continue
        name = walk(message, ("deviceInfo", "deviceName"))
        seen.append(f'{{ name = "{eui[-4:]}", dev_eui = "{eui}", model = … }} ({name})')
    why = f"[…] of a table for each sensor; heard were {', '.join(seen)}; its model is on its label"
    return Found({}, {"devices": why}) if seen else None


DRIVER = MqttDriver(
    name="chirpstack",
    version="1",
    title="LoRaWAN sensors through ChirpStack v4",
    maturity=Maturity.VENDOR_VECTORS,
    settings=ChirpstackSettings,
    topics=_topics,
    decode=decode,
    looks_at=("application/+/device/+/event/up",),
    find=find,
    session=Session(start=lambda settings: {}, take=take),
    keys=lambda s: (
        {key: unit for device in s.devices for key, unit in device.keys.items()}
        | {f"{device.name}/battery_level": "%" for device in s.devices}
    ),
    reach=lambda s: {key: reach for device in s.devices for key, reach in device.reach.items()},
    sends_time=lambda settings: True,
    datasheet=DATASHEETS / "chirpstack.toml",
    sources=(
        "ChirpStack v4 documentation: MQTT integration, event types",
        "each payload codec names its own",
    ),
)
