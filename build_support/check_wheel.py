"""Looks into what `uv build` made: everything a gateway needs is there, nothing else is.

Usage: check_wheel.py FOLDER    where FOLDER holds one sdist and one wheel.
"""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "coldchain": ROOT / "coldchain",
    "coldchain_drivers": ROOT / "drivers" / "coldchain_drivers",
    "coldchain_simulators": ROOT / "simulators" / "coldchain_simulators",
}
MUST_NOT_HOLD = ("node_modules/", "__pycache__", ".venv", ".cache", ".mypy_cache", "coldchain/web/ui/")


def expected() -> set[str]:
    """Names that the wheel must hold: every module, the shipped settings, the built page."""
    names = {"coldchain/web/static/index.html", "coldchain/web/static/.built-from"}
    for package, folder in PACKAGES.items():
        for data in ("*.py", "*.toml"):
            names |= {f"{package}/{path.relative_to(folder).as_posix()}" for path in folder.rglob(data)}
    config = ROOT / "config"
    names |= {f"coldchain/_config/{path.relative_to(config).as_posix()}" for path in config.rglob("*.toml")}
    return {name for name in names if "web/ui/" not in name and "__pycache__" not in name}


def complaints(folder: Path) -> list[str]:
    """What is wrong with the distribution in `folder`, a sentence each; empty when all is well."""
    wheels, sdists = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    if len(wheels) != 1 or len(sdists) != 1:
        return [f"{folder}: expected one wheel and one sdist, found {len(wheels)} and {len(sdists)}"]
    with zipfile.ZipFile(wheels[0]) as wheel:
        held = set(wheel.namelist())
    with tarfile.open(sdists[0]) as sdist:
        packed = set(sdist.getnames())
    wrong = [f"{wheels[0].name}: {name} is missing" for name in sorted(expected() - held)]
    wrong += [f"{wheels[0].name}: {name} has no place in it" for name in sorted(held) if _stray(name)]
    wrong += [
        f"{sdists[0].name}: {name} has no place in it" for name in sorted(packed) if _stray(name, sdist=True)
    ]
    if not any(name.endswith("licenses/LICENSE") for name in held):
        wrong.append(f"{wheels[0].name}: carries no LICENSE")
    return wrong


def _stray(name: str, *, sdist: bool = False) -> bool:
    # The sdist carries the page's sources, for the wheel is built from it.
    return any(part in name for part in MUST_NOT_HOLD if not (sdist and part == "coldchain/web/ui/"))


if __name__ == "__main__":
    found = complaints(Path(sys.argv[1]))
    print("\n".join(found), end="\n" if found else "", file=sys.stderr)
    raise SystemExit(1 if found else 0)
