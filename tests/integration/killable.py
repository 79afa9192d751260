"""The real daemon, made to kill itself with SIGKILL at a chosen point: for tests only.

    python -m tests.integration.killable POINT COUNT CONFIG [FAULT]

POINT is where, COUNT how many times that point is passed before. FAULT removes a guard, so that a test
can show that it would notice.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from coldchain.clock import SystemClock
from coldchain.config.load import load
from coldchain.daemon import daemon as rooms
from coldchain.journal import Deliveries
from coldchain.journal.journal import Journal
from coldchain.pipeline import intake

POINTS = ("never", "in_commit", "before_ack", "in_checkpoint", "in_delivery")
FAULTS = ("none", "ack_first")


#: How long a fault may take to show itself before the process dies all the same (s).
_FAULT_S = 10.0


class _Fuse:
    """Dies at the n-th call, once the fault that was put in has done its harm."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.harmed: Callable[[], bool] = lambda: True

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            end_s = time.monotonic() + _FAULT_S
            while not self.harmed() and time.monotonic() < end_s:
                time.sleep(0.005)
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


def _break(fault: str, fuse: _Fuse) -> None:
    if fault != "ack_first":
        return
    # On a busy machine the process would be dead before the port has sent what it was told to: then nothing
    # was acknowledged, and nothing could be lost.
    offer, ack = intake.Queue.offer, paho.Client.ack
    promised = sent = 0

    def ack_first(
        self: intake.Queue, facts: Any, settled: Callable[[intake.Folded], None] | None = None
    ) -> bool:
        nonlocal promised
        if settled is not None:
            promised += 1
            settled(intake.Folded(0, ()))
        return offer(self, facts)

    def acknowledged(self: paho.Client, mid: int, qos: int) -> Any:
        nonlocal sent
        done = ack(self, mid, qos)  # written before it returns
        sent += 1
        return done

    intake.Queue.offer = ack_first  # type: ignore[method-assign]
    paho.Client.ack = acknowledged  # type: ignore[method-assign]
    fuse.harmed = lambda: 0 < promised <= sent


def main(point: str, count: str, config: str, fault: str = "none") -> None:
    """Run until killed by ourselves or told to stop."""
    fuse = _Fuse(int(count))
    _arm(point, fuse)
    _break(fault, fuse)
    daemon = rooms.Daemon(load(Path(config)), SystemClock(trusted=True))
    faulthandler.register(signal.SIGUSR1)  # where each thread is, for a test that waits in vain
    signal.signal(signal.SIGTERM, lambda *_: daemon.ask_to_stop())
    daemon.start()
    print("ready", flush=True)
    daemon.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
