"""A spike: one reading that jumps further than anything here can change between two readings.

It asks to look at the probe, the cable and the lid. The reading itself is judged like any other: a jump
may be the truth.
"""

from __future__ import annotations

from msgspec import Struct

from coldchain.plan import Spike
from coldchain.rules.judge import Step, spelled
from coldchain.rules.judging import GOOD, Band, Sample, Seen
from coldchain.rules.spell import NONE, Spell, turn


class SpikeState(Struct, frozen=True):
    """Nothing but the spell: the sample before is all there is to compare with."""

    spell: Spell = NONE


def _start(rule: Spike, seen: Seen, at_ms: int) -> SpikeState:
    return SpikeState()


def _on_sample(rule: Spike, state: SpikeState, seen: Seen, now: Sample) -> Step:
    """There is a jump between two GOOD neighbours, or the next one shows that there is none any more."""
    last = seen.last
    if now.quality != GOOD or last is None or last.quality != GOOD or now.at_ms - last.at_ms > seen.gap_ms:
        return state, ()
    jump = max(now.high - last.low, last.high - now.low)
    if jump <= rule.limit and state.spell is NONE:
        return state, ()
    spell, changes = turn(rule.id, state.spell, jump > rule.limit, now.at_ms, now.high)
    return SpikeState(spell), changes


def _band(rule: Spike, state: SpikeState, seen: Seen) -> Band | None:
    """Two values that both lie within half a jump of the last one are less than a jump apart."""
    last = seen.last
    if state.spell is not NONE or last is None or last.quality != GOOD:
        return None
    return Band(last.high - rule.limit // 2, last.low + rule.limit // 2)


def _same(old: Spike, new: Spike) -> bool:
    return old.limit == new.limit


JUDGE = spelled(_start, _on_sample, _same, _band)
