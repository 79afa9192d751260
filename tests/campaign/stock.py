"""What this process holds at one moment, counted exactly where that can be, and what of it grows."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import apsw
from msgspec import Struct


class Stock(Struct, frozen=True):
    """What this process holds, or may hold more.

    objects: blocks that Python's own allocator has given out: each small object is one or more. sqlite_bytes:
    what SQLite has given out. resident_bytes: all that the system has given, which swings by what allocators
    keep for later.
    """

    threads: int
    files: int
    objects: int
    sqlite_bytes: int
    resident_bytes: int


def taken() -> Stock:
    """What it holds now."""
    gc.collect()
    return Stock(
        threading.active_count(),
        len(list(Path("/proc/self/fd").iterdir())),
        sys.getallocatedblocks(),
        apsw.memory_used(),
        int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096,
    )


def grown(stocks: Sequence[Stock], allowed: Stock) -> list[str]:
    """What the later half holds more than the earlier one, each at its most, than is allowed; in words.

    What comes and goes in turns (readings wait to be removed) has its highest in either half.
    """
    middle = len(stocks) // 2
    found = []
    for name in Stock.__struct_fields__:
        before, after = (
            max(getattr(each, name) for each in half) for half in (stocks[:middle], stocks[middle:])
        )
        most = getattr(allowed, name)
        if after - before > most:
            found.append(f"{name} grew from {before:,} to {after:,}, {most:,} more are allowed")
    return found
