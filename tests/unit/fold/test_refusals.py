"""A fact that makes no sense is refused aloud; the writer never dies of it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from coldchain.announcements import Announcement, Kind
from coldchain.facts import (
    Acknowledged,
    Activated,
    AlarmClosed,
    Bound,
    ClockSet,
    ConsignmentEnded,
    ConsignmentStarted,
    EtaSet,
    Fact,
    LatchReset,
    Reading,
    Shelved,
    StageEntered,
    Unbound,
    Unshelved,
)
from coldchain.model import Priority, Side
from coldchain.plan import AssetPlan, CalibrationPoint, Cause, Moves, Plan, Sign, Work
from tests.unit.fold.bench import CITED, MIN, T0, Bench, budget, channel, limit, plan

HERE = plan(limit())
OK = {"clock": True}


def add(fact: Fact, *, clock: bool = True, before: tuple[Fact, ...] = ()) -> list[Announcement]:
    """What is said to a fact a minute after the start."""
    bench = Bench(HERE, clock=clock)
    for one in before:
        bench.add(one, T0 + MIN)
    said = bench.add(fact, T0 + MIN)
    bench.add(Reading("log", "box.vapour", "-160", "degC", at_ms=T0 + 2 * MIN), T0 + 2 * MIN)
    assert bench.refold() == bench.said
    return said


def activated(**words: Any) -> Activated:
    """A plan with something wrong in it."""
    return Activated(replace(HERE, **words), {})


START = ConsignmentStarted("C-1", "box", "test", "transport", T0)
param = pytest.param


WORK = Work("calibration", 60 * MIN, CITED)


def shown_by(**words: Any) -> Work:
    """A work with a sign."""
    return replace(WORK, sign=Sign(**({"role": "level", "moves": Moves.RISES, "by": 1} | words)))


@pytest.mark.parametrize(
    ("fact", "before"),
    [
        param(Acknowledged("no/such", (1,), "a"), (), id="an alarm that never was"),
        param(Shelved("no/such", T0, "a"), (), id="shelve an alarm that never was"),
        param(Unshelved("no/such", "a"), (), id="unshelve an alarm that never was"),
        param(LatchReset("no/such", "a", "b"), (), id="reset an alarm that never was"),
        param(AlarmClosed("no/such", "a", "b"), (), id="close an alarm that never was"),
        param(Bound("nobody", "box", "x", T0), (), id="bind a channel that is in no plan"),
        param(Bound("box.vapour", "nowhere", "x", T0), (), id="bind to an asset that is in no plan"),
        param(Bound("box.vapour", "box", "a/b", T0), (), id="a role with a slash"),
        param(Unbound("nobody", T0), (), id="unbind a channel that is in no plan"),
        param(Bound("box.vapour", "box", "liquid", T0 + 3 * MIN), (), id="bind in the future"),
        param(replace(START, at_ms=T0 + 3 * MIN), (), id="a consignment from the future"),
        param(replace(START, asset="nowhere"), (), id="a consignment in an unknown asset"),
        param(replace(START, profile="other"), (), id="a consignment under an unknown profile"),
        param(replace(START, stage="other"), (), id="a consignment in an unknown stage"),
        param(START, (START,), id="a consignment that exists"),
        param(replace(START, consignment="C-2"), (START,), id="a second product in one box"),
        param(StageEntered("C-1", "transport", T0), (), id="a stage of no consignment"),
        param(StageEntered("C-1", "other", T0), (START,), id="a stage that the profile has not"),
        param(StageEntered("C-1", "transport", T0 - 1), (START,), id="a stage before the consignment"),
        param(EtaSet("C-1", T0, T0), (), id="an arrival of no consignment"),
        param(ConsignmentEnded("C-1", "delivered", T0), (), id="an end of no consignment"),
        param(ConsignmentEnded("C-1", "delivered", T0 - 1), (START,), id="an end before the start"),
        param(
            ConsignmentEnded("C-1", "delivered", T0 + 1),
            (START, StageEntered("C-1", "transport", T0 + 2)),
            id="an end before a stage",
        ),
        param(activated(sources=()), (), id="a channel of no source"),
        param(activated(channels=(channel(quantity="smell"),)), (), id="an unknown quantity"),
        param(activated(channels=(channel(), channel())), (), id="two channels of one name"),
        param(
            activated(channels=(channel(calibration=(CalibrationPoint(5, 1), CalibrationPoint(5, 2))),)),
            (),
            id="a calibration with one point twice",
        ),
        param(activated(channels=(channel(valid_low=5, valid_high=4),)), (), id="validity upside down"),
        param(activated(channels=(channel(valid_high=2**70),)), (), id="a validity beyond any value"),
        param(activated(channels=(channel(max_gap_ms=-1),)), (), id="a negative gap"),
        param(activated(channels=(channel(fresh_within_ms=0),)), (), id="never fresh"),
        param(activated(channels=(channel(re_alarm_ms=0),)), (), id="a re-alarm without end"),
        param(activated(profiles=plan(limit(hold_ms=-1)).profiles), (), id="a negative hold"),
        param(activated(profiles=plan(limit(deadband=-1)).profiles), (), id="a negative deadband"),
        param(activated(profiles=plan(limit(off_delay_ms=-1)).profiles), (), id="a negative off-delay"),
        param(activated(profiles=plan(limit(re_alarm_ms=0)).profiles), (), id="a rule that alarms for ever"),
        param(activated(profiles=plan(budget(allowance_min=-1)).profiles), (), id="a negative allowance"),
        param(activated(profiles=plan(limit(), limit()).profiles), (), id="two rules of one name"),
        param(activated(works=(WORK, WORK)), (), id="two kinds of work of one name"),
        param(activated(works=(replace(WORK, longest_ms=0),)), (), id="a work that may last no time"),
        param(activated(works=(replace(WORK, id="a/b"),)), (), id="a work with a slash"),
        param(activated(works=(replace(WORK, re_alarm_ms=0),)), (), id="a work that alarms for ever"),
        param(
            activated(works=(replace(WORK, cause=Cause("valve", Side.ABOVE, 0)),)),
            (),
            id="everything out of service by a reading",
        ),
        param(activated(works=(shown_by(by=0),)), (), id="a sign that every reading shows"),
        param(activated(works=(shown_by(within_ms=-1),)), (), id="a sign to be waited for in the past"),
        param(activated(works=(shown_by(after_end=True),)), (), id="a sign after the end, and no wait"),
        param(activated(channels=(channel(touch=0),)), (), id="a touch that every reading shows"),
        param(activated(shelf_max_ms={Priority.LOW: 0}), (), id="no alarm could ever be shelved"),
        param(activated(assets=(AssetPlan("box", "x"), AssetPlan("box", "x"))), (), id="an asset twice"),
        param(
            Reading("log", "box.vapour", "-160", "degC", at_ms=2**70), (), id="a time that no clock can show"
        ),
        param(ClockSet(0, "test", leap_ms=-MIN), (), id="time that would leap back"),
        param(ClockSet(2**70, "test"), (), id="an offset that no clock can have"),
        param(Activated(HERE, {}, at_ms=T0 + 10 * MIN), (), id="a plan from the future"),
    ],
)
def test_nonsense_is_refused_aloud(fact: Fact, before: tuple[Fact, ...]) -> None:
    """Refused with a reason in words, nothing else said, and the fold goes on."""
    said = add(fact, before=before)
    assert [a.kind for a in said] == [Kind.REFUSED]
    assert said[0].text


def test_facts_of_one_instant_with_and_without_a_clock_are_no_riddle() -> None:
    """While the clock is unknown one has a stated time and the other none: both are taken."""
    said = add(Bound("box.vapour", "box", "liquid", T0), clock=False, before=(Activated(HERE, {}),))
    assert said == []


def test_a_reading_of_an_unknown_channel_is_kept_by_the_journal_alone() -> None:
    """Nothing is said: the port has told of the unknown key already."""
    assert add(Reading("log", "nobody", "1", "degC", at_ms=T0)) == []


def test_an_empty_plan_is_a_plan() -> None:
    """Everything was removed: the box is measured no more, and that is no error."""
    assert add(Activated(Plan("test"), {})) == []


def test_refused_plans_change_nothing() -> None:
    """The plan in force before goes on judging."""
    bench = Bench(plan(limit(hold_ms=0)))
    bench.add(activated(channels=(channel(), channel())), T0 + MIN)
    bench.add(Reading("log", "box.vapour", "-149", "degC", at_ms=T0 + 2 * MIN))
    assert bench.told(Kind.RAISED) == ["raised above since 2 due 2"]


def test_sides_are_two() -> None:
    """What is written here about one side holds for the other by symmetry of `Side`."""
    assert len(Side) == 2
