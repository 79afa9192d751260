"""The time-series database that stands in for an InfluxDB: it takes the same writes, and reads exactly."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from typing_extensions import override

from tests.servers.process import Server, http_get
from tests.servers.programs import Program, find

# Without an end the export stops at this moment and hides points whose device's clock runs ahead. The
# database refuses anything later than two days from now, so the year 2100 is "all".
_ALL_TIME_S = (0, 4_102_444_800)


@dataclass(frozen=True, slots=True)
class Series:
    """One stored series: `name` is measurement_field, labels are the tags, points are (time in ms, value)."""

    name: str
    labels: dict[str, str]
    points: tuple[tuple[int, float | None], ...]


class VictoriaMetrics(Server):
    """An empty time-series database on a loopback port; `url` is what influxdb-client is given.

    It keeps 100 years (so 1970 too) and, of points with the same series and time, one. What it
    answers 204 to is not on disk yet: a kill loses the last seconds, which is what a sink must stand.
    """

    name = "victoria-metrics"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.url = f"http://{self.host}:{self.port}"

    @override
    def command(self) -> tuple[Program, Sequence[str | Path]]:
        return find("victoria-metrics"), [
            f"-storageDataPath={self.folder / 'data'}",
            f"-httpListenAddr={self.host}:{self.port}",
            "-retentionPeriod=100y",
            "-search.latencyOffset=0s",  # a point is visible at once, not half a minute later
            "-dedup.minScrapeInterval=1ms",
        ]

    @override
    def ready(self) -> bool:
        try:
            return http_get(self.port, "/health")[0] == 200
        except OSError:
            return False

    def export(self, match: str = '{__name__!=""}') -> list[Series]:
        """Return every stored point of the matching series, ordered by name and labels.

        `match` is a selector such as `temp_value{asset="shipper-7"}`. Flushes first: a new series would be
        invisible for seconds, and a read before the flush would leave "nothing" in a cache.
        """
        status, said = http_get(self.port, "/internal/force_flush")
        assert status == 200, said
        start, end = _ALL_TIME_S
        status, said = http_get(
            self.port, "/api/v1/export?" + urlencode({"match[]": match, "start": start, "end": end})
        )
        assert status == 200, said
        points: dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[int, float | None]]] = {}
        for line in said.splitlines():  # one block of a series each: a long series comes in several
            block = json.loads(line)
            labels = dict(block["metric"])
            key = (labels.pop("__name__"), tuple(sorted(labels.items())))
            points.setdefault(key, []).extend(zip(block["timestamps"], block["values"], strict=True))
        return [
            Series(name, dict(labels), tuple(sorted(found, key=lambda point: point[0])))
            for (name, labels), found in sorted(points.items())
        ]
