"""Carrying the announced side over to another engine: what was said stands, whoever says more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from coldchain.alarms import moves
from coldchain.alarms.alarm import Alarm, Moved
from coldchain.alarms.table import AlarmEvent, AlarmState
from coldchain.announcements import Announcement, Kind
from coldchain.fold.desk import About, Desk, new_alarm
from coldchain.fold.excursions import Excursion
from coldchain.fold.place import Place


def carry_over(
    desk: Desk, places: Mapping[str, Place], announced: Iterable[tuple[int, Announcement]]
) -> None:
    """Replace what this engine would have announced by what was announced.

    `announced` are (arrival, announcement) in order. Excursions, which this engine has folded anew,
    are marked as announced where they overlap one that was.
    """
    desk.alarms = {}
    for place in places.values():
        for excursion in place.ledger.all():
            excursion.announced = excursion.denied = False
    for arrival_ms, said in announced:
        retell(desk, said, arrival_ms)
        place_of = places.get(said.subject)
        if place_of is None or said.since_ms is None or not said.excursion:
            continue
        told_of = next((e for e in place_of.ledger.all() if _overlaps(e, said)), None)
        if told_of is not None:
            told_of.announced = told_of.announced or said.kind is Kind.RAISED
            told_of.denied = said.kind is Kind.NOT_CONFIRMED
    for place in places.values():
        active = place.track.active()
        place.closed = {rule_id for rule_id in active if desk.closed(f"{place.name}/{rule_id}")}


def retell(desk: Desk, said: Announcement, announced_ms: int) -> None:
    """Take over one announcement of another engine: the announced side is carried, never re-made."""
    if said.kind is Kind.RAISED and said.alarm and said.priority is not None:
        about = desk.about.get(said.alarm) or About(
            said.alarm,
            said.rule,
            said.subject,
            said.priority,
            quantity=said.quantity,
            limit=said.limit,
            axis=said.axis,
            unapproved=said.unapproved,
            simulated=said.simulated,
        )
        known = desk.alarms.get(said.alarm) or new_alarm(about)
        desk.about[said.alarm] = about
        over = said.state == AlarmState.RETURNED
        told = (said.excursion, said.since_ms or 0, said.due_ms or 0, announced_ms)
        desk.alarms[said.alarm] = moves.raise_(known, *told, over=over)[0]
    elif said.kind in _MOVED and said.alarm in desk.alarms:
        desk.alarms[said.alarm] = _MOVED[said.kind](desk.alarms[said.alarm], said, announced_ms)[0]


def _unshelved(alarm: Alarm, said: Announcement, at_ms: int) -> Moved:
    by_hand = said.text == AlarmEvent.UNSHELVE
    return moves.unshelve(alarm, at_ms) if by_hand else moves.fire(alarm, at_ms)


#: What each kind of announcement did to its alarm. Names and reasons were given, or it had been refused.
_MOVED: dict[Kind, Callable[[Alarm, Announcement, int], Moved]] = {
    Kind.RETURNED: lambda alarm, said, at_ms: moves.condition_gone(alarm, at_ms),
    Kind.ACKNOWLEDGED: lambda alarm, said, at_ms: moves.acknowledge(
        alarm, said.occurrences, said.actor or "?", at_ms
    ),
    Kind.SHELVED: lambda alarm, said, at_ms: moves.shelve(alarm, said.end_ms, at_ms),
    Kind.UNSHELVED: _unshelved,
    Kind.RE_ALARMED: lambda alarm, said, at_ms: moves.fire(alarm, at_ms),
    Kind.SUPPRESSED: lambda alarm, said, at_ms: moves.suppress(alarm, at_ms),
    Kind.UNSUPPRESSED: lambda alarm, said, at_ms: moves.unsuppress(alarm, at_ms),
    Kind.OUT_OF_SERVICE: lambda alarm, said, at_ms: moves.remove_from_service(alarm, "work", at_ms),
    Kind.IN_SERVICE: lambda alarm, said, at_ms: moves.return_to_service(
        alarm, at_ms, suppressed=said.state == AlarmState.SUPPRESSED
    ),
    Kind.RESET: lambda alarm, said, at_ms: moves.reset(alarm, said.comment or "?", at_ms),
    Kind.CLOSED: lambda alarm, said, at_ms: moves.close(alarm, said.comment or "?", at_ms, judged=False),
}


def _overlaps(excursion: Excursion, said: Announcement) -> bool:
    since_ms = said.since_ms or 0
    reaches_ms = max(said.due_ms or since_ms, since_ms)
    interval = excursion.interval
    return (
        excursion.rule.id == said.rule
        and interval.start_ms <= reaches_ms
        and (interval.end_ms is None or interval.end_ms >= since_ms)
    )
