"""The shipped profiles: each limit is what its source says, none is approved, none is without a source."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from msgspec import structs

from coldchain.config import ConfigError
from coldchain.config.amounts import amount_text
from coldchain.config.library import profile_files
from coldchain.config.profile_file import Profile
from coldchain.config.rule_tables import LimitTable, RuleTable
from coldchain.config.settings import SiteFigure
from coldchain.model import Priority, Side
from coldchain.plan import Age, BoilOff, Budget, Fires, HoldLeft, KineticMean, Limit, Outside, Rolling
from coldchain.profiles import load, shipped
from coldchain.profiles.documenting import redrawn, shipped_page
from coldchain.profiles.load import read
from coldchain.units import QUANTITIES

CHECKS = Path(__file__).parents[3] / "config" / "checks"
MINUTE = 60_000
HOUR = 60 * MINUTE
ABOVE, BELOW = Side.ABOVE, Side.BELOW
CRITICAL = Priority.CRITICAL


def test_these_are_shipped() -> None:
    """A profile that disappears would leave configurations without limits."""
    assert shipped() == (
        "cgt-frozen-120",
        "cgt-frozen-130",
        "cn-gsp-cold",
        "dewar-weight",
        "dry-ice",
        "dry-shipper-150",
        "fresh-hct-4-30",
        "fridge-2-8-air",
        "fridge-2-8-buffered",
        "ln2-level",
        "ln2-liquid-storage",
        "ln2-vapour-storage",
        "msc-ambient-15-25",
        "msc-beijing-2021",
        "msc-fresh-2-8",
        "msc-fresh-2-8-48h",
        "msc-frozen-135",
        "post-thaw-hold",
        "room-o2",
        "shipper-as-storage",
        "ult-80",
        "usp-cct",
        "usp-crt",
        "who-30dtr",
        "who-ship-type1",
        "who-ship-type2",
    )


def figures(name: str) -> dict[str, SiteFigure]:
    """The site's numbers as the profile's own check file gives them."""
    text = (CHECKS / f"{name}.toml").read_text(encoding="utf-8")
    given = tomllib.loads(text).get("figures", {})
    return {figure: SiteFigure.model_validate(value) for figure, value in given.items()}


def given(name: str) -> Profile:
    """A shipped profile with those numbers."""
    return read(name, figures(name))


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
        pytest.param(
            "ln2-vapour-storage",
            "storage",
            {(ABOVE, -165_000, 10 * MINUTE, False), (ABOVE, -150_000, 2 * MINUTE, True)},
            id="vapour freezer",
        ),
        pytest.param(
            "ln2-liquid-storage",
            "storage",
            {(ABOVE, -185_000, 10 * MINUTE, False), (ABOVE, -150_000, 2 * MINUTE, True)},
            id="immersed",
        ),
        pytest.param(
            "cgt-frozen-130",
            "transport",
            {(ABOVE, -150_000, 10 * MINUTE, False), (ABOVE, -130_000, 0, True)},
            id="gene-modified cells, -130",
        ),
        pytest.param(
            "cgt-frozen-120",
            "storage",
            {(ABOVE, -150_000, 10 * MINUTE, False), (ABOVE, -120_000, 0, True)},
            id="gene-modified cells, -120",
        ),
        pytest.param(
            "shipper-as-storage",
            "storage",
            {(ABOVE, -165_000, 10 * MINUTE, False), (ABOVE, -150_000, 5 * MINUTE, True)},
            id="shipper that stands",
        ),
        pytest.param(
            "ult-80",
            "storage",
            {
                (ABOVE, -70_000, 30 * MINUTE, False),
                (ABOVE, -60_000, 15 * MINUTE, True),
                (BELOW, -90_000, 15 * MINUTE, False),
            },
            id="-80 freezer",
        ),
        pytest.param(
            "dry-ice",
            "transport",
            {(ABOVE, -70_000, 30 * MINUTE, False), (ABOVE, -60_000, 15 * MINUTE, True)},
            id="dry ice",
        ),
        pytest.param(
            "msc-ambient-15-25",
            "transport",
            {
                (ABOVE, 24_000, 5 * MINUTE, False),
                (BELOW, 16_000, 5 * MINUTE, False),
                (ABOVE, 25_000, 15 * MINUTE, True),
                (BELOW, 15_000, 15 * MINUTE, True),
            },
            id="ambient",
        ),
        pytest.param(
            "fresh-hct-4-30",
            "transport",
            {
                (ABOVE, 28_000, 5 * MINUTE, False),
                (BELOW, 6_000, 5 * MINUTE, False),
                (ABOVE, 30_000, 15 * MINUTE, True),
                (BELOW, 4_000, 15 * MINUTE, True),
            },
            id="apheresis",
        ),
        pytest.param(
            "fridge-2-8-air",
            "storage",
            {
                (ABOVE, 7_500, 10 * MINUTE, False),
                (BELOW, 2_500, 10 * MINUTE, False),
                (ABOVE, 8_000, 30 * MINUTE, True),
                (BELOW, 2_000, 30 * MINUTE, True),
            },
            id="refrigerator, air probe",
        ),
        pytest.param(
            "who-30dtr",
            "storage",
            {(ABOVE, 8_000, 10 * HOUR, True), (BELOW, -500, HOUR, True)},
            id="vaccine refrigerator",
        ),
        pytest.param(
            "who-ship-type1",
            "transport",
            {(ABOVE, 45_000, HOUR, True), (BELOW, -500, HOUR, True)},
            id="WHO, sensitive to frost",
        ),
        pytest.param(
            "who-ship-type2", "transport", {(ABOVE, 45_000, HOUR, True)}, id="WHO, sensitive to heat"
        ),
        pytest.param(
            "usp-cct", "storage", {(ABOVE, 15_000, 0, True), (BELOW, 2_000, 0, True)}, id="cold drug"
        ),
        pytest.param(
            "usp-crt",
            "storage",
            {
                (ABOVE, 25_000, HOUR, False),
                (BELOW, 20_000, HOUR, False),
                (ABOVE, 40_000, 0, True),
                (BELOW, 15_000, 0, True),
            },
            id="drug at room temperature",
        ),
        pytest.param(
            "cn-gsp-cold", "transport", {(ABOVE, 8_000, 0, True), (BELOW, 2_000, 0, True)}, id="China GSP"
        ),
        pytest.param(
            "room-o2",
            "room",
            {  # in 0.01 % of oxygen
                (BELOW, 1_950, 10_000, False),
                (BELOW, 1_800, 0, True),
                (ABOVE, 2_300, 10_000, False),
                (ABOVE, 2_350, 0, True),
            },
            id="oxygen in the room",
        ),
    ],
)
def test_limits(profile: str, stage: str, limits: set[tuple[Side, int, int, bool]]) -> None:
    """A figure that is changed by mistake is seen here."""
    (found,) = (each for each in given(profile).plan.stages if each.name == stage)
    assert {
        (rule.side, rule.limit, rule.hold_ms, rule.priority is CRITICAL)
        for rule in found.rules
        if isinstance(rule, Limit)
    } == limits


# Stage, then for each rule that adds up: side, limit, allowance, window (None: all the way), critical or not.
@pytest.mark.parametrize(
    ("profile", "stage", "sums"),
    [
        pytest.param("dry-shipper-150", "transport", {(ABOVE, -150_000, 0, None, False)}, id="dry shipper"),
        pytest.param(
            "who-ship-type1", "transport", {(ABOVE, 30_000, 10 * HOUR, None, True)}, id="WHO, frost"
        ),
        pytest.param(
            "who-ship-type2",
            "transport",
            {(ABOVE, 30_000, 10 * HOUR, None, True), (ABOVE, 10_000, 20 * HOUR, None, True)},
            id="WHO, heat",
        ),
        pytest.param("usp-cct", "storage", {(ABOVE, 8_000, 24 * HOUR, 48 * HOUR, True)}, id="cold drug"),
        pytest.param(
            "usp-crt", "storage", {(ABOVE, 30_000, 24 * HOUR, 30 * 24 * HOUR, True)}, id="room temperature"
        ),
        pytest.param("who-30dtr", "storage", set(), id="vaccine refrigerator: each event by itself"),
    ],
)
def test_sums(profile: str, stage: str, sums: set[tuple[Side, int, int, int | None, bool]]) -> None:
    """What may be spent beyond a limit, in sum or in a window."""
    (found,) = (each for each in given(profile).plan.stages if each.name == stage)
    assert {
        (
            rule.side,
            rule.limit,
            rule.allowance_ms,
            rule.window_ms if isinstance(rule, Rolling) else None,
            rule.priority is CRITICAL,
        )
        for rule in found.rules
        if isinstance(rule, Budget | Rolling)
    } == sums


@pytest.mark.parametrize(
    ("profile", "stage", "ages"),
    [
        pytest.param(
            "dry-shipper-150", "transport", {(5 * 24 * HOUR, False), (7 * 24 * HOUR, True)}, id="hold"
        ),
        pytest.param("shipper-as-storage", "storage", {(24 * HOUR, False), (72 * HOUR, True)}, id="standing"),
        pytest.param("msc-fresh-2-8-48h", "transport", {(48 * HOUR, True)}, id="qualified medium"),
        pytest.param("fresh-hct-4-30", "transport", {(48 * HOUR, True)}, id="apheresis"),
        pytest.param("who-ship-type1", "transport", {(240 * HOUR, False)}, id="WHO, frost"),
        pytest.param("who-ship-type2", "transport", {(240 * HOUR, False)}, id="WHO, heat"),
    ],
)
def test_ages(profile: str, stage: str, ages: set[tuple[int, bool]]) -> None:
    """How long it may take where a source says so; elsewhere the site is asked (see below)."""
    (found,) = (each for each in given(profile).plan.stages if each.name == stage)
    assert {
        (rule.max_ms, rule.priority is CRITICAL)
        for rule in found.rules
        if isinstance(rule, Age) and (rule.hold_less_ms is None or profile == "dry-shipper-150")
    } == ages


@pytest.mark.parametrize(
    ("profile", "asked"),
    [
        ("cgt-frozen-120", {"limit"}),
        ("cgt-frozen-130", {"limit"}),
        ("dewar-weight", {"tenth", "least"}),
        ("dry-ice", {"warning", "limit", "allowance", "longest"}),
        ("fridge-2-8-air", {"warning_hold", "critical_hold"}),
        (
            "ln2-level",
            {"low", "low_warning", "high_warning", "high", "fill_timeout", "fill_rise"},
        ),
        ("msc-ambient-15-25", {"longest"}),
        ("msc-beijing-2021", {"fresh-longest", "thaw-longest"}),
        ("msc-fresh-2-8", {"longest"}),
        ("post-thaw-hold", {"longest"}),
        ("room-o2", {"enrichment_warning", "enrichment"}),
        ("ult-80", {"low", "warning", "limit", "allowance"}),
    ],
)
def test_what_no_source_gives_the_site_is_asked_for(profile: str, asked: set[str]) -> None:
    """A profile without its numbers judges nothing, and the error names each."""
    with pytest.raises(ConfigError) as caught:
        load(profile)
    mends = {problem.mend for problem in caught.value.problems}
    assert mends == {f"write [profiles.figures.{profile}.{each}]" for each in asked}


def test_all_others_judge_as_they_are() -> None:
    """Every number of these has a source or is marked as ours."""
    asking = {
        name
        for name in shipped()
        if any(f.default is None for f in read(name, complete=False).head.figures.values())
    }
    assert asking == {
        "cgt-frozen-120", "cgt-frozen-130", "dewar-weight", "dry-ice", "fridge-2-8-air", "ln2-level",
        "msc-ambient-15-25", "msc-beijing-2021", "msc-fresh-2-8", "post-thaw-hold", "room-o2", "ult-80",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stage", "other"),
    [
        ("storage", "ln2-vapour-storage"),
        ("transport", "dry-shipper-150"),
        ("transport_fresh", "msc-fresh-2-8"),
    ],
)
def test_the_guideline_s_steps_are_those_of_the_other_profiles(stage: str, other: str) -> None:
    """What is judged alike in two profiles does not drift apart."""

    def judged(profile: Profile, stage: str) -> list[object]:
        (found,) = (each for each in profile.plan.stages if each.name == stage)
        same = {"id": "", "cited": found.rules[0].cited}
        return [structs.replace(rule, **same) for rule in found.rules]

    numbers = {name.removeprefix("fresh-"): value for name, value in figures("msc-beijing-2021").items()}
    theirs = read(other, {n: v for n, v in numbers.items() if n in read(other, complete=False).head.figures})
    assert judged(given("msc-beijing-2021"), stage) == judged(theirs, theirs.plan.stages[0].name)


def test_the_guideline_is_not_cited_for_a_figure() -> None:
    """Only its abstract could be read, and that gives no figure."""
    profile = given("msc-beijing-2021")
    assert profile.head.guideline_page == ""
    assert {"storage", "transport", "disposal"} <= set(profile.head.stages)
    for rule in profile.rules.values():
        assert "Xu R" not in rule.source
        assert "guideline" not in rule.source.lower()


@pytest.mark.parametrize("name", shipped())
def test_each_limit_has_its_source(name: str) -> None:
    """House rule: a number from elsewhere has a source, one of ours says so; and nobody has approved any."""
    profile = given(name)
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
            assert compiled.cited.confidence in {"high", "medium", "low", "none"}


@pytest.mark.parametrize("name", shipped())
def test_what_every_profile_holds(name: str) -> None:
    """What is critical is found out at its deadline, reading or not, and stays until a person resets it."""
    for stage in given(name).plan.stages:
        for rule in stage.rules:
            fires = getattr(rule, "fires", Fires.AT_DUE)
            if rule.priority is CRITICAL:
                assert fires is Fires.AT_DUE
                # A window moves on, and with it what was too much in it.
                assert rule.latched or isinstance(rule, Rolling | KineticMean)
            elif isinstance(rule, Budget):
                assert (rule.allowance_ms, rule.exceeded) == (rule.allowance_ms, Outside.BEYOND)
                assert rule.priority is Priority.LOW
                assert rule.latched
                assert fires is Fires.ON_READING
            else:
                assert not rule.latched
                assert isinstance(rule, Age | BoilOff | HoldLeft) or fires is Fires.ON_READING


@pytest.mark.parametrize("name", shipped())
def test_a_warning_comes_before_its_critical_limit(name: str) -> None:
    """On each side the milder limit is met first, else it would never be heard."""
    for stage in given(name).plan.stages:
        for role in {rule.role for rule in stage.rules}:
            rules = [r for r in stage.rules if isinstance(r, Limit) and r.role == role]
            for side, sign in ((ABOVE, 1), (BELOW, -1)):
                mild = [sign * r.limit for r in rules if r.side is side and r.priority is not CRITICAL]
                hard = [sign * r.limit for r in rules if r.side is side and r.priority is CRITICAL]
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
    assert set(read(tmp_path / "our-shipper.toml").rules) == {
        "too-warm",
        "time-too-warm",
        "hold-ends",
        "hold-over",
    }
    head = 'id = "our-lane"\nversion = "1"\nstatus = "unapproved"\ntitle = "x"\nproduct_state = "x"\n'
    (tmp_path / "our-lane.toml").write_text(head + choosing, encoding="utf-8")
    rule = read(tmp_path / "our-lane.toml").rules["transport-too-warm"]
    assert [value.quanta for value in rule.values()] == [-155_000]


def test_every_file_has_the_name_of_its_profile() -> None:
    """A configuration names a profile by its file."""
    for name, path in profile_files().items():
        assert read(path, figures(name)).head.id == name == path.stem
        assert all(isinstance(rule, RuleTable) for rule in read(path, figures(name)).rules.values())
