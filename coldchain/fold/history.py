"""What one channel has measured, packed and in event order.

Of each reading there stands when it is judged, what it was taken for (an integer in the channel's
quantum), a code of quality, reason and origin, and what was sent, as text: so that a calibration or
a unit corrected for the past can be applied to the very number that came. 24 bytes a reading, and
each different text once, for as long as a reading has it. Readings of one millisecond lie together; their
order means nothing.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator
from operator import mul, sub
from typing import NamedTuple

from coldchain.fold.columns import Columns, all_good
from coldchain.model import Origin, Reason
from coldchain.rules.judging import BAD, GOOD, Sample

_REASONS = tuple(Reason)
_REASON_CODE = {reason: code + 1 for code, reason in enumerate(_REASONS)}
_ORIGINS = (Origin.IMPORTED, Origin.BACKFILLED, Origin.RETAINED, Origin.LIVE)
_ORIGIN_CODE = {origin: code for code, origin in enumerate(_ORIGINS)}

# A code holds quality (2 bits), origin (2), reason (8) and which shift its time was given (20).
_ORIGIN_AT, _REASON_AT, _SHIFT_AT = 2, 4, 12
_SHIFTS = 1 << 20
assert len(_REASONS) < 1 << (_SHIFT_AT - _REASON_AT)

#: Of how many shifts of a source's clock a repeat is still looked for.
REMEMBERED_SHIFTS = 16


class Sent(NamedTuple):
    """What a device sent as a value, and what its driver said of it: nothing converted."""

    raw: str
    unit: str
    bad: Reason | None
    doubt: Reason | None


Judge = Callable[[Sent], tuple[int, int, Reason | None]]
#: Times, least and greatest values of samples.
Values = tuple[list[int], list[int], list[int]]


def code_of(quality: int, reason: Reason | None, origin: Origin) -> int:
    """Pack quality, reason and origin into one integer."""
    return (
        quality | _ORIGIN_CODE[origin] << _ORIGIN_AT | (_REASON_CODE[reason] if reason else 0) << _REASON_AT
    )


def quality_of(code: int) -> int:
    """The quality in a packed code."""
    return code & 3


def origin_of(code: int) -> Origin:
    """The origin in a packed code."""
    return _ORIGINS[code >> _ORIGIN_AT & 3]


def reason_of(code: int) -> Reason | None:
    """The reason in a packed code, or None."""
    number = code >> _REASON_AT & 0xFF
    return _REASONS[number - 1] if number else None


def unpacked(samples: Iterable[Sample]) -> Values:
    """Times and values of samples, apart."""
    some = list(samples)
    return [each.at_ms for each in some], [each.low for each in some], [each.high for each in some]


class History:
    """The packed readings of one channel."""

    __slots__ = ("_ids", "_numbered", "_shifts", "at", "code", "sent", "texts", "value")

    def __init__(self) -> None:
        self.at = array("q")
        self.value = array("q")
        self.code = array("I")
        self.sent = array("I")
        self.texts: dict[int, Sent] = {}
        self._ids: dict[Sent, int] = {}
        self._numbered = 0
        self._shifts = [0]

    def __len__(self) -> int:
        return len(self.at)

    def __getstate__(self) -> tuple[object, ...]:
        packed = tuple(part.tobytes() for part in (self.at, self.value, self.code, self.sent))
        return (*packed, self.texts, self._numbered, self._shifts)

    def __setstate__(self, state: tuple[bytes, bytes, bytes, bytes, dict[int, Sent], int, list[int]]) -> None:
        self.__init__()  # type: ignore[misc]  # restoring the packed arrays is starting anew
        *packed, self.texts, self._numbered, self._shifts = state
        for part, data in zip((self.at, self.value, self.code, self.sent), packed, strict=True):
            part.frombytes(data)
        self._ids = {sent: number for number, sent in self.texts.items()}

    def number(self, sent: Sent) -> int:
        """The number under which a text is kept."""
        found = self._ids.get(sent)
        if found is None:
            found = self._ids[sent] = self._numbered
            self.texts[found] = sent
            self._numbered += 1  # never given twice: others remember it
        return found

    def number_of(self, sent: Sent) -> int | None:
        """The number under which a text is kept, None if it is not."""
        return self._ids.get(sent)

    def find(self, sent_at_ms: int, sent: int) -> int | None:
        """Index of the reading that was sent with this time and text, or None."""
        for number in self._recent():
            at_ms = sent_at_ms - self._shifts[number]
            if not self.at or at_ms > self.at[-1]:
                continue
            for i in range(bisect_left(self.at, at_ms), bisect_right(self.at, at_ms)):
                if self.sent[i] == sent and self.code[i] >> _SHIFT_AT == number:
                    return i
        return None

    def insert(self, at_ms: int, value: int, code: int, sent: int, shift_ms: int = 0) -> None:
        """Put a reading in its place; at the end this is an append. `shift_ms`: sent that much later."""
        if shift_ms:
            code |= self._shift(shift_ms) << _SHIFT_AT
        if not self.at or at_ms >= self.at[-1]:
            self.at.append(at_ms)
            self.value.append(value)
            self.code.append(code)
            self.sent.append(sent)
            return
        i = bisect_right(self.at, at_ms)
        self.at.insert(i, at_ms)
        self.value.insert(i, value)
        self.code.insert(i, code)
        self.sent.insert(i, sent)

    def strengthen(self, i: int, origin: Origin) -> bool:
        """Keep the stronger origin of a reading that came again; True if this one is."""
        if not self.is_weaker(i, origin):
            return False
        self.code[i] = self.code[i] & ~(3 << _ORIGIN_AT) | _ORIGIN_CODE[origin] << _ORIGIN_AT
        return True

    def is_weaker(self, i: int, origin: Origin) -> bool:
        """Whether a reading's origin is weaker than another one."""
        return self.code[i] >> _ORIGIN_AT & 3 < _ORIGIN_CODE[origin]

    def move(self, readings: Iterable[tuple[int, int]], from_shift_ms: int, to_shift_ms: int) -> int | None:
        """Give readings (time as sent, text) of one shift another one; the earliest new time."""
        old, new = self._shift(from_shift_ms), self._shift(to_shift_ms)
        wanted = {(sent_at_ms - from_shift_ms, sent) for sent_at_ms, sent in readings}
        if not wanted:
            return None
        by_ms = to_shift_ms - from_shift_ms
        first = min(min(wanted)[0], min(wanted)[0] - by_ms)
        lo = bisect_left(self.at, first)
        rows = []
        earliest: int | None = None
        for i in range(lo, len(self.at)):
            at_ms, code = self.at[i], self.code[i]
            if code >> _SHIFT_AT == old and (at_ms, self.sent[i]) in wanted:
                at_ms -= by_ms
                code = code & (1 << _SHIFT_AT) - 1 | new << _SHIFT_AT
                earliest = at_ms if earliest is None else min(earliest, at_ms)
            rows.append((at_ms, self.value[i], code, self.sent[i]))
        rows.sort(key=lambda row: row[0])
        for i, (at_ms, value, code, sent) in enumerate(rows, lo):
            self.at[i], self.value[i], self.code[i], self.sent[i] = at_ms, value, code, sent
        return earliest

    def shift_from(self, at_ms: int, by_ms: int) -> None:
        """Move every reading at or after `at_ms` later by `by_ms` (a down time became known)."""
        for i in range(bisect_left(self.at, at_ms), len(self.at)):
            self.at[i] += by_ms

    def forget(self, before_ms: int, remembered: Collection[int] = ()) -> None:
        """Drop what is older than an instant, but never the newest reading; and the texts that only it had.

        remembered: numbers of texts that are kept all the same. A device that sends many digits has a text of
        its own for nearly each reading: ten times what else is kept of it.
        """
        end = min(bisect_left(self.at, before_ms), len(self.at) - 1)
        if end <= 0:
            return
        for part in (self.at, self.value, self.code, self.sent):
            del part[:end]
        had = set(self.sent).union(remembered)
        self.texts = {number: sent for number, sent in self.texts.items() if number in had}
        self._ids = {sent: number for number, sent in self.texts.items()}

    def rejudge(self, from_ms: int, until_ms: int | None, judge: Judge) -> int | None:
        """Take what was sent in a span for something anew; the first time at which that differs."""
        changed: int | None = None
        known: dict[int, tuple[int, int]] = {}
        hi = len(self.at) if until_ms is None else bisect_left(self.at, until_ms)
        for i in range(bisect_left(self.at, from_ms), hi):
            text = self.sent[i]
            if text not in known:
                value, quality, reason = judge(self.texts[text])
                known[text] = (value, code_of(quality, reason, Origin.IMPORTED))
            value, judged = known[text]
            kept = 3 << _ORIGIN_AT | (_SHIFTS - 1) << _SHIFT_AT
            code = self.code[i] & kept | judged
            if (value, code) != (self.value[i], self.code[i]):
                self.value[i], self.code[i] = value, code
                changed = self.at[i] if changed is None else changed
        return changed

    def span(self, from_ms: int, to_ms: int) -> tuple[int, int]:
        """Indices of the readings with from_ms <= time < to_ms."""
        return bisect_left(self.at, from_ms), bisect_left(self.at, to_ms)

    def shifts_in(self, from_ms: int, to_ms: int) -> set[int]:
        """By how much the readings of a span, ends included, had been sent later than they stand here."""
        lo, hi = bisect_left(self.at, from_ms), bisect_right(self.at, to_ms)
        return {self._shifts[code >> _SHIFT_AT] for code in self.code[lo:hi]}

    def newest(self, until_ms: int | None) -> int | None:
        """The time of the last reading before an instant (None: of all), or None."""
        i = len(self.at) if until_ms is None else bisect_left(self.at, until_ms)
        return self.at[i - 1] if i else None

    def sample_at(self, at_ms: int) -> Sample | None:
        """What is known at exactly this instant."""
        hi = len(self.at)
        if not hi or self.at[-1] != at_ms:
            hi = bisect_right(self.at, at_ms)
        lo = hi - 1
        while lo > 0 and self.at[lo - 1] == at_ms:
            lo -= 1
        return self._reduce(lo, hi) if lo >= 0 and self.at[lo] == at_ms else None

    @property
    def columns(self) -> Columns:
        """Times, values and codes, as `calm_run` scans them."""
        return self.at, self.value, self.code

    def packed(self, after_ms: int, until_ms: int) -> Values:
        """Times, least and greatest values of the samples with after_ms < time < until_ms."""
        lo, hi = bisect_right(self.at, after_ms), bisect_left(self.at, until_ms)
        at, values = self.at[lo:hi].tolist(), self.value[lo:hi].tolist()
        if len(set(at)) == len(at):
            return at, values, values
        return unpacked(self.samples(after_ms, until_ms))

    def group(self, i: int, hi: int) -> tuple[Sample, int]:
        """The sample of the ms at an index, and the index behind it."""
        at, j = self.at, i + 1
        while j < hi and at[j] == at[i]:
            j += 1
        return self._reduce(i, j), j

    def in_force(self, at_ms: int) -> Sample | None:
        """The newest sample up to an instant."""
        hi = bisect_right(self.at, at_ms)
        return self.sample_at(self.at[hi - 1]) if hi else None

    def first_in(self, at_ms: int) -> int:
        """The time of the reading in force at an instant, or of the first one after it."""
        i = max(0, bisect_right(self.at, at_ms) - 1)
        return self.at[i] if i < len(self.at) else at_ms

    def weighed(self, from_ms: int, to_ms: int, gap_ms: int, weight: Callable[[int], int]) -> tuple[int, int]:
        """Of the GOOD dwells of a span: the sum of weight(value) times ms, and the sum of ms."""
        at = self.at
        lo = max(0, bisect_right(at, from_ms) - 1)
        hi = bisect_left(at, to_ms)
        if lo >= hi:
            return 0, 0
        times, codes = at[lo:hi], self.code[lo:hi]
        ends = at[lo + 1 : hi]
        ends.append(to_ms)
        spans = list(map(sub, ends, times))
        if times[0] < from_ms:
            spans[0] -= from_ms - times[0]
        whole = max(spans) <= gap_ms and ends[0] - times[0] <= gap_ms and min(spans) > 0
        if whole and all_good(codes):
            return sum(map(mul, map(weight, self.value[lo:hi].tolist()), spans)), sum(spans)
        weighted = time_ms = 0
        last: Sample | None = None
        for sample in (*self.samples(times[0] - 1, to_ms), None):
            if last is not None and last.quality == GOOD:
                until_ms = to_ms if sample is None else sample.at_ms
                span_ms = min(until_ms, last.at_ms + gap_ms) - max(last.at_ms, from_ms)
                if span_ms > 0:
                    weighted += weight(last.high) * span_ms
                    time_ms += span_ms
            last = sample
        return weighted, time_ms

    def samples(self, after_ms: int | None, until_ms: int | None) -> Iterator[Sample]:
        """Samples in event order with after_ms < time < until_ms (None: without bound)."""
        i = 0 if after_ms is None else bisect_right(self.at, after_ms)
        n = len(self.at) if until_ms is None else bisect_left(self.at, until_ms)
        while i < n:
            sample, i = self.group(i, n)
            yield sample

    def _recent(self) -> Iterable[int]:
        """The numbers of the shifts that are still looked at: none, and the newest ones."""
        known = len(self._shifts)
        return (0,) if known == 1 else (0, *range(known - 1, max(0, known - 1 - REMEMBERED_SHIFTS), -1))

    def _shift(self, shift_ms: int) -> int:
        """The number of a shift. Far beyond what clocks do, the last one stands for all."""
        for number in self._recent():
            if self._shifts[number] == shift_ms:
                return number
        if len(self._shifts) < _SHIFTS - 1:
            self._shifts.append(shift_ms)
        return len(self._shifts) - 1

    def _reduce(self, lo: int, hi: int) -> Sample:
        if hi == lo + 1:
            value = self.value[lo]
            return Sample(self.at[lo], value, value, quality_of(self.code[lo]))
        best = min(quality_of(self.code[i]) for i in range(lo, hi))
        values = [self.value[i] for i in range(lo, hi) if quality_of(self.code[i]) == best]
        if best == BAD:
            return Sample(self.at[lo], 0, 0, BAD)
        return Sample(self.at[lo], min(values), max(values), best)
