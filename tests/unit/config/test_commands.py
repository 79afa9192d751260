"""`coldchain config` and `coldchain profiles`: what they print and how they exit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coldchain.cli.config_commands import config, profiles
from coldchain.config.library import shipped_folder

GATEWAY = str(shipped_folder() / "gateway.toml")


def run(*arguments: str) -> Result:
    """A command typed without the leading `coldchain`."""
    group = {"config": config, "profiles": profiles}[arguments[0]]
    return CliRunner().invoke(group, arguments[1:], catch_exceptions=False)


def test_a_right_file_says_what_it_watches() -> None:
    """First "ok", then what there is; what is simulated or unapproved stands out."""
    result = run("config", "check", GATEWAY)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "ok"
    assert "sources     3: freezer, fridge, shipper" in lines
    assert "SIMULATED   freezer, fridge, shipper" in lines
    assert any(line.startswith("UNAPPROVED  ") and "dry-shipper-150" in line for line in lines)


def test_a_wrong_file_says_everything_and_fails(tmp_path: Path) -> None:
    """One line for each mistake, and an exit status that stops a deployment."""
    path = tmp_path / "gateway.toml"
    path.write_text('[site]\nname = "x"\n[jornal]\npath = "y"\n', encoding="utf-8")
    result = run("config", "check", str(path))
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        'gateway.toml:1: journal: is missing; write [journal] with path = "…"',
        "gateway.toml:3: jornal: unknown key; did you mean journal?",
    ]
    assert result.stderr == "2 to mend\n"


def test_programs_get_the_same_as_people(tmp_path: Path) -> None:
    """JSON holds each problem in its parts."""
    path = tmp_path / "gateway.toml"
    path.write_text('[site]\nname = "x"\n[jornal]\npath = "y"\n', encoding="utf-8")
    said = json.loads(run("config", "check", str(path), "--format", "json").stdout)
    assert said["ok"] is False
    assert said["problems"][1] == {
        "file": "gateway.toml",
        "line": 3,
        "place": "jornal",
        "what": "unknown key",
        "mend": "did you mean journal?",
    }
    right = json.loads(run("config", "check", GATEWAY, "--format", "json").stdout)
    assert right["ok"] is True
    assert right["simulated"] == right["sources"]
    assert set(right["documents"]) >= {"gateway.toml", "profiles/dry-shipper-150.toml"}


@pytest.mark.parametrize("arguments", [("config", "schema"), ("config", "schema", "--profile")])
def test_the_schema_is_json(arguments: tuple[str, ...]) -> None:
    """What is printed can be saved as it is."""
    assert json.loads(run(*arguments).stdout)["type"] == "object"


def test_profiles_are_listed_with_their_status() -> None:
    """Whoever chooses one sees that nobody has approved it."""
    lines = run("profiles", "list").stdout.splitlines()
    assert len(lines) >= 5
    assert all("unapproved" in line for line in lines)
    listed = json.loads(run("profiles", "list", "--format", "json").stdout)
    assert {"dry-shipper-150", "msc-beijing-2021"} <= {each["id"] for each in listed}


def test_a_profile_shows_where_its_limits_come_from() -> None:
    """Value, hold, source, confidence and what to do stand together; and that it is not approved."""
    text = run("profiles", "show", "fridge-2-8-buffered").stdout
    assert "UNAPPROVED" in text.splitlines()[0]
    assert "too-warm: product above 8 °C for 10 min (critical, latched)" in text
    assert "freezing: product at or below 0 °C at once (critical, latched)" in text
    assert text.count("source: ") == text.count("confidence ") == text.count("to do: ") == 5


def test_a_site_s_own_profile_hides_a_shipped_one(tmp_path: Path) -> None:
    """By its folder, and as a file."""
    shipped = (shipped_folder() / "profiles" / "fridge-2-8-buffered.toml").read_text(encoding="utf-8")
    ours = tmp_path / "fridge-2-8-buffered.toml"
    ours.write_text(shipped.replace('version = "1"', 'version = "1-site"'), encoding="utf-8")
    for arguments in (("fridge-2-8-buffered", "--directory", str(tmp_path)), (str(ours),)):
        shown = run("profiles", "show", *arguments, "--format", "json")
        assert json.loads(shown.stdout)["version"] == "1-site"


def test_a_profile_that_does_not_exist() -> None:
    """The nearest is suggested."""
    result = run("profiles", "show", "dry-shipper")
    assert result.exit_code == 1
    assert result.stdout == (
        'dry-shipper.toml:1: there is no profile "dry-shipper"; did you mean "dry-shipper-150"?\n'
    )
