"""The engine's hash knows all of our code that the fold runs: a change of any of it is another engine."""

from __future__ import annotations

import subprocess
import sys

from coldchain.pipeline.engine_id import PURE
from tests.house.tree import ROOT

#: What each process that folds imports, and then the files of ours that this has loaded.
LOADED = """
import sys
import coldchain.alarms, coldchain.consignments, coldchain.fold, coldchain.rules
for name, module in sorted(sys.modules.items()):
    if name.partition(".")[0] == "coldchain":
        print(module.__file__)
"""


def test_everything_that_decides_is_in_the_engine_s_hash() -> None:
    """No module of the fold, and none that it imports, can change and leave the engine what it was."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split("\n")[:-1])
    top = ROOT / "coldchain"
    hashed = {
        str(path) for name in PURE for path in ((top / name).glob("*.py"), [top / name])[name.endswith(".py")]
    }
    assert len(loaded) > 30
    assert loaded - hashed - {str(top / "__init__.py")} == set()
