"""What stands for removed readings, as a table for other programs: one row a channel and span.

docs/export.md describes the columns, and that is a promise. The readings that stayed are no part of it: they
are in the table of readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from coldchain.evidence import tables
from coldchain.evidence.readings import EVERYTHING, Chosen, decimal, decimals, instant, undated
from coldchain.evidence.summaries import added, mean
from coldchain.journal.reader import Readable
from coldchain.journal.removal import removals, summaries
from coldchain.removed import JOURNAL, Bucket, Extreme, ReadingsSummarised
from coldchain.units import QUANTITIES

COLUMNS = (
    "begin", "end", "asset", "role", "channel", "source", "quantity", "unit", "good", "uncertain", "bad",
    "low", "low_time", "high", "high_time", "doubtful_low", "doubtful_low_time", "doubtful_high",
    "doubtful_high_time", "mean", "covered_min", "origin", "simulated", "position",
)  # fmt: skip
_TYPES = {
    **{name: "time" for name in COLUMNS if name in ("begin", "end") or name.endswith("_time")},
    **dict.fromkeys(("low", "high", "doubtful_low", "doubtful_high", "mean", "covered_min"), "number"),
    **dict.fromkeys(("good", "uncertain", "bad", "position"), "integer"),
    "simulated": "boolean",
}
_MIN_MS = 60_000


class Row(Struct, frozen=True):
    """One span of one kind of readings. of: what they have in common; position: of the last fact of it."""

    of: ReadingsSummarised
    bucket: Bucket
    position: int

    @property
    def ends_ms(self) -> int:
        """Up to, and without, this instant."""
        return self.bucket.at_ms + self.of.bucket_ms

    @property
    def asset(self) -> str:
        """Where it was measured; "" if nowhere."""
        return self.of.place.rpartition("/")[0]


class Gone(Struct, frozen=True):
    """How many facts were removed, of them those of removals that left no summary, and before which instant.

    before_ms: UTC; None: not known. Readings of excursions, and those that were held, stayed all the same.
    """

    facts: int
    bare: int
    before_ms: int | None


def rows(journal: Readable, chosen: Chosen = EVERYTHING) -> Iterator[Row]:
    """What stands for the readings of spans that a choice touches, in the order of the removals.

    A span that two removals cut is one row, unless its readings came so late that another removal took them.
    Raises EvidenceError where a span has no date, JournalCorrupt where the journal is damaged.
    """
    open_: dict[ReadingsSummarised, Row] = {}
    for position, removed in removals(journal):
        first = position - removed.summaries
        for at, told in enumerate(summaries(journal, position, removed), first):
            if told.axis == JOURNAL:
                raise undated(at)
            if chosen.asset not in (None, told.place.rpartition("/")[0]):
                continue
            of = replace(told, buckets=())
            for bucket in told.buckets:
                before = open_.get(of)
                if before is not None and before.bucket.at_ms == bucket.at_ms:
                    open_[of] = Row(of, added(before.bucket, bucket), at)
                    continue
                if before is not None and _chosen(before, chosen):
                    yield before
                open_[of] = Row(of, bucket, at)
    yield from (row for row in open_.values() if _chosen(row, chosen))


def gone(journal: Readable) -> Gone | None:
    """What was removed from a journal; None: nothing was. Raises JournalCorrupt."""
    told = [removed for _, removed in removals(journal)]
    if not told:
        return None
    dated = [one.judged_from_utc_ms - one.reach_ms for one in told if one.judged_from_utc_ms is not None]
    bare = sum(one.removed for one in told if not one.summaries)
    return Gone(sum(one.removed for one in told), bare, max(dated, default=None))


def as_csv(found: Iterable[Row]) -> Iterator[bytes]:
    """Lines of CSV (RFC 4180 with line feeds), UTF-8, a heading first."""
    return tables.as_csv(COLUMNS, map(_cells, found))


def write_parquet(found: Iterable[Row], path: Path) -> None:
    """The same columns with types: times in ms UTC, values doubles, null where there is none.

    Raises EvidenceError if Polars is not installed or cannot write, and what reading the journal raises.
    """
    tables.write_parquet(COLUMNS, _TYPES, map(_typed, found), path)


def _chosen(row: Row, chosen: Chosen) -> bool:
    begins = chosen.to_ms is None or row.bucket.at_ms < chosen.to_ms
    return begins and (chosen.from_ms is None or row.ends_ms > chosen.from_ms)


def _parts(row: Row) -> tuple[tuple[str, object], ...]:
    """Every cell in order, with its kind: text, "time" in ms, "value" in quanta."""
    of, bucket = row.of, row.bucket
    extremes = (bucket.low, bucket.high, bucket.doubtful_low, bucket.doubtful_high)
    return (
        ("time", bucket.at_ms), ("time", row.ends_ms), ("", row.asset), ("", of.place.rpartition("/")[2]),
        ("", of.channel), ("", of.source), ("", of.quantity),
        ("", QUANTITIES[of.quantity].display_unit if of.quantity else ""),
        ("", bucket.good), ("", bucket.uncertain), ("", bucket.bad),
        *(cell for one in extremes for cell in _extreme(one)),
        ("value", mean(bucket)), ("min", bucket.covered_ms),
        ("", of.origin.value), ("", of.simulated), ("", row.position),
    )  # fmt: skip


def _extreme(one: Extreme | None) -> tuple[tuple[str, object], tuple[str, object]]:
    value, at_ms = (None, None) if one is None else (one.value, one.at_ms)
    return ("value", value), ("time", at_ms)


def _cells(row: Row) -> tuple[str, ...]:
    def cell(kind: str, value: object) -> str:
        if value is None:
            return ""
        if not isinstance(value, int) or kind == "":
            return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
        if kind == "time":
            return instant(value)
        if kind == "min":
            return f"{value / _MIN_MS:.3f}".rstrip("0").rstrip(".")
        return decimal(value, row.of.quantity)

    return tuple(cell(kind, value) for kind, value in _parts(row))


def _typed(row: Row) -> tuple[object, ...]:
    def cell(kind: str, value: object) -> object:
        if not isinstance(value, int) or kind in ("", "time"):
            return value
        return value / _MIN_MS if kind == "min" else value / 10 ** decimals(row.of.quantity)

    return tuple(cell(kind, value) for kind, value in _parts(row))
