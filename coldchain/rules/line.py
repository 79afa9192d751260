"""The straight line through the readings of a sliding window, in exact numbers.

Sums of integers take a reading in and out again without an error; slope, value and their uncertainty are
fractions of them. So a forecast is the same on every machine and after any number of readings.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from msgspec import Struct

#: Binary digits of the root in an uncertainty: far finer than any reading.
_ROOT_BITS = 64


class Sums(Struct, frozen=True):
    """Sums over points: count, times, values, products. Times are ms from any fixed origin."""

    n: int = 0
    t: int = 0
    v: int = 0
    tt: int = 0
    tv: int = 0
    vv: int = 0

    def with_point(self, t: int, v: int, sign: int = 1) -> Sums:
        """One point more, or with sign −1 one less."""
        return Sums(
            self.n + sign,
            self.t + sign * t,
            self.v + sign * v,
            self.tt + sign * t * t,
            self.tv + sign * t * v,
            self.vv + sign * v * v,
        )


EMPTY = Sums()


class Line(Struct, frozen=True):
    """A fitted line: quanta per ms, its standard error, and the mean point that it passes through."""

    slope: Fraction
    error: Fraction
    at_ms: Fraction
    value: Fraction

    def at(self, t: int) -> Fraction:
        """The line's value at a time."""
        return self.value + self.slope * (t - self.at_ms)


def fit(sums: Sums) -> Line | None:
    """The line of least squares; None where fewer than three points, or one time, leave it open."""
    n = sums.n
    spread = n * sums.tt - sums.t * sums.t  # n · Sxx
    if n < 3 or spread <= 0:
        return None
    along = n * sums.tv - sums.t * sums.v
    height = n * sums.vv - sums.v * sums.v
    slope = Fraction(along, spread)
    # Residual variance over Sxx, all times n: (Syy − slope · Sxy) / (n − 2) / Sxx.
    left = Fraction(max(0, height * spread - along * along), spread * spread * (n - 2))
    return Line(slope, root(left), Fraction(sums.t, n), Fraction(sums.v, n))


def root(value: Fraction) -> Fraction:
    """The square root of a fraction, rounded up to 2^-64 of its scale: whole numbers only, never a float."""
    if value <= 0:
        return Fraction(0)
    shift = max(0, _ROOT_BITS + value.denominator.bit_length() - value.numerator.bit_length())
    shift += shift % 2
    scaled = (value.numerator << shift) // value.denominator
    return Fraction(isqrt(scaled) + 1, 1 << (shift // 2))
