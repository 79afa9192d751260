"""`python -m benchmarks [NAME …] [--runs 5] [--hours 1] [--days 1] [--format table|json] [--folder DIR]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from subprocess import CalledProcessError

from benchmarks import report
from benchmarks.catalogue import BENCHMARKS, Benchmark, Sizes
from benchmarks.runs import Result, run

#: Beside the sources: unlike a folder for temporary files it is rarely kept in memory.
FOLDER = Path(".cache")


def main() -> int:
    """Run what was asked for; 2 if a name is unknown, 1 if a case could not be run (the others are)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, beside a baseline.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(b.name for b in BENCHMARKS))
    parser.add_argument("--runs", type=int, default=5, help="pairs of runs; the median is told (5)")
    parser.add_argument("--hours", type=float, default=1.0, help="hours of readings in `day` (1)")
    parser.add_argument("--days", type=float, default=1.0, help="days in `recovery` and `verify` (1)")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where journals are made ({FOLDER})")
    asked = parser.parse_args()
    unknown = set(asked.names) - {b.name for b in BENCHMARKS}
    if unknown or asked.runs < 1:
        parser.error(f"unknown: {', '.join(sorted(unknown))}" if unknown else "at least one run")
    chosen = [b for b in BENCHMARKS if not asked.names or b.name in asked.names]
    asked.folder.mkdir(parents=True, exist_ok=True)
    tabular = asked.format == "table"
    if tabular:
        where = report.machine(asked.folder)
        print(f"median of {asked.runs}; " + ", ".join(f"{key} {value}" for key, value in where.items()))
    done: list[tuple[Benchmark, list[Result]]] = []
    failed = False
    sizes = Sizes(asked.hours, asked.days)
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=asked.folder) as folder:
        for benchmark in chosen:
            results = []
            if tabular:
                print(report.head(benchmark), flush=True)
            for case in benchmark.cases(sizes):

                def said(what: str, name: str = f"{benchmark.name}, {case.name}") -> None:
                    report.progress(f"{name}: {what}")

                try:
                    results.append(run(case, asked.runs, Path(folder), said))
                except CalledProcessError:
                    # What went wrong stands above, in the process's own words.
                    print(f"could not be run: {benchmark.name}, {case.name}", file=sys.stderr)
                    failed = True
                    continue
                report.progress("")
                if tabular:
                    print(report.table(results[-1]), flush=True)
            done.append((benchmark, results))
    if not tabular:
        print(report.as_json(done, asked.runs, asked.folder))
    return int(failed)


sys.exit(main())
