"""What stands for readings that are about to go: read from the journal, summed up, as facts.

Each reading is taken for what it was when it came, as in an export: value, quality, place and time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from coldchain import facts
from coldchain.evidence.meaning import Judged, Meaning, TimeUnknown, lessons, teaches
from coldchain.evidence.readings import first_offset_ms
from coldchain.evidence.summaries import Measured, rows_of
from coldchain.facts import Reading
from coldchain.journal.reader import Readable
from coldchain.journal.removal import Surveyed
from coldchain.model import Origin
from coldchain.removed import JOURNAL, ReadingsSummarised


class _Kind(Struct, frozen=True):
    """What readings of one row have in common."""

    channel: str
    source: str
    place: str
    quantity: str
    origin: Origin
    simulated: bool


@dataclass
class _Lines:
    """Readings by channel and axis, as they came; and the channels whose next reading is still to come."""

    by_channel: dict[tuple[str, str], list[tuple[_Kind, Measured]]] = field(default_factory=dict)
    waiting: dict[tuple[str, str], int] = field(default_factory=dict)
    gap_ms: int = 0

    def add(self, judged: Judged, axis: str, gap_ms: int, *, stays: bool) -> None:
        """One reading more."""
        key = (judged.channel, axis)
        kind = _Kind(
            judged.channel, judged.source, judged.place, judged.quantity, judged.origin, judged.simulated
        )
        measured = Measured(judged.at_ms, judged.value, judged.quality, gap_ms, stays)
        self.by_channel.setdefault(key, []).append((kind, measured))
        if not stays:
            self.waiting[key] = max(judged.at_ms, self.waiting.get(key, judged.at_ms))
            self.gap_ms = max(gap_ms, self.gap_ms)
        elif judged.at_ms > self.waiting.get(key, judged.at_ms):
            del self.waiting[key]


def summarised(journal: Readable, found: Surveyed, bucket_ms: int) -> tuple[ReadingsSummarised, ...]:
    """The facts that sum up what a survey found to go. Only reads. Raises JournalCorrupt.

    How long the last readings count is told by those behind them, so it is read on a little.
    """
    meaning = Meaning(lessons(journal, 1, found.first_position - 1))
    meaning.offset_ahead_ms = first_offset_ms(journal)
    lines = _Lines()
    last_ms = 0
    for row in journal.facts(found.first_position):
        behind = row.position > found.last_position
        if behind and (not lines.waiting or row.arrival_ms > last_ms + lines.gap_ms):
            break
        last_ms = last_ms if behind else row.arrival_ms
        if teaches(row.body):
            meaning.learn(row.arrival_ms, facts.decode(row.body))
        elif b'"fact":"reading"' in row.body and isinstance(fact := facts.decode(row.body), Reading):
            judged, axis = _taken(meaning, row.arrival_ms, fact)
            lines.add(
                judged, axis, meaning.counts_ms(fact.channel), stays=not _within(found.spans, row.position)
            )
    return tuple(
        ReadingsSummarised(
            channel=kind.channel,
            source=kind.source,
            bucket_ms=bucket_ms,
            buckets=rows,
            place=kind.place,
            quantity=kind.quantity,
            origin=kind.origin,
            simulated=kind.simulated,
            axis=axis,
        )
        for (_, axis), line in sorted(lines.by_channel.items())
        for kind, rows in rows_of(sorted(line, key=lambda one: one[1].at_ms), bucket_ms).items()
    )


def _taken(meaning: Meaning, arrival_ms: int, fact: Reading) -> tuple[Judged, str]:
    """A reading as it was taken, and the axis of its time."""
    try:
        return meaning.judged(arrival_ms, fact), ""
    except TimeUnknown:
        at_ms = arrival_ms if fact.stamp_ms is None else fact.stamp_ms
        return meaning.judged(arrival_ms, fact, at_ms), JOURNAL


def _within(spans: Sequence[tuple[int, int]], position: int) -> bool:
    index = bisect_right(spans, position, key=lambda span: span[0]) - 1
    return index >= 0 and position <= spans[index][1]
