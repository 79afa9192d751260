"""What one channel has measured, packed and in event order.

Conditioned values (integers in the channel's quantum) stand beside a code of quality, reason and
origin. Readings of one millisecond lie together; their order among themselves means nothing.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from coldchain.model import Origin, Reason
from coldchain.rules.judging import BAD, Sample

_REASONS = tuple(Reason)
_REASON_CODE = {reason: code + 1 for code, reason in enumerate(_REASONS)}
_ORIGINS = (Origin.IMPORTED, Origin.BACKFILLED, Origin.RETAINED, Origin.LIVE)
_ORIGIN_CODE = {origin: code for code, origin in enumerate(_ORIGINS)}


def code_of(quality: int, reason: Reason | None, origin: Origin) -> int:
    """Pack quality (2 bits), origin (2 bits) and reason into one small integer."""
    return quality | _ORIGIN_CODE[origin] << 2 | (_REASON_CODE[reason] if reason else 0) << 4


def quality_of(code: int) -> int:
    """The quality in a packed code."""
    return code & 3


def origin_of(code: int) -> Origin:
    """The origin in a packed code."""
    return _ORIGINS[code >> 2 & 3]


def reason_of(code: int) -> Reason | None:
    """The reason in a packed code, or None."""
    return _REASONS[(code >> 4) - 1] if code >> 4 else None


class History:
    """The packed readings of one channel."""

    __slots__ = ("at", "code", "value")

    def __init__(self) -> None:
        self.at = array("q")
        self.value = array("q")
        self.code = array("H")

    def __len__(self) -> int:
        return len(self.at)

    def __getstate__(self) -> tuple[bytes, bytes, bytes]:
        return self.at.tobytes(), self.value.tobytes(), self.code.tobytes()

    def __setstate__(self, state: tuple[bytes, bytes, bytes]) -> None:
        self.__init__()  # type: ignore[misc]  # restoring the packed arrays is starting anew
        for packed, data in zip((self.at, self.value, self.code), state, strict=True):
            packed.frombytes(data)

    def find(self, at_ms: int, value: int, quality: int) -> int | None:
        """Index of a reading with this time, value and quality, or None."""
        for i in range(bisect_left(self.at, at_ms), bisect_right(self.at, at_ms)):
            if quality_of(self.code[i]) == quality and (quality == BAD or self.value[i] == value):
                return i
        return None

    def insert(self, at_ms: int, value: int, code: int) -> None:
        """Put a reading in its place; at the end this is an append."""
        if not self.at or at_ms >= self.at[-1]:
            self.at.append(at_ms)
            self.value.append(value)
            self.code.append(code)
            return
        i = bisect_right(self.at, at_ms)
        self.at.insert(i, at_ms)
        self.value.insert(i, value)
        self.code.insert(i, code)

    def remove(self, at_ms: int, value: int, code: int) -> None:
        """Take out one reading that stands here; ValueError if it does not."""
        for i in range(bisect_left(self.at, at_ms), bisect_right(self.at, at_ms)):
            if self.value[i] == value and self.code[i] == code:
                del self.at[i], self.value[i], self.code[i]
                return
        raise ValueError(f"no reading {value} at {at_ms}")

    def shift_from(self, at_ms: int, by_ms: int) -> None:
        """Move every reading at or after `at_ms` later by `by_ms` (a down time became known)."""
        for i in range(bisect_left(self.at, at_ms), len(self.at)):
            self.at[i] += by_ms

    def span(self, from_ms: int, to_ms: int) -> tuple[int, int]:
        """Indices of the readings with from_ms <= time < to_ms."""
        return bisect_left(self.at, from_ms), bisect_left(self.at, to_ms)

    def sample_at(self, at_ms: int) -> Sample | None:
        """What is known at exactly this instant."""
        lo, hi = bisect_left(self.at, at_ms), bisect_right(self.at, at_ms)
        return self._reduce(lo, hi) if lo < hi else None

    def samples(self, after_ms: int | None, until_ms: int | None) -> Iterator[Sample]:
        """Samples in event order with after_ms < time < until_ms (None: without bound)."""
        i = 0 if after_ms is None else bisect_right(self.at, after_ms)
        n = len(self.at) if until_ms is None else bisect_left(self.at, until_ms)
        at = self.at
        while i < n:
            j = i + 1
            while j < n and at[j] == at[i]:
                j += 1
            yield self._reduce(i, j)
            i = j

    def _reduce(self, lo: int, hi: int) -> Sample:
        if hi == lo + 1:
            value = self.value[lo]
            return Sample(self.at[lo], value, value, quality_of(self.code[lo]))
        best = min(quality_of(self.code[i]) for i in range(lo, hi))
        values = [self.value[i] for i in range(lo, hi) if quality_of(self.code[i]) == best]
        return Sample(self.at[lo], min(values), max(values), best)
