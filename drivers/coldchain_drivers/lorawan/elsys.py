"""Elsys (ERS, ELT, EMS): a type and its bytes, one after the other. High byte first.

Source: the vendor's payload codec in The Things Network's repository, with an example.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from coldchain.model import Reason
from coldchain_drivers.lorawan.codec import STOP, Codec, Said, Uplink, celsius
from coldchain_drivers.scaled import scaled

_Value = Callable[[bytes], str | Reason]


def _tenths(data: bytes) -> str | Reason:
    return celsius(int.from_bytes(data, "big", signed=True), 1)


def _number(data: bytes, decimals: int = 0) -> str:
    return scaled(int.from_bytes(data, "big"), 1, decimals)


def _humidity(data: bytes) -> str | Reason:
    return _number(data) if data[0] <= 100 else Reason.SENSOR_FAULT


def _digital(data: bytes) -> str | Reason:
    return _number(data) if data[0] <= 1 else Reason.UNEXPECTED_REPLY


#: By type: how many bytes follow, and which quantity they are, if one that anybody judges.
_TYPES: dict[int, tuple[int, str, _Value]] = {
    0x01: (2, "temperature", _tenths),
    0x02: (1, "humidity", _humidity),
    0x03: (3, "", _number),  # acceleration, 63 steps for about 1 g: no exact number
    0x04: (2, "", _number),  # light
    0x05: (1, "", _number),  # motion
    0x06: (2, "co2", _number),
    0x07: (2, "battery", _number),
    0x08: (2, "voltage_1", _number),
    0x09: (6, "", _number),  # position
    0x0A: (2, "", _number),  # pulses
    0x0B: (4, "", _number),
    0x0C: (2, "probe_1", _tenths),
    0x0D: (1, "digital_1", _digital),
    0x0E: (2, "distance", _number),
    0x0F: (1, "", _number),  # vibration
    0x10: (4, "", _number),  # infrared: of a surface, not of a product
    0x11: (1, "", _number),  # occupancy
    0x12: (1, "", _number),  # leak
    0x13: (65, "", _number),  # picture of surfaces
    0x14: (4, "pressure", partial(_number, decimals=3)),
    0x15: (2, "", _number),  # sound
    0x16: (2, "", _number),
    0x17: (4, "", _number),
    0x18: (2, "voltage_2", _number),
    0x19: (2, "probe_2", _tenths),
    0x1A: (1, "digital_2", _digital),
    0x1B: (4, "", _number),
    0x1C: (2, "", _number),
}
_UNITS = {
    "temperature": "degC",
    "humidity": "%",
    "co2": "ppm",
    "battery": "mV",
    "voltage_1": "mV",
    "voltage_2": "mV",
    "probe_1": "degC",
    "probe_2": "degC",
    "digital_1": "",  # open or closed: the site knows what is wired to it
    "digital_2": "",
    "distance": "mm",
    "pressure": "hPa",
}


def _read(uplink: Uplink) -> tuple[Said, ...]:
    data, at = uplink.data, 0
    said: list[Said] = []
    while at < len(data):
        known = _TYPES.get(data[at])
        if known is None or at + 1 + known[0] > len(data):
            return (*said, STOP)
        size, name, value = known
        if name and any(each.name == name for each in said):
            return (*said, STOP)  # several probes of one type: which is which stands nowhere
        if name:
            said.append(Said(name, value(data[at + 1 : at + 1 + size])))
        at += 1 + size
    return tuple(said)


ELSYS = Codec(
    name="elsys",
    title="Elsys ERS, ELT, EMS",
    units=_UNITS,
    read=_read,
    source="vendor's payload codec in The Things Network's repository, with an example",
)
