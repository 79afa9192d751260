"""What people are told, how often, and what they are spared."""

from random import Random

import pytest
from msgspec import structs

from coldchain.alarms import AlarmState
from coldchain.announcements import Kind
from coldchain.facts import Beat
from coldchain.journal import JournalBusy, Outcome, Settled
from coldchain.model import Priority
from coldchain.sinks.backoff import Backoff
from coldchain.sinks.base import Message, Misconfigured, Rejected, SinkError, Unreachable, Unwilling
from coldchain.sinks.notice_drain import BATCH, NoticeDrain
from coldchain.sinks.thread import News, Report
from coldchain.sinks.wording import WHILE_UNREACHABLE
from tests.unit.sinks.world import HIGH, NOON, HandClock, People, World, raised, reports

NAME = "room"


def make(world: World, people: People, clock: HandClock) -> tuple[NoticeDrain, list[Report]]:
    kept, report = reports()
    return NoticeDrain(NAME, people, world.deliveries, clock, Backoff(Random(1)), report), kept


def settled(world: World) -> list[Settled]:
    with world.deliveries() as journal:
        return journal.settled(NAME)


def left(world: World) -> int:
    with world.deliveries() as journal:
        return journal.backlog(NAME).count


def fail_for(*keys: str, error: type[SinkError] = Unwilling):  # type: ignore[no-untyped-def]
    return lambda message: error(NAME, "tell", "HTTP 500") if message.key in keys or not keys else None


def test_told_in_order_with_receipts(world: World) -> None:
    """Notices go out oldest first, with position and age, and the receipt comes into the journal."""
    world.begin()
    world.add(Beat(), said=[raised(1), raised(2)], sinks=[NAME], after_ms=1_000)
    world.add(Beat(), said=[raised(3)], sinks=[NAME], after_ms=1_000)
    people, clock = People(), HandClock(5_000)
    drain, kept = make(world, people, clock)
    drain.step()
    assert [(m.key, m.position, m.ordinal, m.age_ms, m.attempt) for m in people.told] == [
        ("n3-0", 3, 0, 4_000, 1),
        ("n3-1", 3, 1, 4_000, 1),
        ("n4-0", 4, 0, 3_000, 1),
    ]
    assert [m.announced_utc_ms for m in people.told] == [NOON + 1_000, NOON + 1_000, NOON + 2_000]
    assert [(each.outcome, each.receipt) for each in settled(world)] == [(Outcome.TOLD, "ok")] * 3
    assert kept == []
    drain.close()
    assert people.closed


def test_without_a_clock_no_utc_is_invented(world: World) -> None:
    """While the clock is not known a message says so instead of printing 1970."""
    world.add(Beat(), said=[raised()], sinks=[NAME])
    people = People()
    drain, _ = make(world, people, HandClock(5_000, known=False))
    drain.step()
    assert people.told[0].announced_utc_ms is None
    drain.close()


def test_unreachable_tries_the_same_one_first(world: World) -> None:
    """Nothing is lost and nothing overtakes while nobody answers; the same key comes again."""
    world.begin()
    world.add(Beat(), said=[raised(1), raised(2)], sinks=[NAME])
    people, clock = People(), HandClock(5_000)
    drain, _ = make(world, people, clock)
    asked: list[Message] = []
    people.fails = lambda message: asked.append(message) or Unreachable(NAME, "tell", "no route")  # type: ignore[func-returns-value]
    for _ in range(3):
        with pytest.raises(Unreachable):
            drain.step()
    people.fails = lambda message: None
    drain.step()
    assert [(m.key, m.attempt) for m in asked] == [("n3-0", 1), ("n3-0", 2), ("n3-0", 3)]
    assert [(m.key, m.attempt) for m in people.told] == [("n3-0", 4), ("n3-1", 1)]
    drain.close()


def test_a_receiver_that_takes_one_each_time_is_tried_again_soon(world: World) -> None:
    """A line that lasts for one notice at a time makes headway: its waits do not grow to minutes."""
    world.begin()
    world.add(Beat(), said=[raised(n) for n in range(1, 9)], sinks=[NAME])
    people, backoff = People(), Backoff(Random(1))
    drain = NoticeDrain(NAME, people, world.deliveries, HandClock(5_000), backoff, lambda report: None)
    people.fails = lambda message: (
        Unreachable(NAME, "tell", "cut") if message.attempt == 1 and message.key != "n3-0" else None
    )
    waits: list[float] = []
    while left(world):
        try:
            drain.step()
        except Unreachable:
            waits.append(backoff.wait_s())
    assert len(waits) == 7
    assert max(waits) <= 1.0
    drain.close()


def test_one_that_the_receiver_stumbles_over_does_not_stop_the_others(world: World) -> None:
    """HTTP 500 for one notice puts that one off; those behind it are told now."""
    world.begin()
    world.add(Beat(), said=[raised(n) for n in range(1, 6)], sinks=[NAME])
    people, clock = People(), HandClock(5_000)
    drain, _ = make(world, people, clock)
    people.fails = fail_for("n3-1")
    assert drain.step().wait_s <= 1.0, "it comes back when the one put off is due"
    assert [m.key for m in people.told] == ["n3-0", "n3-2", "n3-3", "n3-4"]
    people.fails = lambda message: None
    drain.step()
    assert len(people.told) == 4, "not before its time"
    clock.now_ms += 1_000
    drain.step()
    assert (people.told[-1].key, people.told[-1].attempt) == ("n3-1", 2)
    assert left(world) == 0
    drain.close()


def test_a_receiver_that_takes_nothing_is_left_alone(world: World) -> None:
    """After three refusals in a row the whole sink backs off instead of asking a hundred times."""
    world.begin()
    world.add(Beat(), said=[raised(n) for n in range(1, 20)], sinks=[NAME])
    people = People()
    drain, _ = make(world, people, HandClock(5_000))
    asked: list[Message] = []
    people.fails = lambda message: asked.append(message) or Unwilling(NAME, "tell", "HTTP 503")  # type: ignore[func-returns-value]
    with pytest.raises(Unwilling):
        drain.step()
    assert len(asked) == 3
    drain.close()


def test_what_the_receiver_asks_for_is_believed(world: World) -> None:
    """Retry-After puts the notice off at least that long."""
    world.begin()
    world.add(Beat(), said=[raised(1)], sinks=[NAME])
    people, clock = People(), HandClock(5_000)
    drain, _ = make(world, people, clock)
    people.fails = lambda message: Unwilling(NAME, "tell", "HTTP 429", retry_after_s=20.0)
    with pytest.raises(Unwilling):
        drain.step()
    people.fails = lambda message: None
    clock.now_ms += 19_000
    drain.step()
    assert people.told == []
    clock.now_ms += 2_000
    drain.step()
    assert len(people.told) == 1
    drain.close()


def test_a_rejected_notice_is_settled_and_said_aloud(world: World) -> None:
    """A receiver that will never take one gets the next; somebody is told that one was refused."""
    world.begin()
    world.add(Beat(), said=[raised(1), raised(2)], sinks=[NAME])
    people = People()
    drain, kept = make(world, people, HandClock(5_000))
    people.fails = fail_for("n3-0", error=Rejected)
    drain.step()
    assert [each.outcome for each in settled(world)] == [Outcome.REFUSED, Outcome.TOLD]
    assert [each.news for each in kept] == [News.REFUSED]
    drain.close()


def test_a_wrong_token_gives_nothing_up(world: World) -> None:
    """While a person must mend the address or the token every notice stays."""
    world.begin()
    world.add(Beat(), said=[raised(1)], sinks=[NAME])
    people = People()
    drain, _ = make(world, people, HandClock(5_000))
    people.fails = fail_for(error=Misconfigured)
    with pytest.raises(Misconfigured):
        drain.step()
    assert left(world) == 1
    drain.close()


def test_old_notices_are_folded_into_one(world: World) -> None:
    """After a long outage one message says how many there were and how each alarm stood last."""
    world.begin()
    low = raised(1, alarm="box-7/air/low", priority=Priority.LOW)
    gone = structs.replace(raised(1), kind=Kind.RETURNED, state=AlarmState.RETURNED.value)
    world.add(Beat(), said=[raised(1)], sinks=[NAME], after_ms=1_000)
    world.add(Beat(), said=[low, gone], sinks=[NAME], after_ms=1_000)
    world.add(Beat(), said=[raised(2)], sinks=[NAME], after_ms=7_200_000)
    people, clock = People(max_age_ms=3_600_000), HandClock(world.arrival_ms + 60_000)
    drain, kept = make(world, people, clock)
    drain.step()
    summary, fresh = people.told
    assert fresh.announcement.occurrence == 2
    said = summary.announcement
    assert (said.kind, said.text, said.priority) == (Kind.NOTE, WHILE_UNREACHABLE, Priority.CRITICAL)
    assert (said.since_ms, said.end_ms, said.axis) == (1_000, 2_000, "journal")
    assert said.detail == {
        "count": "3",
        "raised": "2",
        "returned": "1",
        "alarm box-7/air/low": "unacknowledged",
        f"alarm {HIGH}": "return_to_normal_unacknowledged",
    }
    assert [(each.news, each.count) for each in kept] == [(News.FOLDED, 3)]
    outcomes = [each.outcome for each in settled(world)]
    assert sorted(outcomes) == sorted([Outcome.FOLDED] * 3 + [Outcome.TOLD] * 2)
    drain.close()


def test_folding_goes_on_while_nobody_answers(world: World) -> None:
    """A longer outage makes one summary of all, not a summary of summaries for each day."""
    world.begin()
    people, clock = People(max_age_ms=1_000), HandClock()
    people.fails = fail_for(error=Unreachable)
    drain, _ = make(world, people, clock)
    for number in range(1, 6):
        world.add(Beat(), said=[raised(number)], sinks=[NAME], after_ms=10_000)
        clock.now_ms = world.arrival_ms + 5_000
        with pytest.raises(Unreachable):
            drain.step()
        assert left(world) == 1
    people.fails = lambda message: None
    drain.step()
    (summary,) = people.told
    assert summary.announcement.detail == {"count": "5", "raised": "5", f"alarm {HIGH}": "unacknowledged"}
    assert summary.announcement.since_ms == 10_000
    drain.close()


def test_a_flood_of_old_notices_is_one(world: World) -> None:
    """More than one batch of old notices is still one message, which names no more alarms than fit."""
    world.begin()
    flood = [raised(1, alarm=f"box-{n}/air/high") for n in range(BATCH + 50)]
    world.add(Beat(), said=flood, sinks=[NAME])
    people, clock = People(max_age_ms=1_000), HandClock(60_000)
    drain, _ = make(world, people, clock)
    drain.step()
    (summary,) = people.told
    detail = summary.announcement.detail
    assert detail["count"] == str(len(flood))
    named = sum(key.startswith("alarm ") for key in detail)
    assert named + int(detail["more_alarms"]) == len(flood)
    drain.close()


def test_simulated_and_unapproved_survive_folding(world: World) -> None:
    """One real alarm among simulated ones makes the summary real; one unapproved limit marks it."""
    world.begin()
    world.add(Beat(), said=[raised(1, simulated=True), raised(2, unapproved=True)], sinks=[NAME])
    people = People(max_age_ms=1_000)
    drain, _ = make(world, people, HandClock(60_000))
    drain.step()
    said = people.told[0].announcement
    assert (said.simulated, said.unapproved) == (False, True)
    drain.close()


def test_an_unrecorded_alarm_is_told_once(world: World) -> None:
    """Handed over directly, then recorded after all: its notice is settled, not told again."""
    world.begin()
    people, clock = People(), HandClock(5_000)
    drain, _ = make(world, people, clock)
    drain.urge(Message("n3-0", 3, 0, raised(1), 4_000, None, 1_000, unrecorded=True))
    world.add(Beat(), said=[raised(1)], sinks=[NAME])
    drain.step()
    assert [m.unrecorded for m in people.told] == [True]
    assert [(each.outcome, each.receipt) for each in settled(world)] == [
        (Outcome.TOLD, "told unrecorded: ok")
    ]
    drain.close()


def test_what_takes_the_place_of_an_unrecorded_alarm_is_told(world: World) -> None:
    """It died before it could record what it had told: the next alarm at that position is no repeat."""
    world.begin()
    people, clock = People(), HandClock(5_000)
    before, _ = make(world, people, clock)
    before.urge(Message("n3-0", 3, 0, raised(1), 4_000, None, 1_000, unrecorded=True))
    before.close()
    after, _ = make(world, people, clock)
    world.add(Beat(), said=[raised(2)], sinks=[NAME])
    after.step()
    assert [m.announcement for m in people.told] == [raised(1), raised(2)]
    assert len({m.key for m in people.told}) == 2, "a receiver that knows repeats by their key takes both"
    after.close()


def test_a_rejected_unrecorded_alarm_does_not_block_the_next(world: World) -> None:
    """It is reported and dropped: the ones behind it must get out."""
    world.begin()
    people = People()
    drain, kept = make(world, people, HandClock(5_000))
    people.fails = fail_for(error=Rejected)
    drain.urge(Message("n3-0", 3, 0, raised(1), 4_000, None, 1_000, unrecorded=True))
    assert [each.news for each in kept] == [News.REFUSED]
    drain.close()


def test_a_receipt_that_cannot_be_written_calls_nobody_twice(world: World) -> None:
    """While the journal cannot be written the receipt waits in memory; the person is not called again."""
    world.begin()
    world.add(Beat(), said=[raised(1)], sinks=[NAME])
    people, clock = People(), HandClock(5_000)
    drain, _ = make(world, people, clock)
    blocker = world.journal._database.connection
    blocker.execute("BEGIN IMMEDIATE")  # another writer holds the file: the receipt cannot be written
    drain._journal._database.connection.set_busy_timeout(1)
    try:
        with pytest.raises(JournalBusy):
            drain.step()
    finally:
        blocker.execute("ROLLBACK")
    drain.step()
    assert len(people.told) == 1
    assert [each.outcome for each in settled(world)] == [Outcome.TOLD]
    drain.close()


def test_the_heartbeat_comes_in_time(world: World) -> None:
    """At once and then each period, also while there is nothing to tell; it says where the journal stands."""
    world.begin()
    people, clock = People(heartbeat_ms=10_000), HandClock(5_000)
    drain, _ = make(world, people, clock)
    waits = []
    for _ in range(25):
        waits.append(drain.step().wait_s)
        clock.now_ms += 1_000
    assert len(people.pulses) == 3
    assert people.pulses[0].position == 2
    assert max(waits) <= 10.0
    drain.close()


def test_a_full_batch_comes_back_at_once(world: World) -> None:
    """More than a batch waits: the next step follows without a pause."""
    world.begin()
    world.add(Beat(), said=[raised(n) for n in range(1, BATCH + 2)], sinks=[NAME])
    people = People()
    drain, _ = make(world, people, HandClock(5_000))
    assert drain.step().wait_s == 0.0
    assert drain.step().wait_s > 0.0
    assert len(people.told) == BATCH + 1
    drain.close()


def test_nothing_to_do_proves_nothing(world: World) -> None:
    """A sink is up when it was reached: by a message or a heartbeat, not by an empty outbox."""
    world.begin()
    people, clock = People(), HandClock(5_000)
    drain, _ = make(world, people, clock)
    assert drain.step().reached is False
    world.add(Beat(), said=[raised(1)], sinks=[NAME])
    assert drain.step().reached is True
    assert drain.step().reached is False
    drain.close()
    beating, _ = make(world, People(heartbeat_ms=1_000), clock)
    assert beating.step().reached is True
    beating.close()
