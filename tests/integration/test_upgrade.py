"""Another build of the daemon on the same journal: a copy of our sources in which one rule is changed.

The copy's limits count the value on the limit as outside. It runs as a process of its own, as after an
upgrade.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coldchain.announcements import Kind, Late
from coldchain.facts import EngineStarted, SourceUp
from tests.integration.gateways import ROOT, Child, Printer, Site, read, until

pytestmark = pytest.mark.slow

#: The line of a limit's comparison, and what the changed build says instead.
RULE = ("        return outside is Outside.AT_OR_BEYOND\n", "        return True\n")
ON, TAKEN, LATCHED = (f"box-{name}/vapour/above" for name in ("on", "taken", "latched"))


@dataclass(frozen=True)
class Build:
    """Somebody's `coldchain`, by the folder whose package it is; None: ours."""

    folder: Path | None

    @property
    def environment(self) -> dict[str, str]:
        """What makes Python find that package first."""
        return {} if self.folder is None else {"PYTHONPATH": str(self.folder)}

    def command(self, *words: object) -> list[str]:
        """Typed."""
        return [sys.executable, "-c", "from coldchain.cli.main import main; main()", *map(str, words)]

    def does(self, *words: object) -> subprocess.CompletedProcess[str]:
        """A command that ends by itself."""
        return subprocess.run(
            self.command(*words),
            cwd=self.folder,  # ours is found wherever one stands
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def verify(self, journal: Path) -> Any:
        """What `coldchain verify` says: status, and each stretch as (verdict, different)."""
        done = self.does("verify", journal, "--format", "json")
        assert done.stderr == ""
        said = json.loads(done.stdout)
        return done.returncode, [(each["verdict"], each["different"]) for each in said["stretches"]]


OURS = Build(None)


@pytest.fixture
def changed(tmp_path: Path) -> Build:
    """A build with another rule."""
    folder = tmp_path / "build"
    shutil.copytree(
        ROOT / "coldchain", folder / "coldchain", ignore=shutil.ignore_patterns("ui", "__pycache__")
    )
    module = folder / "coldchain" / "rules" / "judging.py"
    text = module.read_text(encoding="utf-8")
    assert text.count(RULE[0]) == 1
    module.write_text(text.replace(*RULE), encoding="utf-8")
    return Build(folder)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Three boxes: one alarm is taken, one latched and over, and one value lies exactly on the limit."""
    site = Site(tmp_path).profile(hold="1 s")
    story = {"taken": (-140.0, -140.0), "latched": (-140.0, -180.0), "on": (-150.0, -150.0)}
    printers = {name: Printer(tmp_path / name) for name in story}
    for name, printer in printers.items():
        site.ascii(name, printer.port, fresh="2 h")
    with Child("run", "--config", site.write(), log=tmp_path / "log") as daemon:
        daemon.ready(site.journal)
        until(lambda: len(read(site.journal).of(SourceUp)) == len(story), "the ports")
        begun_ms = time.time_ns() // 1_000_000
        for number, after_ms in enumerate((0, 1_500)):
            for name, printer in printers.items():
                printer.say(story[name][number], begun_ms + after_ms)
        until(lambda: len(read(site.journal).raised()) == 2, "two alarms")
        assert OURS.does("ack", TAKEN, "-m", "moved", "--config", site.config).returncode == 0
        assert daemon.end() == 0
    for printer in printers.values():
        printer.wire.close()
    return site


def alarms(build: Build, site: Site) -> dict[str, dict[str, Any]]:
    """What stands, by its id, without the moment up to which it was confirmed."""
    done = build.does("alarms", "--config", site.config, "--format", "json")
    assert done.returncode == 0, done.stderr
    return {each["id"]: each for each in json.loads(done.stdout)}


def test_a_changed_rule_is_another_engine_and_no_tampering(site: Site, changed: Build) -> None:
    """`verify` of the changed build says who made the journal, what would be said otherwise, and "sound"."""
    assert OURS.verify(site.journal) == (0, [("equal", 0)])
    status, [(verdict, different)] = changed.verify(site.journal)
    assert (status, verdict) == (0, "made_by_another_engine")
    assert different >= 1
    said = changed.does("verify", site.journal)
    assert "made by another engine" in said.stdout
    assert "differs" not in said.stdout.lower()


def test_what_was_announced_outlives_an_upgrade(site: Site, changed: Build, tmp_path: Path) -> None:
    """Acknowledged and latched alarms stand as they stood; what the new rule finds is said to be found so."""
    before = alarms(OURS, site)
    assert {name: (each["state"], each["latched"]) for name, each in before.items()} == {
        TAKEN: ("acknowledged", True),
        LATCHED: ("return_to_normal_unacknowledged", True),
    }
    last_ms = max(fact.at_ms for fact in read(site.journal).readings("box-on.vapour"))
    until(lambda: time.time_ns() // 1_000_000 > last_ms + 1_000, "what is announced now is late")
    with Child(
        "run", "--config", site.config, log=tmp_path / "new", environment=changed.environment
    ) as daemon:
        daemon.ready(site.journal)
        after = alarms(changed, site)
        assert daemon.end() == 0, daemon.said
    assert {name: after[name] for name in before} == before
    history = read(site.journal)
    assert len({fact.engine for fact in history.of(EngineStarted)}) == 2
    found = [one.what for one in history.said if one.what.alarm == ON]
    assert [(one.kind, one.late) for one in found] == [(Kind.RAISED, Late.UPGRADE)]
    assert after.keys() - before.keys() == {ON}
    status, stretches = changed.verify(site.journal)
    assert (status, [verdict for verdict, _ in stretches]) == (0, ["made_by_another_engine", "equal"])
    status, stretches = OURS.verify(site.journal)
    assert (status, [verdict for verdict, _ in stretches]) == (0, ["equal", "made_by_another_engine"])
