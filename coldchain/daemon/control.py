"""The control socket: commands on this machine ask the running daemon, and the kernel says who asks.

One request a connection, one JSON line each way. Who is on the other end is told by the kernel
(SO_PEERCRED), never by the request.
"""

from __future__ import annotations

import os
import pwd
import socket
import socketserver
import struct
import threading
from pathlib import Path

import msgspec
from msgspec import Struct
from typing_extensions import override

from coldchain.web.station import Action, Actor, Outcome, Role, Station
from coldchain.web.views import StateView

_REQUEST_BYTES_MAX = 1 << 20
_ANSWER_S = 15.0


class Ask(Struct, frozen=True, forbid_unknown_fields=True):
    """What a command wants: something done, or (None) the current state."""

    action: Action | None = None


class Answer(Struct, frozen=True, omit_defaults=True):
    """What it gets."""

    outcome: Outcome | None = None
    state: StateView | None = None
    error: str = ""


class NotRunning(Exception):
    """No daemon answers on the socket."""


def socket_path(journal: Path) -> Path:
    """Where the daemon of a journal listens."""
    return journal.with_name(journal.name + ".sock")


def ask(path: Path, request: Ask) -> Answer:
    """Ask the daemon; raises NotRunning if there is none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(_ANSWER_S)
        try:
            line.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NotRunning(f"no daemon listens on {path}") from error
        line.sendall(msgspec.json.encode(request) + b"\n")
        line.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: line.recv(1 << 16), b""))
    return msgspec.json.decode(received, type=Answer)


class Control:
    """Listens on the socket until stopped."""

    def __init__(self, path: Path, station: Station) -> None:
        self.path = path
        path.unlink(missing_ok=True)  # the journal's lock is ours: whoever listened here is gone

        class Handler(socketserver.StreamRequestHandler):
            @override
            def handle(self) -> None:
                self.wfile.write(
                    msgspec.json.encode(
                        _answer(station, self.rfile.readline(_REQUEST_BYTES_MAX), self.connection)
                    )
                )

        self._server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        self._server.daemon_threads = True
        path.chmod(0o660)
        self._thread = threading.Thread(target=self._server.serve_forever, name="control", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer nobody any more and take the socket away."""
        self._server.shutdown()
        self._server.server_close()
        self.path.unlink(missing_ok=True)


def user_name(uid: int) -> str:
    """The login name of a uid, or the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def local_actor(uid: int | None = None) -> Actor:
    """The actor behind a command on this machine."""
    uid = os.getuid() if uid is None else uid
    return Actor(f"{user_name(uid)} (uid {uid})", Role.ADMIN, address="local")


def _answer(station: Station, line: bytes, connection: socket.socket) -> Answer:
    try:
        request = msgspec.json.decode(line, type=Ask)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Answer(error=str(error))
    if request.action is None:
        return Answer(state=station.state())
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return Answer(outcome=station.act(request.action, local_actor(uid)))
