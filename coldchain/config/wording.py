"""What pydantic has to say about a value, in the words of somebody who edits the file.

Also for models of drivers, which say some things in their own way: only `type`, `loc`, `msg` and `input` of
an error are relied on.
"""

from __future__ import annotations

import re
import types
import typing
from typing import Any, Union

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from coldchain.config.positions import Place
from coldchain.config.problems import nearest

_QUOTED = re.compile(r"'([^']*)'")
_LAST_NUMBER = re.compile(r"-?[0-9.]+(?=[^0-9]*$)")
# How drivers of this house begin the description of what is missing.
_TOLD = "must be given: "


def shown(given: object) -> str:
    """A value as it stands in the file, shortened."""
    if isinstance(given, str):
        return f'"{given}"' if len(given) <= 60 else f'"{given[:57]}…"'
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, dict):
        return "a table"
    return "a list" if isinstance(given, list | tuple) else str(given)


def place_of(detail: ErrorDetails, data: object) -> Place:
    """Where in `data` an error lies: pydantic's own marks (a union's branch, "[key]") left out."""
    place: list[str | int] = []
    current: Any = data
    loc = detail["loc"]
    for index, part in enumerate(loc):
        if _has(current, part):
            current = current[part]
        elif not (detail["type"] == "missing" and index == len(loc) - 1):
            continue
        place.append(part)
    return tuple(place)


def _has(container: object, part: str | int) -> bool:
    if isinstance(container, dict):
        return part in container
    return isinstance(container, list) and isinstance(part, int) and part < len(container)


def in_words(model: type[BaseModel], detail: ErrorDetails, data: object) -> tuple[str, str]:
    """What is wrong and the mend."""
    place = place_of(detail, data)
    context = detail.get("ctx", {})
    if detail["type"] in {"amount", "said"}:  # our own validators (coldchain.config.fields)
        return str(context["what"]), str(context["mend"])
    if detail["type"] == "missing":
        return "is missing", _how_to_give(model, place, detail["msg"])
    if detail["type"] == "extra_forbidden":
        return _unknown_key(model, place)
    return _wrong_value(detail, _field_at(model, place))


def _wrong_value(detail: ErrorDetails, field: FieldInfo | None) -> tuple[str, str]:
    given = shown(detail["input"])
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    match detail["type"]:
        case "literal_error" | "enum":
            words = _QUOTED.findall(message)
            meant = nearest(str(detail["input"]), words)
            known = "one of " + ", ".join(f'"{word}"' for word in words) if words else message
            return f"{given} is not known here", f'write "{meant}"' if meant else f"write {known}"
        case "string_type":
            plain = isinstance(detail["input"], int | float) and not isinstance(detail["input"], bool)
            return f"{given} is no text", f'write "{given}"' if plain else "write a text in quotes"
        case "bool_type":
            return f"{given} is neither true nor false", "write true or false, without quotes"
        case "int_type" | "int_from_float":
            return f"{given} is no whole number", "write a whole number, without quotes"
        case "greater_than_equal" | "less_than_equal":
            found = _LAST_NUMBER.search(message)
            bound = found.group() if found else "what is allowed"
            low = detail["type"] == "greater_than_equal"
            what = f"{given} is too {'small' if low else 'large'}"
            return (
                what,
                f"write at {'least' if low else 'most'} {bound}",
            )
        case "greater_than" | "less_than":
            found = _LAST_NUMBER.search(message)
            bound = found.group() if found else "what is allowed"
            way = "above" if detail["type"] == "greater_than" else "below"
            return f"{given} is not {way} {bound}", f"write a number {way} {bound}"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"{given} is no table", "write a table"
        case "tuple_type" | "list_type":
            return f"{given} is no list", "write a list in square brackets"
        case "date_type" | "date_from_datetime_inexact":
            return f"{given} is no date", "write a date without quotes, such as 2027-01-31"
        case "string_pattern_mismatch" if field is not None and field.examples:
            return (
                f"{given} has not the form that is wanted",
                f"write something like {shown(field.examples[0])}",
            )
        case _:
            return f"{given} is refused: {message}", "correct it"


def _unknown_key(model: type[BaseModel], place: Place) -> tuple[str, str]:
    owner = _model_at(model, place[:-1])
    known = list(owner.model_fields) if owner else []
    meant = nearest(str(place[-1]), known)
    if meant:
        return "unknown key", f"did you mean {meant}?"
    return "unknown key", f"known here: {', '.join(known)}" if known else "remove it"


def _how_to_give(model: type[BaseModel], place: Place, message: str) -> str:
    if message.startswith(_TOLD):
        return f"write {place[-1]}: {message.removeprefix(_TOLD)}"
    field = _field_at(model, place)
    if field is not None and field.examples:
        example = field.examples[0]
        text = shown(example) if isinstance(example, str) else str(example)
        return f"write it, such as {place[-1]} = {text}"
    if field is not None and field.description:
        return f"write {place[-1]}: {field.description}"
    return f"write {place[-1]}"


def _field_at(model: type[BaseModel], place: Place) -> FieldInfo | None:
    owner = _model_at(model, place[:-1]) if place else None
    return owner.model_fields.get(str(place[-1])) if owner else None


def _model_at(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """The model whose keys stand at `place`, following tables and lists."""
    current: Any = model
    for part in place:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            current = _bare(field.annotation) if field else None
        else:  # dict[str, X], tuple[X, ...], list[X]
            inner = [argument for argument in typing.get_args(current) if argument is not Ellipsis]
            current = _bare(inner[-1]) if inner else None
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _bare(annotation: Any) -> Any:
    """The type inside `Annotated[…]` and `X | None`; of another union, the model in it if there is one."""
    while True:
        if typing.get_origin(annotation) is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif typing.get_origin(annotation) in {Union, types.UnionType}:
            some = [part for part in typing.get_args(annotation) if part is not type(None)]
            models = [part for part in some if isinstance(part, type) and issubclass(part, BaseModel)]
            annotation = (models or some)[0]
        else:
            return annotation
