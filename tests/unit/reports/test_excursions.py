"""The list of excursions: all of them, what became of each, and what budgets have left."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coldchain.cli.main import main
from coldchain.facts import ExcursionResolved
from coldchain.journal import Reader
from coldchain.plan import Fires
from coldchain.reports.excursions import Excursions, as_object, excursions
from tests.unit.fold.bench import MIN, T0, budget, limit, plan
from tests.unit.reports.recorded import Recorded

ABOVE = "box/vapour/above"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """One excursion that alarmed and was resolved, one that did not alarm, one that lasts; and a budget."""
    made = Recorded(tmp_path / "journal.db", plan(limit(), budget(allowance_min=30, fires=Fires.ON_READING)))
    made.series("-160 -149x12 -160x2 -149x3 -160x2 -149x2")
    who, comment = made.text("wang"), made.text("study 12")
    made.add(ExcursionResolved(f"{ABOVE}#1", T0 + MIN, T0 + 13 * MIN, who, comment))
    made.close()
    return made.path


def read(path: Path) -> Excursions:
    """What the journal knows."""
    with Reader.open(path) as reader:
        return excursions(reader, "e1")


def test_all_of_them(journal: Path) -> None:
    """Each with its ends as a resolution would name them; what lasts has none."""
    rows = {row.id: row for row in read(journal).rows}
    resolved, short, lasts = (rows[f"{ABOVE}#{number}"] for number in (1, 2, 3))
    assert (resolved.triggered, short.triggered, lasts.triggered) == (True, False, False)
    assert resolved.ends == (T0 + MIN, T0 + 13 * MIN)
    assert resolved.resolved is not None
    assert (resolved.resolved.who, resolved.resolved.comment) == ("wang", "study 12")
    assert lasts.ends is None
    assert short.resolved is None


def test_what_budgets_have_left(journal: Path) -> None:
    """Without what was given back."""
    (left,) = read(journal).sums
    assert (left.budget.id, left.spent_ms) == ("budget", 4 * MIN)


def test_as_plain_data(journal: Path) -> None:
    """The promised form, as JSON."""
    made = json.loads(json.dumps(as_object(read(journal), UTC)))
    first = made["excursions"][0]
    assert first["excursion"] == f"{ABOVE}#1"
    assert first["resolved"]["by"] == "wang"
    assert first["condition"] == "above −150.0 °C for 10 min"
    assert made["budgets"][0] == {
        "place": "box/vapour",
        "budget": "budget",
        "spent_s": 240.0,
        "allowance_s": 1800.0,
        "charges_unmonitored": False,
    }


def typed(journal: Path, *words: str) -> Result:
    """The command at a gateway of which only the journal can be read."""
    config = journal.parent / "gateway.toml"
    site = '[site]\ntime_zone = "Asia/Shanghai"\n'
    config.write_text(f'{site}[journal]\npath = "{journal.name}"\n', encoding="utf-8")
    command = ["excursions", *words, "--config", str(config)]
    return CliRunner().invoke(main, command, prog_name="coldchain")


def test_for_people(journal: Path) -> None:
    """One line each, in the site's zone; what did not alarm, who resolved what, and what is spent."""
    done = typed(journal, "list")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    (first,) = [line for line in lines if f"{ABOVE}#1 " in line]
    assert 'resolved by wang: "study 12"' in first
    assert "2023-11-15 06:14:20" in first
    (short,) = [line for line in lines if f"{ABOVE}#2 " in line]
    assert "did not alarm" in short
    assert "box/vapour/budget: 4 min spent of 30 min" in lines
    assert "no excursions" in typed(journal, "list", "--place", "box-8").stdout
    assert json.loads(typed(journal, "list", "--format", "json").stdout)["budgets"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["resolve", f"{ABOVE}#9", "-m", "x"], f"there are: {ABOVE}#1", id="no such excursion"),
        pytest.param(["resolve", f"{ABOVE}#3", "-m", "x"], "only what is over can be", id="it lasts"),
    ],
)
def test_what_is_refused_before_it_is_asked(journal: Path, words: list[str], says: str) -> None:
    """A slip in a name writes nothing into the journal."""
    before = journal.read_bytes()
    done = typed(journal, *words)
    assert done.exit_code == 1
    assert says in " ".join(done.stderr.split())
    assert journal.read_bytes() == before
