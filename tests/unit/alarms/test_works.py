"""Works at a vessel: the table is whole, each pair of state and event is visited, no work is for ever."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.alarms import works
from coldchain.alarms.works import (
    TABLE,
    Seen,
    Underway,
    WorkEvent,
    WorkGiven,
    WorkMoved,
    WorkRefusal,
    WorkRow,
    WorkState,
    look_up,
    seen_in,
)
from coldchain.model import Side
from coldchain.plan import Cause, Cited, Moves, Sign, Work

CITED = Cited(source="test", confidence="test")
NOW = 1_000
LONGEST = 60
GOING, AWAITED, OPEN, OVER = (
    WorkState.UNDER_WAY,
    WorkState.AWAITED,
    WorkState.UNCONFIRMED,
    WorkState.OVER,
)
FILLED = Seen("level", 10, low=0, high=30, rose=30)


def kind(sign: Sign | None = None, **more: object) -> Work:
    """A filling that may last 60 ms."""
    words: dict[str, object] = {"id": "filling", "longest_ms": LONGEST, "cited": CITED, "hides": ("low",)}
    return Work(**(words | {"sign": sign} | more))  # type: ignore[arg-type]


RISES = Sign("level", Moves.RISES, 20)
RISES_SOON = replace(RISES, within_ms=15)
RISES_AFTER = replace(RISES, within_ms=15, after_end=True)


def do(event: WorkEvent, work: Underway, now_ms: int = NOW, seen: Seen = FILLED) -> WorkMoved:
    """One event done to a work."""
    match event:
        case WorkEvent.BEGIN:
            return WorkMoved(works.begin(work, now_ms + LONGEST, "anna", "why", now_ms, by_readings=False))
        case WorkEvent.END:
            return works.end(work, now_ms)
        case WorkEvent.TIME_UP:
            return works.time_up(work, now_ms)
        case WorkEvent.SHOWN:
            return works.saw(work, seen, now_ms)
        case WorkEvent.CLOSE:
            return works.closed(work, now_ms)


@pytest.mark.parametrize("event", WorkEvent)
@pytest.mark.parametrize("state", WorkState)
def test_exactly_one_row_fits(state: WorkState, event: WorkEvent) -> None:
    """For each state, event and circumstances the table gives one answer: no gap, no contradiction."""
    for circumstances in product((False, True), repeat=3):
        so = WorkGiven(*circumstances)
        fitting = [row for row in TABLE if row.event is event and state in row.states and row.fits(so)]
        assert len(fitting) == 1, so
        assert look_up(state, event, so) is fitting[0]


@pytest.mark.parametrize("sign", [None, RISES, RISES_SOON, RISES_AFTER])
@pytest.mark.parametrize("event", WorkEvent)
@pytest.mark.parametrize("state", WorkState)
def test_every_pair_of_state_and_event(state: WorkState, event: WorkEvent, sign: Sign | None) -> None:
    """A work that hides something has an end; one that waits has a time; a refusal changes nothing."""
    for seen in (Seen(), FILLED):
        due = NOW if state in (GOING, AWAITED) else None
        before = Underway(scope="box", work=kind(sign), state=state, due_ms=due, seen=seen)
        after, refusal = do(event, before)
        assert (after.due_ms is not None) == (after.state in (GOING, AWAITED))
        if refusal is not None:
            assert after is before
        if after.state is GOING:
            assert after.due_ms is not None
            assert after.due_ms <= NOW + LONGEST


def test_a_work_knows_since_when_until_when_and_whose_it_is() -> None:
    """Begun anew it forgets what was seen before; again while under way it goes on, with another end."""
    before = Underway(scope="box", work=kind(RISES_SOON), state=OPEN, seen=FILLED, began_ms=5, counts_ms=6)
    begun = works.begin(before, 50, "anna", "fills", 10, by_readings=True)
    assert begun == Underway(
        scope="box",
        work=kind(RISES_SOON),
        state=GOING,
        began_ms=10,
        until_ms=50,
        due_ms=50,
        set_ms=10,
        owner="anna",
        why="fills",
        by_readings=True,
        counts_ms=10,
        seen=Seen(),
    )
    watched = replace(begun, seen=FILLED)
    longer = works.begin(watched, 70, "ben", "still fills", 20, by_readings=False)
    assert longer == replace(
        watched, until_ms=70, due_ms=70, set_ms=20, owner="ben", why="still fills", by_readings=False
    )


def test_a_work_remembers_when_it_moved() -> None:
    """Its wait counts from its end, and what is seen before that only where it may."""
    going = replace(
        works.begin(Underway(scope="box", work=kind(RISES_SOON)), 50, "a", "b", 10, by_readings=False)
    )
    assert works.end(going, 30).work == replace(going, state=AWAITED, due_ms=45, set_ms=30)
    assert works.end(replace(going, seen=FILLED), 30).work == replace(
        going, seen=FILLED, state=OVER, due_ms=None, set_ms=30
    )
    after = replace(going, work=kind(RISES_AFTER), seen=FILLED)
    assert works.end(after, 30).work == replace(
        after, state=AWAITED, due_ms=45, set_ms=30, counts_ms=30, seen=Seen()
    )
    short = replace(going, work=kind(replace(RISES, within_ms=1)))
    assert works.end(short, 30).work == replace(short, state=AWAITED, due_ms=31, set_ms=30)
    awaited = replace(going, state=AWAITED, due_ms=45)
    assert works.saw(awaited, FILLED, 40).work == replace(
        awaited, seen=FILLED, state=OVER, due_ms=None, set_ms=40
    )
    little = Seen("level", 10, 0, 5, 5)
    assert works.saw(awaited, little, 40) == WorkMoved(replace(awaited, seen=little))
    assert works.time_up(awaited, 45).work == replace(awaited, state=OPEN, due_ms=None, set_ms=45)
    opened = replace(going, state=OPEN, due_ms=None)
    assert works.closed(opened, 60).work == replace(opened, state=OVER, set_ms=60)
    assert works.end(opened, 60) == WorkMoved(opened, WorkRefusal.NOT_SHOWN)


def test_every_row_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """No row stands in the table for a case that cannot come about."""
    reached: set[WorkRow] = set()

    def recording(state: WorkState, event: WorkEvent, given: WorkGiven) -> WorkRow:
        row = look_up(state, event, given)
        reached.add(row)
        return row

    monkeypatch.setattr(works, "look_up", recording)
    for state, event, sign, seen in product(
        WorkState, WorkEvent, (None, RISES, RISES_SOON), (Seen(), FILLED)
    ):
        do(event, Underway(scope="box", work=kind(sign), state=state, due_ms=NOW, seen=seen))
    assert set(TABLE) - reached == set()


def test_the_reasons_are_all_used() -> None:
    """Each reason is given by some row."""
    assert {row.becomes for row in TABLE if isinstance(row.becomes, WorkRefusal)} == set(WorkRefusal)


@pytest.mark.parametrize(
    ("sign", "events", "states"),
    [
        (None, "begin end", [GOING, OVER]),
        (None, "begin time_up end", [GOING, OPEN, OVER]),
        (RISES, "begin shown end", [GOING, GOING, OVER]),
        (RISES, "begin shown time_up", [GOING, GOING, OVER]),
        (RISES, "begin end end shown", [GOING, OPEN, OPEN, OVER]),
        (RISES, "begin end close", [GOING, OPEN, OVER]),
        (RISES_SOON, "begin end shown", [GOING, AWAITED, OVER]),
        (RISES_SOON, "begin end time_up begin", [GOING, AWAITED, OPEN, GOING]),
        (RISES_AFTER, "begin shown end time_up", [GOING, GOING, AWAITED, OPEN]),
        (RISES_AFTER, "begin end shown", [GOING, AWAITED, OVER]),
    ],
    ids=[
        "a person's word does where nothing is to be shown",
        "the time ran out and nobody said anything; a later word does",
        "filled, and said so",
        "filled, and nobody needs to say so",
        "a word does not do where readings can show it",
        "not done after all: closed with a reason",
        "the sign may come soon after",
        "it did not come; the work begins again",
        "what was seen before the end is no sign that it works after it",
        "it works after the end",
    ],
)
def test_stories(sign: Sign | None, events: str, states: list[WorkState]) -> None:
    """Each story passes through exactly these states."""
    work, passed = Underway(scope="box", work=kind(sign)), []
    for word in events.split():
        work = do(WorkEvent(word), work).work
        passed.append(work.state)
    assert passed == states


@pytest.mark.parametrize(
    ("moves", "readings", "shows"),
    [
        (Moves.RISES, [100, 90, 109], False),
        (Moves.RISES, [100, 90, 110], True),
        (Moves.RISES, [110, 90], False),
        (Moves.FALLS, [90, 110, 90], True),
        (Moves.FALLS, [90, 110, 91], False),
        (Moves.CHANGES, [90, 110], True),
        (Moves.CHANGES, [110, 90], True),
        (Moves.CHANGES, [100], False),
    ],
)
def test_signs(moves: Moves, readings: list[int], shows: bool) -> None:
    """A sign is a move from an earlier reading to a later one, of at least so much."""
    seen = seen_in(("level", at, value) for at, value in enumerate(readings))
    assert seen.shows(Sign("level", moves, 20)) is shows


def test_two_probes_show_nothing_together() -> None:
    """A probe exchanged for one that reads 30 higher shows no filling; what was seen before stands."""
    assert not seen_in([("old", 1, 0), ("new", 2, 30)]).shows(RISES)
    assert seen_in([("old", 1, 0), ("old", 2, 30), ("new", 3, 0)]).shows(RISES)
    assert seen_in([("old", 1, 30), ("old", 2, 0), ("new", 3, 50)]) == Seen("new", 3, 50, 50, 0, 30)


@given(st.lists(st.integers(-50, 50), max_size=12), st.integers(1, 40))
def test_signs_by_an_oracle(values: list[int], by: int) -> None:
    """Rising and falling are the largest differences between any earlier and any later reading."""
    seen = seen_in(("level", at, value) for at, value in enumerate(values))
    pairs = [(a, b) for i, a in enumerate(values) for b in values[i + 1 :]]
    assert seen.rose == max((b - a for a, b in pairs if b > a), default=0)
    assert seen.fell == max((a - b for a, b in pairs if a > b), default=0)
    assert seen.shows(Sign("level", Moves.RISES, by)) is any(b - a >= by for a, b in pairs)


@pytest.mark.parametrize(
    ("scope", "hides", "hidden"),
    [
        ("box", (), {"box/vapour/warm", "box/level/low", "box/vapour/silence"}),
        ("box/vapour", (), {"box/vapour/warm", "box/vapour/silence"}),
        ("box/vapour/warm", (), {"box/vapour/warm"}),
        ("box", ("low",), {"box/level/low"}),
        ("port:log", (), {"port:log", "port:log/clock"}),
    ],
    ids=["a vessel", "a place", "one alarm", "by design: the named rules alone", "a source's alarms"],
)
def test_what_a_work_hides(scope: str, hides: tuple[str, ...], hidden: set[str]) -> None:
    """What lies within the scope, and never its own alarm, nor a vessel whose name begins alike."""
    alarms = {
        "box/vapour/warm": ("box/vapour", "warm"),
        "box/level/low": ("box/level", "low"),
        "box/vapour/silence": ("box/vapour", "silence"),
        "box-2/level/low": ("box-2/level", "low"),
        "work:box/filling": ("box", "work"),
        "port:log": ("log", "silence"),
        "port:log/clock": ("log", "clock"),
        "port:log2": ("log2", "silence"),
    }
    work = Underway(scope=scope, work=kind(hides=hides))
    assert {name for name, (subject, rule) in alarms.items() if work.hides(name, subject, rule)} == hidden


@given(
    st.lists(
        st.tuples(st.sampled_from(WorkEvent), st.integers(0, 30), st.sampled_from((Seen(), FILLED))),
        max_size=25,
    ),
    st.sampled_from((None, RISES, RISES_SOON, RISES_AFTER)),
    st.sampled_from((None, Cause("valve", Side.ABOVE, 0))),
)
def test_no_work_is_for_ever(
    story: list[tuple[WorkEvent, int, Seen]], sign: Sign | None, cause: Cause | None
) -> None:
    """Whatever happened: left alone, nothing is hidden any more when its longest time has passed."""
    work, now_ms = Underway(scope="box", work=kind(sign, cause=cause)), NOW
    for event, later_ms, seen in story:
        now_ms += later_ms
        while work.due_ms is not None and work.due_ms <= now_ms:
            work = works.time_up(work, work.due_ms).work
        if event is not WorkEvent.TIME_UP:  # only its own time brings that
            work = do(event, work, now_ms, seen).work
    left_ms = now_ms
    while work.due_ms is not None:
        assert work.due_ms > left_ms or work.due_ms <= now_ms
        left_ms = work.due_ms
        work = works.time_up(work, left_ms).work
    assert work.state in (OPEN, OVER)
    assert left_ms <= now_ms + LONGEST + (sign.within_ms if sign is not None else 0)
