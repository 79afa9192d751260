"""The bytes under the relay: sockets in pairs, moved by one thread that carries out orders between two moves.

One thread, because only the thread that reads a socket can close it at once: with RST, and without a FIN
before it.
"""

import selectors
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar, cast

from tests.servers.mqtt_wire import Side
from tests.servers.process import DEADLINE_S, HOST

T = TypeVar("T")

_CHUNK = 65_536


class End(Enum):
    """How a direction ends."""

    FIN = "fin"
    RST = "rst"


@dataclass(slots=True, eq=False)
class Item:
    """What waits in a direction: bytes, or its end. `told` hears whether the other side was given them."""

    data: bytes = b""
    end: End | None = None
    due: float = 0.0  # monotonic seconds
    told: Callable[[bool], None] = lambda forwarded: None


@dataclass(slots=True, eq=False)
class Way:
    """One direction of one connection."""

    connection: "Connection"
    sender: Side
    source: socket.socket
    target: socket.socket
    queue: deque[Item] = field(default_factory=deque)
    sent_of_first: int = 0  # bytes of the first item that the kernel already took
    reading: bool = True
    blocked: bool = False  # the kernel takes no more until the target has read
    broken: bool = False  # the target is gone
    done: bool = False  # the end was passed on


@dataclass(slots=True, eq=False)
class Connection:
    """A client's connection and the one to the broker that the relay opened for it."""

    number: int
    ways: tuple[Way, ...] = ()
    open: bool = True

    def back(self, way: Way) -> Way:
        """Return the other direction."""
        return self.ways[1] if way is self.ways[0] else self.ways[0]


class Wires:
    """Take connections on `port`, open one to the broker for each, and move bytes.

    `taken` gets what was read (or the end), in the thread of the wires, and puts into `way.queue` what is to
    go on. `turned` is called after each round.
    """

    def __init__(
        self,
        port: int,
        broker_port: int,
        *,
        taken: Callable[[Way, bytes, End | None], None],
        turned: Callable[[], None],
    ) -> None:
        self._port = port
        self._broker_port = broker_port
        self._taken = taken
        self._turned = turned
        self.connections: list[Connection] = []
        self._count = 0
        self._orders: deque[tuple[Callable[[], object], Future[object]]] = deque()
        self._selector = selectors.DefaultSelector()
        self._bell, self._ear = socket.socketpair()
        self._ear.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ, self._hear)
        self._listener: socket.socket | None = None
        self._closing = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="mqtt relay", daemon=True)

    def start(self) -> None:
        """Listen and move bytes."""
        self.listen()
        self._thread.start()

    def close(self) -> None:
        """Reset all connections and end the thread; AssertionError if the thread had failed."""
        if self._thread.is_alive():
            # Rung before the thread can end; what rings and hears is closed only when it has.
            self._order(self._stop)
            self._thread.join(DEADLINE_S)
        self._selector.close()
        self._bell.close()
        self._ear.close()
        self._check()

    def do(self, order: Callable[[], T]) -> T:
        """Let the thread carry out an order; return what it returned, raise the OSError it raised."""
        if self._thread.ident is None or self._closing:  # not yet, or no more: nobody else is at work
            self._check()
            return order()
        future = self._order(order)
        while not wait((future,), timeout=0.1).done:
            self._check()
            assert self._thread.is_alive() or future.done(), "the relay was stopped meanwhile"
        return cast("T", future.result())

    def _order(self, order: Callable[[], object]) -> Future[object]:
        future: Future[object] = Future()
        self._orders.append((order, future))
        self._bell.send(b"!")
        return future

    def _check(self) -> None:
        if self._failure is not None:
            raise AssertionError("the relay's thread has failed") from self._failure

    def listen(self) -> None:
        """Take connections; nothing if it does so already."""
        if self._listener is None:
            self._listener = socket.create_server((HOST, self._port))
            self._listener.setblocking(False)
            self._selector.register(self._listener, selectors.EVENT_READ, self._on_client)

    def stop_listening(self) -> None:
        """Let the kernel refuse connections; open ones stay."""
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None

    def end(self, connection: Connection, *, reset: bool) -> None:
        """End a connection on both sides at once; what still waits in it is lost."""
        connection.open = False
        self.connections.remove(connection)
        for way in connection.ways:
            for item in way.queue:
                item.told(False)
            way.queue.clear()
            if self._selector.get_map().get(way.source) is not None:
                self._selector.unregister(way.source)
            if reset:
                way.source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            way.source.close()

    def end_all(self, *, reset: bool) -> None:
        """End every connection."""
        for connection in tuple(self.connections):
            self.end(connection, reset=reset)

    # --- The thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._closing:
                for key, events in self._selector.select(self._until_due()):
                    key.data(events)
                while self._orders:
                    order, future = self._orders.popleft()
                    try:
                        future.set_result(order())
                    except OSError as error:  # the port is taken
                        future.set_exception(error)
                for connection in tuple(self.connections):
                    for way in connection.ways:
                        self._send(way)
                self._turned()
        except Exception as error:  # noqa: BLE001 - the thread's outer edge: `close` fails the test with it
            self._failure = error
            self._stop()

    def _until_due(self) -> float | None:
        ways = [way for each in self.connections for way in each.ways]
        dues = [way.queue[0].due for way in ways if way.queue and not way.blocked]
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def _stop(self) -> None:
        self._closing = True
        self.end_all(reset=True)
        self.stop_listening()

    def _hear(self, _: int) -> None:
        self._ear.recv(4096)

    def _on_client(self, _: int) -> None:
        assert self._listener is not None
        client, _address = self._listener.accept()
        try:
            broker = socket.create_connection((HOST, self._broker_port), timeout=DEADLINE_S)
        except OSError:  # no broker: the nearest a relay can do is to hang up
            client.close()
            return
        self._count += 1
        connection = Connection(self._count)
        connection.ways = (
            Way(connection, Side.CLIENT, client, broker),
            Way(connection, Side.BROKER, broker, client),
        )
        self.connections.append(connection)
        for way in connection.ways:
            way.source.setblocking(False)
            way.source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._watch(way)

    def _on_socket(self, way: Way, events: int) -> None:
        """Take what `way.source` has, and note that it can be written again."""
        if not way.connection.open:  # ended by what was done earlier in this round
            return
        if events & selectors.EVENT_WRITE:
            way.connection.back(way).blocked = False
        if events & selectors.EVENT_READ and way.reading:
            end = End.FIN
            try:
                data = way.source.recv(_CHUNK)
            except BlockingIOError:
                return
            except OSError:
                data, end = b"", End.RST
            way.reading = bool(data)
            self._taken(way, data, None if data else end)

    def _send(self, way: Way) -> None:
        """Give the kernel what is due, in order, as much as it takes."""
        now = time.monotonic()
        while way.queue and not way.blocked and way.connection.open and way.queue[0].due <= now:
            item = way.queue[0]
            if item.end is not None:
                way.queue.popleft()
                self._pass_on(way, item.end)
                continue
            if not way.broken:
                try:
                    way.sent_of_first += way.target.send(item.data[way.sent_of_first :])
                except BlockingIOError:
                    way.blocked = True
                except OSError:  # the target is gone; what it had sent before is still to be read
                    way.broken = True
            if way.broken or way.sent_of_first == len(item.data):
                item.told(not way.broken)
                way.queue.popleft()
                way.sent_of_first = 0
        if way.connection.open:
            for each in way.connection.ways:
                self._watch(each)

    def _pass_on(self, way: Way, end: End) -> None:
        """Pass the end of a direction on; with both ended the connection is over."""
        way.done = True
        if end is End.RST or way.connection.back(way).done:
            self.end(way.connection, reset=end is End.RST)
            return
        try:
            way.target.shutdown(socket.SHUT_WR)
        except OSError:
            way.broken = True

    def _watch(self, way: Way) -> None:
        """Ask the selector for what is wanted of `way.source` now: what it sends, or room for more."""
        events = selectors.EVENT_READ * way.reading | selectors.EVENT_WRITE * way.connection.back(way).blocked
        known = self._selector.get_map().get(way.source)
        if known is None:
            if events:
                self._selector.register(way.source, events, lambda happened: self._on_socket(way, happened))
        elif not events:
            self._selector.unregister(way.source)
        elif known.events != events:
            self._selector.modify(way.source, events, known.data)
