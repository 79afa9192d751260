"""What Ruuvi tags say of themselves over Bluetooth: data formats 5, 6 and E1.

Every field has one code for "not available". What lies beyond a field is clipped to its end ("170.00 C
becomes 163.835 C"), so an end is no value either: a tag at −170 °C and one at −164 °C say the same.
Sources: docs.ruuvi.com, Bluetooth advertisements, data formats 5, 6, E1, with their test vectors.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from coldchain.model import Reason
from coldchain_drivers.scaled import scaled, signed

#: What each quantity is sent in.
UNITS = {
    "temperature": "degC",
    "humidity": "%",
    "pressure": "Pa",
    "acceleration_x": "m[g]",
    "acceleration_y": "m[g]",
    "acceleration_z": "m[g]",
    "battery": "mV",
    "co2": "ppm",
}
#: Between these ends, themselves excluded, a temperature can be said.
COLDEST, WARMEST = "-163.835", "163.835"

_COMPANY = b"\x99\x04"  # 0x0499, Ruuvi Innovations; company ids travel with the low byte first
_MANUFACTURER = 0xFF  # AD type: manufacturer specific data (Bluetooth core supplement, part A, 1.4)
_CALIBRATING = 0x01
_NO_MAC = b"\xff" * 6


@dataclass(frozen=True, slots=True)
class Said:
    """What one advertisement says: the quantities, each a number as text or the reason why there is none.

    mac:         the tag's own word, all six bytes or the last three; b"" if it gives none.
    sequence:    its counter of measurements; None: it gives none. Several transmissions carry one.
    calibrating: the tag says that its values are not fully accurate yet.
    """

    form: int
    mac: bytes
    sequence: int | None
    values: tuple[tuple[str, str | Reason], ...]
    calibrating: bool = False


def manufacturer_data(advertisement: bytes) -> bytes | None:
    """Ruuvi's part of a Bluetooth advertisement, without the company id; None if there is none."""
    at = 0
    while at < len(advertisement):
        size = advertisement[at]
        part = advertisement[at + 1 : at + 1 + size]
        if len(part) != size:
            return None  # it was cut
        if size > 3 and part[0] == _MANUFACTURER and part[1:3] == _COMPANY:
            return part[3:]
        at += 1 + size
    return None


def read(data: bytes) -> Said | None:
    """What a tag says; None: not a format we know, or not as long as that format is."""
    known = _FORMATS.get(data[0]) if data else None
    if known is None or len(data) != known[0]:
        return None
    return known[1](data)


def _temperature(raw: int) -> str | Reason:
    if raw == 0x8000:
        return Reason.NO_VALUE
    value = signed(raw, 16)
    return _ends(value, -32767, 32767) or scaled(value, 5, 3)


def _humidity(raw: int) -> str | Reason:
    # Nothing is clipped at the low end: 0 % is dry air. 65534 is 163.835 %, as far as it goes.
    return _unsigned(raw, 0xFFFF) or _ends(raw, -1, 0xFFFE) or scaled(raw, 25, 4)


def _pressure(raw: int) -> str | Reason:
    return _unsigned(raw, 0xFFFF) or _ends(raw, 0, 0xFFFE) or scaled(raw, 1, 0, 50_000)


def _acceleration(raw: int) -> str | Reason:
    if raw == 0x8000:
        return Reason.NO_VALUE
    value = signed(raw, 16)
    return _ends(value, -32767, 32767) or scaled(value)


def _battery(raw: int) -> str | Reason:
    return _unsigned(raw, 2047) or _ends(raw, 0, 2046) or scaled(raw, 1, 0, 1600)


def _co2(raw: int) -> str | Reason:
    # The format goes to 65534, the sensor to 40000: "0 ... 40000" are the allowed values.
    return _unsigned(raw, 0xFFFF) or _ends(raw, -1, 40_000) or scaled(raw)


def _unsigned(raw: int, missing: int) -> Reason | None:
    return Reason.NO_VALUE if raw == missing else None


def _ends(value: int, low: int, high: int) -> Reason | None:
    if value <= low:
        return Reason.UNDER_RANGE
    return Reason.OVER_RANGE if value >= high else None


def _air(data: bytes) -> tuple[tuple[str, str | Reason], ...]:
    """Temperature, humidity and pressure, which stand alike in all three formats."""
    temperature, humidity, pressure = struct.unpack_from(">HHH", data, 1)
    return (
        ("temperature", _temperature(temperature)),
        ("humidity", _humidity(humidity)),
        ("pressure", _pressure(pressure)),
    )


def _df5(data: bytes) -> Said:
    x, y, z, power, _moved, sequence = struct.unpack_from(">HHHHBH", data, 7)
    values = (
        *_air(data),
        ("acceleration_x", _acceleration(x)),
        ("acceleration_y", _acceleration(y)),
        ("acceleration_z", _acceleration(z)),
        ("battery", _battery(power >> 5)),
    )
    mac = data[18:24]
    return Said(5, b"" if mac == _NO_MAC else mac, None if sequence == 0xFFFF else sequence, values)


def _df6(data: bytes) -> Said:
    (co2,) = struct.unpack_from(">H", data, 9)
    mac = data[17:20]
    return Said(
        6,
        b"" if mac == _NO_MAC[:3] else mac,
        data[15],  # its lowest byte; there is no code for "not available"
        (*_air(data), ("co2", _co2(co2))),
        bool(data[16] & _CALIBRATING),
    )


def _e1(data: bytes) -> Said:
    (co2,) = struct.unpack_from(">H", data, 15)
    sequence, mac = int.from_bytes(data[25:28], "big"), data[34:40]
    return Said(
        0xE1,
        b"" if mac == _NO_MAC else mac,
        None if sequence == 0xFFFFFF else sequence,
        (*_air(data), ("co2", _co2(co2))),
        bool(data[28] & _CALIBRATING),
    )


#: By the first byte: how long the format is, and how it is read.
_FORMATS: dict[int, tuple[int, Callable[[bytes], Said]]] = {5: (24, _df5), 6: (20, _df6), 0xE1: (40, _e1)}
