"""The Things Stack v3: uplinks of LoRaWAN sensors as JSON; the payload is decoded here, by our own codecs.

The broker speaks MQTT 3.1.1 at QoS 0 and keeps nothing: what is published while nobody listens is lost.
Uplinks made in its console say `"simulated": true`; they are never evidence.
Sources: docs/drivers/ttn.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, model_validator

from coldchain.driver import Found, Maturity, MqttDriver
from coldchain.model import Bad, Decoded, Reason
from coldchain.session import Now, Received, Session, Turn
from coldchain_drivers import DATASHEETS
from coldchain_drivers.lorawan.codec import Uplink
from coldchain_drivers.lorawan.models import DevEui, LoraDevice
from coldchain_drivers.lorawan.server import Seen, again, payload_of, refused, values
from coldchain_drivers.settings import Strict
from coldchain_drivers.strict_json import NotJson, Number, Object, load, walk
from coldchain_drivers.times import event_time_ms


class TtnDevice(LoraDevice):
    """One sensor."""

    device_id: Annotated[str, Field(pattern=r"^[a-z0-9](?:[-]?[a-z0-9]){1,35}$")] = Field(
        description="its id in the application, as eui-a84041000181c061"
    )
    dev_eui: DevEui | None = Field(
        default=None, description="its DevEUI, 16 hex digits; given, a message with another one is refused"
    )


class TtnSettings(Strict):
    """Which sensors of which application."""

    application: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,36}(@[a-z0-9-]{2,36})?$")] = Field(
        description="application and tenant as in the user name, my-app@my-tenant; my-app@ttn on the "
        "community network, my-app alone on a server of one's own"
    )
    devices: Annotated[tuple[TtnDevice, ...], Field(strict=False, min_length=1)] = Field(
        description="the sensors: a table of name, device_id and model for each"
    )
    simulated: bool = Field(
        default=False,
        description='accept messages that say "simulated": true of themselves; else they are refused',
    )

    @model_validator(mode="after")
    def _different(self) -> Self:
        for what in ("name", "device_id"):
            if len({getattr(device, what) for device in self.devices}) < len(self.devices):
                raise ValueError(f"two devices have the same {what}")
        return self

    @cached_property
    def by_topic(self) -> dict[str, TtnDevice]:
        """Each device by the topic of its uplinks."""
        return {f"v3/{self.application}/devices/{each.device_id}/up": each for each in self.devices}


def take(settings: TtnSettings, state: Seen, received: Received, now: Now) -> Turn:
    """One message; a copy of an uplink gives nothing."""
    decoded, device, identity = _read(settings, received.topic, received.payload)
    copy, seen = again(state, device, identity)
    return Turn(seen if not received.retained else state, () if copy else decoded)


def decode(settings: TtnSettings, topic: str, payload: bytes) -> Decoded:
    """One message by itself; never raises."""
    return _read(settings, topic, payload)[0]


def _read(settings: TtnSettings, topic: str, payload: bytes) -> tuple[Decoded, str, str]:
    """The values of one message, whose they are, and what tells it from others ("": nothing does)."""
    device = settings.by_topic.get(topic)
    if device is None:
        return (Bad(Reason.UNEXPECTED_REPLY, payload),), "", ""
    try:
        message = load(payload)
    except NotJson:
        return (Bad(Reason.CORRUPT_FRAME, payload),), "", ""
    if not isinstance(message, Object) or message.twice:
        return (Bad(Reason.CORRUPT_FRAME, payload),), "", ""
    if not _is_of(device, message):
        return (Bad(Reason.WRONG_DEVICE, payload),), "", ""
    if message.get("simulated", False) is not False and not settings.simulated:
        return refused(device, Reason.SIMULATED, payload), "", ""
    uplink = message.get("uplink_message")
    if not isinstance(uplink, Object) or uplink.twice:
        return (Bad(Reason.CORRUPT_FRAME, payload),), "", ""
    if "app_s_key" in uplink:  # the application server holds no key: it passes on what is encrypted
        return refused(device, Reason.ENCRYPTED, payload), "", ""
    return _uplink(device, message, uplink, payload), device.device_id, _identity(uplink)


def _uplink(device: TtnDevice, message: Object, uplink: Object, payload: bytes) -> Decoded:
    if "frm_payload" not in uplink:
        return ()  # no payload of the application: a frame of the network's own
    data = payload_of(uplink["frm_payload"])
    port = uplink.get("f_port", Number("0"))  # 0 is left out, and in the published sample it is
    if data is None or not isinstance(port, Number) or not port.isdigit():
        return (Bad(Reason.CORRUPT_FRAME, payload),)
    stamp = uplink.get("received_at", message.get("received_at"))
    at_ms = event_time_ms(stamp, "iso8601", None) if isinstance(stamp, str) else None
    if at_ms is None and stamp is not None:
        return refused(device, Reason.BAD_TIME, payload)
    return values(device, Uplink(data, int(port), at_ms), payload, uplink.get("decoded_payload"))


def _is_of(device: TtnDevice, message: Object) -> bool:
    """Whether the message names the device of its topic, by id and by DevEUI."""
    if walk(message, ("end_device_ids", "device_id")) != device.device_id:
        return False
    eui = walk(message, ("end_device_ids", "dev_eui"))
    return device.dev_eui is None or (isinstance(eui, str) and eui.lower() == device.dev_eui)


def _identity(uplink: Object) -> str:
    """The frame counter within its session: it begins anew when the device joins again."""
    counter, session = uplink.get("f_cnt", Number("0")), uplink.get("session_key_id")
    return f"{session} {counter}" if isinstance(session, str) and isinstance(counter, Number) else ""


def find(heard: Mapping[str, bytes]) -> Found | None:
    """The sensors whose uplinks were heard; which model each is, and so its codec, no message tells."""
    heard_of = [topic.split("/") for topic in sorted(heard)]
    applications = sorted({levels[1] for levels in heard_of})
    if len(applications) != 1:
        return None  # a source is of one application, and so is the user of this broker
    seen = [f'{{ name = "{one[3]}", device_id = "{one[3]}", model = … }}' for one in heard_of]
    why = f"[…] of a table for each sensor; heard were {', '.join(seen)}; its model is on its label"
    return Found({"application": applications[0]}, {"devices": why})


DRIVER = MqttDriver(
    name="ttn",
    version="1",
    title="LoRaWAN sensors through The Things Stack v3",
    maturity=Maturity.VENDOR_VECTORS,
    settings=TtnSettings,
    topics=lambda s: tuple(s.by_topic),
    decode=decode,
    looks_at=("v3/+/devices/+/up",),
    find=find,
    session=Session(start=lambda settings: {}, take=take),
    keys=lambda s: {key: unit for device in s.devices for key, unit in device.keys.items()},
    reach=lambda s: {key: reach for device in s.devices for key, reach in device.reach.items()},
    sends_time=lambda settings: True,
    datasheet=DATASHEETS / "ttn.toml",
    sources=(
        "The Things Stack documentation: MQTT server, uplink messages, data formats",
        "each payload codec names its own",
    ),
)
