"""The mean kinetic temperature of a rolling window, exact while it streams.

The window's sums take in what counts and take back exactly that when it leaves: integers, so there is no
drift after a year. Time without GOOD readings is not in the mean. It is judged when the window is full
for the first time: a mean over the first warm minutes would say nothing of a day.

High side only, and never to excuse cold (domain: 22 h at 5 °C and 2 h at −2 °C give 4.6 °C).
Windows: 24 h for refrigerated, 30 days for controlled room temperature, the excursion included:
PF 44(4) stimuli abstract, <1079.2>.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from msgspec import Struct

from coldchain.plan import KineticMean, Outside
from coldchain.rules.judge import Step, spelled
from coldchain.rules.judging import GOOD, Sample, Seen
from coldchain.rules.kinetic import Kinetic
from coldchain.rules.spell import NONE, Spell, turn


class MeanState(Struct, frozen=True):
    """Sums over the window from `tail_ms` to `head_ms`: weights times ms, and GOOD ms."""

    tail_ms: int
    head_ms: int
    weighted: int = 0
    time_ms: int = 0
    spell: Spell = NONE


@lru_cache(maxsize=16)
def kinetic(energy_kj_mol: str) -> Kinetic:
    """The weights of one activation energy, made once."""
    return Kinetic(Fraction(energy_kj_mol))


def _start(rule: KineticMean, seen: Seen, at_ms: int) -> MeanState:
    """What was measured of this product before the rule came into force counts."""
    begin = max(seen.since_ms, at_ms - rule.window_ms)
    weighted, time_ms = _sum(rule, seen, begin, at_ms)
    return MeanState(begin, at_ms, weighted, time_ms)


def _on_sample(rule: KineticMean, state: MeanState, seen: Seen, now: Sample) -> Step:
    """Move the window up to the sample, then compare its sums with the limit's."""
    head = now.at_ms
    tail = max(state.tail_ms, head - rule.window_ms)
    weighted, time_ms = _sum(rule, seen, state.head_ms, head)
    gone, gone_ms = _sum(rule, seen, state.tail_ms, tail)
    weighted += state.weighted - gone
    time_ms += state.time_ms - gone_ms
    spell = state.spell
    full = head - rule.window_ms >= seen.since_ms
    if now.quality != GOOD or not full or time_ms <= 0:
        return MeanState(tail, head, weighted, time_ms, spell), ()
    weights = kinetic(rule.energy_kj_mol)
    on = weights.exceeds(weighted, time_ms, rule.limit, at=rule.outside is Outside.AT_OR_BEYOND)
    if not on and spell is NONE:
        return MeanState(tail, head, weighted, time_ms, spell), ()
    mean_c = weights.mean_c(weighted, time_ms)
    value = 0 if mean_c is None else int((mean_c * 1000).to_integral_value())
    worse = spell.open is not None and value > spell.open.extreme
    spell, changes = turn(rule.id, spell, on, head, value, worse=worse)
    return MeanState(tail, head, weighted, time_ms, spell), changes


def _sum(rule: KineticMean, seen: Seen, from_ms: int, to_ms: int) -> tuple[int, int]:
    if to_ms <= from_ms:
        return 0, 0
    weight = kinetic(rule.energy_kj_mol).weight
    weighted = time_ms = 0
    for dwell in seen.dwells(from_ms, to_ms):
        if dwell.sample.quality == GOOD:
            span = dwell.end_ms - dwell.begin_ms
            weighted += weight(dwell.sample.high) * span
            time_ms += span
    return weighted, time_ms


def _same(old: KineticMean, new: KineticMean) -> bool:
    return (old.limit, old.window_ms, old.energy_kj_mol, old.outside) == (
        new.limit,
        new.window_ms,
        new.energy_kj_mol,
        new.outside,
    )


JUDGE = spelled(_start, _on_sample, _same)
