"""Carrying the announced side over to another engine: what was said stands, whoever says more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from coldchain.announcements import Announcement, Kind
from coldchain.fold.desk import Desk
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
        desk.retell(said, arrival_ms)
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


def _overlaps(excursion: Excursion, said: Announcement) -> bool:
    since_ms = said.since_ms or 0
    reaches_ms = max(said.due_ms or since_ms, since_ms)
    interval = excursion.interval
    return (
        excursion.rule.id == said.rule
        and interval.start_ms <= reaches_ms
        and (interval.end_ms is None or interval.end_ms >= since_ms)
    )
