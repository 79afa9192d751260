"""What it costs until a command can begin: a fresh interpreter that imports one module."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.bare import Options
from benchmarks.measure import Figures

#: Printed by the fresh interpreter about itself: CPU seconds, peak memory in KiB, modules loaded.
_REPORT = (
    "import sys as s, time as t; n = len(s.modules)\n"
    "with open('/proc/self/status') as f: m = [l.split()[1] for l in f if l.startswith('VmHWM')][0]\n"
    "print(t.process_time(), m, n)"
)


def nothing(_options: Options) -> Figures:
    """A bare interpreter."""
    return _run("pass")


def importing(options: Options) -> Figures:
    """An interpreter that imports the module."""
    return _run(f"import {options['module']}")


def _run(statement: str) -> Figures:
    _once(statement)  # compiled files and pages come into the cache
    return _once(statement)


def _once(statement: str) -> Figures:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\n{_REPORT}"], check=True, capture_output=True, text=True
    )
    wall_s = time.perf_counter() - began
    cpu_s, peak_kib, modules = done.stdout.split()
    return {
        "wall_ms": wall_s * 1e3,
        "cpu_ms": float(cpu_s) * 1e3,
        "peak_bytes": int(peak_kib) * 1024,
        "modules": int(modules),
    }
