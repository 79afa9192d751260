"""Watching servers that tell when they started, that tell how long they run, and that tell nothing."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import pytest

from coldchain.sinks.base import Sign
from coldchain.sinks.witness import Witness
from tests.servers import free_port

T0 = 1_795_000_000


class Server:
    """Answers /ping and /metrics as it is told; can break every connection, or close after each answer."""

    def __init__(self) -> None:
        self.port = free_port()
        self.metrics: str | None = None
        self.date_s = T0
        self.closes = False
        self.asked: list[str] = []
        self._server: ThreadingHTTPServer | None = None
        self._connections: list[BaseHTTPRequestHandler] = []

    def start(self) -> Self:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                server._connections.append(self)

            def do_GET(self) -> None:
                server.asked.append(self.path)
                found = self.path == "/ping" or (self.path == "/metrics" and server.metrics is not None)
                text = (server.metrics or "").encode() if self.path == "/metrics" and found else b""
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", str(len(text)))
                if server.closes:
                    self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(text)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string(server.date_s)

            def log_message(self, *_: object) -> None:
                pass

        class Http(ThreadingHTTPServer):
            daemon_threads = True

        self._server = Http(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def cut(self) -> None:
        """Break every connection, as an idle time-out or a dying process does."""
        for each in self._connections:
            each.close_connection = True
            each.connection.shutdown(2)
        self._connections.clear()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class Clock:
    """Real seconds, moved by hand."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server().start()
    yield server
    server.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def witness(server: Server, clock: Clock) -> Iterator[Witness]:
    witness = Witness(f"http://127.0.0.1:{server.port}", 5.0, clock, None)
    yield witness
    witness.close()


def test_by_the_start(server: Server, witness: Witness) -> None:
    """A broken connection to a process that started when it always did is no restart."""
    server.metrics = f"process_start_time_seconds {T0 - 100}\n"
    assert [witness.sign() for _ in range(3)] == [Sign.RESTARTED, Sign.SAME, Sign.SAME]
    server.cut()
    assert witness.sign() is Sign.SAME
    server.metrics = f"process_start_time_seconds {T0 + 5}\n"
    server.cut()
    assert witness.sign() is Sign.RESTARTED


def test_a_young_server_proves_nothing(server: Server, witness: Witness) -> None:
    """A start given in whole seconds cannot tell two starts in one second apart; in doubt it is a restart."""
    server.metrics = f"process_start_time_seconds {T0 - 1}\n"
    witness.sign()
    server.cut()
    assert witness.sign() is Sign.RESTARTED
    server.date_s = T0 + 10
    assert witness.sign() is Sign.SAME
    server.cut()
    assert witness.sign() is Sign.SAME


def test_by_the_uptime(server: Server, witness: Witness, clock: Clock) -> None:
    """InfluxDB 2 says how long it runs: less than before, and it was started anew."""
    server.metrics = 'influxdb_uptime_seconds{id="x"} 500\n'
    witness.sign()
    clock.now_s += 60
    server.metrics = 'influxdb_uptime_seconds{id="x"} 560.4\n'
    server.cut()
    assert witness.sign() is Sign.SAME
    clock.now_s += 60
    server.metrics = 'influxdb_uptime_seconds{id="x"} 3\n'
    server.cut()
    assert witness.sign() is Sign.RESTARTED


def test_without_metrics_a_broken_connection_is_a_restart(server: Server, witness: Witness) -> None:
    """What cannot be told is doubted."""
    assert [witness.sign(), witness.sign()] == [Sign.RESTARTED, Sign.SAME]
    server.cut()
    assert [witness.sign(), witness.sign()] == [Sign.RESTARTED, Sign.SAME]


def test_a_server_that_always_closes_cannot_be_watched(server: Server, witness: Witness) -> None:
    """Else everything would be in doubt for ever, and sent again for ever."""
    server.closes = True
    signs = [witness.sign() for _ in range(6)]
    assert signs[0] is Sign.RESTARTED
    assert signs[-3:] == [Sign.SAME] * 3


def test_metrics_are_fetched_only_when_they_are_needed(server: Server, witness: Witness) -> None:
    """They are long, and the line may be a mobile one."""
    server.metrics = f"process_start_time_seconds {T0 - 100}\n"
    for _ in range(10):
        witness.sign()
    assert server.asked.count("/metrics") == 1


def test_nobody_there(server: Server, witness: Witness) -> None:
    """No answer is no sign at all, and what comes after it is compared with what was before."""
    server.metrics = f"process_start_time_seconds {T0 - 100}\n"
    witness.sign()
    server.cut()
    server.stop()
    assert witness.sign() is Sign.SILENT
    assert witness.ignored() is None
    server.start()
    assert witness.sign() is Sign.SAME


def test_what_was_ignored_is_added_up(server: Server, witness: Witness) -> None:
    """All reasons together; nothing where the server does not count."""
    kinds = {"big_timestamp": "2", "small_timestamp": "1e3"}
    server.metrics = "".join(f'vm_rows_ignored_total{{reason="{why}"}} {n}\n' for why, n in kinds.items())
    assert witness.ignored() == 1002
    server.metrics = "something_else 1\n"
    assert witness.ignored() is None
