"""`coldchain scenarios run … --against`: a story over a real wire into a whole daemon, in scaled time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from coldchain.cli.main import main
from coldchain.cli.scenario_site import Against, configuration
from coldchain.config import load
from coldchain.testing.scenario_file import read_scenario, shipped_scenarios

STORY = """\
title = "A probe is left outside, and the network goes down"
story = "Somebody shelves the alarm. Then the network is down; the logger keeps what it measures."
source = "a test"
profile = "dry-shipper-150"
until = "2 h"
happens = ["at 10m vapour moved to room", "at 40m network down", "at 80m network up"]
events = ["at 0 eta 24h", "at 35m shelve vapour/too-warm for 4h"]
expect = [
  "nothing before 10m",
  "critical too-warm between 10m and 30m",
  "too-warm shelved between 35m and 90m",
  "any warming", "any time-too-warm",
  "high silence between 1h and 75m",
  "silence returned between 80m and 110m",
]
verdict = "outside"

[scene]
kind = "dry_shipper"

[channels.vapour]
of = "vapour"
interval = "5 min"
max_gap = "15 min"
fresh_within = "30 min"
probe = "vapour"
valid_low = "-200 °C"
valid_high = "60 °C"
"""


@pytest.mark.slow
def test_a_story_over_each_wire(tmp_path: Path) -> None:
    """The daemon says what the scenario expects: what comes late keeps its time, what people enter counts."""
    path = tmp_path / "story.toml"
    path.write_text(STORY, encoding="utf-8")
    playing = {
        wire: subprocess.Popen(
            [Path(sys.executable).with_name("coldchain"), "scenarios", "run", str(path), "--against", wire]
            + ["--speed", "600", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for wire in ("mqtt", "serial", "tcp")
    }
    said = {wire: process.communicate(timeout=120)[0] for wire, process in playing.items()}
    for wire, process in playing.items():
        assert process.returncode == 0, said[wire]
        assert "page     http://127.0.0.1:" in said[wire]
        assert "· vapour moved to room" in said[wire]
        assert "> shelve vapour/too-warm for 4h" in said[wire]
        assert "ok    story  outside" in said[wire]


@pytest.mark.slow
def test_what_the_daemon_does_not_say_fails(tmp_path: Path) -> None:
    """An expectation that no daemon meets is status 1, with what was expected."""
    path = tmp_path / "story.toml"
    wrong = STORY.replace('until = "2 h"', 'until = "30 min"').replace("between 10m and 30m", "at 1m")
    path.write_text(wrong, encoding="utf-8")
    ran = CliRunner().invoke(
        main, ["scenarios", "run", str(path), "--against", "tcp", "--speed", "1000", "--port", "0"]
    )
    assert ran.exit_code == 1, ran.output
    assert "FAIL  story" in ran.output
    assert "critical too-warm at 1m" in ran.output


@pytest.mark.parametrize("name", shipped_scenarios())
def test_every_scenario_has_a_configuration(name: str, tmp_path: Path) -> None:
    """Vessel, figures, profile and probes of each fit a gateway.toml, for a broker as for a line."""
    scenario = read_scenario(shipped_scenarios()[name])
    for against, where in ((Against.MQTT, "1883"), (Against.TCP, "socket://127.0.0.1:10001")):
        path = tmp_path / "gateway.toml"
        path.write_text(configuration(scenario, against, where, tmp_path), encoding="utf-8")
        loaded = load(path)
        assert {one.role for one in loaded.settings.channels.values()} == set(scenario.head.channels)
        assert scenario.check.profile.plan.id in loaded.settings.profiles.use


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(["gateway-power-cut", "--against", "mqtt"], "happens to the gateway itself", id="power"),
        pytest.param(["vacuum-lost", "--against", "tcp", "--speed", "9000"], "2000 at most", id="too fast"),
        pytest.param(["vacuum-lost", "--against", "tcp", "--format", "json"], "to watch", id="json"),
        pytest.param(["vacuum-lost", "--against", "radio"], "'mqtt', 'serial', 'tcp'", id="no wire"),
    ],
)
def test_what_will_not_do(words: list[str], says: str) -> None:
    """Each is refused before anything starts, with what there is."""
    ran = CliRunner().invoke(main, ["scenarios", "run", *words])
    assert ran.exit_code not in {0, 1, 2} or "happens to the gateway" in ran.output
    assert says in ran.output
