"""JSON read so that nothing is lost or invented: numbers keep their text, keys that come twice show.

A number becomes its own text ("-146.20" stays "-146.20"); NaN and Infinity, which are no JSON, are
seen as such where they stand; of two equal keys neither wins.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from enum import Enum

Path = tuple[str | int, ...]

_NONE: frozenset[str] = frozenset()

_STEP = re.compile(
    r"""(?:^|\.)(?P<plain>[^.\[\]"\s]+)|(?:^|\.)"(?P<quoted>[^"]+)"|\["(?P<boxed>[^"]+)"\]|\[(?P<index>\d{1,4})\]"""
)


class NotJson(ValueError):
    """The bytes are no JSON text in UTF-8, or nest too deep to be read."""


class Number(str):
    """A JSON number as its own text."""

    __slots__ = ()


class Object(dict[str, object]):
    """A JSON object; `twice` holds the keys that came more than once."""

    __slots__ = ("twice",)
    twice: frozenset[str]


class Hole(Enum):
    """Why a path leads to no JSON value."""

    MISSING = "missing"
    TWICE = "twice"
    NOT_A_NUMBER = "NaN or Infinity"


def _object(pairs: list[tuple[str, object]]) -> Object:
    made = Object(pairs)
    made.twice = _NONE
    if len(made) < len(pairs):
        count = Counter(key for key, _ in pairs)
        made.twice = frozenset(key for key in made if count[key] > 1)
    return made


_decoder = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=Number,
    parse_int=Number,
    parse_constant=lambda _: Hole.NOT_A_NUMBER,
)


def load(payload: bytes) -> object:
    """The JSON value of these bytes; NotJson if they are none."""
    try:
        return _decoder.decode(payload.decode("utf-8"))
    except (ValueError, RecursionError) as cause:
        raise NotJson(str(cause)) from cause


def path_of(text: str) -> Path:
    """The steps of a path as `a.b[0]."quoted.key"`; "" is the whole value. ValueError if it is none."""
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f'no path: "{text}" at "{text[at:]}"; write it as a.b[0]."quoted key"')
        index = match["index"]
        steps.append(int(index) if index else match["plain"] or match["quoted"] or match["boxed"])
        at = match.end()
    return tuple(steps)


def walk(value: object, path: Path) -> object:
    """What stands at the path: a JSON value, or the Hole that it leads into."""
    for step in path:
        if isinstance(step, str):
            if not isinstance(value, Object) or step not in value:
                return Hole.MISSING
            if step in value.twice:
                return Hole.TWICE
            value = value[step]
        else:
            if not isinstance(value, list) or step >= len(value):
                return Hole.MISSING
            value = value[step]
    return value
