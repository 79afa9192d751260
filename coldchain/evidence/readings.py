"""A journal's readings as a table for other programs: one row a reading, as it was judged when it came.

docs/export.md describes the columns, and that is a promise: `coldchain replay` and other people's programs
read them. Whole (every fact, links, signatures) a journal goes out as JSON lines (`evidence/export.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from coldchain import facts
from coldchain.evidence import tables
from coldchain.evidence.keys import EvidenceError
from coldchain.evidence.meaning import Judged, Meaning, TimeUnknown, lessons, teaches
from coldchain.facts import ClockSet, Reading
from coldchain.journal import Readable
from coldchain.model import Quality
from coldchain.rules.judging import BAD, GOOD, UNCERTAIN
from coldchain.units import QUANTITIES

COLUMNS = (
    "time", "asset", "role", "channel", "source", "quantity", "value", "unit",
    "quality", "reason", "origin", "simulated", "raw", "raw_unit", "position",
)  # fmt: skip
QUALITIES = {GOOD: Quality.GOOD.value, UNCERTAIN: Quality.UNCERTAIN.value, BAD: Quality.BAD.value}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Chosen(Struct, frozen=True):
    """Which readings: from an instant (UTC ms) up to and without another, of one asset. None: all."""

    from_ms: int | None = None
    to_ms: int | None = None
    asset: str | None = None

    def takes(self, at_ms: int) -> bool:
        """Whether an instant lies in the span."""
        return (self.from_ms is None or at_ms >= self.from_ms) and (self.to_ms is None or at_ms < self.to_ms)


EVERYTHING = Chosen()


def rows(journal: Readable, chosen: Chosen = EVERYTHING) -> Iterator[tuple[int, Judged]]:
    """Readings with their positions, in the order of the journal.

    Raises EvidenceError where a reading has no date, JournalCorrupt where the journal is damaged.
    """
    meaning = Meaning()
    meaning.offset_ahead_ms = first_offset_ms(journal)
    for row in journal.facts():
        if b'"fact":"reading"' not in row.body:
            if teaches(row.body):
                meaning.learn(row.arrival_ms, facts.decode(row.body))
            continue
        fact = facts.decode(row.body)
        if not isinstance(fact, Reading):
            continue
        try:
            judged = meaning.judged(row.arrival_ms, fact)
        except TimeUnknown as error:
            raise undated(row.position) from error
        if chosen.takes(judged.at_ms) and chosen.asset in (None, judged.asset):
            yield row.position, judged


def first_offset_ms(journal: Readable) -> int | None:
    """UTC minus journal time where it first became known; None if nobody ever vouched for the clock."""
    for learned in lessons(journal, 1):
        if isinstance(learned.fact, ClockSet) and learned.fact.offset_ms is not None:
            return learned.fact.offset_ms
    return None


def undated(position: int) -> EvidenceError:
    """What is said where a date is needed and there is none."""
    return EvidenceError(
        f"the fact at position {position} has no date: nobody ever vouched for the gateway's clock",
        "export it as JSON lines (a FILE that ends in .jsonl), which need none",
    )


def as_csv(found: Iterable[tuple[int, Judged]]) -> Iterator[bytes]:
    """Lines of CSV (RFC 4180 with line feeds), UTF-8, a heading first."""
    return tables.as_csv(COLUMNS, (_cells(position, judged) for position, judged in found))


def write_parquet(found: Iterable[tuple[int, Judged]], path: Path) -> None:
    """The same columns with types: `time` in ms UTC, `value` a double (exact: few digits), null if BAD.

    Raises EvidenceError if Polars is not installed or cannot write, and what reading the journal raises.
    """
    types = {"time": "time", "value": "number", "simulated": "boolean", "position": "integer"}
    tables.write_parquet(COLUMNS, types, (_typed(position, judged) for position, judged in found), path)


def instant(at_ms: int) -> str:
    """A UTC instant as these tables write it."""
    at = (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")
    return at.replace("+00:00", "Z")


def decimal(value: int, quantity: str) -> str:
    """A value in its quantity's display unit, with every digit that it has."""
    digits = decimals(quantity)
    whole, part = divmod(abs(value), 10**digits)
    return f"{'-' if value < 0 else ''}{whole}" + (f".{part:0{digits}}" if digits else "")


def decimals(quantity: str) -> int:
    """How many digits behind the point one quantum has in the display unit: quanta are decimal."""
    return len(str(QUANTITIES[quantity].per_display)) - 1


def _cells(position: int, judged: Judged) -> tuple[str, ...]:
    shown = judged.quality != BAD
    return (
        instant(judged.at_ms),
        judged.asset,
        judged.role,
        judged.channel,
        judged.source,
        judged.quantity,
        decimal(judged.value, judged.quantity) if shown else "",
        QUANTITIES[judged.quantity].display_unit if judged.quantity else "",
        QUALITIES[judged.quality],
        judged.reason,
        judged.origin.value,
        "true" if judged.simulated else "false",
        _printable(judged.raw),
        _printable(judged.raw_unit),
        str(position),
    )


def _typed(position: int, judged: Judged) -> tuple[object, ...]:
    cells: list[object] = list(_cells(position, judged))
    cells[0] = judged.at_ms
    cells[6] = None if judged.quality == BAD else judged.value / 10 ** decimals(judged.quantity)
    cells[11], cells[12], cells[13], cells[14] = judged.simulated, judged.raw, judged.raw_unit, position
    return tuple(cells)


def _printable(text: str) -> str:
    # A line end inside a field would make two lines of one reading for programs that read by lines.
    return text if text.isprintable() else text.encode("unicode_escape").decode()
