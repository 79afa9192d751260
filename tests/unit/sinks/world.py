"""A small journal with a probe in a box, and receivers that can fail, forget and say no."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coldchain import announcements, facts
from coldchain.alarms import AlarmState
from coldchain.announcements import Announcement, Kind
from coldchain.clock import SystemClock
from coldchain.facts import Activated, ClockSet, Fact, Reading
from coldchain.journal import Batch, Deliveries, Entry, Journal, Notice
from coldchain.model import Priority
from coldchain.plan import AssetPlan, ChannelPlan, Plan, SourcePlan
from coldchain.sinks.base import Message, Point, Pulse, Sign, SinkError
from coldchain.sinks.thread import Report

#: 2026-11-02 14:26:10 UTC.
NOON = 1_793_629_570_000
AIR = "box-7.air"
HIGH = "box-7/air/high"


def plan(*, asset: str = "box-7", simulated: bool = False) -> Plan:
    """A probe that sends its own time and one that does not, both in one box."""

    def channel(name: str, source: str, role: str) -> ChannelPlan:
        return ChannelPlan(
            name, source, "temperature", asset, role, 60_000, 300_000, 120_000, -200_000, 60_000, unit="degC"
        )

    return Plan(
        site="cell-bank",
        sources=(
            SourcePlan("probe", "demo", 60_000, sends_time=True, simulated=simulated),
            SourcePlan("mute", "demo", 60_000),
        ),
        channels=(channel(AIR, "probe", "air"), channel("box-7.wall", "mute", "wall")),
        assets=(AssetPlan("box-7", "box"), AssetPlan("box-8", "box")),
    )


def reading(at_ms: int, raw: str = "-150.5", **words: object) -> Reading:
    """A reading of the probe that sends its time."""
    return Reading(source="probe", channel=AIR, raw=raw, unit="degC", at_ms=at_ms, **words)  # type: ignore[arg-type]


def raised(number: int = 1, **words: object) -> Announcement:
    """An alarm that is raised."""
    given: dict[str, object] = {
        "alarm": HIGH,
        "rule": "high",
        "subject": "box-7/air",
        "priority": Priority.CRITICAL,
        "state": AlarmState.UNACKNOWLEDGED.value,
        "occurrence": number,
        "since_ms": NOON,
        "due_ms": NOON,
        "value": -146_200,
        "limit": -150_000,
        "quantity": "temperature",
    }
    return Announcement(Kind.RAISED, **(given | words))  # type: ignore[arg-type]


@dataclass
class World:
    """A journal being written. Every fact is a commit of its own unless added together."""

    folder: Path
    journal: Journal = field(init=False)
    position: int = 0
    arrival_ms: int = 0

    def __post_init__(self) -> None:
        self.journal = Journal.open(self.folder / "journal.db")

    def close(self) -> None:
        """Close the journal."""
        self.journal.close()

    def deliveries(self) -> Deliveries:
        """A sink's connection."""
        return Deliveries.open(self.folder / "journal.db")

    def add(
        self, *given: Fact, said: Sequence[Announcement] = (), sinks: Sequence[str] = (), after_ms: int = 0
    ) -> int:
        """Commit facts; what is `said` belongs to the last one and is put into these sinks' outboxes."""
        self.arrival_ms += after_ms
        first = self.position + 1
        entries = [
            Entry(
                first + i,
                self.arrival_ms,
                facts.encode(fact),
                tuple(map(announcements.encode, said)) if fact is given[-1] else (),
            )
            for i, fact in enumerate(given)
        ]
        self.position += len(given)
        notices = [
            Notice(
                sink,
                f"n{self.position}-{ordinal}",
                self.position,
                ordinal,
                each.kind.value,
                announcements.encode(each),
            )
            for sink in sinks
            for ordinal, each in enumerate(said)
        ]
        self.journal.commit(Batch(tuple(entries), notices=tuple(notices)))
        return self.position

    def begin(self, *, simulated: bool = False) -> None:
        """Configuration and clock: journal time 0 is NOON."""
        self.add(Activated(plan(simulated=simulated), {}), ClockSet(NOON, "kernel"))


class Server:
    """A time-series database with a memory in two parts: what it took, and what is on its disk."""

    batch = 50
    doubt_ms = 0

    def __init__(self) -> None:
        self.taken: dict[tuple[object, ...], tuple[tuple[str, float], ...]] = {}
        self.on_disk: dict[tuple[object, ...], tuple[tuple[str, float], ...]] = {}
        self.requests: list[int] = []
        self.fails: Callable[[Sequence[Point]], SinkError | None] = lambda points: None
        self.signs: list[Sign] = []
        self.thrown_away: int | None = 0
        self.closed = False

    def write(self, points: Sequence[Point]) -> None:
        """Take points, or fail before or after taking them."""
        error = self.fails(points)
        if error is not None:
            raise error
        self.requests.append(len(points))
        for point in points:
            self.taken[(point.measurement, point.tags, point.time_ms)] = point.fields

    def sync(self) -> None:
        """What was taken is on the disk from now on."""
        self.on_disk.update(self.taken)

    def die(self) -> None:
        """Start anew with what was on the disk."""
        self.taken = dict(self.on_disk)
        self.signs.append(Sign.RESTARTED)

    def sign(self) -> Sign:
        """What the last death was worth, else the same."""
        return self.signs.pop(0) if self.signs else Sign.SAME

    def ignored(self) -> int | None:
        """What it threw away silently."""
        return self.thrown_away

    def close(self) -> None:
        """Closed."""
        self.closed = True


class People:
    """A notice sink that keeps what it was told."""

    def __init__(self, *, max_age_ms: int = 86_400_000, heartbeat_ms: int | None = None) -> None:
        self.max_age_ms = max_age_ms
        self.heartbeat_ms = heartbeat_ms
        self.told: list[Message] = []
        self.pulses: list[Pulse] = []
        self.fails: Callable[[Message], SinkError | None] = lambda message: None
        self.closed = False

    def tell(self, message: Message) -> str:
        """Take it, or fail."""
        error = self.fails(message)
        if error is not None:
            raise error
        self.told.append(message)
        return "ok"

    def beat(self, pulse: Pulse) -> None:
        """Keep it."""
        self.pulses.append(pulse)

    def close(self) -> None:
        """Closed."""
        self.closed = True


class HandClock(SystemClock):
    """A clock that a test moves by hand: journal, UTC and real time together."""

    def __init__(self, journal_ms: int = 0, *, known: bool = True) -> None:
        self.now_ms = journal_ms
        self.is_known = known

    def journal_ms(self) -> int:
        return self.now_ms

    def utc_ms(self) -> int:
        return NOON + self.now_ms

    def known(self) -> bool:
        return self.is_known

    def real_s(self) -> float:
        return self.now_ms / 1000


def reports() -> tuple[list[Report], Callable[[Report], None]]:
    """A list, and what fills it."""
    kept: list[Report] = []
    return kept, kept.append
