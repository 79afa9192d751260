"""The bytes of Sparkplug B: a reader and a writer for the part of Protocol Buffers that they use.

Only numbers of fields and their wire types are known here, from the published description of the payload.
Source: Eclipse Sparkplug specification 3.0, chapter "Payloads", and its reference for integers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum

from msgspec import Struct

#: A birth with two thousand metrics of a hundred bytes each fits; a longer one is not read, or it would hold
#: up every other message (our judgement: the specification states no bound).
BYTES_MAX = 1 << 18


class NotPayload(ValueError):
    """The bytes are no Sparkplug B payload."""


class Type(IntEnum):
    """Datatypes of a metric that are numbers; all others are none that anybody judges."""

    INT8, INT16, INT32, INT64 = 1, 2, 3, 4
    UINT8, UINT16, UINT32, UINT64 = 5, 6, 7, 8
    FLOAT, DOUBLE, BOOLEAN = 9, 10, 11


class Metric(Struct, frozen=True):
    """One metric as sent. `raw` is the integer or float that stands there; None: no number does."""

    name: str = ""
    alias: int | None = None
    at_ms: int | None = None
    datatype: int | None = None
    historical: bool = False
    null: bool = False
    raw: int | float | None = None
    properties: dict[str, int | str] = {}


class Payload(Struct, frozen=True):
    """A whole message."""

    at_ms: int | None = None
    metrics: tuple[Metric, ...] = ()
    seq: int | None = None


# Wire types (Protocol Buffers encoding)
_VARINT, _I64, _LEN, _I32 = 0, 1, 2, 5
_Field = tuple[int, int, int | bytes]


def read(data: bytes) -> Payload:
    """The payload of these bytes. Raises NotPayload."""
    if len(data) > BYTES_MAX:
        raise NotPayload(f"{len(data)} bytes; more than {BYTES_MAX} are not read")
    at_ms: int | None = None
    seq: int | None = None
    metrics: list[Metric] = []
    for number, wire, value in _fields(data):
        if (number == 1 and at_ms is not None) or (number == 3 and seq is not None):
            raise NotPayload("two messages in one")  # Protocol Buffers would merge them
        if (number, wire) == (1, _VARINT):
            at_ms = _int(value)
        elif (number, wire) == (2, _LEN):
            metrics.append(_metric(_bytes(value)))
        elif (number, wire) == (3, _VARINT):
            seq = _int(value)
    return Payload(at_ms, tuple(metrics), seq)


def write(payload: Payload) -> bytes:
    """The bytes of a payload."""
    out = b"" if payload.at_ms is None else _tag(1, _VARINT) + _varint(payload.at_ms)
    for metric in payload.metrics:
        body = _written(metric)
        out += _tag(2, _LEN) + _varint(len(body)) + body
    return out if payload.seq is None else out + _tag(3, _VARINT) + _varint(payload.seq)


def _fields(data: bytes) -> Iterator[_Field]:
    """Number, wire type and value of each field. A length is bytes, a fixed one too."""
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        number, wire = key >> 3, key & 7
        value: int | bytes
        if wire == _VARINT:
            value, at = _read_varint(data, at)
        elif wire in {_I64, _I32, _LEN}:
            size, at = (8 if wire == _I64 else 4, at) if wire != _LEN else _read_varint(data, at)
            value, at = data[at : at + size], at + size
            if len(value) != size:
                raise NotPayload("a field is cut")
        else:
            raise NotPayload(f"wire type {wire}")
        if not number:
            raise NotPayload("field 0")
        yield number, wire, value


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise NotPayload("a number is cut")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
    raise NotPayload("a number without end")


def _metric(data: bytes) -> Metric:
    found: dict[str, object] = {}
    for number, wire, value in _fields(data):
        match number, wire:
            case 1, 2:
                found["name"] = _text(value)
            case 2, 0:
                found["alias"] = _int(value)
            case 3, 0:
                found["at_ms"] = _int(value)
            case 4, 0:
                found["datatype"] = _int(value)
            case 5, 0:
                found["historical"] = bool(value)
            case 7, 0:
                found["null"] = bool(value)
            case 9, 2:
                found["properties"] = _properties(_bytes(value))
            case ((10 | 11 | 14), 0):
                found["raw"] = _int(value)
            case 12, 5:
                found["raw"] = float(struct.unpack("<f", _bytes(value))[0])
            case 13, 1:
                found["raw"] = float(struct.unpack("<d", _bytes(value))[0])
    return Metric(**found)  # type: ignore[arg-type]


def _properties(data: bytes) -> dict[str, int | str]:
    """Names and values of a property set, those that are whole numbers or texts."""
    names: list[str] = []
    values: list[int | str | None] = []
    for number, wire, value in _fields(data):
        if (number, wire) == (1, _LEN):
            names.append(_text(value))
        elif (number, wire) == (2, _LEN):
            said: int | str | None = None
            for inner, form, one in _fields(_bytes(value)):
                if inner in {3, 4} and form == _VARINT:
                    said = _int(one)
                elif (inner, form) == (8, _LEN):
                    said = _text(one)
            values.append(said)
    return {name: said for name, said in zip(names, values, strict=False) if said is not None}


def _int(value: int | bytes) -> int:
    assert isinstance(value, int)
    return value


def _bytes(value: int | bytes) -> bytes:
    assert isinstance(value, bytes)
    return value


def _text(value: int | bytes) -> str:
    try:
        return _bytes(value).decode("utf-8")
    except UnicodeDecodeError as cause:
        raise NotPayload("a name is no UTF-8") from cause


def _written(metric: Metric) -> bytes:
    out = b""
    if metric.name:
        name = metric.name.encode("utf-8")
        out += _tag(1, _LEN) + _varint(len(name)) + name
    for number, value in ((2, metric.alias), (3, metric.at_ms), (4, metric.datatype)):
        out += b"" if value is None else _tag(number, _VARINT) + _varint(value)
    out += _tag(5, _VARINT) + b"\x01" if metric.historical else b""
    out += _tag(7, _VARINT) + b"\x01" if metric.null else b""
    if metric.raw is None:
        return out
    if metric.datatype == Type.FLOAT:
        return out + _tag(12, _I32) + struct.pack("<f", metric.raw)
    if metric.datatype == Type.DOUBLE or isinstance(metric.raw, float):
        return out + _tag(13, _I64) + struct.pack("<d", metric.raw)
    whole = metric.raw
    if metric.datatype == Type.BOOLEAN:
        return out + _tag(14, _VARINT) + _varint(whole)
    # As the reference does: up to 32 bits signed in int_value, all others, UInt32 too, in long_value.
    if metric.datatype in {Type.INT8, Type.INT16, Type.INT32, Type.UINT8, Type.UINT16}:
        return out + _tag(10, _VARINT) + _varint(whole & 0xFFFF_FFFF)
    return out + _tag(11, _VARINT) + _varint(whole & 0xFFFF_FFFF_FFFF_FFFF)


def _tag(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
