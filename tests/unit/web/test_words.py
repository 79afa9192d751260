"""Every word of the page stands in its catalogue, which has a word for all that the program can say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coldchain.alarms.table import AlarmState
from coldchain.announcements import Late
from coldchain.model import Priority, Quality, Reason
from tests.house.tree import ROOT

SOURCES = ROOT / "coldchain/web/ui/src"
PARTS = sorted(SOURCES.rglob("*.svelte"))
SPOKEN = re.compile(r"\b(?:title|aria-label|placeholder|alt)=\"[^\"{]*[A-Za-z]{2}")


def markup(text: str) -> str:
    """What a person would read of a part: without scripts, comments, expressions and tags."""
    text = re.sub(r"<script.*?</script>|<!--.*?-->", "", text, flags=re.DOTALL)
    while (plain := re.sub(r"\{[^{}]*\}", "", text)) != text:
        text = plain
    return re.sub(r"<[^>]*>|&\w+;", " ", text)


@pytest.mark.parametrize("part", PARTS, ids=lambda path: str(path.relative_to(SOURCES)))
def test_no_part_holds_words_of_its_own(part: Path) -> None:
    """A word outside the catalogue would stay English in every other language."""
    text = part.read_text(encoding="utf-8")
    assert re.findall(r"[A-Za-z]{2,}", markup(text)) == []
    assert SPOKEN.findall(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("<p>{w.calm}</p>", [], id="from the catalogue"),
        pytest.param("<p>calm</p>", ["calm"], id="in place"),
        pytest.param("{#if a}<b>{w.x}</b>{:else}none{/if}", ["none"], id="in a branch"),
        pytest.param("<script>const word = 'calm';</script>", [], id="code"),
    ],
)
def test_the_rule_sees(text: str, found: list[str]) -> None:
    """The rule finds what it is for, and nothing else."""
    assert re.findall(r"[A-Za-z]{2,}", markup(text)) == found


def test_parts_are_seen() -> None:
    """An empty list of parts would let everything pass."""
    assert len(PARTS) > 10


@pytest.mark.parametrize(
    ("section", "tokens"),
    [
        pytest.param("priority", Priority, id="priorities"),
        pytest.param("state", AlarmState, id="states of alarms"),
        pytest.param("quality", Quality, id="qualities"),
        pytest.param("reason", Reason, id="reasons"),
        pytest.param("late", Late, id="why something is late"),
        pytest.param(
            "own",
            ["silence", "port", "clock", "clock-step", "lost", "journal", "disk", "queue", "commit"]
            + ["clock-error", "log", "memory", "files", "sink"],
            id="alarms about ourselves",
        ),
    ],
)
def test_there_is_a_word_for_everything(section: str, tokens: list[str]) -> None:
    """Whatever the program can say has words for people."""
    catalogues = ("words/en.ts", "words/detail.en.ts")
    words = "".join((SOURCES / name).read_text(encoding="utf-8") for name in catalogues)
    flags = re.DOTALL | re.MULTILINE
    body = re.search(rf"^  {section}: \{{([^\n]+)\}},$", words, flags) or re.search(
        rf"^  {section}: \{{$(.*?)^  \}}", words, flags
    )
    assert body is not None
    said = set(re.findall(r"[{,\n]?\s*\"?([a-z][a-z_-]*)\"?:", body[1]))
    assert {str(token) for token in tokens} - said == set()
