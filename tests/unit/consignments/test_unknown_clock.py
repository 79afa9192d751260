"""A lane while nobody knows what time it is."""

from __future__ import annotations

from coldchain.consignments.lane import Lane, When
from coldchain.facts import Activated, Bound, ConsignmentStarted, StageEntered
from tests.unit.fold.bench import limit, plan


def test_everything_at_one_instant_without_a_clock() -> None:
    """At a start with the clock unknown, facts of one millisecond are all taken."""
    lane, now = Lane(), When(5)
    assert lane.add(Activated(plan(limit()), {}), now) is None
    assert lane.add(Bound("box.vapour", "box", "vapour", 0), now) is None
    assert lane.add(ConsignmentStarted("C", "box", "test", "transport", 0), now) is None
    assert lane.add(StageEntered("C", "transport", 0), now) is None
    [segment] = lane.segments("box/vapour", journal_axis=True)
    assert (segment.from_ms, segment.scope, segment.stage) == (5, "C", "transport")
