"""What this process takes of what its machine gives it: memory and open files.

Read from `/proc` (Linux). What cannot be asked is None, and is watched by nobody.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

from msgspec import Struct

_PROCESS = Path("/proc/self")
_GROUPS = Path("/sys/fs/cgroup")


class Taken(Struct, frozen=True):
    """How much is in use, and how much there is at most."""

    used: int
    at_most: int


def memory() -> Taken | None:
    """Resident memory in bytes, of the machine's, or of what its control group may have if that is less.

    Beyond it Linux ends a process without asking it.
    """
    try:
        pages = int((_PROCESS / "statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Taken(pages * os.sysconf("SC_PAGE_SIZE"), min([whole, *_allowed()]))


def files() -> Taken | None:
    """Open files and sockets, of as many as the process may have.

    Beyond it neither a port nor the journal can be opened.
    """
    try:
        used = len(list((_PROCESS / "fd").iterdir()))
    except OSError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else Taken(used, soft)


def _allowed() -> list[int]:
    """What each control group (version 2) that the process lies in may have, in bytes; those that say so."""
    try:
        lines = (_PROCESS / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found: list[int] = []
    for line in lines:
        if not line.startswith("0::/"):
            continue
        group = _GROUPS / line.removeprefix("0::/")
        while group.is_relative_to(_GROUPS):
            for name in ("memory.max", "memory.high"):
                try:
                    found.append(int((group / name).read_text(encoding="ascii")))
                except (OSError, ValueError):
                    continue  # no such file, or "max"
            group = group.parent
    return found
