"""An age: at most so long since a stage began. Nothing is measured; time alone judges.

Hours since release, since charge, since thaw, and the dwell in a stage (a packed box that waits for its
courier is in storage, "even for a short time": FACT, 2018-05-22). What a stage's beginning was is a fact
that people enter; a stage entered late, with its true time, is judged by that.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from coldchain.plan import Age
from coldchain.rules import spell as spells
from coldchain.rules.judge import Judge, Step
from coldchain.rules.judging import ANYTHING, LIMITS_CHANGED, Change, Interval, Returned, Sample, Seen
from coldchain.rules.spell import NONE, Spell, turn


class AgeState(Struct, frozen=True):
    """`from_ms`: when the rule came into force; nothing is certain before."""

    from_ms: int = 0
    spell: Spell = NONE


def start(rule: Age, seen: Seen, at_ms: int) -> Step:
    """In force; what is too old already is said at once, by its deadline."""
    return AgeState(at_ms), ()


def on_sample(rule: Age, state: AgeState, seen: Seen, now: Sample) -> Step:
    """No reading is needed, and none changes anything."""
    return state, ()


def due_ms(rule: Age, state: AgeState, seen: Seen) -> int | None:
    """When it becomes too old."""
    if rule.since_ms is None or state.spell.active:
        return None
    return max(rule.since_ms + rule.max_ms, state.from_ms)


def on_due(rule: Age, state: AgeState, seen: Seen) -> Step:
    """It is too old from here on."""
    at_ms = due_ms(rule, state, seen)
    if at_ms is None:
        return state, ()
    spell, changes = turn(rule.id, state.spell, on=True, at_ms=at_ms, value=0)
    return replace(state, spell=spell), changes


def same(old: Age, new: Age) -> bool:
    """Whether both become due at the same instant."""
    return (old.max_ms, old.since_ms) == (new.max_ms, new.since_ms)


def reconfigure(old: Age, new: Age, state: AgeState, seen: Seen, at_ms: int) -> Step:
    """Another age, or another beginning: what is not too old by it is not too old any more."""
    spell, changes = spells.cut(state.spell, at_ms, LIMITS_CHANGED)
    back: tuple[Change, ...] = (Returned(at_ms),) if spell.active else ()
    return AgeState(at_ms), (*changes, *back)


def end(rule: Age, state: AgeState, seen: Seen, at_ms: int, why: str) -> Step:
    """The stage is over, and with it the alarm's condition: nobody dwells in a stage that is left."""
    spell, changes = spells.cut(state.spell, at_ms, why)
    back: tuple[Change, ...] = (Returned(at_ms),) if spell.active else ()
    return AgeState(at_ms), (*changes, *back)


def standing(rule: Age, state: AgeState, seen: Seen, at_ms: int) -> Interval | None:
    """The time that it is too old, up to an instant."""
    return spells.shown(state.spell, at_ms)


JUDGE = Judge(
    start=start,
    on_sample=on_sample,
    due_ms=due_ms,
    on_due=on_due,
    same=same,
    settle=lambda rule, state, seen, at_ms: (state, ()),
    reconfigure=reconfigure,
    end=end,
    resume=lambda rule, left, seen, at_ms: start(rule, seen, at_ms),
    standing=standing,
    active=lambda state: state.spell.active,
    shows=lambda rule, state, sample: state.spell.active,
    band=lambda rule, state, seen: ANYTHING,
)
