"""Where lines without a readable time stood."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from statistics import median_low

from coldchain.importers.loggerfile import Value
from coldchain.model import Reason


def placed(values: Sequence[Value | None], lines: Sequence[int]) -> list[Value]:
    """All lines of a series in the file's order, each with a time; `lines` are their numbers.

    A lost line (None) stood between two others, so the time from the earlier of them on is not
    vouched for; at either end of a file it stood about one interval beyond. If no line has a time,
    there is nothing to place.
    """
    known = [value.at_ms for value in values if value is not None]
    if not known:
        return []
    steps = [after - before for before, after in pairwise(known) if after != before]
    interval = median_low(map(abs, steps)) if steps else 1
    sign = 1 if sum(step > 0 for step in steps) >= sum(step < 0 for step in steps) else -1
    found: list[Value] = []
    for lost, group in groupby(range(len(values)), key=lambda index: values[index] is None):
        indices = list(group)
        if not lost:
            found += [value for index in indices if (value := values[index]) is not None]
            continue
        before = values[indices[0] - 1] if indices[0] else None
        after = values[indices[-1] + 1] if indices[-1] + 1 < len(values) else None
        for step, index in enumerate(indices, start=1):
            if before is not None and after is not None:
                at_ms = min(before.at_ms, after.at_ms) + 1
            elif before is not None:
                at_ms = before.at_ms + sign * step * interval
            else:
                assert after is not None, "some line has a time"
                at_ms = after.at_ms - sign * (len(indices) - step + 1) * interval
            found.append(Value(at_ms, "", lines[index], Reason.BAD_TIME, estimated=True))
    return found
