"""The kinds of values that stand in a configuration, each with its reader and its JSON Schema.

Every table is strict: no unknown key, no number from a text, no text from a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from coldchain.config.amounts import Amount, UnreadableError, amount, difference, duration_ms, size_bytes
from coldchain.units import FRACTION, MASS, QUANTITIES, Quantity

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DURATION = r"^[0-9.]+ ?(ms|s|min|h|d)$"
_SIZE = r"^[0-9.]+ ?(MB|MiB|GB|GiB)$"
_AMOUNT = r"^[+-]?[0-9.]+ ?\S+$"
#: What the schema says of a number with its unit: where one stands, a profile may name a figure of the site.
NUMBER_PATTERNS = (_DURATION, _AMOUNT)
NAME_MEND = "use 1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first"


def said(what: str, mend: str) -> PydanticCustomError:
    """A validator's complaint: what is wrong, and the mend."""
    return PydanticCustomError("said", "{what}; {mend}", {"what": what, "mend": mend})


class Table(BaseModel):
    """A table of a configuration file."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise said(f'"{value}" is no name', NAME_MEND)
    return value


#: An identifier: it becomes part of alarm names such as "asset/role/rule", so it holds no slash and no blank.
Name = Annotated[
    str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": f"^{NAME.pattern}$"})
]


def _read(reader: Callable[..., Any], *arguments: object) -> Any:
    try:
        return reader(*arguments)
    except UnreadableError as error:
        raise PydanticCustomError(
            "amount", "{what}; {mend}", {"what": error.what, "mend": error.mend}
        ) from error


def _duration(value: object) -> int:
    return int(_read(duration_ms, value))


#: A time span in ms, written "10 min".
Duration = Annotated[
    int,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": _DURATION, "examples": ["10 min"]}),
]


def is_duration(model: type[BaseModel], key: str) -> bool:
    """Whether a field of a table is a time span, whatever else may stand in its place."""
    field = model.model_fields[key]
    parts: list[Any] = [*field.metadata, field.annotation]
    while parts:
        part = parts.pop()
        if isinstance(part, BeforeValidator) and part.func is _duration:
            return True
        parts += [*getattr(part, "__metadata__", ()), *get_args(part)]
    return False


def _longer_than_nothing(value: int) -> int:
    if value == 0:
        raise said("is no time at all", 'write a time above zero, such as "10 s"')
    return value


#: A time span above zero.
Period = Annotated[Duration, AfterValidator(_longer_than_nothing)]


def _named_quantity(info: ValidationInfo) -> Quantity | None:
    """The quantity that the same table has named, if its `quantity` is right."""
    return QUANTITIES.get(str(info.data.get("quantity", "")))


def _value(value: object, info: ValidationInfo) -> Amount:
    if isinstance(value, Amount):
        return value
    found: Amount = _read(amount, value, _named_quantity(info))
    return found


def _difference(value: object, info: ValidationInfo) -> Amount:
    if isinstance(value, Amount):
        return value
    found: Amount = _read(difference, value, _named_quantity(info))
    return found


def _mass(value: object) -> Amount:
    found: Amount = _read(amount, value, MASS)
    if found.quanta <= 0:
        raise said(f'"{value}" is no mass', "write a mass above zero")
    return found


def _share(value: object) -> int:
    if isinstance(value, int):
        return value
    found: Amount = _read(amount, value, FRACTION)
    if not 0 < found.quanta <= 10_000:
        raise said(f'"{value}" is no share', 'write one above 0 and up to 100, such as "10 %"')
    return found.quanta


def _size(value: object) -> int:
    return int(_read(size_bytes, value))


def _amount_schema(example: str) -> dict[str, Any]:
    return {"type": "string", "pattern": _AMOUNT, "examples": [example]}


#: A value with its unit; of the table's own `quantity` where it names one.
Value = Annotated[Amount, BeforeValidator(_value), WithJsonSchema(_amount_schema("-150 °C"))]
#: A difference between two values, with its unit.
Difference = Annotated[Amount, BeforeValidator(_difference), WithJsonSchema(_amount_schema("0.5 °C"))]
#: A mass above zero.
Mass = Annotated[Amount, BeforeValidator(_mass), WithJsonSchema(_amount_schema("2.5 kg"))]
#: A share of a whole, in hundredths of a percent, written "10 %".
Share = Annotated[int, BeforeValidator(_share), WithJsonSchema(_amount_schema("10 %"))]

#: The size of a file in bytes, written "64 MiB".
Size = Annotated[
    int,
    BeforeValidator(_size),
    WithJsonSchema({"type": "string", "pattern": _SIZE, "examples": ["64 MiB"]}),
]


def _some_text(value: str) -> str:
    if not value.strip():
        raise said("is empty", "write it")
    return value


#: A text that says something.
Text = Annotated[str, AfterValidator(_some_text)]
