"""Settings of a Modbus device in one line, and its replies without a wire."""

from __future__ import annotations

from typing import Any

from coldchain.config.devices import shipped_device
from coldchain.driver import Query
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain_drivers.modbus import DRIVER
from coldchain_drivers.modbus_device import DeviceFile
from coldchain_drivers.modbus_settings import ModbusSettings
from coldchain_simulators.modbus_slave import Framing, ModbusSlave, framed

_SENT_FRAMES: dict[Framing, slice] = {"rtu": slice(1, -2), "tcp": slice(7, None), "ascii": slice(0)}


def device(name: str) -> DeviceFile:
    """A shipped device."""
    found = shipped_device(name, DeviceFile)
    assert isinstance(found, DeviceFile)
    return found


def settings(name: str | DeviceFile, *read: str, **more: Any) -> ModbusSettings:
    """Settings that read these points of a device."""
    of = device(name) if isinstance(name, str) else name
    return ModbusSettings.model_validate({"device": of, "read": read, **more})


def asked(ready: ModbusSettings, *, check: bool = False) -> Query:
    """Its only request."""
    (query,) = DRIVER.identity(ready) if check else DRIVER.poll(ready)
    return query


def reply_of(ready: ModbusSettings, query: Query, slave: ModbusSlave) -> bytes:
    """What a device answers, as a port hands it to the driver."""
    way = ready.way
    body = bytes.fromhex(query.send[3:-4].decode()) if way == "ascii" else query.send[_SENT_FRAMES[way]]
    return framed(way, slave.unit, slave.reply(body), query.send[:2]).removesuffix(
        b"\r\n" if way == "ascii" else b""
    )


def values(decoded: Decoded) -> dict[str, str | Reason]:
    """By key: the number, or why there is none."""
    return {item.key or "": item.value if isinstance(item, Measured) else item.reason for item in decoded}


def all_of(ready: ModbusSettings, slave: ModbusSlave) -> dict[str, str | Reason]:
    """One round: what a device says for each point. What a check makes of them comes first, as in a port."""
    slave.measure()
    found: dict[str, str | Reason] = {}
    for query in DRIVER.poll(ready):
        found |= values(DRIVER.decode(ready, query, reply_of(ready, query, slave)))
    for query in DRIVER.identity(ready):
        found |= values(DRIVER.decode(ready, query, reply_of(ready, query, slave)))
    return found


def objections(ready: ModbusSettings, slave: ModbusSlave) -> list[str]:
    """What the checks have to say of a device."""
    slave.measure()
    said = [DRIVER.identify(ready, query, reply_of(ready, query, slave)) for query in DRIVER.identity(ready)]
    return [why for why in said if why is not None]


def bad(reason: Reason, frame: bytes, *keys: str) -> Decoded:
    """BAD for each key."""
    return tuple(Bad(reason, frame, key) for key in keys)
