"""Lessons about excursions: who counts them, what they are called, and by which limit they were judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as with_parts
from typing import Any

import pytest
from msgspec.structs import replace

from coldchain.announcements import Kind
from coldchain.consignments.loggers import FILE
from coldchain.facts import Activated, Reading
from coldchain.fold.excursions import Excursion, Ledger
from coldchain.logged import FileImported, Logged, LoggerKnown
from coldchain.model import Origin
from coldchain.plan import Budget, SourcePlan
from coldchain.rules import book
from coldchain.rules.judging import Sample, Seen
from tests.unit.fold.bench import MIN, T0, Bench, budget, channel, limit, plan

HOUR = 60 * MIN


def raised(bench: Bench, rule: str) -> list[int]:
    """Minutes at which a rule's alarm was announced."""
    return [(at - T0) // MIN for at, one in bench.said if one.kind is Kind.RAISED and one.rule == rule]


# The cumulative rule swallows the single event (msupply mobile 4549).


def each_rule_counts_for_itself() -> bool:
    """Twice outside for 40 min: is each event told after its 30 min, and the sum when it passes an hour?"""
    bench = Bench(plan(limit("single", hold_ms=30 * MIN), budget("sum", allowance_min=60)))
    bench.series("-160 for 10m, -140 for 40m, -160 for 10m, -140 for 40m, -160 for 10m")
    bench.run(T0 + 2 * HOUR)
    return (raised(bench, "single"), raised(bench, "sum")) == ([40, 90], [80])


def test_a_sum_and_an_event_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has an accumulator of its own; an engine where one rule takes time from the other fails."""
    assert each_rule_counts_for_itself()
    judge = book.JUDGES[Budget]

    def swallowed(rule: Any, state: Any, seen: Seen, now: Sample) -> Any:
        return (state, ()) if now.low > -150_000 else judge.on_sample(rule, state, seen, now)

    monkeypatch.setitem(book.JUDGES, Budget, with_parts(judge, on_sample=swallowed))
    assert not each_rule_counts_for_itself()


# A new breach with each download, and one more for each day (msupply mobile 3569, open-msupply 8360).

LOGGER = "logger:Q7"


def log(bench: Bench, first: int, until: int, arrival_ms: int) -> None:
    """A logger's file: a reading each ten minutes, always outside."""
    probe = channel(f"{LOGGER}.t", source=LOGGER, interval_ms=10 * MIN, fresh_within_ms=1 << 45)
    bench.add(LoggerKnown(SourcePlan(LOGGER, FILE, round_ms=10 * MIN, sends_time=True), (probe,)), arrival_ms)
    times = [T0 + minute * MIN for minute in range(first, until, 10)]
    for at_ms in times:
        bench.add(Reading(LOGGER, probe.id, "-140", "degC", at_ms=at_ms, origin=Origin.IMPORTED), arrival_ms)
    logged = Logged(probe.id, T0, times[-1] + 1, len(times))
    file = FileImported(f"{until:064x}", "log.txt", 1, "", "box", LOGGER, (logged,))
    bench.add(file, arrival_ms)


def one_breach_is_one() -> bool:
    """Outside for 15 h, over midnight, and read out twice on the way: is it one excursion with one name?"""
    bench = Bench(replace(plan(limit(hold_ms=0)), channels=()))
    log(bench, 0, 180, T0 + 4 * HOUR)
    (first,) = bench.fold.places["box/vapour"].ledger.all()
    log(bench, 180, 900, T0 + 16 * HOUR)
    found = bench.fold.places["box/vapour"].ledger.all()
    return [one.id for one in found] == [first.id] and found[0].interval.start_ms == T0


def test_a_breach_keeps_its_name_over_downloads_and_midnight(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found again keeps its name; an engine that names what each import finds anew fails."""
    assert one_breach_is_one()
    named = Ledger._name

    def anew(self: Ledger, found: Any, old: Any, before: Any, revision: Any) -> Any:
        return named(self, found, [], before, revision)

    monkeypatch.setattr(Ledger, "_name", anew)
    assert not one_breach_is_one()


# The limit changes, and yesterday's breach is judged by today's (open-msupply 1798).


def the_limit_stays(limit_of: Callable[[Bench, Excursion], int | None]) -> bool:
    """Outside of −150 °C; next day the limit is −130 °C. By which limit was the excursion one?"""
    bench = Bench(plan(limit(hold_ms=0)))
    bench.series("-140 for 1h, -160 for 1h")
    bench.add(Activated(plan(limit(value=-130, hold_ms=0)), {}), T0 + 24 * HOUR)
    (found,) = bench.fold.places["box/vapour"].ledger.all()
    return limit_of(bench, found) == -150_000 and found.interval.extreme == -140_000


def test_the_limit_in_force_is_frozen_into_the_breach() -> None:
    """It stands in the excursion, with its extreme; an engine that looks the limit up when asked fails."""

    def looked_up(bench: Bench, found: Excursion) -> int | None:
        (stage,) = bench.fold.lane.plan.profiles[0].stages
        return next(rule.limit for rule in stage.rules if rule.id == found.rule.id)

    assert the_limit_stays(lambda bench, found: found.rule.limit)
    assert not the_limit_stays(looked_up)
