"""Which alarms belong together, and which of them was the first.

A shipper that loses its vacuum raises one alarm after the other: mass, rate, vapour, budget. Who comes to it
must see at a glance what came first (IEC 62541-9 calls it FirstInGroup). A group is of one vessel (or source,
or the gateway itself); it begins with an alarm that is raised while nothing else there asks or lasts, and
takes in what is raised until that is so again. Nothing is hidden by it: each alarm still calls.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class Group(Struct, frozen=True):
    """One group: which of its subject's, the alarm that began it, and all that belong to it."""

    number: int
    first: str
    alarms: frozenset[str]


class Groups:
    """The newest group of each subject."""

    def __init__(self) -> None:
        self._groups: dict[str, Group] = {}

    def join(self, subject: str, alarm: str, stands: Callable[[str], bool]) -> tuple[str, bool]:
        """An alarm is raised: its group's id, and whether it is the first in it.

        stands: whether an alarm still lasts or asks.
        """
        key = subject.split("/", 1)[0]
        group = self._groups.get(key)
        if group is None or not any(stands(one) for one in group.alarms):
            number = 1 if group is None else group.number + 1
            group = Group(number, alarm, frozenset())
        self._groups[key] = Group(group.number, group.first, group.alarms | {alarm})
        return f"{key}#{group.number}", alarm == group.first

    def of(self, subject: str, alarm: str) -> tuple[str, bool]:
        """The newest group of a subject, if the alarm belongs to it ("" if not), and whether it began it."""
        key = subject.split("/", 1)[0]
        group = self._groups.get(key)
        if group is None or alarm not in group.alarms:
            return "", False
        return f"{key}#{group.number}", alarm == group.first

    def retell(self, alarm: str, group: str, *, first: bool) -> None:
        """Take over what another engine said."""
        key, _, number = group.rpartition("#")
        if not key or not number.isdecimal():
            return
        known = self._groups.get(key)
        if known is None or known.number != int(number):
            known = Group(int(number), alarm, frozenset())
        self._groups[key] = Group(known.number, alarm if first else known.first, known.alarms | {alarm})
