"""Mean kinetic temperature: published vectors, exact weights, sums without drift."""

from __future__ import annotations

import math
from decimal import localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.rules.kinetic import USP_ENERGY_KJ_MOL, Kinetic, KineticSum

HOUR = 3_600_000
USP = Kinetic()


def exp_by_series(exponent: Fraction) -> Fraction:
    """exp of a rational to well over 30 places: halved until small, Taylor's series, squared again.

    The oracle: neither the decimal module nor the machine's own exp has a part in it.
    """
    halvings = max(0, math.ceil(abs(exponent)).bit_length() + 4)
    small = exponent / 2**halvings
    term = total = Fraction(1)
    for step in range(1, 40):
        term = term * small / step
        total += term
    digits = 10**60
    for _ in range(halvings):
        total = Fraction(round(total * total * digits), digits)
    return total


def mean_by_bisection(energy: Fraction, parts: list[tuple[int, int]]) -> Fraction:
    """The mean of (m°C, time) parts in °C, by halving an interval until exp(−ΔH/RT) fits."""
    ratio = energy / Fraction("0.0083144")

    def weight(kelvin: Fraction) -> Fraction:
        return exp_by_series(ratio / 300 - ratio / kelvin)

    time = sum(dwell for _, dwell in parts)
    wanted = (
        sum((weight(Fraction(value + 273150, 1000)) * dwell for value, dwell in parts), Fraction(0)) / time
    )
    low = Fraction(min(value for value, _ in parts) + 273150, 1000)
    high = Fraction(max(value for value, _ in parts) + 273150, 1000)
    for _ in range(24):
        middle = (low + high) / 2
        if weight(middle) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2 - Fraction("273.15")


def summed(parts: list[tuple[int, int]], kinetic: Kinetic = USP) -> KineticSum:
    """The sum of (m°C, hours) parts."""
    total = KineticSum(kinetic)
    for value_mc, hours in parts:
        total.add(value_mc, hours * HOUR)
    return total


# ΔH/R = 10 000 K, weighted with time; reckoned from the formula of USP <1160>.
VECTORS = [
    pytest.param([(5000, 24)], 5.0000, False, id="steady"),
    pytest.param([(5000, 23), (15000, 1)], 5.7635, False, id="one hour at 15"),
    pytest.param([(5000, 20), (15000, 4)], 7.7046, False, id="four hours at 15"),
    pytest.param([(5000, 12), (10000, 12)], 7.8685, False, id="half and half"),
    pytest.param([(5000, 18), (14000, 6)], 8.2852, True, id="six hours at 14"),
    pytest.param([(5000, 22), (25000, 2)], 9.8252, True, id="two hours at 25"),
    pytest.param([(22000, 29 * 24), (40000, 24)], 23.5996, True, id="a hot day in a month"),
    pytest.param([(5000, 22), (-2000, 2)], 4.6005, False, id="cold lowers the mean"),
]


@pytest.mark.parametrize(("parts", "mean_c", "above_8"), VECTORS)
def test_vectors(parts: list[tuple[int, int]], mean_c: float, above_8: bool) -> None:
    """Known mixtures have their known means, and the comparison without a logarithm agrees with them."""
    total = summed(parts)
    mean = total.mean_c()
    assert mean is not None
    assert abs(float(mean) - mean_c) < 1e-4
    assert abs(Fraction(mean) - mean_by_bisection(USP_ENERGY_KJ_MOL, parts)) < Fraction(1, 100_000)
    assert total.exceeds(8000) is above_8


def test_usp_ratio_is_exact() -> None:
    """83.144 kJ/mol over 8.3144e-3 kJ/(mol K) is 10 000 K to the last digit, or the vectors would not fit."""
    assert Kinetic(USP_ENERGY_KJ_MOL).ratio_k == 10_000


@pytest.mark.parametrize(
    "energy", [Fraction("42"), Fraction("83.0"), Fraction("83.144"), Fraction("244")], ids=str
)
@pytest.mark.parametrize("value_mc", [-50_000, -20_001, 0, 5_000, 24_300, 60_000, 85_000])
def test_weight_is_the_rounded_value(energy: str, value_mc: int) -> None:
    """A weight is the nearest integer to the true one, as an independent series gives it."""
    kinetic = Kinetic(Fraction(energy))
    exponent = kinetic.ratio_k * (Fraction(1000, 333150) - Fraction(1000, value_mc + 273150))
    true = exp_by_series(exponent) * 2**kinetic.shift
    assert abs(kinetic.weight(value_mc) - true) <= Fraction(1, 2) + Fraction(1, 10**6)


@pytest.mark.parametrize(
    ("energy", "parts"),
    [
        pytest.param("83.0", [(900, 3), (8000, 1), (24300, 2)], id="a logger's own energy"),
        pytest.param("83.144", [(-20000, 5), (40000, 1)], id="across the range"),
        pytest.param("244", [(2000, 10), (8000, 1)], id="a steep protein"),
    ],
)
def test_mean_against_an_independent_oracle(energy: str, parts: list[tuple[int, int]]) -> None:
    """The displayed mean agrees with one found by halving, without decimal and without logarithm."""
    mean = summed(parts, Kinetic(Fraction(energy))).mean_c()
    assert mean is not None
    assert abs(Fraction(mean) - mean_by_bisection(Fraction(energy), parts)) < Fraction(1, 100_000)


@pytest.mark.parametrize(
    ("energy", "shift"),
    [
        pytest.param("83.144", 44, id="usual"),
        pytest.param("42", 34, id="flat"),
        pytest.param("125", 54, id="steeper"),
        pytest.param("244", 84, id="steepest published"),
    ],
)
def test_shift_grows_with_the_energy(energy: str, shift: int) -> None:
    """The steeper the curve, the more bits cold values need; which is derived, never chosen by hand."""
    assert abs(Kinetic(Fraction(energy)).shift - shift) <= 1


@given(st.lists(st.tuples(st.integers(-50_000, 60_000), st.integers(1, 10**9)), min_size=1, max_size=30))
def test_order_changes_nothing_and_what_leaves_is_gone(parts: list[tuple[int, int]]) -> None:
    """Sums are exact: any order gives the same sum, and taking back every part leaves nothing behind."""
    forth, back = KineticSum(USP), KineticSum(USP)
    for value, dwell in parts:
        forth.add(value, dwell)
    for value, dwell in reversed(parts):
        back.add(value, dwell)
    assert (forth.weighted, forth.time_ms) == (back.weighted, back.time_ms)
    for value, dwell in parts:
        forth.add(value, -dwell)
    assert (forth.weighted, forth.time_ms) == (0, 0)


@given(
    st.lists(st.tuples(st.integers(-50_000, 60_000), st.integers(1, 10**9)), min_size=1, max_size=30),
    st.integers(-50_000, 60_000),
)
def test_mean_lies_within_and_agrees_with_the_comparison(parts: list[tuple[int, int]], limit: int) -> None:
    """The mean lies between coldest and hottest, and says what the comparison says."""
    total = KineticSum(USP)
    for value, dwell in parts:
        total.add(value, dwell)
    mean = total.mean_c()
    assert mean is not None
    tolerance = 1e-6
    assert min(v for v, _ in parts) / 1000 - tolerance <= mean <= max(v for v, _ in parts) / 1000 + tolerance
    if abs(float(mean) - limit / 1000) > tolerance:
        assert total.exceeds(limit) is (float(mean) > limit / 1000)


def test_on_the_limit() -> None:
    """A steady value on the limit is above it only where the limit says that on it is outside."""
    total = summed([(8000, 24)])
    assert not total.exceeds(8000)
    assert total.exceeds(8000, at=True)


def test_nothing_summed() -> None:
    """Without time there is no mean and nothing above a limit."""
    total = KineticSum(USP)
    assert total.mean_c() is None
    assert not total.exceeds(-50_000, at=True)


@pytest.mark.parametrize("energy", ["0", "-1", "1001"])
def test_impossible_energy(energy: str) -> None:
    """An energy that no product has is refused, not reckoned with."""
    with pytest.raises(ValueError, match="kJ/mol"):
        Kinetic(Fraction(energy))


def test_absolute_zero() -> None:
    """There is no weight at absolute zero: a reading there is a fault, not a temperature."""
    with pytest.raises(ValueError, match=r"^-273\.15 °C is at or below absolute zero$"):
        USP.weight(-273_150)
    assert USP.weight(-273_149) == 0


@pytest.mark.parametrize("energy", ["0.5", "1", "1000"])
def test_energies_at_the_ends(energy: str) -> None:
    """Small ones are possible, and the largest is."""
    assert Kinetic(Fraction(energy)).energy_kj_mol == Fraction(energy)


@pytest.mark.parametrize("energy", ["83.144", "42", "125", "244", "126.01", "68.016", "282.448"])
def test_the_shift_is_the_smallest_that_does(energy: str) -> None:
    """Half a unit of the coldest weight moves a mean by half a millionth of a kelvin."""
    kinetic = Kinetic(Fraction(energy))
    kelvin = Fraction(223_150, 1000)
    weight = exp_by_series(kinetic.ratio_k * (Fraction(1000, 333_150) - 1 / kelvin))

    def moves(shift: int) -> Fraction:
        return Fraction(1, 2) / (weight * 2**shift) * kelvin**2 / kinetic.ratio_k

    assert moves(kinetic.shift) <= Fraction(1, 2_000_000) < moves(kinetic.shift - 1)


def test_a_context_of_the_process_changes_no_weight() -> None:
    """Somebody else's setting of the decimal module, five digits, is not ours."""
    weight, mean = USP.weight(5_000), USP.mean_c(USP.weight(5_000) * 7 + 1, 7)
    with localcontext(prec=5):
        other = Kinetic()
        assert (other.shift, other.weight(5_000)) == (USP.shift, weight)
        assert other.mean_c(weight * 7 + 1, 7) == mean
        assert Kinetic(Fraction("68.016")).shift == 41  # just above a power of two


def test_sums_of_which_there_is_no_mean() -> None:
    """Nothing summed, or only what is too cold to weigh anything; the smallest weight has one."""
    assert USP.mean_c(0, 5) is None
    assert USP.mean_c(5, 0) is None
    assert USP.mean_c(1, 1) is not None


def test_on_the_limit_is_not_above_it() -> None:
    """Unless that is asked for."""
    assert not USP.exceeds(USP.weight(8_000) * 5, 5, 8_000)
    assert USP.exceeds(USP.weight(8_000) * 5 + 1, 5, 8_000)
    assert USP.exceeds(USP.weight(8_000) * 5, 5, 8_000, at=True)


def test_weights_are_kept_within_bounds() -> None:
    """A year of ever other values takes no memory without end."""
    assert Kinetic().weight.cache_info().maxsize == 1 << 17
