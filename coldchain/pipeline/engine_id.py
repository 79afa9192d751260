"""Which engine this is: one hash over all pure code that decides anything.

A journal says which engine folded each stretch of it. The same hash means the same answers; another
one means that `verify` compares and tells, instead of calling the difference tampering.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

from coldchain.pipeline import plugins

#: Modules and packages of `coldchain` that the fold runs.
PURE = (
    "alarms",
    "announcements.py",
    "consignments",
    "facts.py",
    "logged.py",
    "fold",
    "model.py",
    "plan",
    "removed.py",
    "rules",
    "units.py",
)


@cache
def engine() -> str:
    """SHA-256 (hex, 16 digits) over the fold's modules, names and texts, and the rules of other packages."""
    digest = hashlib.sha256()
    top = resources.files("coldchain")
    for name in PURE:
        part = top / name
        files = sorted(part.iterdir(), key=lambda f: f.name) if part.is_dir() else [part]
        for file in files:
            if file.name.endswith(".py"):
                text = file.read_bytes()
                digest.update(b"%b/%b %d\n" % (name.encode(), file.name.encode(), len(text)))
                digest.update(text)
    for plugin in plugins.load():
        for part_of_it in plugins.fingerprint(plugin):
            digest.update(part_of_it)
    return digest.hexdigest()[:16]
