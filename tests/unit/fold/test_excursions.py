"""Excursions live apart from alarms: one identity through midnight and restarts; limits frozen in them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from coldchain.announcements import Announcement, Kind
from coldchain.daemon.lens import Lens
from coldchain.daemon.views import assets
from coldchain.facts import Acknowledged, Activated, AlarmClosed, ProcessStarted, Reading
from coldchain.fold.coverage import coverage
from coldchain.fold.excursions import Excursion
from coldchain.model import Origin, Priority
from coldchain.pipeline.states import freeze, thaw
from coldchain.plan import Cited, Plan
from coldchain.web.views import Judgement
from tests.unit.fold.bench import MIN, T0, Bench, channel, limit, plan

DAY = 24 * 60


def reading(minute: float, raw: str = "-140", **more: object) -> Reading:
    """The box's vapour at a minute."""
    return Reading("log", "box.vapour", raw, "degC", at_ms=T0 + round(minute * MIN), **more)  # type: ignore[arg-type]


def excursions(bench: Bench) -> list[Excursion]:
    """All of the box."""
    return bench.fold.places["box/vapour"].ledger.all()


def spans(bench: Bench) -> list[tuple[str, int, int | None]]:
    """Id, start and end in minutes."""
    return [
        (e.id, (i.start_ms - T0) // MIN, None if i.end_ms is None else (i.end_ms - T0) // MIN)
        for e in excursions(bench)
        for i in [bench.fold.places["box/vapour"].standing(e)]
    ]


def about_excursions(bench: Bench) -> list[Announcement]:
    """All that was said of the limit's alarm and excursions."""
    return [one for _, one in bench.said if one.rule == "above"]


def profile(version: str, source: str, *, approved: bool) -> Plan:
    """The same limit, said by another version of its profile."""
    made = plan(
        limit(hold_ms=0, priority=Priority.HIGH, cited=Cited(source, "high", "QA" if approved else ""))
    )
    return replace(made, profiles=(replace(made.profiles[0], version=version, approved=approved),))


FIRST, SECOND = profile("1", "the first label", approved=False), profile("2", "the second", approved=True)


@pytest.mark.parametrize("late", [False, True], ids=["as it comes", "folded again by a late reading"])
def test_the_limit_in_force_when_it_began_is_frozen_in_it(late: bool) -> None:
    """A new version with the same number approves nothing that began before it, however the readings come."""
    bench = Bench(FIRST)
    bench.add(reading(0, "-160"))
    bench.add(reading(2))
    bench.add(Activated(SECOND, {}), T0 + 5 * MIN)
    if late:
        bench.add(reading(7))
        bench.add(reading(1, "-141"), T0 + 8 * MIN)
    bench.add(reading(9, "-160"))
    bench.add(reading(12))
    before, after = excursions(bench)
    assert (before.rule.cited.source, before.segment.version, before.segment.approved) == (
        "the first label",
        "1",
        False,
    )
    assert (after.rule.cited.source, after.segment.version, after.segment.approved) == (
        "the second",
        "2",
        True,
    )
    ended = [one for _, one in bench.said if one.kind is Kind.EXCURSION_ENDED]
    assert [one.unapproved for one in ended] == [True]
    assert bench.refold() == bench.said


def test_a_changed_limit_ends_it_and_its_successor_has_the_new_one() -> None:
    """Another number: closed "limits changed", linked, and each holds its own limit."""
    bench = Bench(plan(limit(hold_ms=0)))
    bench.add(reading(0))
    bench.add(Activated(plan(limit(value=-145, hold_ms=0)), {}), T0 + 5 * MIN)
    bench.add(reading(6))
    old, new = excursions(bench)
    assert (old.rule.limit, old.interval.why_ended, old.interval.end_ms) == (  # type: ignore[union-attr]
        -150_000,
        "limits_changed",
        T0 + 5 * MIN,
    )
    assert (new.rule.limit, new.follows) == (-145_000, old.id)  # type: ignore[union-attr]


def test_midnight_splits_nothing() -> None:
    """Three days outside are one excursion, whatever the calendar says (open-msupply 8360 splits by day)."""
    bench = Bench(plan(limit(hold_ms=0)))
    for minute in range(0, 3 * DAY, 20):
        bench.add(reading(minute))
    assert len({datetime.fromtimestamp((T0 + m * MIN) / 1000, UTC).date() for m in range(0, 3 * DAY, 60)}) > 3
    assert spans(bench) == [("box/vapour/above#1", 0, None)]


def test_the_same_memory_sent_again_changes_nothing() -> None:
    """A logger is read out twice: the same excursions, none doubled (open-msupply mobile 3569)."""
    bench = Bench(plan(limit(hold_ms=0)))
    memory = [(minute, "-140" if 10 <= minute < 20 or 40 <= minute < 50 else "-160") for minute in range(60)]
    for minute, raw in memory:
        bench.add(reading(minute, raw, origin=Origin.BACKFILLED), T0 + 100 * MIN)
    once, said = spans(bench), about_excursions(bench)
    for minute, raw in memory:
        bench.add(reading(minute, raw, origin=Origin.BACKFILLED), T0 + 200 * MIN)
    assert spans(bench) == once == [("box/vapour/above#1", 10, 20), ("box/vapour/above#2", 40, 50)]
    assert about_excursions(bench) == said


def test_a_restart_in_the_middle_changes_nothing() -> None:
    """Frozen, thawed, started again: the excursion goes on under its name, and ends under it."""
    bench = Bench(plan(limit(hold_ms=0)))
    bench.add(reading(0))
    bench.fold = thaw(freeze(bench.fold))
    bench.add(ProcessStarted("boot2", T0 + 5 * MIN, MIN), T0 + 5 * MIN)
    bench.add(reading(10, "-160"))
    assert spans(bench) == [("box/vapour/above#1", 0, 10)]


def test_nothing_done_to_the_alarm_touches_the_excursion() -> None:
    """Acknowledged, then closed because the probe is lost: it lasts, unmonitored by the hour."""
    bench = Bench(plan(limit(hold_ms=0), channels=(channel(fresh_within_ms=5 * MIN, max_gap_ms=3 * MIN),)))
    bench.add(reading(0))
    bench.add(reading(2))
    bench.add(Acknowledged("box/vapour/above", (1,), "a"), T0 + 3 * MIN)
    assert bench.add(AlarmClosed("box/vapour/above", "a", "lost"), T0 + 4 * MIN)[0].text == "still_judged"
    bench.run(T0 + 10 * MIN)
    bench.add(AlarmClosed("box/vapour/above", "a", "logger lost in transit"), T0 + 11 * MIN)
    place = bench.fold.places["box/vapour"]
    assert bench.fold.desk.alarms["box/vapour/above"].state == "normal"
    assert spans(bench) == [("box/vapour/above#1", 0, None)]
    for minutes, unmonitored in ((60, 55), (120, 115)):
        ((_, interval),) = place.track.standing(T0 + minutes * MIN)
        assert (interval.outside_ms, interval.unmonitored_ms) == (5 * MIN, unmonitored * MIN)
        assert coverage(place.track, T0 + minutes * MIN).unmonitored_ms == unmonitored * MIN


def test_a_vessel_without_its_probe_is_not_known_and_its_coverage_sinks() -> None:
    """What people see: not known, and what was watched does not grow with what was not."""
    bench = Bench(plan(limit(hold_ms=0), channels=(channel(fresh_within_ms=5 * MIN, max_gap_ms=3 * MIN),)))
    for minute in range(11):
        bench.add(reading(minute, "-160"))
    bench.run(T0 + 60 * MIN)
    lens = Lens(bench.fold, {}, {}, lambda alarm: (), lambda text: text)
    (box,) = assets(lens)
    (vapour,) = box.channels
    assert (box.judgement, vapour.judgement) == (Judgement.NOT_KNOWN, Judgement.NOT_KNOWN)
    assert (vapour.good_ms, vapour.product_ms) == (10 * MIN, 10 * MIN)
    assert vapour.counts_at_journal_ms == T0 + 10 * MIN
    assert vapour.good_until_journal_ms == T0 + 13 * MIN
