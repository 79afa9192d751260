"""Works at vessels in the fold: who is called, what goes on being judged, what readings must show."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.announcements import Announcement, Kind
from coldchain.facts import (
    Acknowledged,
    Activated,
    AlarmClosed,
    ClockSet,
    Fact,
    ProcessStarted,
    Reading,
    Shelved,
    WorkBegan,
    WorkEnded,
)
from coldchain.model import Side
from coldchain.pipeline.states import freeze, thaw
from coldchain.plan import Cause, Moves, Plan, Sign, Work
from tests.unit.fold.bench import CITED, MIN, T0, Bench, channel, limit, plan

LOW = "box/level/low"
WARM = "box/vapour/warm"
FILLS = Sign("level", Moves.RISES, 200, within_ms=10 * MIN)  # 20 mm


def work(name: str = "filling", **more: Any) -> Work:
    """A filling: hides the level's alarm for 30 min at most."""
    words: dict[str, Any] = {"id": name, "longest_ms": 30 * MIN, "cited": CITED, "hides": ("low",)}
    return Work(**(words | more))


SERVICE = work("out-of-service", longest_ms=480 * MIN, hides=())


def freezer(*works: Work, own: tuple[Work, ...] = (SERVICE,), **vapour: Any) -> Plan:
    """A box with vapour, level and fill valve; level and temperature have a critical limit each."""
    low = limit("low", role="level", side=Side.BELOW, limit=1000, hold_ms=0)
    warm = limit("warm", hold_ms=0)

    def other(role: str, quantity: str) -> Any:
        words = {"quantity": quantity, "valid_low": 0, "valid_high": 10**6, "interval_ms": MIN}
        return channel(f"box.{role}", role=role, max_gap_ms=3 * MIN, **words)

    made = plan(low, warm, channels=(channel(**vapour), other("level", "level"), other("valve", "fraction")))
    return replace(made, profiles=(replace(made.profiles[0], works=works),), works=own)


def level(minute: float, mm: float, **more: Any) -> Reading:
    """The level at a minute."""
    return Reading("log", "box.level", str(mm), "mm", at_ms=T0 + round(minute * MIN), **more)


def valve(minute: float, percent: float | None) -> Reading:
    """How far the fill valve is open; None: its reading is BAD."""
    raw = "" if percent is None else str(percent)
    return Reading("log", "box.valve", raw, "%", at_ms=T0 + round(minute * MIN))


def vapour(minute: float, celsius: float) -> Reading:
    """The vapour temperature at a minute."""
    return Reading("log", "box.vapour", str(celsius), "degC", at_ms=T0 + round(minute * MIN))


def begins(minutes: float, scope: str = "box", name: str = "filling", **more: Any) -> WorkBegan:
    """Somebody begins a work that is to end at a minute."""
    words: dict[str, Any] = {"actor": "anna", "comment": "weekly filling"}
    return WorkBegan(scope, name, T0 + round(minutes * MIN), **(words | more))


def run(bench: Bench, *facts: tuple[float, Fact], until: float = 0) -> list[str]:
    """Feed facts at minutes; what was said of works, blindness and alarms, in short, since the beginning."""
    for minute, fact in facts:
        at_ms = T0 + round(minute * MIN)
        bench.run(at_ms - 1)
        bench.add(fact, at_ms)
    bench.run(T0 + round(until * MIN))
    assert bench.refold() == bench.said
    return [f"{(at - T0) / MIN:g} {line}" for at, one in bench.said if (line := short(one))]


def short(said: Announcement) -> str:
    """The words that matter here."""
    what = said.alarm or f"{said.subject} {said.rule}".strip()
    word = said.text if said.kind is Kind.REFUSED else said.state
    return f"{said.kind.value} {what} {word}".strip()


def state(bench: Bench, alarm: str) -> str:
    """The state of an alarm."""
    return bench.fold.desk.alarms[alarm].state.value


def test_a_filling_hides_the_named_alarm_and_judges_on() -> None:
    """The level's alarm calls nobody while it is filled, its excursion goes on; the temperature's calls."""
    bench = Bench(freezer(work(sign=FILLS)))
    said = run(
        bench,
        (0, level(0, 150)),
        (1, begins(20)),
        (2, level(2, 90)),
        (3, vapour(3, -140)),
        (5, level(5, 150)),
        (6, WorkEnded("box", "filling", "anna")),
    )
    assert said == [
        "1 work_began box filling under_way",
        "1 blind_began box/level",
        f"2 suppressed {LOW} suppressed_by_design",
        f"2 raised {LOW} suppressed_by_design",
        f"3 raised {WARM} unacknowledged",
        f"5 excursion_ended {LOW}",
        f"5 returned {LOW} suppressed_by_design",
        "6 work_ended box filling over",
        f"6 unsuppressed {LOW} return_to_normal_unacknowledged",
        "6 blind_ended box/level",
    ]


def test_what_is_still_held_when_a_work_ends_asks_anew() -> None:
    """Acknowledged during the work, and low still: it calls again when the veil is lifted."""
    bench = Bench(freezer(work()))
    run(
        bench,
        (1, begins(20)),
        (2, level(2, 90)),
        (3, Acknowledged(LOW, (1,), "anna")),
        (4, level(4, 90)),
        (6, WorkEnded("box", "filling", "anna")),
    )
    assert state(bench, LOW) == "unacknowledged"


@pytest.mark.parametrize(
    ("sign", "facts", "then"),
    [
        (None, [], "20 raised work:box/filling unacknowledged"),
        (None, [(19, WorkEnded("box", "filling", "anna"))], None),
        (FILLS, [(5, level(5, 130))], None),
        (FILLS, [(25, level(25, 130))], None),
        (FILLS, [(19, WorkEnded("box", "filling", "anna"))], "29 raised work:box/filling unacknowledged"),
        (FILLS, [(5, level(5, 119.9))], "30 raised work:box/filling unacknowledged"),
        (
            replace(FILLS, after_end=True),
            [(5, level(5, 130)), (19, WorkEnded("box", "filling", "anna"))],
            "29 raised work:box/filling unacknowledged",
        ),
    ],
    ids=[
        "time up, and nobody said that it was done",
        "a person said so, and nothing else could",
        "filled before the time was up",
        "filled soon after",
        "a person said so, and no reading did",
        "filled by less than it takes",
        "filled, and after the works never again",
    ],
)
def test_an_end_that_nothing_confirms_is_an_alarm(
    sign: Sign | None, facts: list[tuple[float, Fact]], then: str | None
) -> None:
    """It says so when the time for the sign is over, at the very ms; else nothing is said."""
    bench = Bench(freezer(work(sign=sign)))
    said = run(bench, (0, level(0, 100)), (0, begins(20)), *facts, until=60)
    assert [line for line in said if " raised " in line] == ([then] if then else [])
    assert not bench.fold.veil.works or then


def test_the_sign_may_come_late_and_ends_the_alarm() -> None:
    """The level rises two hours after: the alarm returns, and waits to be looked at."""
    bench = Bench(freezer(work(sign=FILLS)))
    said = run(bench, (0, level(0, 100)), (0, begins(20)), (140, level(140, 110)), (141, level(141, 120)))
    assert said[-2:] == [
        "141 work_confirmed box filling over",
        "141 returned work:box/filling return_to_normal_unacknowledged",
    ]


def test_a_late_reading_from_before_the_work_is_no_sign() -> None:
    """A full dewar of yesterday, sent today: the rise from it to now says nothing of a filling."""
    bench = Bench(freezer(work(sign=FILLS)))
    run(
        bench,
        (0, level(0, 100)),
        (10, begins(20)),
        (11, level(11, 100)),
        (12, level(2, 60)),
        (13, level(13, 100)),
    )
    assert not bench.fold.veil.works["box/filling"].shown


def test_late_readings_of_the_work_are_a_sign() -> None:
    """The logger sends what it measured during the filling out of order: it was filled all the same."""
    bench = Bench(freezer(work(sign=FILLS)))
    run(bench, (10, begins(20)), (14, level(14, 125)), (15, level(11, 100)))
    assert bench.fold.veil.works["box/filling"].shown


def test_only_a_reason_closes_what_was_never_done() -> None:
    """The nitrogen did not come: somebody closes the alarm and says so, and the work is forgotten."""
    bench = Bench(freezer(work(sign=FILLS)))
    said = run(
        bench,
        (0, begins(20)),
        (40, WorkEnded("box", "filling", "anna")),
        (41, AlarmClosed("work:box/filling", "anna", "no nitrogen came")),
    )
    assert said[-3:] == [
        "40 refused box filling work_not_shown",
        "41 closed work:box/filling normal",
        "41 work_confirmed box filling over",
    ]
    assert not bench.fold.veil.works


@pytest.mark.parametrize(
    ("fact", "why"),
    [
        (begins(20, name="thawing"), "unknown work thawing at box"),
        (begins(20, scope="bax"), "unknown asset bax"),
        (begins(20, scope="box/vapor"), "unknown place box/vapor"),
        (begins(20, scope="box/level"), "work filling is of the whole vessel box"),
        (begins(0), "no_end"),
        (begins(31.01), "work_too_long"),
        (begins(20, actor=" "), "no_actor"),
        (begins(20, comment=""), "no_reason"),
        (WorkEnded("box", "filling", "anna"), "work_not_under_way"),
        (begins(20, scope="gateway", name="out-of-service"), "unknown asset gateway"),
    ],
)
def test_refusals(fact: Fact, why: str) -> None:
    """Nothing is hidden without kind, place, end, owner and reason; a refusal is said aloud."""
    bench = Bench(freezer(work()))
    run(bench, (0, fact))
    said = bench.said[-1][1]
    assert (said.kind, said.text) == (Kind.REFUSED, why)
    assert not bench.fold.veil.works


def test_no_end_can_be_stated_while_the_clock_is_not_known() -> None:
    """People state an end in UTC; while nobody knows what that is, nothing is hidden."""
    bench = Bench(freezer(work()), clock=False)
    bench.add(begins(20), T0)
    assert bench.said[-1][1].text == "no_end"


# Out of service


def test_a_vessel_out_of_service_calls_nobody_and_is_judged() -> None:
    """Every alarm of the vessel is hidden, that of its silent logger too; excursions go on."""
    bench = Bench(freezer(fresh_within_ms=30 * MIN))
    said = run(
        bench,
        (0, vapour(0, -160)),
        (1, begins(200, name="out-of-service")),
        (2, vapour(2, -140)),
        (3, vapour(3, -160)),
        until=100,
    )
    called = [line for line in said if " raised " in line and "out_of_service" not in line]
    assert called == []
    assert [e.rule.id for e in bench.fold.places["box/vapour"].ledger.all()] == ["warm"]
    assert state(bench, "port:log") == "out_of_service"
    run(bench, (100, WorkEnded("box", "out-of-service", "anna", "done")))
    assert (state(bench, "port:log"), state(bench, WARM)) == (
        "unacknowledged",
        "return_to_normal_unacknowledged",
    )


def test_one_alarm_out_of_service_leaves_the_others() -> None:
    """A probe's limit is taken out; its neighbour and its silence call as before."""
    bench = Bench(freezer())
    run(bench, (0, begins(60, scope=WARM, name="out-of-service")), (1, vapour(1, -140)), (2, level(2, 50)))
    assert (state(bench, WARM), state(bench, LOW)) == ("out_of_service", "unacknowledged")


def test_the_site_says_how_long_service_may_last() -> None:
    """Without its word nothing is taken out of service, and the refusal says what to write."""
    bench = Bench(freezer(own=()))
    run(bench, (0, begins(60, name="out-of-service")))
    assert bench.said[-1][1].text == "no_service_time"


@pytest.mark.parametrize(
    ("celsius", "raised"),
    [(-160, ["120 raised work:box/vapour/out-of-service unacknowledged"]), (-120, [])],
    ids=["nobody had the probe in hand", "the probe was warm from a hand"],
)
def test_a_probe_shows_that_somebody_touched_it(celsius: float, raised: list[str]) -> None:
    """Who takes a probe out of service works at it: its reading moves by as much as the channel says."""
    bench = Bench(freezer(touch=30_000))
    facts = [(minute, vapour(minute, -160)) for minute in range(0, 90, 10)]
    said = run(
        bench,
        *facts,
        (80.5, begins(100, scope="box/vapour", name="out-of-service")),
        (90, vapour(90, celsius)),
        (91, vapour(91, -160)),
        (91.5, WorkEnded("box/vapour", "out-of-service", "anna")),
        until=125,
    )
    found = [line for line in said if " raised work:" in line]
    assert [line.split(" ", 1)[1] for line in found] == [line.split(" ", 1)[1] for line in raised]
    assert [float(line.split(" ")[0]) for line in found] == [121.5] * len(raised)


def test_service_within_a_filling() -> None:
    """Back in service while the filling goes on: suppressed still, and called by nobody in between."""
    bench = Bench(freezer(work()))
    said = run(
        bench,
        (0, level(0, 50)),
        (1, begins(30)),
        (2, begins(60, name="out-of-service")),
        (3, WorkEnded("box", "out-of-service", "anna")),
        (4, WorkEnded("box", "filling", "anna")),
    )
    assert [
        line.split(" ", 1)[1] for line in said if line.endswith(f"{LOW} {state(bench, LOW)}") or LOW in line
    ] == [
        f"raised {LOW} unacknowledged",
        f"suppressed {LOW} suppressed_by_design",
        f"taken_out_of_service {LOW} out_of_service",
        f"returned_to_service {LOW} suppressed_by_design",
        f"unsuppressed {LOW} unacknowledged",
    ]


# Suppressed by what readings show

OPEN = Cause("valve", Side.ABOVE, 5000)  # 50 %


def test_an_open_valve_suppresses_and_a_closed_one_ends_it() -> None:
    """No person is needed, and nobody is told of an ordinary filling but the journal."""
    bench = Bench(freezer(work(cause=OPEN)))
    said = run(
        bench, (0, valve(0, 0)), (1, valve(1, 100)), (2, level(2, 50)), (3, valve(3, 100)), (4, valve(4, 0))
    )
    assert [line for line in said if "work" in line] == [
        "1 work_began box filling under_way",
        "4 work_ended box filling over",
    ]
    assert state(bench, LOW) == "unacknowledged"


@pytest.mark.parametrize(
    ("readings", "ends_min"),
    [
        ([(minute, 100) for minute in range(1, 60)], 31),
        ([(1, 100), (2, None), (3, 100), (4, 100)], 2),
        ([(1, 100), (2, 100)], 5 + 1 / MIN),
    ],
    ids=["it never shuts", "it cannot be read", "it is not heard of"],
)
def test_suppression_by_readings_is_bounded(readings: list[tuple[int, int | None]], ends_min: float) -> None:
    """It ends with its longest time, with a BAD reading, and with the last one's time; and does not come back
    before the valve was seen shut."""
    bench = Bench(freezer(work(cause=OPEN)))
    said = run(bench, *((minute, valve(minute, percent)) for minute, percent in readings), until=60)
    began_ended = [line.split(" ")[:2] for line in said if "work_began" in line or "work_ended" in line]
    assert began_ended == [["1", "work_began"], [f"{ends_min:g}", "work_ended"]]
    again = run(bench, (61, valve(61, 100)), (62, valve(62, 0)), (63, valve(63, 100)))
    assert [line for line in again[len(said) :] if "work_began" in line] == [
        "63 work_began box filling under_way"
    ]


def test_a_valve_that_does_not_shut_is_an_alarm_until_it_does() -> None:
    """The longest time is over and it is open still: suppression is over, and somebody is called."""
    bench = Bench(freezer(work(cause=OPEN)))
    said = run(bench, *((minute, valve(minute, 100)) for minute in range(1, 40)), (40, valve(40, 0)))
    assert [line for line in said if "work:" in line] == [
        "31 raised work:box/filling unacknowledged",
        "40 returned work:box/filling return_to_normal_unacknowledged",
    ]


def test_a_filling_by_readings_that_fills_nothing_is_an_alarm() -> None:
    """The valve was open and the level has not risen: the supply is empty."""
    bench = Bench(freezer(work(cause=OPEN, sign=FILLS)))
    said = run(bench, (0, level(0, 100)), (1, valve(1, 100)), (2, level(2, 101)), (3, valve(3, 0)), until=30)
    assert said[-1] == "13 raised work:box/filling unacknowledged"


def test_an_old_reading_of_the_valve_begins_nothing() -> None:
    """An hour-old message says nothing of now."""
    bench = Bench(freezer(work(cause=OPEN)))
    assert run(bench, (60, valve(1, 100))) == []


def test_a_reload_without_the_kind_of_work_lifts_the_veil() -> None:
    """What the profile does not know any more hides nothing."""
    bench = Bench(freezer(work(cause=OPEN)))
    run(bench, (1, valve(1, 100)), (2, level(2, 50)), (3, Activated(freezer(), {})))
    assert state(bench, LOW) == "unacknowledged"


# Time


def test_the_time_is_up_while_the_program_was_not_running() -> None:
    """At the start the veil is lifted at once, what lasts asks, and the unconfirmed end is told as late."""
    bench = Bench(freezer(work()))
    run(bench, (0, level(0, 150)), (1, begins(20)), (2, level(2, 50)))
    bench.add(ProcessStarted("boot2", T0 + 60 * MIN, 57 * MIN), T0 + 60 * MIN)
    assert state(bench, LOW) == "unacknowledged"
    told = [one for _, one in bench.said if one.alarm == "work:box/filling"]
    assert [(one.kind, one.late, (one.due_ms or 0) - T0) for one in told] == [
        (Kind.RAISED, "not_running", 20 * MIN)
    ]


def test_what_readings_began_moves_with_a_down_time_that_becomes_known() -> None:
    """Begun since the start, while the clock was unknown: a leap neither ends nor lengthens it."""
    bench = Bench(freezer(work(cause=OPEN)), clock=False)
    bench.add(ProcessStarted("boot2", None, None), T0 + MIN)
    bench.add(Reading("log", "box.valve", "100", "%", at_ms=T0 + 2 * MIN), T0 + 2 * MIN)
    bench.add(ClockSet(0, "kernel", leap_ms=120 * MIN), T0 + 123 * MIN)
    under_way = bench.fold.veil.works["box/filling"]
    assert (under_way.began_ms, under_way.until_ms) == (T0 + 122 * MIN, T0 + 152 * MIN)


def test_blind_minutes_are_the_union() -> None:
    """Shelved from 1 to 11, filled from 5 to 20, in the dark for 19 minutes; the other place for none."""
    bench = Bench(freezer(work()))
    run(
        bench,
        (0, level(0, 50)),
        (1, Shelved(LOW, T0 + 11 * MIN, "anna", "filling soon")),
        (5, begins(20)),
        until=60,
    )
    blind = bench.fold.veil.blind
    assert blind.total_ms("box/level", T0, bench.fold.arrival_ms) == 19 * MIN
    assert blind.total_ms("box/level", T0 + 2 * MIN, T0 + 10 * MIN) == 8 * MIN
    assert blind.total_ms("box/vapour", T0, bench.fold.arrival_ms) == 0
    spans = [
        ((one.since_ms or 0) - T0, (one.end_ms or 0) - T0)
        for _, one in bench.said
        if one.kind is Kind.BLIND_ENDED
    ]
    assert spans == [(1 * MIN, 20 * MIN)]


# Properties

STORY = st.lists(
    st.one_of(
        st.tuples(st.just("level"), st.sampled_from([50.0, 90.0, 120.0, 150.0])),
        st.tuples(st.just("vapour"), st.sampled_from([-160.0, -140.0])),
        st.tuples(st.just("valve"), st.sampled_from([0.0, 100.0])),
        st.tuples(st.just("begin"), st.sampled_from([1.0, 10.0, 30.0])),
        st.tuples(st.just("out"), st.sampled_from([1.0, 200.0])),
        st.tuples(st.just("end"), st.just(0.0)),
        st.tuples(st.just("in"), st.just(0.0)),
        st.tuples(st.just("shelve"), st.sampled_from([2.0, 40.0])),
        st.tuples(st.just("ack"), st.just(0.0)),
        st.tuples(st.just("wait"), st.sampled_from([5.0, 35.0])),
    ),
    max_size=30,
)


def told(story: list[tuple[str, float]], *, works: bool, checkpoint_at: int | None = None) -> Bench:
    """A story, one event a minute, with or without its works and shelves."""
    bench = Bench(freezer(work(sign=FILLS, cause=OPEN)))
    minute = 0.0
    for i, (word, number) in enumerate(story):
        minute += 1
        if i == checkpoint_at:
            bench.fold = thaw(freeze(bench.fold))
        at_ms = T0 + round(minute * MIN)
        fact: Fact | None = None
        match word:
            case "level":
                fact = level(minute, number)
            case "vapour":
                fact = vapour(minute, number)
            case "valve":
                fact = valve(minute, number)
            case "begin" if works:
                fact = begins(minute + number)
            case "out" if works:
                fact = begins(minute + number, name="out-of-service")
            case "end" | "in" if works:
                fact = WorkEnded("box", "filling" if word == "end" else "out-of-service", "anna")
            case "shelve" if works:
                fact = Shelved(LOW, round(at_ms + number * MIN), "anna", "busy")
            case "ack" if works:
                numbers = (
                    tuple(range(1, 1 + bench.fold.desk.alarms[LOW].last))
                    if LOW in bench.fold.desk.alarms
                    else ()
                )
                fact = Acknowledged(LOW, numbers, "anna")
            case "wait":
                minute += number
        bench.run(at_ms - 1)
        if fact is not None:
            bench.add(fact, at_ms)
    bench.run(T0 + round(minute * MIN))
    return bench


def truth(bench: Bench) -> list[tuple[str, int, int | None, int | None]]:
    """The excursions, as known."""
    return [
        (e.id, i.start_ms, i.triggered_ms, i.end_ms)
        for name in sorted(bench.fold.places)
        for e in bench.fold.places[name].ledger.all()
        for i in [bench.fold.places[name].standing(e)]
    ]


@given(STORY)
def test_works_change_no_truth(story: list[tuple[str, float]]) -> None:
    """Whatever people hide: excursions and occurrences are those of a vessel that nobody worked at."""
    with_works, without = told(story, works=True), told(story, works=False)
    assert truth(with_works) == truth(without)
    for alarm in (LOW, WARM):
        mine, theirs = (bench.fold.desk.alarms.get(alarm) for bench in (with_works, without))
        assert (mine.last if mine else 0) == (theirs.last if theirs else 0)


@given(STORY)
def test_suppression_always_ends(story: list[tuple[str, float]]) -> None:
    """Left alone for the longest of times, nothing is hidden and every place sees; what lasts is called."""
    bench = told(story, works=True)
    bench.run(bench.fold.arrival_ms + SERVICE.longest_ms + 60 * MIN)
    assert not list(bench.fold.veil.under_way())
    assert not bench.fold.veil.blind.since
    for alarm in bench.fold.desk.alarms.values():
        assert alarm.state.value not in ("shelved", "suppressed_by_design", "out_of_service")
        if alarm.condition:
            assert alarm.state.value in ("unacknowledged", "acknowledged")


@given(STORY, st.integers(0, 29))
def test_a_checkpoint_in_a_work_changes_nothing(story: list[tuple[str, float]], where: int) -> None:
    """Frozen and thawed anywhere, and folded again from nothing: the same words."""
    bench = told(story, works=True)
    assert told(story, works=True, checkpoint_at=where).said == bench.said
    assert bench.refold() == bench.said
