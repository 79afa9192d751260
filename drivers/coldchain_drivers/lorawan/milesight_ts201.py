"""Milesight TS201: a one-wire probe that says when it could not be read.

Source: Milesight-IoT/SensorDecoders.
"""

from __future__ import annotations

from coldchain.driver import Reach
from coldchain.model import Reason
from coldchain_drivers.lorawan.codec import Codec, Said, Uplink, record
from coldchain_drivers.lorawan.milesight import COMMON, Parts, nothing, read, seconds, temperature, tenths

_READ, _ERROR, _OUT_OF_RANGE = 0, 1, 2


def _fault(data: bytes, uplink: Uplink) -> tuple[Said, ...]:
    """0: it could not be read; 1: out of range. Both are no value, and so is a code that we do not know."""
    return (Said("temperature", Reason.OVER_RANGE if data[0] == 1 else Reason.SENSOR_FAULT),)


def _remembered(data: bytes, uplink: Uplink) -> tuple[Said, ...]:
    status = data[4] >> 4
    value: str | Reason = Reason.SENSOR_FAULT
    if status == _READ:
        value = tenths(data[5:])
    elif status == _OUT_OF_RANGE:
        value = Reason.OVER_RANGE
    return record(seconds(data), uplink, Said("temperature", value))


PARTS: Parts = {
    **COMMON,
    (0x03, 0x67): (2, temperature),
    (0x83, 0x67): (3, temperature),  # it passed a threshold: temperature, which alarm
    (0x93, 0x67): (5, temperature),  # it jumped: temperature, by how much (tenths), which alarm
    (0xB3, 0x67): (1, _fault),
    (0x20, 0xCE): (7, _remembered),
    (0xFF, 0xA0): (9, nothing),  # kind and serial number of the probe
}
MILESIGHT_TS201 = Codec(
    name="milesight_ts201",
    title="Milesight TS201: a one-wire probe",
    units={"temperature": "degC", "battery": "%"},
    read=lambda uplink: read(PARTS, uplink),
    reach={"temperature": Reach("-55", "125", "degC", "its probe is a DS18B20 or an SHT4x")},
    source="Milesight-IoT/SensorDecoders, ts201, with examples",
)
