"""Which devices measure something that is outside now: they may be asked more often.

What is outside is what the rules say at each place: an open excursion of a limit, a value beyond a budget's
limit, the condition of any other rule. A budget that is spent stays so whatever is measured, and asks for
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from coldchain.consignments.lane import Lane
from coldchain.fold.place import Place
from coldchain.plan import PAIR, Budget, Limit, Rolling, Rule
from coldchain.rules.book import judge_of
from coldchain.rules.judging import Sample, evidence_outside


def sources_outside(places: Mapping[str, Place], lane: Lane) -> frozenset[str]:
    """The sources that measure where something is outside; of two probes that disagree both."""
    names = {each for name, place in places.items() if _is_outside(place) for each in _measured(name)}
    return frozenset(channel.source for channel in lane.plan.channels if lane.place_of(channel.id) in names)


def _measured(name: str) -> list[str]:
    asset, _, role = name.rpartition("/")
    return [f"{asset}/{each}" for each in role.split(PAIR)]


def _is_outside(place: Place) -> bool:
    return any(_shows(rule, state, place.track.last) for rule, state in place.track.running)


def _shows(rule: Rule, state: object, last: Sample | None) -> bool:
    if isinstance(rule, Budget | Rolling):
        return last is not None and evidence_outside(rule, last)
    judge = judge_of(rule)
    if isinstance(rule, Limit):
        return bool(judge.active(state)) or getattr(state, "open", None) is not None
    return bool(judge.active(state))
