"""JSON Schema of the files, for editors that complete and check while one types.

The schema knows the form of each table, drivers' settings included. What must fit together across tables is
for `coldchain config check` to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from coldchain.config.amounts import duration_text
from coldchain.config.fields import NUMBER_PATTERNS
from coldchain.config.profile_tables import ProfileHead
from coldchain.config.rule_tables import kinds
from coldchain.config.settings import Settings
from coldchain.driver import Driver

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def gateway_schema(drivers: Mapping[str, Driver]) -> dict[str, Any]:
    """The schema of `gateway.toml` with the settings of these drivers."""
    schema = _schema(Settings, "")
    source = schema["$defs"]["SourceSettings"]
    source["properties"]["driver"]["examples"] = sorted(drivers)
    source["allOf"] = []
    for name, driver in sorted(drivers.items()):
        own = _schema(driver.settings, f"{name}.")
        schema["$defs"].update(own.pop("$defs", {}))
        schema["$defs"][name] = own
        source["allOf"].append(
            {
                "if": {"properties": {"driver": {"const": name}}, "required": ["driver"]},
                "then": {"properties": {"settings": {"$ref": f"#/$defs/{name}"}}},
            }
        )
    return {"$schema": _DIALECT, **schema, "title": "gateway.toml of coldchain"}


def profile_schema() -> dict[str, Any]:
    """The schema of a profile's file."""
    schema = _schema(ProfileHead, "")
    figure = {"type": "object", "properties": {"figure": {"type": "string"}}, "required": ["figure"]}
    forms = []
    for model in kinds().values():
        rule = _schema(model, "")
        schema["$defs"].update(rule.pop("$defs", {}))
        for key, form in rule["properties"].items():
            if _is_number_with_unit(form):
                rule["properties"][key] = {"anyOf": [form, figure]}
        schema["$defs"][model.__name__] = rule
        forms.append({"$ref": f"#/$defs/{model.__name__}"})
    schema["properties"]["rules"]["additionalProperties"] = {"anyOf": forms}
    return {"$schema": _DIALECT, **schema, "title": "limit profile of coldchain"}


def _schema(model: type[BaseModel], prefix: str) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
    if "$defs" in schema:
        schema["$defs"] = {f"{prefix}{name}": definition for name, definition in schema["$defs"].items()}
    _say_defaults_as_texts(schema)
    return schema


def _is_number_with_unit(form: Mapping[str, Any]) -> bool:
    return any(each.get("pattern") in NUMBER_PATTERNS for each in (form, *form.get("anyOf", ())))


def _say_defaults_as_texts(node: Any) -> None:
    """A duration is kept in ms and written as a text: so is its default."""
    if isinstance(node, dict):
        default = node.get("default")
        texts = [node, *node.get("anyOf", [])] if "default" in node else []
        if type(default) is int and any(isinstance(t, dict) and t.get("type") == "string" for t in texts):
            node["default"] = duration_text(default)
        for value in node.values():
            _say_defaults_as_texts(value)
    elif isinstance(node, list):
        for value in node:
            _say_defaults_as_texts(value)
