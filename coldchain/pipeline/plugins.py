"""The rules of other packages in this process: known to the fold, and part of what the engine is.

Whoever asks for the engine's name has them loaded (`engine_id.py`); who only folds loads them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from coldchain.config.rule_tables.plugged import Installed, found
from coldchain.rules import plugged
from coldchain.rules.judge import Judge

#: What of a package decides: its source, and what it has compiled.
_CODE = (".py", ".so", ".pyd")


@cache
def load() -> tuple[Installed, ...]:
    """Make every usable plug-in known to the fold, once; they are returned in the order of their kinds."""
    usable = tuple(each for _, each in sorted(found().kinds.items()))
    known = {
        each.kind: plugged.Plugin(each.kind, each.module, each.plugin.judge)
        for each in usable
        if isinstance(each.plugin.judge, Judge)
    }
    plugged.use(known)
    return tuple(each for each in usable if each.kind in known)


def fingerprint(each: Installed) -> Iterator[bytes]:
    """What makes a plug-in this one: kind, package, version, and the code of its package."""
    yield f"{each.kind} {each.package} {each.version}\n".encode()
    for name, code in _code(each.module.partition(".")[0]):
        yield f"{name} {len(code)} {hashlib.sha256(code).hexdigest()}\n".encode()


def _code(package: str) -> Iterator[tuple[str, bytes]]:
    spec = find_spec(package)
    assert spec is not None, package  # it was loaded
    if spec.submodule_search_locations is None:
        assert spec.origin is not None, package
        yield package, Path(spec.origin).read_bytes()
        return
    for folder in sorted(spec.submodule_search_locations):
        for file in sorted(Path(folder).rglob("*")):
            if file.suffix in _CODE:
                yield file.relative_to(folder).as_posix(), file.read_bytes()
