"""Rules of other packages: the one of CONTRIBUTING.md, installed as a distribution, judges as it says."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from coldchain.cli.main import main
from coldchain.config.document import Document
from coldchain.config.problems import ConfigError
from coldchain.config.profile_file import read_profile
from coldchain.config.rule_tables.plugged import found
from coldchain.config.schema import profile_schema
from coldchain.fold import Fold
from coldchain.journal import JournalError, Reader
from coldchain.model import Priority, Side
from coldchain.pipeline import plugins
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.recovery import recover
from coldchain.pipeline.states import freeze, thaw
from coldchain.pipeline.verify import verify
from coldchain.plan import Cited, Plugged
from coldchain.rules import plugged
from tests.house.tree import ROOT
from tests.unit.fold.bench import Bench, plan
from tests.unit.reports.recorded import Recorded

(EXAMPLE,) = (
    text
    for text in re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)
    if "RulePlugin(" in text
)
PROFILE = """
id = "rows"
version = "1"
status = "unapproved"
title = "Rows"
product_state = "frozen"
[stages.transport]
title = "In transit"
[rules.three]
kind = "in_a_row"
role = "vapour"
value = "-150 °C"
count = 3
count_source = "judgement"
source = "label of the product"
confidence = "low"
priority = "critical"
advice = "Look."
"""
CHECK = """
title = "Rows"
profile = "rows.toml"
[channels.vapour]
interval = "1 min"
max_gap = "5 min"
[[cases]]
name = "two are not three, and a third is"
series = "-160 -149 -149 -160 -149 bad -149 -149 -160"
expect = ["critical three at 7m", "three returned at 8m"]
verdict = "outside"
"""
RULE = Plugged(
    id="three",
    role="vapour",
    priority=Priority.CRITICAL,
    cited=Cited("label of the product; count: judgement", "low"),
    kind="in_a_row",
    package="my-rules",
    version="1.2",
    parameters={"value": -150_000, "count": 3},
    side=Side.ABOVE,
    limit=-150_000,
)

Install = Callable[..., Path]


def _forget() -> None:
    """As in a process that has just started."""
    for name in [name for name in sys.modules if name.partition(".")[0].startswith("my_rules")]:
        del sys.modules[name]
    for asked in (found, plugins.load, engine):
        asked.cache_clear()
    plugged.use({})


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution beside us, as an installer would leave it: its code and its .dist-info."""

    def put(
        code: str = EXAMPLE, *, kind: str = "in_a_row", version: str = "1.2", name: str = "my-rules"
    ) -> Path:
        site, module = tmp_path / name, name.replace("-", "_")
        (site / module).mkdir(parents=True, exist_ok=True)
        (site / module / "__init__.py").write_text("", "utf-8")
        (site / module / "rule.py").write_text(code, "utf-8")
        info = site / f"{module}-1.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
        (info / "entry_points.txt").write_text(f"[coldchain.rules]\n{kind} = {module}.rule:RULE\n", "utf-8")
        if str(site) not in sys.path:
            monkeypatch.syspath_prepend(str(site))
        _forget()
        return site

    _forget()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # an engine is its source; no cache of ours in it
    yield put
    monkeypatch.undo()
    _forget()


def ran(*words: str) -> Result:
    """A command."""
    return CliRunner().invoke(main, list(words), prog_name="coldchain")


def profile(tmp_path: Path) -> Path:
    """A profile with the rule."""
    path = tmp_path / "rows.toml"
    path.write_text(PROFILE, "utf-8")
    return path


def refusals(path: Path) -> str:
    """Why a profile is not used."""
    with pytest.raises(ConfigError) as refused:
        read_profile(Document.read(path))
    return str(refused.value)


def test_a_profile_means_it(install: Install, tmp_path: Path) -> None:
    """Its numbers become the plan's, with package and version, and each number has its source."""
    install()
    read = read_profile(Document.read(profile(tmp_path)))
    (rule,) = read.plan.stages[0].rules
    assert isinstance(rule, Plugged)
    assert (rule.kind, rule.package, rule.version) == ("in_a_row", "my-rules", "1.2")
    assert rule.parameters == RULE.parameters
    assert (rule.side, rule.limit) == (RULE.side, RULE.limit)
    assert rule.title == "vapour above -150 °C 3 times in a row"
    assert "judgement" in rule.cited.source
    assert "InARowTable" in profile_schema()["$defs"]


def test_it_judges_as_its_check_file_says(install: Install, tmp_path: Path) -> None:
    """From the file to the announcement, by the command that a user types; and it is explained and listed."""
    install()
    profile(tmp_path)
    (tmp_path / "rows.check.toml").write_text(CHECK, "utf-8")
    done = ran("check", str(tmp_path / "rows.check.toml"))
    assert done.exit_code == 0, done.output
    told = ran("profiles", "explain", str(tmp_path / "rows.toml"))
    assert "when 3 readings of vapour in a row lie above -150 °C" in " ".join(told.stdout.split())
    shown = ran("rules", "list")
    assert "in_a_row      So many readings in a row above a value.  (my-rules 1.2)" in shown.stdout
    kinds = {
        each["kind"]: each for each in json.loads(ran("rules", "list", "--format", "json").stdout)["kinds"]
    }
    assert kinds["in_a_row"]["package"] == "my-rules"
    assert kinds["limit"]["package"] == "coldchain"


def test_live_and_again_with_a_checkpoint_anywhere(install: Install) -> None:
    """Its state goes through a checkpoint like ours, and a re-fold says the same."""
    install()
    plugins.load()
    bench = Bench(plan(RULE))
    bench.series("-160 -149x2 -160 -149x4 -160")
    assert [line.split()[0] for line in bench.told() if "three" in line] == [
        "raised",
        "excursion_ended",
        "returned",
    ]
    assert bench.refold() == bench.said
    for cut in range(5, len(bench.facts) + 1):
        fold, again = Fold(), []
        for position, (arrival_ms, fact) in enumerate(bench.facts, 1):
            if position == cut:
                fold = thaw(freeze(fold))
            said = fold.apply(position, arrival_ms, fact)
            again += [(arrival_ms, one) for one in said if position > 4]
        assert again == bench.said


def test_the_engine_is_another_with_each_of_its_versions(install: Install) -> None:
    """Name, version and code are part of what judges; the same package is the same engine."""
    ours = engine()
    install()
    first = engine()
    install()
    assert engine() == first
    install(version="1.3")
    second = engine()
    install(EXAMPLE.replace("count >= rule", "count > rule"))
    third = engine()
    assert len({ours, first, second, third}) == 4


def test_a_journal_of_which_the_package_is_gone(install: Install, tmp_path: Path) -> None:
    """It is not judged without it: the error names rule, kind, package and mend. Installed again, it is."""
    site = install()
    made = Recorded(tmp_path / "journal.db", plan(RULE), engine=engine())
    made.series("-160 -149x4 -160")
    made.close()
    with Reader.open(made.path) as reader:
        assert verify(reader, engine()).stretches[0].verdict.value == "equal"
    sys.path.remove(str(site))
    _forget()
    with Reader.open(made.path) as reader, pytest.raises(JournalError) as lost:
        recover(reader, engine())
    for word in (
        "rule three",
        '"in_a_row"',
        "my-rules 1.2",
        "is not installed",
        "install my-rules 1.2 again",
    ):
        assert word in str(lost.value)
    sys.path.insert(0, str(site))
    _forget()
    with Reader.open(made.path) as reader:
        assert recover(reader, engine()).fold.places["box/vapour"].track.active() == set()


def test_a_kind_that_nobody_brings(install: Install, tmp_path: Path) -> None:
    """Refused where it stands, with the mend."""
    assert 'rules.three.kind: "in_a_row" is no kind of rule; install the package that brings it' in refusals(
        profile(tmp_path)
    )


@pytest.mark.parametrize(
    ("code", "more", "says"),
    [
        pytest.param("import nowhere", {}, "my-rules 1.2 cannot be loaded: ModuleNotFoundError", id="import"),
        pytest.param(
            "RULE = 7", {}, "it publishes no RulePlugin; ask whoever made my-rules", id="no plug-in"
        ),
        pytest.param(
            EXAMPLE.replace("spelled(", "print("),
            {},
            "its judge is no Judge; ask whoever made",
            id="no judge",
        ),
        pytest.param(
            EXAMPLE.replace('Literal["in_a_row"]', 'Literal["row"]'),
            {},
            'its table is for kind row, and it is published as "in_a_row"',
            id="another name",
        ),
    ],
)
def test_what_cannot_be_used(
    install: Install, tmp_path: Path, code: str, more: dict[str, Any], says: str
) -> None:
    """Whoever names it hears why; ours go on, and the list shows it."""
    install(code, **more)
    assert says in refusals(profile(tmp_path))
    shown = ran("rules", "list").stdout
    assert says.partition(";")[0] in shown
    assert "limit" in shown
    assert engine()


def test_two_packages_bring_one_kind(install: Install, tmp_path: Path) -> None:
    """Nobody can say which is meant: neither is used."""
    install()
    install(name="my-rules-too")
    assert "my-rules and my-rules-too both bring it; remove one of them" in refusals(profile(tmp_path))


def test_no_package_takes_a_word_of_ours(install: Install, tmp_path: Path) -> None:
    """A limit stays our limit, whatever is published under its name."""
    install(EXAMPLE.replace('Literal["in_a_row"]', 'Literal["limit"]'), kind="limit")
    path = profile(tmp_path)
    path.write_text(PROFILE.replace('kind = "in_a_row"', 'side = "above"').replace("count", "#"), "utf-8")
    (rule,) = read_profile(Document.read(path)).plan.stages[0].rules
    assert not isinstance(rule, Plugged)
