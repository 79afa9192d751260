"""Markdown as the docs have it: paragraphs and lists filled to a width, tables and code as they are."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 118
_BULLET = re.compile(r"(\s*)(?:[-*]|\d+\.) ")


def filled(text: str) -> str:
    """The text with each paragraph and each entry of a list broken at `WIDTH`; the rest untouched."""
    lines: list[str] = []
    code = False
    for line in text.strip("\n").split("\n"):
        fence = line.startswith("```")
        if fence or code or line.startswith(("|", "#", "    ")) or not line.strip():
            lines.append(line.rstrip())
            code = code is not fence
            continue
        bullet = _BULLET.match(line)
        indent = " " * (bullet.end() if bullet else 0)
        lines += textwrap.wrap(
            line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
    return "\n".join(lines)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar within a cell is escaped."""
    lines = [_row(head), "|" + "---|" * len(head)]
    return "\n".join([*lines, *(_row(row) for row in rows)])


def code(text: str) -> str:
    """Text as code on one line, whatever is in it."""
    ticks = "``" if "`" in text else "`"
    pad = " " if ticks == "``" or text != text.strip() or not text else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
