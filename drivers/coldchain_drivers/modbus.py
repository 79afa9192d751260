"""Modbus devices over RTU, ASCII and TCP, each described by a data file under config/devices.

Read-only by construction: there is no request but for the functions 1 to 4 (`modbus_wire`). A reply
counts only whole and true: length, sum, address, function and, over TCP, the transaction. What a
device says instead of a value is BAD with the reason, and a register by whose content its numbers
mean something else is read before each round and must say what the site stated.
Sources: docs/drivers/modbus.md, and in each data file beside each fact.
"""

from __future__ import annotations

from coldchain.driver import Line, Maturity, Query, SerialDriver
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain_drivers import DATASHEETS
from coldchain_drivers import modbus_wire as wire
from coldchain_drivers.lies import refusal
from coldchain_drivers.modbus_device import DeviceFile
from coldchain_drivers.modbus_numbers import raw_of, text_of
from coldchain_drivers.modbus_plan import Check, Item
from coldchain_drivers.modbus_settings import ModbusSettings


def decode(settings: ModbusSettings, query: Query | None, frame: bytes) -> Decoded:
    """Read one reply as the values that were asked for; never raises.

    The reply to a check carries no value: nothing if it is right, else what that makes of each value.
    """
    plan = settings.plan
    if query is None:
        return (Bad(Reason.UNEXPECTED_REPLY, frame),)
    if query.key in plan.checks:
        check = plan.checks[query.key]
        reason = _failure(settings, check, query, frame)
        return () if reason is None else tuple(Bad(reason, frame, key) for key in check.keys)
    asked = plan.asked.get(query.key)
    if asked is None:
        return (Bad(Reason.UNEXPECTED_REPLY, frame),)
    data = wire.data_of(plan.transport, asked.read, query.send, frame)
    if isinstance(data, Reason):
        return tuple(Bad(data, frame, item.point.key) for item in asked.items)
    return tuple(_value(item, data, frame) for item in asked.items)


def _value(item: Item, data: bytes, frame: bytes) -> Measured | Bad:
    point = item.point
    raw = raw_of(point.kind, data, item.offset, point.order)
    for sentinel in point.sentinels:
        if sentinel.tells(raw):
            return Bad(Reason(sentinel.reason), frame, point.key)
    text = text_of(raw, point.scale)
    if text is None:
        return Bad(Reason.NOT_A_NUMBER, frame, point.key)
    refused = refusal(text, point.unit, item.lies)
    return Measured(point.key, text, point.unit) if refused is None else Bad(refused, frame, point.key)


def _failure(settings: ModbusSettings, check: Check, query: Query, frame: bytes) -> Reason | None:
    """Why the reply to a check lets no value count; None if it is as it must be."""
    data = wire.data_of(settings.way, check.read, query.send, frame)
    if isinstance(data, Reason):
        return data
    return None if any(right.holds(data) for right in check.right) else check.reason


def _identify(settings: ModbusSettings, query: Query, frame: bytes) -> str | None:
    check = settings.plan.checks[query.key]
    data = wire.data_of(settings.way, check.read, query.send, frame)
    if isinstance(data, Reason):
        code = wire.exception_code(settings.way, query.send, frame)
        said = f"exception {code}" if code is not None else data.value.replace("_", " ")
        return f"{check.title}: {said}"
    if any(right.holds(data) for right in check.right):
        return None
    for other in check.others:
        if other.holds(data):
            return f"{check.title}: the device holds {other}, that is {other.name}; {check.otherwise}"
    wanted = " or ".join(dict.fromkeys(map(str, check.right)))
    found = check.right[0].found(data)
    return f"{check.title}: the device holds {found} instead of {wanted}; {check.otherwise}"


def _line(settings: ModbusSettings) -> Line:
    way = settings.way
    ends, size, answers, numbered = {
        "rtu": (b"", wire.rtu_size, wire.rtu_answers, None),
        "ascii": (b"\r\n", None, wire.ascii_answers, None),
        "tcp": (b"", wire.tcp_size, wire.tcp_answers, wire.tcp_numbered),
    }[way]
    return Line(
        terminator=ends,
        reply_bytes_max=wire.FRAME_BYTES_MAX[way],
        timeout_ms=settings.wait_ms,
        baud=settings.line_baud if way != "tcp" else None,
        frame=settings.line_frame if way != "tcp" else None,
        size=size,
        answers=answers,
        numbered=numbered,
    )


DRIVER = SerialDriver(
    name="modbus",
    version="1",
    title="Modbus RTU, ASCII and TCP, by data files of devices",
    maturity=Maturity.VENDOR_VECTORS,
    settings=ModbusSettings,
    devices=DeviceFile,
    line=_line,
    poll=lambda s: s.plan.poll,
    decode=decode,
    keys=lambda s: dict(s.plan.units),
    identity=lambda s: s.plan.identity,
    identify=_identify,
    reach=lambda s: s.plan.reach,
    sources=(
        "MODBUS Application Protocol Specification V1.1b3",
        "MODBUS over Serial Line Specification and Implementation Guide V1.02",
        "MODBUS Messaging on TCP/IP Implementation Guide V1.0b",
    ),
    datasheet=DATASHEETS / "modbus.toml",
)
