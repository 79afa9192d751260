"""Whether a process holds more and more: memory, threads, open files.

    growth = Growth()
    growth.look(pid, said)   # again and again; `said`: how many messages it was given so far
    growth.found()           # what of it only ever grew, a line each

The fold remembers readings, so memory may grow with them; by how much at most is `PER_MESSAGE`. A process
that was looked at only a few times is not judged: what it holds is still being gathered.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

#: Fewer looks than this say nothing.
LOOKS_MIN = 12
#: What a message may add, and what memory may move by for other reasons (bytes).
PER_MESSAGE, MEMORY_SLACK = 4_096, 6 << 20
#: By how many threads and files a later look may find more: a try to reach somebody holds a few, for a while.
FEW = 4


class Held(Struct, frozen=True):
    """What a process holds at a moment."""

    memory: int
    threads: int
    files: int


def held(pid: int) -> Held:
    """What this process holds now (resident memory in bytes)."""
    process = Path("/proc", str(pid))
    words = dict(line.split(":", 1) for line in (process / "status").read_text(encoding="utf-8").splitlines())
    files = len(list((process / "fd").iterdir()))
    return Held(int(words["VmRSS"].split()[0]) * 1024, int(words["Threads"]), files)


class Growth:
    """Looks at one process after the other, from the outside."""

    def __init__(self) -> None:
        #: What something that happened may leave behind for good, the first time that it happens (bytes).
        self.once = 0
        self._looks: dict[int, list[tuple[int, Held]]] = {}

    def look(self, pid: int, said: int) -> None:
        """Note what it holds."""
        self._looks.setdefault(pid, []).append((said, held(pid)))

    @property
    def judged(self) -> bool:
        """Whether a process was looked at often enough to tell."""
        return any(len(looks) >= LOOKS_MIN for looks in self._looks.values())

    def found(self) -> list[str]:
        """What grew: the least of the last quarter of looks is beyond the most of the second."""
        return [
            line
            for looks in self._looks.values()
            if len(looks) >= LOOKS_MIN
            for line in _grown(looks, self.once)
        ]


def _grown(looks: list[tuple[int, Held]], once: int) -> list[str]:
    quarter = len(looks) // 4
    early, late = looks[quarter : 2 * quarter], looks[-quarter:]
    said = late[0][0] - early[-1][0]
    allowed = {"memory": MEMORY_SLACK + PER_MESSAGE * said + once, "threads": FEW, "files": FEW}
    most = {name: max(getattr(one, name) for _, one in early) for name in allowed}
    least = {name: min(getattr(one, name) for _, one in late) for name in allowed}
    return [
        f"{name} grew from {most[name]:,} to {least[name]:,} while {said:,} messages came"
        for name in allowed
        if least[name] > most[name] + allowed[name]
    ]
