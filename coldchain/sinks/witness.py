"""Is it still the same server process? Watched over one connection that is kept open.

A killed server breaks its connections, so a connection that still answers says: the same process as before.
When it broke, that may also have been an idle time-out or a proxy; then the server's own metrics decide, if
it shows them: `process_start_time_seconds` (VictoriaMetrics and whatever uses Prometheus' client), or
`influxdb_uptime_seconds` (InfluxDB 2). They are fetched only then, for they are long and a gateway may be on
a mobile line.
"""

from __future__ import annotations

import email.utils
import http.client
import re
import ssl
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from coldchain.sinks.base import Sign

_START = re.compile(rb"^process_start_time_seconds(?:\{[^}]*\})?\s+(\S+)", re.MULTILINE)
_UPTIME = re.compile(rb"^influxdb_uptime_seconds(?:\{[^}]*\})?\s+(\S+)", re.MULTILINE)
_IGNORED = re.compile(rb"^vm_rows_ignored_total\{[^}]*\}\s+(\S+)", re.MULTILINE)
#: Starts nearer to each other than this are one start, and a server must have been seen older than this
#: before that proves anything: VictoriaMetrics gives its start in whole seconds.
_SAME_START_S = 2.0
#: More than any server's metrics; a longer answer is not one of ours.
_ANSWER_MAX = 8_000_000


class Witness:
    """Watches one server. Not for several threads."""

    def __init__(
        self, url: str, timeout_s: float, real_s: Callable[[], float], trusted: ssl.SSLContext | None
    ) -> None:
        self._url: SplitResult = urlsplit(url)
        self._timeout_s = timeout_s
        self._real_s = real_s
        self._trusted = trusted
        self._connection: http.client.HTTPConnection | None = None
        self._started: _Start | None = None
        self._age_s = 0.0  # how old the server was when it last answered, as far as it tells
        self._seen = False
        self._answers = 0
        self._short_lived = 0

    def sign(self) -> Sign:
        """Ask. RESTARTED also when it cannot be told; SILENT when nothing answers. Never raises."""
        if self._connection is not None:
            try:
                _, now_s = self._get(self._connection, "/ping")
            except (OSError, http.client.HTTPException):
                self._short_lived = self._short_lived + 1 if self._answers == 0 else 0
                self.close()
            else:
                self._answers += 1
                if self._started is not None:
                    self._age_s = self._started.age_s(now_s, self._real_s())
                return Sign.SAME
        before, age_s, seen = self._started, self._age_s, self._seen
        try:
            self._connect()
        except (OSError, http.client.HTTPException):
            self.close()
            return Sign.SILENT
        if self._started is not None and before is not None:
            same = self._started.is_that_of(before) and age_s >= _SAME_START_S
            return Sign.SAME if same else Sign.RESTARTED
        # No metrics. A server, or something before it, that closes every connection cannot be watched.
        return Sign.SAME if seen and self._short_lived >= 2 else Sign.RESTARTED

    def ignored(self) -> int | None:
        """How many points VictoriaMetrics took and threw away since its start; None if it does not say."""
        try:
            if self._connection is None:
                self._connection = self._open()
            body, _ = self._get(self._connection, "/metrics")
        except (OSError, http.client.HTTPException):
            self.close()
            return None
        counts = _IGNORED.findall(body)
        return sum(int(float(count)) for count in counts) if counts else None

    def close(self) -> None:
        """Let go of the connection; the next sign has to compare the metrics."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._answers = 0

    def _connect(self) -> None:
        """Connect, and read when the process began."""
        self._connection = self._open()
        body, date_s = self._get(self._connection, "/metrics")
        now_s = self._real_s()
        self._seen = True
        self._started, self._age_s = None, 0.0
        if (found := _START.search(body)) and date_s is not None:
            self._started = _Start(float(found.group(1)), by_date=True)
        elif found := _UPTIME.search(body):
            self._started = _Start(now_s - float(found.group(1)), by_date=False)
        if self._started is not None:
            self._age_s = self._started.age_s(date_s, now_s)

    def _open(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        connection: http.client.HTTPConnection
        if self._url.scheme == "https":
            connection = http.client.HTTPSConnection(
                host, port, timeout=self._timeout_s, context=self._trusted
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self._timeout_s)
        connection.connect()
        # Else it would quietly connect anew after the server closed: the very thing to be noticed.
        connection.auto_open = 0
        return connection

    def _get(self, connection: http.client.HTTPConnection, path: str) -> tuple[bytes, float | None]:
        """The answer's body, empty unless the status is 200, and the server's own time in s, if it says."""
        connection.request("GET", self._url.path.rstrip("/") + path)
        answer = connection.getresponse()
        body = answer.read(_ANSWER_MAX)
        if answer.will_close:
            self._short_lived += 1
            self.close()
        date = email.utils.parsedate_to_datetime(answer.headers["Date"]) if answer.headers["Date"] else None
        return body if answer.status == 200 else b"", date.timestamp() if date is not None else None


class _Start(NamedTuple):
    """When a process began: by the clock in its own `Date` headers, or by our own."""

    at_s: float
    by_date: bool

    def age_s(self, date_s: float | None, real_s: float) -> float:
        """How old it is, 0 if that cannot be told."""
        now_s = date_s if self.by_date else real_s
        return 0.0 if now_s is None else now_s - self.at_s

    def is_that_of(self, other: _Start) -> bool:
        """Whether both are the start of one process."""
        return self.by_date == other.by_date and abs(self.at_s - other.at_s) < _SAME_START_S
