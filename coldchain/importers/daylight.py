"""From a device's wall clock to UTC: hours that daylight saving repeats or leaves out.

An hour that a zone left out never happened there: a log that holds it was not kept by that zone's
clock, and is refused. An hour that a zone repeated happened twice: which one a line means must follow
from the file, by a step back where the hour begins anew or by a log so regular that only one reading
keeps its interval; else the file is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise
from statistics import median_low

from coldchain.importers.refusal import Refused
from coldchain.importers.stamps import epoch_ms

#: A regular log keeps every step within half a usual step of it, around the repeated hour too.
_STRAY = 0.5
#: Fewer steps than these make no regular log.
_STEPS_MIN = 3
#: So many more steps one way than the other show which way the lines run.
_MAJORITY = 2
_MEND = "if its clock does not follow daylight saving, name its fixed offset, such as --tz +01:00"


@dataclass(frozen=True, slots=True)
class _Local:
    """One line's time in both readings: `first` and `second` are ms UTC, equal where there is no doubt."""

    line: int
    wall: datetime
    first: int
    second: int


def to_utc(times: Sequence[tuple[int, datetime]], zone: tzinfo) -> tuple[list[int], list[str]]:
    """Times in ms UTC for all (line, wall clock) in the file's order, and notes; raises Refused."""
    local = [_local(line, wall, zone) for line, wall in times]
    doubtful = [entry.first != entry.second for entry in local]
    if not any(doubtful):
        return [entry.first for entry in local], []
    backwards = _runs_backwards(local)
    if backwards:
        local.reverse()
        doubtful.reverse()
    interval = _interval(local, doubtful)
    found: list[int] = []
    notes: list[str] = []
    start = 0
    while start < len(local):
        end = start
        while end < len(local) and doubtful[end]:
            end += 1
        if end > start:
            run = local[start:end]
            entered = found[-1] if found else None
            left = local[end].first if end < len(local) else None
            switch, why = _switch(run, entered, left, interval)
            found += [entry.first for entry in run[:switch]] + [entry.second for entry in run[switch:]]
            notes.append(f"the hour that daylight saving repeats (from line {run[0].line} on): {why}")
            start = end
        else:
            found.append(local[start].first)
            start += 1
    return (found[::-1] if backwards else found), notes


def _local(line: int, wall: datetime, zone: tzinfo) -> _Local:
    first = wall.replace(tzinfo=zone, fold=0)
    second = wall.replace(tzinfo=zone, fold=1)
    before, after = first.utcoffset(), second.utcoffset()
    assert before is not None, "a zone knows its offset"
    assert after is not None
    if before < after:
        raise Refused(
            f"{wall:%Y-%m-%d %H:%M:%S} never happened in {zone}: its clocks leapt over that hour",
            _MEND,
            line=line,
        )
    return _Local(line, wall, epoch_ms(first), epoch_ms(second))


def _runs_backwards(local: list[_Local]) -> bool:
    """Whether the newest line comes first; the repeated hour itself makes one step the other way."""
    steps = [after.first - before.first for before, after in pairwise(local)]
    back, forth = sum(step < 0 for step in steps), sum(step > 0 for step in steps)
    if steps and abs(back - forth) < _MAJORITY:
        at = next(entry for entry in local if entry.first != entry.second)
        raise Refused(
            f"{at.wall:%Y-%m-%d %H:%M} happened twice, and too few lines show their order", _MEND, at.line
        )
    return back > forth


def _interval(local: list[_Local], doubtful: list[bool]) -> int | None:
    """The usual step in ms, from steps that either reading leaves alike; None: too few to say."""
    steps = [
        after.first - before.first
        for (before, one), (after, two) in pairwise(zip(local, doubtful, strict=True))
        if one == two and after.first > before.first
    ]
    return median_low(steps) if len(steps) >= _STEPS_MIN else None


def _switch(
    run: list[_Local], entered: int | None, left: int | None, interval: int | None
) -> tuple[int, str]:
    """How many lines of a run belong to the hour's first passage, and how that is known."""
    back = [index for index, (a, b) in enumerate(pairwise(run), start=1) if b.wall < a.wall]
    if len(back) == 1:
        return back[0], f"the log steps back at line {run[back[0]].line}, so it begins anew there"
    if not back and interval is not None:
        fitting = [at for at in range(len(run) + 1) if _keeps_step(run, at, entered, left, interval)]
        if len(fitting) == 1 and (entered is not None or left is not None):
            return fitting[0], "only one reading keeps the log's interval"
    raise Refused(
        f"{run[0].wall:%Y-%m-%d %H:%M} happened twice and the log does not tell which is meant",
        _MEND,
        line=run[0].line,
    )


def _keeps_step(run: list[_Local], at: int, entered: int | None, left: int | None, interval: int) -> bool:
    times = [entry.first for entry in run[:at]] + [entry.second for entry in run[at:]]
    around = ([] if entered is None else [entered]) + times + ([] if left is None else [left])
    return all(abs(b - a - interval) < _STRAY * interval for a, b in pairwise(around))
