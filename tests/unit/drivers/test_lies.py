"""The table of lies: sourced, comparing as numbers, and touching nothing else."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.model import Reason
from coldchain.units import QUANTITIES, exact
from coldchain_drivers.lies import LIES, NUMBER, Lie, refusal, told
from coldchain_drivers.settings import SAID_BY_DRIVERS

EVERY = tuple(lie for family in LIES.values() for lie in family.lies)


@pytest.mark.parametrize("name", LIES)
def test_each_family_says_where_it_comes_from(name: str) -> None:
    """No lie is in the table without source and confidence, and each can be told by a driver."""
    family = LIES[name]
    assert family.title
    assert family.source
    assert family.confidence
    assert family.lies
    for lie in family.lies:
        assert lie.reason in SAID_BY_DRIVERS
        assert sum(map(bool, (lie.value, lie.at_or_above, lie.at_or_below))) == 1
        assert any(lie.unit in quantity.units for quantity in QUANTITIES.values())


@pytest.mark.parametrize(
    ("family", "text", "unit", "reason"),
    [
        pytest.param("ds18b20", "-127", "degC", Reason.NOT_CONNECTED, id="DS18B20 gone"),
        pytest.param("ds18b20", "-127.00", "C", Reason.NOT_CONNECTED, id="other digits, other token"),
        pytest.param(
            "ds18b20", "-196.6", "degF", Reason.NOT_CONNECTED, id="in °F it looks like liquid nitrogen"
        ),
        pytest.param("ds18b20", "-196.6", "degC", None, id="in °C it is liquid nitrogen"),
        pytest.param("ds18b20", "85.0", "degC", Reason.POWER_ON_VALUE, id="DS18B20 power-on"),
        pytest.param("ds18b20", "85.1", "degC", None, id="beside it"),
        pytest.param("ds18b20", "85", "%", None, id="another quantity"),
        pytest.param("max31865", "-242.02", "degC", Reason.SENSOR_SHORT, id="MAX31865 code 0"),
        pytest.param("dragino_ltc2", "-327.67", "degC", Reason.SENSOR_OPEN, id="LTC2 open"),
        pytest.param(
            "cwt_8pt1000", "-180.0", "degC", Reason.SENSOR_SHORT, id="looks like a perfect dry shipper"
        ),
        pytest.param("cwt_8pt1000", "-179.9", "degC", None, id="above the module's floor"),
        pytest.param("cwt_8pt1000", "650", "degC", Reason.SENSOR_OPEN, id="on the upper bound"),
        pytest.param("cwt_8pt1000", "649.9", "degC", None, id="below the upper bound"),
        pytest.param("mb8art", "-300.00", "degC", Reason.SENSOR_FAULT, id="MB8ART, high resolution"),
        pytest.param("mb8art", "3000.0", "degC", Reason.SENSOR_OPEN, id="MB8ART, low resolution"),
        pytest.param("thermo_tde", "-127.0", "degC", Reason.NOT_CONNECTED, id="TDE, no thermocouple"),
        pytest.param("papouch_awp", "-3200.5", "degC", Reason.SENSOR_FAULT, id="AWP, error 5"),
        pytest.param("ruuvi_df5", "-163.84", "degC", Reason.UNDER_RANGE, id="Ruuvi, not available"),
        pytest.param("ruuvi_df5", "-163.835", "degC", Reason.UNDER_RANGE, id="Ruuvi, clipped"),
        pytest.param("ruuvi_df5", "-163.83", "degC", None, id="Ruuvi, in range"),
    ],
)
def test_known_lies(family: str, text: str, unit: str, reason: Reason | None) -> None:
    """Each published code is told, whatever its digits and unit token, and its neighbours are not."""
    assert told(text, unit, LIES[family].lies) is reason


@pytest.mark.parametrize(
    ("text", "unit", "reason"),
    [
        pytest.param("1", "degC", None, id="a value"),
        pytest.param("", "degC", Reason.NO_VALUE, id="nothing"),
        pytest.param("1", "", Reason.NO_UNIT, id="no unit"),
        pytest.param("nan", "degC", Reason.NOT_A_NUMBER, id="nan"),
        pytest.param("١", "degC", Reason.NOT_A_NUMBER, id="a digit of another script"),
    ],
)
def test_refusal(text: str, unit: str, reason: Reason | None) -> None:
    """A text is a value only as a plain number with a unit."""
    assert refusal(text, unit, ()) is reason


@given(st.text(max_size=12) | st.from_regex(NUMBER, fullmatch=True))
def test_a_number_for_a_driver_is_one_for_the_fold(text: str) -> None:
    """What drivers let pass as a number, the exact conversion can read, and it reads the same value."""
    if NUMBER.fullmatch(text):
        assert exact(text) == Fraction(text)


@given(st.text(max_size=10), st.text(max_size=4))
def test_any_text_can_be_asked_about(text: str, unit: str) -> None:
    """No text and no unit make the table raise."""
    told(text, unit, (*EVERY, Lie(Reason.SENSOR_OPEN, value="OPEN")))
