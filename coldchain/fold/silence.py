"""Silence: who has not been heard for too long, and who speaks for whom.

A channel is silent when its newest GOOD or UNCERTAIN reading is older than it may be. Retained and
imported readings never make it look alive; a probe that sends BAD for ever is silent. If nothing at
all has come from the whole source, one alarm of the source stands for all its channels; if nothing
has come from any source of a link (a broker, a bus), one alarm of the link for all of them; and one
of the gateway if it hears nothing from anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coldchain.model import Origin, Priority
from coldchain.plan import ChannelPlan, SourcePlan
from coldchain.rules.judging import BAD

#: Priorities, most urgent first.
_URGENCY = {priority: i for i, priority in enumerate(Priority)}


#: The alarm of a gateway that hears nothing from anywhere.
NOTHING_HEARD = "gateway/silence"


@dataclass(slots=True)
class Watch:
    """One channel's silence. `since_ms` and `heard_ms` are event times on its axis, the others journal time.

    since_ms: what its silence counts from: its newest reading, or when it began to be watched.
    heard_ms: its newest reading, None before the first.
    due_ms:   when it falls due, None while it is silent; natural_ms: when it would without what put it off.
    set_ms:   when the deadline was set. place: where it measures.
    stands:   the alarm that stands for its own, "" if none does.
    """

    plan: ChannelPlan
    place: str
    due_ms: int | None
    natural_ms: int
    since_ms: int
    set_ms: int
    heard_ms: int | None = None
    silent: bool = False
    stands: str = ""

    @property
    def due_event_ms(self) -> int:
        """The event time at which its silence was certain, when it has fallen due."""
        put_off = 0 if self.due_ms is None else self.due_ms - self.natural_ms
        return self.since_ms + self.plan.fresh_within_ms + 1 + put_off

    def count_from(self, due_ms: int, set_ms: int) -> None:
        """The deadline follows from a reading, or from the beginning."""
        self.due_ms = self.natural_ms = due_ms
        self.set_ms = set_ms


@dataclass(slots=True)
class Heard:
    """One source: when anything at all last came from it (journal time)."""

    plan: SourcePlan
    at_ms: int

    def is_quiet(self, now_ms: int) -> bool:
        """Whether nothing has come from it for longer than a round."""
        return now_ms - self.at_ms > self.plan.round_ms


class Silence:
    """The watches of all bound channels. `standing`: alarms that stand for those of several channels now."""

    def __init__(self) -> None:
        self.channels: dict[str, Watch] = {}
        self.sources: dict[str, Heard] = {}
        self.standing: set[str] = set()
        self._on_link: dict[str, int] = {}  # how many sources share it

    def watch(
        self, channel: ChannelPlan, source: SourcePlan, place: str, arrival_ms: int, axis_ms: int
    ) -> None:
        """Begin to watch a channel at a place, or take over its changed plan. `axis_ms`: now, on its axis."""
        heard = self.sources.get(source.id)
        if heard is None:
            self.sources[source.id] = Heard(source, arrival_ms)
            self._count(source.link, 1)
        elif heard.plan != source:
            self._count(heard.plan.link, -1)
            self._count(source.link, 1)
            heard.plan = source
        known = self.channels.get(channel.id)
        if known is None or known.place != place or known.plan.source != channel.source:
            due_ms = arrival_ms + channel.fresh_within_ms + 1
            self.channels[channel.id] = Watch(channel, place, due_ms, due_ms, axis_ms, arrival_ms)
            return
        longer = channel.fresh_within_ms - known.plan.fresh_within_ms
        known.plan = channel
        if known.due_ms is not None and longer:
            known.natural_ms += longer
            # Not due before the change was made, whatever it would have been by it.
            known.due_ms = max(known.due_ms + longer, min(known.due_ms, arrival_ms))

    def forget(self, channel: str) -> None:
        """The channel measures no product any more."""
        self.channels.pop(channel, None)

    def keep_sources(self, sources: set[str]) -> list[str]:
        """Forget every source that has left the plan; their names."""
        gone = sorted(self.sources.keys() - sources)
        for name in gone:
            self._count(self.sources.pop(name).plan.link, -1)
        self.standing = {alarm for alarm in self.standing if self.covered(alarm)}
        return gone

    def covered(self, alarm: str) -> list[str]:
        """The sources that an alarm stands for when it stands; none: it is no alarm of that kind."""
        if alarm == NOTHING_HEARD:
            return list(self.sources)
        kind, _, name = alarm.partition(":")
        if kind == "port":
            return [name] if name in self.sources else []
        if kind != "link":
            return []
        return [source for source, heard in self.sources.items() if heard.plan.link == name]

    def heard(self, source: str, arrival_ms: int) -> tuple[list[str], list[Watch]]:
        """Something came from a source: the alarms that no longer stand, and the channels they stood for.

        Those get one round to speak.
        """
        known = self.sources.get(source)
        if known is None:
            return [], []
        known.at_ms = arrival_ms
        if not self.standing:
            return [], []
        over = [alarm for alarm in self._above(source) if alarm in self.standing]
        self.standing.difference_update(over)
        freed = [watch for watch in self.channels.values() if over and watch.stands in over]
        for watch in freed:
            watch.stands, watch.silent = "", False
            watch.due_ms = arrival_ms + self._round_ms(watch) + 1
            watch.set_ms = arrival_ms
        return over, freed

    def reading(
        self, channel: str, at_ms: int, quality: int, origin: Origin, arrival_ms: int, axis_now_ms: int | None
    ) -> bool:
        """A reading came; True if the channel is not silent by it.

        `axis_now_ms` is the arrival on the channel's axis, None while our clock is not known: then
        the arrival of a live reading newer than all before stands for its time. A time from ahead
        counts as now: no clock that is wrong puts a silence off.
        """
        watch = self.channels.get(channel)
        if watch is None or quality == BAD or origin in (Origin.RETAINED, Origin.IMPORTED):
            return False
        if watch.heard_ms is not None and at_ms < watch.heard_ms:
            return False
        if axis_now_ms is None and (origin is not Origin.LIVE or at_ms == watch.heard_ms):
            return False
        watch.heard_ms = at_ms
        age_ms = 0 if axis_now_ms is None else max(0, axis_now_ms - at_ms)
        due_ms = arrival_ms - age_ms + watch.plan.fresh_within_ms + 1
        watch.since_ms = at_ms
        if watch.due_ms is None:
            if due_ms <= arrival_ms:
                return False
        elif watch.due_ms > due_ms:
            # What was given (since the activation, one round after a start) no older reading takes back.
            watch.natural_ms, watch.set_ms = due_ms, arrival_ms
            return True
        watch.count_from(due_ms, arrival_ms)
        watch.silent, watch.stands = False, ""
        return True

    def moved(self, channel: str, from_ms: int, by_ms: int) -> None:
        """Readings were found to be from the future and moved back, the earliest of them to `from_ms`."""
        watch = self.channels.get(channel)
        if watch is None or watch.heard_ms is None or watch.heard_ms < from_ms + by_ms:
            return
        if watch.since_ms == watch.heard_ms:
            watch.since_ms -= by_ms
        watch.heard_ms -= by_ms

    def fell_due(self, channel: str, now_ms: int) -> str:
        """A silence fell due: the alarm to raise for it, "" if one that stands speaks for it already.

        The alarm is the one that stands for the most: of the whole gateway, of a link, of a source.
        """
        watch = self.channels[channel]
        watch.silent, watch.due_ms = True, None
        above = self._above(watch.plan.source)
        watch.stands = next((alarm for alarm in above if alarm in self.standing), "")
        if watch.stands:
            return ""
        quiet = [
            alarm
            for alarm in above
            if all(self.sources[name].is_quiet(now_ms) for name in self.covered(alarm))
        ]
        if not quiet:
            return f"{watch.place}/silence"
        watch.stands = quiet[-1]
        self.standing.add(watch.stands)
        return watch.stands

    def most_urgent(self, alarm: str) -> ChannelPlan | None:
        """Of all channels that an alarm stands for the one whose silence is the most urgent."""
        sources = set(self.covered(alarm))
        mine = [watch.plan for watch in self.channels.values() if watch.plan.source in sources]
        return min(mine, key=lambda plan: (_URGENCY[plan.silence_priority], plan.id), default=None)

    def _above(self, source: str) -> list[str]:
        """The alarms that may stand for a source's channels, from the nearest on."""
        link = self.sources[source].plan.link
        found = [f"port:{source}"]
        sharing = self._on_link.get(link, 1) if link else 1
        if sharing > 1:
            found.append(f"link:{link}")
        if len(self.sources) > sharing:
            found.append(NOTHING_HEARD)
        return found

    def started(self, arrival_ms: int) -> list[Watch]:
        """The process began: what fell due while it was not running gets one round to speak."""
        self._one_round(arrival_ms, lambda watch: True)
        for name, heard in self.sources.items():
            if not any(alarm in self.standing for alarm in self._above(name)):
                heard.at_ms = arrival_ms
        return list(self.channels.values())

    def leap(
        self, started_ms: int, arrival_ms: int, by_ms: int, journal_axis: Callable[[ChannelPlan], bool]
    ) -> list[Watch]:
        """A down time became known: what was set since the process start moves with it."""
        for watch in self.channels.values():
            if watch.set_ms >= started_ms:
                watch.set_ms += by_ms
                watch.natural_ms += by_ms
                watch.due_ms = None if watch.due_ms is None else watch.due_ms + by_ms
            if journal_axis(watch.plan):
                watch.since_ms += by_ms if watch.since_ms >= started_ms else 0
                if watch.heard_ms is not None and watch.heard_ms >= started_ms:
                    watch.heard_ms += by_ms
        self._one_round(arrival_ms, lambda watch: watch.set_ms < started_ms)
        for heard in self.sources.values():
            if heard.at_ms >= started_ms:
                heard.at_ms += by_ms
        return list(self.channels.values())

    def _count(self, link: str, by: int) -> None:
        self._on_link[link] = self._on_link.get(link, 0) + by

    def _one_round(self, arrival_ms: int, chosen: Callable[[Watch], bool]) -> None:
        for watch in self.channels.values():
            if watch.due_ms is not None and chosen(watch):
                watch.due_ms = max(watch.due_ms, arrival_ms + self._round_ms(watch) + 1)

    def _round_ms(self, watch: Watch) -> int:
        """One poll or upload round of a channel's source."""
        return max(self.sources[watch.plan.source].plan.round_ms, watch.plan.interval_ms)
