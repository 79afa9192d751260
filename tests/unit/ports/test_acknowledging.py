"""Acknowledgements: after the commit, in order of arrival, on their own connection."""

from __future__ import annotations

import select

from hypothesis import given
from hypothesis import strategies as st

from coldchain.pipeline.intake import Folded
from coldchain.ports.acknowledging import Window
from coldchain.ports.bell import Bell

COMMITTED = Folded(1, ())


@given(st.permutations(range(8)))
def test_in_order_of_arrival_whatever_is_settled_first(order: list[int]) -> None:
    """The writer may settle in any order: what came first is acknowledged first, each once."""
    bell = Bell()
    window = Window(bell)
    settling = [window.settling(window.arrived(mid)) for mid in range(8)]
    sent: list[int] = []
    settled: set[int] = set()
    for each in order:
        settling[each](COMMITTED)
        settled.add(each)
        sent += window.ready()
        open_ = min(set(range(8)) - settled, default=8)
        assert sent == list(range(open_))
    assert not len(window)
    bell.close()


def test_a_token_of_an_older_connection_says_nothing() -> None:
    """The same message id on the next connection is somebody else's message."""
    bell = Bell()
    old, new = Window(bell), Window(bell)
    late = old.settling(old.arrived(1))
    new.arrived(1)
    late(COMMITTED)
    assert new.ready() == []
    assert len(new) == 1
    bell.close()


def test_what_was_refused_is_never_acknowledged() -> None:
    """A message without room leaves the window; those before it keep their turn."""
    bell = Bell()
    window = Window(bell)
    first = window.settling(window.arrived(1))
    window.refuse(window.arrived(2))
    first(COMMITTED)
    assert window.ready() == [1]
    assert window.ready() == []
    bell.close()


def test_a_bell_wakes_once_for_many_rings_and_again_after_it_was_heard() -> None:
    """No ring is lost, and a thousand cost no more than one."""
    bell = Bell()
    for _ in range(2):
        assert select.select([bell], [], [], 0)[0] == []
        for _ in range(1_000):
            bell.ring()
        assert select.select([bell], [], [], 0)[0] == [bell]
        bell.hear()
    bell.close()
    bell.ring()  # a writer may come late
