"""What one process used: its own time, its peak of memory, and what it handed to the disk."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Self

Figures = dict[str, float]


class Usage:
    """CPU and wall time, and bytes written, between entering and leaving."""

    def __init__(self) -> None:
        self.cpu_s = self.wall_s = 0.0
        #: Handed to the system by write calls, and dirtied on the way to the disk (Linux, /proc/self/io).
        self.handed_bytes = self.disk_bytes = 0

    def __enter__(self) -> Self:
        self._io = _io()
        self._wall = time.perf_counter()
        self._cpu = time.process_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cpu_s = time.process_time() - self._cpu
        self.wall_s = time.perf_counter() - self._wall
        handed, disk = _io()
        self.handed_bytes, self.disk_bytes = handed - self._io[0], disk - self._io[1]


def peak_bytes() -> int:
    """The most memory this process ever had in use; unlike getrusage not its parent's before it began."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _io() -> tuple[int, int]:
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:  # not told in every container
        return 0, 0
    told = {name: int(number) for name, number in (line.split(": ") for line in lines)}
    return told["wchar"], told["write_bytes"]


def quantile(sorted_values: list[float], part: float) -> float:
    """The value at or below which `part` of the sorted values lie (nearest rank)."""
    rank = max(1, -(-len(sorted_values) * round(part * 1000) // 1000))
    return sorted_values[rank - 1]
