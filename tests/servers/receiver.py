"""A receiver of notices: an HTTP server that fails, hangs, loses its answer or comes back when told to."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from msgspec import Struct

from tests.servers.process import free_port


class Request(Struct):
    """One request as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        return self.headers.get("idempotency-key", "")

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content


class Receiver:
    """An HTTP server with a port of its own. `answers` are given one after the other, then 200.

    An answer is a status, or a status with headers and a body; None: the connection is cut without an answer.
    requests: all that came; taken: those of them to which it said 200.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self.requests: list[Request] = []
        self.taken: list[Request] = []
        self.answers: list[int | tuple[int, dict[str, str], bytes] | None] = []
        self.hang = threading.Event()
        self.hang.set()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {key.lower(): value for key, value in self.headers.items()}
                request = Request(headers, text)
                receiver.requests.append(request)
                receiver.hang.wait(30)
                answer = receiver.answers.pop(0) if receiver.answers else 200
                if answer is None:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, more, said = answer if isinstance(answer, tuple) else (answer, {}, b"noted")
                if status == 200:
                    receiver.taken.append(request)
                self.send_response(status)
                for key, value in more.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                pass

            def handle(self) -> None:
                with contextlib.suppress(OSError):  # the sink has gone away in the middle
                    super().handle()

        class Http(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Http(("127.0.0.1", self.port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        self.hang.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def keys(self) -> list[str]:
        """The keys of all notices, in order, repeats included."""
        return [each.key for each in list(self.requests) if each.key]

    def bodies(self, key: str) -> set[bytes]:
        return {each.body for each in list(self.requests) if each.key == key}
