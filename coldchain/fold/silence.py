"""Silence: who has not been heard for too long, and who speaks for whom.

A channel is silent when its newest GOOD or UNCERTAIN reading is older than it may be. Retained and
imported readings never make it look alive; a probe that sends BAD for ever is silent. If nothing at
all has come from the whole source, one alarm of the source stands for all its channels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from coldchain.model import Origin, Priority
from coldchain.plan import ChannelPlan, SourcePlan
from coldchain.rules.judging import BAD

#: Priorities, most urgent first.
_URGENCY = {priority: i for i, priority in enumerate(Priority)}


class Verdict(Enum):
    """What a silence that fell due means."""

    CHANNEL = "channel"
    SOURCE = "source"
    STOOD_FOR = "stood_for"


@dataclass(slots=True)
class Watch:
    """One channel's silence. `since_ms` and `heard_ms` are event times on its axis, the others journal time.

    since_ms: what its silence counts from: its newest reading, or when it began to be watched.
    heard_ms: its newest reading, None before the first.
    due_ms:   when it falls due, None while it is silent; natural_ms: when it would without what put it off.
    set_ms:   when the deadline was set. place: where it measures.
    """

    plan: ChannelPlan
    place: str
    due_ms: int | None
    natural_ms: int
    since_ms: int
    set_ms: int
    heard_ms: int | None = None
    silent: bool = False
    stood_for: bool = False

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
    """One source: when anything at all last came from it (journal time), and whether it is down."""

    plan: SourcePlan
    at_ms: int
    down: bool = False


class Silence:
    """The watches of all bound channels."""

    def __init__(self) -> None:
        self.channels: dict[str, Watch] = {}
        self.sources: dict[str, Heard] = {}

    def watch(
        self, channel: ChannelPlan, source: SourcePlan, place: str, arrival_ms: int, axis_ms: int
    ) -> None:
        """Begin to watch a channel at a place, or take over its changed plan. `axis_ms`: now, on its axis."""
        heard = self.sources.get(source.id)
        if heard is None:
            self.sources[source.id] = Heard(source, arrival_ms)
        else:
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
            del self.sources[name]
        return gone

    def heard(self, source: str, arrival_ms: int) -> list[Watch]:
        """Something came from a source: the channels its alarm stood for get one round to speak."""
        known = self.sources.get(source)
        if known is None:
            return []
        known.at_ms = arrival_ms
        if not known.down:
            return []
        known.down = False
        freed = [w for w in self.channels.values() if w.plan.source == source and w.stood_for]
        for watch in freed:
            watch.stood_for = watch.silent = False
            watch.due_ms = arrival_ms + self._round_ms(watch) + 1
            watch.set_ms = arrival_ms
        return freed

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
        watch.silent = watch.stood_for = False
        return True

    def moved(self, channel: str, from_ms: int, by_ms: int) -> None:
        """Readings were found to be from the future and moved back, the earliest of them to `from_ms`."""
        watch = self.channels.get(channel)
        if watch is None or watch.heard_ms is None or watch.heard_ms < from_ms + by_ms:
            return
        if watch.since_ms == watch.heard_ms:
            watch.since_ms -= by_ms
        watch.heard_ms -= by_ms

    def fell_due(self, channel: str, now_ms: int) -> Verdict:
        """A silence fell due: is it the channel's own, or its whole source's?"""
        watch = self.channels[channel]
        watch.silent, watch.due_ms = True, None
        heard = self.sources[watch.plan.source]
        if heard.down:
            watch.stood_for = True
            return Verdict.STOOD_FOR
        if now_ms - heard.at_ms > heard.plan.round_ms:
            heard.down = True
            watch.stood_for = True
            return Verdict.SOURCE
        return Verdict.CHANNEL

    def most_urgent(self, source: str) -> ChannelPlan | None:
        """Of a source's channels the one whose silence is the most urgent."""
        mine = [watch.plan for watch in self.channels.values() if watch.plan.source == source]
        return min(mine, key=lambda plan: (_URGENCY[plan.silence_priority], plan.id), default=None)

    def started(self, arrival_ms: int) -> list[Watch]:
        """The process began: what fell due while it was not running gets one round to speak."""
        self._one_round(arrival_ms, lambda watch: True)
        for heard in self.sources.values():
            if not heard.down:
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

    def _one_round(self, arrival_ms: int, chosen: Callable[[Watch], bool]) -> None:
        for watch in self.channels.values():
            if watch.due_ms is not None and chosen(watch):
                watch.due_ms = max(watch.due_ms, arrival_ms + self._round_ms(watch) + 1)

    def _round_ms(self, watch: Watch) -> int:
        """One poll or upload round of a channel's source."""
        return max(self.sources[watch.plan.source].plan.round_ms, watch.plan.interval_ms)
