"""Mean kinetic temperature: the one steady temperature that would have aged the product as much.

Each value weighs exp(ΔH/R · (1/T_ref − 1/T)), T in kelvin. The weight is kept as an integer, rounded
once from decimal arithmetic and never from the machine's own `exp`, which differs between machines
in its last place; sums of integers are then exact, in any order, on any machine. A sum is compared
with a limit without a logarithm. The mean itself, which needs one, is for people to read.

Formula and constants: USP <1160>: ΔH = 83.144 kJ/mol unless better data are at hand,
R = 8.3144e-3 kJ/(mol·K), hence ΔH/R = 10 000 K exactly. Uneven steps are weighted with their time.

A mean must never excuse cold: it falls when a product freezes. Whoever judges by it judges the high
side only, and shows none below 0 °C unless an energy for that range was stated.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

#: USP <1160>, where no better data are at hand.
USP_ENERGY_KJ_MOL = Fraction("83.144")
#: USP <1160>, kJ/(mol·K); the rounded constant of that chapter, so that its vectors come out.
R_KJ_MOL_K = Fraction("0.0083144")

#: Weights are 1 at this temperature; above everything usually watched, so that they stay below it.
_REFERENCE_MC = 60_000
#: The coldest value whose rounding error is bounded by `_TOLERANCE_K`.
_COLDEST_MC = -50_000
#: How far the rounding of weights may move a mean, in kelvin, if every value is the coldest.
_TOLERANCE_K = Fraction(1, 2_000_000)
_ZERO_C_MK = 273_150
#: `Decimal.exp` and `Decimal.ln` are correctly rounded in a given context, on every machine.
_CONTEXT = Context(prec=60, rounding=ROUND_HALF_EVEN, Emin=-9999, Emax=9999, capitals=1, clamp=0)
_CACHED = 1 << 17


class Kinetic:
    """Weights, comparison and mean for one activation energy.

    energy_kj_mol: the activation energy ΔH in kJ/mol, above 0 and at most 1000.
    shift:         how many bits the weights are scaled up by (S); it grows with the energy, because
                   cold values weigh less and must still be told apart.
    """

    def __init__(self, energy_kj_mol: Fraction = USP_ENERGY_KJ_MOL) -> None:
        """Raise ValueError for an energy that no product has (0 or less, above 1000 kJ/mol)."""
        if not 0 < energy_kj_mol <= 1000:
            raise ValueError(f"activation energy {float(energy_kj_mol):g} kJ/mol; it lies between 0 and 1000")
        self.energy_kj_mol = energy_kj_mol
        self.ratio_k = energy_kj_mol / R_KJ_MOL_K
        self.shift = _shift(self.ratio_k)
        self._scale = 1 << self.shift
        self.weight = lru_cache(maxsize=_CACHED)(self._weight)

    def _weight(self, value_mc: int) -> int:
        """The integer weight of a temperature in thousandths of a degree Celsius."""
        with localcontext(_CONTEXT):
            scaled = _exp(_exponent(self.ratio_k, value_mc)) * self._scale
            return int(scaled.to_integral_value(ROUND_HALF_EVEN))

    def exceeds(self, weighted: int, time_ms: int, limit_mc: int, *, at: bool = False) -> bool:
        """Whether the mean of a sum lies above a limit (`at`: or on it); no logarithm is taken.

        weighted: sum of weight × ms; time_ms: the ms summed; limit_mc: thousandths of °C.
        """
        on_limit = self.weight(limit_mc) * time_ms
        return weighted >= on_limit if at else weighted > on_limit

    def mean_c(self, weighted: int, time_ms: int) -> Decimal | None:
        """The mean in °C, for display; None where nothing was summed, or all of it weighs nothing."""
        if time_ms <= 0 or weighted <= 0:
            return None
        with localcontext(_CONTEXT):
            mean = Decimal(weighted) / (Decimal(time_ms) * self._scale)
            ratio = _decimal(self.ratio_k)
            inverse = Decimal(1000) / (_REFERENCE_MC + _ZERO_C_MK) - mean.ln() / ratio
            return 1 / inverse - Decimal(_ZERO_C_MK) / 1000


class KineticSum:
    """A sum of weight × dwell that can grow and shrink without drift."""

    __slots__ = ("kinetic", "time_ms", "weighted")

    def __init__(self, kinetic: Kinetic) -> None:
        self.kinetic = kinetic
        self.weighted = 0
        self.time_ms = 0

    def add(self, value_mc: int, dwell_ms: int) -> None:
        """Count a value for a time; a negative time takes back what left a window."""
        self.weighted += self.kinetic.weight(value_mc) * dwell_ms
        self.time_ms += dwell_ms

    def mean_c(self) -> Decimal | None:
        """The mean in °C, for display; None where nothing was summed."""
        return self.kinetic.mean_c(self.weighted, self.time_ms)

    def exceeds(self, limit_mc: int, *, at: bool = False) -> bool:
        """Whether the mean lies above a limit; False where nothing was summed."""
        return self.time_ms > 0 and self.kinetic.exceeds(self.weighted, self.time_ms, limit_mc, at=at)


def _exponent(ratio_k: Fraction, value_mc: int) -> Fraction:
    """ΔH/R · (1/T_ref − 1/T), exactly."""
    kelvin_milli = value_mc + _ZERO_C_MK
    if kelvin_milli <= 0:
        raise ValueError(f"{value_mc / 1000:g} °C is at or below absolute zero")
    return ratio_k * (Fraction(1000, _REFERENCE_MC + _ZERO_C_MK) - Fraction(1000, kelvin_milli))


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _exp(exponent: Fraction) -> Decimal:
    return _decimal(exponent).exp()


def _shift(ratio_k: Fraction) -> int:
    """The smallest shift at which half a unit in the coldest weight stays within the tolerance.

    A relative error ε of the weight moves the temperature by ε · T² / (ΔH/R).
    """
    kelvin = Fraction(_COLDEST_MC + _ZERO_C_MK, 1000)
    with localcontext(_CONTEXT):
        needed = _decimal(kelvin * kelvin / ratio_k / 2 / _TOLERANCE_K) / _exp(
            _exponent(ratio_k, _COLDEST_MC)
        )
        return int(needed).bit_length()
