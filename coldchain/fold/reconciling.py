"""After another engine: what this one holds to be true against what was announced by the other."""

from __future__ import annotations

from coldchain.announcements import Announcement, Late
from coldchain.fold import working
from coldchain.fold.hearing import raised
from coldchain.fold.state import State


def reconcile(state: State) -> list[Announcement]:
    """Announce every difference, found by the upgrade."""
    said: list[Announcement] = []
    for name in sorted(state.places):
        place = state.places[name]
        told = place.reconcile(state.moment(Late.UPGRADE))
        state.refresh_place(place, told)
        said += told
    return (
        said
        + _silence(state)
        + _clocks(state)
        + state.settle_calendar(Late.UPGRADE)
        + working.reconcile(state)
    )


def _silence(state: State) -> list[Announcement]:
    said: list[Announcement] = []
    for name in sorted(state.silence.channels):
        watch = state.silence.channels[name]
        alarm = watch.stands or f"{watch.place}/silence"
        if watch.silent and not state.desk.condition(alarm) and not state.desk.closed(alarm):
            due_ms = watch.due_event_ms
            source = state.source(watch.plan)
            told = raised(
                state.silence,
                state.desk,
                name,
                watch.since_ms,
                due_ms,
                state.arrival_ms,
                Late.UPGRADE,
                source,
            )
            said += told[1]
            state.refresh_alarm(alarm)
        elif not watch.silent and watch.heard_ms is not None and state.desk.condition(alarm):
            said += state.gone(alarm)
    for alarm, about in list(state.desk.about.items()):
        stood = about.rule == "silence" and about.subject not in state.places
        if stood and alarm not in state.silence.standing and state.silence.covered(alarm):
            said += state.gone(alarm)
    return said


def _clocks(state: State) -> list[Announcement]:
    said: list[Announcement] = []
    for name in sorted(state.channels.clocks):
        clock = state.channels.clocks[name]
        detail = {"ahead_ms": str(clock.ahead_ms)}
        said += state.of_source(name, "clock", bad=clock.fault, detail=detail)
    if state.timebase.known:
        said += state.gone("gateway/clock")
    return said
