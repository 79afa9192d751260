"""A rate of change: so much within so long, however it is spread over that time.

"Rise of 5 °C within 10 min" is true as soon as the newest value lies 5 °C above any value of the 10 min
before it. Only GOOD values count, and a fall never hides a rise.
"""

from __future__ import annotations

from msgspec import Struct

from coldchain.model import Side
from coldchain.plan import Rate
from coldchain.rules.judge import Step, spelled
from coldchain.rules.judging import GOOD, Sample, Seen
from coldchain.rules.spell import NONE, Spell, turn


class RateState(Struct, frozen=True):
    """The values that may still be the lowest (of a rise) of the time to come, oldest and lowest first.

    For a fall all values stand with the other sign.
    """

    edge: tuple[tuple[int, int], ...] = ()
    spell: Spell = NONE


def _start(rule: Rate, seen: Seen, at_ms: int) -> RateState:
    return RateState()


def _on_sample(rule: Rate, state: RateState, seen: Seen, now: Sample) -> Step:
    """Compare with the lowest of the time before, then take the value in."""
    if now.quality != GOOD:
        return state, ()
    rising = rule.side is Side.ABOVE
    value, lowest = (now.high, now.low) if rising else (-now.low, -now.high)
    first, edge = now.at_ms - rule.within_ms, state.edge
    start = 0
    while start < len(edge) and edge[start][0] < first:
        start += 1
    on = start < len(edge) and value - edge[start][1] >= rule.limit
    end = len(edge)
    while end > start and edge[end - 1][1] >= lowest:
        end -= 1
    kept = (*edge[start:end], (now.at_ms, lowest))
    shown = now.high if rising else now.low
    open_ = state.spell.open
    worse = open_ is not None and (shown > open_.extreme if rising else shown < open_.extreme)
    spell, changes = turn(rule.id, state.spell, on, now.at_ms, shown, worse=worse)
    return RateState(kept, spell), changes


def _same(old: Rate, new: Rate) -> bool:
    return (old.side, old.limit, old.within_ms) == (new.side, new.limit, new.within_ms)


JUDGE = spelled(_start, _on_sample, _same)
