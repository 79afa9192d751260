"""Freezer, refrigerator, passive box, supply and room keep to what was published or is named as judgement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain_simulators.autofill import Alarm, Autofill, AutofillFigures, Valve
from coldchain_simulators.physics.dry_shipper import DryShipper, Vacuum
from coldchain_simulators.physics.figures import sources_of
from coldchain_simulators.physics.fridge import Door, Fridge, Thermostat
from coldchain_simulators.physics.ln2_freezer import FreezerFigures, Ln2Freezer
from coldchain_simulators.physics.passive_box import BoxFigures, PassiveBox
from coldchain_simulators.physics.probe import Failure, Probe, ProbeFigures
from coldchain_simulators.physics.room import Room, RoomFigures
from coldchain_simulators.physics.supply import Supply, SupplyFigures

HOUR, DAY = 3600.0, 86_400.0
FIGURES = [FreezerFigures, AutofillFigures, SupplyFigures, BoxFigures, RoomFigures]


@pytest.mark.parametrize("figures", FIGURES)
def test_each_figure_has_its_source(figures: type) -> None:
    """No number of a model stands without source, or the word that it is our judgement."""
    assert all(sources_of(figures()).values())


def test_a_medium_leak_is_as_published() -> None:
    """PMC6504988: a tenth is gone in 0.8 h, -185 °C come after 3.7 to 4.8 h, long before it is empty."""
    shipper = DryShipper(vacuum=Vacuum.LEAKING)
    shipper.process(0.8 * HOUR)
    assert shipper.ln2_kg == pytest.approx(0.9 * shipper.figures.full_kg)
    hours = 0.8
    while shipper.vapour_c < -185:
        shipper.process(60)
        hours += 1 / 60
    assert 3.7 <= hours <= 4.8
    assert shipper.ln2_kg > 0


def test_a_hot_van_costs_a_shipper_some_of_its_hold() -> None:
    """Heat that gets in goes with the difference to outside: 50 °C instead of 20 are 14 % more."""
    cool, hot = DryShipper(), DryShipper(ambient_c=50.0)
    assert hot.evaporation_kg_per_s / cool.evaporation_kg_per_s == pytest.approx(245.8 / 215.8)


def filler(level_mm: float, **supply: float) -> Autofill:
    return Autofill(Ln2Freezer(level_mm=level_mm), Supply(**supply))  # type: ignore[arg-type]


def test_a_controller_fills_at_two_and_stops_at_five() -> None:
    """Manual of the CS series: 2 filling, 3 and 4 normal, 5 stop; the supply pays for what comes in."""
    controller = filler(149.0)
    assert controller.submerged == 2
    controller.process(HOUR)
    assert controller.submerged == 5
    assert not controller.filling
    poured = (controller.freezer.level_mm - 149.0) * controller.freezer.figures.litres_per_mm
    assert controller.supply.content_l == pytest.approx(180.0 - poured, abs=0.6)


@pytest.mark.parametrize(
    ("level_mm", "alarms"),
    [
        pytest.param(60.0, {Alarm.LOW_LEVEL}, id="1 of 8 is the low alarm"),
        pytest.param(120.0, set(), id="2 of 8 fills and says nothing"),
        pytest.param(200.0, set(), id="4 of 8 is normal"),
        pytest.param(310.0, {Alarm.HIGH_LEVEL}, id="6 of 8 is the high alarm"),
    ],
)
def test_what_the_controller_says(level_mm: float, alarms: set[Alarm]) -> None:
    """The table of the manual, page 14."""
    assert filler(level_mm).alarms == alarms


def test_what_goes_wrong_with_a_filling() -> None:
    """Shut, stuck or empty, nothing comes and the supply is called low; stuck open, it is full."""
    for wrong in (
        filler(140.0, content_l=0.0),
        Autofill(Ln2Freezer(level_mm=140.0), Supply(valve_open=False)),
        Autofill(Ln2Freezer(level_mm=140.0), Supply(), valve=Valve.STUCK_SHUT),
    ):
        wrong.process(2 * HOUR)
        assert wrong.freezer.level_mm < 140.0
        assert Alarm.LOW_SUPPLY in wrong.alarms
    over = Autofill(Ln2Freezer(level_mm=200.0), Supply(), valve=Valve.STUCK_OPEN)
    over.process(HOUR)
    assert over.submerged == 8


def test_a_lid_that_is_off_stops_the_filling() -> None:
    """TEC 3000: the lid switch stops filling while the lid is open, and it goes on when it is on again."""
    controller = filler(140.0)
    controller.freezer.lid_open = True
    controller.process(HOUR)
    assert controller.submerged == 2
    controller.freezer.lid_open = False
    controller.process(HOUR)
    assert controller.submerged == 5


def test_a_freezer_is_cold_to_the_last_of_its_liquid() -> None:
    """Very little liquid keeps the vapour below -165 °C; then a threshold is reached and it warms."""
    freezer = Ln2Freezer(level_mm=30.0)
    freezer.process(1.9 * DAY)
    assert 0 < freezer.level_mm < 2
    assert freezer.vapour_c < -165
    freezer.process(0.1 * DAY + 10 * HOUR)
    assert freezer.level_mm == 0
    assert freezer.vapour_c == pytest.approx(-190 + 12 + 30)


def test_a_refrigerator_stays_between_its_thermostats_until_something_fails() -> None:
    """2 to 8 °C for days with defrost; ajar it is out within half an hour; stuck on it freezes."""
    calm = Fridge(defrosts=True)
    seen = [stretch.to_c for _ in range(48) for stretch in calm.process(HOUR)]
    assert min(seen) > 3.5
    assert max(seen) < 7.9
    assert max(seen) > 6.0  # it did defrost
    ajar = Fridge(door=Door.AJAR, ambient_c=27.5, air_c=6.0)
    ajar.process(30 * 60)
    assert ajar.air_c == pytest.approx(9.0)
    ajar.process(10 * HOUR)
    assert ajar.air_c == 27.5
    frozen = Fridge(thermostat=Thermostat.STUCK_ON)
    frozen.process(HOUR)
    assert frozen.air_c == pytest.approx(-8.0)


def test_a_box_holds_its_melting_point_and_then_follows_the_room() -> None:
    """At 20 °C around it 800 kJ of packs last as long as the heat through the wall says."""
    box = PassiveBox(ambient_c=20.0)
    hold_s = box.figures.latent_j / (box.figures.wall_w_per_k * 15.0)
    box.process(hold_s - 1)
    assert box.packs_c == 5.0
    box.process(12 * HOUR)
    assert 8.0 < box.packs_c < 20.0


def test_unconditioned_packs_are_below_freezing_for_long() -> None:
    """Packs from a freezer at -18 °C: below 0 °C for hours, and then at their melting point."""
    box = PassiveBox(packs_c=-18.0, ambient_c=20.0)
    box.process(4 * HOUR)
    assert -18.0 < box.packs_c < 0.0
    box.process(40 * HOUR)
    assert box.packs_c == 5.0


def test_a_room_is_thinned_by_what_evaporates_in_it() -> None:
    """The steady share of oxygen is what ventilation and gas make of it; fresh air brings it back."""
    room = Room(released_l_per_min=0.75)
    room.process(5 * HOUR)
    assert room.oxygen_percent == pytest.approx(20.9 * 360 / (360 + 0.75 * 0.7 * 60), abs=0.01)
    room.released_l_per_min = 0.0
    room.process(5 * HOUR)
    assert room.oxygen_percent == pytest.approx(20.9)


@pytest.mark.parametrize(
    ("failure", "shows"),
    [
        pytest.param(Failure.CABLE_SHORT, 20.0, id="reads where the short is"),
        pytest.param(Failure.REVERSED, 230.0, id="mirrored at the cold junction"),
        pytest.param(Failure.POWER_ON, 85.0, id="has not measured yet"),
        pytest.param(Failure.DISCONNECTED, None, id="nothing to read"),
    ],
)
def test_how_a_probe_lies(failure: Failure, shows: float | None) -> None:
    """What the electronics make of each failure, and the probe is itself again afterwards."""
    probe = Probe(-190.0, 1, ProbeFigures(noise_k=0.0))
    probe.failure = failure
    assert probe.sample() == shows
    probe.failure = None
    assert probe.sample() == -190.0


STEPS = st.lists(st.floats(1, 4 * HOUR), min_size=1, max_size=12)


@given(STEPS, st.sampled_from([-18.0, 5.0]), st.sampled_from([-10.0, 20.0, 45.0]))
def test_the_length_of_a_step_makes_no_difference_to_a_box(
    steps: list[float], packs: float, ambient: float
) -> None:
    """One long step and many short ones end at the same temperature and the same packs."""
    many, one = (PassiveBox(packs_c=packs, ambient_c=ambient) for _ in range(2))
    for step in steps:
        assert sum(stretch.seconds for stretch in many.process(step)) == pytest.approx(step)
    one.process(sum(steps))
    assert many.packs_c == pytest.approx(one.packs_c, abs=1e-6)
    assert many.frozen == pytest.approx(one.frozen, abs=1e-6)


@given(STEPS, st.sampled_from(list(Thermostat)), st.sampled_from(list(Door)), st.booleans())
def test_the_length_of_a_step_makes_no_difference_to_a_refrigerator(
    steps: list[float], thermostat: Thermostat, door: Door, defrosts: bool
) -> None:
    """As above, whatever has failed."""
    many, one = (Fridge(thermostat=thermostat, door=door, defrosts=defrosts) for _ in range(2))
    for step in steps:
        assert sum(stretch.seconds for stretch in many.process(step)) == pytest.approx(step)
    one.process(sum(steps))
    assert many.air_c == pytest.approx(one.air_c, abs=1e-4)
