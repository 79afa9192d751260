"""Process starts, and what becomes known of our own clock."""

from __future__ import annotations

from coldchain.announcements import Announcement, Kind, Late
from coldchain.facts import ClockSet, ProcessStarted
from coldchain.fold.changing import LATEST_MS, put_right
from coldchain.fold.moving import moved
from coldchain.fold.state import State
from coldchain.model import Priority


def process_started(state: State, fact: ProcessStarted, before_ms: int) -> list[Announcement]:
    """The process began; `before_ms`: journal time at which the one before was last heard of."""
    state.timebase.started(state.arrival_ms, before_ms, length_known=fact.down_ms is not None)
    if fact.down_ms is None:
        state.channels.restarted()
    for watch in state.silence.started(state.arrival_ms):
        state.refresh_watch(watch.plan.id)
    said = state.fire_until(state.arrival_ms, Late.NOT_RUNNING)
    before, state.process = state.process, fact
    if before is not None:
        length = {"length": "unknown"} if fact.down_ms is None else {"down_ms": str(fact.down_ms)}
        said.append(_not_running(before_ms, state.arrival_ms, length))
    return said


def clock_set(state: State, fact: ClockSet) -> list[Announcement]:
    """Our clock became known, or unknown, or stepped; or the length of a down time became known."""
    refused = _impossible(fact)
    if refused:
        return [Announcement(Kind.REFUSED, text=refused)]
    said: list[Announcement] = []
    time, was_known = state.timebase, state.timebase.known
    stood_ms = time.started_ms
    if fact.leap_ms:
        time.leapt(state.arrival_ms, fact.leap_ms, fact.offset_ms)
        said += _leap(state, stood_ms, fact.leap_ms)
        length = {"down_ms": str(fact.leap_ms)}
        said.append(_not_running(time.down_from_ms, time.started_ms, length))
    else:
        time.set(state.arrival_ms, fact.offset_ms)
    if fact.offset_ms is not None and (not was_known or fact.leap_ms):
        said += put_right(state, stood_ms, fact.leap_ms)
        for source in sorted(state.channels.clocks):
            taken = state.channels.clock_known(source, fact.offset_ms)
            if taken is not None:
                said += moved(state, source, taken)
    state.refresh_alarms()  # hours of the day have moved
    said += state.fire_until(state.arrival_ms, Late.NOT_RUNNING if fact.leap_ms else Late.STALLED)
    said += state.settle_calendar(Late.NOT_RUNNING if fact.leap_ms else Late.STALLED)
    if fact.step_ms:
        detail = {"step_ms": str(fact.step_ms), "source": fact.source}
        said += state.own("clock-step", Priority.LOW, over=True, detail=detail)
    if fact.offset_ms is None and not state.desk.condition("gateway/clock"):
        said += state.own("clock", Priority.LOW, detail={"source": fact.source})
    elif fact.offset_ms is not None and not was_known:
        said += state.gone("gateway/clock")
    return said


def _leap(state: State, started_ms: int, by_ms: int) -> list[Announcement]:
    """A down time became known: what was set since the process start, and reckoned from it, moves along."""
    said: list[Announcement] = []
    state.channels.leap(started_ms, by_ms)
    watches = state.silence.leap(
        started_ms, state.arrival_ms, by_ms, lambda plan: not state.source(plan).sends_time
    )
    for watch in watches:
        state.refresh_watch(watch.plan.id)
    state.desk.leap(started_ms, by_ms)
    state.flood.leap(started_ms, by_ms)
    for work in state.veil.leap(started_ms, by_ms):
        state.refresh_work(work)
    state.refresh_alarms()
    for name in sorted(state.places):
        told = state.places[name].leap(started_ms, by_ms, state.moment(Late.FOUND_LATE))
        state.refresh_place(state.places[name], told)
        said += told
    return said


def _impossible(fact: ClockSet) -> str:
    if fact.leap_ms < 0:
        return "time does not leap back"
    numbers = (fact.offset_ms or 0, fact.leap_ms, fact.step_ms)
    return "" if all(-LATEST_MS < number < LATEST_MS for number in numbers) else "that is no time"


def _not_running(from_ms: int, to_ms: int, length: dict[str, str]) -> Announcement:
    return Announcement(
        Kind.NOTE,
        subject="gateway",
        priority=Priority.TO_KNOW,
        text="not_running",
        since_ms=from_ms,
        end_ms=to_ms,
        axis="journal",
        detail=length,
    )
