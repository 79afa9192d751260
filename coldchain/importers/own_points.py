"""What `coldchain export` wrote as line protocol, or a time series got from us, read back.

A point has what a row of the table has, but for the number as it was sent, its place in the journal, and
which way it came (docs/export.md); why a reading is not good stands in a point of its own, `not_good`.
A database that writes its points out again may write each field of a point as a line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from coldchain.evidence.meaning import UNKNOWN_CHANNEL
from coldchain.importers.line_protocol import Written, point
from coldchain.importers.loggerfile import LoggerFile, ReadAs
from coldchain.importers.own_table import OwnLine, OwnRow, file_of, row_of
from coldchain.importers.refusal import beginning
from coldchain.importers.stamps import Instant
from coldchain.importers.stamps import read as stamp
from coldchain.model import Origin, Quality, Reason
from coldchain.units import QUANTITIES

#: The tags of every reading, and of nothing that others write.
_TAGS = frozenset({"channel", "source", "origin", "simulated"})
_NOT_GOOD = "not_good"
#: As `coldchain.sinks.points` numbers them; they lie in other people's databases.
_QUALITIES = {0.0: Quality.BAD, 1.0: Quality.UNCERTAIN, 2.0: Quality.GOOD}


class _Point(NamedTuple):
    """A point of ours: where it stands, what it is about, what it says."""

    number: int
    text: str
    at_ms: int
    measurement: str
    tags: dict[str, str]
    fields: dict[str, str]


def is_own(lines: Sequence[str], told: ReadAs) -> bool:
    """Whether a text has such readings, and nothing was told that asks for another way of reading it."""
    if told.time_column or told.series_column:
        return False
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    return isinstance(point(first), Written) and any(
        each.measurement in QUANTITIES and each.fields.keys() <= {"value", "quality"}
        for _, each in _points([line for line in lines if ",simulated=" in line])  # few files have any
        if isinstance(each, _Point) and each.tags.keys() >= _TAGS
    )


def read(name: str, sha256: str, lines: Sequence[str], told: ReadAs) -> LoggerFile:
    """Read the points of an export. Raises Refused."""
    readings: list[_Point | OwnLine] = []
    open_points: dict[tuple[object, ...], _Point] = {}
    reasons: dict[tuple[object, ...], str] = {}
    others: Counter[str] = Counter()
    for number, found in _points(lines):
        if isinstance(found, str):
            readings.append(OwnLine(number, lines[number - 1], found))
        elif found.measurement == _NOT_GOOD:
            reason = found.tags.pop("reason", "")
            reasons[_series(found)] = reason
            if reason == UNKNOWN_CHANNEL:
                readings.append(found)
        elif found.measurement not in QUANTITIES:
            others[found.measurement] += 1
        else:
            key = (found.measurement, *_series(found))
            before = open_points.get(key)
            if before is not None and found.fields.items() <= before.fields.items():
                continue  # a repeat
            if before is not None and not before.fields.keys() & found.fields.keys():
                before.fields.update(found.fields)
            else:
                open_points[key] = found
                readings.append(found)
    parsed = [
        each if isinstance(each, OwnLine) else OwnLine(each.number, each.text, _row(each, reasons))
        for each in readings
    ]
    file = file_of(name, sha256, "readings exported as InfluxDB line protocol", parsed, told)
    for measurement, count in sorted(others.items(), reverse=True):
        file = file.with_note(f"no readings: {count} points of {measurement}")
    return file


def _points(lines: Sequence[str]) -> Iterator[tuple[int, _Point | str]]:
    """Every line that is no remark, with its number: a point, or why it is none."""
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        written = point(line)
        if isinstance(written, str):
            yield number, written
            continue
        at = stamp(written.time)
        assert isinstance(at, Instant)  # digits alone
        yield number, _Point(number, line, at.at_ms, *written.tags(), written.fields)


def _series(of: _Point) -> tuple[object, ...]:
    """By what a point of a reading and that of its reason belong together."""
    return of.at_ms, tuple(sorted(of.tags.items()))


def _row(of: _Point, reasons: dict[tuple[object, ...], str]) -> OwnRow | str:
    """A point as a row of the table, or why it is none."""

    def tag(name: str) -> str:
        return of.tags.get(name, "")

    if tag("simulated") not in ("true", "false"):
        return "simulated is not what an export writes"
    about = (of.at_ms, tag("asset"), tag("role"), tag("channel"), tag("source"))
    simulated = tag("simulated") == "true"
    if of.measurement == _NOT_GOOD:
        return row_of((*about, "", None, "", "", UNKNOWN_CHANNEL, tag("origin"), simulated))
    try:
        numbers = {name: float(text) for name, text in of.fields.items()}
    except ValueError:
        return f"{beginning(of.text)!r} holds what is no number"
    quality = _QUALITIES.get(numbers.get("quality", -1.0))
    if quality is None:
        return f"quality {of.fields.get('quality', '')!r} is not known"
    reason = reasons.get(_series(of), "")
    # How it came stands in no point, but that a broker had kept it, and nobody knows its age, in its reason.
    kept = reason == Reason.RETAINED_WITHOUT_TIME
    origin = Origin.RETAINED.value if kept else tag("origin")
    unit = QUANTITIES[of.measurement].display_unit
    value = numbers.get("value")
    return row_of((*about, of.measurement, value, unit, quality.value, reason, origin, simulated))
