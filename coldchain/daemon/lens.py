"""What a view needs beside the fold: names from the configuration, what was said and done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from coldchain.announcements import Announcement, Kind, Late
from coldchain.config.loaded import Loaded
from coldchain.fold import Fold
from coldchain.plan import ChannelPlan
from coldchain.web.alarm_views import ToldView
from coldchain.web.plain_views import Instant

#: UTC of an instant of journal time, None where the clock was never known.
Printed = Callable[[int], int | None]

#: What calls people who can do something about an alarm.
_CALLS = (Kind.RAISED, Kind.RE_ALARMED, Kind.ESCALATED, Kind.UNSHELVED, Kind.UNSUPPRESSED, Kind.IN_SERVICE)
#: Of one alarm, so many raisings and acknowledgements are remembered.
_RAISED, _TAKEN = 16, 8


@dataclass
class Notes:
    """What was said of one alarm beside its present state: who did what, what came late, what was not so.

    taken, shelved: who did it stands in them as a commitment, so that an erased name is shown no more;
    positions: where it last called somebody; late: why an occurrence was announced late; denied: excursions
    that late evidence did not confirm; called: when each contact was last called.
    """

    taken: list[tuple[Instant, Announcement]] = field(default_factory=list)
    shelved: Announcement | None = None
    detail: dict[str, str] = field(default_factory=dict)
    positions: list[int] = field(default_factory=list)
    late: dict[int, Late] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    unrecorded: bool = False
    called: dict[str, Instant] = field(default_factory=dict)

    def add(self, position: int, at: Instant, said: Announcement, *, recorded: bool) -> None:
        """Take note of one announcement about the alarm."""
        if said.kind in _CALLS:
            self.positions = [*self.positions[1 - _RAISED :], position]
            self.called |= dict.fromkeys(said.to, at)
        match said.kind:
            case Kind.RAISED:
                self.detail = said.detail
                self.unrecorded = not recorded
                if said.late is not None and said.occurrence is not None:
                    self.late = dict([*self.late.items(), (said.occurrence, said.late)][-_RAISED:])
            case Kind.NOT_CONFIRMED:
                self.denied.add(said.excursion)
            case Kind.ACKNOWLEDGED:
                self.taken = [*self.taken[1 - _TAKEN :], (at, said)]
            case Kind.SHELVED if said.actor:  # not one that a shorter maximum brought forward
                self.shelved = said
            case _:
                pass


@dataclass(frozen=True)
class Label:
    """What the configuration says of a channel that no rule needs."""

    title: str = ""
    serial: str = ""
    calibration_due: Instant | None = None


@dataclass(frozen=True)
class Lens:
    """Everything a view needs beside the fold. `text`: what a commitment stands for, "" if it was erased."""

    fold: Fold
    labels: Mapping[str, Label]
    notes: Mapping[str, Notes]
    told: Callable[[str], tuple[ToldView, ...]]
    text: Callable[[str], str]

    def instant(self, at_ms: int, *, journal: bool) -> Instant:
        """An event time for people."""
        if not journal:
            return Instant(at_ms, self.fold.timebase.known)
        utc_ms = self.fold.timebase.printed(at_ms)
        return Instant(at_ms if utc_ms is None else utc_ms, utc_ms is not None)

    def journal_axis(self, channel: ChannelPlan) -> bool:
        """Whether a channel's event times are journal time."""
        return not self.fold.channels.sources[channel.source].sends_time


def labels_of(loaded: Loaded) -> dict[str, Label]:
    """The labels of a configuration. A calibration is due at the end of its day, in UTC."""
    found = {}
    for name, channel in loaded.settings.channels.items():
        due = None
        if channel.calibration is not None:
            end = datetime.combine(channel.calibration.due, time.max, UTC)
            due = Instant(int(end.timestamp() * 1000))
        found[name] = Label(channel.title, channel.serial, due)
    return found
