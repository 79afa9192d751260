"""The way in: stamps that never go back, room that is counted, people who are never turned away."""

from __future__ import annotations

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
