"""`coldchain scenarios` shows what it plays, and its exit status is its verdict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coldchain.cli.main import main
from coldchain.testing.scenario_file import shipped_scenarios


def scenarios(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["scenarios", *arguments], catch_exceptions=False)


def test_list_names_all() -> None:
    """Every shipped scenario stands in the list once, with its verdict."""
    result = scenarios("list")
    names = [line.split()[0] for line in result.output.splitlines() if line.startswith("  ")]
    assert sorted(names) == sorted(shipped_scenarios())
    told = json.loads(scenarios("list", "--format", "json").output)
    assert {one["name"]: one["verdict"] for one in told}["vacuum-lost"] == "outside"


def test_show_tells_story_source_and_what_must_be_said() -> None:
    """What somebody wants to know before they believe it."""
    said = scenarios("show", "valve-left-shut").output
    for part in ("Karolinska", "at 2h supply shut", "high storage-sinking between 6d and 8d", "outside"):
        assert part in said


def test_run_shows_the_time_line_and_says_how_it_went() -> None:
    """What happened, what was measured, what was said, in order; status 0."""
    result = scenarios("run", "vacuum-lost", "--speed", "100000")
    lines = result.output.splitlines()
    happened, warned, critical = (
        next(at for at, line in enumerate(lines) if words in line)
        for words in ("· vacuum lost", "! high vapour/warming", "! critical vapour/too-warm")
    )
    assert happened < warned < critical
    assert lines[-1].startswith("ok    vacuum-lost  outside")
    assert result.exit_code == 0


def test_run_of_several_seeds_is_json_for_programs() -> None:
    """One entry a play, with its seed and what was said."""
    result = scenarios("run", "room-spill", "--seeds", "3", "--format", "json")
    told = json.loads(result.output)
    assert [one["seed"] for one in told] == [7, 8, 9]
    assert all(one["passed"] and one["said"] for one in told)


def test_status_1_if_it_did_not_go_as_expected(tmp_path: Path) -> None:
    """A wrong expectation is named with its seed."""
    text = shipped_scenarios()["vacuum-lost"].read_text(encoding="utf-8")
    path = tmp_path / "wrong.toml"
    path.write_text(text.replace('verdict = "outside"', 'verdict = "inside"'), encoding="utf-8")
    result = scenarios("run", str(path))
    assert result.exit_code == 1
    assert "seed 7: verdict outside, expected inside" in result.output


@pytest.mark.parametrize("command", ["show", "run"])
def test_status_2_for_a_name_that_is_not_there(command: str) -> None:
    """The nearest name is offered."""
    result = scenarios(command, "vacuum-lots")
    assert result.exit_code == 2
    assert 'did you mean "vacuum-lost"?' in result.output
