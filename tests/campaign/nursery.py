"""Processes that cost little: forked from one that has imported everything, a hundredth of a second each.

    with Nursery(folder / "nursery.log") as nursery:
        child = nursery.bear("daemon", "before_ack", "3", config)   # a life of tests/campaign/killable.py
        child.wait(30)                                              # its exit status; negative: the signal

As `python -m tests.campaign.nursery` it is that one process: it has no threads, so a fork of it is whole.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Forked:
    """One life."""

    nursery: Nursery
    pid: int

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self, deadline_s: float) -> int:
        """Its exit status, negative if a signal ended it; AssertionError if it lives longer than that."""
        status = self.nursery.ask("wait", str(self.pid), str(deadline_s))
        assert isinstance(status, int), f"still alive after {deadline_s:g} s"
        return status

    def running(self) -> bool:
        """Whether it still lives."""
        return self.nursery.ask("wait", str(self.pid), "0") is None


class Nursery:
    """The process that has imported everything; what its children say goes to `log`."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def bear(self, *words: object) -> Forked:
        """Begin a life of `killable.LIVES`, by name and words."""
        pid = self.ask("bear", *map(str, words))
        assert isinstance(pid, int)
        return Forked(self, pid)

    def said(self) -> str:
        """The last that it and its children wrote to their log."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-2000:]

    def ask(self, *words: str) -> int | None:
        """One order, one answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the nursery ended: {self.said()}"
        told = json.loads(answer)
        assert told is None or isinstance(told, int)
        return told

    def __enter__(self) -> Self:
        with self._log.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.campaign.nursery"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # the end of its input is its end, and that of every child
        assert self._process.returncode == 0


def _bear(words: Sequence[str]) -> int:
    from tests.campaign import killable

    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(2, 1)
        killable.LIVES[words[0]](*words[1:])
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - a child says everything, and never returns into its parent
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _wait(pid: int, deadline_s: float) -> int | None:
    end_s = time.monotonic() + deadline_s
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= end_s:
            return None
        time.sleep(0.002)


def main() -> None:
    """Serve orders until there are no more; then end every child that still lives."""
    from tests.campaign import killable

    killable.prepare()
    born: set[int] = set()
    ended: dict[int, int] = {}
    for line in sys.stdin:
        order, *words = json.loads(line)
        answer: int | None
        if order == "bear":
            answer = _bear(words)
            born.add(answer)
            ended.pop(answer, None)  # another one had this process id
        else:
            pid = int(words[0])
            answer = ended[pid] if pid in ended else _wait(pid, float(words[1]))
            if answer is not None:
                ended[pid] = answer
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in born - ended.keys():
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
