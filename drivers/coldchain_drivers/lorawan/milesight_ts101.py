"""Milesight TS101: an insertion probe for goods. Source: Milesight-IoT/SensorDecoders."""

from __future__ import annotations

from coldchain_drivers.lorawan.codec import Codec, Said, Uplink, record
from coldchain_drivers.lorawan.milesight import COMMON, Parts, read, seconds, temperature, tenths


def _remembered(data: bytes, uplink: Uplink) -> tuple[Said, ...]:
    return record(seconds(data), uplink, Said("temperature", tenths(data[4:])))


PARTS: Parts = {
    **COMMON,
    (0x03, 0x67): (2, temperature),
    (0x83, 0x67): (3, temperature),  # it passed a threshold: temperature, which alarm
    (0x93, 0xD7): (5, temperature),  # it jumped: temperature, by how much (hundredths), which alarm
    (0x20, 0xCE): (6, _remembered),
}
MILESIGHT_TS101 = Codec(
    name="milesight_ts101",
    title="Milesight TS101: an insertion probe",
    units={"temperature": "degC", "battery": "%"},
    read=lambda uplink: read(PARTS, uplink),
    source="Milesight-IoT/SensorDecoders, ts101, with an example",
)
