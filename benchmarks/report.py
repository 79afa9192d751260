"""Results as a table for people and as JSON for machines."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from benchmarks.catalogue import Benchmark
from benchmarks.runs import Result

_COLUMNS = f"  {'':26}{'baseline':>12}{'coldchain':>12}{'ratio':>9}   least to most"


def machine(folder: Path) -> dict[str, str | int]:
    """What the figures were taken on, as far as it bears on them."""
    import apsw

    return {
        "cpus": len(os.sched_getaffinity(0)),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "file_system": file_system(folder),
    }


def file_system(folder: Path) -> str:
    """The kind of file system a folder lies on; on "tmpfs" a commit costs no disk."""
    best, kind = -1, "unknown"
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return kind
    for line in mounts:
        before, _, after = line.partition(" - ")
        point = before.split()[4]
        if folder.resolve().is_relative_to(point) and len(point) >= best:
            best, kind = len(point), after.split()[0]
    return kind


def head(benchmark: Benchmark) -> str:
    """The lines over a benchmark's cases."""
    return f"\n{benchmark.name}: {benchmark.about}\n  baseline: {benchmark.baseline}"


def table(result: Result) -> str:
    """One case."""
    lines = ["", f"  {result.case.name}", _COLUMNS]
    for name, ratio in result.ratios.items():
        lines.append(
            f"  {_words(name):26}{_figure(result.baseline[name]):>12}{_figure(result.subject[name]):>12}"
            f"{_figure(ratio.median):>8}×   {_figure(ratio.least)} to {_figure(ratio.most)}"
        )
    for name in result.case.told:
        before = _figure(result.baseline[name]) if name in result.baseline else ""
        lines.append(f"  {_words(name):26}{before:>12}{_figure(result.subject[name]):>12}")
    return "\n".join(lines)


def as_json(done: list[tuple[Benchmark, list[Result]]], runs: int, folder: Path) -> str:
    """Everything, with figures of both sides as medians."""
    found: dict[str, Any] = {"machine": machine(folder), "runs": runs, "benchmarks": []}
    for benchmark, results in done:
        found["benchmarks"].append(
            {
                "name": benchmark.name,
                "about": benchmark.about,
                "baseline": benchmark.baseline,
                "cases": [
                    {
                        "name": result.case.name,
                        "options": result.case.options,
                        "ratios": {
                            name: {"median": ratio.median, "least": ratio.least, "most": ratio.most}
                            for name, ratio in result.ratios.items()
                        },
                        "baseline": result.baseline,
                        "coldchain": result.subject,
                    }
                    for result in results
                ],
            }
        )
    return json.dumps(found, indent=1, ensure_ascii=False)


def progress(text: str) -> None:
    """What is being done, on a terminal only; the next line takes its place."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _words(figure: str) -> str:
    return figure.replace("_per_", "/").replace("_", " ").replace(" bytes", ", bytes")


def _figure(value: float) -> str:
    if value != value:
        return "–"
    if abs(value) >= 10_000_000:
        return f"{value / 1e6:.0f} M"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
