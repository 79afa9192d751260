"""Lines of a log that lie in the future: their time is wrong, and which it was nobody knows."""

from __future__ import annotations

from dataclasses import replace

from coldchain.importers.loggerfile import LoggerFile, Series, Value
from coldchain.importers.refusal import Refused, Unread

#: A logger's clock may be ahead of ours by the difference between two clocks.
AHEAD_MS = 60_000


def without_future(file: LoggerFile, now_ms: int) -> LoggerFile:
    """The file without readings from the future, each of them named; raises Refused if no other is left."""
    unread: list[Unread] = []
    series = [_kept(one, now_ms + AHEAD_MS, unread) for one in file.series]
    if not unread:
        return file
    if not any(one.values for one in series):
        raise Refused(
            "all of its readings lie in the future: its clock is wrong, or its zone",
            "compare the logger's clock with a right one, and say its zone with --tz",
        )
    named = sorted((*file.unread, *unread), key=lambda one: (one.line, one.field))
    return replace(file, series=tuple(one for one in series if one.values), unread=tuple(named))


def _kept(series: Series, until_ms: int, unread: list[Unread]) -> Series:
    kept: list[Value] = []
    for value in series.values:
        if value.at_ms <= until_ms:
            kept.append(value)
        elif not value.estimated:
            unread.append(Unread(value.line, series.title, value.raw, "lies in the future"))
    return replace(series, values=tuple(kept))
