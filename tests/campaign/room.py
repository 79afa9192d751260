"""Two receivers in a process of their own: a time series and people's notices, counted and not kept.

    with Room() as room:
        room.series, room.hook    # their addresses
        room.heard()              # what has come so far

What they keep of a month would otherwise look like a leak of the gateway that is watched.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import msgspec


class Heard(msgspec.Struct):
    """Of the series: different points of temperature, and repeats. Of notices: different keys, repeats."""

    points: int = 0
    points_again: int = 0
    notices: int = 0
    notices_again: int = 0


class Room:
    """Both receivers; a context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())
        self.series, self.hook = f"http://127.0.0.1:{self._port}", f"http://127.0.0.1:{self._port}/hook"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def heard(self) -> Heard:
        """What has come so far."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        connection.request("GET", "/heard")
        told = msgspec.json.decode(connection.getresponse().read(), type=Heard)
        connection.close()
        return told


def _serve() -> None:
    heard = Heard()
    points: set[bytes] = set()
    keys: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            whole = self.path == "/heard"
            self._answer(200, msgspec.json.encode(heard) if whole else b"process_start_time_seconds 1\n")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/hook":
                key = self.headers["Idempotency-Key"]
                heard.notices_again += key in keys
                keys.add(key)
                heard.notices = len(keys)
            else:
                for line in body.splitlines():
                    if line.startswith(b"temperature,"):
                        series, _, time_ms = line.rsplit(b" ", 2)
                        heard.points_again += (point := series + time_ms) in points
                        points.add(point)
                heard.points = len(points)
            self._answer(200, b"noted")

        def _answer(self, status: int, said: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve()
