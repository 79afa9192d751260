"""The rules' pages and their drawings are what the engine and the tables say now."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from coldchain.config.rule_tables import RULES
from tests.house.tree import ROOT

RULE_PAGES = ROOT / "docs" / "rules"


@pytest.fixture(scope="module")
def made() -> dict[Path, str]:
    """What the generator writes now; it raises if a story does not go as it says."""
    files: dict[Path, str] = runpy.run_path(str(ROOT / "docs" / "write_rule_pages.py"))["made"]()
    return files


def test_what_people_read_is_what_the_engine_says(made: dict[Path, str]) -> None:
    """Drawn excursions, flags, parameters and sentences (else: python docs/write_rule_pages.py)."""
    stale = [path.name for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
    assert stale == []


def test_every_kind_has_its_page_with_every_part() -> None:
    """A new kind of rule is documented before it is in; none is left of one that is gone."""
    assert {path.stem for path in RULE_PAGES.glob("*.md")} == set(RULES)
    for path in RULE_PAGES.glob("*.md"):
        headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["In a profile", "Drawings", "Parameters", "Edge cases", "Source"], path.name


def test_every_drawing_is_made_and_shown(made: dict[Path, str]) -> None:
    """No drawing is left of a story that is gone."""
    assert set(RULE_PAGES.glob("*.svg")) == {path for path in made if path.suffix == ".svg"}
    pages = "".join(text for path, text in made.items() if path.suffix == ".md")
    assert [path.name for path in RULE_PAGES.glob("*.svg") if f"]({path.name})" not in pages] == []
