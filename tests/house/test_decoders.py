"""What is read as JSON is read by a decoder that was made at import: threads may come at the same time.

msgspec 0.22 prepares a type at its first use. Two threads that do so at once read a table that is half
filled, and the process ends by a segmentation fault: a daemon that two commands asked just after its start.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.tree import ROOT, modules


def prepared_late(source: str) -> list[int]:
    """Lines at which a type is given to a call that prepares it then and there."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"decode", "convert"}
        and any(word.arg == "type" for word in node.keywords)
    ]


def test_the_look_finds_it() -> None:
    """The call that crashed is seen, a decoder's is not."""
    assert prepared_late("msgspec.json.decode(line, type=Ask)") == [1]
    assert prepared_late("_ASK.decode(line)") == []


@pytest.mark.parametrize("module", modules("coldchain", "drivers"), ids=str)
def test_types_are_prepared_once(module: Path) -> None:
    """No module of the program prepares a type when it is first asked."""
    assert prepared_late((ROOT / module).read_text(encoding="utf-8")) == []
