"""What the page shows of a time whose readings were removed: what stands for them, and those that stayed.

The fold holds what rules may still look at; what is older lies in the journal alone. Where each removal's
rows lie is remembered, so that a look at one week does not read the years before it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

from msgspec import Struct

from coldchain import facts
from coldchain.daemon.lens import Lens
from coldchain.daemon.views import QUALITIES
from coldchain.evidence.summaries import added, mean
from coldchain.facts import Reading
from coldchain.fold import Fold
from coldchain.fold.conditioning import condition
from coldchain.journal import JournalError, Readable, Reader
from coldchain.journal.removal import removals, summaries
from coldchain.removed import JOURNAL, Bucket, Extreme, ReadingsRemoved, ReadingsSummarised
from coldchain.rules.judging import BAD
from coldchain.web.series import Band, Sample

_log = logging.getLogger(__name__)


class Row(Struct, frozen=True):
    """One span of a channel, from `bucket.at_ms` up to, and without, `to_ms` (UTC)."""

    bucket: Bucket
    to_ms: int


class Stayed(Struct, frozen=True):
    """A reading that stayed, with its arrival in journal time."""

    arrival_ms: int
    reading: Reading


class Older(Struct, frozen=True):
    """What is left of a span of time: rows in order, each span once, and readings as they came."""

    rows: tuple[Row, ...] = ()
    stayed: tuple[Stayed, ...] = ()


@dataclass
class _Known:
    """Where the rows of one removal lie, by channel, as a span of UTC."""

    position: int
    removed: ReadingsRemoved
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)

    def touches(self, channel: str, from_ms: int, to_ms: int) -> bool:
        """Whether anything of a span of a channel went with it."""
        span = self.spans.get(channel)
        return span is not None and span[0] < to_ms and from_ms < span[1]


class Archive:
    """The removed past of one journal. Any thread may ask; each look opens the journal for itself."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: list[_Known] = []

    def of(self, channel: str, from_ms: int, to_ms: int) -> Older:
        """What is left of a channel's span (UTC ms); nothing where the journal cannot be read."""
        try:
            with Reader.open(self._path) as reader:
                rows: list[Row] = []
                stayed: list[Stayed] = []
                for known in self._removals(reader):
                    if known.touches(channel, from_ms, to_ms):
                        told = summaries(reader, known.position, known.removed)
                        rows += _rows(told, channel, from_ms, to_ms)
                        stayed += _stayed(reader, known.removed, channel)
                return Older(_once(rows), tuple(stayed))
        except JournalError as error:
            _log.warning("what stands for removed readings cannot be shown: %s", error)
            return Older()

    def _removals(self, reader: Readable) -> list[_Known]:
        with self._lock:
            done = self._known[-1].position if self._known else 0
            if any(position > done for position in reader.removal_positions()):
                for position, removed in removals(reader):
                    if position > done:
                        self._known.append(_looked_through(reader, position, removed))
            return list(self._known)


def _looked_through(reader: Readable, position: int, removed: ReadingsRemoved) -> _Known:
    known = _Known(position, removed)
    for told in summaries(reader, position, removed):
        if told.axis != JOURNAL and told.buckets:
            begin, end = told.buckets[0].at_ms, told.buckets[-1].at_ms + told.bucket_ms
            before = known.spans.get(told.channel, (begin, end))
            known.spans[told.channel] = (min(begin, before[0]), max(end, before[1]))
    return known


def _rows(told: Iterable[ReadingsSummarised], channel: str, from_ms: int, to_ms: int) -> list[Row]:
    return [
        Row(bucket, bucket.at_ms + one.bucket_ms)
        for one in told
        if one.channel == channel and one.axis != JOURNAL
        for bucket in one.buckets
        if bucket.at_ms < to_ms and from_ms < bucket.at_ms + one.bucket_ms
    ]


def _stayed(reader: Readable, removed: ReadingsRemoved, channel: str) -> list[Stayed]:
    mark = f'"channel":"{channel}"'.encode()
    found = []
    for row in reader.facts(removed.first_position, removed.last_position):
        if mark in row.body and b'"fact":"reading"' in row.body:
            fact = facts.decode(row.body)
            if isinstance(fact, Reading) and fact.channel == channel:
                found.append(Stayed(row.arrival_ms, fact))
    return found


def _once(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Rows of one span as one: of two removals, or of two origins."""
    found: dict[tuple[int, int], Row] = {}
    for row in rows:
        key = (row.bucket.at_ms, row.to_ms)
        known = found.get(key)
        found[key] = row if known is None else Row(added(known.bucket, row.bucket), row.to_ms)
    return tuple(found[key] for key in sorted(found))


def samples(fold: Fold, lens: Lens, stayed: Iterable[Stayed], before_ms: int) -> list[Sample]:
    """Readings that stayed and were measured before an instant (UTC), judged by what was in force then."""
    found = []
    for one in stayed:
        reading, channels = one.reading, fold.channels
        plan = channels.plans[reading.channel]
        journal = lens.journal_axis(plan) or reading.at_ms is None
        stamp_ms = one.arrival_ms if reading.stamp_ms is None else reading.stamp_ms
        event_ms = stamp_ms if journal or reading.at_ms is None else reading.at_ms
        at_ms = lens.instant(event_ms, journal=journal).ms
        if at_ms < before_ms:
            value, quality, reason = condition(channels.plan_at(reading.channel, event_ms), reading)
            shown = None if quality == BAD else value
            found.append(Sample(at_ms, shown, QUALITIES[quality], reason))
    return sorted(found, key=lambda sample: sample.at_ms)


def band(rows: tuple[Row, ...], columns: int) -> Band | None:
    """Rows for drawing, at most so many: where they are narrower than a column, several as one.

    None: none of them has a value.
    """
    size = max(1, -(-len(rows) // columns))
    drawn: list[tuple[int, int, Bucket]] = []
    for i in range(0, len(rows), size):
        part = rows[i : i + size]
        whole = reduce(added, (row.bucket for row in part))
        if whole.good or whole.uncertain:
            drawn.append((part[0].bucket.at_ms, part[-1].to_ms, whole))
    if not drawn:
        return None
    return Band(
        from_ms=tuple(begin for begin, _, _ in drawn),
        to_ms=tuple(end for _, end, _ in drawn),
        low=tuple(min(_values(row.low, row.doubtful_low)) for _, _, row in drawn),
        high=tuple(max(_values(row.high, row.doubtful_high)) for _, _, row in drawn),
        mean=tuple(mean(row) for _, _, row in drawn),
        count=tuple(row.good + row.uncertain + row.bad for _, _, row in drawn),
        doubtful=tuple(row.uncertain > 0 for _, _, row in drawn),
    )


def _values(*extremes: Extreme | None) -> list[int]:
    return [one.value for one in extremes if one is not None]
