"""A rule that waits for its probe to settle: what it does meanwhile, and with which reading it begins."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from coldchain.model import Side
from coldchain.plan import Crossing, KineticMean, Limit, Rolling, Rule, Settle, Spike
from coldchain.rules.book import JUDGES, judge_of
from coldchain.rules.budget import BudgetState
from coldchain.rules.judging import (
    BAD,
    GOOD,
    LIMITS_CHANGED,
    STAGE_OVER,
    UNCERTAIN,
    Band,
    Interval,
    Opened,
    Sample,
    Triggered,
)
from coldchain.rules.limit import LimitState
from coldchain.rules.settling import Settling
from tests.unit.rules.seen import Shown, after
from tests.unit.rules.test_budget import WARM as SPENT
from tests.unit.rules.test_limit import ABOVE, bad, good
from tests.unit.rules.test_spells import KINDS, LASTING

SETTLED = replace(ABOVE, settle=Settle(Side.ABOVE, -155, 60))
RISING = replace(SETTLED, settle=Settle(Side.BELOW, -165, 60))
WAITS = Settling(70)
JUDGE = judge_of(SETTLED)
WARM = after(good(20, -100))


def test_it_waits_so_long_at_most() -> None:
    """From when it came into force, or came back; a rule without a time to settle judges at once."""
    assert JUDGE.start(SETTLED, WARM, 10) == (WAITS, ())
    assert JUDGE.due_ms(SETTLED, WAITS, WARM) == 70
    assert JUDGE.resume(SETTLED, Settling(15), WARM, 10) == (WAITS, ())
    assert judge_of(ABOVE) is JUDGES[Limit]


@pytest.mark.parametrize(
    "now",
    [good(30, -154), Sample(30, -160, -154, GOOD), Sample(30, -160, -160, UNCERTAIN), bad(30)],
    ids=["outside", "partly", "doubtful", "bad"],
)
def test_while_it_waits_nothing_is_judged(now: Sample) -> None:
    """The very same state, and nothing said, until a GOOD reading lies wholly inside."""
    found, changes = JUDGE.on_sample(SETTLED, WAITS, WARM, now)
    assert found is WAITS
    assert changes == ()


def test_a_bad_reading_has_no_value_to_settle_at() -> None:
    """It is shown as nought, which lies inside where the inner side is above."""
    assert JUDGE.on_sample(RISING, WAITS, WARM, bad(30)) == (WAITS, ())


@pytest.mark.parametrize(
    ("rule", "now"),
    [(SETTLED, Sample(30, -170, -155, GOOD)), (RISING, Sample(30, -165, -151, GOOD))],
    ids=["fallen to it", "risen to it"],
)
def test_the_first_reading_inside_begins_the_judging(rule: Limit, now: Sample) -> None:
    """What was warm before it, while the probe settled, is no excursion: it lay before the judging."""
    begun = LimitState(not_before_ms=30, from_ms=30)
    assert JUDGE.on_sample(rule, WAITS, WARM, now) == (begun, ())


def test_the_first_reading_is_judged_itself() -> None:
    """Settled at −155, and yet outside a limit at −170: the excursion begins with it."""
    rule = replace(SETTLED, limit=-170, hold_ms=0)
    state, changes = JUDGE.on_sample(rule, WAITS, WARM, good(30, -160))
    one = Interval("above", 30, extreme=-160, extreme_ms=30)
    assert (state, changes) == (LimitState(one, 30, 30, from_ms=30), (Opened(30),))


def test_a_fall_while_settling_is_no_spike_and_no_line() -> None:
    """The jump to the reading that ends the settling is what settling is."""
    words: dict[str, Any] = {"id": "r", "role": "air", "priority": ABOVE.priority, "cited": ABOVE.cited}
    spike = Spike(**words, limit=9, settle=Settle(Side.ABOVE, -155, 60))
    judge = judge_of(spike)
    state, changes = judge.on_sample(spike, WAITS, WARM, good(30, -160))
    assert changes == ()
    assert judge.on_sample(spike, state, after(good(30, -160)), good(40, -150))[1] != ()
    line = replace(SETTLED, limit=-170, crossing=Crossing.LINEAR)
    assert JUDGE.on_sample(line, WAITS, WARM, good(30, -160))[1] == (Opened(30),)


def test_when_its_time_is_over_it_judges_what_is_there() -> None:
    """A box that stays warm is outside from then on, by the last reading."""
    state, changes = JUDGE.on_due(SETTLED, WAITS, WARM)
    one = Interval("above", 70, extreme=-100, extreme_ms=20)
    assert (state, changes) == (LimitState(one, 70, 70, from_ms=70), (Opened(70),))


def test_while_it_waits_it_has_no_excursion_no_alarm_and_no_band() -> None:
    """A reload, a boundary and the end of its stage change nothing."""
    other = replace(SETTLED, limit=-140)
    assert JUDGE.standing(SETTLED, WAITS, WARM, 50) is None
    assert JUDGE.active(WAITS) is False
    assert JUDGE.shows(SETTLED, WAITS, good(30, -100)) is False
    assert JUDGE.band(SETTLED, WAITS, WARM) is None
    assert JUDGE.sync(SETTLED, WAITS, WARM) is WAITS
    assert JUDGE.settle(SETTLED, WAITS, WARM, 50) == (WAITS, ())
    assert JUDGE.reconfigure(SETTLED, other, WAITS, WARM, 50) == (WAITS, ())
    assert JUDGE.end(SETTLED, WAITS, WARM, 50, STAGE_OVER) == (WAITS, ())
    assert JUDGE.same(SETTLED, replace(SETTLED, title="else"))
    assert not JUDGE.same(SETTLED, other)


def test_once_settled_it_is_the_limit_itself() -> None:
    """Each function is that of the kind, with all it is given."""
    state = LimitState(Interval("above", 30, extreme=-140, extreme_ms=30), 30, 30, active=True)
    seen, now, other = after(good(30, -140)), good(50, -140), replace(SETTLED, limit=-145)
    plain = judge_of(ABOVE)
    calm = LimitState(not_before_ms=30)
    assert JUDGE.due_ms(SETTLED, state, seen) == plain.due_ms(ABOVE, state, seen) == 40
    assert JUDGE.on_due(SETTLED, state, seen) == plain.on_due(ABOVE, state, seen)
    assert JUDGE.on_due(SETTLED, state, seen)[1] == (Triggered(30, 40),)
    assert JUDGE.on_sample(SETTLED, state, seen, now) == plain.on_sample(ABOVE, state, seen, now)
    assert JUDGE.settle(SETTLED, state, seen, 60) == plain.settle(ABOVE, state, seen, 60)
    assert JUDGE.reconfigure(SETTLED, other, state, seen, 60) == plain.reconfigure(
        ABOVE, replace(ABOVE, limit=-145), state, seen, 60
    )
    assert JUDGE.end(SETTLED, state, seen, 60, STAGE_OVER) == plain.end(ABOVE, state, seen, 60, STAGE_OVER)
    assert JUDGE.resume(SETTLED, state, seen, 60) == plain.resume(ABOVE, state, seen, 60)
    assert JUDGE.standing(SETTLED, state, seen, 60) == plain.standing(ABOVE, state, seen, 60)
    assert (JUDGE.active(state), JUDGE.active(calm)) == (True, False)
    assert JUDGE.shows(SETTLED, state, now)
    assert not JUDGE.shows(SETTLED, state, good(50, -160))
    assert JUDGE.band(SETTLED, calm, seen) == Band(high=-150)
    assert JUDGE.reconfigure(SETTLED, other, state, seen, 60)[1][0].interval.why_ended == LIMITS_CHANGED


def test_once_settled_a_budget_has_its_deadline() -> None:
    """It is reckoned from the last reading, which the settling hands on."""
    settled = replace(SPENT, settle=Settle(Side.ABOVE, -155, 60))
    judge, seen = judge_of(settled), after(good(0, -140))
    assert judge.due_ms(settled, BudgetState(), seen) == 51
    assert judge.on_due(settled, BudgetState(), seen)[1] == (Opened(0), Triggered(0, 51))


def test_no_window_holds_what_was_warm_while_the_probe_settled() -> None:
    """Sixty ms at −100 before it settled are no time outside, and warm no mean; without settling they are."""
    warm = [good(at, -100) for at in range(0, 60, 10)]
    cold = [good(at, -160) for at in range(60, 170, 10)]
    words: dict[str, Any] = {"id": "r", "role": "vapour", "priority": ABOVE.priority, "cited": ABOVE.cited}
    settle = Settle(Side.ABOVE, -155, 100)
    rolling = Rolling(**words, side=Side.ABOVE, limit=-150, allowance_ms=20, window_ms=100)
    mean = KineticMean(**words, limit=-125, window_ms=100, energy_kj_mol="83.144")
    for rule in (rolling, mean):
        assert _opened(rule, warm + cold), "the warm time is enough for an alarm"
        assert not _opened(replace(rule, settle=settle), warm + cold)
        again = [good(at, -90) for at in range(170, 330, 10)]
        assert _opened(replace(rule, settle=settle), warm + cold + again), "what is warm later counts"


def _opened(rule: Rule, samples: list[Sample]) -> bool:
    judge, seen, changed = judge_of(rule), Shown(), False
    state, _ = judge.start(rule, seen, 0)
    for i, now in enumerate(samples):
        seen = Shown(samples[i - 1] if i else None, samples=tuple(samples[: i + 1]))
        state, changes = judge.on_sample(rule, state, seen, now)
        changed = changed or any(isinstance(change, Opened) for change in changes)
    return changed


@pytest.mark.parametrize("rule", [rule for rule, _ in KINDS], ids=[type(rule).__name__ for rule, _ in KINDS])
def test_every_kind_can_settle(rule: Rule) -> None:
    """It begins with the first reading inside as if its product had come then, and catches up as it would."""
    settled = replace(rule, settle=Settle(Side.ABOVE, 8, 60))
    judge, plain = judge_of(settled), judge_of(rule)
    before = (Sample(0, 5, 5, GOOD), Sample(20, 0, 0, BAD))
    seen, now = Shown(before[1], samples=before), Sample(30, 7, 7, GOOD)
    seen.samples = (*before, now)
    state, changes = judge.on_sample(settled, WAITS, seen, now)
    fresh = Shown(before[1], since_ms=30, samples=seen.samples)
    begun, opening = plain.start(rule, fresh, 30)
    expected, more = plain.on_sample(rule, begun, fresh, now)
    assert (state, changes) == (expected, (*opening, *more))
    later = Shown(Sample(40, 7, 7, GOOD), samples=(*seen.samples, Sample(40, 7, 7, GOOD)), known=3)
    assert judge.sync(settled, state, later) == plain.sync(rule, state, later)
    assert judge.sync(settled, WAITS, later) is WAITS
    assert judge.band(settled, state, later) == plain.band(rule, state, later)
    assert judge.shows(settled, replace(state, spell=LASTING), now)
