"""Forgetting by policy: what was measured before an instant is judged no more, for its readings are removed.

The past of a place is settled there: where it stood then is the beginning of every later fold. Rules look
further back than that instant; how far (`reach_ms`) the histories keep what was measured. Places of which
any channel is held (a consignment is under way) stay as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from coldchain.fold.place import Place
from coldchain.fold.state import State
from coldchain.fold.steps import Snapshot
from coldchain.plan import BoilOff, HoldLeft, KineticMean, Plugged, Rate, Rolling, Rule, Stuck, TimeToLimit
from coldchain.removed import ReadingsRemoved


def forget(state: State, fact: ReadingsRemoved) -> None:
    """Settle every place that is not held, and drop what no rule can look at any more."""
    held = frozenset(fact.held)
    for place, stood in settled_places(state, held, fact.judged_from_ms, fact.judged_from_utc_ms):
        place.track.settle(stood)
    for place in state.places.values():
        place.track.catch_up()
    state.channels.forget(held, fact.judged_from_ms, fact.judged_from_utc_ms, fact.reach_ms)


def settled_places(
    state: State, held: Collection[str], journal_ms: int, utc_ms: int | None
) -> Iterator[tuple[Place, Snapshot]]:
    """The places that an instant settles, and where each stood then."""
    for place in state.places.values():
        from_ms = journal_ms if place.journal_axis else utc_ms
        settled_ms = place.track.settled_ms
        if from_ms is None or not channels_of(place).isdisjoint(held):
            continue
        stood = place.track.stood_at(from_ms)
        if stood is not None and stood.at_ms is not None and (settled_ms is None or stood.at_ms > settled_ms):
            yield place, stood


def channels_of(place: Place) -> set[str]:
    """Every channel that ever measured at a place."""
    return {channel for segment in place.track.line for channel in segment.probe or () if channel}


class Hold(Struct, frozen=True):
    """Why nothing of a place may be settled: `OPEN`, `UNKNOWN_RULE` or `WINDOW`, and what it is about."""

    place: str
    why: str
    about: str


OPEN, UNKNOWN_RULE, WINDOW = "consignment_open", "rule_of_another_package", "rule_looks_back"


def holds(state: State, journal_ms: int, utc_ms: int | None, reach_ms: int) -> list[Hold]:
    """The places that an instant must not settle: what is measured there is needed still."""
    found = []
    for place, stood in settled_places(state, (), journal_ms, utc_ms):
        asset = place.name.rpartition("/")[0]
        from_ms = journal_ms if place.journal_axis else utc_ms
        travelling = state.lane.consignment_in(asset)
        plugged = next(
            (rule.id for segment in place.track.line for rule in segment.rules if isinstance(rule, Plugged)),
            "",
        )
        tail = looks_back_to(stood)
        if travelling is not None and travelling.started.journal_ms < journal_ms:
            found.append(Hold(place.name, OPEN, travelling.id))
        elif plugged:
            found.append(Hold(place.name, UNKNOWN_RULE, plugged))
        elif tail is not None and from_ms is not None and tail[0] < from_ms - reach_ms:
            found.append(Hold(place.name, WINDOW, tail[1]))
    return found


def held_channels(state: State, found: Collection[Hold]) -> frozenset[str]:
    """The channels that measure, or did, at held places."""
    return frozenset(
        channel
        for hold in found
        if hold.place in state.places
        for channel in channels_of(state.places[hold.place])
    )


class Short(Struct, frozen=True):
    """A rule that looks back to where readings were removed: it sums up what was kept, from an instant on.

    begin_ms: how far back its window reaches; kept_ms: the oldest reading that is left; on the place's axis.
    """

    place: str
    rule: str
    begin_ms: int
    kept_ms: int


def short(state: State) -> list[Short]:
    """Rules in force whose window reaches back to where readings were removed.

    None of those that were in force then: their readings are kept. One that begins later is among them, until
    its window has gone on.
    """
    found = []
    for place in state.places.values():
        now, at_ms = place.track.now, place.track.at_ms
        channels = [channel for channel in (now.probe if now is not None else None) or () if channel]
        settled = [at for channel in channels if (at := state.channels.settled.get(channel)) is not None]
        left = [history.at[0] for channel in channels if len(history := state.channels.histories[channel])]
        if at_ms is None or now is None or not settled or not left:
            continue
        for rule, _ in place.track.running:
            begin_ms = max(at_ms - _looks_back_ms(rule), place.track.meter.since_ms)
            if begin_ms < min(max(left) - now.gap_ms, max(settled)):
                found.append(Short(place.name, rule.id, begin_ms, max(left)))
    return found


def reach_ms(state: State) -> int:
    """How far back any rule of any place looks at most, at a time at which it is asked."""
    segments = [segment for place in state.places.values() for segment in place.track.line]
    spans = [segment.gap_ms + max(map(_looks_back_ms, segment.rules), default=0) for segment in segments]
    return max(spans, default=0)


def looks_back_to(stood: Snapshot) -> tuple[int, str] | None:
    """The earliest instant that a rule will ask about, where its window has its tail, and the rule's id.

    After a long silence that lies further back than the window is long. None: nobody asks.
    """
    return min(
        ((tail, rule.id) for rule, state in (*stood.running, *stood.left) for tail in _tails(state)),
        default=None,
    )


def _looks_back_ms(rule: Rule) -> int:
    match rule:
        case Rolling() | KineticMean() | TimeToLimit() | HoldLeft() | BoilOff():
            return rule.window_ms
        case Rate():
            return rule.within_ms
        case Stuck():
            return rule.for_ms
        case _:
            return 0  # it looks at the sample before, or (a rule of another package) its place is held


def _tails(state: Any) -> Iterator[int]:
    if not isinstance(state, msgspec.Struct):
        return
    for name in state.__struct_fields__:
        value = getattr(state, name)
        if name == "tail_ms" and isinstance(value, int):
            yield value
        else:
            yield from _tails(value)
