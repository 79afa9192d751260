"""Where the `coldchain` program begins, before anything is imported that takes time."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run the command that was typed.

    SIGHUP ends a process that has said nothing else, and a small computer imports for seconds. Until the
    daemon listens there is nothing to reload: its configuration is still to be read.
    """
    if sys.argv[1:2] == ["run"]:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from coldchain.cli.main import main as command

    command()
