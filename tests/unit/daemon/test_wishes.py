"""Wishes from outside arrive, whichever thread the system gives the signal to."""

from __future__ import annotations

import subprocess
import sys

import pytest

from coldchain.daemon.wishes import Wishes

#: The main thread waits; another one gets the signal, so nothing interrupts the wait.
ELSEWHERE = """
import signal, threading, time
from coldchain.daemon.wishes import Wishes
wishes = Wishes()
signal.signal(signal.SIGTERM, lambda *_: wishes.stop())
signal.signal(signal.SIGHUP, lambda *_: wishes.reload())
def other():
    time.sleep(0.2)
    signal.pthread_kill(threading.get_ident(), signal.{name})
threading.Thread(target=other).start()
print(wishes.wait())
"""


@pytest.mark.parametrize(("name", "said"), [("SIGTERM", "False"), ("SIGHUP", "True")])
def test_a_signal_that_interrupts_no_wait_is_heard(name: str, said: str) -> None:
    """A wait without end would hang: no handler runs before this thread looks."""
    program = ELSEWHERE.format(name=name)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == said, done.stderr


def test_the_end_comes_first() -> None:
    """Reloads that were wished before are not made any more."""
    wishes = Wishes()
    wishes.reload()
    assert wishes.wait() is True
    wishes.reload()
    wishes.stop()
    assert wishes.wait() is False
    assert wishes.wait() is False
