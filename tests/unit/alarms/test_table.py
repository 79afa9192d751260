"""The alarm table: whole, without contradiction, and what the drawings in the docs are made of."""

from itertools import product
from pathlib import Path

import pytest
from msgspec import structs

from coldchain.alarms import moves
from coldchain.alarms.alarm import Alarm, Occurrence
from coldchain.alarms.calling import Calling
from coldchain.alarms.drawing import drawing, redrawn
from coldchain.alarms.moves import (
    acknowledge,
    close,
    condition_gone,
    fire,
    raise_,
    remove_from_service,
    reset,
    return_to_service,
    shelve,
    suppress,
    unshelve,
    unsuppress,
)
from coldchain.alarms.table import (
    HIDDEN_STATES,
    TABLE,
    AlarmEvent,
    AlarmState,
    Given,
    Refusal,
    Row,
    look_up,
)
from coldchain.announcements import Kind
from coldchain.model import Priority
from coldchain.plan import Step

PAGE = Path(__file__).parents[3] / "docs" / "alarms.md"
NOW = 10_000

CALLING = Calling((Step(0, ("room",)), Step(100, ("head",))), frozenset({"head"}))

DO = {
    AlarmEvent.RAISE: lambda alarm: raise_(alarm, "e9", 1, 2, NOW),
    AlarmEvent.RETURN: lambda alarm: condition_gone(alarm, NOW),
    AlarmEvent.ACKNOWLEDGE: lambda alarm: acknowledge(alarm, (1,), "anna", NOW),
    AlarmEvent.SHELVE: lambda alarm: shelve(alarm, NOW + 1, NOW),
    AlarmEvent.UNSHELVE: lambda alarm: unshelve(alarm, NOW),
    AlarmEvent.RESET: lambda alarm: reset(alarm, "looked", NOW),
    AlarmEvent.CLOSE: lambda alarm: close(alarm, "probe is gone", NOW, judged=False),
    AlarmEvent.REMOVE_FROM_SERVICE: lambda alarm: remove_from_service(alarm, "valve changed", NOW),
    AlarmEvent.RETURN_TO_SERVICE: lambda alarm: return_to_service(alarm, NOW),
    AlarmEvent.SHELF_END: lambda alarm: fire(alarm, NOW),
    AlarmEvent.RE_ALARM: lambda alarm: fire(alarm, NOW),
    AlarmEvent.ESCALATE: lambda alarm: moves._escalate(alarm, NOW, CALLING),
    AlarmEvent.SUPPRESS: lambda alarm: suppress(alarm, NOW),
    AlarmEvent.UNSUPPRESS: lambda alarm: unsuppress(alarm, NOW),
}


def in_sight(given: Given) -> AlarmState:
    """The state an alarm in sight has by the standard's own words, from its circumstances alone."""
    if given.unacknowledged:
        return AlarmState.UNACKNOWLEDGED if given.active else AlarmState.RETURNED
    return AlarmState.ACKNOWLEDGED if given.active or given.latched else AlarmState.NORMAL


def every_alarm(state: AlarmState) -> list[Alarm]:
    """Alarms in this state under every circumstance it can have, each due at NOW if it has a timer."""
    alarms = []
    for active, unacked, latched in product((False, True), repeat=3):
        given = Given(active, unacked, latched, judged=True)
        if state not in HIDDEN_STATES and in_sight(given) is not state:
            continue
        if active or unacked or latched:
            occurrence = Occurrence(
                1,
                "e1",
                0,
                0,
                0,
                returned_ms=None if active else 5,
                acknowledged_ms=None if unacked else 6,
                acknowledged_by="" if unacked else "ben",
            )
            occurrences: tuple[Occurrence, ...] = (occurrence,)
        else:
            occurrences = ()
        speaks = active and state in (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)
        alarms.append(
            Alarm(
                id="box-7/air/high",
                priority=Priority.CRITICAL,
                re_alarm_ms=1000,
                state=state,
                latched=latched,
                condition=active,
                last=len(occurrences),
                occurrences=occurrences,
                shelved_until_ms=NOW if state is AlarmState.SHELVED else None,
                next_re_alarm_ms=NOW if speaks else None,
            )
        )
    return alarms


@pytest.mark.parametrize("event", AlarmEvent)
@pytest.mark.parametrize("state", AlarmState)
def test_exactly_one_row_fits(state: AlarmState, event: AlarmEvent) -> None:
    """For each state, event and circumstances the table gives one answer: no gap, no contradiction."""
    for circumstances in product((False, True), repeat=5):
        given = Given(*circumstances)
        fitting = [row for row in TABLE if row.event is event and state in row.states and row.fits(given)]
        assert len(fitting) == 1, given
        assert look_up(state, event, given) is fitting[0]


@pytest.mark.parametrize("event", AlarmEvent)
@pytest.mark.parametrize("state", AlarmState)
def test_every_pair_of_state_and_event(state: AlarmState, event: AlarmEvent) -> None:
    """Each event done to each state leaves a consistent alarm; a refusal leaves the very same one."""
    for before in every_alarm(state):
        after, said = DO[event](before)
        if after.state in HIDDEN_STATES:
            assert after.next_re_alarm_ms is None
        else:
            unacked = any(each.acknowledged_ms is None for each in after.occurrences)
            assert after.state is in_sight(Given(after.condition, unacked, after.latched, judged=True))
        assert (after.shelved_until_ms is not None) == (after.state is AlarmState.SHELVED)
        for each in said:
            assert each.state is after.state
            if each.kind is Kind.REFUSED:
                assert after is before
                assert each.refusal is not None


def test_every_row_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """No row stands in the table for a case that cannot come about."""
    reached: set[Row] = set()

    def recording(state: AlarmState, event: AlarmEvent, given: Given) -> Row:
        row = look_up(state, event, given)
        reached.add(row)
        return row

    monkeypatch.setattr(moves, "look_up", recording)
    for state in AlarmState:
        for one in every_alarm(state):
            two, _ = raise_(one, "e2", 1, 2, NOW)
            past, _ = raise_(one, "e2", 1, 2, NOW, over=True)
            for alarm in (one, two, past):
                for event in AlarmEvent:
                    DO[event](alarm)
                raise_(alarm, "e9", 1, 2, NOW, over=True)
                close(alarm, "probe is gone", NOW, judged=True)
                return_to_service(alarm, NOW, suppressed=True)
                # Timers that come too late, as a heap of deadlines may hand them out.
                for late in (AlarmEvent.SHELF_END, AlarmEvent.RE_ALARM):
                    moves._step(alarm, alarm, late, NOW)
                moves._step(structs.replace(alarm, condition=False), alarm, AlarmEvent.RETURN, NOW)
    assert set(TABLE) - reached == set()


def test_rows_agree_with_the_circumstances() -> None:
    """What brings an alarm into sight puts it where its circumstances belong, unless it asks anew."""
    for row in TABLE:
        if not isinstance(row.becomes, AlarmState) or row.becomes in HIDDEN_STATES:
            continue
        if row.event in (AlarmEvent.RESET, AlarmEvent.CLOSE):
            assert row.becomes is AlarmState.NORMAL
            continue
        for state, circumstances in product(row.states, product((False, True), repeat=5)):
            given = Given(*circumstances)
            possible = state in HIDDEN_STATES or _can_lead_to(state, row.event, given)
            if possible and row.fits(given):
                held = given._replace(unacknowledged=given.unacknowledged or row.anew)
                assert row.becomes is in_sight(held), (state, row, given)


def _can_lead_to(state: AlarmState, event: AlarmEvent, after: Given) -> bool:
    """Whether an alarm in sight can be in these circumstances after the event's own effect."""
    match event:
        case AlarmEvent.RAISE:
            return after.unacknowledged
        case AlarmEvent.RETURN:
            return not after.active and in_sight(after._replace(active=True)) is state
        case AlarmEvent.ACKNOWLEDGE:
            return in_sight(after._replace(unacknowledged=True)) is state
        case _:
            return in_sight(after) is state


def test_refusals_are_all_used() -> None:
    """Each reason of the table's own is given by some row; none is left over from an older table."""
    by_table = {row.becomes for row in TABLE if isinstance(row.becomes, Refusal)}
    by_request = {
        Refusal.NAMES_NO_OCCURRENCE,
        Refusal.UNKNOWN_OCCURRENCE,
        Refusal.ALREADY_ACKNOWLEDGED,
        Refusal.NO_ACTOR,
        Refusal.NO_REASON,
        Refusal.NO_END,
        Refusal.SHELF_TOO_LONG,
    }
    assert by_table | by_request == set(Refusal)
    assert not by_table & by_request


def test_docs_equal_the_table() -> None:
    """The drawings and the list in the docs are those of the table (else: python docs/draw_alarms.py)."""
    page = PAGE.read_text(encoding="utf-8")
    assert redrawn(page) == page


def test_a_page_without_places_is_refused() -> None:
    """A page that lost a marker is an error, never a page silently left old."""
    with pytest.raises(ValueError, match="drawing in sight"):
        redrawn("# Alarms\n")


@pytest.mark.parametrize("lost", ["<!-- list -->\n", "\n<!-- end of list -->"])
def test_a_place_needs_a_beginning_and_an_end(lost: str) -> None:
    """With one of them gone nothing is written: else the rest of the page would go with the old list."""
    with pytest.raises(ValueError, match="list"):
        redrawn(PAGE.read_text("utf-8").replace(lost, ""))


def test_a_drawing_of_two_states_has_the_arrows_between_them() -> None:
    """All that it shows may be in one transition."""
    text = drawing(frozenset({AlarmState.NORMAL, AlarmState.SHELVED}), frozenset())
    assert "NORMAL --> SHELVED: shelve" in text
    assert "SHELVED --> NORMAL: " in text


def test_drawing_shows_each_transition() -> None:
    """An arrow stands for each pair of states the table connects within the focus."""
    sight = frozenset(AlarmState) - HIDDEN_STATES
    text = drawing(sight, frozenset())
    assert "UNACKNOWLEDGED --> RETURNED: return\n" in text
    assert "SHELVED" not in text
