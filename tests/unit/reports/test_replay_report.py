"""The verdict of a replay: outside is proven, inside is proven, or nobody can judge and why."""

from __future__ import annotations

import pytest

from coldchain.model import Priority, Side
from coldchain.plan import Budget, Cited, Fires, Limit, ProfilePlan, StagePlan
from coldchain.reports import Verdict, refused_report
from tests.unit.reports.support import MINUTE, START, report


def profile(*rules: Limit | Budget, approved: bool = True) -> ProfilePlan:
    """A profile of one stage."""
    return ProfilePlan("p", "1", approved, (StagePlan("s", tuple(rules)),), "00")


CITED = Cited("a test", "none")


@pytest.mark.parametrize(
    ("log", "verdict"),
    [
        pytest.param("5 5 5 5", Verdict.INSIDE, id="inside"),
        pytest.param("5 9 9 9 9 5", Verdict.OUTSIDE, id="outside for the hold"),
        pytest.param("5 9 9 9 5 5", Verdict.INSIDE, id="outside, and back before the hold"),
        pytest.param("5 8 8 8 8 8", Verdict.INSIDE, id="on the limit is not outside"),
        pytest.param("5 5 1 1 1 1", Verdict.OUTSIDE, id="too cold, at the end"),
        pytest.param("5 5 5 9 9 9", Verdict.INSIDE, id="the hold is not fulfilled when the log ends"),
        pytest.param("5 bad 5 5", Verdict.INSIDE, id="too short a gap to hide an alarm"),
        pytest.param(
            "5 bad bad bad bad 5 5", Verdict.CANNOT_JUDGE, id="an alarm could hide where the probe was open"
        ),
        pytest.param("5 5 5 5 _ _ _ _ _ _ _ 5", Verdict.CANNOT_JUDGE, id="or where lines are missing"),
        pytest.param("9 9 bad bad 9 9 5", Verdict.OUTSIDE, id="a bad reading ends no hold"),
        pytest.param("5 bad bad bad 5 5", Verdict.INSIDE, id="half an hour, and back as its end is seen"),
        pytest.param("5 9 9 9 bad 5 5", Verdict.CANNOT_JUDGE, id="a short gap beside time outside"),
        pytest.param("5 9 9 9 9 5 bad bad bad bad", Verdict.OUTSIDE, id="no gap undoes an alarm"),
        pytest.param("bad bad bad", Verdict.CANNOT_JUDGE, id="nothing read"),
        pytest.param("5", Verdict.CANNOT_JUDGE, id="one reading shows no journey"),
        pytest.param("5 5 -999 5 5", Verdict.INSIDE, id="a code for no probe is no cold"),
    ],
)
def test_verdict(log: str, verdict: Verdict) -> None:
    """Limits 2 to 8 °C for 30 min, a value every 10 min: what a log proves, and what it leaves open."""
    found = report(log)
    assert found.verdict is verdict
    assert found.reasons or verdict is Verdict.INSIDE


def test_hold_of_nothing_needs_every_reading() -> None:
    """A limit that alarms at once can be hidden by a single lost reading, wherever it stood."""
    assert report("5 5 5", hold="0 s").verdict is Verdict.INSIDE
    assert report("5 bad 5", hold="0 s").verdict is Verdict.CANNOT_JUDGE
    assert report("5 5 bad", hold="0 s").verdict is Verdict.CANNOT_JUDGE


def test_gap_names_the_rule_that_could_hide() -> None:
    """The reason says how long nobody watched and which alarm could be missing."""
    (reason,) = report("5 bad bad bad bad 5 5").reasons
    assert "40 min" in reason
    assert "above, below" in reason


@pytest.mark.parametrize(
    ("log", "verdict"),
    [
        pytest.param("5 9 9 5 9 9 5 5", Verdict.OUTSIDE, id="forty minutes in two pieces"),
        pytest.param("5 9 5 9 5 9 5", Verdict.INSIDE, id="thirty minutes, not more"),
        pytest.param("5 9 5 9 5 9 5 bad 5", Verdict.CANNOT_JUDGE, id="ten more could lie in the gap"),
        pytest.param("5 5 5 5 5 bad bad 5", Verdict.INSIDE, id="twenty in a gap are not enough"),
    ],
)
def test_budget(log: str, verdict: Verdict) -> None:
    """A budget of 30 min above 8 °C adds up, and a gap can hide as much as it lasts."""
    budget = Budget(
        "sum", "product", Side.ABOVE, 8000, 30 * MINUTE, Priority.HIGH, CITED, fires=Fires.ON_READING
    )
    assert report(log, profile=profile(budget)).verdict is verdict


def test_deadline_fires_at_its_own_time() -> None:
    """A limit that fires when due does so between two readings, and its alarm is not late."""
    rule = Limit(
        "hot", "product", Side.ABOVE, 8000, 15 * MINUTE, Priority.CRITICAL, CITED, fires=Fires.AT_DUE
    )
    found = report("5 9 9 9 5", profile=profile(rule))
    (raised,) = found.channels[0].raised
    assert raised.since_ms == START + 10 * MINUTE
    assert raised.due_ms == START + 25 * MINUTE
    assert raised.late is None


def test_until_lets_a_hold_run_out() -> None:
    """After the last reading nothing fires, unless told how far to go."""
    rule = Limit(
        "hot", "product", Side.ABOVE, 8000, 30 * MINUTE, Priority.CRITICAL, CITED, fires=Fires.AT_DUE
    )
    assert report("5 5 9 9", profile=profile(rule)).verdict is Verdict.INSIDE
    found = report("5 5 9 9", profile=profile(rule), until_min=60)
    assert found.verdict is Verdict.OUTSIDE
    assert found.channels[0].found[0].interval.triggered_ms == START + 50 * MINUTE


def test_log_that_ends_outside_says_so() -> None:
    """An open hold at the end is inside by the rule, and the reader is told."""
    found = report("5 5 5 9 9 9")
    assert found.verdict is Verdict.INSIDE
    assert "ends outside above, after 20 min" in found.reasons[0]


def test_a_longer_column_changes_nothing_in_another() -> None:
    """Each column is judged up to its own end: another's later readings fulfil no hold of this one."""
    rule = Limit(
        "hot", "product", Side.ABOVE, 8000, 30 * MINUTE, Priority.CRITICAL, CITED, fires=Fires.AT_DUE
    )
    found = report("5 5 9 9", "5 5 5 5 5 5 5 5 5", profile=profile(rule))
    assert found.verdict is Verdict.INSIDE
    assert found.readings == 13


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        pytest.param(
            (("above", "the device lists above"),), Verdict.CANNOT_JUDGE, id="an alarm the log does not show"
        ),
        pytest.param((), Verdict.INSIDE, id="no alarm of its own"),
    ],
)
def test_device_that_saw_more(claims: tuple[tuple[str, str], ...], verdict: Verdict) -> None:
    """Where the device itself lists an alarm that its log does not show, nobody says "inside"."""
    assert report("5 5 5 5", claims=claims).verdict is verdict


def test_doubts_stand_against_inside_only() -> None:
    """A doubt about the file makes "inside" impossible and leaves "outside" as it is."""
    assert report("5 5 5", doubts=("the end is missing",)).verdict is Verdict.CANNOT_JUDGE
    assert report("9 9 9 9 9", doubts=("the end is missing",)).verdict is Verdict.OUTSIDE


def test_no_limits() -> None:
    """Without limits the figures are shown and nothing is judged."""
    found = report("5 5 5", above=None, below=None)
    assert found.verdict is Verdict.CANNOT_JUDGE
    assert "no limits" in found.reasons[0]
    assert found.channels[0].figures.max == 5000


def test_profile_of_other_roles() -> None:
    """A profile without a rule for the column's role judges nothing, and names its roles."""
    rule = Limit("hot", "vapour", Side.ABOVE, 8000, 0, Priority.HIGH, CITED)
    found = report("5 5 5", profile=profile(rule))
    assert found.verdict is Verdict.CANNOT_JUDGE
    assert "vapour" in found.reasons[0]


def test_unreadable_lines_are_counted_and_listed() -> None:
    """Every line that gave no reading is named with the verdict, whatever it is."""
    found = report("5 5 5", unread=("line 7: damaged", "line 9: damaged"))
    assert found.verdict is Verdict.INSIDE
    assert found.reasons == ("2 lines or fields gave no reading", "line 7: damaged", "line 9: damaged")


def test_refused_file() -> None:
    """A file that cannot be read has a report too."""
    found = refused_report(report("5").subject, "log.csv: is empty")
    assert (found.verdict, found.reasons, found.readings) == (Verdict.CANNOT_JUDGE, ("log.csv: is empty",), 0)
