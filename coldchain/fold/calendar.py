"""Certificates that run out: one alarm a probe, until a new date is configured.

What a probe says after that day is judged as before; nobody vouches for its error any more. A date is of UTC,
so nothing here happens while our clock is not known, and nothing is taken back for it. Channels that share a
certificate are one probe. Of a probe that is bound to no vessel (it lies at the laboratory) nothing is asked.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from coldchain.announcements import Announcement, Kind, Late
from coldchain.fold.deadlines import Deadline, DueKind
from coldchain.fold.desk import About, Desk, late_reason
from coldchain.fold.timebase import Timebase
from coldchain.model import Priority
from coldchain.plan import ChannelPlan

#: The alarm's word; its id is "probe:CHANNEL/calibration".
CALIBRATION = "calibration"
#: What a note says when the day is near.
DUE_SOON = "calibration_due_soon"


def alarm_of(channel: str) -> str:
    """The alarm about the certificate of the probe behind a channel."""
    return f"probe:{channel}/{CALIBRATION}"


class Certificate(Struct, frozen=True):
    """A probe's certificate, in the name of one of its channels. Times are UTC."""

    channel: str
    name: str
    places: tuple[str, ...]
    due_ms: int
    ahead_ms: int | None
    simulated: bool

    @property
    def alarm(self) -> str:
        """The one alarm about it."""
        return alarm_of(self.channel)

    @property
    def detail(self) -> dict[str, str]:
        """What people need to find it."""
        return {"certificate": self.name, "measures": ",".join(self.places), "due_ms": str(self.due_ms)}


class Calendar:
    """The certificates of all probes that measure somewhere, and of which we said that their day is near."""

    def __init__(self) -> None:
        self._held: dict[str, Certificate] = {}
        self._said: set[tuple[str, int]] = set()

    def hold(self, measuring: Iterable[tuple[ChannelPlan, str, bool]]) -> None:
        """These are all: (channel, the place where it measures, whether it is simulated)."""
        probes: dict[tuple[str, str], list[tuple[ChannelPlan, str, bool]]] = {}
        for plan, place, simulated in measuring:
            if plan.calibration_due_ms is not None:
                probes.setdefault((plan.source, plan.certificate or plan.id), []).append(
                    (plan, place, simulated)
                )
        named, self._held = self._held, {}
        for own in probes.values():
            # An alarm keeps its name when another channel of its probe comes to stand before the first.
            own.sort(key=lambda each: (alarm_of(each[0].id) not in named, each[0].id))
            due = [plan.calibration_due_ms for plan, _, _ in own if plan.calibration_due_ms is not None]
            ahead = [plan.calibration_ahead_ms for plan, _, _ in own if plan.calibration_ahead_ms is not None]
            first, _, simulated = own[0]
            made = Certificate(
                channel=first.id,
                name=first.certificate,
                places=tuple(place for _, place, _ in own),
                due_ms=min(due),
                ahead_ms=max(ahead, default=None),
                simulated=simulated,
            )
            self._held[made.alarm] = made

    def settle(self, desk: Desk, timebase: Timebase, now_ms: int, late: Late) -> list[Announcement]:
        """Say what the date makes of each certificate; `late`: why, if late."""
        said: list[Announcement] = []
        for alarm, about in sorted(desk.about.items()):
            if about.rule == CALIBRATION and about.subject.startswith("probe:") and alarm not in self._held:
                said += desk.gone(alarm, now_ms)  # another probe, or none, measures there now
        utc_ms = timebase.utc(now_ms)
        if utc_ms is None:
            return said
        for alarm, one in sorted(self._held.items()):
            if utc_ms < one.due_ms:
                said += desk.gone(alarm, now_ms)
                said += self._soon(one, utc_ms)
            elif not desk.condition(alarm) and not desk.closed(alarm):
                about = About(
                    alarm, CALIBRATION, f"probe:{one.channel}", Priority.LOW, simulated=one.simulated
                )
                why = late_reason(timebase.journal(one.due_ms), now_ms, late)
                said += desk.raise_(about, "", one.due_ms, one.due_ms, now_ms, late=why, detail=one.detail)
        return said

    def deadline(self, timebase: Timebase, now_ms: int) -> Deadline | None:
        """When the next certificate has something to say, None while our clock is not known."""
        utc_ms = timebase.utc(now_ms)
        if utc_ms is None:
            return None
        days = [day for one in self._held.values() for day in self._days(one) if day > utc_ms]
        at_ms = timebase.journal(min(days)) if days else None
        return None if at_ms is None else Deadline(at_ms, "gateway", CALIBRATION, DueKind.CALENDAR)

    def holds(self, alarm: str) -> bool:
        """Whether the configuration decides about an alarm: it is of a certificate that is held."""
        return alarm in self._held

    def _soon(self, one: Certificate, utc_ms: int) -> list[Announcement]:
        """The day is near, said once."""
        if (
            one.ahead_ms is None
            or utc_ms < one.due_ms - one.ahead_ms
            or (one.alarm, one.due_ms) in self._said
        ):
            return []
        self._said.add((one.alarm, one.due_ms))
        return [
            Announcement(
                Kind.NOTE,
                subject=f"probe:{one.channel}",
                priority=Priority.TO_KNOW,
                text=DUE_SOON,
                since_ms=one.due_ms,
                detail=one.detail,
                simulated=one.simulated,
            )
        ]

    def _days(self, one: Certificate) -> tuple[int, ...]:
        return (one.due_ms,) if one.ahead_ms is None else (one.due_ms - one.ahead_ms, one.due_ms)
