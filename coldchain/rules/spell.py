"""A condition that is there or not, as most rules without a hold have it: one spell after another.

A rule says at each sample whether its condition is there, is not, or cannot be told; this makes the
excursion and the alarm's condition of it. Where nothing can be told nothing changes.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from coldchain.rules.judging import Change, Ended, Interval, Opened, Returned, Triggered


class Spell(Struct, frozen=True):
    """Whether a condition is there: its open interval; `active` while the alarm's condition lasts."""

    open: Interval | None = None
    active: bool = False


NONE = Spell()

_Step = tuple[Spell, tuple[Change, ...]]


def turn(rule: str, spell: Spell, on: bool | None, at_ms: int, value: int, *, worse: bool = False) -> _Step:
    """The spell after an instant at which the condition is there (True), is not, or cannot be told (None).

    value: what matters of it then. worse: it is further off than all before in this spell.
    """
    open_ = spell.open
    if on is None:
        return spell, ()
    if on:
        if open_ is None:
            began = Interval(rule, at_ms, triggered_ms=at_ms, extreme=value, extreme_ms=at_ms)
            return Spell(began, active=True), (Opened(at_ms), Triggered(at_ms, at_ms))
        if worse:
            return replace(spell, open=replace(open_, extreme=value, extreme_ms=at_ms)), ()
        return spell, ()
    if open_ is not None:
        over = replace(open_, end_ms=at_ms, outside_ms=at_ms - open_.start_ms)
        return NONE, (Ended(over), Returned(at_ms))
    return (NONE, (Returned(at_ms),)) if spell.active else (spell, ())


def cut(spell: Spell, at_ms: int, why: str) -> _Step:
    """What began the condition is no longer in force: the excursion ends, the alarm's condition stays."""
    if spell.open is None:
        return spell, ()
    over = replace(spell.open, end_ms=at_ms, outside_ms=at_ms - spell.open.start_ms, why_ended=why)
    return Spell(active=spell.active), (Ended(over),)


def shown(spell: Spell, at_ms: int) -> Interval | None:
    """The open interval up to an instant."""
    if spell.open is None:
        return None
    return replace(spell.open, outside_ms=max(0, at_ms - spell.open.start_ms))
