"""Time outside in a picture: an excursion as it is, a budget as the pieces in which it was spent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from coldchain.plan import Budget, Limit
from coldchain.reports.judging import Found
from coldchain.reports.pictured import Stretch
from coldchain.reports.statistics import Point
from coldchain.rules import limit
from coldchain.rules.judging import BAD, GOOD, UNCERTAIN, Alone, Ended, Sample


def stretches(found: Iterable[Found], points: Sequence[Point], max_gap_ms: int, end_ms: int) -> list[Stretch]:
    """The stretches of what a fold found, those of a rule in order; what is open reaches to `end_ms`."""
    drawn: list[Stretch] = []
    for one in found:
        interval = one.interval
        until_ms = end_ms if interval.end_ms is None else interval.end_ms
        alarmed = interval.triggered_ms is not None
        whole = Stretch(one.rule.id, interval.start_ms, until_ms, alarmed)
        if isinstance(one.rule, Budget):
            drawn += [
                replace(whole, from_ms=max(from_ms, whole.from_ms), to_ms=min(to_ms, until_ms))
                for from_ms, to_ms in spent(one.rule, points, max_gap_ms, end_ms)
                if from_ms < until_ms and to_ms > interval.start_ms
            ] or [whole]
        else:
            drawn.append(whole)
    return drawn


def spent(rule: Budget, points: Sequence[Point], max_gap_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """When a budget's value was beyond its limit: found as the engine finds it, by a limit without a hold."""
    same = Limit(
        id=rule.id, role=rule.role, side=rule.side, limit=rule.limit, hold_ms=0, priority=rule.priority,
        cited=rule.cited, outside=rule.outside, crossing=rule.crossing,
    )  # fmt: skip
    state, seen = limit.IDLE, Alone(max_gap_ms)
    pieces: list[tuple[int, int]] = []
    for point in points:
        value = 0 if point.value is None else point.value
        quality = BAD if point.value is None else GOOD if point.good else UNCERTAIN
        if seen.last is not None and seen.last.at_ms == point.at_ms:
            continue  # the first of one instant is enough for a picture
        sample = Sample(point.at_ms, value, value, quality)
        state, changes = limit.on_sample(same, state, seen, sample)
        pieces += [
            (change.interval.start_ms, change.interval.end_ms)
            for change in changes
            if isinstance(change, Ended) and change.interval.end_ms is not None
        ]
        seen.last = sample
    if state.open is not None:
        pieces.append((state.open.start_ms, end_ms))
    return pieces
