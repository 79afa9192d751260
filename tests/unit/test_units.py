"""Units: exact conversion to integer quanta, nothing guessed."""

from __future__ import annotations

from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.model import Reason
from coldchain.units import LEVEL, MASS, QUANTITIES, TEMPERATURE, QuantityName, exact


@pytest.mark.parametrize(
    ("quantity", "raw", "unit", "quanta"),
    [
        pytest.param("temperature", "-146.20", "degC", -146_200, id="as a freezer prints it"),
        pytest.param("temperature", "77.36", "K", -195_790, id="kelvin: LN2 boils at 77.36 K"),
        pytest.param("temperature", "-319", "degF", -195_000, id="fahrenheit"),
        pytest.param("temperature", "-1.46E2", "°C", -146_000, id="an exponent is a number in JSON"),
        pytest.param("temperature", "0.0005", "degC", 0, id="half to even, down"),
        pytest.param("temperature", "0.0015", "degC", 2, id="half to even, up"),
        pytest.param("temperature", "-0.0", "degC", 0, id="minus zero is zero"),
        pytest.param("mass", "8.6", "kg", 86_000, id="kilograms to tenths of a gram"),
        pytest.param("mass", "11.7", "lb", 53_070, id="the avoirdupois pound is exact: 5.3070 kg"),
        pytest.param("level", "5", "in", 1270, id="inches to tenths of a millimetre"),
        pytest.param("fraction", "20.9", "%", 2090, id="per cent"),
        pytest.param("contact", "1", "open", 10, id="open is one"),
        pytest.param("contact", "1", "closed", 0, id="a device that says 1 for closed"),
        pytest.param("contact", "0", "closed", 10, id="and 0 for open"),
        pytest.param("acceleration", "1", "[g]", 980_665, id="standard gravity is exact"),
        pytest.param("acceleration", "1036", "m[g]", 1_015_969, id="thousandths of it, rounded once"),
        pytest.param("voltage", "2977", "mV", 2977, id="a battery in millivolts"),
        pytest.param("pressure", "1000.44", "hPa", 100_044, id="hectopascals to pascals"),
        pytest.param("concentration", "412", "ppm", 412, id="parts per million"),
        pytest.param("temperature", "-146.2", "", Reason.NO_UNIT, id="no unit is never guessed"),
        pytest.param("temperature", "-146.2", "degR", Reason.UNKNOWN_UNIT, id="unknown unit"),
        pytest.param("temperature", "nan", "degC", Reason.NOT_A_NUMBER, id="nan"),
        pytest.param("temperature", "inf", "degC", Reason.NOT_A_NUMBER, id="inf"),
        pytest.param("temperature", "1_0", "degC", Reason.NOT_A_NUMBER, id="underscores"),
        pytest.param("temperature", " 1", "degC", Reason.NOT_A_NUMBER, id="blanks"),
        pytest.param("temperature", "٣", "degC", Reason.NOT_A_NUMBER, id="digits of another script"),
        pytest.param("temperature", ".", "degC", Reason.NOT_A_NUMBER, id="a lone point"),
        pytest.param("temperature", "", "degC", Reason.NOT_A_NUMBER, id="nothing"),
        pytest.param("temperature", "1e99", "degC", Reason.ABOVE_QUANTUM_RANGE, id="no physical value"),
    ],
)
def test_quanta(quantity: str, raw: str, unit: str, quanta: int | Reason) -> None:
    """What was sent becomes exactly this number of quanta, or a reason."""
    assert QUANTITIES[quantity].quanta(raw, unit) == quanta


def test_no_token_means_two_things() -> None:
    """A unit belongs to one quantity, and what a configuration may name is what there is."""
    tokens = [token for quantity in QUANTITIES.values() for token in quantity.units]
    assert len(tokens) == len(set(tokens))
    assert get_args(QuantityName) == tuple(QUANTITIES)


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_not(text: str) -> None:
    """No text raises; what is taken is what Fraction reads."""
    value = exact(text)
    if value is not None:
        assert value == Fraction(text)


@given(st.integers(-(10**9), 10**9))
def test_display_is_the_value_rounded_once(value: int) -> None:
    """What people read is the value to the shown decimals, half to even, with a true minus."""
    for quantity in (TEMPERATURE, MASS, LEVEL):
        shown = quantity.display(value, minus="-")
        wanted = round(Fraction(value, quantity.per_display), quantity.decimals)
        assert Fraction(shown) == Fraction(wanted).limit_denominator(10**6)
