"""Silence: who has not been heard for too long, and who speaks for whom.

A channel is silent when its newest GOOD or UNCERTAIN reading is older than it may be. Retained and
imported readings never make it look alive; a probe that sends BAD for ever is silent. If nothing at
all has come from the whole source, one alarm of the source stands for all its channels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from coldchain.model import Origin
from coldchain.plan import ChannelPlan, SourcePlan
from coldchain.rules.judging import BAD


class Verdict(Enum):
    """What a silence that fell due means."""

    CHANNEL = "channel"
    SOURCE = "source"
    STOOD_FOR = "stood_for"


@dataclass(slots=True)
class Watch:
    """One channel's silence. `newest_ms` is an event time on its axis, the others journal time."""

    plan: ChannelPlan
    place: str
    due_ms: int | None
    newest_ms: int
    set_ms: int  # when the deadline was set
    silent: bool = False
    stood_for: bool = False


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
    ) -> bool:
        """Begin to watch a channel, or take over its changed plan; True if it is watched anew.

        A silent one that is put to another place is watched anew: that place has heard nothing of it.
        """
        heard = self.sources.get(source.id)
        if heard is None:
            self.sources[source.id] = Heard(source, arrival_ms)
        else:
            heard.plan = source
        known = self.channels.get(channel.id)
        if known is None or (known.silent and known.place != place and not known.stood_for):
            due = arrival_ms + channel.fresh_within_ms + 1
            self.channels[channel.id] = Watch(channel, place, due, axis_ms, arrival_ms)
            return True
        known.place = place
        if known.due_ms is not None and known.plan.fresh_within_ms != channel.fresh_within_ms:
            known.due_ms += channel.fresh_within_ms - known.plan.fresh_within_ms
        known.plan = channel
        return False

    def forget(self, channel: str) -> None:
        """The channel measures no product any more."""
        self.channels.pop(channel, None)

    def measures(self, source: str) -> bool:
        """Whether a source still has a channel that is watched; if not, it may be silent for ever."""
        return any(watch.plan.source == source for watch in self.channels.values())

    def closed(self, source: str) -> None:
        """Somebody closed a source's alarm: it stands for no channel any more."""
        if source in self.sources:
            self.sources[source].down = False

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
            watch.stood_for = False
            watch.silent = False
            watch.due_ms = arrival_ms + self._round_ms(watch) + 1
            watch.set_ms = arrival_ms
        return freed

    def reading(
        self, channel: str, at_ms: int, quality: int, origin: Origin, arrival_ms: int, axis_now_ms: int | None
    ) -> bool:
        """A reading came; True if it ended this channel's silence.

        `axis_now_ms` is the arrival on the channel's axis, None while our clock is not known: then
        the arrival of a live reading newer than all before stands for its time.
        """
        watch = self.channels.get(channel)
        if watch is None or quality == BAD or origin in (Origin.RETAINED, Origin.IMPORTED):
            return False
        if at_ms < watch.newest_ms or (axis_now_ms is None and origin is not Origin.LIVE):
            return False
        watch.newest_ms = at_ms
        age = 0 if axis_now_ms is None else axis_now_ms - at_ms
        due = arrival_ms - age + watch.plan.fresh_within_ms + 1
        if due <= arrival_ms and watch.silent:
            return False
        watch.due_ms, watch.set_ms = due, arrival_ms
        ended, watch.silent = watch.silent, False
        watch.stood_for = False
        return ended

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

    def started(self, arrival_ms: int) -> list[Watch]:
        """The process began: what fell due while it was not running gets one round to speak."""
        self._one_round(arrival_ms, lambda watch: True)
        for heard in self.sources.values():
            if not heard.down:
                heard.at_ms = arrival_ms
        return list(self.channels.values())

    def leap(self, started_ms: int, arrival_ms: int, by_ms: int) -> list[Watch]:
        """A down time became known: what was set since the process start moves with it."""
        for watch in self.channels.values():
            if watch.due_ms is not None and watch.set_ms >= started_ms:
                watch.due_ms += by_ms
                watch.set_ms += by_ms
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
