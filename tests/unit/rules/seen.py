"""What a rule is shown of the past, from a list of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from coldchain.rules.judging import GOOD, Dwell, Sample

GAP = 100


@dataclass
class Skipped:
    """Samples that a rule was not asked about, after one that it knows."""

    before: Sample
    samples: tuple[Sample, ...]

    @property
    def last(self) -> Sample:
        """The newest of them."""
        return self.samples[-1]

    @property
    def at(self) -> list[int]:
        """Their times."""
        return [sample.at_ms for sample in self.samples]

    @property
    def low(self) -> list[int]:
        """Their least values."""
        return [sample.low for sample in self.samples]

    @property
    def high(self) -> list[int]:
        """Their greatest values."""
        return [sample.high for sample in self.samples]


@dataclass
class Shown:
    """Everything measured so far at one place, by one probe; a rule was asked about the first `known`."""

    last: Sample | None = None
    gap_ms: int = GAP
    since_ms: int = 0
    samples: tuple[Sample, ...] = ()
    known: int = 0

    @property
    def skipped(self) -> Skipped:
        """All since the last one that is known."""
        return Skipped(self.samples[self.known - 1], self.samples[self.known :])

    def dwells(self, from_ms: int, to_ms: int) -> Iterator[Dwell]:
        """Each sample with the span in which it counts, the plain way."""
        for i, sample in enumerate(self.samples):
            until = self.samples[i + 1].at_ms if i + 1 < len(self.samples) else to_ms
            begin = max(sample.at_ms, from_ms)
            end = min(until, sample.at_ms + self.gap_ms, to_ms)
            if end > begin:
                yield Dwell(begin, end, sample)

    def weighed(self, from_ms: int, to_ms: int, weight: Callable[[int], int]) -> tuple[int, int]:
        """Of all GOOD dwells within a span: the sum of weight(value) times ms, and the sum of ms."""
        good = [dwell for dwell in self.dwells(from_ms, to_ms) if dwell.sample.quality == GOOD]
        spans = [dwell.end_ms - dwell.begin_ms for dwell in good]
        return (
            sum(weight(dwell.sample.high) * span for dwell, span in zip(good, spans, strict=True)),
            sum(spans),
        )


def after(last: Sample | None, gap_ms: int = GAP) -> Shown:
    """The past of a rule that needs the sample before and nothing else."""
    return Shown(last, gap_ms)
