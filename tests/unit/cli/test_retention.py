"""`coldchain retention`: a plan that removes nothing, and a run by hand; without a policy neither."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coldchain.cli.main import main
from coldchain.clock import SystemClock
from coldchain.evidence.keys import Key
from coldchain.journal import Reader, verify_chain
from tests.unit.daemon.retained import DAY, HOUR, House
from tests.unit.pipeline.fake_clock import HandClock

CONFIG = """
[site]
name = "Test"

[journal]
path = "journal.db"

[evidence]
key_file = "key"

[clock]
trust = "site"
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration, and a journal of ten days that nobody holds."""
    pytest.importorskip("cryptography")
    folder = tmp_path_factory.mktemp("gateway")
    Key.make(folder / "key")
    path = folder / "gateway.toml"
    path.write_text(CONFIG)
    now_ms = SystemClock().utc_ms()
    house = House(folder / "journal.db", key=None, clock=HandClock(now_ms - 10 * DAY - HOUR))
    house.activate()
    house.days(10)
    house.end()
    return path


def run(gateway: Path, *words: str, policy: str = "") -> Result:
    """A command with a policy."""
    path = gateway.with_name("policy.toml")
    path.write_text(CONFIG + (f'\n[retention]\nreadings = "{policy}"\n' if policy else ""))
    return CliRunner().invoke(main, ["retention", *words, "--config", str(path)])


def removed(gateway: Path) -> int:
    """How many facts are gone."""
    with Reader.open(gateway.with_name("journal.db")) as journal:
        chain = verify_chain(journal)
    assert chain.intact
    return chain.removed


@pytest.mark.parametrize("command", ["plan", "run"])
def test_without_a_policy_there_is_nothing_to_do(gateway: Path, command: str) -> None:
    """Nothing is ever removed that nobody asked for; it says where to write it."""
    done = run(gateway, command)
    assert done.exit_code == 1
    assert "there is no [retention] in the configuration" in done.output
    assert removed(gateway) == 0


def test_a_plan_removes_nothing(gateway: Path) -> None:
    """It says how many facts would go and stay, for the configuration's time and for another."""
    shown = run(gateway, "plan", policy="5 d")
    assert shown.exit_code == 0, shown.output
    assert "would go: " in shown.output
    other = run(gateway, "plan", "--readings", "365 d", policy="5 d")
    assert "nothing would go now" in other.output
    assert removed(gateway) == 0


def test_a_time_that_is_none_is_refused(gateway: Path) -> None:
    """With the option's name."""
    shown = run(gateway, "plan", "--readings", "soon", policy="5 d")
    assert shown.exit_code == 2
    assert "--readings" in shown.output


def test_a_run_removes_what_the_plan_said(gateway: Path) -> None:
    """So many facts, told by facts; a second run finds nothing more, and verify is content."""
    plan = json.loads(run(gateway, "plan", "--format", "json", policy="5 d").output)
    done = run(gateway, "run", policy="5 d")
    assert done.exit_code == 0, done.output
    assert removed(gateway) == plan["removed"] > 100
    assert f"{plan['removed']} facts removed" in done.output
    verified = CliRunner().invoke(main, ["verify", str(gateway.with_name("journal.db"))])
    assert verified.exit_code == 0, verified.output
    assert (
        'removed by policy "readings = 5 d, summary = 1 h, around_excursions = 1 h"'
        in verified.output.replace("\n", " ")
    )
    assert "not checked" in verified.output


def test_a_span_that_no_day_holds_is_refused(gateway: Path) -> None:
    """Seven hours would begin at another hour each day; it says what to write."""
    done = run(gateway, "plan", policy='5 d"\nsummary = "7 h')
    assert done.exit_code == 2
    assert "a day holds no whole number of these spans" in done.stderr
    assert 'write one such as "15 min"' in done.stderr
    assert run(gateway, "plan", policy='5 d"\nsummary = "15 min').exit_code == 0


def test_a_plan_says_what_stays_for_what_goes(gateway: Path) -> None:
    """How many readings stay for their excursions, and what stands for the others."""
    said = " ".join(run(gateway, "plan", policy='4 d"\naround_excursions = "2 h').output.split())
    assert "readings stay exact for their excursions, each with 2 h around it" in said
    assert "for what goes stays, of each channel and each 1 h" in said
