"""A bell that wakes a thread out of `select`, rung from any other thread."""

from __future__ import annotations

import contextlib
import socket


class Bell:
    """Ring as often as one likes: it costs one byte until it is heard.

    Sockets and no pipe: ringing a closed one fails, where a closed pipe's number may by then
    belong to somebody else's file.
    """

    def __init__(self) -> None:
        self._ear, self._clapper = socket.socketpair()
        self._ear.setblocking(False)
        self._clapper.setblocking(False)
        self._rung = False

    def fileno(self) -> int:
        """For `select`: readable once it was rung."""
        return self._ear.fileno()

    def ring(self) -> None:
        """Wake the thread. Never blocks; after `close` it does nothing."""
        if self._rung:
            return
        self._rung = True
        try:
            self._clapper.send(b"!")
        except OSError:
            return

    def hear(self) -> None:
        """Be woken by the next ring again; look for work after this, not before."""
        with contextlib.suppress(OSError):
            self._ear.recv(4096)
        # Last: who rang since the bytes were taken has done so before we look for work.
        self._rung = False

    def close(self) -> None:
        """Never be rung again."""
        self._ear.close()
        self._clapper.close()
