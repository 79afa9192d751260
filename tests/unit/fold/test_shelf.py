"""How long an alarm may be shelved, and how it comes back by itself."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from coldchain.announcements import Announcement, Kind
from coldchain.facts import Acknowledged, Activated, Shelved, Wake
from coldchain.model import Priority
from tests.unit.fold.bench import MIN, Bench, limit, plan

HOUR = 60 * MIN
ALARM = "box/vapour/above"
BARE = plan(limit(hold_ms=0))
SITE = replace(BARE, shelf_max_ms={Priority.CRITICAL: 2 * HOUR, Priority.HIGH: 8 * HOUR})


def warm(active: object = SITE) -> Bench:
    """A box that has been too warm from its first minute on, and stays so; nobody took it up."""
    bench = Bench(active)  # type: ignore[arg-type]
    bench.series("-140")
    assert [a.kind for _, a in bench.said] == [Kind.RAISED]
    bench.said.clear()
    return bench


def shelve(bench: Bench, for_ms: int, alarm: str = ALARM) -> Announcement:
    """What is said to a person who shelves the alarm for so long from now."""
    now_ms = bench.fold.arrival_ms
    said, *_ = bench.add(Shelved(alarm, now_ms + for_ms, "anna"))
    return said


def again(bench: Bench) -> list[tuple[int, Announcement]]:
    """The same facts folded from nothing, without what was said before the person came."""
    return bench.refold()[1:]


def test_longer_than_the_site_allows_is_refused() -> None:
    """Refused aloud with the maximum, nothing changes, and a re-fold from the facts alone says the same."""
    bench = warm()
    said = shelve(bench, 2 * HOUR + 1)
    assert (said.kind, said.text, said.detail) == (
        Kind.REFUSED,
        "shelf_too_long",
        {"most_ms": str(2 * HOUR)},
    )
    assert bench.fold.desk.alarms[ALARM].state == "unacknowledged"
    assert again(bench) == bench.said


@pytest.mark.parametrize(("acknowledged"), [False, True])
def test_the_longest_shelf_ends_by_itself(acknowledged: bool) -> None:
    """To the ms at its end, and it asks anew while the condition lasts, also if it had been acknowledged."""
    bench = warm()
    if acknowledged:
        bench.add(Acknowledged(ALARM, (1,), "anna"))
    start_ms = bench.fold.arrival_ms
    assert shelve(bench, 2 * HOUR).kind is Kind.SHELVED
    bench.series("-140x110", start_ms=start_ms + MIN)
    bench.run(start_ms + 2 * HOUR - 1)
    assert bench.fold.desk.alarms[ALARM].state == "shelved"
    bench.run(start_ms + 2 * HOUR)
    ended = [(at_ms, a.state, a.occurrences) for at_ms, a in bench.said if a.kind is Kind.UNSHELVED]
    assert ended == [(start_ms + 2 * HOUR, "unacknowledged", (1,))]
    assert again(bench) == bench.said


def test_the_maximum_is_the_priority_s() -> None:
    """A high alarm may be shelved for longer than a critical one; a priority without a maximum for ever."""
    high = replace(plan(limit(hold_ms=0, priority=Priority.HIGH)), shelf_max_ms=SITE.shelf_max_ms)
    assert shelve(warm(high), 8 * HOUR).kind is Kind.SHELVED
    assert shelve(warm(high), 8 * HOUR + 1).kind is Kind.REFUSED
    assert shelve(warm(BARE), 1000 * HOUR).kind is Kind.SHELVED


def test_each_shelving_counts_from_its_own_instant() -> None:
    """Who needs longer shelves it anew: allowed, and by name."""
    bench = warm()
    start_ms = bench.fold.arrival_ms
    shelve(bench, 2 * HOUR)
    bench.add(Wake(), start_ms + HOUR)
    assert shelve(bench, 2 * HOUR).end_ms == start_ms + 3 * HOUR
    assert again(bench) == bench.said


def test_a_shorter_maximum_brings_a_shelf_forward() -> None:
    """A shelf from before it ends when one put up now would have to, announced; one within it stands."""
    bench = warm(BARE)
    now_ms = bench.fold.arrival_ms
    shelve(bench, 1000 * HOUR)
    (said,) = bench.add(Activated(SITE, {}))
    assert (said.kind, said.text, said.end_ms) == (Kind.SHELVED, "shelf_shortened", now_ms + 2 * HOUR)
    bench.add(Wake(), now_ms + MIN)
    assert bench.add(Activated(replace(SITE, site="renamed"), {})) == []
    assert bench.fold.next_due_ms() <= now_ms + 2 * HOUR  # type: ignore[operator]
    bench.run(now_ms + 2 * HOUR)
    assert [at for at, a in bench.said if a.kind is Kind.UNSHELVED] == [now_ms + 2 * HOUR]
    assert again(bench) == bench.said


def test_a_shelf_of_no_rule_is_brought_forward_too() -> None:
    """The alarm of a silent source has no rule, and its shelf ends all the same."""
    bench = warm(BARE)
    bench.run(bench.fold.arrival_ms + 2 * HOUR)
    now_ms = bench.fold.arrival_ms
    assert shelve(bench, 1000 * HOUR, "port:log").kind is Kind.SHELVED
    bench.add(Activated(SITE, {}))
    bench.run(now_ms + 1000 * HOUR)
    ended = [at for at, a in bench.said if a.kind is Kind.UNSHELVED and a.alarm == "port:log"]
    assert ended == [now_ms + 8 * HOUR]
