"""Settings of `modbus`: which device, where, and what of it; what its data file cannot know is asked here."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from coldchain_drivers.modbus_compiling import plan_of
from coldchain_drivers.modbus_device import ChoiceTable, DeviceFile, Factor, RegisterPlace, UnitId
from coldchain_drivers.modbus_plan import Plan
from coldchain_drivers.modbus_wire import Transport
from coldchain_drivers.settings import (
    LIES_HELP,
    Baud,
    Frame,
    Key,
    LieChoices,
    Strict,
    UnitToken,
    missing,
    refused,
    refused_at,
)

_Complaint = tuple[tuple[str | int, ...], PydanticCustomError]

#: Typically 1 s to several seconds at 9600 bit/s: MODBUS over Serial Line V1.02, 2.4.1.
_TIMEOUT_MS = 1000


class SitePoint(RegisterPlace):
    """A value that the data file does not know."""

    scale: Factor = Field(default="1", description="what a step of the register is worth")
    unit: UnitToken = Field(description="unit that the device means")


class ModbusSettings(Strict):
    """One device on its bus."""

    device: Annotated[DeviceFile, WithJsonSchema({"type": "string"})] = Field(
        description='a device of docs/drivers/modbus_devices.md, as "comet_t", or the path of a data file of '
        'your own, as "devices/my_gauge.toml"'
    )
    read: Annotated[tuple[Key, ...], Field(strict=False, min_length=1)] = Field(
        description="which of its points to ask; what is not listed here is not asked"
    )
    unit_id: UnitId | None = Field(
        default=None,
        description="its address on the bus; left out: as it leaves the factory, if that is known",
    )
    transport: Transport | None = Field(
        default=None,
        description="rtu, ascii or tcp; needed where the device has several. A converter that hands a serial "
        "line on over the network speaks rtu or ascii",
    )
    baud: Baud | None = Field(
        default=None, description="bits per second; left out: as it leaves the factory, if that is known"
    )
    frame: Frame | None = Field(
        default=None, description='bits, parity and stop bits, as "8N1"; left out: as it leaves the factory'
    )
    unit: UnitToken | None = Field(
        default=None, description="unit that the device is set to, where its registers do not tell"
    )
    serial: Annotated[str, Field(pattern=r"^[0-9]{1,64}$")] | None = Field(
        default=None,
        description="serial number as printed on the device, where it can be read: checked on it",
    )
    choices: dict[str, str] = Field(
        default={},
        description="settings of the device by which its numbers mean something else; checked on it",
    )
    points: dict[Key, SitePoint] = Field(
        default={},
        description="further values, from the vendor's own map: function, address, type, scale, unit",
    )
    without_checks: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(), description="checks of the data file that this device cannot pass; think twice"
    )
    registers_max: Annotated[int, Field(ge=1, le=125)] | None = Field(
        default=None,
        description="registers in one request at most, where the device takes fewer than is known",
    )
    timeout_ms: Annotated[int, Field(ge=50, le=60_000)] | None = Field(
        default=None, description="how long an answer may take, in ms; left out: the device's, else 1000"
    )
    lies: LieChoices = Field(default=(), description=LIES_HELP)

    @model_validator(mode="after")
    def _fits_the_device(self) -> Self:
        wrong = [
            *self._about_the_bus(),
            *self._about_points(),
            *self._about_the_unit(),
            *self._about_the_serial(),
            *self._about_choices(),
            *self._about_checks(),
        ]
        if wrong:
            raise refused_at("ModbusSettings", wrong)
        return self

    # What fits together

    def _about_the_bus(self) -> Iterator[_Complaint]:
        line = self.device.line
        known = ", ".join(line.transports)
        if self.transport is None and len(line.transports) > 1:
            yield ("transport",), missing(f"how the device is reached, one of {known}")
        elif self.transport is not None and self.transport not in line.transports:
            what = refused(f'{self.device.title} does not speak "{self.transport}"', f"write one of {known}")
            yield ("transport",), what
        if self.unit_id is None and line.unit_id is None:
            yield ("unit_id",), missing("the address that the device is set to; no source gives one for it")
        elif self.unit_id == 0 and self.way != "tcp":
            what = refused("0 speaks to all devices, and none answers", "write the address of this one")
            yield ("unit_id",), what

    def _about_points(self) -> Iterator[_Complaint]:
        known = self.device.listed
        for index, key in enumerate(self.read):
            if key not in known and key not in self.points:
                names = ", ".join((*known, *self.points)) or "none: write it under points"
                yield (
                    ("read", index),
                    refused(f'"{key}" is no point of {self.device.title}', f"there are: {names}"),
                )
            elif key in self.read[:index]:
                yield ("read", index), refused(f'"{key}" stands here twice', "leave one out")
        for key, point in self.points.items():
            if key in known:
                yield (
                    ("points", key),
                    refused("the data file of the device has it", "use another key, or its own"),
                )
            elif point.address < self.device.registers.address_base:
                what = refused("stands before the first register", "this vendor counts from 1")
                yield ("points", key, "address"), what

    def _about_the_unit(self) -> Iterator[_Complaint]:
        listed = self.device.listed
        asking = {key: listed[key].table for key in self.read if key in listed and listed[key].table.units}
        if not asking and self.unit is not None:
            yield ("unit",), refused("each value that is read has a unit of its own", "leave out unit")
        for key, table in asking.items():
            units = ", ".join(table.units)
            if self.unit is None:
                yield (
                    ("unit",),
                    missing(f"what the device is set to, one of {units}; its registers do not tell"),
                )
                return
            if self.unit not in table.units:
                yield ("unit",), refused(f'"{key}" is never in "{self.unit}"', f"write one of {units}")

    def _about_the_serial(self) -> Iterator[_Complaint]:
        identity = self.device.identity
        if identity is None:
            if self.serial is not None:
                yield ("serial",), refused("this device's serial number cannot be read", "leave out serial")
            return
        if self.serial is None and identity.required:
            yield (
                ("serial",),
                missing(
                    "the number on the label of the device; it shows that registers are counted rightly, "
                    "which the papers of the vendor leave open"
                ),
            )
        elif self.serial is not None and len(self.serial) > identity.registers * identity.digits:
            what = refused(
                "is longer than the device's", f"write at most {identity.registers * identity.digits} digits"
            )
            yield ("serial",), what

    def _about_choices(self) -> Iterator[_Complaint]:
        for name, choice in self.open_choices.items():
            words = ", ".join(f'"{option}"' for option in choice.options)
            if name not in self.choices:
                how = f"{name}, one of {words} ({choice.title}); the device is asked whether it is so"
                yield (("choices", name) if self.choices else ("choices",)), missing(how)
            elif self.choices[name] not in choice.options:
                what = refused(f'"{self.choices[name]}" is not known here', f"write one of {words}")
                yield ("choices", name), what
        for name in self.choices:
            if name not in self.open_choices:
                known = ", ".join(self.open_choices) or "none"
                yield (
                    ("choices", name),
                    refused("nothing that is read depends on it", f"leave it out; choices: {known}"),
                )

    def _about_checks(self) -> Iterator[_Complaint]:
        for index, name in enumerate(self.without_checks):
            if name not in self.device.checks:
                known = ", ".join(self.device.checks) or "none"
                yield (
                    ("without_checks", index),
                    refused(f'"{name}" is no check of it', f"checks of it: {known}"),
                )

    # What follows from them

    @property
    def way(self) -> Transport:
        """How the device is spoken to."""
        return self.transport or self.device.line.transports[0]

    @property
    def line_baud(self) -> int | None:
        """Bits per second; None: nobody says."""
        return self.baud or (self.device.line.baud.value if self.device.line.baud else None)

    @property
    def line_frame(self) -> str | None:
        """Bits, parity and stop bits; None: nobody says."""
        return self.frame or (self.device.line.frame.value if self.device.line.frame else None)

    @property
    def wait_ms(self) -> int:
        """How long an answer may take."""
        of_device = self.device.line.timeout_ms
        return self.timeout_ms or (of_device.value if of_device else _TIMEOUT_MS)

    @property
    def address(self) -> int:
        """The address on the bus, stated or as it leaves the factory."""
        known = self.device.line.unit_id
        return known.value if self.unit_id is None and known is not None else self.unit_id or 0

    @property
    def open_choices(self) -> dict[str, ChoiceTable]:
        """What the site must state for what is read."""
        listed = self.device.listed
        tables = {listed[key].name for key in self.read if key in listed}
        return {name: c for name, c in self.device.choices.items() if not c.points or tables & {*c.points}}

    @cached_property
    def plan(self) -> Plan:
        """All that is asked of the device."""
        return plan_of(self)
