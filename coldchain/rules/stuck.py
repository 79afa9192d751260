"""A stuck value: identical to its last digit for too long, while readings keep coming.

A dead cable, a frozen gateway or a cached value look like this (a shipper at rest does not: its last digit
moves). Nothing is silent, so nothing else would say it.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from coldchain.plan import Stuck
from coldchain.rules.judge import Step, spelled
from coldchain.rules.judging import BAD, Band, Sample, Seen
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
    before_ms = state.since_ms
    state = _with(rule, state, now.at_ms, now.low, now.high)
    if before_ms is None or before_ms != state.since_ms:
        on: bool | None = False
    else:
        on = True if now.at_ms - before_ms >= rule.for_ms else None
    spell, changes = turn(rule.id, state.spell, on, now.at_ms, now.high)
    return replace(state, spell=spell), changes


def _with(rule: Stuck, state: StuckState, at_ms: int, low: int, high: int) -> StuckState:
    """The run with one sample more, or the one that begins with it."""
    least, most = min(state.low, low), max(state.high, high)
    if state.since_ms is None or most - least > rule.tolerance:
        return StuckState(at_ms, low, high, state.spell)
    return StuckState(state.since_ms, least, most, state.spell)


def _band(rule: Stuck, state: StuckState, seen: Seen) -> Band | None:
    """No run that begins now or has begun can be too long before the present one is."""
    if state.spell is not NONE or state.since_ms is None:
        return None
    return Band(until_ms=state.since_ms + rule.for_ms)


def _sync(rule: Stuck, state: StuckState, seen: Seen) -> StuckState:
    run = seen.skipped
    for at_ms, low, high in zip(run.at, run.low, run.high, strict=True):
        state = _with(rule, state, at_ms, low, high)
    return state


def _same(old: Stuck, new: Stuck) -> bool:
    return (old.for_ms, old.tolerance) == (new.for_ms, new.tolerance)


JUDGE = spelled(_start, _on_sample, _same, _band, _sync)
