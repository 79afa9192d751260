"""The way in: stamps that never go back, room that is counted, people who are never turned away."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.facts import Beat, Reading
from coldchain.pipeline.intake import Queue
from tests.unit.pipeline.fake_clock import HandClock

ONE = Reading("log", "box.vapour", "-160", "degC")


def test_stamps_never_go_back_whatever_the_clock_says() -> None:
    """An item that came later is stamped no earlier, so the writer need not sort."""
    clock = HandClock()
    queue = Queue(clock, 10)
    clock.pass_ms(1_000)
    assert queue.offer((ONE,))
    clock.pass_ms(-500)
    assert queue.offer((ONE,))
    queue.submit((Beat(),))
    items, now_ms = queue.take(10, None, 0)
    assert [item.stamp_ms for item in items] == [1_000, 1_000, 1_000]
    assert now_ms == 1_000


def test_a_babbling_device_is_refused_and_people_are_not() -> None:
    """`capacity` facts of devices may wait; what people and we ourselves say is always taken."""
    queue = Queue(HandClock(), 2)
    assert queue.offer((ONE, ONE))
    assert not queue.offer((ONE,))
    queue.submit((Beat(),))
    items, _ = queue.take(10, None, 0)
    assert sum(len(item.facts) for item in items) == 3
    assert queue.offer((ONE, ONE))


def test_a_babbling_device_keeps_no_other_out() -> None:
    """A source of which nothing waits is let in with one item, room or not; then it waits like the others."""
    queue = Queue(HandClock(), 2)
    other = replace(ONE, source="calm")
    assert queue.offer((ONE, ONE))
    assert queue.offer((other,))
    assert not queue.offer((other,))
    assert not queue.offer((replace(ONE, source="third"), other)), "not by way of another's message"
    assert not queue.offer(()), "what brings no reading has no share"
    assert [fact.source for item in queue.take(10, None, 0)[0] for fact in item.facts] == [
        "log",
        "log",
        "calm",
    ]
    assert queue.offer((ONE, ONE))
    assert queue.offer((other,)), "its share is free again"


def test_one_that_floods_leaves_room_for_those_who_speak_often() -> None:
    """It has four fifths of the room; another one may leave many things there meanwhile, not only one."""
    queue = Queue(HandClock(), 100)
    assert sum(queue.offer((ONE,)) for _ in range(500)) == 80
    assert sum(queue.offer((replace(ONE, source="calm"),)) for _ in range(15)) == 15
    assert not queue.offer((ONE,))


@given(st.lists(st.one_of(st.tuples(st.sampled_from("abcd"), st.integers(1, 3)), st.none()), max_size=60))
def test_the_room_is_bounded_and_every_source_has_a_share(steps: list[tuple[str, int] | None]) -> None:
    """Never more than `capacity` and one item of each waits, and who has none there is not refused."""
    queue, waiting = Queue(HandClock(), 20), list[tuple[str, int]]()
    for step in steps:
        if step is None:
            taken, _ = queue.take(1, None, 0)
            del waiting[: len(taken)]
            continue
        source, count = step
        let_in = queue.offer((replace(ONE, source=source),) * count)
        assert let_in or source in dict(waiting)
        waiting += [step] * let_in
        assert queue.waiting == sum(n for _, n in waiting) <= 20 + 3 * len(set("abcd"))


def test_held_or_closed_the_way_is_shut_to_devices_alone() -> None:
    """What is not on disk has used up its room: devices wait, people are heard."""
    queue = Queue(HandClock(), 10)
    queue.hold(True)
    assert not queue.offer((ONE,))
    queue.submit((Beat(),))
    queue.hold(False)
    assert queue.offer((ONE,))
    queue.close()
    assert not queue.offer((ONE,))
    queue.submit((Beat(),))
    assert [len(item.facts) for item in queue.take(10, None, 0)[0]] == [1, 1, 1]
