"""What the papers point to is there: files, headings, and the places in the repository that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import ROOT, files

FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
# Code that claims to be one place of the repository: no star, no blank, no ellipsis, no slash in front.
PLACE = re.compile(r"\.?\w[\w-]*/[\w./-]*")
TOPS = (ROOT, ROOT / "coldchain")  # papers name a room as `rules/limit.py`
# Made by tools, so not in a fresh clone.
MADE = ("coldchain/web/static",)

PAPERS = [path for path in files() if path.suffix == ".md"]


def anchors(text: str) -> set[str]:
    """The fragments that the headings of a paper can be reached by, as forges and editors make them."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        plain = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower())
        name, again = plain.replace(" ", "-"), 0
        while (anchor := name if not again else f"{name}-{again}") in found:
            again += 1
        found.add(anchor)
    return found


def broken(paper: Path, text: str) -> Iterator[str]:
    """Every relative link of `paper` (its path from the root) that leads nowhere, and why."""
    prose = CODE.sub("", FENCE.sub("", text))
    for target in LINK.findall(prose):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path, _, fragment = target.partition("#")
        goal = (ROOT / paper.parent / path) if path else ROOT / paper
        if not goal.resolve().is_relative_to(ROOT) or not goal.exists():
            yield f"{target}: not there"
        elif fragment and goal.suffix == ".md":
            there = text if not path else goal.read_text(encoding="utf-8")
            if fragment not in anchors(there):
                yield f"{target}: no such heading"


def missing(text: str) -> Iterator[str]:
    """Every place in the repository that a paper names in code type and that does not exist."""
    for code in CODE.findall(FENCE.sub("", text)):
        place = code.split("::")[0].rstrip("/")
        if not PLACE.fullmatch(place) or place.startswith(MADE):
            continue
        tops = [top for top in TOPS if (top / place.split("/")[0]).is_dir()]
        if tops and not any((top / place).exists() for top in tops):
            yield code


@pytest.mark.parametrize("paper", PAPERS, ids=str)
def test_every_link_leads_somewhere(paper: Path) -> None:
    """A reader who follows a link finds the file, and the heading in it."""
    assert list(broken(paper, (ROOT / paper).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("paper", PAPERS, ids=str)
def test_every_place_named_is_there(paper: Path) -> None:
    """A module or folder that was moved is moved in the papers, too."""
    assert list(missing((ROOT / paper).read_text(encoding="utf-8"))) == []


def test_papers_are_seen() -> None:
    """An empty list of papers would let everything pass."""
    assert {Path("README.md"), Path("CONTRIBUTING.md"), Path("docs/architecture.md")} <= set(PAPERS)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("[a](LICENSE) [b](docs/) ![c](docs/images/page.png)", 0, id="file, folder, picture"),
        pytest.param("[a](docs/nowhere.md)", 1, id="a file that is not there"),
        pytest.param("![a](docs/images/nowhere.png)", 1, id="a picture that is not there"),
        pytest.param(
            "[![a](docs/images/nowhere.png)](LICENSE)", 0, id="a picture in a link: the link counts"
        ),
        pytest.param('[a](docs/nowhere.md "title")', 1, id="with a title"),
        pytest.param("[a](../LICENSE)", 1, id="out of the repository"),
        pytest.param("[a](https://example.org/x)", 0, id="elsewhere: not ours to keep"),
        pytest.param("`[a](nowhere.md)`", 0, id="code"),
        pytest.param("```\n[a](nowhere.md)\n```", 0, id="a block of code"),
        pytest.param("## The `way` of it\n\n[a](#the-way-of-it)", 0, id="a heading of its own"),
        pytest.param("## One\n\n[a](#two)", 1, id="no such heading"),
        pytest.param(
            "[a](CONTRIBUTING.md#a-driver) [b](CONTRIBUTING.md#a-dream)", 1, id="one there, one not"
        ),
    ],
)
def test_the_rule_sees(text: str, count: int) -> None:
    """Each kind of link is judged as a reader of the rendered page would find it."""
    assert len(list(broken(Path("README.md"), text))) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("`coldchain/clock.py` and `config/`", 0, id="there"),
        pytest.param("`coldchain/attic.py`", 1, id="not there"),
        pytest.param("`tests/house/test_links.py::test_x`", 0, id="a test in a file"),
        pytest.param("`config/profiles/*.toml` and `tests/unit/…`", 0, id="stands for several"),
        pytest.param("`rules/limit.py`", 0, id="a room, by its own name"),
        pytest.param("`rules/attic.py`", 1, id="not in the room"),
        pytest.param("`box-7/vapour/too-warm` and `s/m`", 0, id="no folder of ours"),
        pytest.param("`coldchain/web/static`", 0, id="made by a tool"),
    ],
)
def test_the_rule_sees_places(text: str, count: int) -> None:
    """Only what claims to be one place of the repository is looked for."""
    assert len(list(missing(text))) == count
