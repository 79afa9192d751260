"""A metric of Sparkplug as a value: its number as text, its time, what its quality makes of it."""

from __future__ import annotations

import math
import struct
from typing import Protocol

from coldchain.model import Bad, Measured, Reason
from coldchain_drivers.lies import KNOWN_UNITS, NUMBER
from coldchain_drivers.sparkplug_payload import Metric, Payload, Type

#: Bits of each whole-number datatype, and whether it has a sign.
_WHOLE = {
    Type.INT8: (8, True),
    Type.INT16: (16, True),
    Type.INT32: (32, True),
    Type.INT64: (64, True),
    Type.UINT8: (8, False),
    Type.UINT16: (16, False),
    Type.UINT32: (32, False),
    Type.UINT64: (64, False),
}
#: The property `Quality` and what it means; what is not here is no value (specification 3.0, "Payloads").
_GOOD, _QUALITY = 192, {0: Reason.SENSOR_FAULT, 500: Reason.OFFLINE}
_LAST_MS = 253_402_300_799_999  # the end of the year 9999


class Carried(Protocol):
    """The message that carries a metric."""

    @property
    def payload(self) -> Payload: ...
    @property
    def frame(self) -> bytes: ...


def value_of(key: str, unit: str, datatype: int | None, metric: Metric, carried: Carried) -> Measured | Bad:
    """What one metric says; `datatype` is the birth's, where the metric names none itself."""
    at_ms = metric.at_ms if metric.at_ms is not None else carried.payload.at_ms
    history = metric.historical
    if at_ms is None or at_ms > _LAST_MS:
        # Time is mandatory. What was kept in a memory without one cannot be placed: it is no channel's.
        placeless = None if history else key
        return Bad(Reason.BAD_TIME, carried.frame, placeless, None)
    reason = _refused(metric)
    text = None if reason is not None else number_of(metric.datatype or datatype, metric.raw)
    if reason is None and text is None:
        reason = Reason.NOT_A_NUMBER
    if reason is None and unit not in KNOWN_UNITS:
        reason = Reason.UNKNOWN_UNIT if unit else Reason.NO_UNIT
    if reason is not None or text is None:
        return Bad(reason or Reason.NOT_A_NUMBER, carried.frame, key, at_ms, history=history)
    return Measured(key, text, unit, at_ms, history=history)


def _refused(metric: Metric) -> Reason | None:
    if metric.null or metric.raw is None:
        return Reason.NO_VALUE
    quality = metric.properties.get("Quality", _GOOD)
    if quality == _GOOD:
        return None
    return _QUALITY.get(quality, Reason.SENSOR_FAULT) if isinstance(quality, int) else Reason.SENSOR_FAULT


def number_of(datatype: int | None, raw: object) -> str | None:
    """The number of this datatype as text, with every digit it has; None: it is none.

    Senders disagree on how a negative number of 8 or 16 bits is widened: its own bits are what counts.
    """
    if datatype in _WHOLE and isinstance(raw, int):
        bits, sign = _WHOLE[Type(datatype)]
        value = raw & ((1 << bits) - 1)
        text = str(value - (1 << bits) if sign and value >> (bits - 1) else value)
    elif datatype == Type.BOOLEAN and raw in {0, 1}:
        text = str(int(raw))
    elif datatype in {Type.FLOAT, Type.DOUBLE} and isinstance(raw, float) and math.isfinite(raw):
        text = repr(raw) if datatype == Type.DOUBLE else _single(raw)
    else:
        return None
    return text if NUMBER.fullmatch(text) else None


def _single(raw: float) -> str:
    """The shortest decimal that is this number in 32 bits."""
    for digits in range(6, 10):
        text = f"{raw:.{digits}g}"
        if struct.pack("<f", float(text)) == struct.pack("<f", raw):
            return text
    return repr(raw)
