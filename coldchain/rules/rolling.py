"""A budget within a rolling window: the sum of all time outside a limit during the last so many hours.

The sum takes in each ms outside and takes it back when it leaves the window, exactly. Its alarm comes at
the very ms at which the sum exceeds the allowance, and goes with the first GOOD reading inside the limit
that finds the sum within it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace as changed

from msgspec import Struct
from msgspec.structs import replace

from coldchain.model import Side
from coldchain.plan import Fires, Outside, Rolling
from coldchain.rules.judge import Judge, Step, spelled
from coldchain.rules.judging import BAD, GOOD, Band, Sample, Seen, evidence_outside, inside, value_for
from coldchain.rules.spell import NONE, Spell, turn


class RollingState(Struct, frozen=True):
    """What counts within the window from `tail_ms` to `head_ms`, in ms, and its furthest value."""

    tail_ms: int
    head_ms: int
    spent_ms: int = 0
    spell: Spell = NONE


def _start(rule: Rolling, seen: Seen, at_ms: int) -> RollingState:
    """What was outside of this product before the rule came into force counts."""
    begin = max(seen.since_ms, at_ms - rule.window_ms)
    return RollingState(begin, at_ms, _spent(rule, seen, begin, at_ms))


def _moved(rule: Rolling, state: RollingState, seen: Seen, head: int) -> RollingState:
    tail = max(state.tail_ms, head - rule.window_ms)
    if tail >= state.head_ms:
        return RollingState(tail, head, _spent(rule, seen, tail, head), state.spell)
    spent = state.spent_ms + _spent(rule, seen, state.head_ms, head) - _spent(rule, seen, state.tail_ms, tail)
    return RollingState(tail, head, spent, state.spell)


def spent_ms(rule: Rolling, state: RollingState, seen: Seen, at_ms: int) -> int:
    """What counts in the window that ends at an instant, for people to see."""
    return _moved(rule, state, seen, max(at_ms, state.head_ms)).spent_ms


def _band(rule: Rolling, state: RollingState, seen: Seen) -> Band | None:
    """Inside the limit nothing is spent, and what leaves the window only makes it less."""
    last = seen.last
    if state.spell is not NONE or last is None or evidence_outside(rule, last):
        return None
    if rule.charge_unmonitored and rule.fires is Fires.AT_DUE:
        return None  # the deadline of unmonitored time moves with each sample
    return inside(rule)


def _sync(rule: Rolling, state: RollingState, seen: Seen) -> RollingState:
    return _moved(rule, state, seen, seen.skipped.last.at_ms)


def _on_sample(rule: Rolling, state: RollingState, seen: Seen, now: Sample) -> Step:
    """Move the window up to the sample, then see whether too much is in it."""
    state = _moved(rule, state, seen, now.at_ms)
    out = evidence_outside(rule, now)
    if _exceeded(rule, state.spent_ms):
        on: bool | None = True
    else:
        on = False if now.quality == GOOD and not out else None
    if on is not True and state.spell is NONE:
        return state, ()
    open_ = state.spell.open
    value = value_for(rule, now) if out else (rule.limit if open_ is None else open_.extreme)
    worse = open_ is not None and (
        value > open_.extreme if rule.side is Side.ABOVE else value < open_.extreme
    )
    spell, changes = turn(rule.id, state.spell, on, now.at_ms, value, worse=worse)
    return replace(state, spell=spell), changes


def due_ms(rule: Rolling, state: RollingState, seen: Seen) -> int | None:
    """When the sum exceeds the allowance if nothing else arrives; what leaves meanwhile is taken off."""
    last = seen.last
    if rule.fires is not Fires.AT_DUE or state.spell.active or last is None:
        return None
    begin, counts_to = max(state.head_ms, last.at_ms), last.at_ms + seen.gap_ms
    out = evidence_outside(rule, last)
    if not out:
        if not rule.charge_unmonitored:
            return None
        begin = max(begin, counts_to) if last.quality == GOOD else begin
    needed = rule.allowance_ms - state.spent_ms + (rule.exceeded is Outside.BEYOND)
    at_ms = begin + max(0, needed)
    for left, right in _pieces(rule, seen, state.tail_ms, state.head_ms):
        if at_ms <= left + rule.window_ms:
            break
        at_ms += right - left  # as fast as the head gains it leaves at the tail: all of it must go first
    if not rule.charge_unmonitored and at_ms > counts_to:
        return None
    return at_ms


def on_due(rule: Rolling, state: RollingState, seen: Seen) -> Step:
    """Exceeded by time alone; the sums follow with the next sample."""
    at_ms = due_ms(rule, state, seen)
    if at_ms is None:
        return state, ()
    spell, changes = turn(rule.id, state.spell, on=True, at_ms=at_ms, value=_extreme(rule, seen))
    return replace(state, spell=spell), changes


def _extreme(rule: Rolling, seen: Seen) -> int:
    last = seen.last
    return value_for(rule, last) if last is not None and last.quality != BAD else rule.limit


def _spent(rule: Rolling, seen: Seen, from_ms: int, to_ms: int) -> int:
    return sum(right - left for left, right in _pieces(rule, seen, from_ms, to_ms))


def _pieces(rule: Rolling, seen: Seen, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
    """What counts within a span, in order: time outside, and unmonitored time if the profile charges it."""
    if to_ms <= from_ms:
        return
    reached = from_ms
    for dwell in seen.dwells(from_ms, to_ms):
        out = evidence_outside(rule, dwell.sample)
        if out or dwell.sample.quality == GOOD:
            if rule.charge_unmonitored and dwell.begin_ms > reached:
                yield reached, dwell.begin_ms
            if out:
                yield dwell.begin_ms, dwell.end_ms
            reached = dwell.end_ms
    if rule.charge_unmonitored and to_ms > reached:
        yield reached, to_ms


def _exceeded(rule: Rolling, spent_ms: int) -> bool:
    if rule.exceeded is Outside.AT_OR_BEYOND:
        return spent_ms >= rule.allowance_ms
    return spent_ms > rule.allowance_ms


def _same(old: Rolling, new: Rolling) -> bool:
    return _judged(old) == _judged(new)


def _judged(rule: Rolling) -> tuple[object, ...]:
    return (
        rule.side,
        rule.limit,
        rule.allowance_ms,
        rule.window_ms,
        rule.outside,
        rule.exceeded,
        rule.fires,
        rule.charge_unmonitored,
    )


JUDGE: Judge = changed(spelled(_start, _on_sample, _same, _band, _sync), due_ms=due_ms, on_due=on_due)
