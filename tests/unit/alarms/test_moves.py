"""What an alarm does, told as short stories: events in, state and words out."""

import msgspec
import pytest

from coldchain.alarms import (
    Alarm,
    AlarmState,
    Moved,
    Refusal,
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
from coldchain.alarms.alarm import KEPT
from coldchain.announcements import Kind
from coldchain.model import Priority

param = pytest.param

NORMAL = AlarmState.NORMAL
UNACK = AlarmState.UNACKNOWLEDGED
ACKED = AlarmState.ACKNOWLEDGED
RETURNED = AlarmState.RETURNED
SHELVED = AlarmState.SHELVED
SUPPRESSED = AlarmState.SUPPRESSED
OUT = AlarmState.OUT_OF_SERVICE


def alarm(*, latches: bool = False, re_alarm_ms: int | None = None) -> Alarm:
    return Alarm(id="box-7/air/high", priority=Priority.CRITICAL, latches=latches, re_alarm_ms=re_alarm_ms)


def step(before: Alarm, word: str, now_ms: int) -> Moved:
    """One word of a story: `ack:1,2`, `shelve:50` (until journal time 50), and the plain ones below."""
    name, _, argument = word.partition(":")
    match name:
        case "raise":
            return raise_(before, argument or f"e{now_ms}", now_ms - 2, now_ms - 1, now_ms)
        case "late":
            return raise_(before, f"e{now_ms}", now_ms - 9, now_ms - 8, now_ms, over=True)
        case "gone":
            return condition_gone(before, now_ms)
        case "ack":
            return acknowledge(before, tuple(int(n) for n in argument.split(",")), "anna", now_ms)
        case "shelve":
            return shelve(before, int(argument), now_ms)
        case "unshelve":
            return unshelve(before, now_ms)
        case "reset":
            return reset(before, "inspected", now_ms)
        case "close":
            return close(before, "probe lost", now_ms, judged=False)
        case "suppress":
            return suppress(before, now_ms)
        case "unsuppress":
            return unsuppress(before, now_ms)
        case "out":
            return remove_from_service(before, "valve", now_ms)
        case "in":
            return return_to_service(before, now_ms)
        case "fire":
            return fire(before, now_ms)
    raise AssertionError(word)


def tell(story: str, start: Alarm) -> tuple[Alarm, list[AlarmState]]:
    """Run a story, one word per 10 ms of journal time, and give back the states passed through."""
    states = []
    current = start
    for number, word in enumerate(story.split(), start=1):
        current, _ = step(current, word, number * 10)
        states.append(current.state)
    return current, states


@pytest.mark.parametrize(
    ("story", "states"),
    [
        param("raise ack:1 gone", [UNACK, ACKED, NORMAL], id="the plain life"),
        param("raise gone ack:1", [UNACK, RETURNED, NORMAL], id="gone before anybody looked"),
        param("raise gone raise", [UNACK, RETURNED, UNACK], id="comes back unacknowledged"),
        param("raise ack:1 raise", [UNACK, ACKED, UNACK], id="a new occurrence opens an acknowledged one"),
        param("raise raise ack:2 ack:1", [UNACK, UNACK, UNACK, ACKED], id="one acknowledged of two: open"),
        param("raise gone raise ack:2 gone ack:1", [UNACK, RETURNED, UNACK, UNACK, RETURNED, NORMAL],
              id="the older occurrence stays open though the newer is acknowledged and over"),
        param("raise gone late ack:1 ack:2", [UNACK, RETURNED, RETURNED, RETURNED, NORMAL],
              id="found late and over: asks to be looked at, does not sound as lasting"),
        param("late", [RETURNED], id="found late on a normal alarm"),
        param("raise late gone", [UNACK, UNACK, RETURNED], id="found late while another lasts"),
        param("shelve:99 raise gone unshelve", [SHELVED, SHELVED, SHELVED, RETURNED],
              id="what came and went on the shelf is not lost"),
        param("raise shelve:99 ack:1 unshelve", [UNACK, SHELVED, SHELVED, ACKED],
              id="a person takes it down: the acknowledgement stands"),
        param("raise shelve:99 unshelve", [UNACK, SHELVED, UNACK], id="taken down, never acknowledged"),
        param("raise ack:1 shelve:99 gone unshelve", [UNACK, ACKED, SHELVED, SHELVED, NORMAL],
              id="all done on the shelf"),
        param("raise shelve:30 fire", [UNACK, SHELVED, UNACK], id="shelf ends, condition lasts"),
        param("raise ack:1 shelve:40 fire", [UNACK, ACKED, SHELVED, UNACK],
              id="shelf ends, condition lasts: asks anew though it was acknowledged"),
        param("raise shelve:40 gone fire", [UNACK, SHELVED, SHELVED, RETURNED],
              id="shelf ends, gone, never acknowledged"),
        param("raise ack:1 shelve:50 gone fire", [UNACK, ACKED, SHELVED, SHELVED, NORMAL],
              id="shelf ends, gone and acknowledged"),
        param("shelve:99 shelve:30 fire", [SHELVED, SHELVED, NORMAL], id="shelving again moves the end"),
        param("shelve:99 fire", [SHELVED, SHELVED], id="the shelf does not end early"),
        param("raise suppress unsuppress", [UNACK, SUPPRESSED, UNACK], id="a parent alarm came and went"),
        param("raise ack:1 suppress unsuppress", [UNACK, ACKED, SUPPRESSED, UNACK],
              id="after suppression what lasts asks anew"),
        param("raise shelve:99 suppress unsuppress", [UNACK, SHELVED, SUPPRESSED, UNACK],
              id="suppression takes it off the shelf"),
        param("raise out suppress unsuppress in", [UNACK, OUT, OUT, OUT, UNACK],
              id="out of service is stronger than logic"),
        param("raise close raise", [UNACK, NORMAL, UNACK], id="closed, then a new occurrence"),
        param("raise close gone", [UNACK, NORMAL, NORMAL], id="the end of a closed alarm's condition"),
    ],
)  # fmt: skip
def test_stories(story: str, states: list[AlarmState]) -> None:
    """Each story passes through exactly these states."""
    assert tell(story, alarm())[1] == states


@pytest.mark.parametrize(
    ("story", "states"),
    [
        param("raise ack:1 gone reset", [UNACK, ACKED, ACKED, NORMAL], id="held until reset"),
        param("raise gone ack:1 reset", [UNACK, RETURNED, ACKED, NORMAL], id="gone, acknowledged, held"),
        param("raise ack:1 gone raise", [UNACK, ACKED, ACKED, UNACK], id="a new occurrence while held"),
        param("raise ack:1 gone late ack:2", [UNACK, ACKED, ACKED, RETURNED, ACKED],
              id="found late while held: looked at, then held again"),
        param("raise ack:1 gone shelve:50 fire", [UNACK, ACKED, ACKED, SHELVED, RETURNED],
              id="shelf ends on a held one: asks anew"),
        param("raise ack:1 gone shelve:50 fire ack:1 reset",
              [UNACK, ACKED, ACKED, SHELVED, RETURNED, ACKED, NORMAL], id="and is acknowledged again"),
        param("raise ack:1 gone shelve:99 unshelve", [UNACK, ACKED, ACKED, SHELVED, ACKED],
              id="taken off the shelf, still held"),
        param("raise gone close", [UNACK, RETURNED, NORMAL], id="closing takes the latch too"),
    ],
)  # fmt: skip
def test_latched_stories(story: str, states: list[AlarmState]) -> None:
    """A latched alarm leaves only by reset, or by closing."""
    assert tell(story, alarm(latches=True))[1] == states


@pytest.mark.parametrize(
    ("story", "refused"),
    [
        param("ack:1", Refusal.NOTHING_TO_ACKNOWLEDGE, id="normal"),
        param("raise ack:1 ack:1", Refusal.NOTHING_TO_ACKNOWLEDGE, id="all acknowledged already"),
        param("raise raise ack:1 ack:1", Refusal.ALREADY_ACKNOWLEDGED, id="two people, one occurrence"),
        param("raise ack:1,2", Refusal.UNKNOWN_OCCURRENCE, id="an occurrence that never was"),
        param("raise ack:0", Refusal.UNKNOWN_OCCURRENCE, id="numbers begin at one"),
        param("raise shelve:20", Refusal.NO_END, id="a shelf that ends at once"),
        param("unshelve", Refusal.NOT_SHELVED, id="not on the shelf"),
        param("raise suppress shelve:99", Refusal.HIDDEN, id="suppressed"),
        param("raise reset", Refusal.CONDITION_LASTS, id="reset while it lasts"),
        param("raise ack:1 reset", Refusal.CONDITION_LASTS, id="reset while it lasts, acknowledged"),
        param("raise gone reset", Refusal.NOT_ACKNOWLEDGED, id="reset before anybody took it up"),
        param("reset", Refusal.NOT_LATCHED, id="nothing to reset"),
        param("raise gone shelve:99 reset", Refusal.HIDDEN, id="reset out of sight"),
        param("close", Refusal.NOTHING_TO_CLOSE, id="nothing to close"),
        param("in", Refusal.NOT_OUT_OF_SERVICE, id="in service"),
        param("out out", Refusal.HIDDEN, id="out of service twice"),
    ],
)  # fmt: skip
def test_refusals(story: str, refused: Refusal) -> None:
    """The last word is refused with this reason and changes nothing."""
    *before, last = story.split()
    current, _ = tell(" ".join(before), alarm(latches=True))
    after, said = step(current, last, (len(before) + 1) * 10)
    assert after is current
    assert [(each.kind, each.refusal) for each in said] == [(Kind.REFUSED, refused)]


@pytest.mark.parametrize(
    ("result", "refused"),
    [
        param(lambda a: acknowledge(a, (), "anna", 50), Refusal.NAMES_NO_OCCURRENCE, id="names nothing"),
        param(lambda a: acknowledge(a, (1,), " ", 50), Refusal.NO_ACTOR, id="nobody acknowledges"),
        param(lambda a: shelve(a, None, 50), Refusal.NO_END, id="a shelf without end"),
        param(lambda a: shelve(a, 151, 50, 100), Refusal.SHELF_TOO_LONG, id="longer than the site allows"),
        param(lambda a: close(a, " ", 50, judged=False), Refusal.NO_REASON, id="closed without reason"),
        param(lambda a: close(a, "quiet", 50, judged=True), Refusal.STILL_JUDGED, id="the probe is alive"),
        param(lambda a: remove_from_service(a, "", 50), Refusal.NO_REASON, id="out without reason"),
    ],
)  # fmt: skip
def test_flawed_requests(result, refused: Refusal) -> None:  # type: ignore[no-untyped-def]
    """A request that is not whole is refused in any state and changes nothing."""
    current, _ = tell("raise raise", alarm())
    after, said = result(current)
    assert after is current
    assert [each.refusal for each in said] == [refused]


def test_reset_needs_a_reason() -> None:
    """A latch is not reset in passing: without a reason nothing changes."""
    current, _ = tell("raise ack:1 gone", alarm(latches=True))
    after, said = reset(current, "", 50)
    assert after is current
    assert said[0].refusal is Refusal.NO_REASON


def test_an_acknowledgement_covers_what_it_names() -> None:
    """Of three open occurrences the two named ones are acknowledged, and said to be; the third is not."""
    current, _ = tell("raise raise raise", alarm())
    current, said = acknowledge(current, (3, 1), "anna", 50)
    assert said[0].occurrences == (1, 3)
    assert unacknowledged(current) == (2,)
    assert current.state is UNACK


def test_an_overlapping_acknowledgement_covers_the_rest() -> None:
    """Two people at once: the second's acknowledgement stands for what the first did not name."""
    current, _ = tell("raise raise ack:1", alarm())
    current, said = acknowledge(current, (1, 2), "ben", 50)
    assert said[0].occurrences == (2,)
    assert [each.acknowledged_by for each in current.occurrences] == ["anna", "ben"]


def test_unshelving_names_everything_that_is_open() -> None:
    """An occurrence recorded in hiding is named when the alarm comes back into sight."""
    current, _ = tell("raise shelve:40 raise", alarm())
    assert current.state is SHELVED
    _, said = fire(current, 40)
    assert [(each.kind, each.occurrences, each.state) for each in said] == [(Kind.UNSHELVED, (1, 2), UNACK)]


def test_re_alarm_repeats_while_the_condition_lasts() -> None:
    """It speaks again each period, and no longer once the condition has gone."""
    current, _ = raise_(alarm(re_alarm_ms=100), "e1", 0, 5, 10)
    assert due_ms(current) == 110
    assert fire(current, 109) == (current, ())
    current, said = fire(current, 110)
    assert [(each.kind, each.occurrences, each.anew) for each in said] == [(Kind.RE_ALARMED, (1,), False)]
    assert due_ms(current) == 210
    current, _ = condition_gone(current, 150)
    assert due_ms(current) is None


def test_re_alarm_asks_an_acknowledged_alarm_anew() -> None:
    """One period after the acknowledgement the alarm is unacknowledged again if its condition still lasts."""
    current, _ = raise_(alarm(re_alarm_ms=100), "e1", 0, 5, 10)
    current, _ = acknowledge(current, (1,), "anna", 60)
    assert due_ms(current) == 160
    current, said = fire(current, 160)
    assert (said[0].state, said[0].occurrences, said[0].anew) == (UNACK, (1,), True)
    assert current.occurrences[0].acknowledged_by == ""


def test_a_partial_acknowledgement_does_not_put_off_the_re_alarm() -> None:
    """Naming one of two occurrences leaves the alarm's next word where it was."""
    current, _ = raise_(alarm(re_alarm_ms=100), "e1", 0, 5, 10)
    current, _ = raise_(current, "e2", 0, 5, 20)
    current, _ = acknowledge(current, (1,), "anna", 60)
    assert due_ms(current) == 120


def test_missed_re_alarms_fire_once() -> None:
    """After a down time of several periods it speaks once and keeps its rhythm."""
    current, _ = raise_(alarm(re_alarm_ms=100), "e1", 0, 5, 10)
    current, said = fire(current, 455)
    assert len(said) == 1
    assert due_ms(current) == 510


def test_no_re_alarm_out_of_sight() -> None:
    """A shelved alarm does not speak; when it comes down the period starts anew."""
    current, _ = tell("raise shelve:500", alarm(re_alarm_ms=100))
    assert due_ms(current) == 500
    current, _ = fire(current, 500)
    assert due_ms(current) == 600


def test_unchanged_parameters_change_nothing() -> None:
    """Two hundred reloads of the same rule leave the very same alarm."""
    current, _ = tell("raise", alarm(re_alarm_ms=100))
    for now in range(200):
        assert adopt(current, Priority.CRITICAL, latches=False, re_alarm_ms=100, now_ms=now) is current


@pytest.mark.parametrize(
    ("re_alarm_ms", "due"),
    [
        param(None, None, id="taken away"),
        param(30, 90, id="shorter counts from now"),
        param(500, 110, id="longer does not put off what was due earlier"),
    ],
)
def test_a_changed_re_alarm_time(re_alarm_ms: int | None, due: int | None) -> None:
    """The new time counts from the change, and never later than the old one would have spoken."""
    current, _ = tell("raise", alarm(re_alarm_ms=100))
    changed = adopt(current, Priority.HIGH, latches=False, re_alarm_ms=re_alarm_ms, now_ms=60)
    assert (due_ms(changed), changed.priority) == (due, Priority.HIGH)


def test_a_rule_that_now_latches_catches_what_lasts() -> None:
    """And one that no longer latches does not let go of what it caught."""
    current, _ = tell("raise ack:1", alarm())
    latched = adopt(current, Priority.CRITICAL, latches=True, re_alarm_ms=None, now_ms=30)
    assert condition_gone(latched, 40)[0].state is ACKED
    loosened = adopt(latched, Priority.CRITICAL, latches=False, re_alarm_ms=None, now_ms=50)
    held, _ = condition_gone(loosened, 60)
    assert held.state is ACKED
    again, _ = raise_(held, "e2", 68, 69, 70)
    again, _ = acknowledge(again, (2,), "anna", 80)
    assert condition_gone(again, 90)[0].state is ACKED


def test_a_merged_excursion_renames_its_occurrences() -> None:
    """The surviving id stands in the occurrences; an alarm that does not know the old one stays the same."""
    current, _ = tell("raise:e1 raise:e2", alarm())
    merged = renamed(current, "e2", "e1")
    assert [each.excursion for each in merged.occurrences] == ["e1", "e1"]
    assert renamed(current, "e7", "e1") is current


def test_a_chattering_alarm_left_alone_stays_small() -> None:
    """Thousands of unacknowledged occurrences take bounded memory, and each can still be acknowledged."""
    current = alarm()
    for now in range(1, 2_001):
        current, _ = raise_(current, f"e{now}", now, now, now)
        current, _ = condition_gone(current, now)
    assert len(current.occurrences) == KEPT
    assert unacknowledged(current) == tuple(range(1, 2_001))
    current, said = acknowledge(current, (2, 5, 6, 1_999), "anna", 3_000)
    assert said[0].occurrences == (2, 5, 6, 1_999)
    assert current.backlog == ((1, 1), (3, 4), (7, 2_000 - KEPT))
    current, _ = acknowledge(current, tuple(range(1, 2_001)), "anna", 3_001)
    assert (current.state, current.occurrences, current.backlog) == (NORMAL, (), ())


def test_an_alarm_survives_a_checkpoint() -> None:
    """An alarm written as JSON and read back is the same alarm."""
    current, _ = tell("raise ack:1 raise shelve:90", alarm(latches=True, re_alarm_ms=100))
    assert msgspec.json.decode(msgspec.json.encode(current), type=Alarm) == current
