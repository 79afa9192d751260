"""Points as InfluxDB's line protocol, by the client library's own hand; to be sent, or kept in a file.

The library is imported when it is needed: it costs 14 MB that a gateway without this sink keeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from coldchain import announcements, facts
from coldchain.evidence.meaning import TimeUnknown
from coldchain.evidence.readings import Chosen, first_offset_ms, undated
from coldchain.journal import Readable
from coldchain.sinks.base import Point
from coldchain.sinks.points import Lens


class LineProtocol:
    """Writes points as lines, times in ms. Raises ImportError if the extra `influx` is not installed."""

    def __init__(self) -> None:
        from influxdb_client.client.write.point import Point as Line
        from influxdb_client.domain.write_precision import WritePrecision

        self._line_of: Any = Line
        self.precision: Any = WritePrecision.MS

    def line(self, point: Point) -> str:
        """One point, without a line end."""
        line = self._line_of(point.measurement).time(point.time_ms, self.precision)
        for key, text in point.tags:
            line = line.tag(key, text)
        for key, number in point.fields:
            line = line.field(key, number)
        return str(line.to_line_protocol())


def lines(journal: Readable, chosen: Chosen, protocol: LineProtocol) -> Iterator[bytes]:
    """Every point that an `influx` sink would have sent of this journal, with line ends: the same series.

    Raises EvidenceError where a point has no date, JournalCorrupt where the journal is not what was written.
    """
    lens = Lens()
    lens.offset_ahead_ms = first_offset_ms(journal)
    for entry in journal.entries():
        fact = facts.decode(entry.fact)
        lens.learn(entry.arrival_ms, fact)
        said = [announcements.decode(body) for body in entry.announcements]
        try:
            points = lens.points(entry.arrival_ms, fact, said)
        except TimeUnknown as error:
            raise undated(entry.position) from error
        for point in points:
            if chosen.takes(point.time_ms) and (chosen.asset is None or _about(point, chosen.asset)):
                yield protocol.line(point).encode() + b"\n"


def _about(point: Point, asset: str) -> bool:
    tags = dict(point.tags)
    return tags.get("asset") == asset or tags.get("alarm", "").startswith(f"{asset}/")
