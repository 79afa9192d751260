"""A limit held for a minimum time: the field's "single event".

The interval outside is the excursion; the hold decides whether it triggers; deadband belongs to
the excursion (it keeps it open near the limit), off-delay to the alarm (it keeps it raised until
there is enough evidence of being back). A BAD reading proves nothing: it ends neither an
excursion nor a hold, and breaks the off-delay.
"""

from __future__ import annotations

from operator import sub

from msgspec import Struct
from msgspec.structs import replace

from coldchain.model import Side
from coldchain.plan import Crossing, Fires, Limit
from coldchain.rules.judge import Judge
from coldchain.rules.judging import (
    BAD,
    GOOD,
    LIMITS_CHANGED,
    Band,
    Change,
    Ended,
    Interval,
    Opened,
    Returned,
    Sample,
    Seen,
    Triggered,
    area_beyond,
    beyond,
    crossing_ms,
    evidence_outside,
    furthest,
    inside,
    interpolates,
    is_outside,
    value_for,
)


class LimitState(Struct, frozen=True):
    """Where one limit stands.

    open:        the interval outside now, or None inside.
    hold_since:  since when the hold runs (differs from the interval's start after a limit changed).
    not_before:  the hold is not certain before: its limit's activation, the sample that showed it.
    active:      triggered, and not yet returned: the alarm's condition.
    inside_ms:   since when there is unbroken evidence of being inside, while `active`.
    from_ms:     the open interval's sums reach to here, or to the last sample if that is later.
    was_active:  the condition lasted already when the open interval triggered.
    """

    open: Interval | None = None
    hold_since_ms: int = 0
    not_before_ms: int = 0
    active: bool = False
    inside_ms: int | None = None
    from_ms: int = 0
    was_active: bool = False


IDLE = LimitState()

_Step = tuple[LimitState, tuple[Change, ...]]


def start(rule: Limit, seen: Seen, at_ms: int) -> _Step:
    """The state of a limit that comes into force at `at_ms`: a condition already true opens now."""
    last, max_gap_ms = seen.last, seen.gap_ms
    state = LimitState(not_before_ms=at_ms, from_ms=at_ms)
    if last is None or last.quality != GOOD or at_ms - last.at_ms > max_gap_ms:
        return state, ()
    value = value_for(rule, last)
    if not is_outside(rule.side, rule.outside, rule.limit, value):
        return state, ()
    interval = Interval(rule.id, at_ms, extreme=value, extreme_ms=last.at_ms)
    return replace(state, open=interval, hold_since_ms=at_ms), (Opened(at_ms),)


def on_sample(rule: Limit, state: LimitState, seen: Seen, now: Sample) -> _Step:
    """Judge one sample that follows `last` on its channel."""
    last, max_gap_ms = seen.last, seen.gap_ms
    if state.open is None and state.inside_ms is None and now.quality != BAD:
        # The calm path: nothing is open, nothing is waiting.
        value = now.high if rule.side is Side.ABOVE else now.low
        if not is_outside(rule.side, rule.outside, rule.limit, value):
            if state.active and now.quality == GOOD:
                return _inside(rule, state, last, now, max_gap_ms)
            return state, ()
    if now.quality == BAD:
        return _no_evidence(state, last, now, rule, max_gap_ms)
    value = value_for(rule, now)
    edge = rule.limit if state.open is None else _shifted(rule)
    if is_outside(rule.side, rule.outside, edge, value):
        return _outside(rule, state, last, now, value, max_gap_ms)
    if now.quality == GOOD:
        return _inside(rule, state, last, now, max_gap_ms)
    return _no_evidence(state, last, now, rule, max_gap_ms)


def due_ms(rule: Limit, state: LimitState, seen: Seen) -> int | None:
    """When this state changes by itself if nothing else arrives; None: never.

    A hold runs on through a gap: nothing that follows `last` is evidence of being back.
    """
    if rule.fires is not Fires.AT_DUE or state.open is None or state.open.triggered_ms is not None:
        return None
    return max(state.hold_since_ms + rule.hold_ms, state.not_before_ms)


def on_due(rule: Limit, state: LimitState, seen: Seen) -> _Step:
    """The hold's deadline has come."""
    at_ms = due_ms(rule, state, seen)
    if at_ms is None or state.open is None:
        return state, ()
    return _trigger(state, state.open, at_ms)


def same(old: Limit, new: Limit) -> bool:
    """Whether both judge alike. What only the alarm or people see of a limit is not asked."""
    return (
        old.side is new.side
        and old.limit == new.limit
        and old.outside is new.outside
        and old.hold_ms == new.hold_ms
        and old.fires is new.fires
        and old.crossing is new.crossing
        and old.deadband == new.deadband
    )


def settle(rule: Limit, state: LimitState, seen: Seen, at_ms: int) -> _Step:
    """Bring the sums up to an instant from which on another probe, or another max_gap, counts."""
    last, max_gap_ms = seen.last, seen.gap_ms
    if state.open is None:
        return state, ()
    return replace(state, open=_account(rule, state, last, at_ms, max_gap_ms), from_ms=at_ms), ()


def reconfigure(old: Limit, new: Limit, state: LimitState, seen: Seen, at_ms: int) -> _Step:
    """A changed limit comes into force: an open excursion is closed and linked to its successor.

    The last sample is judged by the new limit only if it still counts; else the rule waits. A hold
    keeps its start if the value is outside both limits.
    """
    last, max_gap_ms = seen.last, seen.gap_ms
    changes: list[Change] = []
    fresh, opened = start(new, seen, at_ms)
    if state.open is not None:
        closed = _account(old, state, last, at_ms, max_gap_ms)
        changes.append(Ended(replace(closed, end_ms=at_ms, why_ended=LIMITS_CHANGED)))
        still = (
            last is not None
            and last.quality == GOOD
            and at_ms - last.at_ms <= max_gap_ms
            and is_outside(new.side, new.outside, _shifted(new), value_for(new, last))
        )
        if still and last is not None:
            if fresh.open is None:
                interval = Interval(new.id, at_ms, extreme=value_for(new, last), extreme_ms=last.at_ms)
                fresh, opened = replace(fresh, open=interval), (Opened(at_ms),)
            fresh = replace(fresh, hold_since_ms=state.hold_since_ms)
    # The alarm's condition stays until evidence ends it: a change of numbers alone returns nothing.
    return replace(fresh, active=state.active), (*changes, *opened)


def end(rule: Limit, state: LimitState, seen: Seen, at_ms: int, why: str) -> _Step:
    """The rule is no longer in force: its open excursion ends with the reason, not with evidence.

    Answers what is left to be remembered should the rule come back.
    """
    last, max_gap_ms = seen.last, seen.gap_ms
    left = LimitState(active=state.active)
    if state.open is None:
        return left, ()
    closed = _account(rule, state, last, at_ms, max_gap_ms)
    return left, (Ended(replace(closed, end_ms=at_ms, why_ended=why)),)


def resume(rule: Limit, left: LimitState, seen: Seen, at_ms: int) -> _Step:
    """The rule is in force again for the same product: its condition lasts until evidence ends it."""
    state, changes = start(rule, seen, at_ms)
    return replace(state, active=left.active), changes


def standing(rule: Limit, state: LimitState, seen: Seen, at_ms: int) -> Interval | None:
    """The open interval with its sums brought up to `at_ms`."""
    last, max_gap_ms = seen.last, seen.gap_ms
    return None if state.open is None else _account(rule, state, last, at_ms, max_gap_ms)


def active(state: LimitState) -> bool:
    """Whether the alarm's condition lasts."""
    return state.active


def band(rule: Limit, state: LimitState, seen: Seen) -> Band | None:
    """Inside the limit while nothing is open, outside it while something is.

    Until a reading fulfils the hold, or there was evidence of being back for long enough.
    """
    if state.open is not None:
        out = beyond(rule, _shifted(rule))
        waits = rule.fires is Fires.ON_READING and state.open.triggered_ms is None
        return replace(out, until_ms=state.hold_since_ms + rule.hold_ms) if waits else out
    if state.inside_ms is not None:
        return replace(inside(rule), until_ms=state.inside_ms + rule.off_delay_ms)
    return None if state.active else inside(rule)


def sync(rule: Limit, state: LimitState, seen: Seen) -> LimitState:
    """An open interval takes in a run outside: its sums, and the furthest value."""
    open_, above, linear = state.open, rule.side is Side.ABOVE, rule.crossing is Crossing.LINEAR
    if open_ is None:
        return state
    run = seen.skipped
    at, values = [run.before.at_ms, *run.at], [value_for(rule, run.before), *(run.high if above else run.low)]
    begin = max(open_.start_ms, state.from_ms, at[0])  # what the sums reach to is not counted again
    if linear:
        values[0] += (values[1] - values[0]) * (begin - at[0]) // (at[1] - at[0])
    at[0] = begin
    before = [_beyond(rule, value) for value in values]
    area = sum(map(area_beyond, before, before[1:] if linear else before, map(sub, at[1:], at)))
    extreme, extreme_ms = furthest(rule, run)
    if not (extreme > open_.extreme if above else extreme < open_.extreme):
        extreme, extreme_ms = open_.extreme, open_.extreme_ms
    open_ = replace(
        open_,
        outside_ms=open_.outside_ms + at[-1] - begin,
        integral=open_.integral + area,
        extreme=extreme,
        extreme_ms=extreme_ms,
    )
    return replace(state, open=open_)


def _shifted(rule: Limit) -> int:
    return rule.limit - rule.deadband if rule.side is Side.ABOVE else rule.limit + rule.deadband


def _beyond(rule: Limit, value: int) -> int:
    return value - rule.limit if rule.side is Side.ABOVE else rule.limit - value


def _account(
    rule: Limit,
    state: LimitState,
    last: Sample | None,
    at_ms: int,
    max_gap_ms: int,
    now: Sample | None = None,
) -> Interval:
    """Add the time up to `at_ms` to the open interval; `now`: the sample there, if there is one."""
    open_ = state.open
    assert open_ is not None
    begin = max(open_.start_ms, state.from_ms)
    if last is None:
        return replace(open_, unmonitored_ms=open_.unmonitored_ms + max(0, at_ms - begin))
    begin = max(begin, last.at_ms)
    value = value_for(rule, last)
    counts = last.quality != BAD and (
        last.quality == GOOD or is_outside(rule.side, rule.outside, _shifted(rule), value)
    )
    monitored = max(0, min(at_ms, last.at_ms + max_gap_ms) - begin) if counts else 0
    if now is not None and interpolates(rule, last, now, max_gap_ms):
        reached = value_for(rule, now)
        run = now.at_ms - last.at_ms
        if begin > last.at_ms:
            value += (reached - value) * (begin - last.at_ms) // run
        area = area_beyond(_beyond(rule, value), _beyond(rule, reached), monitored)
    else:
        area = max(0, _beyond(rule, value)) * monitored
    return replace(
        open_,
        outside_ms=open_.outside_ms + monitored,
        unmonitored_ms=open_.unmonitored_ms + max(0, at_ms - begin) - monitored,
        integral=open_.integral + area,
    )


def _crossed_ms(rule: Limit, last: Sample | None, now: Sample, max_gap_ms: int, edge: int) -> int:
    if last is None or not interpolates(rule, last, now, max_gap_ms):
        return now.at_ms
    return crossing_ms(edge, (last.at_ms, value_for(rule, last)), (now.at_ms, value_for(rule, now)))


def _outside(
    rule: Limit, state: LimitState, last: Sample | None, now: Sample, value: int, max_gap_ms: int
) -> _Step:
    changes: list[Change] = []
    open_ = state.open
    if open_ is None:
        # Interpolated, it may have begun before this sample, but not before the limit was in force.
        since = max(_crossed_ms(rule, last, now, max_gap_ms, rule.limit), state.from_ms)
        since = min(since, now.at_ms)
        open_ = Interval(
            rule.id,
            since,
            extreme=value,
            extreme_ms=now.at_ms,
            outside_ms=now.at_ms - since,
            integral=area_beyond(0, _beyond(rule, value), now.at_ms - since),
        )
        # It is this sample that shows it: no hold of it can be certain earlier.
        certain = max(state.not_before_ms, now.at_ms)
        state = replace(state, hold_since_ms=since, not_before_ms=certain)
        changes.append(Opened(since))
    else:
        open_ = _account(rule, state, last, now.at_ms, max_gap_ms, now)
        further = value > open_.extreme if rule.side is Side.ABOVE else value < open_.extreme
        if further:
            open_ = replace(open_, extreme=value, extreme_ms=now.at_ms)
    state = replace(state, open=open_, inside_ms=None)
    if (
        rule.fires is Fires.ON_READING
        and open_.triggered_ms is None
        and now.at_ms - state.hold_since_ms >= rule.hold_ms
    ):
        state, more = _trigger(state, open_, now.at_ms)
        changes += more
    return state, tuple(changes)


def _inside(rule: Limit, state: LimitState, last: Sample | None, now: Sample, max_gap_ms: int) -> _Step:
    changes: list[Change] = []
    back = now.at_ms
    if state.open is not None:
        open_ = _account(rule, state, last, now.at_ms, max_gap_ms, now)
        back = max(_crossed_ms(rule, last, now, max_gap_ms, _shifted(rule)), open_.start_ms)
        over = now.at_ms - back
        open_ = replace(open_, end_ms=back, outside_ms=max(0, open_.outside_ms - over))
        triggered = open_.triggered_ms
        unconfirmed = triggered is not None and back < triggered
        if unconfirmed:
            open_ = replace(open_, triggered_ms=None)
        changes.append(Ended(open_, unconfirmed))
        state = replace(state, open=None)
        if unconfirmed and not state.was_active:
            # What is denied was no condition either: nothing is left that an off-delay could hold.
            return replace(state, active=False), (*changes, Returned(now.at_ms))
    if not state.active:
        return state, tuple(changes)
    if state.inside_ms is None:
        inside_ms = back
    else:
        # A BAD or doubtful sample has set it to None; a gap, or a probe that was taken away, shows only now.
        broken = last is None or now.at_ms - last.at_ms > max_gap_ms
        inside_ms = now.at_ms if broken else state.inside_ms
    if now.at_ms - inside_ms >= rule.off_delay_ms:
        return replace(state, active=False, inside_ms=None), (*changes, Returned(now.at_ms))
    return replace(state, inside_ms=inside_ms), tuple(changes)


def _no_evidence(state: LimitState, last: Sample | None, now: Sample, rule: Limit, max_gap_ms: int) -> _Step:
    open_ = state.open
    if open_ is not None:
        open_ = _account(rule, state, last, now.at_ms, max_gap_ms)
    elif state.inside_ms is None:
        return state, ()
    return replace(state, open=open_, inside_ms=None), ()


def _trigger(state: LimitState, open_: Interval, at_ms: int) -> _Step:
    triggered = replace(open_, triggered_ms=at_ms)
    return (
        replace(state, open=triggered, active=True, was_active=state.active),
        (Triggered(open_.start_ms, at_ms),),
    )


JUDGE = Judge(
    start=start,
    on_sample=on_sample,
    due_ms=due_ms,
    on_due=on_due,
    same=same,
    settle=settle,
    reconfigure=reconfigure,
    end=end,
    resume=resume,
    standing=standing,
    active=active,
    band=band,
    sync=sync,
    shows=lambda rule, state, sample: evidence_outside(rule, sample),
)
