"""The physics keeps to what was published, whatever the length of a step."""

from __future__ import annotations

import dataclasses
import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain_simulators.physics.dry_shipper import DryShipper, ShipperFigures, Vacuum
from coldchain_simulators.physics.figures import Stretch, sources_of
from coldchain_simulators.physics.fridge import Fridge, FridgeFigures
from coldchain_simulators.physics.probe import Failure, Probe, ProbeFigures

HOUR = 3600.0
QUIET = ProbeFigures(noise_k=0.0)


def hours_to(shipper: DryShipper, celsius: float, step_s: float = 1.0) -> float:
    """Hours until the vapour is as warm as that."""
    passed = 0.0
    while shipper.vapour_c < celsius:
        shipper.process(step_s)
        passed += step_s
    return passed / HOUR


@pytest.mark.parametrize("figures", [ShipperFigures, FridgeFigures, ProbeFigures])
def test_each_figure_has_its_source(figures: type) -> None:
    """No number of a model stands without source, or the word that it is our judgement."""
    assert all(sources_of(figures).values())


@pytest.mark.parametrize(("slope", "hours"), [(43.9, 1.05), (51.6, 0.89)])
def test_catastrophic_loss_is_as_published(slope: float, hours: float) -> None:
    """PMC6504988: at 43.9 to 51.6 °C/h, -196 to -150 °C takes 0.9 to 1.05 h; the vessel is dry in 3 min."""
    figures = ShipperFigures(breach_warming_k_per_h=slope, boiling_c=-196.0, vapour_above_boiling_k=0.0)
    shipper = DryShipper(figures, vacuum=Vacuum.LOST)
    shipper.process(15)
    assert shipper.ln2_kg == pytest.approx(0.9 * figures.full_kg)
    shipper.process(165)
    assert shipper.ln2_kg == 0
    dry = DryShipper(figures, ln2_kg=0.0, vacuum=Vacuum.LOST)
    assert hours_to(dry, -150) == pytest.approx(hours, abs=0.01)


def test_a_calm_shipper_holds_as_long_as_it_was_qualified() -> None:
    """Mass falls evenly over the hold, the vapour stays cold to the last drop, then it warms evenly."""
    shipper = DryShipper()
    masses = []
    for _ in range(10):
        masses.append(shipper.ln2_kg)
        assert shipper.vapour_c == pytest.approx(-195.0)
        shipper.process(24 * HOUR)
    losses = [before - after for before, after in itertools.pairwise(masses)]
    assert losses == pytest.approx([0.33] * 9)
    assert shipper.ln2_kg == pytest.approx(0.0, abs=1e-9)
    shipper.process(1.0)
    warm = []
    for _ in range(5):
        warm.append(shipper.vapour_c)
        shipper.process(HOUR)
    assert [after - before for before, after in itertools.pairwise(warm)] == pytest.approx([2.0] * 4)


def test_what_people_do_to_a_box() -> None:
    """On its side it loses 60 % of its hold in 4 h; an open lid costs nitrogen, its probe warms at once."""
    upright, tilted, opened = DryShipper(), DryShipper(tilt_deg=90), DryShipper(lid_open=True)
    for shipper in (upright, tilted, opened):
        shipper.process(4 * HOUR)
    assert tilted.ln2_kg == pytest.approx(0.4 * 3.3)
    assert tilted.ln2_kg < opened.ln2_kg < upright.ln2_kg
    assert opened.vapour_c == pytest.approx(upright.vapour_c + 25)


def test_it_ends_at_the_room() -> None:
    """Nothing gets warmer than the room it stands in."""
    shipper = DryShipper(vacuum=Vacuum.LOST)
    shipper.process(100 * HOUR)
    assert shipper.vessel_c == shipper.vapour_c == 20.0


vacua = st.sampled_from([Vacuum.HELD, Vacuum.HELD, Vacuum.LOST])
events = st.tuples(st.floats(0, 50_000), st.booleans(), st.floats(0, 90), vacua)


@given(st.lists(events, max_size=12))
def test_nitrogen_and_cold_never_come_back(story: list[tuple[float, bool, float, Vacuum]]) -> None:
    """Whatever is done to a shipper, nitrogen does not come back and neither does the cold."""
    shipper = DryShipper()
    for dt_s, shipper.lid_open, shipper.tilt_deg, shipper.vacuum in story:
        mass, vessel = shipper.ln2_kg, shipper.vessel_c
        course = shipper.process(dt_s)
        assert 0 <= shipper.ln2_kg <= mass
        assert vessel <= shipper.vessel_c <= 20.0
        assert shipper.ln2_kg == 0 or shipper.vessel_c == -195.8
        assert sum(stretch.seconds for stretch in course) == pytest.approx(dt_s)


@given(st.lists(st.floats(0, 400), min_size=1, max_size=30), st.sampled_from([0.0, 5.0, 60.0]))
def test_the_length_of_a_step_makes_no_difference(steps: list[float], tau: float) -> None:
    """One long step and many short ones end at the same mass, temperature and probe."""
    many, one = DryShipper(vacuum=Vacuum.LOST), DryShipper(vacuum=Vacuum.LOST)
    probes = [Probe(-195.0, 1, ProbeFigures(time_constant_s=tau, noise_k=0.0)) for _ in range(2)]
    for step in steps:
        probes[0].feel(many.process(step))
    probes[1].feel(one.process(sum(steps)))
    assert many.ln2_kg == pytest.approx(one.ln2_kg, abs=1e-9)
    assert many.vapour_c == pytest.approx(one.vapour_c, abs=1e-9)
    assert probes[0].felt_c == pytest.approx(probes[1].felt_c, abs=1e-6)


@pytest.mark.parametrize("dt_s", [-1.0, float("nan"), float("inf")])
def test_no_step_backwards(dt_s: float) -> None:
    """A step that is none is refused."""
    with pytest.raises(ValueError, match="a step of"):
        DryShipper().process(dt_s)


def test_a_misspelt_attribute_is_an_error() -> None:
    """A typo in a test or scenario fails instead of simulating nothing."""
    for thing in (DryShipper(), Probe(0.0, 1), Fridge()):
        with pytest.raises(AttributeError):
            thing.lid_opened = True  # type: ignore[union-attr]
    with pytest.raises(dataclasses.FrozenInstanceError):
        DryShipper().figures.full_kg = 9.0  # type: ignore[misc]


def test_a_probe_lags_a_jump_and_trails_a_ramp() -> None:
    """After one time constant 63 % of a jump is felt; on a ramp it trails by slope times time constant."""
    probe = Probe(0.0, 1, ProbeFigures(time_constant_s=30.0, noise_k=0.0))
    probe.feel([Stretch(30.0, 100.0, 100.0)])
    assert probe.felt_c == pytest.approx(63.212, abs=1e-3)
    ramp = Probe(0.0, 1, ProbeFigures(time_constant_s=30.0, noise_k=0.0))
    ramp.feel([Stretch(3000.0, 0.0, 100.0)])
    assert ramp.felt_c == pytest.approx(100.0 - 100.0 / 3000.0 * 30.0)


def test_noise_and_drift_are_as_stated() -> None:
    """Noise has the stated spread and no bias; drift adds up by the day."""
    probe = Probe(-195.0, "a", ProbeFigures(noise_k=0.05))
    samples = [probe.sample() or 0.0 for _ in range(4000)]
    assert statistics.mean(samples) == pytest.approx(-195.0, abs=0.005)
    assert statistics.stdev(samples) == pytest.approx(0.05, rel=0.05)
    drifting = Probe(-195.0, 1, ProbeFigures(noise_k=0.0, drift_k_per_day=0.5))
    drifting.feel([Stretch(2 * 86_400.0, -195.0, -195.0)])
    assert drifting.sample() == pytest.approx(-194.0)


@pytest.mark.parametrize(
    ("failure", "reads"),
    [
        pytest.param(Failure.SHORT, -242.02, id="short: reads cold, colder than nitrogen can be"),
        pytest.param(Failure.OPEN, 988.79, id="open: reads hot"),
        pytest.param(Failure.STUCK, -195.0, id="stuck: the last value for ever"),
        pytest.param(Failure.DISCONNECTED, None, id="disconnected: nothing"),
    ],
)
def test_failures(failure: Failure, reads: float | None) -> None:
    """A failed probe shows its failure and not the temperature around it."""
    probe = Probe(-195.0, 1, QUIET)
    probe.sample()
    probe.failure = failure
    probe.feel([Stretch(3600.0, -100.0, -100.0)])
    assert probe.sample() == reads


def test_a_failure_shifts_no_later_noise() -> None:
    """Two runs of one seed that differ in a failure are the same again after it."""
    well, ill = Probe(0.0, 5), Probe(0.0, 5)
    ill.failure = Failure.DISCONNECTED
    before = [(well.sample(), ill.sample()) for _ in range(3)]
    ill.failure = None
    assert all(said is None for _, said in before)
    assert [well.sample() for _ in range(5)] == [ill.sample() for _ in range(5)]


@given(st.lists(st.floats(0, 2000), min_size=1, max_size=20))
def test_a_fridge_stays_between_its_switching_points(steps: list[float]) -> None:
    """With power it never leaves 4 to 6 °C, in whatever steps; without power it warms to the room."""
    fridge = Fridge()
    for step in steps:
        for stretch in fridge.process(step):
            assert 4.0 <= stretch.to_c <= 6.0
    fridge.power = False
    fridge.process(1e6)
    assert fridge.air_c == 20.0
    fridge.power = True
    fridge.process(20 * HOUR)
    assert 4.0 <= fridge.air_c <= 6.0
