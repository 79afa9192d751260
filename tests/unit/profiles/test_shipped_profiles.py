"""The shipped profiles: each limit is what its source says, none is approved, none is without a source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coldchain.config import ConfigError
from coldchain.config.amounts import amount_text
from coldchain.config.library import profile_files
from coldchain.config.rule_tables import LimitTable, RuleTable
from coldchain.config.settings import SiteFigure
from coldchain.model import Priority, Side
from coldchain.plan import Budget, Fires, Limit, Outside
from coldchain.profiles import load, shipped
from coldchain.profiles.documenting import redrawn, shipped_page
from coldchain.profiles.load import read
from coldchain.units import QUANTITIES

MINUTE = 60_000
ABOVE, BELOW = Side.ABOVE, Side.BELOW
CRITICAL = Priority.CRITICAL


def test_these_are_shipped() -> None:
    """A profile that disappears would leave configurations without limits."""
    assert shipped() == (
        "dry-shipper-150",
        "fridge-2-8-buffered",
        "msc-beijing-2021",
        "msc-fresh-2-8",
        "msc-frozen-135",
    )


# Stage, then for each limit: side, value in m°C, hold, critical or not. As docs/profiles.md.
@pytest.mark.parametrize(
    ("profile", "stage", "limits"),
    [
        pytest.param(
            "dry-shipper-150",
            "transport",
            {(ABOVE, -165_000, 10 * MINUTE, False), (ABOVE, -150_000, 5 * MINUTE, True)},
            id="dry shipper",
        ),
        pytest.param(
            "msc-frozen-135",
            "transport",
            {(ABOVE, -150_000, 10 * MINUTE, False), (ABOVE, -135_000, 0, True)},
            id="frozen in transport",
        ),
        pytest.param(
            "msc-frozen-135",
            "storage",
            {(ABOVE, -150_000, 10 * MINUTE, False), (ABOVE, -135_000, 0, True)},
            id="frozen in storage",
        ),
        pytest.param(
            "msc-fresh-2-8",
            "transport",
            {
                (ABOVE, 7_500, 5 * MINUTE, False),
                (BELOW, 2_500, 5 * MINUTE, False),
                (ABOVE, 8_000, 10 * MINUTE, True),
                (BELOW, 0, 5 * MINUTE, True),
            },
            id="fresh",
        ),
        pytest.param(
            "fridge-2-8-buffered",
            "storage",
            {
                (ABOVE, 7_500, 5 * MINUTE, False),
                (BELOW, 2_500, 5 * MINUTE, False),
                (ABOVE, 8_000, 10 * MINUTE, True),
                (BELOW, 2_000, 10 * MINUTE, True),
                (BELOW, 0, 0, True),
            },
            id="refrigerator",
        ),
        pytest.param(
            "msc-beijing-2021",
            "storage",
            {(ABOVE, -165_000, 10 * MINUTE, False), (ABOVE, -150_000, 2 * MINUTE, True)},
            id="Beijing, storage",
        ),
        pytest.param("msc-beijing-2021", "disposal", set(), id="Beijing, disposal: nothing to judge"),
    ],
)
def test_limits(profile: str, stage: str, limits: set[tuple[Side, int, int, bool]]) -> None:
    """A figure that is changed by mistake is seen here."""
    (found,) = (each for each in load(profile).stages if each.name == stage)
    assert {
        (rule.side, rule.limit, rule.hold_ms, rule.priority is CRITICAL)
        for rule in found.rules
        if isinstance(rule, Limit)
    } == limits


@pytest.mark.parametrize(
    ("stage", "other"), [("transport", "dry-shipper-150"), ("transport_fresh", "msc-fresh-2-8")]
)
def test_the_guideline_s_transport_is_that_of_the_other_profiles(stage: str, other: str) -> None:
    """What is judged alike in two profiles does not drift apart."""

    def judged(rules: tuple[Limit | Budget, ...]) -> list[tuple[object, ...]]:
        return [
            (
                type(rule),
                rule.role,
                rule.side,
                rule.limit,
                rule.outside,
                rule.priority,
                rule.latched,
                rule.fires,
            )
            + ((rule.hold_ms,) if isinstance(rule, Limit) else (rule.allowance_ms,))
            for rule in rules
        ]

    (ours,) = (each for each in load("msc-beijing-2021").stages if each.name == stage)
    (theirs,) = load(other).stages
    assert judged(ours.rules) == judged(theirs.rules)


def test_the_guideline_is_not_cited_for_a_figure() -> None:
    """Only its abstract could be read, and that gives no figure."""
    profile = read("msc-beijing-2021")
    assert profile.head.guideline_page == ""
    assert {"storage", "transport", "disposal"} <= set(profile.head.stages)
    for rule in profile.rules.values():
        assert "Xu R" not in rule.source
        assert "guideline" not in rule.source.lower()


@pytest.mark.parametrize("name", shipped())
def test_each_limit_has_its_source(name: str) -> None:
    """House rule: a number from elsewhere has a source, one of ours says so; and nobody has approved any."""
    profile = read(name)
    assert profile.plan.approved is False
    assert profile.head.approved_by == ""
    for rule in profile.rules.values():
        assert len(rule.source) > 20
        assert rule.approved_by == ""
        assert rule.advice, "an alarm asks for something to be done"
        if isinstance(rule, LimitTable) and rule.hold:
            assert rule.hold_source
    for stage in profile.plan.stages:
        for compiled in stage.rules:
            assert compiled.cited.source.startswith(profile.rules[compiled.id].source)
            assert compiled.cited.confidence in {"high", "medium", "low"}


@pytest.mark.parametrize("name", shipped())
def test_what_every_profile_holds(name: str) -> None:
    """Critical limits latch and fire at their deadline; a budget asks for a decision, not for haste."""
    for stage in load(name).stages:
        for rule in stage.rules:
            if isinstance(rule, Budget):
                assert (rule.allowance_ms, rule.exceeded) == (0, Outside.BEYOND)
                assert rule.priority is Priority.LOW
                assert rule.latched
            elif rule.priority is CRITICAL:
                assert rule.latched
                assert rule.fires is Fires.AT_DUE
            else:
                assert not rule.latched
                assert rule.fires is Fires.ON_READING


@pytest.mark.parametrize("name", shipped())
def test_a_warning_comes_before_its_critical_limit(name: str) -> None:
    """On each side the milder limit is met first, else it would never be heard."""
    profile = read(name)
    for stage in profile.head.stages:
        rules = [
            r for n, r in profile.rules.items() if stage in profile.holds_in(n) and isinstance(r, LimitTable)
        ]
        for side in ("above", "below"):
            sign = 1 if side == "above" else -1
            mild = [sign * r.value.quanta for r in rules if r.side == side and r.priority != "critical"]
            hard = [sign * r.value.quanta for r in rules if r.side == side and r.priority == "critical"]
            assert not mild or not hard or max(mild) < min(hard)


DOCS = Path(__file__).parents[3] / "docs"


def test_the_documentation_is_that_of_the_files() -> None:
    """What a person reads is what the files say; `python docs/draw_profiles.py` writes it anew."""
    page = (DOCS / "profiles.md").read_text(encoding="utf-8")
    assert redrawn(page) == page
    assert shipped_page() == (DOCS / "shipped-profiles.md").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="no <!-- profiles -->"):
        redrawn("# Profiles\n")


@pytest.mark.parametrize("name", shipped())
def test_value_and_source_are_in_the_documentation(name: str) -> None:
    """Each of a profile's values stands in its own section, with the source."""
    page = (DOCS / "shipped-profiles.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
    for rule in read(name, complete=False).rules.values():
        assert rule.source in section
        for value in rule.values():
            assert amount_text(QUANTITIES[value.quantity], value.quanta) in section


def test_the_example_in_the_documentation_is_right(tmp_path: Path) -> None:
    """Whoever begins with it begins with something that loads, once the site has given its figure."""
    text = (DOCS / "profiles.md").read_text(encoding="utf-8")
    example, filling, extending, choosing, _ = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "our-product.toml"
    path.write_text(example, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert [problem.place for problem in caught.value.problems] == ["figures.allowance"]
    figure = SiteFigure(value="30 min", source="stability study 12", approved_by="A. Meier, QA")
    ((stage),) = load(path, {"allowance": figure}).stages
    assert [rule.id for rule in stage.rules] == ["too-warm", "time-too-warm"]
    path.write_text(example + "\n" + filling.replace("level-low", "too-warm"), encoding="utf-8")
    assert [work.id for work in load(path, {"allowance": figure}).works] == ["filling"]
    (tmp_path / "our-shipper.toml").write_text(extending, encoding="utf-8")
    assert set(read(tmp_path / "our-shipper.toml").rules) == {"too-warm", "time-too-warm"}
    head = 'id = "our-lane"\nversion = "1"\nstatus = "unapproved"\ntitle = "x"\nproduct_state = "x"\n'
    (tmp_path / "our-lane.toml").write_text(head + choosing, encoding="utf-8")
    rule = read(tmp_path / "our-lane.toml").rules["transport-too-warm"]
    assert [value.quanta for value in rule.values()] == [-155_000]


def test_every_file_has_the_name_of_its_profile() -> None:
    """A configuration names a profile by its file."""
    for name, path in profile_files().items():
        assert read(path).head.id == name == path.stem
        assert all(isinstance(rule, RuleTable) for rule in read(path).rules.values())
