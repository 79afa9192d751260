"""Abnormal boil-off: nitrogen is lost faster than this vessel loses it by itself.

Weight beats temperature: at an intact dewar 10 % of the weight is gone in days, at a leaking one in under an
hour, and the temperature moves hours (of a medium leak) or weeks (of an intact vessel) after the weight
(PMC6504988, abstract). The rule looks at the slope, so it needs no threshold of weight; a fill begins
anew. Without a known baseline the time before the window, since the last fill, tells it.
"""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct

from coldchain.plan import BoilOff
from coldchain.rules.judge import Step, spelled
from coldchain.rules.judging import GOOD, Sample, Seen
from coldchain.rules.line import fit
from coldchain.rules.spell import NONE, Spell, turn
from coldchain.rules.window import LEAST_PART, Window, begin, taken

_DAY_MS = 86_400_000


class BoilOffState(Struct, frozen=True):
    """The window of weighings since the last fill, and what was weighed before it."""

    window: Window
    spell: Spell = NONE


def _start(rule: BoilOff, seen: Seen, at_ms: int) -> BoilOffState:
    return BoilOffState(begin(at_ms))


def _on_sample(rule: BoilOff, state: BoilOffState, seen: Seen, now: Sample) -> Step:
    """Compare the loss of the window with what is normal for the vessel."""
    if now.quality != GOOD:
        return state, ()
    window, last = state.window, seen.last
    if last is not None and last.quality == GOOD and now.low - last.low >= rule.least:
        window = begin(now.at_ms)
    window = taken(window, seen, now, rule.window_ms)
    spell, changes = turn(rule.id, state.spell, abnormal(rule, window), now.at_ms, now.low)
    return BoilOffState(window, spell), changes


def abnormal(rule: BoilOff, window: Window) -> bool | None:
    """Whether the loss is too fast; None: the weighings do not tell yet.

    A loss of `least` is seen at once, however young the window: a torn vessel is empty in minutes.
    """
    line = fit(window.now)
    normal = baseline(rule, window)
    if line is None or normal is None:
        return None
    lost = -line.slope * window.span_ms
    if lost < rule.least:
        return False if window.span_ms * LEAST_PART >= rule.window_ms else None
    return -line.slope * 100 > normal * rule.percent


def baseline(rule: BoilOff, window: Window) -> Fraction | None:
    """The vessel's own loss, quanta per ms: as stated, else as weighed since the fill before the window."""
    if rule.baseline_per_day is not None:
        return Fraction(rule.baseline_per_day, _DAY_MS)
    before = fit(window.before)
    if before is None or window.tail_ms - window.began_ms < rule.window_ms:
        return None
    return -before.slope if before.slope < 0 else None


def _same(old: BoilOff, new: BoilOff) -> bool:
    return (old.percent, old.window_ms, old.least, old.baseline_per_day) == (
        new.percent,
        new.window_ms,
        new.least,
        new.baseline_per_day,
    )


JUDGE = spelled(_start, _on_sample, _same)
