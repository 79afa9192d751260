"""The wire under a port: a serial device by pyserial, or a TCP converter. Reads never block.

Whatever goes wrong with a wire is a `LineLost` with what the system said. pyserial lets through
`termios.error`, which is no OSError, and ValueError for a baud rate that the driver of the
adapter does not know.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import termios
from typing import Protocol, Self
from urllib.parse import urlsplit

import serial

from coldchain.ports.bell import Bell

_READ_BYTES = 65_536
#: A request is a few bytes: a line that does not take them within a second is stuck.
_WRITE_S = 1.0
_CONNECT_S = 5.0
# A converter that lost its power says nothing: the kernel asks it after 10 s of silence, three times.
_KEEP_ALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)


class LineLost(Exception):
    """The wire cannot be opened or is gone; the message is what the system said."""


class Wire(Protocol):
    """An open line."""

    detail: str

    def fileno(self) -> int:
        """For `select`."""
        ...

    def read(self) -> bytes:
        """What has come, at once; b"" if nothing has. Raises LineLost."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of it. Raises LineLost."""
        ...

    def close(self) -> None:
        """Give it back; never raises."""
        ...


class DeviceWire:
    """A serial device, held for ourselves alone."""

    def __init__(self, port: str, baud: int, frame: str) -> None:
        """Open it. `frame` as "8N1"."""
        self._port = port
        try:
            # Everything in the constructor: on a pseudo-terminal with parity a later setting fails (EINVAL).
            # DTR and RTS go up with the opening and are not touched again: toggling them resets some loggers.
            self._serial = serial.Serial(
                port,
                baudrate=baud,
                bytesize=int(frame[0]),
                parity=frame[1],
                stopbits=float(frame[2:]),
                timeout=0,
                write_timeout=_WRITE_S,
                exclusive=True,
            )
        except (OSError, termios.error, ValueError) as error:
            raise LineLost(_said(port, error)) from error
        real = os.path.realpath(port)
        self.detail = f"{port} ({real}) {baud} {frame}" if real != port else f"{port} {baud} {frame}"

    def fileno(self) -> int:
        try:
            return int(self._serial.fileno())
        except (OSError, termios.error) as error:
            raise LineLost(_said(self._port, error)) from error

    def read(self) -> bytes:
        try:
            return bytes(self._serial.read(_READ_BYTES))
        except (OSError, termios.error) as error:
            raise LineLost(_said(self._port, error)) from error

    def write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except (OSError, termios.error) as error:
            raise LineLost(_said(self._port, error)) from error

    def close(self) -> None:
        # What nobody has taken is given up first: the kernel would wait for it, 30 s by default.
        with contextlib.suppress(OSError, termios.error):
            self._serial.reset_output_buffer()
        with contextlib.suppress(OSError, termios.error):
            self._serial.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class TcpWire:
    """A converter that hands a serial line on over TCP.

    A socket of our own, not pyserial's: that one has no keep-alive, so a converter that was switched
    off looks like a silent device for ever; it blocks while connecting and sleeps while closing.
    """

    def __init__(self, port: str, bell: Bell) -> None:
        """Connect; LineLost too if the bell rings meanwhile."""
        self._port = port
        parts = urlsplit(port)
        try:
            number = parts.port
        except ValueError:
            number = None
        if parts.scheme != "socket" or not parts.hostname or number is None:
            raise LineLost(f'"{port}" is neither a device file nor socket://HOST:PORT')
        self.detail = port
        try:
            self._socket = _connect(parts.hostname, number, bell)
        except OSError as error:
            raise LineLost(_said(port, error)) from error

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> bytes:
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LineLost(_said(self._port, error)) from error
        if not data:
            raise LineLost(f"{self._port}: the other end has closed the connection")
        return data

    def write(self, data: bytes) -> None:
        try:
            while data:
                _, ready, _ = select.select([], [self._socket], [], _WRITE_S)
                if not ready:
                    raise LineLost(f"{self._port} takes nothing")
                data = data[self._socket.send(data) :]
        except OSError as error:
            raise LineLost(_said(self._port, error)) from error

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_wire(port: str, baud: int | None, frame: str | None, bell: Bell) -> DeviceWire | TcpWire:
    """Open a device file or socket://HOST:PORT. Raises LineLost."""
    if "://" in port:
        return TcpWire(port, bell)
    if baud is None or frame is None:
        raise LineLost(f"{port}: neither its driver nor the configuration says its baud rate and frame")
    return DeviceWire(port, baud, frame)


def _connect(host: str, port: int, bell: Bell) -> socket.socket:
    """A connected socket that does not block."""
    last: OSError = OSError(f"{host} has no address")
    for family, kind, number, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        made = socket.socket(family, kind, number)
        try:
            made.setblocking(False)
            for level, option, value in _KEEP_ALIVE:
                made.setsockopt(level, option, value)
            made.connect_ex(address)
            woken, ready, _ = select.select([bell], [made], [], _CONNECT_S)
            if woken:
                raise LineLost(f"{host}:{port}: given up while connecting")
            if not ready:
                raise TimeoutError(f"no answer from {host}:{port} in {_CONNECT_S:g} s")
            failed = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failed:
                raise OSError(failed, os.strerror(failed))
        except OSError as error:
            made.close()
            last = error
        except LineLost:
            made.close()
            raise
        else:
            return made
    raise last


def _said(port: str, error: Exception) -> str:
    """What the system said, with the port if it did not name it."""
    said = str(error) or type(error).__name__
    return said if port in said else f"{port}: {said}"
