"""InfluxDB's version 2 writes: a log of every row, for InfluxDB 2 and 3 and for VictoriaMetrics.

The client library is imported when the sink is made: it costs 14 MB that a gateway without this sink keeps.
Written synchronously and without the library's own retries and batches, whose `write` never raises and which
drop a batch after the last retry with a line in a log.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import urllib3.exceptions

from coldchain.config.credentials import SecretUnavailable
from coldchain.config.endpoints import InfluxSink
from coldchain.sinks.base import (
    AccessRefused,
    CannotStart,
    Category,
    Misconfigured,
    Point,
    Rejected,
    Sign,
    SinkError,
    SinkKind,
    Surroundings,
    Unreachable,
    Unwilling,
)
from coldchain.sinks.http import CERTIFICATE
from coldchain.sinks.line_protocol import LineProtocol
from coldchain.sinks.trust import trusted_at
from coldchain.sinks.witness import Witness

if TYPE_CHECKING:
    from influxdb_client.client.exceptions import InfluxDBError

#: InfluxDB says so of points it threw away while it took the others of the same request.
_DROPPED = re.compile(r"dropped=(\d+)")
#: As much of an answer as is worth keeping.
_WORDS = 300


class Influx:
    """One database. Not for several threads."""

    def __init__(self, settings: InfluxSink, around: Surroundings) -> None:
        try:
            from influxdb_client.client.exceptions import InfluxDBError
            from influxdb_client.client.influxdb_client import InfluxDBClient
            from influxdb_client.client.write_api import SYNCHRONOUS

            self._protocol = LineProtocol()
        except ImportError as error:
            mend = "install coldchain with its extra `influx`"
            raise CannotStart(around.name, "load influxdb-client", str(error), mend=mend) from error
        try:
            token = around.secret(settings.token_file, settings.token_env)
        except SecretUnavailable as error:
            raise CannotStart(around.name, "read the token", error.what, mend=error.mend) from error
        self.batch = settings.batch
        self.doubt_ms = settings.doubt
        self._name = around.name
        self._bucket, self._org = settings.bucket, settings.org
        self._error = InfluxDBError
        context = trusted_at(settings.url, around, settings.ca_file)
        self._client: Any = InfluxDBClient(
            settings.url,
            token=token or "",
            org=settings.org,
            timeout=settings.timeout,
            retries=False,
            ssl_context=context,
        )
        self._write = self._client.write_api(write_options=SYNCHRONOUS)
        self._witness = Witness(settings.url, settings.timeout / 1000, around.clock.real_s, context)

    def write(self, points: Sequence[Point]) -> None:
        """Send points in one request; see `LogSink`."""
        what = f"write {len(points)} points"
        try:
            lines = [self._protocol.line(point) for point in points]
            self._write.write(self._bucket, self._org, lines, write_precision=self._protocol.precision)
        except self._error as error:
            raise self._judged(what, error) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(self._name, what, _words(error)) from error

    def sign(self) -> Sign:
        """Whether it is the same process; see `Witness`."""
        return self._witness.sign()

    def ignored(self) -> int | None:
        """Points the server threw away silently, if it says; see `Witness`."""
        return self._witness.ignored()

    def close(self) -> None:
        """Close both connections."""
        self._witness.close()
        self._client.close()

    def _judged(self, what: str, error: InfluxDBError) -> SinkError:
        """What the status says of the points."""
        response: Any = error.response
        if response is None:  # the library's only error without an answer: no TLS connection came about
            why = " ".join(str(getattr(error, "reason", error)).split())[:_WORDS]
            return AccessRefused(self._name, what, why, mend=CERTIFICATE)
        status = int(response.status)
        said = f"HTTP {status}: {error.message}"[:_WORDS]
        if status in (400, 413, 422):
            dropped = _DROPPED.search(said)
            return Rejected(self._name, what, said, dropped=int(dropped.group(1)) if dropped else None)
        if status in (408, 425, 429) or status >= 500:
            after = str(error.retry_after or "")
            return Unwilling(self._name, what, said, retry_after_s=float(after) if after.isdigit() else None)
        return (AccessRefused if status in (401, 403) else Misconfigured)(self._name, what, said)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:_WORDS]


SINK = SinkKind(
    name="influx",
    title="Every row into InfluxDB 2 or 3, or VictoriaMetrics",
    category=Category.LOG,
    settings=InfluxSink,
    make=Influx,
)
