"""The alarm system's own figures, from what was announced."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coldchain.announcements import Announcement, Kind
from coldchain.facts import Acknowledged, Shelved
from coldchain.model import Priority
from coldchain.reports.alarm_metrics import (
    AlarmMetrics,
    Blind,
    Chattering,
    FloodSpan,
    OfPriority,
    Often,
    Stale,
    alarm_metrics,
)
from tests.unit.fold.bench import MIN, T0, Bench
from tests.unit.fold.test_groups_and_floods import many, rising, vapour
from tests.unit.fold.test_works import LOW, begins, freezer, level, run, work

H = 60 * MIN
DAY = 24 * H
HIGH, CRITICAL = Priority.HIGH, Priority.CRITICAL


def raised(at: int, alarm: str = "a", number: int = 1, **more: object) -> tuple[int, Announcement]:
    """An alarm raised at a time."""
    words: dict[str, object] = {"priority": HIGH, "state": "unacknowledged", "occurrence": number}
    return at, Announcement(Kind.RAISED, alarm=alarm, **(words | more))  # type: ignore[arg-type]


def said(at: int, kind: Kind, alarm: str = "a", *numbers: int, **more: object) -> tuple[int, Announcement]:
    """Something else said of it."""
    return at, Announcement(kind, alarm=alarm, occurrences=numbers, **more)  # type: ignore[arg-type]


def of(metrics: AlarmMetrics, priority: Priority) -> OfPriority:
    """The figures of one priority."""
    return next(each for each in metrics.priorities if each.priority is priority)


def test_counts_and_rates() -> None:
    """Per priority with its share; per 10 minutes on average and at most, the window half open."""
    told = [
        raised(0),
        raised(5 * MIN, "b", priority=CRITICAL),
        raised(10 * MIN, "a", 2),
        raised(60 * MIN, "c"),
    ]
    metrics = alarm_metrics(told, 0, 100 * MIN)
    assert (metrics.raised, metrics.per_10_min, metrics.peak_10_min) == (4, 0.4, 2)
    assert metrics.per_day == 57.6
    assert [(each.priority.value, each.raised, each.share_percent) for each in metrics.priorities] == [
        ("critical", 1, 25.0),
        ("high", 3, 75.0),
        ("low", 0, 0.0),
        ("to_know", 0, 0.0),
    ]
    assert metrics.top == (Often("a", 2, 50.0), Often("b", 1, 25.0), Often("c", 1, 25.0))


def test_the_span_is_half_open_and_what_was_before_is_not_counted() -> None:
    """At its begin yes, at its end no."""
    told = [raised(0), raised(10, "b"), raised(20, "c")]
    assert [each.alarm for each in alarm_metrics(told, 10, 20).top] == ["b"]


def test_time_to_acknowledge() -> None:
    """Of what was raised within the span; the first acknowledgement counts, what is open is counted apart."""
    told = [
        raised(0),
        raised(1 * MIN, "a", 2),
        raised(2 * MIN, "b"),
        said(4 * MIN, Kind.ACKNOWLEDGED, "a", 1, 2),
        said(9 * MIN, Kind.ACKNOWLEDGED, "a", 1),
    ]
    assert of(alarm_metrics(told, 0, H), HIGH) == OfPriority(HIGH, 3, 100.0, 2, 1, 3 * MIN, 4 * MIN)


def test_what_is_raised_out_of_sight_is_no_load() -> None:
    """Shelved and suppressed alarms call nobody: they are counted apart."""
    metrics = alarm_metrics([raised(0, state="shelved"), raised(1, "b", state="out_of_service")], 0, H)
    assert (metrics.raised, metrics.hidden, of(metrics, HIGH).open) == (0, 2, 0)


def test_chattering_is_three_within_a_minute() -> None:
    """The third at the very minute is not within it."""
    told = [raised(i * 30_000, "slow", i) for i in range(6)]
    told += [raised(H + i * 29_999, "fast", i) for i in range(4)]
    assert alarm_metrics(told, 0, DAY).chattering == (Chattering("fast", 3),)


def test_stale_is_longer_than_a_day() -> None:
    """The condition, not the acknowledgement; what began before the span too, and what stands at its end."""
    told = [
        raised(0),
        raised(0, "b"),
        raised(10 * MIN, "a", 2),
        said(H, Kind.ACKNOWLEDGED, "a", 1, 2),
        said(DAY, Kind.RETURNED, "b", 1),
        said(DAY + 1, Kind.RETURNED, "a", 1, 2),
        raised(2 * DAY, "c"),
        raised(2 * DAY, "late", state="return_to_normal_unacknowledged"),
    ]
    metrics = alarm_metrics(told, DAY, 4 * DAY)
    assert metrics.stale == (Stale("c", 2 * DAY, None, 2 * DAY), Stale("a", 0, DAY + 1, DAY + 1))


def test_the_floods_of_a_real_fold() -> None:
    """Two floods as they were announced, one of them still going on; the share of time is theirs."""
    bench = Bench(many(12))
    rising(bench, [-99.5 + i for i in range(12)])
    bench.run(T0 + 30 * MIN)
    bench.add(vapour(30, -150))
    rising(bench, [-99.5 + i for i in range(12)], start=31)
    metrics = alarm_metrics(bench.said, T0, T0 + 38 * MIN)
    assert metrics.floods == (
        FloodSpan(T0 + 5 * MIN, T0 + round(13.5 * MIN), 12, 12),
        FloodSpan(T0 + 36 * MIN, None, 2, 2),
    )
    assert metrics.flood_percent == round(100 * 10.5 / 38, 2)
    assert metrics.peak_10_min == 12


def test_blind_minutes_of_a_real_fold() -> None:
    """Shelved, then a filling: the union, cut to the span; a work that nothing confirms is counted."""
    bench = Bench(freezer(work()))
    run(
        bench,
        (0, level(0, 50)),
        (1, Shelved(LOW, T0 + 11 * MIN, "anna", "filling soon")),
        (5, begins(20)),
        (30, Acknowledged(LOW, (1,), "anna")),
        (40, begins(50)),
        until=45,
    )
    metrics = alarm_metrics(bench.said, T0 + 2 * MIN, T0 + 45 * MIN)
    assert metrics.blind == (Blind("box/level", (18 + 5) * MIN, 2),)
    assert metrics.unconfirmed_works == 1


@given(
    st.lists(st.tuples(st.integers(0, 200), st.sampled_from("abc")), max_size=60),
    st.integers(0, 4000),
    st.integers(0, 4000),
)
def test_figures_by_counting(steps: list[tuple[int, str]], a: int, b: int) -> None:
    """Counts, peak and shares equal a plain count over the same instants."""
    first, last = sorted((a * 1000, b * 1000))
    at, told = 0, []
    for later, alarm in steps:
        at += later * 1000
        told.append(raised(at, alarm, len(told)))
    metrics = alarm_metrics(told, first, last)
    mine = [t for t, _ in told if first <= t < last]
    assert metrics.raised == len(mine)
    assert metrics.peak_10_min == max((sum(1 for t in mine if s <= t < s + 600_000) for s in mine), default=0)
    assert sum(each.raised for each in metrics.top) == len(mine)
