"""`coldchain config` and `coldchain profiles`: what they print and how they exit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coldchain.cli.config_commands import config
from coldchain.cli.profile_commands import profiles
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


OURS = """\
id = "ours"
version = "1"
status = "unapproved"
title = "Ours"
extends = "dry-shipper-150"
extends_version = "1"

[rules.too-warm]
hold = "9 min"
hold_source = "RA-9"
reason = "the probe hangs in the lid"
"""


def test_a_profile_that_builds_on_another_shows_what_differs(tmp_path: Path) -> None:
    """In words, and for programs."""
    path = tmp_path / "ours.toml"
    path.write_text(OURS, encoding="utf-8")
    lines = run("profiles", "show", str(path)).stdout.splitlines()
    assert lines[-2:] == [
        "Differs from dry-shipper-150 version 1:",
        (
            "  too-warm: WIDER, vapour at or above -150 °C for 9 min (hold 5 min → 9 min). "
            "Reason: the probe hangs in the lid"
        ),
    ]
    shown = json.loads(run("profiles", "show", str(path), "--format", "json").stdout)
    assert shown["builds_on"] == {"dry-shipper-150": "1"}
    assert [each["verdict"] for each in shown["differs"]] == ["wider"]


def test_profiles_are_compared(tmp_path: Path) -> None:
    """Per rule, with the numbers; the exit status is about approved ones alone."""
    path = tmp_path / "ours.toml"
    path.write_text(OURS, encoding="utf-8")
    result = run("profiles", "diff", "dry-shipper-150", str(path))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "from dry-shipper-150 version 1 to ours version 1"
    assert "  too-warm: WIDER, vapour at or above -150 °C for 9 min" in result.stdout
    said = json.loads(run("profiles", "diff", "dry-shipper-150", str(path), "--format", "json").stdout)
    assert (said["widens"], said["same"], said["problems"]) == (True, False, [])
    assert "no rule differs" in run("profiles", "diff", str(path), str(path)).stdout


def test_what_may_not_replace_an_approved_profile_fails(tmp_path: Path) -> None:
    """A script that rolls out profiles stops there."""
    text = (shipped_folder() / "profiles" / "dry-shipper-150.toml").read_text(encoding="utf-8")
    approved = text.replace('status = "unapproved"', 'status = "approved"\napproved_by = "A. Meier"').replace(
        'confidence = "medium"', 'confidence = "medium"\napproved_by = "A. Meier"'
    )
    (tmp_path / "old").mkdir()
    old, new = tmp_path / "old" / "dry-shipper-150.toml", tmp_path / "dry-shipper-150.toml"
    old.write_text(approved, encoding="utf-8")
    new.write_text(approved.replace('hold = "5 min"', 'hold = "9 min"'), encoding="utf-8")
    result = run("profiles", "diff", str(old), str(new))
    assert result.exit_code == 1
    refused = [line for line in result.stdout.splitlines() if line.startswith("refused: ")]
    assert len(refused) == 2
    assert "write a new version" in refused[0] + refused[1]
    said = json.loads(run("profiles", "diff", str(old), str(new), "--format", "json").stdout)
    assert [each["place"] for each in said["problems"]] == ["version", "rules.too-warm.hold"]


def test_a_profile_is_explained(tmp_path: Path) -> None:
    """In sentences, with the site's figures if a configuration is given; and with room to sign."""
    lines = run("profiles", "explain", "msc-fresh-2-8").stdout.splitlines()
    assert lines[1].startswith("NOT APPROVED")
    assert lines[-1].startswith("Read and approved (name, date, meaning, signature): ")
    gateway = tmp_path / "gateway.toml"
    figure = (
        '[profiles.figures.msc-fresh-2-8.allowance_above]\nvalue = "30 min"\nsource = "study 12"\n'
        'approved_by = "A. Meier, QA"\n'
    )
    text = (shipped_folder() / "gateway.toml").read_text(encoding="utf-8")
    gateway.write_text(text + figure, encoding="utf-8")
    told = run("profiles", "explain", "msc-fresh-2-8", "--config", str(gateway)).stdout
    assert "the sum is more than 30 min." in told
    assert "(study 12; approved by A. Meier, QA)" in told
    said = json.loads(run("profiles", "explain", "msc-fresh-2-8", "--format", "json").stdout)
    assert said["stages"]["transport"][1][0]["name"] == "warming"


def test_a_profile_is_linted(tmp_path: Path) -> None:
    """What is left to mend or to answer is an exit status of 1; notes are none."""
    good = run("profiles", "lint", "dry-shipper-150")
    assert (good.exit_code, good.stderr) == (0, "dry-shipper-150: nothing to mend\n")
    assert good.stdout.count("note: ") == len(good.stdout.splitlines()) == 1
    channel = "vapour:interval=1 min,fresh_within=10 min,valid_low=-40 °C"
    bad = run("profiles", "lint", "dry-shipper-150", "--channel", channel, "--format", "json")
    assert bad.exit_code == 1
    said = json.loads(bad.stdout)
    assert said["ok"] is False
    assert {(each["code"], each["severity"]) for each in said["findings"]} == {
        ("probe-cannot-measure", "error")
    }
    assert said["findings"][0]["place"] == "vapour.valid_low"
    with_site = run("profiles", "lint", "dry-shipper-150", "--config", GATEWAY)
    assert with_site.exit_code == 1
    assert with_site.stdout.startswith("gateway.toml:")
    assert "[uncalibrated]" in with_site.stdout


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        ("vapor:interval=1 min", 'judges no role "vapor"; it judges vapour'),
        ("vapour:interval=1 mins", 'interval: "1 mins": unknown unit "mins"; write "1 min"'),
        ("vapour:intervall=1 min", "intervall: unknown key; did you mean interval?"),
    ],
)
def test_a_channel_that_is_typed_wrongly(channel: str, said: str) -> None:
    """It is said as in a file, and nothing is judged."""
    result = run("profiles", "lint", "dry-shipper-150", "--channel", channel)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize("command", ["show", "explain", "lint"])
def test_a_wrong_profile_is_not_judged(tmp_path: Path, command: str) -> None:
    """Every mistake with its line, and an exit status of 1."""
    path = tmp_path / "ours.toml"
    path.write_text(OURS.replace('"9 min"', '"9 mins"'), encoding="utf-8")
    result = run("profiles", command, str(path))
    assert result.exit_code == 1
    assert result.stdout == 'ours.toml:9: rules.too-warm.hold: "9 mins": unknown unit "mins"; write "9 min"\n'


def test_what_a_reader_must_not_miss_is_shown() -> None:
    """Notes, what probes must be, works, and of a rule that waits its source and advice."""
    assert "LIFE SAFETY." in run("profiles", "show", "room-o2").stdout
    assert "is measured at least every 1 min" in run("profiles", "show", "cn-gsp-cold").stdout
    level = run("profiles", "show", "ln2-level").stdout
    assert "Works that explain alarms:\n  filling:" in level
    assert "to do: Fill by hand now." in level
