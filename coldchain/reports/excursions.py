"""All excursions that a journal knows, with what people made of them and what budgets have left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from coldchain.fold import Fold
from coldchain.fold.place import Place
from coldchain.journal import Readable
from coldchain.pipeline.recovery import recover
from coldchain.plan import Bound, Budget, Rule
from coldchain.reports import words
from coldchain.rules.judging import Interval
from coldchain.units import QUANTITIES


@dataclass(frozen=True)
class Resolved:
    """Who gave an excursion's time back to budgets, why, when, and which span of it (all UTC)."""

    who: str
    comment: str
    at_ms: int
    from_ms: int
    to_ms: int


@dataclass(frozen=True)
class Row:
    """One excursion; times in UTC. `ends` are on the place's own axis, as a resolution names them."""

    id: str
    place: str
    rule: Rule
    quantity: str
    interval: Interval
    start_ms: int
    end_ms: int | None
    triggered: bool
    confirmed: bool
    consignment: str
    profile: str
    ends: tuple[int, int] | None
    resolved: Resolved | None = None


@dataclass(frozen=True)
class Sum:
    """A budget in force now, and what is spent of it."""

    place: str
    budget: Budget
    spent_ms: int


@dataclass(frozen=True)
class Excursions:
    """Everything, oldest first."""

    rows: tuple[Row, ...]
    sums: tuple[Sum, ...]


def excursions(journal: Readable, engine: str) -> Excursions:
    """What a journal knows, as this program's code folds it. Raises JournalError; writes nothing."""
    fold = recover(journal, engine).fold
    texts = {text.commitment: text.text for text in journal.private_texts()}
    rows = [row for place in fold.places.values() for row in _rows(fold, place, texts)]
    sums = [one for name in sorted(fold.places) for one in _sums(fold.places[name])]
    return Excursions(tuple(sorted(rows, key=lambda row: (row.start_ms, row.id))), tuple(sums))


def _rows(fold: Fold, place: Place, texts: dict[str, str]) -> Iterator[Row]:
    def utc(at_ms: int) -> int:
        printed = fold.timebase.printed(at_ms) if place.journal_axis else at_ms
        return at_ms if printed is None else printed

    past = {each.id for each in place.ledger.past}
    for each in place.ledger.all():
        interval = place.standing(each)
        made = fold.lane.resolutions.of(place.name, each.id)
        resolved = None
        if made is not None:
            at_ms = fold.timebase.printed(made.journal_ms)
            resolved = Resolved(
                texts.get(made.actor, ""),
                texts.get(made.comment, ""),
                made.journal_ms if at_ms is None else at_ms,
                utc(made.span.from_ms),
                utc(made.span.to_ms),
            )
        over = interval.end_ms is not None and each.closed_at_ms is not None and each.id not in past
        yield Row(
            id=each.id,
            place=place.name,
            rule=each.rule,
            quantity=each.segment.channel.quantity if each.segment.channel is not None else "",
            interval=interval,
            start_ms=utc(interval.start_ms),
            end_ms=None if interval.end_ms is None else utc(interval.end_ms),
            triggered=interval.triggered_ms is not None,
            confirmed=not each.denied,
            consignment=each.segment.scope,
            profile=each.segment.profile,
            ends=(interval.start_ms, interval.end_ms) if over and interval.end_ms is not None else None,
            resolved=resolved,
        )


def _sums(place: Place) -> Iterator[Sum]:
    for rule, _ in place.track.running:
        if isinstance(rule, Budget):
            yield Sum(place.name, rule, place.track.spent_ms(rule))


def as_object(found: Excursions, zone: tzinfo) -> dict[str, Any]:
    """As plain data; its form is promised in docs/why.md."""
    return {
        "excursions": [_row(row, zone) for row in found.rows],
        "budgets": [
            {
                "place": one.place,
                "budget": one.budget.id,
                "spent_s": one.spent_ms / 1000,
                "allowance_s": one.budget.allowance_ms / 1000,
                "charges_unmonitored": one.budget.charge_unmonitored,
            }
            for one in found.sums
        ],
    }


def _row(row: Row, zone: tzinfo) -> dict[str, Any]:
    valued = isinstance(row.rule, Bound) and row.quantity in QUANTITIES
    return {
        "excursion": row.id,
        "place": row.place,
        "rule": row.rule.id,
        "condition": words.limit(row.rule, row.quantity or "temperature"),
        "start": words.iso(row.start_ms, zone),
        "end": None if row.end_ms is None else words.iso(row.end_ms, zone),
        "alarmed": row.triggered,
        "confirmed": row.confirmed,
        "extreme": QUANTITIES[row.quantity].to_float(row.interval.extreme) if valued else None,
        "outside_s": row.interval.outside_ms / 1000,
        "unmonitored_s": row.interval.unmonitored_ms / 1000,
        "consignment": row.consignment or None,
        "profile": row.profile or None,
        "resolved": None
        if row.resolved is None
        else {
            "by": row.resolved.who,
            "comment": row.resolved.comment,
            "at": words.iso(row.resolved.at_ms, zone),
            "from": words.iso(row.resolved.from_ms, zone),
            "to": words.iso(row.resolved.to_ms, zone),
        },
    }
