"""Check files: the same in TOML and YAML, and each mistake with its line, its token and its mend."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from coldchain.config.problems import ConfigError
from coldchain.reports import Verdict
from coldchain.testing.check_file import read_check

TOML = """\
profile = "fridge-2-8-buffered"

[channels.product]
interval = "1 min"

[[cases]]
name = "calm"
series = "5 for 3h"
expect = ["nothing"]
verdict = "inside"
"""
YAML = """\
profile: fridge-2-8-buffered
channels:
  product: {interval: 1 min}
cases:
  - name: calm
    series: 5 for 3h
    expect: [nothing]
    verdict: inside
"""
TWO = TOML.replace("fridge-2-8-buffered", "msc-frozen-135").replace("channels.product", "channels.vapour")
param = pytest.param


def write(folder: Path, text: str, name: str = "check.toml") -> Path:
    """A file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_toml_and_yaml_mean_the_same(tmp_path: Path) -> None:
    """What a file means does not depend on how it is written."""
    toml, yaml = read_check(write(tmp_path, TOML)), read_check(write(tmp_path, YAML, "check.yaml"))
    assert toml.channels == yaml.channels
    (one,), (other,) = toml.cases, yaml.cases
    assert (one.series, one.expected, one.stage) == (other.series, other.expected, other.stage)
    assert one.verdict is other.verdict is Verdict.INSIDE
    assert one.stage == "storage"  # the only one that the profile has
    assert toml.channels["product"].max_gap_ms == 180_000


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        param(
            TOML.replace("fridge-2-8-buffered", "fridge-2-8-bufered"),
            1,
            'profile: there is no profile "fridge-2-8-bufered"; did you mean "fridge-2-8-buffered"?',
            id="a profile that does not exist",
        ),
        param(
            TOML.replace('"fridge-2-8-buffered"', '"./ours.toml"'), 1, "cannot be read", id="nor as a file"
        ),
        param(
            TOML.replace("[channels.product]", "[channels.prodct]"),
            3,
            'did you mean "product"?',
            id="a role without a rule",
        ),
        param(
            TOML.replace('"1 min"', "1"),
            4,
            'channels.product.interval: 1 has no unit; write "1 s"',
            id="an interval without a unit",
        ),
        param(
            TOML.replace('interval = "1 min"', 'unit = "kg"\ninterval = "1 min"'),
            4,
            '"kg" is no unit of',
            id="a unit of something else",
        ),
        param(
            TOML.replace("5 for 3h", "5 fr 3h"),
            8,
            'cases[0].series: "fr" is no token of a series; write a',
            id="a slip in a series",
        ),
        param(
            TOML.replace('series = "5 for 3h"', 'series = { vapour = "5 for 3h" }'),
            8,
            'cases[0].series.vapour: there is no channel "vapour"; there are: product',
            id="no such channel",
        ),
        param(
            TOML.replace("nothing", "critical to-warm at 3h"),
            9,
            'cases[0].expect[0]: profile fridge-2-8-buffered has no rule "to-warm"; did you mean "too-warm"?',
            id="no such rule",
        ),
        param(
            TOML.replace("nothing", "too-warm at noon"),
            9,
            '"at" is not understood in "too-warm at noon"',
            id="no such time",
        ),
        param(
            TOML.replace('"inside"', '"insid"'),
            10,
            'cases[0].verdict: "insid" is not known here; write "ins',
            id="no such verdict",
        ),
        param(
            TOML + 'events = ["at 1h lid open"]\n',
            11,
            'cases[0].events[0]: "lid" is nothing that can happen',
            id="no such event",
        ),
        param(
            TOML + 'events = ["at 1h stage transport"]\n',
            11,
            'has no stage "transport"; there are: storage',
            id="no such stage",
        ),
        param(TOML + 'events = ["at 1h bind prodct"]\n', 11, 'did you mean "product"?', id="no such role"),
        param(
            TOML + 'events = ["at 1h end lost"]\n',
            11,
            '"lost" is no outcome; write one of delivered',
            id="no such outcome",
        ),
        param(
            TOML + 'events = ["at 1h shelve product/too-warm"]\n',
            11,
            "is no duration",
            id="no end of a shelf",
        ),
        param(
            TOML + 'events = ["at 1h reset too-warm"]\n', 11, "does not say what", id="an alarm has its role"
        ),
        param(
            TOML + 'start = "2026-03-01T08:00"\n',
            11,
            "no time with an offset",
            id="a start without an offset",
        ),
        param(TOML + "intervall = 3\n", 11, "unknown key", id="a key that nobody knows"),
        param(
            TWO,
            1,
            "stage: profile msc-frozen-135 has several stages; write stage: storage, transport",
            id="several stages",
        ),
        param(
            TOML + '[figures.hold]\nvalue = "1 min"\nsource = "x"\napproved_by = "y"\n',
            11,
            'has no figure "hold"',
            id="a figure that the profile has not",
        ),
        param(
            TWO.replace('"msc-frozen-135"', '"msc-frozen-135"\nstage = "storage"')
            + '[figures.critical_hold]\nvalue = "1"\nsource = "x"\napproved_by = "y"\n',
            13,
            "figures.critical_hold.value",
            id="a figure that is no duration",
        ),
        param("cases = []\n" + TOML.split("[[cases]]", maxsplit=1)[0], 1, "write at least one", id="no case"),
        param(TOML.replace("[channels.product]", "[channels.product"), 3, "", id="no TOML"),
    ],
)
def test_mistakes_in_toml(tmp_path: Path, text: str, line: int, says: str) -> None:
    """Each mistake is named with its line, and how to mend it."""
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        read_check(path)
    said = [str(problem) for problem in refused.value.problems]
    assert any(each.startswith(f"{path}:{line}: ") and says in each for each in said), said


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        param(
            YAML.replace("5 for 3h", "5 fr 3h"),
            6,
            'cases[0].series: "fr" is no token',
            id="a slip in a series",
        ),
        param(YAML.replace("verdict: inside", "verdict: insid"), 8, 'write "inside"', id="no such verdict"),
        param(YAML + "    verdict: outside\n", 9, "stands twice; write each key once", id="a key twice"),
        param(
            YAML.replace("series: 5", "series: !!str 5") + "    x: !ours 1\n",
            9,
            "has the tag !ours",
            id="a tag",
        ),
        param(
            YAML.replace("name: calm", "name: &a calm").replace("series: 5 for 3h", "series: *a"),
            5,
            "is an alias of something above; write it out",
            id="an anchor",
        ),
        param("a: &a [*a]\n", 1, "is an alias", id="an anchor in itself"),
        param(YAML.replace("profile: fridge", "profile: : fridge"), 1, "", id="no YAML"),
        param("- 1\n", 1, "is no table", id="a list"),
        param("", 1, "is missing", id="nothing"),
        param("? [a]\n: 1\n", 1, "has a key that is no text", id="a list as a key"),
    ],
)
def test_mistakes_in_yaml(tmp_path: Path, text: str, line: int, says: str) -> None:
    """As in TOML; and of YAML's wealth only texts, lists and tables are taken."""
    path = write(tmp_path, text, "check.yml")
    with pytest.raises(ConfigError) as refused:
        read_check(path)
    said = [str(problem) for problem in refused.value.problems]
    assert any(each.startswith(f"{path}:{line}: ") and says in each for each in said), said


@pytest.mark.parametrize(
    ("word", "means"),
    [
        param("no", "no", id="no is a word, not false"),
        param("3:12", "3:12", id="no sexagesimal number"),
        param("1e3", "1e3", id="no float"),
        param("2026-01-01", "2026-01-01", id="no date"),
        param("~", "~", id="no null"),
    ],
)
def test_a_plain_word_is_its_text(tmp_path: Path, word: str, means: str) -> None:
    """YAML 1.1 would make something else of it."""
    (case,) = read_check(write(tmp_path, YAML.replace("name: calm", f"name: {word}"), "check.yaml")).cases
    assert case.name == means


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    """One mistake does not hide another."""
    text = TOML.replace("5 for 3h", "5 fr 3h").replace("nothing", "to-warm at 3h").replace("inside", "insid")
    text += TOML.split("[[cases]]")[1].join(["[[cases]]", ""]).replace("nothing", "too-cld")
    with pytest.raises(ConfigError) as refused:
        read_check(write(tmp_path, text))
    assert [problem.line for problem in refused.value.problems] == [10, 14]


def test_a_profile_beside_the_check(tmp_path: Path) -> None:
    """A site's profile is named by its path from the check file, or by its id and a folder."""
    shipped = Path("config/profiles/fridge-2-8-buffered.toml").read_text(encoding="utf-8")
    ours = shipped.replace('"fridge-2-8-buffered"', '"ours"').replace('version = "1"', 'version = "7"', 1)
    (tmp_path / "profiles").mkdir()
    write(tmp_path / "profiles", ours, "ours.toml")
    by_path = read_check(write(tmp_path, TOML.replace("fridge-2-8-buffered", "profiles/ours.toml")))
    by_id = read_check(write(tmp_path, TOML.replace("fridge-2-8-buffered", "ours")), [tmp_path / "profiles"])
    assert by_path.profile.plan.version == by_id.profile.plan.version == "7"


def test_a_site_s_figures(tmp_path: Path) -> None:
    """A check states the site's figures as its configuration does, and they are in force."""
    text = TWO.replace('"msc-frozen-135"', '"msc-frozen-135"\nstage = "storage"') + (
        '[figures.critical_hold]\nvalue = "90 s"\nsource = "study 12"\napproved_by = "A. Meier, QA"\n'
    )
    file = read_check(write(tmp_path, text))
    rules = {rule.id: rule for rule in file.profile.plan.stages[0].rules}
    assert getattr(rules["too-warm"], "hold_ms", None) == 90_000
    assert "study 12" in rules["too-warm"].cited.source


def test_without_a_reader_of_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is not installed the error says what to do."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ConfigError, match=r"install coldchain\[yaml\], or write the same in TOML"):
        read_check(write(tmp_path, YAML, "check.yaml"))
