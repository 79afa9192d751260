"""How far a calm band reaches along packed readings: the one scan that lets a fold skip.

It knows no rule: values, times and qualities are compared with a band and a gap, nothing more. It goes by
strides that grow while all is calm, so that a short run costs little and a long one hardly more than its
length; only where a stride is not calm throughout is it looked at one by one. With NumPy at hand long
strides go there. All ways give the same index.
"""

from __future__ import annotations

import sys
from array import array
from operator import sub
from typing import NamedTuple

from coldchain.rules.judging import Band

try:
    import numpy as np

    BLOCKS = True
except ImportError:  # the extra `bulk` brings it; a gateway does well without
    BLOCKS = False

#: Readings that are compared at once with NumPy.
_BLOCK = 1 << 14
#: The first stride, which goes one by one, and the longest one: what is found out twice where a run ends.
_FEW, _MANY = 8, 256
_QUALITY = 3
#: Where in the bytes of a code its quality stands, and the bytes that say GOOD.
_LOW_BYTE = 0 if sys.byteorder == "little" else array("I").itemsize - 1
_GOOD_BYTES = bytes(byte for byte in range(256) if not byte & _QUALITY)

Columns = tuple["array[int]", "array[int]", "array[int]"]


class Calm(NamedTuple):
    """Up to where readings are calm, and the least and the greatest value until there (0: there is none)."""

    end: int
    low: int
    high: int


def calm_run(columns: Columns, lo: int, hi: int, last_ms: int, band: Band, gap_ms: int) -> Calm:
    """The readings from `lo` on, up to the first index that is not in the band; up to `hi` if all are.

    columns: times, values and codes of quality, in order. last_ms: the time of the sample before `lo`.
    A reading that shares its ms with another is never in it: which of them counts is not this scan's to say.
    """
    values = columns[1]
    stride, i = _FEW, min(hi, lo + _FEW)
    end = _one_by_one(columns, lo, i, last_ms, band, gap_ms)
    met = values[lo:end].tolist()  # values among which are the least and the greatest of all so far
    while end == i < hi:
        if BLOCKS and stride >= _MANY:
            end = _by_blocks(columns, i, hi, band, gap_ms, met)
            break
        i = min(hi, i + stride)
        end = _by_stride(columns, end, i, band, gap_ms, met)
        stride = min(2 * stride, _MANY)
    apart = _apart(columns, lo, end)
    if apart < end:
        met = values[lo:apart].tolist()
    return Calm(apart, min(met, default=0), max(met, default=0))


def all_good(codes: array[int]) -> bool:
    """Whether the quality in every code is GOOD: nothing is left without the bytes that say so."""
    return not codes.tobytes()[_LOW_BYTE :: codes.itemsize].translate(None, _GOOD_BYTES)


def _one_by_one(columns: Columns, lo: int, hi: int, last_ms: int, band: Band, gap_ms: int) -> int:
    low, high, until_ms = band.low, band.high, band.until_ms
    i = lo
    for at_ms, value, code in zip(columns[0][lo:hi], columns[1][lo:hi], columns[2][lo:hi], strict=True):
        if (
            not low <= value <= high
            or not 0 < at_ms - last_ms <= gap_ms
            or code & _QUALITY
            or at_ms >= until_ms
        ):
            return i
        last_ms = at_ms
        i += 1
    return hi


def _by_stride(columns: Columns, lo: int, hi: int, band: Band, gap_ms: int, met: list[int]) -> int:
    """At once, by what all of them have in common; `lo` is not the first reading."""
    times, values = columns[0][lo - 1 : hi].tolist(), columns[1][lo:hi].tolist()
    low, high, steps = min(values), max(values), list(map(sub, times[1:], times))
    if (
        low >= band.low
        and high <= band.high
        and max(steps) <= gap_ms
        and min(steps) > 0
        and times[-1] < band.until_ms
        and all_good(columns[2][lo:hi])
    ):
        met += (low, high)
        return hi
    end = _one_by_one(columns, lo, hi, times[0], band, gap_ms)
    met += values[: end - lo]
    return end


def _by_blocks(columns: Columns, lo: int, hi: int, band: Band, gap_ms: int, met: list[int]) -> int:
    times, values = np.frombuffer(columns[0], np.int64), np.frombuffer(columns[1], np.int64)
    codes = np.frombuffer(columns[2], np.uint32)
    for begin in range(lo, hi, _BLOCK):
        end = min(begin + _BLOCK, hi)
        at, value, code = times[begin - 1 : end], values[begin:end], codes[begin:end]
        low, high, steps = int(value.min()), int(value.max()), at[1:] - at[:-1]
        if (
            low >= band.low
            and high <= band.high
            and steps.max() <= gap_ms
            and steps.min() > 0
            and at[-1] < band.until_ms
            and not np.bitwise_or.reduce(code) & _QUALITY
        ):
            met += (low, high)
            continue
        out = (value < band.low) | (value > band.high) | (steps > gap_ms) | (steps <= 0)
        out |= (at[1:] >= band.until_ms) | ((code & _QUALITY) != 0)
        first = int(out.argmax())
        if first:
            met += (int(value[:first].min()), int(value[:first].max()))
        return begin + first
    return hi


def _apart(columns: Columns, lo: int, i: int) -> int:
    """Not between two readings of one ms: the whole of them is one sample."""
    times = columns[0]
    return i - 1 if lo < i < len(times) and times[i] == times[i - 1] else i
