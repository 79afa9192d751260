"""The past of a place: its time line, and what was measured along it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property

from coldchain.consignments.line import Segment
from coldchain.fold.history import History, Values, unpacked
from coldchain.fold.series import Difference, InReserve, Series
from coldchain.rules.judging import GOOD, Dwell, Sample


class Past:
    """A time line (`line`, set by the caller), and the histories of the channels that measure along it."""

    def __init__(self, histories: dict[str, History]) -> None:
        self.line: list[Segment] = []
        self.histories = histories

    def series(self, segment: Segment) -> Series | None:
        """What is judged in a segment, None where nothing measures."""
        if segment.channel is None:
            return None
        first = self.histories.get(segment.channel.id)
        if segment.other is None or first is None:
            return first
        second = self.histories.get(segment.other.id)
        if second is None:
            return first
        two = Difference if segment.differs else InReserve
        return two(first, second, segment.channel.max_gap_ms, segment.other.max_gap_ms)

    def segment_at(self, at_ms: int) -> int:
        """The index of the segment in force at an instant; −1: none is yet."""
        line = self.line
        if line and at_ms >= line[-1].from_ms:
            return len(line) - 1
        return bisect_right(line, at_ms, key=lambda segment: segment.from_ms) - 1

    def ends_ms(self, index: int) -> int | None:
        """Where a segment ends; None: it is the last."""
        return self.line[index + 1].from_ms if index + 1 < len(self.line) else None

    def newest(self) -> int | None:
        """The time of the newest sample that is judged here."""
        for i in range(len(self.line) - 1, -1, -1):
            series = self.series(self.line[i])
            if series is not None:
                newest_ms = series.newest(self.ends_ms(i))
                if newest_ms is not None and newest_ms >= self.line[i].from_ms:
                    return newest_ms
        return None

    def dwells(self, from_ms: int, to_ms: int) -> Iterator[Dwell]:
        """Each sample with the span in which it counts, cut to from_ms..to_ms, in order."""
        index = max(0, self.segment_at(from_ms))
        while index < len(self.line):
            segment, ends_ms = self.line[index], self.ends_ms(index)
            if segment.from_ms >= to_ms:
                return
            until_ms = to_ms if ends_ms is None else min(ends_ms, to_ms)
            series = self.series(segment)
            if series is not None:
                begin_ms = max(from_ms, segment.from_ms)
                yield from self._within(index, series, begin_ms, until_ms)
            index += 1

    def weighed(self, from_ms: int, to_ms: int, weight: Callable[[int], int]) -> tuple[int, int]:
        """Of all GOOD dwells within a span: the sum of weight(value) times ms, and the sum of ms."""
        if to_ms <= from_ms:
            return 0, 0
        index = self.segment_at(from_ms)
        ends_ms = self.ends_ms(index)
        if index >= 0 and (ends_ms is None or to_ms <= ends_ms):
            segment = self.line[index]
            series = self.series(segment)
            if isinstance(series, History) and self._since_ms(index) <= series.first_in(from_ms):
                return series.weighed(from_ms, to_ms, segment.gap_ms, weight)
        weighted = time_ms = 0
        for dwell in self.dwells(from_ms, to_ms):
            if dwell.sample.quality == GOOD:
                span_ms = dwell.end_ms - dwell.begin_ms
                weighted += weight(dwell.sample.high) * span_ms
                time_ms += span_ms
        return weighted, time_ms

    def _since_ms(self, index: int) -> int:
        """Since when the probe of a segment has measured here."""
        probe = self.line[index].probe
        while index > 0 and self.line[index - 1].probe == probe:
            index -= 1
        return self.line[index].from_ms

    def _within(self, index: int, series: Series, begin_ms: int, until_ms: int) -> Iterator[Dwell]:
        """The dwells of one segment. The sample before it counts on where the same probe measured."""
        segment = self.line[index]
        assert segment.channel is not None
        gap_ms, since_ms = segment.gap_ms, self._since_ms(index)
        first_ms = series.newest(begin_ms + 1)
        after_ms = begin_ms - 1 if first_ms is None or first_ms < since_ms else first_ms - 1
        last = None
        for sample in series.samples(after_ms, until_ms):
            if last is not None:
                end_ms = min(sample.at_ms, last.at_ms + gap_ms)
                if end_ms > begin_ms:
                    yield Dwell(max(last.at_ms, begin_ms), end_ms, last)
            last = sample
        if last is not None:
            end_ms = min(until_ms, last.at_ms + gap_ms)
            if end_ms > max(last.at_ms, begin_ms):
                yield Dwell(max(last.at_ms, begin_ms), end_ms, last)


class Skipped:
    """Samples of one segment that lay in the calm band (`Run`), read from the past only where a rule asks."""

    def __init__(self, past: Past, segment: Segment, before: Sample, last: Sample) -> None:
        self.before, self.last = before, last
        self._past, self._segment = past, segment

    @property
    def at(self) -> list[int]:
        """Their times, in order."""
        return self._values[0]

    @property
    def low(self) -> list[int]:
        """Their values; the least where several share a millisecond."""
        return self._values[1]

    @property
    def high(self) -> list[int]:
        """Likewise, the greatest."""
        return self._values[2]

    @cached_property
    def _values(self) -> Values:
        series, last = self._past.series(self._segment), self.last
        between = (self.before.at_ms, last.at_ms)
        if isinstance(series, History):
            at, low, high = series.packed(*between)
        else:
            at, low, high = unpacked(() if series is None else series.samples(*between))
        return [*at, last.at_ms], [*low, last.low], [*high, last.high]
