"""Lessons about alarms and people: works, suppression, acknowledgement, reminders, and what never ends."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from coldchain.alarms import moves, works
from coldchain.alarms.alarm import Alarm, Moved
from coldchain.alarms.works import Underway, WorkEvent, WorkGiven, WorkRow, WorkState
from coldchain.announcements import Announcement, Kind
from coldchain.facts import Acknowledged, AlarmClosed, Reading, WorkEnded
from coldchain.fold.flood import Flood
from coldchain.fold.place import Place
from coldchain.model import Priority
from coldchain.plan import Contact, Escalation, Moves, Plan, Sign, Step
from coldchain.sinks.base import calls_people
from tests.unit.fold.bench import MIN, T0, Bench, channel, limit, plan
from tests.unit.fold.test_groups_and_floods import many, rising
from tests.unit.fold.test_works import LOW, SERVICE, WARM, begins, freezer, level, run, vapour, work

HOUR, DAY = 60, 1440
BOX = "box/vapour/above"


def reading(minute: float, raw: str = "-140") -> Reading:
    """The box's vapour at a minute."""
    return Reading("log", "box.vapour", raw, "degC", at_ms=T0 + round(minute * MIN))


def called(bench: Bench, alarm: str) -> list[int]:
    """Minutes at which people were called for an alarm that asks."""
    return [
        (at - T0) // MIN
        for at, one in bench.said
        if one.alarm == alarm and calls_people(one) and one.state == "unacknowledged"
    ]


# Works left a valve shut, and nobody asked (Karolinska 2023: 47,000 samples).

SUPPLY = work(
    "supply",
    longest_ms=8 * HOUR * MIN,
    hides=(),
    sign=Sign("level", Moves.RISES, 100, within_ms=DAY * MIN, after_end=True),
)


def a_shut_valve_is_found() -> bool:
    """Works at the supply are said to be done, the level only falls: is somebody called within a day?"""
    bench = Bench(freezer(own=(SUPPLY,)))
    run(
        bench, (0, level(0, 150)), (1, begins(2 * HOUR, name="supply")), (90, WorkEnded("box", "supply", "a"))
    )
    for minute in range(100, 2 * DAY, 60):
        run(bench, (minute, level(minute, 150 - minute / 100)))
    return called(bench, "work:box/supply") == [90 + DAY]


def test_the_end_of_works_is_confirmed_by_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The level must rise again after the works; an engine that takes a person's word fails."""
    assert a_shut_valve_is_found()
    looked_up = works.look_up

    def by_word(at: WorkState, event: WorkEvent, given: WorkGiven) -> WorkRow:
        if event is WorkEvent.END:
            given = WorkGiven(shown=False, checked=False, waits=False)
        return looked_up(at, event, given)

    monkeypatch.setattr(works, "look_up", by_word)
    assert not a_shut_valve_is_found()


# The messages arrived, and lay there (Karolinska 2023 again).


def somebody_else_is_called(alarmed: Plan) -> bool:
    """Nobody takes the alarm up for an hour: has anybody been called but those who let it lie?"""
    bench = Bench(alarmed)
    bench.add(reading(0))
    bench.run(T0 + HOUR * MIN)
    return {name for _, one in bench.said for name in one.to} == {"room", "head"}


def test_an_alarm_that_lies_there_goes_to_the_next() -> None:
    """Steps by time and person; a site that only repeats itself to the same people fails."""
    steps = (Step(0, ("room",)), Step(15 * MIN, ("head",)))
    contacts = (Contact("room"), Contact("head"))
    alarmed = plan(limit(hold_ms=0, re_alarm_ms=15 * MIN))
    with_steps = (Escalation(Priority.CRITICAL, steps),)
    only_one = (Escalation(Priority.CRITICAL, steps[:1]),)
    assert somebody_else_is_called(replace(alarmed, contacts=contacts, escalation=with_steps))
    assert not somebody_else_is_called(replace(alarmed, contacts=contacts, escalation=only_one))


# The alarm had been switched off, since when and by whom nobody knew (Cleveland 2018: 4,000 embryos).


def what_is_switched_off_comes_back() -> bool:
    """Taken out of service and forgotten: does it call at the end; is it told who, since when, how long?"""
    bench = Bench(freezer())
    run(bench, (0, vapour(0, -160)), (1, begins(4 * HOUR, scope=WARM, name=SERVICE.id)))
    known = bench.fold.veil.works.get(f"{WARM}/{SERVICE.id}")
    told = known is not None and (known.owner, known.began_ms) == ("anna", T0 + MIN)
    run(bench, (2, vapour(2, -140)), until=2 * DAY)
    blind_ms = bench.fold.veil.blind.total_ms("box/vapour", T0, bench.fold.arrival_ms)
    return told and called(bench, WARM) == [4 * HOUR] and blind_ms == (4 * HOUR - 1) * MIN


def test_suppression_cannot_be_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has an owner and an end of its own, and its minutes are counted; an engine without the end fails."""
    assert what_is_switched_off_comes_back()
    begun = works.begin

    def for_ever(*given: Any, **words: Any) -> Underway:
        return replace(begun(*given, **words), due_ms=None)

    monkeypatch.setattr(works, "begin", for_ever)
    assert not what_is_switched_off_comes_back()


# A timed silence passes for an acknowledgement (alertmanager 1860: "human responses are out of scope").


def an_acknowledgement_lasts_as_long_as_its_condition() -> bool:
    """Taken up, three days warm: is it quiet all the while, over when it is cold, and loud the next time?"""
    bench = Bench(plan(limit(hold_ms=0), channels=(channel(fresh_within_ms=10 * DAY * MIN),)))
    bench.add(reading(0))
    bench.add(Acknowledged(BOX, (1,), "night shift"), T0 + 2 * MIN)
    for minute in range(60, 3 * DAY, 60):
        bench.run(T0 + minute * MIN)
        bench.add(reading(minute))
    bench.add(reading(3 * DAY, "-160"))
    over = bench.fold.desk.alarms[BOX].state.value
    bench.add(reading(3 * DAY + 10))
    return (called(bench, BOX), over) == ([0, 3 * DAY + 10], "normal")


def test_an_acknowledgement_is_no_timed_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands until the condition goes, and for no other; an engine that silences for four hours fails."""
    assert an_acknowledgement_lasts_as_long_as_its_condition()

    def silenced(alarm: Alarm, named: tuple[int, ...], actor: str, now_ms: int, **calling: Any) -> Moved:
        del named, actor
        return moves.shelve(alarm, now_ms + 4 * HOUR * MIN, now_ms, **calling)

    monkeypatch.setattr(moves, "acknowledge", silenced)
    assert not an_acknowledgement_lasts_as_long_as_its_condition()


# Reminders until somebody acknowledges, and an end that waits (ThingsBoard 12501, 11803, 10979).


def it_reminds_until_somebody_comes() -> bool:
    """Every quarter of an hour until taken up; gone only after ten minutes inside without a break."""
    rule = limit(hold_ms=0, re_alarm_ms=15 * MIN, off_delay_ms=10 * MIN)
    bench = Bench(plan(rule))
    bench.add(reading(0))
    bench.run(T0 + 50 * MIN)
    reminded = called(bench, BOX)
    bench.add(Acknowledged(BOX, (1,), "night shift"), T0 + 50 * MIN)
    for minute, raw in ((51, "-160"), (55, "-140"), (56, "-160"), (60, "-160"), (66, "-160")):
        bench.run(T0 + minute * MIN)
        bench.add(reading(minute, raw))
    gone = [(at - T0) // MIN for at, one in bench.said if one.kind is Kind.RETURNED]
    return (reminded, gone) == ([0, 15, 30, 45], [66])


def test_an_alarm_reminds_until_it_is_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that speaks once fails."""
    assert it_reminds_until_somebody_comes()
    monkeypatch.setattr(moves, "_next_re_alarm", lambda *given: None)
    assert not it_reminds_until_somebody_comes()


# A breach that can never end, because the probe is dead or lost (open-msupply 3207).


def a_lost_probe_ends_the_alarm_alone() -> bool:
    """Warm, and the logger is lost: may the alarm be closed, the breach open, its time unmonitored?"""
    bench = Bench(plan(limit(hold_ms=0), channels=(channel(fresh_within_ms=5 * MIN, max_gap_ms=3 * MIN),)))
    bench.add(reading(0))
    bench.run(T0 + 10 * MIN)
    bench.add(AlarmClosed(BOX, "a", "lost in transit"), T0 + 11 * MIN)
    place = bench.fold.places["box/vapour"]
    standing = [i for _, i in place.track.standing(T0 + HOUR * MIN)]
    open_ = [each.id for each in place.ledger.open.values()]
    closed = bench.fold.desk.alarms[BOX].state.value == "normal"
    return closed and open_ == [f"{BOX}#1"] and [i.unmonitored_ms for i in standing] == [57 * MIN]


def test_closing_an_alarm_closes_no_excursion(monkeypatch: pytest.MonkeyPatch) -> None:
    """The breach stays as it is; an engine that ends it with its alarm fails."""
    assert a_lost_probe_ends_the_alarm_alone()

    def with_it(self: Place, rule_id: str) -> None:
        self.ledger.ended(*((e := self.ledger.open[rule_id]).rule, e.interval), self.track.at_ms or 0)

    monkeypatch.setattr(Place, "close", with_it)
    assert not a_lost_probe_ends_the_alarm_alone()


# Planned maintenance silences everything (goalert 3230, oncall 1919: filter it by kind).


def a_filling_hides_its_own_alarm() -> bool:
    """While the freezer is filled its level is low and its vapour warm: who is called for which?"""
    bench = Bench(freezer(work()))
    run(bench, (0, level(0, 150)), (1, begins(20)), (2, level(2, 90)), (3, vapour(3, -140)))
    return (called(bench, LOW), called(bench, WARM)) == ([], [3])


def test_planned_work_hides_what_it_explains_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The named rules alone; an engine that hides the whole vessel fails."""
    assert a_filling_hides_its_own_alarm()
    monkeypatch.setattr(Underway, "hides", lambda self, alarm, subject, rule: alarm.startswith("box/"))
    assert not a_filling_hides_its_own_alarm()


# Hundreds of alerts per weekend hide the one that matters (corismonitoring.com).


def a_flood_leaves_what_matters() -> bool:
    """Sixteen alarms in eight minutes, half critical: are people called for each of those, and few others?"""
    bench = Bench(many(16))
    rising(bench, [-99.5 + i for i in range(16)])
    bench.run(T0 + HOUR * MIN)

    def calls(priority: Priority) -> list[Announcement]:
        return [
            one
            for _, one in bench.said
            if one.kind is Kind.RAISED and one.priority is priority and calls_people(one)
        ]

    return (len(calls(Priority.CRITICAL)), len(calls(Priority.LOW))) == (8, 5)


def test_a_flood_folds_what_is_low(monkeypatch: pytest.MonkeyPatch) -> None:
    """Low alarms are told together when it is over; an engine that folds nothing, or everything, fails."""
    assert a_flood_leaves_what_matters()
    with monkeypatch.context() as nothing:
        nothing.setattr(Flood, "_fold", lambda self, one: one)
        assert not a_flood_leaves_what_matters()
    monkeypatch.setattr(Flood, "_fold", lambda self, one: replace(one, folded=True))
    assert not a_flood_leaves_what_matters()
