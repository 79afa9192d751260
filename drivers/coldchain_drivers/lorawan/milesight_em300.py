"""Milesight EM300-TH and EM300-MCS: temperature, humidity, and a contact for doors and lids.

Source: Milesight-IoT/SensorDecoders.
"""

from __future__ import annotations

from coldchain.model import Reason
from coldchain_drivers.lorawan.codec import Codec, Said, Uplink, record
from coldchain_drivers.lorawan.milesight import (
    COMMON,
    Parts,
    halves,
    humidity,
    read,
    seconds,
    temperature,
    tenths,
)
from coldchain_drivers.scaled import scaled


def _contact(raw: int) -> str | Reason:
    """0: the magnet is there, closed; 1: open."""
    return scaled(raw) if raw in {0, 1} else Reason.UNEXPECTED_REPLY


def _magnet(data: bytes, uplink: Uplink) -> tuple[Said, ...]:
    return (Said("contact", _contact(data[0])),)


def _remembered(data: bytes, uplink: Uplink) -> tuple[Said, ...]:
    values = (Said("temperature", tenths(data[4:])), Said("humidity", halves(data[6])))
    return record(seconds(data), uplink, *values)


def _remembered_contact(data: bytes, uplink: Uplink) -> tuple[Said, ...]:
    values = (Said("temperature", tenths(data[4:])), Said("humidity", halves(data[6])))
    return record(seconds(data), uplink, *values, Said("contact", _contact(data[7])))


_AIR: Parts = {**COMMON, (0x03, 0x67): (2, temperature), (0x04, 0x68): (1, humidity)}
TH_PARTS: Parts = {**_AIR, (0x20, 0xCE): (8, _remembered)}  # the last byte is reserved
MCS_PARTS: Parts = {**_AIR, (0x06, 0x00): (1, _magnet), (0x20, 0xCE): (8, _remembered_contact)}
MILESIGHT_EM300_TH = Codec(
    name="milesight_em300_th",
    title="Milesight EM300-TH: temperature and humidity",
    units={"temperature": "degC", "humidity": "%", "battery": "%"},
    read=lambda uplink: read(TH_PARTS, uplink),
    source="Milesight-IoT/SensorDecoders, em300-th, with an example",
)
MILESIGHT_EM300_MCS = Codec(
    name="milesight_em300_mcs",
    title="Milesight EM300-MCS: a contact for doors and lids, temperature and humidity",
    units={"temperature": "degC", "humidity": "%", "contact": "open", "battery": "%"},
    read=lambda uplink: read(MCS_PARTS, uplink),
    source="Milesight-IoT/SensorDecoders, em300-mcs, with examples",
)
