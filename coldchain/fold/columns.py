"""How far a calm band reaches along packed readings: the one scan that lets a fold skip.

It knows no rule: values, times and qualities are compared with a band and a gap, nothing more. With NumPy at
hand the scan goes by blocks; without it, one by one. Both give the same index.
"""

from __future__ import annotations

from array import array

from coldchain.rules.judging import Band

try:
    import numpy as np

    BLOCKS = True
except ImportError:  # the extra `bulk` brings it; a gateway does well without
    BLOCKS = False

#: Readings that are compared at once.
_BLOCK = 1 << 14
#: Runs shorter than this are not worth the blocks.
_FEW = 64
_QUALITY = 3

Columns = tuple["array[int]", "array[int]", "array[int]"]


def calm_until(columns: Columns, lo: int, hi: int, last_ms: int, band: Band, gap_ms: int) -> int:
    """The first index from `lo` on that is not in the band; `hi` if all are.

    columns: times, values and codes of quality, in order. last_ms: the time of the sample before `lo`.
    A reading that shares its ms with another is never in it: which of them counts is not this scan's to say.
    """
    end = _one_by_one(columns, lo, min(hi, lo + _FEW), last_ms, band, gap_ms)
    if end == hi or end < lo + _FEW:
        return end
    if not BLOCKS:
        return _one_by_one(columns, end, hi, columns[0][end - 1], band, gap_ms)
    return _by_blocks(columns, end, hi, band, gap_ms)


def extremes(values: array[int], lo: int, hi: int) -> tuple[int, int]:
    """The least and the greatest of some values."""
    if BLOCKS and hi - lo > _FEW:
        part = np.frombuffer(values, np.int64)[lo:hi]
        return int(part.min()), int(part.max())
    few = values[lo:hi]
    return min(few), max(few)


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
            return _apart(columns, lo, i)
        last_ms = at_ms
        i += 1
    return _apart(columns, lo, hi)


def _by_blocks(columns: Columns, lo: int, hi: int, band: Band, gap_ms: int) -> int:
    times, values = np.frombuffer(columns[0], np.int64), np.frombuffer(columns[1], np.int64)
    codes = np.frombuffer(columns[2], np.uint32)
    for begin in range(lo, hi, _BLOCK):
        end = min(begin + _BLOCK, hi)
        at, value, code = times[begin - 1 : end], values[begin:end], codes[begin:end]
        steps = at[1:] - at[:-1]
        if (
            value.min() >= band.low
            and value.max() <= band.high
            and steps.max() <= gap_ms
            and steps.min() > 0
            and at[-1] < band.until_ms
            and not np.bitwise_or.reduce(code) & _QUALITY
        ):
            continue
        out = (value < band.low) | (value > band.high) | (steps > gap_ms) | (steps <= 0)
        out |= (at[1:] >= band.until_ms) | ((code & _QUALITY) != 0)
        return _apart(columns, lo, begin + int(out.argmax()))
    return _apart(columns, lo, hi)


def _apart(columns: Columns, lo: int, i: int) -> int:
    """Not between two readings of one ms: the whole of them is one sample."""
    times = columns[0]
    return i - 1 if lo < i < len(times) and times[i] == times[i - 1] else i
