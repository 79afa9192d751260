"""The example project runs from outside: coldchain is the wheel, in an environment of its own."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.house.tree import ROOT

WHEELS = sorted((ROOT / ".cache" / "dist").glob("coldchain-*.whl"))


@pytest.mark.slow
@pytest.mark.skipif(not WHEELS, reason="make package builds the wheel; make test does so first")
def test_the_clinic_tests_its_limits_with_the_wheel(tmp_path: Path) -> None:
    """Profile, lane and tests of docs/examples/clinic pass, and nothing of the sources is used.

    Libraries are those that are installed here (no network); coldchain itself is unpacked from the wheel,
    which is all that an installer does with it.
    """
    project, place = tmp_path / "clinic", tmp_path / "venv"
    shutil.copytree(
        ROOT / "docs" / "examples" / "clinic", project, ignore=shutil.ignore_patterns("__pycache__")
    )
    venv.create(place, with_pip=False, symlinks=True)
    (packages,) = place.glob("lib/python3*/site-packages")
    with zipfile.ZipFile(WHEELS[-1]) as wheel:
        wheel.extractall(packages)
    libraries = [path for path in site.getsitepackages() if Path(path).is_dir()]
    (packages / "libraries.pth").write_text("\n".join(libraries) + "\n", encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV"))}
    environment.pop("PYTHONPATH", None)
    python = place / "bin" / "python"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(python), *arguments],
            check=False,
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    where = run("-c", "import coldchain, coldchain_simulators as s; print(coldchain.__file__, s.__file__)")
    assert where.stdout.count(str(packages)) == 2, where.stdout + where.stderr
    tested = run("-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "6 passed" in tested.stdout, tested.stdout
    assert sys.prefix not in where.stdout
