"""Carrying the announced side over to another engine: what was said stands, whoever says more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from coldchain.alarms import moves
from coldchain.alarms.alarm import Alarm, Moved
from coldchain.alarms.calling import Calling
from coldchain.alarms.table import AlarmEvent, AlarmState
from coldchain.announcements import Announcement, Kind
from coldchain.fold.desk import About, Desk, new_alarm
from coldchain.fold.excursions import Excursion
from coldchain.fold.grouping import Groups
from coldchain.fold.place import Place


def carry_over(
    desk: Desk, places: Mapping[str, Place], announced: Iterable[tuple[int, Announcement]]
) -> None:
    """Replace what this engine would have announced by what was announced.

    `announced` are (arrival, announcement) in order. Excursions, which this engine has folded anew,
    are marked as announced where they overlap one that was.
    """
    desk.alarms = {}
    desk.groups = Groups()
    for place in places.values():
        for excursion in place.ledger.all():
            excursion.announced = excursion.denied = False
    for arrival_ms, said in announced:
        retell(desk, said, arrival_ms)
        place_of = places.get(said.subject)
        if place_of is None or said.since_ms is None or not said.excursion:
            continue
        if said.kind in (Kind.EXCURSION_RESOLVED, Kind.EXCURSION_REOPENED):
            continue  # a person's word about it: the facts tell that again
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
        calling = desk.told_then(known, said)
        desk.alarms[said.alarm] = moves.raise_(known, *told, over=over, calling=calling)[0]
        desk.groups.retell(said.alarm, said.group, first=said.first_in_group)
    elif said.kind in _MOVED and said.alarm in desk.alarms:
        known = desk.alarms[said.alarm]
        calling = desk.told_then(known, said)
        desk.alarms[said.alarm] = _MOVED[said.kind](known, said, announced_ms, calling)[0]


def _unshelved(alarm: Alarm, said: Announcement, at_ms: int, calling: Calling) -> Moved:
    if said.text == AlarmEvent.UNSHELVE:
        return moves.unshelve(alarm, at_ms, calling=calling)
    return moves.fire(alarm, at_ms, calling=calling)


#: What each kind of announcement did to its alarm. Names and reasons were given, or it had been refused.
_MOVED: dict[Kind, Callable[[Alarm, Announcement, int, Calling], Moved]] = {
    Kind.RETURNED: lambda a, said, at, calling: moves.condition_gone(a, at, calling=calling),
    Kind.ACKNOWLEDGED: lambda a, said, at, calling: moves.acknowledge(
        a, said.occurrences, said.actor or "?", at, calling=calling
    ),
    Kind.SHELVED: lambda a, said, at, calling: moves.shelve(a, said.end_ms, at, calling=calling),
    Kind.UNSHELVED: _unshelved,
    Kind.RE_ALARMED: lambda a, said, at, calling: moves.fire(a, at, calling=calling),
    Kind.ESCALATED: lambda a, said, at, calling: moves.fire(a, at, calling=calling),
    Kind.SUPPRESSED: lambda a, said, at, calling: moves.suppress(a, at, calling=calling),
    Kind.UNSUPPRESSED: lambda a, said, at, calling: moves.unsuppress(a, at, calling=calling),
    Kind.OUT_OF_SERVICE: lambda a, said, at, calling: moves.remove_from_service(
        a, "work", at, calling=calling
    ),
    Kind.IN_SERVICE: lambda a, said, at, calling: moves.return_to_service(
        a, at, suppressed=said.state == AlarmState.SUPPRESSED, calling=calling
    ),
    Kind.RESET: lambda a, said, at, calling: moves.reset(a, said.comment or "?", at, calling=calling),
    Kind.CLOSED: lambda a, said, at, calling: moves.close(
        a, said.comment or "?", at, judged=False, calling=calling
    ),
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
