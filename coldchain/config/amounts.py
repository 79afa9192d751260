"""Durations and quantities as people write them: a number and its unit, read exactly or refused.

"10 min", "48 h", "-150 °C", "2.5 kg". Nothing is rounded and no unit is guessed: what cannot be held exactly
in milliseconds or in the quantity's quantum (`coldchain.units`) is refused with the way to mend it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from coldchain.units import QUANTITIES, Quantity, Unit, exact

DURATION_MS: dict[str, int] = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}

#: Sizes by powers of two and of ten; the sign says which.
SIZE_BYTES: dict[str, int] = {"MB": 10**6, "MiB": 1 << 20, "GB": 10**9, "GiB": 1 << 30}

#: Ten years: longer than anything that is stored, carried or waited for here.
_LONGEST_MS = 3653 * DURATION_MS["d"]

_NUMBER_AND_REST = re.compile(
    r"([+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![.0-9])[ \t]*(.*)", re.DOTALL
)

# "2,5 kg": what follows the comma that half the world writes in a number. Suggested, never accepted.
_AFTER_COMMA = re.compile(r",([0-9]+)[ \t]*(.*)", re.DOTALL)

# What people write instead of a unit's own sign. Only ever suggested, never accepted.
_MEANT = {
    "℃": "°C",
    "ºC": "°C",
    "deg C": "°C",
    "celsius": "°C",
    "℉": "°F",
    "ºF": "°F",
    "kelvin": "K",
    "kgs": "kg",
    "percent": "%",
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "m": "min",
    "mins": "min",
    "minute": "min",
    "minutes": "min",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "day": "d",
    "days": "d",
}


class UnreadableError(ValueError):
    """A text that is no amount: `what` is wrong with it, and the `mend`."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}; {mend}")
        self.what = what
        self.mend = mend


@dataclass(frozen=True)
class Amount:
    """A value or a difference of values: as written, of which quantity, and in its quanta."""

    text: str
    quantity: str
    quanta: int


def unit_of(sign: str) -> tuple[Quantity, Unit] | None:
    """The quantity that a unit belongs to (each unit belongs to one), and its conversion."""
    for quantity in QUANTITIES.values():
        if sign in quantity.units:
            return quantity, quantity.units[sign]
    return None


def duration_ms(given: object) -> int:
    """A duration such as "10 min" in ms; raises UnreadableError."""
    number, sign = _parts(given, "duration", "10 min", "s")
    if sign not in DURATION_MS:
        raise _unknown_unit(given, number, sign, list(DURATION_MS))
    value = _exact(given, number) * DURATION_MS[sign]
    if value < 0:
        raise UnreadableError(f'"{given}" is negative', f'write "{number.lstrip("-")} {sign}"')
    if value.denominator != 1:
        raise UnreadableError(f'"{given}" is finer than 1 ms', "round it to whole milliseconds")
    if value > _LONGEST_MS:
        raise UnreadableError(f'"{given}" is longer than ten years', 'write a shorter time, such as "48 h"')
    return int(value)


def size_bytes(given: object) -> int:
    """The size of a file, such as "64 MiB", in bytes; raises UnreadableError."""
    number, sign = _parts(given, "size", "64 MiB", "MiB")
    if sign not in SIZE_BYTES:
        raise _unknown_unit(given, number, sign, list(SIZE_BYTES))
    value = _exact(given, number) * SIZE_BYTES[sign]
    if value <= 0 or value.denominator != 1:
        raise UnreadableError(
            f'"{given}" is no whole number of bytes above zero', 'write one such as "64 MiB"'
        )
    return int(value)


def amount(given: object, quantity: Quantity | None = None) -> Amount:
    """A value such as "-150 °C", of `quantity` if one is named; raises UnreadableError."""
    return _amount(given, quantity, difference=False)


def difference(given: object, quantity: Quantity | None = None) -> Amount:
    """A difference of two values such as "0.5 °C" (equal to "0.5 K"); raises UnreadableError."""
    return _amount(given, quantity, difference=True)


def duration_text(ms: int) -> str:
    """A duration in the largest unit that holds it without a fraction; `duration_ms` reads it back."""
    for sign, size in reversed(DURATION_MS.items()):
        if ms and ms % size == 0 and (sign != "d" or ms > 2 * size):
            return f"{ms // size} {sign}"
    return "0 s"


def amount_text(quantity: Quantity, quanta: int) -> str:
    """A value in the unit shown to people, with every digit it has; `amount` reads it back."""
    whole, rest = divmod(abs(quanta), quantity.per_display)
    digits = f"{whole}"
    if rest:
        decimals = len(str(quantity.per_display)) - 1
        digits += f".{rest:0{decimals}d}".rstrip("0")
    return f"{'-' if quanta < 0 else ''}{digits} {quantity.display_unit}"


def _amount(given: object, wanted: Quantity | None, *, difference: bool) -> Amount:
    likely = wanted.display_unit if wanted else "°C"
    noun = wanted.name if wanted else "value with a unit"
    number, sign = _parts(given, noun, f"5 {likely}", likely)
    found = unit_of(sign)
    if found is None or (wanted is not None and sign not in wanted.units):
        known = [*wanted.units] if wanted else [unit for q in QUANTITIES.values() for unit in q.units]
        if found is not None and wanted is not None:
            raise UnreadableError(
                f'"{given}" is a {found[0].name}, not a {wanted.name}', f"write it in {likely}"
            )
        raise _unknown_unit(given, number, sign, known)
    quantity, unit = found
    value = _exact(given, number)
    quanta = (value if difference else value + unit.before) * unit.scale
    if quanta.denominator != 1:
        quantum = Fraction(1, quantity.per_display)
        raise UnreadableError(
            f'"{given}" is finer than {float(quantum):g} {quantity.display_unit}, the quantum',
            f"write what shall hold in {quantity.display_unit}, rounded to the side that is safe",
        )
    if abs(quanta) >= 2**40:
        raise UnreadableError(f'"{given}" is no physical {quantity.name}', "correct the number or the unit")
    return Amount(str(given), quantity.name, int(quanta))


def _parts(given: object, noun: str, example: str, likely: str) -> tuple[str, str]:
    """The number and the unit's sign; raises if either is missing."""
    if isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given):
        raise UnreadableError(f"{given} has no unit", f'write "{given} {likely}"')
    if not isinstance(given, str):
        raise UnreadableError(f"{_shown(given)} is no {noun}", f'write a text such as "{example}"')
    text = given.replace("−", "-")  # a typeset minus, copied from a document
    match = _NUMBER_AND_REST.fullmatch(text)
    if match is None:
        raise UnreadableError(f'"{given}" is no {noun}', f'write a number and a unit, such as "{example}"')
    number, sign = match.groups()
    comma = _AFTER_COMMA.fullmatch(sign)
    if comma is not None:
        mend = f'write "{number}.{comma[1]} {comma[2] or likely}"'
        raise UnreadableError(f'"{given}" has a comma in its number', mend)
    if not sign:
        raise UnreadableError(f'"{given}" has no unit', f'write "{number} {likely}"')
    if text != given:
        raise UnreadableError(f'"{given}" has a typeset minus sign', f'write "{text}"')
    return number, sign


def _exact(given: object, number: str) -> Fraction:
    value = exact(number)
    if value is None:
        raise UnreadableError(f'"{given}" has too many digits', "write at most 15 before and after the point")
    return value


def _unknown_unit(given: object, number: str, sign: str, known: list[str]) -> UnreadableError:
    meant = _MEANT.get(sign.strip(), _MEANT.get(sign.strip().lower(), ""))
    if meant in known:
        return UnreadableError(f'"{given}": unknown unit "{sign}"', f'write "{number} {meant}"')
    return UnreadableError(f'"{given}": unknown unit "{sign}"', f"write one of {', '.join(known)}")


def _shown(given: object) -> str:
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, dict):
        return "a table"
    return "a list" if isinstance(given, list) else str(given)
