"""An independent judge, written from the contract and not from the code: all readings at once, in
event order, one millisecond state at a time where it matters. Slow, plain, and shares nothing with
the engine.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class R:
    """A reading: time, value in quanta (None: BAD), whether it is in doubt."""

    t: int
    v: int | None
    doubt: bool = False


def reduce_by_time(readings: list[R], above: bool) -> list[R]:
    """One per millisecond: GOOD before UNCERTAIN before BAD, then the one furthest outside."""
    best: dict[int, R] = {}
    for r in readings:
        rank = (2 if r.v is None else 1 if r.doubt else 0, 0 if r.v is None else (-r.v if above else r.v))
        held = best.get(r.t)
        if held is None:
            best[r.t] = r
            continue
        held_rank = (
            2 if held.v is None else 1 if held.doubt else 0,
            0 if held.v is None else (-held.v if above else held.v),
        )
        if rank < held_rank:
            best[r.t] = r
    return [best[t] for t in sorted(best)]


def excursions(
    readings: list[R],
    *,
    above: bool,
    limit: int,
    at_limit_is_out: bool,
    deadband: int,
    hold: int,
    at_due: bool,
    end_of_time: int,
) -> list[tuple[int, int | None, int | None]]:
    """(start, triggered, end) of every interval outside, step crossing."""

    def out(v: int, edge: int) -> bool:
        if v == edge:
            return at_limit_is_out
        return v > edge if above else v < edge

    shifted = limit - deadband if above else limit + deadband
    found: list[tuple[int, int | None, int | None]] = []
    series = reduce_by_time(readings, above)
    i = 0
    while i < len(series):
        r = series[i]
        if r.v is None or not out(r.v, limit):
            i += 1
            continue
        start, end = r.t, None
        last_out = r.t
        completing = r.t if hold == 0 else None
        j = i + 1
        while j < len(series):
            q = series[j]
            if q.v is not None and out(q.v, shifted):
                last_out = q.t
                if completing is None and q.t - start >= hold:
                    completing = q.t
            elif q.v is not None and not q.doubt:
                end = q.t
                break
            j += 1
        del last_out
        if at_due:
            reached = end if end is not None else end_of_time
            triggered = start + hold if start + hold <= reached else None
        else:
            triggered = completing
        found.append((start, triggered, end))
        i = j + 1
    return found


def time_outside(
    readings: list[R], *, above: bool, limit: int, at_limit_is_out: bool, max_gap: int, until: int
) -> int:
    """Total monitored time beyond the limit, up to `until`."""
    series = reduce_by_time(readings, above)
    total = 0
    for i, r in enumerate(series):
        if r.v is None:
            continue
        is_out = at_limit_is_out if r.v == limit else (r.v > limit if above else r.v < limit)
        if is_out:
            following = series[i + 1].t if i + 1 < len(series) else until
            total += min(following, r.t + max_gap) - r.t
    return total
