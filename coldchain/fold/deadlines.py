"""Everything that will happen by itself, in the one order in which it must happen."""

from __future__ import annotations

import heapq
from enum import IntEnum

from msgspec import Struct


class DueKind(IntEnum):
    """What a deadline belongs to; the last key of the order within one millisecond."""

    RULE = 0
    SILENCE = 1
    ALARM = 2
    WORK = 3
    FLOOD = 4
    CALENDAR = 5


class Deadline(Struct, frozen=True, order=True):
    """At `journal_ms`; within one millisecond the order is (subject, rule, kind)."""

    journal_ms: int
    subject: str
    rule: str
    kind: DueKind


class Deadlines:
    """At most one deadline for each key; a later statement replaces an earlier one."""

    def __init__(self) -> None:
        self._now: dict[str, Deadline] = {}
        self._heap: list[tuple[Deadline, str]] = []

    def set(self, key: str, deadline: Deadline | None) -> None:
        """State when a key is due, or that it is not."""
        if deadline is None:
            self._now.pop(key, None)
        elif self._now.get(key) != deadline:
            self._now[key] = deadline
            heapq.heappush(self._heap, (deadline, key))
            if len(self._heap) > 64 + 4 * len(self._now):
                self._heap = [(due, k) for k, due in self._now.items()]
                heapq.heapify(self._heap)

    def first(self) -> tuple[Deadline, str] | None:
        """The next deadline and its key, or None."""
        while self._heap:
            deadline, key = self._heap[0]
            if self._now.get(key) == deadline:
                return deadline, key
            heapq.heappop(self._heap)
        return None
