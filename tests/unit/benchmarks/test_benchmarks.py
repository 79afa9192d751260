"""Every measurement still runs, on sizes too small to mean anything, and gives the figures it promises."""

from __future__ import annotations

import importlib
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.catalogue import BENCHMARKS, Case, Options, Sizes
from benchmarks.measure import Figures, quantile
from benchmarks.runs import run

#: The same cases, as small as they can be.
SMALL: dict[str, int] = {"span_ms": 60_000, "readings": 40, "channels": 2, "rate": 1_000, "batch": 7}
#: A few boxes, for a second: they report in real time.
FEW: dict[str, int] = {"boxes": 10, "every_ms": 200, "span_ms": 1_000}


def small(options: Options) -> Options:
    """The options of a case with less to do; a span holds 60 rounds."""
    if "boxes" in options:
        return options | FEW
    less = options | {name: value for name, value in SMALL.items() if name in options}
    return less | {"span_ms": 60 * int(options.get("interval_ms", 1_000))} if "span_ms" in options else less


def call(side: str, options: Options) -> Figures:
    """One side in this process."""
    module, function = side.split(":")
    figures: Figures = getattr(importlib.import_module(f"benchmarks.{module}"), function)(options)
    return figures


#: Benchmarks that start processes of their own.
MARKS = {"import": [pytest.mark.slow], "fleet": [pytest.mark.slow, pytest.mark.servers]}

CASES = [
    pytest.param(
        case,
        id=f"{benchmark.name}, {case.name}",
        marks=MARKS.get(benchmark.name, ()),
    )
    for benchmark in BENCHMARKS
    for case in benchmark.cases(Sizes())
]


@pytest.mark.parametrize("case", CASES)
def test_both_sides_give_what_is_compared(case: Case, tmp_path: Path) -> None:
    """Each side runs alone in a folder of its own; figures that are compared are there, and are numbers."""
    options = small(case.options)
    if case.prepare:
        call(case.prepare, options | {"folder": str(tmp_path)})
        options |= {"journal": str(tmp_path / str(options["journal"]))}
    sides = []
    for side in (case.baseline, case.subject):
        folder = tmp_path / side.replace(":", ".")
        folder.mkdir()
        sides.append(call(side, options | {"folder": str(folder)}))
    before, after = sides
    for name in case.ratios:
        assert math.isfinite(before[name])
        assert math.isfinite(after[name])
    assert set(case.told) <= set(after)


@pytest.mark.slow
def test_a_case_runs_in_processes_and_prints(tmp_path: Path) -> None:
    """A whole case: sides in turn, ratios with their spread, a table and JSON; nothing is left behind."""
    benchmark = next(b for b in BENCHMARKS if b.name == "commit")
    case = replace(benchmark.cases(Sizes())[1], options=small(benchmark.cases(Sizes())[1].options))
    result = run(case, 2, tmp_path, lambda what: None)
    ratio = result.ratios["file_bytes_per_reading"]
    assert ratio.least <= ratio.median <= ratio.most
    assert result.subject["file_bytes_per_reading"] > result.baseline["file_bytes_per_reading"]
    assert case.name in report.table(result)
    assert '"file_bytes_per_reading"' in report.as_json([(benchmark, [result])], 2, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_baselines_know_nothing_of_the_program() -> None:
    """A baseline that imports us would carry our memory and our start-up."""
    told = (
        "import benchmarks.bare, sys; print([name for name in sys.modules if name.startswith('coldchain')])"
    )
    done = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("values", "part", "expected"),
    [
        pytest.param([5.0], 0.99, 5.0, id="one value is every quantile"),
        pytest.param([1.0, 2.0], 0.5, 1.0, id="the lower of two is their middle"),
        pytest.param([float(n) for n in range(1, 101)], 0.99, 99.0, id="99 of 100"),
        pytest.param([float(n) for n in range(1, 101)], 0.5, 50.0, id="50 of 100"),
    ],
)
def test_quantile_is_the_nearest_rank(values: list[float], part: float, expected: float) -> None:
    """A quantile is one of the values, at or below which so many of them lie."""
    assert quantile(values, part) == expected
