"""What a kind of rule is: the functions by which it judges, in one frozen table.

Most kinds are a condition that is there or not at a sample (`rules/spell.py`); for those `spelled` fills in
all that is the same for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from coldchain.rules import spell as spells
from coldchain.rules.judging import LIMITS_CHANGED, Band, Change, Interval, Sample, Seen

Step = tuple[Any, tuple[Change, ...]]


@dataclass(frozen=True)
class Judge:
    """One kind of rule. `seen` is what was measured before; all times are event times of the channel."""

    #: (rule, seen, at_ms): comes into force.
    start: Callable[[Any, Seen, int], Step]
    #: (rule, state, seen, now): one sample more. The very same state if nothing changed.
    on_sample: Callable[[Any, Any, Seen, Sample], Step]
    #: (rule, state, seen): when the state changes by itself, or None.
    due_ms: Callable[[Any, Any, Seen], int | None]
    on_due: Callable[[Any, Any, Seen], Step]
    #: (old, new): whether two rules judge alike, whatever else differs in them.
    same: Callable[[Any, Any], bool]
    #: (rule, state, seen, at_ms): sums up to an instant after which other evidence counts.
    settle: Callable[[Any, Any, Seen, int], Step]
    #: (old, new, state, seen, at_ms): its parameters change.
    reconfigure: Callable[[Any, Any, Any, Seen, int], Step]
    #: (rule, state, seen, at_ms, why): it is no longer in force; the state that is left.
    end: Callable[[Any, Any, Seen, int, str], Step]
    #: (rule, what was left, seen, at_ms): it is in force again for the same product.
    resume: Callable[[Any, Any, Seen, int], Step]
    #: (rule, state, seen, at_ms): the open interval with its sums up to then.
    standing: Callable[[Any, Any, Seen, int], Interval | None]
    #: (state): whether the alarm's condition lasts.
    active: Callable[[Any], bool]
    #: (rule, state, sample): whether a sample shows the condition of its active alarm.
    shows: Callable[[Any, Any, Sample], bool]
    #: (rule, state, seen): within which samples it says nothing and need not be asked; None: ask each time.
    band: Callable[[Any, Any, Seen], Band | None] = lambda rule, state, seen: None
    #: (rule, state, seen): the state after all that was skipped (`seen.skipped`), up to the last sample, just
    #: as if the rule had been asked each time. It comes before anything else is asked of the rule.
    sync: Callable[[Any, Any, Seen], Any] = lambda rule, state, seen: state


def spelled(
    start: Callable[[Any, Seen, int], Any],
    on_sample: Callable[[Any, Any, Seen, Sample], Step],
    same: Callable[[Any, Any], bool],
    band: Callable[[Any, Any, Seen], Band | None] = lambda rule, state, seen: None,
    sync: Callable[[Any, Any, Seen], Any] = lambda rule, state, seen: state,
) -> Judge:
    """A kind of rule without a deadline whose state has a `spell`.

    start: (rule, seen, at_ms) -> the state of a rule that comes into force with no spell.
    """

    def reconfigure(old: Any, new: Any, state: Any, seen: Seen, at_ms: int) -> Step:
        left, changes = spells.cut(state.spell, at_ms, LIMITS_CHANGED)
        return replace(start(new, seen, at_ms), spell=left), changes

    def end(rule: Any, state: Any, seen: Seen, at_ms: int, why: str) -> Step:
        left, changes = spells.cut(state.spell, at_ms, why)
        return replace(state, spell=left), changes

    def resume(rule: Any, left: Any, seen: Seen, at_ms: int) -> Step:
        return replace(start(rule, seen, at_ms), spell=left.spell), ()

    return Judge(
        start=lambda rule, seen, at_ms: (start(rule, seen, at_ms), ()),
        on_sample=on_sample,
        due_ms=lambda rule, state, seen: None,
        on_due=lambda rule, state, seen: (state, ()),
        same=same,
        settle=lambda rule, state, seen, at_ms: (state, ()),
        reconfigure=reconfigure,
        end=end,
        resume=resume,
        standing=lambda rule, state, seen, at_ms: spells.shown(state.spell, at_ms),
        active=lambda state: state.spell.active,
        shows=lambda rule, state, sample: state.spell.open is not None,
        band=band,
        sync=sync,
    )
