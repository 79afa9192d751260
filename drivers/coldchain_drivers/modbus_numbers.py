"""What registers hold: bits, integers and floats, as the text of the number that the device means."""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from typing import Literal

Kind = Literal["bit", "int16", "uint16", "int32", "uint32", "float32"]
#: Which register of two comes first: the more significant ("big") or the less significant ("little").
WordOrder = Literal["big", "little"]

_FORMATS: dict[Kind, str] = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f"}
#: A binary32 is told apart from its neighbours by nine significant digits, mostly by fewer (IEEE 754).
_DIGITS_MAX = 9
#: Beyond so many digits before or after the point a number is written with an exponent.
_PLAIN_DIGITS = 15


def registers_of(kind: Kind) -> int:
    """How many items of the device one value takes: registers, or bits."""
    return 2 if kind in ("int32", "uint32", "float32") else 1


def raw_of(kind: Kind, data: bytes, offset: int, order: WordOrder) -> int | float:
    """The number that stands `offset` items into the data of a reply; the data must reach that far."""
    if kind == "bit":  # the first bit of a reply is the lowest of its first byte
        return data[offset // 8] >> offset % 8 & 1
    words = data[2 * offset : 2 * (offset + registers_of(kind))]
    if order == "little" and len(words) == 4:
        words = words[2:] + words[:2]
    number: int | float = struct.unpack(_FORMATS[kind], words)[0]
    return number


def text_of(raw: float, scale: Decimal) -> str | None:
    """The number as text, multiplied by the scale; None for what is no number (NaN, infinities).

    A float is written with as few digits as tell it from all others, for its registers hold no more.
    """
    if isinstance(raw, int):
        exact = raw * scale
    elif math.isfinite(raw):
        exact = _shortest(raw) * scale
    else:
        return None
    if not exact:
        return format(exact.copy_abs(), "f")  # a float has a zero below zero, a probe has none
    decimals = -int(exact.as_tuple().exponent)
    plain = decimals <= _PLAIN_DIGITS and exact.adjusted() < _PLAIN_DIGITS
    return format(exact, "f" if plain else "e")


def same(kind: Kind, raw: float, expected: float) -> bool:
    """Whether a device holds just this number; a float as its 32 bits hold it."""
    if kind == "float32":
        return math.isfinite(raw) and struct.pack(">f", raw) == struct.pack(">f", expected)
    return raw == expected


def _shortest(value: float) -> Decimal:
    for digits in range(1, _DIGITS_MAX):
        text = f"{value:.{digits}g}"
        if _is_binary32(float(text), value):
            return Decimal(text)
    return Decimal(f"{value:.{_DIGITS_MAX}g}")


def _is_binary32(rounded: float, value: float) -> bool:
    try:
        return struct.pack(">f", rounded) == struct.pack(">f", value)
    except OverflowError:  # the largest of all, rounded up
        return False
