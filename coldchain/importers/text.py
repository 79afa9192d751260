"""From bytes to lines: encodings by their marks, and formats that are no text recognised as such."""

from __future__ import annotations

import codecs
import re

from coldchain.importers.refusal import Refused

#: A month of readings every second is about 100 MB; a larger file is something else.
BYTES_MAX = 256 * 2**20

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT = (
    (b"PK\x03\x04", "an Excel workbook or another zip archive", "save it as CSV (comma separated values)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save it as CSV (comma separated values)"),
    (b"%PDF", "a PDF report", "export the log itself, as CSV or text"),
    (b"\x1f\x8b", "compressed with gzip", "unpack it first"),
    (b"SQLite format 3\0", "an SQLite database", "export the log as CSV"),
)
#: The sign ℃ in GB 18030; in no Western encoding do these two bytes make sense together.
_GB_CELSIUS = b"\xa1\xe6"


def decode(data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """The text of a file and, where its encoding was not certain, a note; raises Refused."""
    if not data.strip():
        raise Refused("the file is empty")
    for start, what, mend in _NO_TEXT:
        if data.startswith(start):
            raise Refused(f"this is {what}, not a log in text", mend)
    text, note = _decoded(data, encoding)
    if "\0" in text:
        raise Refused(
            "the file holds NUL bytes, so it is no text or was damaged in copying",
            "copy it again, or name its encoding with --encoding",
            line=text.count("\n", 0, text.index("\0")) + 1,
        )
    return text, note


def _decoded(data: bytes, encoding: str | None) -> tuple[str, str]:
    if encoding is not None:
        try:
            return data.decode(encoding), ""
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise Refused(
                f"byte {error.start} is not {encoding}", "name another --encoding", line=line
            ) from error
    for mark, name in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(name), ""
            except UnicodeDecodeError as error:
                raise Refused(
                    f"it begins as {name} and is something else from byte {error.start} on", "copy it again"
                ) from error
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        pass
    if _GB_CELSIUS in data:
        try:
            return data.decode("gb18030"), "not UTF-8; read as GB 18030, because it holds ℃ in that encoding"
        except UnicodeDecodeError:
            pass
    # Digits and separators are the same in every Western encoding; only names and ° are at stake.
    return data.decode("latin-1"), "not UTF-8; read as Latin-1 (only names and the degree sign depend on it)"


def lines(text: str) -> list[str]:
    """The lines of a text, ended by CR LF, LF or CR and nothing else; no line after the last end."""
    found = re.split(r"\r\n|\n|\r", text)
    if found and not found[-1]:
        found.pop()
    return found


def ends_open(text: str) -> bool:
    """Whether the last line has no end, as it is when copying was cut off (or an editor left it out)."""
    return not text.endswith(("\n", "\r"))
