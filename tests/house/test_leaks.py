"""The repository speaks of the product alone: no package registry's host, no path of somebody's machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT, files

# Written so that this file does not hold what it looks for.
HOSTS = (
    r"py[p]i\.org",
    r"python[h]osted\.org",
    r"npm[j]s\.(org|com)",
    r"deb\.[d]ebian\.org",
    r"[d]ebian\.org/debian",
    r"archive\.[u]buntu\.com",
    r"proxy\.[g]olang\.org",
    r"index\.[c]rates\.io",
)
PATHS = (
    r"(?<![\w.])/(?:wor[k]|far[m]|roo[t])/",
    r"/home/(?!\w*<)[a-z][\w-]*/",
    r"/tmp/(?:bas[h]_jobs|brie[f])",
)
LEAK = re.compile("|".join((*HOSTS, *PATHS)).encode())


def leaks(content: bytes) -> list[str]:
    """Line number and match for each place in `content` that names a registry or a machine's path."""
    found = []
    for hit in LEAK.finditer(content):
        line = content.count(b"\n", 0, hit.start()) + 1
        found.append(f"line {line}: {hit.group().decode()}")
    return found


def test_no_file_names_a_registry_or_a_machine() -> None:
    """Packages are found by name and hash, wherever a site has them; nobody's folders are in the product."""
    found = {str(path): leaks((ROOT / path).read_bytes()) for path in files()}
    assert {path: where for path, where in found.items() if where} == {}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("https://py" + "pi.org/simple", 1, id="an index"),
        pytest.param("https://registry.npm" + "js.org/x", 1, id="the page's registry"),
        pytest.param("in /wo" + "rk/main", 1, id="a folder of one machine"),
        pytest.param("/ro" + "ot/.cache", 1, id="somebody's home"),
        pytest.param("/ho" + "me/anna/x", 1, id="somebody else's home"),
        pytest.param("docs/work/x and ./work/y", 0, id="a relative folder of that name"),
        pytest.param("example.org/simple", 0, id="any other host"),
    ],
)
def test_the_rule_sees(text: str, count: int) -> None:
    """Each kind of leak is found, its harmless neighbours are not."""
    assert len(leaks(text.encode())) == count


def test_files_are_seen() -> None:
    """An empty list of files would let everything pass."""
    assert {Path("pyproject.toml"), Path("coldchain/__init__.py"), Path("lock/dev.txt")} <= set(files())
