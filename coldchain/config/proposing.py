"""A source that was found, as tables of a gateway.toml: what is known of it written, what is not asked for.

Nothing is guessed. What no answer of the device proves stands as a comment, so that `config check` asks for
it; names, the kind of vessel and how far its probes can be believed are the site's, and marked so.
"""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec import Struct

from coldchain.config.amounts import unit_of

#: What a channel of each quantity can be believed within, until the site knows its probe better: beyond what
#: the vessel can do (nitrogen freezes at −210 °C). Judgements; the proposal says so.
_VALID = {
    "temperature": ("-205 °C", "60 °C"),
    "mass": ("0 kg", "100 kg"),
    "level": ("0 mm", "3000 mm"),
    "fraction": ("0 %", "100 %"),
    "contact": ("0 open", "1 open"),
}


class Proposal(Struct, frozen=True):
    """What was found on a port.

    now:  for each key that has a value: its number and unit as sent.
    open: settings that nobody but the site knows, and what they are.
    poll: whether it is asked (else it speaks by itself).
    broker: the broker's name in the configuration, for what was found on one; `port` is then "".
    units: for each key the unit that the driver knows beforehand, "" for one that only its messages tell.
    notes: what else was seen there, a sentence each.
    """

    driver: str
    title: str
    port: str
    settings: dict[str, Any]
    now: dict[str, tuple[str, str]]
    open: dict[str, str] = {}
    poll: bool = True
    broker: str = ""
    units: dict[str, str] = {}
    notes: tuple[str, ...] = ()


def as_toml(found: Proposal, asset: str = "vessel-1", source: str = "probed") -> str:
    """The tables to put into a gateway.toml."""
    lines = [f"[sources.{source}]", f"title = {_toml(found.title)}", f"driver = {_toml(found.driver)}"]
    lines.append(f"broker = {_toml(found.broker)}" if found.broker else f"port = {_toml(found.port)}")
    lines += ['poll = "30 s"'] if found.poll else []
    if found.settings or found.open:
        lines += ["", f"[sources.{source}.settings]"]
        lines += [f"{key} = {_toml(value)}" for key, value in found.settings.items()]
        lines += [f"# {key} = … # the device does not say: {what}" for key, what in found.open.items()]
    lines += [f"# {note}" for note in found.notes]
    measured = [
        (key, text, about[0].name) for key, (text, unit) in found.now.items() if (about := unit_of(unit))
    ]
    if found.broker:  # one message has much that nobody watches: it is named, and not configured
        others = [f"{key} = {text}" for key, text, quantity in measured if quantity not in _VALID]
        lines += ["", f"# also sent: {', '.join(others)}"] if others else []
        measured = [one for one in measured if one[2] in _VALID]
    for key, text, quantity in measured:
        unit = f" {found.now[key][1]}" if not found.open else ", as sent"
        low, high = _VALID.get(quantity, ("", ""))
        lines += ["", f'[channels."{asset}.{_role(key)}"] # now {text}{unit}']
        lines += [f"source = {_toml(source)}", f"key = {_toml(key)}", f"asset = {_toml(asset)}"]
        lines += [f"role = {_toml(_role(key))} # the word by which a profile's limits know it"]
        lines += [f"quantity = {_toml(quantity)}"]
        if found.units.get(key) == "":
            lines += [
                f"unit = {_toml(found.now[key][1])} # each message tells it; it is checked with this one"
            ]
        if quantity == "temperature":
            lines += ['probe = "air" # or "buffered", "vapour", "liquid": what it hangs in']
        lines += [] if found.poll else ['interval = "10 min" # how often it speaks']
        lines += [f'fresh_within = "{"3 min" if found.poll else "35 min"}"']
        if low:
            lines += [f'valid_low = "{low}" # beyond what it can be: narrow it to your probe']
            lines += [f'valid_high = "{high}"']
        else:
            lines += ["# valid_low = … and valid_high = …: between which it can be believed"]
    if measured:
        lines += [
            "",
            f"[assets.{asset}]",
            'kind = "passive_box" # or dry_shipper, dewar, freezer, refrigerator',
        ]
    return "\n".join(lines) + "\n"


def _role(key: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-") or "value"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
