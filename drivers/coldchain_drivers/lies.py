"""Readings that lie: codes by which a device says "no value" in the form of a number.

The most dangerous of them look cold: a shorted platinum probe reads far below zero, and a high
limit stays silent. Each entry is one that was read in a manual, a library or a report of people
it happened to; the source stands beside it. What is only suspected is not in this table: a site
that knows more states it in the settings of its source.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import TypeVar

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
class Family:
    """The lies of one kind of device; selected by name in the settings of a source."""

    title: str
    lies: tuple[Lie, ...]
    source: str
    confidence: str


LIES: dict[str, Family] = {
    "ds18b20": Family(
        "DS18B20 one-wire sensor read by common firmware",
        (
            Lie(Reason.NOT_CONNECTED, value="-127", unit="degC"),
            Lie(Reason.POWER_ON_VALUE, value="85", unit="degC"),
            Lie(Reason.SENSOR_FAULT, value="127.94", unit="degC"),
            Lie(Reason.SENSOR_FAULT, value="127.9375", unit="degC"),
            Lie(Reason.POWER_ON_VALUE, value="-251", unit="degC"),
        ),
        "Arduino-Temperature-Control-Library: DallasTemperature.h (DEVICE_DISCONNECTED_C -127, also "
        "printed as -196.6 °F, which looks like liquid nitrogen; DEVICE_POWER_ON_RESET_C -251), release "
        "4.0.6 (0x07FF = 127.94 is a failed conversion); 85 is the power-on value of the register: "
        "esphome issue 6207, esp-bsp pull request 733",
        "seen in the library's header and release notes; a true 85 °C is refused too",
    ),
    "max31850": Family(
        "MAX31850 one-wire thermocouple converter read by the same library",
        (
            Lie(Reason.SENSOR_OPEN, value="-254", unit="degC"),
            Lie(Reason.SENSOR_SHORT, value="-253", unit="degC"),
            Lie(Reason.SENSOR_SHORT, value="-252", unit="degC"),
        ),
        "Arduino-Temperature-Control-Library: DallasTemperature.h (DEVICE_FAULT_OPEN_C, _SHORTGND_C, "
        "_SHORTVDD_C)",
        "seen in the library's header",
    ),
    "max31865": Family(
        "MAX31865 platinum probe converter whose fault register nobody reads",
        (
            Lie(Reason.SENSOR_SHORT, value="-242.02", unit="degC"),
            Lie(Reason.SENSOR_OPEN, value="988.79", unit="degC"),
        ),
        "reports of code 0 read as -242.02 °C (ESP32-MAX31865 issue 8, esphome issue 3289, Arduino forum "
        "1306287) and of full scale read as 988.79 °C with all fault bits set (rntlab, WeMos D1 with "
        "MAX31865)",
        "second-hand, several independent reports; other conversion formulas give other numbers",
    ),
    "dragino_ltc2": Family(
        "Dragino LTC2 platinum probe over LoRaWAN, decoded by the network server (÷100 form)",
        (Lie(Reason.SENSOR_OPEN, value="-327.67", unit="degC"),),
        "LTC2 manual p. 13: 0x8001 means that no probe is connected",
        "seen in the manual; the server's own decoder may be wrong below zero: decode frames yourself",
    ),
    "dragino_lht65n": Family(
        "Dragino LHT65N external probe, decoded by the network server",
        (Lie(Reason.NOT_CONNECTED, value="327.67", unit="degC"),),
        "vendor decoder: 0x7FFF with the no-connection bit",
        "code seen in a vendor's sample frame, its meaning as a temperature not confirmed",
    ),
    "cwt_8pt1000": Family(
        "ComWinTop 8×PT1000 module behind a Modbus gateway",
        (
            Lie(Reason.SENSOR_SHORT, at_or_below="-180", unit="degC"),
            Lie(Reason.SENSOR_OPEN, at_or_above="650", unit="degC"),
        ),
        "public notes of users: -1800 or 0x8000 when shorted, about 6500 or 0x7FFF when open (tenths)",
        "second-hand; -180 °C is the floor of the module, it cannot measure the vapour of liquid nitrogen",
    ),
    "mb8art": Family(
        "MB8ART 8-channel platinum module behind a Modbus gateway",
        (
            Lie(Reason.SENSOR_FAULT, at_or_above="300", unit="degC"),
            Lie(Reason.SENSOR_FAULT, at_or_below="-300", unit="degC"),
        ),
        "public notes of users: ±30000 on an open or faulty channel, read as ±3000.0 or ±300.00",
        "second-hand; true readings of 300 °C and more are refused too",
    ),
    "thermo_tde": Family(
        "Thermo TSX/TDE freezer, thermocouple not fitted, behind a Modbus gateway",
        (Lie(Reason.NOT_CONNECTED, value="-127", unit="degC"),),
        "TDE manual p. 34: float C2FE0000 = -127.0",
        "seen in the manual",
    ),
    "papouch_awp": Family(
        "Papouch/ATAL AWP converter behind a Modbus gateway",
        (Lie(Reason.SENSOR_FAULT, at_or_below="-3200", unit="degC"),),
        "AWP-C manual p. 46: raw values below -32000 are error numbers (tenths)",
        "seen in the manual",
    ),
    "cwt_thermocouple": Family(
        "ComWinTop thermocouple logger behind a Modbus gateway",
        (Lie(Reason.NOT_CONNECTED, at_or_above="1000", unit="degC"),),
        "third-party driver: raw 10000 and more (tenths) means not connected",
        "second-hand",
    ),
    "ruuvi_df5": Family(
        "Ruuvi data format 5: clipped at the ends of its range",
        (
            Lie(Reason.UNDER_RANGE, at_or_below="-163.835", unit="degC"),
            Lie(Reason.OVER_RANGE, at_or_above="163.835", unit="degC"),
        ),
        "docs.ruuvi.com, data format 5: range ±163.835 °C, 0x8000 (-163.84) is not available",
        "seen in the format's description; a true -170 °C is sent as -163.835",
    ),
}


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
