"""The control socket: commands on this machine ask the running daemon, and the kernel says who asks.

One request a connection, one JSON line each way. Who is on the other end is told by the kernel
(SO_PEERCRED), never by the request.
"""

from __future__ import annotations

import logging
import os
import pwd
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct
from typing_extensions import override

from coldchain.daemon.logs import Imported, Log, LoggerView
from coldchain.traffic import FramesView
from coldchain.web.station import Action, Actor, Outcome, Role, Station
from coldchain.web.views import Pulse, StateView

_log = logging.getLogger(__name__)

#: A logger's file of the largest size with its readings; anything else is far smaller.
_REQUEST_BYTES_MAX = 40 << 20
#: An action may wait for the disk; whoever asks waits a little longer than the daemon does.
_ANSWER_S = 15.0
#: A request is one line of a program of ours: it comes at once or not at all.
_REQUEST_S = 5.0


class Ask(Struct, frozen=True, forbid_unknown_fields=True):
    """What a command wants: an action, a log taken in, a logger or a port looked up, or else the state."""

    action: Action | None = None
    log: Log | None = None
    logger: str = ""
    frames: str = ""


class Answer(Struct, frozen=True, omit_defaults=True):
    """What it gets."""

    outcome: Outcome | None = None
    state: StateView | None = None
    pulse: Pulse | None = None
    error: str = ""
    imported: Imported | None = None
    logger: LoggerView | None = None
    frames: FramesView | None = None


# Made once, here: msgspec (0.22) prepares a type at its first use, and two threads that do so at the same
# time end the process by a segmentation fault.
_ASK, _ANSWER = msgspec.json.Decoder(Ask), msgspec.json.Decoder(Answer)


class Commanded(Station, Protocol):
    """What commands may ask beyond what the page may."""

    def logger(self, device: str) -> LoggerView | None:
        """What is known of a logger whose files were imported."""
        ...

    def frames(self, port: str) -> FramesView:
        """What passed over a serial port around its faults."""
        ...

    def take_log(self, log: Log, actor: Actor) -> Imported:
        """Take a logger's file in, and wait until it is on disk or refused."""
        ...


class NotRunning(Exception):
    """No daemon answers on the socket."""


class ControlError(Exception):
    """A daemon is there and does not answer us; says why and what to do."""


def socket_path(journal: Path) -> Path:
    """Where the daemon of a journal listens."""
    return journal.with_name(journal.name + ".sock")


def ask(path: Path, request: Ask, answer_s: float = _ANSWER_S) -> Answer:
    """Ask the daemon, and wait so long for the answer.

    Raises NotRunning if there is none, ControlError if it does not answer us.
    """
    try:
        with _address(path) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(answer_s)
            line.connect(address)
            line.sendall(msgspec.json.encode(request) + b"\n")
            line.shutdown(socket.SHUT_WR)
            received = b"".join(iter(lambda: line.recv(1 << 16), b""))
        return _ANSWER.decode(received)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NotRunning(f"no daemon listens on {path}") from error
    except PermissionError as error:
        raise ControlError(
            f"{user_name(os.geteuid())} may not speak with the daemon on {path}; "
            "run the command as root, as the daemon's own user or as a member of its group"
        ) from error
    except TimeoutError as error:
        raise ControlError(f"the daemon on {path} does not answer; look at its log") from error
    except (OSError, msgspec.MsgspecError) as error:
        raise ControlError(f"the daemon on {path} broke off: {error}; try again") from error


class Control:
    """Listens on the socket until stopped."""

    def __init__(self, path: Path, station: Commanded) -> None:
        """The journal's lock must be ours: whoever listened here before is gone."""
        self.path = path
        path.unlink(missing_ok=True)

        class Handler(socketserver.StreamRequestHandler):
            timeout = _REQUEST_S

            @override
            def handle(self) -> None:
                request = self.rfile.readline(_REQUEST_BYTES_MAX)
                self.wfile.write(msgspec.json.encode(_answer(station, request, self.connection)))

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True

            @override
            def handle_error(self, request: object, client_address: object) -> None:
                _log.warning("a command was not answered", exc_info=True)

        with _address(path) as address:
            self._server = Server(address, Handler)
        path.chmod(0o660)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="control", daemon=True
        )

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
    """The actor behind a command on this machine: the user of this process, or the one given."""
    uid = os.getuid() if uid is None else uid
    return Actor(f"{user_name(uid)} (uid {uid})", Role.ADMIN, address="local")


def _answer(station: Commanded, line: bytes, connection: socket.socket) -> Answer:
    try:
        request = _ASK.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Answer(error=str(error))
    if request.logger:
        return Answer(logger=station.logger(request.logger))
    if request.frames:
        return Answer(frames=station.frames(request.frames))
    if request.action is None and request.log is None:
        return Answer(state=station.state(), pulse=station.pulse())
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    if request.log is not None:
        return Answer(imported=station.take_log(request.log, local_actor(uid)))
    assert request.action is not None, "told apart above"
    return Answer(outcome=station.act(request.action, local_actor(uid)))


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """The socket's address. One may have 107 bytes (unix(7)); by way of its folder any path fits."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
