"""A budget: the sum of all time outside a limit, however it is spread.

It has a sum of its own, so neither it nor the single-event rule beside it swallows the other. Time
counts beyond the limit itself, without deadband, and only while there is evidence: from `max_gap`
after a reading, and from a BAD one on, the sum stands still and its deadline with it, unless the
profile charges unmonitored time. What a person gave back by resolving an excursion does not count; there the
sum stands still, too.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from coldchain.model import Side
from coldchain.plan import Budget, Crossing, Fires, Outside, Per
from coldchain.rules.judge import Judge
from coldchain.rules.judging import (
    DAY_OVER,
    GOOD,
    LIMITS_CHANGED,
    STAGE_OVER,
    Band,
    Change,
    Ended,
    Interval,
    Opened,
    Returned,
    Sample,
    Seen,
    Triggered,
    beyond,
    crossing_ms,
    evidence_outside,
    furthest,
    inside,
    interpolates,
    value_for,
)


class BudgetState(Struct, frozen=True):
    """Where one budget stands.

    spent:          the interval in which something was spent, None while nothing was.
    from_ms:        the sums reach to here, or to the last sample if that is later.
    unmonitored_ms: product time without evidence so far, charged or not.
    day_ends_ms:    of a budget per day, when the day in force is over.
    """

    spent: Interval | None = None
    from_ms: int = 0
    unmonitored_ms: int = 0
    day_ends_ms: int | None = None


_DAY_MS = 86_400_000

_Step = tuple[BudgetState, tuple[Change, ...]]


def start(rule: Budget, seen: Seen, at_ms: int) -> _Step:
    """A budget that comes into force with nothing spent."""
    return BudgetState(from_ms=at_ms, day_ends_ms=_day_ends_ms(rule, at_ms)), ()


def on_sample(rule: Budget, state: BudgetState, seen: Seen, now: Sample) -> _Step:
    """Charge the time since the last sample, then see whether the sum is exceeded."""
    last, max_gap_ms = seen.last, seen.gap_ms
    state, changes = _spend(rule, state, last, now.at_ms, max_gap_ms, now)
    spent = state.spent
    if evidence_outside(rule, now) and not _given_ms(rule, now.at_ms, now.at_ms + 1):
        if spent is None:
            spent = Interval(rule.id, now.at_ms, extreme=rule.limit, extreme_ms=now.at_ms)
            changes = (*changes, Opened(now.at_ms))
        value = value_for(rule, now)
        if value > spent.extreme if rule.side is Side.ABOVE else value < spent.extreme:
            spent = replace(spent, extreme=value, extreme_ms=now.at_ms)
    if spent is None:
        return state, changes
    if spent.triggered_ms is None and _exceeded(rule, spent.outside_ms):
        spent = replace(spent, triggered_ms=now.at_ms)
        changes = (*changes, Triggered(spent.start_ms, now.at_ms))
    return (state if spent is state.spent else replace(state, spent=spent)), changes


def due_ms(rule: Budget, state: BudgetState, seen: Seen) -> int | None:
    """When the sum is exceeded if nothing else arrives, or its day is over; None: never."""
    exceeds_ms = _exceeds_ms(rule, state, seen)
    if state.day_ends_ms is None or (exceeds_ms is not None and exceeds_ms <= state.day_ends_ms):
        return exceeds_ms
    return state.day_ends_ms


def _exceeds_ms(rule: Budget, state: BudgetState, seen: Seen) -> int | None:
    """When the sum is exceeded if nothing else arrives; None: it is standing still, or never."""
    last, max_gap_ms = seen.last, seen.gap_ms
    spent = state.spent
    if rule.fires is not Fires.AT_DUE or (spent is not None and spent.triggered_ms is not None):
        return None
    left_ms = rule.allowance_ms - (spent.outside_ms if spent is not None else 0)
    needed = max(0, left_ms + (rule.exceeded is Outside.BEYOND))
    begin, out = _running(rule, state, last, max_gap_ms)
    if begin is None:
        return None
    if not out or last is None:
        return _reached_ms(rule, begin, max(1, needed))
    reached, counts_until = _reached_ms(rule, begin, needed), last.at_ms + max_gap_ms
    if reached > counts_until and not rule.charge_unmonitored:
        return None
    if rule.crossing is Crossing.LINEAR and last.quality == GOOD:
        # The line to a next reading may still take some of it back, as long as that may come in time.
        return max(reached, counts_until + 1)
    return reached


def on_due(rule: Budget, state: BudgetState, seen: Seen) -> _Step:
    """The sum is exceeded by time alone. What is spent is charged when the next sample comes."""
    last, max_gap_ms = seen.last, seen.gap_ms
    at_ms = due_ms(rule, state, seen)
    if at_ms is None:
        return state, ()
    if at_ms != _exceeds_ms(rule, state, seen):
        return _anew(rule, state, seen, at_ms, DAY_OVER)
    changes: tuple[Change, ...] = ()
    spent = state.spent
    if spent is None:
        begin, _ = _running(rule, state, last, max_gap_ms)
        start_ms = at_ms if begin is None else _reached_ms(rule, begin, 0)
        spent = Interval(rule.id, start_ms, extreme=rule.limit, extreme_ms=start_ms)
        changes = (Opened(start_ms),)
    changes = (*changes, Triggered(spent.start_ms, at_ms))
    return replace(state, spent=replace(spent, triggered_ms=at_ms)), changes


def same(old: Budget, new: Budget) -> bool:
    """Whether both judge alike. What only the alarm or people see of a budget is not asked.

    Nor is what was given back: each segment knows its own part of that, and the sum goes on.
    """
    return (
        old.side is new.side
        and old.limit == new.limit
        and old.outside is new.outside
        and old.allowance_ms == new.allowance_ms
        and old.exceeded is new.exceeded
        and old.fires is new.fires
        and old.crossing is new.crossing
        and old.charge_unmonitored == new.charge_unmonitored
        and old.per is new.per
        and old.day_offset_ms == new.day_offset_ms
        and old.since_ms == new.since_ms
    )


def settle(rule: Budget, state: BudgetState, seen: Seen, at_ms: int) -> _Step:
    """Bring the sums up to an instant from which on another probe, or another max_gap, counts."""
    last, max_gap_ms = seen.last, seen.gap_ms
    state, changes = _spend(rule, state, last, at_ms, max_gap_ms)
    return replace(state, from_ms=max(at_ms, state.from_ms)), changes


def reconfigure(old: Budget, new: Budget, state: BudgetState, seen: Seen, at_ms: int) -> _Step:
    """Budgets carry over: the interval is closed, its successor begins with what is spent already.

    But for another stage, where the budget is one stage's, and for days that are reckoned otherwise.
    """
    if (old.per, old.day_offset_ms, old.since_ms) != (new.per, new.day_offset_ms, new.since_ms):
        _, changes = _anew(old, state, seen, at_ms, STAGE_OVER if new.per is Per.STAGE else LIMITS_CHANGED)
        return start(new, seen, at_ms)[0], changes
    state, changes = settle(old, state, seen, at_ms)
    if state.spent is None:
        return state, changes
    closed = Ended(replace(_shown(state), end_ms=at_ms, why_ended=LIMITS_CHANGED))
    state, more = _succeed(new, state, at_ms)
    return state, (*changes, closed, *more)


def end(rule: Budget, state: BudgetState, seen: Seen, at_ms: int, why: str) -> _Step:
    """The rule is no longer in force. Answers what is left to be remembered should it come back."""
    state, changes = settle(rule, state, seen, at_ms)
    if state.spent is None:
        return state, changes
    return state, (*changes, Ended(replace(_shown(state), end_ms=at_ms, why_ended=why)))


def resume(rule: Budget, left: BudgetState, seen: Seen, at_ms: int) -> _Step:
    """The budget is in force again for the same product: what was spent before counts, but for a stage's."""
    if rule.per is not Per.PRODUCT:
        back: tuple[Change, ...] = (Returned(at_ms),) if active(left) else ()
        return start(rule, seen, at_ms)[0], back
    state = replace(left, from_ms=at_ms)
    return (state, ()) if state.spent is None else _succeed(rule, state, at_ms)


def standing(rule: Budget, state: BudgetState, seen: Seen, at_ms: int) -> Interval | None:
    """What is spent up to `at_ms`."""
    last, max_gap_ms = seen.last, seen.gap_ms
    state, _ = _spend(rule, state, last, at_ms, max_gap_ms)
    return None if state.spent is None else _shown(state)


def active(state: BudgetState) -> bool:
    """Whether the alarm's condition lasts: an exceeded budget stays so for its product."""
    return state.spent is not None and state.spent.triggered_ms is not None


def band(rule: Budget, state: BudgetState, seen: Seen) -> Band | None:
    """Inside the limit nothing is spent, and outside it nothing but time, until that is too much.

    Where unmonitored time counts, the deadline moves all the time; so it does where a line to the next
    reading may take some of it back. What was given back is left out reading by reading.
    """
    last, spent = seen.last, state.spent
    at_due = rule.fires is Fires.AT_DUE and not active(state)
    if at_due and rule.charge_unmonitored:
        return None
    if last is None or not evidence_outside(rule, last):
        return inside(rule)
    if spent is None or rule.given_back or (at_due and rule.crossing is Crossing.LINEAR):
        return None
    out = beyond(rule, rule.limit)
    if active(state):
        return out
    left_ms = rule.allowance_ms - spent.outside_ms + (rule.exceeded is Outside.BEYOND)
    exceeds_ms = max(last.at_ms, state.from_ms) + max(0, left_ms)
    if at_due and exceeds_ms > last.at_ms + seen.gap_ms:
        # There is no deadline yet: a reading must be near enough first, so that it counts until then.
        return replace(out, until_ms=exceeds_ms - seen.gap_ms)
    return replace(out, until_ms=exceeds_ms)


def sync(rule: Budget, state: BudgetState, seen: Seen) -> BudgetState:
    """A run outside is spent as a whole: it has no gap."""
    run = seen.skipped
    if not evidence_outside(rule, run.before):
        return state
    end_ms = run.at[-1]
    state, _ = _spend(rule, state, run.before, end_ms, end_ms - run.before.at_ms)
    spent = state.spent
    value, at_ms = furthest(rule, run)
    if spent is not None and (value > spent.extreme if rule.side is Side.ABOVE else value < spent.extreme):
        return replace(state, spent=replace(spent, extreme=value, extreme_ms=at_ms))
    return state


def _exceeded(rule: Budget, spent_ms: int) -> bool:
    return spent_ms > rule.allowance_ms or (
        rule.exceeded is Outside.AT_OR_BEYOND and spent_ms == rule.allowance_ms
    )


def _anew(rule: Budget, state: BudgetState, seen: Seen, at_ms: int, why: str) -> _Step:
    """What the allowance was for is over: what was spent ends with it, and nothing is spent of the next."""
    state, changes = settle(rule, state, seen, at_ms)
    fresh, _ = start(rule, seen, at_ms)
    if state.spent is None:
        return fresh, changes
    over = Ended(replace(_shown(state), end_ms=at_ms, why_ended=why))
    back: tuple[Change, ...] = (Returned(at_ms),) if active(state) else ()
    return fresh, (*changes, over, *back)


def _day_ends_ms(rule: Budget, at_ms: int) -> int | None:
    if rule.per is not Per.DAY:
        return None
    local = at_ms + rule.day_offset_ms
    return (local // _DAY_MS + 1) * _DAY_MS - rule.day_offset_ms


def _shown(state: BudgetState) -> Interval:
    assert state.spent is not None
    return replace(state.spent, unmonitored_ms=state.unmonitored_ms)


def _succeed(rule: Budget, state: BudgetState, at_ms: int) -> _Step:
    """A new interval that begins with what was spent, measured against the rule's allowance."""
    spent = state.spent
    assert spent is not None
    carried = Interval(rule.id, at_ms, extreme=rule.limit, extreme_ms=at_ms, outside_ms=spent.outside_ms)
    changes: tuple[Change, ...] = (Opened(at_ms),)
    if _exceeded(rule, spent.outside_ms):
        carried = replace(carried, triggered_ms=at_ms)
        changes = (*changes, Triggered(at_ms, at_ms))
    elif spent.triggered_ms is not None:
        changes = (*changes, Returned(at_ms))  # by arithmetic: no reading could show it
    return replace(state, spent=carried), changes


def _running(
    rule: Budget, state: BudgetState, last: Sample | None, max_gap_ms: int
) -> tuple[int | None, bool]:
    """Since when the sum is running if nothing else arrives (None: it stands still); True: outside."""
    begin = state.from_ms if last is None else max(last.at_ms, state.from_ms)
    if last is not None and evidence_outside(rule, last):
        counts = rule.charge_unmonitored or begin < last.at_ms + max_gap_ms
        return (begin if counts else None), True
    if not rule.charge_unmonitored:
        return None, False
    if last is not None and last.quality == GOOD:
        begin = max(begin, last.at_ms + max_gap_ms)
    return begin, False


def _spend(
    rule: Budget,
    state: BudgetState,
    last: Sample | None,
    at_ms: int,
    max_gap_ms: int,
    now: Sample | None = None,
) -> _Step:
    """Charge the time up to `at_ms`; `now`: the sample there, if there is one."""
    outside, unmonitored, since = _charge(rule, state, last, at_ms, max_gap_ms, now)
    charged = outside - _given_ms(rule, since, since + outside)
    if rule.charge_unmonitored:
        charged += unmonitored - _given_ms(rule, at_ms - unmonitored, at_ms)
    if not charged and not unmonitored:
        return state, ()
    changes: tuple[Change, ...] = ()
    spent = state.spent
    if charged:
        if spent is None:
            since = _reached_ms(rule, since, 0)
            spent = Interval(rule.id, since, extreme=rule.limit, extreme_ms=since)
            changes = (Opened(since),)
        spent = replace(spent, outside_ms=spent.outside_ms + charged)
    unmonitored += state.unmonitored_ms
    return replace(state, spent=spent, unmonitored_ms=unmonitored), changes


def _charge(
    rule: Budget,
    state: BudgetState,
    last: Sample | None,
    at_ms: int,
    max_gap_ms: int,
    now: Sample | None,
) -> tuple[int, int, int]:
    """Time outside and unmonitored up to `at_ms`, and when what of it is charged began."""
    if last is None:
        return 0, max(0, at_ms - state.from_ms), state.from_ms
    begin = max(last.at_ms, state.from_ms)
    span = max(0, at_ms - begin)
    was_out = evidence_outside(rule, last)
    counts = last.quality == GOOD or was_out
    monitored = max(0, min(at_ms, last.at_ms + max_gap_ms) - begin) if counts else 0
    if (
        now is not None
        and was_out != evidence_outside(rule, now)
        and interpolates(rule, last, now, max_gap_ms)
    ):
        crossed = crossing_ms(
            rule.limit, (last.at_ms, value_for(rule, last)), (now.at_ms, value_for(rule, now))
        )
        crossed = min(max(crossed, begin), at_ms)
        return (crossed - begin, 0, begin) if was_out else (at_ms - crossed, 0, crossed)
    if was_out:
        return monitored, span - monitored, begin
    return 0, span - monitored, begin + monitored


def _given_ms(rule: Budget, from_ms: int, to_ms: int) -> int:
    """How much of a span was given back."""
    return sum(max(0, min(span.to_ms, to_ms) - max(span.from_ms, from_ms)) for span in rule.given_back)


def _reached_ms(rule: Budget, begin_ms: int, needed_ms: int) -> int:
    """When so much time that was not given back has passed since an instant."""
    at_ms = begin_ms
    for span in rule.given_back:
        if span.to_ms <= at_ms:
            continue
        if at_ms < span.from_ms:
            if needed_ms <= span.from_ms - at_ms:
                return at_ms + needed_ms
            needed_ms -= span.from_ms - at_ms
        at_ms = span.to_ms
    return at_ms + needed_ms


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
