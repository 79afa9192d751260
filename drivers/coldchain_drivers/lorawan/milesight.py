"""What Milesight's sensors have in common: a channel, a type, and as many bytes as the model has for both.

The length stands nowhere, and the same channel and type have other lengths in other models: a codec is
that of one model, and what it does not know ends the reading. Low byte first.
Source: Milesight-IoT/SensorDecoders (facts only: it carries no licence).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from coldchain.model import Reason
from coldchain_drivers.lorawan.codec import STOP, Said, Uplink, celsius
from coldchain_drivers.scaled import scaled

Part = Callable[[bytes, Uplink], tuple[Said, ...]]
#: By channel and type: how many bytes follow, and what they mean.
Parts = Mapping[tuple[int, int], tuple[int, Part]]


def read(parts: Parts, uplink: Uplink) -> tuple[Said, ...]:
    """The values of a payload, up to the first part that this model does not have."""
    data, at = uplink.data, 0
    said: list[Said] = []
    while at < len(data):
        known = parts.get((data[at], data[at + 1])) if at + 1 < len(data) else None
        if known is None or at + 2 + known[0] > len(data):
            return (*said, STOP)
        size, part = known
        said += part(data[at + 2 : at + 2 + size], uplink)
        at += 2 + size
    return tuple(said)


def nothing(data: bytes, uplink: Uplink) -> tuple[Said, ...]:
    """A part that says nothing of what is measured."""
    return ()


def battery(data: bytes, uplink: Uplink) -> tuple[Said, ...]:
    """Charge in per cent."""
    return (Said("battery", scaled(data[0]) if data[0] <= 100 else Reason.NO_VALUE),)


def tenths(data: bytes) -> str | Reason:
    """A temperature in tenths, from the first two bytes."""
    return celsius(int.from_bytes(data[:2], "little", signed=True), 1)


def temperature(data: bytes, uplink: Uplink) -> tuple[Said, ...]:
    """A temperature; what follows it (how far it jumped, whether it passed a threshold) is not ours."""
    return (Said("temperature", tenths(data)),)


def halves(raw: int) -> str | Reason:
    """Relative humidity in half per cent; more than 100 % is no humidity."""
    return scaled(raw, 5, 1) if raw <= 200 else Reason.SENSOR_FAULT


def humidity(data: bytes, uplink: Uplink) -> tuple[Said, ...]:
    """Relative humidity."""
    return (Said("humidity", halves(data[0])),)


def seconds(data: bytes) -> int:
    """The clock of a record."""
    return int.from_bytes(data[:4], "little")


#: What every model has: the battery, and attributes that it sends when it joins.
COMMON: Parts = {
    (0x01, 0x75): (1, battery),
    (0xFF, 0x01): (1, nothing),  # protocol
    (0xFF, 0x09): (2, nothing),  # hardware
    (0xFF, 0x0A): (2, nothing),  # firmware
    (0xFF, 0xFF): (2, nothing),  # TSL version
    (0xFF, 0x16): (8, nothing),  # serial number
    (0xFF, 0x0F): (1, nothing),  # LoRaWAN class
    (0xFF, 0xFE): (1, nothing),  # reset
    (0xFF, 0x0B): (1, nothing),  # switched on
}
