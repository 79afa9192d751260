"""What belongs together, what stands for what, and what a flood folds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.announcements import Announcement, Kind
from coldchain.facts import Acknowledged, Activated, EngineStarted, Fact, LatchReset, ProcessStarted, Reading
from coldchain.fold import Fold
from coldchain.model import Priority
from coldchain.pipeline.states import freeze, thaw
from coldchain.plan import AssetPlan, FloodPlan, Limit, Plan, SourcePlan
from coldchain.sinks.base import calls_people
from tests.unit.fold.bench import MIN, T0, Bench, channel, limit, plan

# First in group


def vapour(minute: float, celsius: float) -> Reading:
    """The box's vapour at a minute."""
    return Reading("log", "box.vapour", str(celsius), "degC", at_ms=T0 + round(minute * MIN))


def groups(said: list[tuple[int, Announcement]]) -> list[tuple[str, str, bool]]:
    """Rule, group and whether it was the first, of each alarm raised."""
    return [(one.rule, one.group, one.first_in_group) for _, one in said if one.kind is Kind.RAISED]


CASCADE = (
    limit("warm", -165, hold_ms=0, priority=Priority.LOW),
    limit("warmer", -150, hold_ms=0),
    limit("warmest", -120, hold_ms=0, latched=True),
)


def test_the_first_of_a_cascade_is_marked() -> None:
    """A shipper that warms up: three alarms, one group, and the first of them says that it was."""
    bench = Bench(plan(*CASCADE))
    for minute, celsius in enumerate((-180, -160, -140, -100)):
        bench.add(vapour(minute, celsius))
    assert groups(bench.said) == [
        ("warm", "box#1", True),
        ("warmer", "box#1", False),
        ("warmest", "box#1", False),
    ]
    assert bench.refold() == bench.said


def test_a_group_lasts_while_anything_of_it_asks() -> None:
    """Cold again and not yet taken up: the next alarm belongs to it; after that a new group begins."""
    bench = Bench(plan(*CASCADE))
    bench.add(vapour(0, -160))
    bench.add(vapour(1, -180))
    bench.add(vapour(2, -160))
    bench.add(vapour(3, -180))
    bench.add(Acknowledged("box/vapour/warm", (1, 2), "a"), T0 + 4 * MIN)
    bench.add(vapour(5, -140))
    assert groups(bench.said) == [
        ("warm", "box#1", True),
        ("warm", "box#1", True),
        ("warm", "box#2", True),
        ("warmer", "box#2", False),
    ]


def test_a_latch_that_waits_for_its_reset_holds_no_group_open() -> None:
    """Taken up and gone: what comes days later is another story, though the latch was never reset."""
    bench = Bench(plan(*CASCADE))
    bench.add(vapour(0, -100))
    numbers = {name: tuple(range(1, alarm.last + 1)) for name, alarm in bench.fold.desk.alarms.items()}
    bench.add(vapour(1, -180))
    for name, occurrences in numbers.items():
        bench.add(Acknowledged(name, occurrences, "a"), T0 + 2 * MIN)
    bench.add(vapour(3000, -160))
    assert groups(bench.said)[-1] == ("warm", "box#2", True)
    bench.add(LatchReset("box/vapour/warmest", "a", "looked"), T0 + 3001 * MIN)
    assert bench.fold.desk.alarms["box/vapour/warmest"].state == "normal"


def test_an_upgrade_keeps_the_group() -> None:
    """Another engine goes on with the group and its first."""
    bench = Bench(plan(*CASCADE))
    bench.add(vapour(0, -160))
    fold = Fold()
    for position, (arrival_ms, fact) in enumerate(bench.facts, 1):
        fold.apply(position, arrival_ms, fact)
    fold.adopt(bench.said)
    bench.fold = fold
    bench.add(EngineStarted("e2", "test"), T0 + MIN)
    bench.add(vapour(2, -140))
    assert groups(bench.said)[-1] == ("warmer", "box#1", False)
    assert fold.desk.groups.of("box/vapour", "box/vapour/warm") == ("box#1", True)


# One outage, one alarm


def fleet(**links: str) -> Plan:
    """Boxes with a logger each, named by source; the word says which broker or bus it comes by."""
    sources = tuple(
        SourcePlan(name, "test", 2 * MIN, sends_time=True, link=link) for name, link in links.items()
    )
    probes = tuple(
        channel(f"{name}.vapour", source=name, asset=f"box-{name}", fresh_within_ms=(10 + i) * MIN)
        for i, name in enumerate(links)
    )
    boxes = tuple(AssetPlan(f"box-{name}", "dry_shipper") for name in links)
    return replace(plan(), sources=sources, channels=probes, assets=boxes)


def speaks(bench: Bench, minutes: range, *names: str) -> None:
    """These loggers send once a minute."""
    for minute in minutes:
        bench.run(T0 + minute * MIN - 1)
        for name in names:
            at_ms = T0 + minute * MIN
            bench.add(Reading(name, f"{name}.vapour", "-180", "degC", at_ms=at_ms), at_ms)


def silences(bench: Bench) -> list[tuple[float, str, str]]:
    """Minute, kind and alarm of what was said of silences."""
    return [
        (round((at - T0) / MIN, 2), one.kind.value, one.alarm)
        for at, one in bench.said
        if one.rule == "silence" and one.kind in (Kind.RAISED, Kind.RETURNED)
    ]


def test_a_broker_that_is_gone_is_one_alarm() -> None:
    """Three loggers by one broker, one by another: the broker's alarm stands for three, and names them."""
    bench = Bench(fleet(a="far", b="far", c="far", d="near"))
    speaks(bench, range(6), "a", "b", "c", "d")
    speaks(bench, range(6, 60), "d")
    assert silences(bench) == [(15.0, "raised", "link:far")]
    (said,) = [one for _, one in bench.said if one.kind is Kind.RAISED]
    assert said.detail == {"sources": "a,b,c"}


def test_each_logger_that_stays_silent_when_the_broker_is_back_has_its_own() -> None:
    """The broker is heard again by one of three: the others get a round to speak, then an alarm each."""
    bench = Bench(fleet(a="far", b="far", c="far", d="near"))
    speaks(bench, range(6), "a", "b", "c", "d")
    speaks(bench, range(6, 30), "d")
    speaks(bench, range(30, 40), "a", "d")
    assert silences(bench) == [
        (15.0, "raised", "link:far"),
        (30.0, "returned", "link:far"),
        (32.0, "raised", "port:b"),
        (32.0, "raised", "port:c"),
    ]


def test_one_dead_logger_is_not_the_broker() -> None:
    """The others speak: it is this one."""
    bench = Bench(fleet(a="far", b="far"))
    speaks(bench, range(6), "a", "b")
    speaks(bench, range(6, 30), "b")
    assert silences(bench) == [(15.0, "raised", "port:a")]


def test_a_gateway_that_hears_nothing_from_anywhere_is_one_alarm() -> None:
    """Two brokers and a serial line, all silent: one alarm, as urgent as the most urgent probe."""
    here = fleet(a="far", b="near", c="")
    urgent = replace(here.channels[1], silence_priority=Priority.CRITICAL)
    bench = Bench(replace(here, channels=(here.channels[0], urgent, here.channels[2])))
    speaks(bench, range(6), "a", "b", "c")
    bench.run(T0 + 60 * MIN)
    assert silences(bench) == [(15.0, "raised", "gateway/silence")]
    assert [one.priority for _, one in bench.said] == [Priority.CRITICAL]
    assert bench.refold() == bench.said


def test_a_restart_and_an_upgrade_keep_what_stands_for_what() -> None:
    """Frozen and thawed, folded by another engine: nothing is raised twice, and it ends as it would have."""
    bench = Bench(fleet(a="far", b="far", c="far", d="near"))
    speaks(bench, range(6), "a", "b", "c", "d")
    speaks(bench, range(6, 30), "d")
    bench.fold = thaw(freeze(bench.fold))
    bench.add(ProcessStarted("boot2", T0 + 31 * MIN, MIN), T0 + 31 * MIN)
    fold = Fold()
    for position, (arrival_ms, fact) in enumerate(bench.facts, 1):
        fold.apply(position, arrival_ms, fact)
    fold.adopt(bench.said)
    bench.fold = fold
    bench.add(EngineStarted("e2", "test"), T0 + 32 * MIN)
    speaks(bench, range(33, 34), "d", "a", "b", "c")
    assert silences(bench) == [(15.0, "raised", "link:far"), (33.0, "returned", "link:far")]


# Floods

RULE = FloodPlan(10 * MIN, begins_above=10, ends_below=5)
CRITICAL, LOW = Priority.CRITICAL, Priority.LOW


def many(count: int, flood: FloodPlan | None = RULE) -> Plan:
    """One box with limits a degree apart: every second one is low, the others are critical."""
    rules: tuple[Limit, ...] = tuple(
        limit(f"r{i:02}", -100 + i, hold_ms=0, priority=(LOW, CRITICAL)[i % 2]) for i in range(count)
    )
    return replace(plan(*rules), flood=flood)


def rising(bench: Bench, celsius: list[float], start: float = 0, step: float = 0.5) -> None:
    """A reading each half minute."""
    for i, value in enumerate(celsius):
        at_ms = T0 + round((start + i * step) * MIN)
        bench.run(at_ms - 1)
        bench.add(vapour(start + i * step, value))


def notable(bench: Bench) -> list[str]:
    """What people are told: "minute kind (rule)"."""
    return [
        f"{(at - T0) / MIN:g} {one.kind.value} {one.rule}".strip()
        for at, one in bench.said
        if calls_people(one) and one.kind is not Kind.EXCURSION_ENDED
    ]


def test_a_flood_begins_above_ten_and_ends_below_five() -> None:
    """Twelve alarms half a minute apart: the eleventh begins it; it ends when four are left in the window."""
    bench = Bench(many(12))
    rising(bench, [-99.5 + i for i in range(12)])
    bench.run(T0 + 60 * MIN)
    floods = [
        ((at - T0) / MIN, one.kind.value, one.detail.get("count"), one.detail.get("peak"))
        for at, one in bench.said
        if one.kind in (Kind.FLOOD_BEGAN, Kind.FLOOD_ENDED)
    ]
    # Raised at 0, 0.5, …, 5.5: the eighth (3.5) leaves the window at 13.5.
    assert floods == [(5.0, "flood_began", "11", None), (13.5, "flood_ended", "12", "12")]
    assert bench.refold() == bench.said


def test_a_flood_folds_what_is_low_and_never_what_is_critical() -> None:
    """People hear of each critical alarm at once, and of the low ones in one notice at the end."""
    bench = Bench(many(16))
    rising(bench, [-99.5 + i for i in range(16)])
    bench.run(T0 + 60 * MIN)
    told = notable(bench)
    assert [line for line in told if "raised" in line] == [
        f"{i / 2:g} raised r{i:02}" for i in range(16) if i < 10 or i % 2
    ]
    (end,) = [one for _, one in bench.said if one.kind is Kind.FLOOD_ENDED]
    assert end.detail["low"] == "3"
    assert {key for key in end.detail if key.startswith("alarm ")} == {
        f"alarm box/vapour/r{i}" for i in (10, 12, 14)
    }
    assert end.priority is LOW
    raised = [one for _, one in bench.said if one.kind is Kind.RAISED]
    assert len(raised) == 16, "what is folded is recorded all the same"


def test_fewer_than_a_flood_folds_nothing() -> None:
    """Ten in ten minutes are what a person can just take in."""
    bench = Bench(many(10))
    rising(bench, [-99.5 + i for i in range(10)])
    assert not [one for _, one in bench.said if one.kind is Kind.FLOOD_BEGAN or one.folded]


def test_a_plan_without_the_rule_ends_a_flood() -> None:
    """A site that takes the rule away is told what was folded so far."""
    bench = Bench(many(12))
    rising(bench, [-99.5 + i for i in range(12)])
    bench.add(Activated(many(12, flood=None), {}), T0 + 6 * MIN)
    assert [one.kind for _, one in bench.said[-1:]] == [Kind.FLOOD_ENDED]


@given(st.lists(st.tuples(st.floats(0, 4), st.integers(0, 19)), max_size=60), st.integers(0, 59))
def test_floods_by_an_oracle(steps: list[tuple[float, int]], where: int) -> None:
    """Begin, end and folding, by counting; nothing critical is ever folded; a checkpoint changes nothing."""

    def run(checkpoint: int | None) -> Bench:
        bench = Bench(many(20))
        minute = 0.0
        for i, (later, level) in enumerate(steps):
            if i == checkpoint:
                bench.fold = thaw(freeze(bench.fold))
            minute += later
            at_ms = T0 + round(minute * MIN)
            bench.run(at_ms - 1)
            bench.add(vapour(minute, -100.5 + level))
        bench.run(T0 + round(minute * MIN) + 60 * MIN)
        return bench

    bench = run(None)
    assert run(where).said == bench.said
    since: int | None = None
    window: list[int] = []
    for at, one in bench.said:
        window = [t for t in window if t > at - RULE.within_ms]
        if one.kind is Kind.FLOOD_BEGAN:
            assert since is None
            assert len(window) == 10
            since = at
        elif one.kind is Kind.FLOOD_ENDED:
            assert since is not None
            assert len(window) < 5
            assert len([t for t in bench_raised(bench) if at - 1 - RULE.within_ms < t < at]) >= 5
            since = None
        if one.kind is Kind.RAISED:
            window.append(at)
        assert one.folded == (since is not None and bool(one.alarm) and one.priority is LOW)
        assert since is not None or len(window) <= RULE.begins_above
    assert since is None


def bench_raised(bench: Bench) -> list[int]:
    """When alarms were raised."""
    return [at for at, one in bench.said if one.kind is Kind.RAISED]


def test_words_of_a_fact_in_a_flood() -> None:
    """A request that is refused is answered to the person, flood or not."""
    bench = Bench(many(12))
    rising(bench, [-99.5 + i for i in range(12)])
    fact: Fact = LatchReset("box/vapour/r10", "a", "b")
    (refused,) = bench.add(fact, T0 + 6 * MIN)
    assert (refused.kind, refused.folded) == (Kind.REFUSED, False)


@pytest.mark.parametrize("count", [0, 3])
def test_no_flood_without_alarms(count: int) -> None:
    """Calm is calm."""
    bench = Bench(many(12))
    rising(bench, [-150.0] * count)
    assert bench.said == []
