"""Readings that were found to be from the future, moved back with their whole delivery."""

from __future__ import annotations

from coldchain.announcements import Announcement, Late
from coldchain.fold.channels import Taken
from coldchain.fold.state import State


def moved(state: State, source: str, taken: Taken) -> list[Announcement]:
    """Fold the places again that a moved delivery touches, and say what became known of the clock."""
    said = source_clock(state, source, taken)
    for channel, from_ms in taken.moved.items():
        state.silence.moved(channel, from_ms, taken.moved_by_ms)
    newest = state.channels.clocks[source].newest
    for channel in sorted(taken.moved):
        for place in state.by_channel.get(channel, ()):
            anchor = None
            if newest is not None and place.track.channel is not None and place.track.channel.id == channel:
                anchor = (newest.arrival_ms, newest.judged_ms)
            told = place.moved(taken.moved[channel], anchor, state.moment(Late.FOUND_LATE))
            state.refresh_place(place, told)
            said += told
    return said


def source_clock(state: State, source: str, taken: Taken) -> list[Announcement]:
    """What became known of a source's clock."""
    if taken.clock is None:
        return []
    detail = {"ahead_ms": str(state.channels.clocks[source].ahead_ms)}
    return state.of_source(source, "clock", bad=taken.clock, detail=detail)
