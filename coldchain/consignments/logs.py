"""What an imported log changes: channels become known, and each has measured its place for a while."""

from __future__ import annotations

from coldchain.consignments.lane import Known, Lane
from coldchain.consignments.sense import nonsense
from coldchain.consignments.when import When
from coldchain.logged import LoggerKnown


def know(lane: Lane, fact: LoggerKnown) -> str | None:
    """A logger's channels are part of all plans from now on; the answer is why it was refused, or None."""
    lane.touched = set()
    if not lane.plans:
        return "no configuration is in force"
    before = lane.loggers.known.get(fact.source.id)
    refused = lane.loggers.know(fact)
    if refused is None and (refused := nonsense(lane.loggers.added_to(lane.plan))) is not None:
        lane.loggers.forget(fact, before)
    if refused is not None:
        return refused
    lane.plans = [(when, Known(lane.loggers.added_to(known.plan))) for when, known in lane.plans]
    return None


def log(lane: Lane, channel: str, since: When, until: When) -> None:
    """A logger's channel measured its place for a while; if something else did so then, it stands beside."""
    plan = lane.loggers.channels[channel]
    place = f"{plan.asset}/{plan.role}"
    lane.touched = set()
    if plan.role and _in_utc(lane, place) and lane.bindings.lend(channel, place, since, until):
        lane.touched = lane.follow({place})


def _in_utc(lane: Lane, place: str) -> bool:
    """Whether all that ever measured a place sends its times, as a log does."""
    timed = {source.id: source.sends_time for source in lane.plan.sources}
    return all(
        timed.get(channel.source, True)
        for name in lane.bindings.channels_at(place)
        if (channel := lane.known.channels.get(name)) is not None
    )
