"""`coldchain drivers new`: the package that it writes passes its own test, in an environment of its own."""

from __future__ import annotations

import os
import site
import subprocess
import tomllib
import venv
from pathlib import Path

import pytest
from click.testing import CliRunner

from coldchain.cli.main import main


def new(*words: str) -> tuple[int, str]:
    """Exit status and output of the command."""
    said = CliRunner().invoke(main, ["drivers", "new", *words], prog_name="coldchain")
    return said.exit_code, said.output


@pytest.mark.slow
def test_the_package_passes_its_own_test(tmp_path: Path) -> None:
    """Installed as its pyproject says, it is found by its entry point and holds all that a driver must hold.

    Libraries are those that are installed here (no network); what an installer would write into the
    environment is written by hand.
    """
    project, place = tmp_path / "project", tmp_path / "venv"
    status, said = new("acme_t100", "--folder", str(project))
    assert status == 0, said
    about = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    venv.create(place, with_pip=False, symlinks=True)
    (packages,) = place.glob("lib/python3*/site-packages")
    here = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
    (packages / "libraries.pth").write_text("\n".join([str(project), *here]) + "\n", encoding="utf-8")
    info = packages / f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n", encoding="utf-8"
    )
    published = [
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in points.items())
        for group, points in about["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("".join(published), encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV"))}
    environment.pop("PYTHONPATH", None)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(place / "bin" / "python"), *arguments],
            check=False, cwd=project, env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    tested = run("-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "23 passed" in tested.stdout, tested.stdout
    shown = run("-c", "from coldchain.cli.main import main; main()", "drivers", "show", "acme_t100")
    assert "# acme_t100" in shown.stdout, shown.stderr
    # A skeleton whose test cannot fail would teach nothing: a driver that guesses a unit is caught.
    driver = project / "coldchain_acme_t100" / "driver.py"
    text = driver.read_text(encoding="utf-8")
    guessing = text.replace("        return (Bad(Reason.NO_UNIT, frame, query.key),)", '        unit = b"C"')
    assert guessing != text
    driver.write_text(guessing, encoding="utf-8")
    caught = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow")
    assert caught.returncode == 1, caught.stdout
    assert "vector" in caught.stdout


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A folder with anything in it is left alone, and the mend is said; an empty one will do."""
    (tmp_path / "mine").mkdir()
    assert new("acme_t100", "--folder", str(tmp_path / "mine"))[0] == 0
    kept = tmp_path / "mine" / "README.md"
    kept.write_text("mine", encoding="utf-8")
    status, said = new("acme_t100", "--folder", str(tmp_path / "mine"))
    assert (status, kept.read_text(encoding="utf-8")) == (1, "mine")
    assert "nothing in it is overwritten; name another --folder" in said


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("Acme-T100", "small letters, digits and _", id="no module name"),
        pytest.param("class", "small letters", id="a word of Python"),
        pytest.param("mt_sics", "installed already", id="taken"),
    ],
)
def test_a_name_that_will_not_do(tmp_path: Path, name: str, says: str) -> None:
    """Refused with the mend before anything is written."""
    status, said = new(name, "--folder", str(tmp_path / "new"))
    assert status == 1
    assert says in said
    assert not (tmp_path / "new").exists()
