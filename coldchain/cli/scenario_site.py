"""A gateway.toml for a scenario that is played against a real daemon, as a person would write it."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

from coldchain.profiles.load import is_file
from coldchain.testing.events import ASSET
from coldchain.testing.scenario_file import Scenario
from coldchain.units import QUANTITIES

#: What a scene's vessel is called in a configuration. A room has no kind of its own: it is watched like one.
_KINDS = {"ln2_freezer": "freezer", "room": "freezer"}
#: Keys of a scenario's channel that are the simulator's, or become something else.
_OURS = {"of", "noise", "decimals", "time_constant", "uncertainty"}
#: Beyond anything that a probe shows, for quantities whose scenario states no bounds.
_WIDE = 1_000_000
TOPIC = "scenario"


class Against(StrEnum):
    """Over which wire a scenario is played."""

    MQTT = "mqtt"
    SERIAL = "serial"
    TCP = "tcp"


def configuration(scenario: Scenario, against: Against, where: str, folder: Path) -> str:
    """The configuration. `where`: the broker's port, or the line's as a configuration names it."""
    head, data = scenario.head, scenario.document.data
    profiles: dict[str, Any] = {"use": [scenario.check.profile.plan.id]}
    if is_file(head.profile):
        beside = (Path(scenario.document.shown).parent / head.profile).parent
        profiles["directories"] = [str(beside.absolute())]
    tables: dict[str, dict[str, Any]] = {
        "site": {"name": f"Scenario {scenario.name}"},
        "journal": {"path": str(folder / "journal.db")},
        "clock": {"trust": "site"},
        "profiles": profiles,
    }
    for name, figure in data.get("figures", {}).items():
        tables[f"profiles.figures.{scenario.check.profile.plan.id}.{name}"] = figure
    source = {"title": head.title, "simulated": True}
    if against is Against.MQTT:
        tables["brokers.lab"] = {
            "host": "127.0.0.1", "port": int(where), "protocol": "3.1.1", "client_id": "coldchain-scenario",
        }  # fmt: skip
        for role in head.channels:
            messages = {"driver": "mqtt_json", "broker": "lab", "settings": _messages(scenario, role)}
            tables[f"sources.{role}"] = source | messages
    else:
        line = {"driver": "ascii_line", "port": where, "settings": _lines(scenario)}
        tables[f"sources.{_source(scenario, against, '')}"] = source | line
    for role in head.channels:
        tables[f'channels."{role}"'] = _channel(scenario, role, _source(scenario, against, role))
    kind = _KINDS.get(head.scene.kind, head.scene.kind)
    tables[f"assets.{ASSET}"] = {"kind": kind, "title": head.title} | data.get("vessel", {})
    return "\n".join(f"[{name}]\n{_rows(table)}" for name, table in tables.items())


def _channel(scenario: Scenario, role: str, source: str) -> dict[str, Any]:
    given = {
        key: value for key, value in scenario.document.data["channels"][role].items() if key not in _OURS
    }
    channel = scenario.head.channels[role]
    unit = _unit(scenario, role)
    wide = {"valid_low": f"-{_WIDE} {unit}", "valid_high": f"{_WIDE} {unit}"}
    never = {"fresh_within": "365 d"} if channel.fresh_within is None else {}
    about = {"source": source, "key": role, "asset": ASSET, "role": role, "quantity": channel.quantity}
    if channel.quantity == "temperature":
        wide = {"valid_low": "-273 °C", "valid_high": "2000 °C"}
        about["probe"] = channel.probe or "air"
    return wide | never | about | given | {"unit": unit}


def _unit(scenario: Scenario, role: str) -> str:
    channel = scenario.head.channels[role]
    return channel.unit or QUANTITIES[channel.quantity].display_unit


def _source(scenario: Scenario, against: Against, role: str) -> str:
    """Each role's own where the wire allows it, so that one silent probe is called by its name."""
    roles = list(scenario.head.channels)
    return role if against is Against.MQTT else roles[0] if len(roles) == 1 else "lab"


def _messages(scenario: Scenario, role: str) -> dict[str, Any]:
    mapping = {"key": role, "topic": f"{TOPIC}/{role}", "path": "value", "unit": _unit(scenario, role)}
    when = {"time_path": "time", "time_format": "epoch_ms", "sequence_path": "sequence"}
    return {"simulated": True, "mappings": [mapping | when]}


def _lines(scenario: Scenario) -> dict[str, Any]:
    values = [{"key": role, "at": role, "unit": _unit(scenario, role)} for role in scenario.head.channels]
    return {
        "baud": 9600, "frame": "8N1", "layout": "pairs", "every_value": False, "checksum": "xor8",
        "time": {"at": "time", "format": "epoch_ms"}, "sequence": "seq",
        "values": values,
    }  # fmt: skip


def _rows(table: dict[str, Any]) -> str:
    return "".join(f"{key} = {_inline(value)}\n" for key, value in table.items())


def _inline(value: object) -> str:
    """A value as TOML on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_inline(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)
