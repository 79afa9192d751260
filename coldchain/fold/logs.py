"""Imported logs: a logger becomes known, its readings come in, and then the log is judged as a whole.

The readings come before the fact that says where they were measured. So a log is judged in one step,
whatever its order and however long it takes to write down, and one that was broken off is judged by nothing.
"""

from __future__ import annotations

from coldchain.announcements import Announcement, Kind
from coldchain.consignments import logs
from coldchain.fold.changing import LATEST_MS, set_channel_lines, set_line, when_of
from coldchain.fold.state import State
from coldchain.logged import FileImported, LoggerKnown


def told(state: State, fact: LoggerKnown | FileImported) -> list[Announcement]:
    """Take it in, or refuse it aloud."""
    return _known(state, fact) if isinstance(fact, LoggerKnown) else _imported(state, fact)


def _known(state: State, fact: LoggerKnown) -> list[Announcement]:
    refused = logs.know(state.lane, fact)
    if refused is not None:
        return [Announcement(Kind.REFUSED, text=refused, actor=fact.actor)]
    state.channels.activate(state.lane.plan)
    set_channel_lines(state)
    return []


def _imported(state: State, fact: FileImported) -> list[Announcement]:
    """Where nothing else measured its place then, a log is judged there; else it stands beside."""
    for log in fact.logs:
        if log.channel not in state.lane.loggers.channels:
            return [Announcement(Kind.REFUSED, text=f"unknown channel {log.channel}", actor=fact.actor)]
        if not -LATEST_MS < log.from_ms < log.until_ms < LATEST_MS:
            return [Announcement(Kind.REFUSED, text="that is no time", actor=fact.actor)]
    said: list[Announcement] = []
    for log in fact.logs:
        logs.log(state.lane, log.channel, when_of(state, log.from_ms), when_of(state, log.until_ms))
        for name in sorted(state.lane.touched):
            said += set_line(state, name)
            place = state.places[name]
            if place.track.last is not None:
                # Its time is not ours: what the end of the log brings is due at once, not hours later.
                place.anchor_at(state.arrival_ms, place.track.last.at_ms)
                state.refresh_place(place, [])
    state.lane.loggers.took(state.position, fact)
    return said
