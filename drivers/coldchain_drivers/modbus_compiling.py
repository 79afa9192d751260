"""From a device's data file and a site's settings to what is asked, computed once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from coldchain.driver import Query, Reach
from coldchain.model import Reason
from coldchain_drivers.lies import Lie
from coldchain_drivers.modbus_device import (
    CheckTable,
    ChoiceTable,
    IdentityTable,
    OptionTable,
    RangeTable,
    RegisterTable,
)
from coldchain_drivers.modbus_numbers import WordOrder, registers_of
from coldchain_drivers.modbus_plan import Asked, Check, Content, Digits, Item, Plan, Point
from coldchain_drivers.modbus_wire import COUNT_MAX, Read, request
from coldchain_drivers.settings import lies_of

if TYPE_CHECKING:  # its settings make their plan by this module
    from coldchain_drivers.modbus_settings import ModbusSettings


def plan_of(settings: ModbusSettings) -> Plan:
    """What is asked of this device. The settings have been checked."""
    points = [_point(settings, key) for key in settings.read]
    asked = {", ".join(item.point.key for item in one.items): one for one in _requests(settings, points)}
    checks = {f"check: {check.title}": check for check in _checks(settings)}
    way = settings.way
    return Plan(
        way,
        asked,
        checks,
        tuple(Query(name, request(way, one.read)) for name, one in asked.items()),
        tuple(Query(name, request(way, each.read), each.each_round) for name, each in checks.items()),
        {point.key: point.unit for point in points},
        {point.key: _reach(point.range) for point in points if point.range is not None},
    )


def _reach(ends: RangeTable) -> Reach:
    return Reach(ends.low, ends.high, ends.unit, ends.why)


# --- Points and the requests for them ------------------------------------------------------


def _point(settings: ModbusSettings, key: str) -> Point:
    own = settings.points.get(key)
    if own is not None:
        sent, order = _sent(settings, own.address), _order(settings, "")
        return Point(key, own.function, sent, own.type, order, Decimal(own.scale), own.unit, (), None)
    listed = settings.device.listed[key]
    table, name = listed.table, listed.name
    scales = [option.scale for option in _stated(settings, name) if option.scale is not None]
    ranges = [option.range for option in _stated(settings, name) if option.range is not None]
    return Point(
        key,
        table.function,
        _sent(settings, listed.address),
        table.type,
        _order(settings, name),
        Decimal(table.scale or (scales[0] if scales else "1")),
        table.unit or settings.unit or "",
        tuple(each for each in settings.device.sentinels if name in each.points or not each.points),
        ranges[0] if ranges else table.range,
    )


def _requests(settings: ModbusSettings, points: Iterable[Point]) -> Iterator[Asked]:
    """Runs of points without a gap between them: what lies in a gap may not be there, or not be readable."""
    of_device = settings.device.registers.registers_max
    registers_max = min(settings.registers_max or of_device, of_device)
    run: list[Point] = []
    for point in sorted(points, key=lambda p: (p.function, p.address)):
        longest = COUNT_MAX[point.function] if point.kind == "bit" else registers_max
        follows = (
            run
            and run[0].function == point.function
            and _end(run[-1]) == point.address
            and _end(point) - run[0].address <= longest
        )
        if run and not follows:
            yield _asked(settings, run)
            run = []
        run.append(point)
    if run:
        yield _asked(settings, run)


def _end(point: Point) -> int:
    return point.address + registers_of(point.kind)


def _asked(settings: ModbusSettings, run: list[Point]) -> Asked:
    first = run[0]
    own = lies_of(settings.lies)
    return Asked(
        Read(settings.address, first.function, first.address, _end(run[-1]) - first.address),
        tuple(Item(point, point.address - first.address, own + _ends(point.range)) for point in run),
    )


def _ends(ends: RangeTable | None) -> tuple[Lie, ...]:
    """The ends of a device as readings that are none."""
    if ends is None:
        return ()
    return (
        Lie(Reason(ends.low_reason), at_or_below=ends.low, unit=ends.unit),
        Lie(Reason(ends.high_reason), at_or_above=ends.high, unit=ends.unit),
    )


# --- What the site's choices mean ------------------------------------------------------


def _stated(settings: ModbusSettings, table: str) -> Iterator[OptionTable]:
    """What they say about the points of a table; "" for points of the site's own."""
    for name, choice in settings.open_choices.items():
        if not choice.points or table in choice.points:
            yield choice.options[settings.choices[name]]


def _order(settings: ModbusSettings, table: str) -> WordOrder:
    stated = [option.word_order for option in _stated(settings, table) if option.word_order is not None]
    return stated[0] if stated else settings.device.registers.word_order


def _sent(settings: ModbusSettings, address: int) -> int:
    """An address as it is sent, where the vendor may count from one."""
    return address - settings.device.registers.address_base


# --- Checks ------------------------------------------------------


def _checks(settings: ModbusSettings) -> Iterator[Check]:
    if settings.serial is not None and settings.device.identity is not None:
        yield _serial_check(settings, settings.serial, settings.device.identity)
    for name, choice in settings.open_choices.items():
        yield _choice_check(settings, name, choice)
    for name, table in settings.device.checks.items():
        if name not in settings.without_checks:
            yield from _table_checks(settings, table)


def _table_checks(settings: ModbusSettings, table: CheckTable) -> Iterator[Check]:
    keys = _of(settings, table.points)
    right = tuple(Content(table.type, _order(settings, ""), content) for content in table.expect)
    for each in [(key,) for key in keys] if table.step else [keys] if keys else []:
        further = table.step * settings.device.listed[each[0]].place if table.step else 0
        yield Check(
            f"{table.title} ({each[0]})" if table.step else table.title,
            _read(settings, table, further),
            right,
            (),
            table.otherwise,
            Reason(table.reason),
            table.each_round,
            each,
        )


def _choice_check(settings: ModbusSettings, name: str, choice: ChoiceTable) -> Check:
    def content(word: str, option: OptionTable) -> Content:
        order = option.word_order or settings.device.registers.word_order
        return Content(choice.type, order, option.reads, f'choices.{name} = "{word}"')

    stated = settings.choices[name]
    return Check(
        choice.title,
        _read(settings, choice),
        (content(stated, choice.options[stated]),),
        tuple(content(word, option) for word, option in choice.options.items() if word != stated),
        f'the configuration says choices.{name} = "{stated}"',
        Reason.WRONG_DEVICE,
        each_round=True,
        keys=_of(settings, choice.points),
    )


def _serial_check(settings: ModbusSettings, serial: str, identity: IdentityTable) -> Check:
    return Check(
        "serial number",
        Read(settings.address, identity.function, _sent(settings, identity.address), identity.registers),
        (Digits(serial.zfill(identity.registers * identity.digits), identity.digits),),
        (),
        "another device stands there, or it counts its registers otherwise",
        Reason.WRONG_DEVICE,
        each_round=False,
        keys=settings.read,
    )


def _of(settings: ModbusSettings, tables: tuple[str, ...]) -> tuple[str, ...]:
    """The keys that are read out of these tables; of all, the site's own too, where none is named."""
    listed = settings.device.listed
    return tuple(key for key in settings.read if not tables or (key in listed and listed[key].name in tables))


def _read(settings: ModbusSettings, table: RegisterTable, further: int = 0) -> Read:
    address = _sent(settings, table.address) + further
    return Read(settings.address, table.function, address, registers_of(table.type))
