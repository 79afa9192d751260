"""What plans, bindings, consignments and stages change: time lines, and who is missed."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from coldchain.announcements import Announcement, Kind, Late
from coldchain.consignments.line import Segment
from coldchain.consignments.when import When
from coldchain.facts import (
    Activated,
    Bound,
    ConsignmentEnded,
    ConsignmentStarted,
    EtaSet,
    StageEntered,
    Unbound,
)
from coldchain.fold.place import Moment, Place
from coldchain.fold.state import State
from coldchain.plan import LANE, PAIR

Change = Activated | Bound | Unbound | ConsignmentStarted | StageEntered | EtaSet | ConsignmentEnded

#: A time stated by somebody may be ahead of ours by the difference between two clocks (ms).
AHEAD_MS = 60_000
#: Beyond this (about the year 287 000) a time in ms is no time.
LATEST_MS = 2**53


def change(state: State, fact: Change) -> list[Announcement]:
    """Take a change in, or refuse it aloud; what it changes in the past is folded again."""
    refused = _untimely(state, fact.at_ms)
    if refused is None:
        refused = state.lane.add(fact, when_of(state, fact.at_ms))
    if refused is not None:
        return [Announcement(Kind.REFUSED, text=refused, actor=fact.actor)]
    said: list[Announcement] = []
    if isinstance(fact, Activated):
        for place in state.places.values():
            place.track.catch_up()  # a channel with another time base begins anew, with nothing measured
        state.channels.activate(state.lane.plan)
        state.desk.activate(fact.plan)
        said += state.desk.bring_shelves_forward(state.lane.plan.shelf_max_ms, state.arrival_ms)
        state.flood.activate(fact.plan.flood)
        state.refresh_flood()
        state.refresh_alarms()
        set_channel_lines(state)
    for name in sorted(state.lane.touched):
        said += set_line(state, name)
    match fact:
        case Activated():
            state.silence.keep_sources({source.id for source in fact.plan.sources})
            _watch(state, {*state.silence.channels, *state.channels.plans})
        case Bound() | Unbound():
            replaced = {
                name for name, watch in state.silence.channels.items() if watch.place in state.lane.touched
            }
            _watch(state, {fact.channel, *replaced})
        case _:
            return said
    state.calendar.hold(
        (watch.plan, watch.place, state.source(watch.plan).simulated)
        for watch in state.silence.channels.values()
    )
    return said + state.settle_calendar(Late.FOUND_LATE)


def put_right(state: State, started_ms: int, by_ms: int) -> list[Announcement]:
    """Our clock became known: instants that were stated while it was not are told anew.

    started_ms, by_ms: what was stamped since the process start has moved by that (0: by nothing).
    """
    time = state.timebase

    def mend(when: When) -> When:
        journal_ms = when.journal_ms
        if by_ms and journal_ms >= started_ms and when.vague != "journal":
            journal_ms += by_ms
        if when.vague == "utc":
            return When(journal_ms, time.printed(journal_ms))
        if when.vague == "journal" and when.utc_ms is not None:
            told_ms = time.instant(when.utc_ms)
            return When(journal_ms if told_ms is None else told_ms, when.utc_ms)
        return When(journal_ms, when.utc_ms)

    state.lane.put_right(mend)
    set_channel_lines(state)
    said: list[Announcement] = []
    for name in sorted(state.lane.places()):
        if by_ms and name in state.places and state.places[name].journal_axis:
            state.lane.resolutions.shift_from(name, started_ms, by_ms)
        said += set_line(state, name)
    return said


def _untimely(state: State, at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    if not -LATEST_MS < at_ms < LATEST_MS:
        return "that is no time"
    now_ms = state.timebase.utc(state.arrival_ms)
    if now_ms is not None and at_ms > now_ms + AHEAD_MS:
        return "that time has not come yet"
    return None


def when_of(state: State, at_ms: int | None) -> When:
    """An instant stated in UTC, or now; as well as our clock can tell."""
    time, now_ms = state.timebase, state.arrival_ms
    if at_ms is None:
        utc_ms = time.utc(now_ms)
        return When(now_ms, time.printed(now_ms), "utc") if utc_ms is None else When(now_ms, utc_ms)
    journal_ms = time.instant(at_ms)
    if time.known and journal_ms is not None:
        return When(journal_ms, at_ms)
    return When(now_ms if journal_ms is None else min(journal_ms, now_ms), at_ms, "journal")


def set_channel_lines(state: State) -> None:
    for name, plan in state.channels.plans.items():
        journal_axis = not state.source(plan).sends_time
        state.channels.set_line(name, state.lane.channel_line(name, journal_axis=journal_axis))


def set_line(state: State, name: str, why: str = "") -> list[Announcement]:
    """Work out the time line of a place anew and fold what that changes; `why` is said of what it denies."""
    place = state.places.get(name)
    bound = state.channels.plans.get(state.lane.bindings.channel_in(name.split(PAIR, maxsplit=1)[0]) or "")
    moment = Moment(state.arrival_ms, Late.FOUND_LATE, why)
    said: list[Announcement] = []
    if place is None:
        lane = name.rsplit("/", 1)[1] == LANE
        journal_axis = lane or (bound is not None and not state.source(bound).sends_time)
        place = Place(name, state.channels.histories, state.desk, state.timebase, journal_axis=journal_axis)
        state.places[name] = place
        if lane:
            place.anchor = (0, 0)  # nothing is measured: its time is journal time itself
    if bound is not None:
        source = state.source(bound)
        place.simulated = source.simulated
        if place.journal_axis is source.sends_time:
            said += place.rebase(moment, journal_axis=not source.sends_time)
            state.lane.resolutions.forget(name)
            now_ms = state.axis_now(bound)
            place.floor_ms = state.arrival_ms if now_ms is None else now_ms
        newest = state.channels.newest(bound.id)
        if newest is not None:
            place.anchor_at(*newest)
    line = state.lane.segments(name, place.journal_axis)
    said += place.set_line(_from(line, place.floor_ms), moment)
    for segment in place.track.line:
        for channel in filter(None, segment.probe or ()):
            places = state.by_channel.setdefault(channel, [])
            if place not in places:
                places.append(place)
    state.refresh_place(place, said)
    return said


def _from(line: list[Segment], floor_ms: int | None) -> list[Segment]:
    """A time line without what lies before its place's present time base."""
    if floor_ms is None:
        return line
    later = [segment for segment in line if segment.from_ms > floor_ms]
    at_floor = [segment for segment in line if segment.from_ms <= floor_ms]
    return [_at(at_floor[-1], floor_ms), *later] if at_floor else later


def _at(segment: Segment, from_ms: int) -> Segment:
    return replace(segment, from_ms=from_ms)


def _watch(state: State, names: Iterable[str]) -> None:
    """Who is to be heard of: every channel of the plan that measures a place."""
    for name in sorted(names):
        plan, place = state.channels.plans.get(name), state.lane.place_of(name)
        if plan is None or place is None:
            state.silence.forget(name)
        else:
            now_ms = state.axis_now(plan)
            axis_ms = state.arrival_ms if now_ms is None else now_ms
            state.silence.watch(plan, state.source(plan), place, state.arrival_ms, axis_ms)
        state.refresh_watch(name)
