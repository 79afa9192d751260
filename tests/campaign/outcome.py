"""What a fault is, and what is found after it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
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
    grown:    memory, threads or files of which the process held more and more; None: no process lived long
              enough to tell.
    kills:    how many processes were ended by SIGKILL, each seen to have died of it.
    heal_s:   median time until work went on, None where nothing has to heal.
    note:     what a reader of the table should know of it.
    """

    tried: int
    lost: int = 0
    doubled: int = 0
    grown: int | None = 0
    kills: int = 0
    heal_s: float | None = None
    note: str = ""


def summed(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcomes of several lives as one; the notes of those that cost something, or the last."""
    heals = [one.heal_s for one in outcomes if one.heal_s is not None]
    grown = [one.grown for one in outcomes if one.grown is not None]
    bad = [one.note for one in outcomes if one.lost or one.doubled or one.grown or not one.tried]
    return Outcome(
        sum(one.tried for one in outcomes),
        sum(one.lost for one in outcomes),
        sum(one.doubled for one in outcomes),
        sum(grown) if grown else None,
        sum(one.kills for one in outcomes),
        statistics.median(heals) if heals else None,
        "; ".join(bad or [one.note for one in outcomes[-1:]]),
    )


class Fault(Struct, frozen=True):
    """A fault that can be had by its name.

    control: it must have something in this column of its outcome ("lost", "grown"), or the audit is blind.
    """

    name: str
    title: str
    try_it: Callable[[int, Size], Outcome]
    control: str = ""

    def passed(self, outcome: Outcome) -> bool:
        """Whether the outcome is the one this fault must have."""
        if not outcome.tried:
            return False
        if self.control:
            return bool(getattr(outcome, self.control))
        return not (outcome.lost or outcome.doubled or outcome.grown)
