"""A budget: the sum of all time outside a limit, however it is spread.

It has a sum of its own, so neither it nor the single-event rule beside it swallows the other. Time
counts beyond the limit itself, without deadband, and only while there is evidence: from `max_gap`
after a reading, and from a BAD one on, the sum stands still and its deadline with it, unless the
profile charges unmonitored time.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from coldchain.model import Side
from coldchain.plan import Budget, Crossing, Fires, Outside
from coldchain.rules.judging import (
    BAD,
    GOOD,
    Change,
    Ended,
    Interval,
    Opened,
    Sample,
    Triggered,
    crossing_ms,
    evidence_outside,
    is_outside,
    value_for,
)


class BudgetState(Struct, frozen=True):
    """Where one budget stands: what is spent, since when, and whether it is exceeded."""

    spent: Interval | None = None
    from_ms: int = 0
    unmonitored_ms: int = 0


_Step = tuple[BudgetState, tuple[Change, ...]]


def start(rule: Budget, last: Sample | None, at_ms: int, max_gap_ms: int) -> _Step:
    """A budget that comes into force with nothing spent."""
    return BudgetState(from_ms=at_ms), ()


def on_sample(rule: Budget, state: BudgetState, last: Sample | None, now: Sample, max_gap_ms: int) -> _Step:
    """Charge the time since the last sample, then see whether the sum is exceeded."""
    changes: list[Change] = []
    outside, unmonitored, since = _charge(rule, state, last, now, max_gap_ms)
    charged = outside + (unmonitored if rule.charge_unmonitored else 0)
    spent = state.spent
    is_out = evidence_outside(rule, now)
    if spent is None and (charged or is_out):
        start_ms = since if charged else now.at_ms
        spent = Interval(rule.id, start_ms, extreme=rule.limit, extreme_ms=start_ms)
        changes.append(Opened(start_ms))
    if spent is None:
        return (
            replace(state, unmonitored_ms=state.unmonitored_ms + unmonitored) if unmonitored else state
        ), ()
    value = value_for(rule, now)
    further = is_out and (value > spent.extreme if rule.side is Side.ABOVE else value < spent.extreme)
    if charged or further:
        spent = replace(
            spent,
            outside_ms=spent.outside_ms + charged,
            extreme=value if further else spent.extreme,
            extreme_ms=now.at_ms if further else spent.extreme_ms,
        )
    if spent.triggered_ms is None and _exceeded(rule, spent.outside_ms):
        spent = replace(spent, triggered_ms=now.at_ms)
        changes.append(Triggered(spent.start_ms, now.at_ms))
    return BudgetState(spent, state.from_ms, state.unmonitored_ms + unmonitored), tuple(changes)


def due_ms(rule: Budget, state: BudgetState, last: Sample | None, max_gap_ms: int) -> int | None:
    """When the sum is exceeded if nothing else arrives; None: it is standing still, or never."""
    if rule.fires is not Fires.AT_DUE or rule.crossing is Crossing.LINEAR or last is None:
        return None
    spent_ms = 0
    if state.spent is not None:
        if state.spent.triggered_ms is not None:
            return None
        spent_ms = state.spent.outside_ms
    needed = max(0, rule.allowance_ms - spent_ms + (rule.exceeded is Outside.BEYOND))
    begin = max(last.at_ms, state.from_ms)
    if evidence_outside(rule, last):
        if begin + needed <= last.at_ms + max_gap_ms or rule.charge_unmonitored:
            return begin + needed
    elif rule.charge_unmonitored:
        return (begin if last.quality != GOOD else max(begin, last.at_ms + max_gap_ms)) + needed
    return None


def on_due(rule: Budget, state: BudgetState, last: Sample | None, max_gap_ms: int) -> _Step:
    """The sum is exceeded by time alone. What is spent is charged when the next sample comes."""
    at_ms = due_ms(rule, state, last, max_gap_ms)
    if at_ms is None:
        return state, ()
    changes: list[Change] = []
    spent = state.spent
    if spent is None:
        spent = Interval(rule.id, at_ms, extreme=rule.limit, extreme_ms=at_ms)
        changes.append(Opened(at_ms))
    changes.append(Triggered(spent.start_ms, at_ms))
    return replace(state, spent=replace(spent, triggered_ms=at_ms)), tuple(changes)


def reconfigure(
    old: Budget, new: Budget, state: BudgetState, last: Sample | None, at_ms: int, max_gap_ms: int
) -> _Step:
    """Budgets carry over: what is spent stays spent, measured against the new allowance."""
    state = _settle(old, state, last, at_ms, max_gap_ms)
    spent = state.spent
    if spent is None:
        return replace(state, from_ms=at_ms), ()
    if spent.triggered_ms is None and _exceeded(new, spent.outside_ms):
        spent = replace(spent, triggered_ms=at_ms)
        return BudgetState(spent, at_ms, state.unmonitored_ms), (Triggered(spent.start_ms, at_ms),)
    return BudgetState(spent, at_ms, state.unmonitored_ms), ()


def end(
    rule: Budget, state: BudgetState, last: Sample | None, at_ms: int, max_gap_ms: int, why: str
) -> _Step:
    """The rule is no longer in force."""
    state = _settle(rule, state, last, at_ms, max_gap_ms)
    if state.spent is None:
        return BudgetState(), ()
    return BudgetState(), (Ended(replace(state.spent, end_ms=at_ms, why_ended=why)),)


def standing(
    rule: Budget, state: BudgetState, last: Sample | None, at_ms: int, max_gap_ms: int
) -> Interval | None:
    """What is spent up to `at_ms`."""
    return _settle(rule, state, last, at_ms, max_gap_ms).spent


def _exceeded(rule: Budget, spent_ms: int) -> bool:
    return spent_ms > rule.allowance_ms or (
        rule.exceeded is Outside.AT_OR_BEYOND and spent_ms == rule.allowance_ms
    )


def _settle(
    rule: Budget, state: BudgetState, last: Sample | None, at_ms: int, max_gap_ms: int
) -> BudgetState:
    """Charge the time from the last sample to `at_ms`, with no new evidence."""
    if last is None or state.spent is None:
        return state
    begin = max(last.at_ms, state.from_ms)
    monitored = max(0, min(at_ms, last.at_ms + max_gap_ms) - begin)
    rest = max(0, at_ms - begin) - monitored
    charged = monitored if evidence_outside(rule, last) else 0
    if rule.charge_unmonitored:
        charged += rest
    return replace(state, spent=replace(state.spent, outside_ms=state.spent.outside_ms + charged))


def _charge(
    rule: Budget, state: BudgetState, last: Sample | None, now: Sample, max_gap_ms: int
) -> tuple[int, int, int]:
    """Time outside and unmonitored since the last sample, and when the time outside began."""
    if last is None:
        return 0, max(0, now.at_ms - state.from_ms), state.from_ms
    begin = max(last.at_ms, state.from_ms)
    span = max(0, now.at_ms - begin)
    was_out = evidence_outside(rule, last)
    counts = last.quality == GOOD or was_out
    monitored = max(0, min(now.at_ms, last.at_ms + max_gap_ms) - begin) if counts else 0
    linear = (
        rule.crossing is Crossing.LINEAR
        and last.quality == GOOD
        and now.quality == GOOD
        and now.at_ms - last.at_ms <= max_gap_ms
    )
    is_out = now.quality != BAD and is_outside(rule.side, rule.outside, rule.limit, value_for(rule, now))
    if linear and was_out != is_out:
        at_ms = crossing_ms(
            rule.limit, (last.at_ms, value_for(rule, last)), (now.at_ms, value_for(rule, now))
        )
        at_ms = max(at_ms, begin)
        return (at_ms - begin, 0, begin) if was_out else (now.at_ms - at_ms, 0, at_ms)
    return (monitored if was_out else 0), span - monitored, begin
