"""The page of Modbus devices in the docs, written from their data files.

`docs/drivers/modbus_devices.md` is its text; `docs/write_devices.py` writes it anew, a test compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from coldchain_drivers.modbus_device import (
    CONFIDENCE,
    BaudFact,
    DeviceFile,
    FrameFact,
    LineTable,
    PointTable,
    RangeTable,
    SentinelTable,
    UnitIdFact,
    quantity_of,
)

_FUNCTIONS = {1: "coils", 2: "discrete inputs", 3: "holding registers", 4: "input registers"}
_HEAD = """\
# Modbus devices

What each data file under `config/devices` says; [modbus.md](modbus.md) is about the driver. None was tried on
a device by us. Addresses stand as the vendor prints them, then as they are sent. What is **not known** is
asked by `coldchain config check`, or stands here so that you look. In brackets: which source says so.
"""


def page(devices: Mapping[str, DeviceFile]) -> str:
    """The whole page."""
    listed = ["| `device` | what | how sure |", "|---|---|---|"]
    listed += [
        f"| [`{name}`](#{name}) | {device.title} | {device.how_sure.value} |"
        for name, device in devices.items()
    ]
    parts = [_HEAD, "\n".join(listed) + "\n", *(_section(name, device) for name, device in devices.items())]
    return "\n".join(parts)


def _section(name: str, device: DeviceFile) -> str:
    lines = [f"## {name}", "", f"{device.title}: {device.how_sure.value}.", ""]
    lines += [*_bus(device.line), ""]
    if device.points:
        lines += [*_points(device), ""]
    for words in (_no_values(device), _checks(device), _choices(device), _identity(device)):
        found = list(words)
        lines += [*found, ""] if found else []
    lines += _bullets("**Notes**", device.notes)
    lines += _bullets("**Not known**", device.unknown)
    lines += ["**Sources**", ""]
    lines += [
        f"- [{key}] {source.title}: *{CONFIDENCE[source.confidence]}*"
        for key, source in device.sources.items()
    ]
    lines += ["", "```toml", example(name, device).rstrip(), "```", ""]
    return "\n".join(lines)


def _bullets(title: str, texts: Iterable[str]) -> list[str]:
    found = [f"- {text}" for text in texts]
    head = [title, ""] if title and found else []
    return [*head, *found, ""] if found else []


def _bus(line: LineTable) -> Iterator[str]:
    yield "| line | |"
    yield "|---|---|"
    yield f"| transport | {', '.join(line.transports)} [{line.source}] |"
    if line.transports != ("tcp",):
        yield f"| baud | {_fact(line.baud)} |"
        yield f"| frame | {_fact(line.frame)} |"
    yield f"| unit_id | {_fact(line.unit_id)} |"


def _fact(fact: BaudFact | FrameFact | UnitIdFact | None) -> str:
    return "not known: you state it" if fact is None else f"{fact.value} [{fact.source}]"


def _points(device: DeviceFile) -> Iterator[str]:
    base = device.registers.address_base
    yield "| key | what | where | address | sent as | type | step | unit | from, to | source |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for name, point in device.points.items():
        last = point.first + point.repeat - 1
        key = f"`{name}_{point.first}` to `{name}_{last}`" if point.repeat > 1 else f"`{name}`"
        further = f", then every {point.step}" if point.repeat > 1 and point.step > 1 else ""
        yield (
            f"| {key} | {point.title} | {_FUNCTIONS[point.function]} | {point.address}{further} "
            f"| {point.address - base:#06x} | {_type(device, point)} | {_step(device, name, point)} "
            f"| {point.unit or 'you state it: ' + ', '.join(point.units)} | {_ends(point.range)} "
            f"| {point.source} |"
        )


def _type(device: DeviceFile, point: PointTable) -> str:
    wide = point.type in ("int32", "uint32", "float32")
    order = {"big": "more", "little": "less"}[device.registers.word_order]
    return f"{point.type}, {order} significant word first" if wide and not device.choices else point.type


def _step(device: DeviceFile, name: str, point: PointTable) -> str:
    scales = device.scales_of(name)
    return " or ".join(scales) if scales else point.scale or "1"


def _ends(ends: RangeTable | None) -> str:
    return "" if ends is None else f"{_minus(ends.low)} to {_minus(ends.high)} {ends.unit}, without its ends"


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _no_values(device: DeviceFile) -> Iterator[str]:
    for sentinel in device.sentinels:
        of = f" ({', '.join(sentinel.points)})" if sentinel.points else ""
        yield f"- {_content(sentinel)}{of} is no value: `{sentinel.reason}` [{sentinel.source}]"
    for name, point in device.points.items():
        if point.range is not None:
            ends = point.range
            yield (
                f"- `{name}` at or below {_minus(ends.low)} {ends.unit} is `{ends.low_reason}`, at or above "
                f"{_minus(ends.high)} {ends.unit} `{ends.high_reason}`: {ends.why} [{ends.source}]"
            )


def _content(sentinel: SentinelTable) -> str:
    if sentinel.raw is not None:
        return f"The content {_minus(f'{sentinel.raw:g}')}"
    if sentinel.at_or_above is not None:
        return f"A content of {sentinel.at_or_above} or more"
    return f"A content of {sentinel.at_or_below} or less"


def _checks(device: DeviceFile) -> Iterator[str]:
    for name, check in device.checks.items():
        when = "before each round" if check.each_round else "on each connection"
        right = " or ".join(f"{value:.9g}" for value in check.expect)
        yield (
            f"- Check `{name}`, {when}: {check.title} must hold {_minus(right)}, or every value is "
            f"`{check.reason}`: {check.otherwise} [{check.source}]"
        )


def _choices(device: DeviceFile) -> Iterator[str]:
    for name, choice in device.choices.items():
        yield f"- You state `choices.{name}`: {choice.title}. It is read before each round [{choice.source}]:"
        for word, option in choice.options.items():
            ends = f", {_ends(option.range)}" if option.range else ""
            yield f'  - `"{word}"` where the device holds {option.reads:.9g}{ends}'


def _identity(device: DeviceFile) -> Iterator[str]:
    identity = device.identity
    if identity is not None:
        must = " It must be stated." if identity.required else ""
        yield (
            f"- `serial`, if stated, is compared with {_FUNCTIONS[identity.function]} from "
            f"{identity.address}: "
            f"{identity.registers} of them, {identity.digits} digits in each [{identity.source}].{must}"
        )


# --- Examples --------------------------------------------------------


def example(name: str, device: DeviceFile) -> str:
    """A source and a channel that `config check` accepts; what the site must find out is marked."""
    way = device.line.transports[0]
    port = (
        "socket://192.0.2.7:502"
        if way == "tcp"
        else "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A10K0001-if00-port0"
    )
    key = next((key for key, one in device.listed.items() if _is_temperature(one.table)), "shelf")
    return f"""\
[sources.{name}]
driver = "modbus"
port = "{port}"
poll = "10 s"

[sources.{name}.settings]
{"".join(line + chr(10) for line in _settings(name, device, key))}
[channels."place.probe"]
source = "{name}"
key = "{key}"
asset = "place"
role = "probe"
quantity = "temperature"
probe = "air"
fresh_within = "2 min"
valid_low = "-40 °C" # and valid_high: what can be there
valid_high = "60 °C"

[assets.place]
kind = "freezer"
"""


def _is_temperature(point: PointTable) -> bool:
    return quantity_of(point.unit or point.units[0]) == "temperature"


def _settings(name: str, device: DeviceFile, key: str) -> Iterator[str]:
    line = device.line
    yield f'device = "{name}"'
    yield f'read = ["{key}"]'
    if len(line.transports) > 1:
        yield f'transport = "{line.transports[0]}" # or "{line.transports[1]}"'
    if line.unit_id is None:
        yield "unit_id = 1 # as the device is set"
    if line.transports != ("tcp",):
        if line.baud is None:
            yield "baud = 9600 # as the device is set"
        if line.frame is None:
            yield 'frame = "8N1" # as the device is set'
    if key in device.listed and device.listed[key].table.units:
        yield f'unit = "{device.listed[key].table.units[0]}" # as the device is set'
    if device.identity is not None and device.identity.required:
        yield 'serial = "12345678" # from its label'
    for choice, table in device.choices.items():
        yield f'choices = {{ {choice} = "{next(iter(table.options))}" }} # as the device is set'
    if key not in device.listed:
        yield (
            f'points = {{ {key} = {{ function = 3, address = 46, type = "float32", unit = "degC" }} }} '
            "# from its configuration"
        )
