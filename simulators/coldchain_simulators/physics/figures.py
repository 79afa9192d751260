"""Parameters that carry their source, and the course of a temperature in time."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


def figure(value: float, source: str) -> Any:
    """A parameter of a model with where it comes from; "judgement: …" where nothing was published."""
    return field(default=value, metadata={"source": source})


def sources_of(parameters: Any) -> dict[str, str]:
    """Where each parameter of a model comes from, by name."""
    return {entry.name: entry.metadata.get("source", "") for entry in fields(parameters)}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span in which a temperature moved evenly. A jump lies between two stretches."""

    seconds: float
    from_c: float
    to_c: float


def checked_step(dt_s: float) -> float:
    """A time step, or ValueError: no model runs backwards."""
    if not 0 <= dt_s < float("inf"):
        raise ValueError(f"a step of {dt_s} s")
    return dt_s
