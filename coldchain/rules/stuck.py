"""A stuck value: identical to its last digit for too long, while readings keep coming.

A dead cable, a frozen gateway or a cached value look like this (a shipper at rest does not: its last digit
moves). Nothing is silent, so nothing else would say it.
"""

from __future__ import annotations

from msgspec import Struct

from coldchain.plan import Stuck
from coldchain.rules.judge import Step, spelled
from coldchain.rules.judging import BAD, Sample, Seen
from coldchain.rules.spell import NONE, Spell, turn


class StuckState(Struct, frozen=True):
    """Since when all values lie between `low` and `high`; None: nothing was measured yet."""

    since_ms: int | None = None
    low: int = 0
    high: int = 0
    spell: Spell = NONE


def _start(rule: Stuck, seen: Seen, at_ms: int) -> StuckState:
    return StuckState()


def _on_sample(rule: Stuck, state: StuckState, seen: Seen, now: Sample) -> Step:
    """The run of like values goes on, or this one differs. A BAD reading or a gap mends no dead cable."""
    if now.quality == BAD:
        return state, ()
    low, high = min(state.low, now.low), max(state.high, now.high)
    if state.since_ms is None or high - low > rule.tolerance:
        spell, changes = turn(rule.id, state.spell, on=False, at_ms=now.at_ms, value=now.high)
        return StuckState(now.at_ms, now.low, now.high, spell), changes
    stuck = now.at_ms - state.since_ms >= rule.for_ms
    if not stuck and state.spell.open is None and (low, high) == (state.low, state.high):
        return state, ()
    spell, changes = turn(rule.id, state.spell, True if stuck else None, now.at_ms, now.high)
    return StuckState(state.since_ms, low, high, spell), changes


def _same(old: Stuck, new: Stuck) -> bool:
    return (old.for_ms, old.tolerance) == (new.for_ms, new.tolerance)


JUDGE = spelled(_start, _on_sample, _same)
