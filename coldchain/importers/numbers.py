"""Numbers as loggers write them, and the words they write where there is no number.

A decimal comma is put as a point, a typographic minus as a hyphen; nothing else is changed, and
nothing is rounded. Thousands are never grouped in a temperature, so "1,234" is one and a bit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from coldchain.importers.refusal import Refused
from coldchain.model import Reason

_CELL = re.compile(
    r"(?P<number>[+\-−]?(?:\d{1,15}(?:[.,]\d{1,15})?|[.,]\d{1,15})(?:[eE][+\-]?\d{1,2})?)"
    r"\s*(?P<unit>(?:°|º|deg)?\s?[CFKcfk]|℃|℉)?",
    re.ASCII,  # digits are 0 to 9 alone
)
_MARK = re.compile(r"[.,]")
_UNIT = re.compile(r"(?:°|º|deg\.?)?\s*(?P<letter>[CFKcfk])|(?P<sign>[℃℉])")
_UNITS = {"C": "degC", "F": "degF", "K": "K"}

# What loggers write in place of a number, by what it says about the probe.
_WORDS = {
    Reason.NO_VALUE: ". | - | -- | --- | ---- | ----- | — | n/a | na | #n/a | null | none | no data",
    Reason.SENSOR_OPEN: "open | probe open | sensor open | break | broken",
    Reason.SENSOR_SHORT: "short | shorted | short circuit",
    Reason.SENSOR_FAULT: "err | error | fault | fail | failed | sensor error | probe error | sensor fault",
    Reason.NOT_CONNECTED: "not connected | nc | no sensor | no probe | disconnected | unplugged | offline",
    Reason.OVER_RANGE: "over | overrange | over range | ol | ovl | hi | high | +++ | >>> | inf | +inf",
    Reason.UNDER_RANGE: "under | underrange | under range | ul | lo | low | <<< | -inf",
    Reason.NOT_A_NUMBER: "nan",
}
_NO_NUMBER = {word: reason for reason, words in _WORDS.items() for word in words.split(" | ")}


@dataclass(frozen=True, slots=True)
class Number:
    """A number's own text with a decimal point, and the unit token written beside it ("" if none)."""

    raw: str
    unit: str = ""


def read(text: str, decimal: str) -> Number | Reason | None:
    """A cell as a number, as the reason why it holds none, or None if it makes no sense."""
    text = text.strip()
    if not text:
        return Reason.NO_VALUE
    if word := _NO_NUMBER.get(text.lower()):
        return word
    match = _CELL.fullmatch(text)
    if match is None:
        return None
    number = match["number"].replace("−", "-")
    mark = _MARK.search(number)
    if mark is not None and mark.group() != decimal:
        return None
    return Number(number.replace(",", "."), unit_token(match["unit"] or ""))


def is_number(text: str) -> bool:
    """Whether a cell is a number under either decimal sign."""
    return _CELL.fullmatch(text.strip()) is not None


def says_nothing(text: str) -> bool:
    """Whether a cell is blank or one of the words for "no value"."""
    return not text.strip() or text.strip().lower() in _NO_NUMBER


def unit_token(written: str) -> str:
    """The token of a written temperature unit ("°C", "deg F", "℃"), or "" if it is none."""
    match = _UNIT.fullmatch(written.strip())
    if match is None:
        return ""
    return _UNITS[(match["letter"] or {"℃": "C", "℉": "F"}[match["sign"]]).upper()]


def decimal_sign(cells: Iterable[tuple[int, str]], told: str | None) -> str:
    """The decimal sign of all (line, cell); raises Refused if the file uses both."""
    if told is not None:
        return told
    first: dict[str, int] = {}
    for line, text in cells:
        match = _CELL.fullmatch(text.strip())
        mark = _MARK.search(match["number"]) if match else None
        if mark is not None:
            first.setdefault(mark.group(), line)
    if len(first) == 2:
        raise Refused(
            f"decimals are written with a point (line {first['.']}) and with a comma (line {first[',']})",
            "say which: --decimal . or --decimal ,",
        )
    return next(iter(first), ".")
