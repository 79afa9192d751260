"""The time that stands in a message: by the clock fact in force then, the same on every attempt."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coldchain.facts import Beat, ClockSet
from coldchain.sinks import announced
from coldchain.sinks.announced import Announced
from tests.unit.sinks.world import NOON, World


def test_by_the_clock_in_force(world: World) -> None:
    """Before the clock was known there is no UTC; a later step of the clock does not reach back."""
    early = world.add(Beat(), after_ms=10)
    world.add(ClockSet(NOON, "kernel"), after_ms=10)
    noon = world.add(Beat(), after_ms=10)
    world.add(ClockSet(NOON + 3_600_000, "kernel", step_ms=3_600_000), after_ms=10)
    later = world.add(Beat(), after_ms=10)
    world.add(ClockSet(None, "kernel"), after_ms=10)
    lost = world.add(Beat(), after_ms=10)
    with world.deliveries() as journal:
        for order in ([early, noon, later, lost], [lost, later, noon, early], [noon, lost, early, later]):
            looked_up = Announced(journal)
            found = {position: looked_up.at(position) for position in order}
            assert found == {
                early: (10, None),
                noon: (30, NOON + 30),
                later: (50, NOON + 3_600_000 + 50),
                lost: (70, None),
            }
        assert Announced(journal).at(10_000) == (0, None), "a position the journal does not hold"


@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=min(30, settings.default.max_examples),
)
@given(
    clocks=st.lists(st.one_of(st.just(-1), st.none(), st.integers(0, 9)), min_size=1, max_size=25),
    order=st.randoms(use_true_random=False),
    chunk=st.integers(1, 7),
)
def test_any_order_of_asking(  # type: ignore[no-untyped-def]
    tmp_path_factory, clocks: list[int | None], order, chunk: int
) -> None:
    """However positions are asked for, and in whatever chunks the journal is read, the answer is the same."""
    world = World(tmp_path_factory.mktemp("journal"))
    expected: dict[int, tuple[int, int | None]] = {}
    offset: int | None = None
    for each in clocks:
        if each == -1:
            position = world.add(Beat(), after_ms=1)
        else:
            offset = None if each is None else NOON + each
            position = world.add(ClockSet(offset, "kernel"), after_ms=1)
        expected[position] = (world.arrival_ms, None if offset is None else world.arrival_ms + offset)
    before, announced._CHUNK = announced._CHUNK, chunk
    try:
        with world.deliveries() as journal:
            looked_up = Announced(journal)
            positions = list(expected)
            order.shuffle(positions)
            assert {position: looked_up.at(position) for position in positions} == expected
    finally:
        announced._CHUNK = before
        world.close()
