"""Run the sides of a case in turn, each in a process of its own, and take medians.

Baseline and subject alternate (A B, then B A), so that a machine that slows down slows both. A ratio is taken
within each pair; the median of the pairs' ratios is what is told, with the least and the greatest.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.catalogue import Case, Options, Side
from benchmarks.measure import Figures


@dataclass(frozen=True)
class Ratio:
    """Subject divided by baseline: the median of the pairs, and how far they lay apart."""

    median: float
    least: float
    most: float


@dataclass(frozen=True)
class Result:
    """One case: ratios by figure, and the median of every figure of either side."""

    case: Case
    ratios: dict[str, Ratio]
    baseline: Figures
    subject: Figures


def run(case: Case, count: int, folder: Path, said: Callable[[str], None]) -> Result:
    """Run a case `count` times. Files are made in `folder` and removed."""
    options = dict(case.options)
    shared = folder / "shared"
    if case.prepare:
        if not shared.exists():
            shared.mkdir()
            said("preparing")
            _side(case.prepare, options, shared)
        options["journal"] = str(shared / str(options["journal"]))
    pairs: list[tuple[Figures, Figures]] = []
    for number in range(count):
        said(f"run {number + 1} of {count}")
        first, second = (case.baseline, case.subject) if number % 2 == 0 else (case.subject, case.baseline)
        found = {first: _alone(first, options, folder), second: _alone(second, options, folder)}
        pairs.append((found[case.baseline], found[case.subject]))
    return Result(
        case,
        {name: _ratio(name, pairs) for name in case.ratios},
        _medians([before for before, _ in pairs]),
        _medians([after for _, after in pairs]),
    )


def _alone(side: Side, options: Options, folder: Path) -> Figures:
    place = folder / "run"
    place.mkdir()
    try:
        return _side(side, options, place)
    finally:
        shutil.rmtree(place)


def _side(side: Side, options: Options, folder: Path) -> Figures:
    given = json.dumps(options | {"folder": str(folder)})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.child", side, given], stdout=subprocess.PIPE, check=True
    )
    figures: Figures = json.loads(done.stdout)
    return figures


def _ratio(name: str, pairs: list[tuple[Figures, Figures]]) -> Ratio:
    each = [after[name] / before[name] for before, after in pairs if before[name]]
    if not each:
        return Ratio(float("nan"), float("nan"), float("nan"))
    return Ratio(statistics.median(each), min(each), max(each))


def _medians(runs: list[Figures]) -> Figures:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}
