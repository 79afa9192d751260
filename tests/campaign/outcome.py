"""What a fault is, and what is found after it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct


class Size(StrEnum):
    """How long a fault is tried: SHORT in `make test` (seconds), FULL in `make campaign` (minutes)."""

    SHORT = "short"
    FULL = "full"


class Outcome(Struct, frozen=True):
    """What the audit found, summed over all tries.

    lost:     acknowledged facts that are not there, or a journal that does not open.
    doubled:  facts that are there twice, or changed.
    heal_s:   median time until work went on, None where nothing has to heal.
    note:     what a reader of the table should know of it.
    """

    tried: int
    lost: int = 0
    doubled: int = 0
    heal_s: float | None = None
    note: str = ""


class Fault(Struct, frozen=True):
    """A fault that can be had by its name; `control`: one that must lose something, or the audit is blind."""

    name: str
    title: str
    try_it: Callable[[int, Size], Outcome]
    control: bool = False

    def passed(self, outcome: Outcome) -> bool:
        """Whether the outcome is the one this fault must have."""
        if not outcome.tried:
            return False
        return outcome.lost > 0 if self.control else not (outcome.lost or outcome.doubled)
