"""Who is called, in which order, and when not; and when there is more than a person can take in."""

from __future__ import annotations

from msgspec import Struct

from coldchain.model import Priority


class QuietHours(Struct, frozen=True, omit_defaults=True):
    """From one local minute of the day to another, which may be of the next day. Monday is day 0."""

    from_min: int
    to_min: int
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)


class Contact(Struct, frozen=True, omit_defaults=True):
    """Somebody who is called, and when not."""

    id: str
    quiet: tuple[QuietHours, ...] = ()


class Step(Struct, frozen=True):
    """After an alarm has asked for so long, these contacts are called."""

    after_ms: int
    to: tuple[str, ...]


class Escalation(Struct, frozen=True):
    """The steps of one priority, the earliest first."""

    priority: Priority
    steps: tuple[Step, ...]


class FloodPlan(Struct, frozen=True):
    """A flood begins with more than so many alarms within a time, and ends with fewer than so many."""

    within_ms: int
    begins_above: int
    ends_below: int
