"""The nitrogen left: how long it lasts, with its uncertainty, against the time still to travel.

A charged shipper's mass falls linearly (Spijkers 2023, abstract), so what is above empty, divided by the
slope of the last weighings, is the hold that is left. The slope has an error; two of them to either side
(a coverage factor of 2, about 95 %) make the hold an interval, and the shorter end is judged: it must last
until arrival plus the reserve. On its side a shipper can lose 60 % of its hold in hours: the slope shows it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from coldchain.plan import HoldLeft
from coldchain.rules.judge import Step, spelled
from coldchain.rules.judging import GOOD, Sample, Seen
from coldchain.rules.line import fit
from coldchain.rules.spell import NONE, Spell, turn
from coldchain.rules.window import LEAST_PART, Window, begin, taken

#: Coverage factor of the slope's uncertainty (GUM: about 95 %).
COVERAGE = 2


class Left(NamedTuple):
    """How long the nitrogen lasts from the newest weighing on, in ms; `most_ms` None: no end in sight."""

    least_ms: int
    most_ms: int | None


class HoldState(Struct, frozen=True):
    """The window of weighings since the last fill."""

    window: Window
    spell: Spell = NONE


def _start(rule: HoldLeft, seen: Seen, at_ms: int) -> HoldState:
    return HoldState(begin(at_ms))


def _on_sample(rule: HoldLeft, state: HoldState, seen: Seen, now: Sample) -> Step:
    """Fit anew and compare with what is needed from here on; a fill begins anew."""
    if now.quality != GOOD:
        return state, ()
    window, last = state.window, seen.last
    if last is not None and last.quality == GOOD and now.low - last.low >= rule.least:
        window = begin(now.at_ms)
    window = taken(window, seen, now, rule.window_ms)
    left = left_of(rule, window)
    on = None if left is None else left.least_ms < needed_ms(rule, now.at_ms)
    spell, changes = turn(rule.id, state.spell, on, now.at_ms, now.low)
    return replace(state, window=window, spell=spell), changes


def needed_ms(rule: HoldLeft, at_ms: int) -> int:
    """How long it must last: until the expected arrival, if it is known, and the reserve."""
    travel = 0 if rule.eta_ms is None else max(0, rule.eta_ms - at_ms)
    return travel + rule.reserve_ms


def left_of(rule: HoldLeft, window: Window) -> Left | None:
    """How long the nitrogen lasts; None: the weighings do not tell yet, or nobody said what empty is."""
    line = fit(window.now)
    if rule.empty is None or line is None or window.span_ms * LEAST_PART < rule.window_ms:
        return None
    above = line.at(window.head_ms - window.origin_ms) - rule.empty
    if above <= 0:
        return Left(0, 0)
    # What is lost too slowly to be seen in the window is not lost faster than the least that would be seen.
    unseen = Fraction(rule.least, max(1, window.span_ms))
    loss, error = -line.slope, COVERAGE * line.error
    fast, slow = max(loss + error, unseen), loss - error
    return Left(int(above / fast), int(above / slow) if slow > unseen else None)


def _same(old: HoldLeft, new: HoldLeft) -> bool:
    return (old.reserve_ms, old.window_ms, old.least, old.empty, old.eta_ms) == (
        new.reserve_ms,
        new.window_ms,
        new.least,
        new.empty,
        new.eta_ms,
    )


JUDGE = spelled(_start, _on_sample, _same)
