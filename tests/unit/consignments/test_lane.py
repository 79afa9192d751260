"""Time lines of places: what plans, bindings and consignments say together, in whatever order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.consignments.bindings import Bindings
from coldchain.consignments.lane import Lane, When
from coldchain.consignments.sense import nonsense
from coldchain.facts import Activated, Bound, ConsignmentEnded, ConsignmentStarted, StageEntered, Unbound
from coldchain.plan import AssetPlan, Plan, ProfilePlan, StagePlan
from tests.unit.fold.bench import channel, limit, plan

WARM, COLD = limit(value=-150), limit(value=-180)
SITE = replace(
    plan(WARM, channels=(channel(), channel("spare", asset="shelf", role="air"))),
    assets=(AssetPlan("box", "dry_shipper", profile="test", stage="transport"), AssetPlan("shelf", "shelf")),
    profiles=(
        ProfilePlan(
            "test", "1", True, (StagePlan("transport", (WARM,)), StagePlan("hub", (COLD,))), "0" * 64
        ),
    ),
)


def at(journal_ms: int) -> When:
    """An instant at which journal time and UTC are a thousand apart."""
    return When(journal_ms, journal_ms + 1000)


def lane(*facts: tuple[int, Any], site: Plan = SITE) -> Lane:
    """A lane to which these were said, each for its instant, all of them taken."""
    made = Lane()
    for instant, fact in ((0, Activated(site, {})), *facts):
        assert made.add(fact, at(instant)) is None, fact
    return made


def said(made: Lane, place: str = "box/vapour", *, journal_axis: bool = True) -> list[tuple[Any, ...]]:
    """A time line in short: since when, which probe, which product and stage, which limit."""
    return [
        (
            s.from_ms,
            s.channel.id if s.channel is not None else None,
            s.scope,
            s.stage,
            [rule.limit // 1000 for rule in s.rules],
        )
        for s in made.segments(place, journal_axis)
    ]


START = ConsignmentStarted("C-1", "box", "test", "transport", 0)


def test_a_place_is_judged_by_its_assets_profile_while_nothing_travels() -> None:
    """Home limits from the activation on."""
    assert said(lane()) == [(0, "box.vapour", "", "transport", [-150])]


def test_a_consignment_brings_its_own_stages_and_goes() -> None:
    """Start, stage and end are boundaries; afterwards the asset's own profile holds again."""
    made = lane(
        (10, START), (20, StageEntered("C-1", "hub", 0)), (30, ConsignmentEnded("C-1", "delivered", 0))
    )
    assert said(made) == [
        (0, "box.vapour", "", "transport", [-150]),
        (10, "box.vapour", "C-1", "transport", [-150]),
        (20, "box.vapour", "C-1", "hub", [-180]),
        (30, "box.vapour", "", "transport", [-150]),
    ]
    assert said(made, journal_axis=False)[1][0] == 1010


def test_what_is_said_late_holds_from_its_instant() -> None:
    """A stage and a binding that were forgotten take effect where they belong."""
    made = lane((10, START), (50, Unbound("box.vapour", 0)), (20, StageEntered("C-1", "hub", 0)))
    assert [(line[0], line[1], line[3]) for line in said(made)] == [
        (0, "box.vapour", "transport"),
        (10, "box.vapour", "transport"),
        (20, "box.vapour", "hub"),
        (50, None, "hub"),
    ]


def test_without_a_probe_the_limits_stay_in_force() -> None:
    """Nothing is measured, and that ends no hold; before its first probe a place has no limits."""
    made = lane((10, Unbound("box.vapour", 0)), (20, Bound("spare", "box", "liquid", 0)))
    assert said(made) == [(0, "box.vapour", "", "transport", [-150]), (10, None, "", "transport", [-150])]
    assert said(made, "box/liquid") == [(0, None, "", "transport", []), (20, "spare", "", "transport", [])]


def test_the_same_plan_again_is_nothing_new() -> None:
    """Reloads of an unchanged configuration are not remembered one by one."""
    made = lane(*((i, Activated(SITE, {})) for i in range(1, 200)))
    assert len(made.plans) == 1
    assert len(said(made)) == 1


def test_a_plan_said_for_the_past_overrides_what_followed() -> None:
    """From its instant on it is in force, whatever was in force there before."""
    second = replace(SITE, profiles=plan(limit(value=-120)).profiles)
    third = replace(SITE, profiles=plan(limit(value=-100)).profiles)
    made = lane((100, Activated(second, {})), (50, Activated(third, {})))
    assert [(line[0], line[4]) for line in said(made)] == [(0, [-150]), (50, [-100])]


def test_an_operators_binding_stands_until_the_file_says_another_place() -> None:
    """A reload with the same place in the file leaves the probe where it was carried."""
    made = lane((10, Bound("spare", "box", "vapour", 0)), (20, Activated(SITE, {})))
    assert made.place_of("spare") == "box/vapour"
    assert made.place_of("box.vapour") is None
    moved = replace(SITE, channels=(channel(), channel("spare", asset="shelf", role="floor")))
    made.add(Activated(moved, {}), at(30))
    assert made.place_of("spare") == "shelf/floor"


def test_clocks_that_were_set_back_leave_one_line() -> None:
    """In UTC the later statement lies earlier: it replaces what would begin after it."""
    made = Lane()
    made.add(Activated(SITE, {}), When(0, 1000))
    made.add(START, When(10, 5000))
    made.add(StageEntered("C-1", "hub", 0), When(20, 3000))
    assert [(line[0], line[3]) for line in said(made, journal_axis=False)] == [
        (1000, "transport"),
        (3000, "hub"),
    ]


def test_vague_instants_are_put_right() -> None:
    """The clock becomes known: what was said without it moves to where it belongs."""
    made = Lane()
    made.add(Activated(SITE, {}), When(5, None, "utc"))
    made.add(START, When(7, 4000, "journal"))
    made.put_right(
        lambda when: When(when.journal_ms, when.journal_ms + 9000) if when.vague == "utc" else at(50)
    )
    assert [line[:1] + line[2:3] for line in said(made)] == [(5, ""), (50, "C-1")]
    assert [line[0] for line in said(made, journal_axis=False)] == [1050]


def test_places_touched_are_those_of_the_asset() -> None:
    """The caller folds no place that a fact does not concern."""
    made = lane((10, START))
    assert made.touched == {"box/vapour"}
    made.add(Bound("spare", "box", "liquid", 0), at(20))
    assert made.touched == {"shelf/air", "box/liquid"}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c"]), st.sampled_from(["x/1", "x/2", "y/1", None]), st.integers(0, 30)
        ),
        max_size=25,
    )
)
def test_a_probe_is_in_one_place_and_a_place_has_one_probe(
    statements: list[tuple[str, str | None, int]],
) -> None:
    """However bindings are back-dated: at no instant two of either, and the last word on an instant holds."""
    made = Bindings()
    for name, place, instant in statements:
        if place is None:
            made.unbind(name, When(instant))
        else:
            touched = made.bind(name, place, When(instant))
            assert place in touched
            assert made.channel_at(place, instant) == name
            assert made.channel_at(place, 31) == name
    for instant in range(32):
        measured = [made.channel_at(place, instant) for place in made.places()]
        there = [name for name in measured if name is not None]
        assert len(there) == len(set(there))
    for place in made.places():
        assert made.channel_in(place) == made.channel_at(place, 31)


def test_a_plan_of_the_shipped_shape_makes_sense() -> None:
    """The last door refuses nothing that is right."""
    assert nonsense(SITE) is None


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"sources": ()}, "channel box.vapour: no source log"),
        ({"channels": (channel(role="a/b"),)}, "channel box.vapour: a/b is no role of a probe"),
        (
            {"profiles": plan(WARM, COLD).profiles},
            "profile test: rule above stands twice in stage transport",
        ),
    ],
    ids=["no source", "slash", "rule twice"],
)
def test_what_cannot_be_is_named(words: dict[str, Any], why: str) -> None:
    """In one sentence, with the name of what is wrong."""
    assert nonsense(replace(SITE, **words)) == why
