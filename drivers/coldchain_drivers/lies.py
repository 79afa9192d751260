"""Readings that lie: codes by which a device says "no value" in the form of a number.

The table itself is open data: lies.toml beside this module, with a source for each entry.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeVar

from coldchain.model import Reason
from coldchain.units import QUANTITIES, Unit, exact

#: What may stand as a number in a frame. No "nan", "inf", "1_0", "0x10", "1,5" or blanks.
NUMBER = re.compile(r"[+-]?(?:\d{1,15}(?:\.\d{1,15})?|\.\d{1,15})(?:[eE][+-]?\d{1,2})?", re.ASCII)


#: Every unit token that we know. No token means two things.
_UNITS: dict[str, Unit] = {token: unit for q in QUANTITIES.values() for token, unit in q.units.items()}
KNOWN_UNITS = frozenset(_UNITS)

_Number = TypeVar("_Number", Decimal, Fraction)


@dataclass(frozen=True, slots=True)
class Lie:
    """A value that is none: exactly `value`, or anything at or beyond a bound.

    `value` may be any text ("OPEN", "-127.0"); numbers are compared as numbers, so "-127" and
    "-127.00" are the same lie. `unit` "" compares the number as sent, whatever its unit; with a
    unit the comparison is made in the quantity itself (-127 °C is also -196.6 °F) and a reading
    of another quantity is never touched.
    """

    reason: Reason
    value: str = ""
    at_or_above: str = ""
    at_or_below: str = ""
    unit: str = ""

    def tells(self, text: str, number: Decimal | None, unit: str) -> bool:
        """Whether this text, which is this number if it is one, sent with this unit, is this lie."""
        if self.value and text == self.value and (not self.unit or self.unit == unit):
            return True
        if number is None:
            return False
        if not self.unit or _UNITS.get(unit) is _UNITS[self.unit]:  # "C" beside "degC"
            return self._holds(number, _number)
        sent = _in_base(text, unit, self.unit)
        return sent is not None and self._holds(sent, lambda bound: _in_base(bound, self.unit, self.unit))

    def _holds(self, sent: _Number, read: Callable[[str], _Number | None]) -> bool:
        if self.value:
            return sent == read(self.value)
        if self.at_or_above:
            high = read(self.at_or_above)
            return high is not None and sent >= high
        low = read(self.at_or_below)
        return low is not None and sent <= low


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: what a device shows, what it would be taken for, and what it is.

    `lie` is the same as a number that comes through other software, None for a code of a protocol;
    `drivers` read the device itself and must turn what it shows into BAD.
    """

    name: str
    shows: str
    reads_as: str
    reason: Reason
    lie: Lie | None
    drivers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """The lies of one kind of device. `lies` are those that settings can select by its name."""

    title: str
    rows: tuple[Row, ...]
    source: str
    confidence: str

    @property
    def lies(self) -> tuple[Lie, ...]:
        """What a site selects with the family's name; empty for codes of a protocol."""
        return tuple(row.lie for row in self.rows if row.lie is not None)


def _row(given: dict[str, Any]) -> Row:
    reason = Reason(given["reason"])
    form = {key: given[key] for key in ("value", "at_or_above", "at_or_below", "unit") if key in given}
    return Row(
        name=given["name"],
        shows=given["shows"],
        reads_as=given["reads_as"],
        reason=reason,
        lie=Lie(reason, **form) if form else None,
        drivers=tuple(given.get("drivers", ())),
    )


def _table() -> dict[str, Family]:
    text = (files("coldchain_drivers") / "lies.toml").read_text(encoding="utf-8")
    return {
        name: Family(one["title"], tuple(map(_row, one["lies"])), one["source"], one["confidence"])
        for name, one in tomllib.loads(text).items()
    }


#: The whole table, by family.
TABLE = _table()
#: The families that can be selected by name in the settings of a source.
LIES = {name: family for name, family in TABLE.items() if family.lies}


def told(text: str, unit: str, lies: tuple[Lie, ...]) -> Reason | None:
    """What a device means by this text if it is one of the lies, else None."""
    number = Decimal(text) if lies and NUMBER.fullmatch(text) else None
    for lie in lies:
        if lie.tells(text, number, unit):
            return lie.reason
    return None


def refusal(text: str, unit: str, lies: tuple[Lie, ...]) -> Reason | None:
    """Why this text is no value, or None if it is a plain number with a known unit and no lie."""
    lie = told(text, unit, lies)
    if lie is not None:
        return lie
    if not text:
        return Reason.NO_VALUE
    if NUMBER.fullmatch(text) is None:
        return Reason.NOT_A_NUMBER
    if unit in KNOWN_UNITS:
        return None
    return Reason.UNKNOWN_UNIT if unit else Reason.NO_UNIT


@lru_cache(maxsize=1024)
def _number(text: str) -> Decimal | None:
    return Decimal(text) if NUMBER.fullmatch(text) else None


def _in_base(text: str, unit: str, like: str) -> Fraction | None:
    """The number in quanta of the quantity that `like` measures; None if `unit` measures another."""
    number = exact(text) if NUMBER.fullmatch(text) else None
    if number is None:
        return None
    for quantity in QUANTITIES.values():
        how = quantity.units.get(unit)
        if how is not None and like in quantity.units:
            return (number + how.before) * how.scale
    return None
