"""What is judged at a place: one probe's readings, the difference of two, or one with another in reserve.

Each is a function of the channels' histories in event order, and of nothing else, so a late reading of either
probe gives what an early one would have given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from coldchain.fold.history import History
from coldchain.rules.judging import BAD, Sample


class Series(Protocol):
    """Samples in event order, at most one for each ms."""

    def samples(self, after_ms: int | None, until_ms: int | None) -> Iterator[Sample]:
        """Samples with after_ms < time < until_ms (None: without bound)."""

    def sample_at(self, at_ms: int) -> Sample | None:
        """The sample of exactly this instant."""

    def newest(self, until_ms: int | None) -> int | None:
        """The time of the last sample before an instant (None: of all), or None."""


@dataclass(frozen=True, slots=True)
class _Two:
    """Two probes: `first` and `second`, and how long a reading of each counts."""

    first: History
    second: History
    first_gap_ms: int
    second_gap_ms: int

    def samples(self, after_ms: int | None, until_ms: int | None) -> Iterator[Sample]:
        """Samples with after_ms < time < until_ms (None: without bound)."""
        one = self.first.samples(after_ms, until_ms)
        two = self.second.samples(after_ms, until_ms)
        a, b = next(one, None), next(two, None)
        last_a = None if after_ms is None else self.first.in_force(after_ms)
        last_b = None if after_ms is None else self.second.in_force(after_ms)
        while a is not None or b is not None:
            at_ms = min(each.at_ms for each in (a, b) if each is not None)
            if a is not None and a.at_ms == at_ms:
                last_a, a = a, next(one, None)
            if b is not None and b.at_ms == at_ms:
                last_b, b = b, next(two, None)
            sample = self._of(last_a, last_b, at_ms)
            if sample is not None:
                yield sample

    def sample_at(self, at_ms: int) -> Sample | None:
        """The sample of exactly this instant."""
        a, b = self.first.in_force(at_ms), self.second.in_force(at_ms)
        if not any(each is not None and each.at_ms == at_ms for each in (a, b)):
            return None
        return self._of(a, b, at_ms)

    def newest(self, until_ms: int | None) -> int | None:
        """The time of the last sample before an instant (None: of all), or None."""
        while True:
            times = [
                at for at in (self.first.newest(until_ms), self.second.newest(until_ms)) if at is not None
            ]
            if not times:
                return None
            if self.sample_at(max(times)) is not None:
                return max(times)
            until_ms = max(times)

    def _of(self, a: Sample | None, b: Sample | None, at_ms: int) -> Sample | None:
        raise NotImplementedError


class Difference(_Two):
    """How far two probes of one thing lie apart; no value where one of them gives none."""

    def _of(self, a: Sample | None, b: Sample | None, at_ms: int) -> Sample | None:
        if _fresh(a, at_ms, self.first_gap_ms) and _fresh(b, at_ms, self.second_gap_ms):
            assert a is not None
            assert b is not None
            apart = max(a.high - b.low, b.high - a.low)
            return Sample(at_ms, apart, apart, max(a.quality, b.quality))
        return Sample(at_ms, 0, 0, BAD)


class InReserve(_Two):
    """The first probe, and the second while the first gives no value: BAD, or not heard for its gap."""

    def _of(self, a: Sample | None, b: Sample | None, at_ms: int) -> Sample | None:
        if _fresh(a, at_ms, self.first_gap_ms):
            return a if a is not None and a.at_ms == at_ms else None
        if _fresh(b, at_ms, self.second_gap_ms):
            assert b is not None
            return Sample(at_ms, b.low, b.high, b.quality)
        return Sample(at_ms, 0, 0, BAD)


def _fresh(sample: Sample | None, at_ms: int, gap_ms: int) -> bool:
    return sample is not None and sample.quality != BAD and at_ms - sample.at_ms < gap_ms
