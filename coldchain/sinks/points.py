"""From facts to points of a time series: what was measured, as judged, and what became of the alarms.

The same facts give the same points however often they are sent, so the receiver can drop repeats by series
and time. That is why the times here are made from the journal alone: a source that sends no time gets its
arrival, printed by the first clock fact that holds for it, and never by the clock of the moment of sending.

All fields are numbers (some servers store a text as the number 0): quality 0 BAD, 1 UNCERTAIN, 2 GOOD; alarm
states as in `STATE_NUMBERS`. Whether a reading is simulated is a tag, so no query can mix it in unawares.
"""

from __future__ import annotations

from collections.abc import Iterable

from coldchain.alarms.table import AlarmState
from coldchain.announcements import Announcement, Kind
from coldchain.evidence.meaning import Meaning
from coldchain.facts import Fact, Lost, ProcessStarted, Reading, SourceDown, SourceUp, Unreadable
from coldchain.model import Origin
from coldchain.rules.judging import BAD, GOOD, UNCERTAIN
from coldchain.sinks.base import Point
from coldchain.units import QUANTITIES

#: Fixed for ever, since they lie in other people's databases.
QUALITY_NUMBERS = {BAD: 0.0, UNCERTAIN: 1.0, GOOD: 2.0}
STATE_NUMBERS = {
    AlarmState.NORMAL: 0.0,
    AlarmState.UNACKNOWLEDGED: 1.0,
    AlarmState.ACKNOWLEDGED: 2.0,
    AlarmState.RETURNED: 3.0,
    AlarmState.SHELVED: 4.0,
    AlarmState.SUPPRESSED: 5.0,
    AlarmState.OUT_OF_SERVICE: 6.0,
}


class Lens(Meaning):
    """What facts mean as points, as known at a position."""

    def points(self, arrival_ms: int, fact: Fact, said: Iterable[Announcement]) -> list[Point]:
        """The points of one fact and of what was announced at it. Raises TimeUnknown."""
        found = self._of(arrival_ms, fact)
        told = (each for each in said if each.alarm and each.kind is not Kind.REFUSED)
        return found + [self._alarm(arrival_ms, each) for each in told]

    def _of(self, arrival_ms: int, fact: Fact) -> list[Point]:
        match fact:
            case Reading():
                return self._reading(arrival_ms, fact)
            case Unreadable():
                tags = self._tags(source=fact.source, reason=fact.reason.value)
                return [Point("unreadable", tags, (("count", 1.0),), self.utc(arrival_ms))]
            case Lost():
                tags = self._tags(source=fact.source)
                return [Point("lost", tags, (("count", float(fact.count)),), self.utc(arrival_ms))]
            case SourceUp() | SourceDown():
                up = float(isinstance(fact, SourceUp))
                return [Point("source", self._tags(source=fact.source), (("up", up),), self.utc(arrival_ms))]
            case ProcessStarted():
                return [Point("process", self._tags(), (("started", 1.0),), self.utc(arrival_ms))]
            case _:
                return []

    def _reading(self, arrival_ms: int, fact: Reading) -> list[Point]:
        judged = self.judged(arrival_ms, fact)
        tags = self._tags(
            asset=judged.asset,
            role=judged.role,
            channel=judged.channel,
            source=judged.source,
            # An imported file stands beside what the device sent live; all other origins are one series.
            origin="imported" if judged.origin is Origin.IMPORTED else "device",
            simulated=_yes_no(judged.simulated),
        )
        found = []
        if judged.quantity:
            fields: tuple[tuple[str, float], ...] = (("quality", QUALITY_NUMBERS[judged.quality]),)
            if judged.quality != BAD:
                fields = (("value", QUANTITIES[judged.quantity].to_float(judged.value)), *fields)
            found.append(Point(judged.quantity, tags, fields, judged.at_ms))
        if judged.reason:
            found.append(
                Point("not_good", _and(tags, "reason", judged.reason), (("count", 1.0),), judged.at_ms)
            )
        return found

    def _alarm(self, arrival_ms: int, said: Announcement) -> Point:
        tags = self._tags(
            alarm=said.alarm,
            priority=said.priority.value if said.priority is not None else "",
            simulated=_yes_no(said.simulated),
            unapproved=_yes_no(said.unapproved),
        )
        fields: list[tuple[str, float]] = []
        if said.state:
            fields.append(("state", STATE_NUMBERS[AlarmState(said.state)]))
        if said.occurrence is not None:
            fields.append(("occurrence", float(said.occurrence)))
        return Point("alarm", tags, tuple(fields) or (("said", 1.0),), self.utc(arrival_ms))

    def _tags(self, **tags: str) -> tuple[tuple[str, str], ...]:
        return tuple((key, value) for key, value in (("site", self.site), *tags.items()) if value)


def _yes_no(is_so: bool) -> str:
    return "true" if is_so else "false"


def _and(tags: tuple[tuple[str, str], ...], key: str, value: str) -> tuple[tuple[str, str], ...]:
    return (*tags, (key, value))
