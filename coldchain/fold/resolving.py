"""Giving back of budgets what an excursion took: a person resolves it with a reason, and may take that back.

Only what is over can be resolved, and only a single event: a budget itself is given back by the excursions
that it counted. Whoever resolves speaks of the span that they saw; the sums are folded again from there, and
the difference is announced.
"""

from __future__ import annotations

from coldchain.alarms.table import Refusal
from coldchain.announcements import Announcement, Kind
from coldchain.consignments.resolutions import Resolution
from coldchain.facts import ExcursionReopened, ExcursionResolved
from coldchain.fold.changing import LATEST_MS, set_line
from coldchain.fold.excursions import Excursion
from coldchain.fold.place import Place
from coldchain.fold.state import State
from coldchain.plan import Budget, KineticMean, Rolling, Span

#: Why an announced excursion of a budget is none any more.
GIVEN_BACK = "given_back"

UNKNOWN, LASTS, IS_A_SUM = "unknown_excursion", "excursion_lasts", "is_a_sum"
ALREADY_RESOLVED, NOT_RESOLVED, NO_SPAN = "already_resolved", "not_resolved", "no_span"
SETTLED = "readings_removed"


def asked(state: State, fact: ExcursionResolved | ExcursionReopened) -> list[Announcement]:
    """What a person says of an excursion; refused aloud if it cannot be."""
    name, _, rule_id = fact.excursion.rpartition("#")[0].rpartition("/")
    place = state.places.get(name)
    if place is None:
        return _refused(fact, UNKNOWN)
    if not fact.actor.strip():
        return _refused(fact, Refusal.NO_ACTOR)
    if not fact.comment.strip():
        return _refused(fact, Refusal.NO_REASON)
    if isinstance(fact, ExcursionReopened):
        return _reopened(state, place, fact)
    return _resolved(state, place, rule_id, fact)


def _resolved(state: State, place: Place, rule_id: str, fact: ExcursionResolved) -> list[Announcement]:
    resolutions = state.lane.resolutions
    if resolutions.of(place.name, fact.excursion) is not None:
        return _refused(fact, ALREADY_RESOLVED)
    if not -LATEST_MS < fact.from_ms < fact.to_ms < LATEST_MS:
        return _refused(fact, NO_SPAN)
    excursion = _meant(place, rule_id, fact)
    if excursion is None:
        return _refused(fact, UNKNOWN)
    if isinstance(excursion.rule, Budget | Rolling | KineticMean):
        return _refused(fact, IS_A_SUM)
    if excursion.closed_at_ms is None:
        return _refused(fact, LASTS)
    if _settled(place, fact.from_ms):
        return _refused(fact, SETTLED)
    span = Span(fact.from_ms, fact.to_ms)
    made = Resolution(fact.excursion, span, fact.actor, fact.comment, state.arrival_ms)
    before = _sums(place)
    resolutions.add(place.name, made)
    said = set_line(state, place.name, GIVEN_BACK)
    return [_said(Kind.EXCURSION_RESOLVED, place, made, fact, before), *said]


def _reopened(state: State, place: Place, fact: ExcursionReopened) -> list[Announcement]:
    made = state.lane.resolutions.of(place.name, fact.excursion)
    if made is None:
        return _refused(fact, NOT_RESOLVED)
    if _settled(place, made.span.from_ms):
        return _refused(fact, SETTLED)
    before = _sums(place)
    state.lane.resolutions.take_back(place.name, fact.excursion)
    said = set_line(state, place.name)
    return [_said(Kind.EXCURSION_REOPENED, place, made, fact, before), *said]


def _meant(place: Place, rule_id: str, fact: ExcursionResolved) -> Excursion | None:
    """The excursion by its name; or the one there, where another version of the program named it."""
    current = [*place.ledger.closed, *place.ledger.open.values()]
    named = next((each for each in current if fact.excursion in (each.id, *each.merged)), None)
    if named is not None:
        return named
    for each in current:
        end_ms = each.interval.end_ms
        reaches = end_ms is None or end_ms > fact.from_ms
        if each.rule.id == rule_id and each.interval.start_ms < fact.to_ms and reaches:
            return each
    return None


def _settled(place: Place, from_ms: int) -> bool:
    """Whether the readings by which the sums would be folded again are removed."""
    return place.track.settled_ms is not None and from_ms < place.track.settled_ms


def _sums(place: Place) -> dict[str, int]:
    """What is spent of each budget in force, in ms."""
    return {
        rule.id: place.track.spent_ms(rule) for rule, _ in place.track.running if isinstance(rule, Budget)
    }


def _said(
    kind: Kind,
    place: Place,
    made: Resolution,
    fact: ExcursionResolved | ExcursionReopened,
    before: dict[str, int],
) -> Announcement:
    rule_id = made.excursion.rpartition("#")[0].rpartition("/")[2]
    sums = {
        f"spent.{budget}": f"{was_ms} {now_ms}"
        for budget, now_ms in _sums(place).items()
        if (was_ms := before.get(budget, 0)) != now_ms
    }
    return Announcement(
        kind=kind,
        alarm=f"{place.name}/{rule_id}",
        rule=rule_id,
        subject=place.name,
        excursion=made.excursion,
        since_ms=made.span.from_ms,
        end_ms=made.span.to_ms,
        axis="journal" if place.journal_axis else "",
        detail=sums,
        actor=fact.actor,
        comment=fact.comment,
        simulated=place.simulated,
    )


def _refused(fact: ExcursionResolved | ExcursionReopened, why: str) -> list[Announcement]:
    return [
        Announcement(
            Kind.REFUSED, excursion=fact.excursion, text=str(why), actor=fact.actor, comment=fact.comment
        )
    ]
