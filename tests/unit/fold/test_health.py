"""What the gateway says of itself: an alarm while a limit is crossed, the same however often it is folded."""

from __future__ import annotations

from coldchain.announcements import Kind
from coldchain.facts import HealthCrossed, decode, encode
from coldchain.model import Priority
from tests.unit.fold.bench import MIN, T0, Bench, limit, plan


def crossed(what: str, *, beyond: bool) -> HealthCrossed:
    """A disk with less room than the site wants, or a sink that tells nobody."""
    return HealthCrossed(what, beyond, 7, 10, "bytes", Priority.HIGH)


def test_raised_and_gone() -> None:
    """Each crossing is one word; what stands is not said again, and what does not stand cannot go."""
    bench = Bench(plan(limit()))
    for minute, (what, beyond) in enumerate(
        [
            ("disk", False),
            ("disk", True),
            ("disk", True),
            ("sink-mail", True),
            ("disk", False),
            ("clock-error", True),
        ]
    ):
        bench.add(crossed(what, beyond=beyond), T0 + minute * MIN)
    assert [(one.kind, one.alarm, one.rule) for _, one in bench.said] == [
        (Kind.RAISED, "gateway/disk", "disk"),
        (Kind.RAISED, "gateway/sink-mail", "sink"),
        (Kind.RETURNED, "gateway/disk", "disk"),
        (Kind.RAISED, "gateway/clock-error", "clock-error"),
    ]
    first = bench.said[0][1]
    assert first.detail == {"value": "7 bytes", "limit": "10 bytes"}
    assert first.priority is Priority.HIGH
    assert bench.refold() == bench.said


def test_it_is_a_fact() -> None:
    """Value and limit are written down: whoever folds it again needs neither machine nor configuration."""
    fact = crossed("disk", beyond=True)
    assert decode(encode(fact)) == fact
    assert encode(fact) == (
        b'{"beyond":true,"fact":"health","limit":10,"priority":"high","unit":"bytes","value":7,"what":"disk"}'
    )
