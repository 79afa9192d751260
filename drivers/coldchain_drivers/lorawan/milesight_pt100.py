"""Milesight EM500-PT100: a platinum probe, down to liquid nitrogen. Source: Milesight-IoT/SensorDecoders."""

from __future__ import annotations

from coldchain.driver import Reach
from coldchain_drivers.lorawan.codec import Codec, Said, Uplink, record
from coldchain_drivers.lorawan.milesight import COMMON, Parts, nothing, read, seconds, temperature, tenths


def _remembered(data: bytes, uplink: Uplink) -> tuple[Said, ...]:
    return record(seconds(data), uplink, Said("temperature", tenths(data[4:])))


PARTS: Parts = {
    **COMMON,
    (0x03, 0x67): (2, temperature),
    (0x83, 0xD7): (5, temperature),  # it jumped: temperature, by how much (tenths), which alarm
    (0x20, 0xCE): (6, _remembered),
    (0xFF, 0x1B): (5, nothing),  # measuring range as configured
}
MILESIGHT_EM500_PT100 = Codec(
    name="milesight_em500_pt100",
    title="Milesight EM500-PT100: a platinum probe",
    units={"temperature": "degC", "battery": "%"},
    read=lambda uplink: read(PARTS, uplink),
    reach={"temperature": Reach("-200.1", "800.1", "degC", "its range is −200 to 800 °C, not confirmed")},
    source="Milesight-IoT/SensorDecoders, em500-pt100, with an example",
)
