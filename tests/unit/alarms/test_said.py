"""What is said of an alarm, whole: the words, whom they reach, and what the alarm remembers of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from coldchain.alarms import (
    Alarm,
    AlarmEvent,
    AlarmState,
    Moved,
    Occurrence,
    Refusal,
    Said,
    acknowledge,
    adopt,
    close,
    condition_gone,
    due_ms,
    fire,
    raise_,
    remove_from_service,
    renamed,
    reset,
    return_to_service,
    shelve,
    suppress,
    unacknowledged,
    unshelve,
    unsuppress,
)
from coldchain.alarms.alarm import KEPT, without
from coldchain.alarms.calling import Calling, Contacts
from coldchain.announcements import Kind
from coldchain.model import Priority
from coldchain.plan import Contact, Escalation, Plan, QuietHours, Step

STEPS = (Step(0, ("room", "night")), Step(30, ("head",)))
DAY = Calling(STEPS)
#: The hour in which `night` must not be called.
NIGHT = Calling(STEPS, frozenset({"night"}))
S, E = AlarmState, AlarmEvent
QUIET = Alarm(id="box/air/high", priority=Priority.HIGH)
UP, _ = raise_(QUIET, "e1", 3, 4, 10, calling=DAY)
TAKEN, _ = acknowledge(UP, (1,), "anna", 12, calling=DAY)
GONE, _ = condition_gone(UP, 12, calling=DAY)
HELD = replace(TAKEN, latched=True)
HELD, _ = condition_gone(HELD, 14, calling=DAY)
SHELVED, _ = shelve(UP, 50, 12, calling=DAY)
HIDDEN, _ = suppress(UP, 12, calling=DAY)
OUT, _ = remove_from_service(UP, "valve", 12, calling=DAY)
SPEAKS = replace(UP, re_alarm_ms=20, next_re_alarm_ms=30)

Act = Callable[[Calling], Moved]


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda c: raise_(UP, "e2", 18, 19, 20, calling=c), Said(Kind.RAISED, E.RAISE, S.UNACKNOWLEDGED, 2)),
        (lambda c: condition_gone(UP, 20, calling=c), Said(Kind.RETURNED, E.RETURN, S.RETURNED, None, (1,))),
        (
            lambda c: acknowledge(UP, (1,), "anna", 20, calling=c),
            Said(Kind.ACKNOWLEDGED, E.ACKNOWLEDGE, S.ACKNOWLEDGED, None, (1,)),
        ),
        (lambda c: shelve(UP, 50, 20, 30, calling=c), Said(Kind.SHELVED, E.SHELVE, S.SHELVED)),
        (
            lambda c: unshelve(SHELVED, 20, calling=c),
            Said(Kind.UNSHELVED, E.UNSHELVE, S.UNACKNOWLEDGED, None, (1,)),
        ),
        (
            lambda c: fire(SHELVED, 50, calling=c),
            Said(Kind.UNSHELVED, E.SHELF_END, S.UNACKNOWLEDGED, None, (1,), anew=True),
        ),
        (lambda c: reset(HELD, "seen to", 20, calling=c), Said(Kind.RESET, E.RESET, S.NORMAL, None, (1,))),
        (
            lambda c: close(UP, "probe lost", 20, judged=False, calling=c),
            Said(Kind.CLOSED, E.CLOSE, S.NORMAL, None, (1,)),
        ),
        (
            lambda c: remove_from_service(UP, "valve", 20, calling=c),
            Said(Kind.OUT_OF_SERVICE, E.REMOVE_FROM_SERVICE, S.OUT_OF_SERVICE),
        ),
        (
            lambda c: return_to_service(OUT, 20, calling=c),
            Said(Kind.IN_SERVICE, E.RETURN_TO_SERVICE, S.UNACKNOWLEDGED, None, (1,), anew=True),
        ),
        (
            lambda c: return_to_service(OUT, 20, suppressed=True, calling=c),
            Said(Kind.IN_SERVICE, E.RETURN_TO_SERVICE, S.SUPPRESSED, None, (1,)),
        ),
        (lambda c: suppress(UP, 20, calling=c), Said(Kind.SUPPRESSED, E.SUPPRESS, S.SUPPRESSED)),
        (
            lambda c: unsuppress(HIDDEN, 20, calling=c),
            Said(Kind.UNSUPPRESSED, E.UNSUPPRESS, S.UNACKNOWLEDGED, None, (1,), anew=True),
        ),
        (
            lambda c: fire(SPEAKS, 30, calling=c),
            Said(Kind.RE_ALARMED, E.RE_ALARM, S.UNACKNOWLEDGED, None, (1,)),
        ),
    ],
    ids=lambda part: f"{part.event} {part.state}" if isinstance(part, Said) else "",
)
def test_what_is_said_and_to_whom(act: Act, said: Said) -> None:
    """Exactly these words. By day both who were called hear of it, by night the one who is awake."""
    _, (heard,) = act(DAY)
    assert replace(heard, to=()) == said
    assert set(heard.to) == {"room", "night"}
    _, (heard,) = act(NIGHT)
    assert set(heard.to) == {"room"}
    assert replace(heard, to=(), held=()) == said


def test_a_step_is_said_to_those_it_calls() -> None:
    """The head, at the 30th ms after it began to ask; nobody else is woken again."""
    later, (said,) = fire(UP, 40, calling=DAY)
    assert said == Said(Kind.ESCALATED, E.ESCALATE, S.UNACKNOWLEDGED, None, (1,), to=("head",))
    assert (later.called, later.told, later.asked_ms) == (2, ("room", "night", "head"), 10)
    assert fire(later, 60, calling=DAY) == (later, ())
    assert fire(UP, 39, calling=DAY) == (UP, ())


def test_who_sleeps_is_held_and_called_later() -> None:
    """Raised at night: one is told, the other stands as held until the hour is over."""
    up, (said,) = raise_(QUIET, "e1", 3, 4, 10, calling=NIGHT)
    assert (said.to, said.held) == (("room",), ("night",))
    assert (up.told, up.held, up.called, up.asked_ms) == (("room",), ("night",), 1, 10)
    up, (said,) = fire(up, 20, calling=DAY)
    assert (said.kind, said.to, said.held) == (Kind.ESCALATED, ("night",), ())
    assert (up.told, up.held) == (("room", "night"), ())


# What the alarm remembers


def test_an_occurrence_has_all_its_times() -> None:
    """When it began, became certain, was announced, was taken up and by whom, was over."""
    assert UP.occurrences == (Occurrence(1, "e1", 3, 4, 10),)
    assert TAKEN.occurrences == (Occurrence(1, "e1", 3, 4, 10, None, 12, "anna"),)
    assert HELD.occurrences == (Occurrence(1, "e1", 3, 4, 10, 14, 12, "anna"),)
    late, _ = raise_(QUIET, "e1", 3, 4, 10, over=True)
    assert late.occurrences == (Occurrence(1, "e1", 3, 4, 10, 10),)
    assert (late.condition, late.latched, late.last) == (False, False, 1)


def test_what_was_over_keeps_the_time_of_its_end() -> None:
    """Two occurrences, one over since 12: the end of the second is not its own."""
    two, _ = raise_(GONE, "e2", 18, 19, 20)
    over, (said,) = condition_gone(two, 30)
    assert [each.returned_ms for each in over.occurrences] == [12, 30]
    assert said.occurrences == (2,)
    assert condition_gone(over, 40) == (over, ())


def test_an_acknowledgement_leaves_an_earlier_one_as_it_was() -> None:
    """Who took the first up, and when, stands."""
    two, _ = raise_(TAKEN, "e2", 18, 19, 20)
    both, _ = acknowledge(two, (1, 2), "ben", 30)
    assert [(each.acknowledged_ms, each.acknowledged_by) for each in both.occurrences] == [
        (12, "anna"),
        (30, "ben"),
    ]


def test_closing_forgets_and_a_new_occurrence_opens_again() -> None:
    """All but the number, which is never used twice."""
    old = replace(UP, latched=True, backlog=((3, 5),))
    closed, _ = close(old, "probe lost", 20, judged=False, calling=DAY)
    assert closed == replace(QUIET, last=1, closed=True)
    again, _ = raise_(closed, "e2", 28, 29, 30)
    assert (again.closed, again.last, [each.number for each in again.occurrences]) == (False, 2, [2])


def test_what_is_taken_up_calls_nobody_and_what_is_over_forgets_whom_it_called() -> None:
    """Who was told hears of the end, and nothing of the next alarm's beginning unless it is theirs."""
    assert (TAKEN.asked_ms, TAKEN.called, TAKEN.held, TAKEN.told) == (None, 0, (), ("room", "night"))
    over, (said,) = condition_gone(TAKEN, 20, calling=DAY)
    assert said.to == ("room", "night")
    assert (over.state, over.told) == (S.NORMAL, ())
    _, (said,) = raise_(over, "e2", 28, 29, 30, calling=Calling((Step(0, ("head",)),)))
    assert said.to == ("head",)


def test_a_shelf_has_its_end_and_may_be_as_long_as_the_site_allows() -> None:
    """From 20 on for 30: just allowed. A longer one, and one that ends when it begins, are refused."""
    shelved, _ = shelve(UP, 50, 20, 30)
    assert (shelved.state, shelved.shelved_until_ms, due_ms(shelved)) == (S.SHELVED, 50, 50)
    assert shelve(UP, 51, 20, 30)[1][0].refusal is Refusal.SHELF_TOO_LONG
    assert shelve(UP, 20, 20)[1][0].refusal is Refusal.NO_END
    assert fire(shelved, 49) == (shelved, ())
    assert fire(shelved, 50)[0].shelved_until_ms is None


def test_a_reset_lets_go_of_what_the_latch_held() -> None:
    """Nothing of it is left but the number."""
    assert HELD.latched
    assert reset(HELD, "seen to", 20, calling=DAY)[0] == replace(QUIET, last=1)
    assert reset(HELD, "seen to", 20)[0].latched is False


def test_a_refusal_says_of_what_and_in_which_state() -> None:
    """The same alarm, and one word that names the reason."""
    refused, said = unshelve(UP, 20)
    assert refused is UP
    assert said == (Said(Kind.REFUSED, E.UNSHELVE, S.UNACKNOWLEDGED, refusal=Refusal.NOT_SHELVED),)
    lasts = Said(Kind.REFUSED, E.RESET, S.UNACKNOWLEDGED, refusal=Refusal.CONDITION_LASTS)
    assert reset(UP, "seen to", 20) == (UP, (lasts,))
    unknown = Said(Kind.REFUSED, E.ACKNOWLEDGE, S.UNACKNOWLEDGED, refusal=Refusal.UNKNOWN_OCCURRENCE)
    assert acknowledge(UP, (7,), "anna", 20) == (UP, (unknown,))


def test_what_asks_anew_is_what_lasts() -> None:
    """Of two taken up, one lasts and one was found late and over: only the first is asked about again."""
    lasting = replace(UP, latched=True)
    lasting, _ = raise_(lasting, "late", 1, 2, 11, over=True)
    lasting, _ = acknowledge(lasting, (1, 2), "anna", 12)
    shelved, _ = shelve(lasting, 50, 20)
    asked, (said,) = fire(shelved, 50)
    assert (unacknowledged(asked), said.occurrences) == ((1,), (1,))


def test_what_lasts_keeps_its_details_however_much_there_is() -> None:
    """Only what is over and unacknowledged is shortened to numbers."""
    alarm = QUIET
    for now in range(KEPT + 6):
        alarm, _ = raise_(alarm, f"e{now}", now, now, now)
    assert len(alarm.occurrences) == KEPT + 6
    assert alarm.backlog == ()


def test_numbers_shortened_to_ranges_lose_none() -> None:
    """What is acknowledged leaves a gap; what comes later goes on with the last range."""
    assert without(((1, 3), (7, 9)), frozenset({2})) == ((1, 1), (3, 3), (7, 9))
    assert without(((1, 3), (7, 9)), frozenset({1, 3, 7, 8, 9})) == ((2, 2),)
    alarm = QUIET
    for now in range(1, KEPT + 10):
        alarm, _ = raise_(alarm, f"e{now}", now, now, now)
        alarm, _ = condition_gone(alarm, now)
    alarm, _ = acknowledge(alarm, (4,), "anna", 1_000)
    assert alarm.backlog == ((1, 3), (5, 9))
    alarm, _ = raise_(alarm, "more", 1_001, 1_001, 1_001)
    alarm, _ = condition_gone(alarm, 1_002)
    assert alarm.backlog == ((1, 3), (5, 10))
    alarm, _ = acknowledge(alarm, tuple(each.number for each in alarm.occurrences), "anna", 1_003)
    assert (alarm.state, alarm.occurrences) == (S.RETURNED, ())
    assert unacknowledged(alarm) == (1, 2, 3, 5, 6, 7, 8, 9, 10)


def test_a_reload_changes_what_its_rule_says() -> None:
    """Each parameter for itself; a time to speak again begins only where the alarm speaks."""
    assert adopt(UP, Priority.LOW, latches=False, re_alarm_ms=None, now_ms=20) == replace(
        UP, priority=Priority.LOW
    )
    assert adopt(UP, Priority.HIGH, latches=True, re_alarm_ms=None, now_ms=20) == replace(
        UP, latches=True, latched=True
    )
    assert adopt(QUIET, Priority.HIGH, latches=True, re_alarm_ms=None, now_ms=20) == replace(
        QUIET, latches=True
    )
    assert adopt(UP, Priority.HIGH, latches=False, re_alarm_ms=30, now_ms=20) == replace(
        UP, re_alarm_ms=30, next_re_alarm_ms=50
    )
    assert adopt(QUIET, Priority.HIGH, latches=False, re_alarm_ms=30, now_ms=20) == replace(
        QUIET, re_alarm_ms=30
    )
    assert adopt(SPEAKS, Priority.LOW, latches=False, re_alarm_ms=20, now_ms=25).next_re_alarm_ms == 30


def test_a_merged_excursion_renames_only_its_own() -> None:
    """Another occurrence keeps its excursion, and each all the rest."""
    two, _ = raise_(UP, "e2", 18, 19, 20)
    assert renamed(two, "e2", "e9").occurrences == (
        Occurrence(1, "e1", 3, 4, 10),
        Occurrence(2, "e9", 18, 19, 20),
    )


def test_when_it_speaks_again() -> None:
    """After each move a period later, but what changes nothing puts nothing off; its rhythm is kept."""
    spoke, _ = fire(SPEAKS, 30)
    assert spoke.next_re_alarm_ms == 50
    assert fire(SPEAKS, 71)[0].next_re_alarm_ms == 90
    assert fire(SPEAKS, 70)[0].next_re_alarm_ms == 90
    assert fire(SPEAKS, 29) == (SPEAKS, ())
    assert raise_(SPEAKS, "e2", 18, 19, 20)[0].next_re_alarm_ms == 40
    assert acknowledge(SPEAKS, (1,), "anna", 21)[0].next_re_alarm_ms == 41
    assert condition_gone(SPEAKS, 21)[0].next_re_alarm_ms is None
    assert shelve(SPEAKS, 99, 21)[0].next_re_alarm_ms is None


# Contacts of a site


SITE = Plan(
    site="test",
    contacts=(Contact("anna", (QuietHours(22 * 60, 6 * 60),)), Contact("ben")),
    escalation=(
        Escalation(Priority.HIGH, (Step(0, ("anna", "ben")),)),
        Escalation(Priority.CRITICAL, (Step(0, ("anna",)),)),
    ),
)
#: 1970-01-02, eleven in the evening, and half a second.
EVENING_MS = 47 * 3_600_000 + 500


def test_the_contacts_of_a_site() -> None:
    """A site without a zone lives by UTC; what is critical wakes everybody, whatever the hour."""
    site = Contacts(SITE)
    end = site.quiet_until_ms("anna", EVENING_MS)
    assert (end, type(end)) == (54 * 3_600_000, int)
    assert site.quiet_until_ms("ben", EVENING_MS) is None
    assert site.quiet_until_ms("nobody", EVENING_MS) is None
    assert site.calling(Priority.HIGH, EVENING_MS) == Calling(
        (Step(0, ("anna", "ben")),), frozenset({"anna"})
    )
    assert site.calling(Priority.CRITICAL, EVENING_MS) == Calling((Step(0, ("anna",)),))
    assert site.calling(Priority.LOW, EVENING_MS) == Calling()
    assert site.steps(Priority.LOW) == ()


def test_without_a_clock_somebody_may_be_woken_whom_it_would_have_left_asleep() -> None:
    """That is said with the call, unless it is critical or nobody called has quiet hours."""
    site = Contacts(SITE)
    assert site.without_quiet_hours(("ben", "anna"), Priority.HIGH)
    assert not site.without_quiet_hours(("ben", "a stranger"), Priority.HIGH)
    assert not site.without_quiet_hours(("anna",), Priority.CRITICAL)
    assert not site.without_quiet_hours((), Priority.HIGH)
