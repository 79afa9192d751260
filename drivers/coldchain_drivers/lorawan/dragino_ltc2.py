"""Dragino LTC2 and LTC2-LB: two platinum probes, down to liquid nitrogen.

Eleven bytes, high byte first: battery, status and format, two channels, the sensor's clock. A poll brings
what it has in memory, one such record after the other.
Sources: LTC2 manual p. 13; payload codecs of the vendor in dragino-end-node-decoder and The Things Network.
"""

from __future__ import annotations

import struct

from coldchain.driver import Reach
from coldchain.model import Reason
from coldchain_drivers.lorawan.codec import STOP, Codec, Said, Uplink, celsius, record
from coldchain_drivers.scaled import scaled, signed

_MEASURED, _ABOUT_ITSELF = 2, 5  # fPort
_SIZE = 11
_POLLED = 0x40
_OPEN = 0x8001  # p. 13: no probe is connected
_END = 0x7FFF  # 327.67: as far as the number goes
_HUNDREDTHS, _TENTHS, _RESISTANCE = 1, 2, 3
_UNITS = {"channel_1": "degC", "channel_2": "degC", "battery": "mV"}
#: In the "HT" form numbers below this mean what they are, up to 585.35; those above are negative ones.
_HT_NEGATIVE = 0xE4A8


def _plain(raw: int, form: int) -> str | Reason:
    if raw == _OPEN:
        return Reason.SENSOR_OPEN
    if raw == _END and form == _HUNDREDTHS:
        return Reason.OVER_RANGE
    return celsius(signed(raw, 16), 2 if form == _HUNDREDTHS else 1)


def _hot(raw: int, form: int) -> str | Reason:
    if raw == _OPEN:
        return Reason.SENSOR_OPEN
    if form != _HUNDREDTHS:
        return Reason.UNEXPECTED_REPLY
    return scaled(raw if raw < _HT_NEGATIVE else signed(raw, 16), 1, 2)


def _read(uplink: Uplink, *, hot: bool) -> tuple[Said, ...]:
    data = uplink.data
    if uplink.port == _ABOUT_ITSELF:
        return ()
    if uplink.port != _MEASURED or not data or len(data) % _SIZE:
        return (STOP,)
    records = [data[at : at + _SIZE] for at in range(0, len(data), _SIZE)]
    polled = {bool(each[2] & _POLLED) for each in records}
    if polled == {True}:
        return tuple(said for each in records for said in _one(each, uplink, hot=hot, polled=True))
    return _one(data, uplink, hot=hot, polled=False) if len(records) == 1 else (STOP,)


def _one(data: bytes, uplink: Uplink, *, hot: bool, polled: bool) -> tuple[Said, ...]:
    battery, status, first, second, clock_s = struct.unpack(">HBHHI", data)
    form = status & 0x0F
    if form == _RESISTANCE:  # ohms: no temperature, and nobody here knows of which probe
        channels = tuple(Said(name, Reason.UNKNOWN_UNIT) for name in ("channel_1", "channel_2"))
    elif form in {_HUNDREDTHS, _TENTHS}:
        how = _hot if hot else _plain
        channels = (Said("channel_1", how(first, form)), Said("channel_2", how(second, form)))
    else:
        return (STOP,)
    values = (*channels, Said("battery", scaled(battery & 0x3FFF)))
    return record(clock_s, uplink, *values) if polled else values


DRAGINO_LTC2 = Codec(
    name="dragino_ltc2",
    title="Dragino LTC2, LTC2-LB: two platinum probes",
    units=_UNITS,
    read=lambda uplink: _read(uplink, hot=False),
    source="LTC2 manual p. 13; vendor's payload codecs",
)
_HT_ENDS = Reach("-70", "585.35", "degC", "the HT form of its numbers ends there")
DRAGINO_LTC2_HT = Codec(
    name="dragino_ltc2_ht",
    title="Dragino LTC2 with firmware of the HT form (above 327 °C)",
    units=_UNITS,
    read=lambda uplink: _read(uplink, hot=True),
    reach={"channel_1": _HT_ENDS, "channel_2": _HT_ENDS},
    source="vendor's LTC2-HT payload codec",
)
