"""What a limit remembers, to the field: its state and the excursion after each step, told outright.

Samples here have a lowest and a highest value, so that taking the wrong one of them shows.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from coldchain.model import Side
from coldchain.plan import Crossing, Fires, Limit, Outside
from coldchain.rules import limit as rule
from coldchain.rules.judging import (
    BAD,
    GOOD,
    LIMITS_CHANGED,
    NOT_IN_FORCE,
    UNCERTAIN,
    Alone,
    Ended,
    Interval,
    Opened,
    Returned,
    Sample,
    Triggered,
    area_beyond,
    beyond,
    evidence_outside,
    inside,
    interpolates,
)
from coldchain.rules.judging import Band as Calm
from coldchain.rules.limit import LimitState
from tests.unit.rules.seen import GAP, Shown, after
from tests.unit.rules.test_limit import ABOVE, run

BELOW = replace(ABOVE, id="below", side=Side.BELOW)
LATER = replace(ABOVE, fires=Fires.ON_READING)
LINE = replace(ABOVE, crossing=Crossing.LINEAR)
ON_LIMIT = {"outside": Outside.AT_OR_BEYOND}


def wide(at_ms: int, low: int, high: int, quality: int = GOOD) -> Sample:
    """Several readings in one instant: from the lowest to the highest."""
    return Sample(at_ms, low, high, quality)


def opened(limit: Limit, at_ms: int, value: int, since_ms: int | None = None) -> Interval:
    """An excursion that has just begun."""
    return Interval(limit.id, at_ms if since_ms is None else since_ms, extreme=value, extreme_ms=at_ms)


# --- Coming into force ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "last", "value"),
    [
        (ABOVE, wide(40, -155, -140), -140),
        (BELOW, wide(40, -155, -140), -155),
        (replace(ABOVE, **ON_LIMIT), wide(40, -155, -150), -150),
        (replace(BELOW, **ON_LIMIT), wide(40, -150, -140), -150),
    ],
    ids=["above", "below", "on the limit", "on the limit from below"],
)
def test_a_limit_that_comes_into_force_outside_opens_at_once(limit: Limit, last: Sample, value: int) -> None:
    """From then on, not from the reading: what was before is not this limit's. It may be a gap old."""
    for at_ms in (100, 40 + GAP):
        state, changes = rule.start(limit, after(last), at_ms)
        one = Interval(limit.id, at_ms, extreme=value, extreme_ms=40)
        assert state == LimitState(one, hold_since_ms=at_ms, not_before_ms=at_ms, from_ms=at_ms)
        assert changes == (Opened(at_ms),)


@pytest.mark.parametrize(
    ("last", "at_ms"),
    [
        (None, 100),
        (wide(40, -160, -150), 100),
        (wide(40, -140, -140), 40 + GAP + 1),
        (wide(40, -140, -140, UNCERTAIN), 100),
        (wide(40, 0, 0, BAD), 100),
    ],
    ids=["none", "inside", "too old", "in doubt", "bad"],
)
def test_a_limit_that_comes_into_force_without_evidence_waits(last: Sample | None, at_ms: int) -> None:
    """It knows since when it is in force."""
    assert rule.start(ABOVE, after(last), at_ms) == (LimitState(not_before_ms=at_ms, from_ms=at_ms), ())


# --- Beginning, going on --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "now", "value"),
    [
        (ABOVE, wide(50, -160, -149), -149),
        (BELOW, wide(50, -151, -140), -151),
        (replace(ABOVE, **ON_LIMIT), wide(50, -160, -150), -150),
        (replace(BELOW, **ON_LIMIT), wide(50, -150, -140), -150),
        (ABOVE, wide(50, -149, -149, UNCERTAIN), -149),
        (replace(ABOVE, deadband=20), wide(50, -160, -149), -149),
    ],
)
def test_an_excursion_begins_with_its_reading(limit: Limit, now: Sample, value: int) -> None:
    """With the value furthest outside, at its instant; no hold of it can be certain before."""
    begun = LimitState(opened(limit, 50, value), hold_since_ms=50, not_before_ms=50)
    assert rule.on_sample(limit, LimitState(), after(None), now) == (begun, (Opened(50),))


@pytest.mark.parametrize(
    ("limit", "now"),
    [
        (ABOVE, wide(50, -170, -150)),
        (BELOW, wide(50, -150, -120)),
        (replace(ABOVE, deadband=20), wide(50, -160, -155)),
        (replace(ABOVE, **ON_LIMIT), wide(50, -160, -151)),
        (ABOVE, wide(50, 0, 0, BAD)),
    ],
    ids=["on it", "on it from below", "a deadband opens nothing", "beside it", "bad"],
)
def test_nothing_begins_inside(limit: Limit, now: Sample) -> None:
    """The very same state, and nothing said."""
    state = LimitState()
    found, changes = rule.on_sample(limit, state, after(None), now)
    assert found is state
    assert changes == ()


def test_a_line_begins_where_it_crosses() -> None:
    """Before its reading, which alone makes it certain; with the triangle above the limit as its area."""
    state, changes = rule.on_sample(LINE, LimitState(), after(wide(10, -160, -160)), wide(50, -140, -140))
    one = Interval("above", 30, extreme=-140, extreme_ms=50, outside_ms=20, integral=100)
    assert (state, changes) == (LimitState(one, hold_since_ms=30, not_before_ms=50), (Opened(30),))


def test_a_line_begins_not_before_its_limit() -> None:
    """The limit is in force from 45 on, though the line crossed it at 30."""
    begun = LimitState(not_before_ms=70, from_ms=45)
    state, changes = rule.on_sample(LINE, begun, after(wide(10, -160, -160)), wide(50, -140, -140))
    one = Interval("above", 45, extreme=-140, extreme_ms=50, outside_ms=5, integral=25)
    assert state == LimitState(one, hold_since_ms=45, not_before_ms=70, from_ms=45)
    assert changes == (Opened(45),)


@pytest.mark.parametrize(
    ("limit", "values", "extreme"),
    [
        (ABOVE, [(-152, -140), (-155, -130), (-149, -130), (-149, -135)], (-130, 10)),
        (BELOW, [(-160, -149), (-170, -140), (-170, -130), (-165, -130)], (-170, 10)),
    ],
    ids=["above", "below"],
)
def test_the_extreme_is_the_first_that_is_furthest(
    limit: Limit, values: list[tuple[int, int]], extreme: tuple[int, int]
) -> None:
    """One that is just as far later does not move it; the other end of the readings has no part in it."""
    state, _ = run(limit, [wide(10 * i, low, high) for i, (low, high) in enumerate(values)])
    assert state.open is not None
    assert (state.open.extreme, state.open.extreme_ms) == extreme


def test_on_reading_a_hold_triggers_with_the_reading_that_completes_it() -> None:
    """At 9 of 10 ms it does not, at 10 it does, and never again."""
    state, changes = run(LATER, [wide(50, -140, -140), wide(59, -140, -140)])
    assert changes == [Opened(50)]
    state, triggered = rule.on_sample(LATER, state, after(wide(59, -140, -140)), wide(60, -140, -140))
    assert triggered == (Triggered(50, 60),)
    assert (state.active, state.was_active) == (True, False)
    assert state.open is not None
    assert (state.open.triggered_ms, state.open.outside_ms, state.open.integral) == (60, 10, 100)
    assert rule.on_sample(LATER, state, after(wide(60, -140, -140)), wide(80, -140, -140))[1] == ()


def test_on_reading_without_a_hold_the_first_reading_triggers() -> None:
    """Both are said, in this order."""
    state, changes = run(replace(LATER, hold_ms=0), [wide(50, -140, -140)])
    assert changes == [Opened(50), Triggered(50, 50)]
    assert rule.active(state)


def test_only_its_deadline_triggers_what_is_due_by_time() -> None:
    """A reading after the hold does not: its deadline stands before it in the order of the fold."""
    state, _ = run(ABOVE, [wide(50, -140, -140)])
    assert rule.due_ms(ABOVE, state, after(wide(50, -140, -140))) == 60
    assert rule.due_ms(LATER, state, after(wide(50, -140, -140))) is None
    assert rule.on_sample(ABOVE, state, after(wide(50, -140, -140)), wide(99, -140, -140))[1] == ()
    due, changes = rule.on_due(ABOVE, state, after(wide(50, -140, -140)))
    assert changes == (Triggered(50, 60),)
    assert due == replace(state, open=replace(state.open, triggered_ms=60), active=True)
    assert rule.on_due(ABOVE, due, after(wide(50, -140, -140))) == (due, ())
    assert rule.on_due(ABOVE, LimitState(), after(None)) == (LimitState(), ())


def test_a_new_excursion_ends_the_wait_for_the_return() -> None:
    """Inside since 10, outside again at 20: there is no evidence of being inside any more."""
    calm = replace(ABOVE, hold_ms=0, off_delay_ms=30)
    state, _ = run(calm, [wide(0, -140, -140), wide(10, -160, -160)])
    assert state.inside_ms == 10
    state, _ = rule.on_sample(calm, state, after(wide(10, -160, -160)), wide(20, -140, -140))
    assert state.inside_ms is None


def test_doubt_is_no_evidence_of_being_back() -> None:
    """With the alarm raised and nothing open: a doubtful value inside begins no off-delay, a GOOD one."""
    waiting = LimitState(active=True)
    doubtful = wide(10, -160, -160, UNCERTAIN)
    limit = replace(ABOVE, off_delay_ms=30)
    assert rule.on_sample(limit, waiting, after(None), doubtful) == (waiting, ())
    state, changes = rule.on_sample(limit, waiting, after(doubtful), wide(20, -160, -160))
    assert (state, changes) == (replace(waiting, inside_ms=20), ())
    assert rule.on_sample(ABOVE, waiting, after(doubtful), wide(20, -160, -160)) == (
        LimitState(),
        (Returned(20),),
    )


WAITING = LimitState(active=True, inside_ms=10)
DELAYED = replace(ABOVE, off_delay_ms=30)


@pytest.mark.parametrize(
    ("last", "at_ms", "inside_ms"),
    [
        (wide(20, -160, -160), 39, 10),
        (wide(20, -160, -160), 40, None),
        (wide(10, -160, -160), 10 + GAP, None),
        (wide(9, -160, -160), 10 + GAP, 10 + GAP),
        (None, 60, 60),
    ],
    ids=["a ms too early", "just long enough", "readings just a gap apart", "a gap", "another probe"],
)
def test_an_off_delay_needs_readings_all_along(
    last: Sample | None, at_ms: int, inside_ms: int | None
) -> None:
    """Inside since 10, for 30 ms; what breaks it begins it anew with that reading. None: over."""
    state, changes = rule.on_sample(DELAYED, WAITING, after(last), wide(at_ms, -160, -160))
    if inside_ms is None:
        assert (state, changes) == (LimitState(), (Returned(at_ms),))
    else:
        assert (state, changes) == (replace(WAITING, inside_ms=inside_ms), ())


@pytest.mark.parametrize(
    "now", [wide(30, 0, 0, BAD), wide(30, -160, -160, UNCERTAIN)], ids=["bad", "doubtful"]
)
def test_what_is_no_evidence_breaks_an_off_delay(now: Sample) -> None:
    """It waits for a good reading to begin anew."""
    state, changes = rule.on_sample(DELAYED, WAITING, after(wide(20, -160, -160)), now)
    assert (state, changes) == (LimitState(active=True), ())


def test_the_deadband_is_for_what_is_open() -> None:
    """While only the alarm waits to return, a value within the deadband is inside."""
    limit = replace(DELAYED, deadband=20)
    state, changes = rule.on_sample(limit, WAITING, after(wide(10, -180, -180)), wide(20, -155, -155))
    assert (state, changes) == (WAITING, ())


def test_a_deadline_reached_in_the_ms_of_the_return_stands() -> None:
    """Deadline first: the hold was fulfilled, and nothing is denied."""
    state, changes = run(ABOVE, [wide(0, -140, -140), wide(10, -160, -160)])
    over = Interval("above", 0, 10, 10, extreme=-140, outside_ms=10, integral=100)
    assert changes == [Opened(0), Triggered(0, 10), Ended(over), Returned(10)]
    assert state.active is False


def test_what_a_line_denies_leaves_no_condition() -> None:
    """Outside at 0, by the line inside from 20 on, and the hold of 30 had fired at 30."""
    state, _ = run(replace(LINE, hold_ms=30), [wide(0, -149, -149), wide(40, -151, -151)])
    assert state == LimitState(not_before_ms=0)
    assert state.active is False


def test_an_excursion_may_be_unmonitored_from_end_to_end() -> None:
    """A limit that came into force in the last ms in which a reading counted: none of it is known outside."""
    state, _ = rule.start(ABOVE, after(wide(40, -140, -140)), 40 + GAP)
    _, (over,) = rule.on_sample(ABOVE, state, after(wide(40, -140, -140)), wide(170, -160, -160))
    assert isinstance(over, Ended)
    assert (over.interval.outside_ms, over.interval.unmonitored_ms) == (0, 30)


# --- Sums -----------------------------------------------------------------------------------------------

OPEN = LimitState(Interval("above", 0, extreme=-140, extreme_ms=0), from_ms=0)


@pytest.mark.parametrize(
    ("limit", "last", "at_ms", "sums"),
    [
        (ABOVE, wide(0, -160, -140), 30, (30, 0, 300)),
        (ABOVE, wide(0, -160, -140), 0, (0, 0, 0)),
        (ABOVE, wide(0, -160, -140), GAP + 30, (GAP, 30, 10 * GAP)),
        (BELOW, wide(0, -155, -140), 30, (30, 0, 150)),
        (ABOVE, wide(10, -140, -140, UNCERTAIN), 30, (20, 0, 200)),
        (ABOVE, wide(10, -160, -160, UNCERTAIN), 30, (0, 20, 0)),
        (ABOVE, wide(10, -160, -160), 30, (20, 0, 0)),
        (ABOVE, wide(10, 0, 0, BAD), 30, (0, 20, 0)),
        (replace(ABOVE, deadband=5), wide(10, -153, -153), 30, (20, 0, 0)),
        (replace(ABOVE, deadband=5), wide(10, -153, -153, UNCERTAIN), 30, (20, 0, 0)),
        (replace(ABOVE, deadband=5), wide(10, -155, -155, UNCERTAIN), 30, (0, 20, 0)),
        (replace(ABOVE, deadband=5, **ON_LIMIT), wide(10, -155, -155, UNCERTAIN), 30, (20, 0, 0)),
        (replace(BELOW, deadband=5), wide(10, -147, -147, UNCERTAIN), 30, (20, 0, 0)),
        (replace(BELOW, deadband=5), wide(10, -145, -145, UNCERTAIN), 30, (0, 20, 0)),
        (ABOVE, None, 70, (0, 70, 0)),
        (ABOVE, None, 0, (0, 0, 0)),
    ],
)
def test_time_is_outside_or_unmonitored(
    limit: Limit, last: Sample | None, at_ms: int, sums: tuple[int, int, int]
) -> None:
    """(outside, unmonitored, distance times ms) of an excursion open since 0, up to an instant."""
    one = rule.standing(limit, OPEN, after(last), at_ms)
    assert one is not None
    assert (one.outside_ms, one.unmonitored_ms, one.integral) == sums
    settled, changes = rule.settle(limit, OPEN, after(last), at_ms)
    assert (settled, changes) == (LimitState(one, from_ms=at_ms), ())
    assert rule.standing(limit, LimitState(), after(last), at_ms) is None
    assert rule.settle(limit, LimitState(), after(last), at_ms) == (LimitState(), ())


def test_sums_add_to_what_is_there() -> None:
    """And begin where they were brought up to, which may be after what is asked for."""
    open_ = replace(OPEN.open, outside_ms=7, unmonitored_ms=5, integral=3)
    known = LimitState(open_, from_ms=20)
    for_all = {"start_ms": 0, "extreme": -140}
    assert rule.standing(ABOVE, known, after(wide(0, -140, -140)), 50) == replace(
        open_, outside_ms=37, integral=303, **for_all
    )
    assert rule.standing(ABOVE, known, after(None), 50) == replace(open_, unmonitored_ms=35)
    assert rule.standing(ABOVE, known, after(None), 10) == open_
    assert rule.standing(ABOVE, known, after(wide(0, -140, -140)), 10) == open_


def test_a_line_goes_on_from_where_its_sums_were_brought_up_to() -> None:
    """From −110 at 10 to −131 at 50; by 30 it has come to −120.5, down to whole quanta −121."""
    state, _ = run(LINE, [wide(10, -110, -110)])
    state, _ = rule.settle(LINE, state, after(wide(10, -110, -110)), 30)
    state, _ = rule.on_sample(LINE, state, after(wide(10, -110, -110)), wide(50, -131, -131))
    assert state.open is not None
    assert (state.open.outside_ms, state.open.unmonitored_ms) == (40, 0)
    assert state.open.integral == 40 * 20 + (29 + 19) * 20 // 2
    assert type(state.open.integral) is int


def test_a_line_between_two_readings_is_all_outside() -> None:
    """Half way between −140 and −120 over 20 ms: 20 above the limit on the mean."""
    state, _ = run(LINE, [wide(10, -140, -140), wide(30, -120, -120)])
    assert state.open is not None
    assert (state.open.outside_ms, state.open.integral) == (20, 400)
    step, _ = run(ABOVE, [wide(10, -140, -140), wide(30, -120, -120)])
    assert step.open is not None
    assert step.open.integral == 200


@pytest.mark.parametrize(
    ("limit", "value", "ends"),
    [
        (replace(ABOVE, deadband=5), -153, False),
        (replace(ABOVE, deadband=5), -155, True),
        (replace(ABOVE, deadband=5, **ON_LIMIT), -155, False),
        (replace(BELOW, deadband=5), -147, False),
        (replace(BELOW, deadband=5), -145, True),
    ],
)
def test_a_deadband_keeps_an_excursion_open(limit: Limit, value: int, ends: bool) -> None:
    """Up to its edge, which belongs to it as the limit says of itself."""
    first = -140 if limit.side is Side.ABOVE else -160
    state, changes = run(limit, [wide(0, first, first), wide(5, value, value)])
    assert (state.open is None) is ends
    assert any(isinstance(change, Ended) for change in changes) is ends


# --- Numbers that change, and rules that go and come ----------------------------------------------------

WARM = wide(50, -142, -140)


def changed(new: Limit, last: Sample | None, at_ms: int = 60) -> Any:
    """An excursion of ABOVE open since 0, at an instant at which another limit takes its place."""
    state = replace(OPEN, active=True, hold_since_ms=0)
    return rule.reconfigure(ABOVE, new, state, after(last), at_ms)


def closed(**sums: int) -> Ended:
    """What becomes of the excursion before."""
    return Ended(replace(OPEN.open, end_ms=60, why_ended=LIMITS_CHANGED, **sums))


SUMS = {"outside_ms": 10, "unmonitored_ms": 0, "integral": 100}


def test_a_value_outside_both_limits_keeps_its_hold() -> None:
    """The successor begins now, measured by the new limit; its hold began with the old one's."""
    new = replace(ABOVE, id="new", limit=-145)
    one = Interval("new", 60, extreme=-140, extreme_ms=50)
    state = LimitState(one, hold_since_ms=0, not_before_ms=60, active=True, from_ms=60)
    assert changed(new, WARM) == (state, (closed(**SUMS), Opened(60)))


def test_a_value_within_the_new_deadband_keeps_it_open() -> None:
    """Not outside the new limit itself, but an open excursion would not have ended there."""
    new = replace(ABOVE, id="new", limit=-138, deadband=5)
    one = Interval("new", 60, extreme=-140, extreme_ms=50)
    state = LimitState(one, hold_since_ms=0, not_before_ms=60, active=True, from_ms=60)
    assert changed(new, WARM) == (state, (closed(**SUMS), Opened(60)))
    at_edge = replace(new, limit=-135)
    assert changed(at_edge, WARM)[1] == (closed(**SUMS),)
    assert changed(replace(at_edge, **ON_LIMIT), WARM)[1] == (closed(**SUMS), Opened(60))


@pytest.mark.parametrize(
    ("new", "last"),
    [
        (replace(ABOVE, limit=-130), WARM),
        (replace(ABOVE, limit=-145), None),
        (replace(ABOVE, limit=-145), wide(50, -140, -140, UNCERTAIN)),
        (BELOW, WARM),
        (replace(BELOW, limit=-142), WARM),
    ],
    ids=["inside the new one", "no reading", "doubtful", "the other side", "just on the other side"],
)
def test_what_is_not_outside_both_waits_with_the_alarm(new: Limit, last: Sample | None) -> None:
    """The excursion is closed; the alarm's condition stays until evidence ends it."""
    state, changes = changed(new, last)
    assert state == LimitState(not_before_ms=60, active=True, from_ms=60)
    assert [type(change) for change in changes] == [Ended]


def test_a_changed_limit_judges_a_reading_no_older_than_a_gap() -> None:
    """At 150 the reading of 50 still counts, at 151 it does not."""
    new = replace(ABOVE, limit=-138, deadband=5)
    assert changed(new, WARM, 50 + GAP)[1][-1] == Opened(50 + GAP)
    assert [type(change) for change in changed(new, WARM, 50 + GAP + 1)[1]] == [Ended]


def test_a_change_with_nothing_open_is_a_beginning() -> None:
    """The same as coming into force, with the alarm that stood."""
    new, quiet = replace(ABOVE, limit=-145), LimitState(active=True)
    state, changes = rule.reconfigure(ABOVE, new, quiet, after(WARM), 60)
    begun, opening = rule.start(new, after(WARM), 60)
    assert (state, changes) == (replace(begun, active=True), opening)
    assert rule.reconfigure(ABOVE, new, LimitState(), after(None), 60)[0].active is False


def test_a_limit_out_of_force_closes_with_the_reason() -> None:
    """What is left is whether its alarm stood, and nothing of the excursion."""
    state = replace(OPEN, active=True)
    over = Ended(replace(OPEN.open, end_ms=60, why_ended=NOT_IN_FORCE, **SUMS))
    assert rule.end(ABOVE, state, after(WARM), 60, NOT_IN_FORCE) == (LimitState(active=True), (over,))
    assert rule.end(ABOVE, LimitState(), after(WARM), 60, NOT_IN_FORCE) == (LimitState(), ())


def test_a_limit_back_in_force_judges_the_last_reading() -> None:
    """As one that begins, with the alarm that stood."""
    state, changes = rule.resume(ABOVE, LimitState(active=True), after(WARM), 60)
    begun, opening = rule.start(ABOVE, after(WARM), 60)
    assert (state, changes) == (replace(begun, active=True), opening)
    assert opening == (Opened(60),)


# --- The calm band, and what all rules look at ----------------------------------------------------------


def test_the_calm_band_is_the_inside() -> None:
    """While nothing is open and no alarm waits for its first evidence; an off-delay ends with a reading."""
    assert rule.band(ABOVE, LimitState(), after(None)) == Calm(high=-150)
    assert rule.band(BELOW, LimitState(), after(None)) == Calm(low=-150)
    assert rule.band(ABOVE, LimitState(active=True), after(None)) is None
    waits = LimitState(active=True, inside_ms=5)
    assert rule.band(replace(ABOVE, off_delay_ms=60), waits, after(None)) == Calm(high=-150, until_ms=65)


def test_while_an_excursion_is_open_the_calm_band_is_the_outside() -> None:
    """Of the limit shifted inwards; until a reading fulfils the hold, where it is a reading that does."""
    assert rule.band(ABOVE, OPEN, after(None)) == Calm(low=-149)
    assert rule.band(replace(ABOVE, deadband=5), OPEN, after(None)) == Calm(low=-154)
    assert rule.band(replace(BELOW, deadband=5), OPEN, after(None)) == Calm(high=-146)
    assert rule.band(replace(ABOVE, **ON_LIMIT), OPEN, after(None)) == Calm(low=-150)
    held = replace(OPEN, hold_since_ms=7)
    assert rule.band(LATER, held, after(None)) == Calm(low=-149, until_ms=7 + LATER.hold_ms)
    triggered = replace(held, open=replace(OPEN.open, triggered_ms=17))
    assert rule.band(LATER, triggered, after(None)) == Calm(low=-149)


@pytest.mark.parametrize(
    "limit",
    [ABOVE, replace(ABOVE, deadband=20), replace(BELOW, limit=-130), LINE, replace(LINE, deadband=20), LATER],
    ids=["step", "deadband", "below", "line", "line and deadband", "triggered by a reading"],
)
@pytest.mark.parametrize("from_ms", [0, 25], ids=["whole", "settled meanwhile"])
def test_an_open_excursion_takes_in_a_run(limit: Limit, from_ms: int) -> None:
    """All fields as if it had been asked about each sample: sums, the area, the first furthest value."""
    made = (
        wide(10, -149, -140),
        *(wide(at, low, low + 2) for at, low in ((30, -140), (45, -145), (50, -136), (70, -136), (75, -148))),
    )
    state = LimitState(
        Interval(limit.id, 5, triggered_ms=5, extreme=-140, extreme_ms=10, outside_ms=5, integral=2),
        hold_since_ms=5,
        active=True,
        from_ms=from_ms,
    )
    asked = state
    for last, now in pairwise(made):
        asked, changes = rule.on_sample(limit, asked, after(last), now)
        assert changes == ()
    assert rule.sync(limit, state, Shown(made[-1], samples=made, known=1)) == asked


def test_a_limit_with_nothing_open_takes_in_nothing() -> None:
    """It is the very same state, and the run is not even looked at."""
    idle = LimitState(active=True, inside_ms=5)
    assert rule.sync(ABOVE, idle, Alone(GAP, wide(10, -160, -160))) is idle


def test_a_value_on_the_limit_is_inside_or_not_as_the_limit_says() -> None:
    """The band ends on it, or one quantum before."""
    assert inside(ABOVE) == Calm(high=-150)
    assert inside(replace(ABOVE, **ON_LIMIT)) == Calm(high=-151)
    assert inside(BELOW) == Calm(low=-150)
    assert inside(replace(BELOW, **ON_LIMIT)) == Calm(low=-149)
    assert beyond(ABOVE, -150) == Calm(low=-149)
    assert beyond(replace(ABOVE, **ON_LIMIT), -150) == Calm(low=-150)
    assert beyond(BELOW, -150) == Calm(high=-151)
    assert beyond(replace(BELOW, **ON_LIMIT), -150) == Calm(high=-150)
    for limit, on in ((ABOVE, False), (replace(ABOVE, **ON_LIMIT), True), (replace(BELOW, **ON_LIMIT), True)):
        assert evidence_outside(limit, wide(5, -150, -150)) is on


def test_two_bands_allow_what_both_allow() -> None:
    """The narrower of each side, and the earlier end."""
    one, other = Calm(1, 9, 70), Calm(3, 12, 50)
    assert one.within(other) == other.within(one) == Calm(3, 9, 50)
    assert Calm().within(one) == one


@pytest.mark.parametrize(
    ("before", "after_", "span", "area"),
    [
        (1, -1, 100, 25),
        (-1, 1, 100, 25),
        (0, 1, 10, 5),
        (1, 0, 10, 5),
        (3, 4, 1, 3),
        (0, -3, 10, 0),
        (-3, 0, 10, 0),
    ],
)
def test_a_small_area_is_an_area(before: int, after_: int, span: int, area: int) -> None:
    """A quantum beyond the limit counts; parts of a unit do not."""
    found = area_beyond(before, after_, span)
    assert (found, type(found)) == (area, int)


def test_neighbours_are_no_further_apart_than_a_gap() -> None:
    """Just a gap apart there is a line between them."""
    assert interpolates(LINE, wide(0, 1, 1), wide(GAP, 2, 2), GAP)
    assert not interpolates(LINE, wide(0, 1, 1), wide(GAP + 1, 2, 2), GAP)
    assert not interpolates(ABOVE, wide(0, 1, 1), wide(GAP, 2, 2), GAP)


def test_who_looks_at_the_sample_before_has_no_past() -> None:
    """Nothing counted, nothing weighed."""
    alone = Alone(GAP, wide(10, 1, 1))
    assert list(alone.dwells(0, 50)) == []
    assert alone.weighed(0, 50, lambda value: value) == (0, 0)
