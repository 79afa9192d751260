"""A story is the same from its seed, and what lies between sensor and gateway loses nothing silently."""

from __future__ import annotations

import pytest

from coldchain_simulators.carrier import Carrier, ClockKnown, Measured, Restarted
from coldchain_simulators.scenes import VESSELS, Scene, Sensor, Unknown
from coldchain_simulators.story import Crossing, Happens, Story

MINUTE = 60_000


def story(*happens: tuple[int, str], seed: int = 1, memory: int = 100) -> Story:
    """A dry shipper, read once a minute."""
    scene = Scene(VESSELS["dry_shipper"](), {"vapour": Sensor(of="vapour")}, seed)
    told = [Happens(minute * MINUTE, words) for minute, words in happens]
    return Story(scene, Carrier(memory), {"vapour": MINUTE}, told, [Crossing("vapour", -150.0)])


def stamps(played: Story) -> list[tuple[int, int]]:
    """When each measurement arrived and when the logger says that it was made (minutes)."""
    return [(at // MINUTE, one.stamp_ms // MINUTE) for at, one in played.arrived if isinstance(one, Measured)]


def test_the_same_seed_is_the_same_story_however_it_is_cut() -> None:
    """One long play and many short ones arrive alike; another seed has other noise and the same truth."""
    one, many, other = (story((10, "vacuum lost"), seed=seed) for seed in (1, 1, 2))
    one.play(120 * MINUTE)
    other.play(120 * MINUTE)
    for minute in range(7, 121, 7):
        many.play(minute * MINUTE)
    many.play(120 * MINUTE)
    assert one.arrived == many.arrived
    assert one.arrived != other.arrived
    assert one.crossed == other.crossed == {Crossing("vapour", -150.0): 70 * MINUTE}


def test_a_network_that_is_down_delays_and_loses_nothing() -> None:
    """What was measured meanwhile arrives when it is up again, in order, with its own times."""
    played = story((2, "network down"), (5, "network up"))
    played.play(6 * MINUTE)
    assert stamps(played) == [(0, 0), (1, 1), (5, 2), (5, 3), (5, 4), (5, 5), (6, 6)]


def test_a_memory_that_is_full_forgets_the_oldest_and_counts_it() -> None:
    """A logger keeps so many; how many were overwritten is known."""
    played = story((1, "network down"), (6, "network up"), memory=2)
    played.play(6 * MINUTE)
    assert stamps(played) == [(0, 0), (6, 4), (6, 5), (6, 6)]
    assert played.carrier.lost == 3


def test_a_gateway_that_was_off_says_for_how_long_if_it_knows() -> None:
    """Two hours without power, or a time that nobody knows until the clock is set."""
    played = story((2, "gateway off"), (4, "gateway on"))
    played.play(4 * MINUTE)
    assert (4 * MINUTE, Restarted(2 * MINUTE)) in played.arrived
    unknown = story((2, "gateway off"), (4, "gateway on, clock not set"), (5, "gateway clock set"))
    unknown.play(6 * MINUTE)
    assert (4 * MINUTE, Restarted(None)) in unknown.arrived
    assert (5 * MINUTE, ClockKnown()) in unknown.arrived


def test_a_clock_that_is_wrong_stamps_wrong() -> None:
    """Two hours ahead until it is right again; messages that come twice are the same twice."""
    played = story((1, "clock ahead by 2 h"), (2, "clock right"), (2, "repeats"))
    played.play(2 * MINUTE)
    assert stamps(played) == [(0, 0), (1, 121), (2, 2), (2, 2)]


def test_a_probe_can_hang_in_another_place() -> None:
    """Moved to the room it warms up there; moved back it is cold again."""
    played = story((1, "vapour moved to room"), (11, "vapour moved to vapour"))
    played.play(10 * MINUTE)
    assert played.scene.sample("vapour") == pytest.approx(20.0, abs=0.5)
    played.play(30 * MINUTE)
    assert played.scene.sample("vapour") == pytest.approx(-195.0, abs=0.5)


@pytest.mark.parametrize("kind", sorted(VESSELS))
def test_each_word_of_each_vessel_can_happen(kind: str) -> None:
    """Whatever a vessel offers can be said and time passes after it."""
    vessel = VESSELS[kind]()
    sensors = {name: Sensor(of=name) for name in (*vessel.places(), *vessel.scalars())}
    scene = Scene(vessel, sensors, 1)
    for words in (*vessel.words(), "surroundings -5.5 °C"):
        scene.what(words)()
        scene.process(600.0)
        assert all(isinstance(scene.sample(role), float) for role in sensors)


@pytest.mark.parametrize("words", ["vacuum lots", "vapour melts", "vapour moved to moon", "product short"])
def test_what_cannot_happen_is_refused_with_what_can(words: str) -> None:
    """A misspelt word fails instead of doing nothing."""
    with pytest.raises(Unknown, match=r"there are: .*vacuum lost|there are: .*vapour short"):
        story((1, words))


def test_a_sensor_of_nothing_is_refused() -> None:
    """A place that the vessel has not."""
    with pytest.raises(Unknown, match="vapour"):
        Scene(VESSELS["dry_shipper"](), {"product": Sensor(of="product")}, 1)
