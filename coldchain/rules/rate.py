"""A rate of change: so much within so long, however it is spread over that time.

"Rise of 5 °C within 10 min" is true as soon as the newest value lies 5 °C above any value of the 10 min
before it. Only GOOD values count, and a fall never hides a rise.
"""

from __future__ import annotations

from msgspec import Struct

from coldchain.model import Side
from coldchain.plan import Rate
from coldchain.rules.judge import Step, spelled
from coldchain.rules.judging import GOOD, Band, Sample, Seen
from coldchain.rules.spell import NONE, Spell, turn

_Edge = tuple[tuple[int, int], ...]


class RateState(Struct, frozen=True):
    """The values that may still be the lowest (of a rise) of the time to come, oldest and lowest first.

    For a fall all values stand with the other sign.
    """

    edge: _Edge = ()
    spell: Spell = NONE


def _start(rule: Rate, seen: Seen, at_ms: int) -> RateState:
    return RateState()


def _on_sample(rule: Rate, state: RateState, seen: Seen, now: Sample) -> Step:
    """Compare with the lowest of the time before, then take the value in."""
    if now.quality != GOOD:
        return state, ()
    rising = rule.side is Side.ABOVE
    value, lowest = (now.high, now.low) if rising else (-now.low, -now.high)
    edge = _since(state.edge, now.at_ms - rule.within_ms)
    on = bool(edge) and value - edge[0][1] >= rule.limit
    kept = _with(edge, now.at_ms, lowest)
    shown = now.high if rising else now.low
    open_ = state.spell.open
    worse = open_ is not None and (shown > open_.extreme if rising else shown < open_.extreme)
    spell, changes = turn(rule.id, state.spell, on, now.at_ms, shown, worse=worse)
    return RateState(kept, spell), changes


def _since(edge: _Edge, first_ms: int) -> _Edge:
    start = 0
    while start < len(edge) and edge[start][0] < first_ms:
        start += 1
    return edge[start:] if start else edge


def _with(edge: _Edge, at_ms: int, lowest: int) -> _Edge:
    end = len(edge)
    while end and edge[end - 1][1] >= lowest:
        end -= 1
    return (*edge[:end], (at_ms, lowest))


def _band(rule: Rate, state: RateState, seen: Seen) -> Band | None:
    """Values no further than a change from the lowest of the window can make no such change among them."""
    if state.spell is not NONE or not state.edge:
        return None
    lowest = state.edge[0][1]
    if rule.side is Side.ABOVE:
        return Band(lowest, lowest + rule.limit - 1)
    return Band(-lowest - rule.limit + 1, -lowest)


def _sync(rule: Rate, state: RateState, seen: Seen) -> RateState:
    run, edge = seen.skipped, state.edge
    lowest = run.low if rule.side is Side.ABOVE else [-value for value in run.high]
    for at_ms, value in zip(run.at, lowest, strict=True):
        edge = _with(_since(edge, at_ms - rule.within_ms), at_ms, value)
    return RateState(edge, state.spell)


def _same(old: Rate, new: Rate) -> bool:
    return (old.side, old.limit, old.within_ms) == (new.side, new.limit, new.within_ms)


JUDGE = spelled(_start, _on_sample, _same, _band, _sync)
