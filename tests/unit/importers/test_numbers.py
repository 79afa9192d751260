"""Numbers, and the words that loggers write in their place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.importers import numbers
from coldchain.importers.numbers import Number
from coldchain.importers.refusal import Refused
from coldchain.model import Reason
from coldchain.units import TEMPERATURE, exact


@pytest.mark.parametrize(
    ("text", "decimal", "says"),
    [
        pytest.param("4.4", ".", Number("4.4"), id="plain"),
        pytest.param("+8", ".", Number("+8"), id="a sign"),
        pytest.param("−0,5", ",", Number("-0.5"), id="typographic minus and decimal comma"),
        pytest.param("2,512", ",", Number("2.512"), id="three decimals are no thousands"),
        pytest.param(".5", ".", Number(".5"), id="no leading zero"),
        pytest.param("4.5e1", ".", Number("4.5e1"), id="exponent"),
        pytest.param("4.5 °C", ".", Number("4.5", "degC"), id="unit beside it"),
        pytest.param("40.1F", ".", Number("40.1", "degF"), id="unit without a blank"),
        pytest.param("4.5℃", ".", Number("4.5", "degC"), id="one sign for the unit"),
        pytest.param("", ".", Reason.NO_VALUE, id="blank"),
        pytest.param("---", ".", Reason.NO_VALUE, id="dashes"),
        pytest.param("OPEN", ".", Reason.SENSOR_OPEN, id="open probe"),
        pytest.param("Sensor error", ".", Reason.SENSOR_FAULT, id="fault in words"),
        pytest.param("NaN", ".", Reason.NOT_A_NUMBER, id="nan is no number"),
        pytest.param("inf", ".", Reason.OVER_RANGE, id="infinite"),
        pytest.param("4,4", ".", None, id="the other decimal sign"),
        pytest.param("1,234.5", ".", None, id="grouped thousands"),
        pytest.param("1_000", ".", None, id="a programmer's number"),
        pytest.param("0x10", ".", None, id="hexadecimal"),
        pytest.param("4.4.4", ".", None, id="two points"),
        pytest.param("4 4", ".", None, id="a blank within"),
        pytest.param("٤", ".", None, id="digits of another script"),
        pytest.param("door", ".", None, id="a word"),
    ],
)
def test_cells(text: str, decimal: str, says: Number | Reason | None) -> None:
    """A cell is a number as written, a reason for none, or unreadable."""
    assert numbers.read(text, decimal) == says


@given(st.text(max_size=20), st.sampled_from([".", ","]))
def test_what_is_read_is_exact(text: str, decimal: str) -> None:
    """Whatever a cell holds, what comes out as a number is one that the fold can take exactly."""
    found = numbers.read(text, decimal)
    if isinstance(found, Number):
        assert exact(found.raw) is not None
        assert isinstance(TEMPERATURE.quanta(found.raw, found.unit or "degC"), int | Reason)


@pytest.mark.parametrize(
    ("cells", "sign"),
    [
        pytest.param(["4", "5.5"], ".", id="points"),
        pytest.param(["4", "5,5", "OPEN"], ",", id="commas"),
        pytest.param(["4", "5"], ".", id="none: it does not matter"),
    ],
)
def test_decimal_sign(cells: list[str], sign: str) -> None:
    """The sign is the one that the file uses."""
    assert numbers.decimal_sign(enumerate(cells, start=2), None) == sign


def test_both_signs_are_refused() -> None:
    """A file with both signs is refused with both lines; told which, it is read."""
    cells = list(enumerate(["4.5", "4,5"], start=2))
    with pytest.raises(Refused, match=r"line 2.*line 3"):
        numbers.decimal_sign(cells, None)
    assert numbers.decimal_sign(cells, ",") == ","


@pytest.mark.parametrize(
    ("written", "token"),
    [
        pytest.param("°C", "degC", id="degrees"),
        pytest.param("deg F", "degF", id="in letters"),
        pytest.param("k", "K", id="kelvin"),
        pytest.param("℉", "degF", id="one sign"),
        pytest.param("Track", "", id="a word that ends in K"),
        pytest.param("%", "", id="no temperature"),
    ],
)
def test_unit_token(written: str, token: str) -> None:
    """Only a unit is a unit."""
    assert numbers.unit_token(written) == token
