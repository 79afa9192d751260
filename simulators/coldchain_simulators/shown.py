"""What a device shows of a value: converted to its unit, with fixed decimals, never "-0.00"."""

from __future__ import annotations

from typing import Literal

TemperatureUnit = Literal["degC", "degF", "K"]


def in_unit(celsius: float, unit: TemperatureUnit) -> float:
    """A temperature in the unit that a display is set to."""
    if unit == "degF":
        return celsius * 9 / 5 + 32
    return celsius + 273.15 if unit == "K" else celsius


def fixed(value: float, decimals: int) -> str:
    """The digits that a display shows."""
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if not float(text) else text
