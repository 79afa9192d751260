"""A stuck value: identical to its last digit for too long, while readings keep coming.

A dead cable, a frozen gateway or a cached value look like this (a shipper at rest does not: its last digit
moves). Nothing is silent, so nothing else would say it.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from coldchain.plan import Stuck
from coldchain.rules.judge import Step, spelled
from coldchain.rules.judging import BAD, Band, Sample, Seen, missed
from coldchain.rules.spell import NONE, Spell, turn


class StuckState(Struct, frozen=True):
    """Since when all values lie between `low` and `high`; None: nothing was measured yet.

    head_ms: the newest sample that is in it.
    """

    since_ms: int | None = None
    head_ms: int = 0
    low: int = 0
    high: int = 0
    spell: Spell = NONE


def _start(rule: Stuck, seen: Seen, at_ms: int) -> StuckState:
    return StuckState()


def _on_sample(rule: Stuck, state: StuckState, seen: Seen, now: Sample) -> Step:
    """The run of like values goes on, or this one differs. A BAD reading or a gap mends no dead cable."""
    if now.quality == BAD:
        return state, ()
    state = _caught_up(rule, state, seen, now)
    before_ms = state.since_ms
    state = _with(rule, state, now)
    if before_ms is None or before_ms != state.since_ms:
        on: bool | None = False
    else:
        on = True if now.at_ms - before_ms >= rule.for_ms else None
    spell, changes = turn(rule.id, state.spell, on, now.at_ms, now.high)
    return replace(state, spell=spell), changes


def _with(rule: Stuck, state: StuckState, one: Sample) -> StuckState:
    """The run with one sample more, or the one that begins with it."""
    low, high = min(state.low, one.low), max(state.high, one.high)
    if state.since_ms is None or high - low > rule.tolerance:
        return StuckState(one.at_ms, one.at_ms, one.low, one.high, state.spell)
    return StuckState(state.since_ms, one.at_ms, low, high, state.spell)


def _caught_up(rule: Stuck, state: StuckState, seen: Seen, until: Sample) -> StuckState:
    """The state with the samples that lay in the calm band."""
    if state.since_ms is not None:
        for one in missed(seen, state.head_ms, until):
            if one.quality != BAD:
                state = _with(rule, state, one)
    return state


def _band(rule: Stuck, state: StuckState, seen: Seen) -> Band | None:
    """No run that begins now or has begun can be too long before the present one is."""
    if state.spell is not NONE or state.since_ms is None:
        return None
    return Band(until_ms=state.since_ms + rule.for_ms)


def _sync(rule: Stuck, state: StuckState, seen: Seen) -> StuckState:
    last = seen.last
    if last is None or state.since_ms is None or last.quality == BAD or last.at_ms <= state.head_ms:
        return state
    return _with(rule, _caught_up(rule, state, seen, last), last)


def _same(old: Stuck, new: Stuck) -> bool:
    return (old.for_ms, old.tolerance) == (new.for_ms, new.tolerance)


JUDGE = spelled(_start, _on_sample, _same, _band, _sync)
