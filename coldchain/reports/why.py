"""Why an alarm, as data: what was measured, what its rule made of it, whose limit it was, who was told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import tzinfo

from coldchain.announcements import Announcement, Late
from coldchain.consignments.line import Segment
from coldchain.fold import Fold
from coldchain.fold.conditioning import corrected
from coldchain.fold.coverage import Coverage
from coldchain.model import Origin, Priority, Quality, Reason
from coldchain.plan import ChannelPlan, Rule
from coldchain.reports.statistics import Gap, Point
from coldchain.rules.judging import Interval


class Unknown(Exception):
    """There is no such alarm or excursion; `near` are names that may have been meant."""

    def __init__(self, asked: str, near: tuple[str, ...]) -> None:
        super().__init__(f"no alarm and no excursion {asked} is known in this journal")
        self.asked, self.near = asked, near


@dataclass(frozen=True)
class Read:
    """One reading: as sent, before calibration, as judged. Values in quanta, None where there is none."""

    at_ms: int
    raw: str
    unit: str
    before: int | None
    value: int | None
    quality: Quality
    reason: Reason | None
    origin: Origin


@dataclass(frozen=True)
class Step:
    """One change of the rule's state, in event time: `what` is one of the words below."""

    at_ms: int
    what: str
    value: int | None = None


#: Words of a `Step`.
OPENED, EXTREME, DUE, PENDING = "opened", "extreme", "due", "pending"
TRIGGERED, ENDED, RETURNED = "triggered", "ended", "returned"


@dataclass(frozen=True)
class Spoken:
    """An announcement as the journal keeps it, with whoever it names in plain words."""

    position: int
    announced_ms: int
    said: Announcement
    who: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Receipt:
    """Whom one of the announcements went to: `state` is told, refused, folded or waiting."""

    position: int
    sink: str
    state: str
    at_ms: int | None
    detail: str


@dataclass(frozen=True)
class Certificate:
    """What the configuration in force says of the probe's calibration."""

    certificate: str
    due: str
    uncertainty: str


@dataclass(frozen=True)
class GivenBack:
    """A resolution: which excursion, by whom and why, when (journal time), and its span in event time."""

    excursion: str
    who: str
    comment: str
    at_ms: int
    from_ms: int
    to_ms: int


@dataclass(frozen=True)
class Why:
    """Everything that answers why. Event times are on the channel's axis; `Answer.utc` tells them."""

    alarm: str
    excursion: str
    occurrence: int | None
    subject: str
    rule_id: str
    priority: Priority | None
    quantity: str
    rule: Rule | None = None
    rules: tuple[Rule, ...] = ()
    segment: Segment | None = None
    profile_sha256: str = ""
    channel: ChannelPlan | None = None
    source: str = ""
    certificate: Certificate | None = None
    interval: Interval | None = None
    confirmed: bool = True
    links: dict[str, str] = field(default_factory=dict)
    resolved: tuple[GivenBack, ...] = ()
    steps: tuple[Step, ...] = ()
    readings: tuple[Read, ...] = ()
    gaps: tuple[Gap, ...] = ()
    from_ms: int = 0
    to_ms: int = 0
    spoken: tuple[Spoken, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    coverage: Coverage | None = None
    simulated: bool = False
    unapproved: bool = False
    engine: str = ""
    other_engine: bool = False
    late: Late | None = None

    @property
    def points(self) -> tuple[Point, ...]:
        """The readings, for drawing."""
        return points_of(self.readings)


@dataclass(frozen=True)
class Answer:
    """A `Why` and what tells its times: event times on the channel's axis, and journal times, as UTC."""

    why: Why
    fold: Fold
    zone: tzinfo
    journal_axis: bool

    def utc(self, at_ms: int) -> int:
        """An event time in UTC; of a source without a clock, journal time by our mapping."""
        return self.journal_utc(at_ms) if self.journal_axis else at_ms

    def journal_utc(self, journal_ms: int) -> int:
        """An instant of journal time in UTC, as far as it was ever known."""
        printed = self.fold.timebase.printed(journal_ms)
        return journal_ms if printed is None else printed

    @property
    def clock_known(self) -> bool:
        """Whether anybody vouches for the clock that tells these times."""
        return self.fold.timebase.known


def points_of(readings: Iterable[Read]) -> tuple[Point, ...]:
    """Readings as points of a curve."""
    return tuple(
        Point(read.at_ms, read.value, read.reason, read.quality is Quality.GOOD) for read in readings
    )


def calibrated(channel: ChannelPlan, read: Read) -> int | None:
    """What the calibration makes of a reading; None where there is nothing to correct."""
    return None if read.before is None or not channel.calibration else corrected(channel, read.before)
