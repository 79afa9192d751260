"""One TOML file: its exact text, what it means, and where each key of it stands.

Pydantic says what is wrong with a value; this module says it in the file's own words: line, path, mend.
"""

from __future__ import annotations

import hashlib
import tomllib
import types
import typing
from pathlib import Path
from typing import Any, TypeVar, Union

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from coldchain.config.positions import Lines, Place, find_lines
from coldchain.config.problems import ConfigError, Problem, dotted, nearest

M = TypeVar("M", bound=BaseModel)

#: Far more than any sane configuration; a log file given by mistake is refused instead of parsed.
_LARGEST_BYTES = 4 * 1024 * 1024


class Document:
    """A TOML file that has been read. `name` is what errors and the journal call it."""

    def __init__(self, name: str, text: str) -> None:
        """Raises ConfigError if the text is no TOML."""
        self.name = name
        self.text = text
        self.sha256 = hashlib.sha256(text.encode()).hexdigest()
        self.problems: list[Problem] = []
        try:
            self.data: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([_syntax(name, text, error)]) from error
        self._lines: Lines | None = None

    @classmethod
    def read(cls, path: Path, name: str | None = None) -> Document:
        """Read a file; raises ConfigError if it cannot be read or is no TOML."""
        name = name or path.name
        try:
            content = path.read_bytes()
        except OSError as error:
            said = f"cannot be read: {error.strerror or error}"
            raise ConfigError(
                [Problem(name, 1, "", said, f"check that {path} exists and may be read")]
            ) from error
        if len(content) > _LARGEST_BYTES:
            raise ConfigError([Problem(name, 1, "", "is larger than 4 MiB", "give a configuration file")])
        try:
            # Not `read_text`: the hash is over the exact text, line ends included.
            return cls(name, content.decode())
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise ConfigError([Problem(name, line, "", "is not UTF-8", "save it as UTF-8")]) from error

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest table around it."""
        if self._lines is None:  # only wanted when something is wrong
            self._lines = find_lines(self.text.replace("\r\n", "\n"))
        return self._lines.of(place)

    def problem(self, place: Place, what: str, mend: str) -> Problem:
        """A problem at a place of this file."""
        return Problem(self.name, self.line(place), dotted(place), what, mend)

    def refuse(self, place: Place, what: str, mend: str) -> None:
        """Note a problem; `raise_problems` reports all of them together."""
        self.problems.append(self.problem(place, what, mend))

    def raise_problems(self) -> None:
        """Raise ConfigError if anything was refused."""
        if self.problems:
            raise ConfigError(self.problems)

    def validate(self, model: type[M], data: object, place: Place = ()) -> M | None:
        """`data`, which stands at `place`, as a model; None if it is wrong, the problems noted."""
        if not isinstance(data, dict):
            self.refuse(place, f"{_shown(data)} is no table", f"write [{dotted(place)}]")
            return None
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._note(model, place, detail)
            return None

    def _note(self, model: type[BaseModel], base: Place, detail: ErrorDetails) -> None:
        inner = tuple(part for part in detail["loc"] if part != "[key]")
        what, mend = _say(model, inner, detail)
        self.refuse((*base, *inner), what, mend)


def _syntax(name: str, text: str, error: tomllib.TOMLDecodeError) -> Problem:
    said = str(error)
    what, _, where = said.partition(" (at ")
    digits = where.removeprefix("line ").partition(",")[0]
    line = int(digits) if digits.isdigit() else max(1, len(text.splitlines()))
    return Problem(
        name, line, "", what[:1].lower() + what[1:], "correct the line, or put the value in quotes"
    )


def _say(model: type[BaseModel], inner: Place, detail: ErrorDetails) -> tuple[str, str]:
    """What is wrong and the mend, in plain words."""
    context = detail.get("ctx", {})
    given = _shown(detail["input"])
    match detail["type"]:
        case "amount" | "said":  # our own validators
            return str(context["what"]), str(context["mend"])
        case "missing":
            return "is missing", _example(model, inner)
        case "extra_forbidden":
            return _unknown_key(model, inner)
        case "literal_error" | "enum":
            expected = str(context["expected"]).replace("'", '"').replace(" or ", ", ")
            words = [word.strip().strip('"') for word in expected.split(",")]
            meant = nearest(str(detail["input"]), words)
            mend = f'write "{meant}"' if meant else f"write one of {expected}"
            return f"{given} is not known here", mend
        case "string_type":
            return f"{given} is no text", f'write "{detail["input"]}"' if _is_plain(
                detail["input"]
            ) else "write a text in quotes"
        case "bool_type":
            return f"{given} is neither true nor false", "write true or false, without quotes"
        case "int_type" | "int_from_float":
            return f"{given} is no whole number", "write a whole number, without quotes"
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            bound = next(iter(context.values()))
            few = detail["type"].startswith("greater")
            return (
                f"{given} is too {'small' if few else 'large'}",
                f"write at {'least' if few else 'most'} {bound}",
            )
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"{given} is no table", "write a table"
        case "tuple_type" | "list_type":
            return f"{given} is no list", "write a list in square brackets"
        case "date_type" | "date_from_datetime_inexact":
            return f"{given} is no date", "write a date without quotes, such as 2027-01-31"
        case _:
            message = detail["msg"].removeprefix("Value error, ")
            return f"{given}: {message[:1].lower()}{message[1:]}", "correct it"


def _unknown_key(model: type[BaseModel], inner: Place) -> tuple[str, str]:
    owner = _model_at(model, inner[:-1])
    known = list(owner.model_fields) if owner else []
    meant = nearest(str(inner[-1]), known)
    mend = f"did you mean {meant}?" if meant else f"known here: {', '.join(known) or 'nothing'}"
    return "unknown key", mend


def _example(model: type[BaseModel], inner: Place) -> str:
    owner = _model_at(model, inner[:-1])
    field = owner.model_fields.get(str(inner[-1])) if owner else None
    if field is not None and field.examples:
        example = field.examples[0]
        shown = f'"{example}"' if isinstance(example, str) else str(example).lower()
        return f"write {inner[-1]} = {shown}"
    return f"write {inner[-1]}"


def _model_at(model: type[BaseModel], inner: Place) -> type[BaseModel] | None:
    """The model whose keys stand at `inner`, following tables and lists."""
    current: Any = model
    for part in inner:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            current = _bare(field.annotation) if field else None
        else:  # dict[str, X], tuple[X, ...], list[X]
            arguments = [a for a in typing.get_args(current) if a is not Ellipsis]
            current = _bare(arguments[-1]) if arguments else None
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _bare(annotation: Any) -> Any:
    """The type inside `Annotated[…]` and `X | None`."""
    while True:
        if typing.get_origin(annotation) is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif typing.get_origin(annotation) in {Union, types.UnionType}:
            some = [a for a in typing.get_args(annotation) if a is not type(None)]
            annotation = some[0] if some else None
        else:
            return annotation


def _is_plain(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool)


def _shown(given: object) -> str:
    """A value as it stands in the file, shortened."""
    if isinstance(given, str):
        return f'"{given}"' if len(given) <= 60 else f'"{given[:57]}…"'
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, dict):
        return "a table"
    return "a list" if isinstance(given, list | tuple) else str(given)
