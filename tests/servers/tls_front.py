"""TLS in front of a server that speaks none: what a proxy of the hospital is to a receiver.

The certificate can be changed while it runs; open connections then end, as they do when a proxy is renewed.
`cut_after` ends the next connection in the middle of what its client sends.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
from types import TracebackType
from typing import Self

from tests.servers.certificates import Pair
from tests.servers.process import HOST, free_port

_TICK_S = 0.05


class TlsFront:
    """A front on a loopback port of its own before `port`; `url` is what a client is given."""

    def __init__(self, port: int, pair: Pair | None, *, url: str = "") -> None:
        self.port = free_port()
        scheme = "https" if pair else "http"
        self.url = f"{scheme}://{HOST}:{self.port}{url}"
        #: How many bytes of the next connection's client are passed on before it is cut. None: all.
        self.cut_after: int | None = None
        self._behind = port
        self._pair = pair
        self._ended = threading.Event()
        self._renewed = 0
        self._listening = socket.create_server((HOST, self.port))
        self._listening.settimeout(_TICK_S)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def renew(self, pair: Pair) -> None:
        """Show another certificate from now on; open connections end."""
        self._pair = pair
        self._renewed += 1

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(10)
        self._listening.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                taken, _ = self._listening.accept()
                thread = threading.Thread(target=self._serve, args=(taken,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, taken: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as ends:
            ends.enter_context(taken)
            client = taken
            if self._pair is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self._pair.certificate, self._pair.key)
                client = ends.enter_context(context.wrap_socket(taken, server_side=True))
            server = ends.enter_context(socket.create_connection((HOST, self._behind)))
            left, self.cut_after = self.cut_after, None
            self._pass_on(client, server, left, self._renewed)

    def _pass_on(self, client: socket.socket, server: socket.socket, left: int | None, renewed: int) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while not self._ended.is_set() and renewed == self._renewed:
                found = [(key.fileobj, key.data) for key, _ in ready.select(_TICK_S)]
                for source, target in found:
                    assert isinstance(source, socket.socket)
                    data = source.recv(65_536)
                    while isinstance(source, ssl.SSLSocket) and source.pending():
                        data += source.recv(65_536)
                    if source is client and left is not None:
                        data, left = data[:left], left - len(data[:left])
                    if not data:
                        return
                    target.sendall(data)
                    if source is client and left == 0:
                        return
