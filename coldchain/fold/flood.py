"""Alarm floods: more alarms in a short time than a person can take in.

ISA-18.2 counts: a flood begins when more than ten alarms come up within ten minutes, and ends when fewer than
five do. While one lasts, what is low or only to know is folded into one notice at its end; what is high or
critical calls as ever. Everything is recorded and stands on the page; only messages to people are folded.
"""

from __future__ import annotations

from bisect import bisect_right

from msgspec.structs import replace

from coldchain.alarms.table import HIDDEN_STATES
from coldchain.announcements import Announcement, Kind
from coldchain.model import Priority
from coldchain.plan import FloodPlan

_FOLDED = (Priority.LOW, Priority.TO_KNOW)
#: Alarms that the notice names; more are counted.
_NAMED_MAX = 50


class Flood:
    """The alarms raised of late. `since_ms`: journal time since when a flood lasts, None: there is none."""

    def __init__(self) -> None:
        self.since_ms: int | None = None
        self._plan: FloodPlan | None = None
        self._raised: list[int] = []
        self._count = self._peak = 0
        self._folded: dict[str, int] = {}
        self._alarms: dict[str, str] = {}
        self._to: dict[str, None] = {}

    def activate(self, plan: FloodPlan | None) -> None:
        """A plan came into force."""
        self._plan = plan

    def due_ms(self) -> int | None:
        """When the flood ends if no alarm comes up before; None: there is none."""
        if self.since_ms is None:
            return None
        if self._plan is None or len(self._raised) < self._plan.ends_below:
            return self.since_ms
        # When so many have left the window that fewer than that are in it.
        return self._raised[-self._plan.ends_below] + self._plan.within_ms

    def watch(self, said: list[Announcement], now_ms: int) -> list[Announcement]:
        """What is said, a flood's begin before what begins it, and marked as folded while one lasts."""
        if self._plan is None:
            return said
        told: list[Announcement] = []
        for one in said:
            if one.kind is Kind.RAISED and one.state not in HIDDEN_STATES:
                self._raised.append(now_ms)
                self._forget(now_ms)
                self._count += 1
                self._peak = max(self._peak, len(self._raised))
                if self.since_ms is None and len(self._raised) > self._plan.begins_above:
                    self.since_ms = now_ms
                    self._count = self._peak = len(self._raised)
                    told.append(self._began(now_ms))
            told.append(self._fold(one) if self.since_ms is not None else one)
        return told

    def fire(self, now_ms: int) -> list[Announcement]:
        """The time has come at which the flood ends; nothing is said if it goes on."""
        self._forget(now_ms)
        plan = self._plan
        if self.since_ms is None or (plan is not None and len(self._raised) >= plan.ends_below):
            return []
        counts = {"count": str(self._count), "peak": str(self._peak)}
        counts |= {word: str(number) for word, number in self._folded.items()}
        more = len(self._alarms) - _NAMED_MAX
        if more > 0:
            counts["more_alarms"] = str(more)
        named = dict(list(self._alarms.items())[-_NAMED_MAX:])
        said = Announcement(
            Kind.FLOOD_ENDED,
            subject="gateway",
            priority=Priority.LOW if "low" in self._folded else Priority.TO_KNOW,
            since_ms=self.since_ms,
            end_ms=now_ms,
            axis="journal",
            detail=counts | named,
            to=tuple(self._to),
        )
        self.since_ms, self._count, self._peak = None, 0, 0
        self._folded, self._alarms, self._to = {}, {}, {}
        return [said]

    def leap(self, started_ms: int, by_ms: int) -> None:
        """A down time became known: what has come since the process start moves with it."""
        self._raised = [at + by_ms if at >= started_ms else at for at in self._raised]
        if self.since_ms is not None and self.since_ms >= started_ms:
            self.since_ms += by_ms

    def _began(self, now_ms: int) -> Announcement:
        return Announcement(
            Kind.FLOOD_BEGAN,
            subject="gateway",
            priority=Priority.HIGH,
            since_ms=self._raised[0],
            due_ms=now_ms,
            axis="journal",
            detail={"count": str(len(self._raised))},
        )

    def _fold(self, one: Announcement) -> Announcement:
        """An announcement in a flood: what is low or to know about an alarm is told at its end."""
        if not one.alarm or one.priority not in _FOLDED or one.kind is Kind.REFUSED:
            return one
        if one.kind is Kind.RAISED:
            self._folded[one.priority.value] = self._folded.get(one.priority.value, 0) + 1
        self._alarms.pop(f"alarm {one.alarm}", None)
        self._alarms[f"alarm {one.alarm}"] = one.state
        self._to |= dict.fromkeys(one.to)
        return replace(one, folded=True)

    def _forget(self, now_ms: int) -> None:
        within_ms = self._plan.within_ms if self._plan is not None else 0
        del self._raised[: bisect_right(self._raised, now_ms - within_ms)]
