"""The `coldchain` command, with a SIGHUP at every moment of its start: before each module that it imports.

`python -m tests.integration.hasty WORDS…`
"""

from __future__ import annotations

import os
import signal
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from typing_extensions import override


class Haste(MetaPathFinder):
    """Finds nothing; sends the process a SIGHUP whenever it is asked for a module."""

    @override
    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> ModuleSpec | None:
        os.kill(os.getpid(), signal.SIGHUP)
        return None


if __name__ == "__main__":
    from coldchain.cli.entry import main

    sys.meta_path.insert(0, Haste())
    main()
