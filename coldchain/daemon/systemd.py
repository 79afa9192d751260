"""The few words systemd wants to hear (sd_notify(3)): a datagram to the socket it names, nothing else."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class Notifier:
    """Speaks to systemd if it listens; says nothing otherwise.

    `watchdog_s`: how often it wants to hear that we live, None if it does not.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        self._address = environment.get("NOTIFY_SOCKET", "")
        usec = environment.get("WATCHDOG_USEC", "")
        mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_s = int(usec) / 1e6 if usec.isdigit() and mine else None

    def ready(self, status: str) -> None:
        """The start is done: we accept readings."""
        self._say("READY=1", f"STATUS={status}")

    def starting(self, status: str, patience_s: int) -> None:
        """The start goes on: wait so much longer for `ready`, or for this word again."""
        self._say(f"EXTEND_TIMEOUT_USEC={patience_s * 1_000_000}", f"STATUS={status}")

    def reloading(self, monotonic_us: int) -> None:
        """A reload begins; `ready` ends it. The time is CLOCK_MONOTONIC, as Type=notify-reload wants."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={monotonic_us}")

    def stopping(self) -> None:
        """We are going down because we were asked to."""
        self._say("STOPPING=1")

    def alive(self) -> None:
        """The way from intake to commit is open."""
        self._say("WATCHDOG=1")

    def status(self, status: str) -> None:
        """A line for `systemctl status`."""
        self._say(f"STATUS={status}")

    def _say(self, *words: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        # If nobody listens, monitoring goes on all the same.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)  # the writer says "alive": a full queue at the other end must not hold it
            line.sendto("\n".join(words).encode(), address)
