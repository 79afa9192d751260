"""The real daemon, made to kill itself with SIGKILL at a chosen point: for tests only.

    python -m tests.integration.killable POINT COUNT CONFIG [FAULT]

POINT is where, COUNT how many times that point is passed before. FAULT removes a guard, so that a test
can show that it would notice.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coldchain.clock import SystemClock
from coldchain.config.load import load
from coldchain.daemon import daemon as rooms
from coldchain.journal import Deliveries
from coldchain.journal.journal import Journal
from coldchain.pipeline import intake

POINTS = ("never", "in_commit", "before_ack", "in_checkpoint", "in_delivery")
FAULTS = ("none", "ack_first")


class _Fuse:
    """Dies at the n-th call."""

    def __init__(self, count: int) -> None:
        self.left = count

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _arm(point: str, fuse: _Fuse) -> None:
    def after(owner: Any, name: str, *, before: bool = False) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def wrapped(*words: Any, **more: Any) -> Any:
            if before:
                fuse()
            result = original(*words, **more)
            if not before:
                fuse()
            return result

        setattr(owner, name, wrapped)

    match point:
        case "in_commit":
            after(Journal, "_beside")  # the last statement inside the transaction
        case "before_ack":
            after(Journal, "commit")
        case "in_checkpoint":
            rooms.CHECKPOINT_S = 1
            after(Journal, "_save_state")  # written, not yet committed
        case "in_delivery":
            after(Deliveries, "done", before=True)  # the receiver has it, the receipt is not kept yet


def _break(fault: str) -> None:
    if fault == "ack_first":
        offer = intake.Queue.offer

        def ack_first(
            self: intake.Queue, facts: Any, settled: Callable[[intake.Folded], None] | None = None
        ) -> bool:
            if settled is not None:
                settled(intake.Folded(0, ()))
            return offer(self, facts)

        intake.Queue.offer = ack_first  # type: ignore[method-assign]


def main(point: str, count: str, config: str, fault: str = "none") -> None:
    """Run until killed by ourselves or told to stop."""
    _arm(point, _Fuse(int(count)))
    _break(fault)
    daemon = rooms.Daemon(load(Path(config)), SystemClock(trusted=True))
    signal.signal(signal.SIGTERM, lambda *_: daemon.ask_to_stop())
    daemon.start()
    print("ready", flush=True)
    daemon.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
