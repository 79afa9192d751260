"""The page's server: a thread of its own, which the daemon starts and stops."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from importlib.resources.abc import Traversable

import uvicorn
from typing_extensions import override

from coldchain.clock import Clock
from coldchain.web.app import Api, make_app
from coldchain.web.hub import Hub
from coldchain.web.settings import PageSettings, check_exposure
from coldchain.web.static_files import StaticFiles
from coldchain.web.station import Station
from coldchain.web.users import Users

_log = logging.getLogger(__name__)

#: How long requests may take to end when asked to stop; streams end at once.
_GRACE_S = 3


class PageError(Exception):
    """The page cannot be served: the address is taken, or TLS files will not do."""


class _Server(uvicorn.Server):
    """Uvicorn, with the hub started and ended in its event loop."""

    def __init__(self, config: uvicorn.Config, hub: Hub, ready: threading.Event) -> None:
        super().__init__(config)
        self._hub = hub
        self._ready = ready

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._hub.start()
        await super().startup(sockets)
        self._ready.set()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._hub.stop()  # first: the server waits for streams to end
        await self._accept_no_more()
        await super().shutdown(sockets)
        # What a browser still holds open after the grace period: ended here, while there is a loop to do it.
        for connection in tuple(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)

    async def _accept_no_more(self) -> None:
        """Leave what waits to its fate, and let what was just accepted become a connection that can be ended.

        A server that is closed between the two makes asyncio drop the connection half made and open
        (cpython issue 109564).
        """
        loop = asyncio.get_running_loop()
        for server in self.servers:
            for listening in server.sockets:
                loop.remove_reader(listening.fileno())
        for _ in range(3):  # turns of the loop: its task begins, its protocol is told, its reader is set
            await asyncio.sleep(0)


class Page:
    """The operations page for one station.

    A page that fails never takes monitoring with it: it runs in its own thread and says so by `alive`.
    """

    def __init__(
        self, station: Station, settings: PageSettings, clock: Clock, static: Traversable | None = None
    ) -> None:
        self._settings = settings
        self._users = Users(settings.users_file)
        self._hub = Hub(station, settings.heartbeat_ms)
        api = Api(station, settings, clock, self._users, self._hub, StaticFiles(static))
        self._app = make_app(api, settings)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self.port = settings.port

    @property
    def url(self) -> str:
        """Where to look at it from this machine."""
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return f"{'https' if self._settings.tls else 'http'}://{host}:{self.port}/"

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Listen and serve; returns when it can be reached.

        Raises ExposureError where it must not listen, UsersError if the users file is damaged, PageError
        if it cannot.
        """
        check_exposure(self._settings, self._users)
        certificate, key = self._settings.certificate, self._settings.key
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            proxy_headers=False,  # our own guard reads them, and believes them from the proxy alone
            server_header=False,
            lifespan="off",
            ws="none",
            loop="asyncio",
            http="h11",
            limit_concurrency=2 * Hub.MOST_LISTENERS,
            timeout_graceful_shutdown=_GRACE_S,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
        try:
            config.load()  # reads the TLS files now, not in the thread
        except OSError as error:
            raise PageError(f"page: {certificate} or {key}: {error}") from error
        listening = self._listen()
        self.port = listening.getsockname()[1]
        self._server = _Server(config, self._hub, self._ready)
        self._thread = threading.Thread(
            target=self._run, args=(self._server, listening), name="page", daemon=True
        )
        self._thread.start()
        self._ready.wait()
        if not self.alive:
            raise PageError("page: the server ended at once; see the log")

    def _listen(self) -> socket.socket:
        host, port = self._settings.host, self._settings.port
        listening: socket.socket | None = None
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listening = socket.socket(family, kind, protocol)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(128)
        except OSError as error:
            if listening is not None:
                listening.close()
            raise PageError(f"page: cannot listen on {host} port {port}: {error}") from error
        return listening

    def _run(self, server: uvicorn.Server, listening: socket.socket) -> None:
        try:
            asyncio.run(server.serve(sockets=[listening]))
        except Exception:  # noqa: BLE001 (the thread's outer edge)
            _log.exception("the page's server failed")
        finally:
            listening.close()
            self._ready.set()

    def stop(self) -> None:
        """End every stream, finish what is asked, stop listening. Does nothing if it is not running."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(2 * _GRACE_S)
        if self._thread.is_alive():
            _log.error("the page's server does not stop; leaving it behind")
        self._server = self._thread = None
