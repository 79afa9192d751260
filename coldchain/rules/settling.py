"""A rule that waits for its probe to settle after a product was put in.

It is ended by value, not only by time: the first GOOD reading on the inner side begins the judging. A limit
of time stays, or a product put in warm would never be judged. Until then nothing is "fine": the rule says
that it waits.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from coldchain.model import Side
from coldchain.plan import Rule, Settle
from coldchain.rules.judge import Judge, Step
from coldchain.rules.judging import GOOD, Interval, Run, Sample, Seen


class Settling(Struct, frozen=True):
    """The rule has not begun to judge, and does at the latest at `until_ms`."""

    until_ms: int


class _First:
    """The past as it was, but none of it counts: the sample that ends the settling is the first judged.

    What was warm before it was the probe and not the product. A sum over a window must not hold it, either.
    """

    last = None

    def __init__(self, seen: Seen, settled_ms: int) -> None:
        self.gap_ms = seen.gap_ms
        self.since_ms = settled_ms
        self.dwells = seen.dwells
        self.weighed = seen.weighed
        self._seen = seen

    @property
    def skipped(self) -> Run:
        """What is taken in before a rule is asked is no sample before either."""
        return self._seen.skipped


def settling(inner: Judge) -> Judge:
    """The same kind of rule, with a time to settle before it."""

    def start(rule: Rule, seen: Seen, at_ms: int) -> Step:
        return Settling(at_ms + _of(rule).max_ms), ()

    def on_sample(rule: Rule, state: Any, seen: Seen, now: Sample) -> Step:
        if not isinstance(state, Settling):
            return inner.on_sample(rule, state, seen, now)
        if now.quality != GOOD or not _inside(_of(rule), now):
            return state, ()
        first = _First(seen, now.at_ms)
        begun, changes = inner.start(rule, first, now.at_ms)
        judged, more = inner.on_sample(rule, begun, first, now)
        return judged, (*changes, *more)

    def due_ms(rule: Rule, state: Any, seen: Seen) -> int | None:
        return state.until_ms if isinstance(state, Settling) else inner.due_ms(rule, state, seen)

    def on_due(rule: Rule, state: Any, seen: Seen) -> Step:
        if isinstance(state, Settling):
            return inner.start(rule, seen, state.until_ms)
        return inner.on_due(rule, state, seen)

    def settle(rule: Rule, state: Any, seen: Seen, at_ms: int) -> Step:
        return (state, ()) if isinstance(state, Settling) else inner.settle(rule, state, seen, at_ms)

    def reconfigure(old: Rule, new: Rule, state: Any, seen: Seen, at_ms: int) -> Step:
        return (state, ()) if isinstance(state, Settling) else inner.reconfigure(old, new, state, seen, at_ms)

    def end(rule: Rule, state: Any, seen: Seen, at_ms: int, why: str) -> Step:
        return (state, ()) if isinstance(state, Settling) else inner.end(rule, state, seen, at_ms, why)

    def resume(rule: Rule, left: Any, seen: Seen, at_ms: int) -> Step:
        return (
            start(rule, seen, at_ms) if isinstance(left, Settling) else inner.resume(rule, left, seen, at_ms)
        )

    def standing(rule: Rule, state: Any, seen: Seen, at_ms: int) -> Interval | None:
        return None if isinstance(state, Settling) else inner.standing(rule, state, seen, at_ms)

    return Judge(
        start=start,
        on_sample=on_sample,
        due_ms=due_ms,
        on_due=on_due,
        same=inner.same,
        settle=settle,
        reconfigure=reconfigure,
        end=end,
        resume=resume,
        standing=standing,
        active=lambda state: not isinstance(state, Settling) and inner.active(state),
        shows=lambda rule, state, now: not isinstance(state, Settling) and inner.shows(rule, state, now),
        band=lambda rule, state, seen: None if isinstance(state, Settling) else inner.band(rule, state, seen),
        sync=lambda rule, state, seen: (
            state if isinstance(state, Settling) else inner.sync(rule, state, seen)
        ),
    )


def _of(rule: Rule) -> Settle:
    assert rule.settle is not None
    return rule.settle


def _inside(settle: Settle, now: Sample) -> bool:
    return now.high <= settle.to if settle.side is Side.ABOVE else now.low >= settle.to
