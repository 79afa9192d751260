"""A profile of limits typed on a command line, for `replay --above 8 --below 2 --for 30m`."""

from __future__ import annotations

import hashlib

from coldchain.config.amounts import UnreadableError, amount, duration_ms, duration_text
from coldchain.model import Priority, Side
from coldchain.plan import Cited, Fires, Limit, ProfilePlan, StagePlan
from coldchain.units import QUANTITIES, Quantity, exact

#: Where quick limits come from, as every alarm of theirs says.
SOURCE = "command line"

_SHORT = {"m": "min", "hr": "h", "sec": "s"}


def compile_quick(
    above: str | None = None,
    below: str | None = None,
    hold: str = "0 s",
    *,
    role: str = "product",
    quantity: str = "temperature",
    unit: str = "",
    priority: Priority = Priority.HIGH,
    fires: Fires = Fires.ON_READING,
) -> ProfilePlan:
    """A profile "quick" with one stage "quick" and up to two limits.

    above, below: a number, in `unit` (the quantity's display unit if none is given), or a number with a unit.
    hold:         how long without a break, such as "30 min" or "30m".
    Raises ValueError with the mend if a text is no amount, no limit is given or the two leave nothing inside.
    """
    kind = QUANTITIES[quantity]
    limits = {
        side: typed(text, kind, unit)
        for side, text in ((Side.ABOVE, above), (Side.BELOW, below))
        if text is not None
    }
    if not limits:
        raise UnreadableError("no limit is given", "give a limit above, below, or both")
    if len(limits) == 2 and limits[Side.BELOW] >= limits[Side.ABOVE]:
        raise UnreadableError(
            f"nothing lies between {below} and {above}", "give a lower limit below the upper one"
        )
    hold_ms = _hold_ms(hold)
    rules = tuple(
        Limit(
            id=str(side),
            role=role,
            side=side,
            limit=limit,
            hold_ms=hold_ms,
            priority=priority,
            cited=Cited(source=SOURCE, confidence="none"),
            fires=fires,
        )
        for side, limit in limits.items()
    )
    said = f"{quantity} {role} {priority} {fires} for {duration_text(hold_ms)}: " + ", ".join(
        f"{side} {limit}" for side, limit in limits.items()
    )
    return ProfilePlan(
        id="quick",
        version="1",
        approved=False,
        stages=(StagePlan(name="quick", rules=rules),),
        sha256=hashlib.sha256(said.encode()).hexdigest(),
        title="limits from the command line",
    )


def typed(text: str, quantity: Quantity, unit: str = "") -> int:
    """What was typed, in quanta: a number (in `unit`, or as the quantity is shown) or a number with its unit.

    Raises ValueError with the mend.
    """
    text = text.strip()
    if exact(text) is None:
        return amount(text, quantity).quanta
    return amount(f"{text} {unit or quantity.display_unit}", quantity).quanta


def _hold_ms(text: str) -> int:
    """A hold; on a command line "30m" means minutes."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = text[len(number) :].strip()
    return duration_ms(f"{number} {_SHORT.get(unit, unit)}".strip())
