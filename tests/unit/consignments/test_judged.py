"""What is measured where must be what is judged there; and a person is told what is judged by nothing."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from coldchain.consignments.lane import Lane, When
from coldchain.daemon.doubts import Doubt, doubt_of
from coldchain.facts import Activated, Bound, ConsignmentStarted
from coldchain.model import Ending, Side
from coldchain.plan import AssetPlan, Cause, Plan, ProfilePlan, StagePlan, Work
from coldchain.web.station import Action, BindChannel, EndConsignment, EnterStage, StartConsignment
from tests.unit.fold.bench import CITED, channel, limit, plan

VAPOUR = {"vapour": "temperature"}
LID = Work("filling", 1, CITED, hides=("above",), cause=Cause("lid", Side.ABOVE, 1))
STAGES = (
    StagePlan("storage", (limit(),), roles=VAPOUR),
    StagePlan("transport", (limit(),), roles=VAPOUR | {"mass": "mass"}),
)
#: A box that a profile judges, a crate that none judges while it is empty, a spare probe and a balance.
SITE = replace(
    plan(
        channels=(
            channel(),
            channel("spare", asset="bench", role="air"),
            channel("balance", asset="bench", role="mass", quantity="mass"),
        )
    ),
    assets=(
        AssetPlan("box", "dry_shipper", profile="test", stage="storage", reserves=(("vapour", "second"),)),
        AssetPlan("crate", "dry_shipper"),
        AssetPlan("bench", "shelf"),
    ),
    profiles=(ProfilePlan("test", "1", True, STAGES, "0" * 64, works=(LID,)),),
)


def lane(*facts: object, site: Plan = SITE) -> Lane:
    """A lane that was told so."""
    made = Lane()
    for i, fact in enumerate((Activated(site, {}), *facts)):
        assert made.add(fact, When(i, i)) is None
    return made


def doubt(action: Action, *facts: object, site: Plan = SITE) -> Doubt | None:
    """What whoever asks for this is told."""
    return doubt_of(lane(*facts, site=site), action)


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(BindChannel("spare", "box", "lid"), id="a role that a work looks at"),
        pytest.param(BindChannel("spare", "box", "second"), id="a role that stands in for a judged one"),
        pytest.param(BindChannel("box.vapour", "box", "vapour"), id="where it is already"),
        pytest.param(BindChannel("balance", "box", "mass"), id="a role that only another stage judges"),
        pytest.param(BindChannel("nobody", "box", "vapuor"), id="an unknown channel: the fold refuses"),
        pytest.param(BindChannel("spare", "nowhere", "vapuor"), id="an unknown asset: the fold refuses"),
        pytest.param(
            StartConsignment("C", "box", "test", "storage"), id="all that the stage judges is there"
        ),
        pytest.param(StartConsignment("C", "box", "other", "x"), id="an unknown profile: the fold refuses"),
        pytest.param(EnterStage("C", "storage"), id="an unknown consignment: the fold refuses"),
        pytest.param(EndConsignment("C", Ending.DELIVERED), id="an end"),
    ],
)
def test_nothing_to_be_said(action: Action) -> None:
    """What is judged, or is refused anyway, is no question."""
    assert doubt(action) is None


def test_a_role_that_no_limit_judges_asks() -> None:
    """It names asset, role and profile, what was probably meant, and what it would mean."""
    told = doubt(BindChannel("spare", "box", "vapuor"))
    assert told is not None
    assert told.asks
    assert told.message == (
        'no limit of test judges "vapuor" in box; did you mean "vapour"? '
        "Nothing but the silence of the probe would be watched there"
    )
    other = doubt(BindChannel("spare", "box", "ambient"))
    assert other is not None
    assert "judged are: lid, mass, second, vapour." in other.message


def test_an_asset_that_nothing_judges_yet() -> None:
    """A role that some profile knows is bound before the consignment begins, and that is said; others ask."""
    assert doubt(BindChannel("spare", "crate", "vapour")) == Doubt(
        "no limit judges crate until a consignment begins in it"
    )
    asked = doubt(BindChannel("spare", "crate", "vapuor"))
    assert asked is not None
    assert asked.asks
    assert 'no limit of any profile judges "vapuor" in crate' in asked.message


def test_the_consignment_s_profile_counts_not_the_asset_s() -> None:
    """While something travels, its profile says what is judged."""
    bare = replace(
        SITE, profiles=(*SITE.profiles, ProfilePlan("bare", "1", True, (StagePlan("go", ()),), "0"))
    )
    started = ConsignmentStarted("C", "box", "bare", "go", 0)
    told = doubt(BindChannel("spare", "box", "vapour"), started, site=bare)
    assert told is not None
    assert told.asks
    assert "no limit of bare" in told.message


def test_a_probe_that_is_displaced_is_named() -> None:
    """At one place measures one channel: the one before measures nothing any more, and that is said."""
    assert doubt(BindChannel("spare", "box", "vapour")) == Doubt(
        "box.vapour measured that until now, and measures nothing any more"
    )


def test_limits_that_no_probe_serves() -> None:
    """Whoever starts a product, or moves it on, hears which of its limits nobody measures."""
    told = Doubt(
        "nothing measures mass in box, which test judges in stage transport; "
        "bind a probe with `coldchain bind`"
    )
    assert doubt(StartConsignment("C", "box", "test", "transport")) == told
    started = ConsignmentStarted("C", "box", "test", "storage", 0)
    assert doubt(EnterStage("C", "transport"), started) == told
    assert doubt(EnterStage("C", "transport"), Bound("balance", "box", "mass", 0), started) is None


def test_a_plan_from_before_it_was_asked_says_nothing() -> None:
    """A journal whose plan does not say whom it judges knows no wrong role."""
    old = replace(SITE, profiles=(ProfilePlan("test", "1", True, (StagePlan("storage", (limit(),)),), "0"),))
    assert doubt(BindChannel("spare", "box", "vapuor"), site=old) is None


def test_a_balance_is_no_thermometer() -> None:
    """Grams must not be judged as thousandths of a degree: neither by a binding nor by a consignment."""
    made = lane()
    refused = "the channel balance measures a mass, and test judges vapour as a temperature"
    assert made.add(Bound("balance", "box", "vapour", 1), When(9, 9)) == refused
    assert made.measured_in("box")["vapour"].id == "box.vapour"
    made = lane(Bound("balance", "crate", "vapour", 0))
    assert made.add(ConsignmentStarted("C", "crate", "test", "storage", 1), When(9, 9)) == refused
    assert made.consignments == {}
