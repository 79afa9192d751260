"""The time to a limit: where the straight line through the last readings meets it.

A warning ahead, for a person who still can do something; it never speaks for the limit itself. A line that
does not move by `least` within its window is no line. After a dry shipper has run empty its warming is
linear (Spijkers 2023, abstract), so a line is the right figure there.
"""

from __future__ import annotations

from msgspec import Struct

from coldchain.model import Side
from coldchain.plan import TimeToLimit
from coldchain.rules.judge import Step, spelled
from coldchain.rules.judging import GOOD, Sample, Seen
from coldchain.rules.line import fit
from coldchain.rules.spell import NONE, Spell, turn
from coldchain.rules.window import LEAST_PART, Window, begin, taken


class ForecastState(Struct, frozen=True):
    """The window of the line. `left_ms`: the time to the limit as told last, None where there is no line."""

    window: Window
    left_ms: int | None = None
    spell: Spell = NONE


def _start(rule: TimeToLimit, seen: Seen, at_ms: int) -> ForecastState:
    return ForecastState(begin(at_ms))


def _on_sample(rule: TimeToLimit, state: ForecastState, seen: Seen, now: Sample) -> Step:
    """Fit anew; the alarm goes when the limit is half as far again as the horizon, or there is no line."""
    if now.quality != GOOD:
        return state, ()
    window = taken(state.window, seen, now, rule.window_ms)
    left = left_ms(rule, window)
    far = rule.horizon_ms if state.spell.open is None else rule.horizon_ms * 3 // 2
    on: bool | None = left is not None and left <= far
    if window.span_ms * LEAST_PART < rule.window_ms:
        on = None
    value = now.high if rule.side is Side.ABOVE else now.low
    spell, changes = turn(rule.id, state.spell, on, now.at_ms, value)
    return ForecastState(window, left, spell), changes


def left_ms(rule: TimeToLimit, window: Window) -> int | None:
    """The time from the newest reading until the line reaches the limit, rounded down; None: never."""
    line = fit(window.now)
    if line is None or window.span_ms * LEAST_PART < rule.window_ms:
        return None
    toward = line.slope if rule.side is Side.ABOVE else -line.slope
    if toward <= 0 or toward * window.span_ms < rule.least:
        return None
    here = line.at(window.head_ms - window.origin_ms)
    distance = rule.limit - here if rule.side is Side.ABOVE else here - rule.limit
    return max(0, int(distance / toward))


def _same(old: TimeToLimit, new: TimeToLimit) -> bool:
    return (old.side, old.limit, old.horizon_ms, old.window_ms, old.least) == (
        new.side,
        new.limit,
        new.horizon_ms,
        new.window_ms,
        new.least,
    )


JUDGE = spelled(_start, _on_sample, _same)
