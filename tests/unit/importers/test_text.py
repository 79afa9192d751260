"""From bytes to lines: encodings by their marks, files that are no text."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.importers import text
from coldchain.importers.refusal import Refused


@pytest.mark.parametrize(
    ("data", "encoding", "decoded"),
    [
        pytest.param("4.4 °C".encode(), None, "4.4 °C", id="UTF-8"),
        pytest.param(codecs.BOM_UTF8 + b"4.4", None, "4.4", id="UTF-8 with its mark"),
        pytest.param("4.4 °C".encode("utf-16"), None, "4.4 °C", id="UTF-16"),
        pytest.param("4.4 °C".encode("utf-32"), None, "4.4 °C", id="UTF-32, whose mark begins like UTF-16's"),
        pytest.param("4.4 °C".encode("latin-1"), None, "4.4 °C", id="Latin-1"),
        pytest.param("温度℃".encode("gb18030"), None, "温度℃", id="GB 18030"),
        pytest.param(b"\xa1\xe6\xff", None, "¡æÿ", id="nearly GB 18030"),
        pytest.param("Größe".encode("cp850"), "cp850", "Größe", id="as told"),
    ],
)
def test_decoded(data: bytes, encoding: str | None, decoded: str) -> None:
    """A text comes out as it was written, by its mark, by what it holds, or as told."""
    assert text.decode(data, encoding)[0] == decoded


@pytest.mark.parametrize(
    ("data", "encoding", "problem"),
    [
        pytest.param(b"", None, "empty", id="empty"),
        pytest.param(b" \r\n\t", None, "empty", id="blanks alone"),
        pytest.param(b"PK\x03\x04", None, "Excel", id="workbook"),
        pytest.param(b"%PDF-1.7", None, "PDF", id="PDF"),
        pytest.param(b"\x1f\x8b\x08", None, "gzip", id="compressed"),
        pytest.param(b"a\nb\0c", None, "NUL", id="NUL"),
        pytest.param(codecs.BOM_UTF16_LE + b"abc", None, "something else", id="UTF-16 cut in half"),
        pytest.param(b"a\n\xff", "utf-8", "not utf-8", id="not what was told"),
    ],
)
def test_refused(data: bytes, encoding: str | None, problem: str) -> None:
    """What is no text is refused by its kind."""
    with pytest.raises(Refused, match=problem):
        text.decode(data, encoding)


def test_line_of_damage() -> None:
    """The refusal says in which line the damage lies."""
    for data, encoding in ((b"a\nb\0c", None), (b"a\n\xff", "utf-8")):
        with pytest.raises(Refused) as refused:
            text.decode(data, encoding)
        assert refused.value.line == 2


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n"), max_size=5)),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_lines(parts: list[str], end: str) -> None:
    """Lines end at LF, CR LF or CR and at no other character, so that numbers are those of an editor."""
    assert text.lines("".join(part + end for part in parts)) == parts
    assert not text.ends_open("a" + end)
    assert text.ends_open("a" + end + "b")


def test_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is no log by its size is refused before it is read."""
    from coldchain.importers import read

    monkeypatch.setattr(text, "BYTES_MAX", 10)
    with pytest.raises(Refused, match="larger"):
        read("x", b"12345678901")
