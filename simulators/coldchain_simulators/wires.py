"""The device's end of a serial line: a pseudo-terminal, or a TCP port as a converter has it.

A pseudo-terminal has a stable name by a symbolic link, as /dev/serial/by-id has; unplugging closes
it and removes the link, plugging in again puts another terminal behind the same name. It knows no
baud rate, parity or 7-bit frames: faults of framing have to be simulated as bytes.
"""

from __future__ import annotations

import os
import pty
import select
import socket
import threading
import tty
from pathlib import Path
from typing import Protocol

_READ_BYTES = 4096
_PATIENCE_S = 1.0


class Wire(Protocol):
    """What a simulated device needs of its line."""

    @property
    def port(self) -> str:
        """What a client opens, as it stands in a configuration."""
        ...

    def read(self, timeout_s: float) -> bytes:
        """What came in, at the latest after the time-out; b"" if nothing did."""
        ...

    def write(self, data: bytes) -> None:
        """Send; what nobody takes is lost, as on a real line."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class PtyWire:
    """A pseudo-terminal behind a stable name."""

    def __init__(self, link: Path) -> None:
        """Plugged in at once; `link` must not be anybody else's file."""
        self._link = link
        self._lock = threading.Lock()
        self._back = threading.Event()
        self._ends: tuple[int, int] | None = None
        self.replug()

    @property
    def port(self) -> str:
        """The stable name."""
        return str(self._link)

    def replug(self) -> None:
        """Plug in again: another terminal behind the same name."""
        self.unplug()
        master, slave = pty.openpty()
        # Raw, or the terminal would echo to us what we send before a client opens it. The slave stays open
        # here, or reading the master fails while no client has it open.
        tty.setraw(slave)
        os.set_blocking(master, False)
        fresh = self._link.with_name(self._link.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(slave))
        with self._lock:
            self._ends = (master, slave)
            fresh.replace(self._link)
        self._back.set()

    def unplug(self) -> None:
        """Pull the plug: clients see the device vanish."""
        with self._lock:
            ends, self._ends = self._ends, None
            self._back.clear()
            self._link.unlink(missing_ok=True)
            for end in ends or ():
                os.close(end)

    def close(self) -> None:
        """Unplug for good."""
        self.unplug()

    def read(self, timeout_s: float) -> bytes:
        """What the client sent; b"" after the time-out or while unplugged."""
        ends = self._ends
        if ends is None:
            self._back.wait(timeout_s)
            return b""
        try:
            ready, _, _ = select.select([ends[0]], [], [], timeout_s)
        except (OSError, ValueError):  # unplugged under us
            return b""
        with self._lock:
            if not ready or ends is not self._ends:  # a closed number may by now be another file's
                return b""
            try:
                return os.read(ends[0], _READ_BYTES)
            except OSError:
                return b""

    def write(self, data: bytes) -> None:
        """Send to the client; what does not fit into a full buffer is lost."""
        with self._lock:
            if self._ends is None:
                return
            try:
                os.write(self._ends[0], data)
            except OSError:
                return


class TcpWire:
    """A TCP port that hands bytes on, one client at a time, as a serial-to-Ethernet converter does."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listens at once; port 0 takes a free one."""
        self._listener = socket.create_server((host, port))
        self._client: socket.socket | None = None

    @property
    def port(self) -> str:
        """The address in the form that a serial port is configured by."""
        host, port = self._listener.getsockname()[:2]
        return f"socket://{host}:{port}"

    def read(self, timeout_s: float) -> bytes:
        """What the client sent; a new client takes the place of the old one."""
        waiting = [self._listener] if self._client is None else [self._listener, self._client]
        try:
            ready, _, _ = select.select(waiting, [], [], timeout_s)
        except (OSError, ValueError):  # closed under us
            return b""
        if self._listener in ready:
            self._drop()
            self._client = self._listener.accept()[0]
            self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._client.settimeout(_PATIENCE_S)  # a client that takes nothing must not stop the device
            return b""
        if not ready or self._client is None:
            return b""
        try:
            data = self._client.recv(_READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self._drop()
        return data

    def write(self, data: bytes) -> None:
        """Send to the client if there is one."""
        client = self._client
        if client is None:
            return
        try:
            client.sendall(data)
        except OSError:
            self._drop()

    def close(self) -> None:
        """Close client and port."""
        self._drop()
        self._listener.close()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()
