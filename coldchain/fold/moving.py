"""Readings that were found to be from the future, moved back with their whole delivery."""

from __future__ import annotations

from coldchain.announcements import Announcement, Late
from coldchain.fold.channels import Taken
from coldchain.fold.state import State


def moved(state: State, source: str, taken: Taken) -> list[Announcement]:
    """Fold the places again that a moved delivery touches, and say what became known of the clock."""
    said = source_clock(state, source, taken)
    newest = state.channels.clocks[source].newest
    for move in taken.moved:
        for channel, from_ms in sorted(move.touched.items()):
            if move.back:
                state.silence.moved(channel, from_ms, move.by_ms)
            for place in state.by_channel.get(channel, ()):
                anchor = None
                here = place.track.channel
                if move.back and newest is not None and here is not None and here.id == channel:
                    anchor = (newest.arrival_ms, newest.judged_ms)
                told = place.moved(from_ms, anchor, state.moment(Late.FOUND_LATE))
                state.refresh_place(place, told)
                said += told
    return said


def source_clock(state: State, source: str, taken: Taken) -> list[Announcement]:
    """What became known of a source's clock."""
    if taken.clock is None:
        return []
    detail = {"ahead_ms": str(state.channels.clocks[source].ahead_ms)}
    return state.of_source(source, "clock", bad=taken.clock, detail=detail)
