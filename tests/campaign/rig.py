"""The real `coldchain` command on a disk and beside clocks that obey files in a folder: for tests only.

    python -m tests.campaign.rig FOLDER run --config …

FOLDER/disk: `full`, `read-only` or `failing`, and a number n: each n-th request is refused.
FOLDER/disk: `slow`: each n-th request takes its time.
FOLDER/intake: how many facts of devices may wait (read at the start).
FOLDER/clocks: by how many ms the wall clock is wrong, and by how many the boot clock has leapt.
"""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import apsw

from coldchain import clock
from coldchain.cli.main import main
from coldchain.daemon import daemon
from tests.unit.journal.disk import Disk, Operation, watched

#: What each failure is called by SQLite, and which requests it refuses.
FAILURES = {
    "full": (apsw.FullError, {"write"}),
    "read-only": (apsw.ReadOnlyError, {"write", "truncate", "delete"}),
    "failing": (apsw.IOError, {"write", "truncate", "sync", "delete"}),
}
#: How long a disk that is slow takes for a request: as long as a worn card may (s).
_SLOW_S = 0.05


def tell(folder: Path, name: str, words: str) -> None:
    """Give an order, which is there whole or not at all."""
    new = folder / f"{name}.new"
    new.write_text(words, encoding="ascii")
    new.replace(folder / name)


class Obeying(Disk):
    """A disk that refuses what the order says."""

    def __init__(self, order: Path) -> None:
        super().__init__()
        self._order, self._count = order, 0

    def asked(self, operation: Operation) -> None:
        try:
            kind, every = self._order.read_text(encoding="ascii").split()
        except FileNotFoundError:
            return
        if kind == "slow":
            self._count += 1
            if self._count % int(every) == 0:
                time.sleep(_SLOW_S)
            return
        failure, refused = FAILURES[kind]
        if operation.kind in refused:
            self._count += 1
            if self._count % int(every) == 0:
                raise failure(f"{kind}, for a test")


class _Clocks:
    """The machine's clocks, and by how much they are off."""

    def __init__(self, order: Path) -> None:
        self._order = order
        self._boottime_ns = clock._boottime_ns

    def _off_ms(self) -> tuple[int, int]:
        try:
            wall_ms, leapt_ms = self._order.read_text(encoding="ascii").split()
        except FileNotFoundError:
            return 0, 0
        return int(wall_ms), int(leapt_ms)

    def wall_ns(self) -> int:
        """What the wall clock says."""
        return time.time_ns() + self._off_ms()[0] * 1_000_000

    def boottime_ns(self) -> int:
        """What the boot clock says."""
        return self._boottime_ns() + self._off_ms()[1] * 1_000_000


def rig(folder: Path) -> None:
    """Put both clocks and the room of the intake under the folder's command."""
    with contextlib.suppress(FileNotFoundError):
        daemon.INTAKE_FACTS = int((folder / "intake").read_text(encoding="ascii"))
    clocks = _Clocks(folder / "clocks")
    clock.time = SimpleNamespace(**vars(time) | {"time_ns": clocks.wall_ns})  # type: ignore[attr-defined]
    clock._boottime_ns = clocks.boottime_ns


if __name__ == "__main__":
    rig(Path(sys.argv[1]))
    with watched(Obeying(Path(sys.argv[1], "disk"))):
        main(sys.argv[2:], prog_name="coldchain")
