"""The files of this repository, as the house rules see them."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEVER_OURS = {".git", ".venv", ".cache", "node_modules", "__pycache__", "static", "dist", ".hypothesis"}


@cache
def files() -> tuple[Path, ...]:
    """Every file that is in the repository or would be with the next commit, relative to its root.

    Outside a repository (an unpacked sdist) every file that no tool made.
    """
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        return tuple(sorted(path for path in found if not NEVER_OURS.intersection(path.parts)))
    # safe.directory: a plain user may check a clone that root made; nothing of it is executed.
    listed = subprocess.run(
        [git, "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = (Path(name) for name in listed.stdout.decode().split("\0") if name)
    return tuple(sorted(name for name in names if (ROOT / name).is_file()))


def modules(*folders: str) -> tuple[Path, ...]:
    """The Python files among `files()` that lie in one of the folders at the top."""
    return tuple(path for path in files() if path.suffix == ".py" and path.parts[0] in folders)
