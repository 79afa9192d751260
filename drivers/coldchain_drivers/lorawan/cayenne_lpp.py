"""Cayenne LPP: a channel, a type, and its bytes. High byte first. Many boards of one's own speak it.

A channel is any number from 0 to 255; the site says which ones are there. Sources: The Things Stack's
documentation (temperature, with an example); the other types from the format's public description, not
checked against a device.
"""

from __future__ import annotations

from collections.abc import Callable

from coldchain.model import Reason
from coldchain_drivers.lorawan.codec import STOP, Codec, Said, Uplink, celsius
from coldchain_drivers.scaled import scaled

_Value = Callable[[bytes], str | Reason]


def _tenths(data: bytes) -> str | Reason:
    return celsius(int.from_bytes(data, "big", signed=True), 1)


def _humidity(data: bytes) -> str | Reason:
    return scaled(data[0], 5, 1) if data[0] <= 200 else Reason.SENSOR_FAULT


def _pressure(data: bytes) -> str:
    return scaled(int.from_bytes(data, "big"), 1, 1)


def _digital(data: bytes) -> str | Reason:
    return scaled(data[0]) if data[0] <= 1 else Reason.UNEXPECTED_REPLY


def _nothing(data: bytes) -> str:
    return ""


#: By type: how many bytes follow, and which quantity they are, if one that anybody judges.
_TYPES: dict[int, tuple[int, str, _Value]] = {
    0x00: (1, "digital", _digital),
    0x01: (1, "", _nothing),  # what we would switch
    0x02: (2, "", _nothing),  # a number without a unit
    0x03: (2, "", _nothing),
    0x65: (2, "", _nothing),  # light
    0x66: (1, "", _nothing),  # presence
    0x67: (2, "temperature", _tenths),
    0x68: (1, "humidity", _humidity),
    0x71: (6, "", _nothing),  # acceleration
    0x73: (2, "pressure", _pressure),
    0x86: (6, "", _nothing),  # turning
    0x88: (9, "", _nothing),  # position
}
_UNITS = {"temperature": "degC", "humidity": "%", "pressure": "hPa", "digital": ""}


def cayenne_lpp(channels: tuple[int, ...]) -> Codec:
    """The codec of a device that uses these channels."""

    def read(uplink: Uplink) -> tuple[Said, ...]:
        data, at = uplink.data, 0
        said: list[Said] = []
        while at < len(data):
            known = _TYPES.get(data[at + 1]) if at + 1 < len(data) else None
            if known is None or at + 2 + known[0] > len(data):
                return (*said, STOP)
            channel, (size, name, value) = data[at], known
            if name and channel in channels:
                said.append(Said(f"{name}_{channel}", value(data[at + 2 : at + 2 + size])))
            at += 2 + size
        return tuple(said)

    return Codec(
        name="cayenne_lpp",
        title="Cayenne LPP",
        units={f"{name}_{channel}": unit for channel in channels for name, unit in _UNITS.items()},
        read=read,
        source="The Things Stack's documentation, with an example; the format's public description",
    )
