"""Folding a replay: the one fold, driven by the file's own times, and what it found.

Every deadline fires at its own instant: before each reading, and before the end, the fold is woken for
what has come due. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coldchain.announcements import Announcement, Kind
from coldchain.facts import Fact, Reading, Wake
from coldchain.fold import Fold
from coldchain.fold.conditioning import condition
from coldchain.model import Side
from coldchain.plan import ChannelPlan, Rule
from coldchain.reports.statistics import Gap, Point
from coldchain.rules.judging import BAD, Interval, is_outside
from coldchain.units import TEMPERATURE

#: A worst case of more invented readings than this is not reckoned: the gaps are longer than the log.
_INVENTED_MAX = 50_000


@dataclass(frozen=True)
class Found:
    """An interval outside, with the rule that found it; open intervals reach to the end of the replay."""

    rule: Rule
    interval: Interval


@dataclass(frozen=True)
class Judged:
    """What the fold says of one channel: intervals by start, alarms in the order they were raised."""

    found: tuple[Found, ...]
    raised: tuple[Announcement, ...]


def judge(facts: Iterable[tuple[int, Fact]], until_ms: int | None = None) -> Judged:
    """Fold facts that arrive when they happen; `until_ms`: let deadlines pass up to then, too."""
    fold = Fold()
    said: list[Announcement] = []
    position = 0
    for arrival_ms, fact in facts:
        position = _wake(fold, position, arrival_ms, said)
        position += 1
        said += fold.apply(position, arrival_ms, fact)
    if until_ms is not None and until_ms > fold.arrival_ms:
        position = _wake(fold, position, until_ms, said)
        said += fold.apply(position + 1, until_ms, Wake())
    found = [
        Found(excursion.rule, place.standing(excursion))
        for place in fold.places.values()
        for excursion in place.ledger.all()
    ]
    found.sort(key=lambda one: (one.interval.start_ms, one.rule.id))
    return Judged(tuple(found), tuple(one for one in said if one.kind is Kind.RAISED))


def could_be_hidden(
    channel: ChannelPlan,
    facts: Sequence[tuple[int, Fact]],
    gaps: Sequence[Gap],
    rules: Sequence[Rule],
    until_ms: int | None = None,
) -> list[str] | None:
    """The rules that would have alarmed if the product had been outside in every gap; None: too much to try.

    The same fold judges the log once more, a side at a time, with the worst that a gap can have held.
    """
    invented = [at_ms for gap in gaps for at_ms in _instants(gap, channel.max_gap_ms)]
    if len(invented) > _INVENTED_MAX:
        return None
    hidden: set[str] = set()
    for value in {_worst(channel, rule) for rule in rules}:
        worst = [(at_ms, fact) for at_ms, fact in facts if not _says_nothing(channel, fact)]
        raw = f"{'-' if value < 0 else ''}{abs(value) // TEMPERATURE.per_display}"
        worst += [
            (at_ms, Reading(channel.source, channel.id, raw=raw, unit="degC", at_ms=at_ms))
            for at_ms in invented
        ]
        worst.sort(key=lambda pair: pair[0])
        judged = judge(worst, until_ms)
        hidden |= {one.rule.id for one in judged.found if one.interval.triggered_ms is not None}
    return sorted(hidden)


def open_at_end(all_found: Sequence[Found], points: Sequence[Point]) -> list[Found]:
    """Intervals without a fulfilled hold that still lasted when the log ended."""
    last = next((point.value for point in reversed(points) if point.value is not None), None)
    return [
        one
        for one in all_found
        if one.interval.end_ms is None
        and one.interval.triggered_ms is None
        and last is not None
        and is_outside(one.rule.side, one.rule.outside, one.rule.limit, last)
    ]


def _wake(fold: Fold, position: int, until_ms: int, said: list[Announcement]) -> int:
    """Wake the fold at each deadline up to an instant; the last position used."""
    while (due_ms := fold.next_due_ms()) is not None and due_ms <= until_ms:
        position += 1
        said += fold.apply(position, max(due_ms, fold.arrival_ms), Wake())
        if (after := fold.next_due_ms()) is not None and after <= due_ms:
            raise RuntimeError(f"a deadline at {due_ms} does not pass")
    return position


def _instants(gap: Gap, max_gap_ms: int) -> list[int]:
    step_ms = max(1, max_gap_ms)
    last_ms = max(gap.start_ms, gap.end_ms - gap.closed)
    return [*range(gap.start_ms, last_ms, step_ms), last_ms]


def _says_nothing(channel: ChannelPlan, fact: Fact) -> bool:
    """Whether a fact is a reading without a value: in the worst case it hid the worst."""
    return isinstance(fact, Reading) and condition(channel, fact)[1] == BAD


def _worst(channel: ChannelPlan, rule: Rule) -> int:
    return channel.valid_high if rule.side is Side.ABOVE else channel.valid_low
