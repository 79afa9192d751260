"""What differs between two rules of one name, and whether that makes the rule wider.

Wider: it speaks later, less or more softly, so something may happen that would have been told before. What
cannot be compared counts as wider, because nobody has shown that it is not.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from coldchain.config.amounts import Amount, duration_text
from coldchain.config.fields import is_duration
from coldchain.config.rule_tables import RuleTable
from coldchain.config.rule_tables.base import SOURCE_SUFFIX

#: What is said about a rule, and judges nothing.
TEXTS = frozenset({"title", "advice", "source", "confidence", "approved_by", "version", "reason"})


class Way(StrEnum):
    """What a change does to a rule."""

    WIDER = "wider"
    NARROWER = "narrower"
    OTHER = "other"  # cannot be compared: counts as wider
    TEXT = "text"  # judges nothing


@dataclass(frozen=True)
class Change:
    """One parameter that differs, as it was written before and after."""

    key: str
    before: str
    after: str
    way: Way


def is_text(key: str) -> bool:
    """Whether a key of a rule judges nothing."""
    return key in TEXTS or key.endswith(SOURCE_SUFFIX)


def changes(
    before: RuleTable, after: RuleTable, held: tuple[str, ...] = (), holds: tuple[str, ...] = ()
) -> tuple[Change, ...]:
    """What differs; held, holds: the stages in which the rule was and is in force, where that is compared."""
    if type(before) is not type(after):
        return (Change("kind", before.kind, after.kind, Way.OTHER),)
    model = type(before)
    was, now = before.leniency(), after.leniency()
    found = []
    for key in model.model_fields:
        old, new = getattr(before, key), getattr(after, key)
        if key == "stages":
            way = _stages(set(held), set(holds))
            old, new = held, holds
        elif is_text(key):
            way = Way.TEXT if old != new else None
        elif key in was and _comparable(old, new):
            way = None if now[key] == was[key] else Way.WIDER if now[key] > was[key] else Way.NARROWER
        else:
            way = Way.OTHER if old != new else None
        if way is not None:
            found.append(Change(key, written(model, key, old), written(model, key, new), way))
    return tuple(found)


def _comparable(old: Any, new: Any) -> bool:
    return not (isinstance(old, Amount) and isinstance(new, Amount) and old.quantity != new.quantity)


def _stages(held: set[str], holds: set[str]) -> Way | None:
    if held == holds:
        return None
    if held < holds:
        return Way.NARROWER
    return Way.WIDER if holds < held else Way.OTHER


def widens(found: typing.Iterable[Change]) -> list[Change]:
    """Those that make the rule wider, or may."""
    return [change for change in found if change.way in {Way.WIDER, Way.OTHER}]


def written(model: type[BaseModel], key: str, value: Any) -> str:
    """A parameter as a person would write it; "none" if it is not there."""
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, Amount):
        return value.text
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, int) and is_duration(model, key):
        return duration_text(value)
    return str(value)
