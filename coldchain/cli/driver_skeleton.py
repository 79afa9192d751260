"""A package for a driver of somebody's own: an example that works, to be changed step by step.

Its files are templates under `config/skeletons/driver`, where `$$name` stands for the driver's name.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

from coldchain.config.library import shipped_folder

#: What may stand as a driver's name: part of a module's name, a word in a configuration, an entry point.
_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")


class SkeletonError(Exception):
    """No package can be written, and why."""


def check_name(name: str, taken: frozenset[str]) -> None:
    """Raises SkeletonError with the mend for a name that cannot be one, or is another driver's."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise SkeletonError(
            f'"{name}" cannot be a driver\'s name; write small letters, digits and _, such as acme_t100'
        )
    if name in taken:
        raise SkeletonError(f'a driver "{name}" is installed already; take another name')


def write_package(name: str, folder: Path) -> list[Path]:
    """Write the package, and name its files. Raises SkeletonError if something is in the folder already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SkeletonError(f"{folder} is there, and nothing in it is overwritten; name another --folder")
    templates = shipped_folder() / "skeletons" / "driver"
    words = {"name": name, "dashed": name.replace("_", "-")}
    written = []
    for template in sorted(templates.rglob("*.tmpl")):
        place = template.relative_to(templates).with_suffix("").as_posix()
        place = place.replace("package/", f"coldchain_{name}/").replace("test_driver", f"test_{name}")
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        text = template.read_text(encoding="utf-8")
        path.write_text(Template(text).substitute(words), encoding="utf-8")
        written.append(path)
    return written
