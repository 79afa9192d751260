"""What removed readings leave behind: where each place stood when its past was settled, and its excursions.

An engine that folds a journal anew after an upgrade cannot read the states of another one. This is text
(JSON, fields by name), which any later engine reads as far as its rules still mean the same by it; a rule
that means something else begins anew there. Names and limits of excursions stay as they were.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from coldchain.announcements import Late
from coldchain.fold.excursions import Excursion
from coldchain.fold.meter import Meter
from coldchain.fold.place import Moment, Place
from coldchain.fold.settling import settled_places
from coldchain.fold.state import State
from coldchain.fold.steps import Snapshot
from coldchain.plan import Rule
from coldchain.rules.age import AgeState
from coldchain.rules.boil_off import BoilOffState
from coldchain.rules.budget import BudgetState
from coldchain.rules.hold_left import HoldState
from coldchain.rules.judging import Interval, Sample
from coldchain.rules.limit import LimitState
from coldchain.rules.mean import MeanState
from coldchain.rules.rate import RateState
from coldchain.rules.rolling import RollingState
from coldchain.rules.settling import Settling
from coldchain.rules.spike import SpikeState
from coldchain.rules.stuck import StuckState
from coldchain.rules.time_to_limit import ForecastState

_FORMAT = 1
#: What a rule knows, by a name that is fixed for ever; one whose meaning changes gets another name here.
_STATES: dict[str, type[msgspec.Struct]] = {
    "age": AgeState,
    "boil_off": BoilOffState,
    "budget": BudgetState,
    "forecast": ForecastState,
    "hold_left": HoldState,
    "limit": LimitState,
    "mean": MeanState,
    "rate": RateState,
    "rolling": RollingState,
    "settling": Settling,
    "spike": SpikeState,
    "stuck": StuckState,
}
_NAMES = {kind: name for name, kind in _STATES.items()}


def remains(state: State, held: frozenset[str], journal_ms: int, utc_ms: int | None) -> bytes:
    """What is left of all places if an instant settles them; of those settled before alone, as it was."""
    stood = {
        place.name: snapshot
        for place in state.places.values()
        if (snapshot := place.track.settled) is not None
    }
    stood |= {place.name: snapshot for place, snapshot in settled_places(state, held, journal_ms, utc_ms)}
    places = {name: _place(state.places[name], snapshot) for name, snapshot in stood.items()}
    whole = {"format": _FORMAT, "places": places}
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def rest_on(state: State, body: bytes) -> None:
    """Begin every place anew where it was settled, and fold what was measured since; nothing is told.

    For a fold that had to do without the removed readings. What another version wrote and this one does not
    understand is left out: the rule begins there.
    """
    whole = json.loads(body)
    for name, told in whole["places"].items() if whole.get("format") == _FORMAT else ():
        place = state.places.get(name)
        if place is not None and place.journal_axis is told["journal_axis"] and place.track.line:
            place.track.rest_on(_snapshot(place, told))
            place.ledger.rest_on(*_excursions(place, told))
            place.added(told["at_ms"], Moment(state.arrival_ms, Late.UPGRADE))
            state.refresh_place(place, [])


def _place(place: Place, stood: Snapshot) -> dict[str, Any]:
    ledger = place.ledger
    return {
        "journal_axis": place.journal_axis,
        "at_ms": stood.at_ms,
        "last": msgspec.to_builtins(stood.last),
        "running": [_kept(rule, state) for rule, state in stood.running],
        "left": [_kept(rule, state) for rule, state in stood.left],
        "meter": msgspec.to_builtins(stood.meter),
        "past": [_excursion(one) for one in ledger.past],
        "excursions": [_excursion(one) for one in (*ledger.closed, *ledger.open.values())],
        "numbers": ledger.numbers,
    }


def _kept(rule: Rule, state: Any) -> dict[str, Any]:
    kind = _NAMES.get(type(state), "")
    return {
        "rule": msgspec.to_builtins(rule),
        "kind": kind,
        "state": msgspec.to_builtins(state) if kind else None,
    }


def _excursion(one: Excursion) -> dict[str, Any]:
    return {
        "id": one.id,
        "number": one.number,
        "rule": msgspec.to_builtins(one.rule),
        "interval": msgspec.to_builtins(one.interval),
        "announced": one.announced,
        "denied": one.denied,
        "closed_at_ms": one.closed_at_ms,
        "merged": list(one.merged),
        "split_from": one.split_from,
        "follows": one.follows,
    }


def _snapshot(place: Place, told: dict[str, Any]) -> Snapshot:
    at_ms = told["at_ms"]
    index = max(0, place.track.segment_at(at_ms))
    last = None if told["last"] is None else msgspec.convert(told["last"], Sample)
    meter = msgspec.convert(told["meter"], Meter)
    states = {kept["rule"]["id"]: kept for kept in told["running"]}
    begun = place.track.begun(index, at_ms)
    running = tuple((rule, _state(states.get(rule.id), rule, fresh)) for rule, fresh in begun)
    left = []
    for kept in told["left"]:
        rule = _rule(kept["rule"])
        state = None if rule is None else _state(kept, rule, None)
        if rule is not None and state is not None:
            left.append((rule, state))
    return Snapshot(at_ms, index, last, running, tuple(left), meter)


def _state(kept: dict[str, Any] | None, rule: Rule, fresh: Any) -> Any:
    """What a rule knew, if it is the same kind of rule still and its words are understood; else as begun."""
    known = None if kept is None else _rule(kept["rule"])
    if kept is None or type(known) is not type(rule) or kept["kind"] not in _STATES:
        return fresh
    try:
        return msgspec.convert(kept["state"], _STATES[kept["kind"]])
    except msgspec.ValidationError:
        return fresh


def _rule(told: dict[str, Any]) -> Rule | None:
    try:
        rule: Rule = msgspec.convert(told, Rule)
    except msgspec.ValidationError:
        return None
    return rule


def _excursions(
    place: Place, told: dict[str, Any]
) -> tuple[list[Excursion], list[Excursion], dict[str, int]]:
    return (
        [made for one in told["past"] if (made := _made(place, one)) is not None],
        [made for one in told["excursions"] if (made := _made(place, one)) is not None],
        dict(told["numbers"]),
    )


def _made(place: Place, told: dict[str, Any]) -> Excursion | None:
    rule, interval = _rule(told["rule"]), msgspec.convert(told["interval"], Interval)
    if rule is None:
        return None
    return Excursion(
        id=told["id"],
        number=told["number"],
        place=place.name,
        rule=rule,
        interval=interval,
        segment=place.track.line[max(0, place.track.segment_at(interval.start_ms))],
        announced=told["announced"],
        denied=told["denied"],
        closed_at_ms=told["closed_at_ms"],
        merged=tuple(told["merged"]),
        split_from=told["split_from"],
        follows=told["follows"],
    )
