"""A driver's page, written from the driver and its datasheet: for the docs and for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from coldchain.config.loaded import Source
from coldchain.datasheet import Datasheet, Says, Vector
from coldchain.driver import Driver, Line, Maturity, SerialDriver
from coldchain.reports.markdown import code, filled, table

#: How sure we are of a driver, for people.
IN_WORDS = {
    Maturity.VENDOR_VECTORS: "verified against vendor vectors: the vendor's own examples are read as it says",
    Maturity.VENDOR_DOCUMENT: "from the vendor's own description, which gives no example; simulated only",
    Maturity.SECOND_HAND: "from second-hand description; not checked against anything of the vendor",
    Maturity.SIMULATED: "simulated only: nobody has published what it is checked against",
    Maturity.GENERIC: "a general format; your settings say what the device means",
}
_ORIGINS = {
    "vendor": "of the vendor",
    "second_hand": "second-hand",
    "measured": "tried or computed by us",
    "ours": "our own",
    "background": "general knowledge, not confirmed",
}
_TELLS = {
    "frame": "the device sends it",
    "request": "we ask for that unit",
    "format": "the format has no other",
    "settings": "the settings state it",
}
_SELECT = """\
Known families of values that are none are selected by name in `lies`; [lies.md](lies.md) has each with its \
source. A code of your own device is a table: `{ value = "OPEN", reason = "sensor_open" }`, \
`{ at_or_above = "850", reason = "sensor_open" }` or `{ at_or_below = "-230", reason = "sensor_short" }`. \
Numbers are compared as numbers: `-127` is `-127.00`."""
_CELL_MAX = 90


def driver_page(driver: Driver, sheet: Datasheet, source: Source) -> str:
    """The page in Markdown. `source`: the datasheet's example, as it was loaded."""
    parts = [f"# {driver.name}: {driver.title}", filled(sheet.summary), _card(driver, sheet, source)]
    parts += _section("Wiring", filled(sheet.wiring))
    parts += _section("Protocol", filled(sheet.protocol))
    parts += _section("Settings", "\n\n".join(_settings(driver)))
    parts += _section("What nobody knows, and the settings ask for", _unknown(sheet))
    parts += _section("Units", _units(sheet))
    parts += _section("Lies", _lies(driver, sheet))
    parts += _section("What is read as what", _vectors(sheet))
    parts += _section("Example", f"```toml\n{sheet.example.strip()}\n```")
    parts += _section("Notes", filled(sheet.notes))
    parts += _section("Sources", _sources(sheet))
    return "\n\n".join(parts) + "\n"


def _section(title: str, text: str) -> list[str]:
    return [f"## {title}", text] if text else []


def _card(driver: Driver, sheet: Datasheet, source: Source) -> str:
    settings = source.driver_settings
    told = f"{_yes(driver.sends_time(settings))}, {_yes(driver.numbers_readings(settings))} (in the example)"
    rows = [
        ("Maturity", IN_WORDS[driver.maturity]),
        ("Transport", _transport(driver, source.line)),
        ("Sends time, numbers its readings", told),
        ("Writes to the device", " ".join(sheet.writes.split())),
    ]
    rows += [("USB identity", f"{usb.vendor}:{usb.product or '*'} {usb.what}") for usb in sheet.usb]
    return table(("", ""), rows)


def _yes(held: bool) -> str:
    return "yes" if held else "no"


def _transport(driver: Driver, line: Line | None) -> str:
    if not isinstance(driver, SerialDriver) or line is None:
        return "MQTT, at the broker that the source names"
    words = ["serial line, or `socket://HOST:PORT` through a converter"]
    if line.baud and line.frame:
        words.append(f"{line.baud} baud {line.frame} in the example")
    if line.echoes:
        words.append("the device echoes")
    return "; ".join(words)


# Settings, from the model that checks them


def _settings(driver: Driver) -> Iterator[str]:
    schema = driver.settings.model_json_schema()
    tables = [("", schema), *schema.get("$defs", {}).items()]
    shown = [(name, each) for name, each in tables if each.get("properties") and name != "LieSetting"]
    if not shown:
        yield "There are none."
    for name, each in shown:
        if name:
            yield f"Each table of {_where(schema, name)}:"
        required = set(each.get("required", ()))
        yield table(
            ("Key", "", ""),
            (
                (code(key), "required" if key in required else _default(about), _described(about))
                for key, about in each["properties"].items()
            ),
        )


def _where(schema: dict[str, Any], name: str) -> str:
    """The settings whose tables these are."""
    users = [
        code(key)
        for each in (schema, *schema.get("$defs", {}).values())
        for key, about in each.get("properties", {}).items()
        if f"#/$defs/{name}" in str(about)
    ]
    return ", ".join(dict.fromkeys(users)) or code(name)


def _default(about: dict[str, Any]) -> str:
    default = about.get("default")
    if default in (None, [], ""):
        return "optional"
    if isinstance(default, bool):
        return code(str(default).lower())
    if isinstance(default, int | float):
        return code(str(default))
    return code(_escaped(f'"{default}"')) if isinstance(default, str) else "see the text"


def _described(about: dict[str, Any]) -> str:
    text = " ".join(str(about.get("description", "")).split())
    choices = about.get("enum") or next((a["enum"] for a in about.get("anyOf", ()) if "enum" in a), None)
    if not choices or all(str(choice) in text for choice in choices):
        return text
    return f"{text}. One of {', '.join(code(_escaped(str(choice))) for choice in choices)}"


# What the datasheet says


def _unknown(sheet: Datasheet) -> str:
    return "\n".join(filled(f"- {code(each.setting)}: {each.what}") for each in sheet.unknown)


def _units(sheet: Datasheet) -> str:
    rows = (
        (
            ", ".join("all" if key == "*" else code(key) for key in each.keys),
            ", or ".join(_TELLS[by] for by in each.by),
            each.note,
        )
        for each in sheet.units
    )
    return table(("Key", "Who tells it", ""), rows)


def _lies(driver: Driver, sheet: Datasheet) -> str:
    lies = [vector for vector in sheet.vectors if vector.lie]
    parts = []
    if lies:
        rows = ((_comes(each), each.reads_as, _says(each), each.name) for each in lies)
        parts.append(table(("What comes", "What it would be taken for", "What it becomes", ""), rows))
    if "lies" in driver.settings.model_fields:
        parts.append(filled(_SELECT))
    return "\n\n".join(parts)


def _vectors(sheet: Datasheet) -> str:
    rows = (
        (each.name, _comes(each), _says(each), _ORIGINS[each.origin])
        for each in sheet.vectors
        if not each.lie
    )
    return table(("", "What comes", "Read as", "Example"), rows)


def _comes(vector: Vector) -> str:
    if vector.hex is not None:
        return code(_cut(" ".join(f"{byte:02X}" for byte in vector.parts[0])))
    if vector.payload is not None:
        return code(_cut(" ".join(vector.payload.split())))
    return ", ".join(code(_escaped(part.decode("latin-1"))) for part in vector.parts)


def _cut(text: str) -> str:
    return text if len(text) <= _CELL_MAX else text[: _CELL_MAX - 1] + "…"


def _escaped(text: str) -> str:
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def _says(vector: Vector) -> str:
    return ", ".join(_one(said) for said in vector.says) or "nothing of ours"


def _one(said: Says) -> str:
    key = f"{code(said.key)} " if said.key else ""
    if said.bad is not None:
        return f"{key}BAD: {code(said.bad.value)}"
    if said.text is not None:
        return f"{key}noted: {said.text}"
    doubt = f", UNCERTAIN: {code(said.doubt.value)}" if said.doubt else ""
    past = ", from its memory" if said.history else ""
    return f"{key}{said.value} {said.unit}{doubt}{past}"


def _sources(sheet: Datasheet) -> str:
    return "\n".join(
        filled(f"{number}. {' '.join(each.text.split())}: *{_ORIGINS[each.origin]}*")
        for number, each in enumerate(sheet.sources, 1)
    )
