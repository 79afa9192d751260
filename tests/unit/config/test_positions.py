"""Each key is found on the line where it stands, however it is written."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.config.positions import Place, find_lines

CONFIG = Path(__file__).parents[3] / "config"


def places(data: Any, at: Place = ()) -> set[Place]:
    """Every place in what the parser made of a text."""
    found: set[Place] = {at} if at else set()
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        found |= places(value, (*at, key))
    return found


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("a = 1\n\nb = 2", {("a",): 1, ("b",): 3}, id="plain keys"),
        pytest.param("\n# a = 0\n  a = 1 # a = 2", {("a",): 3}, id="comments and blanks"),
        pytest.param("a.b.c = 1", {("a",): 1, ("a", "b"): 1, ("a", "b", "c"): 1}, id="a dotted key"),
        pytest.param("a . b = 1", {("a",): 1, ("a", "b"): 1}, id="blanks around the dot"),
        pytest.param('"a.b".c = 1', {("a.b",): 1, ("a.b", "c"): 1}, id="a dot within quotes"),
        pytest.param("'a\"b' = 1", {('a"b',): 1}, id="literal quotes"),
        pytest.param('"\\u00e9\\t=" = 1', {("é\t=",): 1}, id="escapes in a key"),
        pytest.param('"" = 1', {("",): 1}, id="an empty key"),
        pytest.param("1.2 = 3", {("1",): 1, ("1", "2"): 1}, id="what looks like a number"),
        pytest.param("\n[a.b]\nc = 1", {("a",): 2, ("a", "b"): 2, ("a", "b", "c"): 3}, id="a table"),
        pytest.param(
            "[a.b]\n[a]\nc = 1", {("a",): 2, ("a", "b"): 1, ("a", "c"): 3}, id="the outer table comes later"
        ),
        pytest.param(
            '[ channels . "box-7.vapour" ]\ninterval = 1',
            {
                ("channels",): 1,
                ("channels", "box-7.vapour"): 1,
                ("channels", "box-7.vapour", "interval"): 2,
            },
            id="a quoted table with blanks",
        ),
        pytest.param(
            "[[a]]\nb = 1\n[[a]]\nb = 2\n[a.c]\nd = 1\n[[a.e]]\n[[a.e]]\nf = 1",
            {
                ("a",): 1,
                ("a", 0): 1,
                ("a", 0, "b"): 2,
                ("a", 1): 3,
                ("a", 1, "b"): 4,
                ("a", 1, "c"): 5,
                ("a", 1, "c", "d"): 6,
                ("a", 1, "e"): 7,
                ("a", 1, "e", 0): 7,
                ("a", 1, "e", 1): 8,
                ("a", 1, "e", 1, "f"): 9,
            },
            id="arrays of tables, a table and an array within",
        ),
        pytest.param(
            "a = [ # one\n 1,\n\n [2,\n 3],\n]\nb = 1",
            {("a",): 1, ("a", 0): 2, ("a", 1): 4, ("a", 1, 0): 4, ("a", 1, 1): 5, ("b",): 7},
            id="an array over several lines",
        ),
        pytest.param(
            "a = { b = 1, c.d = 2, e = [\n{ f = 3 },\n] }",
            {
                ("a",): 1,
                ("a", "b"): 1,
                ("a", "c"): 1,
                ("a", "c", "d"): 1,
                ("a", "e"): 1,
                ("a", "e", 0): 2,
                ("a", "e", 0, "f"): 2,
            },
            id="inline tables",
        ),
        pytest.param('a = """\nx = 1\n[y]\n"""\nb = 1', {("a",): 1, ("b",): 5}, id="a text over lines"),
        pytest.param('a = """x""\\"""""\nb = 1', {("a",): 1, ("b",): 2}, id="quotes at the end of a text"),
        pytest.param('a = """x"""""\nb = 1', {("a",): 1, ("b",): 2}, id="two quotes before three"),
        pytest.param("a = '''\nit''s\n'''''\nb = 1", {("a",): 1, ("b",): 4}, id="the same, literal"),
        pytest.param('a = "x # y = [{"\nb = "\\""', {("a",): 1, ("b",): 2}, id="signs within texts"),
        pytest.param(
            "a = 1979-05-27 07:32:00Z # noon\nb = 2", {("a",): 1, ("b",): 2}, id="a date with a blank in it"
        ),
        pytest.param("", {}, id="nothing"),
    ],
)
def test_lines(text: str, lines: dict[Place, int]) -> None:
    """The table states every place of the text and no other, as the parser understands it."""
    assert find_lines(text).places() == lines
    assert set(lines) == places(tomllib.loads(text))


def test_what_is_missing_has_the_line_of_its_table() -> None:
    """A key that should stand in a table is reported where the table begins."""
    lines = find_lines("a = 1\n[b]\nc = 2")
    assert lines.of(("b", "missing", "deeper")) == 2
    assert lines.of(("nowhere",)) == 1


TEXTS = ['"x"', "'y'", '"#[{="', '"""\n# a = 1\n"""', "'''\n[no]\n'''''", '"""a"""""', '"\\\\"', '"\\""']
SCALARS = st.sampled_from([*TEXTS, "1", "-0.5", "true", "1979-05-27 07:32:00", "0x1F", "inf"])
KEYS = st.sampled_from(["a", "b", "c-1", "_", '"d.e"', "'f g'", '"\\u00e9"', '""', '"#"', '"]"', '"="'])


@dataclass
class Writer:
    """Writes a document and notes where it put each thing: the test's own knowledge of the lines."""

    text: str = ""
    lines: dict[Place, int] = field(default_factory=dict)

    def put(self, text: str) -> None:
        self.text += text

    def note(self, place: Place) -> None:
        self.lines.setdefault(place, self.text.count("\n") + 1)


def plain(key: str) -> str:
    """A key without its quotes."""
    return str(next(iter(tomllib.loads(f"{key} = 1"))))


@st.composite
def documents(draw: st.DrawFn) -> Writer:
    """A valid document of random tables, arrays and texts, with blank lines and comments between."""
    writer = Writer()
    filler = st.sampled_from(["", "\n", "# a = 1\n", "  ", "\t# [x]\n\n"])

    def value(place: Place, depth: int, *, inline: bool) -> None:
        kind = draw(st.sampled_from(["scalar", "array", "table"] if depth else ["scalar"]))
        if kind == "scalar":
            writer.put(draw(SCALARS.filter(lambda text: not inline or "\n" not in text)))
        elif kind == "array":
            writer.put("[")
            for index in range(draw(st.integers(0, 3))):
                if not inline:
                    writer.put(draw(filler))
                writer.note((*place, index))
                value((*place, index), depth - 1, inline=inline)
                writer.put(" , ")
            writer.put("]")
        else:
            writer.put("{")
            for index, key in enumerate(draw(st.lists(KEYS, max_size=3, unique_by=plain))):
                writer.put(", " if index else " ")
                writer.note((*place, plain(key)))
                writer.put(f"{key} = ")
                value((*place, plain(key)), depth - 1, inline=True)
            writer.put(" }")

    def pairs(place: Place) -> None:
        for key in draw(st.lists(KEYS, max_size=3, unique_by=plain)):
            writer.put(draw(filler))
            dotted = draw(st.booleans())
            here = (*place, plain(key))
            writer.note(here)
            if dotted:
                here = (*here, "z")
                writer.note(here)
            writer.put(f"{key}{' . z' if dotted else ''} = ")
            value(here, 2, inline=False)
            writer.put(draw(st.sampled_from(["\n", " # ]\n", "\t\n\n"])))

    pairs(())
    for number in range(draw(st.integers(0, 4))):
        writer.put(draw(filler))
        outer, inner = f"t{number}", draw(KEYS)
        if draw(st.booleans()):
            for index in range(draw(st.integers(1, 3))):
                writer.note((outer,))
                writer.note((outer, index))
                writer.put(f"[[ {outer} ]]\n")
                pairs((outer, index))
                sub = (outer, index, "sub", plain(inner))
                writer.note(sub[:3])
                writer.note(sub)
                writer.put(f"[{outer}.sub.{inner}]\n")
                pairs(sub)
        else:
            writer.note((outer,))
            writer.note((outer, plain(inner)))
            writer.put(f"[{outer} . {inner}] # x\n")
            pairs((outer, plain(inner)))
    return writer


@given(documents())
def test_every_place_is_found_where_it_was_written(document: Writer) -> None:
    """Whatever a document is made of, its places are those the parser sees, on the lines where they stand."""
    assert set(document.lines) == places(tomllib.loads(document.text))
    assert find_lines(document.text).places() == document.lines


@pytest.mark.parametrize("path", sorted(CONFIG.rglob("*.toml")), ids=lambda path: path.name)
def test_the_files_that_come_with_the_program(path: Path) -> None:
    """Each key of each shipped file is found, on a line that holds its last part."""
    text = path.read_text(encoding="utf-8")
    found = find_lines(text).places()
    assert set(found) == places(tomllib.loads(text))
    shown = text.split("\n")
    for place, line in found.items():
        if isinstance(place[-1], str):
            assert place[-1] in shown[line - 1], place
