"""Past shipments under another profile: what would have been judged differently.

Readings are judged by the very track that judges them live, by calm runs. What is compared are the excursions
that triggered: which of them both profiles know, and which only one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from coldchain.consignments.carriage import Consignment
from coldchain.consignments.line import Segment
from coldchain.facts import Activated, Fact
from coldchain.fold import Fold
from coldchain.fold.history import History
from coldchain.fold.steps import Told
from coldchain.fold.track import Track
from coldchain.plan import ChannelPlan, ProfilePlan, Rule
from coldchain.removed import JOURNAL, ReadingsRemoved, ReadingsSummarised
from coldchain.rules.judging import Ended, Interval


@dataclass(frozen=True)
class Seen:
    """One excursion: its rule, and when it began, triggered and ended (None: open), on the place's axis."""

    place: str
    rule: str
    start_ms: int
    triggered_ms: int | None
    end_ms: int | None
    extreme: int


@dataclass(frozen=True)
class Difference:
    """One shipment under two profiles: what triggered under both, and what under only one of them."""

    shipment: str
    readings: int
    both: tuple[Seen, ...]
    only_before: tuple[Seen, ...]
    only_after: tuple[Seen, ...]

    @property
    def differs(self) -> bool:
        """Whether the new profile judges this shipment differently."""
        return bool(self.only_before or self.only_after)


def compare(shipment: str, readings: int, before: Iterable[Seen], after: Iterable[Seen]) -> Difference:
    """What of two judgements is the same: one rule, at one place, over overlapping times."""
    old = [one for one in before if one.triggered_ms is not None]
    new = [one for one in after if one.triggered_ms is not None]
    both = [one for one in new if any(_alike(one, other) for other in old)]
    return Difference(
        shipment,
        readings,
        tuple(both),
        tuple(one for one in old if not any(_alike(one, other) for other in new)),
        tuple(one for one in new if one not in both),
    )


def judge_column(channel: ChannelPlan, history: History, rules: Iterable[Rule]) -> list[Seen]:
    """The excursions of one channel's packed readings under some rules, in order of their start."""
    place = f"{channel.asset}/{channel.role}"
    if not len(history):
        return []
    found: list[Interval] = []

    def collect(told: Told) -> None:
        if isinstance(told.change, Ended):
            found.append(told.change.interval)

    track = Track(place, {channel.id: history})
    track.line = [Segment(history.at[0], channel, tuple(rule for rule in rules if rule.role == channel.role))]
    track.advance(history.at[0], collect)
    track.judge_all(history, 0, len(history), collect)
    found += [interval for _, interval in track.standing(history.at[-1])]
    return sorted((_seen(place, one) for one in found), key=lambda one: (one.start_ms, one.rule))


class Judged(NamedTuple):
    """Each consignment's excursions, how many readings there are of it, and of which some were removed."""

    seen: dict[str, list[Seen]]
    readings: dict[str, int]
    gone: frozenset[str]


def judge_facts(facts: Iterable[tuple[int, int, Fact]], profile: ProfilePlan | None) -> Judged:
    """Judge each consignment in a journal's facts.

    profile: takes the place of the one with its id in every plan; None: as it was in force then.
    """
    fold = Fold()
    summed: list[ReadingsSummarised] = []
    bare_ms: int | None = None  # before this (journal time) readings went that no summary tells of
    for position, arrival_ms, fact in facts:
        one = fact
        if isinstance(fact, ReadingsSummarised):
            summed.append(fact)
        elif isinstance(fact, ReadingsRemoved) and fact.removed and not fact.summaries:
            bare_ms = max(fact.judged_from_ms - fact.reach_ms, bare_ms or 0)
        if profile is not None and isinstance(fact, Activated):
            kept = tuple(profile if each.id == profile.id else each for each in fact.plan.profiles)
            one = replace(fact, plan=replace(fact.plan, profiles=kept))
        fold.apply(position, arrival_ms, one)
    seen: dict[str, list[Seen]] = {name: [] for name in fold.lane.consignments}
    counts = dict.fromkeys(seen, 0)
    for place in fold.places.values():
        for excursion in place.ledger.all():
            if excursion.segment.scope in seen:
                seen[excursion.segment.scope].append(_seen(place.name, place.standing(excursion)))
        for i, segment in enumerate(place.track.line):
            if segment.scope in counts and segment.channel is not None:
                history = fold.channels.histories[segment.channel.id]
                line = place.track.line
                ends_ms = line[i + 1].from_ms if i + 1 < len(line) else 2**62
                lo, hi = history.span(segment.from_ms, ends_ms)
                counts[segment.scope] += hi - lo
    gone = frozenset(
        name
        for name, one in fold.lane.consignments.items()
        if (bare_ms is not None and one.started.journal_ms < bare_ms)
        or any(_took(told, one) for told in summed)
    )
    return Judged(seen, counts, gone)


def _took(told: ReadingsSummarised, of: Consignment) -> bool:
    """Whether readings of a consignment are among those that were summed up."""
    if told.place.rpartition("/")[0] != of.asset:
        return False
    journal_axis = told.axis == JOURNAL
    begin_ms = of.started.on(journal_axis=journal_axis)
    end_ms = 2**62 if of.ended is None else of.ended.on(journal_axis=journal_axis)
    return any(
        begin_ms <= one.at_ms < end_ms
        for row in told.buckets
        for one in (row.low, row.high, row.doubtful_low, row.doubtful_high)
        if one is not None
    )


def _alike(one: Seen, other: Seen) -> bool:
    if (one.place, one.rule) != (other.place, other.rule):
        return False
    return (one.end_ms is None or other.start_ms <= one.end_ms) and (
        other.end_ms is None or one.start_ms <= other.end_ms
    )


def _seen(place: str, interval: Interval) -> Seen:
    return Seen(
        place, interval.rule, interval.start_ms, interval.triggered_ms, interval.end_ms, interval.extreme
    )
