"""What a rule is shown of the past, from a list of samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from coldchain.rules.judging import Dwell, Sample

GAP = 100


@dataclass
class Shown:
    """Everything measured so far at one place, by one probe."""

    last: Sample | None = None
    gap_ms: int = GAP
    since_ms: int = 0
    samples: tuple[Sample, ...] = ()

    def dwells(self, from_ms: int, to_ms: int) -> Iterator[Dwell]:
        """Each sample with the span in which it counts, the plain way."""
        for i, sample in enumerate(self.samples):
            until = self.samples[i + 1].at_ms if i + 1 < len(self.samples) else to_ms
            begin = max(sample.at_ms, from_ms)
            end = min(until, sample.at_ms + self.gap_ms, to_ms)
            if end > begin:
                yield Dwell(begin, end, sample)


def after(last: Sample | None, gap_ms: int = GAP) -> Shown:
    """The past of a rule that needs the sample before and nothing else."""
    return Shown(last, gap_ms)
