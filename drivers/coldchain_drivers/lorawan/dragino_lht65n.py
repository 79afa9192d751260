"""Dragino LHT65N (and LHT65): temperature and humidity inside, a probe outside.

Eleven bytes, high byte first. The low half of byte 6 says what stands outside. A poll brings records of the
memory: the outside value, inside values, and the sensor's clock. Published codecs disagree on the bit that
marks them (bit 6, or bit 7, which also says "no connection"): more than one record can be nothing else.
Sources: LHT65N codecs of the vendor in The Things Network's repository, with an example.
"""

from __future__ import annotations

import struct

from coldchain.driver import Reach
from coldchain.model import Reason
from coldchain_drivers.lorawan.codec import STOP, Codec, Said, Uplink, celsius, record
from coldchain_drivers.scaled import scaled, signed

_MEASURED, _ABOUT_ITSELF = 2, 5  # fPort
_SIZE = 11
_NO_CONNECTION, _POLLED = 0x80, 0x40
_NOTHING = 0x7FFF
_NO_PROBE, _DS18B20, _TMP117, _DS18B20_AND_TIME, _ID = 0, 1, 2, 9, 15
_VOLTAGE = 6
_KNOWN = frozenset({0, 1, 2, 4, 5, 6, 7, 8, 9, 15})


def _read(uplink: Uplink) -> tuple[Said, ...]:
    data = uplink.data
    if uplink.port == _ABOUT_ITSELF:
        return ()
    if uplink.port != _MEASURED or not data or len(data) % _SIZE:
        return (STOP,)
    if len(data) > _SIZE or data[6] & _POLLED:
        return tuple(
            said for at in range(0, len(data), _SIZE) for said in _remembered(data[at : at + _SIZE], uplink)
        )
    outside = data[6] & 0x0F
    if outside not in _KNOWN:
        return (STOP,)
    if outside == _ID:
        return ()  # the probe's serial number stands in place of the values
    connected = not data[6] & _NO_CONNECTION
    if outside == _DS18B20_AND_TIME:
        return (*_inside(data), Said("probe", _probe(data[0:2], connected=connected)))
    said = (*_inside(data), Said("battery", scaled(int.from_bytes(data[0:2], "big") & 0x3FFF)))
    if outside in {_DS18B20, _TMP117}:
        return (*said, Said("probe", _probe(data[7:9], connected=connected)))
    if outside == _NO_PROBE:
        return (*said, Said("probe", Reason.NOT_CONNECTED))
    if outside == _VOLTAGE:
        return (*said, Said("voltage", scaled(int.from_bytes(data[7:9], "big"))))
    return said


def _remembered(data: bytes, uplink: Uplink) -> tuple[Said, ...]:
    outside = data[6] & 0x0F
    (clock_s,) = struct.unpack(">I", data[7:])
    said = _inside(data)
    if outside in {_DS18B20, _TMP117, _DS18B20_AND_TIME}:
        # The bit that may say "no connection" marks the record itself here: only the code tells.
        said = (*said, Said("probe", _probe(data[0:2], connected=True)))
    elif outside not in _KNOWN or outside == _ID:
        return (STOP,)
    return record(clock_s, uplink, *said)


def _inside(data: bytes) -> tuple[Said, ...]:
    temperature, humidity = struct.unpack(">hH", data[2:6])
    return (
        Said("temperature", celsius(temperature, 2)),
        Said("humidity", scaled(humidity & 0x0FFF, 1, 1)),
    )


def _probe(data: bytes, *, connected: bool) -> str | Reason:
    raw = int.from_bytes(data, "big")
    if not connected or raw == _NOTHING:
        return Reason.NOT_CONNECTED
    return celsius(signed(raw, 16), 2)


DRAGINO_LHT65N = Codec(
    name="dragino_lht65n",
    title="Dragino LHT65N: temperature, humidity, a probe outside",
    units={"temperature": "degC", "humidity": "%", "probe": "degC", "battery": "mV", "voltage": "mV"},
    read=_read,
    reach={"probe": Reach("-55", "125", "degC", "its probes are a DS18B20 or a TMP117")},
    source="vendor's payload codecs in The Things Network's repository, with an example",
)
