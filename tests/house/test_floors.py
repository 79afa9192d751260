"""The floors hold, and whoever keeps them sees what they are meant to see."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, modules

PACKAGES = {
    "coldchain": ROOT / "coldchain",
    "coldchain_drivers": ROOT / "drivers" / "coldchain_drivers",
    "coldchain_simulators": ROOT / "simulators" / "coldchain_simulators",
}
PURE = ("rules", "alarms", "consignments", "fold")


def test_every_room_is_a_package() -> None:
    """A folder without `__init__.py` works, but import-linter and mypy pass it by without a word."""
    rooms = {module.parent for module in modules("coldchain", "drivers", "simulators")}
    assert rooms
    assert [str(room) for room in sorted(rooms) if not (ROOT / room / "__init__.py").exists()] == []


def floors_of(folder: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says of the three packages in `folder`, by this repository's contracts."""
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert program is not None, "import-linter is in the dev group"
    return subprocess.run(
        [program, "--no-logo", "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder with copies of the three packages' modules, to break rules in."""
    for name, source in PACKAGES.items():
        for module in modules(*source.relative_to(ROOT).parts[:1]):
            copy = tmp_path / name / (ROOT / module).relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / module, copy)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "line", "breaks"),
    [
        *(
            pytest.param(f"coldchain/{room}/probe.py", "import time", "read no clock", id=room)
            for room in PURE
        ),
        pytest.param("coldchain/fold/probe.py", "import coldchain.clock", "read no clock", id="our clock"),
        pytest.param("coldchain/fold/probe.py", "import sqlite3", "no I/O", id="a database in the fold"),
        pytest.param("coldchain/rules/probe.py", "import threading", "no threads", id="a thread in a rule"),
        pytest.param("coldchain/rules/probe.py", "import logging", "write no log", id="a log in a rule"),
        pytest.param("coldchain/model.py", "import coldchain.facts", "lies below it", id="looking up"),
        pytest.param("coldchain/plan.py", "import coldchain_drivers", "entry point", id="a driver by name"),
        pytest.param(
            "coldchain_drivers/probe.py", "import coldchain.facts", "know bytes", id="a driver with facts"
        ),
        pytest.param(
            "coldchain_simulators/probe.py",
            "import coldchain_drivers",
            "entry point",
            id="a simulator that borrows",
        ),
        pytest.param("coldchain/attic.py", "", "lies below it", id="a module without a floor"),
    ],
)
def test_the_floors_see(house: Path, module: str, line: str, breaks: str) -> None:
    """Each contract is broken by the import that it is there to forbid."""
    path = house / module
    path.parent.mkdir(exist_ok=True)
    (path.parent / "__init__.py").touch()
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{before}\n{line}\n", encoding="utf-8")
    said = floors_of(house)
    broken = " ".join(said.stdout.partition("Broken contracts")[2].split())
    assert said.returncode == 1, said.stdout + said.stderr
    assert breaks in broken, said.stdout
