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
from coldchain.pipeline import plugins
from coldchain.plan import Budget, ChannelPlan, Limit, Rolling, Rule
from coldchain.reports.statistics import Gap, Point
from coldchain.rules.judging import BAD, Interval, is_outside
from coldchain.units import QUANTITIES

#: A worst case of more invented readings than this is not reckoned: the gaps are longer than the log.
_INVENTED_MAX = 50_000


@dataclass(frozen=True)
class Found:
    """An interval outside, with the rule that found it; open intervals reach to the end of the replay."""

    rule: Rule
    interval: Interval


@dataclass(frozen=True)
class Judged:
    """What the fold says: intervals by start, alarms in the order they were raised.

    said: every announcement, with when it was made.
    """

    found: tuple[Found, ...]
    raised: tuple[Announcement, ...]
    said: tuple[tuple[int, Announcement], ...] = ()


class Judging:
    """The one fold, fed with facts that arrive when they happen; deadlines fire at their own instants."""

    def __init__(self) -> None:
        plugins.load()
        self.fold = Fold()
        self.said: list[tuple[int, Announcement]] = []
        self._position = 0

    def feed(self, arrival_ms: int, fact: Fact) -> list[Announcement]:
        """Let everything happen that is due by then, then the fact; what the fact itself made us say."""
        self._wake(arrival_ms)
        return self._apply(arrival_ms, fact)

    def resume(self, arrival_ms: int, fact: Fact) -> list[Announcement]:
        """A fact before which nobody looked: the process was not running, and no deadline was met in time."""
        return self._apply(arrival_ms, fact)

    def pass_until(self, until_ms: int) -> None:
        """Let deadlines pass up to an instant."""
        if until_ms > self.fold.arrival_ms:
            self._wake(until_ms)
            self._apply(until_ms, Wake())

    def judged(self) -> Judged:
        """What is known now."""
        found = [
            Found(excursion.rule, place.standing(excursion))
            for place in self.fold.places.values()
            for excursion in place.ledger.all()
        ]
        found.sort(key=lambda one: (one.interval.start_ms, one.rule.id))
        raised = tuple(said for _, said in self.said if said.kind is Kind.RAISED)
        return Judged(tuple(found), raised, tuple(self.said))

    def _wake(self, until_ms: int) -> None:
        while (due_ms := self.fold.next_due_ms()) is not None and due_ms <= until_ms:
            self._apply(max(due_ms, self.fold.arrival_ms), Wake())
            if (after := self.fold.next_due_ms()) is not None and after <= due_ms:
                raise RuntimeError(f"a deadline at {due_ms} does not pass")

    def _apply(self, arrival_ms: int, fact: Fact) -> list[Announcement]:
        self._position += 1
        said = self.fold.apply(self._position, arrival_ms, fact)
        self.said += [(arrival_ms, one) for one in said]
        return said


def judge(facts: Iterable[tuple[int, Fact]], until_ms: int | None = None) -> Judged:
    """Fold facts that arrive when they happen; `until_ms`: let deadlines pass up to then, too."""
    judging = Judging()
    for arrival_ms, fact in facts:
        judging.feed(arrival_ms, fact)
    if until_ms is not None:
        judging.pass_until(until_ms)
    return judging.judged()


def could_be_hidden(
    channel: ChannelPlan,
    facts: Sequence[tuple[int, Fact]],
    gaps: Sequence[Gap],
    rules: Sequence[Rule],
    until_ms: int | None = None,
) -> list[str] | None:
    """The rules that would have alarmed if the product had been outside in every gap; None: too much to try.

    facts may hold other channels too; only what this one hides is tried.

    The same fold judges the log once more, a side at a time, with the worst that a gap can have held.
    """
    invented = [at_ms for gap in gaps for at_ms in _instants(gap, channel.max_gap_ms)]
    if len(invented) > _INVENTED_MAX:
        return None
    hidden: set[str] = set()
    quantity = QUANTITIES[channel.quantity]
    for value in {_worst(channel, rule) for rule in rules}:
        worst = [(at_ms, fact) for at_ms, fact in facts if not _says_nothing(channel, fact)]
        raw = f"{'-' if value < 0 else ''}{abs(value) // quantity.per_display}"
        worst += [
            (at_ms, Reading(channel.source, channel.id, raw=raw, unit=quantity.display_unit, at_ms=at_ms))
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
        and isinstance(one.rule, Limit | Budget | Rolling)
        and is_outside(one.rule.side, one.rule.outside, one.rule.limit, last)
    ]


def _instants(gap: Gap, max_gap_ms: int) -> list[int]:
    step_ms = max(1, max_gap_ms)
    last_ms = max(gap.start_ms, gap.end_ms - gap.closed)
    return [*range(gap.start_ms, last_ms, step_ms), last_ms]


def _says_nothing(channel: ChannelPlan, fact: Fact) -> bool:
    """Whether a fact is a reading without a value: in the worst case it hid the worst."""
    return isinstance(fact, Reading) and fact.channel == channel.id and condition(channel, fact)[1] == BAD


def _worst(channel: ChannelPlan, rule: Rule) -> int:
    return channel.valid_high if rule.side is Side.ABOVE else channel.valid_low
