"""What was measured before an instant is forgotten, and nothing that is announced afterwards changes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.announcements import Kind, Late
from coldchain.facts import (
    Activated,
    ConsignmentStarted,
    ExcursionResolved,
    Reading,
)
from coldchain.fold import settling
from coldchain.pipeline.states import freeze, thaw
from coldchain.plan import Rule, Stuck
from coldchain.removed import ReadingsRemoved
from tests.unit.fold.bench import MIN, T0, Bench, budget, channel, limit, plan
from tests.unit.fold.test_calm_band import (
    FORECAST,
    RULES,
    STRETCHES,
    WINDOW,
    WORDS,
    outside_for_hours,
    story,
)

ALL = (*RULES, FORECAST)
#: How far the rules above look back, with the time for which a reading counts.
REACH = WINDOW + 5 * MIN


def removed(from_ms: int, held: tuple[str, ...] = (), reach_ms: int = REACH) -> ReadingsRemoved:
    """A removal as the fold sees it."""
    return ReadingsRemoved(
        journal="", first_commit=1, last_commit=1, first_position=1, last_position=1, removed=1, kept="",
        link_before="", link_after="", policy="", judged_from_ms=from_ms, judged_from_utc_ms=from_ms,
        reach_ms=reach_ms, remains="", state_position=1, state="", engine="e1", held=held,
    )  # fmt: skip


def bench(rules: tuple[Rule, ...]) -> Bench:
    """One box, read once a minute."""
    return Bench(plan(*rules, channels=(channel(max_gap_ms=5 * MIN),)))


def feed(made: Bench, sent: list[tuple[int, Reading]]) -> None:
    """Let readings come, waking in between."""
    for arrival_ms, reading in sent:
        made.run(arrival_ms)
        made.add(reading, max(arrival_ms, made.fold.arrival_ms))


def truth(made: Bench) -> object:
    """What is true at the end."""
    place = made.fold.places["box/vapour"]
    found = [
        (each.id, place.standing(each), each.closed_at_ms, each.announced) for each in place.ledger.all()
    ]
    return found, place.track.active(), place.track.meter, place.track.due()


@pytest.mark.slow
@settings(max_examples=min(30, settings.default.max_examples))
@given(
    STRETCHES,
    st.sets(st.integers(0, len(ALL) - 1), min_size=1, max_size=4),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=2),
    st.data(),
)
def test_nothing_that_is_announced_later_changes(
    stretches: list[tuple[float | None, int, int]],
    chosen: set[int],
    cuts: list[tuple[float, float]],
    data: st.DataObject,
) -> None:
    """Any rules, any readings, late ones too, any instant that is allowed: as if nothing was forgotten."""
    rules = tuple(ALL[i] for i in sorted(chosen))
    sent = story(stretches * 2)
    delays = data.draw(st.lists(st.sampled_from([0, 0, 0, 7, 40]), min_size=len(sent), max_size=len(sent)))
    made = sorted(
        (((reading.at_ms or 0) + delay * MIN, reading) for reading, delay in zip(sent, delays, strict=True)),
        key=lambda pair: pair[0],
    )
    whole, settled = bench(rules), bench(rules)
    done = 0
    for where, back in sorted(cuts):
        upto = max(done, round(where * len(made)))
        feed(whole, made[done:upto])
        feed(settled, made[done:upto])
        done = upto
        # Allowed: what is still to come was measured after it.
        latest = min((reading.at_ms or 0 for _, reading in made[upto:]), default=settled.fold.arrival_ms)
        from_ms = T0 + round(back * max(0, latest - T0))
        found = settling.holds(settled.fold, from_ms, from_ms, REACH)
        settled.add(removed(from_ms, tuple(settling.held_channels(settled.fold, found))))
        whole.add(removed(T0 - 1))
    for each in (whole, settled):
        feed(each, made[done:])
        each.run(each.fold.arrival_ms + 60 * MIN)
    assert settled.said == whole.said
    assert truth(settled) == truth(whole)
    assert thaw(freeze(settled.fold)).places.keys() == settled.fold.places.keys()


def calm(count: int, value: float = 5, start: int = 0) -> list[tuple[int, Reading]]:
    """Readings once a minute that come in time."""
    at = [T0 + (start + i) * MIN for i in range(count)]
    return [(at_ms, Reading("log", "box.vapour", str(value), "degC", at_ms=at_ms)) for at_ms in at]


def test_what_no_rule_looks_at_is_forgotten() -> None:
    """Memory holds what was measured since, and what rules look back to; the excursions of all time stay."""
    made = bench((limit(value=8, hold_ms=0), RULES[7]))
    feed(made, [*calm(10), *calm(5, 20, start=10), *calm(2_000, start=15)])
    made.add(removed(T0 + 1_000 * MIN))
    place, history = made.fold.places["box/vapour"], made.fold.channels.histories["box.vapour"]
    assert history.at[0] == T0 + 1_000 * MIN - REACH
    assert len(history) == 2_015 - 1_000 + REACH // MIN
    assert [each.id for each in place.ledger.all()] == ["box/vapour/above#1"]
    assert place.track.settled_ms == T0 + 1_000 * MIN


def digits(count: int, *, numbered: bool = False) -> list[tuple[int, Reading]]:
    """Readings of a device that sends more digits than it measures: each has a text of its own."""
    return [
        (T0 + i * MIN, replace(reading, raw=f"5.{i:06}", sequence=i if numbered else None))
        for i, (_, reading) in enumerate(calm(count))
    ]


def test_a_text_goes_with_the_last_reading_that_has_it() -> None:
    """What is kept of many digits does not grow with the readings that went, also through a saved state."""
    made = bench((limit(value=8, hold_ms=0),))
    for day in range(1, 4):
        feed(made, digits(day * 1_000)[-1_000:])
        made.add(removed(T0 + (day * 1_000 - 100) * MIN))
        made.fold = thaw(freeze(made.fold))
        history = made.fold.channels.histories["box.vapour"]
        assert len(history) == 100 + REACH // MIN
        assert [history.texts[number].raw for number in history.sent] == [
            reading.raw for _, reading in digits(day * 1_000)[-len(history) :]
        ]
        assert len(history.texts) == len(history)


def test_a_number_that_is_remembered_is_known_by_its_text_still() -> None:
    """A logger that empties its memory again repeats itself, though the readings are gone: no fault."""
    made = bench((limit(value=8, hold_ms=0),))
    sent = digits(200, numbered=True)
    feed(made, sent)
    made.add(removed(T0 + 199 * MIN))
    for _, reading in sent:
        made.add(reading, made.fold.arrival_ms)
    count = made.fold.channels.counts["box.vapour"]
    assert (count.repeats, count.sequence_faults, count.beside) == (200, 0, 0)


def test_what_comes_later_still_and_is_older_stands_beside() -> None:
    """It is counted, and judged by nothing; what was measured since is judged however late it comes."""
    made = bench((limit(value=8, hold_ms=0),))
    feed(made, calm(1_000))
    made.add(removed(T0 + 500 * MIN))
    made.said.clear()
    hot = Reading("log", "box.vapour", "20", "degC", at_ms=T0 + 500 * MIN - 1)
    made.add(hot, made.fold.arrival_ms)
    assert (made.said, made.fold.channels.counts["box.vapour"].beside) == ([], 1)
    made.add(Reading("log", "box.vapour", "20", "degC", at_ms=T0 + 500 * MIN + 1), made.fold.arrival_ms)
    assert [(one.kind, one.late) for _, one in made.said] == [(Kind.RAISED, Late.FOUND_LATE)]


def test_the_same_instant_again_changes_nothing() -> None:
    """Of several removals by one policy each names the same instant; an earlier one is none."""
    made = bench((limit(value=8),))
    feed(made, calm(1_000))
    made.add(removed(T0 + 500 * MIN))
    before = freeze(made.fold)
    made.add(removed(T0 + 400 * MIN))
    place = made.fold.places["box/vapour"]
    assert place.track.settled_ms == T0 + 500 * MIN
    assert thaw(before).channels.settled == made.fold.channels.settled


def test_a_change_for_the_settled_past_holds_from_where_it_is_settled() -> None:
    """A limit that is back-dated to the beginning: nothing before is folded again, all since is."""
    made = bench((limit(value=8, hold_ms=0),))
    feed(made, calm(1_000, 5))
    made.add(removed(T0 + 500 * MIN))
    strict = plan(limit(value=4, hold_ms=0), channels=(channel(max_gap_ms=5 * MIN),))
    made.add(Activated(strict, {}, actor="a", at_ms=T0 + MIN, why="was wrong"))
    found = made.fold.places["box/vapour"].ledger.all()
    assert [each.interval.start_ms for each in found] == [T0 + 500 * MIN + 1]


def test_an_excursion_of_the_settled_past_cannot_be_given_back() -> None:
    """The sums cannot be folded again without its readings: it is refused aloud."""
    made = bench((limit(value=8, hold_ms=0), budget(value=8, allowance_min=60)))
    feed(made, [*calm(10), *calm(5, 20, start=10), *calm(1_000, start=15)])
    made.add(removed(T0 + 500 * MIN))
    said = made.add(
        ExcursionResolved("box/vapour/above#1", T0 + 10 * MIN, T0 + 15 * MIN, "anna", "opened to look")
    )
    assert [one.text for one in said] == ["readings_removed"]


# What must not be settled


def holds(made: Bench, from_ms: int) -> list[tuple[str, str]]:
    """Why nothing may go."""
    found = settling.holds(made.fold, from_ms, from_ms, settling.reach_ms(made.fold))
    assert all(hold.place == "box/vapour" for hold in found)
    assert settling.held_channels(made.fold, found) == ({"box.vapour"} if found else set())
    return [(hold.why, hold.about) for hold in found]


def test_an_open_consignment_holds_what_was_measured_since_its_start() -> None:
    """Until it ends; one that begins after the instant holds nothing."""
    made = bench((limit(value=8),))
    feed(made, calm(100))
    made.add(ConsignmentStarted("c1", "box", "test", "transport", T0 + 50 * MIN, actor="anna", why="late"))
    feed(made, calm(100, start=100))
    assert holds(made, T0 + 60 * MIN) == [(settling.OPEN, "c1")]
    assert holds(made, T0 + 50 * MIN) == []


def test_a_window_that_was_left_open_by_silence_is_held() -> None:
    """After a silence the window's tail lies further back than it is long: its readings are asked for yet."""
    made = bench((RULES[7],))
    feed(made, [*calm(100), *calm(10, start=600)])
    assert holds(made, T0 + 599 * MIN) == [(settling.WINDOW, "r1")]
    assert holds(made, T0 + 609 * MIN) == []


@pytest.mark.parametrize(
    ("rule", "reach"),
    [
        pytest.param(limit(value=8), 5 * MIN, id="a limit looks at the sample before"),
        pytest.param(RULES[7], WINDOW + 5 * MIN, id="a rolling sum at its window"),
        pytest.param(Stuck(id="s9", **WORDS, for_ms=77 * MIN), 82 * MIN, id="a stuck value at its run"),
    ],
)
def test_how_far_back_rules_look(rule: Rule, reach: int) -> None:
    """The longest window of any rule in force, and the time for which the sample before it counts."""
    assert settling.reach_ms(bench((rule,)).fold) == reach


def test_where_a_place_stood_is_found_without_moving_it() -> None:
    """To ask for an earlier stand says nothing, changes nothing, and agrees with the stand of then."""
    made = bench((RULES[0], RULES[7], RULES[8]))
    feed(made, [*calm(300), *calm(30, 20, start=300), *calm(300, start=330)])
    track = made.fold.places["box/vapour"].track
    short = bench((RULES[0], RULES[7], RULES[8]))
    feed(short, [*calm(300), *calm(20, 20, start=300)])
    before = freeze(made.fold)
    stood = track.stood_at(T0 + 319 * MIN + 1)
    assert stood is not None
    assert replace(stood, at_ms=T0 + 319 * MIN) == short.fold.places["box/vapour"].track.keep()
    assert freeze(made.fold) == before


# A rule that begins afterwards


def test_a_rule_that_begins_after_a_removal_is_named_until_its_window_is_full() -> None:
    """It looks back further than what was kept; those that were in force then lack nothing."""
    made = bench((RULES[7],))
    feed(made, calm(1_000))
    made.add(removed(T0 + 900 * MIN))
    assert settling.short(made.fold) == []
    longer = replace(RULES[7], id="longer", window_ms=600 * MIN)
    made.add(Activated(plan(RULES[7], longer, channels=(channel(max_gap_ms=5 * MIN),)), {}))
    feed(made, calm(10, start=1_000))
    (short,) = settling.short(made.fold)
    assert (short.place, short.rule) == ("box/vapour", "longer")
    assert short.kept_ms == T0 + 900 * MIN - REACH
    assert short.begin_ms == T0 + (1_009 - 600) * MIN
    feed(made, calm(600, start=1_010))
    assert settling.short(made.fold) == []


def test_a_short_past_lacks_nothing() -> None:
    """A probe that has measured for an hour only has no older readings that went."""
    made = bench((replace(RULES[7], window_ms=600 * MIN),))
    feed(made, calm(60))
    assert settling.short(made.fold) == []


@pytest.mark.parametrize("skips", [True, False], ids=["skipped", "asked"])
def test_an_excursion_is_whole_where_its_readings_are_removed(skips: bool) -> None:
    """Those with its peak go, while no rule was asked about them since."""
    made = outside_for_hours(calm=skips)
    made.add(removed(T0 + 100 * MIN, reach_ms=0))
    place = made.fold.places["box/vapour"]
    assert made.fold.channels.histories["box.vapour"].at[0] == T0 + 100 * MIN
    found = [(each.rule.id, place.standing(each)) for each in place.ledger.all()]
    assert {(rule, one.outside_ms, one.extreme) for rule, one in found} == {
        ("b1", 200 * MIN, 15_000),
        ("l1", 200 * MIN, 15_000),
    }
