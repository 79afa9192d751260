"""The veil: which alarms call nobody now, for works at their vessels, and which places are blind by it.

Only calling is suppressed. Rules go on judging, excursions go on, and every occurrence is recorded.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from coldchain.alarms.table import AlarmState
from coldchain.alarms.works import Underway, WorkState
from coldchain.fold.silence import Silence
from coldchain.plan import Work

#: So many spans in which a place was blind are remembered; the journal has them all.
SPANS_KEPT = 1000


class Veil:
    """All works that are not over, by their key.

    changed: what is hidden may have changed since places were last told blind or seeing.
    """

    def __init__(self, silence: Silence) -> None:
        self.works: dict[str, Underway] = {}
        #: Works whose cause must be seen to have ceased before it may begin one again.
        self.spent: set[str] = set()
        #: By place, the vessel's kinds of work whose cause is read there.
        self.causes: dict[str, list[tuple[str, Work]]] = {}
        self.blind = Blindness()
        self.changed = False
        self._silence = silence

    def under_way(self) -> Iterable[Underway]:
        """The works that hide something now."""
        return (work for work in self.works.values() if work.state is WorkState.UNDER_WAY)

    def standing(self) -> list[Underway]:
        """The works in the order of their keys."""
        return [work for _, work in sorted(self.works.items())]

    def hides(self, alarm: str, subject: str, rule: str) -> AlarmState | None:
        """The state in which works hide an alarm, None if they do not."""
        found: AlarmState | None = None
        for work in self.under_way():
            if self.over(work, alarm, subject, rule):
                if not work.work.hides:
                    return AlarmState.OUT_OF_SERVICE
                found = AlarmState.SUPPRESSED
        return found

    def over(self, work: Underway, alarm: str, subject: str, rule: str) -> bool:
        """Whether a work hides an alarm while it is under way."""
        return work.hides(alarm, subject, rule) or (not work.work.hides and self._speaks_for(work, alarm))

    def awaited_at(self, place: str) -> list[Underway]:
        """The works that readings at a place may show to be done."""
        return [
            work
            for work in self.works.values()
            if work.awaits and work.work.sign is not None and f"{work.asset}/{work.work.sign.role}" == place
        ]

    def leap(self, started_ms: int, by_ms: int) -> list[Underway]:
        """A down time became known: what was set since the process start moves along; the works that did."""
        moved = []
        for key, work in self.works.items():
            if work.set_ms < started_ms:
                continue
            due_ms = None if work.due_ms is None else work.due_ms + by_ms
            until_ms = work.until_ms + (by_ms if work.began_ms >= started_ms else 0)
            began_ms = work.began_ms + (by_ms if work.began_ms >= started_ms else 0)
            counts_ms = work.counts_ms + (by_ms if work.counts_ms >= started_ms else 0)
            self.works[key] = replace(
                work,
                began_ms=began_ms,
                until_ms=until_ms,
                counts_ms=counts_ms,
                due_ms=due_ms,
                set_ms=work.set_ms + by_ms,
            )
            moved.append(self.works[key])
        self.blind.leap(started_ms, by_ms)
        return moved

    def _speaks_for(self, work: Underway, alarm: str) -> bool:
        """Whether an alarm stands for probes all of which are out of service with their places."""
        covered = set(self._silence.covered(alarm))
        mine = [watch.place for watch in self._silence.channels.values() if watch.plan.source in covered]
        return bool(mine) and all(work.hides(f"{place}/silence", place, "silence") for place in mine)


class Blindness:
    """When places were without some of their alarms, in journal time."""

    def __init__(self) -> None:
        self.since: dict[str, int] = {}
        self._began: dict[str, list[int]] = {}
        self._ended: dict[str, list[int]] = {}

    def now(self, blind: Mapping[str, str], now_ms: int) -> tuple[list[str], list[tuple[str, int]]]:
        """These places are blind now: which were not before, and which see again (and had not since when)."""
        begun = sorted(blind.keys() - self.since.keys())
        over = [(place, self.since.pop(place)) for place in sorted(self.since.keys() - blind.keys())]
        for place in begun:
            self.since[place] = now_ms
        for place, since_ms in over:
            self._keep(place, since_ms, now_ms)
        return begun, over

    def total_ms(self, place: str, from_ms: int, to_ms: int) -> int:
        """How long a place was blind between two instants, as far as it is remembered."""
        now_ms = max(0, to_ms - max(self.since[place], from_ms)) if place in self.since else 0
        return self.over_ms(place, from_ms, to_ms) + now_ms

    def over_ms(self, place: str, from_ms: int, to_ms: int) -> int:
        """The same without the span that lasts."""
        began, ended = self._began.get(place, []), self._ended.get(place, [])
        first = bisect_left(ended, from_ms)
        spans = zip(began[first:], ended[first:], strict=True)
        return sum(max(0, min(end, to_ms) - max(start, from_ms)) for start, end in spans)

    def leap(self, started_ms: int, by_ms: int) -> None:
        """What began or ended since the process start moves with a down time that became known."""
        for times in (*self._began.values(), *self._ended.values()):
            for i in range(bisect_left(times, started_ms), len(times)):
                times[i] += by_ms
        for place, since_ms in self.since.items():
            if since_ms >= started_ms:
                self.since[place] = since_ms + by_ms

    def _keep(self, place: str, since_ms: int, now_ms: int) -> None:
        began, ended = self._began.setdefault(place, []), self._ended.setdefault(place, [])
        began.append(since_ms)
        ended.append(now_ms)
        if len(began) > SPANS_KEPT:
            del began[0], ended[0]
