"""Simulated Modbus devices by make: which registers follow which probe, and what a failed probe shows.

Addresses are as sent, from 0. Sources: the data files under config/devices name them fact by fact.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence

from coldchain_simulators.modbus_slave import Cell, ModbusSlave
from coldchain_simulators.shown import TemperatureUnit, in_unit

Sample = Callable[[], float | None]


def word(value: int) -> int:
    """A signed number as a register holds it."""
    return value & 0xFFFF


def steps(sample: Sample, per_unit: int, without: int) -> Cell:
    """A value in steps, and what the register holds where there is none."""

    def cell() -> int:
        value = sample()
        return word(without if value is None else round(value * per_unit))

    return cell


def floats(sample: Sample, address: int, *, little: bool, without: float) -> dict[int, Cell]:
    """A float in two registers, the less significant first if `little`."""

    def half(at: int) -> Cell:
        def cell() -> int:
            value = sample()
            packed = struct.pack(">f", without if value is None else value)
            return int.from_bytes(packed[at : at + 2], "big")

        return cell

    return {address + (1 if little else 0): half(0), address + (0 if little else 1): half(2)}


def constant(value: float) -> Sample:
    """A register that never changes."""
    return lambda: value


def held(value: int) -> Cell:
    """A register that never changes, in steps of its own."""
    return lambda: word(value)


def comet_t(
    temperature: Sample, humidity: Sample, *, unit: int = 1, shows: TemperatureUnit = "degC"
) -> ModbusSlave:
    """A Comet Txxxx transmitter set to °C or °F; its serial number is 10960123."""

    def displayed() -> float | None:
        value = temperature()
        return None if value is None else in_unit(value, shows)

    bank = {
        0x30: steps(displayed, 10, -9999),
        0x31: steps(humidity, 10, 9999),
        0x1034: held(0x1096),
        0x1035: held(0x0123),
    }
    return ModbusSlave(unit, {3: bank, 4: bank})


def comet_p(channels: Sequence[Sample], *, unit: int = 1, addresses_from: int = 0) -> ModbusSlave:
    """A Comet web sensor with serial number 11960456; `addresses_from` 1 counts as some libraries do."""
    bank = {0x9C27 - addresses_from + at: steps(sample, 10, -9999) for at, sample in enumerate(channels)}
    bank |= {0x9C22 - addresses_from + at: held(pair) for at, pair in enumerate((0x11, 0x96, 0x04, 0x56))}
    bank[0x9C26 - addresses_from] = held(0x0004)
    return ModbusSlave(unit, {3: bank, 4: bank})


class Mb8art(ModbusSlave):
    """An MB8ART whose resolution somebody may change while it runs."""

    def __init__(self, channels: Sequence[Sample], *, unit: int = 1, hundredths: bool = False) -> None:
        """Channels that are not given have no probe."""
        self.hundredths = hundredths
        self.kinds = [0x0201] * 8
        inputs = {at: self._channel(channels[at] if at < len(channels) else lambda: None) for at in range(8)}
        holding = {64: held(57), 67: held(251), 76: lambda: int(self.hundredths)}
        holding |= {128 + at: self._kind(at) for at in range(8)}
        discrete = {at: held(int(at < len(channels))) for at in range(8)}
        super().__init__(unit, {2: discrete, 3: holding, 4: inputs})

    def _channel(self, sample: Sample) -> Cell:
        def cell() -> int:
            value = sample()
            high = 200 if self.hundredths else 850
            if value is None or value >= high:
                return word(30_000)
            return word(-30_000 if value <= -200 else round(value * (100 if self.hundredths else 10)))

        return cell

    def _kind(self, at: int) -> Cell:
        return lambda: self.kinds[at]


def cwt_8pt1000(channels: Sequence[Sample], *, unit: int = 1) -> ModbusSlave:
    """A ComWinTop module: it ends at −180 and 650 °C."""

    def clipped(sample: Sample) -> Cell:
        def cell() -> int:
            value = sample()
            return word(6500 if value is None else min(max(round(value * 10), -1800), 6500))

        return cell

    return ModbusSlave(unit, {3: {at: clipped(sample) for at, sample in enumerate(channels)}})


def pta8e16(channels: Sequence[Sample], *, unit: int = 1) -> ModbusSlave:
    """A PTA8E16; what it shows without a probe was not published: 0 is our judgement."""
    return ModbusSlave(unit, {3: {at: steps(sample, 10, 0) for at, sample in enumerate(channels)}})


def xy_md02(temperature: Sample, humidity: Sample, *, unit: int = 1) -> ModbusSlave:
    """An XY-MD02."""
    return ModbusSlave(unit, {4: {1: steps(temperature, 10, 0), 2: steps(humidity, 10, 0)}})


class Vaisala(ModbusSlave):
    """A Vaisala probe; `fault` makes its status say so."""

    def __init__(self, temperature: Sample, humidity: Sample, *, unit: int = 240) -> None:
        """Values that are not there are quiet NaN, in hundredths 0x8000."""
        self.fault_shown = False
        nan = float("nan")
        bank: dict[int, Cell] = {}
        for at, sample in ((0x0000, humidity), (0x0002, temperature)):
            bank |= floats(sample, at, little=True, without=nan)
        bank |= floats(constant(-123.45), 0x1F01, little=True, without=nan)
        bank[0x0100] = steps(humidity, 100, -32_768)
        bank[0x0101] = steps(temperature, 100, -32_768)
        bank[0x0200] = lambda: int(not self.fault_shown)
        bank[0x1F00] = held(-12_345)
        super().__init__(unit, {3: bank})


def thermo_ult(
    thermocouples: Mapping[int, Sample], *, unit: int = 1, setpoint_c: float = -80.0
) -> ModbusSlave:
    """A TSX or TDE freezer; thermocouples by number, 2 to 10. Those that are not given show −127."""
    bank: dict[int, Cell] = {}
    for number in range(2, 11):
        sample = thermocouples.get(number, lambda: None)
        bank |= floats(sample, 0x04CC + 4 * (number - 2), little=False, without=-127.0)
    held_tenths = round(setpoint_c * 10) & 0xFFFFFFFF
    bank[0x0530], bank[0x0531] = held(held_tenths >> 16), held(held_tenths & 0xFFFF)
    return ModbusSlave(unit, {3: bank})


def dixell_xr(probes: Sequence[Sample], *, unit: int = 1) -> ModbusSlave:
    """A Dixell controller; what it shows without a probe was not published: 0 is our judgement."""
    return ModbusSlave(unit, {3: {0x0100 + at: steps(sample, 10, 0) for at, sample in enumerate(probes)}})


def fieldlogger(channels: Mapping[int, Sample], *, unit: int = 1, little: bool = False) -> ModbusSlave:
    """A FieldLogger with its constant, and floats at the addresses that its owner gave them."""
    bank = floats(constant(123456.125), 774, little=little, without=0.0)
    for address, sample in channels.items():
        bank |= floats(sample, address, little=little, without=0.0)
    return ModbusSlave(unit, {3: bank})
