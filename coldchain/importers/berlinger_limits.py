"""The alarm slots of a Berlinger logger as limits, and what the device itself decided by them.

A slot has a type, a limit `T AL` and minutes `t AL`. Types 1 and 2 are single events, cold and hot:
one stretch outside without a break. Types 3 and 4 are cumulative, cold and hot: all time outside added
up. 0 is an empty slot. The value on the limit is not outside, as the log's own marks show.

How a slot becomes a limit of ours, each point held against a device's own result (`Res`) in the tests:
- the device samples more often than it logs, so a limit is crossed between two logged values
  (`crossing = linear`): its `TS S` lies where the line between them meets the limit;
- it triggers when the minutes are reached, not after (`TS A` = `TS S` + `t AL`, to the minute), so a
  sum equal to the allowance is exceeded; a hold is fulfilled at its end anyway;
- a limit from a file needs a logged value outside at or after that instant (`fires = on_reading`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from coldchain.importers import stamps
from coldchain.importers.berlinger_tree import Node
from coldchain.importers.refusal import Refused
from coldchain.model import Priority, Side
from coldchain.plan import Bound, Budget, Cited, Crossing, Fires, Limit, Outside
from coldchain.units import TEMPERATURE, exact

_SIDES = {"1": Side.BELOW, "2": Side.ABOVE, "3": Side.BELOW, "4": Side.ABOVE}
_CUMULATIVE = {"3", "4"}
_EMPTY = "0"
_LIMIT_KEYS = {"Type", "T AL", "t AL"}
_MINUTE_MS = 60_000


@dataclass(frozen=True)
class Claim:
    """An event that the device itself lists for a slot; times by its own clock, None where it gives none."""

    rule: str
    start: datetime | None
    triggered: datetime | None
    end: datetime | None
    minutes: int | None

    def __str__(self) -> str:
        start = f" from {self.start:%Y-%m-%d %H:%M}" if self.start else ""
        return f"the device itself lists an alarm of {self.rule}{start}"


def rules(conf: Node, role: str, serial: str) -> tuple[list[Bound], list[str]]:
    """The limits of the slots under `Alarm`, and why a slot could not be judged; raises Refused."""
    alarm = conf.section("Alarm")
    found: list[Bound] = []
    doubts: list[str] = []
    slots = alarm.below if alarm is not None else []
    # A damaged line can put a slot's limits below another slot, where they would go unseen.
    if stray := [
        n for n in conf.walk() if _LIMIT_KEYS & n.pairs.keys() and not any(n in s.below for s in slots)
    ]:
        doubts.append(f"line {stray[0].line}: limits outside an alarm slot")
    for slot in slots:
        if sum("Type" in node.pairs for node in slot.below) > 1:
            doubts.append(f"line {slot.line}: alarm slot {slot.key} has two types")
        kind = slot.get("Type")
        if kind == _EMPTY:
            continue
        if kind not in _SIDES:
            doubts.append(f"line {slot.line}: alarm slot {slot.key} has the unknown type {kind!r}")
            continue
        found.append(_rule(slot, kind, role, serial))
    return found, doubts


def claims(result: Node | None) -> list[Claim]:
    """The events that the device lists under its result."""
    alarm = result.section("Alarm") if result is not None else None
    found = []
    for slot in alarm.below if alarm is not None else ():
        for event in slot.below:
            if event.pairs.get("TS A"):
                minutes = event.pairs.get("t A", "")
                found.append(
                    Claim(
                        slot_id(slot),
                        _wall(event.pairs.get("TS S")),
                        _wall(event.pairs.get("TS A")),
                        _wall(event.pairs.get("TS E")),
                        int(minutes) if minutes.isdigit() else None,
                    )
                )
    return found


def slot_id(slot: Node) -> str:
    """A slot's name as a rule."""
    return f"slot-{slot.key}"


def is_marked(value: Fraction, limits: list[Bound]) -> bool:
    """Whether the device would mark a logged value as out of limits."""
    quanta = value * TEMPERATURE.per_display
    return any(quanta > rule.limit if rule.side is Side.ABOVE else quanta < rule.limit for rule in limits)


def _rule(slot: Node, kind: str, role: str, serial: str) -> Bound:
    limit = TEMPERATURE.quanta(_number(slot, "T AL", r"[+-]?\d{1,3}(\.\d{1,3})?"), "degC")
    assert isinstance(limit, int), "three digits of degrees are within range"
    minutes = exact(_number(slot, "t AL", r"\d{1,6}"))
    assert minutes is not None
    hold_ms = int(minutes * _MINUTE_MS)
    side = _SIDES[kind]
    cited = Cited(
        source=f"alarm slot {slot.key} as set in logger {serial or 'of unknown serial'} (line {slot.line})",
        confidence="as set in the device",
    )
    words = "Cold" if side is Side.BELOW else "Hot"
    if kind in _CUMULATIVE:
        return Budget(
            id=slot_id(slot),
            role=role,
            side=side,
            limit=limit,
            allowance_ms=hold_ms,
            priority=Priority.HIGH,
            cited=cited,
            title=f"{words}, cumulative",
            exceeded=Outside.AT_OR_BEYOND,
            fires=Fires.ON_READING,
            crossing=Crossing.LINEAR,
        )
    return Limit(
        id=slot_id(slot),
        role=role,
        side=side,
        limit=limit,
        hold_ms=hold_ms,
        priority=Priority.HIGH,
        cited=cited,
        title=f"{words}, single event",
        fires=Fires.ON_READING,
        crossing=Crossing.LINEAR,
    )


def _number(slot: Node, key: str, form: str) -> str:
    text = slot.get(key)
    if text is None or re.fullmatch(form, text) is None:
        raise Refused(
            f"alarm slot {slot.key} has no readable {key!r}" + (f": {text!r}" if text else ""),
            "read the logger out again",
            line=slot.line_of(key),
            field=key,
        )
    return text


def _wall(text: str | None) -> datetime | None:
    cell = stamps.read(text) if text else None
    return cell.under("YMD") if isinstance(cell, stamps.Civil) and cell.shape == "first" else None
