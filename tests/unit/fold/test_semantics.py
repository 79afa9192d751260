"""The counter-examples that shaped the contract (docs/semantics.md), each as a named test."""

from __future__ import annotations

from coldchain.announcements import Kind
from coldchain.facts import (
    Acknowledged,
    Activated,
    ClockSet,
    EngineStarted,
    LatchReset,
    ProcessStarted,
    Reading,
    StageEntered,
    Wake,
)
from coldchain.fold import Fold
from coldchain.model import Origin, Priority, Quality, Reason
from coldchain.rules.judging import GOOD, UNCERTAIN
from tests.unit.fold.bench import MIN, T0, Bench, budget, channel, limit, plan

H = 60 * MIN


def reading(minute: float, raw: str, **more: object) -> Reading:
    """A reading of the box's vapour at a minute."""
    return Reading("log", "box.vapour", raw, "degC", at_ms=T0 + round(minute * MIN), **more)  # type: ignore[arg-type]


def bad(minute: float) -> Reading:
    """A BAD one."""
    return Reading("log", "box.vapour", at_ms=T0 + round(minute * MIN), bad=Reason.SENSOR_OPEN)


def test_a_wake_that_fired_is_a_fact() -> None:
    """A kill just after a deadline and one just before it leave different facts, so the re-fold agrees."""
    bench = Bench(plan(limit()))
    bench.add(reading(0, "-149"))
    before = len(bench.facts)
    bench.run(T0 + 30 * MIN)
    assert isinstance(bench.facts[before][1], Wake)
    assert bench.refold() == bench.said
    assert [a.kind for _, a in bench.said] == [Kind.RAISED]


def test_one_state_outside_after_bad_then_the_probe_is_dead() -> None:
    """Outside at 1 arrives after BAD at 2, then nothing: the hold runs and alarms."""
    bench = Bench(plan(limit()))
    bench.add(reading(0, "-160"))
    bench.add(bad(2))
    bench.add(reading(1, "-149"), T0 + 3 * MIN)
    bench.run(T0 + 40 * MIN)
    assert bench.told() == ["raised above since 1 due 11"]


def test_a_backlog_raises_no_false_alarm_between_its_readings() -> None:
    """A hold runs in its channel's own time: two readings of a backlog, outside then inside, are calm."""
    bench = Bench(plan(limit()))
    bench.add(reading(0, "-160"))
    bench.add(reading(1, "-149"), T0 + 2 * H)
    bench.run(T0 + 2 * H + 500)
    bench.add(reading(5, "-160"), T0 + 2 * H + 1000)
    bench.run(T0 + 2 * H + 20 * MIN)
    assert [a for _, a in bench.said if a.rule == "above"] == []


def test_late_evidence_that_denies_leaves_the_announcement_standing() -> None:
    """Announced at its due time; a late reading denies it: not confirmed, not erased."""
    bench = Bench(plan(limit()))
    bench.add(reading(0, "-149"))
    bench.run(T0 + 11 * MIN)
    bench.add(reading(5, "-160"), T0 + 12 * MIN)
    assert bench.told() == [
        "raised above since 0 due 10",
        "not_confirmed above since 0 end 5",
        "returned above end 10",
    ]
    assert bench.refold() == bench.said


def test_what_is_found_late_is_announced_now() -> None:
    """A backfilled excursion that had been missed is announced, late, once, and over."""
    bench = Bench(plan(limit()))
    bench.series("-160 _x30 -160")
    for minute in (5, 10, 16):
        bench.add(reading(minute, "-140", origin=Origin.BACKFILLED), T0 + 40 * MIN)
    bench.add(reading(20, "-160", origin=Origin.BACKFILLED), T0 + 40 * MIN)
    raised = [(at, a) for at, a in bench.said if a.kind is Kind.RAISED]
    assert [(at, a.since_ms, a.late) for at, a in raised] == [(T0 + 40 * MIN, T0 + 5 * MIN, "found_late")]
    assert bench.fold.desk.alarms["box/vapour/above"].condition is False
    assert bench.refold() == bench.said


def test_order_of_arrival_does_not_change_what_was_true() -> None:
    """The same readings in any order end in the same excursions."""
    series = [(0, "-160"), (1, "-149"), (3, "-148"), (12, "-147"), (20, "-160"), (22, "-149"), (40, "-149")]
    truths = set()
    for order in (series, series[::-1], series[3:] + series[:3]):
        bench = Bench(plan(limit(), budget(allowance_min=5)))
        for minute, raw in order:
            bench.add(reading(minute, raw), T0 + 60 * MIN)
        place = bench.fold.places["box/vapour"]
        truths.add(
            tuple(
                (e.rule.id, i.start_ms, i.triggered_ms, i.end_ms, i.extreme, i.outside_ms, i.integral)
                for e in place.ledger.all()
                for i in [place.standing(e)]
            )
        )
        assert bench.refold() == bench.said
    assert len(truths) == 1


def test_a_delivery_in_the_future_keeps_its_spacing() -> None:
    """Ten minutes outside, sent by a clock an hour ahead in one run, stay ten minutes outside."""
    bench = Bench(plan(limit(hold_ms=8 * MIN)))
    arrival = T0 + 100 * MIN
    for i in range(11):
        bench.add(reading(100 + 50 + i, "-140"), arrival + i)
    bench.run(arrival + 1000)
    assert [a.rule for _, a in bench.said if a.kind is Kind.RAISED and a.rule != "silence"] == [
        "clock",
        "above",
    ]
    newest = bench.fold.channels.histories["box.vapour"].at[-1]
    assert newest == arrival + 10
    assert bench.refold() == bench.said


def test_equal_identity_with_another_value_is_another_reading() -> None:
    """A counter that restarted: both readings are kept and the fault is counted."""
    bench = Bench(plan(limit()))
    bench.add(reading(0, "-160", sequence=1))
    bench.add(reading(1, "-149", sequence=1))
    count = bench.fold.channels.counts["box.vapour"]
    assert (count.taken, count.repeats, count.sequence_faults) == (2, 0, 1)


def test_a_repeat_is_counted_and_judged_once() -> None:
    """Equal identity, time and value: a repeat; its strongest origin is kept."""
    bench = Bench(plan(limit()))
    bench.add(reading(0, "-160", sequence=1, origin=Origin.RETAINED))
    bench.add(reading(0, "-160", sequence=1, dup=True), T0 + MIN)
    count = bench.fold.channels.counts["box.vapour"]
    assert (count.taken, count.repeats) == (1, 1)
    assert len(bench.fold.channels.histories["box.vapour"]) == 1


def test_without_time_or_number_a_dup_is_in_doubt_and_retained_is_not_judged() -> None:
    """Such a source cannot be told from its repeat: DUP is UNCERTAIN, retained is judged by nothing."""
    bench = Bench(plan(limit(hold_ms=0), sends_time=False))
    bench.add(Reading("log", "box.vapour", "-140", "degC", origin=Origin.RETAINED), T0 + MIN)
    assert bench.said == []
    assert bench.fold.channels.now["box.vapour"].value == -140_000
    bench.add(Reading("log", "box.vapour", "-160", "degC", dup=True), T0 + 2 * MIN)
    assert bench.fold.channels.now["box.vapour"].quality == UNCERTAIN
    assert bench.fold.channels.now["box.vapour"].reason is Reason.DUPLICATE_IN_DOUBT


def test_a_clock_step_moves_no_deadline_of_a_source_without_time() -> None:
    """Its holds are reckoned in journal time; UTC only prints them."""
    bench = Bench(plan(limit(), sends_time=False))
    bench.add(Reading("log", "box.vapour", "-149", "degC"), T0 + MIN)
    due = bench.fold.next_due_ms()
    bench.add(ClockSet(-20 * 365 * 24 * H, "stepped", step_ms=-20 * 365 * 24 * H), T0 + 2 * MIN)
    assert bench.fold.next_due_ms() == due == T0 + 11 * MIN


def test_a_leap_belongs_to_the_down_time() -> None:
    """The clock became known: what was set before the start fires, what was set since moves along."""
    bench = Bench(plan(limit()))
    bench.add(reading(0, "-149"))
    bench.add(ProcessStarted("boot2", None, None), T0 + MIN)
    bench.add(ClockSet(None, "unknown"), T0 + MIN)
    bench.add(ClockSet(0, "became known", leap_ms=2 * H), T0 + 2 * MIN + 2 * H)
    assert [f"{a.kind} {a.rule} {a.late}" for _, a in bench.said if a.rule == "above"] == [
        "raised above not_running"
    ]
    fresh = Bench(plan())
    fresh.add(ProcessStarted("boot2", None, None), T0 + MIN)
    fresh.add(ClockSet(None, "unknown"), T0 + MIN)
    fresh.add(reading(1.5, "-160"), T0 + 90_000)
    fresh.add(ClockSet(0, "became known", leap_ms=2 * H), T0 + 2 * MIN + 2 * H)
    fresh.run(T0 + 2 * MIN + 2 * H)
    assert [a for _, a in fresh.said if a.rule == "silence"] == []  # a reading 30 s old is not silent


def test_silence_alarms_at_its_due_time_and_retained_never_resets_it() -> None:
    """fresh_within + 1 ms after the newest GOOD reading; a retained or BAD one is no sign of life."""
    bench = Bench(plan(channels=(channel(fresh_within_ms=10 * MIN),)))
    bench.add(reading(0, "-160"))
    bench.add(reading(6, "-161", origin=Origin.RETAINED))
    bench.add(bad(9))
    bench.run(T0 + 30 * MIN)
    [(at, said)] = bench.said
    assert (at, said.rule, said.alarm) == (T0 + 10 * MIN + 1, "silence", "box/vapour/silence")
    bench.said.clear()
    bench.add(reading(31, "-160"))
    assert bench.told(Kind.RETURNED) == ["returned silence"]


def test_one_root_alarm_stands_for_a_whole_source() -> None:
    """Forty probes of one dead gateway are one alarm; the one that stays dead gets its own afterwards."""
    probes = tuple(channel(f"p{i}", role=f"r{i}", fresh_within_ms=10 * MIN) for i in range(40))
    bench = Bench(plan(channels=probes))
    for i in range(40):
        bench.add(Reading("log", f"p{i}", "-160", "degC", at_ms=T0 + MIN))
    bench.run(T0 + 30 * MIN)
    assert [a.alarm for _, a in bench.said] == ["port:log"]
    bench.said.clear()
    for minute in (31, 32, 33):
        for i in range(39):
            bench.add(Reading("log", f"p{i}", "-160", "degC", at_ms=T0 + minute * MIN))
    bench.run(T0 + 34 * MIN)
    assert [(a.kind, a.alarm) for _, a in bench.said] == [
        (Kind.RETURNED, "port:log"),
        (Kind.RAISED, "box/r39/silence"),
    ]


def test_reloads_during_a_hold_move_nothing() -> None:
    """200 reloads of the same limits move the alarm by 0 ms."""
    active = plan(limit())
    bench = Bench(active)
    bench.add(reading(0, "-149"))
    for i in range(200):
        bench.add(Activated(active, {}), T0 + (i + 1) * 1000)
    bench.run(T0 + 30 * MIN)
    assert bench.told() == ["raised above since 0 due 10"]


def test_a_changed_limit_keeps_the_holds_start_if_outside_both() -> None:
    """The excursion is closed "limits changed"; its successor alarms by the kept start, not too early."""
    bench = Bench(plan(limit(hold_ms=30 * MIN)))
    bench.series("-140 -140 -140")
    bench.add(Activated(plan(limit(hold_ms=2 * MIN)), {}), T0 + 2 * MIN + 30_000)
    bench.run(T0 + 30 * MIN)
    assert bench.told(Kind.RAISED) == ["raised above since 5/2 due 5/2"]
    first = bench.fold.places["box/vapour"].ledger.closed[0]
    assert first.interval.why_ended == "limits_changed"


def test_a_change_does_not_judge_a_reading_that_no_longer_counts() -> None:
    """The last reading is older than max_gap: the new limit waits unmonitored."""
    bench = Bench(plan(limit(value=-100), channels=(channel(max_gap_ms=3 * MIN),)))
    bench.add(reading(0, "-140"))
    bench.add(Activated(plan(limit(hold_ms=0), channels=(channel(max_gap_ms=3 * MIN),)), {}), T0 + 10 * MIN)
    bench.run(T0 + 20 * MIN)
    assert bench.told() == []


def test_a_condition_true_at_start_is_announced() -> None:
    """A limit that comes into force over a value already outside alarms."""
    bench = Bench(plan())
    bench.add(reading(0, "-140"))
    bench.add(Activated(plan(limit(hold_ms=MIN)), {}), T0 + MIN)
    bench.run(T0 + 20 * MIN)
    assert bench.told() == ["raised above since 1 due 2"]


def test_an_upgrade_carries_what_was_announced_and_tells_the_difference() -> None:
    """Another engine's alarms, acknowledgements and latches stand; what it would say differently is told."""
    bench = Bench(plan(limit(hold_ms=0, latched=True)))
    bench.add(reading(0, "-140"))
    bench.add(Acknowledged("box/vapour/above", (1,), "somebody"))
    fold = Fold()
    for position, (arrival, fact) in enumerate(bench.facts, 1):
        fold.apply(position, arrival, fact)
    fold.adopt([])  # the other engine had said nothing at all
    said = fold.apply(len(bench.facts) + 1, T0 + MIN, EngineStarted("e2", "test"))
    assert [(a.kind, a.late) for a in said] == [(Kind.RAISED, "found_by_upgrade")]
    again = Fold()
    for position, (arrival, fact) in enumerate(bench.facts, 1):
        again.apply(position, arrival, fact)
    again.adopt(bench.said)
    assert again.apply(len(bench.facts) + 1, T0 + MIN, EngineStarted("e2", "test")) == []
    alarm = again.desk.alarms["box/vapour/above"]
    assert (alarm.state, alarm.latched, alarm.condition) == ("acknowledged", True, True)


def test_a_latch_waits_for_a_person() -> None:
    """Acknowledged and over, a latched alarm stays until it is reset with a reason; not while it lasts."""
    bench = Bench(plan(limit(hold_ms=0, latched=True)))
    bench.add(reading(0, "-140"))
    bench.add(Acknowledged("box/vapour/above", (1,), "a"), T0 + 1)
    refused = bench.add(LatchReset("box/vapour/above", "a", "looked"), T0 + 2)
    assert [a.kind for a in refused] == [Kind.REFUSED]
    bench.add(reading(1, "-160"))
    assert bench.fold.desk.alarms["box/vapour/above"].state == "acknowledged"
    bench.add(LatchReset("box/vapour/above", "a", "looked"), T0 + 2 * MIN)
    assert bench.fold.desk.alarms["box/vapour/above"].state == "normal"


def test_priorities_of_readings_in_one_millisecond() -> None:
    """GOOD before UNCERTAIN before BAD, then furthest outside: never the order of arrival."""
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        three = (
            reading(1, "-140", doubt=Reason.UNSTABLE, sequence=1),
            reading(1, "-160", sequence=2),
            reading(1, "-155", sequence=3),
        )
        bench = Bench(plan(limit(value=-158, hold_ms=0)))
        for i in order:
            bench.add(three[i], T0 + MIN)
        place = bench.fold.places["box/vapour"]
        assert place.track.last is not None
        assert (place.track.last.quality, place.track.last.high, place.track.last.low) == (
            GOOD,
            -155_000,
            -160_000,
        )
        assert [e.interval.start_ms for e in place.ledger.all()] == [T0 + MIN]


def test_stage_changes_bring_their_own_rules() -> None:
    """A stage that nobody entered for a consignment that does not exist is refused aloud."""
    bench = Bench(plan(limit()))
    said = bench.add(StageEntered("C-1", "transport", T0 + MIN), T0 + MIN)
    assert [(a.kind, a.text) for a in said] == [(Kind.REFUSED, "unknown consignment C-1")]


def test_words_of_quality_are_those_of_the_model() -> None:
    """The engine's codes stand in the order of the qualities they mean."""
    assert list(Quality)[:2] == [Quality.GOOD, Quality.UNCERTAIN]
    assert (GOOD, UNCERTAIN) == (0, 1)
    assert Priority.CRITICAL is next(iter(Priority))
