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
from msgspec.structs import replace

from coldchain.plan import KineticMean, Outside
from coldchain.rules.judge import Step, spelled
from coldchain.rules.judging import GOOD, Band, Sample, Seen
from coldchain.rules.kinetic import Kinetic
from coldchain.rules.spell import NONE, Spell, turn


class MeanState(Struct, frozen=True):
    """Sums over the window from `tail_ms` to `head_ms`: weights times ms, and GOOD ms.

    warm_ms: the newest time at which a value above the limit counted, None: none is in the window.
    """

    tail_ms: int
    head_ms: int
    weighted: int = 0
    time_ms: int = 0
    warm_ms: int | None = None
    spell: Spell = NONE


@lru_cache(maxsize=16)
def kinetic(energy_kj_mol: str) -> Kinetic:
    """The weights of one activation energy, made once."""
    return Kinetic(Fraction(energy_kj_mol))


def _start(rule: KineticMean, seen: Seen, at_ms: int) -> MeanState:
    """What was measured of this product before the rule came into force counts."""
    begin = max(seen.since_ms, at_ms - rule.window_ms)
    weighted, time_ms = seen.weighed(begin, at_ms, kinetic(rule.energy_kj_mol).weight)
    warm = [dwell.end_ms for dwell in seen.dwells(begin, at_ms) if _is_warm(rule, dwell.sample)]
    return MeanState(begin, at_ms, weighted, time_ms, max(warm, default=None))


def _moved(rule: KineticMean, state: MeanState, seen: Seen, head: int, warm_ms: int | None) -> MeanState:
    """The window moved up to an instant: what it gains, less what leaves it."""
    weight = kinetic(rule.energy_kj_mol).weight
    tail = max(state.tail_ms, head - rule.window_ms)
    if tail >= state.head_ms:
        weighted, time_ms = seen.weighed(tail, head, weight)
    else:
        weighted, time_ms = seen.weighed(state.head_ms, head, weight)
        gone, gone_ms = seen.weighed(state.tail_ms, tail, weight)
        weighted += state.weighted - gone
        time_ms += state.time_ms - gone_ms
    if warm_ms is not None and warm_ms <= tail:
        warm_ms = None
    return MeanState(tail, head, weighted, time_ms, warm_ms, state.spell)


def _on_sample(rule: KineticMean, state: MeanState, seen: Seen, now: Sample) -> Step:
    """Move the window up to the sample, then compare its sums with the limit's."""
    last, warm_ms = seen.last, state.warm_ms
    if last is not None and _is_warm(rule, last):
        # A sample counts for its gap at the most: until then a warm one may be in the window still.
        warm_ms = min(now.at_ms, last.at_ms + seen.gap_ms)
    state = _moved(rule, state, seen, now.at_ms, warm_ms)
    full = state.head_ms - state.tail_ms >= rule.window_ms
    if now.quality != GOOD or not full or state.time_ms <= 0:
        return state, ()
    weights = kinetic(rule.energy_kj_mol)
    at = rule.outside is Outside.AT_OR_BEYOND
    on = weights.exceeds(state.weighted, state.time_ms, rule.limit, at=at)
    if not on and state.spell is NONE:
        return state, ()
    mean_c = weights.mean_c(state.weighted, state.time_ms)
    value = 0 if mean_c is None else int((mean_c * 1000).to_integral_value())
    worse = state.spell.open is not None and value > state.spell.open.extreme
    spell, changes = turn(rule.id, state.spell, on, now.at_ms, value, worse=worse)
    return replace(state, spell=spell), changes


def _is_warm(rule: KineticMean, sample: Sample) -> bool:
    """Whether a value makes a mean above the limit possible: on it or above, as the rule says."""
    return sample.quality == GOOD and sample.high > _edge(rule)


def _edge(rule: KineticMean) -> int:
    """The highest value that is not warm."""
    return rule.limit - 1 if rule.outside is Outside.AT_OR_BEYOND else rule.limit


def _band(rule: KineticMean, state: MeanState, seen: Seen) -> Band | None:
    """Below the limit for ever, while nothing in the window is above it; else while there is a margin.

    Cold that leaves raises the mean (20 × −5, 3 × 20, 60 × 5 °C). The margin is by how much the window's sum
    of weights stays below the limit's. In a ms it shrinks by what comes in beyond the limit's weight, and by
    what leaves below it: at the most by that weight, where what leaves weighs nothing. So warm values may be
    in the band, too, with half as much room again as the last one has above the limit.
    """
    last, high = seen.last, _edge(rule)
    if state.spell is not NONE:
        return None
    if last is not None and _is_warm(rule, last):
        high = last.high + (last.high - rule.limit) // 2
    elif state.warm_ms is None:
        return Band(high=high)
    weight = kinetic(rule.energy_kj_mol).weight
    margin = weight(rule.limit) * state.time_ms - state.weighted
    if margin <= 0:
        return None
    return Band(high=high, until_ms=state.head_ms + margin // max(weight(rule.limit), weight(high)))


def _sync(rule: KineticMean, state: MeanState, seen: Seen) -> MeanState:
    run, warm_ms = seen.skipped, state.warm_ms
    if _is_warm(rule, run.before):  # else none of them is: only then the band reaches above the limit
        for value, end_ms in zip((run.before.high, *run.high), run.at, strict=False):
            warm_ms = end_ms if value > _edge(rule) else warm_ms
    return _moved(rule, state, seen, run.last.at_ms, warm_ms)


def _same(old: KineticMean, new: KineticMean) -> bool:
    return (old.limit, old.window_ms, old.energy_kj_mol, old.outside) == (
        new.limit,
        new.window_ms,
        new.energy_kj_mol,
        new.outside,
    )


JUDGE = spelled(_start, _on_sample, _same, _band, _sync)
