"""Which number is the day: decided by the file's own evidence, or not at all.

Evidence, in this order: what the heading says ("dd/mm/yyyy"); a number that can be no month; and a
change of date inside a regular log, which under the wrong reading would leap by weeks or years.
A custom of some country is no evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median_low

from coldchain.importers.refusal import Refused
from coldchain.importers.stamps import Civil

_ORDERS = {"first": ("YMD",), "last": ("DMY", "MDY"), "short": ("YMD", "DMY", "MDY")}
NAMES = {"YMD": "year first", "DMY": "day first", "MDY": "month first"}
#: How dates are announced in headings: day, month and year by the first letters of several languages.
_HEADING = re.compile(
    r"\b([dtj]{1,2}|m{1,2}|[yja]{2,4})([-/. ])([dtj]{1,2}|m{1,2})\2([yja]{2,4}|[dtj]{1,2})\b",
    re.IGNORECASE,
)
_LETTER = {"d": "D", "t": "D", "m": "M", "y": "Y", "a": "Y"}
#: A change of date tells nothing unless the log is regular around it.
_STEPS_MIN = 3
#: The wrong reading must leap at least this far: no gap of a running logger, but a month or a year.
_LEAP = timedelta(days=20)


@dataclass(frozen=True)
class Orders:
    """The order of day, month and year for each shape of date, and how it was found out."""

    of: dict[str, str]
    notes: tuple[str, ...]

    def wall_clock(self, cell: Civil) -> datetime | None:
        """The wall-clock time of a cell, or None if the order makes it no date."""
        return cell.under(self.of[cell.shape])


def orders(cells: Sequence[tuple[int, Civil]], heading: str = "", told: str | None = None) -> Orders:
    """Decide for all (line, cell) of a column; raises Refused where the file leaves it open."""
    found: dict[str, str] = {}
    notes: list[str] = []
    for shape in sorted({cell.shape for _, cell in cells}):
        of_shape = [(line, cell) for line, cell in cells if cell.shape == shape]
        order, why = _order(of_shape, _ORDERS[shape], heading, told)
        found[shape] = order
        if why:
            notes.append(f"dates are read {NAMES[order]}: {why}")
    return Orders(found, tuple(notes))


def _order(
    cells: list[tuple[int, Civil]], candidates: tuple[str, ...], heading: str, told: str | None
) -> tuple[str, str]:
    if len(candidates) == 1:
        return candidates[0], ""
    if told is not None:
        if told not in candidates:
            raise Refused(f"dates are said to be {NAMES[told]}, but their year stands last", line=cells[0][0])
        return told, "as told"
    if announced := _announced(heading, candidates):
        return announced, f"the heading says {heading!r}"
    left = [order for order in candidates if any(cell.under(order) for _, cell in cells)]
    refuters = {order: found for order in left if (found := _refuters(order, left, cells))}
    still = [order for order in left if order not in refuters]
    if not still:
        lines = sorted(found[0] for found in refuters.values())
        raise Refused(
            "dates contradict each other" if left else "no date fits any order of day, month and year",
            f"compare lines {', '.join(map(str, lines))}" if lines else "",
            line=cells[0][0],
        )
    running = _continuous(cells, left)
    if len(still) == 1:
        if not refuters:
            return still[0], "no date of the file fits otherwise"
        lines = sorted({line for found in refuters.values() for line in found})
        if (running is not None and running != still[0]) or _stray(cells, still[0], lines):
            raise Refused(
                f"line {lines[0]} can only be read {NAMES[still[0]]}, which does not go with its neighbours",
                "say which: --dates day-first, --dates month-first or --dates year-first",
                line=lines[0],
            )
        return still[0], f"line {lines[0]} has a number that is no month"
    if running is not None and running in still:
        others = " or ".join(NAMES[order] for order in still if order != running)
        return running, f"read {others}, the log would leap at a change of date"
    raise Refused(
        "dates can be read " + " or ".join(NAMES[order] for order in still),
        "say which: --dates day-first, --dates month-first or --dates year-first",
        line=cells[0][0],
    )


def _announced(heading: str, candidates: tuple[str, ...]) -> str | None:
    """The order that a heading spells out, if it is one that the cells can have."""
    match = _HEADING.search(heading)
    if match is None:
        return None
    words = [match[1].lower(), match[3].lower(), match[4].lower()]
    # "jj/mm/aaaa" is day first, "TT.MM.JJJJ" too: a j beside a year of its own, or beside a t, differs.
    year_is_j = "t" in "".join(words)
    order = "".join(
        ("Y" if year_is_j or len(word) == 4 else "D") if word[0] == "j" else _LETTER[word[0]]
        for word in words
    )
    return order if order in candidates else None


def _refuters(order: str, among: Iterable[str], cells: list[tuple[int, Civil]]) -> list[int]:
    """The lines whose date another order can read and this one cannot."""
    readable = {
        numbers: any(cell.under(other) for other in among) and not cell.under(order)
        for numbers, cell in {cell.numbers: cell for _, cell in cells}.items()
    }
    return [line for line, cell in cells if readable[cell.numbers]]


def _stray(cells: list[tuple[int, Civil]], order: str, refuters: list[int]) -> bool:
    """Whether the evidence is one single line that stands apart from a log which is regular otherwise."""
    interval = _interval(cells)
    if interval is None or len(refuters) != 1:
        return False
    at = next(index for index, (line, _) in enumerate(cells) if line == refuters[0])
    neighbours = cells[max(0, at - 1) : at + 2]
    steps = (_step(before, after, order) for (_, before), (_, after) in pairwise(neighbours))
    return not any(step is not None and abs(step) <= 3 * interval for step in steps)


def _continuous(cells: list[tuple[int, Civil]], candidates: list[str]) -> str | None:
    """The one order under which a regular log runs on over each change of date; None: no proof."""
    interval = _interval(cells)
    if interval is None:
        return None
    runs_on = []
    for order in candidates:
        readable = [cell for _, cell in cells if cell.under(order)]
        steps = [
            abs(step)
            for before, after in pairwise(readable)
            if before.numbers != after.numbers and (step := _step(before, after, order)) is not None
        ]
        if steps and max(steps) <= 3 * interval:
            runs_on.append(order)
        elif not steps or max(steps) < _LEAP:
            return None
    return runs_on[0] if len(runs_on) == 1 else None


def _interval(cells: list[tuple[int, Civil]]) -> timedelta | None:
    """The usual step between neighbours of one date, which no order changes; None: too few to say."""
    within = [
        abs(step)
        for (_, before), (_, after) in pairwise(cells)
        if before.numbers == after.numbers and (step := _of_day(after) - _of_day(before))
    ]
    return median_low(within) if len(within) >= _STEPS_MIN else None


def _of_day(cell: Civil) -> timedelta:
    return timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second, milliseconds=cell.millisecond)


def _step(before: Civil, after: Civil, order: str) -> timedelta | None:
    one, two = before.under(order), after.under(order)
    return two - one if one is not None and two is not None else None
