"""What `/metrics` says of the daemon itself, asked when somebody looks."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from coldchain.clock import kernel_clock_error_s
from coldchain.daemon.health import SinkHealth
from coldchain.journal.database import wal_path
from coldchain.pipeline.intake import Queue
from coldchain.pipeline.writer import Writer
from coldchain.web.workings import Workings


def workings(writer: Writer, queue: Queue, journal: Path, sinks: Mapping[str, SinkHealth]) -> Workings:
    """How writer, queue and disk are doing now. What cannot be asked is None."""
    size = log = None
    with contextlib.suppress(OSError):
        log = _size(wal_path(journal))
        size = journal.stat().st_size + log
    free = total = None
    with contextlib.suppress(OSError):
        total, _, free = shutil.disk_usage(journal.parent)
    return Workings(
        position=writer.fold.position,
        waiting=queue.waiting,
        capacity=queue.capacity,
        commits=writer.commits.count,
        commit_s=writer.commits.sum_s,
        longest_commit_s=writer.commits.longest_s,
        journal_bytes=size,
        journal_wal_bytes=log,
        disk_free_bytes=free,
        disk_bytes=total,
        clock_error_s=kernel_clock_error_s(),
        sink_oldest_s={name: (one.oldest_ms or 0) / 1000 for name, one in sinks.items()},
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
