"""What people gave back of budgets: the spans of excursions that somebody resolved, with reason.

A resolution is a person's word about a span of time that they have looked at, so it names its ends: what late
readings add to an excursion afterwards nobody has looked at, and is charged. It changes no excursion and no
alarm but those of the budgets that counted it.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from coldchain.consignments.line import Segment
from coldchain.plan import Budget, Rule, Span


class Resolution(Struct, frozen=True):
    """An excursion that a person resolved, and the span (on the place's axis) that is given back."""

    excursion: str
    span: Span
    actor: str
    comment: str
    journal_ms: int


class Resolutions:
    """All resolutions in force, by place and in the order in which they were made."""

    def __init__(self) -> None:
        self._at: dict[str, list[Resolution]] = {}

    def at(self, place: str) -> list[Resolution]:
        """Those of a place."""
        return list(self._at.get(place, ()))

    def of(self, place: str, excursion: str) -> Resolution | None:
        """That of an excursion."""
        return next((each for each in self._at.get(place, ()) if each.excursion == excursion), None)

    def add(self, place: str, resolution: Resolution) -> None:
        """An excursion was resolved."""
        self._at.setdefault(place, []).append(resolution)

    def take_back(self, place: str, excursion: str) -> None:
        """An excursion is open to judgement again."""
        self._at[place] = [each for each in self._at[place] if each.excursion != excursion]

    def forget(self, place: str) -> None:
        """The place goes on in another time base: spans of the one before mean nothing there."""
        self._at.pop(place, None)

    def shift_from(self, place: str, at_ms: int, by_ms: int) -> None:
        """The place's axis moved by a down time that became known: what has happened since moves with it."""
        self._at[place] = [
            replace(each, span=Span(*(end + by_ms if end >= at_ms else end for end in each.span.ends)))
            for each in self._at.get(place, ())
        ]

    def fitted(self, place: str, line: list[Segment]) -> list[Segment]:
        """A time line whose budgets know which spans of their segment were given back."""
        spans = _joined([each.span for each in self._at.get(place, ())])
        if not spans:
            return line
        found = []
        for i, segment in enumerate(line):
            until_ms = line[i + 1].from_ms if i + 1 < len(line) else None
            mine = tuple(
                span
                for span in spans
                if span.to_ms > segment.from_ms and (until_ms is None or span.from_ms < until_ms)
            )
            found.append(replace(segment, rules=tuple(_given(rule, mine) for rule in segment.rules)))
        return found


def _given(rule: Rule, spans: tuple[Span, ...]) -> Rule:
    return replace(rule, given_back=spans) if isinstance(rule, Budget) and spans else rule


def _joined(spans: list[Span]) -> list[Span]:
    """Spans in order, those that touch as one."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda each: each.ends):
        if joined and span.from_ms <= joined[-1].to_ms:
            joined[-1] = Span(joined[-1].from_ms, max(joined[-1].to_ms, span.to_ms))
        else:
            joined.append(span)
    return joined
