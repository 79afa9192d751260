"""Quantities, their integer quanta, and exact conversion from what a device sent.

A judged value is an integer number of quanta: for a temperature, thousandths of a degree Celsius.
Conversion is integer arithmetic from the sent text on, so it gives the same result on every
machine; a number is rounded once, half to even. Nothing here guesses a unit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from coldchain.model import Reason

#: Values beyond this many quanta are no physical reading of anything we watch.
_LARGEST = 2**40

# Plain JSON-like numbers only: no "nan", "inf", "1_000", "0x10", blanks or digits of other scripts.
_NUMBER = re.compile(r"([+-]?)(\d{1,15})?(?:\.(\d{1,15}))?(?:[eE]([+-]?\d{1,2}))?", re.ASCII)


@dataclass(frozen=True)
class Unit:
    """value in quanta = (number as sent + `before`) * `scale`, exactly."""

    scale: Fraction
    before: Fraction = Fraction(0)


@dataclass(frozen=True)
class Quantity:
    """One kind of thing measured.

    name: as written in a configuration; display_unit: for people; decimals: shown to people;
    per_display: quanta in one display unit; units: accepted unit tokens.
    """

    name: str
    display_unit: str
    decimals: int
    per_display: int
    units: dict[str, Unit]

    def quanta(self, raw: str, unit: str) -> int | Reason:
        """The integer number of quanta of a sent number, or the reason why it is none."""
        if not unit:
            return Reason.NO_UNIT
        how = self.units.get(unit)
        if how is None:
            return Reason.UNKNOWN_UNIT
        number = exact(raw)
        if number is None:
            return Reason.NOT_A_NUMBER
        value = round((number + how.before) * how.scale)
        if not -_LARGEST < value < _LARGEST:
            return Reason.ABOVE_QUANTUM_RANGE
        return value

    def display(self, value: int, *, minus: str = "−") -> str:
        """The value in display units with its fixed decimals, without the unit."""
        unit = 10**self.decimals
        shown = _round_half_even(abs(value) * unit, self.per_display)
        whole, rest = divmod(shown, unit)
        sign = minus if value < 0 and shown else ""
        return f"{sign}{whole}.{rest:0{self.decimals}d}" if self.decimals else f"{sign}{whole}"

    def to_float(self, value: int) -> float:
        """The value in display units, for plots and statistics only."""
        return value / self.per_display


def _round_half_even(numerator: int, denominator: int) -> int:
    return round(Fraction(numerator, denominator))


def exact(raw: str) -> Fraction | None:
    """The exact value of a plain decimal number, or None if the text is anything else."""
    match = _NUMBER.fullmatch(raw)
    if match is None:
        return None
    sign, whole, part, exponent = match.groups()
    if whole is None and part is None:
        return None
    digits = (whole or "") + (part or "")
    value = Fraction(int(digits), 10 ** len(part or "")) * Fraction(10) ** int(exponent or 0)
    return -value if sign == "-" else value


_CELSIUS = Unit(Fraction(1000))
_KELVIN = Unit(Fraction(1000), Fraction("-273.15"))
_FAHRENHEIT = Unit(Fraction(5000, 9), Fraction(-32))

TEMPERATURE = Quantity(
    "temperature",
    "°C",
    1,
    1000,
    {
        "degC": _CELSIUS,
        "°C": _CELSIUS,
        "C": _CELSIUS,
        "Cel": _CELSIUS,  # UCUM
        "K": _KELVIN,
        "degF": _FAHRENHEIT,
        "°F": _FAHRENHEIT,
        "F": _FAHRENHEIT,
    },
)
MASS = Quantity(
    "mass",
    "kg",
    3,
    10_000,  # quantum 0.1 g
    {
        "g": Unit(Fraction(10)),
        "kg": Unit(Fraction(10_000)),
        # The international avoirdupois pound is 453.59237 g exactly (1959 agreement).
        "lb": Unit(Fraction("4535.9237")),
        "oz": Unit(Fraction("4535.9237") / 16),
    },
)
LEVEL = Quantity(
    "level",
    "mm",
    0,
    10,  # quantum 0.1 mm
    {
        "mm": Unit(Fraction(10)),
        "cm": Unit(Fraction(100)),
        "m": Unit(Fraction(10_000)),
        "in": Unit(Fraction(254)),
    },
)
FRACTION = Quantity(
    "fraction",
    "%",
    1,
    100,  # quantum 0.01 %
    {"%": Unit(Fraction(100)), "1": Unit(Fraction(10_000))},
)
TILT = Quantity("tilt", "°", 0, 10, {"deg": Unit(Fraction(10)), "°": Unit(Fraction(10))})
CONTACT = Quantity(
    "contact",  # a lid, a door, a valve: open is 1. A limit stands between: "0.5 open".
    "open",
    0,
    10,
    {
        "open": Unit(Fraction(10)),
        "closed": Unit(Fraction(-10), Fraction(-1)),  # what a device sends that says 1 for closed
    },
)
#: Standard gravity: 9.80665 m/s² exactly (3rd General Conference on Weights and Measures, 1901).
_GRAVITY = Fraction("9.80665")
ACCELERATION = Quantity(
    "acceleration",
    "m/s²",
    1,
    100_000,  # quantum 0.01 mm/s²: a limit in whole or half multiples of gravity comes out even
    {
        "m/s²": Unit(Fraction(100_000)),
        "m/s2": Unit(Fraction(100_000)),
        "[g]": Unit(_GRAVITY * 100_000),  # UCUM; a bare g is a gram
        "m[g]": Unit(_GRAVITY * 100),
    },
)
VOLTAGE = Quantity("voltage", "V", 2, 1000, {"V": Unit(Fraction(1000)), "mV": Unit(Fraction(1))})
PRESSURE = Quantity(
    "pressure",
    "hPa",
    0,
    100,  # quantum 1 Pa
    {
        "Pa": Unit(Fraction(1)),
        "hPa": Unit(Fraction(100)),
        "mbar": Unit(Fraction(100)),
        "kPa": Unit(Fraction(1000)),
        "bar": Unit(Fraction(100_000)),
    },
)
CONCENTRATION = Quantity("concentration", "ppm", 0, 1, {"ppm": Unit(Fraction(1))})

QUANTITIES: dict[str, Quantity] = {
    q.name: q
    for q in (
        TEMPERATURE,
        MASS,
        LEVEL,
        FRACTION,
        TILT,
        CONTACT,
        ACCELERATION,
        VOLTAGE,
        PRESSURE,
        CONCENTRATION,
    )
}
#: How a configuration and the files beside it may name them.
QuantityName = Literal[
    "temperature",
    "mass",
    "level",
    "fraction",
    "tilt",
    "contact",
    "acceleration",
    "voltage",
    "pressure",
    "concentration",
]
